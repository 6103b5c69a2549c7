/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel/uart.c on a simulated 16550: working, old, slow, dead, absent. */
/* UNITS: kernel/uart.c tests/fake/uart.c tests/fake/error.c */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/instructions.h"
#include "kernel/uart.h"
#include "tests/fake/uart.h"

#define SECOND 1000000000ull

static struct uart uart;

static int setup(void **state)
{
	(void)state;
	fake_uart_reset();
	memset(&uart, 0, sizeof(uart));
	return 0;
}

static void assert_output(const char *wanted)
{
	assert_int_equal(fake_uart.output_size, strlen(wanted));
	assert_memory_equal(fake_uart.output, wanted, strlen(wanted));
}

static void test_sets_up(void **state)
{
	(void)state;
	fake_uart.ier = 0x0f;
	assert_null(uart_init(&uart, 0x3f8, 115200));
	assert_true(uart.present);
	assert_int_equal(uart.fifo_depth, 16);
	assert_int_equal(fake_uart.divisor, 1);
	assert_int_equal(fake_uart.lcr, 0x03);
	assert_int_equal(fake_uart.ier, 0);
	assert_int_equal(fake_uart.fcr & 1, 1);
	assert_int_equal(fake_uart.mcr, 0x0b);

	assert_null(uart_init(&uart, 0x3f8, 9600));
	assert_int_equal(fake_uart.divisor, 12);
	assert_null(uart_init(&uart, 0x3f8, 50));
	assert_int_equal(fake_uart.divisor, 2304);
}

static void test_refuses_bad_settings(void **state)
{
	static const uint32_t bauds[] = {0, 1, 7, 115201, 230400, 100000, 0xffffffff};

	(void)state;
	for (unsigned i = 0; i < sizeof(bauds) / sizeof(bauds[0]); i++) {
		assert_non_null(uart_init(&uart, 0x3f8, bauds[i]));
		assert_false(uart.present);
	}
	assert_non_null(uart_init(&uart, 0, 115200));
	assert_non_null(uart_init(&uart, 0xffff, 115200));
	assert_int_equal(fake_uart.accesses, 0);
}

static void test_absent(void **state)
{
	err_t e;

	(void)state;
	fake_uart.is_absent = true;
	e = uart_init(&uart, 0x3f8, 115200);
	assert_string_equal(e, "no serial port answers at I/O port 0x3f8");
	assert_false(uart.present);
	assert_int_equal(uart_try_write(&uart, "abc", 3), 0);
	assert_int_equal(uart_try_read(&uart), -1);
	assert_true(uart_flush(&uart));

	/* Ports that read as zeros, or as what was written last, are none either. */
	fake_uart_reset();
	fake_uart.has_no_scratch = true;
	fake_uart.has_no_loopback = true;
	assert_non_null(uart_init(&uart, 0x3f8, 115200));
}

static void test_old_ones_are_found(void **state)
{
	(void)state;
	fake_uart.has_no_scratch = true;
	fake_uart.has_no_fifo = true;
	fake_uart.mcr = 0x03;
	assert_null(uart_init(&uart, 0x3f8, 115200));
	assert_int_equal(uart.fifo_depth, 1);
	assert_int_equal(uart_try_write(&uart, "abc", 3), 1);

	fake_uart_reset();
	fake_uart.has_no_loopback = true;
	assert_null(uart_init(&uart, 0x3f8, 115200));
	assert_int_equal(uart.fifo_depth, 16);
}

static void test_vanishes(void **state)
{
	(void)state;
	assert_null(uart_init(&uart, 0x3f8, 115200));
	fake_uart.is_absent = true;
	assert_int_equal(uart_try_write(&uart, "abc", 3), 0);
	assert_int_equal(uart_try_read(&uart), -1);
	assert_false(uart_flush(&uart));
	assert_int_equal(uart.input_overruns, 0);
}

static void test_writes_by_fifos(void **state)
{
	static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	size_t done = 0;

	(void)state;
	assert_null(uart_init(&uart, 0x3f8, 115200));
	assert_int_equal(uart_try_write(&uart, text, 0), 0);
	for (unsigned i = 0; i < 1000 && done < sizeof(text) - 1; i++) {
		size_t count = uart_try_write(&uart, text + done, sizeof(text) - 1 - done);

		assert_true(count <= 16);
		done += count;
		fake_uart_run(10000);
	}
	assert_true(uart_flush(&uart));
	assert_output(text);
	assert_int_equal(fake_uart.overflows, 0);
}

