/* SPDX-License-Identifier: BSD-2-Clause */
/* A vCPU's VMCS as it is made: controls, bitmaps, host and guest state; and its control registers.
 */
/* UNITS: tests/fake/vmx_machine.c vcpu/vmx/exits.c vcpu/vmx/run.c vcpu/vmx/state.c */
/* UNITS: vcpu/vmx/vmcs.c vcpu/vmx/memory.c vcpu/vmx/ept.c vcpu/vmx/dump.c vcpu/vmx/controls.c */
/* UNITS: vcpu/vmx/capabilities.c vcpu/vcpu.c vcpu/live_state.c vcpu/control.c vcpu/msr.c */
/* UNITS: vcpu/cpuid.c vcpu/events.c vcpu/hypercall.c vcpu/io.c vcpu/linear.c vcpu/paging.c */
/* UNITS: vcpu/mmio.c vcpu/fetch.c vcpu/alu.c vcpu/decoder.c vcpu/decoder_tables.c vcpu/state.c */
/* UNITS: vcpu/vm_memory.c vcpu/bus.c trace/counters.c trace/ring.c arch/x86_64/vmcs_fields.c */
/* UNITS: arch/x86_64/vmx.c arch/x86_64/vmx_controls.c arch/x86_64/msr.c arch/x86_64/cpuid.c */
/* UNITS: arch/x86_64/exceptions.c arch/x86_64/registers.c kernel/format.c kernel/string.c */
/* UNITS: tests/fake/processor.c tests/fake/host_cpuid.c tests/fake/cpus.c tests/fake/physical.c */
/* UNITS: tests/fake/direct_map.c tests/fake/guest_memory.c tests/fake/panic.c */
/* UNITS: vcpu/vmx/exits_io.c tests/fake/log.c tests/fake/error.c */
/* UNITS: vcpu/breakpoints.c vcpu/mtrr.c */
/* UNITS: vcpu/vmx/side_channels.c vcpu/vmx/report_text.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include "arch/x86_64/instructions.h"
#include "arch/x86_64/msr.h"
#include "kernel/cpu.h"
#include "kernel/direct_map.h"
#include "tests/fake/physical.h"
#include "tests/fake/vmx_machine.h"

#define get fake_vmcs_get

static int setup(void **state)
{
	(void)state;
	vmx_machine_model = "skylake";
	vmx_machine_setup();
	assert_null(vmx_machine_error);
	assert_non_null(vmx_machine_vcpu);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vmx_machine_teardown();
	return 0;
}

/* --- As it is made. --- */

static void controls(void **state)
{
	(void)state;
	assert_int_equal(get(VMCS_PIN_CONTROLS), vmx_machine_controls.pin);
	assert_int_equal(get(VMCS_PRIMARY_CONTROLS), vmx_machine_controls.primary);
	assert_int_equal(get(VMCS_SECONDARY_CONTROLS), vmx_machine_controls.secondary);
	assert_int_equal(get(VMCS_EXIT_CONTROLS), vmx_machine_controls.exit);
	assert_int_equal(get(VMCS_ENTRY_CONTROLS), vmx_machine_controls.entry);
	assert_int_equal(get(VMCS_LINK_POINTER), ~0ull);
	assert_int_equal(get(VMCS_EPT_POINTER), ept_pointer(ept_of(vmx_machine_vcpu)));
	assert_int_not_equal(get(VMCS_VPID), 0);
	assert_int_equal(get(VMCS_XSS_EXITING_BITMAP), ~0ull);
	assert_int_equal(get(VMCS_ENTRY_INTERRUPTION_INFO), 0);
	assert_int_not_equal(get(VMCS_PREEMPTION_TIMER_VALUE), 0);
	/* #DB and #AC could loop in their own delivery; #MC is the host's; all else is the guest's.
	 */
	assert_int_equal(get(VMCS_EXCEPTION_BITMAP), 1u << 1 | 1u << 17 | 1u << 18);
	assert_int_equal(get(VMCS_PAGE_FAULT_ERROR_MASK) | get(VMCS_PAGE_FAULT_ERROR_MATCH), 0);
}

static bool is_zero_bit(const uint8_t *bitmap, unsigned bit)
{
	return !(bitmap[bit / 8] >> bit % 8 & 1);
}

