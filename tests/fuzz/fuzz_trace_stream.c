/* SPDX-License-Identifier: BSD-2-Clause */
/* Trace frames: whatever is sent comes back from a reader, which in turn survives whatever it
 * reads. */
/* UNITS: trace/stream.c trace/ring.c arch/x86_64/cpuid.c tests/fake/physical.c */
/* UNITS: tests/fake/direct_map.c tests/fake/error.c */
#include <stdlib.h>
#include <string.h>

#include "tests/fake/unstuff.h"
#include "trace/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void there_and_back(const uint8_t *data, size_t size)
{
	static uint8_t frame[FRAME_MAX];
	static struct unstuffed seen;
	size_t length = frame_encode(FRAME_RECORD, 3, data, size, frame);

	if (length > FRAME_MAX || length > size + size / 191 + 8 || frame[length - 1] != 0 ||
	    memchr(frame, 0, length - 1) || !unstuff(frame, length - 1, &seen) ||
	    seen.size != size + 2 || memcmp(seen.bytes + 2, data, size) != 0)
		abort();
}

static void as_frames(const uint8_t *data, size_t size)
{
	static struct unstuffed seen;
	static uint8_t frame[FRAME_MAX];

	for (size_t at = 0; at < size;) {
		const uint8_t *end = memchr(data + at, 0, size - at);
		size_t length = end ? (size_t)(end - data) - at : size - at;

		if (unstuff(data + at, length, &seen) && seen.size - 2 <= FRAME_BODY_MAX)
			frame_encode(seen.bytes[0], seen.bytes[1], seen.bytes + 2, seen.size - 2,
				     frame);
		at += length + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	there_and_back(data, size < FRAME_BODY_MAX ? size : FRAME_BODY_MAX);
	as_frames(data, size);
	return 0;
}
