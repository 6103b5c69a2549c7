/* SPDX-License-Identifier: BSD-2-Clause */
/* Stands for kernel/error.c in tests, with the C library's formatting. */
#include "kernel/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

err_t error(const char *format, ...)
{
	static char texts[2][512];
	static unsigned next;
	char text[sizeof(texts[0])];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);

	next ^= 1;
	memcpy(texts[next], text, sizeof(text));
	return texts[next];
}
