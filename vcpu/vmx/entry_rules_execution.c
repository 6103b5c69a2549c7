/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules of VM entries: the VM-execution control fields. */
#include "kernel/compiler.h"
#include "kernel/format.h"
#include "vcpu/vmx/entry_rules.h"

#define SECTION "VM-Execution Control Fields"
#define VERDICT ENTRY_FAIL_CONTROLS

#define VIRTUAL_APIC_VTPR 0x80
#define EPTP_MEMORY_TYPE  7u

/* VM-function controls. */
#define VMFUNC_EPTP_SWITCHING BIT(0)

static uint64_t entry_bad_target_count(const struct entry_view *view, const struct entry_rule *rule)
{
	return entry_broken_if(entry_subject(view, rule) >
			       view->environment->capabilities->misc.cr3_targets);
}

static uint64_t entry_threshold_bits(const struct entry_view *view, const struct entry_rule *rule)
{
	if (entry_on(view, VMX_SECONDARY, SECONDARY_VIRTUAL_INTERRUPTS))
		return 0;
	return entry_has_bits(view, rule);
}

/* The priority class of the guest's TPR, in its virtual-APIC page. */
static bool read_vtpr_class(const struct entry_view *view, unsigned *class)
{
	uint8_t vtpr;

	if (!entry_read(view, entry_get(view, VMCS_VIRTUAL_APIC_ADDRESS) + VIRTUAL_APIC_VTPR, &vtpr,
			sizeof(vtpr)))
		return false;
	*class = vtpr >> 4;
	return true;
}

static uint64_t entry_threshold_above(const struct entry_view *view, const struct entry_rule *rule)
{
	unsigned class;

	if (view->word[VMX_SECONDARY] &
	    (SECONDARY_VIRTUALIZE_APIC_ACCESSES | SECONDARY_VIRTUAL_INTERRUPTS))
		return 0;
	return entry_broken_if(read_vtpr_class(view, &class) &&
			       (entry_subject(view, rule) & 0xf) > class);
}

static void explain_vtpr(const struct entry_view *view, const struct entry_rule *rule, char *text,
			 size_t size)
{
	unsigned class;

	(void)rule;
	if (read_vtpr_class(view, &class))
		format(text, size, "bits 7:4 of VTPR are %x", class);
}

/* The rule's controls need others, which are 0, or must not be with others, which are 1. */
static uint64_t entry_vnmi_without_nmi(const struct entry_view *view, const struct entry_rule *rule)
{
	(void)rule;
	return entry_broken_if(!entry_on(view, VMX_PIN, PIN_NMI_EXITING));
}

static uint64_t entry_bad_ept_memory(const struct entry_view *view, const struct entry_rule *rule)
{
	const struct ept_vpid_cap *c = &view->environment->capabilities->ept_vpid;
	unsigned type = entry_subject(view, rule) & EPTP_MEMORY_TYPE;

	if ((type == EPTP_MEMORY_UC && c->memory_uc) || (type == EPTP_MEMORY_WB && c->memory_wb))
		return 0;
	return EPTP_MEMORY_TYPE;
}

static uint64_t entry_bad_ept_walk(const struct entry_view *view, const struct entry_rule *rule)
{
	const struct ept_vpid_cap *c = &view->environment->capabilities->ept_vpid;
	const uint64_t mask = EPTP_WALK_LENGTH(8);
	uint64_t length = entry_subject(view, rule) & mask;

	if ((length == EPTP_WALK_LENGTH(4) && c->walk_4) ||
	    (length == EPTP_WALK_LENGTH(5) && c->walk_5))
		return 0;
	return mask;
}

static uint64_t entry_bad_ept_dirty(const struct entry_view *view, const struct entry_rule *rule)
{
	if (view->environment->capabilities->ept_vpid.accessed_dirty)
		return 0;
	return entry_subject(view, rule) & EPTP_ACCESSED_DIRTY;
}

static uint64_t entry_bad_ept_shadow(const struct entry_view *view, const struct entry_rule *rule)
{
	if (view->environment->capabilities->ept_vpid.supervisor_shadow_stack)
		return 0;
	return entry_subject(view, rule) & EPTP_SHADOW_STACK;
}

