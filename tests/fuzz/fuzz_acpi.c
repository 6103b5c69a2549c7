/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hostile ACPI tables. The input is the firmware's memory from MEMORY_START on. Its first byte
 * tells how it is found: 0 by a search for the RSDP, 'X' by a right RSDP to an XSDT at the very
 * start, everything else to an RSDT there.
 */
/* UNITS: kernel/acpi.c kernel/acpi_fadt.c kernel/acpi_madt.c kernel/aml.c kernel/warnings.c */
/* UNITS: kernel/format.c tests/fake/log.c tests/fake/error.c */
#include <stdlib.h>
#include <string.h>

#include "kernel/acpi.h"

#define MEMORY_START 0xe0000ull
#define MEMORY_SIZE  0x20000u /* the BIOS area, beyond the input all zeros */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t memory[MEMORY_SIZE];
static void *mapped;

/* Each map is a block of just its size, and ends the one before: AddressSanitizer sees every
 * misuse. */
static const void *map(hpa_t address, uint64_t size)
{
	free(mapped);
	mapped = NULL;
	if (size == 0 || size > ACPI_TABLE_MAX)
		abort();
	if (address.raw < MEMORY_START || address.raw - MEMORY_START > MEMORY_SIZE ||
	    size > MEMORY_SIZE - (address.raw - MEMORY_START))
		return NULL;
	mapped = malloc(size);
	if (!mapped)
		abort();
	memcpy(mapped, memory + (address.raw - MEMORY_START), size);
	return mapped;
}

static uint8_t checksum(const uint8_t *bytes, size_t size)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return (uint8_t)-sum;
}

static struct acpi_rsdp make_rsdp(uint8_t revision)
{
	struct acpi_rsdp rsdp = {.size = revision < 2 ? 20 : 36};
	uint64_t root = MEMORY_START;
	uint32_t length = 36;

	memcpy(rsdp.bytes, "RSD PTR ", 8);
	rsdp.bytes[15] = revision;
	memcpy(rsdp.bytes + 16, &root, 4);
	rsdp.bytes[8] = checksum(rsdp.bytes, 20);
	memcpy(rsdp.bytes + 20, &length, 4);
	memcpy(rsdp.bytes + 24, &root, 8);
	rsdp.bytes[32] = checksum(rsdp.bytes, 36);
	return rsdp;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct acpi_info info;
	struct acpi_rsdp modern = make_rsdp(2), old = make_rsdp(0);
	err_t err;

	size = size < sizeof(memory) ? size : sizeof(memory);
	memcpy(memory, data, size);
	memset(&info, 0xa5, sizeof(info));
	if (size < 4 || data[0] == 0) {
		err = acpi_read(NULL, NULL, map, &info);
	} else if (data[0] == 'X') {
		memcpy(memory, "XSDT", 4);
		err = acpi_read(&modern, NULL, map, &info);
	} else {
		memcpy(memory, "RSDT", 4);
		err = acpi_read(NULL, &old, map, &info);
	}
	memset(memory, 0, size);
	if ((err && !*err) || info.cpu_count > ACPI_CPUS_MAX || (info.have_s5 && info.s5_a > 7) ||
	    (info.have_reset && info.reset_space > ACPI_SPACE_PCI_CONFIG))
		abort();
	free(mapped);
	mapped = NULL;
	return 0;
}
