/* SPDX-License-Identifier: BSD-2-Clause */
/* Builds the host's page tables, switches to them, and changes what they map. */
#include "kernel/address_space.h"

#include <stddef.h>

#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/instructions.h"
#include "arch/x86_64/msr.h"
#include "kernel/page_table.h"
#include "kernel/panic.h"
#include "kernel/physical.h"
#include "kernel/spinlock.h"
#include "kernel/tlb.h"

/* As far as the entry code's page tables reach: at first, tables must not lie above it. */
#define IDENTITY_END (4 * GIB)

/* More pages than this are not dropped from the TLB one by one: all of it is. */
#define INVLPG_PAGES_MAX 64u

#define RIGHTS_RX     PTE_GLOBAL
#define RIGHTS_R      (PTE_GLOBAL | PTE_NO_EXECUTE)
#define RIGHTS_RW     (PTE_GLOBAL | PTE_NO_EXECUTE | PTE_WRITE)
#define RIGHTS_DEVICE (RIGHTS_RW | PTE_NO_CACHE | PTE_WRITE_THROUGH)

static struct {
	struct page_table table;
	uint64_t physical_end; /* what lies above cannot be in an entry: reserved bits */
	uint64_t stacks_next;
	uint64_t devices_next;
	uint64_t mark; /* see kernel/tlb.h: made after the last table was taken out */
	struct spinlock lock;
} space;

/* Tables that were taken out may be used anew when no CPU can walk through them any more. */
static void release_tables(void)
{
	if (space.table.unlinked && tlb_all_passed(space.mark))
		page_table_release(&space.table);
}

/* Whoever changes the page tables knows of all changes before. */
static void lock(void)
{
	spin_lock(&space.lock);
	tlb_catch_up();
	release_tables();
}

static void unlock(void)
{
	spin_unlock(&space.lock);
}

/* After rights or mappings went away. */
static void flush(hva_t at, uint64_t size)
{
	if (size / PAGE_SIZE > INVLPG_PAGES_MAX) {
		tlb_flush();
	} else {
		for (uint64_t done = 0; done < size; done += PAGE_SIZE)
			invlpg(at.raw + done);
	}
	space.mark = tlb_mark();
	release_tables();
}

/* Maps while the tables are in use: what an error undoes, a CPU may have seen. */
static err_t map_pages(hva_t at, hpa_t from, uint64_t size, uint64_t rights, uint64_t largest_page)
{
	err_t err;

	lock();
	err = page_table_map(&space.table, at, from, size, rights, largest_page);
	if (err)
		flush(at, size);
	unlock();
	return err;
}

/* Takes out what is mapped there. */
static err_t unmap_pages(hva_t at, uint64_t size, bool keep_tables)
{
	err_t err;

	lock();
	err = page_table_unmap(&space.table, at, size, keep_tables);
	if (!err)
		flush(at, size);
	unlock();
	return err;
}

static err_t check_processor(void)
{
	unsigned bits = 36; /* of processors that do not tell */

	if (cpuid_max_leaf(cpuid, CPUID_LEAF_ADDRESS_SIZES) >= CPUID_LEAF_ADDRESS_SIZES)
		bits = cpuid(CPUID_LEAF_ADDRESS_SIZES, 0).eax & 0xff;
	if (bits < 32 || bits > 52)
		return error("CPUID 80000008h claims %u bits of physical address; 32 to 52 can be",
			     bits);
	space.physical_end = 1ul << bits;
	if (!cpuid_has(cpuid, CPUID_NX))
		return error("no-execute pages are missing (CPUID 80000001h:EDX bit 20 is clear); "
			     "enable Execute Disable (XD, NX) in the firmware setup");
	return NULL;
}

static err_t map_image(const struct kernel_image *image)
{
	const struct {
		hva_t start, end;
		uint64_t rights;
		/* clang-format off */
	} parts[] = {
		{image->text_start,   image->text_end,   RIGHTS_RX},
		{image->rodata_start, image->rodata_end, RIGHTS_R},
		{image->data_start,   image->data_end,   RIGHTS_RW},
	};
	/* clang-format on */
	err_t err = NULL;

	for (unsigned i = 0; i < ARRAY_COUNT(parts) && !err; i++) {
		uint64_t start = parts[i].start.raw;

		err = page_table_map(&space.table, HVA(start), HPA(start - KERNEL_BASE),
				     parts[i].end.raw - start, parts[i].rights, PAGE_SIZE);
	}
	return err;
}

