/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules of VM entries: the MSRs that are loaded from memory, after all other checks. */
#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/msr.h"
#include "kernel/compiler.h"
#include "kernel/format.h"
#include "vcpu/vmx/entry_rules.h"

#define SECTION "Loading MSRs"
#define VERDICT ENTRY_EXIT_MSR

/* SDM "VM-Entry Controls for MSRs". */
struct msr_entry {
	uint32_t index;
	uint32_t reserved;
	uint64_t value;
};

/* No processor has a list longer than this (IA32_VMX_MISC bits 27:25). */
#define ENTRIES_MAX 4096u

#define X2APIC_MSRS 0x8u /* bits 31:8 of their numbers */

enum msr_fault {
	FAULT_FS_GS,
	FAULT_X2APIC,
	FAULT_SMM,
	FAULT_MICROCODE,
	FAULT_RESERVED,
	FAULT_EFER,
	FAULT_ADDRESS,
	FAULT_PAT,
	FAULT_COUNT
};

static bool is_address(uint32_t msr)
{
	return msr == IA32_SYSENTER_ESP || msr == IA32_SYSENTER_EIP || msr == IA32_DS_AREA ||
	       msr == IA32_LSTAR || msr == IA32_CSTAR || msr == IA32_KERNEL_GS_BASE;
}

/* WRMSR would fault: a reserved bit, or with paging a change of LME, which is what "IA-32e mode
 * guest" made it. */
static bool bad_efer(const struct entry_view *view, uint64_t value)
{
	bool paging = entry_get(view, VMCS_GUEST_CR0) & CR0_PG;
	bool lme = value & EFER_LME;

	/* LMA is not written, so it may be anything. */
	return (value & ~(view->environment->efer | EFER_LMA)) || (paging && lme != view->ia32e);
}

static bool bad_pat(uint64_t value)
{
	for (unsigned at = 0; at < 64; at += 8) {
		unsigned type = value >> at & 0xff;

		if (type > 7 || type == 2 || type == 3)
			return true;
	}
	return false;
}

static bool has_fault(const struct entry_view *view, const struct msr_entry *entry,
		      enum msr_fault fault)
{
	switch (fault) {
	case FAULT_FS_GS:
		return entry->index == IA32_FS_BASE || entry->index == IA32_GS_BASE;
	case FAULT_X2APIC:
		return entry->index >> 8 == X2APIC_MSRS;
	case FAULT_SMM:
		return entry->index == IA32_SMM_MONITOR_CTL;
	case FAULT_MICROCODE:
		return entry->index == IA32_BIOS_UPDT_TRIG || entry->index == IA32_BIOS_SIGN_ID;
	case FAULT_RESERVED:
		return entry->reserved != 0;
	case FAULT_EFER:
		return entry->index == IA32_EFER && bad_efer(view, entry->value);
	case FAULT_ADDRESS:
		return is_address(entry->index) && !entry_is_canonical(view, entry->value);
	case FAULT_PAT:
		return entry->index == IA32_PAT && bad_pat(entry->value);
	case FAULT_COUNT:
		break;
	}
	return false;
}

/* The number of the first entry with the fault, from 1, which is then in *entry; 0: none. */
static uint64_t find(const struct entry_view *view, enum msr_fault fault, struct msr_entry *entry)
{
	uint64_t count = entry_get(view, VMCS_ENTRY_MSR_LOAD_COUNT);
	uint64_t at = entry_get(view, VMCS_ENTRY_MSR_LOAD_ADDRESS);

	/* An area that cannot be read has rules of its own. */
	for (uint64_t i = 1; i <= count && i <= ENTRIES_MAX; i++, at += sizeof(*entry)) {
		if (at & entry_address_excess(view) || !entry_read(view, at, entry, sizeof(*entry)))
			return 0;
		if (has_fault(view, entry, fault))
			return i;
	}
	return 0;
}

static uint64_t entry_bad_msr(const struct entry_view *view, const struct entry_rule *rule)
{
	struct msr_entry entry;

	return entry_broken_if(find(view, (enum msr_fault)rule->index, &entry) != 0);
}

uint64_t entry_failing_msr(const struct entry_view *view)
{
	struct msr_entry entry;
	uint64_t first = 0;

	for (unsigned fault = 0; fault < FAULT_COUNT; fault++) {
		uint64_t number = find(view, (enum msr_fault)fault, &entry);

		if (number && (first == 0 || number < first))
			first = number;
	}
	return first;
}

static void explain_msr(const struct entry_view *view, const struct entry_rule *rule, char *text,
			size_t size)
{
	struct msr_entry entry = {0};
	uint64_t number = find(view, (enum msr_fault)rule->index, &entry);
	char buffer[MSR_NAME_MAX];
	const char *name = msr_name(entry.index, buffer);

	format(text, size, "entry %llu is MSR %x (%s), value %llx, bits 63:32 %x",
	       (unsigned long long)number, entry.index, name ? name : "no MSR with a name",
	       (unsigned long long)entry.value, entry.reserved);
}

/* clang-format off */

#define MSR_RULE(rule_name, words, fault)                                                          \
	RULE(rule_name, words, CHECK(bad_msr), .index = (fault), .explain = explain_msr,           \
	     SHOW2(ENTRY_MSR_LOAD_ADDRESS, ENTRY_MSR_LOAD_COUNT))

static const struct entry_rule rules[] = {
	MSR_RULE("msr-fs-gs", "IA32_FS_BASE and IA32_GS_BASE cannot be loaded: the guest-state area has their values", FAULT_FS_GS),
	MSR_RULE("msr-x2apic", "MSRs 800h to 8FFh, the x2APIC's, cannot be loaded", FAULT_X2APIC),
	MSR_RULE("msr-smm", "an MSR that can be written in SMM only cannot be loaded outside it", FAULT_SMM),
	RULE("msr-microcode", "MSRs of microcode updates cannot be loaded",
	     CHECK(bad_msr), .index = FAULT_MICROCODE, .explain = explain_msr, .differs = "the SDM leaves it to the processor",
	     SHOW2(ENTRY_MSR_LOAD_ADDRESS, ENTRY_MSR_LOAD_COUNT)),
	MSR_RULE("msr-reserved", "bits 63:32 of an entry must be 0", FAULT_RESERVED),
	MSR_RULE("msr-efer", "a value of IA32_EFER must have no reserved bits, and with CR0.PG not change LME", FAULT_EFER),
	MSR_RULE("msr-address", "a value of an MSR that holds an address must be canonical", FAULT_ADDRESS),
	MSR_RULE("msr-pat", "each byte of a value of IA32_PAT must be a memory type: 0, 1, 4, 5, 6 or 7", FAULT_PAT),
};

const struct entry_rules entry_rules_msrs = ENTRY_RULES(rules);
