/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of a vCPU, and what exits have in common: faults, records, the heartbeat, HLT. */
#include "vcpu/vcpu.h"

#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/exceptions.h"
#include "arch/x86_64/instructions.h"
#include "arch/x86_64/vmx.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/direct_map.h"
#include "kernel/log.h"
#include "kernel/physical.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "trace/render.h"
#include "vcpu/control.h"
#include "vcpu/live_state.h"
#include "vcpu/msr.h"

#define HEARTBEAT_US   1000
#define WATCHDOG_LOOKS 16 /* in the time that it waits */

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

	return counters_sum(&vcpu->counters) - by_reason[VMX_EXIT_EXTERNAL_INTERRUPT].count -
	       by_reason[VMX_EXIT_PREEMPTION_TIMER].count;
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

void vcpu_heartbeat(struct vcpu *vcpu, uint64_t now)
{
	vcpu->deadline = now + time_ticks_from_us(HEARTBEAT_US);
	console_poll(now);
	if (unlikely(this_cpu()->nmi_pending)) {
		this_cpu()->nmi_pending = false;
		log_warn("an NMI came to the host; %llu so far",
			 (unsigned long long)this_cpu()->nmi_count);
	}
	if (vcpu->watchdog.limit && now >= vcpu->watchdog.next_look)
		look_after(vcpu, now);
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
	 * yet: what does not wait already will not come.
	 */
	if (!events_wake(&vcpu->events, &gates))
		vm_stop(vcpu->vm, VM_ENDED_HALT, 0,
			"HLT with interrupts %s, and nothing that could wake it",
			gates.interrupts_open ? "on" : "off");
	return OUTCOME_NEXT;
}

static uint64_t vcpu_bytes(const struct vcpu_options *options)
{
	return align_up(sizeof(struct vcpu), 64) + options->ring_size * sizeof(struct exit_record);
}

err_t vcpu_create(struct vm *vm, const struct vcpu_options *options, const struct vcpu_state *state)
{
	uint64_t size = vcpu_bytes(options);
	struct vcpu *vcpu;
	hpa_t memory;
	err_t err = physical_allocate(size, PAGE_SIZE, &memory);

	if (err)
		return error("no memory for a vCPU: %s", err);
	vcpu = direct_map(memory);
	memset(vcpu, 0, size);
	vcpu->vm = vm;
	vcpu->shown = options->shown;
	vcpu->watchdog.limit = time_ticks_from_us(options->watchdog_us);
	vcpu->ring.size = options->ring_size;
	if (options->ring_size)
		vcpu->requests = REQUEST_RECORD;
	if (options->check_entries)
		vcpu->requests |= REQUEST_CHECK_ENTRY;
	vcpu->ring.records = (void *)((uint8_t *)vcpu + align_up(sizeof(*vcpu), 64));
	vcpu->counter = &vcpu->counters.by_reason[EXIT_REASONS];
	vcpu->misc_enable = 1;
	counters_reset(&vcpu->counters);
	cpuid_build(vcpu);
	control_offer(vcpu);
	msr_offer(vcpu);
	err = backend_vcpu_create(vcpu);
	if (!err) {
		vm->vcpu = vcpu;
		err = backend_set_state(vcpu, state);
		if (err)
			vcpu_destroy(vcpu);
	} else {
		physical_free(memory, size);
	}
	return err;
}

void vcpu_run(struct vcpu *vcpu)
{
	live_state_reset(vcpu);
	vcpu->first_tsc = time_now();
	vcpu->deadline = vcpu->first_tsc;
	vcpu->watchdog.progress_at = vcpu->watchdog.next_look = vcpu->first_tsc;
	/* So that the time before the first entry is nobody's cost. */
	vcpu->tsc_exit = vcpu->tsc_entry = vcpu->first_tsc;
	backend_run(vcpu);
	vcpu->cr2_at_end = read_cr2();
	counter_add(vcpu->counter, time_now() - vcpu->tsc_exit);
}

void vcpu_destroy(struct vcpu *vcpu)
{
	const struct vcpu_options options = {.ring_size = vcpu->ring.size};

	vcpu->vm->vcpu = NULL;
	backend_vcpu_destroy(vcpu);
	physical_free(physical_address(vcpu), vcpu_bytes(&options));
}

void vcpu_record_begin(struct vcpu *vcpu)
{
	struct exit_record *record = &vcpu->ring.records[vcpu->ring.count & (vcpu->ring.size - 1)];

	*record = (struct exit_record){
		.tsc_exit = vcpu->tsc_exit,
		.rip = backend_rip(vcpu),
		.reason = (uint16_t)vcpu_exit_reason(vcpu),
		.vm = (uint8_t)vcpu->vm->id,
		.mode = vcpu->mode,
	};
	vcpu->record = record;
}

void vcpu_record_finish(struct vcpu *vcpu)
{
	struct exit_record *record = vcpu->record;

	record->tsc_entry = rdtsc();
	vcpu->ring.count++;
	if (trace_mask_has(&vcpu->shown, record->reason)) {
		render_line(vcpu->vm->name, vcpu->ring.count, record, vcpu->first_tsc);
		/* Showing it is no cost of the exit's. */
		vcpu->tsc_exit += rdtsc() - record->tsc_entry;
	}
}
