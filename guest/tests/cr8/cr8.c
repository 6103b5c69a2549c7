/* SPDX-License-Identifier: BSD-2-Clause */
/* CR8, which is there in 64-bit mode alone; and MOVs to and from control registers as they are
 * seldom written: with LOCK, other operand sizes, an operand that is no register's, and REX. */
#include "guest/lib/guest.h"
#include "guest/lib/matrix.h"

#define NOT_IN_64BIT NULL, NULL, NULL, NULL, NULL, NULL
#define LONG_MODES(cpl0, cpl3)                                                                     \
	{                                                                                          \
		NOT_IN_64BIT, cpl0, cpl3                                                           \
	}

CODE64(write, "mov %rax, %cr8\n mov %cr8, %rbx\n");
CODE64(read_all, "mov %rax, %cr8\n mov $-1, %r15\n mov %cr8, %r15\n mov %r15, %rbx\n");
CODE64(from_rsp, "mov %rsp, %rdi\n mov $9, %esp\n mov %rsp, %cr8\n mov %cr8, %rsp\n"
		 "mov %rsp, %rbx\n mov %rdi, %rsp\n");

/* A bit of CR4 whose change the host wants to know of. */
static void other_cr4(struct machine *m, enum place place)
{
	(void)place;
	m->rax = m->cr4 ^ 8;
}

/* clang-format off */
static const struct matrix_row rows[] = {
	{"MOV from CR8",          BYTES("\x44\x0f\x20\xc0"),     .wanted = LONG_MODES("done", "#GP(0)")},
	{"MOV to CR8",            BYTES("\x44\x0f\x22\xc0"),     .wanted = LONG_MODES("done", "#GP(0)"), .rax = 5},
	{"MOV to CR8 of 16",      BYTES("\x44\x0f\x22\xc0"),     .wanted = LONG_MODES("#GP(0)", "#GP(0)"), .rax = 16},
	{"MOV from CR9",          BYTES("\x44\x0f\x20\xc8"),     .wanted = LONG_MODES("#UD", "#UD")},
	{"MOV to CR9",            BYTES("\x44\x0f\x22\xc8"),     .wanted = LONG_MODES("#UD", "#UD")},
	{"MOV from CR12",         BYTES("\x44\x0f\x20\xe0"),     .wanted = LONG_MODES("#UD", "#UD")},
	{"MOV to CR15",           BYTES("\x44\x0f\x22\xf8"),     .wanted = LONG_MODES("#UD", "#UD")},
	{"MOV to CR6",            BYTES("\x0f\x22\xf0"),         .wanted = UNDEFINED},
	{"LOCK MOV from CR0",     BYTES("\xf0\x0f\x20\xc0"),     .wanted = UNDEFINED},
	{"LOCK MOV to CR4",       BYTES("\xf0\x0f\x22\xe0"),     .wanted = UNDEFINED, .prepare = other_cr4},
	{"66 MOV from CR4",       BYTES("\x66\x0f\x20\xe0"),     .wanted = CPL0_ONLY},
	{"66 MOV to CR0",         BYTES("\x66\x0f\x22\xc0"),     .wanted = CPL0_ONLY, .prepare = same_cr0},
	{"66 MOV to CR4",         BYTES("\x66\x0f\x22\xe0"),     .wanted = CPL0_ONLY, .prepare = other_cr4},
	{"67 MOV to CR4",         BYTES("\x67\x0f\x22\xe0"),     .wanted = CPL0_ONLY, .prepare = other_cr4},
	{"MOV from CR0, mod 0",   BYTES("\x0f\x20\x00"),         .wanted = CPL0_ONLY},
	{"MOV to CR4, mod 0",     BYTES("\x0f\x22\x20"),         .wanted = CPL0_ONLY, .prepare = other_cr4},
	{"MOV to CR4, mod 1",     BYTES("\x0f\x22\x60"),         .wanted = CPL0_ONLY, .prepare = other_cr4},
	{"MOV to CR4, mod 2",     BYTES("\x0f\x22\xa0"),         .wanted = CPL0_ONLY, .prepare = other_cr4},
	{"REX.W MOV to CR4",      BYTES("\x48\x0f\x22\xe0"),     .wanted = LONG_MODES("done", "#GP(0)"), .prepare = other_cr4},
	{"REX.X MOV to CR4",      BYTES("\x42\x0f\x22\xe0"),     .wanted = LONG_MODES("done", "#GP(0)"), .prepare = other_cr4},
	{"LMSW of memory",        BYTES("\x0f\x01\x37"),         .wanted = CPL0_ONLY},
	{"SMSW to memory",        BYTES("\x0f\x01\x27"),         .wanted = DONE},
	{"LOCK CLTS",             BYTES("\xf0\x0f\x06"),         .wanted = UNDEFINED},
	{"LOCK CPUID",            BYTES("\xf0\x0f\xa2"),         .wanted = UNDEFINED},
	{"LOCK RDMSR",            BYTES("\xf0\x0f\x32"),         .wanted = UNDEFINED, .rcx = 0x277},
	{"LOCK INVLPG",           BYTES("\xf0\x0f\x01\x3f"),     .wanted = UNDEFINED},
	{"66 CPUID",              BYTES("\x66\x0f\xa2"),         .wanted = DONE},
};
/* clang-format on */

static void values(void)
{
	struct machine m;
	unsigned taken = 0, refused = 0;

	for (unsigned value = 0; value < 16; value++) {
		machine_init(&m, LONG64);
		m.rax = value;
		taken += same(RUN(&m, write), "done") && m.rbx == value;
		machine_init(&m, LONG64);
		m.rax = value;
		taken += same(RUN(&m, read_all), "done") && m.rbx == value && m.r15 == value;
	}
	check(taken == 32, "CR8: %u of 32 values are taken", taken);
	for (unsigned bit = 4; bit < 64; bit++) {
		machine_init(&m, LONG64);
		m.rax = 1ull << bit | 3;
		refused += same(RUN(&m, write), "#GP(0)");
	}
	check(refused == 60, "CR8: %u of 60 reserved bits are refused", refused);
	check(read_cr8() == 15, "CR8 is as it was last written");
	machine_init(&m, LONG64);
	check(same(RUN(&m, from_rsp), "done") && m.rbx == 9, "MOV between CR8 and RSP: %s, %lx",
	      machine_outcome(&m), m.rbx);
	write_cr8(0);
}

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	(void)boot_magic;
	(void)boot_info;
	values();
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		matrix_check(&rows[i], NULL);
	return checks_done();
}
