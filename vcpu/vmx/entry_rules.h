/* SPDX-License-Identifier: BSD-2-Clause */
/* For the files that hold the rules of VM entries: how a row is written, and what predicates work
 * with. */
#pragma once

#include "arch/x86_64/bits.h"
#include "arch/x86_64/vmx.h"
#include "vcpu/vmx/entry_check.h"

/* What the predicates see: the VMCS with what follows from it. */
struct entry_view {
	const struct vmcs_image *image;
	const struct entry_environment *environment;
	uint64_t word[VMX_CONTROL_WORD_COUNT]; /* 0 for a word that is not activated */
	bool unrestricted;             /* the guest may be in real mode and without paging */
	bool ia32e;                    /* "IA-32e mode guest" */
	bool v86;                      /* the guest will be in virtual-8086 mode */
	struct vmx_interruption event; /* to be injected */
};

/* A group of rules, which are in the order of the SDM. */
struct entry_rules {
	const struct entry_rule *rules;
	size_t count;
};

extern const struct entry_rules entry_rules_execution, entry_rules_exit, entry_rules_entry;
extern const struct entry_rules entry_rules_host, entry_rules_address_space;
extern const struct entry_rules entry_rules_registers, entry_rules_segments;
extern const struct entry_rules entry_rules_tables, entry_rules_rip;
extern const struct entry_rules entry_rules_nonregister, entry_rules_pdptes, entry_rules_msrs;

/*
 * How a row is written: RULE(name, text, what follows ...), where SECTION and VERDICT are macros
 * that the file defines, and what follows is ON(WORD, CONTROL) for its condition, CHECK(predicate),
 * SHOW(fields), and others by name.
 */
#define RULE(rule_name, words, ...)                                                                \
	{                                                                                          \
		.name = (rule_name), .section = SECTION, .text = (words), .verdict = VERDICT,      \
		__VA_ARGS__                                                                        \
	}

#define CONTROLS(w, c)                                                                             \
	{                                                                                          \
		VMX_##w, w##_##c                                                                   \
	}
#define ON(w, c)            .when = {CONTROLS(w, c)}
#define ON2(w1, c1, w2, c2) .when = {CONTROLS(w1, c1), CONTROLS(w2, c2)}
#define CHECK(f)            .broken = entry_##f
#define SHOW1(a)            .field_count = 1, .fields = {VMCS_##a}
#define SHOW2(a, b)         .field_count = 2, .fields = {VMCS_##a, VMCS_##b}
#define SHOW3(a, b, c)      .field_count = 3, .fields = {VMCS_##a, VMCS_##b, VMCS_##c}
#define SHOW4(a, b, c, d)   .field_count = 4, .fields = {VMCS_##a, VMCS_##b, VMCS_##c, VMCS_##d}
#define SHOW5(a, b, c, d, e)                                                                       \
	.field_count = 5, .fields = {VMCS_##a, VMCS_##b, VMCS_##c, VMCS_##d, VMCS_##e}

#define ENTRY_RULES(table)                                                                         \
	{                                                                                          \
		(table), ARRAY_COUNT(table)                                                        \
	}

static inline uint64_t entry_get(const struct entry_view *view, uint32_t field)
{
	return vmcs_image_get(view->image, field);
}

/* The value of the field that the rule is about. */
static inline uint64_t entry_subject(const struct entry_view *view, const struct entry_rule *rule)
{
	return entry_get(view, rule->fields[0]);
}

/* Whether all controls of the mask are 1. */
static inline bool entry_on(const struct entry_view *view, enum vmx_control_word word,
			    uint64_t mask)
{
	return (view->word[word] & mask) == mask;
}

static inline uint64_t entry_broken_if(bool broken)
{
	return broken ? ENTRY_BROKEN : 0;
}

/* The bits of an address that this processor does not have. */
static inline uint64_t entry_address_excess(const struct entry_view *view)
{
	const struct entry_environment *e = view->environment;
	unsigned width = e->capabilities->basic.addresses_32bit ? 32 : e->physical_bits;

	return width >= 64 ? 0 : ~0ull << width;
}

/* The view of an image; what a rule says of it, as its predicate does, but 0 when it does not
 * apply. */
void entry_view_make(struct entry_view *view, const struct vmcs_image *image,
		     const struct entry_environment *environment);
uint64_t entry_rule_broken(const struct entry_view *view, const struct entry_rule *rule);

bool entry_is_canonical(const struct entry_view *view, uint64_t address);

/* Reads physical memory; false: it cannot be read, and nothing can be said of what is there. */
CHECKED bool entry_read(const struct entry_view *view, uint64_t address, void *to, size_t size);

/* The MSR-load entry, counted from 1, at which the VM entry will fail; 0: none. */
uint64_t entry_failing_msr(const struct entry_view *view);

/* --- Predicates of many rules; `subject` is the rule's first field. --- */

/* A bit of `mask` is 1 in the subject, or is 0 there. */
uint64_t entry_has_bits(const struct entry_view *view, const struct entry_rule *rule);
uint64_t entry_lacks_bits(const struct entry_view *view, const struct entry_rule *rule);
uint64_t entry_is_zero(const struct entry_view *view, const struct entry_rule *rule);

/* The subject has a bit of 11:0, or of those beyond the physical-address width. */
uint64_t entry_not_page(const struct entry_view *view, const struct entry_rule *rule);
uint64_t entry_too_wide(const struct entry_view *view, const struct entry_rule *rule);
uint64_t entry_not_canonical(const struct entry_view *view, const struct entry_rule *rule);

/* A byte of the subject is no memory type of a PAT. */
uint64_t entry_bad_pat(const struct entry_view *view, const struct entry_rule *rule);

/* The controls that the rule names are not all 1, or not all 0. */
uint64_t entry_not_on(const struct entry_view *view, const struct entry_rule *rule);
uint64_t entry_not_off(const struct entry_view *view, const struct entry_rule *rule);

/* The subject is a control word (which one `controls` says) with a bit that this processor has
 * otherwise. */
uint64_t entry_bad_controls(const struct entry_view *view, const struct entry_rule *rule);

/* The subject is CR0 or CR4 of the host, with a bit that VMX operation has otherwise. */
uint64_t entry_bad_cr0(const struct entry_view *view, const struct entry_rule *rule);
uint64_t entry_bad_cr4(const struct entry_view *view, const struct entry_rule *rule);

/* The subject is CR4, the second field CR0: CET without WP. */
uint64_t entry_cet_without_wp(const struct entry_view *view, const struct entry_rule *rule);

/* The subject is CR3, with a bit beyond the physical-address width. */
uint64_t entry_bad_cr3(const struct entry_view *view, const struct entry_rule *rule);

/* The subject is the MSR of the name, with a bit that this processor does not have. */
uint64_t entry_bad_efer(const struct entry_view *view, const struct entry_rule *rule);
uint64_t entry_bad_perf_global(const struct entry_view *view, const struct entry_rule *rule);
uint64_t entry_bad_s_cet(const struct entry_view *view, const struct entry_rule *rule);

/* IA32_S_CET with both SUPPRESS and TRACKER. */
uint64_t entry_bad_tracker(const struct entry_view *view, const struct entry_rule *rule);
