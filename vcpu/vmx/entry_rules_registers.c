/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules of VM entries: the guest's control and debug registers, MSRs, descriptor tables, RIP and
 * RFLAGS. */
#include "arch/x86_64/control_registers.h"
#include "kernel/compiler.h"
#include "vcpu/vmx/entry_rules.h"

#define VERDICT ENTRY_EXIT_GUEST

#define UPPER_HALF      ~0xffffffffull
#define BNDCFGS_ADDRESS ~0xfffull

/*
 * CD and NW are not loaded, and not checked. PE and PG may be anything for an unrestricted guest.
 * ET cannot be 0 on any processor with VMX, and fixed bits do not tell of it.
 */
static uint64_t entry_bad_guest_cr0(const struct entry_view *view, const struct entry_rule *rule)
{
	uint64_t unchecked = CR0_CD | CR0_NW;

	if (view->unrestricted)
		unchecked |= CR0_PE | CR0_PG;
	return entry_bad_cr0(view, rule) & ~unchecked;
}

static uint64_t entry_paging_without_pe(const struct entry_view *view,
					const struct entry_rule *rule)
{
	return (entry_subject(view, rule) & (CR0_PG | CR0_PE)) == CR0_PG ? CR0_PE : 0;
}

static uint64_t entry_bad_debugctl(const struct entry_view *view, const struct entry_rule *rule)
{
	return entry_subject(view, rule) & ~view->environment->debugctl;
}

static uint64_t entry_if_legacy(const struct entry_view *view, const struct entry_rule *rule)
{
	return view->ia32e ? 0 : entry_has_bits(view, rule);
}

static uint64_t entry_bad_lma(const struct entry_view *view, const struct entry_rule *rule)
{
	return (entry_subject(view, rule) ^ (view->ia32e ? EFER_LMA : 0)) & EFER_LMA;
}

static uint64_t entry_bad_lme(const struct entry_view *view, const struct entry_rule *rule)
{
	uint64_t efer = entry_subject(view, rule);
	bool lma = efer & EFER_LMA, lme = efer & EFER_LME;

	return entry_get(view, VMCS_GUEST_CR0) & CR0_PG && lma != lme ? EFER_LME : 0;
}

static uint64_t entry_bad_bounds(const struct entry_view *view, const struct entry_rule *rule)
{
	return entry_broken_if(
		!entry_is_canonical(view, entry_subject(view, rule) & BNDCFGS_ADDRESS));
}

static uint64_t entry_bad_rtit(const struct entry_view *view, const struct entry_rule *rule)
{
	return entry_subject(view, rule) & ~view->environment->rtit_ctl;
}

static uint64_t entry_bad_lbr(const struct entry_view *view, const struct entry_rule *rule)
{
	return entry_subject(view, rule) & ~view->environment->lbr_ctl;
}

/* --- RIP, RFLAGS, SSP --- */

static bool in_64bit_code(const struct entry_view *view)
{
	return view->ia32e && entry_get(view, VMCS_GUEST_CS_ACCESS_RIGHTS) & ACCESS_L;
}

static uint64_t entry_rip_upper(const struct entry_view *view, const struct entry_rule *rule)
{
	return in_64bit_code(view) ? 0 : entry_has_bits(view, rule);
}

/* Not the same as canonical: the highest bit that the processor has is free. */
static uint64_t entry_rip_not_uniform(const struct entry_view *view, const struct entry_rule *rule)
{
	int64_t above = (int64_t)entry_subject(view, rule) >> view->environment->linear_bits;

	return entry_broken_if(in_64bit_code(view) && above != 0 && above != -1);
}

static uint64_t entry_v86_in_ia32e(const struct entry_view *view, const struct entry_rule *rule)
{
	return view->ia32e ? entry_has_bits(view, rule) : 0;
}

static uint64_t entry_v86_in_real_mode(const struct entry_view *view, const struct entry_rule *rule)
{
	return entry_get(view, VMCS_GUEST_CR0) & CR0_PE ? 0 : entry_has_bits(view, rule);
}

static uint64_t entry_interrupt_masked(const struct entry_view *view, const struct entry_rule *rule)
{
	return view->event.valid && view->event.type == VMX_EXTERNAL_INTERRUPT
		       ? entry_lacks_bits(view, rule)
		       : 0;
}

/* clang-format off */

#define SECTION "Checks on Guest Control Registers, Debug Registers, and MSRs"

