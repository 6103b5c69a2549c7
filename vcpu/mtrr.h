/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory-type range registers of a vCPU, which keep what is written to them and say nothing of
 * how its memory is cached. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Eight variable ranges, the fixed ones, and WC; no SMRR. */
#define MTRR_VARIABLE_RANGES 8u
#define MTRR_CAPABILITIES    (MTRR_VARIABLE_RANGES | 1u << 8 | 1u << 10)

#define MTRR_VARIABLE_COUNT (2 * MTRR_VARIABLE_RANGES)
#define MTRR_FIXED_COUNT    11

struct mtrrs {
	uint64_t def_type;
	uint64_t fixed[MTRR_FIXED_COUNT];
	uint64_t variable[MTRR_VARIABLE_COUNT]; /* base, mask, base, ... as the MSRs follow */
};

/* As a PC's firmware leaves them: RAM is WB, everything from A0000h to 1 MiB and from 3 to 4 GiB
 * UC. */
void mtrr_init(struct mtrrs *mtrrs, unsigned physical_bits);

/* The MSR is one of the fixed ranges', of the first eight variable ones, or IA32_MTRR_DEF_TYPE. */
uint64_t mtrr_read(const struct mtrrs *mtrrs, uint32_t msr);

/* False: a reserved bit is set, or a memory type has no meaning. */
bool mtrr_write(struct mtrrs *mtrrs, uint32_t msr, uint64_t value, unsigned physical_bits);
