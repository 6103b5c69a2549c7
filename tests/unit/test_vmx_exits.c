/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of exits: each reason's row on a VMCS, what it costs, and where RIP is afterwards. */
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
#include "tests/fake/log.h"
#include "tests/fake/vmx_machine.h"
#include "vcpu/hypercall.h"
#include "vcpu/vmx/side_channels.h"

#define get fake_vmcs_get
#define set fake_vmcs_set

#define RIP 0x8000

static struct vcpu *vcpu;

static int setup(void **state)
{
	(void)state;
	vmx_machine_model = "skylake";
	vmx_machine_setup();
	assert_null(vmx_machine_error);
	vcpu = vmx_machine_vcpu;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vmx_machine_teardown();
	return 0;
}

/* --- Every reason has a row. --- */

enum fate {
	FATE_UNEXPECTED, /* the VM stops: no control asks for this exit */
	FATE_UNKNOWN,    /* the VM stops: there is no such reason yet */
	FATE_STOPS,      /* the VM stops, for a reason of its own */
	FATE_UD,
	FATE_GP,
	FATE_NEXT, /* RIP moves */
	FATE_STAYS,
};

/* What a reason ends in, on a VMCS with nothing but zeros in its exit information. */
static const uint8_t fates[VMX_EXIT_REASON_COUNT] = {
	[35] = FATE_UNKNOWN,
	[38] = FATE_UNKNOWN,
	[42] = FATE_UNKNOWN,
	[71] = FATE_UNKNOWN,
	[82] = FATE_UNKNOWN,
	[83] = FATE_UNKNOWN,
	[VMX_EXIT_EXCEPTION_OR_NMI] = FATE_STAYS,
	[VMX_EXIT_EXTERNAL_INTERRUPT] = FATE_STAYS,
	[VMX_EXIT_TRIPLE_FAULT] = FATE_STOPS,
	[VMX_EXIT_INTERRUPT_WINDOW] = FATE_STAYS,
	[VMX_EXIT_NMI_WINDOW] = FATE_STAYS,
	[VMX_EXIT_TASK_SWITCH] = FATE_STOPS,
	[VMX_EXIT_CPUID] = FATE_NEXT,
	[VMX_EXIT_GETSEC] = FATE_UD,
	[VMX_EXIT_HLT] = FATE_STOPS,
	[VMX_EXIT_INVD] = FATE_NEXT,
	[VMX_EXIT_INVLPG] = FATE_NEXT,
	[VMX_EXIT_RDPMC] = FATE_GP,
	[VMX_EXIT_RSM] = FATE_UD,
	[VMX_EXIT_VMCALL] = FATE_NEXT,
	[VMX_EXIT_VMCLEAR] = FATE_UD,
	[VMX_EXIT_VMLAUNCH] = FATE_UD,
	[VMX_EXIT_VMPTRLD] = FATE_UD,
	[VMX_EXIT_VMPTRST] = FATE_UD,
	[VMX_EXIT_VMREAD] = FATE_UD,
	[VMX_EXIT_VMRESUME] = FATE_UD,
	[VMX_EXIT_VMWRITE] = FATE_UD,
	[VMX_EXIT_VMXOFF] = FATE_UD,
	[VMX_EXIT_VMXON] = FATE_UD,
	[VMX_EXIT_CR_ACCESS] = FATE_NEXT,
	[VMX_EXIT_IO_INSTRUCTION] = FATE_NEXT,
	[VMX_EXIT_RDMSR] = FATE_NEXT, /* MSR 0 */
	[VMX_EXIT_WRMSR] = FATE_NEXT,
	[VMX_EXIT_ENTRY_FAILURE_GUEST_STATE] = FATE_STOPS,
	[VMX_EXIT_ENTRY_FAILURE_MSR_LOADING] = FATE_STOPS,
	[VMX_EXIT_MWAIT] = FATE_UD,
	[VMX_EXIT_MONITOR] = FATE_UD,
	[VMX_EXIT_ENTRY_FAILURE_MACHINE_CHECK] = FATE_STOPS,
	[VMX_EXIT_EPT_VIOLATION] = FATE_STOPS,
	[VMX_EXIT_EPT_MISCONFIGURATION] = FATE_STOPS,
	[VMX_EXIT_INVEPT] = FATE_UD,
	[VMX_EXIT_PREEMPTION_TIMER] = FATE_STAYS,
	[VMX_EXIT_INVVPID] = FATE_UD,
	[VMX_EXIT_WBINVD] = FATE_NEXT,
	[VMX_EXIT_XSETBV] = FATE_GP, /* XCR0 must not be 0 */
	[VMX_EXIT_VMFUNC] = FATE_UD,
	[VMX_EXIT_ENCLS] = FATE_UD,
	[VMX_EXIT_XSAVES] = FATE_UD,
	[VMX_EXIT_XRSTORS] = FATE_UD,
	[VMX_EXIT_PCONFIG] = FATE_UD,
	[VMX_EXIT_LOADIWKEY] = FATE_UD,
	[VMX_EXIT_ENCLV] = FATE_UD,
	[VMX_EXIT_ENQCMD_PASID] = FATE_UD,
	[VMX_EXIT_ENQCMDS_PASID] = FATE_UD,
	[VMX_EXIT_BUS_LOCK] = FATE_STAYS,
	[VMX_EXIT_INSTRUCTION_TIMEOUT] = FATE_STAYS,
	[VMX_EXIT_SEAMCALL] = FATE_UD,
	[VMX_EXIT_TDCALL] = FATE_UD,
	[VMX_EXIT_RDMSRLIST] = FATE_UD,
	[VMX_EXIT_WRMSRLIST] = FATE_UD,
	[VMX_EXIT_URDMSR] = FATE_UD,
	[VMX_EXIT_UWRMSR] = FATE_UD,
	[VMX_EXIT_RDMSR_IMMEDIATE] = FATE_UD,
	[VMX_EXIT_WRMSRNS_IMMEDIATE] = FATE_UD,
};

