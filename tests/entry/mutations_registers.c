/* SPDX-License-Identifier: BSD-2-Clause */
/* Mutations of the guest's control registers, debug registers, MSRs, descriptor tables, RIP and
 * RFLAGS. */
#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/msr.h"
#include "kernel/compiler.h"
#include "tests/entry/mutations.h"

/* clang-format off */

#define CANONICAL_ROW(rule, field) {BREAKS(rule), EDITS(SET(field, NOT_CANONICAL))}
#define CET(rule, ...) {BREAKS(rule), EDITS(TURN_ON(ENTRY, LOAD_CET), __VA_ARGS__)}
#define LOADS(rule, control, ...) {BREAKS(rule), EDITS(TURN_ON(ENTRY, control), __VA_ARGS__)}

/* The first of one or two MSRs to load: bits 31:0 of its value suffice, but for addresses. */
#define MSR(number, low, high)                                                                     \
	SET(ENTRY_MSR_LOAD_COUNT, 1), POKE(MSRS, 0, number), POKE(MSRS, 8, low), POKE(MSRS, 12, high)
#define SECOND_MSR(number, low)                                                                    \
	SET(ENTRY_MSR_LOAD_COUNT, 2), POKE(MSRS, 0, IA32_SYSENTER_CS), POKE(MSRS, 16, number), POKE(MSRS, 24, low)
#define NOT_CANONICAL_HIGH 0x80000000u

