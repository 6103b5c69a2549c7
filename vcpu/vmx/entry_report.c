/* SPDX-License-Identifier: BSD-2-Clause */
/* Tells a person which rules a VMCS breaks: each with its values, and with the bits that are wrong
 * by name. */
#include "arch/x86_64/control_registers.h"
#include "kernel/compiler.h"
#include "kernel/format.h"
#include "kernel/log.h"
#include "vcpu/vmx/entry_rules.h"

#define LINE_MAX 320

/* A line in the making. What does not fit is left out. */
struct line {
	char text[LINE_MAX];
	size_t length;
};

static PRINTF(2, 3) void add(struct line *line, const char *text, ...)
{
	size_t room = sizeof(line->text) - line->length;
	va_list args;
	size_t length;

	va_start(args, text);
	length = vformat(line->text + line->length, room, text, args);
	va_end(args);
	line->length += length < room ? length : room - 1;
}

/* --- The names of bits --- */

/* Fields that are control words. */
static const struct {
	uint16_t field;
	enum vmx_control_word word;
} words[] = {
  /* clang-format off */
	{VMCS_PIN_CONTROLS,            VMX_PIN},
	{VMCS_PRIMARY_CONTROLS,        VMX_PRIMARY},
	{VMCS_SECONDARY_CONTROLS,      VMX_SECONDARY},
	{VMCS_TERTIARY_CONTROLS,       VMX_TERTIARY},
	{VMCS_EXIT_CONTROLS,           VMX_EXIT},
	{VMCS_SECONDARY_EXIT_CONTROLS, VMX_EXIT2},
	{VMCS_ENTRY_CONTROLS,          VMX_ENTRY},
  /* clang-format on */
};

/* Registers whose bits the SDM names, by the lowest first; "" for one without a name. */
static const char *const cr0_names[] = {
	[0] = "PE",  [1] = "MP",  [2] = "EM",  [3] = "TS",  [4] = "ET",  [5] = "NE",
	[16] = "WP", [18] = "AM", [29] = "NW", [30] = "CD", [31] = "PG",
};
static const char *const cr4_names[] = {
	[0] = "VME",         [1] = "PVI",      [2] = "TSD",      [3] = "DE",    [4] = "PSE",
	[5] = "PAE",         [6] = "MCE",      [7] = "PGE",      [8] = "PCE",   [9] = "OSFXSR",
	[10] = "OSXMMEXCPT", [11] = "UMIP",    [12] = "LA57",    [13] = "VMXE", [14] = "SMXE",
	[16] = "FSGSBASE",   [17] = "PCIDE",   [18] = "OSXSAVE", [19] = "KL",   [20] = "SMEP",
	[21] = "SMAP",       [22] = "PKE",     [23] = "CET",     [24] = "PKS",  [25] = "UINTR",
	[27] = "LASS",       [28] = "LAM_SUP", [32] = "FRED",
};
static const char *const efer_names[] = {[0] = "SCE", [8] = "LME", [10] = "LMA", [11] = "NXE"};
static const char *const rflags_names[] = {
	[1] = "always 1",
	[8] = "TF",
	[9] = "IF",
	[17] = "VM",
};
static const char *const shadow_names[] = {
	"blocking by STI", "blocking by MOV SS",   "blocking by SMI",
	"blocking by NMI", "enclave interruption",
};
static const char *const pending_names[] = {[12] = "enabled breakpoint", [14] = "BS", [16] = "RTM"};
static const char *const rights_names[] = {
	[4] = "S", [7] = "P", [13] = "L", [14] = "D/B", [15] = "G", [16] = "unusable",
};

static const struct {
	uint16_t field;
	uint8_t count;
	const char *const *names;
} registers[] = {
  /* clang-format off */
	{VMCS_HOST_CR0,                       ARRAY_COUNT(cr0_names),     cr0_names},
	{VMCS_GUEST_CR0,                      ARRAY_COUNT(cr0_names),     cr0_names},
	{VMCS_HOST_CR4,                       ARRAY_COUNT(cr4_names),     cr4_names},
	{VMCS_GUEST_CR4,                      ARRAY_COUNT(cr4_names),     cr4_names},
	{VMCS_HOST_EFER,                      ARRAY_COUNT(efer_names),    efer_names},
	{VMCS_GUEST_EFER,                     ARRAY_COUNT(efer_names),    efer_names},
	{VMCS_GUEST_RFLAGS,                   ARRAY_COUNT(rflags_names),  rflags_names},
	{VMCS_GUEST_INTERRUPTIBILITY,         ARRAY_COUNT(shadow_names),  shadow_names},
	{VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, ARRAY_COUNT(pending_names), pending_names},
  /* clang-format on */
};

static bool is_rights(uint32_t field)
{
	return field >= VMCS_GUEST_ES_ACCESS_RIGHTS && field <= VMCS_GUEST_TR_ACCESS_RIGHTS;
}

/* NULL: the bit has no name, and may belong to a number of several bits. */
static const char *bit_name(uint32_t field, unsigned number)
{
	for (unsigned i = 0; i < ARRAY_COUNT(words); i++) {
		if (words[i].field == field)
			return vmx_control_name(words[i].word, BIT(number));
	}
	for (unsigned i = 0; i < ARRAY_COUNT(registers); i++) {
		if (registers[i].field == field)
			return number < registers[i].count && registers[i].names[number]
				       ? registers[i].names[number]
				       : "reserved";
	}
	return is_rights(field) && number < ARRAY_COUNT(rights_names) ? rights_names[number] : NULL;
}

/* "; wrong: bit 5 (NE) is 0, bits 3:0 are 2": what is in the field, in runs where bits have no
 * names. */
static void add_wrong_bits(struct line *line, uint32_t field, uint64_t value, uint64_t wrong)
{
	const char *lead = "; wrong:";

	for (unsigned low = 0; low < 64; low++) {
		const char *name = bit_name(field, low);
		unsigned high = low;

		if (!bit(wrong, low))
			continue;
		while (!name && high < 63 && bit(wrong, high + 1) && !bit_name(field, high + 1))
			high++;
		if (high > low)
			add(line, "%s bits %u:%u are %llx", lead, high, low,
			    (unsigned long long)bits(value, high, low));
		else
			add(line, "%s bit %u%s%s%s is %u", lead, low, name ? " (" : "",
			    name ? name : "", name ? ")" : "", bit(value, low));
		lead = ",";
		low = high;
	}
}

/* --- What a value means --- */

static void add_rights(struct line *line, uint64_t rights)
{
	add(line, " (type %u%s, DPL %u%s%s%s%s%s)", (unsigned)(rights & ACCESS_TYPE),
	    rights & ACCESS_S ? ", S" : "", (unsigned)bits(rights, 6, 5),
	    rights & ACCESS_P ? ", P" : "", rights & ACCESS_L ? ", L" : "",
	    rights & ACCESS_DB ? ", D/B" : "", rights & ACCESS_G ? ", G" : "",
	    rights & ACCESS_UNUSABLE ? ", unusable" : "");
}

static void add_event(struct line *line, uint64_t value)
{
	struct vmx_interruption event = vmx_interruption_unpack((uint32_t)value);

	add(line, " (%s%s, vector %u%s)", event.valid ? "" : "not valid, ",
	    vmx_interruption_type_name(event.type), event.vector,
	    event.has_error_code ? ", with error code" : "");
}

static void add_value(struct line *line, const struct entry_view *view, uint32_t field)
{
	uint64_t value = entry_get(view, field);

	add(line, "%s=", vmcs_field_name(field));
	if (!vmcs_image_has(view->image, field)) {
		add(line, "(absent)");
		return;
	}
	add(line, "%llx", (unsigned long long)value);
	if (is_rights(field))
		add_rights(line, value);
	else if (field == VMCS_ENTRY_INTERRUPTION_INFO)
		add_event(line, value);
	else if (field == VMCS_GUEST_ACTIVITY_STATE)
		add(line, " (%s)", vmx_activity_name((uint32_t)value));
}

static void print_rule(const char *vm_name, const struct entry_view *view,
		       const struct entry_rule *rule, uint64_t wrong)
{
	struct line line = {.length = 0};
	char more[160] = "";

	log_vm(vm_name, "  SDM \"%s\": %s [%s, %s %u%s%s]", rule->section, rule->text, rule->name,
	       rule->verdict < ENTRY_EXIT_GUEST ? "error" : "exit", (unsigned)rule->verdict,
	       rule->differs ? "; " : "", rule->differs ? rule->differs : "");
	for (unsigned i = 0; i < rule->field_count; i++) {
		add(&line, "%s", i ? ", " : "");
		add_value(&line, view, rule->fields[i]);
	}
	if (wrong != ENTRY_BROKEN)
		add_wrong_bits(&line, rule->fields[0], entry_subject(view, rule), wrong);
	if (rule->explain)
		rule->explain(view, rule, more, sizeof(more));
	if (more[0])
		add(&line, "; %s", more);
	log_vm(vm_name, "    %s", line.text);
}

unsigned entry_check_report(const char *vm_name, const struct vmcs_image *image,
			    const struct entry_environment *environment)
{
	unsigned count = entry_check(image, environment, NULL, NULL);
	const struct entry_rule *rule;
	struct entry_view view;

	entry_view_make(&view, image, environment);
	if (count == 0)
		log_vm(vm_name, "this VMCS breaks no rule for VM entries that Plinth knows");
	else
		log_vm(vm_name,
		       "this VMCS breaks %u rule%s of the SDM's chapter \"VM Entries\":", count,
		       count == 1 ? "" : "s");
	for (size_t i = 0; (rule = entry_rule_by_index(i)) != NULL; i++) {
		uint64_t wrong = entry_rule_broken(&view, rule);

		if (wrong)
			print_rule(vm_name, &view, rule, wrong);
	}
	return count;
}
