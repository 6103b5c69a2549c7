/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers of a 16550A: FIFOs, interrupt identification, modem lines, loopback. */

#include "devices/serial.h"

#include "kernel/string.h"

/* Register numbers; 0 and 1 are the divisor latch while LCR.DLAB is set. */
enum serial_register {
	SERIAL_RBR_THR,
	SERIAL_IER,
	SERIAL_IIR_FCR,
	SERIAL_LCR,
	SERIAL_MCR,
	SERIAL_LSR,
	SERIAL_MSR,
	SERIAL_SCR,
	SERIAL_REGISTERS
};

enum {
	IER_RECEIVED = 0x01,
	IER_THRE = 0x02,
	IER_LINE_STATUS = 0x04,
	IER_MODEM = 0x08,
	IER_ALL = 0x0f,

	/* Interrupt identification, the highest priority first. */
	IIR_LINE_STATUS = 0x06,
	IIR_RECEIVED = 0x04,
	IIR_TIMEOUT = 0x0c, /* characters below the trigger level, and no more are coming */
	IIR_THRE = 0x02,
	IIR_MODEM = 0x00,
	IIR_NONE = 0x01,
	IIR_FIFOS = 0xc0,

	FCR_ENABLE = 0x01,
	FCR_RX_RESET = 0x02,
	FCR_DMA = 0x08,
	FCR_TRIGGER = 0xc0,

	LCR_WORD_LENGTH = 0x03,
	LCR_DLAB = 0x80,

	MCR_DTR = 0x01,
	MCR_RTS = 0x02,
	MCR_OUT1 = 0x04,
	MCR_OUT2 = 0x08, /* opens the gate of the interrupt line on a PC */
	MCR_LOOP = 0x10,
	MCR_ALL = 0x1f,

	LSR_DATA_READY = 0x01,
	LSR_OVERRUN = 0x02,
	LSR_PARITY = 0x04,
	LSR_FRAMING = 0x08,
	LSR_BREAK = 0x10,
	LSR_THRE = 0x20,
	LSR_TEMT = 0x40,
	LSR_FIFO_ERROR = 0x80,
	LSR_CHARACTER = LSR_PARITY | LSR_FRAMING | LSR_BREAK,

	MSR_DCTS = 0x01,
	MSR_TERI = 0x04,
	MSR_CHANGES = 0x0f,
	MSR_CTS = 0x10,
	MSR_DSR = 0x20,
	MSR_RI = 0x40,
	MSR_DCD = 0x80,
};

static bool fifos_enabled(const struct serial *serial)
{
	return serial->fcr & FCR_ENABLE;
}

static bool looped_back(const struct serial *serial)
{
	return serial->mcr & MCR_LOOP;
}

static unsigned receive_capacity(const struct serial *serial)
{
	return fifos_enabled(serial) ? SERIAL_FIFO_SIZE : 1;
}

static unsigned trigger_level(const struct serial *serial)
{
	static const uint8_t levels[] = {1, 4, 8, 14};

	return fifos_enabled(serial) ? levels[serial->fcr >> 6] : 1;
}

static uint8_t identify_interrupt(const struct serial *serial)
{
	if ((serial->ier & IER_LINE_STATUS) && serial->line_errors)
		return IIR_LINE_STATUS;
	if ((serial->ier & IER_RECEIVED) && serial->received_count)
		return serial->received_count >= trigger_level(serial) ? IIR_RECEIVED : IIR_TIMEOUT;
	if ((serial->ier & IER_THRE) && serial->thre_pending)
		return IIR_THRE;
	if ((serial->ier & IER_MODEM) && (serial->msr & MSR_CHANGES))
		return IIR_MODEM;
	return IIR_NONE;
}

static void update_irq(struct serial *serial)
{
	bool level = identify_interrupt(serial) != IIR_NONE && (serial->mcr & MCR_OUT2) &&
		     !looped_back(serial);

	if (level == serial->irq_level)
		return;
	serial->irq_level = level;
	if (serial->set_irq)
		serial->set_irq(serial->irq_context, level);
}

/* The errors of a character show when it is the next to be read. */
static void show_errors(struct serial *serial)
{
	struct serial_character *next = &serial->received[serial->received_first];

	if (serial->received_count) {
		serial->line_errors |= next->errors;
		next->errors = 0;
	}
}

