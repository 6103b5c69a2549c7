/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of a vCPU: making, running, faults, HLT, heartbeat, records; and the live state's reset.
 */
/* UNITS: vcpu/vcpu.c vcpu/live_state.c vcpu/control.c vcpu/msr.c vcpu/cpuid.c vcpu/events.c */
/* UNITS: vcpu/vm_memory.c vcpu/bus.c trace/counters.c arch/x86_64/cpuid.c arch/x86_64/vmx.c */
/* UNITS: trace/ring.c kernel/format.c */
/* UNITS: arch/x86_64/exceptions.c tests/fake/backend.c tests/fake/host_cpuid.c tests/fake/cpus.c */
/* UNITS: tests/fake/physical.c tests/fake/direct_map.c tests/fake/guest_memory.c */
/* UNITS: kernel/string.c tests/fake/log.c tests/fake/error.c */
/* UNITS: vcpu/mtrr.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include "arch/x86_64/msr.h"
#include "arch/x86_64/vmx.h"
#include "kernel/beat.h"
#include "kernel/console.h"
#include "kernel/ipi.h"
#include "kernel/time.h"
#include "tests/fake/backend.h"
#include "tests/fake/cpus.h"
#include "tests/fake/host_cpuid.h"
#include "tests/fake/log.h"
#include "tests/fake/physical.h"
#include "trace/render.h"
#include "trace/trace.h"
#include "vcpu/live_state.h"
#include "vcpu/msr.h"

/* --- What stands around. --- */

static uint64_t beat_at;
static const struct cpu *kicked;
static bool end_requested;
static unsigned headings, lines;
static uint64_t line_number;

void beat(uint64_t now)
{
	beat_at = now;
}

void ipi_kick(const struct cpu *cpu)
{
	kicked = cpu;
}

bool console_end_requested(void)
{
	return end_requested;
}

uint64_t time_now(void)
{
	return fake_machine.tsc;
}

uint64_t time_ticks_from_us(uint64_t us)
{
	return us * 1000;
}

uint64_t time_us_from_ticks(uint64_t ticks)
{
	return ticks / 1000;
}

void render_heading(const char *vm_name)
{
	(void)vm_name;
	headings++;
}

void render_line(const char *vm_name, uint64_t number, const struct exit_record *record,
		 uint64_t first_tsc)
{
	(void)vm_name;
	(void)record;
	(void)first_tsc;
	lines++;
	line_number = number;
	fake_machine.tsc += 5000; /* a slow console */
}

static struct exit_ring *ring; /* of the pCPU; NULL: nothing is recorded */
static bool is_streaming;
static unsigned stream_polls;

struct exit_ring *trace_ring(unsigned cpu)
{
	return cpu == 0 ? ring : NULL;
}

void trace_poll(void)
{
	stream_polls++;
}

bool trace_is_waiting(void)
{
	return is_streaming;
}

/* A ring of so many records; all reasons are traced in the same way. */
static const uint8_t *trace_as(uint8_t how, uint32_t records)
{
	static uint8_t traced[EXIT_REASONS];
	static const struct ring_info info = {.tsc_hz = 1000000000, .command_line = "test"};

	memset(traced, how, sizeof(traced));
	if (records)
		assert_null(ring_create(0, records, &info, &ring));
	return traced;
}

static int setup(void **state)
{
	(void)state;
	fake_machine_reset();
	host_cpuid_reset();
	fake_physical_reset();
	fake_log_reset();
	fake_cpus_start(1);
	fake_vcpu_reset(FAKE_CODE64);
	beat_at = 0;
	end_requested = false;
	headings = lines = 0;
	ring = NULL;
	is_streaming = false;
	stream_polls = 0;
	msr_init();
	for (unsigned i = 0; i < 16; i++)
		fake_msr_set(0xc0000080 + i, ~0ull);
	fake_msr_set(IA32_KERNEL_GS_BASE, ~0ull);
	fake_msr_set(IA32_TSC_AUX, 5);
	fake_msr_set(IA32_XSS, 5);
	fake_msr_set(IA32_UMWAIT_CONTROL, 5);
	return 0;
}

