/* SPDX-License-Identifier: BSD-2-Clause */
/* The classes of the trace= option: a table, and the parser of the list. */
#include "trace/classes.h"

#include <stdbool.h>
#include <stddef.h>

#include "kernel/compiler.h"
#include "kernel/format.h"
#include "kernel/string.h"

#define SUFFIX "+cpl"
#define ALL    255 /* as a count: every reason */

/* clang-format off */
static const struct trace_class {
	const char *name;
	uint8_t count;
	uint8_t reasons[12];
} table[] = {
	{"all",       ALL, {0}},
	{"none",      0,   {0}},
	{"exception", 1,   {0}},
	{"interrupt", 3,   {1, 7, 8}},
	{"cpuid",     1,   {10}},
	{"hlt",       6,   {12, 36, 39, 40, 67, 68}},
	{"vmcall",    1,   {18}},
	{"vmx",       10,  {11, 19, 20, 21, 22, 23, 24, 25, 26, 27}},
	{"cr",        1,   {28}},
	{"dr",        1,   {29}},
	{"io",        1,   {30}},
	{"msr",       2,   {31, 32}},
	{"ept",       2,   {48, 49}},
	{"timer",     1,   {52}},
	{"xsetbv",    1,   {55}},
	{"cache",     2,   {13, 54}},
	{"fatal",     9,   {2, 3, 4, 5, 6, 9, 33, 34, 41}},
};
/* clang-format on */

static const struct trace_class *find_class(const char *name, size_t length)
{
	for (size_t i = 0; i < ARRAY_COUNT(table); i++)
		if (strlen(table[i].name) == length && strncmp(table[i].name, name, length) == 0)
			return &table[i];
	return NULL;
}

static void choose(const struct trace_class *class, uint8_t what, struct trace_classes *classes)
{
	if (class->count == ALL)
		memset(classes->by_reason, what, sizeof(classes->by_reason));
	else
		for (unsigned i = 0; i < class->count; i++)
			classes->by_reason[class->reasons[i]] = what;
}

static bool ends_in_suffix(const char *name, size_t length)
{
	size_t size = sizeof(SUFFIX) - 1;

	return length > size && strncmp(name + length - size, SUFFIX, size) == 0;
}

static err_t no_class(const char *name, size_t length)
{
	char list[200] = "";
	size_t used = 0;

	for (size_t i = 0; i < ARRAY_COUNT(table) && used < sizeof(list); i++)
		used += format(list + used, sizeof(list) - used, "%s%s", i ? ", " : "",
			       table[i].name);
	return error("trace=: there is no class \"%.*s\"; the classes are %s; CLASS+cpl shows the "
		     "privilege level "
		     "too, and -CLASS leaves one out",
		     (int)(length < 40 ? length : 40), name, list);
}

/* One word of the list. */
static err_t apply(const char *word, size_t length, struct trace_classes *classes)
{
	bool leave_out = length > 0 && *word == '-';
	const char *name = word + leave_out;
	size_t name_length = length - leave_out;
	bool with_cpl = !leave_out && ends_in_suffix(name, name_length);
	const struct trace_class *class =
		find_class(name, name_length - (with_cpl ? sizeof(SUFFIX) - 1 : 0));

	if (!class || (class->count == 0 && (with_cpl || leave_out)))
		return no_class(word, length);
	if (class->count == 0)
		memset(classes->by_reason, 0, sizeof(classes->by_reason));
	choose(class, leave_out ? 0 : (uint8_t)(TRACE_CHOSEN | (with_cpl ? TRACE_CPL : 0)),
	       classes);
	return NULL;
}

err_t trace_classes_parse(const char *text, struct trace_classes *classes)
{
	*classes = (struct trace_classes){.by_reason = {0}};
	while (*text) {
		const char *comma = strchr(text, ',');
		size_t length = comma ? (size_t)(comma - text) : strlen(text);
		err_t err = apply(text, length, classes);

		if (err)
			return err;
		text += length + (comma != NULL);
	}
	return NULL;
}
