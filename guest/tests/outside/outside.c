/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest-physical addresses at which there is no memory: reads give ones, writes go nowhere, by each
 * way that an instruction can name them. A word of the command line asks for what only ends the VM:
 * "page-table", "fetch", "event", "push".
 */
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"

#define WINDOW  0xc0000000ull /* where far addresses are mapped */
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
	if (has_word(line, "fetch"))
		((void (*)(void))at)();
	if (has_word(line, "push"))
		asm volatile("mov %0, %%rsp; push $0" : : "r"(at + 64) : "memory");
	if (has_word(line, "event"))
		asm volatile("lidt %0; int3" : : "m"(idt));
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
	try_end(0x100000 + info->mem_upper * 1024ull);
	return checks_done();
}
