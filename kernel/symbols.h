/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions of the hypervisor by address, from a table that the link puts into the image. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/compiler.h"

/* One function. The table is sorted by offset; tools/make-symbols.awk writes it. */
struct symbol_entry {
	uint32_t offset; /* from kernel_text_start */
	uint32_t name;   /* from symbol_names_start; ends with a zero */
};

/* The name of the function at an address, and how far into it that is; NULL when it is none of
 * ours. */
const char *symbol_name(uint64_t address, uint64_t *offset);

/* Writes "0xffffffff80101234 name+0x12", or the address alone, and returns buffer. */
#define SYMBOL_TEXT_MAX 96
const char *symbol_text(uint64_t address, char buffer[SYMBOL_TEXT_MAX]);
