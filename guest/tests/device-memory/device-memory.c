/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions on addresses behind which there is no memory, in every mode: each opcode with each
 * kind of operand and prefix, and strings into, out of and across such a page, up to faults.
 */
#include "guest/tests/device-memory/device-memory.h"

#include "guest/lib/guest.h"

/* 1: a line for each instruction, to find the one that differs. */
#define TELL_ALL 0

static uint32_t table32[1024] __attribute__((aligned(PAGE)));
static uint64_t table64[512] __attribute__((aligned(PAGE)));

static void map_window(void)
{
	static const uint32_t entries[PAGES] = {
		[MEMORY] = WINDOW | 7,
		[DEVICE] = NOBODY | 7,
		[MORE] = (WINDOW + AT(MORE, 0)) | 7,
		[READ_ONLY] = (NOBODY + PAGE) | 5,
		[KERNEL] = (NOBODY + 2 * PAGE) | 3,
	};

	for (uint32_t i = 0; i < 1024; i++) {
		uint32_t page = i - WINDOW / PAGE;
		uint32_t entry = page < PAGES ? entries[page] : i * PAGE | 7;

		table32[i] = entry;
		if (i < 512)
			table64[i] = entry;
	}
	machine_directory32[0] = (uint32_t)(uint64_t)table32 | 7;
	directories[0] = (uint64_t)table64 | 7;
	write_cr3(read_cr3());
}

static bool is_paged(enum place place)
{
	return place != PROTECTED16 && place != PROTECTED32;
}

void init(struct machine *m, enum place place)
{
	uint32_t user = place_cpl(place) == 3 ? ACCESS_USER : 0;
	uint32_t index = is_paged(place) ? WINDOW_DATA : NO_PAGING;

	machine_init(m, place);
	descriptor_set(WINDOW_DATA, WINDOW, 0xffff, ACCESS_DATA | user);
	descriptor_set(SMALL_DATA, WINDOW, AT(DEVICE, 23), ACCESS_DATA | user);
	descriptor_set(NO_PAGING, NOBODY - PAGE, 0xffff, ACCESS_DATA | user);
	if (place == V86)
		m->ds = m->es = WINDOW / 16;
	else if (place_bits(place) != 64)
		m->ds = m->es = SEL_TEST + 8 * index + place_cpl(place);
	m->rax = 0x8899aabb11f0e7d6;
	m->rcx = 0x102030485a6b7c05;
	m->rdx = 0xfedcba9876543210;
	m->rbp = 0x0f1e2d3c4b5a6978;
	m->r8 = 0x7fffffffffffffff;
	m->r13 = 0x8000000080008080;
	m->rbx = m->rsi = m->rdi = (place_bits(place) == 64 ? WINDOW : 0) + HERE;
}

static uint32_t digest, all_rows;
static unsigned rows;

static void add(uint64_t value)
{
	digest = (digest ^ (uint32_t)value) * 16777619;
	digest = (digest ^ (uint32_t)(value >> 32)) * 16777619;
}

/* Which pages were accessed and written to, by their entries. */
static void forget_accesses(void)
{
	for (unsigned i = WINDOW / PAGE; i < WINDOW / PAGE + PAGES; i++) {
		table32[i] &= ~ACCESSED;
		table64[i] &= ~(uint64_t)ACCESSED;
	}
}

static void add_accesses(enum place place)
{
	bool small = place != PAE32 && !place_is_long(place);

	for (unsigned i = WINDOW / PAGE; i < WINDOW / PAGE + PAGES; i++)
		add((small ? table32[i] : table64[i]) & ACCESSED);
}

static void fill(void)
{
	for (unsigned i = 0; i < PAGE; i += 8) {
		*memory64(WINDOW + AT(MEMORY, i)) = 0x9e3779b97f4a7c15 * (i + 1);
		*memory64(WINDOW + AT(MORE, i)) = 0xc2b2ae3d27d4eb4f * (i + 1);
	}
}

static void add_memory(void)
{
	for (unsigned i = 0; i < PAGE; i += 8) {
		add(*memory64(WINDOW + AT(MEMORY, i)));
		add(*memory64(WINDOW + AT(MORE, i)));
	}
}

