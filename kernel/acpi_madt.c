/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the MADT: the CPUs and the address of their local APICs. */
#include "kernel/acpi_table.h"

/* Structures in "Multiple APIC Description Table (MADT)". */
enum {
	MADT_LOCAL_APIC_ADDRESS = 36,
	MADT_STRUCTURES = 44,
	MADT_LOCAL_APIC = 0,
	MADT_ADDRESS_OVERRIDE = 5,
	MADT_LOCAL_X2APIC = 9
};

#define MADT_ENABLED        (1u << 0)
#define MADT_ONLINE_CAPABLE (1u << 1)

static void add_cpu(struct acpi_info *info, struct acpi_cpu cpu, uint32_t flags, unsigned *lost)
{
	cpu.enabled = flags & MADT_ENABLED;
	cpu.online_capable = !cpu.enabled && flags & MADT_ONLINE_CAPABLE;
	/* Firmware lists sockets that are empty; and IDs of all ones mean nobody (in x2APIC:
	 * everybody). */
	if ((!cpu.enabled && !cpu.online_capable) ||
	    cpu.apic_id == (cpu.x2apic ? UINT32_MAX : UINT8_MAX))
		return;
	for (unsigned i = 0; i < info->cpu_count; i++) {
		if (info->cpus[i].apic_id == cpu.apic_id)
			return;
	}
	if (info->cpu_count == ACPI_CPUS_MAX)
		(*lost)++;
	else
		info->cpus[info->cpu_count++] = cpu;
}

static void read_madt_structure(struct acpi_info *info, struct acpi_table s, unsigned *lost)
{
	struct acpi_cpu cpu = {0};

	switch (acpi_field8(s, 0)) {
	case MADT_LOCAL_APIC:
		if (s.size < 8)
			break;
		cpu.processor_uid = acpi_field8(s, 2);
		cpu.apic_id = acpi_field8(s, 3);
		add_cpu(info, cpu, acpi_field32(s, 4), lost);
		return;
	case MADT_LOCAL_X2APIC:
		if (s.size < 16)
			break;
		cpu.x2apic = true;
		cpu.apic_id = acpi_field32(s, 4);
		cpu.processor_uid = acpi_field32(s, 12);
		add_cpu(info, cpu, acpi_field32(s, 8), lost);
		return;
	case MADT_ADDRESS_OVERRIDE:
		if (s.size < 12)
			break;
		info->local_apic_address = acpi_field64(s, 4);
		return;
	default:
		return; /* I/O APICs and whatever else: not needed */
	}
	warnings_add(&info->warnings,
		     "MADT: a structure of type %u with %u bytes is too short: ignored",
		     acpi_field8(s, 0), s.size);
}

void acpi_read_madt(struct acpi_info *info, struct acpi_table madt)
{
	unsigned lost = 0;
	uint32_t length;

	if (madt.size < MADT_STRUCTURES) {
		warnings_add(&info->warnings,
			     "MADT: %u bytes are too few, at least %u are needed: ignored",
			     madt.size, MADT_STRUCTURES);
		return;
	}
	info->local_apic_address = acpi_field32(madt, MADT_LOCAL_APIC_ADDRESS);
	for (uint32_t offset = MADT_STRUCTURES; madt.size - offset >= 2; offset += length) {
		length = acpi_field8(madt, offset + 1);
		if (length < 2 || length > madt.size - offset) {
			warnings_add(&info->warnings,
				     "MADT: a structure at offset %u claims %u bytes: the rest is "
				     "ignored",
				     offset, length);
			break;
		}
		read_madt_structure(info, (struct acpi_table){madt.bytes + offset, length}, &lost);
	}
	if (lost)
		warnings_add(&info->warnings, "MADT: %u CPUs beyond the first %u are ignored", lost,
			     ACPI_CPUS_MAX);
}
