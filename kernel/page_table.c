/* SPDX-License-Identifier: BSD-2-Clause */
/* The page-table walk: a loop over levels, from the root (level 3) down to tables of 4 KiB pages
 * (level 0). */
#include "kernel/page_table.h"

#include <stddef.h>

#include "kernel/direct_map.h"
#include "kernel/physical.h"
#include "kernel/string.h"

#define LEVEL_TOP     3u
#define TABLE_ENTRIES 512u

/* Rights are decided by leaf entries alone, and the A and D flags are set so that the CPU need not
 * write them. */
#define TABLE_FLAGS (PTE_PRESENT | PTE_WRITE | PTE_ACCESSED)
#define LEAF_FLAGS  (PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY)

/* How many bytes an entry of a level covers. */
static uint64_t span_of(unsigned level)
{
	return PAGE_SIZE << (9 * level);
}

static uint64_t *entries_of(uint64_t table)
{
	return direct_map(HPA(table & PTE_ADDRESS));
}

static uint64_t *entry_in(uint64_t table, uint64_t at, unsigned level)
{
	return &entries_of(table)[at / span_of(level) % TABLE_ENTRIES];
}

static bool is_table(uint64_t entry, unsigned level)
{
	return level > 0 && (entry & PTE_PRESENT) && !(entry & PTE_LARGE);
}

/* The entry that translates `at` on `wanted` level, or on the lowest level above where there is
 * one. */
static uint64_t *find_entry(const struct page_table *table, uint64_t at, unsigned wanted,
			    unsigned *level)
{
	uint64_t *entry = entry_in(table->root.raw, at, LEVEL_TOP);

	*level = LEVEL_TOP;
	while (*level > wanted && is_table(*entry, *level))
		entry = entry_in(*entry, at, --*level);
	return entry;
}

static err_t allocate_table(const struct page_table *table, hpa_t *where)
{
	err_t err = physical_allocate_below(PAGE_SIZE, PAGE_SIZE, table->memory_limit, where);

	if (err)
		return error("no memory for a page table: %s", err);
	memset(direct_map(*where), 0, PAGE_SIZE);
	return NULL;
}

/* Puts a table in the place of an entry that maps nothing, or a large page: then the table maps the
 * same. */
static err_t grow(const struct page_table *table, uint64_t *entry, unsigned level)
{
	uint64_t span = span_of(level - 1);
	uint64_t *entries;
	hpa_t where;
	err_t err = allocate_table(table, &where);

	if (err)
		return err;
	if (*entry & PTE_PRESENT) {
		uint64_t page = level > 1 ? *entry : *entry & ~PTE_LARGE;

		entries = entries_of(where.raw);
		for (unsigned i = 0; i < TABLE_ENTRIES; i++)
			entries[i] = page + i * span;
	}
	*entry = where.raw | TABLE_FLAGS;
	return NULL;
}

/* The entry for `at` on `wanted` level, with all tables above it. */
static err_t make_entry(const struct page_table *table, uint64_t at, unsigned wanted,
			uint64_t **entry)
{
	unsigned level;

	for (;;) {
		err_t err;

		*entry = find_entry(table, at, wanted, &level);
		if (level == wanted)
			return NULL;
		err = grow(table, *entry, level);
		if (err)
			return err;
	}
}

static bool is_empty(const uint64_t *entries)
{
	for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
		if (entries[i])
			return false;
	}
	return true;
}

/* Takes out the tables on the way to `at` that have become empty, lowest first. */
static void prune(struct page_table *table, uint64_t at)
{
	for (unsigned wanted = 1; wanted <= LEVEL_TOP; wanted++) {
		unsigned level;
		uint64_t *parent = find_entry(table, at, wanted, &level);
		uint64_t *entries;

		if (level != wanted || !is_table(*parent, level))
			continue;
		entries = entries_of(*parent);
		if (!is_empty(entries))
			return;
		/* A page's address has bit 0 clear: to a CPU that still knows the table it maps
		 * nothing. */
		entries[0] = table->unlinked;
		table->unlinked = *parent & PTE_ADDRESS;
		*parent = 0;
	}
}

void page_table_release(struct page_table *table)
{
	while (table->unlinked) {
		hpa_t where = HPA(table->unlinked);

		table->unlinked = *entries_of(where.raw);
		physical_free(where, PAGE_SIZE);
	}
}

err_t page_table_create(struct page_table *table, uint64_t memory_limit)
{
	*table = (struct page_table){.memory_limit = memory_limit};
	return allocate_table(table, &table->root);
}

