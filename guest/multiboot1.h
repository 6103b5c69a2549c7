/* SPDX-License-Identifier: BSD-2-Clause */
/* Multiboot 1 images ("Multiboot Specification version 0.6.96"): ELF, or any file with address
 * fields in its header. */
#pragma once

#include <stdbool.h>

#include "guest/image.h"

/* True when a Multiboot header with a right checksum lies in the first 8 KiB. */
bool multiboot1_detect(const struct guest_image *image);

/* Finds the magic of a Multiboot header, right checksum or not, to explain a refusal. */
bool multiboot1_find_magic(const struct guest_image *image, uint64_t *offset);

/*
 * ELF64 files are taken as GRUB takes them: they too start in 32-bit mode. The information has
 * memory sizes and map, command line, the initrd as a module, the loader's name and an 80x25 text
 * screen.
 */
CHECKED err_t multiboot1_load(struct vm *vm, const struct guest_image *image,
			      struct vcpu_state *state);
