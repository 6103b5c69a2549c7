/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of Plinth's own on the console, by level, and a rate limit for those that a guest can
 * cause. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/compiler.h"

/*
 * ALWAYS is what the user asked for and no loglevel hides: the verdict, statistics, traces.
 * ERROR and WARN are for the host's own trouble. What a guest does is INFO at most, and tagged with
 * its VM. DEBUG is shown with loglevel=debug only.
 */
enum log_level { LOG_ALWAYS, LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* A line is at most this long, tag included; the rest of a longer one is replaced by "...". */
#define LOG_LINE_MAX 400

/* Sets the level up to which lines are shown; the default is LOG_INFO. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/*
 * Writes one line, "plinth: TEXT" (ERROR and WARN: "plinth: error: TEXT", "plinth: warning: TEXT").
 * No '\n' in it. Bytes that are not printable ASCII, as a command line or a module may contain,
 * appear as \xNN.
 */
void log_line(enum log_level level, const char *text, ...) PRINTF(2, 3);

/* The same, of one VM: "plinth[NAME]: TEXT". */
void log_vm_line(enum log_level level, const char *vm_name, const char *text, ...) PRINTF(3, 4);

#define log_always(...)   log_line(LOG_ALWAYS, __VA_ARGS__)
#define log_error(...)    log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)     log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...)     log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)    log_line(LOG_DEBUG, __VA_ARGS__)
#define log_vm(name, ...) log_vm_line(LOG_INFO, name, __VA_ARGS__)

/*
 * A rate limit for one kind of line: LOG_LIMIT_BURST at once, then LOG_LIMIT_RATE a second. All
 * zeros is a fresh one; vm_name tags the lines that tell what was left out (NULL: they are the
 * host's).
 */
struct log_limit {
	const char *vm_name;
	uint64_t changed_at; /* in ticks: up to when tokens were given back */
	uint32_t used;       /* tokens, of LOG_LIMIT_BURST */
	uint32_t suppressed; /* lines not shown since the last one that was */
};

#define LOG_LIMIT_BURST 20
#define LOG_LIMIT_RATE  10

/*
 * True: write the line. False: it is one too many, and is counted; the next call that is allowed
 * first writes how many there were. Call it before a line that a guest can cause at will.
 */
CHECKED bool log_allowed(struct log_limit *limit);

/* Tells the lines that were left out and not yet told, as at the end of a VM. */
void log_limit_tell(struct log_limit *limit);
