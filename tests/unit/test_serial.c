/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's UART, as drivers probe and use it. */
/* UNITS: devices/serial.c vcpu/bus.c tests/fake/devices.c tests/fake/log.c tests/fake/error.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "devices/serial.h"
#include "tests/fake/devices.h"
#include "tests/fake/log.h"

enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR, FCR = IIR };

static struct serial serial;
static bool irq_level;
static unsigned irq_changes;

static uint8_t in(unsigned number)
{
	return fake_in8((uint16_t)(SERIAL_COM1 + number));
}

static void out(unsigned number, unsigned value)
{
	fake_out8((uint16_t)(SERIAL_COM1 + number), (uint8_t)value);
}

static void set_irq(void *context, bool level)
{
	assert_ptr_equal(context, &serial);
	irq_level = level;
	irq_changes++;
}

static int setup(void **state)
{
	(void)state;
	fake_devices_reset();
	fake_log_reset();
	irq_level = false;
	irq_changes = 0;
	assert_null(serial_create(&serial, &fake_vm.bus, "com1", SERIAL_COM1, &fake_console));
	serial.set_irq = set_irq;
	serial.irq_context = &serial;
	return 0;
}

static void prints_as_a_driver_does(void **state)
{
	(void)state;
	const char *text = "memtest\r\n\x1b[1;1H\x80\xff";

	out(IER, 0);
	out(LCR, 0x80);
	out(DATA, 1);
	out(IER, 0);
	out(LCR, 0x03);
	out(FCR, 0xc7);
	out(MCR, 0x0b);
	for (const char *c = text; *c; c++) {
		assert_int_equal(in(LSR)&0x60, 0x60);
		out(DATA, (uint8_t)*c);
	}
	assert_int_equal(fake_output_size, strlen(text));
	assert_memory_equal(fake_output, text, strlen(text));
}

static void divisor_hides_behind_dlab(void **state)
{
	(void)state;
	out(IER, 0x05);
	out(LCR, 0x83);
	out(DATA, 0x34);
	out(IER, 0x12);
	assert_int_equal(in(DATA), 0x34);
	assert_int_equal(in(IER), 0x12);
	assert_int_equal(fake_output_size, 0);
	out(LCR, 0x03);
	assert_int_equal(in(LCR), 0x03);
	assert_int_equal(in(IER), 0x05);
}

/* What Linux's 8250 driver does to find the port and its type. */
static void linux_finds_a_16550a(void **state)
{
	(void)state;
	out(IER, 0);
	assert_int_equal(in(IER)&0x0f, 0);
	out(IER, 0x0f);
	assert_int_equal(in(IER), 0x0f); /* and none of the bits of extended chips */
	out(IER, 0);

	out(MCR, 0x10 | 0x0a);
	assert_int_equal(in(MSR)&0xf0, 0x90);
	out(MCR, 0x08);

	out(LCR, 0xbf);
	out(FCR, 0);
	out(LCR, 0);
	out(FCR, 0x01);
	assert_int_equal(in(IIR) >> 6, 3);

	/* Not a 16650: with DLAB there is no EFR that reads as zero. */
	out(LCR, 0x80);
	assert_int_not_equal(in(IIR), 0);
	out(LCR, 0xbf);
	assert_int_not_equal(in(IIR), 0);
	/* Not a 16750: bit 5 of FCR does nothing. */
	out(LCR, 0);
	out(FCR, 0x21);
	assert_int_equal(in(IIR) >> 5, 6);
	out(LCR, 0x80);
	out(FCR, 0x21);
	assert_int_equal(in(IIR) >> 5, 6);
	out(LCR, 0);
	out(IER, 0x40);
	assert_int_equal(in(IER), 0);

	/* The test for chips that lose the transmitter's interrupt. */
	out(IER, 0x02);
	assert_int_equal(in(IIR)&0x0f, 0x02);
	out(IER, 0);
	out(IER, 0x02);
	assert_int_equal(in(IIR)&0x0f, 0x02);
	assert_int_equal(in(IIR)&0x0f, 0x01);
	out(IER, 0x03); /* it was on already */
	assert_int_equal(in(IIR)&0x0f, 0x01);
}

static void scratch_keeps_a_byte(void **state)
{
	(void)state;
	out(SCR, 0x5a);
	assert_int_equal(in(SCR), 0x5a);
	out(SCR, 0xa5);
	assert_int_equal(in(SCR), 0xa5);
}

