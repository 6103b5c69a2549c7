/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules of VM entries: the VM-exit and the VM-entry control fields. */
#include "arch/x86_64/control_registers.h"
#include "kernel/compiler.h"
#include "vcpu/vmx/entry_rules.h"

#define VERDICT ENTRY_FAIL_CONTROLS

#define MSR_ENTRY_SIZE 16

/* Vectors of exceptions that push an error code: #DF, #TS, #NP, #SS, #GP, #PF, #AC. */
#define PUSHES_ERROR_CODE                                                                          \
	(1u << 8 | 1u << 10 | 1u << 11 | 1u << 12 | 1u << 13 | 1u << 14 | 1u << 17)

/* The first field is the address of an area of MSRs, the second its count; a count of 0 turns it
 * off. */
static uint64_t entry_area_bits(const struct entry_view *view, const struct entry_rule *rule)
{
	return entry_get(view, rule->fields[1]) ? entry_has_bits(view, rule) : 0;
}

static uint64_t entry_area_too_wide(const struct entry_view *view, const struct entry_rule *rule)
{
	return entry_get(view, rule->fields[1]) ? entry_too_wide(view, rule) : 0;
}

/* The sum cannot wrap past 64 bits without `start` being too wide itself. */
static uint64_t entry_area_end(const struct entry_view *view, const struct entry_rule *rule)
{
	uint64_t count = entry_get(view, rule->fields[1]);
	uint64_t start = entry_subject(view, rule);
	uint64_t last = start + count * MSR_ENTRY_SIZE - 1;

	if (count == 0 || entry_too_wide(view, rule))
		return 0;
	return entry_broken_if((last & entry_address_excess(view)) != 0);
}

/* --- The event that the entry injects --- */

static bool has_error_code(const struct entry_view *view)
{
	return view->event.valid && view->event.has_error_code;
}

static uint64_t entry_bad_type(const struct entry_view *view, const struct entry_rule *rule)
{
	const struct vmx_capabilities *c = view->environment->capabilities;
	bool has_other = vmx_control_allowed(c, VMX_PRIMARY, PRIMARY_MONITOR_TRAP_FLAG);
	unsigned type = view->event.type;

	(void)rule;
	return view->event.valid && (type == 1 || (type == VMX_OTHER_EVENT && !has_other)) ? 7 << 8
											   : 0;
}

/* Of the type that `index` has the vector must not be above `mask`. */
static uint64_t entry_bad_vector(const struct entry_view *view, const struct entry_rule *rule)
{
	if (!view->event.valid || (unsigned)view->event.type != rule->index)
		return 0;
	return view->event.vector > rule->mask ? 0xff : 0;
}

static uint64_t entry_bad_nmi(const struct entry_view *view, const struct entry_rule *rule)
{
	(void)rule;
	return view->event.valid && view->event.type == VMX_NMI && view->event.vector != 2 ? 0xff
											   : 0;
}

static bool pushes_error_code(const struct entry_view *view)
{
	return view->event.type == VMX_HARDWARE_EXCEPTION && view->event.vector < 32 &&
	       (PUSHES_ERROR_CODE >> view->event.vector & 1);
}

/* Without "unrestricted guest" CR0.PE is 1 by a rule of its own. */
static bool in_protected_mode(const struct entry_view *view)
{
	return !view->unrestricted || entry_get(view, VMCS_GUEST_CR0) & CR0_PE;
}

static bool error_code_is_free(const struct entry_view *view)
{
	return view->environment->capabilities->basic.any_exception_error;
}

static uint64_t entry_error_code_missing(const struct entry_view *view,
					 const struct entry_rule *rule)
{
	(void)rule;
	return view->event.valid && !view->event.has_error_code && pushes_error_code(view) &&
			       in_protected_mode(view) && !error_code_is_free(view)
		       ? VMX_INFO_ERROR_CODE
		       : 0;
}

static uint64_t entry_error_code_type(const struct entry_view *view, const struct entry_rule *rule)
{
	(void)rule;
	return has_error_code(view) && view->event.type != VMX_HARDWARE_EXCEPTION
		       ? VMX_INFO_ERROR_CODE
		       : 0;
}

