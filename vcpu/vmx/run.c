/* SPDX-License-Identifier: BSD-2-Clause */
/* The run loop: from the stub to the row of the exit table, and what is due before the next entry.
 */
#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/instructions.h"
#include "arch/x86_64/msr.h"
#include "kernel/panic.h"
#include "vcpu/vmx/entry_check.h"
#include "vcpu/vmx/side_channels.h"
#include "vcpu/vmx/vmx.h"

/* Blocking that ends with one instruction. */
#define INSTRUCTION_LENGTH_MAX 15u

#define SHADOWS ((uint64_t)(INTERRUPTIBILITY_STI | INTERRUPTIBILITY_MOV_SS))

/* Cold parts are kept out of the way of exits that need none of them. */
#define COLD __attribute__((noinline, cold))

COLD static void end_shadow(uint64_t interruptibility)
{
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, interruptibility & ~SHADOWS);
}

/* SDM "Pending Debug Exceptions". With BTF, TF steps over branches only, and no exiting instruction
 * is one. */
COLD static void step_pending(void)
{
	if (!(vmcs_read(VMCS_GUEST_DEBUGCTL) & DEBUGCTL_BTF))
		vmcs_write(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS,
			   vmcs_read(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS) | DEBUG_BS);
}

static inline void instruction_done(void)
{
	uint64_t interruptibility = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);

	if (unlikely(interruptibility & SHADOWS))
		end_shadow(interruptibility);
	if (unlikely(vmcs_read(VMCS_GUEST_RFLAGS) & RFLAGS_TF))
		step_pending();
}

void backend_instruction_done(struct vcpu *vcpu)
{
	(void)vcpu;
	instruction_done();
}

/* RIP may have passed 4 GiB, which it does in 64-bit code only. */
COLD static uint64_t wrap(struct vcpu *vcpu, uint64_t next)
{
	if (vcpu->mode == MODE_LONG && vmcs_read(VMCS_GUEST_CS_ACCESS_RIGHTS) & ACCESS_L)
		return next;
	return (uint32_t)next;
}

/*
 * Moves RIP past the instruction that exited, as its end would have: blocking by STI and MOV SS is
 * over, a single step is due when TF is set, and outside 64-bit code RIP has 32 bits.
 */
static inline void advance(struct vcpu *vcpu)
{
	uint64_t next = vmcs_read(VMCS_GUEST_RIP) + vmcs_read(VMCS_EXIT_INSTRUCTION_LENGTH);

	if (unlikely((uint32_t)next < INSTRUCTION_LENGTH_MAX))
		next = wrap(vcpu, next);
	vmcs_write(VMCS_GUEST_RIP, next);
	instruction_done();
}

static void set_windows(struct vcpu *vcpu, const struct event_plan *plan)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	uint32_t primary =
		vmx->primary & ~(PRIMARY_INTERRUPT_WINDOW_EXITING | PRIMARY_NMI_WINDOW_EXITING);

	if (plan->interrupt_window)
		primary |= PRIMARY_INTERRUPT_WINDOW_EXITING;
	if (plan->nmi_window)
		primary |= PRIMARY_NMI_WINDOW_EXITING;
	if (primary != vmx->primary) {
		vmx->primary = primary;
		vmcs_write(VMCS_PRIMARY_CONTROLS, primary);
	}
}

static void inject(struct vcpu *vcpu, const struct event *event)
{
	uint32_t info = vmx_interruption_pack((struct vmx_interruption){
		.vector = event->vector,
		.type = (enum vmx_interruption_type)event->type,
		.has_error_code = event->has_error,
	});

	vmcs_write(VMCS_ENTRY_INTERRUPTION_INFO, info);
	if (event->has_error)
		vmcs_write(VMCS_ENTRY_EXCEPTION_ERROR_CODE, event->error);
	if (vmx_type_needs_length((enum vmx_interruption_type)event->type))
		vmcs_write(VMCS_ENTRY_INSTRUCTION_LENGTH, event->length);
	if (unlikely(vcpu_records(vcpu)))
		vcpu->record->injected =
			(uint16_t)(RECORD_INJECTED | (info & (0x7ff | VMX_INFO_ERROR_CODE)));
}

