/* SPDX-License-Identifier: BSD-2-Clause */
/* What was most frequent in a VM's records: found by its reader, never on the exit path. */
#include "trace/top.h"

#include <stdbool.h>

#include "arch/x86_64/msr.h"
#include "arch/x86_64/vmx.h"
#include "kernel/compiler.h"
#include "kernel/format.h"
#include "kernel/log.h"
#include "trace/record.h"

#define SHOWN      6
#define CANDIDATES 32
#define LINE_MAX   240

/* One of the most frequent keys. */
struct candidate {
	uint64_t key, count;
};

static bool key_of_port(const struct exit_record *r, uint64_t *key)
{
	*key = io_access_decode(r->qualification).port;
	return r->reason == VMX_EXIT_IO_INSTRUCTION;
}

static bool key_of_msr(const struct exit_record *r, uint64_t *key)
{
	*key = r->qualification;
	return r->reason == VMX_EXIT_RDMSR || r->reason == VMX_EXIT_WRMSR;
}

static bool key_of_leaf(const struct exit_record *r, uint64_t *key)
{
	*key = r->qualification;
	return r->reason == VMX_EXIT_CPUID;
}

static bool key_of_page(const struct exit_record *r, uint64_t *key)
{
	*key = r->detail[0] & ~0xfffull;
	return r->reason == VMX_EXIT_EPT_VIOLATION || r->reason == VMX_EXIT_EPT_MISCONFIGURATION;
}

static bool key_of_rip(const struct exit_record *r, uint64_t *key)
{
	*key = r->rip;
	return true;
}

static size_t say_number(uint64_t key, char *text, size_t size)
{
	return format(text, size, "%llx", (unsigned long long)key);
}

static size_t say_msr(uint64_t key, char *text, size_t size)
{
	char buffer[MSR_NAME_MAX];
	const char *name = msr_name((uint32_t)key, buffer);

	return name ? format(text, size, "%s", name) : say_number(key, text, size);
}

static size_t say_leaf(uint64_t key, char *text, size_t size)
{
	return format(text, size, "%x.%x", (uint32_t)key, (uint32_t)(key >> 32));
}

static const struct kind {
	const char *name;
	bool (*key_of)(const struct exit_record *r, uint64_t *key);
	size_t (*say)(uint64_t key, char *text, size_t size);
	uint64_t least; /* what occurs less often is not worth its place */
} kinds[] = {
	{"ports",  key_of_port, say_number, 1},
        {"MSRs",   key_of_msr,  say_msr,    1},
	{"leaves", key_of_leaf, say_leaf,   1},
        {"pages",  key_of_page, say_number, 1},
	{"RIPs",   key_of_rip,  say_number, 2},
};

/*
 * A key that is not among the candidates takes the place of the rarest, and its count: so whatever
 * makes up more than one record in CANDIDATES is among them in the end, however many keys there
 * are. The counts come out too high.
 */
static void note(struct candidate *candidates, uint64_t key)
{
	struct candidate *rarest = candidates;

	for (unsigned i = 0; i < CANDIDATES; i++) {
		if (candidates[i].count && candidates[i].key == key) {
			candidates[i].count++;
			return;
		}
		if (candidates[i].count < rarest->count)
			rarest = &candidates[i];
	}
	rarest->key = key;
	rarest->count++;
}

/* The second time through: only candidates are counted. */
static void recount(struct candidate *candidates, uint64_t key)
{
	for (unsigned i = 0; i < CANDIDATES; i++) {
		if (candidates[i].key == key) {
			candidates[i].count++;
			return;
		}
	}
}

static void go_through(const struct exit_ring *ring, unsigned vm, const struct kind *kind,
		       struct candidate *candidates,
		       void (*each)(struct candidate *candidates, uint64_t key))
{
	uint64_t key;

	for (uint64_t i = ring_first_of_vm(ring, vm); i < ring->head; i++) {
		const struct exit_record *record = ring_at(ring, i);

		if (record->vm == vm && record->reason != RECORD_VM_STARTED &&
		    kind->key_of(record, &key))
			each(candidates, key);
	}
}

/* Before in the list: the more frequent, and of equals the one with the smaller key. */
static bool comes_before(const struct candidate *a, const struct candidate *b)
{
	return a->count > b->count || (a->count == b->count && a->key < b->key);
}

/* Takes the first of those that are left; NULL: none is. */
static struct candidate *take_first(struct candidate *candidates)
{
	struct candidate *first = NULL;

	for (unsigned i = 0; i < CANDIDATES; i++)
		if (candidates[i].count && (!first || comes_before(&candidates[i], first)))
			first = &candidates[i];
	return first;
}

static void print_kind(const struct exit_ring *ring, unsigned vm, const char *vm_name,
		       const struct kind *kind)
{
	struct candidate candidates[CANDIDATES] = {{.key = 0}};
	char line[LINE_MAX];
	size_t at = 0;

	go_through(ring, vm, kind, candidates, note);
	for (unsigned i = 0; i < CANDIDATES; i++)
		candidates[i] =
			(struct candidate){.key = candidates[i].count ? candidates[i].key : ~0ull};
	go_through(ring, vm, kind, candidates, recount);
	for (unsigned i = 0; i < SHOWN && at < sizeof(line); i++) {
		struct candidate *first = take_first(candidates);

		if (!first || first->count < kind->least)
			break;
		at += format(line + at, sizeof(line) - at, "  ");
		if (at < sizeof(line))
			at += kind->say(first->key, line + at, sizeof(line) - at);
		if (at < sizeof(line))
			at += format(line + at, sizeof(line) - at, " x%llu",
				     (unsigned long long)first->count);
		first->count = 0;
	}
	if (at > 0)
		log_vm_line(LOG_ALWAYS, vm_name, "  top %-6s%s", kind->name, line);
}

void top_print(const struct exit_ring *ring, unsigned vm, const char *vm_name)
{
	for (unsigned i = 0; i < ARRAY_COUNT(kinds); i++)
		print_kind(ring, vm, vm_name, &kinds[i]);
}
