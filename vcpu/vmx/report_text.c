/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists and long texts in log lines that a terminal of 100 columns shows whole. */
#include "vcpu/vmx/report_text.h"

#include "kernel/format.h"
#include "kernel/string.h"

void list_add(char *list, const char *item)
{
	size_t used = strlen(list);

	format(list + used, REPORT_LIST_MAX - used, "%s%s", used ? ", " : "", item);
}

void list_if(char *list, bool condition, const char *item)
{
	if (condition)
		list_add(list, item);
}

const char *list_or_none(const char *list)
{
	return list[0] ? list : "none";
}

void list_bits(char *list, uint64_t mask)
{
	char item[16];

	for (unsigned first = 0, last; first < 64; first = last + 1) {
		last = first;
		if (!(mask >> first & 1))
			continue;
		while (last < 63 && (mask >> (last + 1) & 1))
			last++;
		if (last > first)
			format(item, sizeof(item), "%u-%u", first, last);
		else
			format(item, sizeof(item), "%u", first);
		list_add(list, item);
	}
}

/* How much of a text goes into a line: up to the last blank that fits, or the first one at all. */
static size_t line_length(const char *text, size_t room)
{
	size_t length = 0;

	for (size_t i = 0;; i++) {
		if (text[i] != ' ' && text[i] != '\0')
			continue;
		if (i > room && length > 0)
			return length;
		length = i;
		if (text[i] == '\0' || i >= room)
			return length;
	}
}

void report_text(enum log_level level, const char *first, size_t column, const char *text)
{
	do {
		size_t used = strlen(first) > column ? strlen(first) : column;
		size_t length =
			line_length(text, used < REPORT_COLUMNS ? REPORT_COLUMNS - used : 0);

		log_line(level, "%-*s%.*s", (int)column, first, (int)length, text);
		text += length;
		while (*text == ' ')
			text++;
		first = "";
	} while (*text);
}