static void test_never_waits_to_write(void **state)
{
	(void)state;
	assert_null(uart_init(&uart, 0x3f8, 115200));
	assert_int_equal(uart_try_write(&uart, "0123456789abcdefgh", 18), 16);
	/* The first byte went on at once; still the FIFO is not empty. */
	for (unsigned i = 0; i < 100; i++) {
		unsigned accesses = fake_uart.accesses;

		assert_int_equal(uart_try_write(&uart, "xyz", 3), 0);
		assert_int_equal(fake_uart.accesses, accesses + 1);
	}
}

static void test_flush_waits_for_the_last_bit(void **state)
{
	(void)state;
	assert_null(uart_init(&uart, 0x3f8, 9600));
	assert_int_equal(uart_try_write(&uart, "0123456789abcdef", 16), 16);
	assert_true(uart_flush(&uart));
	assert_output("0123456789abcdef");
}

static void test_flush_of_a_dead_one_ends(void **state)
{
	uint64_t start;

	(void)state;
	assert_null(uart_init(&uart, 0x3f8, 115200));
	fake_uart.is_dead = true;
	start = fake_machine.tsc;
	assert_int_equal(uart_try_write(&uart, "abc", 3), 3);
	assert_false(uart_flush(&uart));
	assert_true(fake_machine.tsc - start < SECOND);
}

/* On a machine with fast ports and a slow line the bound must not come too early. */
static void test_flush_is_patient_enough(void **state)
{
	static const uint32_t bauds[] = {115200, 9600, 1200};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		fake_uart_reset();
		fake_uart.access_ticks = 20;
		assert_null(uart_init(&uart, 0x3f8, bauds[i]));
		assert_int_equal(uart_try_write(&uart, "0123456789abcdef", 16), 16);
		assert_true(uart_flush(&uart));
		assert_output("0123456789abcdef");
	}
}

static void test_a_new_speed_garbles_nothing(void **state)
{
	(void)state;
	assert_null(uart_init(&uart, 0x3f8, 9600));
	assert_int_equal(uart_try_write(&uart, "0123456789abcdef", 16), 16);
	assert_null(uart_init(&uart, 0x3f8, 115200));
	assert_int_equal(fake_uart.garbled, 0);
	assert_output("0123456789abcdef");
}

static void test_reads(void **state)
{
	(void)state;
	assert_null(uart_init(&uart, 0x3f8, 115200));
	assert_int_equal(uart_try_read(&uart), -1);
	fake_uart_receive("a\xff\0b", 4);
	assert_int_equal(uart_try_read(&uart), 'a');
	assert_int_equal(uart_try_read(&uart), 0xff);
	assert_int_equal(uart_try_read(&uart), 0);
	assert_int_equal(uart_try_read(&uart), 'b');
	assert_int_equal(uart_try_read(&uart), -1);

	/* A break is no input. */
	fake_uart_receive("\0c", 2);
	fake_uart.sends_break = true;
	assert_int_equal(uart_try_read(&uart), -1);
	assert_int_equal(uart_try_read(&uart), 'c');

	fake_uart.was_overrun = true;
	assert_int_equal(uart_try_read(&uart), -1);
	assert_int_equal(uart.input_overruns, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_sets_up, setup),
		cmocka_unit_test_setup(test_refuses_bad_settings, setup),
		cmocka_unit_test_setup(test_absent, setup),
		cmocka_unit_test_setup(test_old_ones_are_found, setup),
		cmocka_unit_test_setup(test_vanishes, setup),
		cmocka_unit_test_setup(test_writes_by_fifos, setup),
		cmocka_unit_test_setup(test_never_waits_to_write, setup),
		cmocka_unit_test_setup(test_flush_waits_for_the_last_bit, setup),
		cmocka_unit_test_setup(test_flush_of_a_dead_one_ends, setup),
		cmocka_unit_test_setup(test_flush_is_patient_enough, setup),
		cmocka_unit_test_setup(test_a_new_speed_garbles_nothing, setup),
		cmocka_unit_test_setup(test_reads, setup),
	};

	return cmocka_run_group_tests_name("uart", tests, NULL, NULL);
}
