/* SPDX-License-Identifier: BSD-2-Clause */
/* Ends the machine's run through ACPI, chipset ports and the emulators' own ports. */
#include "kernel/power.h"

#include "arch/x86_64/bits.h"
#include "arch/x86_64/instructions.h"
#include "kernel/address_space.h"
#include "kernel/console.h"
#include "kernel/log.h"
#include "kernel/time.h"

#define PM1_SCI_EN        BIT32(0) /* ACPI "PM1 Control Registers" */
#define PM1_SLP_TYP_SHIFT 10
#define PM1_SLP_TYP_MASK  (7u << PM1_SLP_TYP_SHIFT)
#define PM1_SLP_EN        BIT32(13)

#define QEMU_PM1_CONTROL  0x604 /* i440FX and q35 */
#define BOCHS_PM1_CONTROL 0xb004
#define BOCHS_SHUTDOWN    0x8900
#define EMULATOR_S5       PM1_SLP_EN /* SLP_TYP 0 is soft-off there */

#define RESET_CONTROL    0xcf9
#define RESET_SYSTEM     0x02 /* what kind, then the same with the bit that does it */
#define RESET_NOW        0x06
#define KEYBOARD_COMMAND 0x64
#define KEYBOARD_FULL    0x02
#define KEYBOARD_RESET   0xfe

#define PCI_ADDRESS 0xcf8
#define PCI_DATA    0xcfc

/* How long each way gets before the next is tried. */
#define WAIT_US 100000
#define POLL_US 100

static const struct acpi_info *acpi;
static volatile uint8_t *reset_register; /* when it lies in memory space */

err_t power_set_acpi(const struct acpi_info *info)
{
	void *where;
	err_t err;

	acpi = info;
	if (!acpi->have_reset || acpi->reset_space != ACPI_SPACE_MEMORY)
		return NULL;
	/* Mapped now: when it is needed, little may work. */
	err = address_space_map_device(HPA(acpi->reset_address), 1, &where);
	if (!err)
		reset_register = where;
	return err;
}

static NORETURN void halt_for_good(void)
{
	for (;;) {
		cli();
		hlt();
	}
}

/* On a machine still in legacy mode the PM1 control registers do nothing before SCI_EN is set. */
static void enable_acpi(void)
{
	if (!acpi->smi_command || !acpi->acpi_enable || in16(acpi->pm1a_control) & PM1_SCI_EN)
		return;
	out8(acpi->smi_command, acpi->acpi_enable);
	for (unsigned us = 0; us < 3000000; us += POLL_US) {
		if (in16(acpi->pm1a_control) & PM1_SCI_EN)
			return;
		time_delay_us(POLL_US);
	}
}

static void write_sleep(uint16_t port, uint8_t type)
{
	unsigned value;

	if (!port)
		return;
	value = in16(port) & ~(PM1_SLP_TYP_MASK | PM1_SLP_EN);
	value |= (unsigned)(type & 7) << PM1_SLP_TYP_SHIFT;
	out16(port, (uint16_t)value);
	out16(port, (uint16_t)(value | PM1_SLP_EN));
}

static void acpi_off(void)
{
	if (!acpi || !acpi->have_s5 || !acpi->pm1a_control)
		return;
	enable_acpi();
	write_sleep(acpi->pm1a_control, acpi->s5_a);
	write_sleep(acpi->pm1b_control, acpi->s5_b);
	time_delay_us(WAIT_US);
}

static void emulator_off(void)
{
	out16(QEMU_PM1_CONTROL, EMULATOR_S5);
	out16(BOCHS_PM1_CONTROL, EMULATOR_S5);
	for (const char *c = "Shutdown"; *c; c++)
		out8(BOCHS_SHUTDOWN, (uint8_t)*c);
	time_delay_us(WAIT_US);
}

/* ACPI "Reset Register": on port space, memory space, or a function of PCI bus 0. */
static void acpi_reset(void)
{
	uint64_t at;

	if (!acpi || !acpi->have_reset)
		return;
	at = acpi->reset_address;
	switch (acpi->reset_space) {
	case ACPI_SPACE_IO:
		out8((uint16_t)at, acpi->reset_value);
		break;
	case ACPI_SPACE_MEMORY:
		if (!reset_register)
			return;
		*reset_register = acpi->reset_value;
		break;
	case ACPI_SPACE_PCI_CONFIG:
		out32(PCI_ADDRESS, BIT32(31) | (uint32_t)(bits(at, 36, 32) << 11) |
					   (uint32_t)(bits(at, 18, 16) << 8) |
					   (uint32_t)(bits(at, 7, 2) << 2));
		out8((uint16_t)(PCI_DATA + bits(at, 1, 0)), acpi->reset_value);
		break;
	}
	time_delay_us(WAIT_US);
}

static void chipset_reset(void)
{
	out8(RESET_CONTROL, RESET_SYSTEM);
	out8(RESET_CONTROL, RESET_NOW);
	time_delay_us(WAIT_US);
}

static void keyboard_reset(void)
{
	for (unsigned us = 0; us < WAIT_US; us += POLL_US) {
		if (!(in8(KEYBOARD_COMMAND) & KEYBOARD_FULL))
			break;
		time_delay_us(POLL_US);
	}
	out8(KEYBOARD_COMMAND, KEYBOARD_RESET);
	time_delay_us(WAIT_US);
}

/* An exception with no IDT at all shuts the processor down, and the chipset answers that with a
 * reset. */
static NORETURN void triple_fault(void)
{
	struct table_register nothing = {.limit = 0, .base = 0};

	lidt(&nothing);
	breakpoint();
	halt_for_good();
}

void power_end(enum power_action action)
{
	cli();
	switch (action) {
	case POWER_OFF:
		acpi_off();
		emulator_off();
		log_always("the machine has no power-off that works; it is safe to switch it off");
		console_flush();
		break;
	case POWER_REBOOT:
		acpi_reset();
		chipset_reset();
		keyboard_reset();
		triple_fault();
	case POWER_HALT:
		break;
	}
	halt_for_good();
}