/* All ports exit, and all MSRs but those that pass, which are open both ways. */
static void bitmaps(void **state)
{
	static const uint32_t open[] = {
		IA32_STAR,        IA32_LSTAR,        IA32_CSTAR,          IA32_FMASK,
		IA32_FS_BASE,     IA32_GS_BASE,      IA32_KERNEL_GS_BASE, IA32_TSC_AUX,
		IA32_SYSENTER_CS, IA32_SYSENTER_ESP, IA32_SYSENTER_EIP,
	};
	const unsigned count = sizeof(open) / sizeof(open[0]);
	const uint8_t *ports = direct_map(HPA(get(VMCS_IO_BITMAP_A)));
	const uint8_t *msrs = direct_map(HPA(get(VMCS_MSR_BITMAPS)));
	unsigned zeros = 0;

	(void)state;
	assert_int_equal(get(VMCS_IO_BITMAP_B), get(VMCS_IO_BITMAP_A) + PAGE_SIZE);
	for (unsigned port = 0; port < 0x10000; port++)
		assert_false(is_zero_bit(ports, port));
	for (unsigned bit = 0; bit < 8 * PAGE_SIZE; bit++)
		zeros += is_zero_bit(msrs, bit);
	assert_int_equal(zeros, 2 * count);
	for (unsigned i = 0; i < count; i++) {
		unsigned bit = (open[i] & 0x1fff) + (open[i] >> 31 ? 8 * 0x400 : 0);

		assert_true(is_zero_bit(msrs, bit));
		assert_true(is_zero_bit(msrs, bit + 8 * 0x800));
	}
}

static void host_state(void **state)
{
	(void)state;
	assert_int_equal(get(VMCS_HOST_CR0), fake_machine.cr0);
	assert_int_equal(get(VMCS_HOST_CR4), fake_machine.cr4);
	assert_int_equal(get(VMCS_HOST_EFER), EFER_LME | EFER_LMA | EFER_NXE);
	assert_int_equal(get(VMCS_HOST_CS_SELECTOR), SELECTOR_CODE);
	assert_int_equal(get(VMCS_HOST_TR_SELECTOR), SELECTOR_TSS);
	assert_int_equal(get(VMCS_HOST_GS_BASE), (uint64_t)this_cpu());
	assert_int_equal(get(VMCS_HOST_TR_BASE), (uint64_t)&this_cpu()->tss);
	assert_int_equal(get(VMCS_HOST_RIP), (uint64_t)vmx_exit_entry);
	/* Pushes from here fill in vcpu->regs. */
	assert_int_equal(get(VMCS_HOST_RSP),
			 (uint64_t)&vmx_machine_vcpu->regs + sizeof(vmx_machine_vcpu->regs));
}

static void check_segment(enum segment_index index, const struct segment *expected)
{
	struct segment got;

	backend_get_segment(vmx_machine_vcpu, index, &got);
	assert_int_equal(got.selector, expected->selector);
	assert_int_equal(got.limit, expected->limit);
	assert_int_equal(got.access, expected->access);
	assert_int_equal(got.base, expected->base);
}

