/* SPDX-License-Identifier: BSD-2-Clause */
/* Stands for kernel/log.c in tests: lines go into a buffer. */
#include "tests/fake/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct line {
	enum log_level level;
	char text[512];
};

static struct line lines[FAKE_LOG_LINES];
static unsigned line_count;
static bool is_shown;
static bool is_refused;
static enum log_level shown_level = LOG_INFO;

static const char *const level_tags[] = {
	[LOG_ALWAYS] = "", [LOG_ERROR] = "error: ", [LOG_WARN] = "warning: ",
	[LOG_INFO] = "",   [LOG_DEBUG] = "",
};

static void capture(enum log_level level, const char *vm_name, const char *text, va_list args)
	PRINTF(3, 0);

static void capture(enum log_level level, const char *vm_name, const char *text, va_list args)
{
	struct line *line = &lines[line_count++ % FAKE_LOG_LINES];
	int used;

	line->level = level;
	if (vm_name)
		used = snprintf(line->text, sizeof(line->text), "plinth[%s]: %s", vm_name,
				level_tags[level]);
	else
		used = snprintf(line->text, sizeof(line->text), "plinth: %s", level_tags[level]);
	if (used >= 0 && (size_t)used < sizeof(line->text))
		vsnprintf(line->text + used, sizeof(line->text) - (size_t)used, text, args);
	if (is_shown)
		fprintf(stderr, "# %s\n", line->text);
}

void log_line(enum log_level level, const char *text, ...)
{
	va_list args;

	va_start(args, text);
	capture(level, NULL, text, args);
	va_end(args);
}

void log_vm_line(enum log_level level, const char *vm_name, const char *text, ...)
{
	va_list args;

	va_start(args, text);
	capture(level, vm_name, text, args);
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

bool log_allowed(struct log_limit *limit)
{
	if (is_refused)
		limit->suppressed++;
	return !is_refused;
}

void log_limit_tell(struct log_limit *limit)
{
	if (limit->suppressed)
		log_vm_line(LOG_INFO, limit->vm_name ? limit->vm_name : "", "%u lines left out",
			    limit->suppressed);
	limit->suppressed = 0;
}

void fake_log_reset(void)
{
	memset(lines, 0, sizeof(lines));
	line_count = 0;
	is_refused = false;
	shown_level = LOG_INFO;
}

unsigned fake_log_count(void)
{
	return line_count;
}

const char *fake_log_text(unsigned number)
{
	if (number >= line_count || line_count - number > FAKE_LOG_LINES)
		return "";
	return lines[number % FAKE_LOG_LINES].text;
}

enum log_level fake_log_level(unsigned number)
{
	return lines[number % FAKE_LOG_LINES].level;
}

const char *fake_log_last(void)
{
	return line_count ? fake_log_text(line_count - 1) : "";
}

unsigned fake_log_matches(const char *text)
{
	unsigned count = 0;

	for (unsigned i = 0; i < FAKE_LOG_LINES; i++)
		count += lines[i].text[0] && strstr(lines[i].text, text);
	return count;
}

bool fake_log_contains(const char *text)
{
	return fake_log_matches(text) > 0;
}

void fake_log_show(bool show)
{
	is_shown = show;
}

void fake_log_allow(bool allow)
{
	is_refused = !allow;
}
