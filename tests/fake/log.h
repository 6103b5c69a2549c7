/* SPDX-License-Identifier: BSD-2-Clause */
/* What kernel/log.h's functions were asked to write, for a test to look at. Link tests/fake/log.c.
 */
#pragma once

#include <stdbool.h>

#include "kernel/log.h"

/* Forgets all lines. Call it in a test's setup. */
void fake_log_reset(void);

/* Lines so far; debug lines are captured too. The last FAKE_LOG_LINES are kept, and their numbers
 * start at 0 after a reset. */
unsigned fake_log_count(void);
const char *
fake_log_text(unsigned number); /* with its tag: "plinth[vm]: TEXT"; "" when it is not kept */
enum log_level fake_log_level(unsigned number);

/* The last line, or "". */
const char *fake_log_last(void);

/* True if a line has this text in it. */
bool fake_log_contains(const char *text);

/* Lines with this text in them. */
unsigned fake_log_matches(const char *text);

/* From now on print each line to standard error too. */
void fake_log_show(bool show);

/* Decides what log_allowed() answers; true after a reset. */
void fake_log_allow(bool allow);

#define FAKE_LOG_LINES 512
