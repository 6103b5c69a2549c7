/* SPDX-License-Identifier: BSD-2-Clause */
/* The PC as a whole: who answers where, the ways to end it, and the small devices. */
/* UNITS: devices/pc.c devices/acpi_pm.c devices/clock.c devices/cmos.c devices/debug_exit.c */
/* UNITS: devices/i8042.c devices/pci.c devices/pic.c devices/pit.c devices/pit_counter.c */
/* UNITS: devices/post.c devices/reset.c devices/rom.c devices/serial.c devices/vga.c */
/* UNITS: kernel/rtc.c vcpu/bus.c */
/* UNITS: tests/fake/devices.c tests/fake/log.c tests/fake/error.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "devices/pc.h"
#include "tests/fake/devices.h"
#include "tests/fake/log.h"

static struct pc pc;
static const struct pc_options options = {
	.console = &fake_console,
	.date = {2026, 11, 21, 12, 0, 0},
};

static int setup(void **state)
{
	(void)state;
	fake_devices_reset();
	fake_log_reset();
	assert_null(pc_create(&fake_vm, &pc, &options));
	return 0;
}

static void expect_end(enum vm_end end, uint32_t code, const char *text)
{
	assert_int_equal(fake_vm.end, end);
	assert_int_equal(fake_vm.end_code, code);
	if (!strstr(fake_vm.end_text, text))
		fail_msg("\"%s\" lacks \"%s\"", fake_vm.end_text, text);
	fake_vm.end = VM_RUNNING;
}

static void ports_have_owners(void **state)
{
	(void)state;
	static const struct {
		uint16_t port;
		const char *name;
	} owners[] = {
		{0x20,  "pic-1"     },
                {0x40,  "pit"       },
                {0x60,  "i8042"     },
                {0x61,  "port-61"   },
		{0x64,  "i8042"     },
                {0x71,  "cmos"      },
                {0x80,  "post"      },
                {0x8f,  "post"      },
		{0x92,  "port-92"   },
                {0xa1,  "pic-2"     },
                {0xed,  "delay"     },
                {0xf4,  "debug-exit"},
		{0x3da, "vga"       },
                {0x3f8, "com1"      },
                {0x3ff, "com1"      },
                {0x4d1, "elcr"      },
		{0x604, "acpi-pm"   },
                {0x60b, "acpi-timer"},
                {0xcf8, "pci"       },
                {0xcff, "pci"       },
	};
	static const uint16_t nobodys[] = {0x00, 0x44, 0x62, 0xe9, 0xf8, 0x2f8, 0x60c};

	for (unsigned i = 0; i < ARRAY_COUNT(owners); i++)
		assert_string_equal(bus_port_name(&fake_vm.bus, owners[i].port), owners[i].name);
	for (unsigned i = 0; i < ARRAY_COUNT(nobodys); i++)
		assert_null(bus_port_name(&fake_vm.bus, nobodys[i]));
	assert_ptr_equal(fake_vm.pc, &pc);
}

static void a_second_pc_does_not_fit(void **state)
{
	(void)state;
	struct pc other;
	err_t err = pc_create(&fake_vm, &other, &options);

	assert_non_null(err);
	assert_non_null(strstr(err, "belongs to"));
	assert_ptr_equal(fake_vm.pc, &pc);
}

static void debug_exit(void **state)
{
	(void)state;
	fake_out8(0xf4, 0x21);
	expect_end(VM_ENDED_EXIT, 0x21, "debug-exit");
	fake_out16(0xf4, 0x4321);
	expect_end(VM_ENDED_EXIT, 0x4321, "debug-exit");
	fake_out32(0xf4, 0x87654321);
	expect_end(VM_ENDED_EXIT, 0x87654321, "debug-exit");
	fake_out8(0xf5, 1);
	assert_int_equal(fake_vm.end, VM_RUNNING);
	assert_int_equal(fake_in8(0xf4), 0);
}

static void post_codes(void **state)
{
	(void)state;
	fake_out8(0x80, 0xab);
	fake_out8(0x84, 0x12);
	fake_out8(0xed, 0x34);
	assert_int_equal(post_code(&pc.post), 0xab);
	assert_int_equal(fake_in8(0x80), 0xab);
	assert_int_equal(fake_in8(0x84), 0x12);
	assert_int_equal(fake_in8(0xed), 0x34);
	fake_out16(0x8e, 0x5566);
	assert_int_equal(fake_in16(0x8e), 0x5566);
	assert_int_equal(fake_log_count(), 0);
}

static void port_92(void **state)
{
	(void)state;
	assert_int_equal(fake_in8(0x92), 0x02);
	fake_out8(0x92, 0x00);
	assert_int_equal(fake_in8(0x92), 0x00);
	assert_int_equal(fake_vm.end, VM_RUNNING);
	fake_out8(0x92, 0x03);
	expect_end(VM_ENDED_RESET, 0, "port 92h");
	assert_int_equal(fake_in8(0x92), 0x02);
}

static void reset_control(void **state)
{
	(void)state;
	fake_out8(0xcf9, 0x02);
	assert_int_equal(fake_vm.end, VM_RUNNING);
	assert_int_equal(fake_in8(0xcf9), 0x02);
	fake_out8(0xcf9, 0x06);
	expect_end(VM_ENDED_RESET, 0, "CF9h (hard");
	fake_out8(0xcf9, 0x06); /* no edge */
	assert_int_equal(fake_vm.end, VM_RUNNING);
	fake_out8(0xcf9, 0x00);
	fake_out8(0xcf9, 0x04);
	expect_end(VM_ENDED_RESET, 0, "CF9h (soft");
}