static const struct entry_rule register_rules[] = {
	RULE("guest-cr0", "every fixed bit of CR0 must be as IA32_VMX_CR0_FIXED0 and IA32_VMX_CR0_FIXED1 say; PE and PG are free with "
	     "\"unrestricted guest\"",
	     CHECK(bad_guest_cr0), SHOW2(GUEST_CR0, SECONDARY_CONTROLS)),
	RULE("guest-paging-pe", "with CR0.PG CR0.PE must be 1",
	     CHECK(paging_without_pe), SHOW1(GUEST_CR0)),
	RULE("guest-cr4", "every fixed bit of CR4 must be as IA32_VMX_CR4_FIXED0 and IA32_VMX_CR4_FIXED1 say",
	     CHECK(bad_cr4), SHOW1(GUEST_CR4)),
	RULE("guest-cet-wp", "with CR4.CET CR0.WP must be 1",
	     CHECK(cet_without_wp), SHOW2(GUEST_CR4, GUEST_CR0)),
	RULE("guest-debugctl", "reserved bits of IA32_DEBUGCTL must be 0",
	     ON(ENTRY, LOAD_DEBUG_CONTROLS), CHECK(bad_debugctl), SHOW1(GUEST_DEBUGCTL)),
	RULE("guest-ia32e-paging", "with \"IA-32e mode guest\" CR0.PG must be 1",
	     ON(ENTRY, IA32E_MODE_GUEST), CHECK(lacks_bits), .mask = CR0_PG, SHOW2(GUEST_CR0, ENTRY_CONTROLS)),
	RULE("guest-ia32e-pae", "with \"IA-32e mode guest\" CR4.PAE must be 1",
	     ON(ENTRY, IA32E_MODE_GUEST), CHECK(lacks_bits), .mask = CR4_PAE, SHOW2(GUEST_CR4, ENTRY_CONTROLS)),
	RULE("guest-pcide", "without \"IA-32e mode guest\" CR4.PCIDE must be 0",
	     CHECK(if_legacy), .mask = CR4_PCIDE, SHOW2(GUEST_CR4, ENTRY_CONTROLS)),
	RULE("guest-cr3", "bits of CR3 beyond the physical-address width must be 0",
	     CHECK(bad_cr3), SHOW1(GUEST_CR3)),
	RULE("guest-dr7", "bits 63:32 of DR7 must be 0",
	     ON(ENTRY, LOAD_DEBUG_CONTROLS), CHECK(has_bits), .mask = UPPER_HALF, SHOW1(GUEST_DR7)),
	RULE("guest-sysenter-esp", "IA32_SYSENTER_ESP must be canonical",
	     CHECK(not_canonical), SHOW1(GUEST_SYSENTER_ESP)),
	RULE("guest-sysenter-eip", "IA32_SYSENTER_EIP must be canonical",
	     CHECK(not_canonical), SHOW1(GUEST_SYSENTER_EIP)),
	RULE("guest-s-cet", "reserved bits of IA32_S_CET must be 0",
	     ON(ENTRY, LOAD_CET), CHECK(bad_s_cet), SHOW1(GUEST_S_CET)),
	RULE("guest-s-cet-address", "IA32_S_CET must hold a canonical address",
	     ON(ENTRY, LOAD_CET), CHECK(not_canonical), SHOW1(GUEST_S_CET)),
	RULE("guest-s-cet-tracker", "bits 10 (SUPPRESS) and 11 (TRACKER) of IA32_S_CET cannot both be 1",
	     ON(ENTRY, LOAD_CET), CHECK(bad_tracker), SHOW1(GUEST_S_CET)),
	RULE("guest-ssp-table", "IA32_INTERRUPT_SSP_TABLE_ADDR must be canonical",
	     ON(ENTRY, LOAD_CET), CHECK(not_canonical), SHOW1(GUEST_INTERRUPT_SSP_TABLE)),
	RULE("guest-perf-global", "reserved bits of IA32_PERF_GLOBAL_CTRL must be 0",
	     ON(ENTRY, LOAD_PERF_GLOBAL_CTRL), CHECK(bad_perf_global), SHOW1(GUEST_PERF_GLOBAL_CTRL)),
	RULE("guest-pat", "each byte of IA32_PAT must be a memory type: 0, 1, 4, 5, 6 or 7",
	     ON(ENTRY, LOAD_PAT), CHECK(bad_pat), SHOW1(GUEST_PAT)),
	RULE("guest-efer-reserved", "reserved bits of IA32_EFER must be 0",
	     ON(ENTRY, LOAD_EFER), CHECK(bad_efer), SHOW1(GUEST_EFER)),
	RULE("guest-efer-lma", "IA32_EFER.LMA must be what \"IA-32e mode guest\" is",
	     ON(ENTRY, LOAD_EFER), CHECK(bad_lma), SHOW2(GUEST_EFER, ENTRY_CONTROLS)),
	RULE("guest-efer-lme", "with CR0.PG IA32_EFER.LME must be what LMA is",
	     ON(ENTRY, LOAD_EFER), CHECK(bad_lme), SHOW2(GUEST_EFER, GUEST_CR0)),
	RULE("guest-bndcfgs", "bits 11:2 of IA32_BNDCFGS must be 0",
	     ON(ENTRY, LOAD_BNDCFGS), CHECK(has_bits), .mask = 0xffc, SHOW1(GUEST_BNDCFGS)),
	RULE("guest-bndcfgs-address", "the address in IA32_BNDCFGS must be canonical",
	     ON(ENTRY, LOAD_BNDCFGS), CHECK(bad_bounds), SHOW1(GUEST_BNDCFGS)),
	RULE("guest-rtit-ctl", "reserved bits of IA32_RTIT_CTL must be 0",
	     ON(ENTRY, LOAD_RTIT_CTL), CHECK(bad_rtit), SHOW1(GUEST_RTIT_CTL)),
	RULE("guest-lbr-ctl", "reserved bits of IA32_LBR_CTL must be 0",
	     ON(ENTRY, LOAD_LBR_CTL), CHECK(bad_lbr), SHOW1(GUEST_LBR_CTL)),
	RULE("guest-pkrs", "bits 63:32 of IA32_PKRS must be 0",
	     ON(ENTRY, LOAD_PKRS), CHECK(has_bits), .mask = UPPER_HALF, SHOW1(GUEST_PKRS)),
	RULE("guest-uinv", "bits 15:8 of UINV must be 0",
	     ON(ENTRY, LOAD_UINV), CHECK(has_bits), .mask = 0xff00, SHOW1(GUEST_UINV)),
};

