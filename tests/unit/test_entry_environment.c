/* SPDX-License-Identifier: BSD-2-Clause */
/* What VM entries are checked against: from CPUID, MSRs and memory. And the check of the current
 * VMCS. */
/* UNITS: vcpu/vmx/entry_environment.c vcpu/vmx/entry_check.c vcpu/vmx/entry_report.c */
/* UNITS: vcpu/vmx/entry_rules_execution.c vcpu/vmx/entry_rules_control.c */
/* UNITS: vcpu/vmx/entry_rules_host.c vcpu/vmx/entry_rules_registers.c */
/* UNITS: vcpu/vmx/entry_rules_segments.c vcpu/vmx/entry_rules_nonregister.c */
/* UNITS: vcpu/vmx/entry_rules_msr.c vcpu/vmx/entry_predicates.c vcpu/vmx/vmcs_image.c */
/* UNITS: vcpu/vmx/capabilities.c arch/x86_64/msr.c arch/x86_64/cpuid.c arch/x86_64/vmx.c */
/* UNITS: arch/x86_64/vmx_controls.c arch/x86_64/vmcs_fields.c kernel/format.c */
/* UNITS: tests/entry/bases.c tests/fake/processor.c tests/fake/error.c */
/* UNITS: tests/fake/log.c tests/fake/direct_map.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/instructions.h"
#include "arch/x86_64/vmx_instructions.h"
#include "kernel/direct_map.h"
#include "kernel/traps.h"
#include "tests/entry/mutations.h"
#include "tests/fake/direct_map.h"
#include "tests/fake/log.h"
#include "tests/fake/processor.h"

#define HOLE 0x8000u /* a page that cannot be read */

static struct vmx_capabilities capabilities;
static struct entry_environment environment;
static uint32_t address_sizes, perfmon_eax, perfmon_edx, structured_ebx, structured_ecx,
	structured_edx;
static uint32_t extended_edx, features_ecx, lam_eax;

bool read64_safe(uint64_t address, uint64_t *value)
{
	uint64_t at = address - (uint64_t)direct_map(HPA(0));

	if (at >= HOLE && at < HOLE + PAGE_SIZE)
		return false;
	assert_int_equal(address % 8, 0);
	memcpy(value, (const void *)address, sizeof(*value));
	return true;
}

static struct cpuid_result read_cpuid(uint32_t leaf, uint32_t subleaf)
{
	switch (leaf) {
	case 0:
		return (struct cpuid_result){.eax = 0x14};
	case 1:
		return (struct cpuid_result){.ecx = features_ecx};
	case 7:
		if (subleaf == 1)
			return (struct cpuid_result){.eax = lam_eax};
		return (struct cpuid_result){.eax = 1,
					     .ebx = structured_ebx,
					     .ecx = structured_ecx,
					     .edx = structured_edx};
	case 0xa:
		return (struct cpuid_result){.eax = perfmon_eax, .edx = perfmon_edx};
	case 0x80000000:
		return (struct cpuid_result){.eax = address_sizes ? 0x80000008 : 0x80000001};
	case 0x80000001:
		return (struct cpuid_result){.edx = extended_edx};
	case 0x80000008:
		return (struct cpuid_result){.eax = address_sizes};
	default:
		return (struct cpuid_result){0};
	}
}

static int setup(void **state)
{
	(void)state;
	fake_machine_reset();
	fake_machine.cpuid = read_cpuid;
	fake_vmx_reset();
	fake_ram_reset();
	fake_log_reset();
	memset(&capabilities, 0, sizeof(capabilities));
	address_sizes = 0x3027;
	perfmon_eax = perfmon_edx = structured_ebx = structured_ecx = structured_edx = 0;
	extended_edx = features_ecx = lam_eax = 0;
	return 0;
}

static void test_widths(void **state)
{
	(void)state;
	entry_environment_read(&environment, &capabilities);
	assert_ptr_equal(environment.capabilities, &capabilities);
	assert_int_equal(environment.physical_bits, 39);
	assert_int_equal(environment.linear_bits, 48);
	assert_true(environment.long_mode);
	assert_int_equal(environment.current_vmcs, 0x2000);
	structured_ecx = 1u << 16;
	entry_environment_read(&environment, &capabilities);
	assert_int_equal(environment.linear_bits, 57);
	address_sizes = 0;
	entry_environment_read(&environment, &capabilities);
	assert_int_equal(environment.physical_bits, 36);
}

static void test_features(void **state)
{
	(void)state;
	entry_environment_read(&environment, &capabilities);
	assert_false(environment.sgx || environment.rtm || environment.bus_lock_detect);
	assert_false(environment.lam || environment.tracing);
	assert_int_equal(environment.efer, 0);
	assert_int_equal(environment.debugctl & (BIT(2) | BIT(15) | 0x38 | BIT(16)), 0);
	assert_int_equal(environment.s_cet, 0);
	assert_int_equal(environment.perf_global_ctrl, 0);

	structured_ebx = 1u << 2 | 1u << 11 | 1u << 25;
	structured_ecx = 1u << 24 | 1u << 7;
	structured_edx = 1u << 20;
	extended_edx = 1u << 11 | 1u << 20 | 1u << 29;
	lam_eax = 1u << 26;
	fake_msr_set(IA32_RTIT_CTL, 1);
	entry_environment_read(&environment, &capabilities);
	assert_true(environment.sgx && environment.rtm && environment.bus_lock_detect);
	assert_true(environment.lam && environment.tracing);
	assert_int_equal(environment.efer, EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE);
	assert_int_equal(environment.debugctl & (BIT(2) | BIT(15)), BIT(2) | BIT(15));
	assert_int_equal(environment.s_cet & 0xfff, 0xc3f);
	fake_msr_set(IA32_RTIT_CTL, 2);
	entry_environment_read(&environment, &capabilities);
	assert_false(environment.tracing);
}

