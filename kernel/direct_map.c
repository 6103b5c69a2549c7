/* SPDX-License-Identifier: BSD-2-Clause */
/* From physical addresses to pointers and back: identity at first, the direct map later. */
#include "kernel/direct_map.h"

#include "kernel/panic.h"

/* The entry code's page tables map the first 4 GiB to themselves. */
#define IDENTITY_END (4 * GIB)

static uint64_t base;

void *direct_map(hpa_t at)
{
	return (void *)(base + at.raw);
}

hpa_t physical_address(const volatile void *at)
{
	uint64_t address = (uint64_t)at;

	if (address >= KERNEL_BASE)
		return HPA(address - KERNEL_BASE);
	if (address - base < (base ? DIRECT_MAP_SIZE : IDENTITY_END))
		return HPA(address - base);
	panic("%p is neither in the kernel image nor in the direct map", (const void *)address);
}

void direct_map_activate(void)
{
	base = DIRECT_MAP_BASE;
}
