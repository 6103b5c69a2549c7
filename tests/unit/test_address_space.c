/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's page tables, checked by a walk of the test's own. */
/* UNITS: kernel/address_space.c kernel/page_table.c kernel/physical.c kernel/memory_map.c */
/* UNITS: arch/x86_64/cpuid.c tests/fake/direct_map.c tests/fake/log.c tests/fake/error.c */
/* UNITS: tests/fake/panic.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/instructions.h"
#include "arch/x86_64/msr.h"
#include "kernel/address_space.h"
#include "kernel/physical.h"
#include "tests/fake/direct_map.h"
#include "tests/fake/log.h"
#include "tests/fake/panic.h"

/* As the SDM has them, not as the code under test does. */
#define P   (1ul << 0)
#define W   (1ul << 1)
#define U   (1ul << 2)
#define PWT (1ul << 3)
#define PCD (1ul << 4)
#define PS  (1ul << 7)
#define G   (1ul << 8)
#define XD  (1ul << 63)

#define ADDRESS	    0x000ffffffffff000ul
#define CODE	    0x00110000ul /* where the image lies: text, rodata, data */
#define IMAGE_PAGES 16u

static const struct memory_map_entry machine[] = {
	{0,	    0x9fc00,    MEMORY_USABLE	  },
	{0x9fc00,	  0x400,	 MEMORY_RESERVED	},
	{0xf0000,	  0x10000,	   MEMORY_RESERVED	  },
	{0x100000,	   0x7ee1000,  MEMORY_USABLE	   },
	{0x7fe1000,   0x1f000,    MEMORY_ACPI_RECLAIMABLE},
	{0x8000000,   0x10000,    MEMORY_RESERVED	    },
	{0xfffc0000,  0x40000,    MEMORY_RESERVED	     },
	{0x100000000, 0x80000000, MEMORY_USABLE	       },
};

static const struct memory_reservation reserved[] = {
	{HPA(0x100000), 0x100000, "Plinth"},
};

static const struct kernel_image image = {
	.text_start = HVA(KERNEL_BASE + CODE),
	.text_end = HVA(KERNEL_BASE + CODE + 0x5000),
	.rodata_start = HVA(KERNEL_BASE + CODE + 0x5000),
	.rodata_end = HVA(KERNEL_BASE + CODE + 0x8000),
	.data_start = HVA(KERNEL_BASE + CODE + 0x9000),
	.data_end = HVA(KERNEL_BASE + CODE + 0x10000),
};

static struct memory_map map;
static bool no_nx;
static unsigned address_bits;

static struct cpuid_result processor(uint32_t leaf, uint32_t subleaf)
{
	(void)subleaf;
	switch (leaf) {
	case 0x80000000:
		return (struct cpuid_result){.eax = 0x80000008};
	case 0x80000001:
		return (struct cpuid_result){.edx = no_nx ? 0 : 1u << 20};
	case 0x80000008:
		return (struct cpuid_result){.eax = 0x3000 | address_bits};
	default:
		return (struct cpuid_result){.eax = 0};
	}
}

static int prepare(void **state)
{
	(void)state;
	fake_machine_reset();
	fake_log_reset();
	fake_ram_reset();
	fake_machine.cpuid = processor;
	fake_machine.cr4 = CR4_PAE;
	fake_msr_set(IA32_EFER, EFER_LME | EFER_LMA);
	no_nx = false;
	address_bits = 40;
	address_space_set_shootdown(NULL);
	assert_null(memory_map_build(&map, machine, ARRAY_COUNT(machine), reserved, 1, 40));
	assert_null(physical_init(&map));
	return 0;
}

static int setup(void **state)
{
	prepare(state);
	assert_null(address_space_init(&map, &image));
	return 0;
}

/* The leaf entry for an address and the size of its page; 0 when it is not mapped. */
static uint64_t walk(uint64_t at, uint64_t *page)
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

static void assert_maps(uint64_t at, uint64_t physical, uint64_t rights, uint64_t size)
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

static void assert_unmapped(uint64_t at)
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
		assert_true(at >= image.text_start.raw && at < image.text_end.raw);
	for (unsigned i = 0; i < IMAGE_PAGES; i++) {
		uint64_t page = CODE + i * PAGE_SIZE;

		if (page < physical || page >= physical + size)
			continue;
		page_rights[i] |= (uint8_t)((entry & W ? 1 : 0) | (entry & XD ? 0 : 2));
		assert_int_not_equal(page_rights[i], 3);
	}
}

