/* SPDX-License-Identifier: BSD-2-Clause */
/* The pair of 8259As, as kernels set them up and take interrupts from them. */
/* UNITS: devices/pic.c vcpu/bus.c tests/fake/devices.c tests/fake/log.c tests/fake/error.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "devices/pic.h"
#include "tests/fake/devices.h"

static struct pic pic;

/* As Linux does: vectors 30h and 38h, all masked but the cascade. */
static void initialise(uint8_t icw4)
{
	fake_out8(0x21, 0xff);
	fake_out8(0x20, 0x11);
	fake_out8(0x21, 0x30);
	fake_out8(0x21, 0x04);
	fake_out8(0x21, icw4);
	fake_out8(0xa0, 0x11);
	fake_out8(0xa1, 0x38);
	fake_out8(0xa1, 0x02);
	fake_out8(0xa1, icw4);
}

static void pulse(unsigned line)
{
	pic_set_irq(&pic, line, true);
	pic_set_irq(&pic, line, false);
}

static int setup(void **state)
{
	(void)state;
	fake_devices_reset();
	assert_null(pic_create(&pic, &fake_vm.bus));
	initialise(0x01);
	return 0;
}

static void linux_probes_for_it(void **state)
{
	(void)state;
	fake_out8(0xa1, 0xff);
	fake_out8(0x21, 0xfb);
	assert_int_equal(fake_in8(0x21), 0xfb);
	assert_int_equal(fake_in8(0xa1), 0xff);
}

static void starts_masked(void **state)
{
	(void)state;
	pic_reset(&pic);
	assert_int_equal(fake_in8(0x21), 0xff);
	pulse(1);
	assert_false(pic_pending(&pic));
	fake_out8(0x21, 0xfd);
	assert_true(pic_pending(&pic));
	assert_int_equal(pic_acknowledge(&pic), 0x09);
}

static void priorities_and_end_of_interrupt(void **state)
{
	(void)state;
	pulse(5);
	pulse(3);
	assert_int_equal(fake_in8(0x20), 0x28); /* IRR */
	assert_int_equal(pic_acknowledge(&pic), 0x33);
	fake_out8(0x20, 0x0b);
	assert_int_equal(fake_in8(0x20), 0x08); /* ISR */
	fake_out8(0x20, 0x0a);
	assert_int_equal(fake_in8(0x20), 0x20);
	assert_false(pic_pending(&pic)); /* 5 waits for 3 */
	pulse(0);
	assert_true(pic_pending(&pic)); /* 0 does not */
	assert_int_equal(pic_acknowledge(&pic), 0x30);
	fake_out8(0x20, 0x20);
	assert_false(pic_pending(&pic));
	fake_out8(0x20, 0x60 | 3);
	assert_int_equal(pic_acknowledge(&pic), 0x35);
	/* The same line again only after its end. */
	pulse(5);
	assert_false(pic_pending(&pic));
	fake_out8(0x20, 0x20);
	assert_true(pic_pending(&pic));
}

static void the_second_chip(void **state)
{
	(void)state;
	pulse(12);
	pulse(8);
	assert_int_equal(fake_in8(0x20), 0x04);
	assert_int_equal(fake_in8(0xa0), 0x11);
	assert_int_equal(pic_acknowledge(&pic), 0x38);
	assert_false(pic_pending(&pic));
	fake_out8(0xa0, 0x20);
	fake_out8(0x20, 0x20);
	assert_int_equal(pic_acknowledge(&pic), 0x3c);
	fake_out8(0xa0, 0x20);
	assert_false(pic_pending(&pic));
	/* Masked at the cascade. */
	fake_out8(0x20, 0x20);
	fake_out8(0x21, 0x04);
	pulse(15);
	assert_false(pic_pending(&pic));
}

static void specially_nested(void **state)
{
	(void)state;
	initialise(0x11);
	pulse(12);
	assert_int_equal(pic_acknowledge(&pic), 0x3c);
	pulse(9);
	assert_true(pic_pending(&pic)); /* a higher one of the second chip gets through */
	assert_int_equal(pic_acknowledge(&pic), 0x39);
	pulse(13);
	assert_false(pic_pending(&pic));
}

