/* SPDX-License-Identifier: BSD-2-Clause */
/* The capability report: what each bit may be, what Plinth makes of it, and why. */
#include "vcpu/vmx/capability_report.h"

#include "arch/x86_64/register_bits.h"
#include "kernel/format.h"
#include "kernel/string.h"
#include "vcpu/vmx/capability_fields.h"
#include "vcpu/vmx/report_text.h"

#define U(x)        ((unsigned long long)(x))
#define REFUSAL_MAX 400

/* clang-format off */
static const char *const legend[] = {
	"may be: 0 or 1   it can be set and cleared",
	"        only 1   it must be 1",
	"        only 0   it must be 0: the processor lacks it, or it has no meaning",
	"Plinth: on, off  what guests run with",
	"        both     it is set and cleared while a guest runs",
	"        lacks    it would be on",
	"        needs    it would have to be otherwise: Plinth refuses the processor",
};
/* clang-format on */

static void section(const char *name)
{
	log_always("%s", "");
	log_always("== %s ==", name);
}

/* NAME (NUMBER) = VALUE, and nothing else in this form: a reader may cut the values out. */
static void report_raw(uint32_t msr, uint64_t value)
{
	char buffer[MSR_NAME_MAX];

	log_always("%s (%#x) = 0x%016llx", msr_name(msr, buffer), msr, U(value));
}

/* A capability MSR as it was read, or why not. True: it is there. */
static bool report_msr(const struct vmx_capabilities *c, uint32_t msr)
{
	char buffer[MSR_NAME_MAX];

	if (c->present[msr - VMX_MSR_FIRST]) {
		report_raw(msr, c->raw[msr - VMX_MSR_FIRST]);
		return true;
	}
	log_always("%s (%#x): %s", msr_name(msr, buffer), msr,
		   vmx_msr_announced(c, msr) ? "announced, but reading it faults"
					     : "absent: no other bit announces it");
	return false;
}

static void report_fields(const struct vmx_capabilities *c, uint32_t msr, const char *name)
{
	section(name);
	if (report_msr(c, msr))
		capability_fields_report(msr, c->raw[msr - VMX_MSR_FIRST]);
}

static void report_feature_control(const struct feature_gate_input *input)
{
	struct feature_control control;
	uint64_t value;

	section("VMX as firmware left it");
	if (!input->rdmsr(IA32_FEATURE_CONTROL, &value)) {
		log_always("IA32_FEATURE_CONTROL (%#x): reading it faults", IA32_FEATURE_CONTROL);
		return;
	}
	report_raw(IA32_FEATURE_CONTROL, value);
	capability_fields_report(IA32_FEATURE_CONTROL, value);
	control = feature_control_decode(value);
	if (!control.locked)
		log_always("unlocked: when Plinth runs guests, it first sets and locks bit 2");
	else
		log_always("locked %s VMX: it stays so until the next reset",
			   control.vmx_outside_smx ? "with" : "without");
}

/* What bits of a register or control word may be, whatever their meaning. */
static void list_reserved(uint64_t forced, uint64_t allowed, uint64_t reserved)
{
	const struct {
		const char *may_be;
		uint64_t bits;
	} kinds[] = {
		{"only 1",                        reserved & forced            },
		{"0 or 1, which Plinth leaves 0", reserved & ~forced & allowed },
		{"only 0",                        reserved & ~forced & ~allowed},
	};
	char text[3 * REPORT_LIST_MAX] = "";

	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
		char list[REPORT_LIST_MAX] = "";
		size_t used = strlen(text);

		list_bits(list, kinds[i].bits);
		if (kinds[i].bits)
			format(text + used, sizeof(text) - used, "%s%s: %s", used ? "; " : "",
			       kinds[i].may_be, list);
	}
	if (reserved)
		report_text(LOG_ALWAYS, "reserved bits: ", 4, text);
}

static const char *may_be(const struct vmx_control_range *range, uint64_t mask)
{
	bool one = (range->allowed & mask) != 0, zero = (range->forced & mask) == 0;

	return one && zero ? "0 or 1" : one ? "only 1" : zero ? "only 0" : "broken";
}

