/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * INS and OUTS in every mode: sizes, counts, segments, direction, addresses that wrap, and faults
 * in the middle, with what the registers, the memory and the device have come to by then.
 */
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"

/* 1: a line for each instruction, to find the one that differs. */
#define TELL_ALL 0

#define DF     0x400
#define TF     0x100
#define IOPL_3 0x3000

/*
 * The palette of a VGA: bytes one after another. Its graphics controller: words of index and data.
 * PCI's address: 32 bits.
 */
#define DAC_READ_AT  0x3c7
#define DAC_WRITE_AT 0x3c8
#define DAC_DATA     0x3c9
#define GRAPHICS     0x3ce
#define PCI_ADDRESS  0xcf8
#define NOBODY       0x2a0
#define FIRST        3 /* of the colours in use */
#define COLOURS      4

/* Pages: writable, read-only, absent, the supervisor's, writable, absent. */
#define WINDOW       0x30000
#define WINDOW_PAGES 6
#define PAGE         0x1000
#define DATA_SIZE    0x240 /* that may change in TEST_DATA */

/* Writable parts of the window that may change. */
static const uint16_t edges[] = {0, 0xff8 - 8, 0x3000, 0x4000 - 8, 0x4ff0};

/* Descriptors of the test. */
#define WINDOW_DATA            0 /* 64 KiB from WINDOW on */
#define SMALL_DATA             1 /* 100h bytes of TEST_DATA */
#define DOWN_DATA              2 /* TEST_DATA, expand-down, from 100h on */
#define READ_ONLY              3
#define NO_READ                4
#define BASED                  5 /* 64 KiB from BASE on, for FS and GS */
#define BASE                   0x20
#define SELECTOR(index, place) ((uint64_t)SEL_TEST + 8 * (index) + place_cpl(place))

static uint32_t table32[1024] __attribute__((aligned(PAGE)));
static uint64_t table64[512] __attribute__((aligned(PAGE)));

static void map_window(void)
{
	static const uint8_t rights[WINDOW_PAGES] = {7, 5, 0, 3, 7, 0};

	for (uint32_t i = 0; i < 1024; i++) {
		uint32_t page = i - WINDOW / PAGE;
		uint32_t entry = i * PAGE | (page < WINDOW_PAGES ? rights[page] : 7);

		table32[i] = entry;
		if (i < 512)
			table64[i] = entry;
	}
	machine_directory32[0] = (uint32_t)(uint64_t)table32 | 7;
	directories[0] = (uint64_t)table64 | 7;
	write_cr3(read_cr3());
}

static void make_descriptors(enum place place)
{
	uint32_t user = place_cpl(place) == 3 ? ACCESS_USER : 0;

	descriptor_set(WINDOW_DATA, WINDOW, 0xffff, ACCESS_DATA | user);
	descriptor_set(SMALL_DATA, TEST_DATA, 0xff, ACCESS_DATA | user);
	descriptor_set(DOWN_DATA, TEST_DATA, 0xff, ACCESS_DATA | 4 | ACCESS_BIG | user);
	descriptor_set(READ_ONLY, TEST_DATA, 0xfff, 0x91 | user);
	descriptor_set(NO_READ, 0, 0xffff,
		       0x99 | user | (place_bits(place) == 32 ? ACCESS_BIG : 0));
	descriptor_set(BASED, BASE, 0xffff, ACCESS_DATA | user);
}

static bool by_selector(enum place place)
{
	return place == REAL || place == UNREAL || place == V86;
}

/* What the data of both sides has come to. */
static uint32_t digest, all_rows;
static unsigned rows;

static void add(uint32_t value)
{
	digest = (digest ^ value) * 16777619;
}

/* What a picture of text does not depend on: the bytes of all data, so that no OUTS does harm. */
static const uint8_t indices[] = {0, 1, 2, 3, 7, 8, 7, 2};

static uint8_t pattern(unsigned i)
{
	return indices[(i * 0x9e3779b1u) >> 29];
}