static void guest_state(void **state)
{
	struct vcpu_state s;

	(void)state;
	for (unsigned n = 0; n < 2; n++) {
		if (n == 0)
			vcpu_state_reset(&s);
		else
			vcpu_state_flat32(&s, 0x123456);
		s.regs.rax = 0x1111;
		s.regs.rsp = 0x7000;
		s.cr3 = 0x5000;
		s.fs.base = 0x123;
		s.gdtr = (struct descriptor_table){0x9000, 0x37};
		s.idtr = (struct descriptor_table){0xa000, 0x3ff};
		assert_null(backend_set_state(vmx_machine_vcpu, &s));
		assert_int_equal(vmx_machine_vcpu->regs.rax, 0x1111);
		assert_int_equal(get(VMCS_GUEST_RSP), 0x7000);
		assert_int_equal(get(VMCS_GUEST_RIP), s.rip);
		assert_int_equal(get(VMCS_GUEST_RFLAGS), 2);
		assert_int_equal(get(VMCS_GUEST_CR3), 0x5000);
		check_segment(SEG_ES, &s.es);
		check_segment(SEG_CS, &s.cs);
		check_segment(SEG_SS, &s.ss);
		check_segment(SEG_DS, &s.ds);
		check_segment(SEG_FS, &s.fs);
		check_segment(SEG_GS, &s.gs);
		check_segment(SEG_LDTR, &s.ldtr);
		check_segment(SEG_TR, &s.tr);
		assert_int_equal(get(VMCS_GUEST_GDTR_BASE), 0x9000);
		assert_int_equal(get(VMCS_GUEST_GDTR_LIMIT), 0x37);
		assert_int_equal(get(VMCS_GUEST_IDTR_BASE), 0xa000);
		assert_int_equal(get(VMCS_GUEST_IDTR_LIMIT), 0x3ff);
		assert_int_equal(get(VMCS_GUEST_DR7), 0x400);
		assert_int_equal(get(VMCS_GUEST_PAT), 0x0007040600070406);
		assert_int_equal(get(VMCS_GUEST_DEBUGCTL) | get(VMCS_GUEST_INTERRUPTIBILITY) |
					 get(VMCS_GUEST_ACTIVITY_STATE) |
					 get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS),
				 0);
		assert_int_equal(backend_cr0(vmx_machine_vcpu), s.cr0);
		assert_int_equal(backend_cr4(vmx_machine_vcpu), 0);
		assert_int_equal(vmx_machine_vcpu->mode, n ? MODE_PROTECTED : MODE_REAL);
		assert_int_equal(get(VMCS_GUEST_EFER), 0);
	}
}

/* On processors without the optional features the fields that go with them are not written. */
static void every_capable_model(void **state)
{
	static const char *const models[] = {"arrandale", "sandy",     "ivy",
					     "haswell",   "broadwell", "skylake",
					     "cnl",       "icelake",   "tigerlake"};

	(void)state;
	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
		vmx_machine_model = models[i];
		vmx_machine_setup();
		assert_null(vmx_machine_error);
		vmx_machine_teardown();
		assert_int_equal(fake_physical_used, 0);
	}
}

/* --- What goes wrong. --- */

static const struct vcpu_options no_options;

static void make_another(const char *error)
{
	struct vcpu_state s;
	uint64_t used;

	vcpu_destroy(vmx_machine_vcpu);
	used = fake_physical_used;
	vcpu_state_reset(&s);
	if (error)
		assert_string_equal(vcpu_create(&vmx_machine_vm, &no_options, &s), error);
	else
		assert_non_null(vcpu_create(&vmx_machine_vm, &no_options, &s));
	assert_null(vmx_machine_vm.vcpu);
	assert_int_equal(fake_physical_used, used);
}

static void a_field_that_is_missing_is_named(void **state)
{
	(void)state;
	fake_vmx.missing[fake_vmcs_slot(VMCS_EPT_POINTER)] = true;
	make_another("this CPU refuses to write the VMCS field EPT_POINTER");
}

static void a_field_of_the_guest_that_is_missing_is_named(void **state)
{
	(void)state;
	fake_vmx.missing[fake_vmcs_slot(VMCS_GUEST_TR_BASE)] = true;
	make_another("this CPU refuses to write the VMCS field GUEST_TR_BASE");
}

static void a_vmcs_that_the_processor_does_not_take(void **state)
{
	struct vcpu_state s;

	(void)state;
	vcpu_state_reset(&s);
	vcpu_destroy(vmx_machine_vcpu);
	fake_vmx.next_status = VMX_FAIL_INVALID;
	assert_non_null(
		strstr(vcpu_create(&vmx_machine_vm, &no_options, &s), "does not take a VMCS"));
	assert_null(vmx_machine_vm.vcpu);
}

static void no_memory(void **state)
{
	(void)state;
	fake_physical_left = 0;
	vcpu_destroy(vmx_machine_vcpu);
	for (uint64_t pages = 0; pages < 3; pages++) {
		struct vcpu_state s;

		fake_physical_left = pages * PAGE_SIZE;
		vcpu_state_reset(&s);
		assert_non_null(vcpu_create(&vmx_machine_vm, &no_options, &s));
		assert_int_equal(fake_physical_left, pages * PAGE_SIZE);
	}
	backend_vm_destroy(&vmx_machine_vm);
	for (uint64_t pages = 0; pages < 3; pages++) {
		fake_physical_left = pages * PAGE_SIZE;
		assert_non_null(backend_vm_create(&vmx_machine_vm));
		assert_int_equal(fake_physical_left, pages * PAGE_SIZE);
	}
}

