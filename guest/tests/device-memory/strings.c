/* SPDX-License-Identifier: BSD-2-Clause */
/* Strings into, out of and across pages without memory, operands across the ends of pages, and the
 * bases of FS and GS. */
#include "guest/lib/guest.h"
#include "guest/tests/device-memory/device-memory.h"

struct row {
	const char *bytes;
	uint8_t size;
	uint64_t rcx, rsi, rdi, rflags;
	const char *kernel, *user; /* NULL: as the processor has it */
};
#define BYTES(text) text, sizeof(text) - 1

/* clang-format off */
static const struct row strings[] = {
	{BYTES("\xa4"),         5,   AT(DEVICE, 8),    AT(MORE, 8),      0,  "done", "done"},
	{BYTES("\xa5"),         5,   AT(MEMORY, 8),    AT(DEVICE, 8),    DF, "done", "done"},
	{BYTES("\x66\xa5"),     5,   AT(DEVICE, 9),    AT(DEVICE, 30),   0,  "done", "done"},
	{BYTES("\xaa"),         5,   AT(DEVICE, 8),    AT(DEVICE, 8),    0,  "done", "done"},
	{BYTES("\xac"),         5,   AT(DEVICE, 8),    AT(DEVICE, 8),    DF, "done", "done"},
	{BYTES("\x66\xad"),     5,   AT(DEVICE, 8),    AT(DEVICE, 8),    0,  "done", "done"},
	{BYTES("\xae"),         5,   AT(DEVICE, 8),    AT(DEVICE, 8),    0,  "done", "done"},
	{BYTES("\xa7"),         5,   AT(DEVICE, 8),    AT(MEMORY, 8),    0,  "done", "done"},
	{BYTES("\xf3\xa4"),     300, AT(DEVICE, 8),    AT(MORE, 8),      0,  "done", "done"},
	{BYTES("\xf2\xa4"),     7,   AT(DEVICE, 8),    AT(MORE, 8),      0,  "done", "done"},
	{BYTES("\xf3\xa5"),     7,   AT(DEVICE, 0x88), AT(MORE, 0x88),   DF, "done", "done"},
	{BYTES("\xf3\x66\xa5"), 16,  AT(MEMORY, 0xff1), AT(MORE, 3),     0,  "done", "done"},
	{BYTES("\xf3\xa5"),     16,  AT(DEVICE, 0xff1), AT(MEMORY, 3),   0,  "done", "done"},
	{BYTES("\xf3\xa4"),     16,  AT(MEMORY, 0x10), AT(MEMORY, 0xff8), 0, "done", "done"},
	{BYTES("\xf3\xa4"),     16,  AT(MEMORY, 0x10), AT(DEVICE, 0xff8), 0, "done", "done"},
	{BYTES("\xf3\xaa"),     16,  AT(MEMORY, 0x10), AT(DEVICE, 0xff8), 0, "done", "done"},
	{BYTES("\xf3\xab"),     16,  AT(MEMORY, 0x10), AT(MORE, 0x12),   DF, "done", "done"},
	{BYTES("\xf3\xac"),     16,  AT(MEMORY, 0xff8), AT(MORE, 0x12),  0,  "done", "done"},
	{BYTES("\xf3\xa6"),     16,  AT(DEVICE, 0xff8), AT(DEVICE, 0x12), 0, "done", "done"},
	{BYTES("\xf2\xa6"),     16,  AT(DEVICE, 0xff8), AT(DEVICE, 0x12), 0, "done", "done"},
	{BYTES("\xf3\xa7"),     16,  AT(DEVICE, 0x18), AT(DEVICE, 0x12), 0,  "done", "done"},
	{BYTES("\xf2\xae"),     16,  AT(DEVICE, 0xff8), AT(MEMORY, 0xff8), 0, "done", "done"},
	{BYTES("\xf3\xae"),     16,  AT(DEVICE, 0xff8), AT(DEVICE, 0xff8), 0, "done", "done"},
	{BYTES("\xf3\xa4"),     0,   AT(DEVICE, 8),    AT(DEVICE, 8),    0,  "done", "done"},
	{BYTES("\x26\xf3\xa4"), 3,   AT(DEVICE, 8),    AT(MORE, 8),      0,  "done", "done"},
	{BYTES("\xf3\xa4"),     3,   AT(DEVICE, 8),    AT(MORE, 8),      TF, NULL,   NULL},
	{BYTES("\xf3\xa4"),     1,   AT(DEVICE, 8),    AT(MORE, 8),      TF, NULL,   NULL},
	{BYTES("\xf3\xa6"),     3,   AT(DEVICE, 8),    AT(DEVICE, 8),    TF, NULL,   NULL},
	{BYTES("\xa4"),         1,   AT(DEVICE, 8),    AT(MORE, 8),      TF, NULL,   NULL},
	/* To the read-only page, the supervisor's and the absent one. */
	{BYTES("\xf3\xa4"),     16,  AT(DEVICE, 8),    AT(MORE, 0xff8),  0,  "#PF(3)", "#PF(7)"},
	{BYTES("\xf3\xa4"),     16,  AT(MORE, 8),      AT(READ_ONLY, 4), 0,  "#PF(3)", "#PF(7)"},
	{BYTES("\xf3\xaa"),     16,  AT(MORE, 8),      AT(MORE, 0xffa),  0,  "#PF(3)", "#PF(7)"},
	{BYTES("\xf3\xa5"),     16,  AT(READ_ONLY, 0xff2), AT(MORE, 8),  0,  "done",   "#PF(5)"},
	{BYTES("\xf3\xa4"),     16,  AT(KERNEL, 0xff8), AT(MORE, 8),     0,  "#PF(0)", "#PF(5)"},
	{BYTES("\xf3\xab"),     16,  AT(KERNEL, 8),    AT(KERNEL, 0xff3), 0, "#PF(2)", "#PF(7)"},
	{BYTES("\xf3\xa6"),     16,  AT(DEVICE, 8),    AT(KERNEL, 0xff8), 0, "#PF(0)", "#PF(5)"},
	{BYTES("\xf3\xa4"),     16,  AT(ABSENT, 3),    AT(DEVICE, 8),    DF, "#PF(0)", "#PF(4)"},
	{BYTES("\xa5"),         16,  AT(DEVICE, 3),    AT(MORE, 0xfff),  0,  "#PF(3)", "#PF(7)"},
	{BYTES("\x66\xad"),     16,  AT(KERNEL, 0xfff), AT(MORE, 0xfff), 0,  "#PF(0)", "#PF(5)"},
};

