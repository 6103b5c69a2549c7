/* SPDX-License-Identifier: BSD-2-Clause */
/* The VMX capability MSRs of real models, and of hypothetical ones. */
/* UNITS: vcpu/vmx/capabilities.c */
/* UNITS: arch/x86_64/msr.c arch/x86_64/cpuid.c arch/x86_64/vmx_controls.c kernel/format.c */
/* UNITS: tests/fake/processor.c tests/fake/error.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fake/processor.h"
#include "vcpu/vmx/capabilities.h"

static struct vmx_capabilities caps;

static void load(const char *model)
{
	processor_load(model);
	assert_null(vmx_capabilities_read(&caps, processor_rdmsr, processor_cpuid));
}

static void reload(void)
{
	assert_null(vmx_capabilities_read(&caps, processor_rdmsr, processor_cpuid));
}

static void expect_error(const char *text)
{
	err_t err = vmx_capabilities_read(&caps, processor_rdmsr, processor_cpuid);

	assert_non_null(err);
	if (!strstr(err, text))
		fail_msg("'%s' is not in '%s'", text, err);
}

static void test_models(void **state)
{
	unsigned number;

	(void)state;
	for (number = 0; processor_name(number); number++) {
		load(processor_name(number));
		assert_int_equal(caps.basic.region_size, 4096);
		assert_int_equal(caps.basic.memory_type, MEMORY_WB);
		assert_true(caps.basic.true_controls);
		assert_int_equal(caps.controls[VMX_PIN].msr, IA32_VMX_TRUE_PINBASED_CTLS);
		assert_int_equal(caps.controls[VMX_SECONDARY].msr, IA32_VMX_PROCBASED_CTLS2);
		assert_int_equal(caps.controls[VMX_EXIT].forced, 0x00036dfb);
		assert_int_equal(caps.controls[VMX_TERTIARY].msr, 0);
		assert_int_equal(caps.controls[VMX_EXIT2].msr, 0);
		assert_int_equal(caps.cr0_fixed0, 0x80000021);
		assert_int_equal(caps.cr0_fixed1, 0xffffffff);
		assert_int_equal(caps.cr4_fixed0, 0x2000);
		/* Not announced, so not read, though these processors do not fault on them. */
		assert_int_equal(processor_reads(IA32_VMX_PROCBASED_CTLS3), 0);
		assert_int_equal(processor_reads(IA32_VMX_EXIT_CTLS2), 0);
	}
	assert_int_equal(number, 11);
}

static void test_optional_msrs(void **state)
{
	(void)state;
	load("penryn"); /* neither EPT nor VPID */
	assert_int_equal(processor_reads(IA32_VMX_EPT_VPID_CAP), 0);
	assert_int_equal(processor_reads(IA32_VMX_VMFUNC), 0);
	assert_false(caps.present[IA32_VMX_EPT_VPID_CAP - VMX_MSR_FIRST]);
	assert_false(caps.ept_vpid.walk_4);
	assert_false(vmx_has_invept(&caps, INVEPT_ALL_CONTEXTS));

	load("sandy"); /* no VM functions */
	assert_int_equal(processor_reads(IA32_VMX_EPT_VPID_CAP), 1);
	assert_int_equal(processor_reads(IA32_VMX_VMFUNC), 0);
	load("haswell");
	assert_int_equal(processor_reads(IA32_VMX_VMFUNC), 1);

	/* No secondary controls at all. */
	processor_set_msr(IA32_VMX_PROCBASED_CTLS, 0x77f9fffe0401e172);
	processor_remove_msr(IA32_VMX_PROCBASED_CTLS2);
	processor_remove_msr(IA32_VMX_EPT_VPID_CAP);
	reload();
	assert_int_equal(caps.controls[VMX_SECONDARY].msr, 0);
	assert_int_equal(caps.controls[VMX_SECONDARY].allowed, 0);

	/* Announced, and there: words of 64 bits. */
	load("haswell");
	processor_set_msr(IA32_VMX_PROCBASED_CTLS,
			  processor_msr(IA32_VMX_PROCBASED_CTLS) | BIT(49));
	processor_set_msr(IA32_VMX_EXIT_CTLS, processor_msr(IA32_VMX_EXIT_CTLS) | BIT(63));
	processor_set_msr(IA32_VMX_PROCBASED_CTLS3, TERTIARY_IPI_VIRTUALIZATION | BIT(40));
	processor_set_msr(IA32_VMX_EXIT_CTLS2, EXIT2_BUSY_SHADOW_STACK);
	reload();
	assert_int_equal(caps.controls[VMX_TERTIARY].allowed,
			 TERTIARY_IPI_VIRTUALIZATION | BIT(40));
	assert_int_equal(caps.controls[VMX_TERTIARY].forced, 0);
	assert_int_equal(caps.controls[VMX_EXIT2].msr, IA32_VMX_EXIT_CTLS2);

	/* Announced, but they fault. */
	processor_remove_msr(IA32_VMX_PROCBASED_CTLS3);
	processor_remove_msr(IA32_VMX_EXIT_CTLS2);
	processor_remove_msr(IA32_VMX_VMFUNC);
	reload();
	assert_int_equal(caps.controls[VMX_TERTIARY].msr, 0);
}

