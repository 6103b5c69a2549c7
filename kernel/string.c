/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory and string functions of the C library. gcc and clang also call the first four on their
 * own, for copies of structs and the like, so those must exist under these names.
 */
#include "kernel/string.h"

#include <stdint.h>

/* gcc would recognise in some loops here the very function that they are, and make it call itself.
 */
#ifndef __clang__
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif

/* The fast way for large sizes on every CPU of today. The ABI has DF clear at every call. */
void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	void *target = to;
	size_t quads = size / 8;
	size_t rest = size % 8;

	__asm__ volatile("rep movsq\n\t"
			 "mov %[rest], %%rcx\n\t"
			 "rep movsb"
			 : "+D"(target), "+S"(from), "+c"(quads)
			 : [rest] "r"(rest)
			 : "memory");
	return to;
}

/* A loop: with DF set an NMI's handler would find the direction flag the wrong way round. */
static void copy_backwards(void *to, const void *from, size_t size)
{
	uint8_t *target = to;
	const uint8_t *source = from;

	while (size--)
		target[size] = source[size];
}

void *memmove(void *to, const void *from, size_t size)
{
	/* One comparison for "to lies inside [from, from + size)": otherwise it wraps to a large
	 * number. */
	if ((uintptr_t)to - (uintptr_t)from < size)
		copy_backwards(to, from, size);
	else
		memcpy(to, from, size);
	return to;
}

void *memset(void *to, int byte, size_t size)
{
	void *target = to;
	size_t quads = size / 8;
	size_t rest = size % 8;
	uint64_t pattern = 0x0101010101010101ull * (uint8_t)byte;

	__asm__ volatile("rep stosq\n\t"
			 "mov %[rest], %%rcx\n\t"
			 "rep stosb"
			 : "+D"(target), "+c"(quads)
			 : [rest] "r"(rest), "a"(pattern)
			 : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const uint8_t *x = a;
	const uint8_t *y = b;

	for (size_t i = 0; i < size; i++) {
		if (x[i] != y[i])
			return x[i] - y[i];
	}
	return 0;
}

void *memchr(const void *s, int byte, size_t size)
{
	const uint8_t *x = s;

	for (size_t i = 0; i < size; i++) {
		if (x[i] == (uint8_t)byte)
			return (void *)(uintptr_t)(x + i);
	}
	return NULL;
}

size_t strlen(const char *s)
{
	return strnlen(s, PTRDIFF_MAX);
}

size_t strnlen(const char *s, size_t max)
{
	size_t length = 0;

	while (length < max && s[length])
		length++;
	return length;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, PTRDIFF_MAX);
}

int strncmp(const char *a, const char *b, size_t max)
{
	for (size_t i = 0; i < max; i++) {
		uint8_t x = (uint8_t)a[i];
		uint8_t y = (uint8_t)b[i];

		if (x != y)
			return x - y;
		if (!x)
			break;
	}
	return 0;
}

char *strchr(const char *s, int c)
{
	return memchr(s, c, strlen(s) + 1);
}

char *strrchr(const char *s, int c)
{
	for (size_t i = strlen(s) + 1; i > 0; i--) {
		if (s[i - 1] == (char)c)
			return (char *)(uintptr_t)(s + i - 1);
	}
	return NULL;
}

char *strstr(const char *s, const char *wanted)
{
	size_t length = strlen(wanted);

	for (; strncmp(s, wanted, length) != 0; s++) {
		if (!*s)
			return NULL;
	}
	return (char *)(uintptr_t)s;
}
