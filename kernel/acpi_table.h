/* SPDX-License-Identifier: BSD-2-Clause */
/* A firmware table in memory, and its fields: for the files that read ACPI tables. */
#pragma once

#include <stdint.h>

#include "kernel/acpi.h"
#include "kernel/string.h"

/* A table in firmware memory, mapped until the next call of the map function. */
struct acpi_table {
	const uint8_t *bytes;
	uint32_t size;
};

/* Offsets in "System Description Table Header". */
enum { ACPI_HEADER_LENGTH = 4, ACPI_HEADER_SIZE = 36 };

/* A little-endian field; one that the table is too short for reads as zero, as older revisions mean
 * it. */
static inline uint64_t acpi_field(struct acpi_table table, uint32_t offset, uint32_t size)
{
	uint64_t value = 0;

	if (table.size >= size && offset <= table.size - size)
		memcpy(&value, table.bytes + offset, size);
	return value;
}

static inline uint8_t acpi_field8(struct acpi_table table, uint32_t offset)
{
	return (uint8_t)acpi_field(table, offset, 1);
}

static inline uint32_t acpi_field32(struct acpi_table table, uint32_t offset)
{
	return (uint32_t)acpi_field(table, offset, 4);
}

static inline uint64_t acpi_field64(struct acpi_table table, uint32_t offset)
{
	return acpi_field(table, offset, 8);
}

/* Each reads one table into info; what is wrong with it goes to info->warnings. */
void acpi_read_fadt(struct acpi_info *info, struct acpi_table fadt);
void acpi_read_madt(struct acpi_info *info, struct acpi_table madt);

/* Where the FADT says that the DSDT is; 0: it does not say. */
uint64_t acpi_fadt_dsdt(struct acpi_table fadt);
