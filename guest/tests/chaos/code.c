/* SPDX-License-Identifier: BSD-2-Clause */
/* Random code, with a bias to what exits, is privileged, or can go wrong in many ways. */
#include "guest/tests/chaos/chaos.h"

#include "guest/tests/chaos/instructions.h"
#include "vcpu/hypercall.h"

/* --- Bytes --- */

static void put(struct code *code, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size && code->length < CODE_MAX; i++)
		code->bytes[code->length++] = (uint8_t)(value >> 8 * i);
}

static void begin(struct code *code)
{
	if (code->count < INSTRUCTIONS_MAX)
		code->starts[code->count++] = (uint16_t)code->length;
}

/* MOV of a constant to a general register, of all its bits where that matters. */
static void load(struct code *code, unsigned reg, uint64_t value)
{
	begin(code);
	if (code->bits == 64 && (value >> 32 || one_in(8))) {
		put(code, 0x48, 1);
		put(code, 0xb8 + reg, 1);
		put(code, value, 8);
		return;
	}
	if (code->bits == 16)
		put(code, 0x66, 1);
	put(code, 0xb8 + reg, 1);
	put(code, value, 4);
}

enum { AX, CX, DX, BX, SP, BP, SI, DI };

/* Not the stack pointer where exceptions are delivered on the current stack. */
static unsigned random_register(const struct code *code)
{
	unsigned reg = random_below(8);
	bool fragile = code->cpl == 0 && !place_is_long(code->place);

	return reg == SP && fragile && !one_in(500) ? AX : reg;
}

/* --- Operands --- */

static void displacement(struct code *code, unsigned mod, unsigned size)
{
	if (mod == 1)
		put(code, random_bits(), 1);
	else if (mod == 2)
		put(code, one_in(4) ? random_bits() : random_below(64), size);
}

static void operand16(struct code *code, unsigned reg, bool quiet)
{
	unsigned mod = random_below(3), rm = random_below(8);

	if (quiet || one_in(2) || (mod == 0 && rm == 6)) {
		put(code, reg << 3 | 6, 1);
		put(code, random_address(16, quiet), 2);
		return;
	}
	put(code, mod << 6 | reg << 3 | rm, 1);
	displacement(code, mod, 2);
}

static void operand32(struct code *code, unsigned reg, bool quiet)
{
	unsigned mod = random_below(3), rm = random_below(8);
	uint64_t address = random_address(32, quiet);

	if (quiet || one_in(2)) {
		/* Absolute: 64-bit code has it behind a SIB byte only. */
		put(code, reg << 3 | (code->bits == 64 ? 4 : 5), 1);
		if (code->bits == 64)
			put(code, 0x25, 1);
		put(code, address, 4);
		return;
	}
	put(code, mod << 6 | reg << 3 | rm, 1);
	if (rm == 4) {
		unsigned sib = random_below(256);

		put(code, sib, 1);
		if (mod == 0 && (sib & 7) == 5)
			put(code, address, 4);
	} else if (mod == 0 && rm == 5) {
		put(code, code->bits == 64 ? random_below(0x100) : address, 4);
		return;
	}
	displacement(code, mod, 4);
}

static void operand(struct code *code, enum form form, unsigned reg, bool quiet, bool narrow)
{
	if (form == REGISTER || (form == ANY && one_in(3)) ||
	    (form == MEMORY && !comparing && one_in(40)))
		put(code, 0xc0 | reg << 3 | random_register(code), 1);
	else if ((code->bits == 16) != narrow)
		operand16(code, reg, quiet);
	else
		operand32(code, reg, quiet);
}

/* --- Instructions by the table --- */

static void prefixes(struct code *code, bool quiet, bool *narrow, bool *wide)
{
	static const uint8_t all[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0xf0, 0xf2, 0xf3};

	if (one_in(8)) {
		put(code, 0x66, 1);
		*wide = !*wide;
	}
	if (one_in(12)) {
		put(code, 0x67, 1);
		*narrow = code->bits != 64;
	}
	if (one_in(10))
		put(code, quiet ? 0xf0 + random_below(4) : PICK(all), 1);
	/* REX.X makes an index of none. */
	if (code->bits == 64 && one_in(3))
		put(code, 0x40 | (random_below(16) & (quiet ? ~2u : ~0u)), 1);
}

static void immediate(struct code *code, unsigned kind, bool wide)
{
	unsigned size = wide ? 4 : 2;

	if (kind == FAR) {
		put(code, LANDING + random_below(16), size);
		put(code, random_selector(code->place), 2);
	} else if (kind == BIG) {
		put(code, random_value(32), size);
	} else {
		put(code, random_bits(), kind);
	}
}