static void test_without_true_controls(void **state)
{
	(void)state;
	processor_load("haswell");
	processor_set_msr(IA32_VMX_BASIC, processor_msr(IA32_VMX_BASIC) & ~BIT(55));
	for (uint32_t msr = 0x48d; msr <= 0x490; msr++)
		processor_remove_msr(msr);
	reload();
	assert_int_equal(processor_reads(IA32_VMX_TRUE_PINBASED_CTLS), 0);
	assert_int_equal(caps.controls[VMX_PRIMARY].msr, IA32_VMX_PROCBASED_CTLS);
	assert_int_equal(caps.controls[VMX_PRIMARY].forced, 0x0401e172);
	assert_int_equal(caps.controls[VMX_ENTRY].forced, 0x000011ff);
}

static void test_faults(void **state)
{
	(void)state;
	processor_load("haswell");
	processor_remove_msr(IA32_VMX_EPT_VPID_CAP);
	expect_error("reading IA32_VMX_EPT_VPID_CAP (0x48c) faults");
	processor_load("haswell");
	processor_remove_msr(IA32_VMX_BASIC);
	expect_error("reading IA32_VMX_BASIC (0x480) faults");
	processor_load("haswell");
	processor_remove_msr(IA32_VMX_TRUE_EXIT_CTLS);
	expect_error("reading IA32_VMX_TRUE_EXIT_CTLS (0x48f) faults");
	/* It counts as absent, and what comes after it is read all the same. */
	assert_int_equal(caps.controls[VMX_EXIT].msr, 0);
	assert_int_equal(caps.controls[VMX_ENTRY].forced, 0x000011fb);
	/* Of two, the first is told. */
	processor_remove_msr(IA32_VMX_PINBASED_CTLS);
	expect_error("reading IA32_VMX_PINBASED_CTLS (0x481) faults");
}

static void test_announced(void **state)
{
	(void)state;
	load("haswell");
	assert_true(vmx_msr_announced(&caps, IA32_VMX_BASIC));
	assert_true(vmx_msr_announced(&caps, IA32_VMX_VMFUNC));
	assert_false(vmx_msr_announced(&caps, IA32_VMX_PROCBASED_CTLS3));
	assert_false(vmx_msr_announced(&caps, IA32_FEATURE_CONTROL));
	load("penryn");
	assert_false(vmx_msr_announced(&caps, IA32_VMX_EPT_VPID_CAP));
}

static void test_fixed_bits(void **state)
{
	(void)state;
	load("haswell"); /* CR4 may have 0x1727ff */
	assert_true(vmx_cr0_fits(&caps, 0x80010031));
	assert_false(vmx_cr0_fits(&caps, 0x80010011));  /* NE is missing */
	assert_false(vmx_cr0_fits(&caps, 0x180010031)); /* bit 32 */
	assert_true(vmx_cr4_fits(&caps, 0x2020));
	assert_false(vmx_cr4_fits(&caps, 0x20));   /* VMXE is missing */
	assert_false(vmx_cr4_fits(&caps, 0x2820)); /* UMIP may not be set */
	assert_false(vmx_cr4_fits(&caps, 0));
}

