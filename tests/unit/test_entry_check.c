/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules of VM entries: mutations of valid VMCSs break each, and no other. And the report. */
/* UNITS: vcpu/vmx/entry_check.c vcpu/vmx/entry_report.c vcpu/vmx/entry_predicates.c */
/* UNITS: vcpu/vmx/entry_rules_execution.c vcpu/vmx/entry_rules_control.c */
/* UNITS: vcpu/vmx/entry_rules_host.c vcpu/vmx/entry_rules_registers.c */
/* UNITS: vcpu/vmx/entry_rules_segments.c vcpu/vmx/entry_rules_nonregister.c */
/* UNITS: vcpu/vmx/entry_rules_msr.c vcpu/vmx/vmcs_image.c vcpu/vmx/capabilities.c */
/* UNITS: tests/entry/bases.c tests/entry/mutations.c tests/entry/mutations_controls.c */
/* UNITS: tests/entry/mutations_host.c tests/entry/mutations_registers.c */
/* UNITS: tests/entry/mutations_segments.c tests/entry/mutations_nonregister.c */
/* UNITS: arch/x86_64/msr.c arch/x86_64/cpuid.c arch/x86_64/vmx.c */
/* UNITS: arch/x86_64/vmx_controls.c arch/x86_64/vmcs_fields.c */
/* UNITS: kernel/format.c tests/fake/processor.c tests/fake/error.c tests/fake/log.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/vmx_instructions.h"
#include "tests/entry/mutations.h"
#include "tests/fake/log.h"
#include "tests/fake/processor.h"
#include "vcpu/vmx/entry_rules.h"

#define PHYSICAL_BITS 39
#define MEMORY_BASE   0x10000u
#define PAGE_CURRENT  ENTRY_PAGES /* one page more: the current VMCS */

static struct vmx_capabilities capabilities;
static struct entry_bench bench;
static struct vmcs_image image;
static uint8_t memory[ENTRY_PAGES + 1][4096];

static bool read_memory(void *context, uint64_t address, void *to, size_t size)
{
	(void)context;
	if (address < MEMORY_BASE || address - MEMORY_BASE > sizeof(memory) - size)
		return false;
	memcpy(to, (uint8_t *)memory + (address - MEMORY_BASE), size);
	return true;
}

static void set_host(enum vmcs_field field, uint64_t value)
{
	vmcs_image_set(&bench.host, field, value);
}

static void make_host(void)
{
	vmcs_image_clear(&bench.host);
	set_host(VMCS_HOST_CR0, CR0_PE | CR0_ET | CR0_NE | CR0_WP | CR0_PG);
	set_host(VMCS_HOST_CR3, 0x5000);
	set_host(VMCS_HOST_CR4, CR4_PAE | CR4_VMXE);
	set_host(VMCS_HOST_EFER, EFER_LMA | EFER_LME | EFER_NXE);
	set_host(VMCS_HOST_PAT, PAT_RESET);
	set_host(VMCS_HOST_CS_SELECTOR, 8);
	set_host(VMCS_HOST_SS_SELECTOR, 0x10);
	set_host(VMCS_HOST_DS_SELECTOR, 0x10);
	set_host(VMCS_HOST_ES_SELECTOR, 0x10);
	set_host(VMCS_HOST_TR_SELECTOR, 0x18);
	set_host(VMCS_HOST_GS_BASE, 0xffffffff80001000);
	set_host(VMCS_HOST_TR_BASE, 0xffffffff80002000);
	set_host(VMCS_HOST_GDTR_BASE, 0xffffffff80003000);
	set_host(VMCS_HOST_IDTR_BASE, 0xffffffff80004000);
	set_host(VMCS_HOST_RSP, 0xfffffe8000001000);
	set_host(VMCS_HOST_RIP, 0xffffffff80005000);
}

