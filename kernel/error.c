/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes error texts. */
#include "kernel/error.h"

#include <stdarg.h>

#include "kernel/cpu.h"
#include "kernel/format.h"
#include "kernel/string.h"

#define TEXT_MAX 320

/* Two texts in turn, so that one may become part of the next. */
struct error_texts {
	char text[2][TEXT_MAX];
	unsigned last;
};

/* One each CPU. */
static struct error_texts *own_texts(void)
{
	static struct error_texts texts[CPUS_MAX];

	return &texts[this_cpu()->index];
}

err_t error(const char *text, ...)
{
	struct error_texts *texts = own_texts();
	char made[TEXT_MAX];
	size_t length;
	va_list args;

	/* Made aside: the arguments may well point into both texts. */
	va_start(args, text);
	length = vformat(made, sizeof(made), text, args);
	va_end(args);
	if (length >= sizeof(made))
		memcpy(made + sizeof(made) - sizeof("..."), "...", sizeof("..."));

	texts->last ^= 1;
	memcpy(texts->text[texts->last], made, sizeof(made));
	return texts->text[texts->last];
}
