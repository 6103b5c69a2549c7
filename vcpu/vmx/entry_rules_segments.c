/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules of VM entries: the guest's segment registers, which are checked one way in virtual-8086
 * mode and another elsewhere. */
#include "arch/x86_64/control_registers.h"
#include "kernel/compiler.h"
#include "vcpu/state.h"
#include "vcpu/vmx/entry_rules.h"

#define SECTION "Checks on Guest Segment Registers"
#define VERDICT ENTRY_EXIT_GUEST

#define SELECTOR_RPL 3u
#define SELECTOR_TI  4u

/* Values of the type of a descriptor. */
#define TYPE_DATA_WRITABLE 3u /* accessed, expand-up */
#define TYPE_CODE          8u /* this bit tells code from data */
#define TYPE_CONFORMING    4u /* of code */
#define TYPE_READABLE      2u /* of code */
#define TYPE_ACCESSED      1u
#define TYPE_LDT           2u
#define TYPE_TSS16_BUSY    3u
#define TYPE_TSS_BUSY      11u

#define V86_RIGHTS 0xf3u
#define V86_LIMIT  0xffffu

/* Of the access rights: bits 11:8 and 31:17. */
#define RIGHTS_RESERVED 0xfffe0f00ull

static uint64_t selector_of(const struct entry_view *view, unsigned index)
{
	return entry_get(view, VMCS_GUEST_ES_SELECTOR + VMCS_SEGMENT_STEP * index);
}

static uint64_t rights_of(const struct entry_view *view, unsigned index)
{
	return entry_get(view, VMCS_GUEST_ES_ACCESS_RIGHTS + VMCS_SEGMENT_STEP * index);
}

static uint64_t limit_of(const struct entry_view *view, unsigned index)
{
	return entry_get(view, VMCS_GUEST_ES_LIMIT + VMCS_SEGMENT_STEP * index);
}

static unsigned type_of(const struct entry_view *view, unsigned index)
{
	return (unsigned)rights_of(view, index) & ACCESS_TYPE;
}

static unsigned dpl_of(const struct entry_view *view, unsigned index)
{
	return ((unsigned)rights_of(view, index) & ACCESS_DPL) >> ACCESS_DPL_SHIFT;
}

static unsigned rpl_of(const struct entry_view *view, unsigned index)
{
	return (unsigned)selector_of(view, index) & SELECTOR_RPL;
}

/*
 * Whether the segment of a rule is one that the rules outside virtual-8086 mode look at: CS and TR
 * always, others while they are usable. Those of LDTR and TR are the same in virtual-8086 mode.
 */
static bool counts(const struct entry_view *view, const struct entry_rule *rule)
{
	if (view->v86 && rule->index <= SEG_GS)
		return false;
	return rule->index == SEG_CS || rule->index == SEG_TR ||
	       !(rights_of(view, rule->index) & ACCESS_UNUSABLE);
}

/* --- Virtual-8086 mode --- */

static uint64_t entry_v86_base(const struct entry_view *view, const struct entry_rule *rule)
{
	return entry_broken_if(view->v86 &&
			       entry_subject(view, rule) != selector_of(view, rule->index) << 4);
}

static uint64_t entry_v86_limit(const struct entry_view *view, const struct entry_rule *rule)
{
	return view->v86 ? entry_subject(view, rule) ^ V86_LIMIT : 0;
}

static uint64_t entry_v86_rights(const struct entry_view *view, const struct entry_rule *rule)
{
	return view->v86 ? entry_subject(view, rule) ^ V86_RIGHTS : 0;
}

/* --- Selectors and bases --- */

static uint64_t entry_ti(const struct entry_view *view, const struct entry_rule *rule)
{
	return counts(view, rule) ? entry_subject(view, rule) & SELECTOR_TI : 0;
}

static uint64_t entry_ss_rpl(const struct entry_view *view, const struct entry_rule *rule)
{
	(void)rule;
	if (view->v86 || view->unrestricted)
		return 0;
	return (rpl_of(view, SEG_SS) ^ rpl_of(view, SEG_CS)) & SELECTOR_RPL;
}

static uint64_t entry_segment_canonical(const struct entry_view *view,
					const struct entry_rule *rule)
{
	if (rule->index == SEG_LDTR && !counts(view, rule))
		return 0;
	return entry_not_canonical(view, rule);
}

static uint64_t entry_base_upper(const struct entry_view *view, const struct entry_rule *rule)
{
	/* In virtual-8086 mode the base is the selector's, by a rule of its own. */
	return counts(view, rule) ? entry_has_bits(view, rule) : 0;
}

/* --- Access rights; the subject is those --- */

