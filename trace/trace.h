/* SPDX-License-Identifier: BSD-2-Clause */
/* The trace of a run: which exits are recorded, in which rings, and where they go. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/command_line.h"
#include "kernel/error.h"
#include "trace/classes.h"
#include "trace/ring.h"

struct trace_options {
	const char *classes; /* of trace= */
	enum trace_output output;
	uint32_t records;      /* a ring keeps so many; 0: nothing is recorded */
	uint16_t console_port; /* 0: it has no serial port */
	const char *command_line;
	const struct capability *capabilities;
	unsigned capability_count;
};

/*
 * Makes a ring for each of `cpu_count` pCPUs, and opens the way out. What cannot be had is told in
 * the log, and tracing goes on with less. Once, before any VM starts.
 */
void trace_start(const struct trace_options *options, unsigned cpu_count);

/* The ring of a pCPU; NULL: nothing is recorded. */
struct exit_ring *trace_ring(unsigned cpu);

/* TRACE_RECORD, TRACE_SHOW, TRACE_CPL for each reason. */
const uint8_t *trace_by_reason(void);

/* Whether trace= asks for the exits of a reason, rather than that they are kept in case that the
 * guest dies. */
bool trace_chooses(unsigned reason);

/* Sends what the serial port takes at once. At the heartbeat. */
void trace_poll(void);

/* True when there is more to send. */
bool trace_is_waiting(void);

/* When a VM has ended: what was recorded of it, what was lost, and what was most frequent in it. */
void trace_report(const char *vm_name, unsigned vm, unsigned cpu);

/* Sends the rest, and tells what was lost. At the end of a run, when no VM runs any more. */
void trace_finish(void);

#ifdef HOST_TEST
/* As before trace_start(), for the next test. */
void trace_reset(void);
#endif
