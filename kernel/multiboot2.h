/* SPDX-License-Identifier: BSD-2-Clause */
/* What the boot loader tells: the Multiboot2 information, checked and copied. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/acpi.h"
#include "kernel/address.h"
#include "kernel/error.h"
#include "kernel/memory_map.h"
#include "kernel/warnings.h"

#define MULTIBOOT2_BOOT_MAGIC 0x36d76289u /* in EAX at the kernel's entry */

#define BOOT_MODULES_MAX    128
#define BOOT_MEMORY_MAP_MAX MEMORY_MAP_ENTRIES_MAX
#define BOOT_TEXT_MAX       0x10000 /* bytes for all strings */

struct boot_module {
	hpa_t start;
	hpa_t end;        /* start + size; start == end: empty */
	const char *text; /* what follows the file name in the boot loader's configuration */
};

enum framebuffer_type { FRAMEBUFFER_INDEXED, FRAMEBUFFER_RGB, FRAMEBUFFER_EGA_TEXT };

struct boot_framebuffer {
	bool present;
	enum framebuffer_type type;
	hpa_t address;
	uint32_t pitch; /* bytes a line */
	uint32_t width; /* pixels; of EGA text: characters */
	uint32_t height;
	uint8_t bits_per_pixel;
	/* Of RGB: where each colour lies in a pixel. */
	uint8_t red_position, red_size, green_position, green_size, blue_position, blue_size;
};

/*
 * All of it is copied, strings too (the pointers lead into text[], so the struct itself must not be
 * copied); nothing refers to the block any more. Large: give it static storage.
 */
struct boot_info {
	hpa_t block; /* where the information block lies, for whoever reserves memory */
	uint64_t block_size;

	const char *loader_name;  /* never NULL; "" when not told */
	const char *command_line; /* the same */

	struct boot_module modules[BOOT_MODULES_MAX];
	unsigned module_count;

	struct memory_map_entry
		memory_map[BOOT_MEMORY_MAP_MAX]; /* as told: unsorted, may overlap */
	unsigned memory_map_count;

	struct acpi_rsdp rsdp_old; /* ACPI 1.0; size 0: not told */
	struct acpi_rsdp
		rsdp_new; /* ACPI 2.0 and later; size 0: not told, or its checksum is wrong */

	struct boot_framebuffer framebuffer;
	bool efi; /* started by UEFI firmware */

	struct warnings warnings; /* what was ignored, and why */
	char text[BOOT_TEXT_MAX];
	uint32_t text_used;
};

/*
 * Reads the information block. `readable_size` is how many bytes from `block` on may be read at
 * all, whatever the block says of itself; `address` is its physical address. On an error info is
 * valid, with whatever was read until then.
 */
err_t multiboot2_parse(const void *block, hpa_t address, uint64_t readable_size,
		       struct boot_info *info) CHECKED;
