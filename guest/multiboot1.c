/* SPDX-License-Identifier: BSD-2-Clause */
/* Multiboot 1 images ("Multiboot Specification version 0.6.96"): ELF, or any file with address
 * fields in its header. */
#include "guest/multiboot1.h"

#include "guest/elf.h"
#include "guest/firmware.h"
#include "guest/placement.h"
#include "kernel/string.h"

#define HEADER_MAGIC  0x1badb002u
#define BOOT_MAGIC    0x2badb002u /* what the kernel finds in EAX */
#define HEADER_SEARCH 8192u       /* the header lies in the first 8 KiB, aligned to 4 */
#define STACK_SIZE    PAGE_SIZE

/* Flags of the header. The loader must refuse those of bits 0 to 15 that it does not know. */
enum {
	HEADER_PAGE_ALIGN = 1 << 0,  /* modules are always page aligned here */
	HEADER_MEMORY_INFO = 1 << 1, /* always given here */
	HEADER_VIDEO = 1 << 2,       /* a text screen may stand for any mode that is asked for */
	HEADER_ADDRESSES = 1 << 16,
	HEADER_REQUIRED = 0xffff,
	HEADER_KNOWN = HEADER_PAGE_ALIGN | HEADER_MEMORY_INFO | HEADER_VIDEO,
};

enum { VIDEO_GRAPHICS = 0, VIDEO_TEXT = 1 };

struct multiboot_header {
	uint32_t magic, flags, checksum;
	uint32_t header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr;
	uint32_t mode_type, width, height, depth;
};

/* How much of the header counts, by its flags. */
#define HEADER_SIZE_SHORT     offsetof(struct multiboot_header, header_addr)
#define HEADER_SIZE_ADDRESSES offsetof(struct multiboot_header, mode_type)
#define HEADER_SIZE_VIDEO     sizeof(struct multiboot_header)

enum {
	INFO_MEMORY = 1 << 0,
	INFO_COMMAND_LINE = 1 << 2,
	INFO_MODULES = 1 << 3,
	INFO_MEMORY_MAP = 1 << 6,
	INFO_LOADER_NAME = 1 << 9,
	INFO_FRAMEBUFFER = 1 << 12,
};

enum { FRAMEBUFFER_TEXT = 2 };

struct multiboot_info {
	uint32_t flags;
	uint32_t mem_lower, mem_upper;
	uint32_t boot_device;
	uint32_t cmdline;
	uint32_t mods_count, mods_addr;
	uint32_t syms[4];
	uint32_t mmap_length, mmap_addr;
	uint32_t drives_length, drives_addr;
	uint32_t config_table;
	uint32_t boot_loader_name;
	uint32_t apm_table;
	uint32_t vbe_control_info, vbe_mode_info;
	uint16_t vbe_mode, vbe_interface_seg, vbe_interface_off, vbe_interface_len;
	uint64_t framebuffer_addr;
	uint32_t framebuffer_pitch, framebuffer_width, framebuffer_height;
	uint8_t framebuffer_bpp, framebuffer_type;
	uint8_t color_info[6];
} PACKED;

_Static_assert(sizeof(struct multiboot_info) == 116, "Multiboot information format");

struct multiboot_memory {
	uint32_t size; /* of the rest of the entry */
	struct e820_entry entry;
} PACKED;

struct multiboot_module {
	uint32_t start, end, string, reserved;
};

/* The information and what it points to, the strings of the user apart. */
struct information {
	struct multiboot_info info;
	struct multiboot_memory map[E820_ENTRIES_MAX];
	struct multiboot_module module;
	char loader_name[8];
} PACKED;

/* An image while it is being loaded. */
struct multiboot_image {
	const struct guest_image *image;
	struct multiboot_header header; /* fields that do not count are zero */
	uint64_t header_offset;
	uint32_t entry;
	gpa_t command_line, module, module_string, information;
};

static bool find_header(const struct guest_image *image, bool any_checksum, uint64_t *offset)
{
	const uint8_t *bytes = image->bytes;

	for (uint64_t at = 0;
	     at + HEADER_SIZE_SHORT <= image->size && at + HEADER_SIZE_SHORT <= HEADER_SEARCH;
	     at += 4) {
		uint32_t words[3];

		memcpy(words, bytes + at, sizeof(words));
		if (words[0] == HEADER_MAGIC &&
		    (any_checksum || words[0] + words[1] + words[2] == 0)) {
			*offset = at;
			return true;
		}
	}
	return false;
}

bool multiboot1_detect(const struct guest_image *image)
{
	uint64_t offset;

	return find_header(image, false, &offset);
}

bool multiboot1_find_magic(const struct guest_image *image, uint64_t *offset)
{
	return find_header(image, true, offset);
}