void run(struct machine *m, enum place place, const uint8_t *code, unsigned size,
	 uint64_t undefined, bool touches_memory, const char *wanted, const char *name)
{
	const char *how;
	bool ok;

	digest = 0;
	m->cr2 = 0;
	if (touches_memory)
		fill();
	forget_accesses();
	how = machine_try(m, code, code + size);
	ok = !wanted || same(how, wanted);
	for (unsigned i = 0; i < 16; i++)
		add(m->reg[i]);
	add(m->rflags & ~undefined);
	add(m->rip);
	add(m->vector << 32 | m->error);
	if (m->vector == 14)
		add(m->cr2);
	if (touches_memory)
		add_memory();
	add_accesses(place);
	all_rows = (all_rows ^ digest) * 16777619;
	rows++;
	if (TELL_ALL || !ok)
		check(ok, "%s: %s %x %x %x %x %x: %s, ax %lx cx %lx si %lx di %lx flags %lx, %x",
		      place_name(place), name, code[0], code[1], code[2], code[3], code[4], how,
		      m->rax, m->rcx, m->rsi, m->rdi, m->rflags & ~undefined, digest);
}

void tell(enum place place, const char *what)
{
	check(true, "%s: %s: %u instructions, and what they left is %x", place_name(place), what,
	      rows, all_rows);
	rows = all_rows = 0;
}

/* --- Each opcode --- */

/* clang-format off */
/* With ModRM, and an immediate of so many bytes; OPERAND: as the operand has. */
#define OPERAND 9
static const struct opcode {
	uint8_t map, opcode; /* map 1: behind 0F */
	uint8_t regs;        /* which ModRM.reg are meant, by bit; 0: all */
	uint8_t immediate;
	bool locks; /* takes LOCK */
	uint64_t undefined;
} opcodes[] = {
#define LOGIC AF
#define BITS  (AF | PF | SF | OF)
#define ARITHMETIC(first, undefined)                                                               \
	{0, first, 0, 0, true, undefined}, {0, (first) + 1, 0, 0, true, undefined},                \
	{0, (first) + 2, 0, 0, false, undefined}, {0, (first) + 3, 0, 0, false, undefined}
	ARITHMETIC(0x00, 0),
	ARITHMETIC(0x08, LOGIC),
	ARITHMETIC(0x10, 0),
	ARITHMETIC(0x18, 0),
	ARITHMETIC(0x20, LOGIC),
	ARITHMETIC(0x28, 0),
	ARITHMETIC(0x30, LOGIC),
	{0, 0x38, 0, 0, false, 0},
	{0, 0x39, 0, 0, false, 0},
	{0, 0x3a, 0, 0, false, 0},
	{0, 0x3b, 0, 0, false, 0},
	{0, 0x80, 0x7f, 1, true, LOGIC},
	{0, 0x81, 0x7f, OPERAND, true, LOGIC},
	{0, 0x83, 0x7f, 1, true, LOGIC},
	{0, 0x80, 0x80, 1, false, 0},
	{0, 0x81, 0x80, OPERAND, false, 0},
	{0, 0x83, 0x80, 1, false, 0},
	{0, 0x84, 0, 0, false, LOGIC},
	{0, 0x85, 0, 0, false, LOGIC},
	{0, 0x86, 0, 0, true, 0},
	{0, 0x87, 0, 0, true, 0},
	{0, 0x88, 0, 0, false, 0},
	{0, 0x89, 0, 0, false, 0},
	{0, 0x8a, 0, 0, false, 0},
	{0, 0x8b, 0, 0, false, 0},
	{0, 0xc6, 0x01, 1, false, 0},
	{0, 0xc7, 0x01, OPERAND, false, 0},
	{0, 0xf6, 0x01, 1, false, LOGIC},
	{0, 0xf7, 0x01, OPERAND, false, LOGIC},
	{0, 0xf6, 0x0c, 0, true, 0},
	{0, 0xf7, 0x0c, 0, true, 0},
	{0, 0xfe, 0x03, 0, true, 0},
	{0, 0xff, 0x03, 0, true, 0},
	{1, 0x18, 0x0f, 0, false, 0},
	{1, 0x1f, 0x01, 0, false, 0},
	{1, 0xa3, 0, 0, false, BITS},
	{1, 0xab, 0, 0, true, BITS},
	{1, 0xb3, 0, 0, true, BITS},
	{1, 0xbb, 0, 0, true, BITS},
	{1, 0xba, 0x10, 1, false, BITS},
	{1, 0xba, 0xe0, 1, true, BITS},
	{1, 0xb0, 0, 0, true, 0},
	{1, 0xb1, 0, 0, true, 0},
	{1, 0xb6, 0, 0, false, 0},
	{1, 0xb7, 0, 0, false, 0},
	{1, 0xbe, 0, 0, false, 0},
	{1, 0xbf, 0, 0, false, 0},
	{1, 0xc0, 0, 0, true, 0},
	{1, 0xc1, 0, 0, true, 0},
};
/* clang-format on */

