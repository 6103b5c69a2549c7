/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists and long texts in log lines that a terminal of 100 columns shows whole. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/log.h"

#define REPORT_COLUMNS  92 /* of 100, less "plinth: " */
#define REPORT_LIST_MAX 400

/* Appends to a list "a, b, c" in a buffer of REPORT_LIST_MAX. What does not fit is left out. */
void list_add(char *list, const char *item);
void list_if(char *list, bool condition, const char *item);

/* The list, or "none". */
const char *list_or_none(const char *list);

/* Appends the numbers of the bits of a mask, such as "1, 2, 8-31". */
void list_bits(char *list, uint64_t mask);

/*
 * Writes `first`, and beginning at column `column` the text, broken at blanks. Further lines have
 * blanks up to that column. A word that no line has room for gets a line of its own.
 */
void report_text(enum log_level level, const char *first, size_t column, const char *text);