static void make_environment(void)
{
	bench.environment = (struct entry_environment){
		.capabilities = &capabilities,
		.physical_bits = PHYSICAL_BITS,
		.linear_bits = 48,
		.long_mode = true,
		.sgx = true,
		.rtm = true,
		.bus_lock_detect = true,
		.lam = true,
		.efer = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE,
		.debugctl = 0xffc3,
		.perf_global_ctrl = 0x70000000f,
		.s_cet = 0xfffffffffffffc3f,
		.rtit_ctl = 0x0380ffff8f7bffff,
		.lbr_ctl = 0x7f000f,
		.current_vmcs = MEMORY_BASE + PAGE_CURRENT * 4096,
		.read = read_memory,
	};
	for (unsigned i = 0; i < ENTRY_PAGES; i++) {
		bench.page[i] = MEMORY_BASE + i * 4096;
		bench.memory[i] = memory[i];
	}
	memcpy(memory[PAGE_CURRENT], &capabilities.basic.revision, 4);
}

/* A model as it is. */
static void become(const char *name)
{
	processor_load(name);
	assert_null(vmx_capabilities_read(&capabilities, processor_rdmsr, processor_cpuid));
	make_environment();
	make_host();
}

/* A processor that has every control with a name, and every feature but those that loosen a rule.
 */
static void become_everything(void)
{
	static const uint64_t later_cr4 = CR4_CET | CR4_PCIDE | CR4_LA57 | CR4_PKS | CR4_UINTR;
	struct vmx_control_range *range = capabilities.controls;

	become("skylake_x");
	for (unsigned word = 0; word < VMX_CONTROL_WORD_COUNT; word++) {
		for (size_t i = 0; i < vmx_control_names[word].bit_count; i++)
			range[word].allowed |= vmx_control_names[word].bits[i].mask;
	}
	capabilities.cr4_fixed1 |= later_cr4;
	capabilities.ept_vpid.accessed_dirty = true;
	capabilities.ept_vpid.supervisor_shadow_stack = true;
	capabilities.ept_vpid.walk_5 = true;
	capabilities.misc.zero_length_injection = true;
	capabilities.misc.activity_hlt = true;
	capabilities.misc.activity_shutdown = true;
	capabilities.misc.activity_wait_for_sipi = true;
	capabilities.raw[IA32_VMX_VMFUNC - VMX_MSR_FIRST] = 1;
}

/* Gives and takes what the row is about. */
static void fit(uint32_t features, bool value)
{
	static const struct {
		uint32_t feature;
		bool *where;
	} flags[] = {
		{FEATURE_ACCESSED_DIRTY,   &capabilities.ept_vpid.accessed_dirty         },
		{FEATURE_EPT_SHADOW_STACK, &capabilities.ept_vpid.supervisor_shadow_stack},
		{FEATURE_ZERO_LENGTH,      &capabilities.misc.zero_length_injection      },
		{FEATURE_HLT,              &capabilities.misc.activity_hlt               },
		{FEATURE_SHUTDOWN,         &capabilities.misc.activity_shutdown          },
		{FEATURE_SIPI,             &capabilities.misc.activity_wait_for_sipi     },
		{FEATURE_ANY_ERROR_CODE,   &capabilities.basic.any_exception_error       },
		{FEATURE_NESTED,           &capabilities.basic.nested_exception          },
		{FEATURE_SGX,              &bench.environment.sgx                        },
		{FEATURE_RTM,              &bench.environment.rtm                        },
		{FEATURE_BUS_LOCK,         &bench.environment.bus_lock_detect            },
		{FEATURE_LONG_MODE,        &bench.environment.long_mode                  },
		{FEATURE_TRACING,          &bench.environment.tracing                    },
		{FEATURE_LAM,              &bench.environment.lam                        },
	};
	uint64_t *primary = &capabilities.controls[VMX_PRIMARY].allowed;

	for (size_t i = 0; i < ARRAY_COUNT(flags); i++) {
		if (features & flags[i].feature)
			*flags[i].where = value;
	}
	if (features & FEATURE_MTF && !value)
		*primary &= ~(uint64_t)PRIMARY_MONITOR_TRAP_FLAG;
}

static void apply(const struct entry_mutation *row)
{
	become_everything();
	fit(row->with, true);
	fit(row->without, false);
	entry_base_make(&bench, row->base, &image);
	entry_mutation_apply(&bench, row, &image);
}

