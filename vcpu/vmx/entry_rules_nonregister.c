/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules of VM entries: activity, interruptibility, pending debug exceptions, the VMCS link pointer,
 * and PDPTEs. */
#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/exceptions.h"
#include "kernel/compiler.h"
#include "kernel/format.h"
#include "vcpu/vmx/entry_rules.h"

#define SECTION "Checks on Guest Non-Register State"
#define VERDICT ENTRY_EXIT_GUEST

#define SHADOWS ((uint64_t)(INTERRUPTIBILITY_STI | INTERRUPTIBILITY_MOV_SS))

#define PENDING_RESERVED (~(uint64_t)(0xf | DEBUG_ENABLED | DEBUG_BS | DEBUG_RTM))

/* --- Activity --- */

static uint64_t entry_no_activity(const struct entry_view *view, const struct entry_rule *rule)
{
	const struct vmx_misc *misc = &view->environment->capabilities->misc;

	switch (entry_subject(view, rule)) {
	case ACTIVITY_ACTIVE:
		return 0;
	case ACTIVITY_HLT:
		return entry_broken_if(!misc->activity_hlt);
	case ACTIVITY_SHUTDOWN:
		return entry_broken_if(!misc->activity_shutdown);
	case ACTIVITY_WAIT_FOR_SIPI:
		return entry_broken_if(!misc->activity_wait_for_sipi);
	default:
		return ENTRY_BROKEN;
	}
}

static uint64_t entry_hlt_outside_cpl0(const struct entry_view *view, const struct entry_rule *rule)
{
	return entry_broken_if(entry_subject(view, rule) == ACTIVITY_HLT &&
			       entry_get(view, VMCS_GUEST_SS_ACCESS_RIGHTS) & ACCESS_DPL);
}

static uint64_t entry_inactive_shadow(const struct entry_view *view, const struct entry_rule *rule)
{
	return entry_broken_if(entry_subject(view, rule) != ACTIVITY_ACTIVE &&
			       entry_get(view, VMCS_GUEST_INTERRUPTIBILITY) & SHADOWS);
}

static bool event_is(const struct entry_view *view, enum vmx_interruption_type type,
		     unsigned vector)
{
	return view->event.type == type && view->event.vector == vector;
}

static bool machine_check(const struct entry_view *view)
{
	return event_is(view, VMX_HARDWARE_EXCEPTION, EXCEPTION_MC);
}

static uint64_t entry_event_in_hlt(const struct entry_view *view, const struct entry_rule *rule)
{
	if (!view->event.valid || entry_subject(view, rule) != ACTIVITY_HLT)
		return 0;
	return entry_broken_if(view->event.type != VMX_EXTERNAL_INTERRUPT &&
			       view->event.type != VMX_NMI &&
			       !event_is(view, VMX_HARDWARE_EXCEPTION, EXCEPTION_DB) &&
			       !machine_check(view) && !event_is(view, VMX_OTHER_EVENT, 0));
}

static uint64_t entry_event_in_shutdown(const struct entry_view *view,
					const struct entry_rule *rule)
{
	if (!view->event.valid || entry_subject(view, rule) != ACTIVITY_SHUTDOWN)
		return 0;
	return entry_broken_if(view->event.type != VMX_NMI && !machine_check(view));
}

static uint64_t entry_event_in_sipi(const struct entry_view *view, const struct entry_rule *rule)
{
	return entry_broken_if(view->event.valid &&
			       entry_subject(view, rule) == ACTIVITY_WAIT_FOR_SIPI);
}

static uint64_t entry_sipi_in_smm(const struct entry_view *view, const struct entry_rule *rule)
{
	return entry_broken_if(entry_subject(view, rule) == ACTIVITY_WAIT_FOR_SIPI);
}

/* --- Interruptibility --- */

static uint64_t entry_both_shadows(const struct entry_view *view, const struct entry_rule *rule)
{
	return entry_lacks_bits(view, rule) == 0 ? rule->mask : 0;
}

static uint64_t entry_sti_masked(const struct entry_view *view, const struct entry_rule *rule)
{
	return entry_get(view, VMCS_GUEST_RFLAGS) & RFLAGS_IF ? 0 : entry_has_bits(view, rule);
}

/* With an event of the type that `index` has. */
static uint64_t entry_blocks_event(const struct entry_view *view, const struct entry_rule *rule)
{
	if (!view->event.valid || (unsigned)view->event.type != rule->index)
		return 0;
	return entry_has_bits(view, rule);
}

