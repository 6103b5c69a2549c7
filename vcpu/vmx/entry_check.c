/* SPDX-License-Identifier: BSD-2-Clause */
/* Which of the SDM's rules for VM entries a VMCS breaks, and what the processor answers to that. */
#include "vcpu/vmx/entry_check.h"

#include "arch/x86_64/control_registers.h"
#include "kernel/compiler.h"
#include "vcpu/vmx/entry_rules.h"

/* In the order of the SDM's chapter "VM Entries". */
static const struct entry_rules *const groups[] = {
	&entry_rules_execution,   &entry_rules_exit,          &entry_rules_entry,
	&entry_rules_host,        &entry_rules_address_space, &entry_rules_registers,
	&entry_rules_segments,    &entry_rules_tables,        &entry_rules_rip,
	&entry_rules_nonregister, &entry_rules_pdptes,        &entry_rules_msrs,
};

const struct entry_rule *entry_rule_by_index(size_t index)
{
	for (size_t i = 0; i < ARRAY_COUNT(groups); i++) {
		if (index < groups[i]->count)
			return &groups[i]->rules[index];
		index -= groups[i]->count;
	}
	return NULL;
}

/* A word counts only while the control that activates it is 1. */
static void read_controls(struct entry_view *view)
{
	uint64_t *word = view->word;

	word[VMX_PIN] = entry_get(view, VMCS_PIN_CONTROLS);
	word[VMX_PRIMARY] = entry_get(view, VMCS_PRIMARY_CONTROLS);
	word[VMX_EXIT] = entry_get(view, VMCS_EXIT_CONTROLS);
	word[VMX_ENTRY] = entry_get(view, VMCS_ENTRY_CONTROLS);
	if (word[VMX_PRIMARY] & PRIMARY_ACTIVATE_SECONDARY)
		word[VMX_SECONDARY] = entry_get(view, VMCS_SECONDARY_CONTROLS);
	if (word[VMX_PRIMARY] & PRIMARY_ACTIVATE_TERTIARY)
		word[VMX_TERTIARY] = entry_get(view, VMCS_TERTIARY_CONTROLS);
	if (word[VMX_EXIT] & EXIT_ACTIVATE_SECONDARY)
		word[VMX_EXIT2] = entry_get(view, VMCS_SECONDARY_EXIT_CONTROLS);
}

void entry_view_make(struct entry_view *view, const struct vmcs_image *image,
		     const struct entry_environment *environment)
{
	*view = (struct entry_view){.image = image, .environment = environment};
	read_controls(view);
	view->unrestricted = entry_on(view, VMX_SECONDARY, SECONDARY_UNRESTRICTED_GUEST);
	view->ia32e = entry_on(view, VMX_ENTRY, ENTRY_IA32E_MODE_GUEST);
	view->v86 = entry_get(view, VMCS_GUEST_RFLAGS) & RFLAGS_VM;
	view->event =
		vmx_interruption_unpack((uint32_t)entry_get(view, VMCS_ENTRY_INTERRUPTION_INFO));
}

uint64_t entry_rule_broken(const struct entry_view *view, const struct entry_rule *rule)
{
	if (!vmcs_image_has(view->image, rule->fields[0]))
		return 0;
	for (unsigned i = 0; i < ENTRY_CONDITIONS_MAX; i++) {
		if (!entry_on(view, rule->when[i].word, rule->when[i].mask))
			return 0;
	}
	return rule->broken(view, rule);
}

unsigned entry_check(const struct vmcs_image *image, const struct entry_environment *environment,
		     void (*found)(const struct entry_rule *rule, const struct vmcs_image *image,
				   void *context),
		     void *context)
{
	const struct entry_rule *rule;
	struct entry_view view;
	unsigned count = 0;

	entry_view_make(&view, image, environment);
	for (size_t i = 0; (rule = entry_rule_by_index(i)) != NULL; i++) {
		if (!entry_rule_broken(&view, rule))
			continue;
		count++;
		if (found)
			found(rule, image, context);
	}
	return count;
}

/*
 * Controls and host state are checked first, in any order, then the guest state, then MSRs are
 * loaded. A rule that not every processor has decides only where no other one does.
 */
static bool decides(const struct entry_rule *rule, const struct entry_answer *so_far)
{
	if (so_far->verdict == ENTRY_SUCCEEDS)
		return true;
	if (so_far->open)
		return !rule->differs || rule->verdict < so_far->verdict;
	return !rule->differs && rule->verdict < so_far->verdict;
}

static void consider(const struct entry_rule *rule, const struct vmcs_image *image, void *context)
{
	struct entry_answer *answer = context;

	(void)image;
	if (decides(rule, answer))
		*answer = (struct entry_answer){
			.verdict = rule->verdict,
			.qualification = rule->qualification,
			.open = rule->differs != NULL,
		};
}

struct entry_answer entry_check_answer(const struct vmcs_image *image,
				       const struct entry_environment *environment)
{
	struct entry_answer answer = {.verdict = ENTRY_SUCCEEDS};
	struct entry_view view;

	entry_check(image, environment, consider, &answer);
	if (answer.verdict == ENTRY_EXIT_MSR) {
		entry_view_make(&view, image, environment);
		answer.qualification = entry_failing_msr(&view);
	}
	return answer;
}
