/* SPDX-License-Identifier: BSD-2-Clause */
/* The console on a simulated 16550: whose bytes come when, full rings, dead lines, keys. */
/* UNITS: kernel/console.c kernel/console_lock.c kernel/console_input.c kernel/console_output.c */
/* UNITS: kernel/uart.c kernel/terminal.c kernel/format.c tests/fake/uart.c tests/fake/error.c */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/instructions.h"
#include "kernel/console.h"
#include "kernel/time.h"
#include "tests/fake/uart.h"

#define MS     1000000ull
#define SECOND 1000000000ull

uint64_t time_now(void)
{
	return fake_machine.tsc;
}

uint64_t time_frequency(void)
{
	return SECOND;
}

/* All that was put out, by whatever way, in order. */
static char seen[1u << 21];
static size_t seen_size;

static void see(const char *bytes, size_t size)
{
	assert_true(seen_size + size <= sizeof(seen));
	memcpy(seen + seen_size, bytes, size);
	seen_size += size;
}

static void forget(void)
{
	console_reset();
	seen_size = 0;
	fake_uart_reset();
}

static int setup(void **state)
{
	(void)state;
	forget();
	assert_null(console_init(0x3f8, 115200));
	assert_null(console_add_sink(see));
	return 0;
}

static int setup_unused(void **state)
{
	(void)state;
	forget();
	return 0;
}

static void line(const char *text)
{
	console_write_line(text, strlen(text));
}

static void guest(struct console_stream *stream, const char *bytes)
{
	for (; *bytes; bytes++)
		console_stream_write(stream, (uint8_t)*bytes);
}

/* Time passes, with the polls that a running host makes. */
static void run(uint64_t ms)
{
	for (uint64_t i = 0; i < 4 * ms; i++) {
		fake_uart_run(MS / 4);
		console_poll(fake_machine.tsc);
	}
}

static void assert_seen(const char *wanted)
{
	seen[seen_size] = '\0';
	assert_string_equal(seen, wanted);
}

static void assert_sent(const char *wanted)
{
	assert_int_equal(fake_uart.output_size, strlen(wanted));
	assert_int_equal(memcmp(fake_uart.output, wanted, strlen(wanted)), 0);
	assert_int_equal(fake_uart.overflows + fake_uart.garbled, 0);
}

/* Early use. */

static void test_lines_before_init_are_sent_at_once(void **state)
{
	(void)state;
	line("plinth: first");
	fake_uart_run(2 * MS); /* what is in the FIFO */
	assert_sent("plinth: first\r\n");
	line("plinth: second");
	assert_null(console_init(0x3f8, 115200));
	line("plinth: third");
	console_flush();
	assert_sent("plinth: first\r\nplinth: second\r\nplinth: third\r\n");
}

static void test_everything_is_safe_before_init(void **state)
{
	static struct console_stream vm;

	(void)state;
	console_poll(0);
	console_flush();
	console_panic_mode();
	console_stream_init(&vm, "vm", true);
	guest(&vm, "a\r\n");
	console_stream_close(&vm);
	assert_int_equal(console_lost(), 0);
	assert_false(console_end_requested());
	console_flush();
	assert_sent("a\r\n");
}

static void test_another_port_gets_all_lines(void **state)
{
	(void)state;
	fake_uart.port = 0x2f8; /* COM1 is missing */
	line("plinth: first");
	assert_int_equal(fake_uart.output_size, 0);
	assert_null(console_init(0x2f8, 9600));
	line("plinth: second");
	console_flush();
	assert_sent("plinth: first\r\nplinth: second\r\n");
	assert_int_equal(console_lost(), 0);
}

static void test_without_a_uart_there_are_sinks_and_the_memory_log(void **state)
{
	(void)state;
	fake_uart.is_absent = true;
	line("plinth: first");
	assert_string_equal(console_init(0x3f8, 115200),
			    "no serial port answers at I/O port 0x3f8");
	assert_null(console_add_sink(see));
	line("plinth: second");
	console_flush();
	assert_seen("plinth: first\r\nplinth: second\r\n");
	assert_int_equal(console_log.written, seen_size);
	assert_int_equal(memcmp(console_log.text, seen, seen_size), 0);
	assert_int_equal(console_lost(), 0);

	forget();
	line("plinth: first");
	assert_null(console_init(0, 115200));
	line("plinth: second");
	console_flush();
	fake_uart_run(2 * MS);
	assert_sent("plinth: first\r\n");
	assert_int_equal(console_lost(), 0);
}

