/* SPDX-License-Identifier: BSD-2-Clause */
/* An exception of the host in words. */
#pragma once

#include <stddef.h>

#include "kernel/traps.h"

/* One line: which exception, its error code decoded, where; for a page fault, the address. */
void trap_describe(const struct trap_frame *frame, char *buffer, size_t size);

/* All registers, in lines of the log. */
void trap_log_registers(const struct trap_frame *frame);
