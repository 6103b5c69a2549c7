/* SPDX-License-Identifier: BSD-2-Clause */
/* Events on a VMCS: injection, windows, what an exit interrupted, what is given back; INVEPT. */
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
#include "tests/fake/panic.h"
#include "tests/fake/vmx_machine.h"

#define get fake_vmcs_get
#define set fake_vmcs_set

#define RIP       0x8000
#define VALID     0x80000000u
#define ERROR     0x800u
#define UNBLOCKED 0x1000u /* NMI unblocking due to IRET */

/* Types in interruption information. */
#define EXTERNAL (0u << 8)
#define NMI      (2u << 8)
#define HARDWARE (3u << 8)
#define SOFTWARE (4u << 8)
#define INT1     (5u << 8)
#define INT3     (6u << 8)

#define WINDOWS (PRIMARY_INTERRUPT_WINDOW_EXITING | PRIMARY_NMI_WINDOW_EXITING)

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

/* An exit that asks for nothing by itself. */
static void some_exit(void)
{
	assert_true(vmx_machine_exit_with(VMX_EXIT_PREEMPTION_TIMER, 0));
}

static uint32_t windows(void)
{
	return (uint32_t)get(VMCS_PRIMARY_CONTROLS) & WINDOWS;
}

static void expect_injected(uint32_t info)
{
	uint32_t got = vmx_machine_injected();

	if (got != info)
		fail_msg("%x was injected, not %x", got, info);
}

/* --- What goes in, and when. --- */

static void interrupts_wait_for_their_window(void **state)
{
	static const struct {
		uint64_t rflags, interruptibility;
	} closed[] = {
		{RFLAGS_ONE,             0                      },
		{RFLAGS_ONE | RFLAGS_IF, INTERRUPTIBILITY_STI   },
		{RFLAGS_ONE | RFLAGS_IF, INTERRUPTIBILITY_MOV_SS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(closed) / sizeof(closed[0]); i++) {
		events_raise_interrupt(&vcpu->events, 0x51);
		set(VMCS_GUEST_RFLAGS, closed[i].rflags);
		set(VMCS_GUEST_INTERRUPTIBILITY, closed[i].interruptibility);
		some_exit();
		expect_injected(0);
		assert_int_equal(windows(), PRIMARY_INTERRUPT_WINDOW_EXITING);
		/* The guest opens it. */
		set(VMCS_GUEST_RFLAGS, RFLAGS_ONE | RFLAGS_IF);
		set(VMCS_GUEST_INTERRUPTIBILITY, 0);
		assert_true(vmx_machine_exit_with(VMX_EXIT_INTERRUPT_WINDOW, 0));
		expect_injected(VALID | EXTERNAL | 0x51);
		assert_int_equal(windows(), 0);
		some_exit();
		expect_injected(0);
	}
}

/* A blocked NMI waits for its own window, and interrupts do not wait with it. */
static void nmis_wait_for_theirs(void **state)
{
	(void)state;
	events_raise_nmi(&vcpu->events);
	events_raise_interrupt(&vcpu->events, 0x52);
	set(VMCS_GUEST_RFLAGS, RFLAGS_ONE | RFLAGS_IF);
	set(VMCS_GUEST_INTERRUPTIBILITY, INTERRUPTIBILITY_NMI);
	some_exit();
	expect_injected(VALID | EXTERNAL | 0x52);
	assert_int_equal(windows(), PRIMARY_NMI_WINDOW_EXITING);
	set(VMCS_GUEST_INTERRUPTIBILITY, 0);
	assert_true(vmx_machine_exit_with(VMX_EXIT_NMI_WINDOW, 0));
	expect_injected(VALID | NMI | 2);
	assert_int_equal(windows(), 0);
	/* Blocking by STI and MOV SS holds NMIs too: some processors refuse the entry. */
	for (unsigned i = 0; i < 2; i++) {
		events_raise_nmi(&vcpu->events);
		set(VMCS_GUEST_INTERRUPTIBILITY,
		    i ? INTERRUPTIBILITY_STI : INTERRUPTIBILITY_MOV_SS);
		some_exit();
		expect_injected(0);
		assert_int_equal(windows(), PRIMARY_NMI_WINDOW_EXITING);
		set(VMCS_GUEST_INTERRUPTIBILITY, 0);
		some_exit();
		expect_injected(VALID | NMI | 2);
	}
}

/* SDM "Priority Among Concurrent Events": traps on the previous instruction come before them. */
static void a_trap_comes_before_interrupts(void **state)
{
	static const uint64_t pending[] = {DEBUG_BS, DEBUG_ENABLED | 1};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		set(VMCS_GUEST_RFLAGS, RFLAGS_ONE | RFLAGS_IF);
		set(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, pending[i]);
		events_raise_interrupt(&vcpu->events, 0x40);
		events_raise_nmi(&vcpu->events);
		some_exit();
		expect_injected(0);
		assert_int_equal(windows(), WINDOWS);
		/* The processor has delivered it. */
		set(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, 0);
		some_exit();
		expect_injected(VALID | NMI | 2);
		some_exit();
		expect_injected(VALID | EXTERNAL | 0x40);
	}
}

