/* SPDX-License-Identifier: BSD-2-Clause */
/* Linux bzImages, by the 32-bit boot protocol ("The Linux/x86 Boot Protocol", section "32-bit Boot
 * Protocol"). */
#include "guest/bzimage.h"

#include "guest/firmware.h"
#include "guest/placement.h"
#include "kernel/string.h"

#define SECTOR            512u
#define BOOT_FLAG         0xaa55u
#define HEADER_MAGIC      0x53726448u /* "HdrS" */
#define HEADER_OFFSET     0x1f1u
#define HEADER_END_BASE   0x202u  /* the header ends at this + the byte at 0x201 */
#define HEADER_END_MAX    0x290u  /* where the zero page has other things */
#define VERSION_OLDEST    0x0206u /* the first with cmdline_size */
#define VERSION_INIT_SIZE 0x020au /* the first with pref_address and init_size */
#define LOADED_HIGH       0x01u   /* loadflags: the protected-mode code loads at 1 MiB */
#define LOADER_UNDEFINED  0xffu   /* type_of_loader of a loader that has no number */
#define DEFAULT_LOAD      0x100000u
#define VIDEO_MODE_TEXT   3
#define VIDEO_TYPE_VGA    1
#define E820_IN_ZERO_PAGE 128

/* The setup header, from offset 0x1f1 of the image. */
struct setup_header {
	uint8_t setup_sects;
	uint16_t root_flags;
	uint32_t syssize; /* of the protected-mode code, in units of 16 bytes */
	uint16_t ram_size;
	uint16_t vid_mode;
	uint16_t root_dev;
	uint16_t boot_flag;
	uint8_t jump_opcode;
	uint8_t jump_offset;
	uint32_t magic;
	uint16_t version;
	uint32_t realmode_swtch;
	uint16_t start_sys;
	uint16_t kernel_version;
	uint8_t type_of_loader;
	uint8_t loadflags;
	uint16_t setup_move_size;
	uint32_t code32_start;
	uint32_t ramdisk_image;
	uint32_t ramdisk_size;
	uint32_t bootsect_kludge;
	uint16_t heap_end_ptr;
	uint8_t ext_loader_ver;
	uint8_t ext_loader_type;
	uint32_t cmd_line_ptr;
	uint32_t initrd_addr_max;
	uint32_t kernel_alignment;
	uint8_t relocatable_kernel;
	uint8_t min_alignment;
	uint16_t xloadflags;
	uint32_t cmdline_size;
	uint32_t hardware_subarch;
	uint64_t hardware_subarch_data;
	uint32_t payload_offset;
	uint32_t payload_length;
	uint64_t setup_data;
	uint64_t pref_address;
	uint32_t init_size;
	uint32_t handover_offset;
	uint32_t kernel_info_offset;
} PACKED;

_Static_assert(offsetof(struct setup_header, version) == 0x206 - HEADER_OFFSET, "boot.rst");
_Static_assert(offsetof(struct setup_header, cmdline_size) == 0x238 - HEADER_OFFSET, "boot.rst");
_Static_assert(offsetof(struct setup_header, init_size) == 0x260 - HEADER_OFFSET, "boot.rst");

/* Screen information as the boot protocol's real-mode code would have asked it of the BIOS. */
struct screen_info {
	uint8_t orig_x;
	uint8_t orig_y;
	uint16_t ext_mem_k;
	uint16_t orig_video_page;
	uint8_t orig_video_mode;
	uint8_t orig_video_cols;
	uint8_t flags;
	uint8_t unused;
	uint16_t orig_video_ega_bx;
	uint16_t unused2;
	uint8_t orig_video_lines;
	uint8_t orig_video_is_vga;
	uint16_t orig_video_points;
	uint8_t graphics[0x40 - 0x12];
} PACKED;

/* The zero page. What lies between the parts named here stays zero. */
struct boot_params {
	struct screen_info screen_info;
	uint8_t before_alt_mem_k[0x1e0 - 0x40];
	uint32_t alt_mem_k;
	uint8_t before_e820_entries[0x1e8 - 0x1e4];
	uint8_t e820_entries;
	uint8_t before_header[HEADER_OFFSET - 0x1e9];
	struct setup_header header;
	uint8_t before_e820_table[0x2d0 - HEADER_OFFSET - sizeof(struct setup_header)];
	struct e820_entry e820_table[E820_IN_ZERO_PAGE];
	uint8_t after_e820_table[PAGE_SIZE - 0x2d0 - sizeof(struct e820_entry[E820_IN_ZERO_PAGE])];
} PACKED;

_Static_assert(sizeof(struct screen_info) == 0x40, "zero-page.rst");
_Static_assert(sizeof(struct boot_params) == PAGE_SIZE, "the zero page is one page");
_Static_assert(E820_ENTRIES_MAX <= E820_IN_ZERO_PAGE, "the map fits the zero page");

