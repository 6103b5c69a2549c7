/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts the instructions that are dear when Plinth is itself a guest: VMREAD and VMWRITE, and
 * those that exit to the hypervisor below it. Only in the build that `make bench` measures with
 * (COUNT_DEAR); elsewhere nothing is left of it.
 */
#pragma once

#include <stdint.h>

#ifdef COUNT_DEAR
struct dear_counts {
	uint64_t vmreads, vmwrites, others;
};
extern struct dear_counts dear_counts;
#define COUNT_DEAR_ONE(which) (dear_counts.which++)
#else
#define COUNT_DEAR_ONE(which) ((void)0)
#endif
