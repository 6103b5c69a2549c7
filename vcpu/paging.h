/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's own paging: from a linear to a guest-physical address, with the rights that its
 * tables give. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/address.h"

struct vm;

/* The state of the processor that a translation depends on. */
struct paging {
	const struct vm *vm;
	uint64_t cr0, cr3, cr4, efer, rflags;
	uint64_t pdptes[4]; /* those in the processor, for PAE paging */
	unsigned physical_bits;
	bool pages_1g; /* the processor has pages of 1 GiB */
	uint32_t pkru;
};

/* The kind of access. SDM "Determination of Access Rights". */
struct paging_access {
	bool write, fetch;
	bool user; /* at CPL 3 */
};

enum paging_result {
	PAGING_OK,
	PAGING_FAULT, /* #PF; the error code is filled in */
};

#define PAGING_STEPS_MAX 4

/* One entry on the way to an address. */
struct paging_step {
	unsigned level;
	gpa_t at;
	bool readable; /* false: there is no memory at that address */
	uint64_t entry;
};

/* The entries that a walk meets, up to its end or its first obstacle. Changes nothing. Returns how
 * many. */
unsigned paging_explain(const struct paging *paging, uint64_t linear,
			struct paging_step steps[PAGING_STEPS_MAX]);

/*
 * Walks the tables, sets accessed and dirty flags as the processor does, and gives the address.
 * Where the VM has no memory a table is all ones, and what is written is forgotten.
 * Large pages are of no concern to the caller: the result is good for the rest of the 4 KiB page.
 */
enum paging_result paging_translate(const struct paging *paging, uint64_t linear,
				    struct paging_access access, gpa_t *gpa, uint32_t *error_code);