static void input_comes_in_order(void **state)
{
	(void)state;
	char got[64] = "";
	unsigned size = 0;

	assert_int_equal(in(LSR), 0x60);
	fake_type("the quick brown fox jumps over a lazy dog");
	out(FCR, 0x01);
	while (in(LSR)&0x01)
		got[size++] = (char)in(DATA);
	assert_string_equal(got, "the quick brown fox jumps over a lazy dog");
	/* Nothing new: the last one stays. */
	assert_int_equal(in(DATA), 'g');

	/* The same without FIFOs. */
	out(FCR, 0);
	fake_type("abc");
	assert_int_equal(in(LSR)&0x03, 0x01);
	assert_int_equal(in(DATA), 'a');
	assert_int_equal(in(DATA), 'b');
	assert_int_equal(in(DATA), 'c');
	assert_int_equal(in(LSR), 0x60);
}

static void input_never_overruns(void **state)
{
	(void)state;
	out(FCR, 0x01);
	fake_type("0123456789abcdefghijklmnopqrstuv");
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(in(LSR), 0x61);
	for (unsigned i = 0; i < 32; i++)
		assert_int_equal(in(DATA), "0123456789abcdefghijklmnopqrstuv"[i]);
	assert_int_equal(in(LSR), 0x60);
}

static void fifo_reset_drops_what_was_received(void **state)
{
	(void)state;
	fake_type("ab");
	out(FCR, 0x01);
	assert_int_equal(in(LSR), 0x61);
	out(FCR, 0x03);
	assert_int_equal(in(LSR), 0x60);
	fake_type("cd");
	assert_int_equal(in(LSR), 0x61);
	out(FCR, 0x00); /* turning them off clears them too */
	assert_int_equal(in(LSR), 0x60);
	assert_int_equal(in(IIR)&0xc0, 0);
}

static void loopback_returns_the_data(void **state)
{
	(void)state;
	out(LCR, 0x03);
	out(FCR, 0x01);
	out(MCR, 0x10);
	fake_type("x"); /* is not connected now */
	for (unsigned i = 0; i < 16; i++) {
		out(DATA, 0xf0 + i);
		assert_int_equal(in(LSR), 0x61);
	}
	/* One more: the FIFO keeps what it has. */
	out(DATA, 0);
	assert_int_equal(in(LSR), 0x63);
	assert_int_equal(in(LSR), 0x61);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(in(DATA), 0xf0 + i);
	assert_int_equal(in(LSR), 0x60);
	assert_int_equal(fake_output_size, 0);

	/* Without FIFOs the newer character wins; of 5 bits. */
	out(FCR, 0);
	out(LCR, 0);
	out(DATA, 'a');
	out(DATA, 'b');
	assert_int_equal(in(LSR), 0x63);
	assert_int_equal(in(DATA), 'b' & 0x1f);
	out(MCR, 0);
	assert_int_equal(in(DATA), 'x');
}

static void loopback_returns_the_modem_lines(void **state)
{
	(void)state;
	static const uint8_t lines[16] = {0x00, 0x20, 0x10, 0x30, 0x40, 0x60, 0x50, 0x70,
					  0x80, 0xa0, 0x90, 0xb0, 0xc0, 0xe0, 0xd0, 0xf0};

	assert_int_equal(in(MSR), 0xb0);
	for (unsigned i = 0; i < 16; i++) {
		out(MCR, 0x10 | i);
		assert_int_equal(in(MSR)&0xf0, lines[i]);
	}
	out(MCR, 0x10);
	in(MSR);
	out(MCR, 0x12);
	assert_int_equal(in(MSR), 0x11); /* CTS came */
	assert_int_equal(in(MSR), 0x10);
	out(MCR, 0x14);
	assert_int_equal(in(MSR), 0x41); /* CTS went; a ring begins */
	out(MCR, 0x14);
	assert_int_equal(in(MSR), 0x40);
	out(MCR, 0x10);
	assert_int_equal(in(MSR), 0x04); /* the ring has ended */
	out(MCR, 0x19);
	assert_int_equal(in(MSR), 0xaa);
	out(MCR, 0xef);
	assert_int_equal(in(MCR), 0x0f);
}

static void interrupts_have_priorities(void **state)
{
	(void)state;
	out(LCR, 0x03);
	out(FCR, 0x41); /* trigger level 4 */
	out(MCR, 0x10);
	in(MSR);
	out(IER, 0x0f);
	for (unsigned i = 0; i < 17; i++)
		out(DATA, i);
	out(MCR, 0x11);

	assert_int_equal(in(IIR), 0xc6);
	assert_int_equal(in(LSR)&0x02, 0x02); /* clears it */
	assert_int_equal(in(IIR), 0xc4);
	for (unsigned i = 0; i < 13; i++)
		in(DATA);
	assert_int_equal(in(IIR), 0xcc); /* 3 left: below the level */
	for (unsigned i = 0; i < 3; i++)
		in(DATA);
	assert_int_equal(in(IIR), 0xc2); /* clears it */
	assert_int_equal(in(IIR), 0xc0);
	in(MSR);
	assert_int_equal(in(IIR), 0xc1);
	out(DATA, 0);
	in(DATA);
	assert_int_equal(in(IIR), 0xc2);
}

