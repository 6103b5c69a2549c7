/* SPDX-License-Identifier: BSD-2-Clause */
/* The stream of a trace: what frames look like, what is sent in which order, and what is left after
 * bytes were lost. */
/* UNITS: trace/stream.c trace/ring.c arch/x86_64/cpuid.c tests/fake/host_cpuid.c */
/* UNITS: tests/fake/physical.c tests/fake/direct_map.c tests/fake/error.c */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/fake/host_cpuid.h"
#include "tests/fake/physical.h"
#include "tests/fake/unstuff.h"
#include "trace/stream.h"

static struct exit_ring *ring;
static struct stream_source source;
static uint8_t frame[FRAME_MAX];
static struct unstuffed seen;

static void make(uint32_t records, uint16_t cpu)
{
	static const struct ring_info info = {.tsc_hz = 3000000000, .command_line = "trace=all"};

	fake_physical_reset();
	assert_null(ring_create(cpu, records, &info, &ring));
	stream_source_init(&source, ring);
}

static int setup(void **state)
{
	(void)state;
	host_cpuid_reset();
	make(16, 0);
	return 0;
}

/* --- Frames. --- */

static void there_and_back(const uint8_t *body, size_t size)
{
	size_t length = frame_encode(FRAME_RECORD, 7, body, size, frame);

	assert_true(length <= FRAME_MAX);
	assert_int_equal(frame[length - 1], 0);
	assert_null(memchr(frame, 0, length - 1));
	assert_true(unstuff(frame, length - 1, &seen));
	assert_int_equal(seen.size, 2 + size);
	assert_int_equal(seen.bytes[0], FRAME_RECORD);
	assert_int_equal(seen.bytes[1], 7);
	assert_memory_equal(seen.bytes + 2, body, size);
}

static void a_frame_as_it_is_specified(void **state)
{
	static const uint8_t body[] = {'a', 'b', 0, 0, 0, 'c', 0};
	uint8_t all[2 + sizeof(body)] = {4, 9};
	uint16_t crc;

	(void)state;
	memcpy(all + 2, body, sizeof(body));
	crc = slow_crc(all, sizeof(all));
	assert_int_equal(slow_crc((const uint8_t *)"123456789", 9), 0x29b1); /* of the literature */
	assert_int_equal(frame_encode(FRAME_LOST, 9, body, sizeof(body), frame), 12);
	/* 04 09 61 62, the first of three zeros; two zeros; 63 and a zero; the CRC. */
	assert_int_equal(frame[0], 5);
	assert_memory_equal(frame + 1,
			    "\x04\x09"
			    "ab",
			    4);
	assert_int_equal(frame[5], 0xc1);
	assert_int_equal(frame[6], 2);
	assert_int_equal(frame[7], 'c');
	assert_int_equal(frame[8], 3);
	assert_int_equal(frame[9] | frame[10] << 8, crc);
	assert_int_equal(frame[11], 0);
}

static void runs_of_all_lengths(void **state)
{
	static uint8_t body[700];

	(void)state;
	for (unsigned zeros = 0; zeros < 200; zeros++) {
		memset(body, 0xff, sizeof(body));
		memset(body + 30, 0, zeros);
		there_and_back(body, 300);
		there_and_back(body, 30 + zeros);
	}
	for (unsigned literals = 0; literals < 600; literals++) {
		memset(body, 0, sizeof(body));
		memset(body + 5, 0xbf, literals);
		there_and_back(body, sizeof(body));
		there_and_back(body, 5 + literals);
	}
}

static void bodies_by_chance(void **state)
{
	static uint8_t body[FRAME_BODY_MAX];

	(void)state;
	srand(1);
	for (unsigned i = 0; i < 3000; i++) {
		size_t size = (size_t)rand() % (i % 10 ? 100 : sizeof(body) + 1);
		int density = rand() % 9;

		for (size_t j = 0; j < size; j++)
			body[j] = (uint8_t)(rand() % 8 < density ? rand() : 0);
		there_and_back(body, size);
	}
}

static void the_largest_frame_fits(void **state)
{
	static uint8_t body[FRAME_BODY_MAX];

	(void)state;
	memset(body, 0x55, sizeof(body));
	there_and_back(body, sizeof(body));
}

static void records_get_smaller(void **state)
{
	struct exit_record record = {
		.tsc_exit = 0x123456789abc,
		.tsc_entry = 300, /* as it is sent: the cost */
		.rip = 0xffffffff81000123,
		.reason = 30,
		.mode = 3,
		.qualification = 0x3f80000,
		.detail = {0x41},
	};

	(void)state;
	assert_true(frame_encode(FRAME_RECORD, 0, &record, sizeof(record), frame) < 40);
}

