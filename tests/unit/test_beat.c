/* SPDX-License-Identifier: BSD-2-Clause */
/* The beat: what it sees to, whom it kicks, and the timer of a processor that sleeps. */
/* UNITS: kernel/beat.c kernel/ipi.c kernel/tlb.c tests/fake/cpus.c tests/fake/log.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/x86_64/bits.h"
#include "arch/x86_64/instructions.h"
#include "kernel/beat.h"
#include "kernel/console.h"
#include "kernel/ipi.h"
#include "kernel/local_apic.h"
#include "kernel/time.h"
#include "kernel/tlb.h"
#include "kernel/traps.h"
#include "tests/fake/cpus.h"
#include "tests/fake/log.h"

uint64_t console_poll_at;
static uint64_t polled_at;
static bool end_requested, has_apic;
static struct {
	uint32_t apic_id, command;
} sent[8];
static unsigned sent_count, slept;
static trap_handler_fn *handlers[256];
static uint32_t divide, timer, count_left, started_with;

void console_poll_now(uint64_t now)
{
	polled_at = now;
}

bool console_end_requested(void)
{
	return end_requested;
}

bool local_apic_is_started(void)
{
	return has_apic;
}

bool local_apic_send(uint32_t apic_id, uint32_t command)
{
	sent[sent_count].apic_id = apic_id;
	sent[sent_count++].command = command;
	return true;
}

uint32_t local_apic_read(uint32_t offset)
{
	assert_int_equal(offset, APIC_CURRENT_COUNT);
	return count_left;
}

void local_apic_write(uint32_t offset, uint32_t value)
{
	if (offset == APIC_DIVIDE)
		divide = value;
	else if (offset == APIC_LVT_TIMER)
		timer = value;
	else if (offset == APIC_INITIAL_COUNT)
		count_left = value;
	else
		fail();
}

void trap_set_handler(unsigned vector, trap_handler_fn *handler)
{
	handlers[vector] = handler;
}

uint64_t time_now(void)
{
	return fake_machine.tsc;
}

uint64_t time_frequency(void)
{
	return 1000000000;
}

void time_delay_us(uint64_t us)
{
	fake_machine.tsc += us * 1000;
	if (count_left)
		count_left -= (uint32_t)us * 3;
	/* The stopped say so meanwhile. */
	for (unsigned i = 0; i < sent_count; i++)
		if (sent[i].command == IPI_NMI)
			cpu_by_number(sent[i].apic_id / 2)->stopped = true;
}

uint32_t cpu_apic_id(void)
{
	return this_cpu()->cpuid_id;
}

static void sleeping(void)
{
	slept++;
	started_with = count_left;
	assert_int_equal(timer, VECTOR_TIMER);
	assert_true(fake_machine.rflags & 0x200);
	fake_machine.tsc += 1000000;
	handlers[VECTOR_TIMER](VECTOR_TIMER);
}

static int setup(void **state)
{
	(void)state;
	fake_machine_reset();
	fake_log_reset();
	fake_cpus_start(3);
	fake_machine.hlt = sleeping;
	console_poll_at = polled_at = 0;
	sent_count = slept = 0;
	has_apic = true;
	end_requested = false;
	ipi_start();
	return 0;
}

static void a_beat(void **state)
{
	uint64_t mark;

	(void)state;
	fake_cpu_become(1);
	mark = tlb_mark();
	fake_cpu_become(0);
	beat(5000);
	assert_int_equal(polled_at, 5000);
	assert_int_equal(fake_cpus[0].tlb_passed, mark);
	assert_int_equal(sent_count, 0);
	fake_cpus[0].nmi_pending = true;
	fake_cpus[0].nmi_count = 3;
	beat(6000);
	assert_false(fake_cpus[0].nmi_pending);
	assert_true(fake_log_contains("an NMI came to CPU 0; 3 so far"));
}

static void a_kick_brings_the_beat_forward(void **state)
{
	uint64_t deadline = 77;

	(void)state;
	ipi_kick(&fake_cpus[0]);
	assert_int_equal(sent_count, 0);
	ipi_kick(&fake_cpus[2]);
	assert_int_equal(sent_count, 1);
	assert_int_equal(sent[0].apic_id, 4);
	assert_int_equal(sent[0].command, VECTOR_KICK);
	handlers[VECTOR_KICK](VECTOR_KICK);
	fake_cpus[0].deadline = &deadline;
	handlers[VECTOR_KICK](VECTOR_KICK);
	assert_int_equal(deadline, 0);
}

static void sleep_lasts_a_beat(void **state)
{
	(void)state;
	beat_sleep();
	assert_int_equal(slept, 1);
	assert_int_equal(divide, 3);
	assert_int_equal(started_with, 3000);
	assert_true(timer & BIT32(16));
	assert_int_equal(count_left, 0);
	assert_int_equal(polled_at, fake_machine.tsc);
	assert_false(fake_machine.rflags & 0x200);
	/* The rate is measured once. */
	fake_machine.tsc = 0;
	beat_sleep();
	assert_int_equal(fake_machine.tsc, 1000000);

	/* Without a local APIC time passes as well. */
	has_apic = false;
	beat_sleep();
	assert_int_equal(slept, 2);
	assert_int_equal(polled_at, 2000000);
}

static void the_wish_for_an_end_is_passed_on_once(void **state)
{
	(void)state;
	end_requested = true;
	fake_cpu_become(1);
	beat(1);
	assert_int_equal(sent_count, 2);
	assert_int_equal(sent[0].apic_id, 0);
	assert_int_equal(sent[1].apic_id, 4);
	beat(2);
	fake_cpu_become(0);
	beat(3);
	assert_int_equal(sent_count, 2);
}

/* The last test: who stops the others is known for good. */
static void a_panic_stops_the_others(void **state)
{
	uint64_t start = fake_machine.tsc;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		fake_cpus[i].cpuid_id = 10 + i;
	fake_cpu_become(1);
	ipi_check_stop();
	assert_true(ipi_stop_others());
	assert_int_equal(sent_count, 2);
	assert_int_equal(sent[0].command, IPI_NMI);
	assert_int_equal(sent[0].apic_id, 0);
	assert_int_equal(sent[1].apic_id, 4);
	assert_true(fake_machine.tsc - start < 1000000);
	assert_false(fake_cpus[1].stopped);
	/* A second panic on the same processor goes on, one on another does not. */
	ipi_check_stop();
	assert_true(ipi_stop_others());
	assert_int_equal(sent_count, 2);
	fake_cpu_become(2);
	assert_false(ipi_stop_others());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_beat, setup),
		cmocka_unit_test_setup(a_kick_brings_the_beat_forward, setup),
		cmocka_unit_test_setup(sleep_lasts_a_beat, setup),
		cmocka_unit_test_setup(the_wish_for_an_end_is_passed_on_once, setup),
		cmocka_unit_test_setup(a_panic_stops_the_others, setup),
	};

	return cmocka_run_group_tests_name("beat", tests, NULL, NULL);
}
