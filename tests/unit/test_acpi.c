/* SPDX-License-Identifier: BSD-2-Clause */
/* The ACPI tables, built here byte by byte, as firmware has them and as it should not. */
/* UNITS: kernel/acpi.c kernel/acpi_fadt.c kernel/acpi_madt.c kernel/aml.c kernel/warnings.c */
/* UNITS: kernel/format.c tests/fake/log.c tests/fake/error.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/acpi.h"
#include "kernel/aml.h"

#define MEMORY_SIZE 0x200000

enum {
	XSDT = 0x110000,
	RSDT = 0x111000,
	FADT = 0x112000,
	DSDT = 0x113000,
	SSDT = 0x114000,
	MADT = 0x118000
};

static uint8_t memory[MEMORY_SIZE]; /* physical memory from address 0 on */
static void *mapped;
static struct acpi_info info;
static struct acpi_rsdp modern, old;

/* Each map is a block of just its size, and ends the one before: AddressSanitizer sees every
 * misuse. */
static const void *map(hpa_t address, uint64_t size)
{
	free(mapped);
	mapped = NULL;
	assert_true(size > 0 && size <= ACPI_TABLE_MAX);
	if (address.raw > MEMORY_SIZE || size > MEMORY_SIZE - address.raw)
		return NULL;
	mapped = malloc(size);
	assert_non_null(mapped);
	memcpy(mapped, memory + address.raw, size);
	return mapped;
}

static void put(uint64_t address, uint64_t value, unsigned size)
{
	memcpy(memory + address, &value, size);
}

static void fix_checksum(uint64_t address, uint32_t size, uint32_t at)
{
	uint8_t sum = 0;

	memory[address + at] = 0;
	for (uint32_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + memory[address + i]);
	memory[address + at] = (uint8_t)-sum;
}

static void put_header(uint64_t address, const char *signature, uint32_t length)
{
	memcpy(memory + address, signature, 4);
	put(address + 4, length, 4);
	fix_checksum(address, length, 9);
}

static void put_rsdp(uint64_t address, uint8_t revision)
{
	memcpy(memory + address, "RSD PTR ", 8);
	memory[address + 15] = revision;
	put(address + 16, RSDT, 4);
	fix_checksum(address, 20, 8);
	if (revision < 2)
		return;
	put(address + 20, 36, 4);
	put(address + 24, XSDT, 8);
	fix_checksum(address, 36, 32);
}

static void copy_rsdp(struct acpi_rsdp *rsdp, uint64_t address, uint32_t size)
{
	rsdp->size = size;
	memcpy(rsdp->bytes, memory + address, size);
}

static void put_gas(uint64_t address, uint8_t space, uint64_t value)
{
	memory[address] = space;
	memory[address + 1] = 32;
	put(address + 4, value, 8);
}

/* `Name (_S5_, Package () {5, 6, 0, 0})` as iasl makes it, with something before and behind. */
static const uint8_t s5_code[] = {
	0x10, 0x1d, '\\', '_',  'S',  'B',  '_',  0x08, '_',  'S', '5', '_', 0x12,
	0x08, 0x04, 0x0a, 0x05, 0x0a, 0x06, 0x00, 0x00, 0x08, '_', 'S', '4', '_',
};

static void put_code(uint64_t address, const char *signature, const uint8_t *code, uint32_t size)
{
	memcpy(memory + address + 36, code, size);
	put_header(address, signature, 36 + size);
}

static void put_fadt(void)
{
	put(FADT + 40, DSDT, 4);
	put(FADT + 48, 0xb2, 4);
	memory[FADT + 52] = 0xf1;
	put(FADT + 64, 0xb004, 4);
	put(FADT + 76, 0xb008, 4);
	memory[FADT + 91] = 4;
	put(FADT + 112, 1 << 10 | 1 << 8, 4);
	put_gas(FADT + 116, ACPI_SPACE_IO, 0xcf9);
	memory[FADT + 128] = 0x0f;
	put_header(FADT, "FACP", 244);
}

static void put_local_apic(uint64_t address, uint8_t uid, uint8_t id, uint32_t flags)
{
	put(address, (uint64_t)flags << 32 | (uint64_t)id << 24 | (uint64_t)uid << 16 | 8 << 8 | 0,
	    8);
}