static void levels_and_edges(void **state)
{
	(void)state;
	fake_out8(0x4d0, 0xff);
	fake_out8(0x4d1, 0xff);
	assert_int_equal(fake_in8(0x4d0), 0xf8);
	assert_int_equal(fake_in8(0x4d1), 0xde);
	/* A level lasts. */
	pic_set_irq(&pic, 10, true);
	assert_int_equal(pic_acknowledge(&pic), 0x3a);
	fake_out8(0xa0, 0x20);
	fake_out8(0x20, 0x20);
	assert_true(pic_pending(&pic));
	pic_set_irq(&pic, 10, false);
	assert_false(pic_pending(&pic));
	/* And goes without a trace. */
	pic_set_irq(&pic, 10, true);
	pic_set_irq(&pic, 10, false);
	assert_false(pic_pending(&pic));
	/* An edge counts once, however long the line is high. */
	pic_set_irq(&pic, 1, true);
	pic_set_irq(&pic, 1, true);
	assert_int_equal(pic_acknowledge(&pic), 0x31);
	pic_set_irq(&pic, 1, true);
	fake_out8(0x20, 0x20);
	assert_false(pic_pending(&pic));
}

static void spurious(void **state)
{
	(void)state;
	assert_int_equal(pic_acknowledge(&pic), 0x37);
	fake_out8(0x20, 0x0b);
	assert_int_equal(fake_in8(0x20), 0);
}

static void automatic_end_and_rotation(void **state)
{
	(void)state;
	initialise(0x03);
	pulse(4);
	assert_int_equal(pic_acknowledge(&pic), 0x34);
	pulse(6);
	assert_int_equal(pic_acknowledge(&pic), 0x36); /* nothing is in service */
	fake_out8(0x20, 0x80);                         /* rotate */
	pulse(4);
	assert_int_equal(pic_acknowledge(&pic), 0x34);
	pulse(3);
	pulse(5);
	assert_int_equal(pic_acknowledge(&pic), 0x35); /* 4 is the lowest now */
	assert_int_equal(pic_acknowledge(&pic), 0x33);
}

static void rotation_by_command(void **state)
{
	(void)state;
	fake_out8(0x20, 0xc0 | 3); /* 4 is the highest */
	pulse(3);
	pulse(4);
	assert_int_equal(pic_acknowledge(&pic), 0x34);
	fake_out8(0x20, 0xa0); /* ends it, and makes it the lowest */
	pulse(4);
	pulse(5);
	assert_int_equal(pic_acknowledge(&pic), 0x35);
	fake_out8(0x20, 0xe0 | 5);
	assert_int_equal(pic_acknowledge(&pic), 0x33);
}

static void special_mask_lets_lower_ones_in(void **state)
{
	(void)state;
	pulse(1);
	assert_int_equal(pic_acknowledge(&pic), 0x31);
	pulse(6);
	assert_false(pic_pending(&pic));
	fake_out8(0x21, 0x02);
	fake_out8(0x20, 0x68);
	assert_true(pic_pending(&pic));
	fake_out8(0x20, 0x48);
	assert_false(pic_pending(&pic));
}

static void polling(void **state)
{
	(void)state;
	fake_out8(0x20, 0x0c);
	assert_int_equal(fake_in8(0x20), 0);
	pulse(6);
	fake_out8(0x20, 0x0c);
	assert_int_equal(fake_in8(0x20), 0x86);
	assert_false(pic_pending(&pic));
	assert_int_equal(fake_in8(0x21), 0);
}

static void short_initialisation(void **state)
{
	(void)state;
	/* Single, without ICW4. */
	fake_out8(0x20, 0x12);
	fake_out8(0x21, 0x4f);
	fake_out8(0x21, 0xaa);
	assert_int_equal(fake_in8(0x21), 0xaa);
	pulse(0);
	assert_int_equal(pic_acknowledge(&pic), 0x48);
	/* ICW1 forgets. */
	pulse(2);
	pulse(16);
	pulse(0xffffffff);
	fake_out8(0x20, 0x13);
	assert_int_equal(fake_in8(0x20), 0);
	assert_int_equal(fake_in8(0x21), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(linux_probes_for_it, setup),
		cmocka_unit_test_setup(starts_masked, setup),
		cmocka_unit_test_setup(priorities_and_end_of_interrupt, setup),
		cmocka_unit_test_setup(the_second_chip, setup),
		cmocka_unit_test_setup(specially_nested, setup),
		cmocka_unit_test_setup(levels_and_edges, setup),
		cmocka_unit_test_setup(spurious, setup),
		cmocka_unit_test_setup(automatic_end_and_rotation, setup),
		cmocka_unit_test_setup(rotation_by_command, setup),
		cmocka_unit_test_setup(special_mask_lets_lower_ones_in, setup),
		cmocka_unit_test_setup(polling, setup),
		cmocka_unit_test_setup(short_initialisation, setup),
	};

	return cmocka_run_group_tests_name("pic", tests, setup, NULL);
}