/* Writes the leaf for one page, of 2 MiB if it can be, and says how large it is. */
static err_t map_page(struct page_table *table, uint64_t at, uint64_t from, uint64_t rights,
		      bool large, uint64_t *mapped)
{
	unsigned level = large ? 1 : 0;
	uint64_t *entry;
	err_t err = make_entry(table, at, level, &entry);

	if (!err && is_table(*entry, level)) {
		level = 0;
		err = make_entry(table, at, level, &entry);
	}
	if (err)
		return err;
	if (*entry & PTE_PRESENT)
		return error("%#lx is mapped already", at);
	*entry = from | rights | LEAF_FLAGS | (level ? PTE_LARGE : 0);
	*mapped = span_of(level);
	return NULL;
}

static err_t check_pages(uint64_t at, uint64_t size)
{
	if ((at | size) % PAGE_SIZE != 0 || size == 0 || at + size - 1 < at)
		return error("%#lx bytes at %#lx are not whole pages", size, at);
	return NULL;
}

err_t page_table_map(struct page_table *table, hva_t at, hpa_t from, uint64_t size, uint64_t rights,
		     uint64_t largest_page)
{
	uint64_t done = 0, mapped = 0;
	err_t err = check_pages(at.raw, size);

	if (!err)
		err = check_pages(from.raw, size);
	if (err)
		return err;
	while (done < size) {
		bool large = largest_page >= PAGE_2M && size - done >= PAGE_2M &&
			     ((at.raw + done) | (from.raw + done)) % PAGE_2M == 0;

		err = map_page(table, at.raw + done, from.raw + done, rights, large, &mapped);
		if (err)
			break;
		done += mapped;
	}
	if (!err)
		return NULL;
	/* Its ends are ends of pages: none is split, so this cannot fail. */
	if (done > 0 && page_table_unmap(table, at, done, false))
		return error("%s, and what was mapped before cannot be undone", err);
	prune(table, at.raw + done);
	return err;
}

/* Splits large pages until none reaches across `at`. */
static err_t split_at(struct page_table *table, uint64_t at)
{
	for (;;) {
		unsigned level;
		uint64_t *entry = find_entry(table, at, 0, &level);
		err_t err;

		if (!(*entry & PTE_PRESENT) || at % span_of(level) == 0)
			return NULL;
		err = grow(table, entry, level);
		if (err)
			return err;
	}
}

/* Unmaps (rights 0) or protects. Only the ends can need a split; after that nothing fails. */
static err_t change(struct page_table *table, hva_t at, uint64_t size, uint64_t rights,
		    bool keep_tables)
{
	uint64_t place = at.raw, left = size;
	err_t err = check_pages(at.raw, size);

	if (!err)
		err = split_at(table, place);
	if (!err)
		err = split_at(table, place + size);
	if (err)
		return err;
	while (left > 0) {
		unsigned level;
		uint64_t *entry = find_entry(table, place, 0, &level);
		uint64_t span = span_of(level), here = span - place % span;

		if (here > left)
			here = left;
		left -= here;
		if (*entry & PTE_PRESENT)
			*entry = rights ? (*entry & (PTE_ADDRESS | PTE_LARGE)) | rights | LEAF_FLAGS
					: 0;
		/* Only a table whose last entry was passed is worth a look. */
		if (!rights && !keep_tables &&
		    (left == 0 || (place + here) % span_of(level + 1) == 0))
			prune(table, place);
		place += here;
	}
	return NULL;
}

err_t page_table_unmap(struct page_table *table, hva_t at, uint64_t size, bool keep_tables)
{
	return change(table, at, size, 0, keep_tables);
}

err_t page_table_protect(struct page_table *table, hva_t at, uint64_t size, uint64_t rights)
{
	return change(table, at, size, rights | PTE_PRESENT, true);
}

bool page_table_lookup(const struct page_table *table, hva_t at, struct translation *result)
{
	unsigned level;
	uint64_t entry = *find_entry(table, at.raw, 0, &level);
	uint64_t span = span_of(level);

	if (!(entry & PTE_PRESENT))
		return false;
	/* Bit 12 of a large page's entry is its PAT flag, not an address. */
	*result = (struct translation){
		.where = HPA((entry & PTE_ADDRESS & ~(span - 1)) + at.raw % span),
		.rights = entry & ~(PTE_ADDRESS | PTE_LARGE),
		.page_size = span,
	};
	return true;
}