static void put_x2apic(uint64_t address, uint32_t uid, uint32_t id, uint32_t flags)
{
	put(address, 16 << 8 | 9, 4);
	put(address + 4, id, 4);
	put(address + 8, flags, 4);
	put(address + 12, uid, 4);
}

static void put_madt(void)
{
	put(MADT + 36, 0xfee00000, 4);
	put_local_apic(MADT + 44, 0, 0, 1);
	put_local_apic(MADT + 52, 1, 2, 1);
	put_header(MADT, "APIC", 60);
}

static void put_roots(void)
{
	put(RSDT + 36, FADT, 4);
	put(RSDT + 40, MADT, 4);
	put(RSDT + 44, SSDT, 4);
	put_header(RSDT, "RSDT", 48);
	put(XSDT + 36, FADT, 8);
	put(XSDT + 44, 0x1ff000, 8); /* empty memory: a table of no signature */
	put(XSDT + 52, MADT, 8);
	put(XSDT + 60, SSDT, 8);
	put_header(XSDT, "XSDT", 68);
}

/* A whole and right machine, its RSDP at 0xf0010. */
static int setup(void **state)
{
	(void)state;
	memset(memory, 0, sizeof(memory));
	put_fadt();
	put_madt();
	put_roots();
	put_code(DSDT, "DSDT", s5_code, sizeof(s5_code));
	put_code(SSDT, "SSDT", (const uint8_t *)"\x08_S1_", 5);
	put_rsdp(0xf0010, 2);
	copy_rsdp(&modern, 0xf0010, 36);
	copy_rsdp(&old, 0xf0010, 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(mapped);
	mapped = NULL;
	return 0;
}

static bool warned(const char *text)
{
	for (unsigned i = 0; i < info.warnings.count && i < WARNINGS_MAX; i++) {
		if (strstr(info.warnings.text[i], text))
			return true;
	}
	return false;
}

/* Reads by the modern copy alone; expects success. */
static void read_all(void)
{
	assert_null(acpi_read(&modern, NULL, map, &info));
}

static void assert_whole(void)
{
	assert_int_equal(info.warnings.count, 0);
	assert_true(info.have_s5);
	assert_int_equal(info.s5_a, 5);
	assert_int_equal(info.s5_b, 6);
	assert_int_equal(info.pm1a_control, 0xb004);
	assert_int_equal(info.pm1b_control, 0);
	assert_int_equal(info.smi_command, 0xb2);
	assert_int_equal(info.acpi_enable, 0xf1);
	assert_false(info.hardware_reduced);
	assert_true(info.have_reset);
	assert_int_equal(info.reset_space, ACPI_SPACE_IO);
	assert_int_equal(info.reset_address, 0xcf9);
	assert_int_equal(info.reset_value, 0x0f);
	assert_int_equal(info.pm_timer_port, 0xb008);
	assert_true(info.pm_timer_32);
	assert_int_equal(info.local_apic_address, 0xfee00000);
	assert_int_equal(info.cpu_count, 2);
	assert_int_equal(info.cpus[1].apic_id, 2);
	assert_int_equal(info.cpus[1].processor_uid, 1);
	assert_true(info.cpus[1].enabled);
	assert_false(info.cpus[1].x2apic);
}

static void test_every_way_to_the_root(void **state)
{
	(void)state;
	read_all();
	assert_whole();
	assert_null(acpi_read(NULL, &old, map, &info));
	assert_whole();
	assert_null(acpi_read(NULL, NULL, map, &info)); /* found at 0xf0010 */
	assert_whole();

	memset(memory + 0xf0010, 0, 36);
	put(0x40e, 0x9fc0, 2);
	put_rsdp(0x9fc00 + 1024 - 32, 0);
	assert_null(acpi_read(NULL, NULL, map, &info)); /* in the EBDA's first KiB */
	assert_whole();

	memset(memory + 0x9fc00, 0, 1024);
	put_rsdp(0x9fc00 + 1024, 0);
	put_rsdp(0xf0008, 0); /* not on a 16-byte boundary */
	assert_non_null(strstr(acpi_read(NULL, NULL, map, &info), "0xe0000 to 0xfffff"));
	assert_int_equal(info.cpu_count, 0);
	put_rsdp(0xfffe0, 0); /* the last place where it may be */
	assert_null(acpi_read(NULL, NULL, map, &info));
	assert_whole();
}

static void test_bad_rsdp(void **state)
{
	(void)state;
	modern.bytes[17]++; /* the old checksum is wrong: the other copy serves */
	assert_null(acpi_read(&modern, &old, map, &info));
	assert_true(warned("the boot loader's copy: ACPI RSDP"));
	assert_true(info.have_s5);

	setup(state);
	modern.bytes[24]++; /* the extended checksum is wrong: the RSDT serves */
	read_all();
	assert_true(warned("extended checksum: trying the RSDT"));
	assert_true(info.have_s5);

	setup(state);
	memcpy(memory + XSDT, "XXXX", 4);
	read_all();
	assert_true(warned("is 'XXXX' instead: trying the RSDT"));

	memcpy(memory + RSDT, "\x1b[2J", 4);
	memset(memory + 0xf0010, 0, 36);
	assert_non_null(acpi_read(&modern, &old, map, &info));
	assert_true(warned("is '?[2J' instead"));
	assert_false(info.have_s5);

	for (uint32_t size = 0; size < 20; size++) {
		modern.size = size;
		assert_non_null(acpi_read(&modern, NULL, map, &info));
	}
}

static void test_table_lengths(void **state)
{
	static const uint32_t lengths[] = {0, 1, 35, 0x200001, 0x7fffffff, 0x80000000, 0xffffffff};

	(void)state;
	for (unsigned i = 0; i < ARRAY_COUNT(lengths); i++) {
		put(FADT + 4, lengths[i], 4);
		read_all();
		assert_true(warned("ACPI FACP: the table at 0x112000 claims"));
		assert_true(warned("no usable FADT"));
		assert_int_equal(info.cpu_count, 2);
	}
	put(FADT + 4, MEMORY_SIZE - FADT + 1, 4);
	read_all();
	assert_true(warned("cannot be reached"));
	put(FADT + 4, 115, 4);
	read_all();
	assert_true(warned("115 bytes are too few"));

	/* Every length, with fields cut at each place. */
	setup(state);
	for (uint32_t length = 36; length < 260; length++) {
		put_header(FADT, "FACP", length);
		put_header(MADT, "APIC", length);
		put_header(DSDT, "DSDT", length);
		put_header(XSDT, "XSDT", length);
		read_all();
		assert_int_equal(info.have_reset, length > 128 && info.warnings.count < 2);
	}
}

static void test_root_entries(void **state)
{
	(void)state;
	/* Entries that lead nowhere, to the root itself, and around the end of the address space.
	 */
	put(XSDT + 36, 0, 8);
	put(XSDT + 44, UINT64_MAX, 8);
	put(XSDT + 52, XSDT, 8);
	put(XSDT + 60, UINT64_MAX - ACPI_TABLE_MAX, 8);
	put_header(XSDT, "XSDT", 68);
	read_all();
	assert_true(warned("no usable FADT"));
	assert_true(warned("no usable MADT"));

	/* More entries than anyone has. */
	setup(state);
	put(XSDT + 36 + 256 * 8, FADT, 8);
	for (unsigned i = 0; i < 256; i++)
		put(XSDT + 36 + i * 8, MADT, 8);
	put_header(XSDT, "XSDT", 36 + 257 * 8);
	memset(memory + FADT, 0,
	       0x1000); /* they overlap: the XSDT is larger than a page? it is not */
	read_all();
	assert_true(warned("XSDT: 1 tables beyond the first 256 are ignored"));
	assert_true(warned("no usable FADT"));
	assert_int_equal(info.cpu_count, 2);

	/* A DSDT pointer into the FADT itself. */
	setup(state);
	put(FADT + 40, FADT, 4);
	put_header(FADT, "FACP", 244);
	read_all();
	assert_true(warned("ACPI DSDT: the table at 0x112000 is 'FACP' instead"));
	assert_int_equal(info.pm1a_control, 0xb004);
}

static void test_checksum_only_warns(void **state)
{
	(void)state;
	memory[MADT + 9]++;
	read_all();
	assert_int_equal(info.warnings.count, 1);
	assert_true(warned("APIC at 0x118000: wrong checksum"));
	assert_int_equal(info.cpu_count, 2);
}

static void test_fadt_generic_addresses(void **state)
{
	(void)state;
	put_gas(FADT + 172, ACPI_SPACE_IO, 0x1804);
	put_gas(FADT + 184, ACPI_SPACE_IO, 0x1904);
	put_gas(FADT + 208, ACPI_SPACE_IO, 0x1808);
	put(FADT + 140, SSDT, 8); /* X_DSDT comes first, and is none */
	put_header(FADT, "FACP", 268);
	read_all();
	assert_int_equal(info.pm1a_control, 0x1804);
	assert_int_equal(info.pm1b_control, 0x1904);
	assert_int_equal(info.pm_timer_port, 0x1808);
	assert_false(info.have_s5);
	assert_true(warned("is 'SSDT' instead"));

	/* Those that are no ports: the old fields serve, or nothing. */
	put_gas(FADT + 172, ACPI_SPACE_IO, 0x10000);
	put_gas(FADT + 184, ACPI_SPACE_MEMORY, 0xfed00000);
	put_gas(FADT + 208, ACPI_SPACE_MEMORY, 0xfed00008);
	put(FADT + 76, 0x10008, 4);
	put_header(FADT, "FACP", 268);
	read_all();
	assert_int_equal(info.pm1a_control, 0xb004);
	assert_int_equal(info.pm1b_control, 0);
	assert_int_equal(info.pm_timer_port, 0);
	assert_true(warned("PM1b_CNT is in address space 0"));
	assert_true(warned("PM_TMR at 0x10008 is no I/O port"));
}

static void test_fadt_values(void **state)
{
	(void)state;
	put(FADT + 112, 0, 4);
	memory[FADT + 91] = 3;
	put(FADT + 48, 0x10000, 4);
	put_header(FADT, "FACP", 244);
	read_all();
	assert_false(info.have_reset);
	assert_false(info.pm_timer_32);
	assert_int_equal(info.pm_timer_port, 0);
	assert_int_equal(info.smi_command, 0);
	assert_true(warned("the PM timer has 3 bytes"));
	assert_true(warned("SMI_CMD at 0x10000"));

	setup(state);
	put_gas(FADT + 116, ACPI_SPACE_IO, 0x10cf9);
	put_header(FADT, "FACP", 244);
	read_all();
	assert_false(info.have_reset);
	assert_true(warned("reset register (space 1, 0x10cf9) is unusable"));
	put_gas(FADT + 116, ACPI_SPACE_MEMORY, 0x1fed80000);
	put_header(FADT, "FACP", 244);
	read_all();
	assert_true(info.have_reset);
	assert_int_equal(info.reset_space, ACPI_SPACE_MEMORY);
	assert_int_equal(info.reset_address, 0x1fed80000);
	put_gas(FADT + 116, 3, 0x10);
	put_header(FADT, "FACP", 244);
	read_all();
	assert_false(info.have_reset);

	setup(state);
	put(FADT + 112, 1 << 20 | 1 << 10, 4);
	put_header(FADT, "FACP", 244);
	read_all();
	assert_true(info.hardware_reduced && info.have_reset);
	assert_int_equal(info.pm1a_control, 0);
	assert_int_equal(info.pm_timer_port, 0);
}

static void test_s5_in_ssdt(void **state)
{
	(void)state;
	put_code(DSDT, "DSDT", (const uint8_t *)"\x08_S3_", 5);
	put_code(SSDT, "SSDT", s5_code, sizeof(s5_code));
	read_all();
	assert_whole();
	put_code(SSDT, "SSDT", s5_code, 12);
	read_all();
	assert_false(info.have_s5);
	assert_true(warned("no _S5_ package"));
}

struct aml_row {
	const char *what;
	bool found;
	uint8_t a, b;
	uint8_t size;
	uint8_t code[24];
};

#define S5 '_', 'S', '5', '_'

/* clang-format off */
static const struct aml_row aml_rows[] = {
	{"with root",         true,  5, 5, 14, {0x08, '\\', S5, 0x12, 0x06, 4, 0x0a, 5, 0x0a, 5, 0}},
	{"one and zero",      true,  1, 0, 10, {0x08, S5, 0x12, 0x04, 4, 1, 0}},
	{"words",             true,  7, 2, 15, {0x08, S5, 0x12, 0x08, 2, 0x0b, 7, 0, 0x0b, 2, 0}},
	{"dword and qword",   true,  3, 4, 22, {0x08, S5, 0x12, 0x10, 2, 0x0c, 3, 0, 0, 0, 0x0e, 4, 0, 0, 0, 0, 0, 0, 0}},
	{"one for both",      true,  5, 6, 11, {0x08, S5, 0x12, 0x05, 1, 0x0b, 5, 6}},
	{"long length",       true,  5, 5, 13, {0x08, S5, 0x12, 0x47, 0x00, 4, 0x0a, 5, 0x0a, 5}},
	{"second try",        true,  2, 2, 24, {0x08, S5, 0x12, 0x06, 4, 0x0a, 8, 0x0a, 5, 0x08, S5, 0x12, 0x06, 4, 0x0a, 2, 0x0a, 2}},
	{"not a name",        false, 0, 0, 12, {0x14, S5, 0x12, 0x06, 4, 0x0a, 5, 0x0a, 5}},
	{"no package",        false, 0, 0, 12, {0x08, S5, 0x11, 0x06, 4, 0x0a, 5, 0x0a, 5}},
	{"no elements",       false, 0, 0, 12, {0x08, S5, 0x12, 0x06, 0, 0x0a, 5, 0x0a, 5}},
	{"too large",         false, 0, 0, 12, {0x08, S5, 0x12, 0x06, 4, 0x0a, 8, 0x0a, 5}},
	{"not a constant",    false, 0, 0, 12, {0x08, S5, 0x12, 0x06, 4, 0x68, 0x69, 0x0a, 5}},
	{"longer than table", false, 0, 0, 12, {0x08, S5, 0x12, 0x07, 4, 0x0a, 5, 0x0a, 5}},
	{"shorter than used", false, 0, 0, 12, {0x08, S5, 0x12, 0x05, 4, 0x0a, 5, 0x0a, 5}},
	{"length of nothing", false, 0, 0, 12, {0x08, S5, 0x12, 0x00, 4, 0x0a, 5, 0x0a, 5}},
	{"length cut",        false, 0, 0,  7, {0x08, S5, 0x12, 0xc7}},
	{"huge length",       false, 0, 0, 15, {0x08, S5, 0x12, 0xcf, 0xff, 0xff, 0xff, 4, 0x0a, 5, 0x0a, 5}},
	{"at the very start", false, 0, 0, 11, {S5, 0x12, 0x06, 4, 0x0a, 5, 0x0a, 5}},
	{"at the very end",   false, 0, 0,  5, {0x08, S5}},
	{"short table",       false, 0, 0,  3, {0x08, '_', 'S'}},
	{"empty table",       false, 0, 0,  0, {0}},
};
/* clang-format on */

static void test_aml(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_COUNT(aml_rows); i++) {
		const struct aml_row *row = &aml_rows[i];
		uint8_t *code = malloc(row->size ? row->size : 1);
		uint8_t a = 0, b = 0;

		memcpy(code, row->code, row->size);
		if (aml_find_s5(code, row->size, &a, &b) != row->found || a != row->a ||
		    b != row->b)
			fail_msg("%s: a=%u b=%u", row->what, a, b);
		free(code);
	}
}

