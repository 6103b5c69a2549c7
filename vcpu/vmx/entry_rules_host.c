/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules of VM entries: the host-state area, and what the size of an address asks for. */
#include "arch/x86_64/control_registers.h"
#include "kernel/compiler.h"
#include "vcpu/vmx/entry_rules.h"

#define VERDICT ENTRY_FAIL_HOST

#define SELECTOR_TI_RPL 7u

static bool host_is_64bit(const struct entry_view *view)
{
	return entry_on(view, VMX_EXIT, EXIT_HOST_ADDRESS_SPACE_SIZE);
}

static uint64_t entry_wrong_size_in_efer(const struct entry_view *view,
					 const struct entry_rule *rule)
{
	const uint64_t both = EFER_LMA | EFER_LME;

	return (entry_subject(view, rule) ^ (host_is_64bit(view) ? both : 0)) & both;
}

static uint64_t entry_null_stack(const struct entry_view *view, const struct entry_rule *rule)
{
	return host_is_64bit(view) ? 0 : entry_is_zero(view, rule);
}

static uint64_t entry_64bit_outside(const struct entry_view *view, const struct entry_rule *rule)
{
	return view->environment->long_mode ? 0 : entry_has_bits(view, rule);
}

static uint64_t entry_32bit_inside(const struct entry_view *view, const struct entry_rule *rule)
{
	return view->environment->long_mode ? entry_lacks_bits(view, rule) : 0;
}

static uint64_t entry_if_host_32bit(const struct entry_view *view, const struct entry_rule *rule)
{
	return host_is_64bit(view) ? 0 : entry_has_bits(view, rule);
}

/* clang-format off */

#define SECTION "Checks on Host Control Registers, MSRs, and SSP"

#define CANONICAL(rule_name, words, field)                                                         \
	RULE(rule_name, "the " words " must be canonical", CHECK(not_canonical), SHOW1(field))

#define SELECTOR(rule_name, words, field)                                                          \
	RULE(rule_name, "bits 2:0, RPL and TI, of the host's " words " selector must be 0",       \
	     CHECK(has_bits), .mask = SELECTOR_TI_RPL, SHOW1(field))

#define NOT_NULL(rule_name, words, field)                                                          \
	RULE(rule_name, "the host's " words " selector must not be 0000h", CHECK(is_zero), SHOW1(field))

static const struct entry_rule host_rules[] = {
	RULE("host-cr0", "every fixed bit of the host's CR0 must be as IA32_VMX_CR0_FIXED0 and IA32_VMX_CR0_FIXED1 say",
	     CHECK(bad_cr0), SHOW1(HOST_CR0)),
	RULE("host-cr4", "every fixed bit of the host's CR4 must be as IA32_VMX_CR4_FIXED0 and IA32_VMX_CR4_FIXED1 say",
	     CHECK(bad_cr4), SHOW1(HOST_CR4)),
	RULE("host-cet-wp", "with CR4.CET the host's CR0.WP must be 1",
	     CHECK(cet_without_wp), SHOW2(HOST_CR4, HOST_CR0)),
	RULE("host-cr3", "bits of the host's CR3 beyond the physical-address width must be 0",
	     CHECK(bad_cr3), SHOW1(HOST_CR3)),
	CANONICAL("host-sysenter-esp", "host's IA32_SYSENTER_ESP", HOST_SYSENTER_ESP),
	CANONICAL("host-sysenter-eip", "host's IA32_SYSENTER_EIP", HOST_SYSENTER_EIP),
	RULE("host-perf-global", "reserved bits of the host's IA32_PERF_GLOBAL_CTRL must be 0",
	     ON(EXIT, LOAD_PERF_GLOBAL_CTRL), CHECK(bad_perf_global), SHOW1(HOST_PERF_GLOBAL_CTRL)),
	RULE("host-pat", "each byte of the host's IA32_PAT must be a memory type: 0, 1, 4, 5, 6 or 7",
	     ON(EXIT, LOAD_PAT), CHECK(bad_pat), SHOW1(HOST_PAT)),
	RULE("host-efer-reserved", "reserved bits of the host's IA32_EFER must be 0",
	     ON(EXIT, LOAD_EFER), CHECK(bad_efer), SHOW1(HOST_EFER)),
	RULE("host-efer-size", "LMA and LME of the host's IA32_EFER must both be what \"host address-space size\" is",
	     ON(EXIT, LOAD_EFER), CHECK(wrong_size_in_efer), SHOW2(HOST_EFER, EXIT_CONTROLS)),
	RULE("host-s-cet", "reserved bits of the host's IA32_S_CET must be 0",
	     ON(EXIT, LOAD_CET), CHECK(bad_s_cet), SHOW1(HOST_S_CET)),
	RULE("host-s-cet-tracker", "bits 10 (SUPPRESS) and 11 (TRACKER) of the host's IA32_S_CET cannot both be 1",
	     ON(EXIT, LOAD_CET), CHECK(bad_tracker), SHOW1(HOST_S_CET)),
	RULE("host-ssp-table", "the host's IA32_INTERRUPT_SSP_TABLE_ADDR must be canonical",
	     ON(EXIT, LOAD_CET), CHECK(not_canonical), SHOW1(HOST_INTERRUPT_SSP_TABLE)),
	RULE("host-ssp-aligned", "bits 1:0 of the host's SSP must be 0",
	     ON(EXIT, LOAD_CET), CHECK(has_bits), .mask = 3, SHOW1(HOST_SSP)),
	RULE("host-pkrs", "bits 63:32 of the host's IA32_PKRS must be 0",
	     ON(EXIT, LOAD_PKRS), CHECK(has_bits), .mask = ~0xffffffffull, SHOW1(HOST_PKRS)),

#undef SECTION
#define SECTION "Checks on Host Segment and Descriptor-Table Registers"

	SELECTOR("host-es", "ES", HOST_ES_SELECTOR),
	SELECTOR("host-cs", "CS", HOST_CS_SELECTOR),
	SELECTOR("host-ss", "SS", HOST_SS_SELECTOR),
	SELECTOR("host-ds", "DS", HOST_DS_SELECTOR),
	SELECTOR("host-fs", "FS", HOST_FS_SELECTOR),
	SELECTOR("host-gs", "GS", HOST_GS_SELECTOR),
	SELECTOR("host-tr", "TR", HOST_TR_SELECTOR),
	NOT_NULL("host-cs-null", "CS", HOST_CS_SELECTOR),
	NOT_NULL("host-tr-null", "TR", HOST_TR_SELECTOR),
	RULE("host-ss-null", "the host's SS selector must not be 0000h when \"host address-space size\" is 0",
	     CHECK(null_stack), SHOW2(HOST_SS_SELECTOR, EXIT_CONTROLS)),
	CANONICAL("host-fs-base", "host's FS base", HOST_FS_BASE),
	CANONICAL("host-gs-base", "host's GS base", HOST_GS_BASE),
	CANONICAL("host-gdtr-base", "host's GDTR base", HOST_GDTR_BASE),
	CANONICAL("host-idtr-base", "host's IDTR base", HOST_IDTR_BASE),
	CANONICAL("host-tr-base", "host's TR base", HOST_TR_BASE),
};