static void assert_write_xor_execute(void)
{
	memset(page_rights, 0, sizeof(page_rights));
	leaf_count = 0;
	visit_leaves(address_space_cr3(), 39, 0, check_leaf);
	assert_int_equal(page_rights[0], 2);
	assert_int_equal(page_rights[5], 0);
	assert_int_equal(page_rights[9], 1);
}

static void switched(void **state)
{
	uint64_t efer;

	(void)state;
	assert_int_equal(fake_machine.cr3, address_space_cr3());
	assert_true(fake_machine.cr0 & CR0_WP);
	assert_int_equal(fake_machine.cr4, CR4_PAE | CR4_PGE);
	assert_true(fake_msr_get(IA32_EFER, &efer));
	assert_int_equal(efer, EFER_LME | EFER_LMA | EFER_NXE);
	assert_true(fake_direct_map_active);
}

static void kernel_image_mapped(void **state)
{
	(void)state;
	for (uint64_t at = 0; at < 0x10000; at += 0x800) {
		if (at < 0x5000)
			assert_maps(KERNEL_BASE + CODE + at, CODE + at, 0, PAGE_SIZE);
		else if (at < 0x8000)
			assert_maps(KERNEL_BASE + CODE + at, CODE + at, XD, PAGE_SIZE);
		else if (at < 0x9000)
			assert_unmapped(KERNEL_BASE + CODE + at);
		else
			assert_maps(KERNEL_BASE + CODE + at, CODE + at, W | XD, PAGE_SIZE);
	}
	assert_unmapped(KERNEL_BASE);
	assert_unmapped(KERNEL_BASE + CODE - 1);
	assert_unmapped(KERNEL_BASE + CODE + 0x10000);
	assert_unmapped(UINT64_MAX);
	assert_write_xor_execute();
}

static void low_half_is_empty(void **state)
{
	const uint64_t *root = direct_map(HPA(address_space_cr3()));

	(void)state;
	for (unsigned i = 0; i < 256; i++)
		assert_int_equal(root[i], 0);
	assert_unmapped(0);
	assert_unmapped(0xb8000);
}

static void ram_is_in_the_direct_map(void **state)
{
	(void)state;
	assert_maps(DIRECT_MAP_BASE, 0, W | XD, PAGE_SIZE);
	assert_maps(DIRECT_MAP_BASE + 0x9efff, 0x9efff, W | XD, PAGE_SIZE);
	assert_unmapped(DIRECT_MAP_BASE + 0x9f000);
	assert_unmapped(DIRECT_MAP_BASE + 0xb8000);
	assert_unmapped(DIRECT_MAP_BASE + 0xf0000);
	assert_maps(DIRECT_MAP_BASE + CODE, CODE, XD, PAGE_SIZE);
	assert_maps(DIRECT_MAP_BASE + CODE + 0x7000, CODE + 0x7000, XD, PAGE_SIZE);
	assert_maps(DIRECT_MAP_BASE + CODE + 0x8000, CODE + 0x8000, W | XD, PAGE_SIZE);
	assert_maps(DIRECT_MAP_BASE + 0x200000, 0x200000, W | XD, PAGE_2M);
	assert_maps(DIRECT_MAP_BASE + 0x7fe0000, 0x7fe0000, W | XD, PAGE_2M);
	assert_maps(DIRECT_MAP_BASE + 0x7ffffff, 0x7ffffff, W | XD, PAGE_2M);
	assert_unmapped(DIRECT_MAP_BASE + 0x8000000);
	assert_unmapped(DIRECT_MAP_BASE + 0xfee00000);
	assert_maps(DIRECT_MAP_BASE + 0x17fffffff, 0x17fffffff, W | XD, PAGE_2M);
	assert_unmapped(DIRECT_MAP_BASE + 0x180000000);
}

static void processor_must_have_no_execute(void **state)
{
	(void)state;
	no_nx = true;
	assert_non_null(strstr(address_space_init(&map, &image), "firmware setup"));
	assert_int_equal(fake_machine.cr3, 0);
	no_nx = false;
	address_bits = 64;
	assert_non_null(strstr(address_space_init(&map, &image), "64 bits"));
}

