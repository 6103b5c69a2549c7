/* SPDX-License-Identifier: BSD-2-Clause */
/* The opcode maps, as data for vcpu/decoder.c: what follows each opcode, and what the supported
 * ones do. */
#pragma once

#include <stdint.h>

#include "vcpu/decoder.h"

/*
 * What follows an opcode, one letter each:
 *   .  nothing                          m  ModRM
 *   b  8-bit immediate or distance      B  ModRM, 8-bit immediate
 *   z  16- or 32-bit immediate          Z  ModRM, 16- or 32-bit immediate
 *   w  16-bit immediate                 r  ModRM that always means registers
 *   v  16-, 32- or 64-bit immediate     3  ModRM, 8-bit immediate for /0 and /1
 *   j  16- or 32-bit distance           4  ModRM, 16- or 32-bit immediate for /0 and /1
 *   o  an address                       f  far pointer
 *   e  16-bit and 8-bit immediate       p  a prefix or an escape
 *   x  no such opcode
 */
extern const char one_byte_forms[256 + 1];
extern const char two_byte_forms[256 + 1]; /* behind 0Fh */

/* One-byte opcodes that 64-bit mode has not, and their count. */
extern const uint8_t not_in_64bit[];
extern const unsigned not_in_64bit_count;

/* Operand sizes beside 1, 2, 4 and 8. */
#define SIZE_OPERAND 0    /* by prefixes and code size */
#define SIZE_4_OR_8  0xff /* 8 with REX.W, else 4 */

/* What an opcode does. All zero: unsupported. */
struct semantics {
	uint8_t operation;
	uint8_t size; /* of the memory operand */
	uint8_t access;
	uint8_t operand; /* enum operand_source; a register is ModRM.reg, or rAX where there is no
			    ModRM */
	bool memory_first;
};

/* The semantics of an opcode in its map (0, 0Fh, 0F38h), with ModRM.reg for those that it extends;
 * or NULL. */
const struct semantics *find_semantics(uint32_t map, uint8_t opcode, unsigned modrm_reg);