static err_t read_header(struct multiboot_image *mb)
{
	const uint8_t *bytes = mb->image->bytes;
	uint64_t size = HEADER_SIZE_SHORT;
	uint32_t unknown;

	if (!find_header(mb->image, false, &mb->header_offset))
		return error("no header in the first 8 KiB");
	memcpy(&mb->header, bytes + mb->header_offset, HEADER_SIZE_SHORT);
	unknown = mb->header.flags & HEADER_REQUIRED & ~(uint32_t)HEADER_KNOWN;
	if (unknown)
		return error("the header at 0x%lx has flags 0x%x: bits 0x%x require what is not "
			     "known here",
			     mb->header_offset, mb->header.flags, unknown);
	if (mb->header.flags & HEADER_ADDRESSES)
		size = HEADER_SIZE_ADDRESSES;
	if (mb->header.flags & HEADER_VIDEO)
		size = HEADER_SIZE_VIDEO;
	if (mb->header_offset + size > mb->image->size || mb->header_offset + size > HEADER_SEARCH)
		return error("the header at 0x%lx with flags 0x%x has %lu bytes: it does not end "
			     "inside the "
			     "image (%lu bytes) and its first 8 KiB",
			     mb->header_offset, mb->header.flags, size, mb->image->size);
	memcpy(&mb->header, bytes + mb->header_offset, size);
	if ((mb->header.flags & HEADER_VIDEO) && mb->header.mode_type > VIDEO_TEXT)
		return error(
			"the header asks for video mode type %u; 0 (graphics) and 1 (text) exist",
			mb->header.mode_type);
	return NULL;
}

/* Takes [gpa, gpa + memory_size), copies the file's part there and clears the rest. */
static err_t load_piece(struct multiboot_image *mb, struct placement *placement, uint64_t offset,
			uint64_t file_size, uint64_t gpa, uint64_t memory_size, const char *what)
{
	err_t err = placement_take(placement, gpa, memory_size, what);

	if (!err && file_size > 0)
		err = placement_write(placement, gpa, (const uint8_t *)mb->image->bytes + offset,
				      file_size);
	if (!err)
		err = placement_zero(placement, gpa + file_size, memory_size - file_size);
	return err;
}

/* By the address fields of the header. */
static err_t load_by_addresses(struct multiboot_image *mb, struct placement *placement)
{
	const struct multiboot_header *header = &mb->header;
	uint32_t before = header->header_addr - header->load_addr;
	uint64_t offset, file_size, memory_size;

	if (header->header_addr < header->load_addr || before > mb->header_offset)
		return error("load_addr 0x%x and header_addr 0x%x do not fit a header at 0x%lx of "
			     "the file",
			     header->load_addr, header->header_addr, mb->header_offset);
	offset = mb->header_offset - before;
	file_size = mb->image->size - offset;
	if (header->load_end_addr) {
		if (header->load_end_addr <= header->load_addr)
			return error("load_end_addr 0x%x is not above load_addr 0x%x",
				     header->load_end_addr, header->load_addr);
		if (header->load_end_addr - header->load_addr > file_size)
			return error("truncated: load_addr 0x%x to load_end_addr 0x%x is more than "
				     "the 0x%lx "
				     "bytes that the file has from 0x%lx on",
				     header->load_addr, header->load_end_addr, file_size, offset);
		file_size = header->load_end_addr - header->load_addr;
	}
	memory_size = file_size;
	if (header->bss_end_addr) {
		if (header->bss_end_addr < header->load_addr + file_size)
			return error("bss_end_addr 0x%x is below the end of the data, 0x%lx",
				     header->bss_end_addr, header->load_addr + file_size);
		memory_size = header->bss_end_addr - header->load_addr;
	}
	mb->entry = header->entry_addr;
	if (header->entry_addr < header->load_addr ||
	    header->entry_addr - header->load_addr >= file_size)
		return error("entry_addr 0x%x lies outside what is loaded, 0x%x-0x%lx",
			     header->entry_addr, header->load_addr,
			     header->load_addr + file_size - 1);
	return load_piece(mb, placement, offset, file_size, header->load_addr, memory_size,
			  "the image");
}

static err_t load_elf(struct multiboot_image *mb, struct placement *placement)
{
	struct elf_file elf;
	err_t err = elf_read(&elf, mb->image->bytes, mb->image->size);

	if (err)
		return err;
	for (unsigned i = 0; i < elf.segment_count; i++) {
		const struct elf_segment *segment = &elf.segments[i];

		err = load_piece(mb, placement, segment->offset, segment->file_size,
				 segment->physical, segment->memory_size, "an ELF segment");
		if (err)
			return err;
	}
	/* It lies in a segment, and those end below 4 GiB. */
	mb->entry = (uint32_t)elf.entry;
	return NULL;
}

