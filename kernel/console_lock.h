/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may write to the console: one processor at a time, and in a panic whoever panics. */
#pragma once

#include <stdbool.h>

#include "kernel/compiler.h"

/* A processor may take it several times over, and gives it back as often. */
void console_lock(void);
void console_unlock(void);

/* False: another processor has it. */
CHECKED bool console_try_lock(void);

/* From now on nobody is kept out: the one that has it may have been stopped for good. */
void console_lock_break(void);
