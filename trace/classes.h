/* SPDX-License-Identifier: BSD-2-Clause */
/* Classes of exits, by which the trace= option chooses. */
#pragma once

#include <stdint.h>

#include "kernel/error.h"

#define EXIT_REASONS 128 /* basic reasons that are told apart; more than the SDM has */

/* What is chosen for the exits of a reason. */
#define TRACE_CHOSEN 0x01
#define TRACE_CPL    0x02 /* CS.L, CS.D and the CPL as well */

/* What is done with them. */
#define TRACE_RECORD 0x04 /* a record is kept */
#define TRACE_SHOW   0x08 /* and is printed before the entry */

struct trace_classes {
	uint8_t by_reason[EXIT_REASONS];
};

/*
 * Reads "none", "all" or "CLASS,CLASS,...". A class may end in "+cpl"; one with "-" before it is
 * left out again. On an error what stands before it counts.
 */
CHECKED err_t trace_classes_parse(const char *text, struct trace_classes *classes);
