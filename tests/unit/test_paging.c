/* SPDX-License-Identifier: BSD-2-Clause */
/* Page walks in each paging mode: addresses, reserved bits, accessed and dirty flags. */
/* UNITS: vcpu/paging.c vcpu/vm_memory.c tests/fake/one_walk.c tests/fake/guest_memory.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include "tests/fake/one_walk.h"

static void without_paging(void **state)
{
	struct one_walk w = {.linear = 0x1fedcba987};

	(void)state;
	paging = (struct paging){.vm = &vm, .cr0 = CR0_PE, .cr4 = CR4_PAE | CR4_SMAP};
	assert_int_equal(translate(&w, user_write), PAGING_OK);
	assert_int_equal(gpa.raw, 0xedcba987);
}

static const struct {
	enum mode mode;
	unsigned leaf;
	uint64_t page;
} shapes[] = {
	{MODE_32,     1, 0x89abc000  },
        {MODE_32_PSE, 1, 0x89abc000  },
	{MODE_32_PSE, 2, 0x89800000  },
        {MODE_PAE,    1, 0xab89abc000},
	{MODE_PAE,    2, 0xab89a00000},
        {MODE_4LEVEL, 1, 0xab89abc000},
	{MODE_4LEVEL, 2, 0xab89a00000},
        {MODE_4LEVEL, 3, 0xab80000000},
};
#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static void pages_of_all_sizes(void **state)
{
	(void)state;
	for (size_t i = 0; i < SHAPES; i++) {
		struct one_walk w = easy(shapes[i].mode, shapes[i].leaf, shapes[i].page);

		prepare(&w);
		expect_page(&w, data_read, shapes[i].page);
		expect_page(&w, user_write, shapes[i].page);
	}
}

/* With CR4.PSE off bit 7 of a 32-bit directory entry means nothing. */
static void no_large_pages_without_pse(void **state)
{
	struct one_walk w = easy(MODE_32, 1, 0x5000);

	(void)state;
	w.entries[2] |= PS | 0x200000;
	prepare(&w);
	paging.vm = &vm;
	put4(0x1000 + 0x200000 % RAM, 0);
	/* The directory now points to TABLE(1) + 2 MiB, where there is no memory: an entry of ones.
	 */
	assert_int_equal(translate(&w, data_read), PAGING_OK);
	assert_int_equal(gpa.raw, 0xfffff000 | LINEAR4 % PAGE_SIZE);
	w.entries[2] = TABLE(1) | P | W | U | PS;
	prepare(&w);
	expect_page(&w, data_read, 0x5000);
}

/* PSE-36: address bits 39:32 in 20:13. */
static void address_bits_of_4m_pages(void **state)
{
	struct one_walk w = easy(MODE_32_PSE, 2, 0x40000000 | 0xa5ull << 13);

	(void)state;
	prepare(&w);
	expect_page(&w, data_read, 0xa540000000);
	/* Bits that the processor's addresses have not are reserved. */
	for (unsigned physical = 32; physical <= 52; physical += 4)
		for (unsigned bit = 13; bit <= 21; bit++) {
			unsigned width = physical < 40 ? physical : 40;

			w = easy(MODE_32_PSE, 2, 0x40000000 | 1ull << bit);
			prepare(&w);
			paging.physical_bits = physical;
			if (bit < width - 19)
				expect_page(&w, data_read, 0x40000000 | 1ull << (bit + 19));
			else
				expect_fault(&w, data_read, PF_ERROR_PRESENT | PF_ERROR_RESERVED);
		}
}

static void nothing_present(void **state)
{
	(void)state;
	for (size_t i = 0; i < SHAPES; i++)
		for (unsigned level = shapes[i].leaf; level <= 4; level++) {
			struct one_walk w = easy(shapes[i].mode, shapes[i].leaf, shapes[i].page);

			if (level > w.top)
				continue;
			/* Whatever the other bits are, reserved ones among them. */
			w.entries[level] = ~P;
			prepare(&w);
			expect_fault(&w, data_read, 0);
			expect_fault(&w, user_write, PF_ERROR_WRITE | PF_ERROR_USER);
		}
}

