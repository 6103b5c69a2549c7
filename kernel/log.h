/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of Plinth's own on the console, by level. */
#pragma once

#include "kernel/compiler.h"

/*
 * ERROR and WARN are for the host's own trouble. What a guest does is INFO at most, and tagged with its VM.
 * DEBUG is shown with loglevel=debug only.
 */
enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Sets the level up to which lines are shown; the default is LOG_INFO. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* Writes one line, "plinth: TEXT" (ERROR and WARN: "plinth: error: TEXT", "plinth: warning: TEXT"). No '\n' in it. */
void log_line(enum log_level level, const char *format, ...) PRINTF(2, 3);

/* The same, of one VM: "plinth[NAME]: TEXT". */
void log_vm_line(enum log_level level, const char *vm_name, const char *format, ...) PRINTF(3, 4);

#define log_error(...)       log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)        log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...)        log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)       log_line(LOG_DEBUG, __VA_ARGS__)
#define log_vm(name, ...)    log_vm_line(LOG_INFO, name, __VA_ARGS__)