static void test_a_failed_init_keeps_the_early_uart(void **state)
{
	(void)state;
	line("plinth: first");
	assert_non_null(console_init(0x2f8, 115200));
	line("plinth: second");
	assert_non_null(console_init(0x3f8, 115201));
	line("plinth: third");
	console_flush();
	assert_sent("plinth: first\r\nplinth: second\r\nplinth: third\r\n");
}

static void test_sinks_get_what_was_written_before(void **state)
{
	(void)state;
	assert_null(console_init(0, 0));
	for (unsigned i = 0; i < 10000; i++) {
		char text[32];

		snprintf(text, sizeof(text), "plinth: %u", i);
		line(text);
	}
	assert_null(console_add_sink(see));
	assert_int_equal(seen_size, CONSOLE_LOG_SIZE);
	assert_int_equal(memcmp(seen + seen_size - 14, "plinth: 9999\r\n", 14), 0);
	assert_null(console_add_sink(see));
	assert_null(console_add_sink(see));
	assert_null(console_add_sink(see));
	assert_non_null(console_add_sink(see));
}

/* Lines among a guest's. */

static struct console_stream vm, other, third;

static void test_a_line_waits_for_the_guests_line(void **state)
{
	(void)state;
	console_stream_init(&vm, "vm", true);
	line("plinth: a");
	guest(&vm, "hel");
	line("plinth: b");
	run(20);
	line("plinth: c");
	run(20);
	assert_seen("plinth: a\r\nhel");
	guest(&vm, "lo\r\nnext");
	assert_seen("plinth: a\r\nhello\r\nplinth: b\r\nplinth: c\r\nnext");
	guest(&vm, "\r\n");
	line("plinth: d");
	console_flush();
	assert_seen("plinth: a\r\nhello\r\nplinth: b\r\nplinth: c\r\nnext\r\nplinth: d\r\n");
	assert_sent("plinth: a\r\nhello\r\nplinth: b\r\nplinth: c\r\nnext\r\nplinth: d\r\n");
}

static void test_a_line_waits_only_so_long(void **state)
{
	(void)state;
	console_stream_init(&vm, "vm", true);
	guest(&vm, "login: ");
	line("plinth: a");
	run(49);
	assert_seen("login: ");
	run(2);
	assert_seen("login: \r\nplinth: a\r\n");
	/* The line is fresh now: no reason to wait. */
	line("plinth: b");
	assert_seen("login: \r\nplinth: a\r\nplinth: b\r\n");
	guest(&vm, "root\r\n");
	line("plinth: c");
	assert_seen("login: \r\nplinth: a\r\nplinth: b\r\nroot\r\nplinth: c\r\n");
}

static void test_a_bare_line_feed_ends_a_line_too(void **state)
{
	(void)state;
	console_stream_init(&vm, "vm", true);
	guest(&vm, "a\n");
	line("plinth: a");
	assert_seen("a\n\r\nplinth: a\r\n");
	guest(&vm, "b\rc");
	line("plinth: b");
	run(60);
	assert_seen("a\n\r\nplinth: a\r\nb\rc\r\nplinth: b\r\n");
}

static void test_an_escape_sequence_is_not_split(void **state)
{
	(void)state;
	console_stream_init(&vm, "vm", true);
	guest(&vm, "x\x1b[12;");
	line("plinth: a");
	run(60);
	assert_seen("x\x1b[12;");
	guest(&vm, "3Hy");
	assert_seen("x\x1b[12;3H\r\nplinth: a\r\ny");

	/* But it cannot hold a line for ever. */
	guest(&vm, "\xe2\x82");
	line("plinth: b");
	run(99);
	assert_seen("x\x1b[12;3H\r\nplinth: a\r\ny\xe2\x82");
	run(2);
	assert_seen("x\x1b[12;3H\r\nplinth: a\r\ny\xe2\x82\r\nplinth: b\r\n");
}

