/* SPDX-License-Identifier: BSD-2-Clause */
/* The console: one serial line shared by Plinth's own lines and the serial ports of the guests. */
#include "kernel/console.h"

#include "kernel/console_lock.h"
#include "kernel/console_output.h"
#include "kernel/format.h"
#include "kernel/string.h"
#include "kernel/time.h"

#define CTRL_A 0x01

/* Keys taken in one poll: what a UART's FIFO holds, and some. */
#define KEYS_MAX 64

/* With CONSOLE_TEXT_MAX, room for any one line. */
#define PREFIX_MAX (CONSOLE_NAME_MAX + 8)

_Static_assert(CONSOLE_PENDING_MAX >= 2 * (PREFIX_MAX + CONSOLE_TEXT_MAX + 2), "room for a line");
_Static_assert(CONSOLE_LINE_MAX <= CONSOLE_TEXT_MAX, "a stream's line is a line");

uint64_t console_poll_at;

/* All of it, and the way out behind it, belongs to the CPU that has the console's lock. */
static struct {
	struct console_stream *streams; /* the open ones, oldest first */
	struct console_stream *raw;     /* the one whose bytes go out as they come, or NULL */

	/* Whole lines that wait for the raw guest's line to end. */
	char pending[CONSOLE_PENDING_MAX];
	size_t pending_used;
	uint64_t pending_since;
	bool is_overdue; /* they waited long enough, but would have split an escape sequence */

	uint64_t polled_at;
	uint64_t burst_ticks; /* the least time between two looks at the UART */

	bool is_escaped; /* the last key was Ctrl-A */
	bool is_end_requested;
	bool is_overrun_told;
	uint64_t lost_told; /* of the bytes that the UART did not take */
	bool is_panicking;
} console;

/* Lines. */

/* True when a line would not cut into one of the raw guest's. */
static bool is_between_lines(void)
{
	return !console.raw || !console.raw->terminal.line_open || output_is_fresh();
}

static void start_line(void)
{
	if (!output_is_fresh())
		output_write("\r\n", 2);
}

/* Writes the pending lines, wherever the guest's line stands. */
static void release_lines(void)
{
	if (!console.pending_used)
		return;
	start_line();
	output_write(console.pending, console.pending_used);
	console.pending_used = 0;
	console.is_overdue = false;
}

static void append(const char *text, size_t size)
{
	memcpy(console.pending + console.pending_used, text, size);
	console.pending_used += size;
}

/* Bytes wait: let the next poll be as soon as the UART may have room. */
static void hasten_poll(void)
{
	uint64_t at = console.polled_at + console.burst_ticks;

	if ((int64_t)(console_poll_at - at) > 0)
		__atomic_store_n(&console_poll_at, at, __ATOMIC_RELAXED);
}

/* One line, from its two parts. */
static void write_line(const char *prefix, size_t prefix_size, const char *text, size_t size)
{
	if (console.pending_used + prefix_size + size + 2 > CONSOLE_PENDING_MAX)
		release_lines();
	if (!console.pending_used)
		console.pending_since = time_now();
	append(prefix, prefix_size);
	append(text, size);
	append("\r\n", 2);
	if (is_between_lines() || console.is_panicking)
		release_lines();
	hasten_poll();
}

void console_write_line(const char *text, size_t size)
{
	console_lock();
	write_line("", 0, text, size < CONSOLE_TEXT_MAX ? size : CONSOLE_TEXT_MAX);
	console_unlock();
}

/* A line about the console itself. */
static void say(const char *text, ...) PRINTF(1, 2);

static void say(const char *text, ...)
{
	static const char prefix[] = "plinth: ";
	char line[160];
	size_t length;
	va_list args;

	va_start(args, text);
	length = vformat(line, sizeof(line), text, args);
	va_end(args);
	write_line(prefix, sizeof(prefix) - 1, line,
		   length < sizeof(line) ? length : sizeof(line) - 1);
}

static uint64_t ticks_of_ms(uint64_t ms)
{
	return time_frequency() / 1000 * ms;
}

/* Lets the pending lines out if the guest's line has ended, or had its time. */
static void poll_lines(uint64_t now)
{
	int64_t age = (int64_t)(now - console.pending_since);

	if (!console.pending_used)
		return;
	/* Stamped by a CPU whose clock is ahead of this one's: the wait begins anew. */
	if (age < 0)
		console.pending_since = now;
	if (is_between_lines() || age >= (int64_t)ticks_of_ms(CONSOLE_SPLIT_WAIT_MS)) {
		release_lines();
	} else if (age >= (int64_t)ticks_of_ms(CONSOLE_LINE_WAIT_MS)) {
		if (terminal_is_split(&console.raw->terminal))
			console.is_overdue = true;
		else
			release_lines();
	}
}

