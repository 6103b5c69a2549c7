/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A single step behind each instruction that exits, as behind any other: TF raises #DB when the
 * instruction is done, and a fault comes without one. MOV SS and STI put it off by one instruction,
 * the first for good and the second not at all.
 */
#include "guest/lib/guest.h"
#include "guest/lib/matrix.h"

#define TF      0x100
#define OSXSAVE 0x40000

#define STEP(n) ALWAYS("#DB(4000) at +" #n)
#define CPL0_STEP(n)                                                                               \
	{                                                                                          \
		"#DB(4000) at +" #n, "#DB(4000) at +" #n, "#GP(0)", "#GP(0)", "#DB(4000) at +" #n, \
			"#GP(0)", "#DB(4000) at +" #n, "#GP(0)"                                    \
	}
/* In virtual-8086 mode and at CPL 3 the fault is met at the second instruction, whose first was
 * stepped over. */
#define PORT 0x80

static void toggle_cd(struct machine *m, enum place place)
{
	(void)place;
	m->rax = m->cr0 | 0x40000000;
}

static void same_ss(struct machine *m, enum place place)
{
	(void)place;
	m->rax = m->ss;
}

static void efer(struct machine *m, enum place place)
{
	(void)place;
	m->rcx = 0xc0000080;
	m->rax = m->efer;
	m->rdx = 0;
}

static void three(struct machine *m, enum place place)
{
	(void)place;
	m->rdx = PORT;
	m->rcx = 3;
}

/* clang-format off */
static const struct matrix_row rows[] = {
	{"NOP",                    BYTES("\x90"),             .wanted = STEP(1)},
	{"CPUID",                  BYTES("\x0f\xa2"),         .wanted = STEP(2)},
	{"PAUSE",                  BYTES("\xf3\x90"),         .wanted = STEP(2)},
	{"RDTSC",                  BYTES("\x0f\x31"),         .wanted = STEP(2)},
	{"IN",                     BYTES("\xe4\x80"),         .wanted = CPL0_STEP(2)},
	{"OUT",                    BYTES("\xe6\x80"),         .wanted = CPL0_STEP(2)},
	{"INS",                    BYTES("\x6c"),             .wanted = CPL0_STEP(1), .rdx = PORT},
	{"OUTS",                   BYTES("\x6e"),             .wanted = CPL0_STEP(1), .rdx = PORT},
	/* A repeated one is stepped over element by element. */
	{"REP INS",                BYTES("\xf3\x6c"),
	 .wanted = {"#DB(4000)", "#DB(4000)", "#GP(0)", "#GP(0)", "#DB(4000)", "#GP(0)", "#DB(4000)", "#GP(0)"}, .prepare = three},
	{"REP OUTS",               BYTES("\xf3\x6e"),
	 .wanted = {"#DB(4000)", "#DB(4000)", "#GP(0)", "#GP(0)", "#DB(4000)", "#GP(0)", "#DB(4000)", "#GP(0)"}, .prepare = three},
	{"REP OUTS of none",       BYTES("\xf3\x6e"),         .wanted = CPL0_STEP(2), .rdx = PORT},
	{"RDMSR",                  BYTES("\x0f\x32"),         .wanted = CPL0_STEP(2), .rcx = 0x277},
	{"RDMSR of none",          BYTES("\x0f\x32"),         .wanted = FAULT("#GP"), .rcx = 0x12345},
	{"WRMSR",                  BYTES("\x0f\x30"),         .wanted = CPL0_STEP(2), .rcx = 0x277, .rax = 0x70406, .rdx = 0x70406},
	{"WRMSR of IA32_EFER",     BYTES("\x0f\x30"),         .wanted = CPL0_STEP(2), .prepare = efer},
	{"MOV to CR0, no change",  BYTES("\x0f\x22\xc0"),     .wanted = CPL0_STEP(3), .prepare = same_cr0},
	{"MOV to CR0, with CD",    BYTES("\x0f\x22\xc0"),     .wanted = CPL0_STEP(3), .prepare = toggle_cd},
	{"MOV to CR3",             BYTES("\x0f\x22\xd8"),     .wanted = CPL0_STEP(3), .prepare = same_cr3},
	{"MOV from CR3",           BYTES("\x0f\x20\xd8"),     .wanted = CPL0_STEP(3)},
	{"MOV to CR4",             BYTES("\x0f\x22\xe0"),     .wanted = CPL0_STEP(3), .prepare = same_cr4},
	{"CLTS",                   BYTES("\x0f\x06"),         .wanted = CPL0_STEP(2)},
	{"LMSW",                   BYTES("\x0f\x01\xf0"),     .wanted = CPL0_STEP(3), .rax = 0x30},
	{"WBINVD",                 BYTES("\x0f\x09"),         .wanted = CPL0_STEP(2)},
	{"INVD",                   BYTES("\x0f\x08"),         .wanted = CPL0_STEP(2)},
	{"INVLPG",                 BYTES("\x0f\x01\x3f"),     .wanted = CPL0_STEP(3)},
	{"XSETBV",                 BYTES("\x0f\x01\xd1"),     .wanted = CPL0_STEP(3), .cr4 = OSXSAVE, .rax = 1},
	{"MOV from DR7",           BYTES("\x0f\x21\xf8"),     .wanted = CPL0_STEP(3)},
	{"UD2",                    BYTES("\x0f\x0b\x90"),     .wanted = UNDEFINED},
	{"VMXOFF",                 BYTES("\x0f\x01\xc4"),     .wanted = UNDEFINED},
	{"INT3",                   BYTES("\xcc"),             .wanted = ALWAYS("#BP at +1")},
	{"MOV SS, NOP",            BYTES("\x8e\xd0\x90"),     .wanted = STEP(3), .prepare = same_ss},
	{"MOV SS, CPUID",          BYTES("\x8e\xd0\x0f\xa2"), .wanted = STEP(4), .prepare = same_ss},
	{"MOV SS, OUT",            BYTES("\x8e\xd0\xe6\x80"),
	 .wanted = {"#DB(4000) at +4", "#DB(4000) at +4", "#GP(0) at +2", "#GP(0) at +2", "#DB(4000) at +4", "#GP(0) at +2",
	            "#DB(4000) at +4", "#GP(0) at +2"}, .prepare = same_ss},
	{"MOV SS, VMXOFF",         BYTES("\x8e\xd0\x0f\x01\xc4"), .wanted = ALWAYS("#UD at +2"), .prepare = same_ss},
	{"MOV SS, INT3",           BYTES("\x8e\xd0\xcc"),     .wanted = ALWAYS("#BP at +3"), .prepare = same_ss},
	{"STI, CPUID",             BYTES("\xfb\x0f\xa2"),     .wanted = CPL0_STEP(1)},
	{"STI, OUT",               BYTES("\xfb\xe6\x80"),     .wanted = CPL0_STEP(1)},
};
/* clang-format on */

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	(void)boot_magic;
	(void)boot_info;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct matrix_row row = rows[i];

		row.rflags = TF;
		matrix_check(&row, NULL);
	}
	return checks_done();
}
