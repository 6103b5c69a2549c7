/* SPDX-License-Identifier: BSD-2-Clause */
/* Page walks in each paging mode: addresses, rights, reserved bits, accessed and dirty flags. */
/* UNITS: vcpu/paging.c vcpu/vm_memory.c tests/fake/guest_memory.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>

#include "arch/x86_64/control_registers.h"
#include "tests/fake/guest_memory.h"
#include "vcpu/paging.h"

#define P  (1ull << 0)
#define W  (1ull << 1)
#define U  (1ull << 2)
#define A  (1ull << 5)
#define D  (1ull << 6)
#define PS (1ull << 7)
#define NX (1ull << 63)

#define RAM MIB

static struct vm vm;
static struct paging paging;
static gpa_t gpa;
static uint32_t error_code;

/* The way to LINEAR: a table a level, in pages of their own. */
#define LINEAR	     0x0000123456789abcull
#define LINEAR4	     0x56789abcull
#define TABLE(level) (0x1000ull * (level))

static int make_memory(void **state)
{
	(void)state;
	fake_guest_ram(&vm, RAM);
	return 0;
}

static void put8(uint64_t at, uint64_t value)
{
	memcpy((uint8_t *)vm.window.raw + at, &value, 8);
}

static void put4(uint64_t at, uint64_t value)
{
	memcpy((uint8_t *)vm.window.raw + at, &value, 4);
}

static uint64_t get(uint64_t at, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, (uint8_t *)vm.window.raw + at, size);
	return value;
}

/* --- A walk with one entry a level. --- */

enum mode { MODE_32, MODE_32_PSE, MODE_PAE, MODE_4LEVEL };

struct one_walk {
	enum mode mode;
	unsigned top, leaf; /* levels */
	unsigned entry_size;
	uint64_t linear;
	uint64_t entries[5]; /* by level */
};

static uint64_t entry_at(const struct one_walk *w, unsigned level)
{
	unsigned shift = w->entry_size == 8 ? 12 + 9 * (level - 1) : 12 + 10 * (level - 1);
	uint64_t mask = w->entry_size == 8 ? 0x1ff : 0x3ff;

	return TABLE(level) + (w->linear >> shift & mask) * w->entry_size;
}

static uint64_t page_size(const struct one_walk *w)
{
	return 1ull << (w->entry_size == 8 ? 12 + 9 * (w->leaf - 1) : 12 + 10 * (w->leaf - 1));
}

/* A walk in which everything is allowed, to a page at the address that `leaf_address` says. */
static struct one_walk easy(enum mode mode, unsigned leaf, uint64_t leaf_address)
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

static void prepare(const struct one_walk *w)
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

static const struct paging_access data_read, user_write = {.write = true, .user = true};

static enum paging_result translate(const struct one_walk *w, struct paging_access access)
{
	gpa = GPA(~0ull);
	error_code = ~0u;
	return paging_translate(&paging, w->linear, access, &gpa, &error_code);
}

static void expect_page(const struct one_walk *w, struct paging_access access, uint64_t page)
{
	if (translate(w, access) != PAGING_OK)
		fail_msg("a fault, error code %x", error_code);
	if (gpa.raw != page + w->linear % page_size(w))
		fail_msg("%llx, not %llx", (unsigned long long)gpa.raw,
			 (unsigned long long)(page + w->linear % page_size(w)));
}

static void expect_fault(const struct one_walk *w, struct paging_access access, uint64_t code)
{
	if (translate(w, access) != PAGING_FAULT)
		fail_msg("no fault; error code %llx was expected", (unsigned long long)code);
	assert_int_equal(error_code, code);
}

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
	{MODE_32,	  1, 0x89abc000  },
	{MODE_32_PSE, 1, 0x89abc000  },
	{MODE_32_PSE, 2, 0x89800000  },
	{MODE_PAE,	   1, 0xab89abc000},
	{MODE_PAE,	   2, 0xab89a00000},
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
	/* The directory now points to TABLE(1) + 2 MiB, where there is no memory. */
	assert_int_equal(translate(&w, data_read), PAGING_NO_TABLE);
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
		/* The walk may end elsewhere now, but not for this reason. */
		if (translate(&w, data_read) == PAGING_FAULT)
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