/* Streams: what guests write. */

static void write_raw(struct console_stream *stream, uint8_t byte)
{
	output_write((const char *)&byte, 1);
	hasten_poll();
	if (console.pending_used && (!stream->terminal.line_open ||
				     (console.is_overdue && !terminal_is_split(&stream->terminal))))
		release_lines();
}

/* The line so far, as a line of its own with the VM's name; its own end becomes the CR LF of ours.
 */
static void write_buffered_line(struct console_stream *stream)
{
	char prefix[PREFIX_MAX];
	size_t size = stream->line_used;
	bool ends = size && stream->line[size - 1] == '\n';
	size_t prefix_size = format(prefix, sizeof(prefix), "[%s]%c", stream->name,
				    stream->continued ? '+' : ' ');

	if (ends)
		size--;
	if (ends && size && stream->line[size - 1] == '\r')
		size--;
	stream->line_used = 0;
	stream->continued = !ends;
	write_line(prefix, prefix_size, stream->line, size);
}

void console_stream_write(struct console_stream *stream, uint8_t byte)
{
	if (!stream->open)
		return;
	console_lock();
	terminal_byte(&stream->terminal, byte);
	if (stream == console.raw) {
		write_raw(stream, byte);
	} else {
		stream->line[stream->line_used++] = (char)byte;
		if (byte == '\n' || stream->line_used == CONSOLE_LINE_MAX)
			write_buffered_line(stream);
	}
	console_unlock();
}

/* Gives the raw console to a stream, or with NULL to none. Lines that are under way go on below. */
static void set_raw(struct console_stream *stream)
{
	struct console_stream *old = console.raw;

	if (old == stream)
		return;
	release_lines();
	if (old) {
		start_line();
		old->continued = old->terminal.line_open;
	}
	console.raw = stream;
	if (stream && stream->line_used) {
		start_line();
		output_write(stream->line, stream->line_used);
		stream->line_used = 0;
	}
}

bool console_stream_is_raw(const struct console_stream *stream)
{
	return stream == __atomic_load_n(&console.raw, __ATOMIC_RELAXED);
}

static void unlink_stream(struct console_stream *stream)
{
	struct console_stream **link = &console.streams;

	while (*link && *link != stream)
		link = &(*link)->next;
	if (*link)
		*link = stream->next;
}

void console_stream_init(struct console_stream *stream, const char *vm_name, bool raw)
{
	struct console_stream **last = &console.streams;

	console_lock();
	unlink_stream(stream); /* should it be open still */
	if (console.raw == stream)
		set_raw(NULL);
	*stream = (struct console_stream){.open = true};
	format(stream->name, sizeof(stream->name), "%s", vm_name);
	for (char *c = stream->name; *c; c++) {
		if (*c < 0x20 || *c > 0x7e)
			*c = '?';
	}
	while (*last)
		last = &(*last)->next;
	*last = stream;
	if (raw)
		set_raw(stream);
	console_unlock();
}

/* The open stream after this one, with wrap; NULL when there is none. */
static struct console_stream *stream_after(const struct console_stream *stream)
{
	return stream && stream->next ? stream->next : console.streams;
}

void console_stream_end_line(struct console_stream *stream)
{
	console_lock();
	if (stream != console.raw && stream->line_used)
		write_buffered_line(stream);
	stream->continued = false;
	stream->terminal = (struct terminal){0};
	if (stream == console.raw)
		release_lines();
	console_unlock();
}

static void close_stream(struct console_stream *stream)
{
	struct console_stream *heir;

	if (stream != console.raw && stream->line_used)
		write_buffered_line(stream);
	if (stream->input_lost)
		say("console: %s did not read its input: %llu bytes of it were lost", stream->name,
		    (unsigned long long)stream->input_lost);
	heir = stream_after(stream);
	unlink_stream(stream);
	stream->open = false;
	if (stream != console.raw)
		return;
	set_raw(heir != stream ? heir : NULL);
	if (console.raw)
		say("console: now of VM %s (Ctrl-A C: the next one)", console.raw->name);
}

void console_stream_close(struct console_stream *stream)
{
	if (!stream->open)
		return;
	console_lock();
	close_stream(stream);
	console_unlock();
}

/* Keys. */

