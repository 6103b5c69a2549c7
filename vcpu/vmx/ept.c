/* SPDX-License-Identifier: BSD-2-Clause */
/* Walks, builds, splits and changes extended page tables. SDM "The Extended Page Table Mechanism
 * (EPT)". */
#include "vcpu/vmx/ept.h"

#include <stddef.h>

#include "kernel/direct_map.h"
#include "kernel/physical.h"
#include "kernel/string.h"

#define ENTRIES      512u
#define TOP_LEVEL    4
#define ADDRESS_BITS 48

/* For each page of an overlay a table of each level below the root. */
#define OVERLAY_TABLES ((uint64_t)EPT_OVERLAY_PAGES * (TOP_LEVEL - 1))

/* Bits of an entry. A leaf carries a memory type; bit 7 makes an entry of level 2 or 3 a leaf. */
#define RIGHTS  0x7ull
#define TYPE_WB (6ull << 3)
#define LARGE   (1ull << 7)
#define ADDRESS 0x000ffffffffff000ull
/* Ignored by the processor: the execute right is withheld for the erratum's sake. */
#define WITHHELD (1ull << 52)

#define POINTER_WB     6ull
#define POINTER_LEVELS (3ull << 3) /* page-walk length minus 1 */

static uint64_t page_size_at(unsigned level)
{
	return 1ull << (PAGE_SHIFT + 9 * (level - 1));
}

static unsigned index_at(uint64_t address, unsigned level)
{
	return (unsigned)(address >> (PAGE_SHIFT + 9 * (level - 1))) % ENTRIES;
}

static bool is_leaf(uint64_t entry, unsigned level)
{
	return level == 1 || entry & LARGE;
}

static bool is_present(uint64_t entry)
{
	return entry & (RIGHTS | WITHHELD);
}

static uint64_t *table_of(uint64_t entry)
{
	return direct_map(HPA(entry & ADDRESS));
}

err_t ept_create(struct ept *ept, const struct ept_features *features,
		 const struct gpa_range *ranges, unsigned range_count)
{
	uint64_t tables = 1;
	err_t err;

	/* For each range, what its edges and its inside can need at each level below the root. */
	for (unsigned i = 0; i < range_count; i++)
		for (unsigned level = 1; level < TOP_LEVEL; level++) {
			uint64_t span = page_size_at(level + 1);
			uint64_t first = align_down(ranges[i].gpa.raw, span);
			uint64_t last = align_up(ranges[i].gpa.raw + ranges[i].size, span);

			tables += (last - first) / span;
		}
	*ept = (struct ept){.features = *features};
	err = physical_allocate((tables + OVERLAY_TABLES) * PAGE_SIZE, PAGE_SIZE, &ept->pool);
	if (err)
		return error("no memory for extended page tables: %s", err);
	ept->pool_size = tables * PAGE_SIZE;
	memset(direct_map(ept->pool), 0, ept->pool_size);
	ept->root = ept->pool;
	ept->pool_used = PAGE_SIZE;
	return NULL;
}

void ept_destroy(struct ept *ept)
{
	if (ept->pool_size)
		physical_free(ept->pool, ept->pool_size + OVERLAY_TABLES * PAGE_SIZE);
	*ept = (struct ept){0};
}

uint64_t ept_pointer(const struct ept *ept)
{
	return ept->root.raw | POINTER_LEVELS | POINTER_WB;
}

/* A zeroed table from the pool, as an entry that points to it; 0 if there is none left. */
static uint64_t new_table(struct ept *ept)
{
	uint64_t at = ept->pool.raw + ept->pool_used;

	if (ept->pool_used >= ept->pool_size)
		return 0;
	ept->pool_used += PAGE_SIZE;
	return at | RIGHTS;
}

static uint64_t leaf_rights(const struct ept *ept, unsigned level, unsigned rights)
{
	if (level > 1 && rights & EPT_EXECUTE && ept->features.no_large_execute)
		return (rights & ~(unsigned)EPT_EXECUTE) | WITHHELD;
	return rights;
}

static unsigned meant_rights(uint64_t entry)
{
	return (unsigned)(entry & RIGHTS) | (entry & WITHHELD ? EPT_EXECUTE : 0);
}