static void test_counters(void **state)
{
	(void)state;
	perfmon_eax = 0x07300402; /* version 2: four counters of 48 bits */
	perfmon_edx = 0x603;      /* three fixed ones */
	entry_environment_read(&environment, &capabilities);
	assert_int_equal(environment.perf_global_ctrl, 0x70000000full);
	perfmon_eax = 0x07302001; /* version 1 has no fixed ones */
	entry_environment_read(&environment, &capabilities);
	assert_int_equal(environment.perf_global_ctrl, 0xffffffffull);
	features_ecx = 1u << 15;
	fake_msr_set(IA32_PERF_CAPABILITIES, BIT(15));
	entry_environment_read(&environment, &capabilities);
	assert_int_equal(environment.perf_global_ctrl, 0x1000000000000 | 0xffffffffull);
}

static void test_memory(void **state)
{
	uint8_t *ram = direct_map(HPA(0x4000));
	uint8_t bytes[32];
	uint32_t word = 0;

	(void)state;
	for (unsigned i = 0; i < 64; i++)
		ram[i] = (uint8_t)i;
	entry_environment_read(&environment, &capabilities);
	assert_true(environment.read(environment.context, 0x4003, bytes, 21));
	for (unsigned i = 0; i < 21; i++)
		assert_int_equal(bytes[i], i + 3);
	assert_true(environment.read(environment.context, 0x4004, &word, 4));
	assert_int_equal(word, 0x07060504);
	assert_false(environment.read(environment.context, HOLE, bytes, 1));
	assert_false(environment.read(environment.context, HOLE - 4, bytes, 8));
	assert_false(environment.read(environment.context, ~0ull, bytes, 1));
	assert_false(environment.read(environment.context, DIRECT_MAP_SIZE, bytes, 1));
}

/* A VMCS of one of the bases, in the fake processor. */
static void load_base(void)
{
	static uint8_t pages[ENTRY_PAGES][PAGE_SIZE];
	static struct entry_bench bench;
	static struct vmcs_image image;

	processor_load("haswell");
	assert_null(vmx_capabilities_read(&capabilities, processor_rdmsr, processor_cpuid));
	bench.environment.capabilities = &capabilities;
	for (unsigned i = 0; i < ENTRY_PAGES; i++) {
		bench.page[i] = 0x10000 + i * PAGE_SIZE;
		bench.memory[i] = pages[i];
	}
	vmcs_image_set(&bench.host, VMCS_HOST_CR0, CR0_PE | CR0_NE | CR0_PG);
	vmcs_image_set(&bench.host, VMCS_HOST_CR4, CR4_PAE | CR4_VMXE);
	vmcs_image_set(&bench.host, VMCS_HOST_EFER, EFER_LMA | EFER_LME);
	vmcs_image_set(&bench.host, VMCS_HOST_PAT, PAT_RESET);
	vmcs_image_set(&bench.host, VMCS_HOST_CS_SELECTOR, 8);
	vmcs_image_set(&bench.host, VMCS_HOST_TR_SELECTOR, 0x18);
	entry_base_make(&bench, BASE_64BIT, &image);
	for (size_t i = 0; i < vmcs_field_count; i++) {
		uint32_t field = (uint32_t)vmcs_fields[i].field;

		fake_vmcs_set(field, vmcs_image_get(&image, field));
	}
	extended_edx = 1u << 11 | 1u << 20 | 1u << 29;
}

static void test_current(void **state)
{
	(void)state;
	load_base();
	assert_int_equal(entry_check_current("demo", &capabilities, true), 0);
	assert_int_equal(fake_log_count(), 0);
	assert_int_equal(entry_check_current("demo", &capabilities, false), 0);
	assert_true(fake_log_contains("breaks no rule"));
	fake_log_reset();
	fake_vmcs_set(VMCS_GUEST_RFLAGS, 0);
	assert_int_equal(entry_check_current("demo", &capabilities, true), 1);
	assert_true(fake_log_contains("[rflags-one, exit 33]"));
	fake_vmcs_set(VMCS_LINK_POINTER, 0x2000);
	assert_int_equal(entry_check_current("demo", &capabilities, true), 3);
	assert_true(fake_log_contains("[link-current, exit 33]"));
	assert_true(fake_log_contains("[link-revision, exit 33]"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_widths, setup),
		cmocka_unit_test_setup(test_features, setup),
		cmocka_unit_test_setup(test_counters, setup),
		cmocka_unit_test_setup(test_memory, setup),
		cmocka_unit_test_setup(test_current, setup),
	};

	return cmocka_run_group_tests_name("entry environment", tests, NULL, NULL);
}
