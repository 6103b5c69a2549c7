/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses words and NAME=VALUE options against a table that names every option there is. */
#include "kernel/option_parser.h"

#include "kernel/address.h"
#include "kernel/format.h"
#include "kernel/log.h"
#include "kernel/string.h"

#define SHOWN_MAX 48  /* bytes of a word that an error text repeats */
#define LIST_MAX  160 /* bytes of a list of names in an error text */
#define FIRST_MAX 320 /* bytes of the first error, kept while parsing goes on */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* A word as an error text repeats it: shortened, and without bytes that would upset a terminal. */
static const char *shown(const char *word, char buffer[SHOWN_MAX])
{
	static const char cut[] = "...";
	size_t i;

	for (i = 0; word[i]; i++) {
		if (i == SHOWN_MAX - 1) {
			memcpy(buffer + SHOWN_MAX - sizeof(cut), cut, sizeof(cut));
			return buffer;
		}
		buffer[i] = word[i] >= 0x20 && word[i] < 0x7f ? word[i] : '?';
	}
	buffer[i] = '\0';
	return buffer;
}

/* Decodes the word at *cursor, which is not blank, and moves *cursor behind it. */
static err_t next_word(const char **cursor, char word[OPTION_WORD_MAX])
{
	char text[SHOWN_MAX];
	size_t length = 0;
	bool cut = false;
	char quote = '\0';
	const char *p;

	for (p = *cursor; *p && (quote || !is_blank(*p)); p++) {
		if (quote ? *p == quote : *p == '"' || *p == '\'') {
			quote = quote ? '\0' : *p;
			continue;
		}
		if (*p == '\\' && quote != '\'' && p[1])
			p++;
		if (length < OPTION_WORD_MAX - 1)
			word[length++] = *p;
		else
			cut = true;
	}
	*cursor = p;
	word[length] = '\0';
	if (quote)
		return error("option '%s': its quote %c is never closed", shown(word, text), quote);
	if (cut)
		return error("option '%s': longer than %u bytes", shown(word, text),
			     OPTION_WORD_MAX - 1);
	return NULL;
}

bool option_number(const char *text, uint64_t *value, const char **end)
{
	unsigned base = 10;
	const char *p = text;
	const char *first;

	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		base = 16;
		p += 2;
	}
	*value = 0;
	for (first = p;; p++) {
		unsigned digit;

		if (*p >= '0' && *p <= '9')
			digit = (unsigned)(*p - '0');
		else if (base == 16 && (*p | 0x20) >= 'a' && (*p | 0x20) <= 'f')
			digit = (unsigned)((*p | 0x20) - 'a' + 10);
		else
			break;
		if (*value > (UINT64_MAX - digit) / base)
			return false;
		*value = *value * base + digit;
	}
	*end = p;
	return p != first;
}

static bool parse_size(const char *text, uint64_t *value)
{
	static const struct {
		char suffix;
		unsigned shift;
	} suffixes[] = {
		{'K', 10},
                {'M', 20},
                {'G', 30}
        };
	const char *end;

	if (!option_number(text, value, &end))
		return false;
	for (size_t i = 0; i < ARRAY_COUNT(suffixes); i++) {
		if ((*end & ~0x20) != suffixes[i].suffix)
			continue;
		if (*value > UINT64_MAX >> suffixes[i].shift)
			return false;
		*value <<= suffixes[i].shift;
		end++;
		break;
	}
	return *end == '\0';
}

/* A size as people write it: 64M, not 67108864. */
static const char *size_text(uint64_t size, char buffer[24])
{
	static const char suffixes[][2] = {"", "K", "M", "G"};
	unsigned i = 0;

	while (size && size % 1024 == 0 && i < ARRAY_COUNT(suffixes) - 1) {
		size /= 1024;
		i++;
	}
	format(buffer, 24, "%llu%s", (unsigned long long)size, suffixes[i]);
	return buffer;
}

static err_t set_number(const struct option_row *row, const char *value, void *member)
{
	const char *why = row->limit ? row->limit : "";
	char text[SHOWN_MAX];
	const char *end;
	uint64_t number;

	if (!option_number(value, &number, &end) || *end)
		return error("option '%s=%s': not a number", row->name, shown(value, text));
	if (number < row->min || number > row->max)
		return error("option '%s=%s': must be %s%llu%s", row->name, shown(value, text),
			     row->min == row->max ? "" : "at most ", (unsigned long long)row->max,
			     why);
	*(unsigned *)member = (unsigned)number;
	return NULL;
}

static err_t set_size(const struct option_row *row, const char *value, void *member)
{
	char text[SHOWN_MAX], low[24], high[24];
	uint64_t size;

	if (!parse_size(value, &size))
		return error(
			"option '%s=%s': not a size; write a number with K, M or G, such as 64M",
			row->name, shown(value, text));
	if (size < row->min || size > row->max)
		return error("option '%s=%s': must lie between %s and %s%s", row->name,
			     shown(value, text), size_text(row->min, low),
			     size_text(row->max, high), row->limit ? row->limit : "");
	if (size % row->unit)
		return error("option '%s=%s': must be a multiple of %s", row->name,
			     shown(value, text), size_text(row->unit, low));
	*(uint64_t *)member = size;
	return NULL;
}