static struct {
	unsigned count;
	hva_t at;
	uint64_t size;
} shot;

static void shootdown(hva_t at, uint64_t size)
{
	hpa_t where;

	shot.count++;
	shot.at = at;
	shot.size = size;
	assert_false(address_space_translate(at, &where));
}

static void guest_ram_leaves_the_direct_map(void **state)
{
	const uint64_t guest = 0x110000000, size = 0x10000000;
	struct physical_totals before = physical_totals();

	(void)state;
	shot.count = 0;
	address_space_set_shootdown(shootdown);
	assert_null(direct_map_remove(HPA(guest), size));
	assert_int_equal(shot.count, 1);
	assert_int_equal(shot.at.raw, DIRECT_MAP_BASE + guest);
	assert_int_equal(shot.size, size);
	assert_maps(DIRECT_MAP_BASE + guest - 1, guest - 1, W | XD, PAGE_2M);
	for (uint64_t at = guest; at < guest + size; at += PAGE_SIZE)
		assert_unmapped(DIRECT_MAP_BASE + at);
	assert_maps(DIRECT_MAP_BASE + guest + size, guest + size, W | XD, PAGE_2M);
	/* The flush of a large range toggles CR4.PGE and leaves it on. */
	assert_int_equal(fake_machine.invlpg_count, 0);
	assert_true(fake_machine.cr4 & CR4_PGE);

	assert_null(direct_map_restore(HPA(guest), size));
	for (uint64_t at = guest; at < guest + size; at += PAGE_2M)
		assert_maps(DIRECT_MAP_BASE + at, at, W | XD, PAGE_2M);
	assert_int_equal(physical_totals().free, before.free);
	assert_write_xor_execute();

	/* All that a table covers: the table stays for the way back. */
	assert_null(direct_map_remove(HPA(0x100000000), 2 * GIB));
	assert_unmapped(DIRECT_MAP_BASE + 0x100000000);
	assert_int_equal(physical_totals().free, before.free);
	assert_null(direct_map_restore(HPA(0x100000000), 2 * GIB));
	assert_maps(DIRECT_MAP_BASE + 0x17fffffff, 0x17fffffff, W | XD, PAGE_2M);
}

static void small_pieces_split_large_pages(void **state)
{
	(void)state;
	assert_null(direct_map_remove(HPA(0x401000), 0x3000));
	assert_int_equal(fake_machine.invlpg_count, 3);
	assert_maps(DIRECT_MAP_BASE + 0x400fff, 0x400fff, W | XD, PAGE_SIZE);
	assert_unmapped(DIRECT_MAP_BASE + 0x401000);
	assert_unmapped(DIRECT_MAP_BASE + 0x403fff);
	assert_maps(DIRECT_MAP_BASE + 0x404000, 0x404000, W | XD, PAGE_SIZE);
	assert_maps(DIRECT_MAP_BASE + 0x5fffff, 0x5fffff, W | XD, PAGE_SIZE);
	assert_maps(DIRECT_MAP_BASE + 0x600000, 0x600000, W | XD, PAGE_2M);
	assert_null(direct_map_restore(HPA(0x401000), 0x3000));
	for (uint64_t at = 0x400000; at < 0x600000; at += PAGE_SIZE)
		assert_maps(DIRECT_MAP_BASE + at, at, W | XD, PAGE_SIZE);

	/* Removing what is partly gone, giving back what is there, and nonsense. */
	assert_null(direct_map_remove(HPA(0x400000), PAGE_2M));
	assert_null(direct_map_remove(HPA(0x400000), 2 * PAGE_2M));
	assert_null(direct_map_restore(HPA(0x400000), 2 * PAGE_2M));
	assert_non_null(strstr(direct_map_restore(HPA(0x400000), PAGE_2M), "mapped already"));
	assert_non_null(direct_map_remove(HPA(0x400800), PAGE_SIZE));
	assert_non_null(direct_map_remove(HPA(0x400000), 0));
	assert_non_null(direct_map_remove(HPA(0x400000), 0x801));
	assert_non_null(direct_map_remove(HPA(DIRECT_MAP_SIZE), PAGE_SIZE));
	assert_non_null(direct_map_remove(HPA(0x400000), 0 - PAGE_SIZE));
}