static uint64_t entry_enclave_shadow(const struct entry_view *view, const struct entry_rule *rule)
{
	return entry_lacks_bits(view, rule) == 0 ? INTERRUPTIBILITY_MOV_SS : 0;
}

static uint64_t entry_enclave_absent(const struct entry_view *view, const struct entry_rule *rule)
{
	return view->environment->sgx ? 0 : entry_has_bits(view, rule);
}

/* --- Pending debug exceptions --- */

static uint64_t entry_pending_bits(const struct entry_view *view, const struct entry_rule *rule)
{
	uint64_t wrong = entry_has_bits(view, rule);

	return view->environment->bus_lock_detect ? wrong & ~(uint64_t)DEBUG_BLD : wrong;
}

/* In these states a single step that is due must be pending, and no other one may be. */
static bool step_is_checked(const struct entry_view *view)
{
	return entry_get(view, VMCS_GUEST_INTERRUPTIBILITY) & SHADOWS ||
	       entry_get(view, VMCS_GUEST_ACTIVITY_STATE) == ACTIVITY_HLT;
}

static bool steps(const struct entry_view *view)
{
	return entry_get(view, VMCS_GUEST_RFLAGS) & RFLAGS_TF &&
	       !(entry_get(view, VMCS_GUEST_DEBUGCTL) & DEBUGCTL_BTF);
}

static uint64_t entry_step_missing(const struct entry_view *view, const struct entry_rule *rule)
{
	return step_is_checked(view) && steps(view) ? entry_lacks_bits(view, rule) : 0;
}

static uint64_t entry_step_unwanted(const struct entry_view *view, const struct entry_rule *rule)
{
	return step_is_checked(view) && !steps(view) ? entry_has_bits(view, rule) : 0;
}

static uint64_t entry_rtm_bits(const struct entry_view *view, const struct entry_rule *rule)
{
	uint64_t pending = entry_subject(view, rule);

	if (!(pending & DEBUG_RTM))
		return 0;
	return (pending ^ DEBUG_ENABLED) & ~(uint64_t)DEBUG_RTM;
}

static uint64_t entry_rtm_absent(const struct entry_view *view, const struct entry_rule *rule)
{
	return view->environment->rtm ? 0 : entry_has_bits(view, rule);
}

static uint64_t entry_rtm_shadow(const struct entry_view *view, const struct entry_rule *rule)
{
	bool shadow = entry_get(view, VMCS_GUEST_INTERRUPTIBILITY) & INTERRUPTIBILITY_MOV_SS;

	return shadow ? entry_has_bits(view, rule) : 0;
}

/* --- VMCS link pointer; all ones is none --- */

static bool linked(const struct entry_view *view)
{
	return entry_get(view, VMCS_LINK_POINTER) != VMCS_LINK_NONE;
}

static bool read_linked(const struct entry_view *view, uint32_t *first)
{
	uint64_t at = entry_get(view, VMCS_LINK_POINTER);

	return linked(view) && !(at & 0xfff) && !(at & entry_address_excess(view)) &&
	       entry_read(view, at, first, sizeof(*first));
}

static uint64_t entry_link_unaligned(const struct entry_view *view, const struct entry_rule *rule)
{
	return linked(view) ? entry_not_page(view, rule) : 0;
}

static uint64_t entry_link_too_wide(const struct entry_view *view, const struct entry_rule *rule)
{
	return linked(view) ? entry_too_wide(view, rule) : 0;
}

static uint64_t entry_link_revision(const struct entry_view *view, const struct entry_rule *rule)
{
	uint32_t first;

	(void)rule;
	return entry_broken_if(read_linked(view, &first) &&
			       (first & ~VMCS_SHADOW) !=
				       view->environment->capabilities->basic.revision);
}

static uint64_t entry_link_shadow(const struct entry_view *view, const struct entry_rule *rule)
{
	bool shadowing = entry_on(view, VMX_SECONDARY, SECONDARY_VMCS_SHADOWING);
	uint32_t first;

	(void)rule;
	return entry_broken_if(read_linked(view, &first) &&
			       ((first & VMCS_SHADOW) != 0) != shadowing);
}