static void no_pdpte(void **state)
{
	struct one_walk w = easy(MODE_PAE, 1, 0x5000);

	(void)state;
	prepare(&w);
	paging.pdptes[1] = TABLE(2);
	expect_fault(&w, user_write, PF_ERROR_WRITE | PF_ERROR_USER);
}

/* SDM "Format of paging-structure entries", the tables for each mode. */
static bool is_reserved(const struct one_walk *w, unsigned level, unsigned bit, bool nxe,
			bool giant)
{
	bool leaf = level == w->leaf;

	if (w->entry_size == 4)
		return leaf && level == 2 && bit == 21;
	if (bit == 63)
		return !nxe;
	if (bit >= 52)
		return w->mode == MODE_PAE;
	if (bit >= 40)
		return true;
	if (bit == 7)
		return level == 4 || (level == 3 && !giant);
	if (leaf && level == 2)
		return bit >= 13 && bit <= 20;
	if (leaf && level == 3)
		return bit >= 13 && bit <= 29;
	return false;
}

static void check_reserved(const struct one_walk *easy_one, unsigned level, unsigned bit)
{
	struct one_walk w = *easy_one;
	bool nxe = bit % 2; /* both ways, over all calls */

	w.entries[level] |= 1ull << bit;
	prepare(&w);
	if (!nxe)
		paging.efer &= ~EFER_NXE;
	if (bit == 63 && w.entry_size == 8) {
		paging.efer &= ~EFER_NXE;
		nxe = false;
	}
	if (is_reserved(&w, level, bit, nxe, true)) {
		expect_fault(&w, data_read, PF_ERROR_PRESENT | PF_ERROR_RESERVED);
		expect_fault(&w, user_write,
			     PF_ERROR_PRESENT | PF_ERROR_RESERVED | PF_ERROR_WRITE | PF_ERROR_USER);
	} else {
		/* The walk may end elsewhere now, but not for this reason; unless that table is
		 * where there is no memory. */
		bool leads_out = level > w.leaf && bit < 52 && 1ull << bit >= RAM;

		if (translate(&w, data_read) == PAGING_FAULT && !leads_out)
			assert_int_equal(error_code & PF_ERROR_RESERVED, 0);
	}
}

static void reserved_bits(void **state)
{
	(void)state;
	for (size_t i = 0; i < SHAPES; i++) {
		struct one_walk w = easy(shapes[i].mode, shapes[i].leaf, shapes[i].page);

		for (unsigned level = w.leaf; level <= w.top; level++)
			for (unsigned bit = 0; bit < 8 * w.entry_size; bit++)
				if (bit != 7 || level == 4)
					check_reserved(&w, level, bit);
	}
}

/* A processor without pages of 1 GiB calls bit 7 reserved there. */
static void no_1g_pages(void **state)
{
	struct one_walk w = easy(MODE_4LEVEL, 3, 0x40000000);

	(void)state;
	prepare(&w);
	expect_page(&w, data_read, 0x40000000);
	paging.pages_1g = false;
	expect_fault(&w, data_read, PF_ERROR_PRESENT | PF_ERROR_RESERVED);
}

/* --- Accessed and dirty flags. --- */

static void accessed_and_dirty(void **state)
{
	(void)state;
	for (size_t i = 0; i < SHAPES; i++)
		for (unsigned write = 0; write < 2; write++) {
			struct one_walk w = easy(shapes[i].mode, shapes[i].leaf, shapes[i].page);
			struct paging_access access = {.write = write};

			prepare(&w);
			assert_int_equal(translate(&w, access), PAGING_OK);
			for (unsigned level = w.leaf; level <= w.top; level++) {
				uint64_t expected = w.entries[level] | A;

				if (level == w.leaf && write)
					expected |= D;
				assert_int_equal(get(entry_at(&w, level), w.entry_size), expected);
			}
			/* The entries beside were not touched. */
			assert_int_equal(get(entry_at(&w, w.leaf) + w.entry_size, w.entry_size), 0);
		}
}