/* As Linux looks for mechanism #1, and finds nothing behind it. */
static void pci_configuration(void **state)
{
	(void)state;
	fake_out8(0xcfb, 0x01);
	fake_out32(0xcf8, 0x80000000);
	assert_int_equal(fake_in32(0xcf8), 0x80000000);
	for (unsigned device = 0; device < 32; device++) {
		fake_out32(0xcf8, 0x80000000 | device << 11);
		assert_int_equal(fake_in32(0xcfc), 0xffffffff);
		assert_int_equal(fake_in16(0xcfe), 0xffff);
		assert_int_equal(fake_in8(0xcfd), 0xff);
		fake_out32(0xcfc, 0x12345678);
		assert_int_equal(fake_in32(0xcfc), 0xffffffff);
	}
	fake_out32(0xcf8, 0xffffffff);
	assert_int_equal(fake_in32(0xcf8), 0x80fffffc);
	/* Narrow accesses pass the register by. */
	fake_out8(0xcf8, 0);
	fake_out16(0xcf8, 0);
	fake_out16(0xcfa, 0);
	assert_int_equal(fake_in32(0xcf8), 0x80fffffc);
	assert_int_equal(fake_in8(0xcf8), 0xff);
	assert_int_equal(fake_in16(0xcf8), 0xffff);
	assert_int_equal(fake_vm.end, VM_RUNNING);
	assert_int_equal(fake_log_count(), 0);
}

static uint8_t controller_reply(void)
{
	assert_int_equal(fake_in8(0x64) & 0x01, 0x01);
	uint8_t value = fake_in8(0x60);
	assert_int_equal(fake_in8(0x64) & 0x01, 0x00);
	return value;
}

/* As a driver sets the controller up. */
static void keyboard_controller(void **state)
{
	(void)state;
	assert_int_equal(fake_in8(0x64), 0x14);
	fake_out8(0x64, 0xad);
	fake_out8(0x64, 0xa7);
	fake_out8(0x64, 0x20);
	uint8_t byte = controller_reply();
	assert_int_equal(byte, 0x34);
	fake_out8(0x64, 0x60);
	fake_out8(0x60, byte & 0xbc);
	fake_out8(0x64, 0xaa);
	assert_int_equal(controller_reply(), 0x55);
	fake_out8(0x64, 0xab);
	assert_int_equal(controller_reply(), 0x00);
	fake_out8(0x64, 0xae);
	fake_out8(0x64, 0x20);
	assert_int_equal(controller_reply(), 0x24);
	fake_out8(0x64, 0x61);
	fake_out8(0x60, 0x77);
	fake_out8(0x64, 0x21);
	assert_int_equal(controller_reply(), 0x77);
	/* Port 2 loops back, marked as such. */
	fake_out8(0x64, 0xd3);
	fake_out8(0x60, 0x5a);
	assert_int_equal(fake_in8(0x64) & 0x21, 0x21);
	assert_int_equal(controller_reply(), 0x5a);
	/* Nobody is at the keyboard's line, nor at the mouse's. */
	fake_out8(0x60, 0xff);
	assert_int_equal(fake_in8(0x64) & 0x41, 0x40);
	fake_out8(0x64, 0xd4);
	fake_out8(0x60, 0xf4);
	assert_int_equal(fake_in8(0x64) & 0x41, 0x40);
	assert_int_equal(fake_vm.end, VM_RUNNING);
}