static void test_invalidation_kinds(void **state)
{
	(void)state;
	load("haswell");
	assert_true(vmx_has_invept(&caps, INVEPT_SINGLE_CONTEXT));
	assert_true(vmx_has_invvpid(&caps, INVVPID_RETAINING_GLOBALS));
	processor_set_msr(IA32_VMX_EPT_VPID_CAP, 0x0000040104114141);
	reload();
	assert_false(vmx_has_invept(&caps, INVEPT_SINGLE_CONTEXT));
	assert_true(vmx_has_invept(&caps, INVEPT_ALL_CONTEXTS));
	assert_true(vmx_has_invvpid(&caps, INVVPID_ALL_CONTEXTS));
	assert_false(vmx_has_invvpid(&caps, INVVPID_ADDRESS));
	assert_false(vmx_has_invvpid(&caps, INVVPID_SINGLE_CONTEXT));
	assert_false(vmx_has_invvpid(&caps, INVVPID_RETAINING_GLOBALS));
	processor_set_msr(IA32_VMX_EPT_VPID_CAP,
			  0x00000f0006014141); /* kinds, but no instruction */
	reload();
	assert_false(vmx_has_invept(&caps, INVEPT_SINGLE_CONTEXT));
	assert_false(vmx_has_invvpid(&caps, INVVPID_SINGLE_CONTEXT));
}

static void test_itlb_multihit(void **state)
{
	(void)state;
	load("icelake");
	assert_true(caps.itlb_multihit); /* it has no IA32_ARCH_CAPABILITIES to say otherwise */
	processor_set_msr(IA32_ARCH_CAPABILITIES, ARCH_CAP_IF_PSCHANGE_MC_NO);
	reload();
	assert_true(caps.itlb_multihit); /* CPUID does not announce the MSR */
	assert_int_equal(processor_reads(IA32_ARCH_CAPABILITIES), 0);
	processor_set_feature(CPUID_ARCH_CAPABILITIES, true);
	reload();
	assert_false(caps.itlb_multihit);
	processor_set_msr(IA32_ARCH_CAPABILITIES, ARCH_CAP_RDCL_NO);
	reload();
	assert_true(caps.itlb_multihit);
	processor_remove_msr(IA32_ARCH_CAPABILITIES);
	reload();
	assert_true(caps.itlb_multihit);
}

static void test_compare(void **state)
{
	struct vmx_capabilities first, other;
	err_t err;

	(void)state;
	for (unsigned i = 0; processor_name(i); i++) {
		processor_load(processor_name(i));
		assert_null(vmx_capabilities_read(&first, processor_rdmsr, processor_cpuid));
		other = first;
		assert_null(vmx_capabilities_compare(&first, &other));
		/* Any bit of any MSR. */
		for (unsigned n = 0; n < VMX_MSR_COUNT; n++) {
			other.raw[n] ^= 1ull << 63;
			assert_non_null(vmx_capabilities_compare(&first, &other));
			other = first;
			other.present[n] = !other.present[n];
			assert_non_null(vmx_capabilities_compare(&first, &other));
			other = first;
		}
	}
	processor_load("haswell");
	assert_null(vmx_capabilities_read(&first, processor_rdmsr, processor_cpuid));
	processor_set_msr(IA32_VMX_MISC, 0x123);
	assert_null(vmx_capabilities_read(&other, processor_rdmsr, processor_cpuid));
	err = vmx_capabilities_compare(&first, &other);
	assert_non_null(strstr(err, "IA32_VMX_MISC (0x485) is 0x123, and 0x"));
	assert_non_null(strstr(err, " on the first CPU; use CPUs of one model"));
	other = first;
	other.present[IA32_VMX_VMFUNC - VMX_MSR_FIRST] = false;
	assert_non_null(
		strstr(vmx_capabilities_compare(&first, &other),
		       "IA32_VMX_VMFUNC (0x491) exists on the first CPU and not on this one"));
	/* What protects the first CPU from the erratum must protect all. */
	other = first;
	first.itlb_multihit = true;
	other.itlb_multihit = false;
	assert_null(vmx_capabilities_compare(&first, &other));
	assert_non_null(strstr(vmx_capabilities_compare(&other, &first), "(0x10a) bit 6"));
}

static void test_allowed_bit(void **state)
{
	(void)state;
	assert_int_equal(vmx_allowed_bit(VMX_SECONDARY, SECONDARY_EPT), 33);
	assert_int_equal(vmx_allowed_bit(VMX_PRIMARY, PRIMARY_ACTIVATE_SECONDARY), 63);
	assert_int_equal(vmx_allowed_bit(VMX_TERTIARY, TERTIARY_IPI_VIRTUALIZATION), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_models),
		cmocka_unit_test(test_optional_msrs),
		cmocka_unit_test(test_without_true_controls),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_announced),
		cmocka_unit_test(test_fixed_bits),
		cmocka_unit_test(test_invalidation_kinds),
		cmocka_unit_test(test_itlb_multihit),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_allowed_bit),
	};

	return cmocka_run_group_tests_name("capabilities", tests, NULL, NULL);
}
