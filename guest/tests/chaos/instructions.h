/* SPDX-License-Identifier: BSD-2-Clause */
/* The instructions that random code is made of, as a table. */
#pragma once

#include <stdint.h>

enum form {
	PLAIN,  /* no operand byte */
	ANY,    /* register or memory */
	MEMORY, /* memory only, mostly */
	REGISTER,
};

#define DIGIT(n) ((n) + 1) /* the reg field is the opcode's */
#define QUIET    1         /* device memory would end the VM: nearly always RAM */
#define RISKY    2         /* ends the VM at CPL 0: rare there */
#define LEGACY   4         /* #UD in 64-bit code */
#define SELDOM   8         /* leads away from the code */
#define VIRTUAL  16        /* not the same on a bare machine, or bad for it */
#define SELECTS  32        /* loads a segment with what is found */
#define BIG      0x40      /* immediate of the operand size, up to 4 bytes */
#define FAR      0x80      /* offset and selector */

struct row {
	uint8_t weight, length;
	const char *opcode;
	uint8_t form, reg, immediate, flags;
};

extern const struct row instruction_rows[];
extern const unsigned instruction_row_count;