/* Two interrupts and an NMI: one an entry, with a window for each that waits. */
static void every_event_gets_its_window(void **state)
{
	(void)state;
	events_raise_interrupt(&vcpu->events, 0x40);
	events_raise_interrupt(&vcpu->events, 0x60);
	events_raise_nmi(&vcpu->events);
	set(VMCS_GUEST_RFLAGS, RFLAGS_ONE | RFLAGS_IF);
	some_exit();
	expect_injected(VALID | NMI | 2);
	assert_int_equal(windows(), PRIMARY_INTERRUPT_WINDOW_EXITING);
	some_exit();
	expect_injected(VALID | EXTERNAL | 0x60);
	assert_int_equal(windows(), PRIMARY_INTERRUPT_WINDOW_EXITING);
	some_exit();
	expect_injected(VALID | EXTERNAL | 0x40);
	assert_int_equal(windows(), 0);
}

/* A window that is open already costs no VMWRITE. */
static void windows_are_written_when_they_change(void **state)
{
	(void)state;
	events_raise_interrupt(&vcpu->events, 0x40);
	some_exit();
	assert_int_equal(fake_vmx.writes, 1);
	some_exit();
	assert_int_equal(fake_vmx.writes, 0);
}

/* A fault goes in before an interrupt that waits; that one has its window then. */
static void a_fault_comes_first(void **state)
{
	(void)state;
	set(VMCS_GUEST_RFLAGS, RFLAGS_ONE | RFLAGS_IF);
	events_raise_interrupt(&vcpu->events, 0x40);
	assert_true(vmx_machine_exit_with(VMX_EXIT_GETSEC, 0));
	expect_injected(INJECTED_UD);
	assert_int_equal(windows(), PRIMARY_INTERRUPT_WINDOW_EXITING);
}

static void a_fault_goes_in_once(void **state)
{
	(void)state;
	assert_true(vmx_machine_exit_with(VMX_EXIT_GETSEC, 0));
	expect_injected(INJECTED_UD);
	some_exit();
	expect_injected(0);
}

/* SDM "Real-Address Mode Exceptions": an entry with an error code would fail there. */
static void no_error_codes_in_real_mode(void **state)
{
	(void)state;
	vmx_machine_real();
	assert_true(vmx_machine_exit_with(VMX_EXIT_RDPMC, 0));
	expect_injected(VALID | HARDWARE | 13);
}

/* With TF set an entry wants a single step to be pending as long as STI or MOV SS blocks; a
 * delivery ends the blocking. SDM "Checks on Guest Non-Register State". */
