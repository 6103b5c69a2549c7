/* SPDX-License-Identifier: BSD-2-Clause */
/* A short list of things worth telling, collected while nothing can be printed yet. */
#include "kernel/warnings.h"

#include <stdarg.h>

#include "kernel/format.h"
#include "kernel/log.h"

void warnings_add(struct warnings *list, const char *text, ...)
{
	va_list args;

	if (list->count < WARNINGS_MAX) {
		va_start(args, text);
		vformat(list->text[list->count], WARNING_TEXT_MAX, text, args);
		va_end(args);
	}
	list->count++;
}

void warnings_log(const struct warnings *list, const char *where)
{
	for (unsigned i = 0; i < list->count && i < WARNINGS_MAX; i++)
		log_warn("%s: %s", where, list->text[i]);
	if (list->count > WARNINGS_MAX)
		log_warn("%s: and %u more of this kind", where, list->count - WARNINGS_MAX);
}
