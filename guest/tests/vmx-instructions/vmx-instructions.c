/* SPDX-License-Identifier: BSD-2-Clause */
/* There is no VMX, SMX, SGX or MONITOR for a guest: what belongs to them is undefined, in every
 * mode and at every CPL. */
#include "guest/lib/guest.h"
#include "guest/lib/matrix.h"

#define CPL0_HYPERCALL                                                                             \
	{                                                                                          \
		"done", "done", "#UD", "#UD", "done", "#UD", "done", "#UD"                         \
	}
#define NO_MONITOR "processors here have MONITOR, Plinth does not show it"

/* clang-format off */
static const struct matrix_row rows[] = {
	{"VMLAUNCH",  BYTES("\x0f\x01\xc2"),         .wanted = UNDEFINED},
	{"VMRESUME",  BYTES("\x0f\x01\xc3"),         .wanted = UNDEFINED},
	{"VMXOFF",    BYTES("\x0f\x01\xc4"),         .wanted = UNDEFINED},
	{"VMXON",     BYTES("\xf3\x0f\xc7\x37"),     .wanted = UNDEFINED},
	{"VMPTRLD",   BYTES("\x0f\xc7\x37"),         .wanted = UNDEFINED},
	{"VMPTRST",   BYTES("\x0f\xc7\x3f"),         .wanted = UNDEFINED},
	{"VMCLEAR",   BYTES("\x66\x0f\xc7\x37"),     .wanted = UNDEFINED},
	{"VMREAD",    BYTES("\x0f\x78\xc1"),         .wanted = UNDEFINED},
	{"VMWRITE",   BYTES("\x0f\x79\xc1"),         .wanted = UNDEFINED},
	{"INVEPT",    BYTES("\x66\x0f\x38\x80\x07"), .wanted = UNDEFINED},
	{"INVVPID",   BYTES("\x66\x0f\x38\x81\x07"), .wanted = UNDEFINED},
	{"VMFUNC",    BYTES("\x0f\x01\xd4"),         .wanted = UNDEFINED},
	{"ENCLS",     BYTES("\x0f\x01\xcf"),         .wanted = UNDEFINED},
	{"ENCLU",     BYTES("\x0f\x01\xd7"),         .wanted = UNDEFINED},
	{"ENCLV",     BYTES("\x0f\x01\xc0"),         .wanted = UNDEFINED},
	{"PCONFIG",   BYTES("\x0f\x01\xc5"),         .wanted = UNDEFINED},
	{"XRSTORS",   BYTES("\x0f\xc7\x1f"),         .wanted = UNDEFINED},
	{"XSAVES",    BYTES("\x0f\xc7\x2f"),         .wanted = UNDEFINED},
	{"TPAUSE",    BYTES("\x66\x0f\xae\xf0"),     .wanted = UNDEFINED},
	{"UMWAIT",    BYTES("\xf2\x0f\xae\xf0"),     .wanted = UNDEFINED},
	{"UMONITOR",  BYTES("\xf3\x0f\xae\xf0"),     .wanted = UNDEFINED},
	/* SVM's. */
	{"VMRUN",     BYTES("\x0f\x01\xd8"),         .wanted = UNDEFINED},
	{"VMMCALL",   BYTES("\x0f\x01\xd9"),         .wanted = UNDEFINED},
	{"VMLOAD",    BYTES("\x0f\x01\xda"),         .wanted = UNDEFINED},
	{"VMSAVE",    BYTES("\x0f\x01\xdb"),         .wanted = UNDEFINED},
	{"STGI",      BYTES("\x0f\x01\xdc"),         .wanted = UNDEFINED},
	{"CLGI",      BYTES("\x0f\x01\xdd"),         .wanted = UNDEFINED},
	{"SKINIT",    BYTES("\x0f\x01\xde"),         .wanted = UNDEFINED},
	{"INVLPGA",   BYTES("\x0f\x01\xdf"),         .wanted = UNDEFINED},
};
static const struct matrix_row vmcall = {"VMCALL", BYTES("\x0f\x01\xc1"), .wanted = UNDEFINED};
static const struct matrix_row hypercall = {"VMCALL", BYTES("\x0f\x01\xc1"), .wanted = CPL0_HYPERCALL};
static const struct matrix_row no_monitor[] = {
	{"MONITOR",   BYTES("\x0f\x01\xc8"), .wanted = UNDEFINED},
	{"MWAIT",     BYTES("\x0f\x01\xc9"), .wanted = UNDEFINED},
};
/* MWAIT at CPL 0 would wait. */
static const struct matrix_row monitor[] = {
	{"MONITOR",   BYTES("\x0f\x01\xc8"), .wanted = {"done", "done", "#UD", "#UD", "done", "#UD", "done", "#UD"}},
	{"MWAIT",     BYTES("\x0f\x01\xc9"), .wanted = {NULL, NULL, "#UD", "#UD", NULL, "#UD", NULL, "#UD"}},
};
/* clang-format on */

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	(void)boot_magic;
	(void)boot_info;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		matrix_check(&rows[i], NULL);
	matrix_check(under_plinth() ? &hypercall : &vmcall, "VMCALL at CPL 0 calls Plinth");
	for (unsigned i = 0; i < 2; i++)
		matrix_check(cpuid(1, 0).ecx & 8 ? &monitor[i] : &no_monitor[i], NO_MONITOR);
	return checks_done();
}
