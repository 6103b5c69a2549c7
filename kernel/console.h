/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console: one serial line shared by Plinth's own lines and the serial ports of the guests. Any
 * CPU may call any of this.
 *
 * Guests come first: their bytes are neither changed nor dropped, nor do they wait for Plinth's. A
 * line of Plinth's (or of a VM that has not the raw console) waits up to CONSOLE_LINE_WAIT_MS for
 * the raw guest's line to end, and a little longer when that would split an escape sequence or a
 * character; then it starts on a fresh line, after a CR LF when there is none.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/compiler.h"
#include "kernel/error.h"
#include "kernel/terminal.h"

#define CONSOLE_NAME_MAX      32
#define CONSOLE_LINE_MAX      256 /* a line of a VM without the raw console; a longer one is broken */
#define CONSOLE_INPUT_MAX     1024 /* a power of two */
#define CONSOLE_PENDING_MAX   16384
#define CONSOLE_LINE_WAIT_MS  50
#define CONSOLE_SPLIT_WAIT_MS 100 /* the same, in the middle of an escape sequence */

/* The console of one VM: where the bytes of its serial port go, and where those for it come from.
 */
struct console_stream {
	char name[CONSOLE_NAME_MAX];
	struct console_stream *next; /* in the list of open ones */
	bool open;
	bool continued;              /* the line's beginning was shown already */
	char line[CONSOLE_LINE_MAX]; /* the line so far, unless it has the raw console */
	size_t line_used;
	struct terminal terminal;
	uint8_t input[CONSOLE_INPUT_MAX];
	uint32_t input_head, input_tail; /* counts; the next byte to read is input[tail % MAX] */
	uint64_t input_lost;
};

/*
 * Takes the console over from the early one: the UART at `port` (0: none, which is no error). One
 * that has not had the lines so far gets them. On an error everything stays as it was, with output
 * to the early UART if there is one, the sinks and the memory log. Without any call, the first line
 * written sets up COM1 with 115200 baud, and bytes are sent before the call returns.
 */
CHECKED err_t console_init(uint16_t port, uint32_t baud);

/* One more place for the same bytes, such as VGA text. It first gets what was written so far. */
CHECKED err_t console_add_sink(void (*write)(const char *bytes, size_t size));

/* Writes one line of Plinth's: its text as it is, without its end, of up to CONSOLE_TEXT_MAX bytes.
 * log_line() is what to call. */
#define CONSOLE_TEXT_MAX 1024
void console_write_line(const char *text, size_t size);

/*
 * What this CPU writes between these two comes in one piece: other CPUs wait with theirs. For a
 * table or a report, never for longer than it takes to write it.
 */
void console_hold(void);
void console_release(void);

/* The streams. A stream must stay in memory until it is closed. The one opened last with `raw` has
 * the raw console. */
void console_stream_init(struct console_stream *stream, const char *vm_name, bool raw);
void console_stream_write(struct console_stream *stream, uint8_t byte);
int console_stream_read(struct console_stream *stream); /* -1: nothing there */
bool console_stream_readable(const struct console_stream *stream);

/* For the console: puts a key into the stream's input. */
void console_stream_give(struct console_stream *stream, uint8_t key);

bool console_stream_is_raw(const struct console_stream *stream);

/* Ends the line that its VM was writing, as when the VM is restarted. */
void console_stream_end_line(struct console_stream *stream);

/* Ends its last line. If it had the raw console, the next VM gets it. */
void console_stream_close(struct console_stream *stream);

/* In ticks: before this time console_poll has nothing to do. */
extern uint64_t console_poll_at;

/* console_poll_at is never further ahead, unless a CPU with another clock has set it. */
#define CONSOLE_POLL_AHEAD (1ull << 27)

/* See console_poll. */
void console_poll_now(uint64_t now);

/*
 * Moves bytes to and from the UART without waiting, and lines whose time has come. Call it at
 * exits, at the heartbeat and in idle loops with the time that you have; mostly it costs one
 * comparison.
 */
static inline void console_poll(uint64_t now)
{
	uint64_t ahead = __atomic_load_n(&console_poll_at, __ATOMIC_RELAXED) - now;

	/* Also true of a time that has passed, which makes the difference wrap. */
	if (unlikely(ahead - 1 >= CONSOLE_POLL_AHEAD))
		console_poll_now(now);
}

/* True once the user has asked for the end of the run (Ctrl-A X). */
bool console_end_requested(void);

/* Writes out everything and waits until it has left, as before power-off. Bounded. */
void console_flush(void);

/* From now on every byte is written out before the call returns: for panic. May be called in any
 * state, and again. */
void console_panic_mode(void);

/* Bytes that could not be written to the UART because it takes none. They were in the memory log
 * and the sinks. */
uint64_t console_lost(void);

#ifdef HOST_TEST
/* A console as before its first use, for the next test. */
void console_reset(void);
#endif

/*
 * The memory log: the end of all output, for a debugger or a dump on a machine without UART. It is
 * the ring out of which the UART is fed: byte number n stands at text[n % CONSOLE_LOG_SIZE].
 */
#define CONSOLE_LOG_SIZE  0x10000u
#define CONSOLE_LOG_MAGIC "plinth-log 1"

struct console_log {
	char magic[16];
	uint64_t written; /* bytes in all */
	uint64_t sent;    /* of which the UART has taken all before this one */
	char text[CONSOLE_LOG_SIZE];
};

extern struct console_log console_log;
