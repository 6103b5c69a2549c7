/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions on device memory, against the same bytes executed by the machine that runs this
 * test: what they compute, with all flags.
 */
/* UNITS: vcpu/mmio.c vcpu/fetch.c vcpu/alu.c vcpu/decoder.c vcpu/decoder_tables.c */
/* UNITS: vcpu/linear.c vcpu/paging.c vcpu/cpuid.c vcpu/events.c vcpu/vm_memory.c vcpu/bus.c */
/* UNITS: arch/x86_64/cpuid.c arch/x86_64/exceptions.c arch/x86_64/registers.c kernel/format.c */
/* UNITS: tests/fake/backend.c tests/fake/guest_memory.c tests/fake/log.c tests/fake/error.c */
/* UNITS: vcpu/breakpoints.c tests/fake/device_memory.c tests/fake/native.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include "tests/fake/device_memory.h"
#include "tests/fake/native.h"

struct template
{
	uint8_t bytes[4]; /* up to the opcode's last byte */
	uint8_t size;
	uint8_t reg;       /* of ModRM: 0-7, or ANY, or NONE for strings */
	uint8_t immediate; /* bytes; OPERAND: as the operand size has it, 4 at most */
	bool byte;
	bool can_lock;
	bool bit_offset; /* the register moves the address */
	uint64_t undefined;
};

enum { ANY = 8, NONE = 9, OPERAND = 9 };

#define BITS (RFLAGS_PF | RFLAGS_AF | RFLAGS_SF | RFLAGS_OF)
#define ALU(n)                                                                                     \
	{{n}, 1, ANY, 0, true, true, false, RFLAGS_AF},                                            \
		{{n + 1}, 1, ANY, 0, false, true, false, RFLAGS_AF},                               \
		{{n + 2}, 1, ANY, 0, true, false, false, RFLAGS_AF},                               \
	{                                                                                          \
		{n + 3}, 1, ANY, 0, false, false, false, RFLAGS_AF                                 \
	}
#define EXACT(n)                                                                                   \
	{{n}, 1, ANY, 0, true, true, false, 0}, {{n + 1}, 1, ANY, 0, false, true, false, 0},       \
		{{n + 2}, 1, ANY, 0, true, false, false, 0},                                       \
	{                                                                                          \
		{n + 3}, 1, ANY, 0, false, false, false, 0                                         \
	}
#define GROUP(n, undefined)                                                                        \
	{{0x80}, 1, n, 1, true, n != 7, false, undefined},                                         \
		{{0x81}, 1, n, OPERAND, false, n != 7, false, undefined},                          \
	{                                                                                          \
		{0x83}, 1, n, 1, false, n != 7, false, undefined                                   \
	}
#define STRING(n)                                                                                  \
	{{n}, 1, NONE, 0, true, false, false, 0},                                                  \
	{                                                                                          \
		{n + 1}, 1, NONE, 0, false, false, false, 0                                        \
	}

