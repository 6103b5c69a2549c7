/* SPDX-License-Identifier: BSD-2-Clause */
/* The trace of a run: what is recorded for which options, and the way out through a simulated
 * second serial port. */
/* UNITS: trace/trace.c trace/classes.c trace/ring.c trace/stream.c trace/top.c kernel/uart.c */
/* UNITS: kernel/format.c arch/x86_64/cpuid.c arch/x86_64/msr.c tests/fake/uart.c */
/* UNITS: tests/fake/physical.c tests/fake/direct_map.c tests/fake/log.c tests/fake/error.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include "arch/x86_64/instructions.h"
#include "arch/x86_64/vmx.h"
#include "kernel/console.h"
#include "kernel/time.h"
#include "kernel/uart.h"
#include "tests/fake/log.h"
#include "tests/fake/physical.h"
#include "tests/fake/uart.h"
#include "tests/fake/unstuff.h"
#include "trace/stream.h"
#include "trace/trace.h"

#define MS 1000000ull

uint64_t console_poll_at;
static bool end_requested;

void console_poll_now(uint64_t now)
{
	(void)now;
}

bool console_end_requested(void)
{
	return end_requested;
}

uint64_t time_now(void)
{
	return fake_machine.tsc;
}

uint64_t time_frequency(void)
{
	return 1000000000;
}

static struct trace_options options;

static int setup(void **state)
{
	(void)state;
	fake_uart_reset();
	fake_uart.port = UART_COM2;
	fake_physical_reset();
	fake_log_reset();
	trace_reset();
	end_requested = false;
	options = (struct trace_options){
		.classes = "none",
		.records = 64,
		.console_port = UART_COM1,
		.command_line = "test",
	};
	return 0;
}

static void start(const char *classes, enum trace_output output)
{
	options.classes = classes;
	options.output = output;
	trace_start(&options, 1);
}

static void exits(unsigned count)
{
	struct exit_ring *ring = trace_ring(0);

	while (count--) {
		uint64_t n = ring->head;

		*ring_next(ring) = (struct exit_record){.tsc_exit = 1000 * n,
							.tsc_entry = 1000 * n + 200,
							.reason = VMX_EXIT_CPUID,
							.rip = n};
	}
}

/* --- What is recorded. --- */

static void by_default_all_is_kept_and_none_shown(void **state)
{
	(void)state;
	start("none", TRACE_CONSOLE);
	for (unsigned i = 0; i < EXIT_REASONS; i++) {
		assert_int_equal(trace_by_reason()[i], TRACE_RECORD);
		assert_false(trace_chooses(i));
	}
	assert_non_null(trace_ring(0));
	assert_null(trace_ring(1));
	assert_int_equal(trace_ring(0)->mask, 63);
	assert_int_equal(trace_ring(0)->tsc_hz, 1000000000);
	assert_memory_equal(trace_ring(0)->command_line, "test", 4);
}

static void the_console_shows_what_is_chosen(void **state)
{
	(void)state;
	start("cpuid,msr+cpl", TRACE_CONSOLE);
	assert_int_equal(trace_by_reason()[VMX_EXIT_CPUID], TRACE_RECORD | TRACE_SHOW);
	assert_int_equal(trace_by_reason()[VMX_EXIT_RDMSR], TRACE_RECORD | TRACE_SHOW | TRACE_CPL);
	assert_int_equal(trace_by_reason()[VMX_EXIT_HLT], TRACE_RECORD);
	assert_true(trace_chooses(VMX_EXIT_RDMSR));
	assert_false(trace_chooses(VMX_EXIT_HLT));
}

static void elsewhere_only_what_is_chosen_is_recorded(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		trace_reset();
		start("cpuid,msr+cpl", i ? TRACE_COM2 : TRACE_RING);
		assert_int_equal(trace_by_reason()[VMX_EXIT_CPUID], TRACE_RECORD);
		assert_int_equal(trace_by_reason()[VMX_EXIT_RDMSR], TRACE_RECORD | TRACE_CPL);
		assert_int_equal(trace_by_reason()[VMX_EXIT_HLT], 0);
	}
	/* Where nothing is chosen the last exits of the dead are. */
	trace_reset();
	start("none", TRACE_RING);
	assert_int_equal(trace_by_reason()[VMX_EXIT_HLT], TRACE_RECORD);
	assert_int_equal(fake_log_matches("error") + fake_log_matches("warning"), 0);
}

