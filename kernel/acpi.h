/* SPDX-License-Identifier: BSD-2-Clause */
/* What Plinth needs of the firmware's ACPI tables: power off, reset, the PM timer, and the CPUs. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/address.h"
#include "kernel/error.h"
#include "kernel/warnings.h"

#define ACPI_RSDP_MAX  36
#define ACPI_CPUS_MAX  256
#define ACPI_TABLE_MAX (2 * MIB) /* a longer table is not believed */

/* A copy of the RSDP that the boot loader made; size 0: there is none. */
struct acpi_rsdp {
	uint32_t size;
	uint8_t bytes[ACPI_RSDP_MAX];
};

/*
 * Gives access to firmware memory: [address, address + size) as bytes, size at most ACPI_TABLE_MAX,
 * or NULL when it cannot be reached (no such memory, or not mapped). The pointer is used only until
 * the next call.
 */
typedef const void *acpi_map_fn(hpa_t address, uint64_t size);

/* Address spaces of a Generic Address Structure (ACPI: "Generic Address Structure"). */
enum acpi_space { ACPI_SPACE_MEMORY = 0, ACPI_SPACE_IO = 1, ACPI_SPACE_PCI_CONFIG = 2 };

struct acpi_cpu {
	uint32_t apic_id;
	uint32_t processor_uid;
	bool enabled;
	bool online_capable; /* not enabled, but may be switched on later */
	bool x2apic;         /* described by a Processor Local x2APIC structure */
};

struct acpi_info {
	/* Power: SLP_TYPa and SLP_TYPb of the soft-off state go, with SLP_EN, to the PM1 control
	 * ports. */
	bool have_s5;
	uint8_t s5_a, s5_b;
	uint16_t pm1a_control, pm1b_control; /* I/O ports; 0: there is none */
	uint16_t smi_command;                /* I/O port; 0: ACPI mode is always on */
	uint8_t acpi_enable;                 /* written to smi_command to switch ACPI mode on */
	bool hardware_reduced;               /* no PM1 ports, no PM timer */

	bool have_reset;
	enum acpi_space reset_space;
	uint64_t reset_address; /* a port, a physical address, or device << 32 | function << 16 |
				   offset */
	uint8_t reset_value;

	uint16_t pm_timer_port; /* 3.579545 MHz; 0: there is none */
	bool pm_timer_32;       /* counts in 32 bits, else in 24 */

	/* CPUs, each APIC ID once, in the MADT's order (the first is usually the one that boots).
	 */
	struct acpi_cpu cpus[ACPI_CPUS_MAX];
	unsigned cpu_count;
	uint64_t local_apic_address; /* 0: no MADT */

	struct warnings warnings;
};

/*
 * Fills info from the tables. The copies are tried in order, modern (ACPI 2.0 and later) first,
 * either may be NULL; when neither serves, the BIOS areas are searched. An error means that there
 * is no usable RSDP or root table; info is then valid and empty. A single bad table costs only what
 * it would have told, and is named in info->warnings.
 */
err_t acpi_read(const struct acpi_rsdp *modern, const struct acpi_rsdp *old, acpi_map_fn *map,
		struct acpi_info *info) CHECKED;
