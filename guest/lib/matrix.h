/* SPDX-License-Identifier: BSD-2-Clause */
/* One instruction in every mode: a row tells what it does in each class of places, and a check
 * compares. */
#pragma once

#include "guest/lib/machine.h"

/* Places that an instruction rarely tells apart. */
enum place_class {
	CLASS_REAL,      /* and unreal mode */
	CLASS_PROTECTED, /* at CPL 0, with and without paging */
	CLASS_USER,      /* at CPL 3 */
	CLASS_V86,
	CLASS_COMPAT, /* at CPL 0 */
	CLASS_COMPAT_USER,
	CLASS_LONG,
	CLASS_LONG_USER,
	PLACE_CLASSES,
};

enum place_class place_class(enum place place);

struct matrix_row {
	const char *name;
	const char *bytes; /* the same in every mode */
	uint8_t size;
	uint64_t rax, rcx, rdx; /* RBX and RDI point to TEST_DATA, for [bx], [edi], [rdi] */
	uint64_t rflags, cr4;   /* bits to set */
	void (*prepare)(struct machine *machine, enum place place);
	void (*finish)(void);
	const char *wanted[PLACE_CLASSES]; /* NULL: is not tried there */
};

/* Runs the row in each place, and checks that what happened is what was wanted. With a reason, the
 * line is "# virtual". */
void matrix_check(const struct matrix_row *row, const char *reason);

/* Runs the row in each place and tells what happened: what is to be wanted the processor says. */
void matrix_tell(const struct matrix_row *row);

/* Ways to prepare: RAX becomes what a control register is already, to be written to it. */
void same_cr0(struct machine *machine, enum place place);
void same_cr3(struct machine *machine, enum place place);
void same_cr4(struct machine *machine, enum place place);

/* For rows: bytes with their count, and common outcomes. */
#define BYTES(text) .bytes = (text), .size = sizeof(text) - 1
#define ALWAYS(x)                                                                                  \
	{                                                                                          \
		x, x, x, x, x, x, x, x                                                             \
	}
#define DONE      ALWAYS("done")
#define UNDEFINED ALWAYS("#UD")
#define CPL0_ONLY                                                                                  \
	{                                                                                          \
		"done", "done", "#GP(0)", "#GP(0)", "done", "#GP(0)", "done", "#GP(0)"             \
	}
#define FAULT(x)                                                                                   \
	{                                                                                          \
		x, x "(0)", x "(0)", x "(0)", x "(0)", x "(0)", x "(0)", x "(0)"                   \
	}
#define PROTECTED_ONLY                                                                             \
	{                                                                                          \
		"#UD", "done", "done", "#UD", "done", "done", "done", "done"                       \
	}
#define PROTECTED_CPL0_ONLY                                                                        \
	{                                                                                          \
		"#UD", "done", "#GP(0)", "#UD", "done", "#GP(0)", "done", "#GP(0)"                 \
	}
#define LONG_ONLY                                                                                  \
	{                                                                                          \
		"#UD", "#UD", "#UD", "#UD", "#UD", "#UD", "done", "done"                           \
	}
#define NOT_LONG                                                                                   \
	{                                                                                          \
		"done", "done", "done", "done", "done", "done", "#UD", "#UD"                       \
	}