static bool is_ins; /* the instruction under test */

static void fill(void)
{
	static uint8_t colours[3 * COLOURS];
	const uint8_t *from = colours;
	uint64_t count = sizeof(colours);

	for (unsigned i = 0; i < 3 * COLOURS; i++)
		colours[i] = (uint8_t)(i + 0x11) & 0x3f;
	for (unsigned i = 0; i < DATA_SIZE; i++)
		*memory8(TEST_DATA + i) = pattern(i);
	for (unsigned i = 0xffe0; i < 0x10020; i++)
		*memory8(i) = pattern(i);
	for (unsigned i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
		for (unsigned j = 0; j < 16; j++)
			*memory8(WINDOW + edges[i] + j) = pattern(16 * i + j);
	out8(DAC_WRITE_AT, FIRST);
	asm volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(DAC_DATA));
	for (unsigned i = 0; i < sizeof(indices); i++)
		out16(GRAPHICS, (uint16_t)(indices[i] | 5 << 8));
	out32(PCI_ADDRESS, 0x80123454);
	out8(is_ins ? DAC_READ_AT : DAC_WRITE_AT, FIRST);
}

static void take_digest(void)
{
	uint8_t colours[3 * COLOURS], *to = colours;
	uint64_t count = sizeof(colours);

	digest = 0;
	if (is_ins)
		add(in8(DAC_DATA)); /* how many it has taken */
	out8(DAC_READ_AT, FIRST);
	asm volatile("rep insb" : "+D"(to), "+c"(count) : "d"(DAC_DATA) : "memory");
	for (unsigned i = 0; i < sizeof(colours); i++)
		add(colours[i] & 0x3f); /* Bochs keeps all bits */
	if (is_ins)
		add(in16(GRAPHICS));
	for (unsigned i = 0; i < sizeof(indices); i++) {
		out8(GRAPHICS, indices[i]);
		add(in8(GRAPHICS + 1));
	}
	add(in32(PCI_ADDRESS) & 0x80fffffc); /* there too */
	for (unsigned i = 0; i < DATA_SIZE; i++)
		add(*memory8(TEST_DATA + i));
	for (unsigned i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
		for (unsigned j = 0; j < 16; j++)
			add(*memory8(WINDOW + edges[i] + j));
}

struct row {
	const char *name, *bytes;
	uint8_t size;
	uint16_t port;
	uint64_t rcx, rsi, rdi, rflags;
	const char *wanted; /* NULL: done */
};
#define BYTES(text) text, sizeof(text) - 1

/* The device for the size of a word, which prefixes and the mode tell. */
static uint16_t port_for(enum place place, const struct row *row)
{
	bool wide = place_bits(place) != 16;

	for (unsigned i = 0; i < row->size; i++)
		if (row->bytes[i] == 0x66)
			wide = !wide;
	return wide ? PCI_ADDRESS : GRAPHICS;
}

static void run(struct machine *m, enum place place, const struct row *row)
{
	const char *how, *wanted = row->wanted ? row->wanted : "done";

	m->rcx = row->rcx;
	m->rsi = row->rsi;
	m->rdi = row->rdi;
	m->rdx = row->port != DAC_DATA && row->port != NOBODY ? port_for(place, row) : row->port;
	m->rflags |= row->rflags | IOPL_3;
	is_ins = (row->bytes[row->size - 1] & ~1) == 0x6c;
	fill();
	m->cr2 = 0;
	how = machine_try(m, row->bytes, row->bytes + row->size);
	take_digest();
	if (m->vector == 14)
		add((uint32_t)m->cr2);
	add((uint32_t)m->rcx ^ (uint32_t)(m->rcx >> 16));
	add((uint32_t)m->rsi ^ (uint32_t)(m->rsi >> 16));
	add((uint32_t)m->rdi ^ (uint32_t)(m->rdi >> 16));
	rows++;
	all_rows = (all_rows ^ digest) * 16777619;
	if (TELL_ALL || !same(how, wanted))
		check(same(how, wanted), "%s: %s: %s, cx %lx si %lx di %lx cr2 %lx, data %x",
		      place_name(place), row->name, how, m->rcx, m->rsi, m->rdi, m->cr2, digest);
}

static void tell(enum place place, const char *what)
{
	check(true, "%s: %s: %u instructions, and what they left is %x", place_name(place), what,
	      rows, all_rows);
	rows = all_rows = 0;
}

/* --- Data --- */

/* clang-format off */
#define HERE (TEST_DATA + 0x10)
static const struct row data[] = {
	{"OUTSB",               BYTES("\x6e"),             DAC_DATA, 5, HERE, HERE, 0, NULL},
	{"OUTSW",               BYTES("\x6f"),             GRAPHICS, 5, HERE, HERE, 0, NULL}, /* the ports for words go by their size */
	{"66 OUTSW",            BYTES("\x66\x6f"),         PCI_ADDRESS, 5, HERE, HERE, 0, NULL},
	{"INSB",                BYTES("\x6c"),             DAC_DATA, 5, HERE, HERE, 0, NULL},
	{"INSW",                BYTES("\x6d"),             GRAPHICS, 5, HERE, HERE, 0, NULL},
	{"66 INSW",             BYTES("\x66\x6d"),         PCI_ADDRESS, 5, HERE, HERE, 0, NULL},
	{"REP OUTSB",           BYTES("\xf3\x6e"),         DAC_DATA, 7, HERE, HERE, 0, NULL},
	{"REPNE OUTSB",         BYTES("\xf2\x6e"),         DAC_DATA, 7, HERE, HERE, 0, NULL},
	{"REP OUTSB down",      BYTES("\xf3\x6e"),         DAC_DATA, 7, HERE, HERE, DF, NULL},
	{"REP OUTSW",           BYTES("\xf3\x6f"),         GRAPHICS, 3, HERE, HERE, 0, NULL},
	{"REP 66 OUTSW down",   BYTES("\xf3\x66\x6f"),     PCI_ADDRESS, 3, HERE, HERE, DF, NULL},
	{"REP INSB",            BYTES("\xf3\x6c"),         DAC_DATA, 7, HERE, HERE, 0, NULL},
	{"REP INSB down",       BYTES("\xf3\x6c"),         DAC_DATA, 7, HERE, HERE, DF, NULL},
	{"REP INSW",            BYTES("\xf3\x6d"),         GRAPHICS, 3, HERE, HERE, 0, NULL},
	{"REP 66 INSW down",    BYTES("\xf3\x66\x6d"),     PCI_ADDRESS, 3, HERE, HERE, DF, NULL},
	{"REP OUTSB of none",   BYTES("\xf3\x6e"),         DAC_DATA, 0, HERE, HERE, 0, NULL},
	{"REP INSB of none",    BYTES("\xf3\x6c"),         DAC_DATA, 0, HERE, HERE, 0, NULL},
	{"67 REP OUTSB",        BYTES("\x67\xf3\x6e"),     DAC_DATA, 7, HERE, HERE, 0, NULL},
	{"67 REP INSB",         BYTES("\x67\xf3\x6c"),     DAC_DATA, 7, HERE, HERE, 0, NULL},
	{"REP INSB of 520",     BYTES("\xf3\x6c"),         NOBODY, 520, HERE, HERE, 0, NULL},
	{"REP OUTSB of 520",    BYTES("\xf3\x6e"),         DAC_DATA, 520, HERE, HERE, 0, NULL},
	{"REP 66 INSW of 130",  BYTES("\xf3\x66\x6d"),     NOBODY, 130, HERE, HERE, 0, NULL},
	{"ES OUTSB",            BYTES("\x26\x6e"),         DAC_DATA, 5, HERE, HERE, 0, NULL},
	{"CS OUTSB",            BYTES("\x2e\x6e"),         DAC_DATA, 5, HERE, HERE, 0, NULL},
	{"SS OUTSB",            BYTES("\x36\x6e"),         DAC_DATA, 5, HERE, HERE, 0, NULL},
	{"FS REP OUTSB",        BYTES("\x64\xf3\x6e"),     DAC_DATA, 5, HERE, HERE, 0, NULL},
	{"GS FS OUTSB",         BYTES("\x65\x64\x6e"),     DAC_DATA, 5, HERE, HERE, 0, NULL},
	{"FS INSB",             BYTES("\x64\x6c"),         DAC_DATA, 5, HERE, HERE, 0, NULL},
	{"REP OUTSB with TF",   BYTES("\xf3\x6e"),         DAC_DATA, 3, HERE, HERE, TF, "#DB(4000)"},
	{"last OUTSB with TF",  BYTES("\xf3\x6e"),         DAC_DATA, 1, HERE, HERE, TF, "#DB(4000) at +2"},
	{"no OUTSB with TF",    BYTES("\xf3\x6e"),         DAC_DATA, 0, HERE, HERE, TF, "#DB(4000) at +2"},
	{"REP INSB with TF",    BYTES("\xf3\x6c"),         DAC_DATA, 3, HERE, HERE, TF, "#DB(4000)"},
	{"LOCK OUTSB",          BYTES("\xf0\x6e"),         DAC_DATA, 5, HERE, HERE, 0, "#UD"},
	{"LOCK INSB",           BYTES("\xf0\x6c"),         DAC_DATA, 5, HERE, HERE, 0, "#UD"},
};

/* Registers wider than the addresses. */
static const struct row wide16[] = {
	{"REP OUTSB",           BYTES("\xf3\x6e"),         DAC_DATA, 0x70003, 0x80000 + HERE, 0, 0, NULL},
	{"REP OUTSB, CX 0",     BYTES("\xf3\x6e"),         DAC_DATA, 0x70000, 0x80000 + HERE, 0, 0, NULL},
	{"REP OUTSB, wraps",    BYTES("\xf3\x6e"),         DAC_DATA, 4, 0xfffe, 0, 0, NULL},
	{"OUTSB down, wraps",   BYTES("\x6e"),             DAC_DATA, 4, 0, 0, DF, NULL},
	{"REP INSB, wraps",     BYTES("\xf3\x6c"),         DAC_DATA, 4, 0, 0x7fffe, 0, NULL},
};
static const struct row wide16_faults[] = {
	{"OUTSW at FFFF",       BYTES("\x6f"),             GRAPHICS, 4, 0xffff, 0, 0, "#GP(0)"},
	{"REP OUTSW, to FFFF",  BYTES("\xf3\x6f"),         GRAPHICS, 4, 0xfffb, 0, 0, "#GP(0)"},
	{"INSW at FFFF",        BYTES("\x6d"),             GRAPHICS, 4, 0, 0xffff, 0, "#GP(0)"},
	{"66 INSW at FFFD",     BYTES("\x66\x6d"),         PCI_ADDRESS, 4, 0, 0xfffd, 0, "#GP(0)"},
	{"67 OUTSB, far",       BYTES("\x67\x6e"),         DAC_DATA, 4, 0x10000, 0, 0, "#GP(0)"},
	{"67 REP OUTSB to far", BYTES("\x67\xf3\x6e"),     DAC_DATA, 4, 0xfffe, 0, 0, "#GP(0)"},
	{"67 SS OUTSB, far",    BYTES("\x67\x36\x6e"),     DAC_DATA, 4, 0x10000, 0, 0, "#SS(0)"},
	{"67 INSB, far",        BYTES("\x67\x6c"),         DAC_DATA, 4, 0, 0x10000, 0, "#GP(0)"},
};
static const struct row wide32[] = {
	{"67 REP OUTSB",        BYTES("\x67\xf3\x6e"),     DAC_DATA, 0x70003, 0x80000 + HERE, 0, 0, NULL},
	{"67 REP OUTSB, CX 0",  BYTES("\x67\xf3\x6e"),     DAC_DATA, 0x70000, 0x80000 + HERE, 0, 0, NULL},
	{"67 REP OUTSB, wraps", BYTES("\x67\xf3\x6e"),     DAC_DATA, 4, 0xfffe, 0, 0, NULL},
	{"67 OUTSB down, wraps", BYTES("\x67\x6e"),        DAC_DATA, 4, 0, 0, DF, NULL},
	{"67 66 OUTSW at FFFF", BYTES("\x67\x66\x6f"),     GRAPHICS, 4, 0xffff, 0, 0, NULL},
};
static const struct row wide64[] = {
	{"67 REP OUTSB",        BYTES("\x67\xf3\x6e"),     DAC_DATA, 0x700000003, 0x800000000 + HERE, 0, 0, NULL},
	{"67 REP OUTSB, ECX 0", BYTES("\x67\xf3\x6e"),     DAC_DATA, 0x700000000, 0x800000000 + HERE, 0, 0, NULL},
	{"67 REP INSB, ECX 0",  BYTES("\x67\xf3\x6c"),     DAC_DATA, 0x700000000, 0, 0x800000000 + HERE, 0, NULL},
	{"67 OUTSB",            BYTES("\x67\x6e"),         DAC_DATA, 0x700000000, 0x800000000 + HERE, 0, 0, NULL},
	{"67 REP INSB",         BYTES("\x67\xf3\x6c"),     DAC_DATA, 0x700000003, 0, 0x800000000 + HERE, 0, NULL},
	{"67 OUTSB down, wraps", BYTES("\x67\x6e"),        DAC_DATA, 4, 0, 0, DF, NULL},
	{"OUTSB down, wraps",   BYTES("\x6e"),             DAC_DATA, 4, 0, 0, DF, NULL},
	{"REX.W OUTSW",         BYTES("\x48\x6f"),         PCI_ADDRESS, 4, HERE, 0, 0, NULL},
	{"OUTSB, not canonical", BYTES("\x6e"),            DAC_DATA, 4, 1ull << 47, 0, 0, "#GP(0)"},
	{"OUTSW to there",      BYTES("\x66\x6f"),         GRAPHICS, 4, (1ull << 47) - 1, 0, 0, "#GP(0)"},
	{"SS OUTSB, not canonical", BYTES("\x36\x6e"),     DAC_DATA, 4, 1ull << 47, 0, 0, "#GP(0)"},
	{"FS OUTSB, not canonical", BYTES("\x64\x6e"),     DAC_DATA, 4, (1ull << 47) - 0x20, 0, 0, "#GP(0)"},
	{"INSB, not canonical", BYTES("\x6c"),             DAC_DATA, 4, 0, 0xffff7fffffffffff, 0, "#GP(0)"},
};
/* clang-format on */

static void init(struct machine *m, enum place place)
{
	machine_init(m, place);
	make_descriptors(place);
	m->fs = m->gs = by_selector(place) ? BASE / 16 : SELECTOR(BASED, place);
}

static void run_all(enum place place, const struct row *rows, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct row row = rows[i];
		struct machine m;

		init(&m, place);
		if (place == REAL && row.wanted && row.wanted[3] == '(' && row.wanted[1] != 'D')
			row.wanted = row.wanted[1] == 'S' ? "#SS" : "#GP";
		run(&m, place, &row);
	}
}
#define RUN_ALL(place, rows) run_all(place, rows, sizeof(rows) / sizeof((rows)[0]))

