/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine for tests of the address space, and a page walk that knows only what the SDM says. */
#include "tests/fake/paged_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/instructions.h"
#include "arch/x86_64/msr.h"
#include "kernel/physical.h"
#include "tests/fake/cpus.h"
#include "tests/fake/direct_map.h"
#include "tests/fake/log.h"

#define ADDRESS     0x000ffffffffff000ul
#define IMAGE_PAGES (DATA_END / PAGE_SIZE)

/* clang-format off */
static const struct memory_map_entry machine[] = {
	{0,           0x9fc00,    MEMORY_USABLE},
	{0x9fc00,     0x400,      MEMORY_RESERVED},
	{0xf0000,     0x10000,    MEMORY_RESERVED},
	{0x100000,    0x7ee1000,  MEMORY_USABLE},
	{0x7fe1000,   0x1f000,    MEMORY_ACPI_RECLAIMABLE},
	{0x8000000,   0x10000,    MEMORY_RESERVED},
	{0xfffc0000,  0x40000,    MEMORY_RESERVED},
	{0x100000000, 0x80000000, MEMORY_USABLE},
};
/* clang-format on */

static const struct memory_reservation reserved[] = {
	{HPA(0x100000), 0x100000, "Plinth"},
};

const struct kernel_image paged_machine_image = {
	.text_start = HVA(KERNEL_BASE + CODE),
	.text_end = HVA(KERNEL_BASE + CODE + TEXT_END),
	.rodata_start = HVA(KERNEL_BASE + CODE + TEXT_END),
	.rodata_end = HVA(KERNEL_BASE + CODE + RODATA_END),
	.data_start = HVA(KERNEL_BASE + CODE + DATA_START),
	.data_end = HVA(KERNEL_BASE + CODE + DATA_END),
};

struct memory_map paged_machine_map;
bool processor_lacks_nx;
unsigned processor_address_bits;

static struct cpuid_result processor(uint32_t leaf, uint32_t subleaf)
{
	(void)subleaf;
	switch (leaf) {
	case 0x80000000:
		return (struct cpuid_result){.eax = 0x80000008};
	case 0x80000001:
		return (struct cpuid_result){.edx = processor_lacks_nx ? 0 : 1u << 20};
	case 0x80000008:
		return (struct cpuid_result){.eax = 0x3000 | processor_address_bits};
	default:
		return (struct cpuid_result){.eax = 0};
	}
}

int paged_machine_prepare(void **state)
{
	(void)state;
	fake_machine_reset();
	fake_log_reset();
	fake_ram_reset();
	fake_machine.cpuid = processor;
	fake_machine.cr4 = CR4_PAE;
	fake_msr_set(IA32_EFER, EFER_LME | EFER_LMA);
	processor_lacks_nx = false;
	processor_address_bits = 40;
	fake_cpus_start(1);
	assert_null(memory_map_build(&paged_machine_map, machine, ARRAY_COUNT(machine), reserved, 1,
				     40));
	assert_null(physical_init(&paged_machine_map));
	return 0;
}

int paged_machine_setup(void **state)
{
	(void)paged_machine_prepare(state);
	assert_null(address_space_init(&paged_machine_map, &paged_machine_image));
	return 0;
}

/* The leaf entry for an address and the size of its page; 0 when it is not mapped. */
uint64_t walk(uint64_t at, uint64_t *page)
{
	uint64_t table = address_space_cr3();

	for (int shift = 39; shift >= 12; shift -= 9) {
		uint64_t entry = ((uint64_t *)direct_map(HPA(table)))[at >> shift & 511];

		if (!(entry & P))
			return 0;
		/* In a page of 4 KiB this bit would select another memory type. */
		assert_false(shift == 12 && (entry & PS));
		if (shift == 12 || (entry & PS)) {
			*page = 1ul << shift;
			return entry;
		}
		assert_true(entry & W);
		assert_false(entry & XD);
		table = entry & ADDRESS;
	}
	return 0;
}

void assert_maps(uint64_t at, uint64_t physical, uint64_t rights, uint64_t size)
{
	uint64_t page = 0, entry = walk(at, &page);
	hpa_t where;

	if (!entry)
		fail_msg("%#lx is not mapped", at);
	if (page != size)
		fail_msg("%#lx is mapped by a page of %#lx bytes", at, page);
	assert_int_equal((entry & ADDRESS & ~(page - 1)) + at % page, physical);
	assert_int_equal(entry & (W | U | PWT | PCD | XD), rights);
	assert_true(address_space_translate(HVA(at), &where));
	assert_int_equal(where.raw, physical);
}

void assert_unmapped(uint64_t at)
{
	uint64_t page;
	hpa_t where;

	if (walk(at, &page))
		fail_msg("%#lx is mapped", at);
	assert_false(address_space_translate(HVA(at), &where));
}

/* Calls visit for every leaf. */
static void visit_leaves(uint64_t table, int shift, uint64_t base,
			 void (*visit)(uint64_t at, uint64_t entry, uint64_t size))
{
	const uint64_t *entries = direct_map(HPA(table));

	for (uint64_t i = 0; i < 512; i++) {
		uint64_t at = base + (i << shift);

		if (shift == 39 && i >= 256)
			at |= 0xffff000000000000ul;
		if (!(entries[i] & P))
			continue;
		if (shift == 12 || (entries[i] & PS))
			visit(at, entries[i], 1ul << shift);
		else
			visit_leaves(entries[i] & ADDRESS, shift - 9, at, visit);
	}
}

/* No page may be written and executed, in whatever places it is mapped. */
static uint8_t page_rights[IMAGE_PAGES];
static unsigned leaf_count;

static void check_leaf(uint64_t at, uint64_t entry, uint64_t size)
{
	uint64_t physical = entry & ADDRESS & ~(size - 1);

	leaf_count++;
	assert_true(at >= 0xffff800000000000ul);
	assert_false((entry & W) && !(entry & XD));
	assert_false(entry & U);
	assert_true(entry & G);
	if (!(entry & XD))
		assert_true(at >= paged_machine_image.text_start.raw &&
			    at < paged_machine_image.text_end.raw);
	for (unsigned i = 0; i < IMAGE_PAGES; i++) {
		uint64_t page = CODE + i * PAGE_SIZE;

		if (page < physical || page >= physical + size)
			continue;
		page_rights[i] |= (uint8_t)((entry & W ? 1 : 0) | (entry & XD ? 0 : 2));
		assert_int_not_equal(page_rights[i], 3);
	}
}

void assert_write_xor_execute(void)
{
	memset(page_rights, 0, sizeof(page_rights));
	leaf_count = 0;
	visit_leaves(address_space_cr3(), 39, 0, check_leaf);
	assert_int_equal(page_rights[0], 2);
	assert_int_equal(page_rights[5], 0);
	assert_int_equal(page_rights[9], 1);
}
