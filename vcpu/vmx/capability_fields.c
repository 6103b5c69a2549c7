/* SPDX-License-Identifier: BSD-2-Clause */
/* The fields of those VMX capability MSRs that are no control words, for the capability report. */
#include "vcpu/vmx/capability_fields.h"

#include <stddef.h>

#include "arch/x86_64/msr.h"
#include "kernel/compiler.h"
#include "kernel/format.h"
#include "vcpu/vmx/report_text.h"

/* How the value of a field is said. */
enum field_kind {
	FLAG, /* yes or no */
	NUMBER,
	HEX,
	BYTES,
	MEMORY_TYPE,
	TIMER_RATE, /* n: one tick every 2^n of the TSC */
	LIST_LIMIT, /* n: 512 * (n + 1) entries */
};

struct field {
	uint8_t high, low;
	enum field_kind kind;
	const char *name;
	const char *use; /* what Plinth makes of it; NULL: nothing */
};

/* clang-format off */
static const struct field feature_control[] = {
	{ 0,  0, FLAG, "locked until the next reset",                     "Plinth sees to it"},
	{ 1,  1, FLAG, "VMXON inside SMX operation",                      NULL},
	{ 2,  2, FLAG, "VMXON outside SMX operation",                     "needed"},
	{14,  8, HEX,  "SENTER functions enabled",                        NULL},
	{15, 15, FLAG, "SENTER enabled",                                  NULL},
	{17, 17, FLAG, "SGX launch control enabled",                      NULL},
	{18, 18, FLAG, "SGX enabled",                                     NULL},
	{20, 20, FLAG, "machine checks for one CPU alone (LMCE)",         NULL},
};

/* SDM "Basic VMX Information" */
static const struct field basic[] = {
	{30,  0, HEX,         "VMCS revision identifier",                 "put into each region"},
	{44, 32, BYTES,       "size of a VMXON or VMCS region",           "1 to 4096 needed"},
	{48, 48, FLAG,        "structures must lie below 4 GiB",          "\"no\" needed"},
	{49, 49, FLAG,        "dual-monitor treatment of SMIs and SMM",   NULL},
	{53, 50, MEMORY_TYPE, "memory type of accesses to structures",    "6 or 0 needed"},
	{54, 54, FLAG,        "INS and OUTS exits tell about the instruction", NULL},
	{55, 55, FLAG,        "the TRUE capability MSRs exist",           "used if there"},
	{56, 56, FLAG,        "any exception may come with an error code", NULL},
	{58, 58, FLAG,        "nested exceptions (FRED)",                 NULL},
};

/* SDM "Miscellaneous Data" */
static const struct field misc[] = {
	{ 4,  0, TIMER_RATE,  "rate of the VMX-preemption timer",         "used"},
	{ 5,  5, FLAG,        "exits store EFER.LMA into \"IA-32e mode guest\"", NULL},
	{ 6,  6, FLAG,        "activity state HLT",                       NULL},
	{ 7,  7, FLAG,        "activity state shutdown",                  NULL},
	{ 8,  8, FLAG,        "activity state wait-for-SIPI",             NULL},
	{14, 14, FLAG,        "Intel PT in VMX operation",                NULL},
	{15, 15, FLAG,        "RDMSR of IA32_SMBASE in SMM",              NULL},
	{24, 16, NUMBER,      "CR3-target values",                        NULL},
	{27, 25, LIST_LIMIT,  "recommended limit of an MSR list",         NULL},
	{28, 28, FLAG,        "VMXOFF can leave SMIs blocked",            NULL},
	{29, 29, FLAG,        "VMWRITE to the fields of VM exits",        NULL},
	{30, 30, FLAG,        "injection with an instruction length of 0", NULL},
	{63, 32, HEX,         "MSEG revision identifier",                 NULL},
};

static const struct field vmcs_enum[] = {
	{ 9,  1, NUMBER, "highest index of a VMCS field",                 NULL},
};