/* A field with reserved bits below the address, which `mask` has, and beyond the width. */
static uint64_t entry_bad_pointer(const struct entry_view *view, const struct entry_rule *rule)
{
	return entry_subject(view, rule) & (rule->mask | entry_address_excess(view));
}

static uint64_t entry_bad_functions(const struct entry_view *view, const struct entry_rule *rule)
{
	const struct vmx_capabilities *c = view->environment->capabilities;

	return entry_subject(view, rule) & ~c->raw[IA32_VMX_VMFUNC - VMX_MSR_FIRST];
}

static bool switches_eptp(const struct entry_view *view)
{
	return (entry_get(view, VMCS_VM_FUNCTION_CONTROLS) & VMFUNC_EPTP_SWITCHING) != 0;
}

static uint64_t entry_switching_without_ept(const struct entry_view *view,
					    const struct entry_rule *rule)
{
	return switches_eptp(view) ? entry_not_on(view, rule) : 0;
}

static uint64_t entry_list_not_page(const struct entry_view *view, const struct entry_rule *rule)
{
	return switches_eptp(view) ? entry_not_page(view, rule) : 0;
}

static uint64_t entry_list_too_wide(const struct entry_view *view, const struct entry_rule *rule)
{
	return switches_eptp(view) ? entry_too_wide(view, rule) : 0;
}

/* The last byte of the table of pointers, which the last index tells. */
static uint64_t entry_pid_table_end(const struct entry_view *view, const struct entry_rule *rule)
{
	uint64_t start = entry_subject(view, rule);
	uint64_t last = start + (entry_get(view, VMCS_LAST_PID_POINTER_INDEX) << 3) + 7;

	return entry_broken_if(((start | last) & entry_address_excess(view)) != 0);
}

/* clang-format off */

/* The two rules of an address of a page. */
#define PAGE_RULES(rule_name, words, field, condition)                                             \
	RULE(rule_name "-aligned", "bits 11:0 of the " words " must be 0",                        \
	     condition, CHECK(not_page), SHOW1(field)),                                            \
	RULE(rule_name "-width", "the " words " must not exceed the physical-address width",      \
	     condition, CHECK(too_wide), SHOW1(field))

/* One control needs another one. */
#define NEEDS_EPT(rule_name, word, control, words, field)                                          \
	RULE(rule_name "-needs-ept", "\"" words "\" needs \"enable EPT\"",                       \
	     ON(word, control), CHECK(not_on), .controls = CONTROLS(SECONDARY, EPT),               \
	     SHOW2(field, SECONDARY_CONTROLS))

#define NEEDS_TPR_SHADOW(rule_name, word, control, words, field)                                   \
	RULE(rule_name "-needs-tpr-shadow", "\"" words "\" needs \"use TPR shadow\"",            \
	     ON(word, control), CHECK(not_on), .controls = CONTROLS(PRIMARY, TPR_SHADOW),          \
	     SHOW2(PRIMARY_CONTROLS, field))