/* An image while it is being loaded. */
struct bzimage {
	const struct guest_image *image;
	struct setup_header header; /* fields that the image's version does not have are zero */
	const uint8_t *kernel;      /* the protected-mode code */
	uint64_t kernel_size;
	uint32_t load;
	gpa_t initrd, command_line, zero_page;
};

bool bzimage_detect(const struct guest_image *image)
{
	struct setup_header header;

	if (image->size < HEADER_OFFSET + sizeof(header))
		return false;
	memcpy(&header, (const uint8_t *)image->bytes + HEADER_OFFSET, sizeof(header));
	return header.boot_flag == BOOT_FLAG && header.magic == HEADER_MAGIC;
}

/* Copies the header, as far as the image has it, and checks what does not depend on the VM. */
static err_t read_header(struct bzimage *bz)
{
	struct setup_header *header = &bz->header;
	const uint8_t *bytes = bz->image->bytes;
	unsigned end = HEADER_END_BASE + bytes[0x201], needed;

	memset(header, 0, sizeof(*header));
	if (end > HEADER_END_MAX)
		return error("bzImage: the setup header ends at 0x%x, behind 0x%x", end,
			     HEADER_END_MAX);
	memcpy(header, bytes + HEADER_OFFSET,
	       end - HEADER_OFFSET < sizeof(*header) ? end - HEADER_OFFSET : sizeof(*header));

	if (header->version < VERSION_OLDEST)
		return error("bzImage: boot protocol %u.%02u is too old; 2.06 (Linux 2.6.22) is "
			     "the oldest "
			     "supported",
			     header->version >> 8, header->version & 0xff);
	needed = HEADER_OFFSET + (header->version >= VERSION_INIT_SIZE
					  ? offsetof(struct setup_header, handover_offset)
					  : offsetof(struct setup_header, hardware_subarch));
	if (end < needed)
		return error(
			"bzImage: the setup header ends at 0x%x, but protocol %u.%02u needs 0x%x",
			end, header->version >> 8, header->version & 0xff, needed);
	if (header->version < VERSION_INIT_SIZE) {
		header->pref_address = 0;
		header->init_size = 0;
	}
	if (!(header->loadflags & LOADED_HIGH))
		return error("bzImage: loadflags 0x%x lack LOADED_HIGH: a zImage, which loads at "
			     "64 KiB, is "
			     "not supported",
			     header->loadflags);
	return NULL;
}

/* Finds the protected-mode code behind the setup sectors. */
static err_t find_kernel(struct bzimage *bz)
{
	uint64_t size = bz->image->size;
	uint64_t setup = (uint64_t)(bz->header.setup_sects ? bz->header.setup_sects : 4) * SECTOR;
	uint64_t said = (uint64_t)bz->header.syssize * 16;
	uint64_t rest;

	setup += SECTOR; /* the boot sector itself */
	if (size <= setup)
		return error("bzImage: truncated: %lu bytes, but the setup code alone has %lu",
			     size, setup);
	rest = size - setup;
	if (said == 0)
		return error("bzImage: syssize is 0: no protected-mode code");
	/* syssize is rounded up to 16 bytes; the file may end before, or have a signature behind.
	 */
	if (said > align_up(rest, 16))
		return error("bzImage: truncated: syssize says 0x%lx bytes of protected-mode code, "
			     "the file "
			     "has 0x%lx",
			     said, rest);
	bz->kernel = (const uint8_t *)bz->image->bytes + setup;
	bz->kernel_size = said < rest ? said : rest;
	return NULL;
}

/* A kernel that does not relocate loads at 1 MiB and moves itself to pref_address. */
static err_t place_fixed(struct bzimage *bz, struct placement *placement)
{
	uint64_t run = bz->header.pref_address ? bz->header.pref_address : DEFAULT_LOAD;
	uint64_t first = run < DEFAULT_LOAD ? run : DEFAULT_LOAD;
	uint64_t run_end = run + bz->header.init_size;
	uint64_t load_end = DEFAULT_LOAD + bz->kernel_size;

	bz->load = DEFAULT_LOAD;
	return placement_take(placement, first, (run_end > load_end ? run_end : load_end) - first,
			      "the kernel");
}

/*
 * A kernel that relocates goes to pref_address or higher. Not lower, although the protocol would
 * allow it: Linux moves itself up to that address when it finds itself below.
 */
static err_t place_relocatable(struct bzimage *bz, struct placement *placement)
{
	uint64_t align = bz->header.kernel_alignment;
	uint64_t from = bz->header.pref_address ? bz->header.pref_address : DEFAULT_LOAD;
	uint64_t size =
		bz->header.init_size > bz->kernel_size ? bz->header.init_size : bz->kernel_size;
	gpa_t place;
	err_t err;

	if (align == 0 || (align & (align - 1)))
		return error("bzImage: kernel_alignment 0x%lx is not a power of two", align);
	err = placement_place_low(placement, from, size, align, "the kernel", &place);
	if (!err)
		bz->load = (uint32_t)place.raw;
	return err;
}

