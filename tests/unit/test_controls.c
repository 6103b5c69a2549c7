/* SPDX-License-Identifier: BSD-2-Clause */
/* The control words: the policy table, and what follows from it on each model. */
/* UNITS: vcpu/vmx/controls.c vcpu/vmx/capabilities.c */
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
#include "vcpu/vmx/controls.h"

static struct vmx_capabilities caps;
static struct vmx_controls controls;

static err_t choose(void)
{
	assert_null(vmx_capabilities_read(&caps, processor_rdmsr, processor_cpuid));
	return vmx_controls_choose(&caps, &controls);
}

static void expect_refusal(const char *text)
{
	err_t err = choose();

	assert_non_null(err);
	if (strcmp(err, text) != 0)
		fail_msg("\n  got      '%s'\n  expected '%s'", err, text);
}

/* Sets or clears one allowed 1-setting, in the TRUE MSR and in the other. */
static void allow(uint32_t msr, uint32_t mask, bool value)
{
	uint64_t bits = (uint64_t)mask << 32;
	uint64_t old = processor_msr(msr);

	processor_set_msr(msr, value ? old | bits : old & ~bits);
}

static void force(uint32_t msr, uint32_t mask)
{
	processor_set_msr(msr, processor_msr(msr) | mask);
}

/* Every control with a name has one row, every row a name, a reason and one bit. */
static void test_table(void **state)
{
	(void)state;
	for (unsigned word = 0; word < VMX_CONTROL_WORD_COUNT; word++) {
		const struct vmx_control_names *names = &vmx_control_names[word];
		unsigned expected = word == VMX_TERTIARY || word == VMX_EXIT2 ? 0 : 1;

		for (size_t i = 0; i < names->bit_count; i++) {
			unsigned rows = 0;

			for (size_t j = 0; j < control_row_count; j++)
				rows += control_rows[j].word == word &&
					control_rows[j].mask == names->bits[i].mask;
			if (rows != expected)
				fail_msg("%u rows for %s", rows, names->bits[i].name);
		}
	}
	for (size_t i = 0; i < control_row_count; i++) {
		const struct control_row *row = &control_rows[i];

		assert_string_not_equal(vmx_control_name(row->word, row->mask), "reserved");
		assert_true(row->reason && row->reason[0]);
	}
}

static void check_range(enum vmx_control_word word, uint32_t value)
{
	const struct vmx_control_range *range = &caps.controls[word];

	assert_int_equal(value & range->forced, range->forced);
	assert_int_equal(value & ~range->allowed, 0);
	for (size_t i = 0; i < control_row_count; i++) {
		const struct control_row *row = &control_rows[i];
		bool set = (value & row->mask) != 0;

		if (row->word != word)
			continue;
		if (row->choice == CONTROL_MUST)
			assert_true(set);
		else if (row->choice == CONTROL_WANT)
			assert_int_equal(set, (range->allowed & row->mask) != 0);
		else
			assert_false(set);
	}
}

static void test_models(void **state)
{
	unsigned good = 0;

	(void)state;
	for (unsigned number = 0; processor_name(number); number++) {
		processor_load(processor_name(number));
		if (choose())
			continue;
		good++;
		check_range(VMX_PIN, controls.pin);
		check_range(VMX_PRIMARY, controls.primary);
		check_range(VMX_SECONDARY, controls.secondary);
		check_range(VMX_EXIT, controls.exit);
		check_range(VMX_ENTRY, controls.entry);
	}
	assert_int_equal(good, 9);
}

static void test_values(void **state)
{
	(void)state;
	processor_load("arrandale");
	assert_null(choose());
	assert_int_equal(controls.pin, 0x7f);
	assert_int_equal(controls.primary, 0xb6186dfa);
	assert_int_equal(controls.secondary, 0xea);
	assert_int_equal(controls.exit, 0x003fefff);
	assert_int_equal(controls.entry, 0x0000d1ff);
	processor_load("skylake");
	assert_null(choose());
	assert_int_equal(controls.secondary, 0x1010ea);
}

static void test_refused_models(void **state)
{
	(void)state;
	processor_load("penryn");
	expect_refusal(
		"this processor lacks \"enable EPT\": IA32_VMX_PROCBASED_CTLS2 (0x48b) bit 33 "
		"is clear; Plinth needs it to confine a guest to its own memory; use an Intel "
		"processor of the Westmere generation (2010) or later, or in a virtual machine "
		"a hypervisor that offers it");
	processor_load("lynnfield");
	expect_refusal(
		"this processor lacks \"unrestricted guest\": IA32_VMX_PROCBASED_CTLS2 (0x48b) "
		"bit 39 is clear; Plinth needs it to run guests in real mode and without "
		"paging; use an Intel processor of the Westmere generation (2010) or later, or "
		"in a virtual machine a hypervisor that offers it");
}