static void test_mutations(void **state)
{
	const struct entry_mutation *row;
	char name[200], text[100];
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; (row = entry_mutation_by_index(i)) != NULL; i++) {
		const char *unfit;

		apply(row);
		entry_mutation_describe(row, name, sizeof(name));
		unfit = entry_mutation_unfit(row, &bench);
		if (unfit) {
			print_message("%s: %s\n", name, unfit);
			failed++;
		} else if (!entry_mutation_check(row, &image, &bench.environment, text,
						 sizeof(text))) {
			print_message("%s: %s\n", name, text);
			failed++;
		}
	}
	assert_int_equal(failed, 0);
}

/* Every rule has a mutation, with itself at the first place or at another; every mutation speaks of
 * rules that exist. */
static void test_completeness(void **state)
{
	const struct entry_mutation *row;
	const struct entry_rule *rule;
	unsigned missing = 0, named = 0, count = 0;

	(void)state;
	for (size_t i = 0; (rule = entry_rule_by_index(i)) != NULL; i++) {
		bool found = false;

		for (size_t j = 0; (row = entry_mutation_by_index(j)) != NULL; j++)
			found = found || entry_mutation_breaks(row, rule->name);
		if (!found) {
			print_message("no mutation breaks %s\n", rule->name);
			missing++;
		}
	}
	for (size_t j = 0; (row = entry_mutation_by_index(j)) != NULL; j++)
		for (unsigned k = 0; k < ENTRY_BREAKS_MAX && row->breaks[k]; k++, count++)
			for (size_t i = 0; (rule = entry_rule_by_index(i)) != NULL; i++)
				named += strcmp(row->breaks[k], rule->name) == 0;
	assert_int_equal(missing, 0);
	assert_int_equal(named, count);
}

/* What every row of the table has. */
static void test_rows(void **state)
{
	const struct entry_rule *rule, *other;

	(void)state;
	for (size_t i = 0; (rule = entry_rule_by_index(i)) != NULL; i++) {
		assert_true(rule->name && rule->name[0] && rule->section && rule->text[0]);
		assert_true(rule->broken && rule->field_count >= 1);
		assert_true(rule->field_count <= ENTRY_FIELDS_MAX);
		assert_true(rule->verdict == ENTRY_FAIL_CONTROLS ||
			    rule->verdict == ENTRY_FAIL_HOST || rule->verdict == ENTRY_EXIT_GUEST ||
			    rule->verdict == ENTRY_EXIT_MSR);
		for (unsigned f = 0; f < rule->field_count; f++)
			assert_string_not_equal(vmcs_field_name(rule->fields[f]), "?");
		for (size_t j = i + 1; (other = entry_rule_by_index(j)) != NULL; j++)
			assert_string_not_equal(rule->name, other->name);
	}
}

/* The bases are valid on every model that Plinth runs on, and a VMCS of which nothing is known
 * breaks nothing. */
static void test_models(void **state)
{
	(void)state;
	for (unsigned number = 0; processor_name(number); number++) {
		if (strstr(processor_name(number), "penryn") ||
		    strstr(processor_name(number), "lynnfield"))
			continue;
		become(processor_name(number));
		for (unsigned base = 0; base < BASE_COUNT; base++) {
			entry_base_make(&bench, (enum entry_base)base, &image);
			assert_int_equal(entry_check(&image, &bench.environment, NULL, NULL), 0);
		}
	}
	vmcs_image_clear(&image);
	assert_int_equal(entry_check(&image, &bench.environment, NULL, NULL), 0);
}

/* Nothing in an image, however wild, makes the rules read what is not there, or loop for long. */
static void test_wild(void **state)
{
	uint64_t seed = 1;

	(void)state;
	become_everything();
	for (unsigned round = 0; round < 300; round++) {
		vmcs_image_clear(&image);
		for (size_t i = 0; i < vmcs_field_count; i++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			vmcs_image_set(&image, (uint32_t)vmcs_fields[i].field,
				       round % 3   ? seed
				       : round % 2 ? ~0ull
						   : seed >> 40);
		}
		fake_log_reset();
		entry_check_answer(&image, &bench.environment);
		entry_check_report("wild", &image, &bench.environment);
	}
}