/* --- Control registers. --- */

/* CD and NW are the guest's to see; NE stands whatever the guest says; PE and PG are its own. */
/* Its VPID may be that of a VM before it, and tables may lie where others lay. */
static void a_new_vcpu_trusts_no_translation(void **state)
{
	const struct vcpu_options options = {.traced = NULL};
	struct vcpu_state reset;
	uint64_t vpid = get(VMCS_VPID);

	(void)state;
	vcpu_destroy(vmx_machine_vm.vcpu);
	vcpu_state_reset(&reset);
	assert_null(vcpu_create(&vmx_machine_vm, &options, &reset));
	assert_int_equal(get(VMCS_VPID), vpid);
	assert_int_equal(vmx_machine_vm.vcpu->requests, REQUEST_FLUSH_EPT | REQUEST_FLUSH_LINEAR);
	backend_run(vmx_machine_vm.vcpu);
	assert_int_equal(fake_vmx.invept_count, 1);
	assert_int_equal(fake_vmx.invvpid_count, 1);
	vmx_machine_vcpu = vmx_machine_vm.vcpu;
}

static void cr0_as_the_guest_and_the_processor_see_it(void **state)
{
	static const uint64_t values[] = {
		CR0_ET,
		CR0_ET | CR0_CD | CR0_NW,
		CR0_PE | CR0_ET,
		CR0_PE | CR0_PG | CR0_ET | CR0_WP,
		CR0_PE | CR0_ET | CR0_NE | CR0_TS | CR0_MP | CR0_EM | CR0_AM,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		backend_set_cr0(vmx_machine_vcpu, values[i]);
		assert_int_equal(get(VMCS_GUEST_CR0), (values[i] & ~(CR0_CD | CR0_NW)) | CR0_NE);
		assert_int_equal(get(VMCS_CR0_READ_SHADOW) & get(VMCS_CR0_MASK),
				 values[i] & get(VMCS_CR0_MASK));
		assert_int_equal(backend_cr0(vmx_machine_vcpu), values[i]);
		/* What the guest changes without an exit is seen. */
		fake_vmcs_set(VMCS_GUEST_CR0, get(VMCS_GUEST_CR0) ^ (CR0_TS | CR0_WP));
		assert_int_equal(backend_cr0(vmx_machine_vcpu), values[i] ^ (CR0_TS | CR0_WP));
	}
	assert_int_equal(get(VMCS_CR0_MASK) & (CR0_PE | CR0_PG | CR0_NE | CR0_CD | CR0_NW),
			 CR0_PE | CR0_PG | CR0_NE | CR0_CD | CR0_NW);
}

static void cr4_as_the_guest_and_the_processor_see_it(void **state)
{
	(void)state;
	backend_set_cr4(vmx_machine_vcpu, CR4_PAE | CR4_PGE);
	assert_int_equal(get(VMCS_GUEST_CR4), CR4_PAE | CR4_PGE | CR4_VMXE | CR4_MCE);
	assert_int_equal(get(VMCS_CR4_READ_SHADOW), CR4_PAE | CR4_PGE);
	assert_int_equal(backend_cr4(vmx_machine_vcpu), CR4_PAE | CR4_PGE);
	assert_int_equal(get(VMCS_CR4_MASK) &
				 (CR4_VMXE | CR4_MCE | CR4_PAE | CR4_OSXSAVE | CR4_PKE),
			 CR4_VMXE | CR4_MCE | CR4_PAE | CR4_OSXSAVE | CR4_PKE);
	/* All that has no owner is the host's: its writes exit, and become #GP. */
	assert_int_equal(~get(VMCS_CR4_MASK) & ~vmx_machine_vcpu->cr4_allowed, 0);
	fake_vmcs_set(VMCS_GUEST_CR4, get(VMCS_GUEST_CR4) | CR4_PSE);
	assert_int_equal(backend_cr4(vmx_machine_vcpu), CR4_PAE | CR4_PGE | CR4_PSE);
	/* A host without machine checks enabled does not turn them on here. */
	fake_machine.cr4 &= ~CR4_MCE;
	backend_set_cr4(vmx_machine_vcpu, 0);
	assert_int_equal(get(VMCS_GUEST_CR4), CR4_VMXE);
}

