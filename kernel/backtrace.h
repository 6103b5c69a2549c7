/* SPDX-License-Identifier: BSD-2-Clause */
/* Who called whom, by frame pointers. */
#pragma once

#include <stdint.h>

#define BACKTRACE_LINES_MAX  32
#define BACKTRACE_FRAMES_MAX 4096

/*
 * Writes a line for `rip` and one for each caller, found from the frame pointer `rbp`; a function
 * that calls itself again and again gets one. Follows frames only inside the stacks of this
 * processor, and bounded.
 */
void backtrace_log(uint64_t rip, uint64_t rbp);