static err_t load_kernel(struct multiboot_image *mb, struct placement *placement)
{
	if (mb->header.flags & HEADER_ADDRESSES)
		return load_by_addresses(mb, placement);
	if (!elf_detect(mb->image->bytes, mb->image->size))
		return error(
			"the header at 0x%lx has no address fields (bit 16 of flags 0x%x), and the "
			"image is no ELF file",
			mb->header_offset, mb->header.flags);
	return load_elf(mb, placement);
}

static err_t place_string(struct placement *placement, const char *text, const char *what,
			  gpa_t *place)
{
	uint64_t size = strlen(text) + 1;
	err_t err = placement_place_structure(placement, size, 4, what, place);

	return err ? err : placement_write(placement, place->raw, text, size);
}

static err_t place_module(struct multiboot_image *mb, struct placement *placement)
{
	const struct guest_image *image = mb->image;
	err_t err;

	if (!image_has_initrd(image))
		return NULL;
	err = placement_place_high(placement, FOUR_GIB, image->initrd_size, PAGE_SIZE, "the module",
				   &mb->module);
	if (!err)
		err = placement_write(placement, mb->module.raw, image->initrd, image->initrd_size);
	if (!err)
		err = place_string(placement, image->initrd_name ? image->initrd_name : "",
				   "the module's string", &mb->module_string);
	return err;
}

/* The address of a member of struct information when that lies at gpa. */
#define MEMBER_ADDRESS(gpa, member) ((uint32_t)((gpa).raw + offsetof(struct information, member)))

static void describe_memory(struct information *information, const struct vm *vm, gpa_t place)
{
	struct multiboot_info *info = &information->info;
	struct e820_entry map[E820_ENTRIES_MAX];
	unsigned count = firmware_memory_map(vm, map);

	for (unsigned i = 0; i < count; i++)
		information->map[i] = (struct multiboot_memory){sizeof(map[i]), map[i]};
	info->flags |= INFO_MEMORY | INFO_MEMORY_MAP;
	info->mem_lower = firmware_low_kib(vm);
	info->mem_upper = firmware_high_kib(vm);
	info->mmap_length = (uint32_t)(count * sizeof(information->map[0]));
	info->mmap_addr = MEMBER_ADDRESS(place, map);
}

static void describe_screen(struct multiboot_info *info)
{
	info->flags |= INFO_FRAMEBUFFER;
	info->framebuffer_addr = 0xb8000;
	info->framebuffer_pitch = 80 * 2;
	info->framebuffer_width = 80;
	info->framebuffer_height = 25;
	info->framebuffer_bpp = 16;
	info->framebuffer_type = FRAMEBUFFER_TEXT;
}

static err_t make_information(struct multiboot_image *mb, struct placement *placement)
{
	struct information information = {.loader_name = "Plinth"};
	struct multiboot_info *info = &information.info;
	err_t err;

	err = place_string(placement, image_command_line(mb->image), "the command line",
			   &mb->command_line);
	if (!err)
		err = placement_place_structure(placement, sizeof(information), 16,
						"the Multiboot information", &mb->information);
	if (err)
		return err;

	describe_memory(&information, placement->vm, mb->information);
	describe_screen(info);
	info->flags |= INFO_COMMAND_LINE | INFO_MODULES | INFO_LOADER_NAME;
	info->cmdline = (uint32_t)mb->command_line.raw;
	info->boot_loader_name = MEMBER_ADDRESS(mb->information, loader_name);
	info->mods_addr = MEMBER_ADDRESS(mb->information, module);
	if (mb->module.raw) {
		info->mods_count = 1;
		information.module = (struct multiboot_module){
			.start = (uint32_t)mb->module.raw,
			.end = (uint32_t)(mb->module.raw + mb->image->initrd_size),
			.string = (uint32_t)mb->module_string.raw,
		};
	}
	return placement_write(placement, mb->information.raw, &information, sizeof(information));
}

/* The state of "Machine state": ESP is undefined there; a small stack spares a guest a riddle. */
static err_t make_state(struct multiboot_image *mb, struct placement *placement,
			struct vcpu_state *state)
{
	gpa_t stack;
	err_t err = placement_place_structure(placement, STACK_SIZE, 16, "the boot stack", &stack);

	if (err)
		return err;
	vcpu_state_flat32(state, mb->entry);
	state->regs.rax = BOOT_MAGIC;
	state->regs.rbx = mb->information.raw;
	state->regs.rsp = stack.raw + STACK_SIZE;
	return firmware_flat_gdt(placement, state);
}

err_t multiboot1_load(struct vm *vm, const struct guest_image *image, struct vcpu_state *state)
{
	struct multiboot_image mb = {.image = image};
	struct placement placement;
	err_t err;

	placement_init(&placement, vm);
	err = read_header(&mb);
	if (!err)
		err = load_kernel(&mb, &placement);
	if (!err)
		err = place_module(&mb, &placement);
	if (!err)
		err = make_information(&mb, &placement);
	if (!err)
		err = make_state(&mb, &placement, state);
	return err ? error("Multiboot 1: %s", err) : NULL;
}