static void windows(void **state)
{
	uint64_t window = address_space_window(3).raw;
	struct physical_totals before = physical_totals();

	(void)state;
	assert_int_equal(window, WINDOW_BASE + 3 * WINDOW_SIZE);
	assert_true(PANICS(address_space_window(WINDOW_COUNT)));
	for (unsigned i = 0; i < 50; i++) {
		assert_null(address_space_map_window(HVA(window), HPA(0x140000000), 0xa0000));
		assert_null(address_space_map_window(HVA(window + 0x100000), HPA(0x140100000),
						     0x1f00000 + 0x3000));
		assert_maps(window, 0x140000000, W | XD, PAGE_SIZE);
		assert_maps(window + 0x9ffff, 0x14009ffff, W | XD, PAGE_SIZE);
		assert_unmapped(window + 0xa0000);
		assert_maps(window + 0x1fffff, 0x1401fffff, W | XD, PAGE_SIZE);
		assert_maps(window + 0x200000, 0x140200000, W | XD, PAGE_2M);
		assert_maps(window + 0x2002fff, 0x142002fff, W | XD, PAGE_SIZE);
		assert_unmapped(window + 0x2003000);
		assert_null(address_space_unmap_window(HVA(window), 0x2003000));
		assert_unmapped(window);
		assert_unmapped(window + 0x200000);
		assert_int_equal(physical_totals().free, before.free);
	}
	/* A backing that is not aligned as the addresses are. */
	assert_null(address_space_map_window(HVA(window), HPA(0x140001000), PAGE_2M));
	assert_maps(window + 0x1ff123, 0x140200123, W | XD, PAGE_SIZE);
	assert_null(address_space_unmap_window(HVA(window), PAGE_2M));
	assert_int_equal(physical_totals().free, before.free);
	assert_int_equal(physical_totals().largest, before.largest);
}

static void window_refusals(void **state)
{
	uint64_t window = address_space_window(0).raw, last = window + WINDOW_SIZE - PAGE_SIZE;
	struct physical_totals before;

	(void)state;
	assert_null(address_space_map_window(HVA(window + PAGE_2M), HPA(0x140000000), PAGE_SIZE));
	before = physical_totals();
	/* The part before the collision is undone. */
	assert_non_null(strstr(address_space_map_window(HVA(window), HPA(0x150000000), 2 * PAGE_2M),
			       "mapped already"));
	assert_unmapped(window);
	assert_maps(window + PAGE_2M, 0x140000000, W | XD, PAGE_SIZE);
	assert_int_equal(physical_totals().free, before.free);

	assert_non_null(address_space_map_window(HVA(last), HPA(0x140000000), 2 * PAGE_SIZE));
	assert_null(address_space_map_window(HVA(last), HPA(0x140000000), PAGE_SIZE));
	assert_non_null(address_space_map_window(HVA(window), HPA(0x140000000), 0));
	assert_non_null(address_space_map_window(HVA(window), HPA(0x140000000), UINT64_MAX));
	assert_non_null(address_space_map_window(HVA(window + 1), HPA(0x140000000), PAGE_SIZE));
	assert_non_null(address_space_map_window(HVA(window), HPA(0x140000001), PAGE_SIZE));
	assert_non_null(address_space_map_window(HVA(window), HPA(1ul << 40), PAGE_SIZE));
	assert_non_null(address_space_map_window(HVA(WINDOW_BASE - PAGE_SIZE), HPA(0), PAGE_SIZE));
	assert_non_null(address_space_map_window(HVA(0), HPA(0), PAGE_SIZE));
	assert_non_null(address_space_map_window(HVA(KERNEL_BASE), HPA(0), PAGE_SIZE));
	assert_non_null(address_space_unmap_window(HVA(KERNEL_BASE + CODE), PAGE_SIZE));
	assert_non_null(address_space_unmap_window(HVA(WINDOW_BASE + WINDOW_COUNT * WINDOW_SIZE),
						   PAGE_SIZE));
}