/* Replaces a large leaf by a table of the next smaller pages with the same rights. */
static err_t split(struct ept *ept, uint64_t *entry, unsigned level)
{
	uint64_t old = *entry, table = new_table(ept);
	uint64_t *to;

	if (!table)
		return error("no extended page table left to split a page of %llu KiB",
			     (unsigned long long)page_size_at(level) / KIB);
	to = table_of(table);
	for (unsigned i = 0; i < ENTRIES; i++)
		to[i] = ((old & ADDRESS) + i * page_size_at(level - 1)) | TYPE_WB |
			leaf_rights(ept, level - 1, meant_rights(old)) |
			(level - 1 > 1 ? LARGE : 0);
	/* One store: a walk sees the old page or the new ones, which translate alike. */
	__atomic_store_n(entry, table, __ATOMIC_RELEASE);
	return NULL;
}

static void invalidate(struct ept *ept)
{
	if (ept->invalidate)
		ept->invalidate(ept->context);
}

/* Write without read is a misconfiguration, and a page without rights would count as unmapped. */
static err_t check_rights(unsigned rights)
{
	if (!(rights & EPT_READ) || rights & ~(unsigned)EPT_ALL)
		return error("EPT rights %x leave out reading, or are none", rights);
	return NULL;
}

/* The entry that maps an address, or the empty one that ends its walk. */
static uint64_t *walk(const struct ept *ept, uint64_t gpa, unsigned *level)
{
	uint64_t *entry = &((uint64_t *)direct_map(ept->root))[index_at(gpa, TOP_LEVEL)];

	for (*level = TOP_LEVEL; is_present(*entry) && !is_leaf(*entry, *level);) {
		(*level)--;
		entry = &table_of(*entry)[index_at(gpa, *level)];
	}
	return entry;
}

/* The level of the largest page that fits, and where no table lies that earlier mappings left. */
static unsigned largest_leaf(const struct ept *ept, uint64_t gpa, uint64_t hpa, uint64_t size)
{
	unsigned level = ept->features.pages_1g ? 3 : ept->features.pages_2m ? 2 : 1, end;

	walk(ept, gpa, &end);
	while (level > 1 &&
	       (level > end || (gpa | hpa) % page_size_at(level) || size < page_size_at(level)))
		level--;
	return level;
}

static err_t check_range(gpa_t gpa, uint64_t size)
{
	if (size == 0 || (gpa.raw | size) % PAGE_SIZE)
		return error("EPT range %llx+%llx is not of whole pages",
			     (unsigned long long)gpa.raw, (unsigned long long)size);
	if (size > 1ull << ADDRESS_BITS || gpa.raw > (1ull << ADDRESS_BITS) - size)
		return error("EPT range %llx+%llx reaches beyond %d address bits",
			     (unsigned long long)gpa.raw, (unsigned long long)size, ADDRESS_BITS);
	return NULL;
}

static err_t map_one(struct ept *ept, uint64_t gpa, uint64_t leaf, unsigned leaf_level)
{
	uint64_t *table = direct_map(ept->root);

	for (unsigned level = TOP_LEVEL; level > leaf_level; level--) {
		uint64_t *entry = &table[index_at(gpa, level)];

		if (!is_present(*entry)) {
			*entry = new_table(ept);
			if (!*entry)
				return error("no extended page table left to map %llx",
					     (unsigned long long)gpa);
		} else if (is_leaf(*entry, level)) {
			return error("guest address %llx is mapped already",
				     (unsigned long long)gpa);
		}
		table = table_of(*entry);
	}
	if (is_present(table[index_at(gpa, leaf_level)]))
		return error("guest address %llx is mapped already", (unsigned long long)gpa);
	table[index_at(gpa, leaf_level)] = leaf;
	return NULL;
}

err_t ept_map(struct ept *ept, gpa_t gpa, hpa_t hpa, uint64_t size, unsigned rights)
{
	err_t err = check_range(gpa, size);

	if (!err)
		err = check_rights(rights);
	if (!err && hpa.raw % PAGE_SIZE)
		err = error("host address %llx is not that of a page", (unsigned long long)hpa.raw);
	while (!err && size > 0) {
		unsigned level = largest_leaf(ept, gpa.raw, hpa.raw, size);
		uint64_t step = page_size_at(level);

		err = map_one(ept, gpa.raw,
			      hpa.raw | TYPE_WB | (level > 1 ? LARGE : 0) |
				      leaf_rights(ept, level, rights),
			      level);
		gpa.raw += step;
		hpa.raw += step;
		size -= step;
	}
	return err;
}