static void trigger_levels(void **state)
{
	(void)state;
	static const unsigned levels[] = {1, 4, 8, 14};

	out(LCR, 0x03);
	out(MCR, 0x10);
	out(IER, 0x01);
	for (unsigned i = 0; i < 4; i++) {
		out(FCR, 0x03 | i << 6);
		for (unsigned n = 1; n < levels[i]; n++) {
			out(DATA, 0);
			assert_int_equal(in(IIR), 0xcc);
		}
		out(DATA, 0);
		assert_int_equal(in(IIR), 0xc4);
	}
}

static void interrupt_line_follows(void **state)
{
	(void)state;
	out(IER, 0x02);
	assert_false(irq_level); /* OUT2 keeps the gate closed */
	out(MCR, 0x08);
	assert_true(irq_level);
	assert_int_equal(in(IIR), 0x02);
	assert_false(irq_level);
	out(DATA, 'x');
	assert_true(irq_level);
	out(IER, 0);
	assert_false(irq_level);

	out(IER, 0x01);
	fake_type("k");
	assert_false(irq_level); /* nobody has looked yet */
	serial_poll(&serial);
	assert_true(irq_level);
	assert_int_equal(in(DATA), 'k');
	assert_false(irq_level);
	assert_int_equal(irq_changes, 6);
}

static void a_break_is_a_character_with_an_error(void **state)
{
	(void)state;
	out(FCR, 0x01);
	out(IER, 0x04);
	out(MCR, 0x08);
	fake_type("a");
	serial_poll(&serial);
	serial_receive_break(&serial);
	/* It is the second in the FIFO: only bit 7 tells. */
	assert_int_equal(in(LSR), 0xe1);
	assert_false(irq_level);
	assert_int_equal(in(DATA), 'a');
	assert_true(irq_level);
	assert_int_equal(in(IIR), 0xc6);
	assert_int_equal(in(LSR), 0xf9);
	assert_int_equal(in(LSR), 0x61);
	assert_int_equal(in(DATA), 0);
	assert_int_equal(in(LSR), 0x60);
}

static void reset_forgets(void **state)
{
	(void)state;
	out(LCR, 0x83);
	out(MCR, 0x1f);
	out(FCR, 0xc1);
	out(SCR, 0x12);
	serial_reset(&serial);
	assert_int_equal(in(LCR), 0);
	assert_int_equal(in(MCR), 0);
	assert_int_equal(in(IIR), 0x01);
	assert_int_equal(in(SCR), 0);
	assert_int_equal(in(LSR), 0x60);
	assert_int_equal(in(MSR), 0xb0);
}

static void works_without_a_console(void **state)
{
	(void)state;
	struct serial other;

	assert_null(serial_create(&other, &fake_vm.bus, "com2", 0x2f8, NULL));
	fake_out8(0x2f8, 'x');
	assert_int_equal(fake_in8(0x2fd), 0x60);
	assert_int_equal(fake_output_size, 0);
	assert_non_null(serial_create(&other, &fake_vm.bus, "com3", 0x3f8, NULL));
	assert_non_null(serial_create(&other, &fake_vm.bus, "com4", 0x2e7, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(prints_as_a_driver_does, setup),
		cmocka_unit_test_setup(divisor_hides_behind_dlab, setup),
		cmocka_unit_test_setup(linux_finds_a_16550a, setup),
		cmocka_unit_test_setup(scratch_keeps_a_byte, setup),
		cmocka_unit_test_setup(input_comes_in_order, setup),
		cmocka_unit_test_setup(input_never_overruns, setup),
		cmocka_unit_test_setup(fifo_reset_drops_what_was_received, setup),
		cmocka_unit_test_setup(loopback_returns_the_data, setup),
		cmocka_unit_test_setup(loopback_returns_the_modem_lines, setup),
		cmocka_unit_test_setup(interrupts_have_priorities, setup),
		cmocka_unit_test_setup(trigger_levels, setup),
		cmocka_unit_test_setup(interrupt_line_follows, setup),
		cmocka_unit_test_setup(a_break_is_a_character_with_an_error, setup),
		cmocka_unit_test_setup(reset_forgets, setup),
		cmocka_unit_test_setup(works_without_a_console, setup),
	};

	return cmocka_run_group_tests_name("serial", tests, setup, NULL);
}