static void test_pending_lines_are_bounded(void **state)
{
	static char text[1000];
	size_t lines = 0;

	(void)state;
	memset(text, 'x', sizeof(text));
	console_stream_init(&vm, "vm", true);
	guest(&vm, "open");
	while (seen_size == 4 && lines < 100) {
		console_write_line(text, sizeof(text));
		lines++;
	}
	/* The one that did not fit came after the others. */
	assert_int_equal(lines, CONSOLE_PENDING_MAX / 1002 + 1);
	assert_int_equal(seen_size, 4 + 2 + lines * 1002);
	console_flush();
	assert_int_equal(fake_uart.output_size, seen_size);

	/* A text too long is cut. */
	seen_size = 0;
	static char huge[100000];
	memset(huge, 'y', sizeof(huge));
	console_write_line(huge, sizeof(huge));
	assert_int_equal(seen_size, CONSOLE_TEXT_MAX + 2);
}

static void test_close_ends_the_line(void **state)
{
	(void)state;
	console_stream_init(&vm, "vm", true);
	guest(&vm, "half");
	line("plinth: a");
	console_stream_close(&vm);
	assert_seen("half\r\nplinth: a\r\n");
	console_stream_close(&vm);
	console_stream_write(&vm, 'x');

	console_stream_init(&vm, "vm", true);
	guest(&vm, "half");
	console_stream_close(&vm);
	line("plinth: b");
	assert_seen("half\r\nplinth: a\r\nhalf\r\nplinth: b\r\n");
}

/* What the output may have grown by since it was `from` bytes long: lines, on a fresh line. */
static unsigned skip_lines(size_t from, unsigned *next, bool *in_line)
{
	bool fresh = from == 0 || (from >= 2 && memcmp(seen + from - 2, "\r\n", 2) == 0);
	unsigned count = 0;

	if (from == seen_size)
		return 0;
	if (!fresh) {
		assert_int_equal(memcmp(seen + from, "\r\n", 2), 0);
		from += 2;
	}
	while (from < seen_size) {
		char wanted[32];
		int size = snprintf(wanted, sizeof(wanted), "plinth: %u\r\n", (*next)++);

		assert_true(seen_size - from >= (size_t)size);
		assert_int_equal(memcmp(seen + from, wanted, (size_t)size), 0);
		from += (size_t)size;
		count++;
	}
	*in_line = false;
	return count;
}

/* A guest that writes anything, lines at any time: every byte is there, in order, lines in between
 * stand alone. */
static void test_random_interleaving(void **state)
{
	static const char *const pieces[] = {"a",      "b",   "hello", "\r",   "\n",     "\r\n",
					     "\x1b[1", "2;H", "\xc3",  "\xa9", "\x1b]0", "\a"};
	unsigned line_count = 0;
	unsigned next = 0;
	uint64_t oldest = 0;
	bool in_line = false; /* a guest's byte stands on the line */

	(void)state;
	srand(1);
	console_stream_init(&vm, "vm", true);
	for (unsigned i = 0; i < 200000; i++) {
		size_t before = seen_size;
		unsigned action = (unsigned)rand() % 16;

		if (action < 10) {
			for (const char *c = pieces[rand() % 12]; *c; c++) {
				before = seen_size;
				console_stream_write(&vm, (uint8_t)*c);
				assert_true(seen_size > before && seen[before] == *c);
				in_line = *c != '\n';
				skip_lines(before + 1, &next, &in_line);
				if (!in_line)
					assert_int_equal(next, line_count);
			}
		} else if (action < 12) {
			char text[32];

			if (next == line_count)
				oldest = fake_machine.tsc;
			snprintf(text, sizeof(text), "plinth: %u", line_count++);
			line(text);
			skip_lines(before, &next, &in_line);
		} else {
			fake_uart_run((unsigned)rand() % 3000000u);
			console_poll(fake_machine.tsc);
			if (skip_lines(before, &next, &in_line) == 0 && next < line_count)
				assert_true(fake_machine.tsc - oldest <= 104 * MS);
		}
	}
	console_flush();
	assert_int_equal(fake_uart.output_size, seen_size);
	assert_int_equal(memcmp(fake_uart.output, seen, seen_size), 0);
	assert_int_equal(fake_uart.overflows, 0);
	assert_int_equal(console_lost(), 0);
}

/* Several VMs. */

