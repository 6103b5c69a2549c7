/* SPDX-License-Identifier: BSD-2-Clause */
/* printf-like formatting into a buffer. */
#include "kernel/format.h"

#include <stdbool.h>
#include <stdint.h>

#include "kernel/string.h"

struct output {
	char *buffer;
	size_t size;
	size_t length; /* of the whole text, also of what did not fit */
};

enum length { LENGTH_INT, LENGTH_CHAR, LENGTH_SHORT, LENGTH_LONG };

/* One directive, taken apart. */
struct directive {
	bool left, zero, space, plus, alternate;
	bool has_precision;
	size_t width, precision;
	enum length length;
	char conversion;
};

/* A number's parts in the order in which they appear. */
struct number {
	char prefix[2];
	size_t prefix_length;
	char digits[24]; /* 22 octal digits make 64 bits */
	size_t digit_count;
};

static void emit(struct output *out, const char *text, size_t size)
{
	if (out->length < out->size) {
		size_t room = out->size - out->length;

		memcpy(out->buffer + out->length, text, size < room ? size : room);
	}
	out->length += size;
}

/* A hostile width costs no time: what does not fit is only counted. */
static void emit_repeated(struct output *out, char c, size_t count)
{
	if (out->length < out->size) {
		size_t room = out->size - out->length;

		memset(out->buffer + out->length, c, count < room ? count : room);
	}
	out->length += count;
}

static void emit_padded(struct output *out, const struct directive *d, const char *text,
			size_t size)
{
	size_t padding = d->width > size ? d->width - size : 0;

	if (!d->left)
		emit_repeated(out, ' ', padding);
	emit(out, text, size);
	if (d->left)
		emit_repeated(out, ' ', padding);
}

static void emit_number(struct output *out, const struct directive *d, const struct number *n)
{
	size_t zeros = 0;
	size_t length;
	size_t padding;

	if (d->has_precision)
		zeros = d->precision > n->digit_count ? d->precision - n->digit_count : 0;
	length = n->prefix_length + zeros + n->digit_count;
	padding = d->width > length ? d->width - length : 0;
	if (d->zero && !d->left && !d->has_precision) {
		zeros = padding;
		padding = 0;
	}

	if (!d->left)
		emit_repeated(out, ' ', padding);
	emit(out, n->prefix, n->prefix_length);
	emit_repeated(out, '0', zeros);
	emit(out, n->digits + sizeof(n->digits) - n->digit_count, n->digit_count);
	if (d->left)
		emit_repeated(out, ' ', padding);
}

/* Fills the digits from the right. Precision 0 shows a 0 as nothing. */
static void make_digits(const struct directive *d, struct number *n, uint64_t value, unsigned base)
{
	const char *digits = d->conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";

	n->digit_count = 0;
	if (value == 0 && !(d->has_precision && d->precision == 0))
		n->digits[sizeof(n->digits) - ++n->digit_count] = '0';
	for (; value; value /= base)
		n->digits[sizeof(n->digits) - ++n->digit_count] = digits[value % base];
}

static void add_prefix(struct number *n, char c)
{
	n->prefix[n->prefix_length++] = c;
}

static void format_signed(struct output *out, const struct directive *d, int64_t value)
{
	struct number n = {.prefix_length = 0};

	make_digits(d, &n, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10);
	if (value < 0)
		add_prefix(&n, '-');
	else if (d->plus)
		add_prefix(&n, '+');
	else if (d->space)
		add_prefix(&n, ' ');
	emit_number(out, d, &n);
}

static void format_unsigned(struct output *out, const struct directive *d, uint64_t value)
{
	struct number n = {.prefix_length = 0};
	unsigned base = d->conversion == 'u' ? 10 : d->conversion == 'o' ? 8 : 16;

	make_digits(d, &n, value, base);
	if (d->conversion == 'p' || (d->alternate && base == 16 && value)) {
		add_prefix(&n, '0');
		add_prefix(&n, d->conversion == 'X' ? 'X' : 'x');
	}
	/* '#' makes the first octal digit a 0, which the precision may have done already. */
	if (d->alternate && base == 8 && !(d->has_precision && d->precision > n.digit_count) &&
	    (n.digit_count == 0 || value))
		n.digits[sizeof(n.digits) - ++n.digit_count] = '0';
	emit_number(out, d, &n);
}

static void format_string(struct output *out, const struct directive *d, const char *text)
{
	if (!text)
		text = "(null)";
	emit_padded(out, d, text, strnlen(text, d->has_precision ? d->precision : SIZE_MAX));
}

/* Digits at *text; a number that does not fit an int stands for the largest. */
static size_t parse_number(const char **text)
{
	size_t number = 0;

	for (; **text >= '0' && **text <= '9'; (*text)++) {
		number = number * 10 + (size_t)(**text - '0');
		if (number > INT32_MAX)
			number = INT32_MAX;
	}
	return number;
}