/* --- Segments --- */

enum with {
	DS_SMALL,
	ES_SMALL,
	DS_DOWN,
	ES_DOWN,
	ES_READ_ONLY,
	CS_NO_READ,
	DS_NULL,
	ES_NULL,
	DS_READ_ONLY
};

static void segment(enum place place, enum with with, const char *bytes, uint8_t size,
		    uint64_t count, uint64_t offset, const char *wanted, const char *name)
{
	static const uint8_t indices[] = {
		[DS_SMALL] = SMALL_DATA,   [ES_SMALL] = SMALL_DATA,    [DS_DOWN] = DOWN_DATA,
		[ES_DOWN] = DOWN_DATA,     [ES_READ_ONLY] = READ_ONLY, [CS_NO_READ] = NO_READ,
		[DS_READ_ONLY] = READ_ONLY};
	uint64_t selector = with == DS_NULL || with == ES_NULL ? place_cpl(place)
							       : SELECTOR(indices[with], place);
	struct row row = {name, bytes, size, DAC_DATA, count, offset, offset, 0, wanted};
	struct machine m;

	init(&m, place);
	if (with == ES_SMALL || with == ES_DOWN || with == ES_READ_ONLY || with == ES_NULL)
		m.es = selector;
	else if (with == CS_NO_READ)
		m.cs = selector;
	else
		m.ds = selector;
	if (row.bytes[row.size - 1] & 1)
		row.port = GRAPHICS;
	run(&m, place, &row);
}
#define SEGMENT(with, bytes, count, offset, wanted, name)                                          \
	segment(place, with, bytes, sizeof(bytes) - 1, count, offset, wanted, name)