/* --- Making and unmaking. --- */

static const struct vcpu_state start = {.rip = 0x1234, .regs.rbx = 0x5678};

static struct vcpu *make(const struct vcpu_options *options)
{
	fake_vcpu_vm.vcpu = NULL;
	assert_null(vcpu_create(&fake_vcpu_vm, options, &start));
	assert_non_null(fake_vcpu_vm.vcpu);
	return fake_vcpu_vm.vcpu;
}

static void a_vcpu_is_made_and_unmade(void **state)
{
	const struct vcpu_options options = {.traced = trace_as(TRACE_RECORD, 0)};
	struct vcpu *vcpu;

	(void)state;
	fake_vcpu_vm.id = 9;
	vcpu = make(&options);
	assert_int_equal(vcpu->traced[EXIT_REASONS - 1], TRACE_RECORD);
	assert_int_equal(vcpu->vm_number, 9);
	assert_false(vcpu_records(vcpu));
	assert_ptr_equal(vcpu->vm, &fake_vcpu_vm);
	assert_int_equal(vcpu->regs.rbx, 0x5678);
	assert_int_equal(fake_backend.rip, 0x1234);
	assert_int_equal(vcpu->regs.rax | vcpu->tsc_entry | vcpu->events.work, 0);
	assert_true(cpuid_shows(&vcpu->cpuid, CPUID_LONG_MODE));
	assert_true(vcpu->cr4_allowed & CR4_PAE);
	assert_true(vcpu->efer_allowed & EFER_LME);
	assert_int_not_equal(vcpu->msr_offered, 0);
	assert_int_equal(counters_sum(&vcpu->counters), 0);
	vcpu_destroy(vcpu);
	assert_null(fake_vcpu_vm.vcpu);
	assert_int_equal(fake_backend.destroyed, 1);
	assert_int_equal(fake_physical_used, 0);
}

static void failures_leave_nothing_behind(void **state)
{
	const struct vcpu_options options = {.traced = NULL};

	(void)state;
	fake_vcpu_vm.vcpu = NULL;
	fake_physical_left = PAGE_SIZE;
	assert_string_equal(vcpu_create(&fake_vcpu_vm, &options, &start),
			    "no memory for a vCPU: there is no memory left");
	fake_physical_left = GIB;
	fake_backend.create_error = "no";
	assert_string_equal(vcpu_create(&fake_vcpu_vm, &options, &start), "no");
	assert_int_equal(fake_physical_used, 0);
	assert_int_equal(fake_backend.destroyed, 0);
	fake_backend.create_error = NULL;
	fake_backend.set_state_error = "not so";
	assert_string_equal(vcpu_create(&fake_vcpu_vm, &options, &start), "not so");
	assert_int_equal(fake_physical_used, 0);
	assert_int_equal(fake_backend.destroyed, 1);
	assert_null(fake_vcpu_vm.vcpu);
}

/* --- Running. --- */

static uint64_t deadline_at_start;

static void one_exit(struct vcpu *vcpu)
{
	deadline_at_start = vcpu->deadline;
	assert_ptr_equal(this_cpu()->deadline, &vcpu->deadline);
	vcpu_kick(vcpu);
	vcpu->tsc_exit = fake_machine.tsc;
	vcpu->counter = &vcpu->counters.by_reason[10];
	fake_machine.tsc += 70;
	fake_machine.cr2 = 0xabcdef;
}

