/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the Multiboot2 information. The block is taken as hostile: every tag is measured against
 * the block's end before it is looked into, every loop moves on by at least one tag, and what does
 * not fit is left out with a warning.
 */
#include "kernel/multiboot2.h"

#include <stddef.h>

#include "kernel/string.h"

enum tag_type {
	TAG_END = 0,
	TAG_COMMAND_LINE = 1,
	TAG_LOADER_NAME = 2,
	TAG_MODULE = 3,
	TAG_MEMORY_MAP = 6,
	TAG_FRAMEBUFFER = 8,
	TAG_EFI32_SYSTEM_TABLE = 11,
	TAG_EFI64_SYSTEM_TABLE = 12,
	TAG_RSDP_OLD = 14,
	TAG_RSDP_NEW = 15,
	TAG_EFI_MEMORY_MAP = 17,
	TAG_EFI_BOOT_SERVICES = 18,
	TAG_EFI32_IMAGE = 19,
	TAG_EFI64_IMAGE = 20,
	TAG_TYPES
};

struct tag {
	uint32_t type;
	uint32_t size; /* with this header, without the padding to 8 bytes */
};

/* A tag's content, known to be readable. */
struct content {
	const uint8_t *bytes;
	uint32_t size;
};

struct tag_row {
	const char *name;
	uint32_t min;  /* bytes of content; fewer: the tag is ignored */
	bool repeated; /* may come more than once; else only the first counts */
	void (*read)(struct boot_info *info, struct content content);
};

/* Fields may lie at any alignment once a size is odd, so all are copied out. */
static uint32_t read32(struct content content, uint32_t offset)
{
	uint32_t value;

	memcpy(&value, content.bytes + offset, sizeof(value));
	return value;
}

static uint64_t read64(struct content content, uint32_t offset)
{
	uint64_t value;

	memcpy(&value, content.bytes + offset, sizeof(value));
	return value;
}

/* Copies the string that starts at `offset`; an unterminated one ends with its tag. */
static const char *copy_text(struct boot_info *info, struct content content, uint32_t offset,
			     const char *what)
{
	const char *from = (const char *)content.bytes + offset;
	size_t max = content.size - offset;
	size_t room = BOOT_TEXT_MAX - info->text_used; /* at least 1, see below */
	size_t length = strnlen(from, max);
	char *to = info->text + info->text_used;

	if (length == max && max > 0)
		warnings_add(&info->warnings, "the %s has no end: cut at its tag's end", what);
	if (length > room - 1) {
		warnings_add(&info->warnings,
			     "the %s is cut: no room for more than %u bytes of text", what,
			     (unsigned)BOOT_TEXT_MAX);
		length = room - 1;
	}
	memcpy(to, from, length);
	to[length] = '\0';
	/* The last byte stays free: a full pool still gives everyone an empty string. */
	info->text_used += (uint32_t)length + (length + 1 < room ? 1 : 0);
	return to;
}

static void read_command_line(struct boot_info *info, struct content content)
{
	info->command_line = copy_text(info, content, 0, "command line");
}

static void read_loader_name(struct boot_info *info, struct content content)
{
	info->loader_name = copy_text(info, content, 0, "boot loader's name");
}

static void read_module(struct boot_info *info, struct content content)
{
	uint32_t start = read32(content, 0);
	uint32_t end = read32(content, 4);
	struct boot_module *module;

	if (info->module_count == BOOT_MODULES_MAX) {
		warnings_add(&info->warnings, "a module at %#x is ignored: there are more than %u",
			     start, BOOT_MODULES_MAX);
		return;
	}
	if (end < start) {
		warnings_add(&info->warnings,
			     "module %u ends (%#x) before it starts (%#x): taken as empty",
			     info->module_count, end, start);
		end = start;
	}
	module = &info->modules[info->module_count++];
	module->start = HPA(start);
	module->end = HPA(end);
	module->text = copy_text(info, content, 8, "string of a module");
}

static void read_memory_map(struct boot_info *info, struct content content)
{
	uint32_t entry_size = read32(content, 0);
	uint32_t offset = 8;

	/* Larger entries than ours are of a newer version, with more fields at their end. */
	if (entry_size < 20 || entry_size % 4 != 0) {
		warnings_add(&info->warnings, "the memory map has entries of %u bytes: ignored",
			     entry_size);
		return;
	}
	while (content.size - offset >= entry_size) {
		if (info->memory_map_count == BOOT_MEMORY_MAP_MAX) {
			warnings_add(&info->warnings, "the memory map is cut after %u entries",
				     BOOT_MEMORY_MAP_MAX);
			return;
		}
		info->memory_map[info->memory_map_count++] = (struct memory_map_entry){
			.base = read64(content, offset),
			.length = read64(content, offset + 8),
			.type = read32(content, offset + 16),
		};
		offset += entry_size;
	}
	if (offset != content.size)
		warnings_add(&info->warnings, "the memory map's last entry is cut: ignored");
}