static const struct entry_mutation rows[] = {
	{IN(64BIT)}, {IN(COMPATIBILITY)}, {IN(RESTRICTED)}, {IN(PROTECTED)}, {IN(PAE)}, {IN(NO_EPT)}, {IN(V86)}, {IN(REAL)},

	{BREAKS("guest-cr0"), EDITS(CLEAR(GUEST_CR0, CR0_NE))},
	{BREAKS("guest-cr0"), EDITS(OR(GUEST_CR0, BIT(40)))},
	{BREAKS("guest-cr0"), IN(NO_EPT), EDITS(CLEAR(GUEST_CR0, CR0_PG))},
	{BREAKS("guest-cr0", "guest-ia32e-paging"), IN(RESTRICTED), EDITS(CLEAR(GUEST_CR0, CR0_PG))},
	{EDITS(OR(GUEST_CR0, CR0_CD | CR0_NW))},
	{EDITS(OR(GUEST_CR0, CR0_NW))},
	{BREAKS("guest-paging-pe"), IN(PAE), EDITS(CLEAR(GUEST_CR0, CR0_PE))},
	{BREAKS("guest-cr4"), EDITS(CLEAR(GUEST_CR4, CR4_VMXE))},
	{BREAKS("guest-cr4"), EDITS(OR(GUEST_CR4, BIT(40)))},
	{BREAKS("guest-cet-wp"), EDITS(OR(GUEST_CR4, CR4_CET), CLEAR(GUEST_CR0, CR0_WP)), WITH(CET)},
	{BREAKS("guest-debugctl"), EDITS(OR(GUEST_DEBUGCTL, BIT(4))), BOCHS_UNCHECKED},
	{BREAKS("guest-debugctl"), EDITS(OR(GUEST_DEBUGCTL, BIT(63))), BOCHS_UNCHECKED},
	{EDITS(TURN_OFF(ENTRY, LOAD_DEBUG_CONTROLS), OR(GUEST_DEBUGCTL, BIT(63)), OR(GUEST_DR7, BIT(32)))},
	{BREAKS("guest-ia32e-paging"), EDITS(CLEAR(GUEST_CR0, CR0_PG)), BOCHS_UNCHECKED},
	{BREAKS("guest-ia32e-pae"), EDITS(CLEAR(GUEST_CR4, CR4_PAE))},
	{BREAKS("guest-pcide"), IN(PAE), EDITS(OR(GUEST_CR4, CR4_PCIDE)), WITH(PCID)},
	{EDITS(OR(GUEST_CR4, CR4_PCIDE)), WITH(PCID)},
	{BREAKS("guest-cr3"), EDITS(WIDE(GUEST_CR3))},
	{BREAKS("guest-cr3"), EDITS(OR(GUEST_CR3, BIT(63)))},
	{BREAKS("guest-cr3"), IN(PROTECTED), EDITS(WIDE(GUEST_CR3))},
	{EDITS(OR(GUEST_CR3, 0xfff))},
	{BREAKS("guest-dr7"), EDITS(OR(GUEST_DR7, BIT(32)))},
	CANONICAL_ROW("guest-sysenter-esp", GUEST_SYSENTER_ESP),
	CANONICAL_ROW("guest-sysenter-eip", GUEST_SYSENTER_EIP),
	CET("guest-s-cet", OR(GUEST_S_CET, BIT(6))),
	CET("guest-s-cet-address", SET(GUEST_S_CET, NOT_CANONICAL)),
	CET("guest-s-cet-tracker", OR(GUEST_S_CET, BIT(10) | BIT(11))),
	CET("guest-ssp-table", SET(GUEST_INTERRUPT_SSP_TABLE, NOT_CANONICAL)),
	{BREAKS("guest-perf-global"), EDITS(TURN_ON(ENTRY, LOAD_PERF_GLOBAL_CTRL), OR(GUEST_PERF_GLOBAL_CTRL, BIT(63))),
	 BOCHS_UNCHECKED},
	{BREAKS("guest-pat"), EDITS(SET(GUEST_PAT, 0x0007040600070403))},
	{BREAKS("guest-pat"), EDITS(SET(GUEST_PAT, 0x8007040600070406))},
	{EDITS(TURN_OFF(ENTRY, LOAD_PAT), SET(GUEST_PAT, 0x0307040600070406))},
	{BREAKS("guest-efer-reserved"), EDITS(OR(GUEST_EFER, BIT(9)))},
	{BREAKS("guest-efer-reserved"), EDITS(OR(GUEST_EFER, BIT(63)))},
	{BREAKS("guest-efer-lma", "guest-efer-lme"), EDITS(CLEAR(GUEST_EFER, EFER_LMA))},
	{BREAKS("guest-efer-lma"), EDITS(CLEAR(GUEST_EFER, EFER_LMA | EFER_LME))},
	{BREAKS("guest-efer-lma"), IN(PROTECTED), EDITS(OR(GUEST_EFER, EFER_LMA))},
	{BREAKS("guest-efer-lme"), EDITS(CLEAR(GUEST_EFER, EFER_LME))},
	{BREAKS("guest-efer-lme"), IN(PAE), EDITS(OR(GUEST_EFER, EFER_LME))},
	{IN(PROTECTED), EDITS(OR(GUEST_EFER, EFER_LME))},
	LOADS("guest-bndcfgs", LOAD_BNDCFGS, OR(GUEST_BNDCFGS, BIT(2))),
	LOADS("guest-bndcfgs-address", LOAD_BNDCFGS, SET(GUEST_BNDCFGS, NOT_CANONICAL)),
	LOADS("guest-rtit-ctl", LOAD_RTIT_CTL, OR(GUEST_RTIT_CTL, BIT(18))),
	LOADS("guest-lbr-ctl", LOAD_LBR_CTL, OR(GUEST_LBR_CTL, BIT(4))),
	LOADS("guest-pkrs", LOAD_PKRS, OR(GUEST_PKRS, BIT(32))),
	LOADS("guest-uinv", LOAD_UINV, SET(GUEST_UINV, 0x100)),

	CANONICAL_ROW("gdtr-base", GUEST_GDTR_BASE),
	CANONICAL_ROW("idtr-base", GUEST_IDTR_BASE),
	{BREAKS("gdtr-limit"), EDITS(SET(GUEST_GDTR_LIMIT, 0x10000))},
	{BREAKS("idtr-limit"), EDITS(SET(GUEST_IDTR_LIMIT, 0x10000))},

	{BREAKS("rip-upper"), IN(COMPATIBILITY), EDITS(OR(GUEST_RIP, BIT(32)))},
	{BREAKS("rip-upper"), IN(PROTECTED), EDITS(OR(GUEST_RIP, BIT(32)))},
	{BREAKS("rip-uniform"), EDITS(SET(GUEST_RIP, NOT_CANONICAL)), BOCHS_UNCHECKED},
	{BREAKS("rip-uniform"), EDITS(SET(GUEST_RIP, BIT(57))), BOCHS_UNCHECKED},
	{EDITS(SET(GUEST_RIP, 0xffffffff80000000))},
	{EDITS(SET(GUEST_RIP, BIT(47)))},
	{BREAKS("rflags-reserved"), EDITS(OR(GUEST_RFLAGS, BIT(3)))},
	{BREAKS("rflags-reserved"), EDITS(OR(GUEST_RFLAGS, BIT(5)))},
	{BREAKS("rflags-reserved"), EDITS(OR(GUEST_RFLAGS, BIT(15)))},
	{BREAKS("rflags-reserved"), EDITS(OR(GUEST_RFLAGS, BIT(22)))},
	{BREAKS("rflags-reserved"), EDITS(OR(GUEST_RFLAGS, BIT(63)))},
	{BREAKS("rflags-one"), EDITS(CLEAR(GUEST_RFLAGS, RFLAGS_ONE))},
	{BREAKS("rflags-vm-ia32e"), IN(V86),
	 EDITS(TURN_ON(ENTRY, IA32E_MODE_GUEST), OR(GUEST_CR0, CR0_PG), OR(GUEST_CR4, CR4_PAE), SET(GUEST_EFER, EFER_LMA | EFER_LME),
	       SET(GUEST_TR_ACCESS_RIGHTS, 0x8b))},
	{BREAKS("rflags-vm-real-mode"), IN(V86), EDITS(CLEAR(GUEST_CR0, CR0_PE)), BOCHS_UNCHECKED},
	{BREAKS("rflags-if"), EDITS(INJECT(VMX_EXTERNAL_INTERRUPT, 32))},
	{EDITS(INJECT(VMX_EXTERNAL_INTERRUPT, 32), OR(GUEST_RFLAGS, RFLAGS_IF))},
	CET("ssp-aligned", OR(GUEST_SSP, 1)),
	{BREAKS("ssp-upper"), IN(PROTECTED), EDITS(TURN_ON(ENTRY, LOAD_CET), OR(GUEST_SSP, BIT(32)))},
	CET("ssp-uniform", SET(GUEST_SSP, NOT_CANONICAL)),

	{EDITS(MSR(IA32_SYSENTER_CS, 0, 0))},
	{BREAKS("msr-fs-gs"), EDITS(MSR(IA32_FS_BASE, 0, 0))},
	{BREAKS("msr-fs-gs"), EDITS(MSR(IA32_GS_BASE, 0, 0))},
	{BREAKS("msr-fs-gs"), EDITS(SECOND_MSR(IA32_FS_BASE, 0))},
	{BREAKS("msr-x2apic"), EDITS(MSR(IA32_X2APIC_TPR, 0, 0))},
	{BREAKS("msr-x2apic"), EDITS(MSR(0x8ff, 0, 0))},
	{BREAKS("msr-smm"), EDITS(MSR(IA32_SMM_MONITOR_CTL, 0, 0))},
	{BREAKS("msr-microcode"), EDITS(MSR(IA32_BIOS_UPDT_TRIG, 0, 0))},
	{BREAKS("msr-reserved"), EDITS(MSR(IA32_SYSENTER_CS, 0, 0), POKE(MSRS, 4, 1))},
	{BREAKS("msr-efer"), EDITS(MSR(IA32_EFER, BIT32(9) | (uint32_t)(EFER_LME | EFER_LMA), 0))},
	{BREAKS("msr-efer"), EDITS(MSR(IA32_EFER, 0, 0))},
	{EDITS(MSR(IA32_EFER, (uint32_t)EFER_LME, 0))},
	{BREAKS("msr-address"), EDITS(MSR(IA32_KERNEL_GS_BASE, 0, NOT_CANONICAL_HIGH))},
	{BREAKS("msr-address"), EDITS(MSR(IA32_LSTAR, 0, NOT_CANONICAL_HIGH))},
	{BREAKS("msr-pat"), EDITS(MSR(IA32_PAT, 0x00070402, 0x00070406))},
};

const struct entry_mutations mutations_registers = {rows, ARRAY_COUNT(rows)};