static void a_run(void **state)
{
	const struct vcpu_options options = {.traced = NULL};
	struct vcpu *vcpu = make(&options);

	(void)state;
	fake_machine.tsc = 1000;
	fake_backend.run = one_exit;
	vcpu_run(vcpu);
	assert_int_equal(vcpu->first_tsc, 1000);
	assert_int_equal(deadline_at_start, 1000); /* a first heartbeat at once */
	assert_ptr_equal(kicked, &fake_cpus[0]);
	assert_null(fake_cpus[0].deadline);
	assert_int_equal(vcpu->cr2_at_end, 0xabcdef);
	/* The last exit's cost is counted though no entry followed. */
	assert_int_equal(vcpu->counters.by_reason[10].buckets[6], 1);
	assert_int_equal(counters_sum(&vcpu->counters), 1);
	assert_int_equal(vcpu->counters.by_reason[10].total, 70);
	vcpu_destroy(vcpu);
}

/* --- Faults. --- */

static void faults(void **state)
{
	(void)state;
	vcpu_gp(&fake_vcpu);
	assert_true(fake_backend.rflags & RFLAGS_RF);
	fake_expect_fault(13, 0);
	fake_vcpu_reset(FAKE_CODE64);
	vcpu_fault(&fake_vcpu, 14, true, 0x11);
	fake_expect_fault(14, 0x11);
	fake_vcpu_reset(FAKE_CODE64);
	vcpu_ud(&fake_vcpu);
	fake_expect_fault(6, -1);
	/* #DB can be a trap, which pushes RF as it was. */
	fake_vcpu_reset(FAKE_CODE64);
	vcpu_fault(&fake_vcpu, 1, false, 0);
	assert_false(fake_backend.rflags & RFLAGS_RF);
	fake_expect_fault(1, -1);
}

static void double_and_triple_faults(void **state)
{
	(void)state;
	vcpu_fault(&fake_vcpu, 11, true, 8);
	vcpu_gp(&fake_vcpu);
	assert_int_equal(fake_vcpu_vm.end, VM_RUNNING);
	assert_int_equal(fake_vcpu.events.now.vector, 8);
	vcpu_gp(&fake_vcpu);
	assert_int_equal(fake_vcpu_vm.end, VM_ENDED_TRIPLE_FAULT);
	assert_true(fake_vcpu.requests & REQUEST_STOP);
	assert_string_equal(
		fake_vcpu_vm.end_text,
		"triple fault: vector 13 was raised while a double fault was delivered");
}

/* --- HLT. --- */

static void hlt_ends_when_nothing_can_wake_it(void **state)
{
	(void)state;
	assert_int_equal(vcpu_hlt(&fake_vcpu), OUTCOME_NEXT);
	assert_int_equal(fake_vcpu_vm.end, VM_ENDED_HALT);
	assert_string_equal(fake_vcpu_vm.end_text,
			    "HLT with interrupts off, and nothing that could wake it");
	fake_vcpu_reset(FAKE_CODE64);
	fake_backend.rflags |= RFLAGS_IF;
	assert_int_equal(vcpu_hlt(&fake_vcpu), OUTCOME_NEXT);
	assert_string_equal(fake_vcpu_vm.end_text,
			    "HLT with interrupts on, and nothing that could wake it");
	/* An interrupt that cannot be taken wakes nobody. */
	fake_vcpu_reset(FAKE_CODE64);
	events_raise_interrupt(&fake_vcpu.events, 0x30);
	assert_int_equal(vcpu_hlt(&fake_vcpu), OUTCOME_NEXT);
	assert_int_equal(fake_vcpu_vm.end, VM_ENDED_HALT);
	/* Nor does an NMI in the handler of another. */
	fake_vcpu_reset(FAKE_CODE64);
	events_raise_nmi(&fake_vcpu.events);
	fake_backend.nmi_blocked = true;
	assert_int_equal(vcpu_hlt(&fake_vcpu), OUTCOME_NEXT);
	assert_int_equal(fake_vcpu_vm.end, VM_ENDED_HALT);
}