static void parse_flags(const char **text, struct directive *d)
{
	for (;; (*text)++) {
		switch (**text) {
		case '-':
			d->left = true;
			break;
		case '0':
			d->zero = true;
			break;
		case ' ':
			d->space = true;
			break;
		case '+':
			d->plus = true;
			break;
		case '#':
			d->alternate = true;
			break;
		default:
			return;
		}
	}
}

static enum length parse_length(const char **text)
{
	enum length length = LENGTH_INT;

	switch (**text) {
	case 'h':
		length = (*text)[1] == 'h' ? LENGTH_CHAR : LENGTH_SHORT;
		*text += length == LENGTH_CHAR ? 2 : 1;
		break;
	case 'l':
		*text += (*text)[1] == 'l' ? 2 : 1;
		length = LENGTH_LONG;
		break;
	case 'j':
	case 'z':
	case 't':
		(*text)++;
		length = LENGTH_LONG;
		break;
	default:
		break;
	}
	return length;
}

/* Arguments in a box of their own, as a va_list cannot portably be passed by address. */
struct arguments {
	va_list list;
};

static void parse_width(const char **text, struct directive *d, struct arguments *args)
{
	if (**text != '*') {
		d->width = parse_number(text);
		return;
	}
	(*text)++;
	int width = va_arg(args->list, int);
	if (width < 0)
		d->left = true;
	d->width = width < 0 ? 0 - (size_t)width : (size_t)width;
}

static void parse_precision(const char **text, struct directive *d, struct arguments *args)
{
	if (**text != '.')
		return;
	(*text)++;
	d->has_precision = true;
	if (**text != '*') {
		d->precision = parse_number(text);
		return;
	}
	(*text)++;
	int precision = va_arg(args->list, int);
	d->has_precision = precision >= 0;
	d->precision = precision >= 0 ? (size_t)precision : 0;
}

static int64_t signed_argument(struct arguments *args, enum length length)
{
	int value;

	if (length == LENGTH_LONG)
		return va_arg(args->list, long);
	value = va_arg(args->list, int);
	if (length == LENGTH_CHAR)
		return (signed char)value;
	return length == LENGTH_SHORT ? (short)value : value;
}

static uint64_t unsigned_argument(struct arguments *args, enum length length)
{
	unsigned value;

	if (length == LENGTH_LONG)
		return va_arg(args->list, unsigned long);
	value = va_arg(args->list, unsigned);
	if (length == LENGTH_CHAR)
		return (unsigned char)value;
	return length == LENGTH_SHORT ? (unsigned short)value : value;
}

/* False: not a directive that we know. */
static bool format_directive(struct output *out, struct directive *d, struct arguments *args)
{
	char c;

	switch (d->conversion) {
	case 'd':
	case 'i':
		format_signed(out, d, signed_argument(args, d->length));
		return true;
	case 'u':
	case 'o':
	case 'x':
	case 'X':
		format_unsigned(out, d, unsigned_argument(args, d->length));
		return true;
	case 'p':
		format_unsigned(out, d, (uintptr_t)va_arg(args->list, void *));
		return true;
	case 's':
		format_string(out, d, va_arg(args->list, const char *));
		return true;
	case 'c':
		c = (char)va_arg(args->list, int);
		emit_padded(out, d, &c, 1);
		return true;
	case '%':
		emit(out, "%", 1);
		return true;
	default:
		return false;
	}
}

static void format_text(struct output *out, const char *text, struct arguments *args)
{
	while (*text) {
		const char *start = text;
		struct directive d = {.conversion = 0};

		while (*text && *text != '%')
			text++;
		emit(out, start, (size_t)(text - start));
		if (!*text)
			return;

		start = text++;
		parse_flags(&text, &d);
		parse_width(&text, &d, args);
		parse_precision(&text, &d, args);
		d.length = parse_length(&text);
		d.conversion = *text;
		if (!format_directive(out, &d, args)) {
			emit(out, start, strlen(start));
			return;
		}
		text++;
	}
}

size_t vformat(char *buffer, size_t size, const char *text, va_list args)
{
	struct output out = {.buffer = buffer, .size = size};
	struct arguments arguments;

	va_copy(arguments.list, args);
	format_text(&out, text, &arguments);
	va_end(arguments.list);

	if (size)
		buffer[out.length < size ? out.length : size - 1] = '\0';
	return out.length;
}

size_t format(char *buffer, size_t size, const char *text, ...)
{
	size_t length;
	va_list args;

	va_start(args, text);
	length = vformat(buffer, size, text, args);
	va_end(args);
	return length;
}
