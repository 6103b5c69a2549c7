/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the ACPI tables: RSDP, root table, FADT, DSDT and SSDTs, MADT. The tables are taken as
 * hostile: a table is mapped by the length it claims only within a limit, every field is read
 * inside that length, and nothing follows a chain.
 */
#include "kernel/acpi.h"

#include "kernel/acpi_table.h"
#include "kernel/aml.h"
#include "kernel/string.h"

#define ROOT_ENTRIES_MAX 256

struct reader {
	acpi_map_fn *map;
	struct acpi_info *info;
	uint64_t entries[ROOT_ENTRIES_MAX]; /* what the root table lists */
	unsigned entry_count;
};

/* Offsets in "Root System Description Pointer (RSDP)". */
enum {
	RSDP_REVISION = 15,
	RSDP_RSDT = 16,
	RSDP_OLD_SIZE = 20,
	RSDP_LENGTH = 20,
	RSDP_XSDT = 24,
	RSDP_NEW_SIZE = 36
};

static bool checksum_ok(struct acpi_table table)
{
	uint8_t sum = 0;

	for (uint32_t i = 0; i < table.size; i++)
		sum = (uint8_t)(sum + table.bytes[i]);
	return sum == 0;
}

static bool has_signature(struct acpi_table table, const char *signature)
{
	return table.size >= 4 && !memcmp(table.bytes, signature, 4);
}

/* A signature as it may be printed, whatever it is made of. */
static const char *signature_text(const uint8_t *bytes, char text[5])
{
	for (unsigned i = 0; i < 4; i++)
		text[i] = bytes[i] > 0x20 && bytes[i] < 0x7f ? (char)bytes[i] : '?';
	text[4] = '\0';
	return text;
}

/* Maps the table at `address`; with `signature` not NULL it must have that one. A false checksum
 * only warns. */
static err_t map_table(struct reader *reader, uint64_t address, const char *signature,
		       struct acpi_table *table)
{
	const char *name = signature ? signature : "table";
	struct acpi_table header = {.size = ACPI_HEADER_SIZE};
	char text[5];
	uint32_t length;

	if (address == 0 || address > UINT64_MAX - ACPI_TABLE_MAX)
		return error("ACPI %s: no table can be at %#llx", name,
			     (unsigned long long)address);
	header.bytes = reader->map(HPA(address), ACPI_HEADER_SIZE);
	if (!header.bytes)
		return error("ACPI %s: its memory at %#llx cannot be reached", name,
			     (unsigned long long)address);
	if (signature && !has_signature(header, signature))
		return error("ACPI %s: the table at %#llx is '%s' instead", name,
			     (unsigned long long)address, signature_text(header.bytes, text));
	signature_text(header.bytes, text);
	length = acpi_field32(header, ACPI_HEADER_LENGTH);
	if (length < ACPI_HEADER_SIZE || length > ACPI_TABLE_MAX)
		return error(
			"ACPI %s: the table at %#llx claims %u bytes, where %u to %u are possible",
			text, (unsigned long long)address, length, ACPI_HEADER_SIZE,
			(unsigned)ACPI_TABLE_MAX);
	*table = (struct acpi_table){reader->map(HPA(address), length), length};
	if (!table->bytes)
		return error("ACPI %s: its %u bytes at %#llx cannot be reached", text, length,
			     (unsigned long long)address);
	if (!checksum_ok(*table))
		warnings_add(&reader->info->warnings,
			     "%s at %#llx: wrong checksum, used all the same", text,
			     (unsigned long long)address);
	return NULL;
}

static bool find_s5(struct reader *reader, struct acpi_table table)
{
	struct acpi_info *info = reader->info;

	info->have_s5 = aml_find_s5(table.bytes + ACPI_HEADER_SIZE, table.size - ACPI_HEADER_SIZE,
				    &info->s5_a, &info->s5_b);
	return info->have_s5;
}

/* Copies the root table's entries: it will not be mapped while they are visited. */
static err_t read_root(struct reader *reader, uint64_t address, const char *signature,
		       uint32_t entry_size)
{
	struct acpi_table root;
	err_t err = map_table(reader, address, signature, &root);
	uint32_t count;

	if (err)
		return err;
	count = (root.size - ACPI_HEADER_SIZE) / entry_size;
	if (count > ROOT_ENTRIES_MAX) {
		warnings_add(&reader->info->warnings,
			     "%s: %u tables beyond the first %u are ignored", signature,
			     count - ROOT_ENTRIES_MAX, ROOT_ENTRIES_MAX);
		count = ROOT_ENTRIES_MAX;
	}
	for (uint32_t i = 0; i < count; i++)
		reader->entries[i] =
			acpi_field(root, ACPI_HEADER_SIZE + i * entry_size, entry_size);
	reader->entry_count = count;
	return NULL;
}

/* Calls visit() for each table of this signature until it returns true. */
static bool visit_tables(struct reader *reader, const char *signature,
			 bool (*visit)(struct reader *reader, struct acpi_table table))
{
	for (unsigned i = 0; i < reader->entry_count; i++) {
		const uint8_t *bytes;
		struct acpi_table table;
		err_t err;

		if (reader->entries[i] == 0 || reader->entries[i] > UINT64_MAX - ACPI_TABLE_MAX)
			continue;
		bytes = reader->map(HPA(reader->entries[i]), ACPI_HEADER_SIZE);
		if (!bytes ||
		    !has_signature((struct acpi_table){bytes, ACPI_HEADER_SIZE}, signature))
			continue;
		err = map_table(reader, reader->entries[i], signature, &table);
		if (err)
			warnings_add(&reader->info->warnings, "%s", err);
		else if (visit(reader, table))
			return true;
	}
	return false;
}

