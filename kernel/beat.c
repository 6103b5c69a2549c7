/* SPDX-License-Identifier: BSD-2-Clause */
/* The beat of the host, and the local APIC's timer that keeps it while a processor sleeps. */
#include "kernel/beat.h"

#include <stdbool.h>

#include "arch/x86_64/bits.h"
#include "arch/x86_64/instructions.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/ipi.h"
#include "kernel/local_apic.h"
#include "kernel/log.h"
#include "kernel/time.h"
#include "kernel/tlb.h"
#include "kernel/traps.h"

#define DIVIDE_BY_16  0x3u
#define MEASURE_US    1000u
#define MEASURE_COUNT UINT32_MAX

/* Ticks of the local APIC's timer a beat: the same for all processors, which have one bus clock. 0:
 * not known yet. */
static uint32_t beat_ticks;

static void tell_nmi(struct cpu *cpu)
{
	__atomic_store_n(&cpu->nmi_pending, false, __ATOMIC_RELAXED);
	log_warn("an NMI came to CPU %u; %lu so far", cpu->index, cpu->nmi_count);
}

/* The user wants the end: the guests on other processors shall not go on for another beat. */
static void pass_end_on(void)
{
	static bool is_passed_on;

	if (!__atomic_exchange_n(&is_passed_on, true, __ATOMIC_RELAXED))
		ipi_kick_others();
}

void beat(uint64_t now)
{
	struct cpu *cpu = this_cpu();

	console_poll(now);
	tlb_catch_up();
	if (unlikely(__atomic_load_n(&cpu->nmi_pending, __ATOMIC_RELAXED)))
		tell_nmi(cpu);
	if (unlikely(console_end_requested()))
		pass_end_on();
}

static void ignore(unsigned vector)
{
	(void)vector;
}

/* The timer runs with the bus or a crystal, and nothing tells at what rate. */
static void measure(void)
{
	uint32_t passed;

	trap_set_handler(VECTOR_TIMER, ignore);
	local_apic_write(APIC_DIVIDE, DIVIDE_BY_16);
	local_apic_write(APIC_LVT_TIMER, APIC_LVT_MASKED | VECTOR_TIMER);
	local_apic_write(APIC_INITIAL_COUNT, MEASURE_COUNT);
	time_delay_us(MEASURE_US);
	passed = MEASURE_COUNT - local_apic_read(APIC_CURRENT_COUNT);
	local_apic_write(APIC_INITIAL_COUNT, 0);
	passed = (uint32_t)((uint64_t)passed * BEAT_US / MEASURE_US);
	__atomic_store_n(&beat_ticks, passed ? passed : 1, __ATOMIC_RELAXED);
}

void beat_sleep(void)
{
	if (!local_apic_is_started()) {
		time_delay_us(BEAT_US);
		beat(time_now());
		return;
	}
	if (!__atomic_load_n(&beat_ticks, __ATOMIC_RELAXED))
		measure();
	local_apic_write(APIC_DIVIDE, DIVIDE_BY_16);
	local_apic_write(APIC_LVT_TIMER, VECTOR_TIMER);
	local_apic_write(APIC_INITIAL_COUNT, beat_ticks);
	sti_hlt();
	cli();
	local_apic_write(APIC_LVT_TIMER, APIC_LVT_MASKED | VECTOR_TIMER);
	local_apic_write(APIC_INITIAL_COUNT, 0);
	beat(time_now());
}