static void expect_running(uint64_t rip)
{
	if (vmx_machine_vm.end != VM_RUNNING)
		fail_msg("%s", vmx_machine_vm.end_text);
	assert_int_equal(get(VMCS_GUEST_RIP), rip);
}

static void expect_stop(const char *text)
{
	assert_int_not_equal(vmx_machine_vm.end, VM_RUNNING);
	if (!strstr(vmx_machine_vm.end_text, text))
		fail_msg("'%s' has no '%s'", vmx_machine_vm.end_text, text);
	assert_int_equal(get(VMCS_GUEST_RIP), RIP);
}

static void check_reason(uint32_t reason)
{
	enum fate fate = reason < VMX_EXIT_REASON_COUNT ? (enum fate)fates[reason] : FATE_UNKNOWN;
	char number[32];
	bool goes_on;

	setup(NULL);
	assert_non_null(vmx_exit_rows[reason % VMX_EXIT_ROWS].handle);
	goes_on = vmx_machine_exit_with(reason, 0);
	snprintf(number, sizeof(number), "exit reason %u (", reason);
	assert_int_equal(goes_on, fate == FATE_UD || fate == FATE_GP || fate == FATE_NEXT ||
					  fate == FATE_STAYS);
	switch (fate) {
	case FATE_UNEXPECTED:
		expect_stop(number);
		expect_stop("which no control of this VMCS asks for");
		break;
	case FATE_UNKNOWN:
		expect_stop(number);
		expect_stop("is newer than Plinth");
		break;
	case FATE_STOPS:
		assert_int_not_equal(vmx_machine_vm.end, VM_RUNNING);
		break;
	case FATE_UD:
		expect_running(RIP);
		assert_int_equal(vmx_machine_injected(), INJECTED_UD);
		break;
	case FATE_GP:
		expect_running(RIP);
		assert_int_equal(vmx_machine_injected(), INJECTED_GP);
		break;
	case FATE_NEXT:
		expect_running(RIP + 2);
		assert_int_equal(vmx_machine_injected(), 0);
		break;
	case FATE_STAYS:
		expect_running(RIP);
		break;
	}
	/* Counted under its own reason. */
	assert_int_equal(vcpu_exit_reason(vcpu), reason < VMX_EXIT_ROWS ? reason : 127);
	vmx_machine_teardown();
}

static void every_reason(void **state)
{
	(void)state;
	vmx_machine_teardown();
	for (uint32_t reason = 0; reason < 200; reason++)
		check_reason(reason);
	check_reason(0xffff);
	setup(state);
}