static struct entry_answer answer_of(enum entry_base base, const struct entry_edit *edits,
				     size_t count)
{
	struct entry_mutation row = {.base = base};

	memcpy(row.edits, edits, count * sizeof(*edits));
	apply(&row);
	return entry_check_answer(&image, &bench.environment);
}

#define ANSWER(base, ...)                                                                          \
	answer_of(BASE_##base, (const struct entry_edit[]){__VA_ARGS__},                           \
		  ARRAY_COUNT(((const struct entry_edit[]){__VA_ARGS__})))

/* The first check that fails decides, and what some processors do not check decides last. */
static void test_answers(void **state)
{
	struct entry_answer answer;

	(void)state;
	answer = ANSWER(64BIT, SET(GUEST_RFLAGS, 2));
	assert_int_equal(answer.verdict, ENTRY_SUCCEEDS);
	answer = ANSWER(64BIT, OR(GUEST_RFLAGS, 8), OR(PIN_CONTROLS, BIT(31)));
	assert_int_equal(answer.verdict, ENTRY_FAIL_CONTROLS);
	answer = ANSWER(64BIT, OR(GUEST_RFLAGS, 8), SET(HOST_CS_SELECTOR, 0));
	assert_int_equal(answer.verdict, ENTRY_FAIL_HOST);
	answer = ANSWER(PAE, SET(GUEST_PDPTE0, 3));
	assert_int_equal(answer.verdict, ENTRY_EXIT_GUEST);
	assert_int_equal(answer.qualification, ENTRY_FAILURE_PDPTE);
	answer = ANSWER(64BIT, PAGE(LINK_POINTER, VMCS, 1));
	assert_int_equal(answer.verdict, ENTRY_EXIT_GUEST);
	assert_int_equal(answer.qualification, ENTRY_FAILURE_LINK_POINTER);
	answer = ANSWER(64BIT, SET(ENTRY_MSR_LOAD_COUNT, 3), POKE(MSRS, 0, IA32_SYSENTER_CS),
			POKE(MSRS, 16, IA32_FS_BASE), POKE(MSRS, 32, IA32_X2APIC_TPR));
	assert_int_equal(answer.verdict, ENTRY_EXIT_MSR);
	assert_int_equal(answer.qualification, 2);
	assert_false(answer.open);
	answer = ANSWER(64BIT, OR(GUEST_INTERRUPTIBILITY, 1), OR(GUEST_RFLAGS, RFLAGS_IF),
			INJECT(VMX_NMI, 2));
	assert_int_equal(answer.verdict, ENTRY_EXIT_GUEST);
	assert_int_equal(answer.qualification, ENTRY_FAILURE_NMI);
	assert_true(answer.open);
	answer = ANSWER(64BIT, OR(GUEST_INTERRUPTIBILITY, 1), OR(GUEST_RFLAGS, RFLAGS_IF),
			INJECT(VMX_NMI, 2), SET(GUEST_GDTR_LIMIT, 0x10000));
	assert_false(answer.open);
	assert_int_equal(answer.qualification, 0);
	answer = ANSWER(64BIT, OR(GUEST_INTERRUPTIBILITY, 1), OR(GUEST_RFLAGS, RFLAGS_IF),
			INJECT(VMX_NMI, 2), OR(GUEST_PENDING_DEBUG_EXCEPTIONS, BIT(4)));
	assert_false(answer.open);
	assert_int_equal(answer.qualification, 0);
}

/* What no model of the list shows: fixed bits that guests need not have, and 32-bit addresses. */
static void test_rare_processors(void **state)
{
	(void)state;
	ANSWER(64BIT, OR(GUEST_CR0, CR0_CD | CR0_NW));
	capabilities.cr0_fixed1 &= ~(CR0_CD | CR0_NW);
	assert_int_equal(entry_check(&image, &bench.environment, NULL, NULL), 0);
	ANSWER(64BIT, CLEAR(GUEST_CR0, CR0_WP));
	capabilities.cr0_fixed0 |= CR0_WP;
	assert_int_equal(entry_check(&image, &bench.environment, NULL, NULL), 1);

	ANSWER(64BIT, TURN_ON(PRIMARY, IO_BITMAPS), OR(IO_BITMAP_A, BIT(32)));
	assert_int_equal(entry_check(&image, &bench.environment, NULL, NULL), 0);
	capabilities.basic.addresses_32bit = true;
	assert_int_equal(entry_check(&image, &bench.environment, NULL, NULL), 1);

	ANSWER(64BIT, OR(GUEST_RIP, BIT(50)), OR(HOST_FS_BASE, BIT(50)));
	assert_int_equal(entry_check(&image, &bench.environment, NULL, NULL), 2);
	bench.environment.linear_bits = 57;
	assert_int_equal(entry_check(&image, &bench.environment, NULL, NULL), 0);
}