#undef SECTION
#define SECTION "Checks on Guest Descriptor-Table Registers"

static const struct entry_rule table_rules[] = {
	RULE("gdtr-base", "the base of GDTR must be canonical", CHECK(not_canonical), SHOW1(GUEST_GDTR_BASE)),
	RULE("idtr-base", "the base of IDTR must be canonical", CHECK(not_canonical), SHOW1(GUEST_IDTR_BASE)),
	RULE("gdtr-limit", "bits 31:16 of the limit of GDTR must be 0",
	     CHECK(has_bits), .mask = 0xffff0000, SHOW1(GUEST_GDTR_LIMIT)),
	RULE("idtr-limit", "bits 31:16 of the limit of IDTR must be 0",
	     CHECK(has_bits), .mask = 0xffff0000, SHOW1(GUEST_IDTR_LIMIT)),
};

#undef SECTION
#define SECTION "Checks on Guest RIP, RFLAGS, and SSP"

static const struct entry_rule rip_rules[] = {
	RULE("rip-upper", "bits 63:32 of RIP must be 0 outside 64-bit code (\"IA-32e mode guest\" and CS.L)",
	     CHECK(rip_upper), .mask = UPPER_HALF, SHOW3(GUEST_RIP, ENTRY_CONTROLS, GUEST_CS_ACCESS_RIGHTS)),
	RULE("rip-uniform", "in 64-bit code the bits of RIP above the linear-address width must be all 0 or all 1",
	     CHECK(rip_not_uniform), SHOW3(GUEST_RIP, ENTRY_CONTROLS, GUEST_CS_ACCESS_RIGHTS)),
	RULE("rflags-reserved", "bits 63:22, 15, 5 and 3 of RFLAGS must be 0",
	     CHECK(has_bits), .mask = 0xffffffffffc08028, SHOW1(GUEST_RFLAGS)),
	RULE("rflags-one", "bit 1 of RFLAGS must be 1",
	     CHECK(lacks_bits), .mask = RFLAGS_ONE, SHOW1(GUEST_RFLAGS)),
	RULE("rflags-vm-ia32e", "with \"IA-32e mode guest\" RFLAGS.VM must be 0",
	     CHECK(v86_in_ia32e), .mask = RFLAGS_VM, SHOW2(GUEST_RFLAGS, ENTRY_CONTROLS)),
	RULE("rflags-vm-real-mode", "in real mode (CR0.PE=0) RFLAGS.VM must be 0",
	     CHECK(v86_in_real_mode), .mask = RFLAGS_VM, SHOW2(GUEST_RFLAGS, GUEST_CR0)),
	RULE("rflags-if", "RFLAGS.IF must be 1 when an external interrupt is injected",
	     CHECK(interrupt_masked), .mask = RFLAGS_IF, SHOW2(GUEST_RFLAGS, ENTRY_INTERRUPTION_INFO)),
	RULE("ssp-aligned", "bits 1:0 of SSP must be 0",
	     ON(ENTRY, LOAD_CET), CHECK(has_bits), .mask = 3, SHOW1(GUEST_SSP)),
	RULE("ssp-upper", "bits 63:32 of SSP must be 0 outside 64-bit code (\"IA-32e mode guest\" and CS.L)",
	     ON(ENTRY, LOAD_CET), CHECK(rip_upper), .mask = UPPER_HALF, SHOW3(GUEST_SSP, ENTRY_CONTROLS, GUEST_CS_ACCESS_RIGHTS)),
	RULE("ssp-uniform", "in 64-bit code the bits of SSP above the linear-address width must be all 0 or all 1",
	     ON(ENTRY, LOAD_CET), CHECK(rip_not_uniform), SHOW3(GUEST_SSP, ENTRY_CONTROLS, GUEST_CS_ACCESS_RIGHTS)),
};

const struct entry_rules entry_rules_registers = ENTRY_RULES(register_rules);
const struct entry_rules entry_rules_tables = ENTRY_RULES(table_rules);
const struct entry_rules entry_rules_rip = ENTRY_RULES(rip_rules);
