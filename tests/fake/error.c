/* SPDX-License-Identifier: BSD-2-Clause */
/* Stands for kernel/error.c in tests, with the C library's formatting. */
#include "kernel/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

err_t error(const char *text, ...)
{
	static char texts[2][512];
	static unsigned next;
	char made[sizeof(texts[0])];
	va_list args;

	va_start(args, text);
	vsnprintf(made, sizeof(made), text, args);
	va_end(args);

	next ^= 1;
	memcpy(texts[next], made, sizeof(made));
	return texts[next];
}
