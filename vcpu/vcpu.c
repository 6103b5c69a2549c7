/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of a vCPU, and what exits have in common: faults, records, the heartbeat, HLT. */
#include "vcpu/vcpu.h"

#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/exceptions.h"
#include "arch/x86_64/instructions.h"
#include "arch/x86_64/vmx.h"
#include "kernel/beat.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/direct_map.h"
#include "kernel/ipi.h"
#include "kernel/physical.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "trace/render.h"
#include "trace/trace.h"
#include "vcpu/control.h"
#include "vcpu/live_state.h"
#include "vcpu/msr.h"

#define STREAM_US      500 /* while records wait for a serial port whose FIFO lasts 1.4 ms */
#define WATCHDOG_LOOKS 16  /* in the time that it waits */

static __attribute__((noinline, cold)) void triple_fault(struct vcpu *vcpu, uint8_t vector)
{
	vm_stop(vcpu->vm, VM_ENDED_TRIPLE_FAULT, 0,
		"triple fault: vector %u was raised while a double fault was delivered", vector);
}

void vcpu_fault(struct vcpu *vcpu, uint8_t vector, bool has_error, uint32_t error)
{
	if (unlikely(events_raise(&vcpu->events, vector, has_error, error) == RAISED_TRIPLE_FAULT))
		triple_fault(vcpu, vector);
	/* A fault pushes RF set, so that an instruction breakpoint does not fire again on the
	 * return. */
	if (vector != EXCEPTION_DB)
		backend_set_resume_flag(vcpu);
}

/* Exits that the guest caused, not the host's timer and interrupts. */
static uint64_t own_exits(const struct vcpu *vcpu)
{
	const struct exit_counter *by_reason = vcpu->counters.by_reason;

	return counters_sum(&vcpu->counters) -
	       counter_count(&by_reason[VMX_EXIT_EXTERNAL_INTERRUPT]) -
	       counter_count(&by_reason[VMX_EXIT_PREEMPTION_TIMER]);
}

static void look_after(struct vcpu *vcpu, uint64_t now)
{
	struct watchdog *watchdog = &vcpu->watchdog;
	uint64_t exits = own_exits(vcpu);

	watchdog->next_look = now + watchdog->limit / WATCHDOG_LOOKS;
	if (exits != watchdog->exits) {
		watchdog->exits = exits;
		watchdog->progress_at = now;
	} else if (now - watchdog->progress_at >= watchdog->limit) {
		vm_stop(vcpu->vm, VM_ENDED_STOPPED, 0, "watchdog: no exit of its own for %llu ms",
			(unsigned long long)(time_us_from_ticks(now - watchdog->progress_at) /
					     1000));
	}
}

static void ring(struct vcpu *vcpu, uint64_t now)
{
	struct own_watchdog *own = &vcpu->own_watchdog;

	if (own->rang) {
		vm_stop(vcpu->vm, VM_ENDED_STOPPED, 0,
			"the watchdog that the guest started: nothing answered its NMI");
		return;
	}
	own->rang = true;
	own->due = now + own->ticks;
	events_raise_nmi(&vcpu->events);
}

void vcpu_heartbeat(struct vcpu *vcpu, uint64_t now)
{
	beat(now);
	trace_poll();
	vcpu->deadline = now + time_ticks_from_us(trace_is_waiting() ? STREAM_US : BEAT_US);
	if (vcpu->watchdog.limit && now >= vcpu->watchdog.next_look)
		look_after(vcpu, now);
	if (vcpu->own_watchdog.ticks && (int64_t)(now - vcpu->own_watchdog.due) >= 0)
		ring(vcpu, now);
	if (console_end_requested())
		vm_stop(vcpu->vm, VM_ENDED_USER, 0, "ended by Ctrl-A X on the console");
}

enum outcome vcpu_hlt(struct vcpu *vcpu)
{
	const struct event_gates gates = {
		.interrupts_open = backend_rflags(vcpu) & RFLAGS_IF,
		.nmi_open = !backend_nmi_blocked(vcpu),
	};

	/*
	 * Nothing but the vCPU's own calls makes events pending, as no device has an interrupt line
	 * yet: what does not wait already will not come. A #DB behind HLT ends it at once.
	 */
	if (!events_wake(&vcpu->events, &gates) && !backend_trap_due(vcpu))
		vm_stop(vcpu->vm, VM_ENDED_HALT, 0,
			"HLT with interrupts %s, and nothing that could wake it",
			gates.interrupts_open ? "on" : "off");
	return OUTCOME_NEXT;
}