/* Without any MUST or SWITCH control the processor is refused, by that control's name. */
static void test_each_need(void **state)
{
	(void)state;
	for (size_t i = 0; i < control_row_count; i++) {
		const struct control_row *row = &control_rows[i];
		const char *name = vmx_control_name(row->word, row->mask);
		char expected[100];
		err_t err;

		processor_load("haswell");
		assert_null(choose());
		if (row->choice == CONTROL_MUST || row->choice == CONTROL_SWITCH) {
			caps.controls[row->word].allowed &= ~row->mask;
			caps.controls[row->word].forced &= ~row->mask;
			snprintf(expected, sizeof(expected), "this processor lacks \"%s\": ", name);
		} else if (row->choice == CONTROL_NEVER) {
			caps.controls[row->word].allowed |= row->mask;
			caps.controls[row->word].forced |= row->mask;
			snprintf(expected, sizeof(expected),
				 "this processor cannot turn \"%s\" off: ", name);
		} else {
			continue;
		}
		err = vmx_controls_choose(&caps, &controls);
		if (!err || strncmp(err, expected, strlen(expected)) != 0)
			fail_msg("'%s' gave '%s'", name, err ? err : "no error");
	}
}

static void test_switch_must_be_free(void **state)
{
	(void)state;
	processor_load("haswell");
	force(IA32_VMX_TRUE_PROCBASED_CTLS, PRIMARY_INTERRUPT_WINDOW_EXITING);
	expect_refusal(
		"this processor cannot turn \"interrupt-window exiting\" off: "
		"IA32_VMX_TRUE_PROCBASED_CTLS (0x48e) bit 2 is set; Plinth does not run guests "
		"with it (wait until a guest can take an interrupt); use an Intel processor of "
		"the Westmere generation (2010) or later, or in a virtual machine a hypervisor "
		"that offers it");
}

static void test_no_secondary_controls(void **state)
{
	(void)state;
	processor_load("haswell");
	allow(IA32_VMX_PROCBASED_CTLS, PRIMARY_ACTIVATE_SECONDARY, false);
	allow(IA32_VMX_TRUE_PROCBASED_CTLS, PRIMARY_ACTIVATE_SECONDARY, false);
	expect_refusal(
		"this processor lacks \"enable EPT\": IA32_VMX_TRUE_PROCBASED_CTLS (0x48e) bit "
		"63 is clear; Plinth needs it to confine a guest to its own memory; use an "
		"Intel processor of the Westmere generation (2010) or later, or in a virtual "
		"machine a hypervisor that offers it");
}

/* Older reports force CR3 exits, among others; Plinth bears them. */
static void test_without_true_controls(void **state)
{
	(void)state;
	processor_load("haswell");
	processor_set_msr(IA32_VMX_BASIC, processor_msr(IA32_VMX_BASIC) & ~BIT(55));
	assert_null(choose());
	assert_true(controls.primary & PRIMARY_CR3_LOAD_EXITING);
	assert_true(controls.primary & PRIMARY_CR3_STORE_EXITING);
	assert_false(controls.primary & PRIMARY_INVLPG_EXITING);
	processor_load("haswell");
	assert_null(choose());
	assert_false(controls.primary & PRIMARY_CR3_LOAD_EXITING);
}

static void test_vpid_needs_invvpid(void **state)
{
	(void)state;
	processor_load("haswell");
	assert_null(choose());
	assert_true(controls.secondary & SECONDARY_VPID);
	processor_set_msr(IA32_VMX_EPT_VPID_CAP,
			  0x0000090106334141); /* address, retaining globals */
	assert_null(choose());
	assert_false(controls.secondary & SECONDARY_VPID);
	processor_set_msr(IA32_VMX_EPT_VPID_CAP, 0x0000040106334141); /* all contexts */
	assert_null(choose());
	assert_true(controls.secondary & SECONDARY_VPID);
}

static void test_wanted(void **state)
{
	(void)state;
	processor_load("haswell");
	allow(IA32_VMX_PROCBASED_CTLS2,
	      SECONDARY_INSTRUCTION_TIMEOUT | SECONDARY_BUS_LOCK_DETECTION |
		      SECONDARY_USER_WAIT_PAUSE | SECONDARY_ENCLS_EXITING | SECONDARY_TSC_SCALING,
	      true);
	assert_null(choose());
	assert_true(controls.secondary & SECONDARY_INSTRUCTION_TIMEOUT);
	assert_true(controls.secondary & SECONDARY_BUS_LOCK_DETECTION);
	assert_true(controls.secondary & SECONDARY_USER_WAIT_PAUSE);
	assert_true(controls.secondary & SECONDARY_ENCLS_EXITING);
	assert_false(controls.secondary & SECONDARY_TSC_SCALING);
	allow(IA32_VMX_PROCBASED_CTLS2, SECONDARY_RDTSCP | SECONDARY_INVPCID, false);
	assert_null(choose());
	assert_false(controls.secondary & (SECONDARY_RDTSCP | SECONDARY_INVPCID));
}

static void test_contradiction(void **state)
{
	(void)state;
	processor_load("haswell");
	processor_set_msr(IA32_VMX_TRUE_PINBASED_CTLS, 0x0000006f00000016); /* bit 4 */
	expect_refusal(
		"IA32_VMX_TRUE_PINBASED_CTLS (0x48d) contradicts itself: bits 0x10 must be 1 and "
		"must be 0; if this is a virtual machine, its hypervisor's nested VMX is broken");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_models),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_refused_models),
		cmocka_unit_test(test_each_need),
		cmocka_unit_test(test_switch_must_be_free),
		cmocka_unit_test(test_no_secondary_controls),
		cmocka_unit_test(test_without_true_controls),
		cmocka_unit_test(test_vpid_needs_invvpid),
		cmocka_unit_test(test_wanted),
		cmocka_unit_test(test_contradiction),
	};

	return cmocka_run_group_tests_name("controls", tests, NULL, NULL);
}