/* --- Rights. --- */

/* SDM "Determination of Access Rights", sentence by sentence, for one set of rights. */
static bool may(bool writable, bool user_page, bool no_execute, struct paging_access access)
{
	bool wp = paging.cr0 & CR0_WP, smap = paging.cr4 & CR4_SMAP, ac = paging.rflags & RFLAGS_AC;
	bool smep = paging.cr4 & CR4_SMEP, nxe = paging.efer & EFER_NXE;

	if (!access.user && access.fetch) {
		if (user_page && smep)
			return false;
		return !(nxe && no_execute);
	}
	if (!access.user && !access.write)
		return !user_page || !smap || ac;
	if (!access.user) {
		if (user_page && smap && !ac)
			return false;
		return !wp || writable;
	}
	if (!user_page)
		return false;
	if (access.fetch)
		return !(nxe && no_execute);
	return !access.write || writable;
}

static uint64_t code_for(struct paging_access access)
{
	bool nx_works = paging.efer & EFER_NXE && paging.cr4 & CR4_PAE;
	uint64_t code = PF_ERROR_PRESENT;

	if (access.write)
		code |= PF_ERROR_WRITE;
	if (access.user)
		code |= PF_ERROR_USER;
	if (access.fetch && (nx_works || paging.cr4 & CR4_SMEP))
		code |= PF_ERROR_FETCH;
	return code;
}

/* All rights of two levels, all kinds of access, all settings of the processor. */
static void check_rights(const struct one_walk *easy_one, unsigned rights, unsigned settings)
{
	static const struct paging_access accesses[] = {
		{false, false, false},
		       {true,  false, false},
		     {false, true,  false},
		{false, false, true },
		       {true,  false, true },
		     {false, true,  true },
	};
	struct one_walk w = *easy_one;
	unsigned other = w.top == w.leaf ? w.leaf : w.leaf + 1;
	uint64_t both[2] = {(rights & 1 ? W : 0) | (rights & 2 ? U : 0) | (rights & 4 ? NX : 0),
			    (rights & 8 ? W : 0) | (rights & 16 ? U : 0) | (rights & 32 ? NX : 0)};

	if (w.entry_size == 4 && rights & 0x24)
		return;
	if (other == w.leaf)
		both[1] = both[0];
	w.entries[w.leaf] = (w.entries[w.leaf] & ~(W | U)) | both[0];
	w.entries[other] = (w.entries[other] & ~(W | U | NX)) | both[1];
	for (size_t i = 0; i < sizeof(accesses) / sizeof(accesses[0]); i++) {
		prepare(&w);
		paging.cr0 = CR0_PE | CR0_PG | (settings & 1 ? CR0_WP : 0);
		paging.cr4 |= (settings & 2 ? CR4_SMEP : 0) | (settings & 4 ? CR4_SMAP : 0);
		paging.rflags = settings & 8 ? RFLAGS_AC : 0;
		if (w.entry_size == 4 && settings & 16)
			paging.efer = EFER_NXE; /* without PAE it means nothing */
		if (may(both[0] & both[1] & W, both[0] & both[1] & U, (both[0] | both[1]) & NX,
			accesses[i]))
			expect_page(&w, accesses[i], w.entries[w.leaf] & 0xffffffe000);
		else
			expect_fault(&w, accesses[i], code_for(accesses[i]));
	}
}

