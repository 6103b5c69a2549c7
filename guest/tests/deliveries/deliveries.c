/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events of every kind through gates of every kind: what the handler finds on its stack and in its
 * flags, and what comes instead when the delivery meets a fault of its own, up to #DF.
 */
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"

/* 1: a line for each event, to find the one that differs. */
#define TELL_ALL 0

#define PAGE          0x1000
#define ABSENT_PAGE   0x32000
#define HANDLER       0x2800 /* in the page of the code under test: PUSHF, POP, INT 60h */
#define STACK_0       0x6000 /* for changes to CPL 0, in TEST_DATA */
#define STACK_2       0x5c00
#define STACK_SHOWN   0x60
#define VECTOR        0x50
#define OWN_DONE      0x60
#define SEL_ABSENT    (SEL_TEST + 0)
#define SEL_CONFORM   (SEL_TEST + 8)
#define IF            0x200
#define TF            0x100
#define OF            0x800
#define AC            0x40000
#define IOPL_3        0x3000
#define CR0_AM        0x40000
#define TSS64_RSP0    4
#define TSS64_IST2    44
#define NOT_CANONICAL 0x8000000000000000

struct __attribute__((packed)) table_pointer {
	uint16_t limit;
	uint64_t base;
};
extern struct table_pointer machine_idt32_pointer, machine_idt64_pointer;

static uint32_t table32[1024] __attribute__((aligned(PAGE)));
static uint64_t table64[512] __attribute__((aligned(PAGE)));
static uint64_t idt32[256], idt64[512];

enum special { PLAIN, USER_ONLY, EXTERNAL, ABSENT_DATA, NEAR_DATA };

static const struct event {
	const char *name, *bytes;
	uint8_t size, vector;
	enum special special;
	bool not_long;
	uint64_t rflags;
} events[] = {
#define BYTES(text) text, sizeof(text) - 1
	{"DIV",        BYTES("\xf7\xf1"),     0,      PLAIN,       false, 0 },
	{"step",       BYTES("\x90"),         1,      PLAIN,       false, TF},
	{"step CPUID", BYTES("\x0f\xa2"),     1,      PLAIN,       false, TF},
	{"INT1",       BYTES("\xf1"),         1,      PLAIN,       false, 0 },
	{"INT3",       BYTES("\xcc"),         3,      PLAIN,       false, 0 },
	{"INTO",       BYTES("\xce"),         4,      PLAIN,       true,  OF},
	{"UD2",        BYTES("\x0f\x0b"),     6,      PLAIN,       false, 0 },
	{"VMXOFF",     BYTES("\x0f\x01\xc4"), 6,      PLAIN,       false, 0 },
	{"MOV DS",     BYTES("\x8e\xd8"),     11,     PLAIN,       false, 0 },
	{"RDMSR",      BYTES("\x0f\x32"),     13,     PLAIN,       false, 0 },
	{"MOV",        BYTES("\x8a\x04\x26"), 14,     ABSENT_DATA, false, 0 },
	{"OUTS",       BYTES("\x6e"),         14,     ABSENT_DATA, false, 0 },
	{"odd MOV",    BYTES("\x8b\x04\x26"), 17,     USER_ONLY,   false, AC},
	{"odd OUTS",   BYTES("\x6f"),         17,     USER_ONLY,   false, AC},
	{"INT 40h",    BYTES("\xcd\x40"),     0x40,   PLAIN,       false, 0 },
	{"interrupt",  BYTES("\x90"),         VECTOR, EXTERNAL,    false, IF},
};

enum gate {
	INTERRUPT,
	TRAP,
	INTERRUPT_16,
	CPL0,
	ABSENT,
	NULL_SELECTOR,
	DATA_SELECTOR,
	NO_GATE,
	BEYOND,
	USER_SELECTOR,
	CONFORMING,
	ABSENT_IDT, /* its page */
	SHORT_IDT,
	TRAP_16,
	TASK,
	IST,
	ABSENT_IST,
	WRONG_IST,
	GATES,
};

