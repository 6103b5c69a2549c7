/* SPDX-License-Identifier: BSD-2-Clause */
/* Stands for panic() in tests: it ends the test, or the expression that PANICS() was given. */
#pragma once

#include <setjmp.h>
#include <stdbool.h>

#include "kernel/panic.h"

extern jmp_buf fake_panic_return;
extern bool fake_panic_expected;
extern char fake_panic_text[512];

/* Evaluates to true when the statement panics; the text is in fake_panic_text. */
#define PANICS(statement)                                                                          \
	({                                                                                         \
		volatile bool panicked = true;                                                     \
		fake_panic_expected = true;                                                        \
		if (setjmp(fake_panic_return) == 0) {                                              \
			statement;                                                                 \
			panicked = false;                                                          \
		}                                                                                  \
		fake_panic_expected = false;                                                       \
		panicked;                                                                          \
	})