/* A denied access makes nothing dirty. */
static void a_fault_leaves_the_dirty_flag(void **state)
{
	struct one_walk w = easy(MODE_4LEVEL, 1, 0x5000);

	(void)state;
	w.entries[1] &= ~W;
	prepare(&w);
	expect_fault(&w, user_write, PF_ERROR_PRESENT | PF_ERROR_WRITE | PF_ERROR_USER);
	assert_int_equal(get(entry_at(&w, 1), 8) & D, 0);
}

/* An entry of ones at this level has reserved bits, but for those of 32-bit paging that can map no
 * large page. */
static void expect_ones(const struct one_walk *w, unsigned level)
{
	if (w->entry_size == 4 && (w->mode == MODE_32 || level == 1)) {
		assert_int_equal(translate(w, user_write), PAGING_OK);
		assert_int_equal(gpa.raw >> PAGE_SHIFT, 0xfffff);
	} else {
		expect_fault(w, data_read, PF_ERROR_PRESENT | PF_ERROR_RESERVED);
	}
}

static void tables_outside_memory(void **state)
{
	(void)state;
	for (size_t i = 0; i < SHAPES; i++) {
		struct one_walk w = easy(shapes[i].mode, shapes[i].leaf, shapes[i].page);

		for (unsigned level = w.top; level > w.leaf; level--) {
			struct one_walk bad = w;

			bad.entries[level] = RAM | P | W | U;
			prepare(&bad);
			expect_ones(&bad, level - 1);
		}
		prepare(&w);
		paging.cr3 = 0xfffff000;
		paging.pdptes[1] = 0xfffffff001;
		expect_ones(&w, w.top);
	}
}

/* PCID and cache bits of CR3 are no address bits. */
static void the_low_bits_of_cr3(void **state)
{
	struct one_walk w = easy(MODE_4LEVEL, 1, 0x5000), w32 = easy(MODE_32, 1, 0x5000);

	(void)state;
	prepare(&w);
	paging.cr3 |= 0xfff;
	expect_page(&w, data_read, 0x5000);
	prepare(&w32);
	paging.cr3 |= 0xfff;
	expect_page(&w32, data_read, 0x5000);
	/* Outside IA-32e mode the upper half of a linear address does not count. */
	w32.linear |= 0xffffffff00000000;
	assert_int_equal(translate(&w32, data_read), PAGING_OK);
}

static void a_walk_explained(void **state)
{
	struct one_walk w = easy(MODE_4LEVEL, 2, 0x40000000);
	struct paging_step steps[PAGING_STEPS_MAX];

	(void)state;
	prepare(&w);
	assert_int_equal(paging_explain(&paging, w.linear, steps), 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(steps[i].level, 4 - i);
		assert_int_equal(steps[i].at.raw, entry_at(&w, 4 - i));
		assert_int_equal(steps[i].entry, w.entries[4 - i]);
		assert_true(steps[i].readable);
		/* It changes nothing. */
		assert_int_equal(get(steps[i].at.raw, 8) & (A | D), 0);
	}
	w.entries[3] = RAM | P;
	prepare(&w);
	assert_int_equal(paging_explain(&paging, w.linear, steps), 3);
	assert_false(steps[2].readable);
	paging.cr0 = CR0_PE;
	assert_int_equal(paging_explain(&paging, w.linear, steps), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_paging),
		cmocka_unit_test(pages_of_all_sizes),
		cmocka_unit_test(no_large_pages_without_pse),
		cmocka_unit_test(address_bits_of_4m_pages),
		cmocka_unit_test(nothing_present),
		cmocka_unit_test(no_pdpte),
		cmocka_unit_test(reserved_bits),
		cmocka_unit_test(no_1g_pages),
		cmocka_unit_test(accessed_and_dirty),
		cmocka_unit_test(a_fault_leaves_the_dirty_flag),
		cmocka_unit_test(tables_outside_memory),
		cmocka_unit_test(the_low_bits_of_cr3),
		cmocka_unit_test(a_walk_explained),
	};

	return cmocka_run_group_tests_name("paging", tests, make_memory, NULL);
}
