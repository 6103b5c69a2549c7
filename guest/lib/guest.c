/* SPDX-License-Identifier: BSD-2-Clause */
/* The library of the tiny guests: serial output, TAP, traps. */
#include "guest/lib/guest.h"

#include <stdarg.h>
#include <stddef.h>

#define COM1       0x3f8
#define LSR_THRE   0x20
#define LSR_TEMT   0x40
#define DEBUG_EXIT 0xf4
#define BOCHS_EXIT 0x8900
#define CMOS_INDEX 0x70
#define CMOS_DATA  0x71
#define RESET      0xcf9
#define PIC_MASK_A 0x21
#define PIC_MASK_B 0xa1
#define LINE_MAX   200

volatile struct fault last_fault;
volatile uint64_t fault_resume;
void (*trap_handlers[256])(struct trap_frame *frame);

static unsigned checks, failures;

/* Output is collected by lines, so that a line is one exit where a byte need not wait for the one
 * before. */
static char line[LINE_MAX];
static unsigned line_length;
static bool is_virtual;

static void flush(void)
{
	const char *at = line;
	uint64_t count = line_length;

	line_length = 0;
	if (is_virtual) {
		asm volatile("rep outsb" : "+S"(at), "+c"(count) : "d"((uint16_t)COM1) : "memory");
		return;
	}
	for (; count; count--) {
		while (!(in8(COM1 + 5) & LSR_THRE))
			;
		out8(COM1, (uint8_t)*at++);
	}
}

static void put(char c)
{
	line[line_length++] = c;
	if (c == '\n' || line_length == LINE_MAX)
		flush();
}

bool under_plinth(void)
{
	return is_virtual;
}

/* Whether guest/starter waits for a reset: the firmware will jump to it. */
static bool starter_waits(void)
{
	out8(CMOS_INDEX, 0x0f);
	return in8(CMOS_DATA) == 0x0a;
}

/* The debug-exit port is Plinth's. Without Plinth a reset brings the next guest, or Bochs ends when
 * it is told so on a port of its own, and hardware just halts. */
void guest_exit(int code)
{
	flush();
	if (is_virtual)
		out32(DEBUG_EXIT, (uint32_t)code);
	while (!(in8(COM1 + 5) & LSR_TEMT))
		;
	if (starter_waits())
		out8(RESET, 6);
	for (const char *text = "Shutdown"; *text; text++)
		out8(BOCHS_EXIT, (uint8_t)*text);
	for (;;)
		asm volatile("cli; hlt");
}

static void put_number(uint64_t value, unsigned base)
{
	char digits[24];
	unsigned count = 0;

	do {
		digits[count++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (count)
		put(digits[--count]);
}

static void vprint(const char *text, va_list args)
{
	for (; *text; text++) {
		bool wide = false;

		if (*text != '%') {
			if (*text == '\n')
				put('\r');
			put(*text);
			continue;
		}
		text++;
		while (*text == 'l') {
			wide = true;
			text++;
		}
		switch (*text) {
		case 's':
			for (const char *s = va_arg(args, const char *); *s; s++)
				put(*s);
			break;
		case 'c':
			put((char)va_arg(args, int));
			break;
		case 'd':
		case 'u':
			put_number(wide ? va_arg(args, uint64_t) : va_arg(args, uint32_t), 10);
			break;
		case 'x':
			put_number(wide ? va_arg(args, uint64_t) : va_arg(args, uint32_t), 16);
			break;
		default:
			put(*text);
			break;
		}
	}
}

void print(const char *text, ...)
{
	va_list args;

	va_start(args, text);
	vprint(text, args);
	va_end(args);
}

static void vcheck(bool passed, const char *what, va_list args)
{
	checks++;
	failures += !passed;
	print("%sok %u - ", passed ? "" : "not ", checks);
	vprint(what, args);
}

void check(bool passed, const char *what, ...)
{
	va_list args;

	va_start(args, what);
	vcheck(passed, what, args);
	va_end(args);
	print("\n");
}

void check_bochs(bool passed, const char *bochs, const char *what, ...)
{
	va_list args;

	checks++;
	print("%sok %u - ", passed ? "" : "not ", checks);
	va_start(args, what);
	vprint(what, args);
	va_end(args);
	print(passed ? "\n" : " # TODO Bochs %s\n", bochs);
}

void check_virtual(bool passed, const char *reason, const char *what, ...)
{
	va_list args;

	va_start(args, what);
	vcheck(passed, what, args);
	va_end(args);
	print(" # virtual %s\n", reason);
}

int checks_done(void)
{
	print("1..%u\n", checks);
	return failures != 0;
}

void trap_handle(struct trap_frame *frame);

void trap_handle(struct trap_frame *frame)
{
	if (fault_resume && frame->vector < 32 && frame->vector != 2 &&
	    !trap_handlers[frame->vector]) {
		last_fault = (struct fault){
			.happened = true,
			.vector = (uint8_t)frame->vector,
			.error = frame->error,
		};
		frame->rip = fault_resume;
		return;
	}
	if (trap_handlers[frame->vector]) {
		trap_handlers[frame->vector](frame);
		return;
	}
	print("Bail out! trap %u, error %lx, at %lx\n", (uint32_t)frame->vector, frame->error,
	      frame->rip);
	guest_exit(2);
}

/* A 64-bit interrupt gate. */
struct gate {
	uint16_t offset_low, selector, type, offset_middle;
	uint32_t offset_high, reserved;
};

static struct gate idt[256];
extern const uint8_t trap_entries[];

void trap_set_entry(unsigned vector, const void *entry)
{
	uint64_t address = (uint64_t)entry;

	idt[vector % 256] = (struct gate){
		.offset_low = (uint16_t)address,
		.selector = 0x08,
		.type = 0x8e00,
		.offset_middle = (uint16_t)(address >> 16),
		.offset_high = (uint32_t)(address >> 32),
	};
}

static void traps_start(void)
{
	const struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} pointer = {sizeof(idt) - 1, (uint64_t)idt};

	for (unsigned i = 0; i < 256; i++)
		trap_set_entry(i, &trap_entries[i * 16]);
	asm volatile("lidt %0" : : "m"(pointer));
}

/* 115200 baud, 8 bits, no parity, FIFOs on: firmware may have left it in any way. */
static void uart_start(void)
{
	out8(COM1 + 1, 0);
	out8(COM1 + 3, 0x80);
	out8(COM1, 1);
	out8(COM1 + 1, 0);
	out8(COM1 + 3, 0x03);
	out8(COM1 + 2, 0x07);
}

void guest_setup(void)
{
	struct cpuid hypervisor = cpuid(0x40000000, 0);

	/* Plinth's UART is ready from the start, and takes all bytes at once; a real one does not.
	 */
	is_virtual = cpuid(1, 0).ecx >> 31 && hypervisor.ebx == 0x6e696c50;
	if (!is_virtual) {
		uart_start();
		/* No interrupts of devices that nobody here knows. */
		out8(PIC_MASK_A, 0xff);
		out8(PIC_MASK_B, 0xff);
	}
	traps_start();
}
