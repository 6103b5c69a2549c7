/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rights to pages: user and supervisor, read-only with and without CR0.WP, SMAP, protection keys,
 * and alignment checks. What Plinth accesses for an instruction (INS, OUTS, and all where there is
 * no memory) meets the same fault as MOV on memory does.
 */
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"

#define PAGE     0x1000
#define NOBODY   0xfeb00000u
#define WINDOW   0x30000
#define AT       0x40
#define NO_PORT  0x2a0
#define CR0_WP   0x10000
#define CR0_AM   0x40000
#define CR4_SMEP 0x100000
#define CR4_SMAP 0x200000
#define CR4_PKE  0x400000
#define AC       0x40000
#define IOPL_3   0x3000

/* Rights of a page; the keys are those of protection keys. */
#define W          2
#define U          4
#define NX         (1ull << 63) /* reserved without EFER.NXE */
#define RESERVED   (1ull << 51) /* beyond the physical addresses */
#define KEY(n)     ((uint64_t)(n) << 59)
#define KEY_BITS   KEY(15)
#define NO_ACCESS  1
#define NO_WRITE   2
#define READ_KEY   3 /* its rights: NO_WRITE */
#define CLOSED_KEY 5 /* NO_ACCESS */
#define KEYS       (NO_WRITE << (2 * READ_KEY))
#define USER_KEYS  (KEYS | NO_ACCESS << (2 * CLOSED_KEY))