/* Operands across the ends of pages. RSI is for [SI]. */
static const struct row across[] = {
	{BYTES("\x66\x8b\x04"), 0, AT(MEMORY, 0xfff), 0, 0, "done", "done"},
	{BYTES("\x66\x89\x04"), 0, AT(MEMORY, 0xfff), 0, 0, "done", "done"},
	{BYTES("\x01\x04"),     0, AT(DEVICE, 0xfff), 0, 0, "done", "done"},
	{BYTES("\x0f\xc1\x0c"), 0, AT(DEVICE, 0xfff), 0, 0, "done", "done"},
	{BYTES("\x87\x0c"),     0, AT(MEMORY, 0xfff), 0, 0, "done", "done"},
	{BYTES("\x8b\x04"),     0, AT(READ_ONLY, 0x8), 0, 0, "done", "done"},
	{BYTES("\x88\x04"),     0, AT(READ_ONLY, 0x8), 0, 0, "#PF(3)", "#PF(7)"},
	{BYTES("\x08\x04"),     0, AT(READ_ONLY, 0x8), 0, 0, "#PF(3)", "#PF(7)"},
	{BYTES("\x87\x04"),     0, AT(READ_ONLY, 0x8), 0, 0, "#PF(3)", "#PF(7)"},
	{BYTES("\x0f\xb0\x0c"), 0, AT(READ_ONLY, 0x8), 0, 0, "#PF(3)", "#PF(7)"},
	{BYTES("\x0f\xba\x24\x03"), 0, AT(READ_ONLY, 0x8), 0, 0, "done", "done"},
	{BYTES("\x84\x04"),     0, AT(READ_ONLY, 0x8), 0, 0, "done", "done"},
	{BYTES("\x8b\x04"),     0, AT(READ_ONLY, 0xfff), 0, 0, "done", "#PF(5)"},
	{BYTES("\x89\x04"),     0, AT(MORE, 0xfff), 0, 0, "#PF(3)", "#PF(7)"},
	{BYTES("\x8b\x04"),     0, AT(KERNEL, 0xfff), 0, 0, "#PF(0)", "#PF(5)"},
	{BYTES("\x29\x04"),     0, AT(KERNEL, 0xfff), 0, 0, "#PF(2)", "#PF(7)"},
};
/* clang-format on */

