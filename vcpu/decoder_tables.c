/* SPDX-License-Identifier: BSD-2-Clause */
/* The opcode maps, as data for vcpu/decoder.c (SDM "Opcode Map"). */
#include "vcpu/decoder_tables.h"

#include <stddef.h>

const char one_byte_forms[256 + 1] =
	/* 0123456789abcdef */
	"mmmmbz..mmmmbz.p" /* 00: ADD, OR */
	"mmmmbz..mmmmbz.." /* 10: ADC, SBB */
	"mmmmbzp.mmmmbzp." /* 20: AND, SUB */
	"mmmmbzp.mmmmbzp." /* 30: XOR, CMP */
	"................" /* 40: INC, DEC, REX */
	"................" /* 50: PUSH, POP */
	"..mmppppzZbB...." /* 60 */
	"bbbbbbbbbbbbbbbb" /* 70: Jcc */
	"BZBBmmmmmmmmmmmm" /* 80: group 1, TEST, XCHG, MOV */
	"..........f....." /* 90 */
	"oooo....bz......" /* a0: MOV, strings */
	"bbbbbbbbvvvvvvvv" /* b0: MOV */
	"BBw.mmBZe.w..b.." /* c0 */
	"mmmmbb..mmmmmmmm" /* d0: shifts, x87 */
	"bbbbbbbbjjfb...." /* e0 */
	"p.pp..34......mm" /* f0 */;

const char two_byte_forms[256 + 1] =
	/* 0123456789abcdef */
	"mmmmx.....x.xm.B" /* 00 */
	"mmmmmmmmmmmmmmmm" /* 10 */
	"rrrrxxxxmmmmmmmm" /* 20: MOV to and from CR and DR; SSE */
	"......x.pxpxxxxx" /* 30 */
	"mmmmmmmmmmmmmmmm" /* 40: CMOVcc */
	"mmmmmmmmmmmmmmmm" /* 50 */
	"mmmmmmmmmmmmmmmm" /* 60 */
	"BBBBmmm.mmxxmmmm" /* 70 */
	"jjjjjjjjjjjjjjjj" /* 80: Jcc */
	"mmmmmmmmmmmmmmmm" /* 90: SETcc */
	"...mBmxx...mBmmm" /* a0 */
	"mmmmmmmmmmBmmmmm" /* b0 */
	"mmBmBBBm........" /* c0 */
	"mmmmmmmmmmmmmmmm" /* d0 */
	"mmmmmmmmmmmmmmmm" /* e0 */
	"mmmmmmmmmmmmmmmm" /* f0 */;

const uint8_t not_in_64bit[] = {
	0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37,
	0x3f, 0x60, 0x61, 0x82, 0x9a, 0xce, 0xd4, 0xd5, 0xd6, 0xea,
};
const unsigned not_in_64bit_count = sizeof(not_in_64bit);

#define R   ACCESS_READ
#define W   ACCESS_WRITE
#define RW  ACCESS_MODIFY
#define OPS SIZE_OPERAND
#define REG OPERAND_REGISTER
#define IMM OPERAND_IMMEDIATE

/* The four forms with ModRM of the arithmetic instructions; `access` is that of the first two. */
#define ARITHMETIC(first, operation, access)                                                       \
	[first] = {operation, 1, access, REG, true},                                               \
	[first + 1] = {operation, OPS, access, REG, true},                                         \
	[first + 2] = {operation, 1, R, REG, false}, [first + 3] = {operation, OPS, R, REG, false}