static void receive(struct serial *serial, uint8_t byte, uint8_t errors)
{
	if (serial->received_count == receive_capacity(serial)) {
		serial->line_errors |= LSR_OVERRUN;
		/* A full FIFO keeps what it has; the single register takes the new one. */
		if (fifos_enabled(serial))
			return;
		serial->received_count = 0;
	}

	unsigned place = (serial->received_first + serial->received_count++) % SERIAL_FIFO_SIZE;

	serial->received[place] = (struct serial_character){.byte = byte, .errors = errors};
	show_errors(serial);
}

/* Takes from the console what there is room for, so that nothing that a person types overruns. */
static void receive_from_console(struct serial *serial)
{
	if (!serial->console || looped_back(serial))
		return;
	while (serial->received_count < receive_capacity(serial)) {
		int byte = console_stream_read(serial->console);

		if (byte < 0)
			return;
		receive(serial, (uint8_t)byte, 0);
	}
}

static void clear_received(struct serial *serial)
{
	serial->received_first = 0;
	serial->received_count = 0;
	serial->line_errors &= LSR_OVERRUN;
}

static uint8_t read_received(struct serial *serial)
{
	receive_from_console(serial);
	if (!serial->received_count)
		return serial->last_received;

	serial->last_received = serial->received[serial->received_first].byte;
	serial->received_first = (serial->received_first + 1) % SERIAL_FIFO_SIZE;
	serial->received_count--;
	show_errors(serial);
	return serial->last_received;
}

static uint8_t read_iir(struct serial *serial)
{
	uint8_t id;

	receive_from_console(serial);
	id = identify_interrupt(serial);
	if (id == IIR_THRE)
		serial->thre_pending = false;
	return fifos_enabled(serial) ? id | IIR_FIFOS : id;
}

static uint8_t read_lsr(struct serial *serial)
{
	uint8_t lsr = LSR_THRE | LSR_TEMT;

	receive_from_console(serial);
	lsr |= serial->line_errors;
	if (serial->received_count)
		lsr |= LSR_DATA_READY;
	if (fifos_enabled(serial)) {
		uint8_t errors = serial->line_errors & LSR_CHARACTER;

		for (unsigned i = 0; i < serial->received_count; i++)
			errors |= serial->received[(serial->received_first + i) % SERIAL_FIFO_SIZE]
					  .errors;
		if (errors)
			lsr |= LSR_FIFO_ERROR;
	}
	serial->line_errors = 0;
	return lsr;
}

static uint8_t read_msr(struct serial *serial)
{
	uint8_t msr = serial->msr;

	serial->msr &= (uint8_t)~MSR_CHANGES;
	return msr;
}

static uint32_t serial_read(void *device, uint16_t port, unsigned size)
{
	struct serial *serial = device;
	bool divisor = serial->lcr & LCR_DLAB;
	uint8_t value = 0;

	(void)size;
	switch (port % SERIAL_REGISTERS) {
	case SERIAL_RBR_THR:
		value = divisor ? serial->dll : read_received(serial);
		break;
	case SERIAL_IER:
		return divisor ? serial->dlm : serial->ier;
	case SERIAL_IIR_FCR:
		value = read_iir(serial);
		break;
	case SERIAL_LCR:
		return serial->lcr;
	case SERIAL_MCR:
		return serial->mcr;
	case SERIAL_LSR:
		value = read_lsr(serial);
		break;
	case SERIAL_MSR:
		value = read_msr(serial);
		break;
	case SERIAL_SCR:
		return serial->scr;
	}
	update_irq(serial);
	return value;
}

