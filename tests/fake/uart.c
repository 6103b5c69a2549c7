/* SPDX-License-Identifier: BSD-2-Clause */
/* A simulated 16550 on the fake machine. */
#include "tests/fake/uart.h"

#include "arch/x86_64/instructions.h"

struct fake_uart fake_uart;

static struct fake_uart *const u = &fake_uart;

static uint64_t character_ticks(void)
{
	return u->is_instant ? 0 : (uint64_t)u->divisor * 10 * 1000000000 / 115200;
}

static bool has_fifo(void)
{
	return !u->has_no_fifo && (u->fcr & 1);
}

static void start_next(uint64_t now)
{
	if (u->fifo_count == 0 || u->is_dead)
		return;
	u->shifted = u->fifo[0];
	memmove(u->fifo, u->fifo + 1, --u->fifo_count);
	u->is_shifting = true;
	u->shifted_at = now + character_ticks();
}

/* Brings the transmitter up to the present. */
static void advance(void)
{
	if (!u->is_shifting)
		start_next(fake_machine.tsc);
	while (u->is_shifting && fake_machine.tsc >= u->shifted_at) {
		if (u->output_size < FAKE_UART_OUTPUT_MAX)
			u->output[u->output_size++] = (char)u->shifted;
		u->is_shifting = false;
		start_next(u->shifted_at);
	}
}

static uint8_t read_lsr(void)
{
	uint8_t lsr = 0;

	if (u->input_tail < u->input_head)
		lsr |= (uint8_t)(0x01 | (u->sends_break ? 0x10 : 0));
	if (u->was_overrun)
		lsr |= 0x02;
	u->was_overrun = false;
	if (u->fifo_count == 0)
		lsr |= 0x20;
	if (u->fifo_count == 0 && !u->is_shifting)
		lsr |= 0x40;
	return lsr;
}

static uint8_t read_data(void)
{
	u->sends_break = false;
	return u->input_tail < u->input_head ? u->input[u->input_tail++] : 0;
}

static uint8_t read_msr(void)
{
	if (!(u->mcr & 0x10) || u->has_no_loopback)
		return 0xb0;
	return (uint8_t)((u->mcr & 2 ? 0x10 : 0) | (u->mcr & 1 ? 0x20 : 0) |
			 (u->mcr & 4 ? 0x40 : 0) | (u->mcr & 8 ? 0x80 : 0));
}

static uint32_t port_read(uint16_t port, unsigned size)
{
	bool dlab = u->lcr & 0x80;

	fake_machine.tsc += u->access_ticks;
	if (u->is_absent || port < u->port || port >= u->port + 8 || size != 1)
		return UINT32_MAX;
	u->accesses++;
	advance();
	switch (port - u->port) {
	case 0:
		return dlab ? u->divisor & 0xff : read_data();
	case 1:
		return dlab ? u->divisor >> 8 : u->ier;
	case 2:
		return 0x01 | (has_fifo() ? 0xc0 : 0);
	case 3:
		return u->lcr;
	case 4:
		return u->mcr;
	case 5:
		return read_lsr();
	case 6:
		return read_msr();
	default:
		return u->has_no_scratch ? 0 : u->scratch;
	}
}

static void write_data(uint8_t value)
{
	if (u->fifo_count >= (has_fifo() ? 16u : 1u))
		u->overflows++;
	else
		u->fifo[u->fifo_count++] = value;
	advance();
}

static void set_divisor(uint16_t divisor)
{
	if (divisor != u->divisor && u->is_shifting)
		u->garbled++;
	u->divisor = divisor;
}

static void write_fcr(uint8_t value)
{
	if (value & 4) {
		u->garbled += u->fifo_count;
		u->fifo_count = 0;
	}
	u->fcr = value;
}

static void port_write(uint16_t port, unsigned size, uint32_t wide)
{
	uint8_t value = (uint8_t)wide;
	bool dlab = u->lcr & 0x80;

	fake_machine.tsc += u->access_ticks;
	if (u->is_absent || port < u->port || port >= u->port + 8 || size != 1)
		return;
	u->accesses++;
	advance();
	switch (port - u->port) {
	case 0:
		if (dlab)
			set_divisor((uint16_t)((u->divisor & 0xff00) | value));
		else
			write_data(value);
		break;
	case 1:
		if (dlab)
			set_divisor((uint16_t)((u->divisor & 0xff) | value << 8));
		else
			u->ier = value;
		break;
	case 2:
		write_fcr(value);
		break;
	case 3:
		u->lcr = value;
		break;
	case 4:
		u->mcr = value;
		break;
	case 7:
		u->scratch = value;
		break;
	default:
		break;
	}
}

void fake_uart_reset(void)
{
	fake_machine_reset();
	fake_machine.port_read = port_read;
	fake_machine.port_write = port_write;
	fake_machine.tsc = 1000000;
	memset(u, 0, sizeof(*u));
	u->port = 0x3f8;
	u->divisor = 12;
	u->access_ticks = 1000;
}

void fake_uart_receive(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size && u->input_head < sizeof(u->input); i++)
		u->input[u->input_head++] = (uint8_t)bytes[i];
}

void fake_uart_run(uint64_t ticks)
{
	fake_machine.tsc += ticks;
	advance();
}
