/* SPDX-License-Identifier: BSD-2-Clause */
/* The predicates that many rules of VM entries share. */
#include "arch/x86_64/control_registers.h"
#include "vcpu/vmx/entry_rules.h"

#define CET_SUPPRESS BIT(10)
#define CET_TRACKER  BIT(11)

bool entry_is_canonical(const struct entry_view *view, uint64_t address)
{
	unsigned unused = 64 - view->environment->linear_bits;

	return (uint64_t)((int64_t)(address << unused) >> unused) == address;
}

bool entry_read(const struct entry_view *view, uint64_t address, void *to, size_t size)
{
	const struct entry_environment *e = view->environment;

	return e->read && e->read(e->context, address, to, size);
}

uint64_t entry_has_bits(const struct entry_view *view, const struct entry_rule *rule)
{
	return entry_subject(view, rule) & rule->mask;
}

uint64_t entry_lacks_bits(const struct entry_view *view, const struct entry_rule *rule)
{
	return ~entry_subject(view, rule) & rule->mask;
}

uint64_t entry_is_zero(const struct entry_view *view, const struct entry_rule *rule)
{
	return entry_broken_if(entry_subject(view, rule) == 0);
}

uint64_t entry_not_page(const struct entry_view *view, const struct entry_rule *rule)
{
	return entry_subject(view, rule) & 0xfff;
}

uint64_t entry_too_wide(const struct entry_view *view, const struct entry_rule *rule)
{
	return entry_subject(view, rule) & entry_address_excess(view);
}

uint64_t entry_not_canonical(const struct entry_view *view, const struct entry_rule *rule)
{
	return entry_broken_if(!entry_is_canonical(view, entry_subject(view, rule)));
}

uint64_t entry_bad_pat(const struct entry_view *view, const struct entry_rule *rule)
{
	const uint32_t types = 1u << MEMORY_UC | 1u << MEMORY_WC | 1u << MEMORY_WT |
			       1u << MEMORY_WP | 1u << MEMORY_WB | 1u << MEMORY_UC_MINUS;
	uint64_t value = entry_subject(view, rule), wrong = 0;

	for (unsigned at = 0; at < 64; at += 8) {
		unsigned type = value >> at & 0xff;

		if (type > 7 || !(types >> type & 1))
			wrong |= 0xffull << at;
	}
	return wrong;
}

uint64_t entry_not_on(const struct entry_view *view, const struct entry_rule *rule)
{
	return entry_broken_if(!entry_on(view, rule->controls.word, rule->controls.mask));
}

uint64_t entry_not_off(const struct entry_view *view, const struct entry_rule *rule)
{
	return entry_broken_if(view->word[rule->controls.word] & rule->controls.mask);
}

uint64_t entry_bad_controls(const struct entry_view *view, const struct entry_rule *rule)
{
	const struct vmx_control_range *range =
		&view->environment->capabilities->controls[rule->controls.word];
	uint64_t value = entry_subject(view, rule);

	return (value & ~range->allowed) | (range->forced & ~value);
}

uint64_t entry_bad_cr0(const struct entry_view *view, const struct entry_rule *rule)
{
	const struct vmx_capabilities *c = view->environment->capabilities;
	uint64_t value = entry_subject(view, rule);

	return (c->cr0_fixed0 & ~value) | (value & ~c->cr0_fixed1);
}

uint64_t entry_bad_cr4(const struct entry_view *view, const struct entry_rule *rule)
{
	const struct vmx_capabilities *c = view->environment->capabilities;
	uint64_t value = entry_subject(view, rule);

	return (c->cr4_fixed0 & ~value) | (value & ~c->cr4_fixed1);
}

uint64_t entry_cet_without_wp(const struct entry_view *view, const struct entry_rule *rule)
{
	return entry_broken_if(entry_subject(view, rule) & CR4_CET &&
			       !(entry_get(view, rule->fields[1]) & CR0_WP));
}

uint64_t entry_bad_cr3(const struct entry_view *view, const struct entry_rule *rule)
{
	unsigned width = view->environment->physical_bits;
	uint64_t excess = width >= 64 ? 0 : ~0ull << width;

	if (view->environment->lam)
		excess &= ~(uint64_t)(CR3_LAM_U48 | CR3_LAM_U57);
	return entry_subject(view, rule) & excess;
}

uint64_t entry_bad_efer(const struct entry_view *view, const struct entry_rule *rule)
{
	return entry_subject(view, rule) & ~view->environment->efer;
}

uint64_t entry_bad_perf_global(const struct entry_view *view, const struct entry_rule *rule)
{
	return entry_subject(view, rule) & ~view->environment->perf_global_ctrl;
}

uint64_t entry_bad_s_cet(const struct entry_view *view, const struct entry_rule *rule)
{
	return entry_subject(view, rule) & ~view->environment->s_cet;
}

uint64_t entry_bad_tracker(const struct entry_view *view, const struct entry_rule *rule)
{
	const uint64_t both = CET_SUPPRESS | CET_TRACKER;

	return (entry_subject(view, rule) & both) == both ? both : 0;
}
