/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses words and NAME=VALUE options against a table that names every option there is. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/error.h"

#define OPTION_WORD_MAX 512 /* bytes of one word, with its terminator */
#define OPTION_ROWS_MAX 32

enum option_kind {
	OPTION_WORD,   /* NAME alone; stores nothing, only counts as given */
	OPTION_TEXT,   /* into a char array of `max` bytes */
	OPTION_NUMBER, /* into an unsigned; decimal, or hexadecimal after 0x */
	OPTION_SIZE,   /* into a uint64_t; a number that K, M or G may follow */
	OPTION_CHOICE, /* into an enum: the value beside its name */
	OPTION_CUSTOM, /* by `parse`, which also checks it; may be given several times */
};

struct option_choice {
	const char *name; /* NULL ends the list */
	unsigned value;
};

struct option_row {
	const char *name;
	enum option_kind kind;
	const char *syntax; /* of the value, for people */
	const char *help;
	size_t offset;     /* of the member in the target */
	uint64_t min, max; /* limits of NUMBER and SIZE; `max` of TEXT: size of its array */
	uint64_t unit;     /* SIZE must be a multiple of it */
	const char *limit; /* why the limits are what they are; NULL: nothing to say */
	const struct option_choice *choices;
	err_t (*parse)(const char *value,
		       void *target); /* an error tells what is wrong with the value */
};

/*
 * Parses all words of text. Words are separated by blanks; "..." and '...' keep blanks together,
 * and a backslash (not inside '...') takes the next character as it is, which is how GRUB passes
 * quotes on. A first word that starts with '/' or '(' is the file's own name, which some boot
 * loaders put there, and is skipped. With `rest` not NULL a word `--` ends the options, and *rest
 * is what follows it and one blank (else the end of text). Bit n of *given is set when row n was
 * given. A wrong option is left out and the rest still counts; the error is that of the first, with
 * the number of further ones.
 */
err_t options_parse(const struct option_row *rows, unsigned row_count, const char *text,
		    void *target, uint32_t *given, const char **rest) CHECKED;

/* Writes one line to the log for each row. */
void options_log_help(const struct option_row *rows, unsigned row_count);

/* Reads an unsigned number, decimal or 0x; *end is what follows it. False: none there, or too
 * large. */
bool option_number(const char *text, uint64_t *value, const char **end) CHECKED;
