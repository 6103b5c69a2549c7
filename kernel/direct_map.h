/* SPDX-License-Identifier: BSD-2-Clause */
/* From physical addresses to pointers and back. */
#pragma once

#include "kernel/address.h"
#include "kernel/layout.h"

#define DIRECT_MAP_BASE 0xffff800000000000ul /* all RAM but guests': read, write, no execute */
#define DIRECT_MAP_SIZE 0x0000400000000000ul /* 64 TiB, as much as MEMORY_BITS_MAX lets through */

/*
 * The address where RAM can be used: identity (below 4 GiB) until address_space_init has switched,
 * in the direct map after. No check is made: what is no RAM, or a guest's, faults when used.
 */
void *direct_map(hpa_t at);

/* The physical address behind a pointer into the kernel image or the direct map; another pointer is
 * a bug. */
hpa_t physical_address(const volatile void *at);

/* From now on RAM is reached through the direct map. Called by address_space_init only. */
void direct_map_activate(void);
