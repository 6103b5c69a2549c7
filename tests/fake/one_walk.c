/* SPDX-License-Identifier: BSD-2-Clause */
/* Page walks with one entry a level. */
#include "tests/fake/one_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "tests/fake/guest_memory.h"

struct vm vm;
struct paging paging;
gpa_t gpa;
uint32_t error_code;

int make_memory(void **state)
{
	(void)state;
	fake_guest_ram(&vm, RAM);
	return 0;
}

static void put8(uint64_t at, uint64_t value)
{
	memcpy((uint8_t *)vm.window.raw + at, &value, 8);
}

void put4(uint64_t at, uint64_t value)
{
	memcpy((uint8_t *)vm.window.raw + at, &value, 4);
}

uint64_t get(uint64_t at, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, (uint8_t *)vm.window.raw + at, size);
	return value;
}

uint64_t entry_at(const struct one_walk *w, unsigned level)
{
	unsigned shift = w->entry_size == 8 ? 12 + 9 * (level - 1) : 12 + 10 * (level - 1);
	uint64_t mask = w->entry_size == 8 ? 0x1ff : 0x3ff;

	return TABLE(level) + (w->linear >> shift & mask) * w->entry_size;
}

static uint64_t page_size(const struct one_walk *w)
{
	return 1ull << (w->entry_size == 8 ? 12 + 9 * (w->leaf - 1) : 12 + 10 * (w->leaf - 1));
}

struct one_walk easy(enum mode mode, unsigned leaf, uint64_t leaf_address)
{
	struct one_walk w = {
		.mode = mode,
		.top = mode == MODE_4LEVEL ? 4 : 2,
		.leaf = leaf,
		.entry_size = mode == MODE_32 || mode == MODE_32_PSE ? 4 : 8,
		.linear = mode == MODE_4LEVEL ? LINEAR : LINEAR4,
	};

	for (unsigned level = w.top; level > leaf; level--)
		w.entries[level] = TABLE(level - 1) | P | W | U;
	w.entries[leaf] = leaf_address | P | W | U | (leaf > 1 ? PS : 0);
	return w;
}

void prepare(const struct one_walk *w)
{
	memset((void *)vm.window.raw, 0, 0x10000);
	for (unsigned level = w->top; level >= w->leaf; level--) {
		if (w->entry_size == 8)
			put8(entry_at(w, level), w->entries[level]);
		else
			put4(entry_at(w, level), w->entries[level]);
	}
	paging = (struct paging){
		.vm = &vm,
		.cr0 = CR0_PE | CR0_PG | CR0_WP,
		.cr3 = TABLE(w->top),
		.physical_bits = 40,
		.pages_1g = true,
	};
	if (w->mode == MODE_32_PSE)
		paging.cr4 = CR4_PSE;
	if (w->mode == MODE_PAE || w->mode == MODE_4LEVEL) {
		paging.cr4 = CR4_PAE;
		paging.efer = EFER_NXE;
	}
	if (w->mode == MODE_PAE) {
		memset(paging.pdptes, 0xff, sizeof(paging.pdptes));
		paging.pdptes[w->linear >> 30] = TABLE(2) | P;
		paging.cr3 = 0xdead0000;
	}
	if (w->mode == MODE_4LEVEL)
		paging.efer |= EFER_LME | EFER_LMA;
}

const struct paging_access data_read, user_write = {.write = true, .user = true};

enum paging_result translate(const struct one_walk *w, struct paging_access access)
{
	gpa = GPA(~0ull);
	error_code = ~0u;
	return paging_translate(&paging, w->linear, access, &gpa, &error_code);
}

void expect_page(const struct one_walk *w, struct paging_access access, uint64_t page)
{
	if (translate(w, access) != PAGING_OK)
		fail_msg("a fault, error code %x", error_code);
	if (gpa.raw != page + w->linear % page_size(w))
		fail_msg("%llx, not %llx", (unsigned long long)gpa.raw,
			 (unsigned long long)(page + w->linear % page_size(w)));
}

void expect_fault(const struct one_walk *w, struct paging_access access, uint64_t code)
{
	if (translate(w, access) != PAGING_FAULT)
		fail_msg("no fault; error code %llx was expected", (unsigned long long)code);
	assert_int_equal(error_code, code);
}