/* --- Order. --- */

static void add(unsigned vm)
{
	uint64_t n = ring->head;

	*ring_next(ring) = (struct exit_record){.tsc_exit = 1000 * n,
						.tsc_entry = 1000 * n + 77,
						.rip = n,
						.reason = 10,
						.vm = (uint8_t)vm};
}

static uint64_t word(unsigned at)
{
	uint64_t value;

	memcpy(&value, seen.bytes + 2 + at, 8);
	return value;
}

static int next(bool last)
{
	size_t size = stream_next(&source, last, frame);

	if (!size)
		return 0;
	assert_true(unstuff(frame, size - 1, &seen));
	return seen.bytes[0];
}

static void expect_record(uint64_t number)
{
	assert_int_equal(next(false), FRAME_RECORD);
	assert_int_equal(seen.size, 2 + 8 + 64);
	assert_int_equal(word(0), number);
	assert_int_equal(word(8), 1000 * number);
	assert_int_equal(word(16), 77);
	assert_int_equal(word(24), number);
}

static void expect_counts(int kind, uint64_t written, uint64_t lost, bool last)
{
	assert_int_equal(next(last), kind);
	assert_int_equal(seen.size, 2 + 16);
	assert_int_equal(word(0), written);
	assert_int_equal(word(8), lost);
}

static void expect_started(int kind, unsigned vm, uint64_t number)
{
	assert_int_equal(next(false), kind);
	assert_int_equal(word(0), number);
	assert_int_equal(seen.bytes[2 + 8 + 28], vm);
	assert_int_equal(word(8) + word(16), number); /* tsc_entry of a start */
}

static void header_records_end(void **state)
{
	(void)state;
	make(16, 3);
	assert_int_equal(next(false), FRAME_HEADER);
	assert_int_equal(seen.bytes[1], 3);
	assert_int_equal(seen.size, 2 + ring->header_size);
	assert_memory_equal(seen.bytes + 2, ring, ring->header_size);
	assert_int_equal(next(false), 0);
	ring_vm_started(ring, 5, 0, "five", 400);
	add(5);
	add(5);
	expect_started(FRAME_RECORD, 5, 0);
	expect_record(1);
	expect_record(2);
	assert_int_equal(next(false), 0);
	assert_int_equal(source.sent, 3);
	expect_counts(FRAME_END, 3, 0, true);
	assert_int_equal(next(true), 0);
}

static void an_exit_is_sent_when_it_is_over(void **state)
{
	(void)state;
	next(false);
	ring->running = 1;
	add(0);
	assert_int_equal(next(false), 0);
	add(0);
	expect_record(0);
	assert_int_equal(next(false), 0);
	ring->running = 0;
	expect_record(1);
}

static void what_was_overwritten_is_lost(void **state)
{
	(void)state;
	next(false);
	for (unsigned i = 0; i < 20; i++)
		add(0);
	expect_record(4);
	for (unsigned i = 0; i < 2; i++)
		add(0);
	/* News of losses waits until there is room. */
	for (unsigned i = 0; i < 15; i++)
		expect_record(6 + i);
	expect_counts(FRAME_LOST, 21, 5, false);
	expect_record(21);
	assert_int_equal(next(false), 0);
	expect_counts(FRAME_END, 22, 5, true);
}

static void losses_are_told_at_once_when_there_is_nothing_else(void **state)
{
	(void)state;
	next(false);
	for (unsigned i = 0; i < 17; i++)
		add(0);
	ring->running = 1;
	for (unsigned i = 1; i < 16; i++)
		expect_record(i);
	expect_counts(FRAME_LOST, 16, 1, false);
	assert_int_equal(next(false), 0);
}

/* Also while more is lost than sent, most of what goes out is records. */
static void overload(void **state)
{
	unsigned counts[6] = {0};

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		for (unsigned j = 0; j < 20; j++)
			add(0);
		counts[next(false)]++;
	}
	assert_in_range(counts[FRAME_RECORD], 2700, 2990);
	assert_in_range(counts[FRAME_LOST], 50, 300);
	assert_in_range(counts[FRAME_HEADER], 2, 4);
}

static void a_lost_start_is_told(void **state)
{
	(void)state;
	next(false);
	ring_vm_started(ring, 1, 0, "one", 1);
	expect_started(FRAME_RECORD, 1, 0);
	ring_vm_started(ring, 2, 0, "two", 2);
	for (unsigned i = 0; i < 16; i++)
		add(2);
	/* Of the first the reader knows already. */
	expect_started(FRAME_STARTED, 2, 1);
	assert_memory_equal(seen.bytes + 2 + 8 + 32, "two", 4);
	expect_record(2);
	/* The start of a second life is another one. */
	ring_vm_started(ring, 1, 0, "one", 3);
	for (unsigned i = 0; i < 16; i++)
		add(1);
	expect_started(FRAME_STARTED, 1, 18);
	expect_record(19);
}

