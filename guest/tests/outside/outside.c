/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest-physical addresses at which there is no memory: reads give ones, writes go nowhere, by each
 * way that an instruction can name them, and by the processor's own accesses. A word of the command
 * line asks for what ends a VM: "page-table" puts all page tables there, "idt" the IDT, "push" the
 * stack, "frame" the stack that an exception finds.
 */
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"

#define WINDOW  0xc0000000ull /* where far addresses are mapped */
#define TABLES  0xc0200000ull /* and what far tables map */
#define PAGE_2M 0x200000ull
#define NOBODY  0x2e8 /* a port that nobody claims */
#define COUNT   8u

#define INVLPG(address) asm volatile("invlpg (%0)" : : "r"(address) : "memory")

struct multiboot_info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline;
};

static uint64_t buffer[COUNT];

/* Maps 2 MiB from there on at WINDOW, and returns where the address itself is then. */
static uint64_t map(uint64_t address)
{
	directories[WINDOW / PAGE_2M] = (address & ~(PAGE_2M - 1)) | 0x83;
	INVLPG(WINDOW);
	return WINDOW + address % PAGE_2M;
}

static void fill(uint64_t value)
{
	for (unsigned i = 0; i < COUNT; i++)
		buffer[i] = value;
}

static bool filled(uint64_t value)
{
	bool all = true;

	for (unsigned i = 0; i < COUNT; i++)
		all &= ((volatile uint64_t *)buffer)[i] == value;
	return all;
}

/* REP MOVSQ, by address, as one of both is no object of C. */
static void copy(uint64_t to, uint64_t from)
{
	uint64_t count = COUNT;

	asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}

static bool reads_are_ones(uint64_t at)
{
	return *memory8(at + 1) == 0xff && *memory16(at + 3) == 0xffff &&
	       *memory32(at + 5) == 0xffffffff && *memory64(at + 9) == ~0ull;
}

static bool writes_vanish(uint64_t at)
{
	*memory8(at) = 0;
	*memory16(at) = 0;
	*memory32(at) = 0;
	*memory64(at) = 0;
	return reads_are_ones(at);
}

static bool operands_are_ones(uint64_t at)
{
	uint64_t sum = 0, swapped = 5, found = ~0ull;
	uint8_t equal;

	asm volatile("addq %2, %0" : "+r"(sum) : "m"(sum), "m"(*memory64(at)));
	asm volatile("xchgq %0, %1" : "+r"(swapped), "+m"(*memory64(at)));
	asm volatile("lock cmpxchgq %3, %1; sete %2"
		     : "+a"(found), "+m"(*memory64(at)), "=q"(equal)
		     : "r"(7ull));
	asm volatile("lock decq %0" : "+m"(*memory64(at)));
	return sum == ~0ull && swapped == ~0ull && equal && reads_are_ones(at);
}

static bool strings_are_ones(uint64_t at)
{
	uint64_t to = at, count = COUNT;
	uint64_t other = (uint64_t)buffer;

	fill(0);
	copy(other, at);
	if (!filled(~0ull))
		return false;
	fill(0);
	copy(at, other);
	copy(at + 0x1000, at);
	asm volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(0) : "memory");
	to = at;
	count = COUNT;
	asm volatile("repe scasq" : "+D"(to), "+c"(count) : "a"(~0ull) : "memory", "cc");
	return count == 0 && reads_are_ones(at) && filled(0);
}

/* INS and OUTS: what comes from a port goes nowhere, and what goes to one is no memory's. */
static bool ports_are_ones(uint64_t at)
{
	uint64_t to = at, from = at, in = COUNT, out = COUNT;

	asm volatile("rep insl" : "+D"(to), "+c"(in) : "d"((uint16_t)NOBODY) : "memory");
	asm volatile("rep outsl" : "+S"(from), "+c"(out) : "d"((uint16_t)NOBODY) : "memory");
	return in == 0 && out == 0 && to == at + 4 * COUNT && from == to && reads_are_ones(at);
}

static void try_address(uint64_t address)
{
	uint64_t at = map(address);

	check(reads_are_ones(at), "%lx: reads", address);
	check(writes_vanish(at), "%lx: writes", address);
	check(operands_are_ones(at), "%lx: operands of ADD, XCHG, CMPXCHG, DEC", address);
	check(strings_are_ones(at), "%lx: MOVS, STOS, SCAS", address);
	check(ports_are_ones(at), "%lx: INS, OUTS", address);
}

/* --- What Plinth leaves to the processor --- */

/* Instructions that Plinth does not carry out itself, each with what it makes of ones. */
static bool others_are_ones(uint64_t at)
{
	uint64_t low = 2, high = 0, three = 3, from_stack = 0, popped = 0;

	asm volatile("mulq %2" : "+a"(low), "+d"(high) : "m"(*memory64(at)) : "cc");
	asm volatile("imulq %1, %0" : "+r"(three) : "m"(*memory64(at)) : "cc");
	asm volatile("pushq %1; popq %0" : "=r"(from_stack) : "m"(*memory64(at + 64)));
	asm volatile("mov %%rsp, %%rbx; mov %1, %%rsp; pop %0; mov %%rbx, %%rsp"
		     : "=&r"(popped)
		     : "r"(at + 64)
		     : "rbx", "memory");
	asm volatile("fninit; fildll %1; fistpll %0" : "=m"(high) : "m"(*memory64(at)));
	return low == ~1ull && high == ~0ull && three == -3ull && from_stack == ~0ull &&
	       popped == ~0ull && reads_are_ones(at) && writes_vanish(at + 64);
}