static void test_others_are_buffered_by_line(void **state)
{
	(void)state;
	console_stream_init(&vm, "one", true);
	console_stream_init(&other, "two", false);
	guest(&other, "hel");
	guest(&vm, "raw\r\n");
	guest(&other, "lo\r\nworld\n\r\n\r\r\n");
	assert_seen("raw\r\n[two] hello\r\n[two] world\r\n[two] \r\n[two] \r\r\n");
	guest(&vm, "x");
	guest(&other, "wait\r\n");
	assert_seen("raw\r\n[two] hello\r\n[two] world\r\n[two] \r\n[two] \r\r\nx");
	guest(&vm, "y\r\n");
	assert_seen(
		"raw\r\n[two] hello\r\n[two] world\r\n[two] \r\n[two] \r\r\nxy\r\n[two] wait\r\n");
	guest(&other, "end");
	console_stream_close(&other);
	seen[seen_size] = '\0';
	assert_non_null(strstr(seen, "wait\r\n[two] end\r\n"));
}

static void test_a_long_line_is_broken(void **state)
{
	char wanted[600];
	char part[CONSOLE_LINE_MAX + 1];

	(void)state;
	memset(part, 'z', sizeof(part) - 1);
	part[CONSOLE_LINE_MAX] = '\0';
	console_stream_init(&other, "two", false);
	guest(&other, part);
	guest(&other, "rest\r\nnew\r\n");
	snprintf(wanted, sizeof(wanted), "[two] %s\r\n[two]+rest\r\n[two] new\r\n", part);
	assert_seen(wanted);
}

static void key(const char *keys)
{
	fake_uart_receive(keys, strlen(keys));
	run(4);
}

static void test_switching_changes_no_byte(void **state)
{
	(void)state;
	console_stream_init(&vm, "one", true);
	console_stream_init(&other, "two", false);
	guest(&vm, "one-");
	guest(&other, "two-");
	key("\x01"
	    "c");
	assert_seen("one-\r\ntwo-");
	guest(&vm, "more\r\n");
	guest(&other, "more\r\n");
	assert_seen("one-\r\ntwo-more\r\nplinth: console: now of VM two\r\n[one]+more\r\n");
	key("\x01"
	    "C");
	guest(&vm, "raw");
	assert_seen("one-\r\ntwo-more\r\nplinth: console: now of VM two\r\n[one]+more\r\n"
		    "plinth: console: now of VM one\r\nraw");
}

static void test_the_next_vm_inherits(void **state)
{
	(void)state;
	console_stream_init(&vm, "one", true);
	console_stream_init(&other, "two", false);
	console_stream_init(&third, "three", false);
	guest(&third, "part");
	guest(&vm, "last");
	console_stream_close(&vm);
	assert_seen("last\r\nplinth: console: now of VM two (Ctrl-A C: the next one)\r\n");
	seen_size = 0;
	console_stream_close(&other);
	guest(&third, "ial\r\n");
	assert_seen("partial\r\nplinth: console: now of VM three (Ctrl-A C: the next one)\r\n");
	seen_size = 0;
	console_stream_close(&third);
	assert_seen("");
	key("x\x01"
	    "c");
	assert_seen("plinth: console: there is no other VM to switch to\r\n");
}

/* When a VM starts again, what it was writing is over, and it keeps what it has of the console. */
static void test_a_restart_ends_the_line(void **state)
{
	(void)state;
	console_stream_init(&vm, "one", true);
	console_stream_init(&other, "two", false);
	guest(&vm, "half a \033[1");
	line("plinth: ended");
	assert_seen("half a \033[1");
	console_stream_end_line(&vm);
	assert_seen("half a \033[1\r\nplinth: ended\r\n");
	assert_true(console_stream_is_raw(&vm));
	seen_size = 0;
	guest(&vm, "again\r\n");
	guest(&other, "part");
	console_stream_end_line(&other);
	console_stream_end_line(&other);
	guest(&other, "whole\r\n");
	assert_seen("again\r\n[two] part\r\n[two] whole\r\n");
}

/* Processors whose clocks differ poll the same console. */
static void test_clocks_may_differ(void **state)
{
	uint64_t now = fake_machine.tsc;

	(void)state;
	console_stream_init(&vm, "one", true);
	/* One that is ahead has set the time of the next poll: another does not wait for it. */
	fake_machine.tsc = now + 1000000 * MS;
	guest(&vm, "part");
	line("plinth: from the future");
	console_poll_now(fake_machine.tsc);
	fake_machine.tsc = now;
	assert_true(console_poll_at > now);
	console_poll(now);
	assert_true(console_poll_at < now + 2 * MS);
	assert_seen("part");
	run(60);
	assert_seen("part\r\nplinth: from the future\r\n");
}

