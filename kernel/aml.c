/* SPDX-License-Identifier: BSD-2-Clause */
/* Searches ACPI's byte code for the package of the soft-off state (ACPI: "AML Byte Stream Byte
 * Values"). */
#include "kernel/aml.h"

#include "kernel/string.h"

enum aml_opcode {
	AML_ZERO = 0x00,
	AML_ONE = 0x01,
	AML_NAME = 0x08,
	AML_BYTE = 0x0a,
	AML_WORD = 0x0b,
	AML_DWORD = 0x0c,
	AML_QWORD = 0x0e,
	AML_PACKAGE = 0x12,
	AML_ROOT = 0x5c, /* '\', before a name */
};

#define SLEEP_TYPE_MAX 7 /* SLP_TYP has three bits */

/* Byte code from `at` on; reading beyond `end` gives false. */
struct cursor {
	const uint8_t *at;
	const uint8_t *end;
};

static bool take_byte(struct cursor *c, uint8_t *byte)
{
	if (c->at == c->end)
		return false;
	*byte = *c->at++;
	return true;
}

/* A PkgLength: the top bits of its first byte tell how many more there are. It counts from its own
 * first byte. */
static bool take_package_length(struct cursor *c)
{
	const uint8_t *start = c->at;
	uint8_t lead, byte;
	uint32_t length;

	if (!take_byte(c, &lead))
		return false;
	length = lead >> 6 ? lead & 0x0fu : lead & 0x3fu;
	for (unsigned i = 0; i < lead >> 6; i++) {
		if (!take_byte(c, &byte))
			return false;
		length |= (uint32_t)byte << (4 + 8 * i);
	}
	if (length > (uint32_t)(c->end - start) || length < (uint32_t)(c->at - start))
		return false;
	c->end = start + length;
	return true;
}

static bool take_integer(struct cursor *c, uint64_t *value)
{
	unsigned size;
	uint8_t byte;

	*value = 0;
	if (!take_byte(c, &byte))
		return false;
	switch (byte) {
	case AML_ZERO:
		return true;
	case AML_ONE:
		*value = 1;
		return true;
	case AML_BYTE:
		size = 1;
		break;
	case AML_WORD:
		size = 2;
		break;
	case AML_DWORD:
		size = 4;
		break;
	case AML_QWORD:
		size = 8;
		break;
	default:
		return false;
	}
	for (unsigned i = 0; i < size; i++) {
		if (!take_byte(c, &byte))
			return false;
		*value |= (uint64_t)byte << (8 * i);
	}
	return true;
}

static bool take_sleep_package(struct cursor c, uint8_t *s5_a, uint8_t *s5_b)
{
	uint8_t opcode, count;
	uint64_t a, b;

	if (!take_byte(&c, &opcode) || opcode != AML_PACKAGE || !take_package_length(&c) ||
	    !take_byte(&c, &count) || count == 0 || !take_integer(&c, &a))
		return false;
	if (count == 1) { /* both in one number, as some old firmware has it */
		b = a >> 8;
		a &= 0xff;
	} else if (!take_integer(&c, &b)) {
		return false;
	}
	if (a > SLEEP_TYPE_MAX || b > SLEEP_TYPE_MAX)
		return false;
	*s5_a = (uint8_t)a;
	*s5_b = (uint8_t)b;
	return true;
}

bool aml_find_s5(const uint8_t *code, uint32_t size, uint8_t *s5_a, uint8_t *s5_b)
{
	for (uint32_t i = 1; size >= 4 && i <= size - 4; i++) {
		bool named = code[i - 1] == AML_NAME ||
			     (code[i - 1] == AML_ROOT && i > 1 && code[i - 2] == AML_NAME);

		if (named && !memcmp(code + i, "_S5_", 4) &&
		    take_sleep_package((struct cursor){code + i + 4, code + size}, s5_a, s5_b))
			return true;
	}
	return false;
}