static uint64_t entry_error_code_real(const struct entry_view *view, const struct entry_rule *rule)
{
	(void)rule;
	return has_error_code(view) && view->event.type == VMX_HARDWARE_EXCEPTION &&
			       !in_protected_mode(view)
		       ? VMX_INFO_ERROR_CODE
		       : 0;
}

static uint64_t entry_error_code_vector(const struct entry_view *view,
					const struct entry_rule *rule)
{
	(void)rule;
	return has_error_code(view) && view->event.type == VMX_HARDWARE_EXCEPTION &&
			       view->event.vector < 32 && !pushes_error_code(view) &&
			       !error_code_is_free(view)
		       ? VMX_INFO_ERROR_CODE
		       : 0;
}

/* Bit 13 tells a nested exception, on processors with FRED. */
static uint64_t entry_event_bits(const struct entry_view *view, const struct entry_rule *rule)
{
	uint64_t wrong = entry_has_bits(view, rule);

	if (view->environment->capabilities->basic.nested_exception)
		wrong &= ~(uint64_t)VMX_INFO_NESTED;
	return view->event.valid ? wrong : 0;
}

static uint64_t entry_code_bits(const struct entry_view *view, const struct entry_rule *rule)
{
	return has_error_code(view) ? entry_has_bits(view, rule) : 0;
}

static uint64_t entry_bad_length(const struct entry_view *view, const struct entry_rule *rule)
{
	bool zero_works = view->environment->capabilities->misc.zero_length_injection;
	uint64_t length = entry_subject(view, rule);

	if (!view->event.valid || !vmx_type_needs_length(view->event.type))
		return 0;
	return entry_broken_if(length > 15 || (length == 0 && !zero_works));
}

static uint64_t entry_both_smm(const struct entry_view *view, const struct entry_rule *rule)
{
	return entry_lacks_bits(view, rule) == 0 ? rule->mask : 0;
}

static uint64_t entry_load_while_tracing(const struct entry_view *view,
					 const struct entry_rule *rule)
{
	return view->environment->tracing ? entry_has_bits(view, rule) : 0;
}

/* clang-format off */