static void hlt_goes_on_for_what_waits(void **state)
{
	(void)state;
	fake_backend.rflags |= RFLAGS_IF;
	events_raise_interrupt(&fake_vcpu.events, 0x30);
	assert_int_equal(vcpu_hlt(&fake_vcpu), OUTCOME_NEXT);
	fake_vcpu_reset(FAKE_CODE64);
	events_raise_nmi(&fake_vcpu.events);
	assert_int_equal(vcpu_hlt(&fake_vcpu), OUTCOME_NEXT);
	assert_int_equal(fake_vcpu_vm.end, VM_RUNNING);
	/* SDM "HLT": a debug exception resumes execution. */
	fake_vcpu_reset(FAKE_CODE64);
	fake_backend.trap_due = true;
	assert_int_equal(vcpu_hlt(&fake_vcpu), OUTCOME_NEXT);
	assert_int_equal(fake_vcpu_vm.end, VM_RUNNING);
}

/* --- The heartbeat. --- */

static void heartbeats(void **state)
{
	(void)state;
	vcpu_heartbeat(&fake_vcpu, 5000);
	assert_int_equal(fake_vcpu.deadline, 5000 + 1000000);
	assert_int_equal(beat_at, 5000);
	assert_int_equal(stream_polls, 1);
	assert_int_equal(fake_vcpu_vm.end, VM_RUNNING);
	/* Records that wait for their serial port shorten it. */
	is_streaming = true;
	vcpu_heartbeat(&fake_vcpu, 6500);
	assert_int_equal(fake_vcpu.deadline, 6500 + 500000);
	end_requested = true;
	vcpu_heartbeat(&fake_vcpu, 7000);
	assert_int_equal(fake_vcpu_vm.end, VM_ENDED_USER);
}

/* Exits that the host's own timer and interrupts cause are no sign of life. */
static void the_watchdog(void **state)
{
	struct exit_counter *by_reason = fake_vcpu.counters.by_reason;
	uint64_t now = 0;

	(void)state;
	fake_vcpu.watchdog.limit = 100000000; /* 100 ms */
	for (unsigned ms = 0; ms < 300; ms++, now += 1000000) {
		counter_add(&by_reason[VMX_EXIT_PREEMPTION_TIMER], 100);
		counter_add(&by_reason[VMX_EXIT_EXTERNAL_INTERRUPT], 100);
		if (ms % 50 == 0)
			counter_add(&by_reason[VMX_EXIT_CPUID], 100);
		vcpu_heartbeat(&fake_vcpu, now);
		assert_int_equal(fake_vcpu_vm.end, VM_RUNNING);
	}
	for (unsigned ms = 0; fake_vcpu_vm.end == VM_RUNNING; ms++, now += 1000000) {
		counter_add(&by_reason[VMX_EXIT_PREEMPTION_TIMER], 100);
		counter_add(&by_reason[VMX_EXIT_EXTERNAL_INTERRUPT], 100);
		vcpu_heartbeat(&fake_vcpu, now);
		assert_true(ms < 120);
	}
	assert_int_equal(fake_vcpu_vm.end, VM_ENDED_STOPPED);
	assert_non_null(strstr(fake_vcpu_vm.end_text, "watchdog: no exit of its own for 1"));
	/* Without one a guest may do as it likes. */
	fake_vcpu_reset(FAKE_CODE64);
	vcpu_heartbeat(&fake_vcpu, now + 100000000000);
	assert_int_equal(fake_vcpu_vm.end, VM_RUNNING);
}

static void the_guests_own_watchdog(void **state)
{
	(void)state;
	vcpu_heartbeat(&fake_vcpu, 1000);
	assert_false(fake_vcpu.events.nmi);
	fake_vcpu.own_watchdog = (struct own_watchdog){.ticks = 300, .due = 1300};
	vcpu_heartbeat(&fake_vcpu, 1299);
	assert_false(fake_vcpu.events.nmi);
	/* An NMI first, once; */
	vcpu_heartbeat(&fake_vcpu, 1400);
	assert_true(fake_vcpu.events.nmi);
	fake_vcpu.events.nmi = false;
	vcpu_heartbeat(&fake_vcpu, 1699);
	assert_false(fake_vcpu.events.nmi);
	assert_int_equal(fake_vcpu_vm.end, VM_RUNNING);
	/* then the end. */
	vcpu_heartbeat(&fake_vcpu, 1700);
	assert_int_equal(fake_vcpu_vm.end, VM_ENDED_STOPPED);
	assert_non_null(strstr(fake_vcpu_vm.end_text, "nothing answered its NMI"));
}