static void test_madt_structures(void **state)
{
	uint64_t at = MADT + 44;

	(void)state;
	put_local_apic(at, 0, 0, 1);
	put_local_apic(at + 8, 1, 1, 0);    /* an empty socket */
	put_local_apic(at + 16, 2, 2, 2);   /* may come later */
	put_local_apic(at + 24, 3, 255, 1); /* nobody */
	put_local_apic(at + 32, 4, 0, 1);   /* told twice */
	put(at + 40, 0x0c01, 2);            /* an I/O APIC */
	put_x2apic(at + 52, 300, 0x100, 1);
	put_x2apic(at + 68, 301, UINT32_MAX, 1);
	put_x2apic(at + 84, 302, 2, 1); /* told twice */
	put(at + 100, 12 << 8 | 5, 4);
	put(at + 104, 0x1fee00000, 8);
	put(at + 112, 7 << 8 | 0, 8);      /* too short for its type */
	put(at + 119, 200 << 8 | 0x80, 2); /* longer than the table */
	put_header(MADT, "APIC", 44 + 121);
	read_all();
	assert_int_equal(info.cpu_count, 3);
	assert_int_equal(info.cpus[0].apic_id, 0);
	assert_int_equal(info.cpus[0].processor_uid, 0);
	assert_int_equal(info.cpus[1].apic_id, 2);
	assert_true(info.cpus[1].online_capable && !info.cpus[1].enabled);
	assert_int_equal(info.cpus[2].apic_id, 0x100);
	assert_int_equal(info.cpus[2].processor_uid, 300);
	assert_true(info.cpus[2].x2apic && info.cpus[2].enabled);
	assert_int_equal(info.local_apic_address, 0x1fee00000);
	assert_int_equal(info.warnings.count, 2);
	assert_true(warned("type 0 with 7 bytes is too short"));
	assert_true(warned("at offset 163 claims 200 bytes"));

	/* A length of 0 or 1 must not stand still. */
	put(at + 8, 0, 2);
	read_all();
	assert_int_equal(info.cpu_count, 1);
	assert_true(warned("at offset 52 claims 0 bytes"));
	put(at + 8, 1 << 8, 2);
	read_all();
	assert_true(warned("at offset 52 claims 1 bytes"));
}

