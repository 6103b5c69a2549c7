/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of Plinth's own on the console, by level, and a rate limit for those that a guest can
 * cause. */
#include "kernel/log.h"

#include <stdarg.h>
#include <stddef.h>

#include "kernel/console.h"
#include "kernel/format.h"
#include "kernel/string.h"
#include "kernel/time.h"

#define CUT "..."

_Static_assert(LOG_LINE_MAX <= CONSOLE_TEXT_MAX, "the console takes a line of the log whole");

static enum log_level shown_level = LOG_INFO;

static const char *const level_tags[] = {
	[LOG_ALWAYS] = "", [LOG_ERROR] = "error: ", [LOG_WARN] = "warning: ",
	[LOG_INFO] = "",   [LOG_DEBUG] = "",
};

/* A line being made. Nothing is added to one that is full. */
struct line {
	char text[LOG_LINE_MAX];
	size_t size;
	bool is_cut;
};

static void add(struct line *line, const char *text, size_t size)
{
	if (line->is_cut || size > sizeof(line->text) - line->size) {
		line->is_cut = true;
		return;
	}
	memcpy(line->text + line->size, text, size);
	line->size += size;
}

static bool is_printable(char c)
{
	return c >= 0x20 && c < 0x7f;
}

/* Whatever came from outside must not speak to the terminal in our name: no escapes, no line ends.
 */
static void add_escaped(struct line *line, const char *text)
{
	char escape[8];

	while (*text && !line->is_cut) {
		size_t run = 0;
		size_t room = sizeof(line->text) - line->size;

		/* One more than there is room for: then the line is known to be cut. */
		while (run <= room && is_printable(text[run]))
			run++;
		add(line, text, run < room ? run : room);
		if (run > room)
			line->is_cut = true;
		text += run;
		if (*text && !line->is_cut)
			add(line, escape,
			    format(escape, sizeof(escape), "\\x%02x", (unsigned char)*text++));
	}
}

static void write_line(enum log_level level, const char *vm_name, const char *text, va_list args)
	PRINTF(3, 0);

static void write_line(enum log_level level, const char *vm_name, const char *text, va_list args)
{
	struct line line = {.size = 0};
	char body[LOG_LINE_MAX + 1];
	size_t length;

	if (level > shown_level)
		return;
	add(&line, "plinth", 6);
	if (vm_name) {
		add(&line, "[", 1);
		add_escaped(&line, vm_name);
		add(&line, "]", 1);
	}
	add(&line, ": ", 2);
	add(&line, level_tags[level], strlen(level_tags[level]));
	length = vformat(body, sizeof(body), text, args);
	add_escaped(&line, body);
	if (line.is_cut || length >= sizeof(body)) {
		if (line.size > sizeof(line.text) - strlen(CUT))
			line.size = sizeof(line.text) - strlen(CUT);
		memcpy(line.text + line.size, CUT, strlen(CUT));
		line.size += strlen(CUT);
	}
	console_write_line(line.text, line.size);
}

void log_line(enum log_level level, const char *text, ...)
{
	va_list args;

	va_start(args, text);
	write_line(level, NULL, text, args);
	va_end(args);
}

void log_vm_line(enum log_level level, const char *vm_name, const char *text, ...)
{
	va_list args;

	va_start(args, text);
	write_line(level, vm_name, text, args);
	va_end(args);
}

void log_set_level(enum log_level level)
{
	shown_level = level;
}

enum log_level log_get_level(void)
{
	return shown_level;
}

/* Gives back the tokens that time has earned; what is left of the time counts for the next one. */
static void refill(struct log_limit *limit)
{
	uint64_t now = time_now();
	uint64_t ticks_each = time_frequency() / LOG_LIMIT_RATE;
	uint64_t earned = (now - limit->changed_at) / ticks_each;

	if (earned >= limit->used) {
		limit->used = 0;
		limit->changed_at = now;
	} else {
		limit->used -= (uint32_t)earned;
		limit->changed_at += earned * ticks_each;
	}
}

bool log_allowed(struct log_limit *limit)
{
	refill(limit);
	if (limit->used >= LOG_LIMIT_BURST) {
		limit->suppressed++;
		return false;
	}
	log_limit_tell(limit);
	limit->used++;
	return true;
}

void log_limit_tell(struct log_limit *limit)
{
	uint32_t count = limit->suppressed;

	limit->suppressed = 0;
	if (!count)
		return;
	log_vm_line(LOG_INFO, limit->vm_name, "(%u more line%s of this kind left out)", count,
		    count == 1 ? "" : "s");
}