static void read_framebuffer(struct boot_info *info, struct content content)
{
	struct boot_framebuffer *fb = &info->framebuffer;
	uint8_t type = content.bytes[21];

	if (type > FRAMEBUFFER_EGA_TEXT) {
		warnings_add(&info->warnings, "a framebuffer of unknown type %u: ignored", type);
		return;
	}
	if (type == FRAMEBUFFER_RGB && content.size < 30) {
		warnings_add(&info->warnings, "the framebuffer does not tell its colours: ignored");
		return;
	}
	*fb = (struct boot_framebuffer){
		.present = true,
		.type = type,
		.address = HPA(read64(content, 0)),
		.pitch = read32(content, 8),
		.width = read32(content, 12),
		.height = read32(content, 16),
		.bits_per_pixel = content.bytes[20],
	};
	if (type == FRAMEBUFFER_RGB) {
		fb->red_position = content.bytes[24];
		fb->red_size = content.bytes[25];
		fb->green_position = content.bytes[26];
		fb->green_size = content.bytes[27];
		fb->blue_position = content.bytes[28];
		fb->blue_size = content.bytes[29];
	}
}

static void copy_rsdp(struct acpi_rsdp *rsdp, struct content content)
{
	rsdp->size = content.size < ACPI_RSDP_MAX ? content.size : ACPI_RSDP_MAX;
	memcpy(rsdp->bytes, content.bytes, rsdp->size);
}

static void read_rsdp_old(struct boot_info *info, struct content content)
{
	copy_rsdp(&info->rsdp_old, content);
}

static void read_rsdp_new(struct boot_info *info, struct content content)
{
	copy_rsdp(&info->rsdp_new, content);
}

static void read_efi(struct boot_info *info, struct content content)
{
	(void)content;
	info->efi = true;
}

/* GRUB's framebuffer tag has two reserved bytes after the type, where the specification's text
 * shows one. */
static const struct tag_row tag_rows[TAG_TYPES] = {
	[TAG_COMMAND_LINE] = {"command line",      0,  false, read_command_line},
	[TAG_LOADER_NAME] = {"boot loader name",  0,  false, read_loader_name },
	[TAG_MODULE] = {"module",            8,  true,  read_module      },
	[TAG_MEMORY_MAP] = {"memory map",        8,  false, read_memory_map  },
	[TAG_FRAMEBUFFER] = {"framebuffer",       22, false, read_framebuffer },
	[TAG_EFI32_SYSTEM_TABLE] = {"EFI system table",  4,  true,  read_efi         },
	[TAG_EFI64_SYSTEM_TABLE] = {"EFI system table",  8,  true,  read_efi         },
	[TAG_RSDP_OLD] = {"RSDP (ACPI 1.0)",   20, false, read_rsdp_old    },
	[TAG_RSDP_NEW] = {"RSDP (ACPI 2.0)",   20, false, read_rsdp_new    },
	[TAG_EFI_MEMORY_MAP] = {"EFI memory map",    0,  true,  read_efi         },
	[TAG_EFI_BOOT_SERVICES] = {"EFI boot services", 0,  true,  read_efi         },
	[TAG_EFI32_IMAGE] = {"EFI image handle",  0,  true,  read_efi         },
	[TAG_EFI64_IMAGE] = {"EFI image handle",  0,  true,  read_efi         },
};

static void read_tag(struct boot_info *info, struct tag tag, struct content content, uint32_t *seen)
{
	const struct tag_row *row = tag.type < TAG_TYPES ? &tag_rows[tag.type] : NULL;

	if (!row || !row->read)
		return; /* a tag that Plinth has no use for */
	if (content.size < row->min) {
		warnings_add(&info->warnings, "a tag (%s) of %u bytes is too short: ignored",
			     row->name, tag.size);
		return;
	}
	if ((*seen & 1u << tag.type) && !row->repeated) {
		warnings_add(&info->warnings, "a second tag (%s): ignored", row->name);
		return;
	}
	*seen |= 1u << tag.type;
	row->read(info, content);
}

static err_t read_tags(const uint8_t *block, uint32_t size, struct boot_info *info)
{
	uint32_t seen = 0;
	uint32_t offset = 8;

	for (;;) {
		struct tag tag;

		if (size - offset < sizeof(tag)) {
			warnings_add(&info->warnings, "the information has no end tag");
			return NULL;
		}
		memcpy(&tag, block + offset, sizeof(tag));
		if (tag.type == TAG_END)
			return NULL;
		if (tag.size < sizeof(tag) || tag.size > size - offset)
			return error("multiboot2: the tag of type %u at offset %u has %u bytes, "
				     "where 8 to %u "
				     "are possible: the boot loader's information is damaged",
				     tag.type, offset, tag.size, size - offset);
		read_tag(info, tag,
			 (struct content){block + offset + sizeof(tag),
					  tag.size - (uint32_t)sizeof(tag)},
			 &seen);
		/* The next tag starts at a multiple of 8; the last one's padding may be missing. */
		if (size - offset - tag.size < 8)
			offset = size;
		else
			offset += (uint32_t)align_up(tag.size, 8);
	}
}

err_t multiboot2_parse(const void *block, hpa_t address, uint64_t readable_size,
		       struct boot_info *info)
{
	struct content header = {block, 8};
	uint32_t total;

	memset(info, 0, sizeof(*info));
	info->loader_name = info->command_line = "";
	if (readable_size < 16)
		return error(
			"multiboot2: only %llu bytes of the boot loader's information can be read",
			(unsigned long long)readable_size);
	total = read32(header, 0);
	if (total < 16)
		return error("multiboot2: the boot loader's information claims a size of %u bytes",
			     total);
	info->block = address;
	info->block_size = total;
	if (total > readable_size) {
		warnings_add(&info->warnings,
			     "the information claims %u bytes, only %llu can be read: cut", total,
			     (unsigned long long)readable_size);
		total = (uint32_t)readable_size;
	}
	return read_tags(block, total, info);
}