static void a_delivery_ends_the_shadow(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		set(VMCS_GUEST_RFLAGS, RFLAGS_ONE | RFLAGS_TF);
		set(VMCS_GUEST_INTERRUPTIBILITY,
		    INTERRUPTIBILITY_NMI | (i ? INTERRUPTIBILITY_STI : INTERRUPTIBILITY_MOV_SS));
		assert_true(vmx_machine_exit_with(VMX_EXIT_GETSEC, 0));
		expect_injected(INJECTED_UD);
		assert_int_equal(get(VMCS_GUEST_INTERRUPTIBILITY), INTERRUPTIBILITY_NMI);
	}
	/* The same for #DB that comes back, after a single step over STI. */
	set(VMCS_GUEST_INTERRUPTIBILITY, INTERRUPTIBILITY_STI);
	set(VMCS_EXIT_INTERRUPTION_INFO, VALID | HARDWARE | 1);
	assert_true(vmx_machine_exit_with(VMX_EXIT_EXCEPTION_OR_NMI, DEBUG_BS));
	expect_injected(VALID | HARDWARE | 1);
	assert_int_equal(get(VMCS_GUEST_INTERRUPTIBILITY), 0);
}

/* --- What an exit interrupted. --- */

static void an_interrupted_delivery_is_repeated(void **state)
{
	static const uint32_t infos[] = {
		EXTERNAL | 0x33, NMI | 2,  HARDWARE | 6, HARDWARE | ERROR | 14, SOFTWARE | 0x80,
		INT1 | 1,        INT3 | 3, INT3 | 4,     HARDWARE | ERROR | 8,
	};
	static const uint32_t reasons[] = {VMX_EXIT_EXTERNAL_INTERRUPT, VMX_EXIT_BUS_LOCK,
					   VMX_EXIT_INSTRUCTION_TIMEOUT};

	(void)state;
	for (size_t i = 0; i < sizeof(infos) / sizeof(infos[0]); i++)
		for (size_t j = 0; j < sizeof(reasons) / sizeof(reasons[0]); j++) {
			set(VMCS_IDT_VECTORING_INFO, VALID | infos[i]);
			set(VMCS_IDT_VECTORING_ERROR_CODE, 0x1234);
			set(VMCS_ENTRY_EXCEPTION_ERROR_CODE, 0);
			set(VMCS_ENTRY_INSTRUCTION_LENGTH, 0);
			assert_true(vmx_machine_exit_with(reasons[j], 0));
			expect_injected(VALID | infos[i]);
			assert_int_equal(get(VMCS_ENTRY_EXCEPTION_ERROR_CODE),
					 infos[i] & ERROR ? 0x1234 : 0);
			assert_int_equal(get(VMCS_ENTRY_INSTRUCTION_LENGTH),
					 (infos[i] & 0x700) >= SOFTWARE ? 2 : 0);
			assert_int_equal(get(VMCS_GUEST_RIP), RIP);
		}
}

/* An NMI that was on its way blocks no more: its injection would fail. */
static void an_interrupted_nmi(void **state)
{
	(void)state;
	set(VMCS_IDT_VECTORING_INFO, VALID | NMI | 2);
	set(VMCS_GUEST_INTERRUPTIBILITY, INTERRUPTIBILITY_NMI);
	assert_true(vmx_machine_exit_with(VMX_EXIT_EXTERNAL_INTERRUPT, 0));
	expect_injected(VALID | NMI | 2);
	assert_int_equal(get(VMCS_GUEST_INTERRUPTIBILITY), 0);
}

/* It is lost to a fault in its delivery, and blocks all the same; a trap lets it come again. */
static void an_nmi_whose_delivery_meets_an_exception(void **state)
{
	(void)state;
	set(VMCS_IDT_VECTORING_INFO, VALID | NMI | 2);
	set(VMCS_GUEST_INTERRUPTIBILITY, INTERRUPTIBILITY_NMI);
	set(VMCS_EXIT_INTERRUPTION_INFO, VALID | HARDWARE | ERROR | 11);
	assert_true(vmx_machine_exit_with(VMX_EXIT_EXCEPTION_OR_NMI, 0));
	expect_injected(VALID | HARDWARE | ERROR | 11);
	assert_int_equal(get(VMCS_GUEST_INTERRUPTIBILITY), INTERRUPTIBILITY_NMI);
	assert_int_equal(windows(), 0);
	set(VMCS_EXIT_INTERRUPTION_INFO, VALID | HARDWARE | 1);
	assert_true(vmx_machine_exit_with(VMX_EXIT_EXCEPTION_OR_NMI, 1));
	expect_injected(VALID | HARDWARE | 1);
	assert_int_equal(get(VMCS_GUEST_INTERRUPTIBILITY), 0);
	assert_int_equal(windows(), PRIMARY_NMI_WINDOW_EXITING);
}