static const struct {
	const char *name;
	uint16_t selector; /* 0: the handler's */
	uint8_t type, ist;
} gates[GATES] = {
	[INTERRUPT] = {"interrupt gate",            0,           0xee, 0},
	[TRAP] = {"trap gate",                 0,           0xef, 0},
	[INTERRUPT_16] = {"16-bit gate",               0,           0xe6, 0},
	[CPL0] = {"gate for CPL 0",            0,           0x8e, 0},
	[ABSENT] = {"absent gate",               0,           0x6e, 0},
	[NULL_SELECTOR] = {"null selector",             0,           0xee, 0},
	[DATA_SELECTOR] = {"selector of data",          SEL_DATA,    0xee, 0},
	[NO_GATE] = {"descriptor of a segment",   0,           0xf2, 0},
	[BEYOND] = {"selector beyond the GDT",   0xff8,       0xee, 0},
	[USER_SELECTOR] = {"selector of CPL 3",         1,           0xee, 0},
	[CONFORMING] = {"conforming code",           SEL_CONFORM, 0xee, 0},
	[ABSENT_IDT] = {"IDT in an absent page",     0,           0xee, 0},
	[SHORT_IDT] = {"gate across the limit",     0,           0xee, 0},
	[TRAP_16] = {"16-bit trap gate",          0,           0xe7, 0},
	[TASK] = {"task gate",                 0,           0xe5, 0},
	[IST] = {"stack 2",                   0,           0xee, 2},
	[ABSENT_IST] = {"stack 2 in an absent page", 0,           0xee, 2},
	[WRONG_IST] = {"stack 2 not canonical",     0,           0xee, 2},
};

static void map_pages(void)
{
	for (uint32_t i = 0; i < 1024; i++) {
		uint32_t entry = i * PAGE | (i == ABSENT_PAGE / PAGE ? 0 : 7);

		table32[i] = entry;
		if (i < 512)
			table64[i] = entry;
	}
	machine_directory32[0] = (uint32_t)(uint64_t)table32 | 7;
	directories[0] = (uint64_t)table64 | 7;
	write_cr3(read_cr3());
}

static uint8_t *tss64(void)
{
	uint64_t low = guest_gdt[SEL_TSS64 / 8];

	return (uint8_t *)((low >> 16 & 0xffffff) | (low >> 56) << 24);
}

static void set_tss64(unsigned offset, uint64_t value)
{
	for (unsigned i = 0; i < 8; i++)
		tss64()[offset + i] = (uint8_t)(value >> (8 * i));
}

static bool gate_fits(enum gate gate, enum place place, const struct event *event)
{
	if ((gate >= IST || gate == TASK) && !place_is_long(place))
		return false;
	if (gate == SHORT_IDT)
		return event->vector >= 32;
	return gate != ABSENT_IDT || event->vector < 8;
}

static uint16_t gate_selector(enum gate gate, bool is_long)
{
	if (gate == NULL_SELECTOR)
		return 0;
	if (gate == USER_SELECTOR)
		return is_long ? SEL_USER_CODE64 : SEL_USER_CODE32;
	if (gates[gate].selector)
		return gates[gate].selector;
	return is_long ? SEL_CODE64 : SEL_CODE32;
}

/* The library's IDT, but for one gate. With ABSENT_IDT vectors 0 to 7 lie in the absent page. */
static void set_gate(enum gate gate, enum place place, uint8_t vector)
{
	bool is_long = place_is_long(place);
	struct table_pointer *pointer = is_long ? &machine_idt64_pointer : &machine_idt32_pointer;
	unsigned words = is_long ? 2 : 1;
	const uint64_t *from = (const uint64_t *)pointer->base;
	uint64_t *to = is_long ? idt64 : idt32;
	unsigned first = 0;

	if (gate == ABSENT_IDT) {
		to = (uint64_t *)(ABSENT_PAGE + PAGE - 8 * words * sizeof(*to));
		first = 8 * words;
	}
	for (unsigned i = first; i < 256 * words; i++)
		to[i] = from[i];
	if (gate != ABSENT_IDT)
		to[vector * words] = HANDLER | (uint64_t)gate_selector(gate, is_long) << 16 |
				     (uint64_t)gates[gate].ist << 32 |
				     (uint64_t)gates[gate].type << 40;
	pointer->base = (uint64_t)to;
	if (gate == SHORT_IDT)
		pointer->limit = (uint16_t)(8 * words * (vector + 1u) - 2);
}

static void load_handler(void)
{
	static const uint8_t code[] = {0x9c, 0x58, 0xcd, OWN_DONE};

	for (unsigned i = 0; i < sizeof(code); i++)
		*memory8(HANDLER + i) = code[i];
	for (unsigned i = 0; i < STACK_SHOWN; i++)
		*memory8(TEST_STACK - 1 - i) = *memory8(STACK_0 - 1 - i) =
			*memory8(STACK_2 - 1 - i) = 0xa5;
}

static uint32_t hash(uint32_t so_far, uint64_t value)
{
	return (((so_far ^ (uint32_t)value) * 16777619) ^ (uint32_t)(value >> 32)) * 16777619;
}