#undef SECTION
#define SECTION "Checks Related to Address-Space Size"

static const struct entry_rule size_rules[] = {
	RULE("size-guest-outside", "outside IA-32e mode (IA32_EFER.LMA=0) \"IA-32e mode guest\" must be 0",
	     CHECK(64bit_outside), .mask = ENTRY_IA32E_MODE_GUEST, SHOW1(ENTRY_CONTROLS)),
	RULE("size-host-outside", "outside IA-32e mode (IA32_EFER.LMA=0) \"host address-space size\" must be 0",
	     CHECK(64bit_outside), .mask = EXIT_HOST_ADDRESS_SPACE_SIZE, SHOW1(EXIT_CONTROLS)),
	RULE("size-host-inside", "in IA-32e mode (IA32_EFER.LMA=1) \"host address-space size\" must be 1",
	     CHECK(32bit_inside), .mask = EXIT_HOST_ADDRESS_SPACE_SIZE, SHOW1(EXIT_CONTROLS)),
	RULE("size-32-guest", "when \"host address-space size\" is 0, so must \"IA-32e mode guest\" be",
	     CHECK(if_host_32bit), .mask = ENTRY_IA32E_MODE_GUEST, SHOW2(ENTRY_CONTROLS, EXIT_CONTROLS)),
	RULE("size-32-pcide", "when \"host address-space size\" is 0, so must the host's CR4.PCIDE be",
	     CHECK(if_host_32bit), .mask = CR4_PCIDE, SHOW2(HOST_CR4, EXIT_CONTROLS)),
	RULE("size-32-rip", "when \"host address-space size\" is 0, so must bits 63:32 of the host's RIP be",
	     CHECK(if_host_32bit), .mask = ~0xffffffffull, SHOW2(HOST_RIP, EXIT_CONTROLS)),
	RULE("size-32-s-cet", "when \"host address-space size\" is 0, so must bits 63:32 of the host's IA32_S_CET be",
	     ON(EXIT, LOAD_CET), CHECK(if_host_32bit), .mask = ~0xffffffffull, SHOW2(HOST_S_CET, EXIT_CONTROLS)),
	RULE("size-32-ssp", "when \"host address-space size\" is 0, so must bits 63:32 of the host's SSP be",
	     ON(EXIT, LOAD_CET), CHECK(if_host_32bit), .mask = ~0xffffffffull, SHOW2(HOST_SSP, EXIT_CONTROLS)),
	RULE("size-64-pae", "when \"host address-space size\" is 1, so must the host's CR4.PAE be",
	     ON(EXIT, HOST_ADDRESS_SPACE_SIZE), CHECK(lacks_bits), .mask = CR4_PAE, SHOW2(HOST_CR4, EXIT_CONTROLS)),
	RULE("size-64-rip", "when \"host address-space size\" is 1, the host's RIP must be canonical",
	     ON(EXIT, HOST_ADDRESS_SPACE_SIZE), CHECK(not_canonical), SHOW2(HOST_RIP, EXIT_CONTROLS)),
	RULE("size-64-s-cet", "when \"host address-space size\" is 1, the host's IA32_S_CET must hold a canonical address",
	     ON2(EXIT, HOST_ADDRESS_SPACE_SIZE, EXIT, LOAD_CET), CHECK(not_canonical), SHOW2(HOST_S_CET, EXIT_CONTROLS)),
	RULE("size-64-ssp", "when \"host address-space size\" is 1, the host's SSP must be canonical",
	     ON2(EXIT, HOST_ADDRESS_SPACE_SIZE, EXIT, LOAD_CET), CHECK(not_canonical), SHOW2(HOST_SSP, EXIT_CONTROLS)),
};

const struct entry_rules entry_rules_host = ENTRY_RULES(host_rules);
const struct entry_rules entry_rules_address_space = ENTRY_RULES(size_rules);
