/* SPDX-License-Identifier: BSD-2-Clause */
/* The trace of a run: rings for all pCPUs, and the stream to the second serial port. */
#include "trace/trace.h"

#include "kernel/compiler.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/direct_map.h"
#include "kernel/log.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "kernel/uart.h"
#include "trace/stream.h"
#include "trace/top.h"

#define BURSTS_MAX      4 /* FIFOs full of bytes a poll */
#define DEAD_AFTER_SECS 1
#define TOLD_FROM_SECS  2

static struct {
	struct trace_classes chosen, what;
	struct exit_ring *rings[CPUS_MAX];
	unsigned ring_count;

	/* The stream. Whoever holds the lock may send; others leave it to him. */
	uint8_t lock;
	bool is_streaming;
	struct uart uart;
	struct stream_source sources[CPUS_MAX];
	unsigned turn; /* of the source whose frame comes next */
	uint8_t frame[FRAME_MAX];
	size_t frame_size, frame_sent;
	uint64_t byte_count;
} trace;

/* --- The start. --- */

static void create_rings(const struct trace_options *options, unsigned cpu_count)
{
	const struct ring_info info = {
		.tsc_hz = time_frequency(),
		.capabilities = options->capabilities,
		.capability_count = options->capability_count,
		.command_line = options->command_line,
	};

	for (unsigned i = 0; i < cpu_count && i < CPUS_MAX; i++) {
		err_t err = ring_create((uint16_t)i, options->records, &info, &trace.rings[i]);

		if (err) {
			log_error("trace: CPU %u: %s", i, err);
			return;
		}
		log_debug("trace: CPU %u has a ring of %u exit records at %llx, of %llu KiB", i,
			  options->records,
			  (unsigned long long)physical_address(trace.rings[i]).raw,
			  (unsigned long long)ring_bytes(options->records) / 1024);
		trace.ring_count++;
	}
}

/* Firmware or boot loader may have sent something there: an empty frame ends it. */
static err_t open_stream(uint16_t console_port)
{
	err_t err;

	if (console_port == UART_COM2)
		return "the console is there already; give it another port";
	err = uart_init(&trace.uart, UART_COM2, UART_BAUD_MAX);
	if (err)
		return err;
	trace.frame[0] = 0;
	trace.frame_size = 1;
	for (unsigned i = 0; i < trace.ring_count; i++)
		stream_source_init(&trace.sources[i], trace.rings[i]);
	trace.is_streaming = true;
	return NULL;
}

/*
 * The ring is also what a dead guest's last exits are read from. So everything is recorded, unless
 * the user looks at the records themselves: then it holds what he has chosen.
 */
static void decide(enum trace_output output)
{
	for (unsigned i = 0; i < EXIT_REASONS; i++) {
		uint8_t what = trace.chosen.by_reason[i] & TRACE_CPL;

		if (output == TRACE_CONSOLE || trace_chooses(i))
			what |= TRACE_RECORD;
		if (output == TRACE_CONSOLE && trace_chooses(i))
			what |= TRACE_SHOW;
		trace.what.by_reason[i] = what;
	}
}

bool trace_chooses(unsigned reason)
{
	return trace.chosen.by_reason[reason] & TRACE_CHOSEN;
}

static bool chooses_any(void)
{
	for (unsigned i = 0; i < EXIT_REASONS; i++)
		if (trace_chooses(i))
			return true;
	return false;
}

void trace_start(const struct trace_options *options, unsigned cpu_count)
{
	enum trace_output output = options->output;
	err_t err = trace_classes_parse(options->classes, &trace.chosen);

	if (err)
		log_error("%s", err);
	if (options->records == 0) {
		if (chooses_any())
			log_warn("no exits are traced, as records=0 keeps no records of them");
		trace.chosen = (struct trace_classes){.by_reason = {0}};
		return;
	}
	/* Without a choice there is nothing to send, and the ring is for the last exits of the
	 * dead. */
	if (!chooses_any())
		output = TRACE_CONSOLE;
	create_rings(options, cpu_count);
	decide(output);
	if (output != TRACE_COM2)
		return;
	err = open_stream(options->console_port);
	if (err)
		log_error("trace.out=com2: %s; the records are kept in memory only", err);
}

struct exit_ring *trace_ring(unsigned cpu)
{
	return cpu < trace.ring_count ? trace.rings[cpu] : NULL;
}

const uint8_t *trace_by_reason(void)
{
	return trace.what.by_reason;
}

/* --- The stream. --- */