static void test_init_of_an_open_stream_is_harmless(void **state)
{
	(void)state;
	console_stream_init(&vm, "one", true);
	console_stream_init(&other, "two", false);
	console_stream_init(&other, "two", true);
	console_stream_init(&vm, "one", true);
	console_stream_init(&vm, "one", true);
	guest(&vm, "a\r\n");
	guest(&other, "b\r\n");
	assert_seen("a\r\n[two] b\r\n");
	console_stream_close(&vm);
	console_stream_close(&other);
}

static void test_names_are_harmless(void **state)
{
	(void)state;
	console_stream_init(&vm, "a\x1b[2Jb\r\n\xff", false);
	guest(&vm, "x\n");
	assert_seen("[a?[2Jb???] x\r\n");
	console_stream_init(&vm, "0123456789012345678901234567890123456789", false);
	guest(&vm, "x\n");
	assert_seen("[a?[2Jb???] x\r\n[0123456789012345678901234567890] x\r\n");
}

/* Keys. */

static void test_keys_go_to_the_raw_console(void **state)
{
	(void)state;
	console_stream_init(&vm, "one", true);
	console_stream_init(&other, "two", false);
	assert_int_equal(console_stream_read(&vm), -1);
	key("a\x03\xff");
	assert_true(console_stream_readable(&vm));
	assert_false(console_stream_readable(&other));
	assert_int_equal(console_stream_read(&vm), 'a');
	assert_int_equal(console_stream_read(&vm), 3);
	assert_int_equal(console_stream_read(&vm), 0xff);
	assert_int_equal(console_stream_read(&vm), -1);
	key("\x01"
	    "cb");
	assert_int_equal(console_stream_read(&vm), -1);
	assert_int_equal(console_stream_read(&other), 'b');
	assert_false(console_end_requested());
}

static void test_escapes(void **state)
{
	(void)state;
	console_stream_init(&vm, "one", true);
	key("\x01\x01"
	    "\x01"
	    "a"
	    "\x01"
	    "A");
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(console_stream_read(&vm), 1);
	assert_int_equal(console_stream_read(&vm), -1);
	assert_seen("");
	key("\x01q");
	assert_seen("plinth: console: this key has no meaning after Ctrl-A; Ctrl-A H helps\r\n");
	seen_size = 0;
	key("\x01H");
	assert_seen("plinth: console: Ctrl-A X ends the run\r\n"
		    "plinth: console: Ctrl-A C gives the console to the next VM\r\n"
		    "plinth: console: Ctrl-A A (or Ctrl-A twice) is a Ctrl-A to the VM\r\n"
		    "plinth: console: Ctrl-A H shows this help\r\n"
		    "plinth: console: all other keys go to VM one\r\n");
	assert_false(console_end_requested());
	key("x\x01");
	assert_false(console_end_requested());
	key("x");
	assert_true(console_end_requested());
	assert_int_equal(console_stream_read(&vm), 'x');
	assert_int_equal(console_stream_read(&vm), -1);
}

static void test_unread_input_is_counted(void **state)
{
	(void)state;
	console_stream_init(&vm, "one", true);
	for (unsigned i = 0; i < CONSOLE_INPUT_MAX + 5; i++)
		key(i % 2 ? "a" : "b");
	for (unsigned i = 0; i < CONSOLE_INPUT_MAX; i++)
		assert_int_equal(console_stream_read(&vm), i % 2 ? 'a' : 'b');
	assert_int_equal(console_stream_read(&vm), -1);
	console_stream_close(&vm);
	assert_seen("plinth: console: one did not read its input: 5 bytes of it were lost\r\n");
	fake_uart.was_overrun = true;
	run(4);
	fake_uart.was_overrun = true;
	run(4);
	assert_seen("plinth: console: one did not read its input: 5 bytes of it were lost\r\n"
		    "plinth: console: input was lost: it came faster than the serial port was "
		    "read\r\n");
}

/* The line. */

static void test_output_does_not_wait(void **state)
{
	uint64_t start = fake_machine.tsc;

	(void)state;
	console_stream_init(&vm, "vm", true);
	for (unsigned i = 0; i < 1000; i++)
		guest(&vm, "some line of text\r\n");
	line("plinth: a");
	assert_int_equal(fake_machine.tsc, start);
	assert_int_equal(fake_uart.output_size, 0);
	/* 19 KB at 11.5 bytes a millisecond: the polls must keep the line busy. */
	run(1800);
	assert_int_equal(fake_uart.output_size, seen_size);
	assert_int_equal(memcmp(fake_uart.output, seen, seen_size), 0);
}

