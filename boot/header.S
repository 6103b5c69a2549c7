/* SPDX-License-Identifier: BSD-2-Clause */
/* The multiboot2 header: what GRUB looks for in the first 32 KiB of the file, and what we ask of it. */

#define MULTIBOOT2_MAGIC        0xe85250d6
#define ARCHITECTURE_I386       0 /* 32-bit protected mode, under BIOS and under UEFI */

#define HEADER_TAG_END          0
#define HEADER_TAG_INFORMATION  1
#define HEADER_TAG_CONSOLE      4
#define HEADER_TAG_FRAMEBUFFER  5
#define HEADER_TAG_MODULE_ALIGN 6
#define OPTIONAL                1

#define INFO_COMMAND_LINE       1
#define INFO_MODULE             3
#define INFO_MEMORY_MAP         6
#define INFO_FRAMEBUFFER        8
#define INFO_ACPI_OLD           14
#define INFO_ACPI_NEW           15

#define CONSOLE_EGA_TEXT        2 /* we can use EGA text; a console is not required */

	.section .multiboot2, "a"
	.balign 8
header:
	.long MULTIBOOT2_MAGIC
	.long ARCHITECTURE_I386
	.long header_end - header
	.long -(MULTIBOOT2_MAGIC + ARCHITECTURE_I386 + (header_end - header))

	/* Without these there is no host to run: a loader that cannot give them shall say so. */
	.balign 8
required:
	.short HEADER_TAG_INFORMATION
	.short 0
	.long required_end - required
	.long INFO_COMMAND_LINE
	.long INFO_MODULE
	.long INFO_MEMORY_MAP
required_end:

	/* These are used when they exist. The UEFI boot services are not asked for: GRUB ends them. */
	.balign 8
optional:
	.short HEADER_TAG_INFORMATION
	.short OPTIONAL
	.long optional_end - optional
	.long INFO_FRAMEBUFFER
	.long INFO_ACPI_OLD
	.long INFO_ACPI_NEW
optional_end:

	/* Modules start on page boundaries, so that no page holds two. */
	.balign 8
	.short HEADER_TAG_MODULE_ALIGN
	.short 0
	.long 8

	/*
	 * A framebuffer of any size will do, and is all that UEFI offers to a machine without a UART. Under BIOS GRUB keeps
	 * EGA text as long as no video driver is loaded.
	 */
	.balign 8
	.short HEADER_TAG_FRAMEBUFFER
	.short OPTIONAL
	.long 20
	.long 0, 0, 0
	.balign 8
	.short HEADER_TAG_CONSOLE
	.short OPTIONAL
	.long 12
	.long CONSOLE_EGA_TEXT

	.balign 8
	.short HEADER_TAG_END
	.short 0
	.long 8
header_end:
