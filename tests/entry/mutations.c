/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes the mutations of the tables, and compares what the rules say of them. */
#include "tests/entry/mutations.h"

#include "arch/x86_64/control_registers.h"
#include "kernel/format.h"
#include "kernel/string.h"

static const struct entry_mutations *const tables[] = {
	&mutations_controls, &mutations_host,        &mutations_registers,
	&mutations_segments, &mutations_nonregister,
};

const struct entry_mutation *entry_mutation_by_index(size_t index)
{
	for (size_t i = 0; i < ARRAY_COUNT(tables); i++) {
		if (index < tables[i]->count)
			return &tables[i]->rows[index];
		index -= tables[i]->count;
	}
	return NULL;
}

/* --- What a processor has --- */

static uint32_t features_of(const struct entry_environment *e)
{
	const struct vmx_capabilities *c = e->capabilities;
	uint32_t has = 0;

	has |= c->ept_vpid.accessed_dirty ? FEATURE_ACCESSED_DIRTY : 0;
	has |= c->ept_vpid.supervisor_shadow_stack ? FEATURE_EPT_SHADOW_STACK : 0;
	has |= vmx_control_allowed(c, VMX_PRIMARY, PRIMARY_MONITOR_TRAP_FLAG) ? FEATURE_MTF : 0;
	has |= c->misc.zero_length_injection ? FEATURE_ZERO_LENGTH : 0;
	has |= c->misc.activity_hlt ? FEATURE_HLT : 0;
	has |= c->misc.activity_shutdown ? FEATURE_SHUTDOWN : 0;
	has |= c->misc.activity_wait_for_sipi ? FEATURE_SIPI : 0;
	has |= c->basic.any_exception_error ? FEATURE_ANY_ERROR_CODE : 0;
	has |= c->basic.nested_exception ? FEATURE_NESTED : 0;
	has |= c->cr4_fixed1 & CR4_CET ? FEATURE_CET : 0;
	has |= c->cr4_fixed1 & CR4_PCIDE ? FEATURE_PCID : 0;
	has |= c->misc.cr3_targets >= 4 ? FEATURE_CR3_TARGETS : 0;
	has |= e->sgx ? FEATURE_SGX : 0;
	has |= e->rtm ? FEATURE_RTM : 0;
	has |= e->bus_lock_detect ? FEATURE_BUS_LOCK : 0;
	has |= e->long_mode ? FEATURE_LONG_MODE : 0;
	has |= e->tracing ? FEATURE_TRACING : 0;
	has |= e->lam ? FEATURE_LAM : 0;
	return has;
}

/* The control words, with the rules of their reserved bits. */
static const struct {
	const char *rule;
	uint16_t field;
	enum vmx_control_word word;
} words[] = {
  /* clang-format off */
	{"pin-reserved",       VMCS_PIN_CONTROLS,            VMX_PIN},
	{"primary-reserved",   VMCS_PRIMARY_CONTROLS,        VMX_PRIMARY},
	{"secondary-reserved", VMCS_SECONDARY_CONTROLS,      VMX_SECONDARY},
	{"tertiary-reserved",  VMCS_TERTIARY_CONTROLS,       VMX_TERTIARY},
	{"exit-reserved",      VMCS_EXIT_CONTROLS,           VMX_EXIT},
	{"exit2-reserved",     VMCS_SECONDARY_EXIT_CONTROLS, VMX_EXIT2},
	{"entry-reserved",     VMCS_ENTRY_CONTROLS,          VMX_ENTRY},
  /* clang-format on */
};

/* A control that the edit turns on or off, which this processor does not let be so: other rules are
 * what the row is for. */
static bool has_controls(const struct entry_mutation *row, const struct entry_edit *edit,
			 const struct vmx_capabilities *c)
{
	for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
		const struct vmx_control_range *range = &c->controls[words[i].word];

		if (edit->field != words[i].field || entry_mutation_breaks(row, words[i].rule))
			continue;
		if (edit->kind == EDIT_OR && edit->value & ~range->allowed)
			return false;
		if (edit->kind == EDIT_CLEAR && edit->value & range->forced)
			return false;
	}
	return true;
}

const char *entry_mutation_unfit(const struct entry_mutation *row, const struct entry_bench *bench)
{
	uint32_t has = features_of(&bench->environment);

	if (row->with & ~has)
		return "the processor lacks what it is about";
	if (row->without & has)
		return "the processor has what it is the lack of";
	for (unsigned i = 0; i < ENTRY_EDITS_MAX; i++) {
		if (!has_controls(row, &row->edits[i], bench->environment.capabilities))
			return "the processor has no such control";
	}
	return NULL;
}

/* --- Edits --- */

static void poke(void *page, uint64_t offset, uint32_t value)
{
	memcpy((uint8_t *)page + offset, &value, sizeof(value));
}

static void apply(const struct entry_bench *bench, const struct entry_edit *edit,
		  struct vmcs_image *image)
{
	uint64_t old = vmcs_image_get(image, edit->field);
	uint64_t beyond = BIT(bench->environment.physical_bits);

	switch (edit->kind) {
	case EDIT_NONE:
		break;
	case EDIT_SET:
		vmcs_image_set(image, edit->field, edit->value);
		break;
	case EDIT_OR:
		vmcs_image_set(image, edit->field, old | edit->value);
		break;
	case EDIT_CLEAR:
		vmcs_image_set(image, edit->field, old & ~edit->value);
		break;
	case EDIT_WIDE:
		vmcs_image_set(image, edit->field, old | beyond);
		break;
	case EDIT_TOP:
		vmcs_image_set(image, edit->field, beyond - edit->value);
		break;
	case EDIT_PAGE:
		vmcs_image_set(image, edit->field, bench->page[edit->page] + edit->value);
		break;
	case EDIT_CURRENT:
		vmcs_image_set(image, edit->field, bench->environment.current_vmcs);
		break;
	case EDIT_POKE:
		poke(bench->memory[edit->page], edit->field, (uint32_t)edit->value);
		break;
	}
}

void entry_mutation_apply(const struct entry_bench *bench, const struct entry_mutation *row,
			  struct vmcs_image *image)
{
	for (unsigned i = 0; i < ENTRY_EDITS_MAX; i++)
		apply(bench, &row->edits[i], image);
}

/* --- In words --- */

static size_t describe(const struct entry_edit *edit, char *text, size_t size)
{
	static const char *const pages[] = {"VMCS", "MSR", "APIC", "EPT", "paging", "bitmap"};
	const char *name = vmcs_field_name(edit->field);
	unsigned long long value = edit->value;

	switch (edit->kind) {
	case EDIT_SET:
		return format(text, size, "%s = %llx", name, value);
	case EDIT_OR:
		return format(text, size, "%s |= %llx", name, value);
	case EDIT_CLEAR:
		return format(text, size, "%s &= ~%llx", name, value);
	case EDIT_WIDE:
		return format(text, size, "%s too wide", name);
	case EDIT_TOP:
		return format(text, size, "%s %llu below the end", name, value);
	case EDIT_PAGE:
		return format(text, size, "%s = %s page + %llx", name, pages[edit->page], value);
	case EDIT_CURRENT:
		return format(text, size, "%s = current VMCS", name);
	case EDIT_POKE:
		return format(text, size, "%s page at %x = %llx", pages[edit->page], edit->field,
			      value);
	case EDIT_NONE:
		break;
	}
	return 0;
}

void entry_mutation_describe(const struct entry_mutation *row, char *text, size_t size)
{
	static const char *const bases[] = {
		[BASE_64BIT] = "64-bit",
		[BASE_COMPATIBILITY] = "compatibility",
		[BASE_RESTRICTED] = "restricted",
		[BASE_PROTECTED] = "protected",
		[BASE_PAE] = "PAE",
		[BASE_NO_EPT] = "no EPT",
		[BASE_V86] = "virtual-8086",
		[BASE_REAL] = "real",
	};
	size_t length = format(text, size, "%s (%s)", row->breaks[0] ? row->breaks[0] : "valid",
			       bases[row->base]);

	for (unsigned i = 0; i < ENTRY_EDITS_MAX && row->edits[i].kind != EDIT_NONE; i++) {
		if (length + 3 >= size)
			return;
		length += format(text + length, size - length, "%s", i ? ", " : ": ");
		length += describe(&row->edits[i], text + length, size - length);
	}
}

/* --- Against the rules --- */

bool entry_mutation_breaks(const struct entry_mutation *row, const char *rule)
{
	for (unsigned i = 0; i < ENTRY_BREAKS_MAX && row->breaks[i]; i++) {
		if (strcmp(row->breaks[i], rule) == 0)
			return true;
	}
	return false;
}

struct comparison {
	const struct entry_mutation *row;
	const struct entry_rule *unexpected;
	unsigned found;
};

static void compare(const struct entry_rule *rule, const struct vmcs_image *image, void *context)
{
	struct comparison *comparison = context;

	(void)image;
	if (entry_mutation_breaks(comparison->row, rule->name))
		comparison->found++;
	else if (!comparison->unexpected)
		comparison->unexpected = rule;
}

bool entry_mutation_check(const struct entry_mutation *row, const struct vmcs_image *image,
			  const struct entry_environment *environment, char *text, size_t size)
{
	struct comparison comparison = {.row = row};
	unsigned wanted = 0;

	while (wanted < ENTRY_BREAKS_MAX && row->breaks[wanted])
		wanted++;
	entry_check(image, environment, compare, &comparison);
	if (comparison.unexpected)
		format(text, size, "the table also names %s", comparison.unexpected->name);
	else if (comparison.found != wanted)
		format(text, size, "the table names %u of %u rules", comparison.found, wanted);
	return !comparison.unexpected && comparison.found == wanted;
}