static uint64_t entry_link_to_itself(const struct entry_view *view, const struct entry_rule *rule)
{
	return entry_broken_if(linked(view) &&
			       entry_subject(view, rule) == view->environment->current_vmcs);
}

static void explain_link(const struct entry_view *view, const struct entry_rule *rule, char *text,
			 size_t size)
{
	uint32_t first;

	(void)rule;
	if (read_linked(view, &first))
		format(text, size, "the 4 bytes there are %x; this processor's revision is %x",
		       first, view->environment->capabilities->basic.revision);
}

/* --- PDPTEs --- */

#define PDPTE_P        BIT(0)
#define PDPTE_RESERVED 0x1e6ull /* bits 2:1 and 8:5 */
#define PDPTES         4
#define PAE_CR3_MASK   ~0x1full

static bool uses_pae(const struct entry_view *view)
{
	return !view->ia32e && entry_get(view, VMCS_GUEST_CR0) & CR0_PG &&
	       entry_get(view, VMCS_GUEST_CR4) & CR4_PAE;
}

static bool has_ept(const struct entry_view *view)
{
	return entry_on(view, VMX_SECONDARY, SECONDARY_EPT);
}

static uint64_t wrong_in_pdpte(const struct entry_view *view, uint64_t pdpte)
{
	uint64_t excess = ~0ull << view->environment->physical_bits;

	return pdpte & PDPTE_P ? pdpte & (PDPTE_RESERVED | excess) : 0;
}

static uint64_t entry_bad_pdpte(const struct entry_view *view, const struct entry_rule *rule)
{
	return uses_pae(view) && has_ept(view) ? wrong_in_pdpte(view, entry_subject(view, rule))
					       : 0;
}

/* Without EPT they are in the memory that CR3 points to. The number of the first bad one, or
 * PDPTES. */
static unsigned bad_pdpte_in_memory(const struct entry_view *view, uint64_t *pdpte)
{
	uint64_t table = entry_get(view, VMCS_GUEST_CR3) & PAE_CR3_MASK;

	if (!uses_pae(view) || has_ept(view))
		return PDPTES;
	for (unsigned i = 0; i < PDPTES; i++) {
		if (entry_read(view, table + i * sizeof(*pdpte), pdpte, sizeof(*pdpte)) &&
		    wrong_in_pdpte(view, *pdpte))
			return i;
	}
	return PDPTES;
}

static uint64_t entry_bad_pdpte_in_memory(const struct entry_view *view,
					  const struct entry_rule *rule)
{
	uint64_t pdpte;

	(void)rule;
	return entry_broken_if(bad_pdpte_in_memory(view, &pdpte) < PDPTES);
}

static void explain_pdpte(const struct entry_view *view, const struct entry_rule *rule, char *text,
			  size_t size)
{
	uint64_t pdpte = 0;
	unsigned number = bad_pdpte_in_memory(view, &pdpte);

	(void)rule;
	format(text, size, "PDPTE %u is %llx", number, (unsigned long long)pdpte);
}

/* clang-format off */

#define INTERRUPTIBILITY(name, words, predicate, bits)                                             \
	RULE(name, words, CHECK(predicate), .mask = (bits), SHOW1(GUEST_INTERRUPTIBILITY))

#define WITH_EVENT(name, words, type, bits)                                                        \
	RULE(name, words, CHECK(blocks_event), .index = (type), .mask = (bits),                    \
	     SHOW2(GUEST_INTERRUPTIBILITY, ENTRY_INTERRUPTION_INFO))

#define LINK_RULE(rule_name, words, ...)                                                           \
	RULE(rule_name, words, .qualification = ENTRY_FAILURE_LINK_POINTER, __VA_ARGS__)