/* Each with memory behind it, and once more with none. */
/* clang-format off */
static const struct kind {
	const char *name;
	uint64_t flags;
} kinds[] = {
	{"user",        1 | W | U},
	{"user r/o",    1 | U},
	{"kernel",      1 | W},
	{"kernel r/o",  1},
	{"key r/o",     1 | W | U | KEY(READ_KEY)},
	{"key closed",  1 | W | U | KEY(CLOSED_KEY)},
	{"closed r/o",  1 | U | KEY(CLOSED_KEY)},
	{"no execute",  1 | W | U | NX},
	{"reserved",    1 | U | RESERVED},
	{"absent",      0},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* The last is a memory operand's, whose address is in SI, DI and BX. */
static const struct operation {
	const char *name, *bytes;
	uint8_t size;
	bool writes;
} operations[] = {
#define BYTES(text) text, sizeof(text) - 1
	{"MOV from",      BYTES("\x8b\x07"),         false},
	{"MOV to",        BYTES("\x89\x07"),         true},
	{"OUTS",          BYTES("\x66\x6f"),         false},
	{"REP OUTS",      BYTES("\xf3\x6f"),         false},
	{"INS",           BYTES("\x66\x6d"),         true},
	{"REP INS",       BYTES("\xf3\x6d"),         true},
	{"LODS",          BYTES("\xad"),             false},
	{"REP STOS",      BYTES("\xf3\xab"),         true},
	{"TEST",          BYTES("\x85\x07"),         false},
	{"LOCK XADD",     BYTES("\xf0\x0f\xc1\x0f"), true},
	{"CMPXCHG",       BYTES("\x0f\xb1\x0f"),     true},
};
#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))
/* clang-format on */

static uint32_t table32[1024] __attribute__((aligned(PAGE)));
static uint64_t table64[512] __attribute__((aligned(PAGE)));
static bool has_keys;

/*
 * Pages of memory, one of each kind, then those without. Of the rest only what runs at CPL 3 is the
 * user's, so that SMEP and SMAP concern nothing else.
 */
static void map_window(bool user, bool keys)
{
	for (uint32_t i = 0; i < 1024; i++) {
		uint32_t page = i - WINDOW / PAGE, address = i * PAGE;
		bool is_test = address >= TEST_CODE && address <= TEST_DATA;
		uint64_t flags = user && is_test ? 7 : 3;

		if (page < 2 * KINDS)
			flags = kinds[page % KINDS].flags;
		if (page >= KINDS && page < 2 * KINDS)
			address = NOBODY + page * PAGE;
		table32[i] = address | (uint32_t)flags;
		if (i < 512)
			table64[i] = address | (keys ? flags : flags & ~KEY_BITS);
	}
	machine_directory32[0] = (uint32_t)(uint64_t)table32 | 7;
	directories[0] = (uint64_t)table64 | 7;
	write_cr3(read_cr3());
}

static void init(struct machine *m, enum place place, unsigned page, uint64_t offset)
{
	uint64_t address = WINDOW + page * PAGE + offset;

	machine_init(m, place);
	if (place == V86) {
		m->ds = m->es = (WINDOW + page * PAGE) >> 4;
		address = offset;
	}
	m->rsi = m->rdi = m->rbx = address;
	m->rdx = NO_PORT;
	m->rcx = 3;
	m->cr2 = 0;
	m->rflags |= IOPL_3;
}

/* [DI] is [BX] in 16-bit code: both are the same. */
static const char *try(struct machine *m, const struct operation *op)
{
	return machine_try(m, op->bytes, op->bytes + op->size);
}

static char wanted[32];

static void keep(const char *text)
{
	unsigned i = 0;

	for (; text[i] && i < sizeof(wanted) - 1; i++)
		wanted[i] = text[i];
	wanted[i] = '\0';
}

struct setting {
	const char *name;
	uint64_t cr0_off, cr0, cr4, rflags;
	uint64_t offset;
};

static bool as_wanted(enum place place, const struct setting *with, unsigned page,
		      const struct operation *op)
{
	uint64_t address = WINDOW + page * PAGE + with->offset;
	struct machine m;
	const char *how;
	bool ok;

	init(&m, place, page, with->offset);
	m.cr0 = (m.cr0 & ~with->cr0_off) | with->cr0;
	m.cr4 |= with->cr4;
	m.rflags |= with->rflags;
	how = try(&m, op);
	ok = same(how, wanted) && (m.vector != 14 || m.cr2 == address);
	if (!ok)
		check(false, "%s, %s: %s on %s%s: %s at %lx, where MOV has %s", place_name(place),
		      with->name, op->name, kinds[page % KINDS].name,
		      page >= KINDS ? " without memory" : "", how, m.cr2, wanted);
	return ok;
}

/* The line: what MOV met on each kind of page. The operation comes down to that. */
static void matrix(enum place place, const struct setting *with)
{
	char line[240];
	unsigned length = 0;
	bool ok = true;

	for (unsigned writes = 0; writes < 2; writes++) {
		for (unsigned kind = 0; kind < KINDS; kind++) {
			struct machine m;

			init(&m, place, kind, with->offset);
			m.cr0 = (m.cr0 & ~with->cr0_off) | with->cr0;
			m.cr4 |= with->cr4;
			m.rflags |= with->rflags;
			keep(try(&m, &operations[writes]));
			for (unsigned i = 0; wanted[i] && length < sizeof(line) - 2; i++)
				line[length++] = wanted[i];
			line[length++] = writes && kind == KINDS - 1 ? '\0' : ' ';
			for (unsigned i = 0; i < OPERATIONS; i++) {
				if (operations[i].writes != writes)
					continue;
				if (i > 1)
					ok &= as_wanted(place, with, kind, &operations[i]);
				ok &= as_wanted(place, with, KINDS + kind, &operations[i]);
			}
		}
	}
	check(ok, "%s, %s: %s", place_name(place), with->name, line);
}

static void all(enum place place)
{
	bool smap = cpuid(7, 0).ebx >> 20 & 1 && cpuid(0, 0).eax >= 7;
	bool smep = cpuid(7, 0).ebx >> 7 & 1 && cpuid(0, 0).eax >= 7;
	bool user = place_cpl(place) == 3;

	map_window(user, false);
	matrix(place, &(struct setting){.name = "rights", .offset = AT});
	if (user)
		matrix(place,
		       &(struct setting){
			       .name = "alignment", .cr0 = CR0_AM, .rflags = AC, .offset = AT + 1});
	else
		matrix(place,
		       &(struct setting){.name = "no WP", .cr0_off = CR0_WP, .offset = AT + 1});
	if (smep)
		matrix(place, &(struct setting){.name = "SMEP", .cr4 = CR4_SMEP, .offset = AT});
	if (smap) {
		matrix(place, &(struct setting){.name = "SMAP", .cr4 = CR4_SMAP, .offset = AT});
		matrix(place, &(struct setting){.name = "SMAP, AC",
						.cr4 = CR4_SMAP,
						.rflags = AC,
						.offset = AT + 2});
	}
	if (smap && !user)
		matrix(place, &(struct setting){.name = "SMAP, no WP",
						.cr0_off = CR0_WP,
						.cr4 = CR4_SMAP,
						.offset = AT});
	if (!place_is_long(place) || !has_keys)
		return;
	map_window(user, true);
	write_cr4(read_cr4() | CR4_PKE);
	/* Bochs lets a supervisor read where a key allows nothing (SDM "Protection Keys"). WRPKRU:
	 */
	asm volatile(".byte 0x0f, 0x01, 0xef" : : "a"(user ? USER_KEYS : KEYS), "c"(0), "d"(0));
	matrix(place, &(struct setting){.name = "keys", .cr4 = CR4_PKE, .offset = AT});
	if (!user)
		matrix(place, &(struct setting){.name = "keys, no WP",
						.cr0_off = CR0_WP,
						.cr4 = CR4_PKE,
						.offset = AT});
	write_cr4(read_cr4() & ~(uint64_t)CR4_PKE);
}

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	static const enum place places[] = {PAGED32, PAE32,    USER32,        V86,
					    LONG64,  COMPAT32, COMPAT_USER32, LONG_USER64};
	struct machine m;

	(void)boot_magic;
	(void)boot_info;
	has_keys = cpuid(0, 0).eax >= 7 && cpuid(7, 0).ecx >> 3 & 1;
	machine_init(&m, REAL);
	for (unsigned i = 0; i < sizeof(machine_tss32.io); i++)
		machine_tss32.io[i] = 0;
	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		all(places[i]);
	return checks_done();
}