/* The three rules of an area of MSRs. */
#define AREA_RULES(rule_name, words, field)                                                        \
	RULE(rule_name "-aligned", "bits 3:0 of the " words " address must be 0",                 \
	     CHECK(area_bits), .mask = 0xf, SHOW2(field##_ADDRESS, field##_COUNT)),                \
	RULE(rule_name "-width", "the " words " address must not exceed the physical-address width", \
	     CHECK(area_too_wide), SHOW2(field##_ADDRESS, field##_COUNT)),                         \
	RULE(rule_name "-end", "the last byte of the " words " area must not exceed the physical-address width", \
	     CHECK(area_end), SHOW2(field##_ADDRESS, field##_COUNT))

#define SECTION "VM-Exit Control Fields"

static const struct entry_rule exit_rules[] = {
	RULE("exit-reserved", "reserved bits of the primary VM-exit controls must be as the capability MSRs say",
	     CHECK(bad_controls), .controls = {VMX_EXIT, 0}, SHOW1(EXIT_CONTROLS)),
	RULE("exit2-reserved", "reserved bits of the secondary VM-exit controls must be as the capability MSRs say",
	     ON(EXIT, ACTIVATE_SECONDARY), CHECK(bad_controls), .controls = {VMX_EXIT2, 0}, SHOW1(SECONDARY_EXIT_CONTROLS)),
	RULE("save-timer-needs-timer", "\"save VMX-preemption timer value\" needs \"activate VMX-preemption timer\"",
	     ON(EXIT, SAVE_PREEMPTION_TIMER), CHECK(not_on), .controls = CONTROLS(PIN, PREEMPTION_TIMER),
	     SHOW2(PIN_CONTROLS, EXIT_CONTROLS)),
	AREA_RULES("exit-msr-store", "VM-exit MSR-store", EXIT_MSR_STORE),
	AREA_RULES("exit-msr-load", "VM-exit MSR-load", EXIT_MSR_LOAD),
};

#undef SECTION
#define SECTION "VM-Entry Control Fields"

#define SHOW_EVENT SHOW1(ENTRY_INTERRUPTION_INFO)

static const struct entry_rule entry_rules[] = {
	RULE("entry-reserved", "reserved bits of the VM-entry controls must be as the capability MSRs say",
	     CHECK(bad_controls), .controls = {VMX_ENTRY, 0}, SHOW1(ENTRY_CONTROLS)),

	RULE("event-type", "the type of the injected event must not be 1, nor 7 where there is no monitor trap flag",
	     CHECK(bad_type), SHOW_EVENT),
	RULE("event-vector-nmi", "the vector of an injected NMI must be 2",
	     CHECK(bad_nmi), SHOW_EVENT),
	RULE("event-vector-exception", "the vector of an injected hardware exception must be at most 31",
	     CHECK(bad_vector), .index = VMX_HARDWARE_EXCEPTION, .mask = 31, SHOW_EVENT),
	RULE("event-vector-other", "the vector of an injected event of type 7 must be 0: a pending MTF exit",
	     CHECK(bad_vector), .index = VMX_OTHER_EVENT, .mask = 0, SHOW_EVENT),
	RULE("error-code-missing", "in protected mode #DF, #TS, #NP, #SS, #GP, #PF and #AC are injected with an error code (bit 11)",
	     CHECK(error_code_missing), SHOW2(ENTRY_INTERRUPTION_INFO, GUEST_CR0)),
	RULE("error-code-type", "only a hardware exception is injected with an error code (bit 11)",
	     CHECK(error_code_type), SHOW_EVENT),
	RULE("error-code-real-mode", "in real mode (CR0.PE=0) no error code is injected (bit 11)",
	     CHECK(error_code_real), SHOW2(ENTRY_INTERRUPTION_INFO, GUEST_CR0)),
	RULE("error-code-vector", "an exception that has no error code must not be injected with one (bit 11)",
	     CHECK(error_code_vector), SHOW_EVENT),
	RULE("event-reserved", "bits 30:12 of the VM-entry interruption information must be 0",
	     CHECK(event_bits), .mask = 0x7ffff000, SHOW_EVENT),
	RULE("error-code-bits", "bits 31:16 of the VM-entry exception error code must be 0",
	     CHECK(code_bits), .mask = 0xffff0000, SHOW2(ENTRY_EXCEPTION_ERROR_CODE, ENTRY_INTERRUPTION_INFO)),
	RULE("event-length", "a software interrupt or exception is injected with the length of its instruction: 1 to 15, and 0 where "
	     "bit 30 of IA32_VMX_MISC allows it",
	     CHECK(bad_length), SHOW2(ENTRY_INSTRUCTION_LENGTH, ENTRY_INTERRUPTION_INFO)),

	AREA_RULES("entry-msr-load", "VM-entry MSR-load", ENTRY_MSR_LOAD),

	RULE("entry-to-smm", "outside SMM \"entry to SMM\" must be 0",
	     CHECK(has_bits), .mask = ENTRY_TO_SMM, SHOW1(ENTRY_CONTROLS)),
	RULE("entry-dual-monitor", "outside SMM \"deactivate dual-monitor treatment\" must be 0",
	     CHECK(has_bits), .mask = ENTRY_DEACTIVATE_DUAL_MONITOR, SHOW1(ENTRY_CONTROLS)),
	RULE("entry-smm-both", "\"entry to SMM\" and \"deactivate dual-monitor treatment\" exclude each other",
	     CHECK(both_smm), .mask = ENTRY_TO_SMM | ENTRY_DEACTIVATE_DUAL_MONITOR, SHOW1(ENTRY_CONTROLS)),
	RULE("load-rtit-while-tracing", "while Intel PT is on (IA32_RTIT_CTL.TraceEn) \"load IA32_RTIT_CTL\" must be 0",
	     CHECK(load_while_tracing), .mask = ENTRY_LOAD_RTIT_CTL, SHOW1(ENTRY_CONTROLS)),
};

const struct entry_rules entry_rules_exit = ENTRY_RULES(exit_rules);
const struct entry_rules entry_rules_entry = ENTRY_RULES(entry_rules);
