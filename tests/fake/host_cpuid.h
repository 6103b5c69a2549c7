/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CPUID of a simulated processor that has every feature, for tests to take some away. Link
 * tests/fake/host_cpuid.c; fake_machine answers with it after host_cpuid_reset().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86_64/cpuid.h"

/* Everything it has: leaves 0 to 1fh with all feature bits, state components up to PKRU. */
void host_cpuid_reset(void);

/* A leaf to look at or to change. Leaf 0Dh is computed from its subleaves 0 (EAX) and 1 (EAX). */
struct cpuid_result *host_cpuid_leaf(uint32_t leaf, uint32_t subleaf);

void host_cpuid_set(struct cpuid_bit feature, bool value);

/* The state components 2 to 9 as they stand in the standard format: offset 0 is that of none. */
struct host_component {
	uint32_t size, offset;
};
extern const struct host_component host_components[10];