/* The image is in the direct map as well: there its text and rodata must be read-only too. */
static err_t map_ram(const struct memory_map *map, const struct kernel_image *image)
{
	/* clang-format off */
	const struct memory_range fixed[] = {
		{image->text_start.raw,   image->text_end.raw},
		{image->rodata_start.raw, image->rodata_end.raw},
	};
	/* clang-format on */
	err_t err = NULL;

	for (unsigned i = 0; i < map->ram_count && !err; i++) {
		const struct memory_range *ram = &map->ram[i];

		err = page_table_map(&space.table, HVA(DIRECT_MAP_BASE + ram->start),
				     HPA(ram->start), ram->end - ram->start, RIGHTS_RW, PAGE_2M);
	}
	for (unsigned i = 0; i < ARRAY_COUNT(fixed) && !err; i++)
		err = page_table_protect(&space.table,
					 HVA(DIRECT_MAP_BASE + fixed[i].start - KERNEL_BASE),
					 fixed[i].end - fixed[i].start, RIGHTS_R);
	return err;
}

void address_space_activate(void)
{
	wrmsr(IA32_EFER, rdmsr(IA32_EFER) | EFER_NXE);
	write_cr0(read_cr0() | CR0_WP);
	/* PGE goes on last: what was global before is dropped by that. */
	write_cr4(read_cr4() & ~CR4_PGE);
	write_cr3(space.table.root.raw);
	write_cr4(read_cr4() | CR4_PGE);
}

uint64_t address_space_cr3(void)
{
	return space.table.root.raw;
}

err_t address_space_init(const struct memory_map *map, const struct kernel_image *image)
{
	err_t err = check_processor();

	if (!err)
		err = page_table_create(&space.table, IDENTITY_END);
	if (!err)
		err = map_image(image);
	if (!err)
		err = map_ram(map, image);
	if (err)
		return err;
	space.table.memory_limit = UINT64_MAX;
	space.stacks_next = STACKS_BASE;
	space.devices_next = DEVICES_BASE;
	address_space_activate();
	direct_map_activate();
	return NULL;
}

bool address_space_translate(hva_t at, hpa_t *where)
{
	struct translation translation;

	if (!page_table_lookup(&space.table, at, &translation))
		return false;
	*where = translation.where;
	return true;
}

static err_t check_direct_map(hpa_t at, uint64_t size)
{
	if (at.raw >= DIRECT_MAP_SIZE || size > DIRECT_MAP_SIZE - at.raw)
		return error("%#lx bytes at %#lx are beyond the direct map", size, at.raw);
	return NULL;
}

err_t direct_map_remove(hpa_t at, uint64_t size)
{
	hva_t place = HVA(DIRECT_MAP_BASE + at.raw);
	err_t err = check_direct_map(at, size);

	/* The tables stay, so that giving it back cannot fail. */
	return err ? err : unmap_pages(place, size, true);
}

err_t direct_map_restore(hpa_t at, uint64_t size)
{
	hva_t place = HVA(DIRECT_MAP_BASE + at.raw);
	err_t err = check_direct_map(at, size);

	if (err)
		return err;
	/* What is there already is mapped anew, to the same place: nothing to flush. */
	lock();
	err = page_table_unmap(&space.table, place, size, true);
	if (!err)
		err = page_table_map(&space.table, place, at, size, RIGHTS_RW, PAGE_2M);
	unlock();
	return err;
}

hva_t address_space_window(unsigned slot)
{
	if (slot >= WINDOW_COUNT)
		panic("there is no window %u", slot);
	return HVA(WINDOW_BASE + slot * WINDOW_SIZE);
}

/* All of it lies in one window. */
static err_t check_window(hva_t at, uint64_t size)
{
	uint64_t offset = at.raw - WINDOW_BASE;

	if (at.raw < WINDOW_BASE || offset >= WINDOW_COUNT * WINDOW_SIZE || size > WINDOW_SIZE ||
	    offset % WINDOW_SIZE > WINDOW_SIZE - size)
		return error("%#lx bytes at %#lx are not inside the window of a VM", size, at.raw);
	return NULL;
}

static err_t check_physical(hpa_t at, uint64_t size)
{
	if (size == 0 || at.raw >= space.physical_end || size > space.physical_end - at.raw)
		return error("%#lx bytes at %#lx are not physical addresses of this processor",
			     size, at.raw);
	return NULL;
}

err_t address_space_map_window(hva_t at, hpa_t from, uint64_t size)
{
	err_t err = check_window(at, size);

	if (!err)
		err = check_physical(from, size);
	if (!err)
		err = map_pages(at, from, size, RIGHTS_RW, PAGE_2M);
	return err;
}

err_t address_space_unmap_window(hva_t at, uint64_t size)
{
	err_t err = check_window(at, size);

	return err ? err : unmap_pages(at, size, false);
}

