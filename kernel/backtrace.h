/* SPDX-License-Identifier: BSD-2-Clause */
/* Who called whom, by frame pointers. */
#pragma once

#include <stdint.h>

#define BACKTRACE_MAX 32

/*
 * Writes a line for `rip` and one for each caller, found from the frame pointer `rbp`. Follows
 * frames only inside the stacks of this processor, and at most BACKTRACE_MAX of them.
 */
void backtrace_log(uint64_t rip, uint64_t rbp);