static void devices(void **state)
{
	void *vga, *apic;

	(void)state;
	assert_null(address_space_map_device(HPA(0xb8000), 4000, &vga));
	assert_null(address_space_map_device(HPA(0xfee00ff0), 0x20, &apic));
	assert_maps((uint64_t)vga, 0xb8000, W | XD | PCD | PWT, PAGE_SIZE);
	assert_maps((uint64_t)apic, 0xfee00ff0, W | XD | PCD | PWT, PAGE_SIZE);
	assert_maps((uint64_t)apic + 0x1f, 0xfee0100f, W | XD | PCD | PWT, PAGE_SIZE);
	assert_unmapped((uint64_t)apic + 0x1010);
	assert_non_null(address_space_map_device(HPA((1ul << 40) - 1), 2, &vga));
	assert_non_null(address_space_map_device(HPA(UINT64_MAX), 1, &vga));
	assert_non_null(address_space_map_device(HPA(0xb8000), UINT64_MAX, &vga));
	assert_non_null(address_space_map_device(HPA(0xb8000), 0, &vga));
	assert_null(address_space_map_device(HPA((1ul << 40) - 1), 1, &vga));
	assert_write_xor_execute();
}

static void firmware_tables(void **state)
{
	struct physical_totals before;
	const void *where, *again;

	(void)state;
	/* In RAM, of a type or across types. */
	assert_null(physical_map_readonly(HPA(0x7fe0123), 0x10000, &where));
	assert_ptr_equal(where, direct_map(HPA(0x7fe0123)));
	physical_unmap_readonly((const void *)(DIRECT_MAP_BASE + 0x7fe0123), 0x10000);
	assert_maps(DIRECT_MAP_BASE + 0x7fe0123, 0x7fe0123, W | XD, PAGE_2M);

	/* Outside, or across the end of RAM. */
	assert_null(physical_map_readonly(HPA(0xf6543), 0x20, &where));
	assert_maps((uint64_t)where, 0xf6543, XD, PAGE_SIZE);
	before = physical_totals();
	assert_null(physical_map_readonly(HPA(0x7fffff8), 0x1010, &again));
	assert_maps((uint64_t)again + 8, 0x8000000, XD, PAGE_SIZE);
	assert_maps((uint64_t)again + 0x100f, 0x8001007, XD, PAGE_SIZE);
	physical_unmap_readonly(again, 0x1010);
	assert_unmapped((uint64_t)again);
	assert_unmapped((uint64_t)again + 0x100f);
	assert_int_equal(physical_totals().free, before.free);
	for (unsigned i = 0; i < 1000; i++) {
		assert_null(physical_map_readonly(HPA(0x90000000), PHYSICAL_MAP_MAX, &where));
		physical_unmap_readonly(where, PHYSICAL_MAP_MAX);
	}
	assert_ptr_equal(align_down((uint64_t)again, PAGE_SIZE), where);

	assert_non_null(physical_map_readonly(HPA(0xf6543), 0, &where));
	assert_non_null(physical_map_readonly(HPA(0xf6543), PHYSICAL_MAP_MAX + 1, &where));
	assert_non_null(physical_map_readonly(HPA(UINT64_MAX - 7), 36, &where));
	assert_non_null(physical_map_readonly(HPA(1ul << 40), 36, &where));
	assert_non_null(physical_map_readonly(HPA((1ul << 40) - 35), 36, &where));
	physical_unmap_readonly(NULL, 36);
}

static void stacks(void **state)
{
	void *first, *second;
	uint64_t top;

	(void)state;
	assert_null(stack_create(0x4000, &first));
	assert_null(stack_create(1, &second));
	top = (uint64_t)first;
	for (uint64_t at = top - 0x4000; at < top; at += PAGE_SIZE) {
		uint64_t page, entry = walk(at, &page);

		assert_int_equal(entry & (W | XD), W | XD);
		assert_false(stack_is_guard(HVA(at)));
	}
	assert_unmapped(top - 0x4001);
	assert_true(stack_is_guard(HVA(top - 0x4001)));
	assert_unmapped(top);
	assert_int_equal((uint64_t)second, top + 2 * PAGE_SIZE);
	assert_false(stack_is_guard(HVA((uint64_t)second)));
	assert_false(stack_is_guard(HVA(0)));
	assert_non_null(stack_create(UINT64_MAX, &first));
	assert_non_null(stack_create(64 * GIB, &first));
	assert_non_null(stack_create(REGION_SIZE, &first));
	assert_write_xor_execute();
}

