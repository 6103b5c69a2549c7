/* SPDX-License-Identifier: BSD-2-Clause */
/* printf-like formatting into a buffer. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include "kernel/compiler.h"

/*
 * Formats into buffer (size bytes; always terminated when size > 0) and returns the length that the
 * whole text has, as snprintf does. Knows %c %s %d %i %u %o %x %X %p %% with flags '-', '0', ' ',
 * '+' and '#', width, precision, '*', and the lengths hh, h, l, ll, j, z, t. No floating point, no
 * %n. A directive that it does not know is copied as it stands, and so is the rest of the text,
 * since the arguments can no longer be told apart. A NULL string is "(null)".
 */
size_t format(char *buffer, size_t size, const char *text, ...) PRINTF(3, 4);
size_t vformat(char *buffer, size_t size, const char *text, va_list args) PRINTF(3, 0);