static void segments(enum place place)
{
	SEGMENT(DS_SMALL, "\xf3\x6e", 8, 0xfc, "#GP(0)", "REP OUTSB to the limit");
	SEGMENT(DS_SMALL, "\xf3\x6e", 4, 0xfc, "done", "REP OUTSB up to the limit");
	SEGMENT(ES_SMALL, "\xf3\x6c", 8, 0xfc, "#GP(0)", "REP INSB to the limit");
	SEGMENT(DS_SMALL, "\xf3\x6f", 8, 0xf9, "#GP(0)", "REP OUTSW across the limit");
	SEGMENT(ES_SMALL, "\xf3\x6d", 8, 0xf9, "#GP(0)", "REP INSW across the limit");
	SEGMENT(DS_DOWN, "\x6e", 8, 0xff, "#GP(0)", "OUTSB below an expand-down segment");
	SEGMENT(DS_DOWN, "\x6e", 8, 0x100, "done", "OUTSB in an expand-down segment");
	if (place_bits(place) == 32)
		SEGMENT(DS_DOWN, "\x6e", 8, 0xb000, "done",
			"OUTSB far up in an expand-down segment");
	SEGMENT(ES_DOWN, "\x6c", 8, 0xff, "#GP(0)", "INSB below an expand-down segment");
	SEGMENT(ES_READ_ONLY, "\x6c", 8, 0, "#GP(0)", "INSB to a read-only segment");
	SEGMENT(DS_READ_ONLY, "\x6e", 8, 0, "done", "OUTSB from a read-only segment");
	SEGMENT(CS_NO_READ, "\x2e\x6e", 8, HERE, "#GP(0)", "OUTSB from an execute-only segment");
	SEGMENT(DS_NULL, "\x6e", 8, HERE, "#GP(0)", "OUTSB from no segment");
	SEGMENT(ES_NULL, "\x6c", 8, HERE, "#GP(0)", "INSB to no segment");
	SEGMENT(DS_NULL, "\xf3\x6e", 0, HERE, "done", "REP OUTSB of none, from no segment");
}

