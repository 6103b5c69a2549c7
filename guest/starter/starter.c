/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starts tiny guests one after another on the bare machine, each after a reset of it: one boot of
 * firmware and GRUB serves them all. GRUB starts this with the guests as modules; a guest that
 * ends, or dies, resets the machine, and its firmware jumps back here. A module's command line is
 * the name of the guest, and what the guest gets as its own.
 */
#include <stdbool.h>
#include <stdint.h>

#define GUESTS_MAX   80
#define STORE_SIZE   (8u << 20)
#define GUEST_MEMORY 0x100000u
#define GUEST_END    0x1000000u /* more than any guest has */

#define COM1       0x3f8
#define LSR_THRE   0x20
#define LSR_TEMT   0x40
#define BOCHS_EXIT 0x8900

/* The firmware jumps to the address at 40:67 when this code is in the CMOS at a reset. */
#define CMOS_INDEX      0x70
#define CMOS_DATA       0x71
#define CMOS_SHUTDOWN   0x0f
#define SHUTDOWN_VECTOR 0x0a
#define VECTOR          0x467u
#define LOW_CODE        0x9f000u /* below the firmware's data */

#define MSR_FEATURE_CONTROL 0x3a
#define MSR_MTRR_CAP        0xfe
#define MSR_MTRR_VARIABLE   0x200
#define MSR_MTRR_DEFAULT    0x2ff
#define MSRS_MAX            48

struct multiboot {
	uint32_t flags, mem_lower, mem_upper, boot_device, command_line, module_count, modules;
};

struct module {
	uint32_t start, end, name, reserved;
};

struct elf_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version, entry, program_headers, section_headers, flags;
	uint16_t size, program_header_size, program_header_count;
};

struct program_header {
	uint32_t type, offset, virtual, physical, file_size, memory_size, flags, align;
};

/* In starter.S. */
extern const uint8_t starter_low[], starter_low_end[];
__attribute__((noreturn)) void starter_enter(uint32_t entry, const struct multiboot *multiboot);

void starter_first(const struct multiboot *multiboot);
__attribute__((noreturn)) void starter_next(void);

static struct {
	char name[32], arguments[96];
	uint32_t at;
} guests[GUESTS_MAX];
static uint32_t guest_count, next_guest;

/* Where GRUB cannot have put anything. */
static uint8_t store[STORE_SIZE];

/* What the firmware set up, and a reset takes away. */
static struct msr {
	uint32_t number, low, high;
} msrs[MSRS_MAX];
static uint32_t msr_count;

