/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest images: finds out what kind one is, and has its loader put it into a VM. */
#include "guest/image.h"

#include "guest/bzimage.h"
#include "guest/firmware.h"
#include "guest/multiboot1.h"
#include "kernel/string.h"

static const struct {
	const char *kind;
	bool (*detect)(const struct guest_image *image);
	err_t (*load)(struct vm *vm, const struct guest_image *image, struct vcpu_state *state);
} loaders[] = {
	{"Linux bzImage", bzimage_detect,    bzimage_load   },
	{"Multiboot 1",   multiboot1_detect, multiboot1_load},
};

/* Formats that people try, each with its mark and what to do about it. The first match counts. */
static const struct {
	uint64_t offset;
	const char *mark;
	uint64_t length;
	const char *text;
} known_formats[] = {
	{0,      "\037\213",         2, "it is a gzip file; decompress it first"                        },
	{0,      "\3757zXZ",         5, "it is an xz file; decompress it first"                         },
	{0,      "BZh",              3, "it is a bzip2 file; decompress it first"                       },
	{0,      "\050\265\057\375", 4, "it is a zstd file; decompress it first"                        },
	{0,      "\002\041\114\030", 4, "it is an lz4 file; decompress it first"                        },
	{0,      "070701",           6, "it is a cpio archive: an initrd, not a kernel"                 },
	{0,      "!<arch>\n",        8, "it is an ar archive, such as a Debian package; unpack it first"},
	{0,      "#!",               2, "it is a script"						},
	{0,      "\177ELF\1",        5, "it is a 32-bit ELF file without a Multiboot 1 header"          },
	{0,      "\177ELF\2",        5, "it is a 64-bit ELF file without a Multiboot 1 header"          },
	{0,      "MZ",               2, "it is a PE (EFI) program without a Linux boot header"          },
	{257,    "ustar",            5, "it is a tar archive; unpack it first"                          },
	{0x8001, "CD001",            5, "it is a CD image (ISO 9660)"                                   },
	{510,    "\125\252",         2, "it begins with a boot sector, but has no Linux boot header"    },
};

#define MULTIBOOT2_MAGIC  0xe85250d6u
#define MULTIBOOT2_SEARCH 0x8000u /* its header lies in the first 32 KiB, aligned to 8 */

static bool has_multiboot2_header(const struct guest_image *image)
{
	const uint8_t *bytes = image->bytes;

	for (uint64_t at = 0; at + 16 <= image->size && at < MULTIBOOT2_SEARCH; at += 8) {
		uint32_t words[4]; /* magic, architecture, length, checksum */

		memcpy(words, bytes + at, sizeof(words));
		if (words[0] == MULTIBOOT2_MAGIC && words[0] + words[1] + words[2] + words[3] == 0)
			return true;
	}
	return false;
}

/* The text for an image that no loader takes. */
static err_t refuse(const struct guest_image *image)
{
	const uint8_t *bytes = image->bytes;
	uint64_t offset;

	if (multiboot1_find_magic(image, &offset))
		return error("the image has a Multiboot 1 header at 0x%lx with a wrong checksum",
			     offset);
	if (has_multiboot2_header(image))
		return error("the image has a Multiboot 2 header only; Multiboot 1 and Linux "
			     "bzImages can "
			     "be started");
	for (unsigned i = 0; i < ARRAY_COUNT(known_formats); i++) {
		uint64_t offset = known_formats[i].offset, length = known_formats[i].length;

		if (offset + length <= image->size &&
		    memcmp(bytes + offset, known_formats[i].mark, length) == 0)
			return error("the image cannot be started: %s", known_formats[i].text);
	}
	if (image->size < 1024)
		return error(
			"the image of %lu bytes is too short to be a Linux bzImage, and has no "
			"Multiboot 1 header",
			image->size);
	return error("the image is neither a Linux bzImage nor a Multiboot 1 kernel: no \"HdrS\" "
		     "at 0x202, no "
		     "Multiboot header in the first 8 KiB; it begins with %02x %02x %02x %02x",
		     bytes[0], bytes[1], bytes[2], bytes[3]);
}

err_t image_load(struct vm *vm, const struct guest_image *image, struct vcpu_state *state,
		 const char **kind)
{
	err_t err;

	*kind = "unknown image";
	if (!image->bytes || image->size == 0)
		return error("the image is empty");
	for (unsigned i = 0; i < ARRAY_COUNT(loaders); i++) {
		if (!loaders[i].detect(image))
			continue;
		*kind = loaders[i].kind;
		err = firmware_bios_data(vm);
		return err ? err : loaders[i].load(vm, image, state);
	}
	return refuse(image);
}