static void test_poll_costs_nothing_when_idle(void **state)
{
	unsigned before;

	(void)state;
	run(10);
	before = fake_uart.accesses;
	for (unsigned i = 0; i < 1000; i++) {
		fake_machine.tsc += MS / 1000;
		console_poll(fake_machine.tsc);
	}
	assert_true(fake_uart.accesses - before <= 2);
	line("plinth: a");
	before = fake_uart.accesses;
	for (unsigned i = 0; i < 1000; i++) {
		fake_machine.tsc += MS / 1000;
		console_poll(fake_machine.tsc);
	}
	assert_in_range(fake_uart.accesses - before, 12, 30);
}

static void test_a_full_ring_waits_for_room(void **state)
{
	(void)state;
	console_stream_init(&vm, "vm", true);
	for (unsigned i = 0; i < 3 * CONSOLE_LOG_SIZE / 16; i++)
		guest(&vm, "0123456789abcd\r\n");
	assert_int_equal(console_lost(), 0);
	console_flush();
	assert_int_equal(console_lost(), 0);
	assert_int_equal(fake_uart.output_size, seen_size);
	assert_int_equal(memcmp(fake_uart.output, seen, seen_size), 0);
	assert_int_equal(fake_uart.overflows, 0);
}

static void test_a_dead_uart_costs_a_second(void **state)
{
	uint64_t start;
	unsigned accesses;

	(void)state;
	fake_uart.is_dead = true;
	console_stream_init(&vm, "vm", true);
	start = fake_machine.tsc;
	for (unsigned i = 0; i < 2 * CONSOLE_LOG_SIZE / 16; i++)
		guest(&vm, "0123456789abcd\r\n");
	console_flush();
	assert_true(fake_machine.tsc - start >= SECOND);
	assert_true(fake_machine.tsc - start < 2 * SECOND);
	/* 16 bytes went into its FIFO. */
	assert_int_equal(console_lost(), 2 * CONSOLE_LOG_SIZE - 16);
	/* No more waits. */
	start = fake_machine.tsc;
	accesses = fake_uart.accesses;
	for (unsigned i = 0; i < 100; i++)
		line("plinth: still there");
	console_flush();
	console_panic_mode();
	line("plinth: panic");
	assert_true(fake_uart.accesses - accesses < 1000);
	assert_true(fake_machine.tsc - start < 100 * MS);
	assert_int_equal(console_log.written, seen_size);

	/* Should it come back, the end of the output is there. */
	fake_uart.is_dead = false;
	fake_uart_run(0);
	fake_uart_run(2 * MS);
	console_flush();
	assert_int_equal(
		memcmp(fake_uart.output + fake_uart.output_size - 15, "plinth: panic\r\n", 15), 0);
	assert_int_equal(fake_uart.output_size + console_lost(), seen_size);
}

static void test_losses_are_told_once_it_works_again(void **state)
{
	size_t size;

	(void)state;
	fake_uart.is_dead = true;
	for (unsigned i = 0; i < 2 * CONSOLE_LOG_SIZE / 16; i++)
		line("0123456789abcd");
	size = seen_size;
	run(10);
	assert_int_equal(seen_size, size);
	fake_uart.is_dead = false;
	run(10000);
	seen[seen_size] = '\0';
	assert_string_equal(seen + size, "plinth: console: the serial port stood still, and 65520 "
					 "bytes before these were lost\r\n");
	assert_int_equal(console_lost(), 65520);
	assert_int_equal(fake_uart.output_size + console_lost(), seen_size);
}

/* With a clock that stands still, waiting ends as well. */
static void test_a_dead_uart_and_a_dead_clock(void **state)
{
	(void)state;
	fake_uart.is_dead = true;
	fake_uart.access_ticks = 0;
	line("plinth: a line that is longer than the FIFO of a UART");
	console_flush();
	assert_true(console_lost() > 0);
}