/* --- Records. --- */

/* As the backend does it. */
static void one_recorded_exit(struct vcpu *vcpu, uint64_t tsc, uint64_t reason)
{
	vcpu->tsc_exit = tsc;
	vcpu->counter = &vcpu->counters.by_reason[reason];
	if (vcpu->tracing)
		assert_int_equal(vcpu_record_begin(vcpu, reason, 0x4321), reason);
	if (vcpu_records(vcpu))
		vcpu->record->detail[2] = tsc;
	fake_machine.tsc = tsc + 30;
	if (vcpu->requests & REQUEST_SHOW)
		vcpu_record_show(vcpu);
	vcpu->tsc_entry = tsc + 50;
}

static void some_exits(struct vcpu *vcpu)
{
	assert_int_equal(ring->running, 1);
	for (unsigned i = 1; i <= 6; i++)
		one_recorded_exit(vcpu, 100 * i, 9 + i);
	fake_machine.tsc = 660;
}

/* Number 0 is the VM's start, and the ring keeps four. */
static void exits_are_recorded(void **state)
{
	const struct vcpu_options options = {.traced = trace_as(TRACE_RECORD, 4)};
	struct vcpu *vcpu;

	(void)state;
	fake_vcpu_vm.id = 7;
	vcpu = make(&options);
	fake_machine.tsc = 40;
	fake_backend.run = some_exits;
	vcpu->mode = MODE_LONG;
	vcpu_run(vcpu);
	assert_int_equal(headings + lines, 0);
	assert_int_equal(ring->head, 7);
	assert_int_equal(ring->running, 0);
	assert_string_equal(ring->started[7].name, fake_vcpu_vm.name);
	assert_int_equal(ring->started[7].tsc_exit, 40);
	for (unsigned i = 3; i <= 6; i++) {
		const struct exit_record *record = ring_at(ring, i);

		assert_int_equal(record->tsc_exit, 100 * i);
		/* The last one's end has no entry. */
		assert_int_equal(record->tsc_entry, i == 6 ? 660 : 100 * i + 50);
		assert_int_equal(record->rip, 0x4321);
		assert_int_equal(record->reason, 9 + i);
		assert_int_equal(record->vm, 7);
		assert_int_equal(record->mode, MODE_LONG);
		assert_int_equal(record->flags | record->injected | record->vcpu, 0);
		assert_int_equal(record->qualification | record->detail[0] | record->detail[1], 0);
		assert_int_equal(record->detail[2], 100 * i);
	}
	vcpu_destroy(vcpu);
}

static void nothing_is_recorded_without_a_ring(void **state)
{
	const struct vcpu_options options = {.traced = trace_as(TRACE_RECORD, 0)};
	struct vcpu *vcpu = make(&options);

	(void)state;
	fake_backend.run = one_exit;
	vcpu_run(vcpu);
	assert_false(vcpu->tracing);
	assert_false(vcpu_records(vcpu));
	vcpu_destroy(vcpu);
	assert_int_equal(fake_physical_used, 0);
}

/* A second run goes on in the same ring, with a start of its own. */
static void a_ring_outlives_its_vcpu(void **state)
{
	const struct vcpu_options options = {.traced = trace_as(TRACE_RECORD, 16)};

	(void)state;
	fake_backend.run = some_exits;
	for (unsigned i = 0; i < 2; i++) {
		struct vcpu *vcpu = make(&options);

		vcpu_run(vcpu);
		vcpu_destroy(vcpu);
	}
	assert_int_equal(ring->head, 14);
	assert_int_equal(ring_at(ring, 7)->reason, RECORD_VM_STARTED);
	assert_int_equal(ring_first_of_vm(ring, fake_vcpu_vm.id), 8);
}