/* Modem lines: a cable with a ready partner, or in loopback the chip's own outputs. */
static void update_modem_lines(struct serial *serial)
{
	uint8_t lines = MSR_CTS | MSR_DSR | MSR_DCD;
	uint8_t changed;

	if (looped_back(serial))
		lines = (uint8_t)((serial->mcr & MCR_RTS ? MSR_CTS : 0) |
				  (serial->mcr & MCR_DTR ? MSR_DSR : 0) |
				  (serial->mcr & MCR_OUT1 ? MSR_RI : 0) |
				  (serial->mcr & MCR_OUT2 ? MSR_DCD : 0));

	changed = (uint8_t)(((lines ^ serial->msr) & (MSR_CTS | MSR_DSR | MSR_DCD)) >> 4);
	/* Of the ring indicator only the end of a ring counts. */
	if ((serial->msr & MSR_RI) && !(lines & MSR_RI))
		changed |= MSR_TERI;
	serial->msr = (uint8_t)(lines | (serial->msr & MSR_CHANGES) | changed);
}

static void transmit(struct serial *serial, uint8_t byte)
{
	if (looped_back(serial)) {
		uint8_t bits = (uint8_t)(0xff >> (3 - (serial->lcr & LCR_WORD_LENGTH)));

		receive(serial, byte & bits, 0);
	} else if (serial->console) {
		/* Whole, whatever the word length is: the console never changes a byte. */
		console_stream_write(serial->console, byte);
	}
	serial->thre_pending = true;
}

static void write_ier(struct serial *serial, uint8_t value)
{
	/* The transmitter is always empty, so turning its interrupt on raises it. */
	if ((value & ~serial->ier) & IER_THRE)
		serial->thre_pending = true;
	serial->ier = value & IER_ALL;
}

static void write_fcr(struct serial *serial, uint8_t value)
{
	if (((value ^ serial->fcr) & FCR_ENABLE) || (value & FCR_RX_RESET))
		clear_received(serial);
	/* The other bits are taken only together with the enable bit. */
	serial->fcr = value & FCR_ENABLE ? value & (FCR_ENABLE | FCR_DMA | FCR_TRIGGER) : 0;
}

static void serial_write(void *device, uint16_t port, unsigned size, uint32_t wide)
{
	struct serial *serial = device;
	uint8_t value = (uint8_t)wide;
	bool divisor = serial->lcr & LCR_DLAB;

	(void)size;
	switch (port % SERIAL_REGISTERS) {
	case SERIAL_RBR_THR:
		if (divisor)
			serial->dll = value;
		else
			transmit(serial, value);
		break;
	case SERIAL_IER:
		if (divisor)
			serial->dlm = value;
		else
			write_ier(serial, value);
		break;
	case SERIAL_IIR_FCR:
		write_fcr(serial, value);
		break;
	case SERIAL_LCR:
		serial->lcr = value;
		break;
	case SERIAL_MCR:
		serial->mcr = value & MCR_ALL;
		update_modem_lines(serial);
		break;
	case SERIAL_LSR: /* for the factory's tests only */
	case SERIAL_MSR:
		break;
	case SERIAL_SCR:
		serial->scr = value;
		break;
	}
	update_irq(serial);
}

void serial_poll(struct serial *serial)
{
	receive_from_console(serial);
	update_irq(serial);
}

void serial_receive_break(struct serial *serial)
{
	if (!looped_back(serial))
		receive(serial, 0, LSR_BREAK | LSR_FRAMING);
	update_irq(serial);
}

void serial_reset(struct serial *serial)
{
	serial->ier = 0;
	serial->fcr = 0;
	serial->lcr = 0;
	serial->mcr = 0;
	serial->scr = 0;
	serial->dll = 12; /* 9600 baud, as firmware leaves it; the chip's own reset leaves these two
			     alone */
	serial->dlm = 0;
	serial->msr = MSR_CTS | MSR_DSR | MSR_DCD;
	serial->line_errors = 0;
	serial->thre_pending = false;
	serial->last_received = 0;
	clear_received(serial);
	update_irq(serial);
}

err_t serial_create(struct serial *serial, struct bus *bus, const char *name, uint16_t base,
		    struct console_stream *console)
{
	struct port_range ports = {
		.name = name,
		.first = base,
		.count = SERIAL_REGISTERS,
		.sizes = BUS_1,
		.read = serial_read,
		.write = serial_write,
		.device = serial,
	};

	if (base % SERIAL_REGISTERS)
		return error("a UART cannot stand at port %xh: its ports start at a multiple of 8",
			     base);
	memset(serial, 0, sizeof(*serial));
	serial->console = console;
	serial_reset(serial);
	return bus_add_ports(bus, &ports);
}
