/* SPDX-License-Identifier: BSD-2-Clause */
/* A short list of things worth telling, collected while nothing can be printed yet. */
#pragma once

#include <stdint.h>

#include "kernel/compiler.h"

#define WARNINGS_MAX     8
#define WARNING_TEXT_MAX 112

struct warnings {
	unsigned count; /* how many there were: may be more than are kept */
	char text[WARNINGS_MAX][WARNING_TEXT_MAX];
};

/* Adds one; those after the first WARNINGS_MAX are only counted. */
void warnings_add(struct warnings *list, const char *text, ...) PRINTF(2, 3);

/* Writes each to the log, "WHERE: TEXT", and how many more there were. */
void warnings_log(const struct warnings *list, const char *where);
