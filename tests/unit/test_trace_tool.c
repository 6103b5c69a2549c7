/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/plinth-trace against Plinth's own rendering: for the same records both must make the same
 * lines. And the names that the tool reads from tools/trace-names.json are those of the tables
 * here; build/unit/test_trace_tool --names writes them anew.
 */
/* UNITS: trace/ring.c trace/render.c trace/stream.c trace/counters.c arch/x86_64/vmx.c */
/* UNITS: arch/x86_64/msr.c arch/x86_64/exceptions.c arch/x86_64/cpuid.c kernel/format.c */
/* UNITS: tests/fake/host_cpuid.c tests/fake/physical.c tests/fake/direct_map.c tests/fake/error.c
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch/x86_64/exceptions.h"
#include "arch/x86_64/msr.h"
#include "arch/x86_64/vmx.h"
#include "kernel/log.h"
#include "tests/fake/host_cpuid.h"
#include "trace/counters.h"
#include "trace/render.h"
#include "trace/stream.h"

#define NAMES_FILE "tools/trace-names.json"
#define VMS        3
#define CALLS      9

/* --- The names. --- */

static void print_separated(FILE *file, bool *first)
{
	fprintf(file, "%s\n    ", *first ? "" : ",");
	*first = false;
}

static void print_msrs(FILE *file, uint32_t from, uint32_t to, bool *first)
{
	for (uint32_t msr = from; msr < to; msr++) {
		char buffer[MSR_NAME_MAX];
		const char *name = msr_name(msr, buffer);

		if (!name)
			continue;
		print_separated(file, first);
		fprintf(file, "\"%x\": \"%s\"", msr, name);
	}
}

/* What a hypercall is called is known to the renderer alone. */
static void call_name(unsigned number, char name[40])
{
	const struct exit_record record = {.reason = VMX_EXIT_VMCALL, .qualification = number};
	char text[100];

	render_words(&record, text, sizeof(text));
	assert_int_equal(sscanf(text, "VMCALL %39[^(]", name), 1);
}

static void print_names(FILE *file)
{
	bool first = true;
	char name[40];

	fprintf(file, "{\n  \"reasons\": {");
	for (uint32_t i = 0; i < VMX_EXIT_REASON_COUNT; i++) {
		if (!strcmp(vmx_exit_reason_name(i), "unknown exit reason"))
			continue;
		print_separated(file, &first);
		fprintf(file, "\"%u\": \"%s\"", i, vmx_exit_reason_name(i));
	}
	fprintf(file, "\n  },\n  \"exceptions\": [");
	first = true;
	for (unsigned i = 0; i < EXCEPTION_COUNT; i++) {
		print_separated(file, &first);
		fprintf(file, "\"%s\"", exception_name((uint8_t)i));
	}
	fprintf(file, "\n  ],\n  \"calls\": [");
	first = true;
	for (unsigned i = 0; i < CALLS; i++) {
		call_name(i, name);
		print_separated(file, &first);
		fprintf(file, "\"%s\"", name);
	}
	fprintf(file, "\n  ],\n  \"msrs\": {");
	first = true;
	print_msrs(file, 0, 0x2000, &first);
	print_msrs(file, 0x40000000, 0x40001000, &first);
	print_msrs(file, 0xc0000000, 0xc0012000, &first);
	fprintf(file, "\n  }\n}\n");
}

static char *read_all(FILE *file)
{
	size_t size = 0, room = 1 << 16;
	char *text = malloc(room);

	assert_non_null(file);
	for (;;) {
		size_t got = fread(text + size, 1, room - size - 1, file);

		size += got;
		if (!got)
			break;
		if (size + 1 == room)
			text = realloc(text, room *= 2);
	}
	text[size] = '\0';
	return text;
}

static void names_are_those_of_the_tables(void **state)
{
	FILE *temporary = tmpfile(), *kept = fopen(NAMES_FILE, "r");
	char *made, *there, beyond[40];

	(void)state;
	print_names(temporary);
	rewind(temporary);
	made = read_all(temporary);
	there = read_all(kept);
	if (strcmp(made, there) != 0)
		fail_msg(NAMES_FILE " is out of date: "
				    "build/unit/test_trace_tool --names >" NAMES_FILE);
	call_name(CALLS, beyond);
	assert_string_equal(beyond, "9");
	fclose(temporary);
	fclose(kept);
	free(made);
	free(there);
}

/* --- Records by chance, with what Plinth makes of them. --- */

static uint64_t seed;

