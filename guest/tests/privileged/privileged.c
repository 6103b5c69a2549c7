/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions for CPL 0 alone, in every mode: who may execute them does, and else the right fault
 * comes, before any exit. */
#include "guest/lib/guest.h"
#include "guest/lib/matrix.h"

#define TSD      0x4
#define OSXSAVE  0x40000
#define MSR_STAR 0xc0000081

struct __attribute__((packed)) table_pointer {
	uint16_t limit;
	uint64_t base;
};

extern struct table_pointer guest_gdt_pointer, machine_idt32_pointer, machine_idt64_pointer;

static struct table_pointer *const operand = (struct table_pointer *)TEST_DATA;

static void point_to_gdt(struct machine *m, enum place place)
{
	(void)m;
	(void)place;
	*operand = guest_gdt_pointer;
}

/* The table that the place has already. With 16-bit operands the base has 24 bits: enough. */
static void point_to_idt(struct machine *m, enum place place)
{
	static const struct table_pointer real = {0x3ff, 0};

	*operand = m->kind == KIND_REAL   ? real
		   : place_is_long(place) ? machine_idt64_pointer
					  : machine_idt32_pointer;
}

/* clang-format off */
static const struct matrix_row rows[] = {
	{"CLTS",              BYTES("\x0f\x06"),      .wanted = CPL0_ONLY},
	{"INVD",              BYTES("\x0f\x08"),      .wanted = CPL0_ONLY},
	{"WBINVD",            BYTES("\x0f\x09"),      .wanted = CPL0_ONLY},
	{"LGDT",              BYTES("\x0f\x01\x17"),  .wanted = CPL0_ONLY, .prepare = point_to_gdt},
	{"LIDT",              BYTES("\x0f\x01\x1f"),  .wanted = CPL0_ONLY, .prepare = point_to_idt},
	{"SGDT",              BYTES("\x0f\x01\x07"),  .wanted = DONE},
	{"SIDT",              BYTES("\x0f\x01\x0f"),  .wanted = DONE},
	{"LLDT of null",      BYTES("\x0f\x00\xd0"),  .wanted = PROTECTED_CPL0_ONLY},
	{"LTR of null",       BYTES("\x0f\x00\xd8"),
	 .wanted = {"#UD", "#GP(0)", "#GP(0)", "#UD", "#GP(0)", "#GP(0)", "#GP(0)", "#GP(0)"}},
	{"SLDT",              BYTES("\x0f\x00\xc0"),  .wanted = PROTECTED_ONLY},
	{"STR",               BYTES("\x0f\x00\xc8"),  .wanted = PROTECTED_ONLY},
	{"LMSW",              BYTES("\x0f\x01\xf0"),  .wanted = CPL0_ONLY, .rax = 0x30},
	{"SMSW",              BYTES("\x0f\x01\xe0"),  .wanted = DONE},
	{"MOV from CR0",      BYTES("\x0f\x20\xc0"),  .wanted = CPL0_ONLY},
	{"MOV from CR2",      BYTES("\x0f\x20\xd0"),  .wanted = CPL0_ONLY},
	{"MOV from CR3",      BYTES("\x0f\x20\xd8"),  .wanted = CPL0_ONLY},
	{"MOV from CR4",      BYTES("\x0f\x20\xe0"),  .wanted = CPL0_ONLY},
	{"MOV to CR0",        BYTES("\x0f\x22\xc0"),  .wanted = CPL0_ONLY, .prepare = same_cr0},
	{"MOV to CR2",        BYTES("\x0f\x22\xd0"),  .wanted = CPL0_ONLY},
	{"MOV to CR3",        BYTES("\x0f\x22\xd8"),  .wanted = CPL0_ONLY, .prepare = same_cr3},
	{"MOV to CR4",        BYTES("\x0f\x22\xe0"),  .wanted = CPL0_ONLY, .prepare = same_cr4},
	{"MOV from CR1",      BYTES("\x0f\x20\xc8"),  .wanted = UNDEFINED},
	{"MOV to CR1",        BYTES("\x0f\x22\xc8"),  .wanted = UNDEFINED},
	{"MOV from CR5",      BYTES("\x0f\x20\xe8"),  .wanted = UNDEFINED},
	{"MOV to CR7",        BYTES("\x0f\x22\xf8"),  .wanted = UNDEFINED},
	{"MOV from DR0",      BYTES("\x0f\x21\xc0"),  .wanted = CPL0_ONLY},
	{"MOV to DR0",        BYTES("\x0f\x23\xc0"),  .wanted = CPL0_ONLY},
	{"MOV from DR4",      BYTES("\x0f\x21\xe0"),  .wanted = CPL0_ONLY},
	{"MOV from DR7",      BYTES("\x0f\x21\xf8"),  .wanted = CPL0_ONLY},
	{"RDMSR",             BYTES("\x0f\x32"),      .wanted = CPL0_ONLY, .rcx = 0x174},
	{"WRMSR",             BYTES("\x0f\x30"),      .wanted = CPL0_ONLY, .rcx = 0x174},
	{"RDMSR that exits",  BYTES("\x0f\x32"),      .wanted = CPL0_ONLY, .rcx = 0x277},
	{"WRMSR that exits",  BYTES("\x0f\x30"),      .wanted = CPL0_ONLY, .rcx = 0x277, .rax = 0x70406, .rdx = 0x70406},
	{"RDMSR of none",     BYTES("\x0f\x32"),      .wanted = FAULT("#GP"), .rcx = 0x12345},
	{"WRMSR of none",     BYTES("\x0f\x30"),      .wanted = FAULT("#GP"), .rcx = 0x12345},
	{"RDTSC",             BYTES("\x0f\x31"),      .wanted = DONE},
	{"RDTSC with TSD",    BYTES("\x0f\x31"),      .wanted = CPL0_ONLY, .cr4 = TSD},
	{"RDTSCP",            BYTES("\x0f\x01\xf9"),  .wanted = DONE},
	{"RDTSCP with TSD",   BYTES("\x0f\x01\xf9"),  .wanted = CPL0_ONLY, .cr4 = TSD},
	{"RDPMC of none",     BYTES("\x0f\x33"),      .wanted = FAULT("#GP"), .rcx = 0x12345},
	{"XGETBV, no OSXSAVE", BYTES("\x0f\x01\xd0"), .wanted = UNDEFINED},
	{"XSETBV, no OSXSAVE", BYTES("\x0f\x01\xd1"), .wanted = UNDEFINED, .rax = 1},
	{"XGETBV",            BYTES("\x0f\x01\xd0"),  .wanted = DONE, .cr4 = OSXSAVE},
	{"XSETBV",            BYTES("\x0f\x01\xd1"),  .wanted = CPL0_ONLY, .cr4 = OSXSAVE, .rax = 1},
	{"XSETBV without x87", BYTES("\x0f\x01\xd1"), .wanted = FAULT("#GP"), .cr4 = OSXSAVE, .rax = 2},
	{"XSETBV of XCR1",    BYTES("\x0f\x01\xd1"),  .wanted = FAULT("#GP"), .cr4 = OSXSAVE, .rax = 1, .rcx = 1},
	{"INVLPG",            BYTES("\x0f\x01\x3f"),  .wanted = CPL0_ONLY},
	{"INVLPG of register", BYTES("\x0f\x01\xf8"),
	 .wanted = {"#UD", "#UD", "#UD", "#UD", "#UD", "#UD", "done", "#GP(0)"}}, /* SWAPGS */
	{"SWAPGS",            BYTES("\x0f\x01\xf8"),
	 .wanted = {"#UD", "#UD", "#UD", "#UD", "#UD", "#UD", "done", "#GP(0)"}},
	{"IN",                BYTES("\xe4\x80"),      .wanted = CPL0_ONLY},
	{"OUT",               BYTES("\xe6\x80"),      .wanted = CPL0_ONLY},
	{"INS",               BYTES("\x6c"),          .wanted = CPL0_ONLY, .rdx = 0x80},
	{"OUTS",              BYTES("\x6e"),          .wanted = CPL0_ONLY, .rdx = 0x80},
	{"CLI",               BYTES("\xfa"),          .wanted = CPL0_ONLY},
	{"STI",               BYTES("\xfb"),          .wanted = CPL0_ONLY},
	{"HLT",               BYTES("\xf4"),
	 .wanted = {NULL, NULL, "#GP(0)", "#GP(0)", NULL, "#GP(0)", NULL, "#GP(0)"}},
	{"SYSRET",            BYTES("\x0f\x07"),      .wanted = UNDEFINED}, /* EFER.SCE is 0 */
	{"SYSCALL",           BYTES("\x0f\x05"),      .wanted = UNDEFINED},
	{"SYSENTER, no CS",   BYTES("\x0f\x34"),      .wanted = FAULT("#GP")},
	{"SYSEXIT, no CS",    BYTES("\x0f\x35"),      .wanted = FAULT("#GP")},
	{"GETSEC",            BYTES("\x0f\x37"),      .wanted = UNDEFINED},
	{"RSM",               BYTES("\x0f\xaa"),      .wanted = UNDEFINED},
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
