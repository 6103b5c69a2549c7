/* SPDX-License-Identifier: BSD-2-Clause */
/* The last line of a run, which says how it went to those who start runs by script. */
#pragma once

#include "kernel/command_line.h"
#include "kernel/compiler.h"

enum verdict {
	VERDICT_PASS,  /* every VM ended as it should */
	VERDICT_FAIL,  /* a VM ended otherwise */
	VERDICT_ERROR, /* Plinth itself could not do its work */
};

/* Codes of VERDICT_ERROR; with the others, the code is the guest's. 3 is used by boot/entry.S. */
#define VERDICT_CODE_REFUSED 3 /* the machine lacks what Plinth needs */
#define VERDICT_CODE_PANIC   4 /* a bug of Plinth's */

/* What verdict_end does after the line; powers off unless told otherwise. */
void verdict_on_exit(enum exit_action action);

/* Writes "plinth: verdict: pass|fail|error CODE TEXT", also to port E9h, and ends the run. */
NORETURN void verdict_end(enum verdict verdict, unsigned code, const char *format, ...)
	PRINTF(3, 4);