/* Takes `size` bytes of addresses from a region whose next free one is at *next. */
static err_t reserve(uint64_t *next, uint64_t end, uint64_t size, uint64_t *place)
{
	err_t err = NULL;

	lock();
	if (size > end - *next) {
		err = error("no addresses are left to map %#lx bytes", size);
	} else {
		*place = *next;
		*next += size;
	}
	unlock();
	return err;
}

/* Gives them back, if they are the ones that were taken last. */
static void unreserve(uint64_t *next, uint64_t place, uint64_t size)
{
	lock();
	if (*next == place + size)
		*next = place;
	unlock();
}

/* Maps whole pages around [at, at + size) in the region of devices. */
static err_t map_devices(hpa_t at, uint64_t size, uint64_t rights, uint64_t *where)
{
	uint64_t first = align_down(at.raw, PAGE_SIZE), place = 0, pages;
	err_t err = check_physical(at, size);

	if (err)
		return err;
	pages = align_up(at.raw + size, PAGE_SIZE) - first;
	err = reserve(&space.devices_next, DEVICES_BASE + REGION_SIZE, pages, &place);
	if (err)
		return err;
	err = map_pages(HVA(place), HPA(first), pages, rights, PAGE_SIZE);
	if (err) {
		unreserve(&space.devices_next, place, pages);
		return err;
	}
	*where = place + at.raw - first;
	return NULL;
}

err_t address_space_map_device(hpa_t at, uint64_t size, void **where)
{
	uint64_t place;
	err_t err = map_devices(at, size, RIGHTS_DEVICE, &place);

	if (!err)
		*where = (void *)place;
	return err;
}

static bool in_direct_map(hpa_t at, uint64_t size)
{
	uint64_t first = align_down(at.raw, PAGE_SIZE), end = at.raw + size;
	struct translation translation;

	if (end > DIRECT_MAP_SIZE)
		return false;
	for (uint64_t page = first; page < end; page += PAGE_SIZE) {
		if (!page_table_lookup(&space.table, HVA(DIRECT_MAP_BASE + page), &translation))
			return false;
	}
	return true;
}

err_t physical_map_readonly(hpa_t at, uint64_t size, const void **where)
{
	uint64_t place;
	err_t err = check_physical(at, size);

	if (!err && size > PHYSICAL_MAP_MAX)
		err = error("%#lx bytes at %#lx are more than a firmware table may have", size,
			    at.raw);
	if (err)
		return err;
	if (in_direct_map(at, size)) {
		*where = direct_map(at);
		return NULL;
	}
	/* Cached as the MTRRs say: firmware keeps tables in RAM that the memory map calls reserved.
	 */
	err = map_devices(at, size, RIGHTS_R, &place);
	if (!err)
		*where = (const void *)place;
	return err;
}

void physical_unmap_readonly(const void *where, uint64_t size)
{
	uint64_t at = (uint64_t)where, first = align_down(at, PAGE_SIZE);
	uint64_t pages = align_up(at + size, PAGE_SIZE) - first;

	if (at < DEVICES_BASE || at >= DEVICES_BASE + REGION_SIZE || size == 0)
		return;
	/* These are 4 KiB pages: none is split, so there is no error. */
	if (unmap_pages(HVA(first), pages, false))
		panic("the mapping at %#lx, %#lx bytes, cannot be undone", at, size);
	unreserve(&space.devices_next, first, pages);
}

err_t stack_create(uint64_t size, void **top)
{
	uint64_t pages = align_up(size, PAGE_SIZE), guard = 0;
	hpa_t memory;
	err_t err;

	if (pages < size || pages > REGION_SIZE / 2)
		return error("no addresses are left for a stack of %#lx bytes", size);
	err = physical_allocate(pages, PAGE_SIZE, &memory);
	if (err)
		return err;
	err = reserve(&space.stacks_next, STACKS_BASE + REGION_SIZE, PAGE_SIZE + pages, &guard);
	if (!err) {
		err = map_pages(HVA(guard + PAGE_SIZE), memory, pages, RIGHTS_RW, PAGE_SIZE);
		if (err)
			unreserve(&space.stacks_next, guard, PAGE_SIZE + pages);
	}
	if (err) {
		physical_free(memory, pages);
		return err;
	}
	*top = (void *)(guard + PAGE_SIZE + pages);
	return NULL;
}

bool stack_is_guard(hva_t at)
{
	hpa_t where;

	return at.raw >= STACKS_BASE && at.raw < space.stacks_next &&
	       !address_space_translate(at, &where);
}