/* Whether this is not the time for an instruction. */
static bool is_unfit(const struct code *code, const struct row *row)
{
	bool risky = row->flags & RISKY && (code->cpl == 0 || row->opcode[0] == '\xd7');

	if ((row->flags & SELDOM && !one_in(4)) || (row->flags & LEGACY && code->bits == 64))
		return true;
	if (comparing)
		return risky || row->flags & VIRTUAL ||
		       (row->flags & SELECTS && !place_is_paged(code->place));
	return risky && !one_in(400);
}

static void from_table(struct code *code)
{
	bool narrow = false, wide = code->bits != 16, quiet;
	const struct row *row;
	unsigned reg;

	do {
		row = &instruction_rows[random_below(instruction_row_count)];
	} while (random_below(8) >= row->weight || is_unfit(code, row));
	quiet = row->flags & QUIET && !one_in(300);
	begin(code);
	prefixes(code, quiet, &narrow, &wide);
	for (unsigned i = 0; i < row->length; i++)
		put(code, (uint8_t)row->opcode[i], 1);
	reg = row->reg ? row->reg - 1u : random_register(code);
	/* MOV to SS, or of a port to SS: the stack of handlers. */
	if (row->opcode[0] == '\x8e' && reg == 2 && !one_in(8))
		reg = 0;
	if (row->form)
		operand(code, (enum form)row->form, reg, quiet, narrow);
	if (row->immediate)
		immediate(code, row->immediate, wide);
}

/* --- Instructions with operands made for them --- */

static void opcode(struct code *code, uint32_t bytes, unsigned size)
{
	begin(code);
	put(code, bytes, size);
}

static void do_msr(struct code *code)
{
	uint32_t msr = random_msr();
	uint64_t value = random_msr_value(msr, code->place);

	load(code, CX, msr);
	if (one_in(2)) {
		opcode(code, 0x320f, 2);
		return;
	}
	load(code, AX, (uint32_t)value);
	load(code, DX, value >> 32);
	opcode(code, 0x300f, 2);
}

static void do_port(struct code *code)
{
	static const uint8_t forms[] = {0xec, 0xec, 0xed, 0xed, 0xee, 0xef, 0x6c, 0x6d, 0x6e, 0x6f};
	uint8_t form = PICK(forms);

	load(code, DX, random_port() | (one_in(4) ? random_bits() << 16 : 0));
	if (form < 0x70) {
		load(code, CX, one_in(60) ? random_below(600) : random_below(12));
		load(code, form < 0x6e ? DI : SI, random_address(code->bits, one_in(2)));
	} else if (form >= 0xee) {
		load(code, AX, random_bits());
	}
	begin(code);
	if (form < 0x70 && one_in(2))
		put(code, 0xf3, 1);
	if (one_in(3))
		put(code, 0x66, 1);
	if (form < 0x70 && one_in(6))
		put(code, 0x67, 1);
	put(code, form, 1);
}

/* The port in the instruction. */
static void do_immediate_port(struct code *code)
{
	begin(code);
	if (one_in(3))
		put(code, 0x66, 1);
	put(code, 0xe4 + random_below(4), 1);
	put(code, UNCLAIMED_SHORT + random_below(8), 1);
}

static void do_string(struct code *code)
{
	static const uint8_t forms[] = {0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf};

	load(code, CX, one_in(60) ? random_below(600) : random_below(20));
	load(code, DI, random_address(code->bits, one_in(3)));
	load(code, SI, random_address(code->bits, one_in(3)));
	begin(code);
	put(code, one_in(4) ? 0xf2 : 0xf3, 1);
	if (one_in(4))
		put(code, 0x66, 1);
	else if (one_in(8))
		put(code, 0x67, 1);
	else if (code->bits == 64 && one_in(2))
		put(code, 0x48, 1);
	put(code, PICK(forms), 1);
}

static void do_cr(struct code *code)
{
	static const uint8_t all[] = {0, 0, 2, 3, 3, 4, 4, 8};
	unsigned cr = PICK(all);

	if (one_in(3)) {
		/* LMSW: it can set PE, but not clear it. */
		bool real = code->place == REAL || code->place == UNREAL;
		uint64_t value = random_bits();

		load(code, AX, real && (comparing || !one_in(1000)) ? value & ~1ull : value);
		opcode(code, 0xf0010f, 3);
		return;
	}
	load(code, AX, random_cr(cr, code->place));
	begin(code);
	if (cr == 8)
		put(code, code->bits == 64 ? 0x44 : 0xf0, 1);
	put(code, 0x220f, 2);
	put(code, 0xc0 | (cr & 7) << 3, 1);
}

static void do_dr(struct code *code)
{
	unsigned dr = random_below(8);

	load(code, AX, random_dr(dr < 4 ? dr : 6 + dr % 2));
	begin(code);
	put(code, 0x230f, 2);
	put(code, 0xc0 | dr << 3, 1);
}