static uint64_t chance(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Small and large, and sometimes nothing. */
static uint64_t some_number(void)
{
	return chance() % 8 ? chance() >> chance() % 64 : 0;
}

static uint64_t some_msr(void)
{
	static const uint32_t bases[] = {0, 0xc0000080, 0x480, 0x800, 0x200};

	return bases[chance() % 5] + chance() % 32;
}

static struct exit_record some_record(uint64_t tsc)
{
	static const uint8_t reasons[] = {0, 1, 10, 18, 28, 30, 31, 32, 48, 49, 55, 12, 127};
	struct exit_record r = {
		.tsc_exit = tsc,
		.tsc_entry = chance() % 16 ? tsc + 1 + (some_number() & 0xffffff) : 0,
		.rip = some_number(),
		.reason = chance() % 4 ? reasons[chance() % 13] : (uint16_t)(chance() % 90),
		.injected = chance() % 4 ? 0 : (uint16_t)(chance() | RECORD_INJECTED),
		.vm = (uint8_t)(chance() % VMS),
		.mode = (uint8_t)(chance() % 4),
		.flags = chance() % 4 ? 0 : (uint8_t)(chance() & 0x3f),
		.qualification = some_number(),
		.detail = {some_number(), some_number(), some_number()},
	};

	if (r.reason == VMX_EXIT_RDMSR || r.reason == VMX_EXIT_WRMSR)
		r.qualification = chance() % 8 ? some_msr() : r.qualification;
	if (r.reason == VMX_EXIT_VMCALL && chance() % 2)
		r.qualification = chance() % 8;
	if (r.reason == VMX_EXIT_EXCEPTION_OR_NMI)
		r.detail[0] = chance() & 0x80000fff;
	/* The answer of an EPT violation is one of few, or of a later version. */
	r.ept_answer %= 7;
	return r;
}

static struct exit_ring *ring;
static char *expected;
static struct exit_counters counters[VMS];

static const char *vm_names[VMS] = {"demo", "a", "vm-with-a-name-of-31-characters"};

/* What counters_print() writes. */
static FILE *printed;

void log_vm_line(enum log_level level, const char *vm_name, const char *text, ...)
{
	va_list args;

	(void)level;
	fprintf(printed, "plinth[%s]: ", vm_name);
	va_start(args, text);
	vfprintf(printed, text, args);
	va_end(args);
	fputc('\n', printed);
}

/* A ring of `size` with `count` records, and the lines of those that are left in it. */
static void fill(uint32_t size, unsigned count, uint64_t from)
{
	static const struct capability capabilities[2] = {
		{.msr = IA32_VMX_BASIC, .value = 42},
                {.msr = 0x12345,        .value = 43}
        };
	const struct ring_info info = {
		.tsc_hz = 20000000,
		.capabilities = capabilities,
		.capability_count = 2,
		.command_line = "trace=all \"two words\"",
	};
	uint64_t tsc = 0x123456789ab;

	seed = from;
	ring = malloc(ring_bytes(size));
	ring_init(ring, 0, size, &info);
	for (unsigned i = 0; i < VMS; i++) {
		counters_reset(&counters[i]);
		ring_vm_started(ring, i, 0, vm_names[i], tsc += 1000);
	}
	for (unsigned i = 0; i < count; i++) {
		struct exit_record r = some_record(tsc += 1 + (some_number() & 0xffffff));

		*ring_next(ring) = r;
		if (r.tsc_entry)
			counter_add(&counters[r.vm].by_reason[r.reason], r.tsc_entry - r.tsc_exit);
	}
}

static void expect_lines(void)
{
	size_t size = 0, room = ring->head * (RENDER_MAX + 60) + 1;
	char text[RENDER_MAX];

	expected = malloc(room);
	expected[0] = '\0';
	if (ring_first(ring))
		size += (size_t)snprintf(expected, room, "# CPU 0: %lu records were overwritten\n",
					 ring_first(ring));
	for (uint64_t i = ring_first(ring); i < ring->head; i++) {
		const struct exit_record *r = ring_at(ring, i), *start = ring_vm(ring, r->vm);

		if (r->reason == RECORD_VM_STARTED)
			continue;
		render_text(r, i - start->tsc_entry, start->tsc_exit, text, sizeof(text));
		size += (size_t)snprintf(expected + size, room - size, "plinth[%s]: %s\n",
					 vm_names[r->vm], text);
	}
}

/* --- The tool. --- */

static char path[] = "/tmp/plinth-trace.XXXXXX";

static FILE *open_input(void)
{
	strcpy(path + strlen(path) - 6, "XXXXXX");
	return fdopen(mkstemp(path), "wb");
}

static char *run_tool(const char *options)
{
	char command[200], *text;
	FILE *pipe;

	snprintf(command, sizeof(command), "tools/plinth-trace %s %s 2>&1", options, path);
	pipe = popen(command, "r");
	text = read_all(pipe);
	assert_int_equal(pclose(pipe), 0);
	unlink(path);
	return text;
}

static void compare(char *seen, const char *wanted)
{
	const char *a = seen, *b = wanted;

	if (strcmp(seen, wanted) != 0) {
		/* Only the first line that differs. */
		while (*a && *a == *b) {
			a++;
			b++;
		}
		while (a > seen && a[-1] != '\n') {
			a--;
			b--;
		}
		fail_msg("the tool writes\n%.*s\nand Plinth\n%.*s", (int)strcspn(a, "\n"), a,
			 (int)strcspn(b, "\n"), b);
	}
	free(seen);
}

static void write_dump(void)
{
	FILE *file = open_input();

	/* As found in the memory of a whole machine: not at its start, and with another such word.
	 */
	for (unsigned i = 0; i < 4096; i++)
		fputc("PLNTRING?"[i % 9], file);
	fwrite(ring, ring_bytes((uint32_t)ring->mask + 1), 1, file);
	fputs("PLNTRING", file);
	fclose(file);
}

static void write_stream(void)
{
	struct stream_source source;
	uint8_t frame[FRAME_MAX];
	FILE *file = open_input();
	size_t size;

	stream_source_init(&source, ring);
	fputs("BIOS says hello", file);
	fputc(0, file);
	while ((size = stream_next(&source, true, frame)) > 0)
		fwrite(frame, size, 1, file);
	fclose(file);
}

static int teardown(void **state)
{
	(void)state;
	free(ring);
	free(expected);
	ring = NULL;
	expected = NULL;
	return 0;
}

static void a_dump_gives_the_same_lines(void **state)
{
	(void)state;
	fill(4096, 4000, 1);
	expect_lines();
	write_dump();
	compare(run_tool(""), expected);
}

static void so_does_a_ring_that_has_wrapped(void **state)
{
	(void)state;
	fill(256, 1000, 2);
	expect_lines();
	write_dump();
	compare(run_tool("--format ring"), expected);
}

static void so_does_a_stream(void **state)
{
	(void)state;
	fill(4096, 4000, 3);
	expect_lines();
	write_stream();
	compare(run_tool(""), expected);
}

static void tables_are_the_same(void **state)
{
	char *all, *wanted;
	size_t at = 0;

	(void)state;
	fill(4096, 4000, 4);
	write_stream();
	printed = tmpfile();
	for (unsigned i = 0; i < VMS; i++)
		counters_print(&counters[i], vm_names[i]);
	rewind(printed);
	all = read_all(printed);
	/* In the order in which the VMs come first, and without the line below each table. */
	wanted = calloc(1, strlen(all) + 1);
	for (uint64_t i = VMS; i < ring->head; i++) {
		char tag[50];
		unsigned vm = ring_at(ring, i)->vm;

		snprintf(tag, sizeof(tag), "plinth[%s]: ", vm_names[vm]);
		if (strstr(wanted, tag) ||
		    ring_at(ring, i)->tsc_entry <= ring_at(ring, i)->tsc_exit)
			continue;
		for (char *line = all; *line; line += strcspn(line, "\n") + 1) {
			int length = (int)strcspn(line, "\n");

			if (!strncmp(line, tag, strlen(tag)) &&
			    !memmem(line, (size_t)length, "ticks in all", 12))
				at += (size_t)sprintf(wanted + at, "%.*s\n", length, line);
		}
	}
	compare(run_tool("--histogram"), wanted);
	free(all);
	free(wanted);
	fclose(printed);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_those_of_the_tables),
		cmocka_unit_test_teardown(a_dump_gives_the_same_lines, teardown),
		cmocka_unit_test_teardown(so_does_a_ring_that_has_wrapped, teardown),
		cmocka_unit_test_teardown(so_does_a_stream, teardown),
		cmocka_unit_test_teardown(tables_are_the_same, teardown),
	};

	host_cpuid_reset();
	if (argc > 1 && !strcmp(argv[1], "--names")) {
		print_names(stdout);
		return 0;
	}
	return cmocka_run_group_tests_name("the trace's reader", tests, NULL, NULL);
}