static void rights(void **state)
{
	static const struct {
		enum mode mode;
		unsigned leaf;
	} some[] = {
		{MODE_32,	  1},
		       {MODE_32_PSE, 2},
		 {MODE_PAE,    1},
		{MODE_PAE,	   2},
		       {MODE_4LEVEL, 1},
		 {MODE_4LEVEL, 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		struct one_walk w = easy(some[i].mode, some[i].leaf, 0x40000000);

		for (unsigned set = 0; set < 64; set++)
			for (unsigned settings = 0; settings < 32; settings++)
				check_rights(&w, set, settings);
	}
}

/* SDM "Protection Keys" */
static void protection_keys(void **state)
{
	struct one_walk w = easy(MODE_4LEVEL, 1, 0x5000);

	(void)state;
	for (unsigned n = 0; n < 256; n++) {
		bool deny = n & 1, deny_write = n & 2, user_page = n & 4, wp = n & 8;
		struct paging_access access = {.write = n & 16, .user = n & 32, .fetch = n & 64};
		bool on = n & 128, good, key_good;
		uint64_t code;

		if (access.write && access.fetch)
			continue;
		w.entries[1] = 0x5000 | P | W | (user_page ? U : 0) | 11ull << 59;
		prepare(&w);
		paging.cr4 |= on ? CR4_PKE : 0;
		paging.cr0 = CR0_PE | CR0_PG | (wp ? CR0_WP : 0);
		/* All other keys say the opposite. */
		paging.pkru = ~(3u << 22) | (deny ? 1u << 22 : 0) | (deny_write ? 2u << 22 : 0);
		key_good = !on || !user_page || access.fetch ||
			   !(deny || (deny_write && access.write && (wp || access.user)));
		good = may(true, user_page, false, access);
		code = code_for(access) | (key_good ? 0 : PF_ERROR_PK);
		if (good && key_good)
			expect_page(&w, access, 0x5000);
		else
			expect_fault(&w, access, code);
	}
}

/* A key denies beside other rights, and the error code says both. */
static void keys_beside_other_rights(void **state)
{
	struct one_walk w = easy(MODE_4LEVEL, 1, 0x5000);

	(void)state;
	w.entries[1] = 0x5000 | P | U;
	prepare(&w);
	paging.cr4 |= CR4_PKE;
	paging.pkru = 2;
	expect_fault(&w, user_write,
		     PF_ERROR_PRESENT | PF_ERROR_WRITE | PF_ERROR_USER | PF_ERROR_PK);
	paging.pkru = 0;
	expect_fault(&w, user_write, PF_ERROR_PRESENT | PF_ERROR_WRITE | PF_ERROR_USER);
}

/* Outside IA-32e mode there are no keys. */
static void no_keys_in_pae_paging(void **state)
{
	struct one_walk w = easy(MODE_PAE, 1, 0x5000);

	(void)state;
	prepare(&w);
	paging.cr4 |= CR4_PKE;
	paging.pkru = ~0u;
	expect_page(&w, user_write, 0x5000);
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

static void tables_outside_memory(void **state)
{
	(void)state;
	for (size_t i = 0; i < SHAPES; i++) {
		struct one_walk w = easy(shapes[i].mode, shapes[i].leaf, shapes[i].page);

		for (unsigned level = w.top; level > w.leaf; level--) {
			struct one_walk bad = w;

			bad.entries[level] = RAM | P | W | U;
			prepare(&bad);
			assert_int_equal(translate(&bad, data_read), PAGING_NO_TABLE);
		}
		prepare(&w);
		paging.cr3 = 0xfffff000;
		paging.pdptes[1] = 0xfffffff001;
		assert_int_equal(translate(&w, data_read), PAGING_NO_TABLE);
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
		cmocka_unit_test(rights),
		cmocka_unit_test(protection_keys),
		cmocka_unit_test(keys_beside_other_rights),
		cmocka_unit_test(no_keys_in_pae_paging),
		cmocka_unit_test(accessed_and_dirty),
		cmocka_unit_test(a_fault_leaves_the_dirty_flag),
		cmocka_unit_test(tables_outside_memory),
		cmocka_unit_test(the_low_bits_of_cr3),
		cmocka_unit_test(a_walk_explained),
	};

	return cmocka_run_group_tests_name("paging", tests, make_memory, NULL);
}
