/* SPDX-License-Identifier: BSD-2-Clause */
/* The extended page tables of a VM: guest-physical to host-physical, with rights, in 4K, 2M and 1G
 * pages. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/address.h"
#include "kernel/error.h"

enum ept_rights {
	EPT_NONE = 0,
	EPT_READ = 1,
	EPT_WRITE = 2,
	EPT_EXECUTE = 4,
	EPT_ALL = 7,
};

/* What the processor can do, from IA32_VMX_EPT_VPID_CAP, and what it must be kept from. */
struct ept_features {
	bool pages_2m, pages_1g;
	bool no_large_execute; /* the iTLB multi-hit erratum: execute rights in 4K pages only */
};

/* How many single pages can lie over what is unmapped. */
#define EPT_OVERLAY_PAGES 8

struct ept {
	hpa_t root;
	hpa_t pool; /* the tables: all that a mapping wholly in 4K pages would need */
	uint64_t pool_size, pool_used;
	struct ept_features features;

	/* What lies over the unmapped: the entry with which each page's branch begins, and the
	 * tables for them, which are apart. */
	uint64_t *overlays[EPT_OVERLAY_PAGES];
	unsigned overlay_count, overlay_tables_used;

	/* Called when what the processor may have cached of these tables is out of date: INVEPT is
	 * due before the next entry. */
	void (*invalidate)(void *context);
	void *context;
};

/* A range of guest-physical addresses. */
struct gpa_range {
	gpa_t gpa;
	uint64_t size;
};

/* What an address is mapped to. */
struct ept_mapping {
	hpa_t hpa; /* of the very address asked for */
	uint64_t page_size;
	unsigned rights; /* enum ept_rights */
};

/* Makes empty tables with room for these ranges (whole pages, below 2^48) in 4K pages. The owner
 * then fills in `invalidate`. Errors: no memory. */
CHECKED err_t ept_create(struct ept *ept, const struct ept_features *features,
			 const struct gpa_range *ranges, unsigned range_count);
void ept_destroy(struct ept *ept);

/* The value of the EPT-pointer field: write-back tables, 4 levels, no accessed and dirty flags. */
uint64_t ept_pointer(const struct ept *ept);

/*
 * Maps [gpa, gpa + size) to hpa as write-back memory, in the largest pages that fit. All in whole
 * 4K pages. Errors: not aligned, beyond 48 bits, no right to read, mapped already, no table left.
 */
CHECKED err_t ept_map(struct ept *ept, gpa_t gpa, hpa_t hpa, uint64_t size, unsigned rights);

/* Sets the rights of what is mapped in the range, splitting large pages that reach out of it.
 * Unmapped pages stay so. */
CHECKED err_t ept_protect(struct ept *ept, gpa_t gpa, uint64_t size, unsigned rights);

/* Unmaps what is mapped in the range. */
CHECKED err_t ept_unmap(struct ept *ept, gpa_t gpa, uint64_t size);

/*
 * For a fetch from a large page that lacks the execute right only because of the erratum: splits it
 * and gives the right. False: that is not the case.
 */
CHECKED bool ept_grant_execute(struct ept *ept, gpa_t gpa);

/*
 * Maps a page where nothing is mapped, for as long as no more than EPT_OVERLAY_PAGES are in demand:
 * then they all go, and this one is the first again. Errors: mapped already, beyond 48 bits, no
 * right to read.
 */
CHECKED err_t ept_overlay(struct ept *ept, gpa_t gpa, hpa_t hpa, unsigned rights);

/* False: not mapped. */
CHECKED bool ept_translate(const struct ept *ept, gpa_t gpa, struct ept_mapping *mapping);