/* clang-format off */
static const struct template templates[] = {
	EXACT(0x00), ALU(0x08), EXACT(0x10), EXACT(0x18), ALU(0x20), EXACT(0x28), ALU(0x30),
	{{0x38}, 1, ANY, 0, true, false, false, 0}, {{0x39}, 1, ANY, 0, false, false, false, 0},
	{{0x3a}, 1, ANY, 0, true, false, false, 0}, {{0x3b}, 1, ANY, 0, false, false, false, 0},
	GROUP(0, 0), GROUP(1, RFLAGS_AF), GROUP(2, 0), GROUP(3, 0), GROUP(4, RFLAGS_AF), GROUP(5, 0),
	GROUP(6, RFLAGS_AF), GROUP(7, 0),
	{{0x63}, 1, ANY, 0, false, false, false, 0},
	{{0x84}, 1, ANY, 0, true, false, false, RFLAGS_AF}, {{0x85}, 1, ANY, 0, false, false, false, RFLAGS_AF},
	{{0x86}, 1, ANY, 0, true, true, false, 0}, {{0x87}, 1, ANY, 0, false, true, false, 0},
	{{0x88}, 1, ANY, 0, true, false, false, 0}, {{0x89}, 1, ANY, 0, false, false, false, 0},
	{{0x8a}, 1, ANY, 0, true, false, false, 0}, {{0x8b}, 1, ANY, 0, false, false, false, 0},
	{{0xc6}, 1, 0, 1, true, false, false, 0}, {{0xc7}, 1, 0, OPERAND, false, false, false, 0},
	{{0xf6}, 1, 0, 1, true, false, false, RFLAGS_AF}, {{0xf7}, 1, 0, OPERAND, false, false, false, RFLAGS_AF},
	{{0xf6}, 1, 2, 0, true, true, false, 0}, {{0xf7}, 1, 2, 0, false, true, false, 0},
	{{0xf6}, 1, 3, 0, true, true, false, 0}, {{0xf7}, 1, 3, 0, false, true, false, 0},
	{{0xfe}, 1, 0, 0, true, true, false, 0}, {{0xff}, 1, 0, 0, false, true, false, 0},
	{{0xfe}, 1, 1, 0, true, true, false, 0}, {{0xff}, 1, 1, 0, false, true, false, 0},
	{{0x0f, 0xb6}, 2, ANY, 0, false, false, false, 0}, {{0x0f, 0xb7}, 2, ANY, 0, false, false, false, 0},
	{{0x0f, 0xbe}, 2, ANY, 0, false, false, false, 0}, {{0x0f, 0xbf}, 2, ANY, 0, false, false, false, 0},
	{{0x0f, 0xa3}, 2, ANY, 0, false, false, true, BITS}, {{0x0f, 0xab}, 2, ANY, 0, false, true, true, BITS},
	{{0x0f, 0xb3}, 2, ANY, 0, false, true, true, BITS}, {{0x0f, 0xbb}, 2, ANY, 0, false, true, true, BITS},
	{{0x0f, 0xba}, 2, 4, 1, false, false, false, BITS}, {{0x0f, 0xba}, 2, 5, 1, false, true, false, BITS},
	{{0x0f, 0xba}, 2, 6, 1, false, true, false, BITS}, {{0x0f, 0xba}, 2, 7, 1, false, true, false, BITS},
	{{0x0f, 0xb0}, 2, ANY, 0, true, true, false, 0}, {{0x0f, 0xb1}, 2, ANY, 0, false, true, false, 0},
	{{0x0f, 0xc0}, 2, ANY, 0, true, true, false, 0}, {{0x0f, 0xc1}, 2, ANY, 0, false, true, false, 0},
	{{0x0f, 0x38, 0xf0}, 3, ANY, 0, false, false, false, 0}, {{0x0f, 0x38, 0xf1}, 3, ANY, 0, false, false, false, 0},
	STRING(0xa4), STRING(0xa6), STRING(0xaa), STRING(0xac), STRING(0xae),
};
/* clang-format on */

static uint64_t seed = 88172645463325252u;

static uint64_t random64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Writes one random instruction of a template on memory at offset(%rbx). */
static unsigned write_instruction(const struct template *t, uint8_t *to)
{
	unsigned at = 0, prefix = (unsigned)random64() % 4, operand = prefix == 1 ? 2 : 4;
	unsigned reg = t->reg == ANY ? (unsigned)random64() % 8 : t->reg;
	uint8_t rex = (uint8_t)(random64() % 2 ? 0x40 | (random64() % 2 ? 4 : 0) : 0);
	uint64_t immediate = random64();
	int32_t displacement = 0x800;

	if (prefix == 1)
		to[at++] = 0x66;
	if (t->reg == NONE && random64() % 2)
		to[at++] = random64() % 2 ? 0xf3 : 0xf2;
	else if (t->can_lock && random64() % 4 == 0)
		to[at++] = 0xf0;
	if (t->reg != ANY)
		rex = 0;
	if (prefix == 2)
		rex |= 0x48;
	/* RBX, with BL and BH, has the address; RSP is the machine's stack. */
	if (t->reg == ANY && !(rex & 4) &&
	    (reg == REG_RBX || reg == REG_RSP || (t->byte && reg == 7)))
		reg = REG_RDX;
	if (t->reg == ANY && t->byte && !rex && random64() % 4 == 0)
		reg = 4 + (unsigned)random64() % 3; /* AH, CH, DH */
	if (rex)
		to[at++] = rex;
	memcpy(to + at, t->bytes, t->size);
	at += t->size;
	if (t->reg == NONE)
		return at;
	to[at++] = (uint8_t)(0x83 | reg << 3);
	memcpy(to + at, &displacement, 4);
	at += 4;
	memcpy(to + at, &immediate, 4);
	return at + (t->immediate == OPERAND ? operand : t->immediate);
}

