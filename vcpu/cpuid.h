/* SPDX-License-Identifier: BSD-2-Clause */
/* What CPUID tells a guest: made once for a VM from the host's CPUID and the policy table, looked
 * up at exits. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86_64/cpuid.h"

#define CPUID_BASIC_LEAVES      0x20
#define CPUID_HYPERVISOR_LEAVES 4
#define CPUID_EXTENDED_LEAVES   0x10
#define CPUID_ENTRIES           96

/* Where a leaf's entries are: those of subleaf 0 to count - 1 follow each other. */
struct cpuid_leaf {
	uint8_t first;
	uint8_t count;
	bool subleaves;  /* false: ECX is not looked at */
	uint8_t dynamic; /* enum cpuid_dynamic: what is put in at the exit */
};

enum cpuid_dynamic {
	CPUID_DYNAMIC_NONE,
	CPUID_DYNAMIC_OSXSAVE, /* leaf 1: ECX.OSXSAVE mirrors CR4 of the guest */
	CPUID_DYNAMIC_OSPKE,   /* leaf 7: ECX.OSPKE likewise */
	CPUID_DYNAMIC_XSAVE,   /* leaf 0Dh: EBX is the area's size for the XCR0 and XSS of now */
	CPUID_DYNAMIC_SYSCALL, /* leaf 80000001h: EDX.SYSCALL is for 64-bit code alone to see */
};

struct cpuid_table {
	struct cpuid_leaf basic[CPUID_BASIC_LEAVES];
	const struct cpuid_result
		*plain[CPUID_BASIC_LEAVES]; /* leaves whose one entry is the answer; NULL: others */
	struct cpuid_leaf hypervisor[CPUID_HYPERVISOR_LEAVES];
	struct cpuid_leaf extended[CPUID_EXTENDED_LEAVES];
	uint32_t basic_max, extended_max;
	unsigned physical_bits; /* the width of a physical address */
	struct cpuid_result entries[CPUID_ENTRIES];
	unsigned entry_count;
};

struct vcpu;

/* Fills the vCPU's table from the host's CPUID. */
void cpuid_build(struct vcpu *vcpu);

/* True if the guest is shown this feature. */
bool cpuid_shows(const struct cpuid_table *table, struct cpuid_bit feature);
