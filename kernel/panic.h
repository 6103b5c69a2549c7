/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of the host by a bug of its own. Nothing that a guest, module, command line or firmware
 * table holds leads here. */
#pragma once

#include "kernel/compiler.h"

struct trap_frame;

/* Tells the text and who called, and ends the run with the verdict `error`. May be called in any
 * state. */
NORETURN void panic(const char *format, ...) PRINTF(1, 2);

/* The same for an exception of the host that nobody expected: with its name, the registers, and who
 * was interrupted. */
NORETURN void panic_in_trap(const struct trap_frame *frame);