/* What the GDT says there: a descriptor of ones is a conforming code segment. */
static bool descriptors_are_ones(uint64_t at)
{
	struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} here, there = {0xffff, at};
	uint32_t rights, limit;

	asm volatile("sgdt %0" : "=m"(here));
	asm volatile("lgdt %2; lar %3, %0; lsl %3, %1; lgdt %4"
		     : "=&r"(rights), "=&r"(limit)
		     : "m"(there), "r"(8), "m"(here)
		     : "cc");
	return (rights & 0xf0ff00) == 0xf0ff00 && limit == ~0u;
}

/* Entries of ones have reserved bits set: read by the processor, by Plinth for INS. */
static bool tables_are_ones(uint64_t address)
{
	const uint64_t at = TABLES;
	uint64_t to = at;
	bool read, write, in;

	directories[TABLES / PAGE_2M] = address | 7;
	INVLPG(at);
	TRY("movb (%0), %%al", : : "r"(at) : "rax");
	read = last_fault.happened && last_fault.vector == 14 && last_fault.error == 9;
	TRY("movb %%al, (%0)", : : "r"(at));
	write = last_fault.happened && last_fault.vector == 14 && last_fault.error == 11;
	TRY("insb", : "+D"(to) : "d"((uint16_t)NOBODY) : "memory");
	in = last_fault.happened && last_fault.vector == 14 && last_fault.error == 11;
	directories[TABLES / PAGE_2M] = 0;
	INVLPG(at);
	return read && write && in && to == at;
}

static unsigned steps;

static void count_step(struct trap_frame *frame)
{
	(void)frame;
	steps++;
}

/* MUL, NOP, PUSHF, AND, POPF: a trap behind each. */
static bool steps_are_counted(uint64_t at)
{
	uint64_t low = 2;

	steps = 0;
	trap_handlers[1] = count_step;
	asm volatile("pushfq; orl $0x100, (%%rsp); popfq; mulq %1; nop; pushfq; andl $~0x100, "
		     "(%%rsp); popfq"
		     : "+a"(low)
		     : "m"(*memory64(at))
		     : "rdx", "cc", "memory");
	trap_handlers[1] = 0;
	return steps == 5 && low == ~1ull;
}

/* Ones are no instruction. */
static bool code_is_undefined(uint64_t at)
{
	TRY("jmp *%0", : : "r"(at));
	return last_fault.happened && last_fault.vector == 6;
}

static void try_processor(uint64_t address)
{
	uint64_t at = map(address);

	check(others_are_ones(at), "%lx: MUL, IMUL, PUSH, POP, FILD", address);
	check(descriptors_are_ones(at), "%lx: a GDT", address);
	check(tables_are_ones(address), "%lx: a page table", address);
	check(steps_are_counted(at + 0x4000), "%lx: single steps", address);
	check_virtual(!under_plinth() || code_is_undefined(at), "Bochs stops at such code",
		      "%lx: code", address);
}

/* The last bytes of memory and what is behind them, in one access. */
static void try_end(uint64_t end)
{
	uint64_t read;
	bool passed;

	*memory32(end - 4) = 0x01020304;
	read = *memory64(end - 4);
	passed = read == 0xffffffff01020304;
	*memory64(end - 4) = 0x1122334455667788;
	passed &= *memory32(end - 4) == 0x55667788 && *memory32(end) == 0xffffffff;
	fill(0);
	copy((uint64_t)buffer, end - 8);
	passed &= buffer[0] >> 32 == 0x55667788 && buffer[1] == ~0ull;
	check_virtual(passed || !under_plinth(), "the memory of a machine ends in its firmware's",
		      "accesses across the end of memory");
}

static bool has_word(const char *line, const char *word)
{
	for (; *line; line++) {
		unsigned i = 0;

		while (word[i] && line[i] == word[i])
			i++;
		if (!word[i])
			return true;
	}
	return false;
}

static void end_the_vm(const char *line, uint64_t at)
{
	const struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} idt = {0xfff, at};

	if (has_word(line, "page-table"))
		write_cr3(at);
	if (has_word(line, "idt"))
		asm volatile("lidt %0; int3" : : "m"(idt));
	if (has_word(line, "push"))
		asm volatile("mov %0, %%rsp; push $0" : : "r"(at + 64) : "memory");
	if (has_word(line, "frame"))
		asm volatile("mov %0, %%rsp; int3" : : "r"(at + 64) : "memory");
}

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	const struct multiboot_info *info = (const struct multiboot_info *)(uint64_t)boot_info;
	static const uint64_t addresses[] = {
		0x08000000, /* behind the memory */
		0xfeb00000, /* among devices */
		0x100000000,
		0x800000000,
	};

	(void)boot_magic;
	end_the_vm((const char *)(uint64_t)info->cmdline, addresses[0]);
	for (unsigned i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		try_address(addresses[i]);
	for (unsigned i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		if (addresses[i] != 0xfeb00000)
			try_processor(addresses[i]);
	try_end(0x100000 + info->mem_upper * 1024ull);
	return checks_done();
}