/* --- Pages --- */

static void page(enum place place, const char *bytes, uint8_t size, uint16_t port, uint64_t count,
		 uint64_t offset, uint64_t rflags, const char *wanted, const char *name)
{
	bool small = place_bits(place) == 16;
	struct row row = {name, bytes, size, port, count, offset, offset, rflags, wanted};
	struct machine m;

	init(&m, place);
	if (small)
		m.ds = m.es = by_selector(place) ? WINDOW / 16 : SELECTOR(WINDOW_DATA, place);
	else
		row.rsi = row.rdi = WINDOW + offset;
	run(&m, place, &row);
}
#define PAGES(bytes, port, count, offset, rflags, kernel, user, name)                              \
	page(place, bytes, sizeof(bytes) - 1, port, count, offset, rflags,                         \
	     place_cpl(place) == 3 ? user : kernel, name)

static void pages(enum place place)
{
	PAGES("\xf3\x6e", DAC_DATA, 16, 0xff8, 0, "done", "done", "REP OUTSB, to a read-only page");
	PAGES("\xf3\x6e", DAC_DATA, 16, 0x1ff8, 0, "#PF(0)", "#PF(4)",
	      "REP OUTSB, to an absent page");
	PAGES("\xf3\x6c", DAC_DATA, 16, 0xff8, 0, "#PF(3)", "#PF(7)",
	      "REP INSB, to a read-only page");
	PAGES("\xf3\x6c", DAC_DATA, 16, 0x4ff8, 0, "#PF(2)", "#PF(6)",
	      "REP INSB, to an absent page");
	PAGES("\xf3\x6c", DAC_DATA, 16, 0x3007, DF, "#PF(2)", "#PF(7)",
	      "REP INSB down, to an absent page");
	PAGES("\xf3\x6e", DAC_DATA, 16, 0x4007, DF, "done", "#PF(5)",
	      "REP OUTSB down, to the supervisor's page");
	PAGES("\x6c", DAC_DATA, 16, 0x2000, 0, "#PF(2)", "#PF(6)", "INSB in an absent page");
	if (place_bits(place) == 16) {
		PAGES("\xf3\x6f", GRAPHICS, 8, 0x1ff9, 0, "#PF(0)", "#PF(4)",
		      "REP OUTSW across to an absent page");
		PAGES("\x6d", GRAPHICS, 8, 0xfff, 0, "#PF(3)", "#PF(7)",
		      "INSW across to a read-only page");
		PAGES("\xf3\x6d", GRAPHICS, 8, 0x4ff9, 0, "#PF(2)", "#PF(6)",
		      "REP INSW across to an absent page");
		PAGES("\x6d", GRAPHICS, 8, 0x2fff, 0, "#PF(2)", "#PF(6)",
		      "INSW across from an absent page");
	} else {
		PAGES("\xf3\x66\x6f", GRAPHICS, 8, 0x1ff9, 0, "#PF(0)", "#PF(4)",
		      "REP OUTSW across to an absent page");
		PAGES("\x6d", PCI_ADDRESS, 8, 0xffd, 0, "#PF(3)", "#PF(7)",
		      "INSD across to a read-only page");
		PAGES("\xf3\x6d", PCI_ADDRESS, 8, 0x4ff7, 0, "#PF(2)", "#PF(6)",
		      "REP INSD across to an absent page");
		PAGES("\x66\x6d", GRAPHICS, 8, 0x2fff, 0, "#PF(2)", "#PF(6)",
		      "INSW across from an absent page");
	}
}

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	struct machine m;

	(void)boot_magic;
	(void)boot_info;
	machine_init(&m, REAL);
	map_window();
	for (unsigned i = 0; i < sizeof(machine_tss32.io); i++)
		machine_tss32.io[i] = 0;
	for (enum place place = 0; place < PLACES; place++) {
		if (place == PROTECTED16 || place == PROTECTED32 || place == PAGED16 ||
		    place == PAE32 || place == COMPAT32)
			continue;
		RUN_ALL(place, data);
		if (place_bits(place) == 16) {
			RUN_ALL(place, wide16);
			if (place != UNREAL)
				RUN_ALL(place, wide16_faults);
		} else if (place_bits(place) == 32) {
			RUN_ALL(place, wide32);
		} else {
			RUN_ALL(place, wide64);
		}
		tell(place, "data");
		if (!by_selector(place) && place_bits(place) != 64) {
			segments(place);
			tell(place, "segments");
		}
		if (place != REAL && place != UNREAL) {
			pages(place);
			tell(place, "pages");
		}
	}
	pages(PAE32);
	tell(PAE32, "pages");
	return checks_done();
}