static uint64_t entry_cs_type(const struct entry_view *view, const struct entry_rule *rule)
{
	unsigned type = type_of(view, SEG_CS);
	bool code = (type & (TYPE_CODE | TYPE_ACCESSED)) == (TYPE_CODE | TYPE_ACCESSED);

	if (!counts(view, rule) || code || (type == TYPE_DATA_WRITABLE && view->unrestricted))
		return 0;
	return ACCESS_TYPE;
}

static uint64_t entry_ss_type(const struct entry_view *view, const struct entry_rule *rule)
{
	unsigned type = type_of(view, SEG_SS);

	return counts(view, rule) && type != 3 && type != 7 ? ACCESS_TYPE : 0;
}

static uint64_t entry_not_accessed(const struct entry_view *view, const struct entry_rule *rule)
{
	return counts(view, rule) ? ~entry_subject(view, rule) & TYPE_ACCESSED : 0;
}

static uint64_t entry_not_readable(const struct entry_view *view, const struct entry_rule *rule)
{
	if (!counts(view, rule) || !(type_of(view, rule->index) & TYPE_CODE))
		return 0;
	return ~entry_subject(view, rule) & TYPE_READABLE;
}

/* The type must be that of `mask`. */
static uint64_t entry_system_type(const struct entry_view *view, const struct entry_rule *rule)
{
	return counts(view, rule) && type_of(view, rule->index) != rule->mask ? ACCESS_TYPE : 0;
}

static uint64_t entry_tss_type(const struct entry_view *view, const struct entry_rule *rule)
{
	unsigned type = type_of(view, SEG_TR);

	(void)rule;
	if (type == TYPE_TSS_BUSY || (type == TYPE_TSS16_BUSY && !view->ia32e))
		return 0;
	return ACCESS_TYPE;
}

/* Bits of `mask` that must be 1, or must be 0, in a segment that counts. */
static uint64_t entry_rights_lack(const struct entry_view *view, const struct entry_rule *rule)
{
	return counts(view, rule) ? entry_lacks_bits(view, rule) : 0;
}

static uint64_t entry_rights_have(const struct entry_view *view, const struct entry_rule *rule)
{
	return counts(view, rule) ? entry_has_bits(view, rule) : 0;
}

static uint64_t entry_cs_dpl_data(const struct entry_view *view, const struct entry_rule *rule)
{
	if (!counts(view, rule) || type_of(view, SEG_CS) != TYPE_DATA_WRITABLE)
		return 0;
	return entry_subject(view, rule) & ACCESS_DPL;
}

static bool cs_is_code(const struct entry_view *view, bool conforming)
{
	unsigned type = type_of(view, SEG_CS);

	return type & TYPE_CODE && ((type & TYPE_CONFORMING) != 0) == conforming;
}

static uint64_t entry_cs_dpl_equal(const struct entry_view *view, const struct entry_rule *rule)
{
	if (!counts(view, rule) || !cs_is_code(view, false))
		return 0;
	return (rights_of(view, SEG_CS) ^ rights_of(view, SEG_SS)) & ACCESS_DPL;
}

static uint64_t entry_cs_dpl_above(const struct entry_view *view, const struct entry_rule *rule)
{
	if (!counts(view, rule) || !cs_is_code(view, true))
		return 0;
	return dpl_of(view, SEG_CS) > dpl_of(view, SEG_SS) ? ACCESS_DPL : 0;
}

/* The DPL of SS counts even when SS is unusable: it is the CPL. */
static uint64_t entry_ss_dpl_rpl(const struct entry_view *view, const struct entry_rule *rule)
{
	(void)rule;
	if (view->v86 || view->unrestricted)
		return 0;
	return dpl_of(view, SEG_SS) != rpl_of(view, SEG_SS) ? ACCESS_DPL : 0;
}

static uint64_t entry_ss_dpl_zero(const struct entry_view *view, const struct entry_rule *rule)
{
	bool real_mode = !(entry_get(view, VMCS_GUEST_CR0) & CR0_PE);

	if (view->v86 || (!real_mode && type_of(view, SEG_CS) != TYPE_DATA_WRITABLE))
		return 0;
	return entry_subject(view, rule) & ACCESS_DPL;
}

/* Data and non-conforming code. */
static uint64_t entry_dpl_below_rpl(const struct entry_view *view, const struct entry_rule *rule)
{
	if (!counts(view, rule) || view->unrestricted || type_of(view, rule->index) > 11)
		return 0;
	return dpl_of(view, rule->index) < rpl_of(view, rule->index) ? ACCESS_DPL : 0;
}

static uint64_t entry_cs_l_and_db(const struct entry_view *view, const struct entry_rule *rule)
{
	uint64_t rights = entry_subject(view, rule);

	return counts(view, rule) && view->ia32e && rights & ACCESS_L ? rights & ACCESS_DB : 0;
}

