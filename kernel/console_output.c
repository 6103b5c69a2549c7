/* SPDX-License-Identifier: BSD-2-Clause */
/* The way out of the console: one ring of bytes, the UART that is fed from it, and the other sinks.
 */
#include "kernel/console_output.h"

#include "kernel/compiler.h"
#include "kernel/console.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "kernel/uart.h"

#define SINKS_MAX       4
#define BURSTS_MAX      4
#define EARLY_PORT      UART_COM1
#define DEAD_AFTER_SECS 1

/*
 * A second bound on waiting for a UART, should the clock stand still: as many looks at it as take a
 * second or more on any machine.
 */
#define DEAD_AFTER_POLLS 20000000u

struct console_log console_log = {.magic = CONSOLE_LOG_MAGIC};

static struct {
	bool is_set_up;
	bool is_asynchronous;
	bool is_dead; /* the UART took nothing for a second: no more waiting for it */
	struct uart uart;
	uint64_t lost;
	void (*sinks[SINKS_MAX])(const char *bytes, size_t size);
	unsigned sink_count;
} output;

_Static_assert((CONSOLE_LOG_SIZE & (CONSOLE_LOG_SIZE - 1)) == 0, "masked below");

/* The byte in the memory log, and how many follow it without a wrap. */
static char *log_at(uint64_t number)
{
	return &console_log.text[number % CONSOLE_LOG_SIZE];
}

static size_t log_run(uint64_t from, uint64_t to)
{
	uint64_t run = CONSOLE_LOG_SIZE - from % CONSOLE_LOG_SIZE;

	return to - from < run ? to - from : run;
}

/* The oldest byte that is still in the memory log. */
static uint64_t log_start(void)
{
	return console_log.written > CONSOLE_LOG_SIZE ? console_log.written - CONSOLE_LOG_SIZE : 0;
}

bool output_is_waiting(void)
{
	return console_log.sent != console_log.written;
}

/* One burst into the UART's FIFO. False: it takes none now, or there is nothing. */
static bool feed_uart(void)
{
	size_t count = uart_try_write(&output.uart, log_at(console_log.sent),
				      log_run(console_log.sent, console_log.written));

	console_log.sent += count;
	if (count)
		output.is_dead = false;
	return count > 0;
}

/* Until no more than `rest` bytes wait for the UART; or until it proves dead. A dead one gets one
 * look a call. */
static void drain(uint64_t rest)
{
	uint64_t start = time_now();
	uint64_t limit = DEAD_AFTER_SECS * time_frequency();
	uint32_t polls = 0;

	while (console_log.written - console_log.sent > rest) {
		if (feed_uart()) {
			start = time_now();
			polls = 0;
			continue;
		}
		if (++polls >= DEAD_AFTER_POLLS || time_now() - start >= limit)
			output.is_dead = true;
		if (output.is_dead)
			return;
	}
}

/* Makes room in the ring; with a UART that takes nothing, at the cost of the oldest bytes there. */
static void make_room(size_t size)
{
	uint64_t excess;

	if (!output.uart.present) {
		console_log.sent = console_log.written;
		return;
	}
	drain(CONSOLE_LOG_SIZE - size);
	if (console_log.written - console_log.sent + size <= CONSOLE_LOG_SIZE)
		return;
	excess = console_log.written - console_log.sent + size - CONSOLE_LOG_SIZE;
	console_log.sent += excess;
	output.lost += excess;
}

/* The first line of all: nobody has said yet where output goes, and there is nobody to tell of an
 * error. */
static void set_up_early(void)
{
	output.is_set_up = true;
	if (uart_init(&output.uart, EARLY_PORT, UART_BAUD_MAX))
		output.uart.present = false;
}

err_t output_init(uint16_t port, uint32_t baud)
{
	struct uart uart = {.port = 0};
	err_t failed = NULL;

	if (port)
		failed = uart_init(&uart, port, baud);
	output.is_set_up = true;
	output.is_asynchronous = true;
	if (failed)
		return failed;

	/* Another one has not had the lines so far. */
	if (uart.present && !(output.uart.present && output.uart.port == port))
		console_log.sent = log_start();
	if (!uart.present)
		console_log.sent = console_log.written;
	output.uart = uart;
	output.is_dead = false;
	return NULL;
}

err_t output_add_sink(void (*write)(const char *bytes, size_t size))
{
	uint64_t from = log_start();

	if (output.sink_count == SINKS_MAX)
		return error("the console has no room for more than %u sinks", SINKS_MAX);
	output.sinks[output.sink_count++] = write;
	while (from != console_log.written) {
		size_t run = log_run(from, console_log.written);

		write(log_at(from), run);
		from += run;
	}
	return NULL;
}

void output_write(const char *bytes, size_t size)
{
	if (!output.is_set_up)
		set_up_early();
	for (unsigned i = 0; i < output.sink_count; i++)
		output.sinks[i](bytes, size);
	while (size) {
		size_t part = log_run(console_log.written, console_log.written + size);

		make_room(part);
		memcpy(log_at(console_log.written), bytes, part);
		console_log.written += part;
		bytes += part;
		size -= part;
	}
	if (!output.uart.present)
		console_log.sent = console_log.written;
	else if (!output.is_asynchronous)
		drain(0);
}

bool output_is_fresh(void)
{
	if (console_log.written < 2)
		return console_log.written == 0;
	return *log_at(console_log.written - 1) == '\n' && *log_at(console_log.written - 2) == '\r';
}

void output_poll(void)
{
	/* One that sends at once, as emulators' do, takes several bursts; but not the whole ring in
	 * one exit. */
	for (unsigned i = 0; i < BURSTS_MAX && output_is_waiting(); i++) {
		if (!feed_uart())
			return;
	}
}

void output_flush(void)
{
	drain(0);
	if (!output.is_dead)
		uart_flush(&output.uart);
}

void output_set_synchronous(bool synchronous)
{
	output.is_asynchronous = !synchronous;
}

int output_read_key(void)
{
	return uart_try_read(&output.uart);
}

bool output_is_dead(void)
{
	return output.is_dead;
}

uint32_t output_overruns(void)
{
	return output.uart.input_overruns;
}

uint64_t output_lost(void)
{
	return output.lost + (output.is_dead ? console_log.written - console_log.sent : 0);
}

#ifdef HOST_TEST
void output_reset(void)
{
	memset(&output, 0, sizeof(output));
	console_log = (struct console_log){.magic = CONSOLE_LOG_MAGIC};
}
#endif