/* The same numbers in each run and on each processor. */
static uint32_t random_state;

static uint32_t some(uint32_t below)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 16) % below;
}

/* At CPL 0 an exception needs the stack, but for 64-bit code. */
static bool may_be(const struct opcode *o, enum place place, unsigned reg)
{
	bool byte = !(o->opcode & 1) && (!o->map || o->opcode == 0xb0 || o->opcode == 0xc0);

	if (o->regs)
		return o->regs >> reg & 1;
	return reg != 4 || byte || place_cpl(place) == 3 || place_bits(place) == 64;
}

static bool is_bit_string(const struct opcode *o)
{
	return o->map == 1 && (o->opcode & 0xe7) == 0xa3;
}

/* [SI], [BX + disp8] or [BX + disp16]; [ESI], [EDI + disp8] or [ESI + disp32] with SIB. */
static unsigned make_address(struct machine *m, enum place place, uint8_t reg, uint8_t *code)
{
	static const uint8_t forms16[] = {4, 0x47, 0x87}, forms[] = {6, 0x47, 0x84};
	bool small = place_bits(place) == 16;
	unsigned form = some(3), at = 0;
	uint64_t operand = (place_bits(place) == 64 ? WINDOW : 0) + HERE;

	code[at++] = (uint8_t)(reg << 3 | (small ? forms16 : forms)[form]);
	if (form == 2 && !small)
		code[at++] = 0x26;
	if (form) {
		code[at++] = 0x88;
		operand += 0x78;
	}
	for (unsigned i = form == 2 ? place_bits(place) == 16 ? 1 : 3 : 0; i > 0; i--)
		code[at++] = 0xff;
	m->rsi = m->rdi = m->rbx = operand;
	return at;
}

/* One of the opcode's forms: prefixes, register, way to give the address. */
static unsigned make(const struct opcode *o, enum place place, struct machine *m, uint8_t *code)
{
	static const uint8_t ignored[] = {0x26, 0x3e, 0xf2, 0xf3};
	unsigned at = 0, reg, operand = place_bits(place) == 16 ? 2 : 4, immediate = o->immediate;
	uint8_t rex = 0;

	/* F2 and F3 before C6 and C7 are hints for transactions. */
	if (o->locks && some(3) == 0)
		code[at++] = 0xf0;
	else if (some(4) == 0)
		code[at++] = ignored[some((o->opcode & 0xfe) == 0xc6 ? 2 : 4)];
	if (some(3) == 0) {
		code[at++] = 0x66;
		operand = 6 - operand;
	}
	do {
		reg = some(8);
	} while (!may_be(o, place, reg));
	if (place_bits(place) == 64 && some(2)) {
		rex = (uint8_t)(0x40 | (some(2) << 3) | (o->regs ? 0 : some(2) << 2));
		code[at++] = rex;
		operand = rex & 8 ? 8 : operand;
	}
	/* Bits of the register move the operand: not far. */
	if (is_bit_string(o))
		m->reg[rex & 4 ? reg + 8 : reg] &= reg == 4 ? ~0ull : 0x7f;
	if (o->map)
		code[at++] = 0x0f;
	code[at++] = o->opcode;
	at += make_address(m, place, (uint8_t)reg, code + at);
	if (immediate == OPERAND)
		immediate = operand == 2 ? 2 : 4;
	while (immediate-- > 0)
		code[at++] = (uint8_t)some(256);
	return at;
}

static void each_opcode(enum place place, unsigned times)
{
	random_state = 1;
	for (unsigned i = 0; i < times * sizeof(opcodes) / sizeof(opcodes[0]); i++) {
		const struct opcode *o = &opcodes[i / times];
		uint8_t code[16] = {0};
		struct machine m;
		unsigned size;

		init(&m, place);
		m.rflags |= some(2) ? CF : 0;
		if (some(2))
			m.rax |= 0xffffffff;
		if (some(4) == 0)
			m.rax = ~0ull;
		size = make(o, place, &m, code);
		run(&m, place, code, size, o->undefined, false, "done", "");
	}
	tell(place, "operands");
}

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	static const enum place places[] = {PROTECTED16, PROTECTED32,   PAGED32,    PAE32,
					    USER16,      USER32,        V86,        COMPAT16,
					    LONG64,      COMPAT_USER32, LONG_USER64};
	struct machine m;

	(void)boot_magic;
	(void)boot_info;
	machine_init(&m, REAL);
	map_window();
	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		enum place place = places[i];

		each_opcode(place, place_bits(place) == 64 ? 6 : 3);
		if (is_paged(place))
			device_strings(place);
	}
	device_bases();
	return checks_done();
}