static void the_entry_control_follows_lma(void **state)
{
	struct vcpu *vcpu = vmx_machine_vcpu;
	uint64_t plain = get(VMCS_ENTRY_CONTROLS);

	(void)state;
	assert_int_equal(plain & ENTRY_IA32E_MODE_GUEST, 0);
	backend_set_efer(vcpu, EFER_LME);
	assert_int_equal(get(VMCS_ENTRY_CONTROLS), plain);
	backend_set_efer(vcpu, EFER_LME | EFER_LMA);
	assert_int_equal(get(VMCS_ENTRY_CONTROLS), plain | ENTRY_IA32E_MODE_GUEST);
	assert_int_equal(get(VMCS_GUEST_EFER), EFER_LME | EFER_LMA);
	assert_int_equal(vcpu->mode, MODE_LONG);
	backend_set_efer(vcpu, EFER_LME);
	assert_int_equal(get(VMCS_ENTRY_CONTROLS), plain);
	assert_int_equal(vcpu->mode, MODE_PROTECTED);
	backend_set_cr0(vcpu, CR0_ET);
	assert_int_equal(vcpu->mode, MODE_REAL);
}

static void plain_registers(void **state)
{
	const uint64_t pdptes[4] = {0x1001, 0x2001, 0x3001, 0x4001};
	uint64_t got[4];

	(void)state;
	backend_set_pdptes(vmx_machine_vcpu, pdptes);
	assert_int_equal(get(VMCS_GUEST_PDPTE3), 0x4001);
	backend_get_pdptes(vmx_machine_vcpu, got);
	assert_memory_equal(got, pdptes, sizeof(got));
	backend_set_tsc_offset(vmx_machine_vcpu, -5);
	assert_int_equal(get(VMCS_TSC_OFFSET), (uint64_t)-5);
	assert_int_equal(vmx_machine_vcpu->tsc_offset, -5);
	for (unsigned cpl = 0; cpl < 4; cpl++) {
		vmx_machine_set_cpl(cpl);
		assert_int_equal(backend_cpl(vmx_machine_vcpu), cpl);
	}
	backend_set_resume_flag(vmx_machine_vcpu);
	assert_int_equal(get(VMCS_GUEST_RFLAGS), RFLAGS_ONE | RFLAGS_RF);
	assert_false(backend_nmi_blocked(vmx_machine_vcpu));
	fake_vmcs_set(VMCS_GUEST_INTERRUPTIBILITY, INTERRUPTIBILITY_NMI);
	assert_true(backend_nmi_blocked(vmx_machine_vcpu));
}

/* SDM: RDTSCP, INVPCID, XSAVES and WAITPKG are enabled first, and shown then. */
static void features_follow_the_controls(void **state)
{
	static const struct {
		uint32_t control;
		struct cpuid_bit feature;
	} rows[] = {
		{SECONDARY_RDTSCP,          CPUID_BIT(0x80000001u, 0, CPUID_EDX, 27)},
		{SECONDARY_INVPCID,         CPUID_BIT(7,           0, CPUID_EBX, 10)},
		{SECONDARY_XSAVES,          CPUID_BIT(0xd,         1, CPUID_EAX, 3) },
		{SECONDARY_USER_WAIT_PAUSE, CPUID_BIT(7,           0, CPUID_ECX, 5) },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		vmx_machine_controls.secondary = rows[i].control;
		cpuid_build(vmx_machine_vcpu);
		for (size_t j = 0; j < sizeof(rows) / sizeof(rows[0]); j++)
			assert_int_equal(cpuid_shows(&vmx_machine_vcpu->cpuid, rows[j].feature),
					 i == j);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(controls),
		TEST(bitmaps),
		TEST(host_state),
		TEST(guest_state),
		TEST(every_capable_model),
		TEST(a_field_that_is_missing_is_named),
		TEST(a_field_of_the_guest_that_is_missing_is_named),
		TEST(a_vmcs_that_the_processor_does_not_take),
		TEST(no_memory),
		TEST(a_new_vcpu_trusts_no_translation),
		TEST(cr0_as_the_guest_and_the_processor_see_it),
		TEST(cr4_as_the_guest_and_the_processor_see_it),
		TEST(the_entry_control_follows_lma),
		TEST(plain_registers),
		TEST(features_follow_the_controls),
	};

	return cmocka_run_group_tests_name("vmx_vcpu", tests, NULL, NULL);
}