/*
 * A delivery ends blocking by STI and MOV SS. That must not stand in the VMCS: with TF set an entry
 * would then want a single step to be pending (SDM "Checks on Guest Non-Register State").
 */
static inline void inject_now(struct vcpu *vcpu, const struct event *event,
			      uint64_t interruptibility)
{
	if (unlikely(interruptibility & SHADOWS))
		end_shadow(interruptibility);
	inject(vcpu, event);
}

/* A single step or breakpoint behind the last instruction: it comes before NMIs and interrupts. */
static bool trap_pending(void)
{
	return vmcs_read(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS) & (DEBUG_BS | DEBUG_ENABLED);
}

COLD static void deliver_by_plan(struct vcpu *vcpu, uint64_t interruptibility)
{
	bool closed = interruptibility & SHADOWS || trap_pending();
	struct event_gates gates = {
		.interrupts_open = !closed && vmcs_read(VMCS_GUEST_RFLAGS) & RFLAGS_IF,
		.nmi_open = !closed && !(interruptibility & INTERRUPTIBILITY_NMI),
		.error_codes = vcpu->mode != MODE_REAL,
	};
	struct event_plan plan;

	events_plan(&vcpu->events, &gates, &plan);
	if (plan.inject.valid)
		inject_now(vcpu, &plan.inject, interruptibility);
	set_windows(vcpu, &plan);
}

static void deliver_events(struct vcpu *vcpu)
{
	uint64_t interruptibility = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);
	struct events *events = &vcpu->events;

	/* Mostly it is a fault of the instruction that exited, and nothing waits beside it. */
	if (likely(events->work == EVENT_WORK_NOW && vcpu->mode != MODE_REAL)) {
		inject_now(vcpu, &events->now, interruptibility);
		events->now.valid = false;
		events->work = 0;
		return;
	}
	deliver_by_plan(vcpu, interruptibility);
}

static void flush(struct vcpu *vcpu)
{
	const struct vmx_capabilities *capabilities = vmx_capabilities();
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	enum vmx_status status = VMX_OK;

	if (vcpu->requests & REQUEST_FLUSH_EPT)
		status = invept(capabilities->ept_vpid.invept_single ? INVEPT_SINGLE_CONTEXT
								     : INVEPT_ALL_CONTEXTS,
				(struct invept_descriptor){.eptp = ept_pointer(ept_of(vcpu))});
	/* Without VPIDs every entry and exit flushes. */
	if (status == VMX_OK && vcpu->requests & REQUEST_FLUSH_LINEAR &&
	    vmx_controls()->secondary & SECONDARY_VPID)
		status = invvpid(capabilities->ept_vpid.invvpid_single ? INVVPID_SINGLE_CONTEXT
								       : INVVPID_ALL_CONTEXTS,
				 (struct invvpid_descriptor){.vpid = vmx->vpid});
	if (status != VMX_OK)
		panic("INVEPT or INVVPID failed though the capability MSRs offer it: %s",
		      vmx_status_name(status));
	vcpu->requests &= ~(uint32_t)(REQUEST_FLUSH_EPT | REQUEST_FLUSH_LINEAR);
}

static inline void bring_up_to_date(struct vcpu *vcpu)
{
	if (vcpu->requests & (REQUEST_FLUSH_EPT | REQUEST_FLUSH_LINEAR))
		flush(vcpu);
	if (vcpu->events.work)
		deliver_events(vcpu);
}

/* With check=entry the processor does not get to see a VMCS that it would refuse. */
COLD static bool stop_or_check(struct vcpu *vcpu)
{
	unsigned broken;

	if (vcpu->requests & REQUEST_STOP)
		return false;
	bring_up_to_date(vcpu);
	broken = entry_check_current(vcpu->vm->name, vmx_capabilities(), true);
	if (broken == 0)
		return true;
	vm_stop(vcpu->vm, VM_ENDED_STOPPED, 0,
		"check=entry: the VMCS breaks %u rule%s for VM entries, told above", broken,
		broken == 1 ? "" : "s");
	vmx_dump(vcpu);
	return false;
}

