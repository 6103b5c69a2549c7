/* SPDX-License-Identifier: BSD-2-Clause */
/* Hands work to processors that sleep in HLT, and wakes them by a kick. */
#include "kernel/cpu_work.h"

#include <stddef.h>

#include "arch/x86_64/instructions.h"
#include "kernel/ipi.h"
#include "kernel/time.h"
#include "kernel/tlb.h"

#define DO_WAIT_US 1000000u
#define DO_STEP_US 10u

void cpu_work_give(struct cpu *cpu, void (*function)(void *), void *argument)
{
	cpu->work_argument = argument;
	__atomic_store_n(&cpu->work, function, __ATOMIC_SEQ_CST);
	ipi_kick(cpu);
}

bool cpu_work_is_under_way(const struct cpu *cpu)
{
	return __atomic_load_n(&cpu->work, __ATOMIC_ACQUIRE) != NULL;
}

err_t cpu_work_do(struct cpu *cpu, void (*function)(void *), void *argument)
{
	cpu_work_give(cpu, function, argument);
	for (unsigned us = 0; us < DO_WAIT_US; us += DO_STEP_US) {
		if (!cpu_work_is_under_way(cpu))
			return NULL;
		time_delay_us(DO_STEP_US);
	}
	return cpu_work_is_under_way(cpu) ? error("CPU %u does not answer", cpu->index) : NULL;
}

/* Interrupts come while it sleeps, and only then: a kick between the look and HLT waits for HLT. */
static void sleep(void)
{
	tlb_park();
	if (!cpu_work_is_under_way(this_cpu()))
		sti_hlt();
	cli();
	tlb_unpark();
}

void cpu_work_loop(void)
{
	struct cpu *cpu = this_cpu();

	for (;;) {
		while (!cpu_work_is_under_way(cpu))
			sleep();
		cpu->work(cpu->work_argument);
		__atomic_store_n(&cpu->work, NULL, __ATOMIC_RELEASE);
		/* Whoever waits for it may sleep as well. */
		ipi_kick(cpu_by_number(0));
	}
}
