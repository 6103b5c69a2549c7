/* SPDX-License-Identifier: BSD-2-Clause */
/* Arithmetic with flags, against the very instructions of the machine that runs this test. */
/* UNITS: vcpu/alu.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "arch/x86_64/control_registers.h"
#include "vcpu/alu.h"

#define ARITHMETIC (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)
#define OTHERS     (RFLAGS_ONE | RFLAGS_IF | RFLAGS_DF | RFLAGS_AC | RFLAGS_ID | RFLAGS_IOPL)

/* What one instruction makes of two operands and the flags. */
struct state {
	uint64_t a, b, flags;
};

/* Runs an instruction on operands of one type with the arithmetic flags of `s`, its stack behind
 * the red zone. */
#define RUN(s, type, instruction)                                                                  \
	do {                                                                                       \
		type a = (type)(s)->a, b = (type)(s)->b;                                           \
		uint64_t flags = (s)->flags & ARITHMETIC;                                          \
		asm volatile("lea -128(%%rsp), %%rsp\n\tpushfq\n\tpop %%r8\n\tand %[keep], "       \
			     "%%r8\n\tor %[flags], %%r8\n\t"                                       \
			     "push %%r8\n\tpopfq\n\t" instruction                                  \
			     "\n\tpushfq\n\tpop %[flags]\n\tlea 128(%%rsp), %%rsp"                 \
			     : [a] "+q"(a), [b] "+q"(b), [flags] "+r"(flags)                       \
			     : [keep] "i"(~(int)ARITHMETIC)                                        \
			     : "r8", "cc", "memory");                                              \
		(s)->a = a;                                                                        \
		(s)->b = b;                                                                        \
		(s)->flags = ((s)->flags & ~ARITHMETIC) | (flags & ARITHMETIC);                    \
	} while (0)