/* --- The host's own. --- */

static void interrupts_of_the_host(void **state)
{
	(void)state;
	set(VMCS_EXIT_INTERRUPTION_INFO, VALID | EXTERNAL | 0x77);
	assert_true(vmx_machine_exit_with(VMX_EXIT_EXTERNAL_INTERRUPT, 0));
	assert_int_equal(vmx_machine_interrupts[0x77], 1);
	expect_injected(0);
	set(VMCS_EXIT_INTERRUPTION_INFO, VALID | NMI | 2);
	assert_true(vmx_machine_exit_with(VMX_EXIT_EXCEPTION_OR_NMI, 0));
	assert_int_equal(fake_machine.nmi_count, 1);
	expect_injected(0);
	assert_int_equal(get(VMCS_GUEST_INTERRUPTIBILITY), 0);
	set(VMCS_EXIT_INTERRUPTION_INFO, VALID | HARDWARE | 18);
	set(VMCS_IDT_VECTORING_INFO, VALID | EXTERNAL | 0x44);
	assert_true(vmx_machine_exit_with(VMX_EXIT_EXCEPTION_OR_NMI, 0));
	assert_int_equal(fake_machine.machine_check_count, 1);
	/* The guest's interrupt, which it had on its way, is not lost to it. */
	expect_injected(VALID | EXTERNAL | 0x44);
}

/* --- What is given back. --- */

static void alignment_checks(void **state)
{
	(void)state;
	set(VMCS_EXIT_INTERRUPTION_INFO, VALID | HARDWARE | ERROR | 17);
	set(VMCS_EXIT_INTERRUPTION_ERROR_CODE, 0);
	set(VMCS_GUEST_RFLAGS, RFLAGS_ONE | RFLAGS_RF); /* as the processor saves them */
	assert_true(vmx_machine_exit_with(VMX_EXIT_EXCEPTION_OR_NMI, 0));
	expect_injected(VALID | HARDWARE | ERROR | 17);
	assert_int_equal(get(VMCS_GUEST_RFLAGS), RFLAGS_ONE | RFLAGS_RF);
	assert_int_equal(get(VMCS_GUEST_RIP), RIP);
	assert_int_equal(vmx_machine_vm.end, VM_RUNNING);
	/* Bochs does not save RF so; it is set all the same. */
	set(VMCS_GUEST_RFLAGS, RFLAGS_ONE);
	assert_true(vmx_machine_exit_with(VMX_EXIT_EXCEPTION_OR_NMI, 0));
	assert_int_equal(get(VMCS_GUEST_RFLAGS), RFLAGS_ONE | RFLAGS_RF);
}

/* CVE-2015-5307 and CVE-2015-8104: the delivery of either meets another without end. Each turn is
 * an exit, so that the heartbeat ends it. */
static void endless_exceptions(void **state)
{
	(void)state;
	set(VMCS_EXIT_INTERRUPTION_INFO, VALID | HARDWARE | ERROR | 17);
	set(VMCS_IDT_VECTORING_INFO, VALID | HARDWARE | ERROR | 17);
	for (unsigned i = 0; i < 1000; i++) {
		assert_true(vmx_machine_exit_with(VMX_EXIT_EXCEPTION_OR_NMI, 0));
		expect_injected(VALID | HARDWARE | ERROR | 17);
	}
	vcpu->deadline = 0;
	vmx_machine_end_requested = true;
	assert_false(vmx_machine_exit_with(VMX_EXIT_EXCEPTION_OR_NMI, 0));
	assert_int_equal(vmx_machine_vm.end, VM_ENDED_USER);
}