static err_t set_text(const struct option_row *row, const char *value, void *member)
{
	char text[SHOWN_MAX];
	size_t length = strlen(value);

	if (length == 0)
		return error("option '%s=': has no value; write %s=%s", row->name, row->name,
			     row->syntax);
	if (length >= row->max)
		return error("option '%s=%s': longer than %llu bytes", row->name,
			     shown(value, text), (unsigned long long)row->max - 1);
	memcpy(member, value, length + 1);
	return NULL;
}

static err_t set_choice(const struct option_row *row, const char *value, void *member)
{
	char text[SHOWN_MAX];

	for (const struct option_choice *choice = row->choices; choice->name; choice++) {
		if (!strcmp(value, choice->name)) {
			*(unsigned *)member = choice->value;
			return NULL;
		}
	}
	return error("option '%s=%s': must be %s", row->name, shown(value, text), row->syntax);
}

static err_t set_custom(const struct option_row *row, const char *value, void *target)
{
	char text[SHOWN_MAX];
	err_t err = row->parse(value, target);

	return err ? error("option '%s=%s': %s", row->name, shown(value, text), err) : NULL;
}

static err_t set_option(const struct option_row *row, const char *value, void *target)
{
	void *member = (char *)target + row->offset;

	switch (row->kind) {
	case OPTION_WORD:
		return NULL;
	case OPTION_TEXT:
		return set_text(row, value, member);
	case OPTION_NUMBER:
		return set_number(row, value, member);
	case OPTION_SIZE:
		return set_size(row, value, member);
	case OPTION_CHOICE:
		return set_choice(row, value, member);
	case OPTION_CUSTOM:
		break;
	}
	return set_custom(row, value, target);
}

static err_t unknown_option(const struct option_row *rows, unsigned row_count, const char *word)
{
	char text[SHOWN_MAX];
	char list[LIST_MAX] = "";
	size_t used = 0;

	for (unsigned i = 0; i < row_count && used < sizeof(list); i++)
		used += format(list + used, sizeof(list) - used, "%s%s%s", i ? ", " : "",
			       rows[i].name, rows[i].kind == OPTION_WORD ? "" : "=");
	return error("unknown option '%s': there are %s", shown(word, text), list);
}

static err_t apply_word(const struct option_row *rows, unsigned row_count, const char *word,
			void *target, uint32_t *given)
{
	const char *equals = strchr(word, '=');
	size_t length = equals ? (size_t)(equals - word) : strlen(word);

	for (unsigned i = 0; i < row_count; i++) {
		const struct option_row *row = &rows[i];
		bool again = *given & 1u << i;

		if (strlen(row->name) != length || strncmp(row->name, word, length) != 0)
			continue;
		*given |= 1u << i;
		if (again && row->kind != OPTION_CUSTOM)
			return error("option '%s': given more than once", row->name);
		if (row->kind == OPTION_WORD && equals)
			return error("option '%s': takes no value", row->name);
		if (row->kind != OPTION_WORD && !equals)
			return error("option '%s': has no value; write %s=%s", row->name, row->name,
				     row->syntax);
		return set_option(row, equals ? equals + 1 : NULL, target);
	}
	return unknown_option(rows, row_count, word);
}

/* True when `--` stands here as a word of its own; *rest then is what follows it. */
static bool at_end_of_options(const char *p, const char **rest)
{
	if (p[0] != '-' || p[1] != '-' || (p[2] && !is_blank(p[2])))
		return false;
	*rest = p[2] ? p + 3 : p + 2;
	return true;
}

err_t options_parse(const struct option_row *rows, unsigned row_count, const char *text,
		    void *target, uint32_t *given, const char **rest)
{
	char word[OPTION_WORD_MAX];
	char first[FIRST_MAX];
	unsigned error_count = 0;

	*given = 0;
	for (const char *p = text;;) {
		bool is_path;
		err_t err;

		while (is_blank(*p))
			p++;
		if (!*p || (rest && at_end_of_options(p, rest))) {
			if (rest && !*p)
				*rest = p;
			break;
		}
		is_path = p == text && (*p == '/' || *p == '(');
		err = next_word(&p, word);
		if (is_path)
			continue;
		if (!err)
			err = apply_word(rows, row_count, word, target, given);
		if (err && error_count++ == 0)
			format(first, sizeof(first), "%s", err);
	}
	if (error_count > 1)
		return error("%s (and %u more wrong)", first, error_count - 1);
	return error_count ? error("%s", first) : NULL;
}

void options_log_help(const struct option_row *rows, unsigned row_count)
{
	for (unsigned i = 0; i < row_count; i++) {
		const struct option_row *row = &rows[i];

		log_info("  %s%s%s: %s", row->name, row->kind == OPTION_WORD ? "" : "=",
			 row->syntax ? row->syntax : "", row->help);
	}
}