static const struct entry_rule rules[] = {
	RULE("activity", "the activity state must be 0 to 3, and one that bits 8:6 of IA32_VMX_MISC tell",
	     CHECK(no_activity), SHOW1(GUEST_ACTIVITY_STATE)),
	RULE("activity-hlt-cpl", "the activity state must not be HLT unless the DPL of SS is 0",
	     CHECK(hlt_outside_cpl0), SHOW2(GUEST_ACTIVITY_STATE, GUEST_SS_ACCESS_RIGHTS)),
	RULE("activity-shadow", "the activity state must be active while STI or MOV SS blocks",
	     CHECK(inactive_shadow), SHOW2(GUEST_ACTIVITY_STATE, GUEST_INTERRUPTIBILITY)),
	RULE("activity-hlt-event", "in HLT only external interrupts, NMIs, #DB, #MC and a pending MTF exit can be injected",
	     CHECK(event_in_hlt), SHOW2(GUEST_ACTIVITY_STATE, ENTRY_INTERRUPTION_INFO)),
	RULE("activity-shutdown-event", "in shutdown only NMIs and #MC can be injected",
	     CHECK(event_in_shutdown), SHOW2(GUEST_ACTIVITY_STATE, ENTRY_INTERRUPTION_INFO)),
	RULE("activity-sipi-event", "in wait-for-SIPI nothing can be injected",
	     CHECK(event_in_sipi), SHOW2(GUEST_ACTIVITY_STATE, ENTRY_INTERRUPTION_INFO)),
	RULE("activity-sipi-smm", "with \"entry to SMM\" the activity state must not be wait-for-SIPI",
	     ON(ENTRY, TO_SMM), CHECK(sipi_in_smm), SHOW2(GUEST_ACTIVITY_STATE, ENTRY_CONTROLS)),

	INTERRUPTIBILITY("interruptibility-reserved", "bits 31:5 of the interruptibility state must be 0", has_bits, 0xffffffe0),
	INTERRUPTIBILITY("interruptibility-both", "STI and MOV SS (bits 0 and 1) cannot both block", both_shadows, SHADOWS),
	RULE("interruptibility-sti-if", "STI (bit 0) cannot block while RFLAGS.IF is 0",
	     CHECK(sti_masked), .mask = INTERRUPTIBILITY_STI, SHOW2(GUEST_INTERRUPTIBILITY, GUEST_RFLAGS)),
	WITH_EVENT("interruptibility-interrupt", "no external interrupt can be injected while STI or MOV SS (bits 0 and 1) blocks",
		   VMX_EXTERNAL_INTERRUPT, SHADOWS),
	WITH_EVENT("interruptibility-nmi-mov-ss", "no NMI can be injected while MOV SS (bit 1) blocks",
		   VMX_NMI, INTERRUPTIBILITY_MOV_SS),
	INTERRUPTIBILITY("interruptibility-smi", "outside SMM bit 2 (blocking by SMI) must be 0", has_bits, INTERRUPTIBILITY_SMI),
	RULE("interruptibility-smi-entry", "with \"entry to SMM\" bit 2 (blocking by SMI) must be 1",
	     ON(ENTRY, TO_SMM), CHECK(lacks_bits), .mask = INTERRUPTIBILITY_SMI, SHOW2(GUEST_INTERRUPTIBILITY, ENTRY_CONTROLS)),
	RULE("interruptibility-nmi-sti", "a processor may refuse to inject an NMI while STI (bit 0) blocks",
	     CHECK(blocks_event), .index = VMX_NMI, .mask = INTERRUPTIBILITY_STI, .qualification = ENTRY_FAILURE_NMI,
	     .differs = "the SDM leaves it to the processor", SHOW2(GUEST_INTERRUPTIBILITY, ENTRY_INTERRUPTION_INFO)),
	RULE("interruptibility-virtual-nmi", "with \"virtual NMIs\" no NMI can be injected while NMIs are blocked (bit 3)",
	     ON(PIN, VIRTUAL_NMIS), CHECK(blocks_event), .index = VMX_NMI, .mask = INTERRUPTIBILITY_NMI,
	     SHOW3(GUEST_INTERRUPTIBILITY, ENTRY_INTERRUPTION_INFO, PIN_CONTROLS)),
	INTERRUPTIBILITY("interruptibility-enclave-mov-ss", "after an enclave interruption (bit 4) MOV SS (bit 1) cannot block",
			 enclave_shadow, INTERRUPTIBILITY_ENCLAVE | INTERRUPTIBILITY_MOV_SS),
	INTERRUPTIBILITY("interruptibility-enclave", "bit 4 (enclave interruption) must be 0, since this processor has no SGX",
			 enclave_absent, INTERRUPTIBILITY_ENCLAVE),

	RULE("pending-reserved", "bits 11:4, 13, 15 and 63:17 of the pending debug exceptions must be 0 (11 is free where the processor "
	     "detects bus locks)",
	     CHECK(pending_bits), .mask = PENDING_RESERVED, SHOW1(GUEST_PENDING_DEBUG_EXCEPTIONS)),
	RULE("pending-step-missing", "while STI or MOV SS blocks or in HLT, BS (bit 14) must be pending if RFLAGS.TF is 1 and "
	     "IA32_DEBUGCTL.BTF is 0",
	     CHECK(step_missing), .mask = DEBUG_BS,
	     SHOW5(GUEST_PENDING_DEBUG_EXCEPTIONS, GUEST_RFLAGS, GUEST_DEBUGCTL, GUEST_INTERRUPTIBILITY, GUEST_ACTIVITY_STATE)),
	RULE("pending-step-unwanted", "while STI or MOV SS blocks or in HLT, BS (bit 14) must not be pending if RFLAGS.TF is 0 or "
	     "IA32_DEBUGCTL.BTF is 1",
	     CHECK(step_unwanted), .mask = DEBUG_BS,
	     SHOW5(GUEST_PENDING_DEBUG_EXCEPTIONS, GUEST_RFLAGS, GUEST_DEBUGCTL, GUEST_INTERRUPTIBILITY, GUEST_ACTIVITY_STATE)),
	RULE("pending-rtm-bits", "with RTM (bit 16) pending, bit 12 must be 1 and all others 0",
	     CHECK(rtm_bits), SHOW1(GUEST_PENDING_DEBUG_EXCEPTIONS)),
	RULE("pending-rtm", "RTM (bit 16) cannot be pending, since this processor has no RTM",
	     CHECK(rtm_absent), .mask = DEBUG_RTM, SHOW1(GUEST_PENDING_DEBUG_EXCEPTIONS)),
	RULE("pending-rtm-mov-ss", "RTM (bit 16) cannot be pending while MOV SS blocks",
	     CHECK(rtm_shadow), .mask = DEBUG_RTM, SHOW2(GUEST_PENDING_DEBUG_EXCEPTIONS, GUEST_INTERRUPTIBILITY)),

	LINK_RULE("link-aligned", "bits 11:0 of the VMCS link pointer must be 0, or all of its bits 1",
		  CHECK(link_unaligned), SHOW1(LINK_POINTER)),
	LINK_RULE("link-width", "the VMCS link pointer must not exceed the physical-address width, or have all of its bits 1",
		  CHECK(link_too_wide), SHOW1(LINK_POINTER)),
	LINK_RULE("link-revision", "the memory at the VMCS link pointer must begin with this processor's VMCS revision identifier",
		  CHECK(link_revision), .explain = explain_link, SHOW1(LINK_POINTER)),
	LINK_RULE("link-shadow", "the VMCS link pointer must refer to a shadow VMCS (bit 31 of its first 4 bytes) if, and only if, "
		  "\"VMCS shadowing\" is 1",
		  CHECK(link_shadow), .explain = explain_link, SHOW2(LINK_POINTER, SECONDARY_CONTROLS)),
	LINK_RULE("link-current", "the VMCS link pointer must not refer to the current VMCS",
		  CHECK(link_to_itself), SHOW1(LINK_POINTER)),
};