static void random_registers(const struct template *t, struct native *start)
{
	for (unsigned i = 0; i < REG_COUNT; i++) {
		start->regs.by_index[i] = random64() % 4 ? random64() : random64() % 16;
		if (t->bit_offset)
			start->regs.by_index[i] = random64() % 8192 - 4096;
	}
	start->rflags = random64() & (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF |
				      RFLAGS_OF | RFLAGS_DF);
	start->rflags |= RFLAGS_ONE;
	if (t->reg == NONE)
		start->regs.rcx = random64() % 20;
}

/* Elements alike now and then, so that comparisons end here and there. */
static void random_bytes(uint8_t *to, size_t size, const struct general_registers *regs)
{
	uint8_t byte = random64() % 2 ? (uint8_t)regs->rax : 0x11;

	for (size_t i = 0; i < size; i++)
		to[i] = random64() % 4 ? byte : (uint8_t)random64();
	if (random64() % 2) /* for CMPXCHG */
		memcpy(to + 0x800, &regs->rax, 8);
}

static uint8_t buffer[sizeof(device)];

static void point(const struct template *t, struct general_registers *regs, uint64_t base)
{
	regs->rbx = base;
	if (t->reg == NONE) {
		regs->rsi = base + 0x400;
		regs->rdi = base + 0xc00;
	}
}

static void check_template(const struct template *t)
{
	uint8_t bytes[15];
	unsigned length = write_instruction(t, bytes);
	struct native real;
	uint64_t wrong;

	begin(FAKE_CODE64);
	random_registers(t, &real);
	random_bytes(device, sizeof(device), &real.regs);
	memcpy(buffer, device, sizeof(device));
	code(bytes, length);
	point(t, &real.regs, DEVICE);
	fake_vcpu.regs = real.regs;
	fake_backend.rflags = real.rflags;
	fake_vcpu.regs.rsp = fake_backend.rsp = 0;
	point(t, &real.regs, (uint64_t)buffer);
	native_run(bytes, length, &real);
	run(DEVICE + 0x800);

	/* What the registers point to differs; what they were moved by must not. */
	real.regs.rsp = 0;
	if (t->reg == NONE) {
		real.regs.rsi += DEVICE - (uint64_t)buffer;
		real.regs.rdi += DEVICE - (uint64_t)buffer;
	}
	real.regs.rbx = fake_vcpu.regs.rbx;
	fake_vcpu.regs.rsp = 0;
	wrong = (fake_backend.rflags ^ real.rflags) & ~t->undefined &
		(RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF | RFLAGS_DF);
	if (wrong || fake_vcpu_vm.end != VM_RUNNING || !fake_no_fault() ||
	    memcmp(buffer, device, sizeof(device)) != 0 ||
	    memcmp(&real.regs, &fake_vcpu.regs, sizeof(real.regs)) != 0) {
		for (unsigned i = 0; i < length; i++)
			print_message("%02x ", bytes[i]);
		print_message("\n");
		for (unsigned i = 0; i < REG_COUNT; i++)
			print_message("%2u %016lx %016lx\n", i, real.regs.by_index[i],
				      fake_vcpu.regs.by_index[i]);
		fail_msg("flags %lx, %s", wrong, fake_vcpu_vm.end_text);
	}
	expect_done(length);
}

static void as_the_machine_does_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(templates) / sizeof(templates[0]); i++)
		for (unsigned n = 0; n < 200; n++)
			check_template(&templates[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_the_machine_does_it),
	};

	return cmocka_run_group_tests_name("mmio_native", tests, make_memory, NULL);
}