/* What a pending request or event asks for before the next entry. False: there is none, the VM has
 * ended. */
static bool prepare_entry(struct vcpu *vcpu)
{
	if (unlikely(vcpu->requests & (REQUEST_STOP | REQUEST_CHECK_ENTRY)))
		return stop_or_check(vcpu);
	bring_up_to_date(vcpu);
	return true;
}

COLD static void heartbeat(struct vcpu *vcpu)
{
	uint64_t start = rdtsc(), taken;

	vcpu_heartbeat(vcpu, vcpu->tsc_exit);
	side_channels_after_beat();
	/* The beat is the host's: it costs what the console takes, and the exit is not to blame. */
	taken = rdtsc() - start;
	vcpu->tsc_exit += taken;
	if (vcpu_records(vcpu))
		vcpu->record->tsc_exit += taken;
}

/* The rest of an exit after which there is something to do beside the entry. */
static __attribute__((noinline)) void finish(struct vcpu *vcpu)
{
	bool go_on = prepare_entry(vcpu);

	if (unlikely(vcpu->requests & REQUEST_SHOW))
		vcpu_record_show(vcpu);
	if (!go_on)
		vmx_leave_guest(vcpu);
}

/* The row for a reason field with flags above the reason, or with a reason beyond the table. */
COLD static uint64_t sort_out(uint64_t reason_field)
{
	uint64_t reason = reason_field & VMX_EXIT_REASON_MASK;

	return reason < VMX_EXIT_ROWS ? reason : VMX_EXIT_ROWS - 1;
}

void vmx_handle_exit(struct vcpu *vcpu, uint64_t tsc)
{
	uint64_t reason = vmcs_read(VMCS_EXIT_REASON);
	enum outcome outcome;

	/* The cost of the exit before: its end was stamped when the guest was entered. */
	counter_add(vcpu->counter, vcpu->tsc_entry - vcpu->tsc_exit);
	vcpu->tsc_exit = tsc;
	if (unlikely(reason >= VMX_EXIT_ROWS))
		reason = sort_out(reason);
	vcpu->counter = &vcpu->counters.by_reason[reason];

	if (unlikely(vcpu->tracing))
		reason = vcpu_record_begin(vcpu, reason, vmcs_read(VMCS_GUEST_RIP));
	outcome = vmx_exit_rows[reason].handle(vcpu);
	if (likely(outcome == OUTCOME_NEXT))
		advance(vcpu);

	if (unlikely((int64_t)(vcpu->tsc_exit - vcpu->deadline) >= 0))
		heartbeat(vcpu);
	if (unlikely(vcpu_has_work(vcpu)))
		finish(vcpu);
}

/* VMLAUNCH or VMRESUME did not even begin to load the guest: a control or a host field is not as
 * the CPU wants it. */
void vmx_entry_instruction_failed(struct vcpu *vcpu, bool cf, bool zf)
{
	enum vmx_status status = vmx_status_of(cf, zf);

	if (status == VMX_FAIL_VALID) {
		uint32_t number = (uint32_t)vmcs_read(VMCS_INSTRUCTION_ERROR);

		vm_stop(vcpu->vm, VM_ENDED_STOPPED, 0, "VM entry failed, VMfailValid: error %u, %s",
			number, vmx_instruction_error_text(number));
		if (number == ENTRY_FAIL_CONTROLS || number == ENTRY_FAIL_HOST)
			entry_check_current(vcpu->vm->name, vmx_capabilities(), false);
		vmx_dump(vcpu);
	} else {
		vm_stop(vcpu->vm, VM_ENDED_STOPPED, 0,
			"VM entry failed, VMfailInvalid: there is no current VMCS");
	}
}

void backend_run(struct vcpu *vcpu)
{
	if (vmptrld(vmx_of(vcpu)->vmcs) != VMX_OK) {
		vm_stop(vcpu->vm, VM_ENDED_STOPPED, 0, "VMPTRLD failed");
		return;
	}
	side_channels_next_vm();
	if (prepare_entry(vcpu))
		vmx_enter_guest(vcpu);
}