/* Each source in its turn, so that a busy pCPU does not keep others from sending. */
static bool next_frame(bool last)
{
	for (unsigned i = 0; i < trace.ring_count; i++) {
		struct stream_source *source = &trace.sources[trace.turn++ % trace.ring_count];

		trace.frame_size = stream_next(source, last, trace.frame);
		trace.frame_sent = 0;
		if (trace.frame_size)
			return true;
	}
	return false;
}

/* One burst into the UART's FIFO. False: it takes none now, or there is nothing. */
static bool feed_uart(bool last)
{
	size_t count;

	if (trace.frame_sent == trace.frame_size && !next_frame(last))
		return false;
	count = uart_try_write(&trace.uart, (const char *)trace.frame + trace.frame_sent,
			       trace.frame_size - trace.frame_sent);
	trace.frame_sent += count;
	trace.byte_count += count;
	return count > 0;
}

void trace_poll(void)
{
	if (likely(!trace.is_streaming) || __atomic_exchange_n(&trace.lock, 1, __ATOMIC_ACQUIRE))
		return;
	for (unsigned i = 0; i < BURSTS_MAX && feed_uart(false); i++)
		;
	__atomic_store_n(&trace.lock, 0, __ATOMIC_RELEASE);
}

bool trace_is_waiting(void)
{
	if (likely(!trace.is_streaming))
		return false;
	for (unsigned i = 0; i < trace.ring_count; i++)
		if (trace.sources[i].sent + trace.rings[i]->running < trace.rings[i]->head)
			return true;
	return trace.frame_sent < trace.frame_size;
}

static uint64_t sum_of_unsent(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < trace.ring_count; i++) {
		uint64_t first = ring_first(trace.rings[i]), sent = trace.sources[i].sent;

		sum += trace.rings[i]->head - (sent > first ? sent : first);
	}
	return sum;
}

/* Sends all that there is, unless the UART takes nothing for a second, or the user will not wait.
 */
static bool drain(void)
{
	uint64_t limit = DEAD_AFTER_SECS * time_frequency(), moved = time_now();

	for (;;) {
		uint64_t now = time_now();

		if (feed_uart(true))
			moved = now;
		else if (trace.frame_sent == trace.frame_size)
			return uart_flush(&trace.uart);
		else if (now - moved >= limit)
			return false;
		console_poll(now);
		if (console_end_requested())
			return false;
	}
}

void trace_finish(void)
{
	uint64_t lost = 0, seconds = sum_of_unsent() * 40 / (UART_BAUD_MAX / 10);

	if (!trace.is_streaming)
		return;
	if (seconds >= TOLD_FROM_SECS)
		log_always("trace: the rest of the records takes about %llu s to COM2; Ctrl-A X "
			   "ends that",
			   (unsigned long long)seconds);
	if (!drain())
		log_warn("trace: %llu records were not sent to COM2",
			 (unsigned long long)sum_of_unsent());
	for (unsigned i = 0; i < trace.ring_count; i++)
		lost += trace.sources[i].lost;
	if (lost)
		log_always("trace: %llu bytes to COM2; %llu records were lost, as they came faster "
			   "than it sends: trace fewer classes, or keep more records=",
			   (unsigned long long)trace.byte_count, (unsigned long long)lost);
	else
		log_always("trace: %llu bytes to COM2, no record was lost",
			   (unsigned long long)trace.byte_count);
	trace.is_streaming = false;
}

/* --- The end of a VM. --- */

static uint64_t count_of_vm(const struct exit_ring *ring, unsigned vm)
{
	uint64_t count = 0;

	for (uint64_t i = ring_first_of_vm(ring, vm); i < ring->head; i++)
		count += ring_at(ring, i)->vm == vm;
	return count;
}

void trace_report(const char *vm_name, unsigned vm, unsigned cpu)
{
	const struct exit_ring *ring = trace_ring(cpu);
	uint64_t written, kept;

	if (!ring || ring_vm(ring, vm)->reason != RECORD_VM_STARTED)
		return;
	written = ring->head - ring_vm(ring, vm)->tsc_entry - 1;
	kept = count_of_vm(ring, vm);
	if (kept < written)
		log_vm_line(
			LOG_ALWAYS, vm_name,
			"%llu exits were recorded, the last %llu are kept (records=N keeps more):",
			(unsigned long long)written, (unsigned long long)kept);
	else
		log_vm_line(LOG_ALWAYS, vm_name,
			    "%llu exits were recorded:", (unsigned long long)written);
	top_print(ring, vm, vm_name);
}

#ifdef HOST_TEST
void trace_reset(void)
{
	memset(&trace, 0, sizeof(trace));
}
#endif