/* SDM "VPID and EPT Capabilities" */
static const struct field ept_vpid_cap[] = {
	{ 0,  0, FLAG,   "EPT: execute-only pages",                       NULL},
	{ 6,  6, FLAG,   "EPT: walk of 4 levels",                         "needed"},
	{ 7,  7, FLAG,   "EPT: walk of 5 levels",                         NULL},
	{ 8,  8, FLAG,   "EPT: tables in UC memory",                      NULL},
	{14, 14, FLAG,   "EPT: tables in WB memory",                      "needed"},
	{16, 16, FLAG,   "EPT: pages of 2 MiB",                           "used if there"},
	{17, 17, FLAG,   "EPT: pages of 1 GiB",                           "used if there"},
	{20, 20, FLAG,   "INVEPT",                                        "needed"},
	{21, 21, FLAG,   "EPT: accessed and dirty flags",                 NULL},
	{22, 22, FLAG,   "EPT violations tell more about the access",     NULL},
	{23, 23, FLAG,   "EPT: supervisor shadow-stack control",          NULL},
	{25, 25, FLAG,   "INVEPT of a single context",                    "needed, or of all"},
	{26, 26, FLAG,   "INVEPT of all contexts",                        "needed, or of one"},
	{32, 32, FLAG,   "INVVPID",                                       "needed for VPID"},
	{40, 40, FLAG,   "INVVPID of an address",                         NULL},
	{41, 41, FLAG,   "INVVPID of a single context",                   "for VPID, or of all"},
	{42, 42, FLAG,   "INVVPID of all contexts",                       "for VPID, or of one"},
	{43, 43, FLAG,   "INVVPID of a single context, globals stay",     NULL},
	{53, 48, NUMBER, "HLAT: largest prefix",                          NULL},
};

static const struct field vmfunc[] = {
	{ 0,  0, FLAG, "EPTP switching",                                  NULL},
};

#define TABLE(msr, fields) {msr, fields, ARRAY_COUNT(fields)}
static const struct {
	uint32_t msr;
	const struct field *fields;
	size_t count;
} tables[] = {
	TABLE(IA32_FEATURE_CONTROL,  feature_control),
	TABLE(IA32_VMX_BASIC,        basic),
	TABLE(IA32_VMX_MISC,         misc),
	TABLE(IA32_VMX_VMCS_ENUM,    vmcs_enum),
	TABLE(IA32_VMX_EPT_VPID_CAP, ept_vpid_cap),
	TABLE(IA32_VMX_VMFUNC,       vmfunc),
};
/* clang-format on */

#define VALUE_MAX 24

static void say_value(const struct field *field, uint64_t value, char text[VALUE_MAX])
{
	unsigned long long v = value;

	switch (field->kind) {
	case FLAG:
		format(text, VALUE_MAX, "%s", v ? "yes" : "no");
		break;
	case NUMBER:
		format(text, VALUE_MAX, "%llu", v);
		break;
	case HEX:
		format(text, VALUE_MAX, "%#llx", v);
		break;
	case BYTES:
		format(text, VALUE_MAX, "%llu bytes", v);
		break;
	case MEMORY_TYPE:
		format(text, VALUE_MAX, "%llu (%s)", v, memory_type_name((unsigned)value));
		break;
	case TIMER_RATE:
		format(text, VALUE_MAX, "TSC/%llu", 1ull << value);
		break;
	case LIST_LIMIT:
		format(text, VALUE_MAX, "%llu entries", (v + 1) * 512);
		break;
	}
}

static void report_field(const struct field *field, uint64_t value)
{
	char where[8], text[VALUE_MAX];

	if (field->high == field->low)
		format(where, sizeof(where), "%u", field->low);
	else
		format(where, sizeof(where), "%u:%u", field->high, field->low);
	say_value(field, bits(value, field->high, field->low), text);
	if (field->use)
		log_always("%5s %-46s %-12s %s", where, field->name, text, field->use);
	else
		log_always("%5s %-46s %s", where, field->name, text);
}

void capability_fields_report(uint32_t msr, uint64_t value)
{
	for (size_t i = 0; i < ARRAY_COUNT(tables); i++) {
		uint64_t unknown = value;
		char list[REPORT_LIST_MAX] = "";

		if (tables[i].msr != msr)
			continue;
		log_always(" bits %-46s %-12s %s", "field", "value", "Plinth");
		for (size_t j = 0; j < tables[i].count; j++) {
			const struct field *field = &tables[i].fields[j];

			report_field(field, value);
			unknown &= ~(bits(~0ull, field->high, field->low) << field->low);
		}
		list_bits(list, unknown);
		if (unknown)
			report_text(LOG_ALWAYS, "bits set without a meaning known here: ", 2, list);
	}
}