static const struct semantics one_byte[256] = {
	ARITHMETIC(0x00, INSN_ADD, RW),
	ARITHMETIC(0x08, INSN_OR, RW),
	ARITHMETIC(0x10, INSN_ADC, RW),
	ARITHMETIC(0x18, INSN_SBB, RW),
	ARITHMETIC(0x20, INSN_AND, RW),
	ARITHMETIC(0x28, INSN_SUB, RW),
	ARITHMETIC(0x30, INSN_XOR, RW),
	ARITHMETIC(0x38, INSN_CMP, R),
	[0x63] = {INSN_MOVSX,   4,   R,           REG,          false}, /* MOVSXD; ARPL outside 64-bit mode */
	[0x84] = {INSN_TEST,    1,   R,           REG,          true },
	[0x85] = {INSN_TEST,    OPS, R,           REG,          true },
	[0x86] = {INSN_XCHG,    1,   RW,          REG,          true },
	[0x87] = {INSN_XCHG,    OPS, RW,          REG,          true },
	[0x88] = {INSN_MOV,     1,   W,           REG,          true },
	[0x89] = {INSN_MOV,     OPS, W,           REG,          true },
	[0x8a] = {INSN_MOV,     1,   R,           REG,          false},
	[0x8b] = {INSN_MOV,     OPS, R,           REG,          false},
	[0x90] = {INSN_NOTHING, OPS, ACCESS_NONE, OPERAND_NONE, false},
	[0xa0] = {INSN_MOV,     1,   R,           REG,          false},
	[0xa1] = {INSN_MOV,     OPS, R,           REG,          false},
	[0xa2] = {INSN_MOV,     1,   W,           REG,          true },
	[0xa3] = {INSN_MOV,     OPS, W,           REG,          true },
	[0xa4] = {INSN_MOVS,    1,   RW,          OPERAND_NONE, true },
	[0xa5] = {INSN_MOVS,    OPS, RW,          OPERAND_NONE, true },
	[0xa6] = {INSN_CMPS,    1,   R,           OPERAND_NONE, true },
	[0xa7] = {INSN_CMPS,    OPS, R,           OPERAND_NONE, true },
	[0xaa] = {INSN_STOS,    1,   W,           REG,          true },
	[0xab] = {INSN_STOS,    OPS, W,           REG,          true },
	[0xac] = {INSN_LODS,    1,   R,           REG,          false},
	[0xad] = {INSN_LODS,    OPS, R,           REG,          false},
	[0xae] = {INSN_SCAS,    1,   R,           REG,          false},
	[0xaf] = {INSN_SCAS,    OPS, R,           REG,          false},
};

static const struct semantics two_byte[256] = {
	[0x0d] = {INSN_NOTHING, 1,           ACCESS_NONE, OPERAND_NONE, false}, /* PREFETCHW */
	[0x18] = {INSN_NOTHING, 1,           ACCESS_NONE, OPERAND_NONE, false}, /* PREFETCHh */
	[0x19] = {INSN_NOTHING, 1,           ACCESS_NONE, OPERAND_NONE, false}, /* reserved NOP */
	[0x1f] = {INSN_NOTHING, 1,           ACCESS_NONE, OPERAND_NONE, false}, /* NOP */
	[0xa3] = {INSN_BT,      OPS,         R,           REG,          true },
	[0xab] = {INSN_BTS,     OPS,         RW,          REG,          true },
	[0xb0] = {INSN_CMPXCHG, 1,           RW,          REG,          true },
	[0xb1] = {INSN_CMPXCHG, OPS,         RW,          REG,          true },
	[0xb3] = {INSN_BTR,     OPS,         RW,          REG,          true },
	[0xb6] = {INSN_MOVZX,   1,           R,           REG,          false},
	[0xb7] = {INSN_MOVZX,   2,           R,           REG,          false},
	[0xbb] = {INSN_BTC,     OPS,         RW,          REG,          true },
	[0xbe] = {INSN_MOVSX,   1,           R,           REG,          false},
	[0xbf] = {INSN_MOVSX,   2,           R,           REG,          false},
	[0xc0] = {INSN_XADD,    1,           RW,          REG,          true },
	[0xc1] = {INSN_XADD,    OPS,         RW,          REG,          true },
	[0xc3] = {INSN_MOV,     SIZE_4_OR_8, W,           REG,          true }, /* MOVNTI */
};

static const struct semantics movbe_load = {INSN_MOVBE, OPS, R, REG, false};
static const struct semantics movbe_store = {INSN_MOVBE, OPS, W, REG, true};

/* Opcodes that ModRM.reg extends (SDM "Opcode Extensions For One-byte And Two-byte Opcodes"). */
#define IMMEDIATE_GROUP(size)                                                                      \
	{                                                                                          \
		{INSN_ADD, size, RW, IMM, true}, {INSN_OR, size, RW, IMM, true},                   \
			{INSN_ADC, size, RW, IMM, true}, {INSN_SBB, size, RW, IMM, true},          \
			{INSN_AND, size, RW, IMM, true}, {INSN_SUB, size, RW, IMM, true},          \
			{INSN_XOR, size, RW, IMM, true}, {INSN_CMP, size, R, IMM, true},           \
	}