static void a20_has_three_switches(void **state)
{
	(void)state;
	fake_out8(0x64, 0xd0);
	assert_int_equal(controller_reply(), 0xc3);
	fake_out8(0x64, 0xd1);
	fake_out8(0x60, 0xdd);
	assert_int_equal(fake_in8(0x92), 0x00);
	fake_out8(0x64, 0xdf);
	assert_int_equal(fake_in8(0x92), 0x02);
	fake_out8(0x64, 0xdd);
	fake_out8(0x64, 0xd0);
	assert_int_equal(controller_reply(), 0xc1);
}

static void keyboard_controller_resets(void **state)
{
	(void)state;
	fake_out8(0x64, 0xff); /* pulses nothing */
	assert_int_equal(fake_vm.end, VM_RUNNING);
	fake_out8(0x64, 0xfe);
	expect_end(VM_ENDED_RESET, 0, "port 64h");
	fake_out8(0x64, 0xd1);
	fake_out8(0x60, 0xfe);
	expect_end(VM_ENDED_RESET, 0, "output port");
}

static void acpi_powers_off(void **state)
{
	(void)state;
	assert_int_equal(fake_in16(0x604), 0x0001);
	fake_out16(0x604, 5 << 10);
	assert_int_equal(fake_vm.end, VM_RUNNING);
	assert_int_equal(fake_in16(0x604), 0x1401);
	fake_out16(0x604, 5 << 10 | 0x2000);
	expect_end(VM_ENDED_POWEROFF, 0, "powered off");
	fake_out16(0x604, 0);
	fake_out8(0x605, 0x34);
	expect_end(VM_ENDED_POWEROFF, 0, "powered off");
	fake_out16(0x604, 3 << 10 | 0x2000);
	expect_end(VM_ENDED_STOPPED, 0, "type 3");
}

static void acpi_timer_runs(void **state)
{
	(void)state;
	uint32_t before = fake_in32(0x608);

	fake_time_pass(1000000000);
	assert_in_range(fake_in32(0x608) - before, 3579544, 3579546);
	assert_int_equal(fake_in32(0x608), fake_in8(0x608) | (uint32_t)fake_in8(0x609) << 8 |
						   (uint32_t)fake_in16(0x60a) << 16);
	assert_int_equal(fake_in16(0x600), 0);
	/* 24 bits; the highest one's change is told. */
	fake_time_pass(4000000000);
	assert_true(fake_in32(0x608) < 1 << 24);
	assert_int_equal(fake_in16(0x600), 1);
	fake_out16(0x600, 1);
	assert_int_equal(fake_in16(0x600), 0);
	fake_out16(0x602, 0xffff);
	assert_int_equal(fake_in16(0x602), 0x0721);
	assert_int_equal(fake_in8(0x603), 0x07);
	fake_out32(0x608, 0);
	assert_int_equal(fake_in16(0x606), 0);
}

static void vga_reads_back(void **state)
{
	(void)state;
	fake_out8(0x3d4, 0x0e);
	fake_out8(0x3d5, 0x12);
	fake_out16(0x3d4, 0x340f); /* index and data at once */
	assert_int_equal(fake_in8(0x3d4), 0x0f);
	assert_int_equal(fake_in8(0x3d5), 0x34);
	fake_out8(0x3d4, 0x0e);
	assert_int_equal(fake_in8(0x3d5), 0x12);
	/* Registers that do not exist. */
	for (unsigned i = 0; i < 256; i++) {
		for (unsigned port = 0x3c0; port < 0x3e0; port++) {
			fake_out8((uint16_t)port, (uint8_t)i);
			fake_in8((uint16_t)port);
		}
	}
	vga_reset(&pc.vga);
	assert_int_equal(fake_in8(0x3cc), 0x67);
	/* Monochrome: the CRTC moves. */
	fake_out8(0x3c2, 0x66);
	assert_int_equal(fake_in8(0x3d4), 0xff);
	fake_out8(0x3b4, 0x0a);
	assert_int_equal(fake_in8(0x3b4), 0x0a);
}