/* At every point where memory can run out, the error leaves all as it was. */
static void no_memory(void **state)
{
	uint64_t window = address_space_window(7).raw;
	static hpa_t taken[16];
	unsigned spare = 0;
	hpa_t all;

	(void)state;
	while (!physical_allocate(64 * MIB, PAGE_SIZE, &all))
		;
	while (!physical_allocate(MIB, PAGE_SIZE, &all))
		;
	while (spare < ARRAY_COUNT(taken) &&
	       !physical_allocate(PAGE_SIZE, PAGE_SIZE, &taken[spare]))
		spare++;
	while (!physical_allocate(PAGE_SIZE, PAGE_SIZE, &all))
		;
	for (unsigned have = 0; have < 5; have++) {
		uint64_t before = physical_totals().free;
		err_t err = address_space_map_window(HVA(window + PAGE_2M - PAGE_SIZE),
						     HPA(0x140000000), 2 * PAGE_SIZE);

		assert_int_equal(before, have * PAGE_SIZE);
		assert_int_equal(err == NULL, have == 4);
		if (err)
			assert_non_null(strstr(err, "no memory for a page table"));
		assert_int_equal(physical_totals().free, err ? before : before - 4 * PAGE_SIZE);
		physical_free(taken[have], PAGE_SIZE);
	}
	assert_null(address_space_unmap_window(HVA(window), WINDOW_SIZE));
	assert_int_equal(physical_totals().free, 5 * PAGE_SIZE);

	/* Two ends to split, and memory for one: nothing is removed. */
	for (unsigned i = 0; i < 4; i++)
		assert_null(physical_allocate(PAGE_SIZE, PAGE_SIZE, &all));
	assert_non_null(direct_map_remove(HPA(0x2001000), 2 * PAGE_2M));
	assert_maps(DIRECT_MAP_BASE + 0x2001000, 0x2001000, W | XD, PAGE_SIZE);
	assert_maps(DIRECT_MAP_BASE + 0x2200000, 0x2200000, W | XD, PAGE_2M);
}

/* Taking out and giving back at random, against a plain list of pages. */
static void against_model(void **state)
{
	static const uint64_t base = 0x800000;
	static bool removed[4096];
	uint64_t seed = 3;

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		unsigned first, count;
		bool any = false;

		seed = seed * 6364136223846793005ul + 1442695040888963407ul;
		first = (unsigned)(seed >> 33) % 4096;
		count = 1 + (unsigned)(seed >> 50) % (4096 - first);
		if (round % 2)
			count = count % 600 + 1;
		if (first + count > 4096)
			count = 4096 - first;
		for (unsigned i = first; i < first + count; i++)
			any = any || !removed[i];
		if (any)
			assert_null(direct_map_remove(HPA(base + first * PAGE_SIZE),
						      count * PAGE_SIZE));
		else
			assert_null(direct_map_restore(HPA(base + first * PAGE_SIZE),
						       count * PAGE_SIZE));
		memset(&removed[first], any, count);
		if (any && round % 3 == 0) {
			assert_null(direct_map_restore(HPA(base + first * PAGE_SIZE), PAGE_SIZE));
			removed[first] = false;
		}
		for (unsigned i = 0; i < 4096; i++) {
			uint64_t page, at = base + i * PAGE_SIZE;

			assert_int_equal(walk(DIRECT_MAP_BASE + at, &page) == 0, removed[i]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(switched, setup),
		cmocka_unit_test_setup(kernel_image_mapped, setup),
		cmocka_unit_test_setup(low_half_is_empty, setup),
		cmocka_unit_test_setup(ram_is_in_the_direct_map, setup),
		cmocka_unit_test_setup(processor_must_have_no_execute, prepare),
		cmocka_unit_test_setup(guest_ram_leaves_the_direct_map, setup),
		cmocka_unit_test_setup(small_pieces_split_large_pages, setup),
		cmocka_unit_test_setup(windows, setup),
		cmocka_unit_test_setup(window_refusals, setup),
		cmocka_unit_test_setup(devices, setup),
		cmocka_unit_test_setup(firmware_tables, setup),
		cmocka_unit_test_setup(stacks, setup),
		cmocka_unit_test_setup(no_memory, setup),
		cmocka_unit_test_setup(against_model, setup),
	};

	return cmocka_run_group_tests_name("address space", tests, NULL, NULL);
}