static void give_key(uint8_t key)
{
	if (console.raw)
		console_stream_give(console.raw, key);
}

static void key_end(void)
{
	if (!console.is_end_requested)
		say("console: Ctrl-A X: the run ends");
	__atomic_store_n(&console.is_end_requested, true, __ATOMIC_RELAXED);
}

static void key_next(void)
{
	struct console_stream *next = stream_after(console.raw);

	if (!next || next == console.raw) {
		say("console: there is no other VM to switch to");
		return;
	}
	set_raw(next);
	say("console: now of VM %s", next->name);
}

static void key_ctrl_a(void)
{
	give_key(CTRL_A);
}

static void key_help(void);

static const struct {
	uint8_t key;
	void (*act)(void);
	const char *help;
} keys[] = {
	{'x', key_end,    "ends the run"                           },
	{'c', key_next,   "gives the console to the next VM"       },
	{'a', key_ctrl_a, "(or Ctrl-A twice) is a Ctrl-A to the VM"},
	{'h', key_help,   "shows this help"                        },
};

static void key_help(void)
{
	for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
		say("console: Ctrl-A %c %s", keys[i].key - 'a' + 'A', keys[i].help);
	if (console.raw)
		say("console: all other keys go to VM %s", console.raw->name);
	else
		say("console: all other keys go nowhere: no VM has the console");
}

static void take_escaped_key(uint8_t key)
{
	uint8_t letter = key == CTRL_A ? 'a' : key | 0x20;

	for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
		if (keys[i].key == letter) {
			keys[i].act();
			return;
		}
	}
	say("console: this key has no meaning after Ctrl-A; Ctrl-A H helps");
}

static void take_key(uint8_t key)
{
	if (console.is_escaped) {
		console.is_escaped = false;
		take_escaped_key(key);
	} else if (key == CTRL_A) {
		console.is_escaped = true;
	} else {
		give_key(key);
	}
}

static void poll_keys(void)
{
	for (unsigned i = 0; i < KEYS_MAX; i++) {
		int key = output_read_key();

		if (key < 0)
			break;
		take_key((uint8_t)key);
	}
	if (unlikely(output_overruns() != 0) && !console.is_overrun_told) {
		console.is_overrun_told = true;
		say("console: input was lost: it came faster than the serial port was read");
	}
}

/* The UART takes bytes again: whoever reads them should know that some are missing. */
static void tell_lost(void)
{
	uint64_t lost = output_lost() - console.lost_told;

	console.lost_told += lost;
	say("console: the serial port stood still, and %llu bytes before these were lost",
	    (unsigned long long)lost);
}

bool console_end_requested(void)
{
	return __atomic_load_n(&console.is_end_requested, __ATOMIC_RELAXED);
}

/* The whole. */

err_t console_init(uint16_t port, uint32_t baud)
{
	err_t err;

	console_lock();
	err = output_init(port, baud);
	console_unlock();
	return err;
}

err_t console_add_sink(void (*write)(const char *bytes, size_t size))
{
	err_t err;

	console_lock();
	err = output_add_sink(write);
	console_unlock();
	return err;
}

static void poll(uint64_t now)
{
	poll_keys();
	poll_lines(now);
	output_poll();
	if (unlikely(output_lost() != console.lost_told) && !output_is_dead())
		tell_lost();

	/*
	 * Keys are looked for every millisecond. While there is something to send, a look each
	 * quarter of one keeps a FIFO of 16 bytes, which lasts 1.4 ms at 115200 baud, from running
	 * dry for long; more would only cost time.
	 */
	console.burst_ticks = time_frequency() / 4000;
	console.polled_at = now;
	__atomic_store_n(&console_poll_at, now + time_frequency() / 1000, __ATOMIC_RELAXED);
	if (output_is_waiting())
		hasten_poll();
}

void console_poll_now(uint64_t now)
{
	/* Whoever has the console will see to it. */
	if (!console_try_lock())
		return;
	poll(now);
	console_unlock();
}

void console_hold(void)
{
	console_lock();
}

void console_release(void)
{
	console_unlock();
}

void console_flush(void)
{
	console_lock();
	release_lines();
	output_flush();
	console_unlock();
}

void console_panic_mode(void)
{
	console_lock_break();
	console.is_panicking = true;
	output_set_synchronous(true);
	console_flush();
}

uint64_t console_lost(void)
{
	return output_lost();
}

#ifdef HOST_TEST
void console_reset(void)
{
	output_reset();
	memset(&console, 0, sizeof(console));
	console_poll_at = 0;
}
#endif