/* Flags above the reason are no part of it. */
static void flags_of_the_reason(void **state)
{
	(void)state;
	assert_true(vmx_machine_exit_with(
		VMX_EXIT_CPUID | VMX_EXIT_BUS_LOCK_ASSERTED | VMX_EXIT_ENCLAVE_MODE, 0));
	expect_running(RIP + 2);
	set(VMCS_GUEST_RIP, RIP);
	assert_false(vmx_machine_exit_with(
		VMX_EXIT_ENTRY_FAILURE_GUEST_STATE | VMX_EXIT_ENTRY_FAILURE, ENTRY_FAILURE_PDPTE));
	expect_stop("VM-entry failure: invalid guest state (exit qualification 2: a PDPTE)");
	assert_true(fake_log_contains("the VMCS, without fields that are 0:"));
	assert_true(fake_log_contains("GUEST_RIP"));
}

/* --- What an exit costs. --- */

static void the_cost_of_exits(void **state)
{
	(void)state;
	for (uint32_t leaf = 0; leaf < 8; leaf++) {
		vcpu->regs.rax = leaf;
		assert_true(vmx_machine_exit_with(VMX_EXIT_CPUID, 0));
		assert_true(fake_vmx.reads <= 5);
		assert_true(fake_vmx.writes <= 1);
	}
	vcpu->regs.rax = PLINTH_VERSION;
	assert_true(vmx_machine_exit_with(VMX_EXIT_VMCALL, 0));
	assert_true(fake_vmx.reads <= 6);
	assert_true(fake_vmx.writes <= 1);
	vcpu->regs.rcx = IA32_MISC_ENABLE;
	assert_true(vmx_machine_exit_with(VMX_EXIT_RDMSR, 0));
	assert_true(fake_vmx.reads <= 5);
	assert_true(fake_vmx.writes <= 1);
	assert_true(vmx_machine_exit_with(VMX_EXIT_IO_INSTRUCTION, 0x00800000)); /* out 80h */
	assert_true(fake_vmx.reads <= 6);
	assert_true(fake_vmx.writes <= 1);
	assert_true(vmx_machine_exit_with(VMX_EXIT_WBINVD, 0));
	assert_true(fake_vmx.reads <= 5);
	assert_true(fake_vmx.writes <= 1);
}

static void costs_are_counted(void **state)
{
	(void)state;
	vcpu->tsc_entry = vcpu->tsc_exit = 0;
	fake_machine.tsc = 1000;
	assert_true(vmx_machine_exit_with(VMX_EXIT_CPUID, 0));
	assert_int_equal(vcpu->tsc_exit, 1000);
	vcpu->tsc_entry = 1070; /* as the stub stamps it */
	fake_machine.tsc = 2000;
	assert_true(vmx_machine_exit_with(VMX_EXIT_WBINVD, 0));
	assert_int_equal(counter_count(&vcpu->counters.by_reason[VMX_EXIT_CPUID]), 1);
	assert_int_equal(vcpu->counters.by_reason[VMX_EXIT_CPUID].total, 70);
	assert_int_equal(counter_count(&vcpu->counters.by_reason[VMX_EXIT_WBINVD]), 0);
}

static void records_of_exits(void **state)
{
	const struct exit_ring *ring = vmx_machine_record();
	const struct exit_record *records = ring->records;

	(void)state;
	vcpu->regs.rax = 0x1234;
	assert_true(vmx_machine_exit_with(VMX_EXIT_VMCALL, 0));
	assert_int_equal(ring->head, 1);
	assert_int_equal(records[0].reason, VMX_EXIT_VMCALL);
	assert_int_equal(records[0].rip, RIP);
	assert_int_equal(records[0].qualification, 0x1234);
	assert_true(vmx_machine_exit_with(VMX_EXIT_GETSEC, 0));
	assert_int_equal(records[1].rip, RIP + 2);
	assert_int_equal(records[1].injected, RECORD_INJECTED | 0x306);
}

/* --- Where RIP goes. --- */

static void cpuid_at(uint64_t rip, uint64_t expected)
{
	set(VMCS_GUEST_RIP, rip);
	assert_true(vmx_machine_exit_with(VMX_EXIT_CPUID, 0));
	assert_int_equal(get(VMCS_GUEST_RIP), expected);
}

