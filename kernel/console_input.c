/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What guests read from the console. The CPU that polls the console fills a stream's buffer; the
 * one that runs the guest empties it, without a lock: each moves its own end only.
 */
#include "kernel/console.h"

_Static_assert((CONSOLE_INPUT_MAX & (CONSOLE_INPUT_MAX - 1)) == 0, "head and tail may wrap");

void console_stream_give(struct console_stream *stream, uint8_t key)
{
	uint32_t head = stream->input_head;

	if (head - __atomic_load_n(&stream->input_tail, __ATOMIC_ACQUIRE) == CONSOLE_INPUT_MAX) {
		stream->input_lost++;
		return;
	}
	stream->input[head % CONSOLE_INPUT_MAX] = key;
	__atomic_store_n(&stream->input_head, head + 1, __ATOMIC_RELEASE);
}

bool console_stream_readable(const struct console_stream *stream)
{
	return __atomic_load_n(&stream->input_head, __ATOMIC_ACQUIRE) != stream->input_tail;
}

int console_stream_read(struct console_stream *stream)
{
	uint32_t tail = stream->input_tail;
	uint8_t key;

	if (!console_stream_readable(stream))
		return -1;
	key = stream->input[tail % CONSOLE_INPUT_MAX];
	__atomic_store_n(&stream->input_tail, tail + 1, __ATOMIC_RELEASE);
	return key;
}