#define TWO(name)                                                                                  \
	static void do_##name(struct state *s, unsigned size)                                      \
	{                                                                                          \
		if (size == 1)                                                                     \
			RUN(s, uint8_t, #name " %[b], %[a]");                                      \
		else if (size == 2)                                                                \
			RUN(s, uint16_t, #name " %[b], %[a]");                                     \
		else if (size == 4)                                                                \
			RUN(s, uint32_t, #name " %[b], %[a]");                                     \
		else                                                                               \
			RUN(s, uint64_t, #name " %[b], %[a]");                                     \
	}

#define ONE(name)                                                                                  \
	static void do_##name(struct state *s, unsigned size)                                      \
	{                                                                                          \
		if (size == 1)                                                                     \
			RUN(s, uint8_t, #name " %[a]");                                            \
		else if (size == 2)                                                                \
			RUN(s, uint16_t, #name " %[a]");                                           \
		else if (size == 4)                                                                \
			RUN(s, uint32_t, #name " %[a]");                                           \
		else                                                                               \
			RUN(s, uint64_t, #name " %[a]");                                           \
	}

#define BITS(name)                                                                                 \
	static void do_##name(struct state *s, unsigned size)                                      \
	{                                                                                          \
		if (size == 2)                                                                     \
			RUN(s, uint16_t, #name " %[b], %[a]");                                     \
		else if (size == 4)                                                                \
			RUN(s, uint32_t, #name " %[b], %[a]");                                     \
		else                                                                               \
			RUN(s, uint64_t, #name " %[b], %[a]");                                     \
	}

TWO(add)
TWO(or)
TWO(adc)
TWO(sbb)
TWO(and)
TWO(sub)
TWO(xor)
TWO(cmp)
TWO(test)
TWO(xadd)
ONE(not )
ONE(neg)
ONE(inc)
ONE(dec)
BITS(bt)
BITS(bts)
BITS(btr)
BITS(btc)

static const struct {
	enum operation operation;
	const char *name;
	void (*run)(struct state *s, unsigned size);
	uint64_t undefined; /* flags that the SDM leaves undefined */
	bool no_bytes;
} operations[] = {
	{INSN_ADD,     "add",     do_add,  0,                       false},
	{INSN_OR,      "or",      do_or,   RFLAGS_AF,               false},
	{INSN_ADC,     "adc",     do_adc,  0,                       false},
	{INSN_SBB,     "sbb",     do_sbb,  0,                       false},
	{INSN_AND,     "and",     do_and,  RFLAGS_AF,               false},
	{INSN_SUB,     "sub",     do_sub,  0,                       false},
	{INSN_XOR,     "xor",     do_xor,  RFLAGS_AF,               false},
	{INSN_CMP,     "cmp",     do_cmp,  0,                       false},
	{INSN_TEST,    "test",    do_test, RFLAGS_AF,               false},
	{INSN_NOT,     "not",     do_not,  0,                       false},
	{INSN_NEG,     "neg",     do_neg,  0,                       false},
	{INSN_INC,     "inc",     do_inc,  0,                       false},
	{INSN_DEC,     "dec",     do_dec,  0,                       false},
	{INSN_XADD,    "xadd",    do_xadd, 0,                       false},
	{INSN_CMPXCHG, "cmpxchg", do_cmp,  0,                       false},
	{INSN_CMPS,    "cmps",    do_cmp,  0,                       false},
	{INSN_SCAS,    "scas",    do_cmp,  0,                       false},
	{INSN_BT,      "bt",      do_bt,   ARITHMETIC & ~RFLAGS_CF, true },
	{INSN_BTS,     "bts",     do_bts,  ARITHMETIC & ~RFLAGS_CF, true },
	{INSN_BTR,     "btr",     do_btr,  ARITHMETIC & ~RFLAGS_CF, true },
	{INSN_BTC,     "btc",     do_btc,  ARITHMETIC & ~RFLAGS_CF, true },
};

static uint64_t seed = 88172645463325252u;

static uint64_t random64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Values at the edges of each size more often than by chance. */
static uint64_t operand(void)
{
	static const uint64_t edges[] = {0,          1,          2,          0xf,        0x10,
					 0x7f,       0x80,       0xff,       0x7fff,     0x8000,
					 0xffff,     0x7fffffff, 0x80000000, 0xffffffff, INT64_MAX,
					 1ull << 63, ~0ull};

	if (random64() & 1)
		return edges[random64() % (sizeof(edges) / sizeof(edges[0]))] + random64() % 3 - 1;
	return random64();
}

static void check_one(size_t i, unsigned size)
{
	struct state s = {.a = operand(), .b = operand()}, real;
	uint64_t mask = ~0ull >> (64 - 8 * size), rflags, before, result;

	s.flags = (random64() & (ARITHMETIC | OTHERS)) | RFLAGS_ONE;
	before = rflags = s.flags;
	real = s;
	operations[i].run(&real, size);
	result = alu(operations[i].operation, size, s.a, s.b, &rflags);
	if (result != (real.a & mask))
		fail_msg("%s of %u bytes, %llx and %llx: %llx, not %llx", operations[i].name, size,
			 (unsigned long long)s.a, (unsigned long long)s.b,
			 (unsigned long long)result, (unsigned long long)real.a);
	if ((rflags ^ real.flags) & ~operations[i].undefined || rflags & ~before & ~ARITHMETIC)
		fail_msg("%s of %u bytes, %llx and %llx, flags %llx: %llx, not %llx",
			 operations[i].name, size, (unsigned long long)s.a, (unsigned long long)s.b,
			 (unsigned long long)before, (unsigned long long)rflags,
			 (unsigned long long)real.flags);
	/* What is undefined stays as it was. */
	assert_int_equal((rflags ^ before) & operations[i].undefined, 0);
}

static void as_the_machine_does_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		for (unsigned size = operations[i].no_bytes ? 2 : 1; size <= 8; size *= 2)
			for (unsigned n = 0; n < 4000; n++)
				check_one(i, size);
}

/* All operands and carries of a byte, for those where a rare case could hide. */
static void all_bytes(void **state)
{
	static const enum operation all[] = {INSN_ADD, INSN_ADC, INSN_SUB, INSN_SBB,
					     INSN_NEG, INSN_INC, INSN_DEC};

	(void)state;
	for (unsigned n = 0; n < 0x20000; n++)
		for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
			struct state s = {.a = n & 0xff, .b = n >> 8 & 0xff, .flags = n >> 16};
			uint64_t rflags = s.flags, result;
			size_t row = 0;

			while (operations[row].operation != all[i])
				row++;
			result = alu(all[i], 1, s.a, s.b, &rflags);
			operations[row].run(&s, 1);
			if (result != s.a || rflags != s.flags)
				fail_msg("%s %x", operations[row].name, n);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_the_machine_does_it),
		cmocka_unit_test(all_bytes),
	};

	return cmocka_run_group_tests_name("alu", tests, NULL, NULL);
}
