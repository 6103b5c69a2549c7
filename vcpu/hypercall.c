/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypercalls: what a guest may ask of Plinth. */
#include "vcpu/hypercall.h"

#include "arch/x86_64/dear.h"
#include "arch/x86_64/instructions.h"
#include "kernel/time.h"
#include "vcpu/vcpu.h"

#ifdef COUNT_DEAR
struct dear_counts dear_counts;
#endif

static uint64_t call_version(struct vcpu *vcpu, uint64_t argument)
{
	(void)vcpu;
	(void)argument;
	return PLINTH_ABI_VERSION;
}

static uint64_t call_mark(struct vcpu *vcpu, uint64_t argument)
{
	(void)argument;
	if (unlikely(vcpu_records(vcpu)))
		vcpu->record->detail[2] = vcpu->regs.rcx;
	return 0;
}

static uint64_t call_exit(struct vcpu *vcpu, uint64_t argument)
{
	vm_stop(vcpu->vm, VM_ENDED_EXIT, (uint32_t)argument, "by hypercall");
	return 0;
}

static uint64_t call_tsc_hz(struct vcpu *vcpu, uint64_t argument)
{
	(void)vcpu;
	(void)argument;
	return time_frequency();
}

static uint64_t call_interrupt(struct vcpu *vcpu, uint64_t argument)
{
	if (argument < 16 || argument > 255)
		return PLINTH_EINVAL;
	events_raise_interrupt(&vcpu->events, (uint8_t)argument);
	return 0;
}

static uint64_t call_nmi(struct vcpu *vcpu, uint64_t argument)
{
	(void)argument;
	events_raise_nmi(&vcpu->events);
	return 0;
}

static uint64_t call_exit_count(struct vcpu *vcpu, uint64_t argument)
{
	(void)argument;
	return counters_sum(&vcpu->counters);
}

static uint64_t call_watchdog(struct vcpu *vcpu, uint64_t argument)
{
	if (argument > OWN_WATCHDOG_MAX)
		return PLINTH_EINVAL;
	vcpu->own_watchdog = (struct own_watchdog){
		.ticks = argument,
		.due = rdtsc() + argument,
	};
	return 0;
}

static uint64_t call_dear_count(struct vcpu *vcpu, uint64_t argument)
{
	(void)vcpu;
#ifdef COUNT_DEAR
	const uint64_t counts[] = {dear_counts.vmreads, dear_counts.vmwrites, dear_counts.others};

	return argument < ARRAY_COUNT(counts) ? counts[argument] : PLINTH_EINVAL;
#else
	(void)argument;
	return PLINTH_ENOSYS;
#endif
}

/* clang-format off */
static uint64_t (*const calls[])(struct vcpu *vcpu, uint64_t argument) = {
	[PLINTH_VERSION] = call_version,     [PLINTH_MARK] = call_mark,
	[PLINTH_EXIT] = call_exit,           [PLINTH_TSC_HZ] = call_tsc_hz,
	[PLINTH_INTERRUPT] = call_interrupt, [PLINTH_NMI] = call_nmi,
	[PLINTH_EXIT_COUNT] = call_exit_count, [PLINTH_DEAR_COUNT] = call_dear_count,
	[PLINTH_WATCHDOG] = call_watchdog,
};
/* clang-format on */

static inline uint64_t call(struct vcpu *vcpu, uint32_t number, uint64_t argument)
{
	uint64_t result = PLINTH_ENOSYS;

	if (unlikely(vcpu_records(vcpu))) {
		vcpu->record->qualification = number;
		vcpu->record->detail[0] = argument;
	}
	if (likely(number < ARRAY_COUNT(calls)))
		result = calls[number](vcpu, argument);
	if (unlikely(vcpu_records(vcpu)))
		vcpu->record->detail[1] = result;
	return result;
}

/* Outside IA-32e mode the registers of the call have 32 bits. */
static __attribute__((noinline, cold)) void call_narrow(struct vcpu *vcpu)
{
	vcpu->regs.rax = (uint32_t)call(vcpu, (uint32_t)vcpu->regs.rax, (uint32_t)vcpu->regs.rbx);
}

enum outcome vcpu_hypercall(struct vcpu *vcpu)
{
	if (likely(vcpu->mode == MODE_LONG))
		vcpu->regs.rax = call(vcpu, (uint32_t)vcpu->regs.rax, vcpu->regs.rbx);
	else
		call_narrow(vcpu);
	return OUTCOME_NEXT;
}
