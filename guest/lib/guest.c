/* SPDX-License-Identifier: BSD-2-Clause */
/* The library of the tiny guests: serial output, TAP, traps. */
#include "guest/lib/guest.h"

#include <stdarg.h>
#include <stddef.h>

#define COM1	   0x3f8
#define LSR_THRE   0x20
#define DEBUG_EXIT 0xf4
#define LINE_MAX   200

volatile struct fault last_fault;
volatile uint64_t fault_resume;
void (*trap_handlers[256])(struct trap_frame *frame);

static unsigned checks, failures;

/* Output is collected by lines, so that a line is one exit where a byte need not wait for the one
 * before. */
static char line[LINE_MAX];
static unsigned line_length;
static bool waits_for_uart = true;

static void flush(void)
{
	const char *at = line;
	uint64_t count = line_length;

	line_length = 0;
	if (!waits_for_uart) {
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

void guest_exit(int code)
{
	flush();
	out32(DEBUG_EXIT, (uint32_t)code);
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

void check(bool passed, const char *what, ...)
{
	va_list args;

	checks++;
	failures += !passed;
	print("%sok %u - ", passed ? "" : "not ", checks);
	va_start(args, what);
	vprint(what, args);
	va_end(args);
	print("\n");
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

void guest_setup(void)
{
	struct cpuid hypervisor = cpuid(0x40000000, 0);

	/* Plinth's UART takes all bytes at once; a real one does not. */
	waits_for_uart = !(cpuid(1, 0).ecx >> 31 && hypervisor.ebx == 0x6e696c50);
	traps_start();
}