/*
 * Bochs pushes RF as 0 between the elements of a repeated instruction, and leaves the flags of the
 * last comparison when a fault ends CMPS, where the SDM ("REP") has those from before it.
 */
static uint64_t not_compared(const struct row *row)
{
	bool compares = (row->bytes[row->size - 1] & 0xfe) == 0xa6;

	if (row->rflags & TF)
		return RF;
	return compares && row->kernel && row->kernel[0] == '#' ? CF | PF | AF | ZF | SF | OF : 0;
}

static void run_rows(enum place place, const struct row *list, unsigned count, bool strings_too)
{
	uint64_t base = place_bits(place) == 64 ? WINDOW : 0;

	for (unsigned i = 0; i < count; i++) {
		const struct row *row = &list[i];
		uint8_t code[8] = {0};
		unsigned size = row->size;
		struct machine m;

		init(&m, place);
		for (unsigned j = 0; j < size; j++)
			code[j] = (uint8_t)row->bytes[j];
		/* [SI] is rm 4 in 16-bit code, and 6 elsewhere. */
		if (!strings_too && place_bits(place) != 16)
			code[size - 1 - (code[1] == 0xba)] |= 2;
		if (strings_too)
			m.rcx = row->rcx;
		m.rsi = base + row->rsi;
		m.rdi = base + row->rdi;
		m.rflags |= row->rflags;
		run(&m, place, code, size, not_compared(row), true,
		    place_cpl(place) == 3 ? row->user : row->kernel, "string");
	}
}

/* Limits, and pointers that wrap or are wider than the address. */
static void limits(enum place place)
{
	/* clang-format off */
	static const struct row rows[] = {
		{BYTES("\xf3\xac"), 30, AT(DEVICE, 8), 0, 0, "#GP(0)", "#GP(0)"},
		{BYTES("\xf3\x66\xad"), 30, AT(DEVICE, 9), 0, 0, "#GP(0)", "#GP(0)"},
		{BYTES("\x66\xad"), 30, AT(DEVICE, 23), 0, 0, "#GP(0)", "#GP(0)"},
		{BYTES("\xf3\xa6"), 30, AT(DEVICE, 4), AT(DEVICE, 2), 0, "#GP(0)", "#GP(0)"},
	};
	/* clang-format on */

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct machine m;

		init(&m, place);
		m.ds = SEL_TEST + 8 * SMALL_DATA + place_cpl(place);
		m.rcx = rows[i].rcx;
		m.rsi = rows[i].rsi;
		m.rdi = rows[i].rdi;
		run(&m, place, (const uint8_t *)rows[i].bytes, rows[i].size, not_compared(&rows[i]),
		    false, rows[i].kernel, "limit");
	}
}

/* 67: shorter addresses, of which the upper halves of the registers are no part. */
static void short_addresses(enum place place)
{
	/* clang-format off */
	static const struct row rows[] = {
		{BYTES("\x67\xf3\xa4"), 9, AT(DEVICE, 8), AT(MORE, 8), 0, "done", "done"},
		{BYTES("\x67\xf3\xab"), 9, 0, AT(DEVICE, 0xff0), 0, "done", "done"},
		{BYTES("\x67\xf2\xae"), 9, 0, AT(DEVICE, 0xff0), DF, "done", "done"},
		{BYTES("\x67\xac"), 9, AT(DEVICE, 0xff0), 0, DF, "done", "done"},
		{BYTES("\x67\xf3\xa4"), 16, AT(DEVICE, 8), AT(MORE, 0xff8), 0, "#PF(3)", "#PF(7)"},
	};
	/* clang-format on */
	uint64_t above = place_bits(place) == 64 ? 0x7700000000 : 0x550000;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct machine m;

		init(&m, place);
		m.rcx = above + rows[i].rcx;
		m.rsi = above + (place_bits(place) == 64 ? WINDOW : 0) + rows[i].rsi;
		m.rdi = above + (place_bits(place) == 64 ? WINDOW : 0) + rows[i].rdi;
		m.rflags |= rows[i].rflags;
		run(&m, place, (const uint8_t *)rows[i].bytes, rows[i].size, 0, true,
		    place_cpl(place) == 3 ? rows[i].user : rows[i].kernel, "67");
	}
}

void device_strings(enum place place)
{
	run_rows(place, strings, sizeof(strings) / sizeof(strings[0]), true);
	if (place != V86 && place_bits(place) != 64)
		limits(place);
	if (place_bits(place) != 16)
		short_addresses(place);
	tell(place, "strings");
	run_rows(place, across, sizeof(across) / sizeof(across[0]), false);
	tell(place, "across pages");
}

