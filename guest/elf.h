/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the program headers of ELF files for x86, 32-bit and 64-bit, without trusting a byte of
 * them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/error.h"

#define ELF_SEGMENTS_MAX 32

/* A PT_LOAD segment that occupies memory. Its file part lies inside the file. */
struct elf_segment {
	uint64_t offset; /* in the file */
	uint64_t file_size;
	uint64_t virtual;     /* p_vaddr */
	uint64_t physical;    /* p_paddr */
	uint64_t memory_size; /* at least file_size; the rest is zero */
};

struct elf_file {
	struct elf_segment segments[ELF_SEGMENTS_MAX];
	unsigned segment_count;
	uint64_t entry; /* e_entry moved to where its segment lies physically */
};

/* True when the file begins as an ELF file does. */
bool elf_detect(const void *bytes, uint64_t size);

/* Errors: not for x86, truncated, malformed tables, too many segments, no segments, an entry
 * outside all of them. */
CHECKED err_t elf_read(struct elf_file *elf, const void *bytes, uint64_t size);