/* The frame that the handler found, with the flags that it had. */
static uint32_t frame_hash(const struct machine *m)
{
	uint64_t top = (m->rsp + STACK_SHOWN) & ~(uint64_t)(STACK_SHOWN - 1);
	uint32_t value = hash(hash(0, m->rax), m->rsp);

	for (uint64_t at = m->rsp; at < m->rsp + 0x40 && at < top; at++)
		value = hash(value, *memory8(at));
	return value;
}

static void prepare(struct machine *m, enum place place, const struct event *event)
{
	machine_init(m, place);
	m->rflags |= event->rflags | IOPL_3;
	m->rax = SEL_ABSENT;
	m->rcx = event->vector == 13 ? 0x12345 : 0;
	m->rdx = event->vector == 13 ? 0 : 0x80;
	m->rsi = TEST_DATA + 1;
	m->cr2 = 0;
	if (event->special == ABSENT_DATA) {
		m->rsi = place == V86 ? 0 : ABSENT_PAGE;
		m->ds = place == V86 ? ABSENT_PAGE / 16 : m->ds;
	}
	if (event->special == USER_ONLY)
		m->cr0 |= CR0_AM;
	if (event->special == EXTERNAL)
		interrupt_pend(VECTOR);
}

/* V86 loads any DS. */
static bool event_fits(enum place place, const struct event *event)
{
	return !(event->not_long && place_bits(place) == 64) &&
	       !(event->special == USER_ONLY && place_cpl(place) != 3) &&
	       !(place == V86 && event->vector == 11);
}

/* What came of it: all that is found into one number. */
static uint32_t note(uint32_t all, enum place place, enum gate gate, const struct event *event,
		     const struct machine *m, bool again)
{
	bool own = m->vector == OWN_DONE;
	uint64_t cr2 = m->vector == 14 ? m->cr2 : 0;

	if (TELL_ALL && own)
		check(true, "%s, %s, %s: own handler, flags %lx, frame %x%s", place_name(place),
		      gates[gate].name, event->name, m->rax, frame_hash(m), again ? ", again" : "");
	else if (TELL_ALL)
		check(true, "%s, %s, %s: %s, cr2 %lx%s", place_name(place), gates[gate].name,
		      event->name, machine_outcome(m), cr2, again ? ", again" : "");
	all = hash(all, own ? frame_hash(m) : hash((uint32_t)cr2, m->error));
	return hash(hash(all, m->vector | (uint64_t)again << 8), m->rip);
}

static void deliver(enum place place, enum gate gate)
{
	struct table_pointer kept32 = machine_idt32_pointer, kept64 = machine_idt64_pointer;
	uint32_t all = 0, count = 0;

	set_tss64(TSS64_IST2, gate == ABSENT_IST  ? ABSENT_PAGE + 0x800
			      : gate == WRONG_IST ? NOT_CANONICAL
						  : STACK_2);

	for (unsigned i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		const struct event *event = &events[i];
		struct machine m;
		bool again = false;

		if (!gate_fits(gate, place, event) || !event_fits(place, event))
			continue;
		set_gate(gate, place, event->vector);
		prepare(&m, place, event);
		load_handler();
		machine_load(event->bytes, event->bytes + event->size);
		machine_run(&m);
		machine_idt32_pointer = kept32;
		machine_idt64_pointer = kept64;
		if (event->special == EXTERNAL)
			again = interrupt_end(VECTOR);
		count++;
		all = note(all, place, gate, event, &m, again);
	}
	if (count)
		check(true, "%s, %s: %u events, and what they left is %x", place_name(place),
		      gates[gate].name, count, all);
}

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	static const enum place places[] = {PAGED32,       USER32, V86,        COMPAT32,
					    COMPAT_USER32, LONG64, LONG_USER64};
	struct machine m;

	(void)boot_magic;
	(void)boot_info;
	machine_init(&m, REAL);
	map_pages();
	descriptor_set(0, 0, 0xfffff, 0x73 | ACCESS_BIG | ACCESS_4K);
	for (unsigned i = 0; i < sizeof(machine_tss32.io); i++)
		machine_tss32.io[i] = 0;
	machine_tss32.esp0 = STACK_0;
	set_tss64(TSS64_RSP0, STACK_0);
	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		descriptor_set(1, 0, 0xfffff,
			       0x9f | ACCESS_4K |
				       (place_is_long(places[i]) ? ACCESS_L : ACCESS_BIG));
		for (enum gate gate = 0; gate < GATES; gate++)
			deliver(places[i], gate);
	}
	return checks_done();
}
