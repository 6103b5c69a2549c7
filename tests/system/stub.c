/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stand-in for Plinth, to test the run scripts: a multiboot2 kernel that repeats what GRUB gave
 * it, does what its command line asks for (echo, hang, quiet, crash), gives the verdict that it is
 * told to, and powers off.
 */
#include <stdint.h>

#define COM1             0x3f8
#define MULTIBOOT2_MAGIC 0x36d76289

/* The fields of Multiboot 1's information that are of interest here. */
struct multiboot1 {
	uint32_t flags;
	uint32_t memory_lower, memory_upper;
	uint32_t boot_device;
	uint32_t command_line;
	uint32_t module_count, modules;
};

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

static void put_number(uint32_t number)
{
	char text[11] = "";
	int i = 10;

	do
		text[--i] = (char)('0' + number % 10);
	while (number /= 10);
	put(text + i);
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

/* Prints the tags of multiboot2; returns the command line. */
static const char *show_multiboot2(const uint8_t *information)
{
	const struct tag *tag = (const void *)(information + 8);
	const char *command_line = "";

	for (; tag->type; tag = (const void *)((const char *)tag + ((tag->size + 7) & ~7u))) {
		if (tag->type != 1 && tag->type != 3)
			continue;
		if (tag->type == 1)
			command_line = tag->text;
		put(tag->type == 1 ? "stub: command line: " : "stub: module: ");
		put(tag->type == 1 ? tag->text : tag->text + 8);
		put("\n");
	}
	return command_line;
}

static const char *show_multiboot1(const struct multiboot1 *information)
{
	const char *command_line = (const char *)information->command_line;

	put("stub: guest with command line: ");
	put(command_line);
	put("\nstub: memory up to KiB ");
	put_number(information->memory_upper + 1024);
	put("\nstub: modules: ");
	put_number(information->module_count);
	put("\n");
	return command_line;
}

static void give_verdict(const char *command_line)
{
	const char *verdict = has(command_line, "error")  ? "plinth: verdict: error 3 stub\n"
			      : has(command_line, "fail") ? "plinth: verdict: fail 7 stub\n"
							  : "plinth: verdict: pass 0 stub\n";

	for (; *verdict; verdict++)
		out8(0xe9, (uint8_t)*verdict);
}

void start(uint32_t magic, const void *information);

void start(uint32_t magic, const void *information)
{
	const char *command_line;

	out8(COM1 + 3, 3);
	command_line = magic == MULTIBOOT2_MAGIC ? show_multiboot2(information)
						 : show_multiboot1(information);
	if (has(command_line, "echo"))
		echo();
	if (has(command_line, "hang"))
		for (;;)
			__asm__ volatile("hlt");
	if (has(command_line, "crash"))
		__asm__ volatile("lidt %0; int3" : : "m"(*(const uint64_t *)&(const uint64_t){0}));
	if (!has(command_line, "quiet"))
		give_verdict(command_line);
	if (magic != MULTIBOOT2_MAGIC)
		out8(0xf4, has(command_line, "fail") ? 7 : 0);
	power_off();
}

/* The headers of multiboot2 and Multiboot 1, and the entry. */
__asm__(".section .text.multiboot, \"ax\"\n"
	".balign 8\n"
	".long 0xe85250d6, 0, 24, -(0xe85250d6 + 24), 0, 8\n"
	".long 0x1badb002, 3, -(0x1badb002 + 3)\n"
	".globl _start\n"
	"_start: mov $stack_end, %esp\n"
	"push %ebx\n"
	"push %eax\n"
	"call start\n"
	".bss\n"
	".skip 8192\n"
	"stack_end:\n"
	".text\n");