static void vga_attributes_flip(void **state)
{
	(void)state;
	fake_in8(0x3da);
	fake_out8(0x3c0, 0x31);
	fake_out8(0x3c0, 0x2a);
	assert_int_equal(fake_in8(0x3c0), 0x31);
	fake_out8(0x3c0, 0x32);
	assert_int_equal(fake_in8(0x3c0), 0x32);
	fake_in8(0x3da);
	fake_out8(0x3c0, 0x31);
	assert_int_equal(fake_in8(0x3c1), 0x2a);
}

static void vga_palette(void **state)
{
	(void)state;
	fake_out8(0x3c8, 0xfe);
	for (unsigned i = 0; i < 9; i++) /* wraps to colour 0 */
		fake_out8(0x3c9, (uint8_t)(0x40 + i));
	fake_out8(0x3c7, 0xff);
	assert_int_equal(fake_in8(0x3c7), 3);
	for (unsigned i = 3; i < 9; i++)
		assert_int_equal(fake_in8(0x3c9), i);
}

static void the_beam_moves(void **state)
{
	(void)state;
	unsigned frames = 0, last = 0, blanked = 0;

	for (unsigned i = 0; i < 100000; i++) {
		uint8_t status = fake_in8(0x3da);

		frames += (status & 8) && !last;
		last = status & 8;
		blanked += status & 1;
		fake_time_pass(10000);
	}
	assert_in_range(frames, 69, 71);
	assert_in_range(blanked, 30000, 36000);
}

static void an_empty_rom_reads_as_ones(void **state)
{
	(void)state;
	bus_mmio_write(&fake_vm.bus, GPA(0xf0000), 4, 0);
	assert_int_equal(bus_mmio_read(&fake_vm.bus, GPA(0xf0000), 4), 0xffffffff);
	assert_int_equal(bus_mmio_read(&fake_vm.bus, GPA(0xfffff), 1), 0xff);
	assert_string_equal(bus_mmio_name(&fake_vm.bus, GPA(0xc0000)), "rom");
	assert_int_equal(fake_log_count(), 0);
}

static void reset_brings_it_all_back(void **state)
{
	(void)state;
	fake_out32(0xcf8, 0x80001234);
	fake_out8(0x92, 0);
	fake_out8(0x3fb, 0x1b);
	fake_out8(0x80, 1);
	fake_out8(0x21, 0);
	pc_reset(&pc);
	assert_int_equal(fake_in32(0xcf8), 0);
	assert_int_equal(fake_in8(0x92), 2);
	assert_int_equal(fake_in8(0x3fb), 0);
	assert_int_equal(fake_in8(0x80), 0);
	assert_int_equal(fake_in8(0x21), 0xff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(ports_have_owners, setup),
		cmocka_unit_test_setup(a_second_pc_does_not_fit, setup),
		cmocka_unit_test_setup(debug_exit, setup),
		cmocka_unit_test_setup(post_codes, setup),
		cmocka_unit_test_setup(port_92, setup),
		cmocka_unit_test_setup(reset_control, setup),
		cmocka_unit_test_setup(pci_configuration, setup),
		cmocka_unit_test_setup(keyboard_controller, setup),
		cmocka_unit_test_setup(a20_has_three_switches, setup),
		cmocka_unit_test_setup(keyboard_controller_resets, setup),
		cmocka_unit_test_setup(acpi_powers_off, setup),
		cmocka_unit_test_setup(acpi_timer_runs, setup),
		cmocka_unit_test_setup(vga_reads_back, setup),
		cmocka_unit_test_setup(vga_attributes_flip, setup),
		cmocka_unit_test_setup(vga_palette, setup),
		cmocka_unit_test_setup(the_beam_moves, setup),
		cmocka_unit_test_setup(an_empty_rom_reads_as_ones, setup),
		cmocka_unit_test_setup(reset_brings_it_all_back, setup),
	};

	return cmocka_run_group_tests_name("pc", tests, setup, NULL);
}