static void test_a_uart_that_vanishes(void **state)
{
	(void)state;
	line("plinth: a");
	console_flush();
	fake_uart.is_absent = true;
	line("plinth: b");
	run(10);
	console_flush();
	assert_int_equal(console_lost(), 11);
	assert_false(console_end_requested());
	assert_sent("plinth: a\r\n");
}

static void test_panic_writes_at_once(void **state)
{
	(void)state;
	console_stream_init(&vm, "vm", true);
	guest(&vm, "text");
	line("plinth: waits");
	console_panic_mode();
	line("plinth: panic: a");
	console_panic_mode();
	fake_uart_run(2 * MS);
	assert_sent("text\r\nplinth: waits\r\nplinth: panic: a\r\n");
	/* Even a guest that goes on does not hold lines. */
	guest(&vm, "more");
	line("plinth: panic: b");
	fake_uart_run(2 * MS);
	assert_sent("text\r\nplinth: waits\r\nplinth: panic: a\r\nmore\r\nplinth: panic: b\r\n");
}

static void test_the_memory_log_keeps_the_end(void **state)
{
	(void)state;
	fake_uart.is_instant = true;
	for (unsigned i = 0; i < 20000; i++) {
		line("plinth: some text");
		fake_uart_run(MS);
		console_poll(fake_machine.tsc);
	}
	assert_int_equal(console_log.written, 20000 * 19);
	for (uint64_t i = console_log.written - CONSOLE_LOG_SIZE; i < console_log.written; i++)
		assert_int_equal(console_log.text[i % CONSOLE_LOG_SIZE], seen[i]);
	console_flush();
	assert_int_equal(console_log.sent, console_log.written);
	assert_int_equal(fake_uart.output_size, seen_size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_lines_before_init_are_sent_at_once, setup_unused),
		cmocka_unit_test_setup(test_everything_is_safe_before_init, setup_unused),
		cmocka_unit_test_setup(test_another_port_gets_all_lines, setup_unused),
		cmocka_unit_test_setup(test_without_a_uart_there_are_sinks_and_the_memory_log,
				       setup_unused),
		cmocka_unit_test_setup(test_a_failed_init_keeps_the_early_uart, setup_unused),
		cmocka_unit_test_setup(test_sinks_get_what_was_written_before, setup_unused),
		cmocka_unit_test_setup(test_a_line_waits_for_the_guests_line, setup),
		cmocka_unit_test_setup(test_a_line_waits_only_so_long, setup),
		cmocka_unit_test_setup(test_a_bare_line_feed_ends_a_line_too, setup),
		cmocka_unit_test_setup(test_an_escape_sequence_is_not_split, setup),
		cmocka_unit_test_setup(test_pending_lines_are_bounded, setup),
		cmocka_unit_test_setup(test_close_ends_the_line, setup),
		cmocka_unit_test_setup(test_random_interleaving, setup),
		cmocka_unit_test_setup(test_others_are_buffered_by_line, setup),
		cmocka_unit_test_setup(test_a_long_line_is_broken, setup),
		cmocka_unit_test_setup(test_switching_changes_no_byte, setup),
		cmocka_unit_test_setup(test_the_next_vm_inherits, setup),
		cmocka_unit_test_setup(test_a_restart_ends_the_line, setup),
		cmocka_unit_test_setup(test_clocks_may_differ, setup),
		cmocka_unit_test_setup(test_init_of_an_open_stream_is_harmless, setup),
		cmocka_unit_test_setup(test_names_are_harmless, setup),
		cmocka_unit_test_setup(test_keys_go_to_the_raw_console, setup),
		cmocka_unit_test_setup(test_escapes, setup),
		cmocka_unit_test_setup(test_unread_input_is_counted, setup),
		cmocka_unit_test_setup(test_output_does_not_wait, setup),
		cmocka_unit_test_setup(test_poll_costs_nothing_when_idle, setup),
		cmocka_unit_test_setup(test_a_full_ring_waits_for_room, setup),
		cmocka_unit_test_setup(test_a_dead_uart_costs_a_second, setup),
		cmocka_unit_test_setup(test_losses_are_told_once_it_works_again, setup),
		cmocka_unit_test_setup(test_a_dead_uart_and_a_dead_clock, setup),
		cmocka_unit_test_setup(test_a_uart_that_vanishes, setup),
		cmocka_unit_test_setup(test_panic_writes_at_once, setup),
		cmocka_unit_test_setup(test_the_memory_log_keeps_the_end, setup),
	};

	return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