static void without_records_there_is_no_trace(void **state)
{
	(void)state;
	options.records = 0;
	start("none", TRACE_CONSOLE);
	assert_null(trace_ring(0));
	assert_int_equal(fake_log_count(), 0);
	trace_reset();
	start("all", TRACE_CONSOLE);
	assert_null(trace_ring(0));
	assert_true(
		fake_log_contains("no exits are traced, as records=0 keeps no records of them"));
	assert_false(trace_chooses(VMX_EXIT_EXCEPTION_OR_NMI));
	/* All of these do nothing then. */
	trace_poll();
	assert_false(trace_is_waiting());
	trace_report("vm", 0, 0);
	trace_finish();
}

static void a_wrong_class_is_told(void **state)
{
	(void)state;
	start("cpuid,teapot", TRACE_CONSOLE);
	assert_true(fake_log_contains("error: trace=: there is no class \"teapot\""));
	assert_true(trace_chooses(VMX_EXIT_CPUID));
}

static void each_cpu_has_a_ring(void **state)
{
	(void)state;
	trace_start(&options, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(trace_ring(i)->cpu, i);
	assert_null(trace_ring(3));
	/* Without memory for all, the first ones have one. */
	trace_reset();
	fake_physical_reset();
	fake_physical_left = 2 * ((ring_bytes(64) + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1));
	trace_start(&options, 3);
	assert_non_null(trace_ring(1));
	assert_null(trace_ring(2));
	assert_true(fake_log_contains("error: trace: CPU 2: no memory for 64 exit records"));
}

/* --- The way out. --- */

static struct unstuffed seen;

/* Frames of a type in what came through. All must be whole. */
static unsigned frames(enum frame_type type)
{
	const uint8_t *bytes = (const uint8_t *)fake_uart.output;
	unsigned count = 0;

	for (size_t at = 0; at < fake_uart.output_size;) {
		const uint8_t *end = memchr(bytes + at, 0, fake_uart.output_size - at);

		if (!end)
			break;
		if (end > bytes + at) {
			assert_true(unstuff(bytes + at, (size_t)(end - bytes) - at, &seen));
			count += seen.bytes[0] == type;
		}
		at = (size_t)(end - bytes) + 1;
	}
	return count;
}

static void records_come_out_at_heartbeats(void **state)
{
	(void)state;
	start("all", TRACE_COM2);
	assert_int_equal(fake_uart.divisor, 1);
	exits(20);
	trace_ring(0)->running = 1;
	assert_true(trace_is_waiting());
	for (unsigned ms = 0; ms < 200 && trace_is_waiting(); ms++) {
		uint64_t before = fake_machine.tsc;

		trace_poll();
		/* A few accesses of the port, and no waiting. */
		assert_true(fake_machine.tsc - before < MS / 2);
		fake_uart_run(MS / 2);
	}
	fake_uart_run(10 * MS);
	assert_false(trace_is_waiting());
	assert_int_equal(fake_uart.output[0], 0);
	assert_int_equal(frames(FRAME_HEADER), 1);
	assert_int_equal(frames(FRAME_RECORD), 19); /* the last exit is not over */
	assert_int_equal(fake_uart.overflows, 0);
	trace_ring(0)->running = 0;
	trace_finish();
	assert_int_equal(frames(FRAME_RECORD), 20);
	assert_int_equal(frames(FRAME_END), 1);
	assert_true(fake_log_contains("bytes to COM2, no record was lost"));
}

static void the_rest_comes_at_the_end(void **state)
{
	(void)state;
	options.records = 1024;
	start("all", TRACE_COM2);
	exits(1500);
	trace_finish();
	assert_int_equal(frames(FRAME_RECORD), 1024);
	assert_int_equal(frames(FRAME_END), 1);
	assert_true(fake_log_contains(
		"trace: the rest of the records takes about 3 s to COM2; Ctrl-A X ends that"));
	assert_true(fake_log_contains(
		"to COM2; 476 records were lost, as they came faster than it sends"));
}

static void the_user_need_not_wait(void **state)
{
	(void)state;
	start("all", TRACE_COM2);
	exits(64);
	end_requested = true;
	trace_finish();
	assert_true(fake_machine.tsc < 10 * MS);
	assert_true(fake_log_contains("warning: trace: 64 records were not sent to COM2"));
}

static void a_port_that_stands_still(void **state)
{
	(void)state;
	start("all", TRACE_COM2);
	fake_uart.is_dead = true;
	exits(64);
	for (unsigned i = 0; i < 100; i++)
		trace_poll();
	assert_true(fake_machine.tsc < 100 * MS);
	trace_finish();
	assert_in_range(fake_machine.tsc, 1000 * MS, 1200 * MS);
	assert_true(fake_log_contains("records were not sent to COM2"));
}

static void no_port(void **state)
{
	(void)state;
	fake_uart.is_absent = true;
	start("all", TRACE_COM2);
	assert_true(fake_log_contains(
		"error: trace.out=com2: no serial port answers at I/O port 0x2f8; the records are "
		"kept in memory only"));
	assert_non_null(trace_ring(0));
	exits(3);
	trace_poll();
	assert_false(trace_is_waiting());
	trace_finish();
	assert_int_equal(fake_uart.output_size, 0);
}

static void the_console_has_the_port(void **state)
{
	(void)state;
	options.console_port = UART_COM2;
	start("all", TRACE_COM2);
	assert_true(fake_log_contains("trace.out=com2: the console is there already"));
	exits(3);
	trace_finish();
	assert_int_equal(fake_uart.output_size, 0);
}

static void cpus_take_turns(void **state)
{
	unsigned from[3] = {0};
	const uint8_t *bytes = (const uint8_t *)fake_uart.output;

	(void)state;
	options.classes = "all";
	options.output = TRACE_COM2;
	trace_start(&options, 3);
	for (unsigned cpu = 0; cpu < 3; cpu++)
		for (unsigned i = 0; i < 10 + cpu; i++)
			*ring_next(trace_ring(cpu)) =
				(struct exit_record){.tsc_exit = 1, .tsc_entry = 2};
	trace_finish();
	for (size_t at = 0; at < fake_uart.output_size;) {
		size_t length = strlen((const char *)bytes + at);

		if (length) {
			assert_true(unstuff(bytes + at, length, &seen));
			from[seen.bytes[1]] += seen.bytes[0] == FRAME_RECORD;
		}
		at += length + 1;
	}
	assert_int_equal(from[0], 10);
	assert_int_equal(from[1], 11);
	assert_int_equal(from[2], 12);
	assert_int_equal(frames(FRAME_END), 3);
}

/* --- The end of a VM. --- */

static void what_is_told_at_the_end(void **state)
{
	(void)state;
	start("none", TRACE_CONSOLE);
	fake_log_reset();
	trace_report("vm", 0, 0);
	assert_int_equal(fake_log_count(), 0);
	ring_vm_started(trace_ring(0), 0, 0, "vm", 5);
	exits(10);
	trace_report("vm", 0, 0);
	assert_string_equal(fake_log_text(0), "plinth[vm]: 10 exits were recorded:");
	assert_true(fake_log_contains("  top leaves  0.0 x10"));
	fake_log_reset();
	exits(90);
	trace_report("vm", 0, 0);
	assert_string_equal(fake_log_text(0), "plinth[vm]: 100 exits were recorded, the last 64 "
					      "are kept (records=N keeps more):");
	trace_report("vm", 0, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(by_default_all_is_kept_and_none_shown, setup),
		cmocka_unit_test_setup(the_console_shows_what_is_chosen, setup),
		cmocka_unit_test_setup(elsewhere_only_what_is_chosen_is_recorded, setup),
		cmocka_unit_test_setup(without_records_there_is_no_trace, setup),
		cmocka_unit_test_setup(a_wrong_class_is_told, setup),
		cmocka_unit_test_setup(each_cpu_has_a_ring, setup),
		cmocka_unit_test_setup(records_come_out_at_heartbeats, setup),
		cmocka_unit_test_setup(the_rest_comes_at_the_end, setup),
		cmocka_unit_test_setup(the_user_need_not_wait, setup),
		cmocka_unit_test_setup(a_port_that_stands_still, setup),
		cmocka_unit_test_setup(no_port, setup),
		cmocka_unit_test_setup(the_console_has_the_port, setup),
		cmocka_unit_test_setup(cpus_take_turns, setup),
		cmocka_unit_test_setup(what_is_told_at_the_end, setup),
	};

	return cmocka_run_group_tests_name("the trace of a run", tests, NULL, NULL);
}