/* --- Bases of FS and GS in 64-bit mode --- */

#define FS_BASE 0xc0000100

CODE64(fs_read, "wrmsr\n mov %fs:(%rsi), %eax\n");
CODE64(gs_write, "inc %ecx\n wrmsr\n mov %eax, %gs:(%rdi)\n mov %gs:(%rdi), %eax\n");
CODE64(fs_movs, "wrmsr\n mov $5, %ecx\n fs rep movsb\n");
CODE64(fs_outs, "wrmsr\n mov $5, %ecx\n mov $0x2a0, %edx\n fs rep outsb\n");
CODE64(fs_short, "wrmsr\n mov %fs:(%esi), %eax\n");
CODE64(fs_outs_short, "wrmsr\n mov $5, %ecx\n mov $0x2a0, %edx\n fs addr32 rep outsb\n");

CODE32(compat_read, "wrmsr\n mov %fs:(%esi), %eax\n");
CODE32(compat_movs, "wrmsr\n mov $5, %ecx\n fs rep movsb\n");
CODE32(compat_outs, "wrmsr\n mov $5, %ecx\n mov $0x2a0, %edx\n fs rep outsb\n");

static void with_base(enum place place, uint64_t base, uint64_t rsi, const uint8_t *code,
		      const uint8_t *end, const char *wanted, const char *name)
{
	struct machine m;

	init(&m, place);
	m.fs = place == LONG64 ? 0 : SEL_DATA;
	m.rcx = FS_BASE;
	m.rax = (uint32_t)base;
	m.rdx = base >> 32;
	m.rsi = m.rdi = rsi;
	if (code == fs_movs)
		m.rdi = WINDOW + AT(MORE, 8);
	if (code == compat_movs)
		m.rdi = AT(MORE, 8);
	run(&m, place, code, (unsigned)(end - code), 0, true, wanted, name);
}
#define WITH_BASE(name, base, rsi, wanted)                                                         \
	with_base(LONG64, base, rsi, name, name##_end, wanted, #name)
#define COMPAT_BASE(name, base, rsi) with_base(COMPAT32, base, rsi, name, name##_end, "done", #name)

void device_bases(void)
{
	static const uint64_t at[] = {WINDOW + HERE, WINDOW + AT(MEMORY, 0xffe)};

	for (unsigned i = 0; i < 2; i++) {
		WITH_BASE(fs_read, 0x10, at[i] - 0x10, "done");
		WITH_BASE(fs_read, -0x10ull, at[i] + 0x10, "done");
		WITH_BASE(gs_write, 1ull << 40, at[i] - (1ull << 40), "done");
		WITH_BASE(fs_movs, -0x10ull, at[i] + 0x10, "done");
		WITH_BASE(fs_outs, -0x10ull, at[i] + 0x10, "done");
		WITH_BASE(fs_outs, 0x7fffffffffff, at[i] - 0x7fffffffffff, "done");
		WITH_BASE(fs_short, -0x10ull, at[i] + 0x7700000010, "done");
		WITH_BASE(fs_outs_short, -0x10ull, at[i] + 0x7700000010, "done");
	}
	WITH_BASE(fs_read, 0x7ffffffffff0, 0x10, "#GP(0) at +2");
	WITH_BASE(fs_outs, 0x7ffffffffff0, 0x10, "#GP(0) at +c");
	WITH_BASE(fs_outs_short, 0x7fffffff0000, 0xfffffff0, "#GP(0) at +c");
	WITH_BASE(fs_outs_short, 1ull << 32, at[0], "#PF(0) at +c");
	tell(LONG64, "bases of FS and GS");
	/* Addresses have 32 bits in compatibility mode, whatever a base has. */
	for (unsigned i = 0; i < 2; i++) {
		COMPAT_BASE(compat_read, 0x700000010, at[i] - 0x10);
		COMPAT_BASE(compat_read, 0x7fffffffff80, at[i] + 0x80);
		COMPAT_BASE(compat_movs, 0x700000010, at[i] - 0x10);
		COMPAT_BASE(compat_outs, 0x700000010, at[i] - 0x10);
		COMPAT_BASE(compat_outs, 0x7fffffffff80, at[i] + 0x80);
	}
	tell(COMPAT32, "bases of FS beyond 32 bits");
}