/* An instruction is as long as the exit says: prefixes may stand before it. */
static void the_length_is_the_exits(void **state)
{
	static const uint32_t reasons[] = {VMX_EXIT_CPUID, VMX_EXIT_RDMSR, VMX_EXIT_WBINVD,
					   VMX_EXIT_VMCALL, VMX_EXIT_IO_INSTRUCTION};

	(void)state;
	for (unsigned i = 0; i < ARRAY_COUNT(reasons); i++)
		for (uint64_t length = 1; length <= 15; length++) {
			vcpu->regs.rax = 0;
			vcpu->regs.rcx = IA32_EFER;
			set(VMCS_GUEST_RIP, 0x4000);
			set(VMCS_EXIT_QUALIFICATION, 0x00800000); /* out 80h */
			set(VMCS_EXIT_INSTRUCTION_LENGTH, length);
			assert_true(vmx_machine_exit(reasons[i]));
			assert_int_equal(get(VMCS_GUEST_RIP), 0x4000 + length);
		}
}

static void rip_has_32_bits_outside_64_bit_code(void **state)
{
	(void)state;
	cpuid_at(0xfffffffe, 0);
	cpuid_at(0xffffffff, 1);
	cpuid_at(0xfffffffd, 0xffffffff);
	/* 16-bit code that runs past 64 KiB meets its limit there. */
	vmx_machine_real();
	cpuid_at(0xfffe, 0x10000);
	vmx_machine_64bit();
	cpuid_at(0xfffffffe, 0x100000000);
	cpuid_at(0x1fffffffe, 0x200000000);
	cpuid_at(0x00007ffffffffffe, 0x0000800000000000);
	cpuid_at(0xfffffffffffffffe, 0);
	/* Compatibility mode. */
	set(VMCS_GUEST_CS_ACCESS_RIGHTS, SEGMENT_CODE32);
	cpuid_at(0xfffffffe, 0);
}

/* SDM "Interruptibility State": blocking by STI and by MOV SS is for one instruction. */
static void shadows_end_with_the_instruction(void **state)
{
	static const uint32_t shadows[] = {INTERRUPTIBILITY_STI, INTERRUPTIBILITY_MOV_SS};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		set(VMCS_GUEST_INTERRUPTIBILITY, shadows[i] | INTERRUPTIBILITY_NMI);
		assert_true(vmx_machine_exit_with(VMX_EXIT_CPUID, 0));
		assert_int_equal(get(VMCS_GUEST_INTERRUPTIBILITY), INTERRUPTIBILITY_NMI);
		/* What did not complete ends nothing. */
		set(VMCS_GUEST_INTERRUPTIBILITY, shadows[i]);
		assert_true(vmx_machine_exit_with(VMX_EXIT_PREEMPTION_TIMER, 0));
		assert_int_equal(get(VMCS_GUEST_INTERRUPTIBILITY), shadows[i]);
	}
}

/* SDM "Pending Debug Exceptions": a single step is due after the instruction. */
static void single_steps(void **state)
{
	(void)state;
	set(VMCS_GUEST_RFLAGS, RFLAGS_ONE | RFLAGS_TF);
	set(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, 0x1001);
	assert_true(vmx_machine_exit_with(VMX_EXIT_CPUID, 0));
	assert_int_equal(get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS), 0x5001);
	/* With BTF only branches step. */
	set(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, 0);
	set(VMCS_GUEST_DEBUGCTL, DEBUGCTL_BTF);
	assert_true(vmx_machine_exit_with(VMX_EXIT_CPUID, 0));
	assert_int_equal(get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS), 0);
	/* An instruction that faults has not been stepped over. */
	set(VMCS_GUEST_DEBUGCTL, 0);
	assert_true(vmx_machine_exit_with(VMX_EXIT_GETSEC, 0));
	assert_int_equal(get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS), 0);
}

static void a_fault_sets_rf(void **state)
{
	(void)state;
	assert_true(vmx_machine_exit_with(VMX_EXIT_RDPMC, 0));
	assert_int_equal(get(VMCS_GUEST_RFLAGS), RFLAGS_ONE | RFLAGS_RF);
	assert_int_equal(vmx_machine_injected(), INJECTED_GP);
	assert_int_equal(get(VMCS_ENTRY_EXCEPTION_ERROR_CODE), 0);
}

