/* SPDX-License-Identifier: BSD-2-Clause */
/* Exit records as lines for a person. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "trace/record.h"

/* Writes what the exit was, in words, such as "OUT 3f8 <- 41 'A'". Returns its length. */
size_t render_words(const struct exit_record *record, char *buffer, size_t size);

/* Prints a record as one aligned line of the VM's: its number, ticks since start, reason, RIP, words, cost in ticks. */
void render_line(const char *vm_name, uint64_t number, const struct exit_record *record, uint64_t first_tsc);

/* Prints the last `count` records of a ring. */
void render_last(const char *vm_name, const struct exit_ring *ring, uint64_t count, uint64_t first_tsc);
