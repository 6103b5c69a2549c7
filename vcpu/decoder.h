/* SPDX-License-Identifier: BSD-2-Clause */
/* Decodes a guest's instruction, for accesses that its processor cannot finish: what it accesses,
 * how, and its length. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86_64/registers.h"
#include "kernel/error.h"
#include "vcpu/state.h"

#define INSTRUCTION_BYTES_MAX 15

/* What the code segment makes of an instruction without prefixes: CS.D, and CS.L in IA-32e mode. */
enum code_size { CODE_16, CODE_32, CODE_64 };

/* What an instruction does with its operands. Flags change as the SDM says of each. */
enum operation {
	INSN_UNSUPPORTED, /* the length is right, all else is not described; opcode tells which it
			     is */
	INSN_NOTHING,     /* changes nothing, and may be skipped: NOP, PREFETCH, CLFLUSH */
	INSN_MOV,
	INSN_MOVBE, /* MOV with the bytes in reverse order */
	INSN_MOVZX, /* memory of `size` bytes to a register of `register_size` */
	INSN_MOVSX, /* the same with the sign; MOVSXD too */
	INSN_ADD,
	INSN_OR,
	INSN_ADC,
	INSN_SBB,
	INSN_AND,
	INSN_SUB,
	INSN_XOR,
	INSN_CMP,
	INSN_TEST,
	INSN_NOT,
	INSN_NEG,
	INSN_INC,
	INSN_DEC,
	INSN_XCHG,
	INSN_XADD,
	INSN_CMPXCHG, /* memory is compared with the accumulator, reg is the new value */
	INSN_BT,
	INSN_BTS,
	INSN_BTR,
	INSN_BTC,
	INSN_MOVS, /* the string instructions: [segment:rSI] and [ES:rDI], as each has them */
	INSN_CMPS,
	INSN_STOS,
	INSN_LODS,
	INSN_SCAS,
	INSN_OPERATION_COUNT
};

/* Data accesses to memory, as a set. */
enum { ACCESS_NONE = 0, ACCESS_READ = 1, ACCESS_WRITE = 2, ACCESS_MODIFY = 3 };

/* The operand beside the one in memory. */
enum operand_source {
	OPERAND_NONE,
	OPERAND_REGISTER, /* reg */
	OPERAND_IMMEDIATE,
};

/* For string instructions: REP or REPE, and REPNE (CMPS and SCAS only). */
enum repeat { REPEAT_NONE, REPEAT_E, REPEAT_NE };

/* Bases and indexes beside the enum register_index. */
#define REG_NONE 0xff
#define REG_RIP  0xfe /* the address of the next instruction */

struct instruction {
	uint8_t length;
	uint8_t size;          /* of the memory operand: 1, 2, 4 or 8 bytes */
	uint8_t register_size; /* of reg; differs from size for MOVZX and MOVSX */
	uint8_t operand_size;  /* 2, 4 or 8, as prefixes and code size make it */
	uint8_t address_size;  /* 2, 4 or 8 */
	uint8_t operation;     /* enum operation */
	uint8_t access;        /* ACCESS_ bits; none for forms with registers only */
	uint8_t operand;       /* enum operand_source */
	uint8_t reg;           /* enum register_index, for OPERAND_REGISTER */
	bool reg_high_byte;    /* reg is 4 to 7 and means AH, CH, DH, BH */
	bool memory_first;     /* memory is the destination, or the left side of CMP; else reg is */
	bool bit_string; /* BT family: reg's value moves the address, see instruction_offset */
	bool lock;
	uint8_t repeat;     /* enum repeat */
	uint32_t opcode;    /* 8Bh; 0FB6h; 0F38F0h */
	uint64_t immediate; /* sign-extended, then cut to size */

	/* The effective address: base + index * scale + displacement, cut to address_size. Not for
	 * strings. */
	uint8_t segment;     /* enum segment_index; for strings that of rSI */
	uint8_t base, index; /* enum register_index, REG_NONE, and for base REG_RIP */
	uint8_t scale;       /* 1, 2, 4 or 8 */
	int64_t displacement;
};

/*
 * Decodes the instruction that begins at bytes[0]; `count` bytes of it could be fetched, more than
 * 15 are not looked at. Errors: more bytes needed, longer than 15 bytes, VEX and EVEX, opcodes that
 * do not exist.
 */
CHECKED err_t decode(const uint8_t *bytes, unsigned count, enum code_size code,
		     struct instruction *out);

/*
 * The offset in its segment of the operand in memory. regs has RSP filled in; next_rip is the
 * address of the instruction behind. For strings `write` chooses: [ES:rDI] when set, else
 * [segment:rSI]; CMPS reads both, SCAS reads [ES:rDI].
 */
uint64_t instruction_offset(const struct instruction *instruction,
			    const struct general_registers *regs, uint64_t next_rip, bool write);

/* "MOV", "CMPXCHG", ...; for messages. */
const char *operation_name(enum operation operation);
