/* SPDX-License-Identifier: BSD-2-Clause */
/* Bits and bit fields, in C and (BIT, BIT32 only) in assembly. */
#pragma once

#ifdef __ASSEMBLER__

#define BIT(n)   (1 << (n))
#define BIT32(n) (1 << (n))

#else

#include <stdbool.h>
#include <stdint.h>

#define BIT(n)   (1ull << (n))
#define BIT32(n) (1u << (n))

/* Bits high:low of a value, as the SDM writes a field. */
static inline uint64_t bits(uint64_t value, unsigned high, unsigned low)
{
	return (value >> low) & (~0ull >> (63 - (high - low)));
}

static inline bool bit(uint64_t value, unsigned n)
{
	return (value >> n & 1) != 0;
}

#endif