static bool visit_fadt(struct reader *reader, struct acpi_table fadt)
{
	uint64_t address = acpi_fadt_dsdt(fadt);
	struct acpi_table dsdt;
	err_t err;

	acpi_read_fadt(reader->info, fadt);
	err = map_table(reader, address, "DSDT", &dsdt); /* now the FADT is not mapped any more */
	if (err)
		warnings_add(&reader->info->warnings, "%s", err);
	else
		(void)find_s5(reader, dsdt);
	return true;
}

static bool visit_madt(struct reader *reader, struct acpi_table madt)
{
	acpi_read_madt(reader->info, madt);
	return true;
}

static void read_tables(struct reader *reader)
{
	struct acpi_info *info = reader->info;

	if (!visit_tables(reader, "FACP", visit_fadt))
		warnings_add(&info->warnings,
			     "no usable FADT: no power off, reset or timer by ACPI");
	else if (!info->have_s5 && !visit_tables(reader, "SSDT", find_s5))
		warnings_add(&info->warnings,
			     "no _S5_ package in DSDT and SSDTs: no power off by ACPI");
	if (!visit_tables(reader, "APIC", visit_madt))
		warnings_add(&info->warnings, "no usable MADT: only the CPU that booted is known");
}

static bool rsdp_ok(const struct acpi_rsdp *rsdp)
{
	return rsdp->size >= RSDP_OLD_SIZE && !memcmp(rsdp->bytes, "RSD PTR ", 8) &&
	       checksum_ok((struct acpi_table){rsdp->bytes, RSDP_OLD_SIZE});
}

/* Finds the root table, of 64-bit addresses if there is one. */
static err_t follow_rsdp(struct reader *reader, const struct acpi_rsdp *rsdp)
{
	struct acpi_table table = {rsdp->bytes, rsdp->size};

	if (!rsdp_ok(rsdp))
		return "ACPI RSDP: wrong signature, size or checksum";
	if (acpi_field8(table, RSDP_REVISION) >= 2 && rsdp->size >= RSDP_NEW_SIZE &&
	    acpi_field64(table, RSDP_XSDT) != 0) {
		bool ok = acpi_field32(table, RSDP_LENGTH) == RSDP_NEW_SIZE &&
			  checksum_ok((struct acpi_table){rsdp->bytes, RSDP_NEW_SIZE});
		err_t err = ok ? read_root(reader, acpi_field64(table, RSDP_XSDT), "XSDT", 8)
			       : "RSDP: wrong length or extended checksum";

		if (!err)
			return NULL;
		warnings_add(&reader->info->warnings, "%s: trying the RSDT", err);
	}
	return read_root(reader, acpi_field32(table, RSDP_RSDT), "RSDT", 4);
}

/* Searches [start, start + size) for an RSDP on 16-byte boundaries (ACPI: "Finding the RSDP on
 * IA-PC Systems"). */
static bool search_rsdp(struct reader *reader, uint64_t start, uint32_t size,
			struct acpi_rsdp *rsdp)
{
	const uint8_t *bytes = reader->map(HPA(start), size);

	for (uint32_t i = 0; bytes && i + RSDP_OLD_SIZE <= size; i += 16) {
		rsdp->size = size - i < ACPI_RSDP_MAX ? size - i : ACPI_RSDP_MAX;
		memcpy(rsdp->bytes, bytes + i, rsdp->size);
		if (rsdp_ok(rsdp))
			return true;
	}
	return false;
}

static bool find_rsdp(struct reader *reader, struct acpi_rsdp *rsdp)
{
	const uint8_t *segment = reader->map(HPA(0x40e), 2); /* BIOS data area: where the EBDA is */
	uint64_t ebda = segment ? acpi_field((struct acpi_table){segment, 2}, 0, 2) << 4 : 0;

	return (ebda >= 0x400 && search_rsdp(reader, ebda, 1024, rsdp)) ||
	       search_rsdp(reader, 0xe0000, 0x20000, rsdp);
}

err_t acpi_read(const struct acpi_rsdp *modern, const struct acpi_rsdp *old, acpi_map_fn *map,
		struct acpi_info *info)
{
	const struct acpi_rsdp *told[] = {modern, old};
	struct reader reader = {.map = map, .info = info};
	struct acpi_rsdp found = {0};
	err_t err = NULL;

	memset(info, 0, sizeof(*info));
	for (unsigned i = 0; i < ARRAY_COUNT(told); i++) {
		if (!told[i] || !told[i]->size)
			continue;
		err = follow_rsdp(&reader, told[i]);
		if (!err) {
			read_tables(&reader);
			return NULL;
		}
		warnings_add(&info->warnings, "the boot loader's copy: %s", err);
	}
	if (!find_rsdp(&reader, &found))
		return "ACPI RSDP: the boot loader gave none that can be used, and the BIOS areas "
		       "(EBDA, "
		       "0xe0000 to 0xfffff) hold none; power off, reset and CPUs are unknown";
	err = follow_rsdp(&reader, &found);
	if (err)
		return err;
	read_tables(&reader);
	return NULL;
}
