/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's own 16550 serial port, polled. */
#include "kernel/uart.h"

#include "arch/x86_64/instructions.h"

/* Registers, as offsets from the port. The first two are the divisor's bytes while LCR_DLAB is set.
 */
enum uart_register {
	UART_DATA = 0,
	UART_IER = 1,
	UART_IIR = 2, /* read */
	UART_FCR = 2, /* written */
	UART_LCR = 3,
	UART_MCR = 4,
	UART_LSR = 5,
	UART_MSR = 6,
	UART_SCRATCH = 7,
};

#define FCR_ENABLE      0x01
#define FCR_CLEAR_BOTH  0x06
#define IIR_FIFOS_WORK  0xc0
#define LCR_8N1         0x03
#define LCR_DLAB        0x80
#define MCR_DTR         0x01
#define MCR_RTS         0x02
#define MCR_OUT2        0x08 /* gates the interrupt line on a PC */
#define MCR_LOOP        0x10
#define MSR_CTS_AND_DCD 0x90
#define LSR_DATA        0x01
#define LSR_OVERRUN     0x02
#define LSR_BREAK       0x10
#define LSR_THRE        0x20
#define LSR_TEMT        0x40

/*
 * How often to look for the transmitter to run dry, for a divisor of 1. 17 characters last 1.5 ms
 * then. No machine reads a port in less than 10 ns: Bochs at 400 million instructions a second
 * comes nearest.
 */
#define FLUSH_POLLS 150000u

static uint8_t read_register(const struct uart *uart, enum uart_register offset)
{
	return in8((uint16_t)(uart->port + offset));
}

static void write_register(const struct uart *uart, enum uart_register offset, uint8_t value)
{
	out8((uint16_t)(uart->port + offset), value);
}

/* All ones is what a port reads as behind which nothing is, also when a card was taken out. */
static uint8_t line_status(struct uart *uart)
{
	uint8_t status = read_register(uart, UART_LSR);

	if (status == 0xff)
		return 0;
	if (status & LSR_OVERRUN)
		uart->input_overruns++;
	return status;
}

/* The read of another register in between drives the bus, whose capacity would remember the value.
 */
static bool scratch_holds(const struct uart *uart, uint8_t value)
{
	write_register(uart, UART_SCRATCH, value);
	(void)read_register(uart, UART_LCR);
	return read_register(uart, UART_SCRATCH) == value;
}

/* In loopback RTS and OUT2 come back as CTS and DCD. The oldest UARTs have this, but no scratch
 * register. */
static bool loopback_works(const struct uart *uart)
{
	uint8_t saved = read_register(uart, UART_MCR);
	uint8_t status;

	write_register(uart, UART_MCR, MCR_LOOP | MCR_OUT2 | MCR_RTS);
	status = read_register(uart, UART_MSR) & 0xf0;
	write_register(uart, UART_MCR, saved);
	return status == MSR_CTS_AND_DCD;
}

static bool is_there(const struct uart *uart)
{
	if (read_register(uart, UART_LSR) == 0xff)
		return false;
	return (scratch_holds(uart, 0x5a) && scratch_holds(uart, 0xa5)) || loopback_works(uart);
}

/* Gives interrupts, line, and FIFOs their settings. */
static void set_up(struct uart *uart, uint16_t divisor)
{
	write_register(uart, UART_IER, 0);
	write_register(uart, UART_LCR, LCR_8N1 | LCR_DLAB);
	write_register(uart, UART_DATA, (uint8_t)divisor);
	write_register(uart, UART_IER, (uint8_t)(divisor >> 8));
	write_register(uart, UART_LCR, LCR_8N1);
	write_register(uart, UART_FCR, FCR_ENABLE | FCR_CLEAR_BOTH);
	write_register(uart, UART_MCR, MCR_DTR | MCR_RTS | MCR_OUT2);

	/* A 16450 has no FIFOs; the 16550 without "A" has some that do not work, and says so in
	 * bit 6. */
	uart->fifo_depth =
		(read_register(uart, UART_IIR) & IIR_FIFOS_WORK) == IIR_FIFOS_WORK ? 16 : 1;
	if (uart->fifo_depth == 1)
		write_register(uart, UART_FCR, 0);
}

err_t uart_init(struct uart *uart, uint16_t port, uint32_t baud)
{
	uint32_t divisor;

	*uart = (struct uart){.port = port, .flush_polls = FLUSH_POLLS};
	if (port == 0 || port > 0xfff8)
		return error("no serial port can be at I/O port 0x%x", port);
	if (baud == 0 || baud > UART_BAUD_MAX || UART_BAUD_MAX % baud)
		return error("a serial port cannot run at %u baud: use 115200 or a whole fraction "
			     "of it, such as 57600, 38400 or 9600",
			     baud);
	divisor = UART_BAUD_MAX / baud;
	if (divisor > UINT16_MAX)
		return error("a serial port cannot run at %u baud: the least is 2", baud);
	if (!is_there(uart))
		return error("no serial port answers at I/O port 0x%x", port);

	/* What is still on its way, from the boot loader or ourselves, would be garbled at another
	 * speed. */
	uart->present = true;
	uart_flush(uart);
	set_up(uart, (uint16_t)divisor);
	uart->flush_polls = FLUSH_POLLS * (divisor < 1000 ? divisor : 1000);
	return NULL;
}

size_t uart_try_write(struct uart *uart, const char *bytes, size_t size)
{
	size_t count = size < uart->fifo_depth ? size : uart->fifo_depth;

	if (!uart->present || !count || !(line_status(uart) & LSR_THRE))
		return 0;
	for (size_t i = 0; i < count; i++)
		write_register(uart, UART_DATA, (uint8_t)bytes[i]);
	return count;
}

int uart_try_read(struct uart *uart)
{
	uint8_t status;
	uint8_t byte;

	if (!uart->present)
		return -1;
	status = line_status(uart);
	if (!(status & LSR_DATA))
		return -1;
	byte = read_register(uart, UART_DATA);
	/* A break comes with a zero byte that nobody sent. */
	return status & LSR_BREAK ? -1 : byte;
}

bool uart_flush(struct uart *uart)
{
	if (!uart->present)
		return true;
	for (uint32_t i = 0; i < uart->flush_polls; i++) {
		if (line_status(uart) & LSR_TEMT)
			return true;
		pause();
	}
	return false;
}