static const struct {
	uint32_t map;
	uint8_t opcode;
	struct semantics by_reg[8];
} groups[] = {
	{0,    0x80, IMMEDIATE_GROUP(1)                               },
	{0,    0x81, IMMEDIATE_GROUP(OPS)                             },
	{0,    0x82, IMMEDIATE_GROUP(1)                               },
	{0,    0x83, IMMEDIATE_GROUP(OPS)                             },
	{0,    0xc6, {[0] = {INSN_MOV, 1, W, IMM, true}}              },
	{0,    0xc7, {[0] = {INSN_MOV, OPS, W, IMM, true}}            },
	{0,
	 0xf6,       {[0] = {INSN_TEST, 1, R, IMM, true},
	  [1] = {INSN_TEST, 1, R, IMM, true},
	  [2] = {INSN_NOT, 1, RW, OPERAND_NONE, true},
	  [3] = {INSN_NEG, 1, RW, OPERAND_NONE, true}}  },
	{0,
	 0xf7,       {[0] = {INSN_TEST, OPS, R, IMM, true},
	  [1] = {INSN_TEST, OPS, R, IMM, true},
	  [2] = {INSN_NOT, OPS, RW, OPERAND_NONE, true},
	  [3] = {INSN_NEG, OPS, RW, OPERAND_NONE, true}}},
	{0,
	 0xfe,       {[0] = {INSN_INC, 1, RW, OPERAND_NONE, true},
	  [1] = {INSN_DEC, 1, RW, OPERAND_NONE, true}}  },
	{0,
	 0xff,       {[0] = {INSN_INC, OPS, RW, OPERAND_NONE, true},
	  [1] = {INSN_DEC, OPS, RW, OPERAND_NONE, true}}},
	{0x0f,
	 0xba,       {[4] = {INSN_BT, OPS, R, IMM, true},
	  [5] = {INSN_BTS, OPS, RW, IMM, true},
	  [6] = {INSN_BTR, OPS, RW, IMM, true},
	  [7] = {INSN_BTC, OPS, RW, IMM, true}}         },
	{0x0f, 0xae, {[7] = {INSN_NOTHING, 1, R, OPERAND_NONE, true}} }, /* CLFLUSH, CLFLUSHOPT */
};

const struct semantics *find_semantics(uint32_t map, uint8_t opcode, unsigned modrm_reg)
{
	for (unsigned i = 0; i < ARRAY_COUNT(groups); i++) {
		if (groups[i].map == map && groups[i].opcode == opcode)
			return &groups[i].by_reg[modrm_reg & 7];
	}
	switch (map) {
	case 0:
		return &one_byte[opcode];
	case 0x0f:
		return &two_byte[opcode];
	case 0x0f38:
		return opcode == 0xf0 ? &movbe_load : opcode == 0xf1 ? &movbe_store : NULL;
	default:
		return NULL;
	}
}

const char *operation_name(enum operation operation)
{
	static const char *const names[INSN_OPERATION_COUNT] = {
		[INSN_UNSUPPORTED] = "unsupported",
		[INSN_NOTHING] = "NOP",
		[INSN_MOV] = "MOV",
		[INSN_MOVBE] = "MOVBE",
		[INSN_MOVZX] = "MOVZX",
		[INSN_MOVSX] = "MOVSX",
		[INSN_ADD] = "ADD",
		[INSN_OR] = "OR",
		[INSN_ADC] = "ADC",
		[INSN_SBB] = "SBB",
		[INSN_AND] = "AND",
		[INSN_SUB] = "SUB",
		[INSN_XOR] = "XOR",
		[INSN_CMP] = "CMP",
		[INSN_TEST] = "TEST",
		[INSN_NOT] = "NOT",
		[INSN_NEG] = "NEG",
		[INSN_INC] = "INC",
		[INSN_DEC] = "DEC",
		[INSN_XCHG] = "XCHG",
		[INSN_XADD] = "XADD",
		[INSN_CMPXCHG] = "CMPXCHG",
		[INSN_BT] = "BT",
		[INSN_BTS] = "BTS",
		[INSN_BTR] = "BTR",
		[INSN_BTC] = "BTC",
		[INSN_MOVS] = "MOVS",
		[INSN_CMPS] = "CMPS",
		[INSN_STOS] = "STOS",
		[INSN_LODS] = "LODS",
		[INSN_SCAS] = "SCAS",
	};

	return (unsigned)operation < INSN_OPERATION_COUNT ? names[operation] : "unknown";
}
