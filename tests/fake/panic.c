/* SPDX-License-Identifier: BSD-2-Clause */
/* Stands for kernel/panic.c in tests. */
#include "tests/fake/panic.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

jmp_buf fake_panic_return;
bool fake_panic_expected;
char fake_panic_text[512];

void panic(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(fake_panic_text, sizeof(fake_panic_text), format, args);
	va_end(args);
	if (fake_panic_expected)
		longjmp(fake_panic_return, 1);
	fprintf(stderr, "panic: %s\n", fake_panic_text);
	abort();
}
