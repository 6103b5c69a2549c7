/* SPDX-License-Identifier: BSD-2-Clause */
/* Kicks by a fixed interrupt; stops by NMI, which no processor can hold off. */
#include "kernel/ipi.h"

#include "arch/x86_64/instructions.h"
#include "kernel/local_apic.h"
#include "kernel/time.h"
#include "kernel/traps.h"

/* How long a panic waits for the other processors. */
#define STOP_WAIT_US 20000u
#define STOP_STEP_US 10u

/* The processor that stops the others: its APIC ID by CPUID, + 1; 0: none. */
static uint64_t stopper;

/* The beat of the vCPU that runs here is due at once. */
static void take_kick(unsigned vector)
{
	struct cpu *cpu = this_cpu();

	(void)vector;
	if (cpu->deadline)
		*cpu->deadline = 0;
}

void ipi_start(void)
{
	trap_set_handler(VECTOR_KICK, take_kick);
}

void ipi_kick(const struct cpu *cpu)
{
	/* What does not arrive comes with the other's next beat. */
	if (cpu != this_cpu())
		(void)local_apic_send(cpu->apic_id, IPI_FIXED | VECTOR_KICK);
}

void ipi_kick_others(void)
{
	for (unsigned i = 0; i < cpu_count(); i++)
		ipi_kick(cpu_by_number(i));
}

NORETURN void ipi_stop_here(void)
{
	this_cpu()->stopped = true;
	for (;;) {
		cli();
		hlt();
	}
}

void ipi_check_stop(void)
{
	uint64_t by = __atomic_load_n(&stopper, __ATOMIC_ACQUIRE);

	if (by && by != this_cpu()->cpuid_id + 1ull)
		ipi_stop_here();
}

static bool all_stopped(uint32_t own)
{
	for (unsigned i = 0; i < cpu_count(); i++) {
		const struct cpu *cpu = cpu_by_number(i);

		if (cpu->cpuid_id != own && !__atomic_load_n(&cpu->stopped, __ATOMIC_ACQUIRE))
			return false;
	}
	return true;
}

bool ipi_stop_others(void)
{
	uint32_t own = cpu_apic_id();
	uint64_t nobody = 0, me = own + 1ull;

	if (!__atomic_compare_exchange_n(&stopper, &nobody, me, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST))
		return nobody == me;
	for (unsigned i = 0; i < cpu_count(); i++) {
		const struct cpu *cpu = cpu_by_number(i);

		if (cpu->cpuid_id != own)
			(void)local_apic_send(cpu->apic_id, IPI_NMI);
	}
	for (unsigned us = 0; us < STOP_WAIT_US && !all_stopped(own); us += STOP_STEP_US)
		time_delay_us(STOP_STEP_US);
	return true;
}
