/* SPDX-License-Identifier: BSD-2-Clause */
/* MSRs: names and decoders. */
/* UNITS: arch/x86_64/msr.c kernel/format.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/msr.h"

#include "kernel/compiler.h"

#define NUMBER(name, number) number,
static const uint32_t numbers[] = {MSR_LIST(NUMBER)};

static void test_list_ascends(void **state)
{
	(void)state;
	for (size_t i = 1; i < ARRAY_COUNT(numbers); i++)
		assert_true(numbers[i] > numbers[i - 1]);
}

/* Nothing of a family is also in the list, and no two families share a number. */
static void test_names_are_unique(void **state)
{
	static char seen[0x2000][MSR_NAME_MAX];
	unsigned count = 0;

	(void)state;
	for (uint32_t msr = 0; msr < 0x2000; msr++) {
		char buffer[MSR_NAME_MAX] = "";
		const char *name = msr_name(msr, buffer);

		if (!name)
			continue;
		assert_true(strlen(name) < MSR_NAME_MAX);
		for (unsigned i = 0; i < count; i++)
			assert_string_not_equal(name, seen[i]);
		strcpy(seen[count++], name);
	}
	assert_true(count > 400);
}

static void test_names(void **state)
{
	static const struct {
		uint32_t msr;
		const char *name;
	} cases[] = {
		{0x10,       "IA32_TIME_STAMP_COUNTER"},
                {0x3a,       "IA32_FEATURE_CONTROL"   },
		{0x200,      "IA32_MTRR_PHYSBASE0"    },
                {0x207,      "IA32_MTRR_PHYSMASK3"    },
		{0x281,      "IA32_MC1_CTL2"          },
                {0x40e,      "IA32_MC3_ADDR"          },
		{0x480,      "IA32_VMX_BASIC"         },
                {0x493,      "IA32_VMX_EXIT_CTLS2"    },
		{0x583,      "IA32_RTIT_ADDR1_B"      },
                {0x80b,      "IA32_X2APIC_EOI"        },
		{0x817,      "IA32_X2APIC_ISR7"       },
                {0x827,      "IA32_X2APIC_IRR7"       },
		{0x828,      "IA32_X2APIC_ESR"        },
                {0xc0000080, "IA32_EFER"              },
		{0xc0000103, "IA32_TSC_AUX"           },
	};
	char buffer[MSR_NAME_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		assert_string_equal(msr_name(cases[i].msr, buffer), cases[i].name);
	assert_null(msr_name(2, buffer));
	assert_null(msr_name(0x12345678, buffer));
	assert_null(msr_name(0xc0000104, buffer));
	assert_null(msr_name(0xffffffff, buffer));
}

static void test_memory_types(void **state)
{
	(void)state;
	assert_string_equal(memory_type_name(6), "WB");
	assert_string_equal(memory_type_name(0), "UC");
	assert_string_equal(memory_type_name(2), "?");
	assert_string_equal(memory_type_name(255), "?");
}

static void test_vmx_basic(void **state)
{
	struct vmx_basic b = vmx_basic_decode(0x01d810000000002bull); /* as tigerlake has it */

	(void)state;
	assert_int_equal(b.revision, 0x2b);
	assert_int_equal(b.region_size, 4096);
	assert_int_equal(b.memory_type, MEMORY_WB);
	assert_false(b.addresses_32bit);
	assert_false(b.dual_monitor);
	assert_true(b.ins_outs_info);
	assert_true(b.true_controls);
	assert_true(b.any_exception_error);

	b = vmx_basic_decode(0x0003080091e57ed0ull); /* bit 31 is no part of the revision */
	assert_int_equal(b.revision, 0x11e57ed0);
	assert_int_equal(b.region_size, 2048);
	assert_int_equal(b.memory_type, MEMORY_UC);
	assert_true(b.addresses_32bit);
	assert_true(b.dual_monitor);
	assert_false(b.ins_outs_info);
	assert_false(b.true_controls);
	assert_false(b.any_exception_error);
}

static void test_feature_control(void **state)
{
	struct feature_control f = feature_control_decode(5);

	(void)state;
	assert_true(f.locked);
	assert_true(f.vmx_outside_smx);
	assert_false(f.vmx_in_smx);
	f = feature_control_decode(2);
	assert_false(f.locked);
	assert_false(f.vmx_outside_smx);
	assert_true(f.vmx_in_smx);
}

static void test_vmx_misc(void **state)
{
	struct vmx_misc m = vmx_misc_decode(0x12345678660441e5ull);

	(void)state;
	assert_int_equal(m.preemption_timer_shift, 5);
	assert_true(m.stores_lma);
	assert_true(m.activity_hlt);
	assert_true(m.activity_shutdown);
	assert_true(m.activity_wait_for_sipi);
	assert_true(m.pt_in_vmx);
	assert_int_equal(m.cr3_targets, 4);
	assert_int_equal(m.msr_list_max, 2048);
	assert_true(m.vmwrite_any);
	assert_true(m.zero_length_injection);
	assert_int_equal(m.mseg_revision, 0x12345678);
	m = vmx_misc_decode(0);
	assert_int_equal(m.msr_list_max, 512);
	assert_false(m.vmwrite_any);
}

static void test_ept_vpid_cap(void **state)
{
	struct ept_vpid_cap c = ept_vpid_cap_decode(0x00000f0106334141ull); /* haswell */

	(void)state;
	assert_true(c.execute_only && c.walk_4 && c.memory_uc && c.memory_wb);
	assert_true(c.pages_2m && c.pages_1g && c.invept && c.accessed_dirty);
	assert_false(c.walk_5 || c.advanced_exit_info || c.supervisor_shadow_stack);
	assert_true(c.invept_single && c.invept_all && c.invvpid);
	assert_true(c.invvpid_address && c.invvpid_single && c.invvpid_all);
	assert_true(c.invvpid_retaining_globals);
	c = ept_vpid_cap_decode(0x00000f0106114141ull); /* arrandale */
	assert_false(c.pages_1g || c.accessed_dirty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list_ascends), cmocka_unit_test(test_names_are_unique),
		cmocka_unit_test(test_names),        cmocka_unit_test(test_memory_types),
		cmocka_unit_test(test_vmx_basic),    cmocka_unit_test(test_feature_control),
		cmocka_unit_test(test_vmx_misc),     cmocka_unit_test(test_ept_vpid_cap),
	};

	return cmocka_run_group_tests_name("msr", tests, NULL, NULL);
}
