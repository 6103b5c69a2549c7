/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions to CPUID: which leaves exist, and what signs there are. */
/* UNITS: arch/x86_64/cpuid.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/cpuid.h"

static struct cpuid_result leaves[3];   /* leaves 0, 1, 7 */
static struct cpuid_result extended[2]; /* 80000000h, 80000001h */
static struct cpuid_result structured_1;
static struct cpuid_result last_basic; /* what a processor returns for a leaf that it lacks */

static struct cpuid_result read(uint32_t leaf, uint32_t subleaf)
{
	if (leaf == 7 && subleaf == 1)
		return structured_1;
	if (leaf >= 0x80000000u && leaf <= extended[0].eax)
		return extended[leaf & 1];
	if (leaf <= leaves[0].eax)
		return leaves[leaf == 7 ? 2 : leaf & 1];
	return last_basic;
}

static int setup(void **state)
{
	(void)state;
	memset(leaves, 0, sizeof(leaves));
	memset(extended, 0, sizeof(extended));
	memset(&structured_1, 0, sizeof(structured_1));
	last_basic = (struct cpuid_result){.eax = ~0u, .ebx = ~0u, .ecx = ~0u, .edx = ~0u};
	leaves[0] = (struct cpuid_result){
		.eax = 7, .ebx = 0x756e6547, .edx = 0x49656e69, .ecx = 0x6c65746e};
	return 0;
}

static void test_feature(void **state)
{
	setup(state);
	assert_false(cpuid_has(read, CPUID_VMX));
	leaves[1].ecx = 1u << 5;
	assert_true(cpuid_has(read, CPUID_VMX));
	leaves[1].ecx = 0;
	leaves[1].eax = leaves[1].edx = ~0u; /* the bits live in ECX, not elsewhere */
	assert_false(cpuid_has(read, CPUID_VMX));
}

static void test_leaf_absent(void **state)
{
	setup(state);
	leaves[2].ebx = 1u << 7;
	assert_true(cpuid_has(read, CPUID_SMEP));
	leaves[0].eax = 2;
	assert_false(cpuid_has(read, CPUID_SMEP)); /* though reading leaf 7 gives ones */
	assert_false(cpuid_has(read, CPUID_NX));
	extended[0].eax = 0x80000000u;
	assert_false(cpuid_has(read, CPUID_NX));
	extended[0].eax = 0x80000001u;
	extended[1].edx = 1u << 20;
	assert_true(cpuid_has(read, CPUID_NX));
	leaves[0].eax = 0;
	assert_false(cpuid_has(read, CPUID_VMX));
}

static void test_subleaf_absent(void **state)
{
	setup(state);
	structured_1.eax = ~0u;
	assert_false(cpuid_has(read, CPUID_LASS)); /* leaf 7 says: highest subleaf 0 */
	leaves[2].eax = 1;
	assert_true(cpuid_has(read, CPUID_LASS));
}

static struct cpuid_result read_kvm(uint32_t leaf, uint32_t subleaf)
{
	(void)leaf, (void)subleaf;
	return (struct cpuid_result){
		.eax = 0x40000001, .ebx = 0x4b4d564b, .ecx = 0x564b4d56, .edx = 0x0000004d};
}

static struct cpuid_result read_noise(uint32_t leaf, uint32_t subleaf)
{
	(void)leaf, (void)subleaf;
	return (struct cpuid_result){.ebx = 0xff0a1b41, .ecx = 0x20202020, .edx = 0x7f7e2041};
}

static void test_signs(void **state)
{
	char text[13];

	setup(state);
	cpuid_vendor(read, text);
	assert_string_equal(text, "GenuineIntel");
	cpuid_hypervisor(read_kvm, text);
	assert_string_equal(text, "KVMKVMKVM");
	cpuid_hypervisor(read_noise, text);
	assert_string_equal(text, "A???    A ~?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_feature),
		cmocka_unit_test(test_leaf_absent),
		cmocka_unit_test(test_subleaf_absent),
		cmocka_unit_test(test_signs),
	};

	return cmocka_run_group_tests_name("arch_cpuid", tests, NULL, NULL);
}
