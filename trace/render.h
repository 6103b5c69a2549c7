/* SPDX-License-Identifier: BSD-2-Clause */
/* Exit records as lines for a person. tools/plinth-trace makes the same lines; a test compares the
 * two. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "trace/record.h"
#include "trace/ring.h"

#define RENDER_MAX 280 /* a line's text fits, with its terminator */

/* Writes what the exit was, in words, such as "OUT 3f8 <- 41 'A'". Returns its length. */
size_t render_words(const struct exit_record *record, char *buffer, size_t size);

/*
 * Writes a record as one aligned line: its number, ticks since the VM's start, RIP, cost in ticks,
 * and the words. Returns its length.
 */
size_t render_text(const struct exit_record *record, uint64_t number, uint64_t first_tsc,
		   char *buffer, size_t size);

/* Prints what the columns of the lines are. */
void render_heading(const char *vm_name);

/* Prints that line as one of the VM's. */
void render_line(const char *vm_name, uint64_t number, const struct exit_record *record,
		 uint64_t first_tsc);

/* Prints the VM's last `count` exits that are in a ring. */
void render_last(const char *vm_name, const struct exit_ring *ring, unsigned vm, unsigned count);