static const struct entry_rule rules[] = {
	RULE("pin-reserved", "reserved bits of the pin-based VM-execution controls must be as the capability MSRs say",
	     CHECK(bad_controls), .controls = {VMX_PIN, 0}, SHOW1(PIN_CONTROLS)),
	RULE("primary-reserved", "reserved bits of the primary processor-based VM-execution controls must be as the capability MSRs say",
	     CHECK(bad_controls), .controls = {VMX_PRIMARY, 0}, SHOW1(PRIMARY_CONTROLS)),
	RULE("secondary-reserved", "reserved bits of the secondary processor-based VM-execution controls must be as the capability MSRs say",
	     ON(PRIMARY, ACTIVATE_SECONDARY), CHECK(bad_controls), .controls = {VMX_SECONDARY, 0}, SHOW1(SECONDARY_CONTROLS)),
	RULE("tertiary-reserved", "reserved bits of the tertiary processor-based VM-execution controls must be as the capability MSRs say",
	     ON(PRIMARY, ACTIVATE_TERTIARY), CHECK(bad_controls), .controls = {VMX_TERTIARY, 0}, SHOW1(TERTIARY_CONTROLS)),
	RULE("cr3-target-count", "the CR3-target count must not be greater than bits 24:16 of IA32_VMX_MISC tell (4)",
	     CHECK(bad_target_count), SHOW1(CR3_TARGET_COUNT)),

	PAGE_RULES("io-bitmap-a", "address of I/O bitmap A", IO_BITMAP_A, ON(PRIMARY, IO_BITMAPS)),
	PAGE_RULES("io-bitmap-b", "address of I/O bitmap B", IO_BITMAP_B, ON(PRIMARY, IO_BITMAPS)),
	PAGE_RULES("msr-bitmaps", "address of the MSR bitmaps", MSR_BITMAPS, ON(PRIMARY, MSR_BITMAPS)),

	PAGE_RULES("virtual-apic", "virtual-APIC address", VIRTUAL_APIC_ADDRESS, ON(PRIMARY, TPR_SHADOW)),
	RULE("tpr-threshold-reserved", "without \"virtual-interrupt delivery\" bits 31:4 of the TPR threshold must be 0",
	     ON(PRIMARY, TPR_SHADOW), CHECK(threshold_bits), .mask = ~0xfull, SHOW1(TPR_THRESHOLD)),
	RULE("tpr-threshold-above", "bits 3:0 of the TPR threshold should not be greater than bits 7:4 of VTPR, byte 80h of the "
	     "virtual-APIC page",
	     ON(PRIMARY, TPR_SHADOW), CHECK(threshold_above), .explain = explain_vtpr, SHOW2(TPR_THRESHOLD, VIRTUAL_APIC_ADDRESS)),

	RULE("virtual-nmis-need-nmi-exiting", "\"virtual NMIs\" needs \"NMI exiting\"",
	     ON(PIN, VIRTUAL_NMIS), CHECK(vnmi_without_nmi), SHOW1(PIN_CONTROLS)),
	RULE("nmi-window-needs-virtual-nmis", "\"NMI-window exiting\" needs \"virtual NMIs\"",
	     ON(PRIMARY, NMI_WINDOW_EXITING), CHECK(not_on), .controls = CONTROLS(PIN, VIRTUAL_NMIS),
	     SHOW2(PIN_CONTROLS, PRIMARY_CONTROLS)),

	PAGE_RULES("apic-access", "APIC-access address", APIC_ACCESS_ADDRESS, ON(SECONDARY, VIRTUALIZE_APIC_ACCESSES)),
	NEEDS_TPR_SHADOW("x2apic", SECONDARY, VIRTUALIZE_X2APIC, "virtualize x2APIC mode", SECONDARY_CONTROLS),
	NEEDS_TPR_SHADOW("apic-registers", SECONDARY, APIC_REGISTERS, "APIC-register virtualization", SECONDARY_CONTROLS),
	NEEDS_TPR_SHADOW("virtual-interrupts", SECONDARY, VIRTUAL_INTERRUPTS, "virtual-interrupt delivery", SECONDARY_CONTROLS),
	NEEDS_TPR_SHADOW("ipi-virtualization", TERTIARY, IPI_VIRTUALIZATION, "IPI virtualization", TERTIARY_CONTROLS),
	RULE("x2apic-without-apic-accesses", "\"virtualize x2APIC mode\" and \"virtualize APIC accesses\" exclude each other",
	     ON(SECONDARY, VIRTUALIZE_X2APIC), CHECK(not_off), .controls = CONTROLS(SECONDARY, VIRTUALIZE_APIC_ACCESSES),
	     SHOW1(SECONDARY_CONTROLS)),
	RULE("virtual-interrupts-need-exiting", "\"virtual-interrupt delivery\" needs \"external-interrupt exiting\"",
	     ON(SECONDARY, VIRTUAL_INTERRUPTS), CHECK(not_on), .controls = CONTROLS(PIN, EXTERNAL_INTERRUPT_EXITING),
	     SHOW2(PIN_CONTROLS, SECONDARY_CONTROLS)),

	RULE("posted-needs-virtual-interrupts", "\"process posted interrupts\" needs \"virtual-interrupt delivery\"",
	     ON(PIN, POSTED_INTERRUPTS), CHECK(not_on), .controls = CONTROLS(SECONDARY, VIRTUAL_INTERRUPTS),
	     SHOW2(SECONDARY_CONTROLS, PIN_CONTROLS)),
	RULE("posted-needs-acknowledge", "\"process posted interrupts\" needs \"acknowledge interrupt on exit\"",
	     ON(PIN, POSTED_INTERRUPTS), CHECK(not_on), .controls = CONTROLS(EXIT, ACKNOWLEDGE_INTERRUPT),
	     SHOW2(EXIT_CONTROLS, PIN_CONTROLS)),
	RULE("posted-vector", "the posted-interrupt notification vector must be 0 to 255",
	     ON(PIN, POSTED_INTERRUPTS), CHECK(has_bits), .mask = 0xff00, SHOW1(POSTED_INTERRUPT_VECTOR)),
	RULE("posted-descriptor-aligned", "bits 5:0 of the posted-interrupt descriptor address must be 0",
	     ON(PIN, POSTED_INTERRUPTS), CHECK(has_bits), .mask = 0x3f, SHOW1(POSTED_INTERRUPT_DESCRIPTOR)),
	RULE("posted-descriptor-width", "the posted-interrupt descriptor address must not exceed the physical-address width",
	     ON(PIN, POSTED_INTERRUPTS), CHECK(too_wide), SHOW1(POSTED_INTERRUPT_DESCRIPTOR)),

	RULE("vpid-zero", "with \"enable VPID\" the VPID must not be 0000h",
	     ON(SECONDARY, VPID), CHECK(is_zero), SHOW1(VPID)),

	RULE("eptp-memory-type", "bits 2:0 of the EPTP must be a memory type that IA32_VMX_EPT_VPID_CAP tells (0 UC, 6 WB)",
	     ON(SECONDARY, EPT), CHECK(bad_ept_memory), SHOW1(EPT_POINTER)),
	RULE("eptp-walk-length", "bits 5:3 of the EPTP, one less than the page-walk length, must be as IA32_VMX_EPT_VPID_CAP tells (3 or 4)",
	     ON(SECONDARY, EPT), CHECK(bad_ept_walk), SHOW1(EPT_POINTER)),
	RULE("eptp-accessed-dirty", "bit 6 of the EPTP must be 0, since this processor has no accessed and dirty flags for EPT",
	     ON(SECONDARY, EPT), CHECK(bad_ept_dirty), SHOW1(EPT_POINTER)),
	RULE("eptp-shadow-stack", "bit 7 of the EPTP must be 0, since this processor has no supervisor shadow-stack pages",
	     ON(SECONDARY, EPT), CHECK(bad_ept_shadow), SHOW1(EPT_POINTER)),
	RULE("eptp-reserved", "bits 11:8 of the EPTP and those beyond the physical-address width must be 0",
	     ON(SECONDARY, EPT), CHECK(bad_pointer), .mask = 0xf00, SHOW1(EPT_POINTER)),

	NEEDS_EPT("pml", SECONDARY, PML, "enable PML", SECONDARY_CONTROLS),
	PAGE_RULES("pml", "PML address", PML_ADDRESS, ON(SECONDARY, PML)),
	NEEDS_EPT("unrestricted", SECONDARY, UNRESTRICTED_GUEST, "unrestricted guest", SECONDARY_CONTROLS),
	NEEDS_EPT("mode-based-execute", SECONDARY, MODE_BASED_EXECUTE, "mode-based execute control for EPT", SECONDARY_CONTROLS),
	NEEDS_EPT("sub-page-write", SECONDARY, SUB_PAGE_WRITE, "sub-page write permissions for EPT", SECONDARY_CONTROLS),
	PAGE_RULES("sub-page-table", "sub-page-permission-table pointer", SPP_TABLE_POINTER, ON(SECONDARY, SUB_PAGE_WRITE)),

	RULE("vm-functions-reserved", "reserved bits of the VM-function controls must be 0",
	     ON(SECONDARY, VM_FUNCTIONS), CHECK(bad_functions), SHOW1(VM_FUNCTION_CONTROLS)),
	RULE("eptp-switching-needs-ept", "the VM function \"EPTP switching\" needs \"enable EPT\"",
	     ON(SECONDARY, VM_FUNCTIONS), CHECK(switching_without_ept), .controls = CONTROLS(SECONDARY, EPT),
	     SHOW2(SECONDARY_CONTROLS, VM_FUNCTION_CONTROLS)),
	RULE("eptp-list-aligned", "bits 11:0 of the EPTP-list address must be 0",
	     ON(SECONDARY, VM_FUNCTIONS), CHECK(list_not_page), SHOW2(EPTP_LIST_ADDRESS, VM_FUNCTION_CONTROLS)),
	RULE("eptp-list-width", "the EPTP-list address must not exceed the physical-address width",
	     ON(SECONDARY, VM_FUNCTIONS), CHECK(list_too_wide), SHOW2(EPTP_LIST_ADDRESS, VM_FUNCTION_CONTROLS)),

	PAGE_RULES("vmread-bitmap", "VMREAD-bitmap address", VMREAD_BITMAP, ON(SECONDARY, VMCS_SHADOWING)),
	PAGE_RULES("vmwrite-bitmap", "VMWRITE-bitmap address", VMWRITE_BITMAP, ON(SECONDARY, VMCS_SHADOWING)),
	PAGE_RULES("ve-information", "virtualization-exception information address", VE_INFORMATION_ADDRESS,
		   ON(SECONDARY, EPT_VIOLATION_VE)),

	NEEDS_EPT("pt-addresses", SECONDARY, PT_GUEST_PHYSICAL, "Intel PT uses guest physical addresses", SECONDARY_CONTROLS),
	RULE("pt-addresses-need-load", "\"Intel PT uses guest physical addresses\" needs \"load IA32_RTIT_CTL\"",
	     ON(SECONDARY, PT_GUEST_PHYSICAL), CHECK(not_on), .controls = CONTROLS(ENTRY, LOAD_RTIT_CTL),
	     SHOW2(ENTRY_CONTROLS, SECONDARY_CONTROLS)),
	RULE("pt-addresses-need-clear", "\"Intel PT uses guest physical addresses\" needs \"clear IA32_RTIT_CTL\"",
	     ON(SECONDARY, PT_GUEST_PHYSICAL), CHECK(not_on), .controls = CONTROLS(EXIT, CLEAR_RTIT_CTL),
	     SHOW2(EXIT_CONTROLS, SECONDARY_CONTROLS)),
	RULE("tsc-multiplier-zero", "with \"use TSC scaling\" the TSC multiplier must not be 0",
	     ON(SECONDARY, TSC_SCALING), CHECK(is_zero), SHOW1(TSC_MULTIPLIER)),
	PAGE_RULES("low-pasid", "low PASID directory address", LOW_PASID_DIRECTORY, ON(SECONDARY, PASID_TRANSLATION)),
	PAGE_RULES("high-pasid", "high PASID directory address", HIGH_PASID_DIRECTORY, ON(SECONDARY, PASID_TRANSLATION)),

	NEEDS_EPT("hlat", TERTIARY, HLAT, "enable HLAT", TERTIARY_CONTROLS),
	NEEDS_EPT("paging-write", TERTIARY, EPT_PAGING_WRITE, "EPT paging-write control", TERTIARY_CONTROLS),
	NEEDS_EPT("paging-verification", TERTIARY, GUEST_PAGING_VERIFICATION, "guest-paging verification", TERTIARY_CONTROLS),
	RULE("hlat-pointer", "bits 2:0 and 11:5 of the HLAT pointer and those beyond the physical-address width must be 0",
	     ON(TERTIARY, HLAT), CHECK(bad_pointer), .mask = 0xfe7, SHOW1(HLAT_POINTER)),
	RULE("pid-table-aligned", "bits 2:0 of the PID-pointer table address must be 0",
	     ON(TERTIARY, IPI_VIRTUALIZATION), CHECK(has_bits), .mask = 7, SHOW1(PID_POINTER_TABLE_ADDRESS)),
	RULE("pid-table-width", "the PID-pointer table, up to its last index, must not exceed the physical-address width",
	     ON(TERTIARY, IPI_VIRTUALIZATION), CHECK(pid_table_end), SHOW2(PID_POINTER_TABLE_ADDRESS, LAST_PID_POINTER_INDEX)),
};

const struct entry_rules entry_rules_execution = ENTRY_RULES(rules);
