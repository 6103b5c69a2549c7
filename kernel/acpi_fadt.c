/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the FADT: the ports and registers for power off, reset and the PM timer. */
#include "kernel/acpi_table.h"

/* Offsets in "Fixed ACPI Description Table (FADT)". */
enum {
	FADT_DSDT = 40,
	FADT_SMI_CMD = 48,
	FADT_ACPI_ENABLE = 52,
	FADT_PM1A_CNT = 64,
	FADT_PM1B_CNT = 68,
	FADT_PM_TMR = 76,
	FADT_PM_TMR_LEN = 91,
	FADT_FLAGS = 112,
	FADT_OLD_SIZE = 116,
	FADT_RESET_REG = 116,
	FADT_RESET_VALUE = 128,
	FADT_X_DSDT = 140,
	FADT_X_PM1A_CNT = 172,
	FADT_X_PM1B_CNT = 184,
	FADT_X_PM_TMR = 208
};

#define FADT_TMR_VAL_EXT     (1u << 8)
#define FADT_RESET_REG_SUP   (1u << 10)
#define FADT_HW_REDUCED_ACPI (1u << 20)

/* A register block's port: from its Generic Address Structure, else from the 32-bit field of old;
 * 0: there is none. */
static uint16_t register_port(struct acpi_info *info, struct acpi_table fadt, uint32_t generic,
			      uint32_t old, const char *name)
{
	uint64_t address = acpi_field64(fadt, generic + 4);

	if (acpi_field8(fadt, generic) != ACPI_SPACE_IO || address == 0 || address > UINT16_MAX)
		address = acpi_field32(fadt, old);
	if (address > UINT16_MAX) {
		warnings_add(&info->warnings, "FADT: %s at %#llx is no I/O port: ignored", name,
			     (unsigned long long)address);
		return 0;
	}
	if (address == 0 && acpi_field64(fadt, generic + 4) != 0)
		warnings_add(&info->warnings,
			     "FADT: %s is in address space %u, not in I/O: ignored", name,
			     acpi_field8(fadt, generic));
	return (uint16_t)address;
}

static void read_reset(struct acpi_info *info, struct acpi_table fadt)
{
	uint8_t space = acpi_field8(fadt, FADT_RESET_REG);
	uint64_t address = acpi_field64(fadt, FADT_RESET_REG + 4);

	if (!(acpi_field32(fadt, FADT_FLAGS) & FADT_RESET_REG_SUP))
		return;
	if (fadt.size <= FADT_RESET_VALUE || space > ACPI_SPACE_PCI_CONFIG || address == 0 ||
	    (space == ACPI_SPACE_IO && address > UINT16_MAX)) {
		warnings_add(&info->warnings,
			     "FADT: the reset register (space %u, %#llx) is unusable", space,
			     (unsigned long long)address);
		return;
	}
	info->have_reset = true;
	info->reset_space = space;
	info->reset_address = address;
	info->reset_value = acpi_field8(fadt, FADT_RESET_VALUE);
}

static void read_pm_registers(struct acpi_info *info, struct acpi_table fadt)
{
	uint32_t flags = acpi_field32(fadt, FADT_FLAGS);
	uint8_t timer_size = acpi_field8(fadt, FADT_PM_TMR_LEN);
	uint32_t smi_command = acpi_field32(fadt, FADT_SMI_CMD);

	info->pm1a_control = register_port(info, fadt, FADT_X_PM1A_CNT, FADT_PM1A_CNT, "PM1a_CNT");
	info->pm1b_control = register_port(info, fadt, FADT_X_PM1B_CNT, FADT_PM1B_CNT, "PM1b_CNT");
	info->pm_timer_port = register_port(info, fadt, FADT_X_PM_TMR, FADT_PM_TMR, "PM_TMR");
	info->pm_timer_32 = flags & FADT_TMR_VAL_EXT;
	if (info->pm_timer_port && timer_size != 4) {
		warnings_add(&info->warnings, "FADT: the PM timer has %u bytes, not 4: ignored",
			     timer_size);
		info->pm_timer_port = 0;
	}
	if (smi_command > UINT16_MAX) {
		warnings_add(&info->warnings, "FADT: SMI_CMD at %#x is no I/O port: ignored",
			     smi_command);
		return;
	}
	info->smi_command = (uint16_t)smi_command;
	info->acpi_enable = acpi_field8(fadt, FADT_ACPI_ENABLE);
}

uint64_t acpi_fadt_dsdt(struct acpi_table fadt)
{
	uint64_t dsdt = acpi_field64(fadt, FADT_X_DSDT);

	return dsdt ? dsdt : acpi_field32(fadt, FADT_DSDT);
}

void acpi_read_fadt(struct acpi_info *info, struct acpi_table fadt)
{
	if (fadt.size < FADT_OLD_SIZE) {
		warnings_add(&info->warnings,
			     "FADT: %u bytes are too few, at least %u are needed: ignored",
			     fadt.size, FADT_OLD_SIZE);
		return;
	}
	info->hardware_reduced = acpi_field32(fadt, FADT_FLAGS) & FADT_HW_REDUCED_ACPI;
	if (!info->hardware_reduced)
		read_pm_registers(info, fadt);
	read_reset(info, fadt);
}