/* G must be what the limit asks for: 0 if any of its bits 11:0 is 0, 1 if any of 31:20 is 1. */
static uint64_t entry_granularity(const struct entry_view *view, const struct entry_rule *rule)
{
	uint64_t limit = limit_of(view, rule->index);
	bool g = entry_subject(view, rule) & ACCESS_G;

	if (!counts(view, rule))
		return 0;
	return (g && (limit & 0xfff) != 0xfff) || (!g && limit >> 20) ? ACCESS_G : 0;
}

/* clang-format off */

#define OF(segment)     .index = SEG_##segment
#define RIGHTS(segment) SHOW1(GUEST_##segment##_ACCESS_RIGHTS), OF(segment)
#define G_TEXT(segment) "G of " segment " must be 0 if any of bits 11:0 of its limit is 0, and 1 if any of bits 31:20 is 1"

/* Of each register in virtual-8086 mode. */
#define V86_RULES(prefix, name, segment)                                                           \
	RULE("v86-" prefix "-base", "in virtual-8086 mode the base of " name " must be its selector times 16", \
	     CHECK(v86_base), SHOW2(GUEST_##segment##_BASE, GUEST_##segment##_SELECTOR), OF(segment)), \
	RULE("v86-" prefix "-limit", "in virtual-8086 mode the limit of " name " must be 0000FFFFh", \
	     CHECK(v86_limit), SHOW1(GUEST_##segment##_LIMIT), OF(segment)),                      \
	RULE("v86-" prefix "-rights", "in virtual-8086 mode the access rights of " name " must be 000000F3h", \
	     CHECK(v86_rights), RIGHTS(segment))

/* What all access rights have in common. */
#define RIGHTS_RULES(prefix, name, segment)                                                        \
	RULE(prefix "-present", "P, bit 7, of " name " must be 1",                                \
	     CHECK(rights_lack), .mask = ACCESS_P, RIGHTS(segment)),                               \
	RULE(prefix "-rights-reserved", "bits 11:8 and 31:17 of the access rights of " name " must be 0", \
	     CHECK(rights_have), .mask = RIGHTS_RESERVED, RIGHTS(segment)),                        \
	RULE(prefix "-granularity", G_TEXT(name), CHECK(granularity),                             \
	     SHOW2(GUEST_##segment##_ACCESS_RIGHTS, GUEST_##segment##_LIMIT), OF(segment))

#define CODE_OR_DATA(prefix, name, segment)                                                        \
	RULE(prefix "-s", "S, bit 4, of " name " must be 1: code or data",                        \
	     CHECK(rights_lack), .mask = ACCESS_S, RIGHTS(segment))

#define SYSTEM_SEGMENT(prefix, name, segment)                                                      \
	RULE(prefix "-s", "S, bit 4, of " name " must be 0: a system segment",                    \
	     CHECK(rights_have), .mask = ACCESS_S, RIGHTS(segment))

#define BASE_UPPER(prefix, name, segment)                                                          \
	RULE(prefix "-base", "bits 63:32 of the base of " name " must be 0",                      \
	     CHECK(base_upper), .mask = ~0xffffffffull, SHOW1(GUEST_##segment##_BASE), OF(segment))

#define BASE_CANONICAL(prefix, name, segment)                                                      \
	RULE(prefix "-base", "the base of " name " must be canonical",                            \
	     CHECK(segment_canonical), SHOW1(GUEST_##segment##_BASE), OF(segment))

/* Of a usable DS, ES, FS or GS. */
#define DATA_RULES(prefix, name, segment)                                                          \
	RULE(prefix "-accessed", "the type of " name " must have bit 0 set: accessed",            \
	     CHECK(not_accessed), RIGHTS(segment)),                                                \
	RULE(prefix "-readable", "the type of " name ", if it is code (bit 3), must have bit 1 set: readable", \
	     CHECK(not_readable), RIGHTS(segment)),                                                \
	CODE_OR_DATA(prefix, name, segment),                                                       \
	RULE(prefix "-dpl-rpl", "without \"unrestricted guest\" the DPL of " name " must not be less than its selector's RPL", \
	     CHECK(dpl_below_rpl), SHOW2(GUEST_##segment##_ACCESS_RIGHTS, GUEST_##segment##_SELECTOR), OF(segment)), \
	RIGHTS_RULES(prefix, name, segment)

static const struct entry_rule rules[] = {
	RULE("tr-ti", "TI, bit 2, of the selector of TR must be 0", CHECK(ti), SHOW1(GUEST_TR_SELECTOR), OF(TR)),
	RULE("ldtr-ti", "TI, bit 2, of the selector of a usable LDTR must be 0", CHECK(ti), SHOW1(GUEST_LDTR_SELECTOR), OF(LDTR)),
	RULE("ss-rpl", "without \"unrestricted guest\" the RPL of SS must be that of CS",
	     CHECK(ss_rpl), SHOW2(GUEST_SS_SELECTOR, GUEST_CS_SELECTOR)),

	V86_RULES("cs", "CS", CS),
	V86_RULES("ss", "SS", SS),
	V86_RULES("ds", "DS", DS),
	V86_RULES("es", "ES", ES),
	V86_RULES("fs", "FS", FS),
	V86_RULES("gs", "GS", GS),

	BASE_CANONICAL("tr", "TR", TR),
	BASE_CANONICAL("fs", "FS", FS),
	BASE_CANONICAL("gs", "GS", GS),
	BASE_CANONICAL("ldtr", "a usable LDTR", LDTR),
	BASE_UPPER("cs", "CS", CS),
	BASE_UPPER("ss", "a usable SS", SS),
	BASE_UPPER("ds", "a usable DS", DS),
	BASE_UPPER("es", "a usable ES", ES),

	RULE("cs-type", "the type of CS must be 9, 11, 13 or 15 (accessed code), or 3 with \"unrestricted guest\"",
	     CHECK(cs_type), SHOW2(GUEST_CS_ACCESS_RIGHTS, SECONDARY_CONTROLS), OF(CS)),
	CODE_OR_DATA("cs", "CS", CS),
	RULE("cs-dpl-data", "the DPL of CS must be 0 when its type is 3",
	     CHECK(cs_dpl_data), RIGHTS(CS)),
	RULE("cs-dpl-equal", "the DPL of CS must be that of SS when CS is non-conforming code (type 9 or 11)",
	     CHECK(cs_dpl_equal), SHOW2(GUEST_CS_ACCESS_RIGHTS, GUEST_SS_ACCESS_RIGHTS), OF(CS)),
	RULE("cs-dpl-above", "the DPL of CS must not be greater than that of SS when CS is conforming code (type 13 or 15)",
	     CHECK(cs_dpl_above), SHOW2(GUEST_CS_ACCESS_RIGHTS, GUEST_SS_ACCESS_RIGHTS), OF(CS)),
	RIGHTS_RULES("cs", "CS", CS),
	RULE("cs-l-and-db", "D/B of CS must be 0 when L is 1 in an IA-32e mode guest",
	     CHECK(cs_l_and_db), SHOW2(GUEST_CS_ACCESS_RIGHTS, ENTRY_CONTROLS), OF(CS)),

	RULE("ss-type", "the type of a usable SS must be 3 or 7: accessed, writable data", CHECK(ss_type), RIGHTS(SS)),
	CODE_OR_DATA("ss", "a usable SS", SS),
	RULE("ss-dpl-rpl", "without \"unrestricted guest\" the DPL of SS must be its selector's RPL",
	     CHECK(ss_dpl_rpl), SHOW2(GUEST_SS_ACCESS_RIGHTS, GUEST_SS_SELECTOR), OF(SS)),
	RULE("ss-dpl-zero", "the DPL of SS must be 0 in real mode (CR0.PE=0), and when the type of CS is 3",
	     CHECK(ss_dpl_zero), SHOW3(GUEST_SS_ACCESS_RIGHTS, GUEST_CS_ACCESS_RIGHTS, GUEST_CR0), OF(SS)),
	RIGHTS_RULES("ss", "a usable SS", SS),

	DATA_RULES("ds", "a usable DS", DS),
	DATA_RULES("es", "a usable ES", ES),
	DATA_RULES("fs", "a usable FS", FS),
	DATA_RULES("gs", "a usable GS", GS),

	RULE("tr-type", "the type of TR must be 11, a busy TSS, or 3, a busy 16-bit TSS, if the guest is not in IA-32e mode",
	     CHECK(tss_type), SHOW2(GUEST_TR_ACCESS_RIGHTS, ENTRY_CONTROLS), OF(TR)),
	SYSTEM_SEGMENT("tr", "TR", TR),
	RIGHTS_RULES("tr", "TR", TR),
	RULE("tr-unusable", "TR must be usable: bit 16 of its access rights must be 0",
	     CHECK(has_bits), .mask = ACCESS_UNUSABLE, RIGHTS(TR)),

	RULE("ldtr-type", "the type of a usable LDTR must be 2", CHECK(system_type), .mask = TYPE_LDT, RIGHTS(LDTR)),
	SYSTEM_SEGMENT("ldtr", "a usable LDTR", LDTR),
	RIGHTS_RULES("ldtr", "a usable LDTR", LDTR),
};

const struct entry_rules entry_rules_segments = ENTRY_RULES(rules);
