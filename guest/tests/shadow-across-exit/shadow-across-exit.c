/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A page executed for the first time, or memory that is none, may cost an exit between MOV SS or
 * STI and the instruction behind: interrupts, single steps and breakpoints come as without.
 */
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"

#define TF     0x100
#define VECTOR 0x50
#define ARENA  0x10000 /* pages that nobody has executed, up to those of the firmware */
#define PAGE   0x1000
#define NOBODY 0xfeb00000
#define PORT   0x80

static unsigned next_page;

/* Code whose last instruction lies in a page of its own, after `split` bytes of it. */
static void across(enum place place, const char *code, unsigned size, unsigned split,
		   uint64_t rflags, bool interrupt, bool breakpoint, uint8_t vector,
		   uint64_t offset, const char *name)
{
	uint64_t boundary = ARENA + PAGE * (2 * next_page++ + 1), start = boundary - split, wanted;
	struct machine m;

	for (unsigned i = 0; i < size; i++)
		*memory8(start + i) = (uint8_t)code[i];
	*memory16(start + size) = 0x0b0f;
	machine_init(&m, place);
	if (place == REAL) {
		m.cs = (start & ~0xffffull) >> 4;
		m.rip = start & 0xffff;
	} else {
		m.rip = start;
	}
	m.rflags |= rflags;
	m.rax = m.ss;
	m.rdi = m.rsi = TEST_DATA;
	m.rbx = NOBODY;
	m.rdx = PORT;
	m.rcx = 3;
	*memory16(TEST_DATA) = (uint16_t)m.ss;
	if (breakpoint) {
		asm volatile("mov %0, %%dr0" : : "r"((uint64_t)TEST_DATA));
		asm volatile("mov %0, %%dr7" : : "r"(0x30402ull));
	}
	if (interrupt)
		interrupt_pend(VECTOR);
	machine_run(&m);
	asm volatile("mov %0, %%dr7" : : "r"(0x400ull));
	if (interrupt)
		interrupt_end(VECTOR);
	wanted = offset;
	offset += place == REAL ? start & 0xffff : start;
	check(m.vector == vector && m.rip == offset, "%s: %s: vector %lx, %lx bytes on, DR6 %lx",
	      place_name(place), name, m.vector, m.rip - offset + wanted, m.dr6 & 0xf00f);
}
#define ACROSS(place, code, split, flags, interrupt, breakpoint, vector, offset, name)             \
	across(place, code, sizeof(code) - 1, split, flags, interrupt, breakpoint, vector, offset, \
	       name)

#define ALONE(...)                                                                                 \
	do {                                                                                       \
		next_page = page;                                                                  \
		ACROSS(__VA_ARGS__);                                                               \
	} while (0)

static void in_place(enum place place)
{
	/* 8E D0: MOV SS, AX. 8E 17: MOV SS, [EDI] or [BX]; 8E 14: [SI] in 16-bit code. */
	ACROSS(place, "\xfb\x90\x90", 1, 0, true, false, VECTOR, 2, "STI, then a new page");
	ACROSS(place, "\xfb\x0f\xa2\x90", 1, 0, true, false, VECTOR, 3,
	       "STI, then CPUID in a new page");
	ACROSS(place, "\xfb\x0f\xa2\x90", 2, 0, true, false, VECTOR, 3,
	       "STI, then CPUID across pages");
	ACROSS(place, "\x8e\xd0\x90\x90", 2, TF, false, false, 1, 3,
	       "MOV SS with TF, then a new page");
	ACROSS(place, "\x8e\xd0\x0f\xa2\x90", 2, TF, false, false, 1, 4,
	       "MOV SS with TF, then CPUID in a new page");
	ACROSS(place, "\x8e\xd0\x0f\xa2\x90", 3, TF, false, false, 1, 4,
	       "MOV SS with TF, then CPUID across pages");
	ACROSS(place, "\x8e\xd0\xe6\x80\x90", 2, TF, false, false, 1, 4,
	       "MOV SS with TF, then OUT in a new page");
	ACROSS(place, "\xfb\x8e\xd0\x90\x90", 3, 0, true, false, VECTOR, 4,
	       "STI, MOV SS, then a new page");
	if (place == REAL)
		return;
	ACROSS(place, "\x8e\x17\x90\x90", 2, 0, false, true, 1, 3,
	       "MOV SS with a breakpoint, then a new page");
	ACROSS(place, "\x8e\x17\x0f\xa2\x90", 2, 0, false, true, 1, 4,
	       "MOV SS with a breakpoint, then CPUID in a new page");
	ACROSS(place, "\x8e\x17\x0f\xa2\x90", 2, TF, false, true, 1, 4,
	       "MOV SS with a breakpoint and TF, then CPUID in a new page");
	ACROSS(place, "\x8e\x17\x0f\x0b\x90", 2, 0, false, true, 6, 2,
	       "MOV SS with a breakpoint, then UD2 in a new page");
	ACROSS(place, "\x8a\x07\x90\x90", 2, 0, false, true, 1, 2, "a breakpoint, then a new page");
}

/* What exits by itself needs no new pages: all of it is tried in the same ones. */
static void one_page(enum place place)
{
	unsigned page = next_page;

	/* 8B 03: MOV EAX, [EBX], where there is no memory; 87 03: XCHG. 6E: OUTS. 87 F3: XCHG ESI,
	 * EBX. */
	ALONE(place, "\xfb\x8b\x03\x90", 1, 0, true, false, VECTOR, 3, "STI, then no memory");
	ALONE(place, "\xfb\x87\x03\x90", 1, 0, true, false, VECTOR, 3, "STI, then XCHG of none");
	ALONE(place, "\xfb\x6e\x90", 1, 0, true, false, VECTOR, 2, "STI, then OUTS");
	ALONE(place, "\x8e\xd0\x8b\x03\x90", 2, TF, false, false, 1, 4,
	      "MOV SS with TF, then no memory");
	ALONE(place, "\x8e\xd0\x87\x03\x90", 2, TF, false, false, 1, 4,
	      "MOV SS with TF, then XCHG of none");
	ALONE(place, "\x8e\xd0\x6e\x90", 2, TF, false, false, 1, 3, "MOV SS with TF, then OUTS");
	ALONE(place, "\x87\xf3\x8e\xd0\xf3\xac\x90", 4, TF, false, false, 1, 2,
	      "TF, then MOV SS and strings of none");
	ALONE(place, "\x8e\xd0\xf3\x6e\x90", 2, TF, false, false, 1, 2,
	      "MOV SS with TF, then REP OUTS");
	ALONE(place, "\x8e\x17\x8b\x03\x90", 2, 0, false, true, 1, 4,
	      "MOV SS with a breakpoint, then no memory");
	ALONE(place, "\x8e\x17\x87\x03\x90", 2, TF, false, true, 1, 4,
	      "MOV SS with a breakpoint and TF, then XCHG of none");
	ALONE(place, "\x8e\x17\x6e\x90", 2, 0, false, true, 1, 3,
	      "MOV SS with a breakpoint, then OUTS of the same");
}

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	(void)boot_magic;
	(void)boot_info;
	in_place(LONG64);
	one_page(LONG64);
	in_place(PROTECTED32);
	one_page(PROTECTED32);
	in_place(PAE32);
	one_page(PAE32);
	in_place(COMPAT32);
	one_page(COMPAT32);
	in_place(REAL);
	return checks_done();
}