static void header_and_starts_come_again(void **state)
{
	unsigned since = 0;

	(void)state;
	assert_int_equal(next(false), FRAME_HEADER);
	ring_vm_started(ring, 9, 0, "nine", 5);
	expect_started(FRAME_RECORD, 9, 0);
	add(9);
	while (next(false) == FRAME_RECORD) {
		since++;
		add(9);
	}
	assert_int_equal(seen.bytes[0], FRAME_HEADER);
	assert_int_equal(since, 1023);
	expect_started(FRAME_STARTED, 9, 0);
	expect_record(1024);
}

/* --- Damage. --- */

#define RECORDS 40

static uint8_t stream[8192];
static size_t stream_size, ends[RECORDS + 8];
static unsigned frame_count;

static void make_stream(void)
{
	size_t size;

	make(64, 0);
	for (unsigned i = 0; i < RECORDS; i++)
		add(i % 3);
	stream_size = frame_count = 0;
	stream[stream_size++] = 0;
	while ((size = stream_next(&source, true, frame)) > 0) {
		memcpy(stream + stream_size, frame, size);
		stream_size += size;
		ends[frame_count++] = stream_size;
	}
}

/* How many frames a reader finds, and that each is one that was sent. */
static unsigned count_frames(const uint8_t *bytes, size_t size)
{
	unsigned found = 0;

	for (size_t at = 0; at < size;) {
		const uint8_t *end = memchr(bytes + at, 0, size - at);
		size_t length = end ? (size_t)(end - bytes) - at : size - at;

		if (end && unstuff(bytes + at, length, &seen)) {
			uint8_t again[FRAME_MAX];
			size_t made = frame_encode(seen.bytes[0], seen.bytes[1], seen.bytes + 2,
						   seen.size - 2, again);

			found++;
			assert_non_null(memmem(stream, stream_size, again, made));
		}
		at += length + 1;
	}
	return found;
}

/* Each byte in its turn is lost: its own frame goes, and the next one when it was a delimiter. */
static void any_byte_may_be_lost(void **state)
{
	static uint8_t damaged[sizeof(stream)];

	(void)state;
	make_stream();
	assert_int_equal(count_frames(stream, stream_size), frame_count);
	for (size_t i = 0; i < stream_size; i++) {
		unsigned left;

		memcpy(damaged, stream, i);
		memcpy(damaged + i, stream + i + 1, stream_size - i - 1);
		left = count_frames(damaged, stream_size - 1);
		assert_true(left >= frame_count - (stream[i] ? 1 : 2));
	}
}

static void any_bit_may_flip(void **state)
{
	(void)state;
	make_stream();
	for (size_t i = 0; i < 8 * stream_size; i++) {
		stream[i / 8] ^= (uint8_t)(1 << i % 8);
		/* A frame that is damaged is never taken for a good one. */
		{
			uint8_t damaged[sizeof(stream)];
			unsigned left;

			memcpy(damaged, stream, stream_size);
			stream[i / 8] ^= (uint8_t)(1 << i % 8);
			left = count_frames(damaged, stream_size);
			assert_in_range(left, frame_count - 2, frame_count - (i >= 8));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_frame_as_it_is_specified, setup),
		cmocka_unit_test_setup(runs_of_all_lengths, setup),
		cmocka_unit_test_setup(bodies_by_chance, setup),
		cmocka_unit_test_setup(the_largest_frame_fits, setup),
		cmocka_unit_test_setup(records_get_smaller, setup),
		cmocka_unit_test_setup(header_records_end, setup),
		cmocka_unit_test_setup(an_exit_is_sent_when_it_is_over, setup),
		cmocka_unit_test_setup(what_was_overwritten_is_lost, setup),
		cmocka_unit_test_setup(losses_are_told_at_once_when_there_is_nothing_else, setup),
		cmocka_unit_test_setup(overload, setup),
		cmocka_unit_test_setup(a_lost_start_is_told, setup),
		cmocka_unit_test_setup(header_and_starts_come_again, setup),
		cmocka_unit_test_setup(any_byte_may_be_lost, setup),
		cmocka_unit_test_setup(any_bit_may_flip, setup),
	};

	return cmocka_run_group_tests_name("the stream of a trace", tests, NULL, NULL);
}
