/* SPDX-License-Identifier: BSD-2-Clause */
/* The binary form of a trace: frames, and what is sent in which order. Nothing here knows of serial
 * ports. */
#include "trace/stream.h"

#include "kernel/string.h"

/* --- Frames. --- */

#define LITERALS_MAX 191
#define ZEROS_MAX    64

/* Codes: 1 to 191 are so many bytes less one, and a zero; 192 is 191 bytes; 193 to 255 are 2 to 64
 * zeros. */
#define CODE_FULL  0xc0
#define CODE_ZEROS 0xbf /* plus the number of zeros */

/* Consistent overhead byte stuffing, with codes for runs of zeros, of which records are full. */
struct stuffer {
	uint8_t *at;   /* where the next byte goes */
	uint8_t *code; /* of the literal bytes that are open */
	unsigned literals, zeros;
	uint16_t crc;
};

static void close_zeros(struct stuffer *s)
{
	if (s->zeros)
		*s->at++ = (uint8_t)(s->zeros == 1 ? 1 : CODE_ZEROS + s->zeros);
	s->zeros = 0;
}

static void put_zero(struct stuffer *s)
{
	if (s->literals) {
		*s->code = (uint8_t)(s->literals + 1);
		s->literals = 0;
	} else if (++s->zeros == ZEROS_MAX) {
		close_zeros(s);
	}
}

static void put_literal(struct stuffer *s, uint8_t byte)
{
	close_zeros(s);
	if (!s->literals)
		s->code = s->at++;
	*s->at++ = byte;
	if (++s->literals == LITERALS_MAX) {
		*s->code = CODE_FULL;
		s->literals = 0;
	}
}

/* CRC-16 with polynomial 1021h from FFFFh on, most significant bit first, four bits a step. */
static uint16_t crc_add(uint16_t crc, uint8_t byte)
{
	static const uint16_t table[16] = {
		0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50a5, 0x60c6, 0x70e7,
		0x8108, 0x9129, 0xa14a, 0xb16b, 0xc18c, 0xd1ad, 0xe1ce, 0xf1ef,
	};

	crc = (uint16_t)(crc << 4 ^ table[crc >> 12 ^ byte >> 4]);
	return (uint16_t)(crc << 4 ^ table[crc >> 12 ^ (byte & 15)]);
}

static void put(struct stuffer *s, const void *bytes, size_t size)
{
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < size; i++) {
		/* The analyzer loses track of the bytes that a struct consists of. */
		/* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage) */
		s->crc = crc_add(s->crc, byte[i]);
		if (byte[i])
			put_literal(s, byte[i]);
		else
			put_zero(s);
	}
}

size_t frame_encode(enum frame_type type, uint8_t cpu, const void *body, size_t size,
		    uint8_t frame[FRAME_MAX])
{
	struct stuffer s = {.at = frame, .crc = 0xffff};
	uint8_t head[2] = {(uint8_t)type, cpu};
	uint8_t tail[2];

	put(&s, head, sizeof(head));
	put(&s, body, size);
	tail[0] = (uint8_t)s.crc;
	tail[1] = (uint8_t)(s.crc >> 8);
	put(&s, tail, sizeof(tail));
	/* A last zero, which the reader drops, closes what is open. */
	put_zero(&s);
	close_zeros(&s);
	*s.at++ = 0;
	return (size_t)(s.at - frame);
}

/* --- What is sent. --- */

#define HEADER_EVERY                                                                               \
	1024          /* records; who joins late, or lost the header, need not wait for long       \
		       */
#define LOST_EVERY 16 /* records, while more and more are lost */

void stream_source_init(struct stream_source *source, const struct exit_ring *ring)
{
	*source = (struct stream_source){.ring = ring, .is_header_due = true};
}

static size_t encode_record(const struct stream_source *source, enum frame_type type,
			    uint64_t number, const struct exit_record *record, uint8_t *frame)
{
	uint8_t body[sizeof(number) + sizeof(*record)];
	/* It has fewer bytes that are not zero. */
	uint64_t cost = record->tsc_entry - record->tsc_exit;

	memcpy(body, &number, sizeof(number));
	memcpy(body + sizeof(number), record, sizeof(*record));
	memcpy(body + sizeof(number) + offsetof(struct exit_record, tsc_entry), &cost,
	       sizeof(cost));
	return frame_encode(type, (uint8_t)source->ring->cpu, body, sizeof(body), frame);
}

/* The start of a VM that came before what is sent now, if the reader does not know it; 0: there is
 * none. */
static size_t next_start(struct stream_source *source, uint8_t *frame)
{
	for (; source->next_vm < RING_VMS; source->next_vm++) {
		const struct exit_record *start = &source->ring->started[source->next_vm];
		uint64_t number = start->tsc_entry;

		if (start->reason != RECORD_VM_STARTED || number >= source->sent ||
		    source->told[source->next_vm] == number + 1)
			continue;
		source->told[source->next_vm] = number + 1;
		return encode_record(source, FRAME_STARTED, number, start, frame);
	}
	return 0;
}

static size_t encode_header(struct stream_source *source, uint8_t *frame)
{
	const struct exit_ring *ring = source->ring;

	source->is_header_due = false;
	source->since_header = 0;
	source->next_vm = 0;
	memset(source->told, 0, sizeof(source->told));
	return frame_encode(FRAME_HEADER, (uint8_t)ring->cpu, ring, ring->header_size, frame);
}

static size_t encode_counts(struct stream_source *source, enum frame_type type, uint8_t *frame)
{
	uint8_t body[16];

	memcpy(body, &source->sent, 8);
	memcpy(body + 8, &source->lost, 8);
	source->lost_told = source->lost;
	source->since_lost = 0;
	return frame_encode(type, (uint8_t)source->ring->cpu, body, sizeof(body), frame);
}

/* What the ring has overwritten before it was sent is lost. */
static void skip_lost(struct stream_source *source)
{
	uint64_t first = ring_first(source->ring);

	if (source->sent >= first)
		return;
	source->lost += first - source->sent;
	source->sent = first;
	source->next_vm = 0;
}

/* 0: there is none, or another pCPU has overwritten it while it was copied; then it is lost, as the
 * next call finds. */
static size_t next_record(struct stream_source *source, uint8_t *frame)
{
	const struct exit_ring *ring = source->ring;
	struct exit_record record;

	if (source->sent + ring->running >= ring->head)
		return 0;
	record = *ring_at(ring, source->sent);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (source->sent < ring_first(ring))
		return 0;
	if (record.reason == RECORD_VM_STARTED)
		source->told[record.vm % RING_VMS] = source->sent + 1;
	if (++source->since_header == HEADER_EVERY)
		source->is_header_due = true;
	source->since_lost++;
	return encode_record(source, FRAME_RECORD, source->sent++, &record, frame);
}

size_t stream_next(struct stream_source *source, bool last, uint8_t frame[FRAME_MAX])
{
	size_t size;

	skip_lost(source);
	if (source->is_header_due)
		return encode_header(source, frame);
	size = next_start(source, frame);
	if (!size && (source->lost == source->lost_told || source->since_lost < LOST_EVERY))
		size = next_record(source, frame);
	if (!size && source->lost != source->lost_told)
		size = encode_counts(source, FRAME_LOST, frame);
	if (!size && last && !source->ended) {
		source->ended = true;
		size = encode_counts(source, FRAME_END, frame);
	}
	return size;
}
