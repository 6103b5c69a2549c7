/* SPDX-License-Identifier: BSD-2-Clause */
/* INT n, INT3, INT1, INTO, BOUND and the undefined opcodes, in every mode. */
#include "guest/lib/guest.h"
#include "guest/lib/matrix.h"

#define OF     0x800
#define TF     0x100
#define IOPL_3 0x3000

#define ALL_BUT_LONG(x)                                                                            \
	{                                                                                          \
		x, x, x, x, x, x, "#UD", "#UD"                                                     \
	}
/* IOPL is 0, so virtual-8086 mode may not execute it. */
#define NOT_V86(x)                                                                                 \
	{                                                                                          \
		x, x, x, "#GP(0)", x, x, x, x                                                      \
	}

static uint64_t *const words = (uint64_t *)TEST_DATA;

/* Bounds of 0101... to 0101..., for any size. */
static void make_bounds(struct machine *m, enum place place)
{
	(void)place;
	words[0] = words[1] = 0x0101010101010101;
	m->rax = 0;
}

static void make_bounds_fit(struct machine *m, enum place place)
{
	(void)place;
	words[0] = words[1] = 0x0101010101010101;
	m->rax = 0x01010101;
}

/* clang-format off */
static const struct matrix_row rows[] = {
	{"INT 40h",             BYTES("\xcd\x40"),         .wanted = NOT_V86("interrupt 40 at +2")},
	{"INT 40h, IOPL 3",     BYTES("\xcd\x40"),         .wanted = ALWAYS("interrupt 40 at +2"), .rflags = IOPL_3},
	{"INT 40h with TF",     BYTES("\xcd\x40"),         .wanted = NOT_V86("interrupt 40 at +2"), .rflags = TF},
	{"INT 3 of two bytes",  BYTES("\xcd\x03"),         .wanted = NOT_V86("#BP at +2")},
	{"INT 1 of two bytes",  BYTES("\xcd\x01"),         .wanted = NOT_V86("#DB(0) at +2")},
	{"INT 2",               BYTES("\xcd\x02"),         .wanted = NOT_V86("NMI at +2")},
	{"INT3",                BYTES("\xcc"),             .wanted = ALWAYS("#BP at +1")},
	{"INT3 with TF",        BYTES("\xcc"),             .wanted = ALWAYS("#BP at +1"), .rflags = TF},
	{"INT1",                BYTES("\xf1"),             .wanted = ALWAYS("#DB(0) at +1")},
	{"INT1 with prefixes",  BYTES("\x2e\x3e\xf1"),     .wanted = ALWAYS("#DB(0) at +3")},
	{"INT1 with TF",        BYTES("\xf1"),             .wanted = ALWAYS("#DB(0) at +1"), .rflags = TF},
	{"INTO, no overflow",   BYTES("\xce"),             .wanted = ALL_BUT_LONG("done")},
	{"INTO, overflow",      BYTES("\xce"),             .wanted = ALL_BUT_LONG("#OF at +1"), .rflags = OF},
	{"BOUND, outside",      BYTES("\x62\x07"),         .wanted = ALL_BUT_LONG("#BR"), .prepare = make_bounds},
	{"BOUND, inside",       BYTES("\x62\x07"),         .wanted = ALL_BUT_LONG("done"), .prepare = make_bounds_fit},
	{"BOUND of registers",  BYTES("\x62\xc0"),         .wanted = UNDEFINED},
	{"UD2",                 BYTES("\x0f\x0b\x90"),     .wanted = UNDEFINED},
	{"UD1",                 BYTES("\x0f\xb9\xc0"),     .wanted = UNDEFINED},
	{"UD0",                 BYTES("\x0f\xff\xc0"),     .wanted = UNDEFINED},
	{"LOCK NOP",            BYTES("\xf0\x90"),         .wanted = UNDEFINED},
	{"PAUSE",               BYTES("\xf3\x90"),         .wanted = DONE},
	{"DIV by zero",         BYTES("\xf7\xf1"),         .wanted = ALWAYS("#DE")},
	{"15 bytes of prefixes", BYTES("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90"), .wanted = DONE},
	{"16 bytes of prefixes", BYTES("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90"), .wanted = FAULT("#GP")},
	{"CPUID",               BYTES("\x0f\xa2"),         .wanted = DONE},
	{"LOCK CPUID",          BYTES("\xf0\x0f\xa2"),     .wanted = UNDEFINED},
	{"REP CPUID",           BYTES("\xf3\x0f\xa2"),     .wanted = DONE},
	{"ARPL",                BYTES("\x63\xc0"),         .wanted = {"#UD", "done", "done", "#UD", "done", "done", "done", "done"}},
	{"LAR",                 BYTES("\x0f\x02\xc0"),     .wanted = PROTECTED_ONLY},
	{"LSL",                 BYTES("\x0f\x03\xc0"),     .wanted = PROTECTED_ONLY},
	{"VERR",                BYTES("\x0f\x00\xe0"),     .wanted = PROTECTED_ONLY},
	{"PUSH CS",             BYTES("\x0e"),             .wanted = NOT_LONG},
	{"DAA",                 BYTES("\x27"),             .wanted = NOT_LONG},
	{"AAM 0",               BYTES("\xd4\x00"),         .wanted = ALL_BUT_LONG("#DE")},
	{"PUSHF",               BYTES("\x9c"),             .wanted = NOT_V86("done")},
	{"SYSCALL, no SCE",     BYTES("\x0f\x05"),         .wanted = UNDEFINED},
};
/* clang-format on */

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	(void)boot_magic;
	(void)boot_info;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		matrix_check(&rows[i], NULL);
	return checks_done();
}