static void do_cpuid(struct code *code)
{
	static const uint32_t bases[] = {0, 0, 0x80000000, 0x40000000};
	/* What is the same for a guest. */
	static const uint32_t same[] = {2, 0x80000002, 0x80000003, 0x80000004, 0x80000006};

	if (comparing)
		load(code, AX, PICK(same));
	else
		load(code, AX, one_in(8) ? random_bits() : PICK(bases) + random_below(36));
	load(code, CX, one_in(8) ? random_bits() : random_below(8));
	opcode(code, 0xa20f, 2);
}

static void do_xsetbv(struct code *code)
{
	static const uint16_t values[] = {1, 3, 7, 7, 3, 0, 2, 5, 6, 0xe7, 0xe3, 0x1f, 0x207};

	load(code, CX, one_in(6) ? random_below(3) : 0);
	load(code, AX, PICK(values));
	load(code, DX, one_in(10) ? 1 : 0);
	opcode(code, 0xd1010f, 3);
}

/* An event for itself, at once or when interrupts come on; HLT waits for it. */
static void do_event(struct code *code)
{
	bool nmi = one_in(4);

	if (comparing)
		return;
	opcode(code, 0xfa, 1);
	load(code, AX, nmi ? 5 : 4);
	load(code, BX, 16 + random_below(240));
	opcode(code, 0xc1010f, 3);
	if (one_in(2)) {
		opcode(code, 0xfb, 1);
		if (!nmi && one_in(60)) {
			opcode(code, HLT, 1);
			code->waits = true;
		}
	}
}

static void do_hypercall(struct code *code)
{
	uint32_t number = random_below(11);
	bool ends = number == PLINTH_EXIT || number == PLINTH_WATCHDOG;

	if (comparing)
		return;
	load(code, AX, ends && !one_in(200) ? 0 : number);
	load(code, BX, random_value(32));
	opcode(code, 0xc1010f, 3);
}

/* SYSEXIT and SYSRET, to CPL 3. */
static void do_return(struct code *code)
{
	bool sysret = one_in(2);

	if (!one_in(4))
		return;
	load(code, CX, sysret ? LANDING : TEST_STACK);
	load(code, DX, LANDING);
	begin(code);
	if (code->bits == 64 && one_in(2))
		put(code, 0x48, 1);
	put(code, sysret ? 0x070f : 0x350f, 2);
}

/* Blocking by MOV SS, and what comes in it. */
static void do_shadow(struct code *code)
{
	opcode(code, 0xd08c, 2); /* mov %ss, %ax */
	opcode(code, 0xd08e, 2);
}

static void do_segment(struct code *code)
{
	static const uint8_t segments[] = {0, 0, 2, 3, 3, 4, 5};

	load(code, AX, random_selector(code->place));
	begin(code);
	put(code, 0x8e, 1);
	put(code, 0xc0 | PICK(segments) << 3, 1);
}

static void do_invpcid(struct code *code)
{
	load(code, CX, random_below(5));
	begin(code);
	put(code, 0x82380f66, 4);
	operand(code, MEMORY, CX, !one_in(20), false);
}

/*
 * Whatever; but not the opcode of GETSEC, with which the emulator cannot cope, nor what loops or
 * halts. When comparing, no string I/O and no instruction of two bytes, and what of the last one
 * the processor takes from behind does nothing.
 */
static void do_bytes(struct code *code)
{
	unsigned length = 1 + random_below(7);

	begin(code);
	for (unsigned i = 0; i < length; i++) {
		uint8_t byte = (uint8_t)random_bits();
		bool jumps = (byte >= 0x70 && byte < 0x90) || (byte >= 0xe0 && byte < 0xf0);
		bool differs = comparing && (byte == 0x0f || (byte & 0xfc) == 0x6c);

		put(code, byte == 0x37 || byte == HLT || jumps || differs ? 0x90 : byte, 1);
	}
	for (unsigned i = 0; comparing && i < 14; i++) {
		begin(code);
		put(code, 0x90, 1);
	}
}

static void (*const makers[])(struct code *code) = {
	do_msr,     do_msr,    do_port,  do_port,    do_string,         do_cr,        do_cr,
	do_dr,      do_dr,     do_cpuid, do_xsetbv,  do_event,          do_hypercall, do_shadow,
	do_invpcid, do_return, do_bytes, do_segment, do_immediate_port,
};

void code_make(struct code *code, enum place place, unsigned count)
{
	code->length = code->count = 0;
	code->waits = false;
	code->place = place;
	code->bits = place_bits(place);
	code->cpl = place_cpl(place);
	while (code->count < count && code->count < INSTRUCTIONS_MAX - 16 &&
	       code->length < CODE_MAX - 100) {
		if (one_in(3))
			PICK(makers)(code);
		else
			from_table(code);
	}
	code->starts[code->count] = (uint16_t)code->length;
	for (unsigned i = 0; i < 8; i++) {
		code->bytes[code->length + 2 * i] = 0x0f;
		code->bytes[code->length + 2 * i + 1] = 0x0b;
	}
}
