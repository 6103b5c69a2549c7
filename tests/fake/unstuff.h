/* SPDX-License-Identifier: BSD-2-Clause */
/* A reader of trace frames, written from docs/trace-format.md alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define UNSTUFFED_MAX 2048

struct unstuffed {
	uint8_t bytes[UNSTUFFED_MAX]; /* type, CPU, body */
	size_t size;
};

static inline uint16_t slow_crc(const uint8_t *bytes, size_t size)
{
	uint32_t crc = 0xffff;

	for (size_t i = 0; i < size; i++)
		for (int bit = 7; bit >= 0; bit--) {
			bool out = (crc >> 15 & 1) != (uint32_t)(bytes[i] >> bit & 1);

			crc = (crc << 1 & 0xffff) ^ (out ? 0x1021 : 0);
		}
	return (uint16_t)crc;
}

/* Decodes the bytes before a delimiter. False: they are no frame. */
static inline bool unstuff(const uint8_t *frame, size_t size, struct unstuffed *out)
{
	size_t at = 0;

	out->size = 0;
	while (at < size) {
		unsigned code = frame[at++], count = code > 0xc0    ? code - 0xbf
						     : code == 0xc0 ? 191
								    : code - 1;

		if (code == 0 || out->size + count + 1 > UNSTUFFED_MAX)
			return false;
		if (code > 0xc0) {
			memset(out->bytes + out->size, 0, count);
			out->size += count;
			continue;
		}
		if (at + count > size)
			return false;
		memcpy(out->bytes + out->size, frame + at, count);
		at += count;
		out->size += count;
		if (code < 0xc0)
			out->bytes[out->size++] = 0;
	}
	if (out->size < 5 || out->bytes[out->size - 1] != 0)
		return false;
	out->size -= 3;
	return slow_crc(out->bytes, out->size) ==
	       (out->bytes[out->size] | out->bytes[out->size + 1] << 8);
}
