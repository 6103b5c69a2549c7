/* SPDX-License-Identifier: BSD-2-Clause */
/* The SDM's names of the bits of CR0 and CR4. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct register_bit {
	uint64_t mask;
	const char *name;
};

struct register_bits {
	const char *name; /* "CR0" */
	const struct register_bit *bits;
	size_t bit_count;
};

/* Every bit that has a name, ascending. */
extern const struct register_bits cr0_bits, cr4_bits;