/* --- Instructions. --- */

static void hypercalls_are_for_cpl_0(void **state)
{
	(void)state;
	for (unsigned cpl = 0; cpl < 4; cpl++) {
		vcpu->regs.rax = PLINTH_VERSION;
		vmx_machine_set_cpl(cpl);
		assert_true(vmx_machine_exit_with(VMX_EXIT_VMCALL, 0));
		assert_int_equal(vmx_machine_injected(), cpl ? INJECTED_UD : 0);
		assert_int_equal(vcpu->regs.rax, cpl ? PLINTH_VERSION : PLINTH_ABI_VERSION);
	}
}

static void halts(void **state)
{
	(void)state;
	/* sti; hlt with an interrupt that waits: it goes in behind the HLT. */
	set(VMCS_GUEST_RFLAGS, RFLAGS_ONE | RFLAGS_IF);
	set(VMCS_GUEST_INTERRUPTIBILITY, INTERRUPTIBILITY_STI);
	events_raise_interrupt(&vcpu->events, 0x41);
	assert_true(vmx_machine_exit_with(VMX_EXIT_HLT, 0));
	expect_running(RIP + 2);
	assert_int_equal(vmx_machine_injected(), 0x80000041);
	assert_false(vmx_machine_exit_with(VMX_EXIT_HLT, 0));
	assert_int_equal(vmx_machine_vm.end, VM_ENDED_HALT);
}

/* A #DB that MOV SS has put off, and that of a single step, come behind HLT at once. With BTF a
 * step over HLT is none. */
static void traps_end_hlt(void **state)
{
	set(VMCS_GUEST_INTERRUPTIBILITY, INTERRUPTIBILITY_MOV_SS);
	set(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, DEBUG_ENABLED | DR6_B0);
	assert_true(vmx_machine_exit_with(VMX_EXIT_HLT, 0));
	expect_running(RIP + 2);
	assert_int_equal(get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS), DEBUG_ENABLED | DR6_B0);
	setup(state);
	set(VMCS_GUEST_RFLAGS, RFLAGS_ONE | RFLAGS_TF);
	assert_true(vmx_machine_exit_with(VMX_EXIT_HLT, 0));
	expect_running(RIP + 2);
	assert_int_equal(get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS), DEBUG_BS);
	setup(state);
	set(VMCS_GUEST_RFLAGS, RFLAGS_ONE | RFLAGS_TF);
	set(VMCS_GUEST_DEBUGCTL, DEBUGCTL_BTF);
	assert_false(vmx_machine_exit_with(VMX_EXIT_HLT, 0));
	assert_int_equal(vmx_machine_vm.end, VM_ENDED_HALT);
}

static void ends(void **state)
{
	(void)state;
	assert_false(vmx_machine_exit_with(VMX_EXIT_TRIPLE_FAULT, 0));
	assert_int_equal(vmx_machine_vm.end, VM_ENDED_TRIPLE_FAULT);
	setup(state);
	assert_false(vmx_machine_exit_with(VMX_EXIT_TASK_SWITCH, 0x80000028));
	expect_stop(
		"a task switch to selector 28 by JMP: hardware task switching is not supported");
	setup(state);
	assert_true(vmx_machine_exit_with(VMX_EXIT_INSTRUCTION_TIMEOUT, 0));
	assert_false(vmx_machine_exit_with(VMX_EXIT_INSTRUCTION_TIMEOUT, 1));
	expect_stop("its state is lost");
	setup(state);
	vcpu->regs.rax = PLINTH_EXIT;
	vcpu->regs.rbx = 5;
	assert_false(vmx_machine_exit_with(VMX_EXIT_VMCALL, 0));
	assert_int_equal(vmx_machine_vm.end_code, 5);
}

static void the_heartbeat(void **state)
{
	(void)state;
	vcpu->deadline = 5000;
	fake_machine.tsc = 4999;
	assert_true(vmx_machine_exit_with(VMX_EXIT_CPUID, 0));
	assert_int_equal(vcpu->deadline, 5000);
	fake_machine.tsc = 5000;
	assert_true(vmx_machine_exit_with(VMX_EXIT_CPUID, 0));
	assert_int_equal(vcpu->deadline, 5000 + 1000000);
	fake_machine.tsc = 2000000;
	vmx_machine_end_requested = true;
	assert_false(vmx_machine_exit_with(VMX_EXIT_PREEMPTION_TIMER, 0));
	assert_int_equal(vmx_machine_vm.end, VM_ENDED_USER);
}