static void chosen_exits_alone(struct vcpu *vcpu)
{
	one_recorded_exit(vcpu, 100, 10);
	one_recorded_exit(vcpu, 200, 30);
	one_recorded_exit(vcpu, 300, 31);
	one_recorded_exit(vcpu, 400, 10);
}

static void reasons_that_are_not_recorded(void **state)
{
	uint8_t *traced = (uint8_t *)trace_as(0, 16);
	const struct vcpu_options options = {.traced = traced};
	struct vcpu *vcpu;

	(void)state;
	traced[10] = TRACE_RECORD;
	fake_backend.run = chosen_exits_alone;
	vcpu = make(&options);
	vcpu_run(vcpu);
	assert_int_equal(ring->head, 3);
	assert_int_equal(ring_at(ring, 1)->tsc_exit, 100);
	/* Its own entry, not that of a later exit. */
	assert_int_equal(ring_at(ring, 1)->tsc_entry, 150);
	assert_int_equal(ring_at(ring, 1)->detail[2], 100);
	assert_int_equal(ring_at(ring, 2)->tsc_exit, 400);
	vcpu_destroy(vcpu);
}

static void exits_that_are_shown(struct vcpu *vcpu)
{
	assert_int_equal(headings, 1);
	for (unsigned i = 1; i <= 3; i++) {
		one_recorded_exit(vcpu, 10000 * i, 10);
		assert_int_equal(lines, i);
		assert_int_equal(line_number, i);
		/* Showing a record is no cost of its exit. */
		assert_int_equal(vcpu->tsc_exit, 10000 * i + 5000);
		assert_false(vcpu->requests & REQUEST_SHOW);
	}
}

static void exits_are_shown(void **state)
{
	const struct vcpu_options options = {.traced = trace_as(TRACE_RECORD | TRACE_SHOW, 16)};
	struct vcpu *vcpu = make(&options);

	(void)state;
	fake_backend.run = exits_that_are_shown;
	vcpu_run(vcpu);
	assert_int_equal(ring->head, 4);
	assert_int_equal(ring_at(ring, 2)->tsc_exit, 20000);
	assert_int_equal(ring_at(ring, 2)->tsc_entry, 20030);
	vcpu_destroy(vcpu);
}

static void an_exit_at_cpl_3(struct vcpu *vcpu)
{
	fake_vcpu_set_cpl(3);
	one_recorded_exit(vcpu, 100, 10);
	vcpu->mode = MODE_REAL;
	one_recorded_exit(vcpu, 200, 10);
}

static void code_is_told_where_asked(void **state)
{
	const struct vcpu_options options = {.traced = trace_as(TRACE_RECORD | TRACE_CPL, 16)};
	struct vcpu *vcpu = make(&options);

	(void)state;
	vcpu->mode = MODE_LONG;
	fake_backend.run = an_exit_at_cpl_3;
	vcpu_run(vcpu);
	assert_int_equal(ring_at(ring, 1)->flags,
			 RECORD_CODE | RECORD_CODE_L | 3 << RECORD_CPL_SHIFT);
	/* The DPL of SS means nothing in real mode. */
	assert_int_equal(ring_at(ring, 2)->flags >> RECORD_CPL_SHIFT & 3, 0);
	vcpu_destroy(vcpu);
}

/* --- The state that stays in the processor. --- */

