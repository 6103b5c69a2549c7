/* SPDX-License-Identifier: BSD-2-Clause */
/* STI and MOV SS keep a pending interrupt out for one instruction, also when that instruction
 * exits. */
#include "guest/lib/guest.h"
#include "guest/lib/matrix.h"

#define IF     0x200
#define IOPL_3 0x3000
#define VECTOR 0x50

#define CPL0_ELSE(x, y)                                                                            \
	{                                                                                          \
		x, x, y, y, x, y, x, y                                                             \
	}
#define INTERRUPT_AT(n)      ALWAYS("interrupt 50 at +" #n)
#define CPL0_INTERRUPT_AT(n) CPL0_ELSE("interrupt 50 at +" #n, "#GP(0) at +1")

static void pend(struct machine *m, enum place place)
{
	(void)place;
	m->rax = m->ss;
	m->rdx = m->cr3;
	interrupt_pend(VECTOR);
}

static void pend_cr0(struct machine *m, enum place place)
{
	(void)place;
	m->rax = m->cr0;
	interrupt_pend(VECTOR);
}

static void pend_msr(struct machine *m, enum place place)
{
	(void)place;
	m->rcx = 0x12345;
	interrupt_pend(VECTOR);
}

static void end(void)
{
	interrupt_end(VECTOR);
}

/* clang-format off */
static const struct matrix_row rows[] = {
	{"interrupts on",                BYTES("\x90\x90"),                .wanted = ALWAYS("interrupt 50"), .rflags = IF},
	{"interrupts off",               BYTES("\x90\x90"),                .wanted = DONE},
	{"STI, NOP",                     BYTES("\xfb\x90\x90"),            .wanted = INTERRUPT_AT(2)},
	{"STI, STI, NOP",                BYTES("\xfb\xfb\x90\x90"),        .wanted = INTERRUPT_AT(2)},
	{"STI, CLI",                     BYTES("\xfb\xfa\x90\x90"),        .wanted = DONE},
	{"STI, CPUID",                   BYTES("\xfb\x0f\xa2\x90"),        .wanted = INTERRUPT_AT(3)},
	{"STI, OUT",                     BYTES("\xfb\xe6\x80\x90"),
	 .wanted = {"interrupt 50 at +3", "interrupt 50 at +3", "interrupt 50 at +3", "#GP(0) at +1", "interrupt 50 at +3",
	            "interrupt 50 at +3", "interrupt 50 at +3", "interrupt 50 at +3"}},
	{"STI, HLT",                     BYTES("\xfb\xf4\x90"),            .wanted = CPL0_INTERRUPT_AT(2)},
	{"STI, WBINVD",                  BYTES("\xfb\x0f\x09\x90"),        .wanted = CPL0_INTERRUPT_AT(3)},
	{"STI, MOV to CR0",              BYTES("\xfb\x0f\x22\xc0\x90"),    .wanted = CPL0_INTERRUPT_AT(4), .prepare = pend_cr0},
	{"STI, MOV to CR3",              BYTES("\xfb\x0f\x22\xda\x90"),    .wanted = CPL0_INTERRUPT_AT(4)},
	{"STI, UD2",                     BYTES("\xfb\x0f\x0b\x90"),        .wanted = ALWAYS("#UD at +1")},
	{"STI, VMXOFF",                  BYTES("\xfb\x0f\x01\xc4\x90"),    .wanted = ALWAYS("#UD at +1")},
	{"STI, INT3",                    BYTES("\xfb\xcc\x90"),            .wanted = ALWAYS("#BP at +2")},
	{"STI, INT1",                    BYTES("\xfb\xf1\x90"),            .wanted = ALWAYS("#DB(0) at +2")},
	{"STI, INT 40h",                 BYTES("\xfb\xcd\x40\x90"),        .wanted = ALWAYS("interrupt 40 at +3")},
	{"STI, RDMSR of none",           BYTES("\xfb\x0f\x32\x90"),
	 .wanted = {"#GP at +1", "#GP(0) at +1", "#GP(0) at +1", "#GP(0) at +1", "#GP(0) at +1", "#GP(0) at +1", "#GP(0) at +1",
	            "#GP(0) at +1"}, .prepare = pend_msr},
	{"STI, MOV SS, NOP",             BYTES("\xfb\x8e\xd0\x90\x90"),    .wanted = INTERRUPT_AT(4)},
	{"STI, MOV SS, CPUID",           BYTES("\xfb\x8e\xd0\x0f\xa2\x90"), .wanted = INTERRUPT_AT(5)},
	{"STI, NOP behind MOV SS",       BYTES("\x8e\xd0\xfb\x90\x90"),    .wanted = INTERRUPT_AT(4)},
	{"STI, MOV SS, VMXOFF",          BYTES("\xfb\x8e\xd0\x0f\x01\xc4\x90"), .wanted = ALWAYS("#UD at +3")},
	/* POPF has no shadow. */
	{"POPF, NOP",                    BYTES("\x9c\x58\x80\xcc\x02\x50\x9d\x90\x90"), .wanted = INTERRUPT_AT(7)},
	{"POPF, CPUID",                  BYTES("\x9c\x58\x80\xcc\x02\x50\x9d\x0f\xa2\x90"), .wanted = INTERRUPT_AT(7)},
	{"MOV SS, POPF, CPUID",          BYTES("\x8e\xd0\x9c\x58\x80\xcc\x02\x50\x9d\x0f\xa2\x90"), .wanted = INTERRUPT_AT(9)},
};
/* clang-format on */

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	(void)boot_magic;
	(void)boot_info;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct matrix_row row = rows[i];

		row.rflags |= IOPL_3;
		row.finish = end;
		if (!row.prepare)
			row.prepare = pend;
		matrix_check(&row, NULL);
	}
	return checks_done();
}