static void expect_lines(const char *const *lines, size_t count)
{
	assert_int_equal(fake_log_count(), count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(fake_log_text((unsigned)i), lines[i]);
}

#define REPORT(...)                                                                                \
	expect_lines((const char *const[]){__VA_ARGS__},                                           \
		     ARRAY_COUNT(((const char *const[]){__VA_ARGS__})))

static unsigned report(const struct entry_edit *edits, size_t count, enum entry_base base)
{
	answer_of(base, edits, count);
	fake_log_reset();
	return entry_check_report("demo", &image, &bench.environment);
}

#define REPORT_OF(base, ...)                                                                       \
	report((const struct entry_edit[]){__VA_ARGS__},                                           \
	       ARRAY_COUNT(((const struct entry_edit[]){__VA_ARGS__})), BASE_##base)

#define HEAD "plinth[demo]: this VMCS breaks 1 rule of the SDM's chapter \"VM Entries\":"

static void test_report(void **state)
{
	(void)state;
	assert_int_equal(REPORT_OF(64BIT, OR(VPID, 1)), 0);
	REPORT("plinth[demo]: this VMCS breaks no rule for VM entries that Plinth knows");

	REPORT_OF(64BIT, CLEAR(GUEST_CR0, CR0_NE), TURN_ON(SECONDARY, VPID), SET(VPID, 0));
	REPORT("plinth[demo]: this VMCS breaks 2 rules of the SDM's chapter \"VM Entries\":",
	       "plinth[demo]:   SDM \"VM-Execution Control Fields\": with \"enable VPID\" the VPID "
	       "must not be 0000h "
	       "[vpid-zero, error 7]",
	       "plinth[demo]:     VPID=0",
	       "plinth[demo]:   SDM \"Checks on Guest Control Registers, Debug Registers, and "
	       "MSRs\": every fixed bit of CR0 must be "
	       "as IA32_VMX_CR0_FIXED0 and IA32_VMX_CR0_FIXED1 say; PE and PG are free with "
	       "\"unrestricted guest\" "
	       "[guest-cr0, exit 33]",
	       "plinth[demo]:     GUEST_CR0=80010011, SECONDARY_CONTROLS=a2; wrong: bit 5 (NE) is "
	       "0");

	REPORT_OF(64BIT, CLEAR(GUEST_SS_ACCESS_RIGHTS, ACCESS_P));
	REPORT(HEAD,
	       "plinth[demo]:   SDM \"Checks on Guest Segment Registers\": P, bit 7, of a usable "
	       "SS must be 1 "
	       "[ss-present, exit 33]",
	       "plinth[demo]:     GUEST_SS_ACCESS_RIGHTS=c013 (type 3, S, DPL 0, D/B, G); wrong: "
	       "bit 7 (P) is 0");

	REPORT_OF(64BIT, OR(PIN_CONTROLS, BIT(31)), CLEAR(PIN_CONTROLS, BIT(1)));
	assert_true(fake_log_contains("wrong: bit 1 (reserved) is 0, bit 31 (reserved) is 1"));
	REPORT_OF(RESTRICTED, TURN_ON(SECONDARY, PML), TURN_OFF(SECONDARY, EPT));
	assert_true(
		fake_log_contains("\"enable PML\" needs \"enable EPT\" [pml-needs-ept, error 7]"));
	REPORT_OF(64BIT, SET(CR3_TARGET_COUNT, 9));
	assert_true(fake_log_contains("CR3_TARGET_COUNT=9"));
	REPORT_OF(64BIT, OR(EPT_POINTER, 0xf00));
	assert_true(fake_log_contains("wrong: bits 11:8 are f"));

	/* What is in memory. */
	REPORT_OF(64BIT, PAGE(LINK_POINTER, VMCS, 0), POKE(VMCS, 0, 0x7eadbeef));
	assert_true(
		fake_log_contains("the 4 bytes there are 7eadbeef; this processor's revision is "));
	REPORT_OF(NO_EPT, POKE(TABLE, 16, 3));
	assert_true(fake_log_contains("; PDPTE 2 is 3"));
	REPORT_OF(64BIT, SET(ENTRY_MSR_LOAD_COUNT, 1), POKE(MSRS, 0, IA32_FS_BASE),
		  POKE(MSRS, 8, 7));
	assert_true(fake_log_contains(
		"; entry 1 is MSR c0000100 (IA32_FS_BASE), value 7, bits 63:32 0"));
	REPORT_OF(64BIT, TURN_ON(PRIMARY, TPR_SHADOW), SET(TPR_THRESHOLD, 5),
		  POKE(APIC, 0x80, 0x30));
	assert_true(fake_log_contains("; bits 7:4 of VTPR are 3"));

	/* What a value means. */
	REPORT_OF(64BIT, INJECT_CODE(VMX_NMI, 2),
		  SET(GUEST_ACTIVITY_STATE, ACTIVITY_WAIT_FOR_SIPI));
	assert_true(fake_log_contains(
		"ENTRY_INTERRUPTION_INFO=80000a02 (NMI, vector 2, with error code)"));
	assert_true(fake_log_contains("GUEST_ACTIVITY_STATE=3 (wait-for-SIPI)"));
	REPORT_OF(64BIT, OR(GUEST_INTERRUPTIBILITY, INTERRUPTIBILITY_STI), INJECT(VMX_NMI, 2),
		  OR(GUEST_RFLAGS, RFLAGS_IF));
	assert_true(fake_log_contains(
		"[interruptibility-nmi-sti, exit 33; the SDM leaves it to the processor]"));
	assert_true(fake_log_contains("wrong: bit 0 (blocking by STI) is 1"));
}

/* What is read from the processor: every field that it has, and no other. */
static void test_image(void **state)
{
	uint64_t value;

	(void)state;
	fake_vmx_reset();
	fake_vmx.missing[fake_vmcs_slot(VMCS_GUEST_PKRS)] = true;
	fake_vmcs_set(VMCS_GUEST_RIP, 0x1234567890);
	fake_vmcs_set(VMCS_VPID, 7);
	vmcs_image_read(&image);
	for (size_t i = 0; i < vmcs_field_count; i++) {
		uint32_t field = (uint32_t)vmcs_fields[i].field;

		assert_int_equal(vmcs_image_has(&image, field), field != VMCS_GUEST_PKRS);
		if (field != VMCS_GUEST_PKRS) {
			assert_int_equal(vmread_checked(field, &value), VMX_OK);
			assert_int_equal(vmcs_image_get(&image, field), value);
		}
	}
	assert_int_equal(vmcs_image_get(&image, VMCS_GUEST_PKRS), 0);
	assert_int_equal(vmcs_image_get(&image, VMCS_GUEST_RIP), 0x1234567890);
	vmcs_image_set(&image, VMCS_VPID, 0x54321);
	assert_int_equal(vmcs_image_get(&image, VMCS_VPID), 0x4321);

	/* An encoding of no field, and the high half of one. */
	vmcs_image_set(&image, 0x7ffe, 1);
	assert_false(vmcs_image_has(&image, 0x7ffe));
	assert_false(vmcs_image_has(&image, VMCS_GUEST_EFER + 1));
	assert_int_equal(vmcs_image_get(&image, 0xffffffff), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),         cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_completeness), cmocka_unit_test(test_models),
		cmocka_unit_test(test_wild),         cmocka_unit_test(test_answers),
		cmocka_unit_test(test_report),       cmocka_unit_test(test_rare_processors),
		cmocka_unit_test(test_image),
	};

	return cmocka_run_group_tests_name("entry check", tests, NULL, NULL);
}