static void the_live_state_is_reset(void **state)
{
	const uint8_t *area;
	uint32_t mxcsr;
	uint64_t header;

	(void)state;
	fake_machine.dr0 = fake_machine.dr1 = fake_machine.dr2 = fake_machine.dr3 = 1;
	fake_machine.dr6 = 0xffff0fff;
	fake_machine.cr2 = 0x1234;
	fake_machine.cr0 = CR0_PE | CR0_TS | CR0_EM | CR0_PG;
	fake_machine.xcr0 = 7;
	fake_machine.xcr0_supported = 0x2e7;
	cpuid_build(&fake_vcpu);
	live_state_reset(&fake_vcpu);

	assert_int_equal(fake_machine.dr0 | fake_machine.dr1 | fake_machine.dr2 | fake_machine.dr3,
			 0);
	assert_int_equal(fake_machine.dr6, 0xffff0ff0);
	assert_int_equal(fake_machine.cr2, 0);
	assert_int_equal(fake_machine.xcr0, 1);
	assert_int_equal(fake_machine.xrstor_components, 0x2e7);
	assert_int_equal(rdmsr(IA32_STAR) | rdmsr(IA32_LSTAR) | rdmsr(IA32_FMASK), 0);
	assert_int_equal(rdmsr(IA32_KERNEL_GS_BASE) | rdmsr(IA32_TSC_AUX) | rdmsr(IA32_XSS), 0);
	assert_int_equal(rdmsr(IA32_UMWAIT_CONTROL), 0);
	/* SDM "Processor State After Reset", as FNINIT and MXCSR have it; XSTATE_BV 0 for the rest.
	 */
	area = fake_machine.fxrstor_area;
	assert_int_equal(area[0] | area[1] << 8, 0x37f);
	memcpy(&mxcsr, area + 24, 4);
	assert_int_equal(mxcsr, 0x1f80);
	area = fake_machine.xrstor_area;
	memcpy(&mxcsr, area + 24, 4);
	assert_int_equal(mxcsr, 0x1f80);
	for (unsigned i = 0; i < 8; i++) {
		memcpy(&header, area + 512 + 8 * i, 8);
		assert_int_equal(header, 0);
	}
}

static void the_live_state_without_xsave(void **state)
{
	(void)state;
	host_cpuid_set(CPUID_XSAVE, false);
	host_cpuid_set(CPUID_RDTSCP, false);
	host_cpuid_set(CPUID_RDPID, false);
	cpuid_build(&fake_vcpu);
	live_state_reset(&fake_vcpu);
	assert_non_null(fake_machine.fxrstor_area);
	assert_null(fake_machine.xrstor_area);
	assert_int_equal(fake_machine.xsetbv_count, 0);
	assert_int_equal(rdmsr(IA32_LSTAR), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_vcpu_is_made_and_unmade, setup),
		cmocka_unit_test_setup(failures_leave_nothing_behind, setup),
		cmocka_unit_test_setup(a_run, setup),
		cmocka_unit_test_setup(faults, setup),
		cmocka_unit_test_setup(double_and_triple_faults, setup),
		cmocka_unit_test_setup(hlt_ends_when_nothing_can_wake_it, setup),
		cmocka_unit_test_setup(hlt_goes_on_for_what_waits, setup),
		cmocka_unit_test_setup(heartbeats, setup),
		cmocka_unit_test_setup(the_watchdog, setup),
		cmocka_unit_test_setup(the_guests_own_watchdog, setup),
		cmocka_unit_test_setup(exits_are_recorded, setup),
		cmocka_unit_test_setup(nothing_is_recorded_without_a_ring, setup),
		cmocka_unit_test_setup(a_ring_outlives_its_vcpu, setup),
		cmocka_unit_test_setup(reasons_that_are_not_recorded, setup),
		cmocka_unit_test_setup(exits_are_shown, setup),
		cmocka_unit_test_setup(code_is_told_where_asked, setup),
		cmocka_unit_test_setup(the_live_state_is_reset, setup),
		cmocka_unit_test_setup(the_live_state_without_xsave, setup),
	};

	return cmocka_run_group_tests_name("vcpu", tests, NULL, NULL);
}