err_t vcpu_create(struct vm *vm, const struct vcpu_options *options, const struct vcpu_state *state)
{
	struct vcpu *vcpu;
	hpa_t memory;
	err_t err = physical_allocate(sizeof(*vcpu), PAGE_SIZE, &memory);

	if (err)
		return error("no memory for a vCPU: %s", err);
	vcpu = direct_map(memory);
	memset(vcpu, 0, sizeof(*vcpu));
	vcpu->vm = vm;
	vcpu->cpu = this_cpu();
	vcpu->watchdog.limit = time_ticks_from_us(options->watchdog_us);
	if (options->check_entries)
		vcpu->requests |= REQUEST_CHECK_ENTRY;
	vcpu->vm_number = (uint8_t)vm->id;
	if (options->traced)
		memcpy(vcpu->traced, options->traced, sizeof(vcpu->traced));
	vcpu->counter = &vcpu->counters.by_reason[EXIT_REASONS];
	vcpu->misc_enable = 1;
	counters_reset(&vcpu->counters);
	cpuid_build(vcpu);
	mtrr_init(&vcpu->mtrrs, vcpu->cpuid.physical_bits);
	control_offer(vcpu);
	msr_offer(vcpu);
	err = backend_vcpu_create(vcpu);
	if (!err) {
		vm->vcpu = vcpu;
		err = backend_set_state(vcpu, state);
		if (err)
			vcpu_destroy(vcpu);
	} else {
		physical_free(memory, sizeof(*vcpu));
	}
	return err;
}

static bool shows_exits(const struct vcpu *vcpu)
{
	for (unsigned i = 0; i < EXIT_REASONS; i++)
		if (vcpu->traced[i] & TRACE_SHOW)
			return true;
	return false;
}

/* Its records go to the ring of the pCPU that it runs on. */
static void begin_trace(struct vcpu *vcpu)
{
	vcpu->ring = trace_ring(this_cpu()->index);
	vcpu->tracing = vcpu->ring != NULL;
	if (!vcpu->ring)
		return;
	vcpu->record = &vcpu->not_recorded;
	ring_vm_started(vcpu->ring, vcpu->vm_number, vcpu->number, vcpu->vm->name, vcpu->first_tsc);
	if (shows_exits(vcpu))
		render_heading(vcpu->vm->name);
	vcpu->ring->running = 1;
}

/* The last exit has no entry behind it: its record says when it was over. */
static void end_trace(struct vcpu *vcpu, uint64_t now)
{
	if (vcpu->record)
		vcpu->record->tsc_entry = now;
	vcpu->record = NULL;
	if (vcpu->ring)
		vcpu->ring->running = 0;
}

void vcpu_run(struct vcpu *vcpu)
{
	uint64_t end;

	live_state_reset(vcpu);
	vcpu->first_tsc = time_now();
	begin_trace(vcpu);
	vcpu->deadline = vcpu->first_tsc;
	vcpu->watchdog.progress_at = vcpu->watchdog.next_look = vcpu->first_tsc;
	/* So that the time before the first entry is nobody's cost. */
	vcpu->tsc_exit = vcpu->tsc_entry = vcpu->first_tsc;
	this_cpu()->deadline = &vcpu->deadline;
	backend_run(vcpu);
	end = time_now();
	this_cpu()->deadline = NULL;
	vcpu->cr2_at_end = read_cr2();
	counter_add(vcpu->counter, end - vcpu->tsc_exit);
	end_trace(vcpu, end);
}

void vcpu_kick(const struct vcpu *vcpu)
{
	ipi_kick(vcpu->cpu);
}

void vcpu_destroy(struct vcpu *vcpu)
{
	vcpu->vm->vcpu = NULL;
	backend_vcpu_destroy(vcpu);
	physical_free(physical_address(vcpu), sizeof(*vcpu));
}

uint64_t vcpu_record_special(struct vcpu *vcpu, uint64_t reason, uint64_t rip)
{
	uint8_t how = vcpu->traced[reason];

	if (!how) {
		vcpu->record = &vcpu->not_recorded;
		return reason;
	}
	vcpu_record_new(vcpu, reason, rip);
	if (how & TRACE_SHOW)
		vcpu->requests |= REQUEST_SHOW;
	/* CPL and CS are read for classes that are traced with +cpl only. */
	if (how & TRACE_CPL) {
		unsigned cpl = vcpu->mode == MODE_REAL ? 0 : backend_cpl(vcpu);
		struct segment cs;

		backend_get_segment(vcpu, SEG_CS, &cs);
		vcpu->record->flags |=
			(uint8_t)(RECORD_CODE | (cs.access & SEGMENT_L ? RECORD_CODE_L : 0) |
				  (cs.access & SEGMENT_DB ? RECORD_CODE_D : 0) |
				  cpl << RECORD_CPL_SHIFT);
	}
	return reason;
}

void vcpu_record_show(struct vcpu *vcpu)
{
	struct exit_record *record = vcpu->record;
	const struct exit_record *start = ring_vm(vcpu->ring, vcpu->vm_number);

	vcpu->requests &= ~(uint32_t)REQUEST_SHOW;
	/* Nearly: what follows, and showing it, is no cost of the exit's. */
	record->tsc_entry = rdtsc();
	vcpu->record = &vcpu->not_recorded;
	render_line(vcpu->vm->name, vcpu->ring->head - 1 - start->tsc_entry, record,
		    start->tsc_exit);
	vcpu->tsc_exit += rdtsc() - record->tsc_entry;
}