/* SDM "Debug Exceptions (#DB)": what its delivery does to DR6, DR7 and IA32_DEBUGCTL. */
static void debug_exceptions(void **state)
{
	static const struct {
		uint64_t before, qualification, after;
	} rows[] = {
		{0xffff0ff0, DEBUG_BS,      0xffff4ff0},
                {0xffff0ff0, DEBUG_BD,      0xffff2ff0},
		{0xffff4ff1, 2,             0xffff4ff2}, /* B0 goes, BS stays */
		{0xffff0ff0, 0xf,           0xffff0fff},
                {0xffff0ff0, DEBUG_RTM | 1, 0xfffe0ff1},
		{0xffff0ff3, 0,             0xffff0ff0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fake_machine.dr6 = rows[i].before;
		set(VMCS_GUEST_DR7, 0x2401);
		set(VMCS_GUEST_DEBUGCTL, DEBUGCTL_BTF);
		set(VMCS_EXIT_INTERRUPTION_INFO, VALID | HARDWARE | 1);
		assert_true(
			vmx_machine_exit_with(VMX_EXIT_EXCEPTION_OR_NMI, rows[i].qualification));
		expect_injected(VALID | HARDWARE | 1);
		assert_int_equal(fake_machine.dr6, rows[i].after);
		assert_int_equal(get(VMCS_GUEST_DR7), 0x401);
		assert_int_equal(get(VMCS_GUEST_DEBUGCTL), 0);
	}
}

/* INT1 is a trap of its instruction: delivered with its length, from behind it. */
static void int1(void **state)
{
	(void)state;
	set(VMCS_EXIT_INTERRUPTION_INFO, VALID | INT1 | 1);
	set(VMCS_EXIT_INSTRUCTION_LENGTH, 1);
	set(VMCS_EXIT_QUALIFICATION, 0);
	assert_true(vmx_machine_exit(VMX_EXIT_EXCEPTION_OR_NMI));
	expect_injected(VALID | INT1 | 1);
	assert_int_equal(get(VMCS_ENTRY_INSTRUCTION_LENGTH), 1);
}

/* The IRET had ended the blocking of NMIs when it faulted, and the fault's handler runs without. */
static void an_iret_that_faults(void **state)
{
	(void)state;
	events_raise_nmi(&vcpu->events);
	set(VMCS_EXIT_INTERRUPTION_INFO, VALID | HARDWARE | ERROR | UNBLOCKED | 17);
	assert_true(vmx_machine_exit_with(VMX_EXIT_EXCEPTION_OR_NMI, 0));
	assert_int_equal(get(VMCS_GUEST_INTERRUPTIBILITY), 0);
	expect_injected(VALID | HARDWARE | ERROR | 17);
	assert_int_equal(windows(), PRIMARY_NMI_WINDOW_EXITING);
	/* The host's NMI gives nothing to the guest: the IRET is executed again. */
	set(VMCS_EXIT_INTERRUPTION_INFO, VALID | NMI | UNBLOCKED | 2);
	assert_true(vmx_machine_exit_with(VMX_EXIT_EXCEPTION_OR_NMI, 0));
	assert_int_equal(get(VMCS_GUEST_INTERRUPTIBILITY), INTERRUPTIBILITY_NMI);
}

/* An exception in the delivery of an interrupt: the interrupt comes again behind it. */
static void an_exception_in_a_delivery(void **state)
{
	(void)state;
	set(VMCS_GUEST_RFLAGS, RFLAGS_ONE | RFLAGS_IF);
	set(VMCS_IDT_VECTORING_INFO, VALID | EXTERNAL | 0x61);
	set(VMCS_EXIT_INTERRUPTION_INFO, VALID | HARDWARE | 1);
	assert_true(vmx_machine_exit_with(VMX_EXIT_EXCEPTION_OR_NMI, 1));
	expect_injected(VALID | HARDWARE | 1);
	assert_int_equal(windows(), PRIMARY_INTERRUPT_WINDOW_EXITING);
	set(VMCS_IDT_VECTORING_INFO, 0);
	some_exit();
	expect_injected(VALID | EXTERNAL | 0x61);
}

/* --- INVEPT and INVVPID. --- */

static void a_right_that_goes_leads_to_invept(void **state)
{
	struct ept *ept = ept_of(vcpu);

	(void)state;
	some_exit();
	assert_int_equal(fake_vmx.invept_count, 0);
	assert_null(ept_protect(ept, GPA(0x1000), PAGE_SIZE, EPT_READ));
	some_exit();
	assert_int_equal(fake_vmx.invept_count, 1);
	assert_int_equal(fake_vmx.invept_kind, INVEPT_SINGLE_CONTEXT);
	assert_int_equal(fake_vmx.invept_descriptor.eptp, get(VMCS_EPT_POINTER));
	assert_int_equal(fake_vmx.invept_descriptor.reserved, 0);
	some_exit();
	assert_int_equal(fake_vmx.invept_count, 1);
	/* Rights that come need none. */
	assert_null(ept_protect(ept, GPA(0x1000), PAGE_SIZE, EPT_ALL));
	some_exit();
	assert_int_equal(fake_vmx.invept_count, 1);
	assert_null(ept_unmap(ept, GPA(0x5000), PAGE_SIZE));
	assert_null(ept_unmap(ept, GPA(0x7000), PAGE_SIZE));
	some_exit();
	assert_int_equal(fake_vmx.invept_count, 2);
	assert_int_equal(fake_vmx.invvpid_count, 0);
}

static void kinds_that_the_processor_has(void **state)
{
	(void)state;
	vmx_machine_capabilities.ept_vpid.invept_single = false;
	vmx_machine_capabilities.ept_vpid.invvpid_single = false;
	vcpu->requests = REQUEST_FLUSH_EPT | REQUEST_FLUSH_LINEAR;
	some_exit();
	assert_int_equal(fake_vmx.invept_kind, INVEPT_ALL_CONTEXTS);
	assert_int_equal(fake_vmx.invvpid_kind, INVVPID_ALL_CONTEXTS);
	vmx_machine_capabilities.ept_vpid.invvpid_single = true;
	backend_flush_guest_tlb(vcpu);
	some_exit();
	assert_int_equal(fake_vmx.invvpid_kind, INVVPID_SINGLE_CONTEXT);
	assert_int_equal(fake_vmx.invvpid_descriptor.vpid, get(VMCS_VPID));
	assert_int_equal(fake_vmx.invvpid_count, 2);
	/* Without VPIDs each entry and exit flushes. */
	vmx_machine_controls.secondary &= ~(uint32_t)SECONDARY_VPID;
	backend_flush_guest_tlb(vcpu);
	some_exit();
	assert_int_equal(fake_vmx.invvpid_count, 2);
	assert_int_equal(vcpu->requests, 0);
}

/* Going on with stale translations would let a guest out. */
static void a_flush_that_fails_is_the_hosts_end(void **state)
{
	(void)state;
	vcpu->requests = REQUEST_FLUSH_EPT;
	set(VMCS_EXIT_REASON, VMX_EXIT_PREEMPTION_TIMER);
	fake_vmx.fail_invalidations = true;
	assert_true(PANICS(vmx_handle_exit(vcpu, 0)));
	assert_non_null(strstr(fake_panic_text, "INVEPT or INVVPID failed"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(interrupts_wait_for_their_window),
		TEST(nmis_wait_for_theirs),
		TEST(every_event_gets_its_window),
		TEST(windows_are_written_when_they_change),
		TEST(a_fault_comes_first),
		TEST(a_fault_goes_in_once),
		TEST(no_error_codes_in_real_mode),
		TEST(a_delivery_ends_the_shadow),
		TEST(an_interrupted_delivery_is_repeated),
		TEST(a_trap_comes_before_interrupts),
		TEST(an_interrupted_nmi),
		TEST(an_nmi_whose_delivery_meets_an_exception),
		TEST(interrupts_of_the_host),
		TEST(alignment_checks),
		TEST(endless_exceptions),
		TEST(debug_exceptions),
		TEST(int1),
		TEST(an_iret_that_faults),
		TEST(an_exception_in_a_delivery),
		TEST(a_right_that_goes_leads_to_invept),
		TEST(kinds_that_the_processor_has),
		TEST(a_flush_that_fails_is_the_hosts_end),
	};

	return cmocka_run_group_tests_name("vmx_events", tests, NULL, NULL);
}