/* Sets the leaves of a range to new rights; EPT_NONE unmaps. */
static err_t change(struct ept *ept, gpa_t gpa, uint64_t size, unsigned rights)
{
	uint64_t at = gpa.raw, end = at + size;
	err_t err = check_range(gpa, size);
	bool gone = false;

	while (!err && at < end) {
		unsigned level;
		uint64_t *entry = walk(ept, at, &level);
		uint64_t step = page_size_at(level), first = align_down(at, step), value = 0;

		if (!is_present(*entry)) {
			at = first + step;
			continue;
		}
		if (first < at || first + step > end) {
			err = split(ept, entry, level);
			continue;
		}
		if (rights != EPT_NONE)
			value = (*entry & ~(RIGHTS | WITHHELD)) | leaf_rights(ept, level, rights);
		gone |= (*entry & RIGHTS & ~value) != 0;
		__atomic_store_n(entry, value, __ATOMIC_RELEASE);
		at += step;
	}
	if (gone)
		invalidate(ept);
	return err;
}

err_t ept_protect(struct ept *ept, gpa_t gpa, uint64_t size, unsigned rights)
{
	err_t err = check_rights(rights);

	return err ? err : change(ept, gpa, size, rights);
}

err_t ept_unmap(struct ept *ept, gpa_t gpa, uint64_t size)
{
	return change(ept, gpa, size, EPT_NONE);
}

bool ept_grant_execute(struct ept *ept, gpa_t gpa)
{
	unsigned level;

	if (gpa.raw >> ADDRESS_BITS)
		return false;
	do {
		uint64_t *entry = walk(ept, gpa.raw, &level);

		if (!is_present(*entry) || !(*entry & WITHHELD))
			return false;
		if (split(ept, entry, level))
			return false;
	} while (level > 2);
	/* The large page may be cached still; fetches from the pages beside this one would then
	 * fault though the tables let them pass. */
	invalidate(ept);
	return true;
}

/* A zeroed table for an overlay, as an entry that points to it. Those of all pages suffice. */
static uint64_t new_overlay_table(struct ept *ept)
{
	uint64_t at = ept->pool.raw + ept->pool_size + ept->overlay_tables_used++ * PAGE_SIZE;

	memset(direct_map(HPA(at)), 0, PAGE_SIZE);
	return at | RIGHTS;
}

static void remove_overlays(struct ept *ept)
{
	/* The last first: its entry may lie in a table of one before. */
	while (ept->overlay_count > 0)
		*ept->overlays[--ept->overlay_count] = 0;
	ept->overlay_tables_used = 0;
	invalidate(ept);
}

err_t ept_overlay(struct ept *ept, gpa_t gpa, hpa_t hpa, unsigned rights)
{
	err_t err = check_range(gpa, PAGE_SIZE);
	uint64_t *entry;
	unsigned level;

	if (!err)
		err = check_rights(rights);
	if (err)
		return err;
	entry = walk(ept, gpa.raw, &level);
	if (is_present(*entry))
		return error("guest address %llx is mapped already", (unsigned long long)gpa.raw);
	if (ept->overlay_count == EPT_OVERLAY_PAGES) {
		remove_overlays(ept);
		entry = walk(ept, gpa.raw, &level);
	}
	ept->overlays[ept->overlay_count++] = entry;
	for (; level > 1; level--) {
		*entry = new_overlay_table(ept);
		entry = &table_of(*entry)[index_at(gpa.raw, level - 1)];
	}
	*entry = hpa.raw | TYPE_WB | rights;
	return NULL;
}

bool ept_translate(const struct ept *ept, gpa_t gpa, struct ept_mapping *mapping)
{
	unsigned level;
	uint64_t entry;

	if (gpa.raw >> ADDRESS_BITS)
		return false;
	entry = *walk(ept, gpa.raw, &level);
	if (!is_present(entry))
		return false;
	*mapping = (struct ept_mapping){
		.hpa = HPA((entry & ADDRESS) + gpa.raw % page_size_at(level)),
		.page_size = page_size_at(level),
		.rights = (unsigned)(entry & RIGHTS),
	};
	return true;
}
