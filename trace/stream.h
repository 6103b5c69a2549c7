/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The binary form of a trace, for a serial line that may lose bytes: frames without a zero byte,
 * and a zero byte behind each. docs/trace-format.md is the specification, tools/plinth-trace the
 * reader.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/ring.h"

enum frame_type {
	FRAME_HEADER = 1, /* the ring's header: magic up to the end of the command line */
	FRAME_RECORD = 2, /* a record's number, and the record */
	FRAME_STARTED =
		3,      /* the same of a VM's start that was sent before, for who has missed it */
	FRAME_LOST = 4, /* how many records were overwritten in the ring before they could be sent,
			   in all so far */
	FRAME_END = 5,  /* the end of the run: how many were written, how many of them lost */
};

#define FRAME_BODY_MAX sizeof(struct frame_header_body)
struct frame_header_body {
	uint8_t bytes[offsetof(struct exit_ring, command_line) + RING_COMMAND_LINE];
};

/* Type, CPU, body, checksum; a code byte for each 191 bytes, the last ones, the delimiter. */
#define FRAME_MAX (FRAME_BODY_MAX + 4 + (FRAME_BODY_MAX + 4) / 191 + 4)

/* Encodes a frame of up to FRAME_BODY_MAX bytes, with its delimiter. Returns its size. */
size_t frame_encode(enum frame_type type, uint8_t cpu, const void *body, size_t size,
		    uint8_t frame[FRAME_MAX]);

/* What was sent of one ring. */
struct stream_source {
	const struct exit_ring *ring;
	uint64_t sent; /* number of the next record to send */
	uint64_t lost; /* of those before it, overwritten unsent */
	uint64_t lost_told;
	unsigned since_lost;     /* records sent since more were lost, which is told in its time */
	unsigned since_header;   /* and since the header */
	unsigned next_vm;        /* the next one whose start may have to be told again */
	uint64_t told[RING_VMS]; /* the number of the start that the reader knows, plus one */
	bool is_header_due;
	bool ended; /* FRAME_END is on its way */
};

/* A source whose first frame is the header. */
void stream_source_init(struct stream_source *source, const struct exit_ring *ring);

/*
 * The next frame that there is to send of a ring; 0: none now. `last` sends the end as well, when
 * nothing else is left. Records of a VM that runs are sent once their exit is over.
 */
size_t stream_next(struct stream_source *source, bool last, uint8_t frame[FRAME_MAX]);