static err_t place_kernel(struct bzimage *bz, struct placement *placement)
{
	err_t err;

	if (bz->header.pref_address >= FOUR_GIB)
		return error("bzImage: pref_address 0x%lx is not below 4 GiB",
			     bz->header.pref_address);
	err = bz->header.relocatable_kernel ? place_relocatable(bz, placement)
					    : place_fixed(bz, placement);
	return err ? error("bzImage: %s", err) : NULL;
}

static err_t place_initrd(struct bzimage *bz, struct placement *placement)
{
	const struct guest_image *image = bz->image;
	err_t err;

	if (!image_has_initrd(image))
		return NULL;
	/* initrd_addr_max is the last address that may be used. */
	err = placement_place_high(placement, (uint64_t)bz->header.initrd_addr_max + 1,
				   image->initrd_size, PAGE_SIZE, "the initrd", &bz->initrd);
	if (!err)
		err = placement_write(placement, bz->initrd.raw, image->initrd, image->initrd_size);
	return err ? error("bzImage: %s", err) : NULL;
}

static err_t place_command_line(struct bzimage *bz, struct placement *placement)
{
	const char *text = image_command_line(bz->image);
	uint64_t length = strlen(text);
	err_t err;

	if (length > bz->header.cmdline_size)
		return error(
			"bzImage: the command line has %lu characters, the kernel takes at most %u",
			length, bz->header.cmdline_size);
	err = placement_place_structure(placement, length + 1, 16, "the command line",
					&bz->command_line);
	return err ? err : placement_write(placement, bz->command_line.raw, text, length + 1);
}

/* Places the zero page and fills it in: the header with our answers, memory map, screen. */
static err_t make_zero_page(struct bzimage *bz, struct placement *placement)
{
	struct e820_entry map[E820_ENTRIES_MAX];
	unsigned count = firmware_memory_map(placement->vm, map);
	struct boot_params *params;
	err_t err;

	err = placement_place_structure(placement, PAGE_SIZE, PAGE_SIZE, "the zero page",
					&bz->zero_page);
	if (err)
		return err;
	params = vm_memory(placement->vm, bz->zero_page, PAGE_SIZE);
	if (!params)
		return error("the zero page at 0x%lx is not RAM of the VM", bz->zero_page.raw);

	memset(params, 0, sizeof(*params));
	params->screen_info.orig_video_mode = VIDEO_MODE_TEXT;
	params->screen_info.orig_video_cols = 80;
	params->screen_info.orig_video_lines = 25;
	params->screen_info.orig_video_points = 16;
	params->screen_info.orig_video_is_vga = VIDEO_TYPE_VGA;
	params->alt_mem_k = firmware_high_kib(placement->vm);
	params->e820_entries = (uint8_t)count;
	memcpy(params->e820_table, map, count * sizeof(map[0]));

	params->header = bz->header;
	params->header.type_of_loader = LOADER_UNDEFINED;
	params->header.ext_loader_type = 0;
	params->header.ext_loader_ver = 0;
	params->header.code32_start = bz->load + (bz->header.code32_start - DEFAULT_LOAD);
	params->header.cmd_line_ptr = (uint32_t)bz->command_line.raw;
	params->header.setup_data = 0;
	params->header.ramdisk_image = (uint32_t)bz->initrd.raw;
	params->header.ramdisk_size = bz->initrd.raw ? (uint32_t)bz->image->initrd_size : 0;
	return NULL;
}

/* code32_start is given for a kernel at 1 MiB and moves with it. */
static err_t check_entry(const struct bzimage *bz)
{
	uint32_t offset = bz->header.code32_start - DEFAULT_LOAD;

	if (bz->header.code32_start < DEFAULT_LOAD || offset >= bz->kernel_size)
		return error("bzImage: code32_start 0x%x lies outside the protected-mode code "
			     "(0x%lx bytes "
			     "at 0x%x)",
			     bz->header.code32_start, bz->kernel_size, DEFAULT_LOAD);
	return NULL;
}

err_t bzimage_load(struct vm *vm, const struct guest_image *image, struct vcpu_state *state)
{
	struct bzimage bz = {.image = image};
	struct placement placement;
	err_t err;

	placement_init(&placement, vm);
	err = read_header(&bz);
	if (!err)
		err = find_kernel(&bz);
	if (!err)
		err = check_entry(&bz);
	if (!err)
		err = place_kernel(&bz, &placement);
	if (!err)
		err = placement_write(&placement, bz.load, bz.kernel, bz.kernel_size);
	if (!err)
		err = place_initrd(&bz, &placement);
	if (!err)
		err = place_command_line(&bz, &placement);
	if (!err)
		err = make_zero_page(&bz, &placement);
	if (err)
		return err;

	vcpu_state_flat32(state, bz.load + (bz.header.code32_start - DEFAULT_LOAD));
	state->regs.rsi = bz.zero_page.raw;
	return firmware_flat_gdt(&placement, state);
}