/* --- Entries that fail. --- */

static void refused_entries(void **state)
{
	(void)state;
	set(VMCS_INSTRUCTION_ERROR, 7);
	vmx_entry_instruction_failed(vcpu, false, true);
	expect_stop("VM entry failed, VMfailValid: error 7, ");
	assert_true(fake_log_contains("the VMCS, without fields that are 0:"));
	setup(state);
	vmx_entry_instruction_failed(vcpu, true, false);
	expect_stop("VM entry failed, VMfailInvalid: there is no current VMCS");
	setup(state);
	fake_vmx.next_status = VMX_FAIL_INVALID;
	backend_run(vcpu);
	expect_stop("VMPTRLD failed");
}

static unsigned entries;

static void count_entry(struct vcpu *entered)
{
	assert_ptr_equal(entered, vcpu);
	entries++;
}

static void a_run_begins(void **state)
{
	(void)state;
	vmx_machine_guest = count_entry;
	entries = 0;
	vcpu->requests = REQUEST_FLUSH_EPT | REQUEST_FLUSH_LINEAR;
	backend_run(vcpu);
	assert_int_equal(entries, 1);
	assert_int_equal(fake_vmx.invept_count, 1);
	assert_int_equal(fake_vmx.invvpid_count, 1);
	/* A VM that has ended already is not entered. */
	vm_stop(&vmx_machine_vm, VM_ENDED_USER, 0, "before it began");
	backend_run(vcpu);
	assert_int_equal(entries, 1);
}

/* What side channels need is done for a VM that begins and after a beat, not at each exit. */
static void against_side_channels(void **state)
{
	(void)state;
	fake_msr_set(IA32_SPEC_CTRL, 0);
	fake_msr_set(IA32_PRED_CMD, 0);
	fake_msr_set(IA32_FLUSH_CMD, 0);
	side_channels_start();
	fake_machine.verw_count = 0;
	fake_msr_set(IA32_PRED_CMD, 0);
	fake_msr_set(IA32_FLUSH_CMD, 0);
	assert_true(vmx_machine_exit_with(VMX_EXIT_CPUID, 0));
	assert_int_equal(rdmsr(IA32_PRED_CMD) | rdmsr(IA32_FLUSH_CMD), 0);
	vcpu->deadline = 0;
	assert_true(vmx_machine_exit_with(VMX_EXIT_CPUID, 0));
	assert_int_equal(rdmsr(IA32_FLUSH_CMD), FLUSH_CMD_L1D_FLUSH);
	assert_int_equal(rdmsr(IA32_PRED_CMD), 0);
	backend_run(vcpu);
	assert_int_equal(rdmsr(IA32_PRED_CMD), PRED_CMD_IBPB);
	assert_int_equal(fake_machine.verw_count, 1);

	/* Its VERW before entries is in the exit stub of VMs that are made from now on. */
	vmx_machine_setup();
	assert_int_equal(fake_vmcs_get(VMCS_HOST_RIP), (uint64_t)vmx_exit_entry_clearing);
	fake_machine.cpuid = NULL;
	side_channels_start();
	vmx_machine_setup();
	assert_int_equal(fake_vmcs_get(VMCS_HOST_RIP), (uint64_t)vmx_exit_entry);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(every_reason),
		TEST(flags_of_the_reason),
		TEST(the_cost_of_exits),
		TEST(costs_are_counted),
		TEST(records_of_exits),
		TEST(the_length_is_the_exits),
		TEST(rip_has_32_bits_outside_64_bit_code),
		TEST(shadows_end_with_the_instruction),
		TEST(single_steps),
		TEST(a_fault_sets_rf),
		TEST(hypercalls_are_for_cpl_0),
		TEST(halts),
		TEST(traps_end_hlt),
		TEST(ends),
		TEST(the_heartbeat),
		TEST(refused_entries),
		TEST(a_run_begins),
		TEST(against_side_channels),
	};

	return cmocka_run_group_tests_name("vmx_exits", tests, NULL, NULL);
}
