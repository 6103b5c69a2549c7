/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Three VMs, Plinth's lines, keys, time, and a UART that works or not, in any order. The input is a
 * row of pairs: a byte of what to do, and one of with what. Checked: a byte of the raw guest comes
 * out at once and unchanged, after it come whole lines only, and the UART sends what the sinks saw.
 */
/* UNITS: kernel/console.c kernel/console_lock.c kernel/console_input.c kernel/console_output.c */
/* UNITS: kernel/uart.c kernel/terminal.c kernel/format.c tests/fake/uart.c tests/fake/error.c */
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/instructions.h"
#include "kernel/console.h"
#include "kernel/time.h"
#include "tests/fake/uart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VMS 3

static struct console_stream vms[VMS];
static char seen[1u << 20];
static size_t seen_size;

uint64_t time_now(void)
{
	return fake_machine.tsc;
}

uint64_t time_frequency(void)
{
	return 1000000000;
}

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void see(const char *bytes, size_t size)
{
	check(seen_size + size <= sizeof(seen));
	memcpy(seen + seen_size, bytes, size);
	seen_size += size;
}

static void start(void)
{
	console_reset();
	memset(vms, 0, sizeof(vms));
	seen_size = 0;
	/* A slow machine, so that waiting for a dead UART takes few steps. */
	fake_uart_reset();
	fake_uart.access_ticks = 100000;
	check(!console_init(0x3f8, 115200) && !console_add_sink(see));
}

/* What came after a byte of the raw guest's, from `from` on: nothing, or lines. */
static void check_lines(size_t from)
{
	if (from == seen_size)
		return;
	check(seen_size - from >= 2 && memcmp(seen + seen_size - 2, "\r\n", 2) == 0);
	check(from >= 2);
	if (memcmp(seen + from - 2, "\r\n", 2) != 0) {
		check(memcmp(seen + from, "\r\n", 2) == 0);
		from += 2;
	}
	check(seen[from] == '[' || strncmp(seen + from, "plinth", 6) == 0);
}

static void guest_writes(struct console_stream *vm, uint8_t byte)
{
	size_t before = seen_size;
	bool was_raw = console_stream_is_raw(vm);

	console_stream_write(vm, byte);
	if (!was_raw)
		return;
	check(seen_size > before && (uint8_t)seen[before] == byte);
	check_lines(before + 1);
}

static void act(uint8_t what, uint8_t with)
{
	static const char text[] =
		"plinth: a line of Plinth's own, of which only a part may be written";
	struct console_stream *vm = &vms[(what >> 4) % VMS];
	char name[2] = {(char)('a' + (what >> 4) % VMS), '\0'};

	switch (what & 15) {
	case 0:
		console_stream_init(vm, name, with & 1);
		break;
	case 1:
		console_stream_close(vm);
		break;
	case 2:
		fake_uart_run(with * 1000000ull);
		console_poll(fake_machine.tsc);
		break;
	case 3:
		console_write_line(text, 6 + with % (sizeof(text) - 6));
		break;
	case 4:
		fake_uart.input_head = fake_uart.input_tail = 0;
		fake_uart_receive("\x01", with >> 7);
		with &= 0x7f;
		fake_uart_receive((const char *)&with, 1);
		break;
	case 5:
		(void)console_stream_read(vm);
		break;
	case 6:
		fake_uart.is_dead = with & 1;
		break;
	case 7:
		for (unsigned i = 0; vm->open && i < 4u * with; i++)
			guest_writes(vm, (uint8_t)('a' + i % 26));
		break;
	default:
		if (vm->open)
			guest_writes(vm, with);
		break;
	}
	for (unsigned i = 0; i < VMS; i++)
		check(!console_stream_is_raw(&vms[i]) || vms[i].open);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	start();
	for (size_t i = 0; i + 1 < size && i < 300; i += 2)
		act(data[i], data[i + 1]);
	for (unsigned i = 0; i < VMS; i++)
		console_stream_close(&vms[i]);
	console_poll_now(fake_machine.tsc + 1000000000);
	check(console_stream_is_raw(NULL));

	/* Let it get over its death, then all that was not lost must leave. */
	fake_uart.is_dead = false;
	fake_uart_run(0);
	fake_uart_run(1000000000);
	console_flush();
	check(fake_uart.overflows == 0 && fake_uart.garbled == 0);
	check(fake_uart.output_size + console_lost() == seen_size);
	if (console_lost() == 0)
		check(memcmp(fake_uart.output, seen, seen_size) == 0);
	return 0;
}