/* What Plinth makes of a control. `chosen` is the word that it runs guests with, or NULL: this word
 * is a reason for refusal. */
static const char *choice_of(const struct vmx_control_range *range, const struct control_row *row,
			     const uint32_t *chosen)
{
	bool one = (range->allowed & row->mask) != 0, zero = (range->forced & row->mask) == 0;

	switch (row->choice) {
	case CONTROL_MUST:
		return one ? "on" : "needs";
	case CONTROL_WANT:
		return (chosen ? (*chosen & row->mask) != 0 : one) ? "on" : "lacks";
	case CONTROL_SWITCH:
		return one && zero ? "both" : "needs";
	case CONTROL_AVOID:
		return zero ? "off" : "on";
	case CONTROL_NEVER:
		return zero ? "off" : "needs";
	}
	return "?";
}

static const struct control_row *find_row(enum vmx_control_word word, uint64_t mask)
{
	for (size_t i = 0; i < control_row_count; i++) {
		if (control_rows[i].word == word && control_rows[i].mask == mask)
			return &control_rows[i];
	}
	return NULL;
}

static size_t longest_name(const struct vmx_control_names *names)
{
	size_t longest = 0;

	for (size_t i = 0; i < names->bit_count; i++) {
		size_t length = strlen(names->bits[i].name);

		longest = length > longest ? length : longest;
	}
	return longest;
}

static void report_controls(const struct vmx_capabilities *c, enum vmx_control_word word,
			    const uint32_t *chosen)
{
	const struct vmx_control_names *names = &vmx_control_names[word];
	const struct vmx_control_range *range = &c->controls[word];
	bool wide = word == VMX_TERTIARY || word == VMX_EXIT2;
	uint64_t named = 0;
	int width = (int)longest_name(names);
	char first[REPORT_COLUMNS + 1];
	size_t column = format(first, sizeof(first), "bit %-*s may be Plinth ", width, "control");

	log_always("%swhy", first);
	for (size_t i = 0; i < names->bit_count; i++) {
		uint64_t mask = names->bits[i].mask;
		const struct control_row *row = find_row(word, mask);

		format(first, sizeof(first), "%3u %-*s %-6s %-6s ", (unsigned)__builtin_ctzll(mask),
		       width, names->bits[i].name, may_be(range, mask),
		       row ? choice_of(range, row, chosen) : "off");
		report_text(LOG_ALWAYS, first, column,
			    row ? row->reason : "the word is not activated");
		named |= mask;
	}
	list_reserved(range->forced, range->allowed, ~named & (wide ? ~0ull : UINT32_MAX));
}

static void report_word(const struct vmx_capabilities *c, enum vmx_control_word word)
{
	/* The MSRs of each word; where there are two, the second counts if it exists. */
	/* clang-format off */
	static const uint32_t msrs[VMX_CONTROL_WORD_COUNT][2] = {
		[VMX_PIN]       = {IA32_VMX_PINBASED_CTLS, IA32_VMX_TRUE_PINBASED_CTLS},
		[VMX_PRIMARY]   = {IA32_VMX_PROCBASED_CTLS, IA32_VMX_TRUE_PROCBASED_CTLS},
		[VMX_SECONDARY] = {IA32_VMX_PROCBASED_CTLS2},
		[VMX_TERTIARY]  = {IA32_VMX_PROCBASED_CTLS3},
		[VMX_EXIT]      = {IA32_VMX_EXIT_CTLS, IA32_VMX_TRUE_EXIT_CTLS},
		[VMX_EXIT2]     = {IA32_VMX_EXIT_CTLS2},
		[VMX_ENTRY]     = {IA32_VMX_ENTRY_CTLS, IA32_VMX_TRUE_ENTRY_CTLS},
	};
	/* clang-format on */
	uint32_t chosen = 0;
	err_t err = NULL;

	section(vmx_control_names[word].word);
	report_msr(c, msrs[word][0]);
	if (msrs[word][1])
		report_msr(c, msrs[word][1]);
	if (c->controls[word].msr == 0)
		return;
	if (word != VMX_TERTIARY && word != VMX_EXIT2) {
		err = vmx_control_choose(c, word, &chosen);
		if (err)
			log_always("Plinth cannot set it as it must: see \"needs\" below");
		else
			log_always("Plinth starts a guest with 0x%08x", chosen);
	}
	report_controls(c, word, err ? NULL : &chosen);
}

