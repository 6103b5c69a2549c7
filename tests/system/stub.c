/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stand-in for Plinth, to test the run scripts: a multiboot2 kernel that repeats what GRUB gave
 * it, does what its command line asks for (echo, hang, quiet, crash), gives the verdict that it is
 * told to, and powers off.
 */
#include <stdint.h>

#define COM1 0x3f8

struct tag {
	uint32_t type;
	uint32_t size;
	char text[];
};

static inline void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void out16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static void put(const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			put("\r");
		while (!(in8(COM1 + 5) & 0x20))
			;
		out8(COM1, (uint8_t)*text);
	}
}

/* Does the word stand in the text? */
static int has(const char *text, const char *word)
{
	for (; *text; text++) {
		int i = 0;

		while (word[i] && text[i] == word[i])
			i++;
		if (!word[i])
			return 1;
	}
	return 0;
}

/* Repeats what comes in, until a 'q'. */
static void echo(void)
{
	char text[2] = "";

	while (text[0] != 'q') {
		if (!(in8(COM1 + 5) & 1))
			continue;
		text[0] = (char)in8(COM1);
		put(text);
	}
}

static void power_off(void)
{
	while (!(in8(COM1 + 5) & 0x40))
		;
	for (const char *text = "Shutdown"; *text; text++)
		out8(0x8900, (uint8_t)*text);
	out16(0x604, 0x2000);
	for (;;)
		__asm__ volatile("cli; hlt");
}

void start(const uint8_t *information);

void start(const uint8_t *information)
{
	const struct tag *tag = (const void *)(information + 8);
	const char *command_line = "";

	out8(COM1 + 3, 3);
	for (; tag->type; tag = (const void *)((const char *)tag + ((tag->size + 7) & ~7u))) {
		if (tag->type == 1) {
			command_line = tag->text;
			put("stub: command line: ");
			put(command_line);
			put("\n");
		} else if (tag->type == 3) {
			put("stub: module: ");
			put(tag->text + 8);
			put("\n");
		}
	}
	if (has(command_line, "echo"))
		echo();
	if (has(command_line, "hang"))
		for (;;)
			__asm__ volatile("hlt");
	if (has(command_line, "crash"))
		__asm__ volatile("lidt %0; int3" : : "m"(*(const uint64_t *)&(const uint64_t){0}));
	if (!has(command_line, "quiet")) {
		const char *verdict = has(command_line, "error") ? "plinth: verdict: error 3 stub\n"
				      : has(command_line, "fail")
					      ? "plinth: verdict: fail 7 stub\n"
					      : "plinth: verdict: pass 0 stub\n";

		for (; *verdict; verdict++)
			out8(0xe9, (uint8_t)*verdict);
	}
	power_off();
}

/* The header of a multiboot2 image and the entry. */
__asm__(".section .text.multiboot, \"ax\"\n"
	".balign 8\n"
	".long 0xe85250d6, 0, 24, -(0xe85250d6 + 24), 0, 8\n"
	".globl _start\n"
	"_start: mov $stack_end, %esp\n"
	"push %ebx\n"
	"call start\n"
	".bss\n"
	".skip 8192\n"
	"stack_end:\n"
	".text\n");
