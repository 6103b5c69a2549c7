/* SPDX-License-Identifier: BSD-2-Clause */
/* The CPUID of a simulated processor that has every feature. */
#include "tests/fake/host_cpuid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/instructions.h"

#define BASIC_LEAVES 0x20
#define SUBLEAVES    16

static struct cpuid_result basic[BASIC_LEAVES][SUBLEAVES];
static struct cpuid_result extended[9];
static struct cpuid_result none;

const struct host_component host_components[10] = {
	[2] = {256,  576 },
          [3] = {64,   960 },
          [4] = {64,   1024},
          [5] = {64,   1088},
	[6] = {512,  1152},
          [7] = {1024, 1664},
          [9] = {8,    2688},
};

struct cpuid_result *host_cpuid_leaf(uint32_t leaf, uint32_t subleaf)
{
	if (leaf < BASIC_LEAVES && subleaf < SUBLEAVES)
		return &basic[leaf][subleaf];
	if (leaf >= 0x80000000 && leaf < 0x80000009)
		return &extended[leaf - 0x80000000];
	memset(&none, 0, sizeof(none));
	return &none;
}

/* The size of the area for these components. */
static uint32_t area_size(uint64_t components, bool compacted)
{
	uint32_t size = 576;

	for (unsigned i = 2; i < 10; i++) {
		const struct host_component *c = &host_components[i];

		if (!(components >> i & 1))
			continue;
		if (compacted)
			size += c->size;
		else if (c->offset + c->size > size)
			size = c->offset + c->size;
	}
	return size;
}

static struct cpuid_result xsave_leaf(uint32_t subleaf)
{
	struct cpuid_result result = {0};
	uint32_t supported = basic[0x0d][0].eax;

	if (subleaf == 0) {
		result.eax = supported;
		result.ebx = area_size(fake_machine.xcr0, false);
		result.ecx = area_size(supported, false);
	} else if (subleaf == 1) {
		result = basic[0x0d][1];
		result.ebx = area_size(fake_machine.xcr0, true);
	} else if (subleaf < 10 && supported >> subleaf & 1) {
		result.eax = host_components[subleaf].size;
		result.ebx = host_components[subleaf].offset;
	}
	return result;
}

static struct cpuid_result answer(uint32_t leaf, uint32_t subleaf)
{
	if (leaf == 0x0d)
		return xsave_leaf(subleaf);
	if (leaf >= 0x80000000 || leaf == 1 || leaf == 0)
		subleaf = 0;
	return *host_cpuid_leaf(leaf, subleaf);
}

void host_cpuid_set(struct cpuid_bit feature, bool value)
{
	uint32_t *reg = &host_cpuid_leaf(feature.leaf, feature.subleaf)->by_register[feature.reg];

	*reg = value ? *reg | 1u << feature.bit : *reg & ~(1u << feature.bit);
}

void host_cpuid_reset(void)
{
	memset(basic, 0xff, sizeof(basic));
	memset(extended, 0xff, sizeof(extended));
	basic[0][0].eax = BASIC_LEAVES - 1;
	memcpy(&basic[0][0].ebx, "Genu", 4);
	memcpy(&basic[0][0].edx, "ineI", 4);
	memcpy(&basic[0][0].ecx, "ntel", 4);
	basic[1][0].eax = 0x000506e3;
	basic[1][0].ebx = 0x07100800; /* APIC ID 7, 16 CPUs, CLFLUSH of 64 bytes */
	basic[7][0].eax = 2;
	basic[0x0d][0].eax = 0x2ff; /* to PKRU, and the two of MPX */
	extended[0] = (struct cpuid_result){.eax = 0x80000008};
	extended[8].eax = 0x3928; /* 40 bits physical, 57 linear */
	fake_machine.cpuid = answer;
}
