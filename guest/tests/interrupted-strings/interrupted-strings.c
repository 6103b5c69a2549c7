/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Long strings that Plinth carries out are interrupted in their middle, with registers from which
 * they go on: by the local APIC's timer on the processor, by an NMI of its own watchdog under
 * Plinth.
 */
#define PLINTH_GUEST
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"
#include "vcpu/hypercall.h"

#define VECTOR  0x50
#define NMI     2
#define COUNT   ((uint64_t)2000)
#define TICKS   1000
#define NOBODY  0xfeb00000ull
#define NO_PORT 0x2a0
#define BUFFER  0x40000ull

#define APIC(offset)  (*(volatile uint32_t *)(0xfee00000ull + (offset)))
#define APIC_EOI      0xb0
#define APIC_SPURIOUS 0xf0
#define APIC_TIMER    0x320
#define APIC_INITIAL  0x380
#define APIC_DIVIDE   0x3e0
#define APIC_ENABLE   0x1ff
#define DIVIDE_BY_1   0xb

static volatile unsigned times;
static volatile uint64_t left, at, to, from;

static void interrupted(struct trap_frame *frame)
{
	times++;
	left = frame->rcx;
	at = frame->rip;
	to = frame->rdi;
	from = frame->rsi;
	if (under_plinth())
		plinth_call(PLINTH_WATCHDOG, 0, 0, 0);
	else
		APIC(APIC_EOI) = 0;
}

static void timer_start(void)
{
	times = 0;
	if (under_plinth()) {
		trap_handlers[NMI] = interrupted;
		plinth_call(PLINTH_WATCHDOG, TICKS, 0, 0);
		return;
	}
	trap_handlers[VECTOR] = interrupted;
	APIC(APIC_SPURIOUS) = APIC_ENABLE;
	APIC(APIC_DIVIDE) = DIVIDE_BY_1;
	APIC(APIC_TIMER) = VECTOR;
	APIC(APIC_INITIAL) = TICKS;
}

/* The string's own address comes back in RDX where that is no operand. */
#define STRING(name, instruction, down)                                                            \
	extern const uint8_t name##_at[];                                                          \
	static void name(uint64_t *di, uint64_t *si, uint64_t *count)                              \
	{                                                                                          \
		asm volatile("sti\n" down "\n" #name "_at: " instruction "\n cld\n cli"            \
			     : "+D"(*di), "+S"(*si), "+c"(*count)                                  \
			     : "a"(0), "d"(NO_PORT)                                                \
			     : "memory", "cc");                                                    \
	}
STRING(outs_bytes, "rep outsb", "cld")
STRING(ins_bytes, "rep insb", "cld")
STRING(ins_down, "rep insb", "std")
STRING(stos, "rep stosl", "cld")
STRING(movs, "rep movsb", "cld")
STRING(movs_down, "rep movsw", "std")
STRING(scas, "repne scasb", "cld")
STRING(cmps, "repe cmpsb", "cld")

static void try(const char *name, void (*string)(uint64_t *, uint64_t *, uint64_t *),
		const uint8_t *address, uint64_t di, uint64_t si, uint64_t di_step,
		uint64_t si_step)
{
	uint64_t count = COUNT, di_now = di, si_now = si, done;

	timer_start();
	string(&di_now, &si_now, &count);
	done = COUNT - left;
	check(times == 1 && at == (uint64_t)address && done > 0 && left > 0 &&
		      to == di + done * di_step && from == si + done * si_step,
	      "%s: interrupted at itself, and its registers fit", name);
	check(count == 0 && di_now == di + COUNT * di_step && si_now == si + COUNT * si_step,
	      "%s: comes to its end", name);
}
#define TRY_STRING(name, di, si, di_step, si_step)                                                 \
	try(#name, name, name##_at, di, si, di_step, si_step)

/* From the device came ones, and not a byte further. */
static bool ones(uint64_t start, uint64_t size)
{
	bool all = *memory8(start - 1) == 0x5a && *memory8(start + size) == 0x5a;

	for (uint64_t i = 0; i < size; i++)
		all &= *memory8(start + i) == 0xff;
	return all;
}

static void fill(uint8_t with)
{
	for (uint64_t i = 0; i < 0x1400; i++)
		*memory8(BUFFER + i) = with;
}

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	const uint64_t first = BUFFER + 0x101, last = first + COUNT - 1;

	(void)boot_magic;
	(void)boot_info;
	fill(0x5a);
	TRY_STRING(outs_bytes, 0, first, 0, 1);
	TRY_STRING(ins_bytes, first, 0, 1, 0);
	check(ones(first, COUNT), "what came in");
	fill(0x5a);
	TRY_STRING(ins_down, last, 0, -1ull, 0);
	check(ones(first, COUNT), "what came in, downwards");
	fill(0x5a);
	TRY_STRING(stos, NOBODY, 0, 4, 0);
	TRY_STRING(movs, first, NOBODY, 1, 1);
	check(ones(first, COUNT), "what was moved");
	fill(0x5a);
	TRY_STRING(movs_down, first + 2 * COUNT - 2, NOBODY + 2 * COUNT, -2ull, -2ull);
	check(ones(first, 2 * COUNT), "what was moved, downwards");
	TRY_STRING(scas, NOBODY, 0, 1, 0);
	fill(0xff);
	TRY_STRING(cmps, NOBODY, first, 1, 1);
	return checks_done();
}