static void test_many_cpus(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 260; i++)
		put_x2apic(MADT + 44 + i * 16, i, i * 2, 1);
	put_header(MADT, "APIC", 44 + 260 * 16);
	read_all();
	assert_int_equal(info.cpu_count, ACPI_CPUS_MAX);
	assert_int_equal(info.cpus[255].apic_id, 510);
	assert_int_equal(info.warnings.count, 1);
	assert_true(warned("4 CPUs beyond the first 256"));
}

/* Loads a seed of the fuzz target: tables of a real firmware, moved to 0xe0000, the root table
 * first. */
static void load_tables(const char *path)
{
	FILE *file = fopen(path, "rb");

	assert_non_null(file);
	memset(memory, 0, sizeof(memory));
	assert_true(fread(memory + 0xe0000, 1, 0x10000, file) > 36);
	fclose(file);
}

static void test_real_tables(void **state)
{
	(void)state;
	load_tables("tests/fuzz/corpus/acpi/search"); /* QEMU's PC under SeaBIOS, with an RSDP */
	assert_null(acpi_read(NULL, NULL, map, &info));
	assert_int_equal(info.warnings.count, 0);
	assert_true(info.have_s5);
	assert_int_equal(info.s5_a, 0);
	assert_int_equal(info.s5_b, 0);
	assert_int_equal(info.pm1a_control, 0x604);
	assert_int_equal(info.pm_timer_port, 0x608);
	assert_false(info.pm_timer_32);
	assert_false(info.have_reset);
	assert_int_equal(info.cpu_count, 2);

	setup(state);
	load_tables("tests/fuzz/corpus/acpi/qemu-q35"); /* has no RSDP: ours is made to fit */
	put(0xf0010 + 16, 0xe0000, 4);
	memcpy(memory + 0xf0010, "RSD PTR ", 8);
	fix_checksum(0xf0010, 20, 8);
	assert_null(acpi_read(NULL, NULL, map, &info));
	assert_int_equal(info.warnings.count, 0);
	assert_true(info.have_s5 && info.have_reset);
	assert_int_equal(info.reset_address, 0xcf9);
	assert_int_equal(info.reset_value, 0x0f);
	assert_int_equal(info.acpi_enable, 2);
	assert_int_equal(info.cpu_count, 4);
	assert_int_equal(info.cpus[3].apic_id, 3);
	assert_int_equal(info.local_apic_address, 0xfee00000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_way_to_the_root, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_rsdp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_table_lengths, setup, teardown),
		cmocka_unit_test_setup_teardown(test_root_entries, setup, teardown),
		cmocka_unit_test_setup_teardown(test_checksum_only_warns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fadt_generic_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fadt_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_s5_in_ssdt, setup, teardown),
		cmocka_unit_test(test_aml),
		cmocka_unit_test_setup_teardown(test_madt_structures, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_cpus, setup, teardown),
		cmocka_unit_test_setup_teardown(test_real_tables, setup, teardown),
	};

	return cmocka_run_group_tests_name("acpi", tests, NULL, NULL);
}
