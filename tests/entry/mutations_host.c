/* SPDX-License-Identifier: BSD-2-Clause */
/* Mutations of the host-state area and of the size of an address. */
#include "arch/x86_64/control_registers.h"
#include "kernel/compiler.h"
#include "tests/entry/mutations.h"

/* clang-format off */

#define SELECTOR_ROWS(rule, field)                                                                 \
	{BREAKS(rule), EDITS(OR(field, 1))},                                                       \
	{BREAKS(rule), EDITS(OR(field, 4))}

#define CANONICAL_ROW(rule, field) {BREAKS(rule), EDITS(SET(field, NOT_CANONICAL))}

/* A 32-bit host: with the exit control alone its EFER would be wrong as well. */
#define HOST_32BIT TURN_OFF(EXIT, HOST_ADDRESS_SPACE_SIZE), SET(HOST_EFER, 0), SET(HOST_RIP, 0x1000)

static const struct entry_mutation rows[] = {
	{BREAKS("host-cr0"), EDITS(CLEAR(HOST_CR0, CR0_NE))},
	{BREAKS("host-cr0"), EDITS(OR(HOST_CR0, BIT(40)))},
	{BREAKS("host-cr4"), EDITS(CLEAR(HOST_CR4, CR4_VMXE))},
	{BREAKS("host-cr4"), EDITS(OR(HOST_CR4, BIT(40)))},
	{BREAKS("host-cet-wp"), EDITS(OR(HOST_CR4, CR4_CET), CLEAR(HOST_CR0, CR0_WP)), WITH(CET), BOCHS_UNCHECKED},
	{BREAKS("host-cr3"), EDITS(WIDE(HOST_CR3))},
	{BREAKS("host-cr3"), EDITS(OR(HOST_CR3, BIT(63)))},
	{BREAKS("host-cr3"), EDITS(OR(HOST_CR3, BIT(62))), WITHOUT(LAM)},
	CANONICAL_ROW("host-sysenter-esp", HOST_SYSENTER_ESP),
	CANONICAL_ROW("host-sysenter-eip", HOST_SYSENTER_EIP),
	{BREAKS("host-perf-global"), EDITS(TURN_ON(EXIT, LOAD_PERF_GLOBAL_CTRL), OR(HOST_PERF_GLOBAL_CTRL, BIT(63))), BOCHS_UNCHECKED},
	{BREAKS("host-pat"), EDITS(SET(HOST_PAT, 0x0007040600070402))},
	{BREAKS("host-pat"), EDITS(SET(HOST_PAT, 0x0807040600070406))},
	{EDITS(TURN_OFF(EXIT, LOAD_PAT), SET(HOST_PAT, 0x0307040600070406))},
	{BREAKS("host-efer-reserved"), EDITS(OR(HOST_EFER, BIT(9)))},
	{BREAKS("host-efer-size"), EDITS(CLEAR(HOST_EFER, EFER_LMA))},
	{BREAKS("host-efer-size"), EDITS(CLEAR(HOST_EFER, EFER_LME))},
	{BREAKS("host-s-cet"), EDITS(TURN_ON(EXIT, LOAD_CET), OR(HOST_S_CET, BIT(6)))},
	{BREAKS("host-s-cet-tracker"), EDITS(TURN_ON(EXIT, LOAD_CET), OR(HOST_S_CET, BIT(10) | BIT(11)))},
	{BREAKS("host-ssp-table"), EDITS(TURN_ON(EXIT, LOAD_CET), SET(HOST_INTERRUPT_SSP_TABLE, NOT_CANONICAL))},
	{BREAKS("host-ssp-aligned"), EDITS(TURN_ON(EXIT, LOAD_CET), OR(HOST_SSP, 1))},
	{BREAKS("host-pkrs"), EDITS(TURN_ON(EXIT, LOAD_PKRS), OR(HOST_PKRS, BIT(32)))},

	SELECTOR_ROWS("host-es", HOST_ES_SELECTOR),
	SELECTOR_ROWS("host-cs", HOST_CS_SELECTOR),
	SELECTOR_ROWS("host-ss", HOST_SS_SELECTOR),
	SELECTOR_ROWS("host-ds", HOST_DS_SELECTOR),
	SELECTOR_ROWS("host-fs", HOST_FS_SELECTOR),
	SELECTOR_ROWS("host-gs", HOST_GS_SELECTOR),
	SELECTOR_ROWS("host-tr", HOST_TR_SELECTOR),
	{BREAKS("host-cs-null"), EDITS(SET(HOST_CS_SELECTOR, 0))},
	{BREAKS("host-tr-null"), EDITS(SET(HOST_TR_SELECTOR, 0))},
	{BREAKS("host-ss-null", "size-host-inside"), IN(PROTECTED), EDITS(HOST_32BIT, SET(HOST_SS_SELECTOR, 0))},
	{EDITS(SET(HOST_DS_SELECTOR, 0), SET(HOST_ES_SELECTOR, 0))},
	CANONICAL_ROW("host-fs-base", HOST_FS_BASE),
	CANONICAL_ROW("host-gs-base", HOST_GS_BASE),
	CANONICAL_ROW("host-gdtr-base", HOST_GDTR_BASE),
	CANONICAL_ROW("host-idtr-base", HOST_IDTR_BASE),
	CANONICAL_ROW("host-tr-base", HOST_TR_BASE),

	{BREAKS("size-guest-outside", "size-32-guest"), EDITS(HOST_32BIT), WITHOUT(LONG_MODE)},
	{BREAKS("size-host-outside"), IN(PROTECTED), WITHOUT(LONG_MODE)},
	{IN(PROTECTED), EDITS(HOST_32BIT), WITHOUT(LONG_MODE)},
	{BREAKS("size-host-inside"), IN(PROTECTED), EDITS(HOST_32BIT)},
	{BREAKS("size-32-guest", "size-host-inside"), EDITS(HOST_32BIT)},
	{BREAKS("size-32-pcide", "size-host-inside"), IN(PROTECTED), EDITS(HOST_32BIT, OR(HOST_CR4, CR4_PCIDE)), WITH(PCID)},
	{BREAKS("size-32-rip", "size-host-inside"), IN(PROTECTED), EDITS(HOST_32BIT, SET(HOST_RIP, BIT(32)))},
	{BREAKS("size-32-s-cet", "size-host-inside"), IN(PROTECTED),
	 EDITS(HOST_32BIT, TURN_ON(EXIT, LOAD_CET), OR(HOST_S_CET, BIT(32)))},
	{BREAKS("size-32-ssp", "size-host-inside"), IN(PROTECTED),
	 EDITS(HOST_32BIT, TURN_ON(EXIT, LOAD_CET), OR(HOST_SSP, BIT(32)))},
	{BREAKS("size-64-pae"), EDITS(CLEAR(HOST_CR4, CR4_PAE))},
	CANONICAL_ROW("size-64-rip", HOST_RIP),
	{BREAKS("size-64-s-cet"), EDITS(TURN_ON(EXIT, LOAD_CET), SET(HOST_S_CET, NOT_CANONICAL))},
	{BREAKS("size-64-ssp"), EDITS(TURN_ON(EXIT, LOAD_CET), SET(HOST_SSP, NOT_CANONICAL))},
};

const struct entry_mutations mutations_host = {rows, ARRAY_COUNT(rows)};
