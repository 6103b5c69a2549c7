/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel/power.c: which ports are written, in which order, on machines that do not obey. */
/* UNITS: kernel/power.c tests/fake/log.c kernel/format.c */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/instructions.h"
#include "kernel/address_space.h"
#include "kernel/console.h"
#include "kernel/power.h"
#include "kernel/time.h"
#include "tests/fake/log.h"

static jmp_buf halted;
static char trace[2048];
static uint16_t pm1a; /* what its control register reads */
static bool acpi_mode_comes;
static bool keyboard_full;
static uint8_t register_in_memory;
static uint64_t waited_us;

void time_delay_us(uint64_t us)
{
	waited_us += us;
}

void console_flush(void)
{
}

err_t address_space_map_device(hpa_t at, uint64_t size, void **where)
{
	assert_int_equal(at.raw, 0xfed00000);
	assert_int_equal(size, 1);
	*where = &register_in_memory;
	return NULL;
}

static void port_write(uint16_t port, unsigned size, uint32_t value)
{
	size_t used = strlen(trace);

	snprintf(trace + used, sizeof(trace) - used, "%x:%u=%x ", port, size * 8, value);
	if (port == 0xb2 && acpi_mode_comes)
		pm1a |= 1;
}

static uint32_t port_read(uint16_t port, unsigned size)
{
	(void)size;
	if (port == 0x404)
		return pm1a;
	if (port == 0x64)
		return keyboard_full ? 2 : 0;
	return UINT32_MAX;
}

static void halt(void)
{
	longjmp(halted, 1);
}

static struct acpi_info acpi;

static int setup(void **state)
{
	(void)state;
	fake_log_reset();
	fake_machine_reset();
	fake_machine.port_write = port_write;
	fake_machine.port_read = port_read;
	fake_machine.hlt = halt;
	trace[0] = '\0';
	pm1a = 0x1c01;
	acpi_mode_comes = keyboard_full = false;
	register_in_memory = 0;
	waited_us = 0;
	memset(&acpi, 0, sizeof(acpi));
	return 0;
}

static void end(enum power_action action)
{
	assert_null(power_set_acpi(&acpi));
	if (!setjmp(halted))
		power_end(action);
}

#define EMULATORS                                                                                  \
	"604:16=2000 b004:16=2000 8900:8=53 8900:8=68 8900:8=75 8900:8=74 8900:8=64 8900:8=6f "    \
	"8900:8=77 8900:8=6e "

static void test_off_without_acpi(void **state)
{
	(void)state;
	end(POWER_OFF);
	assert_string_equal(trace, EMULATORS);
	assert_true(fake_log_contains("safe to switch it off"));
}

static void test_off_by_acpi(void **state)
{
	(void)state;
	acpi = (struct acpi_info){
		.have_s5 = true,
		.s5_a = 5,
		.s5_b = 3,
		.pm1a_control = 0x404,
		.pm1b_control = 0x504,
	};
	end(POWER_OFF);
	/* The type replaces the one that was there (7), the other bits stay. */
	assert_string_equal(trace, "404:16=1401 404:16=3401 504:16=cfff 504:16=efff " EMULATORS);
}

static void test_off_in_legacy_mode(void **state)
{
	(void)state;
	acpi = (struct acpi_info){
		.have_s5 = true,
		.pm1a_control = 0x404,
		.smi_command = 0xb2,
		.acpi_enable = 0xa0,
	};
	pm1a = 0;
	acpi_mode_comes = true;
	end(POWER_OFF);
	assert_string_equal(trace, "b2:8=a0 404:16=1 404:16=2001 " EMULATORS);

	/* A firmware that never answers does not hold us. */
	setup(NULL);
	acpi = (struct acpi_info){
		.have_s5 = true,
		.pm1a_control = 0x404,
		.smi_command = 0xb2,
		.acpi_enable = 0xa0,
	};
	pm1a = 0;
	end(POWER_OFF);
	assert_string_equal(trace, "b2:8=a0 404:16=0 404:16=2000 " EMULATORS);
	assert_true(waited_us < 10000000);
}

#define OTHER_RESETS "cf9:8=2 cf9:8=6 64:8=fe "

static void test_reboot(void **state)
{
	(void)state;
	end(POWER_REBOOT);
	assert_string_equal(trace, OTHER_RESETS);
	assert_int_equal(fake_machine.breakpoint_count, 1);
	assert_int_equal(fake_machine.idtr.limit, 0);

	setup(NULL);
	keyboard_full = true;
	end(POWER_REBOOT);
	assert_string_equal(trace, OTHER_RESETS);
	assert_true(waited_us < 10000000);
}

static void test_reboot_by_acpi(void **state)
{
	(void)state;
	acpi = (struct acpi_info){
		.have_reset = true,
		.reset_space = ACPI_SPACE_IO,
		.reset_address = 0xb2b,
		.reset_value = 0x11,
	};
	end(POWER_REBOOT);
	assert_string_equal(trace, "b2b:8=11 " OTHER_RESETS);

	setup(NULL);
	acpi = (struct acpi_info){
		.have_reset = true,
		.reset_space = ACPI_SPACE_MEMORY,
		.reset_address = 0xfed00000,
		.reset_value = 0x22,
	};
	end(POWER_REBOOT);
	assert_int_equal(register_in_memory, 0x22);
	assert_string_equal(trace, OTHER_RESETS);

	/* Device 31, function 3, offset 46h. */
	setup(NULL);
	acpi = (struct acpi_info){
		.have_reset = true,
		.reset_space = ACPI_SPACE_PCI_CONFIG,
		.reset_address = 0x1f00030046,
		.reset_value = 0x33,
	};
	end(POWER_REBOOT);
	assert_string_equal(trace, "cf8:32=8000fb44 cfe:8=33 " OTHER_RESETS);
}

static void test_halt(void **state)
{
	(void)state;
	sti();
	end(POWER_HALT);
	assert_string_equal(trace, "");
	assert_int_equal(fake_machine.hlt_count, 1);
	assert_int_equal(read_rflags() & 0x200, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_off_without_acpi, setup),
		cmocka_unit_test_setup(test_off_by_acpi, setup),
		cmocka_unit_test_setup(test_off_in_legacy_mode, setup),
		cmocka_unit_test_setup(test_reboot, setup),
		cmocka_unit_test_setup(test_reboot_by_acpi, setup),
		cmocka_unit_test_setup(test_halt, setup),
	};

	return cmocka_run_group_tests_name("power", tests, NULL, NULL);
}
