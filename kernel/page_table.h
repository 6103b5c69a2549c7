/* SPDX-License-Identifier: BSD-2-Clause */
/* Four-level page tables of the host, built and changed by one walk. Knows no TLB, no layout. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/address.h"
#include "kernel/error.h"

/* Bits of an entry (SDM "4-Level Paging and 5-Level Paging"). */
#define PTE_PRESENT       (1ul << 0)
#define PTE_WRITE         (1ul << 1)
#define PTE_USER          (1ul << 2)
#define PTE_WRITE_THROUGH (1ul << 3)
#define PTE_NO_CACHE      (1ul << 4)
#define PTE_ACCESSED      (1ul << 5)
#define PTE_DIRTY         (1ul << 6)
#define PTE_LARGE         (1ul << 7)
#define PTE_GLOBAL        (1ul << 8)
#define PTE_NO_EXECUTE    (1ul << 63)
#define PTE_ADDRESS       0x000ffffffffff000ul

struct page_table {
	hpa_t root;
	uint64_t memory_limit; /* tables are allocated below this address */
	uint64_t unlinked;     /* tables taken out, chained through their first entries; 0: none */
};

/* What one address translates to. */
struct translation {
	hpa_t where;
	uint64_t rights;    /* bits of the leaf entry without address and PTE_LARGE */
	uint64_t page_size; /* of the page that maps it */
};

/* An empty root table. */
CHECKED err_t page_table_create(struct page_table *table, uint64_t memory_limit);

/*
 * Maps [at, at + size) to [from, from + size), in pages up to largest_page (PAGE_SIZE or PAGE_2M).
 * Nothing may be mapped there yet. On an error nothing is, but tables may wait for release.
 */
CHECKED err_t page_table_map(struct page_table *table, hva_t at, hpa_t from, uint64_t size,
			     uint64_t rights, uint64_t largest_page);

/*
 * Removes what is mapped in [at, at + size), holes allowed. Large pages that reach beyond are
 * split, which takes memory and is the only way to fail; then nothing is changed. Tables that
 * become empty are taken out, unless keep_tables says that mapping the range again must not need
 * memory.
 */
CHECKED err_t page_table_unmap(struct page_table *table, hva_t at, uint64_t size, bool keep_tables);

/* Changes the rights of what is mapped in [at, at + size), holes allowed; splits as above. */
CHECKED err_t page_table_protect(struct page_table *table, hva_t at, uint64_t size,
				 uint64_t rights);

/* Frees the tables taken out, when no CPU can have them in its paging-structure caches any more. */
void page_table_release(struct page_table *table);

/* False: not mapped. */
CHECKED bool page_table_lookup(const struct page_table *table, hva_t at,
			       struct translation *result);
