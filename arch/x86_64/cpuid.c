/* SPDX-License-Identifier: BSD-2-Clause */
/* Asks CPUID for features, first whether the leaf exists: a leaf beyond the highest returns another
 * leaf's data. */
#include "arch/x86_64/cpuid.h"

#include "kernel/string.h"

/*
 * Leaves come in ranges that differ in these bits. Where a range is absent its first leaf returns
 * another leaf's data, which seldom looks like a leaf of this range.
 */
#define RANGE_MASK 0xffff0000u

uint32_t cpuid_max_leaf(cpuid_reader read, uint32_t leaf)
{
	uint32_t range = leaf & RANGE_MASK;
	uint32_t highest = read(range, 0).eax;

	return (highest & RANGE_MASK) == range ? highest : 0;
}

bool cpuid_has(cpuid_reader read, struct cpuid_bit feature)
{
	if (feature.leaf > cpuid_max_leaf(read, feature.leaf))
		return false;
	if (feature.leaf == CPUID_LEAF_STRUCTURED && feature.subleaf > 0 &&
	    feature.subleaf > read(feature.leaf, 0).eax)
		return false;
	return cpuid_result_has(read(feature.leaf, feature.subleaf), feature);
}

void cpuid_vendor(cpuid_reader read, char text[13])
{
	struct cpuid_result r = read(CPUID_LEAF_VENDOR, 0);

	memcpy(text, &r.ebx, 4);
	memcpy(text + 4, &r.edx, 4);
	memcpy(text + 8, &r.ecx, 4);
	text[12] = '\0';
}

void cpuid_hypervisor(cpuid_reader read, char text[13])
{
	struct cpuid_result r = read(CPUID_LEAF_HYPERVISOR, 0);

	memcpy(text, &r.ebx, 4);
	memcpy(text + 4, &r.ecx, 4);
	memcpy(text + 8, &r.edx, 4);
	text[12] = '\0';
	for (unsigned i = 0; i < 12; i++) {
		if (text[i] != '\0' && (text[i] < ' ' || text[i] > '~'))
			text[i] = '?';
	}
}