static void list_names(char *list, const struct register_bits *names, uint64_t mask)
{
	for (size_t i = 0; i < names->bit_count; i++)
		list_if(list, (mask & names->bits[i].mask) != 0, names->bits[i].name);
}

static void report_names(const char *first, const struct register_bits *names, uint64_t mask)
{
	char list[REPORT_LIST_MAX] = "";

	list_names(list, names, mask);
	report_text(LOG_ALWAYS, first, 8, list_or_none(list));
}

/* What a control register may be in VMX operation. `now` is its value. */
static void report_register(const struct vmx_capabilities *c, const struct register_bits *names,
			    uint32_t fixed0_msr, uint64_t now)
{
	uint64_t forced = c->raw[fixed0_msr - VMX_MSR_FIRST];
	uint64_t allowed = c->raw[fixed0_msr + 1 - VMX_MSR_FIRST];
	uint64_t named = 0;
	char first[64];

	format(first, sizeof(first), "%s in VMX operation", names->name);
	section(first);
	if (!report_msr(c, fixed0_msr) || !report_msr(c, fixed0_msr + 1))
		return;
	for (size_t i = 0; i < names->bit_count; i++)
		named |= names->bits[i].mask;
	report_names("only 1: ", names, forced);
	report_names("0 or 1: ", names, ~forced & allowed);
	report_names("only 0: ", names, ~forced & ~allowed);
	list_reserved(forced, allowed, ~named);
	format(first, sizeof(first), "the host now has %#llx: ", U(now));
	report_names(first, names, now);
}

static void report_registers(const struct vmx_capabilities *c,
			     const struct feature_gate_input *input)
{
	report_register(c, &cr0_bits, IA32_VMX_CR0_FIXED0, input->cr0);
	if (vmx_control_allowed(c, VMX_SECONDARY, SECONDARY_UNRESTRICTED_GUEST))
		log_always("a guest may clear PE and PG all the same, by \"unrestricted guest\"");
	report_register(c, &cr4_bits, IA32_VMX_CR4_FIXED0, input->cr4);
}

err_t capability_report(const struct feature_gate_input *input)
{
	/* Not on the stack, for their size. */
	static struct feature_gate gate;
	static struct vmx_capabilities capabilities;
	static char refusal[REFUSAL_MAX];
	err_t err = feature_gate_check(input, &gate);

	if (err && !cpuid_has(input->cpuid, CPUID_VMX))
		return err;
	format(refusal, sizeof(refusal), "%s", err ? err : "");
	/* The gate may have ended before it read them. Its error, too, is the gate's if it came
	 * that far. */
	err = vmx_capabilities_read(&capabilities, input->rdmsr, input->cpuid);

	section("VMX capabilities of this processor, and what Plinth makes of them");
	for (size_t i = 0; i < ARRAY_COUNT(legend); i++)
		log_always("%s", legend[i]);
	if (err)
		report_text(LOG_ALWAYS, "not all of this can be true: ", 8, err);

	report_feature_control(input);
	report_fields(&capabilities, IA32_VMX_BASIC, "basic VMX information");
	for (unsigned word = 0; word < VMX_CONTROL_WORD_COUNT; word++)
		report_word(&capabilities, word);
	report_registers(&capabilities, input);
	report_fields(&capabilities, IA32_VMX_MISC, "miscellaneous data");
	report_fields(&capabilities, IA32_VMX_VMCS_ENUM, "VMCS fields");
	report_fields(&capabilities, IA32_VMX_EPT_VPID_CAP, "EPT and VPID");
	report_fields(&capabilities, IA32_VMX_VMFUNC, "VM functions");

	section("what follows from it");
	if (refusal[0])
		report_text(LOG_ALWAYS, "Plinth runs no guests here: ", 8, refusal);
	else
		log_always("Plinth runs guests here");
	return NULL;
}