#undef SECTION
#define SECTION "Checks on Guest Page-Directory-Pointer-Table Entries"

#define PDPTE_RULE(number)                                                                         \
	RULE("pdpte" #number, "with PAE paging, if P is 1, bits 2:1, 8:5 and those beyond the physical-address width of PDPTE " \
	     #number " must be 0",                                                                 \
	     CHECK(bad_pdpte), .qualification = ENTRY_FAILURE_PDPTE,                               \
	     SHOW4(GUEST_PDPTE##number, GUEST_CR0, GUEST_CR4, ENTRY_CONTROLS))

static const struct entry_rule pdpte_rules[] = {
	PDPTE_RULE(0),
	PDPTE_RULE(1),
	PDPTE_RULE(2),
	PDPTE_RULE(3),
	RULE("pdpte-memory", "with PAE paging and without EPT, if P is 1, bits 2:1, 8:5 and those beyond the physical-address width must "
	     "be 0 in each PDPTE at CR3",
	     CHECK(bad_pdpte_in_memory), .qualification = ENTRY_FAILURE_PDPTE, .explain = explain_pdpte,
	     SHOW4(GUEST_CR3, GUEST_CR0, GUEST_CR4, ENTRY_CONTROLS)),
};

const struct entry_rules entry_rules_nonregister = ENTRY_RULES(rules);
const struct entry_rules entry_rules_pdptes = ENTRY_RULES(pdpte_rules);
