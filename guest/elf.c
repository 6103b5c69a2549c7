/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the program headers of ELF files for x86, 32-bit and 64-bit, without trusting a byte of
 * them. */
#include "guest/elf.h"

#include "kernel/string.h"

enum {
	ELF_CLASS_32 = 1,
	ELF_CLASS_64 = 2,
	ELF_LITTLE_ENDIAN = 1,
	ELF_TYPE_EXEC = 2,
	ELF_TYPE_DYN = 3,
	ELF_MACHINE_386 = 3,
	ELF_MACHINE_X86_64 = 62,
	ELF_LOAD = 1,
};

#define PROGRAM_HEADERS_MAX 128

struct elf_ident {
	uint8_t magic[4];
	uint8_t class;
	uint8_t data;
	uint8_t version;
	uint8_t pad[9];
};

struct elf32_header {
	struct elf_ident ident;
	uint16_t type, machine;
	uint32_t version;
	uint32_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf64_header {
	struct elf_ident ident;
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf32_program_header {
	uint32_t type, offset, vaddr, paddr, filesz, memsz, flags, align;
};

struct elf64_program_header {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

/* What is needed of either header. */
struct table {
	uint16_t type, machine;
	uint64_t entry, offset;
	uint16_t entry_size, count;
	bool is_64;
};

bool elf_detect(const void *bytes, uint64_t size)
{
	return size >= 4 && memcmp(bytes, "\177ELF", 4) == 0;
}

static err_t read_header(struct table *table, const void *bytes, uint64_t size)
{
	struct elf_ident ident;
	struct elf32_header header32;
	struct elf64_header header64;

	if (size < sizeof(ident))
		return error("truncated ELF file of %lu bytes", size);
	memcpy(&ident, bytes, sizeof(ident));
	if (ident.class != ELF_CLASS_32 && ident.class != ELF_CLASS_64)
		return error("unknown ELF class %u", ident.class);
	if (ident.data != ELF_LITTLE_ENDIAN)
		return error("ELF file with data encoding %u; x86 is little-endian (1)",
			     ident.data);
	if (size < (ident.class == ELF_CLASS_64 ? sizeof(header64) : sizeof(header32)))
		return error("truncated ELF header: the file has %lu bytes", size);
	if (ident.class == ELF_CLASS_64) {
		memcpy(&header64, bytes, sizeof(header64));
		*table = (struct table){header64.type,
					header64.machine,
					header64.entry,
					header64.phoff,
					header64.phentsize,
					header64.phnum,
					true};
	} else {
		memcpy(&header32, bytes, sizeof(header32));
		*table = (struct table){header32.type,  header32.machine,   header32.entry,
					header32.phoff, header32.phentsize, header32.phnum,
					false};
	}
	return NULL;
}

static err_t check_header(const struct table *table, uint64_t size)
{
	unsigned machine = table->is_64 ? ELF_MACHINE_X86_64 : ELF_MACHINE_386;
	uint64_t needed = table->is_64 ? sizeof(struct elf64_program_header)
				       : sizeof(struct elf32_program_header);
	uint64_t bytes = (uint64_t)table->count * table->entry_size;

	if (table->machine != machine)
		return error("ELF file for machine %u; %u-bit x86 is %u", table->machine,
			     table->is_64 ? 64 : 32, machine);
	if (table->type != ELF_TYPE_EXEC && table->type != ELF_TYPE_DYN)
		return error("ELF file of type %u is not executable (2)", table->type);
	if (table->count == 0)
		return error("ELF file without program headers");
	if (table->count > PROGRAM_HEADERS_MAX)
		return error("ELF file with %u program headers; at most %u are read", table->count,
			     PROGRAM_HEADERS_MAX);
	if (table->entry_size < needed)
		return error("ELF program headers of %u bytes; they have %lu", table->entry_size,
			     needed);
	if (table->offset > size || bytes > size - table->offset)
		return error("truncated ELF file: program headers at 0x%lx-0x%lx, but it has 0x%lx "
			     "bytes",
			     table->offset, table->offset + bytes - 1, size);
	return NULL;
}

/* Reads program header `index`; false when it is none to load. */
static bool read_segment(struct elf_segment *segment, const struct table *table, const void *bytes,
			 unsigned index)
{
	const uint8_t *at =
		(const uint8_t *)bytes + table->offset + (uint64_t)index * table->entry_size;
	struct elf32_program_header header32;
	struct elf64_program_header header64;
	uint32_t type;

	if (table->is_64) {
		memcpy(&header64, at, sizeof(header64));
		type = header64.type;
		*segment = (struct elf_segment){.offset = header64.offset,
						.file_size = header64.filesz,
						.virtual = header64.vaddr,
						.physical = header64.paddr,
						.memory_size = header64.memsz};
	} else {
		memcpy(&header32, at, sizeof(header32));
		type = header32.type;
		*segment = (struct elf_segment){.offset = header32.offset,
						.file_size = header32.filesz,
						.virtual = header32.vaddr,
						.physical = header32.paddr,
						.memory_size = header32.memsz};
	}
	return type == ELF_LOAD && (segment->memory_size > 0 || segment->file_size > 0);
}

static err_t check_segment(const struct elf_segment *segment, unsigned index, uint64_t size)
{
	if (segment->file_size > segment->memory_size)
		return error("ELF segment %u has 0x%lx bytes in the file but 0x%lx in memory",
			     index, segment->file_size, segment->memory_size);
	if (segment->offset > size || segment->file_size > size - segment->offset)
		return error(
			"truncated ELF file: segment %u has 0x%lx bytes at 0x%lx, but the file has "
			"0x%lx",
			index, segment->file_size, segment->offset, size);
	if (segment->memory_size > UINT64_MAX - segment->physical)
		return error("ELF segment %u (0x%lx bytes at 0x%lx) wraps around", index,
			     segment->memory_size, segment->physical);
	return NULL;
}

/*
 * The entry is a virtual address when it lies in a segment as linked. Kernels that are linked high
 * often give the physical address instead: it counts when no segment has it virtually.
 */
static err_t translate_entry(struct elf_file *elf, uint64_t entry)
{
	for (unsigned i = 0; i < elf->segment_count; i++) {
		const struct elf_segment *segment = &elf->segments[i];

		if (entry - segment->virtual < segment->memory_size) {
			elf->entry = entry - segment->virtual + segment->physical;
			return NULL;
		}
	}
	for (unsigned i = 0; i < elf->segment_count; i++) {
		if (entry - elf->segments[i].physical < elf->segments[i].memory_size) {
			elf->entry = entry;
			return NULL;
		}
	}
	return error("the ELF entry 0x%lx lies outside all %u segments", entry, elf->segment_count);
}

err_t elf_read(struct elf_file *elf, const void *bytes, uint64_t size)
{
	struct elf_segment segment;
	struct table table = {0};
	err_t err;

	elf->segment_count = 0;
	err = read_header(&table, bytes, size);
	if (!err)
		err = check_header(&table, size);
	if (err)
		return err;
	for (unsigned i = 0; i < table.count; i++) {
		if (!read_segment(&segment, &table, bytes, i))
			continue;
		err = check_segment(&segment, i, size);
		if (err)
			return err;
		if (elf->segment_count == ELF_SEGMENTS_MAX)
			return error("ELF file with more than %u segments to load",
				     ELF_SEGMENTS_MAX);
		elf->segments[elf->segment_count++] = segment;
	}
	if (elf->segment_count == 0)
		return error("ELF file without a segment to load");
	return translate_entry(elf, table.entry);
}