static void out(uint16_t port, uint8_t value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t in(uint16_t port)
{
	uint8_t value;

	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static void copy(void *to, const void *from, uint32_t count)
{
	asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}

static void clear(uint32_t from, uint32_t to)
{
	uint32_t count = (to - from) / 4;

	asm volatile("rep stosl" : "+D"(from), "+c"(count) : "a"(0) : "memory");
}

static void say(const char *text)
{
	for (; *text; text++) {
		while (!(in(COM1 + 5) & LSR_THRE))
			;
		out(COM1, (uint8_t)*text);
	}
	while (!(in(COM1 + 5) & LSR_TEMT))
		;
}

static void read_msr(struct msr *msr)
{
	asm volatile("rdmsr" : "=a"(msr->low), "=d"(msr->high) : "c"(msr->number));
}

static void keep_msr(uint32_t number)
{
	msrs[msr_count].number = number;
	read_msr(&msrs[msr_count++]);
}

/* Not what is as it was: some are locked. */
static void restore_msrs(void)
{
	for (uint32_t i = 0; i < msr_count; i++) {
		struct msr now = {.number = msrs[i].number};

		read_msr(&now);
		if (now.low != msrs[i].low || now.high != msrs[i].high)
			asm volatile("wrmsr"
				     :
				     : "a"(msrs[i].low), "d"(msrs[i].high), "c"(now.number));
	}
}

static void keep_msrs(void)
{
	static const uint32_t fixed[] = {0x250, 0x258, 0x259, 0x268, 0x269, 0x26a,
					 0x26b, 0x26c, 0x26d, 0x26e, 0x26f};
	struct msr capability = {.number = MSR_MTRR_CAP};

	read_msr(&capability);
	for (uint32_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		keep_msr(fixed[i]);
	for (uint32_t i = 0; i < 2 * (capability.low & 0xff) && msr_count < MSRS_MAX - 2; i++)
		keep_msr(MSR_MTRR_VARIABLE + i);
	keep_msr(MSR_MTRR_DEFAULT);
	keep_msr(MSR_FEATURE_CONTROL);
}

/* Copies a word, or all, and returns what is behind it. */
static const char *take(char *to, uint32_t size, const char *from, bool word)
{
	while (*from && !(word && *from == ' '))
		if (size-- > 1)
			*to++ = *from++;
		else
			from++;
	*to = 0;
	return *from ? from + 1 : from;
}

void starter_first(const struct multiboot *multiboot)
{
	const struct module *module = (const struct module *)multiboot->modules;
	uint32_t at = 0;

	for (uint32_t i = 0; i < multiboot->module_count && i < GUESTS_MAX; i++, module++) {
		uint32_t size = module->end - module->start;

		if (size > STORE_SIZE - at)
			break;
		copy(&store[at], (const void *)module->start, size);
		take(guests[i].arguments, sizeof(guests[i].arguments),
		     take(guests[i].name, sizeof(guests[i].name), (const char *)module->name, true),
		     false);
		guests[i].at = (uint32_t)&store[at];
		at += (size + 15) & ~15u;
		guest_count++;
	}
	keep_msrs();
}

/* The segments of an ELF image. Returns its entry. */
static uint32_t load(uint32_t image)
{
	const struct elf_header *header = (const struct elf_header *)image;
	const struct program_header *segment =
		(const struct program_header *)(image + header->program_headers);

	for (uint32_t i = 0; i < header->program_header_count; i++)
		if (segment[i].type == 1)
			copy((void *)segment[i].physical, (const void *)(image + segment[i].offset),
			     segment[i].file_size);
	return header->entry;
}

/* How the machine gets back here, whatever happens to the guest. */
static void prepare_return(void)
{
	/* No object of C has an address as low. */
	uint32_t vector = VECTOR, low = LOW_CODE;

	asm("" : "+r"(vector), "+r"(low));
	*(volatile uint32_t *)vector = low << 12; /* a segment */
	copy((void *)low, starter_low, (uint32_t)(starter_low_end - starter_low));
	out(CMOS_INDEX, CMOS_SHUTDOWN);
	out(CMOS_DATA, SHUTDOWN_VECTOR);
}

void starter_next(void)
{
	static struct multiboot multiboot = {
		.flags = 5,
		.mem_lower = 639,
		.mem_upper = (GUEST_END - GUEST_MEMORY) / 1024,
	};
	uint32_t entry;

	/* 115200 baud, 8 bits, no parity. */
	out(COM1 + 3, 0x83);
	out(COM1, 1);
	out(COM1 + 1, 0);
	out(COM1 + 3, 0x03);
	if (next_guest == guest_count) {
		for (const char *text = "Shutdown"; *text; text++)
			out(BOCHS_EXIT, (uint8_t)*text);
		for (;;)
			asm volatile("cli; hlt");
	}
	say("\r\nstarter: ");
	say(guests[next_guest].name);
	say("\r\n");
	restore_msrs();
	clear(0, 0x9fc00);
	clear(GUEST_MEMORY, GUEST_END);
	entry = load(guests[next_guest].at);
	multiboot.command_line = (uint32_t)guests[next_guest].arguments;
	next_guest++;
	prepare_return();
	starter_enter(entry, &multiboot);
}
