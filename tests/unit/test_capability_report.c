/* SPDX-License-Identifier: BSD-2-Clause */
/* The capability report: on every model, and on processors that there are not. */
/* UNITS: vcpu/vmx/capability_report.c vcpu/vmx/capability_fields.c vcpu/vmx/report_text.c */
/* UNITS: vcpu/vmx/feature_gate.c vcpu/vmx/controls.c vcpu/vmx/capabilities.c kernel/format.c */
/* UNITS: arch/x86_64/msr.c arch/x86_64/cpuid.c arch/x86_64/vmx_controls.c */
/* UNITS: arch/x86_64/register_bits.c */
/* UNITS: tests/fake/processor.c tests/fake/error.c tests/fake/log.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/register_bits.h"
#include "tests/fake/log.h"
#include "tests/fake/processor.h"
#include "vcpu/vmx/capability_fields.h"
#include "vcpu/vmx/capability_report.h"
#include "vcpu/vmx/report_text.h"

static struct feature_gate_input input = {
	.cpuid = processor_cpuid,
	.rdmsr = processor_rdmsr,
};

static int setup(void **state)
{
	(void)state;
	input.cr0 = 0x80010033;
	input.cr4 = 0x20;
	fake_log_reset();
	processor_load("haswell");
	return 0;
}

/* Makes the report; whatever it is about, it fits the terminal and no loglevel hides it. */
static void report(void)
{
	err_t err;

	fake_log_reset();
	err = capability_report(&input);
	if (err)
		fail_msg("no report: %s", err);
	assert_in_range(fake_log_count(), 150, FAKE_LOG_LINES);
	for (unsigned i = 0; i < fake_log_count(); i++) {
		if (strlen(fake_log_text(i)) > 100)
			fail_msg("too long: %s", fake_log_text(i));
		assert_int_equal(fake_log_level(i), LOG_ALWAYS);
	}
}

/* The line stands in the report, once, under the section, whole. */
static void expect(const char *section, const char *line)
{
	char heading[100], expected[110];
	bool inside = false;
	unsigned found = 0;

	snprintf(heading, sizeof(heading), "plinth: == %s ==", section);
	snprintf(expected, sizeof(expected), "plinth: %s", line);
	for (unsigned i = 0; i < fake_log_count(); i++) {
		const char *text = fake_log_text(i);

		if (strncmp(text, "plinth: ==", 10) == 0)
			inside = strcmp(text, heading) == 0;
		found += inside && strcmp(text, expected) == 0;
	}
	if (found != 1)
		fail_msg("%u times in \"%s\": %s", found, section, line);
}

/* Each MSR is there, with its value or with the word that it is not; "needs" stands exactly where
 * the processor is refused. */
static void test_models(void **state)
{
	(void)state;
	for (unsigned number = 0; processor_name(number); number++) {
		const char *name = processor_name(number);
		bool refused = strstr(name, "penryn") || strstr(name, "lynnfield");

		processor_load(name);
		report();
		for (uint32_t msr = IA32_FEATURE_CONTROL; msr <= VMX_MSR_LAST;
		     msr = msr == IA32_FEATURE_CONTROL ? VMX_MSR_FIRST : msr + 1) {
			char buffer[MSR_NAME_MAX], value[100], absent[100];
			uint64_t raw;

			snprintf(value, sizeof(value), "plinth: %s (%#x) = 0x%016llx",
				 msr_name(msr, buffer), msr,
				 processor_rdmsr(msr, &raw) ? (unsigned long long)raw : 0);
			snprintf(absent, sizeof(absent), "plinth: %s (%#x): absent",
				 msr_name(msr, buffer), msr);
			assert_int_equal(fake_log_matches(value) + fake_log_matches(absent), 1);
		}
		/* The legend has one, and a list of "what follows" another. */
		assert_int_equal(fake_log_matches(" needs  ") > 1, refused);
		assert_int_equal(fake_log_contains("plinth: Plinth runs guests here"), !refused);
		assert_int_equal(fake_log_contains("plinth: Plinth runs no guests here"), refused);
	}
}

static void test_haswell(void **state)
{
	(void)state;
	report();
	expect("VMX as firmware left it", "IA32_FEATURE_CONTROL (0x3a) = 0x0000000000000005");
	expect("VMX as firmware left it", "    2 VMXON outside SMX operation                    "
					  "yes          needed");
	expect("VMX as firmware left it", "locked with VMX: it stays so until the next reset");
	expect("basic VMX information", " 30:0 VMCS revision identifier                       "
					"0x2b         put into each region");
	expect("basic VMX information", "53:50 memory type of accesses to structures          "
					"6 (WB)       6 or 0 needed");
	expect("pin-based controls", "Plinth starts a guest with 0x0000007f");
	expect("pin-based controls", "bit control                       may be Plinth why");
	expect("pin-based controls", "  3 NMI exiting                   0 or 1 on     take the "
				     "machine's NMIs itself");
	expect("pin-based controls", "  7 process posted interrupts     only 0 off    interrupts "
				     "are injected at entries");
	expect("pin-based controls", "reserved bits: only 1: 1-2, 4; only 0: 8-31");
	expect("primary processor-based controls",
	       "  2 interrupt-window exiting    0 or 1 both   wait until a guest can take an "
	       "interrupt");
	expect("primary processor-based controls",
	       " 15 CR3-load exiting            0 or 1 off    CR3 is the guest's; not all can "
	       "clear it");
	expect("secondary processor-based controls", "Plinth starts a guest with 0x000010ea");
	expect("secondary processor-based controls",
	       "  7 unrestricted guest                 0 or 1 on     run guests in real mode and "
	       "without");
	expect("secondary processor-based controls",
	       "                                                     paging");
	expect("secondary processor-based controls",
	       " 20 enable XSAVES/XRSTORS              only 0 lacks  shown to guests when on");
	expect("tertiary processor-based controls",
	       "IA32_VMX_PROCBASED_CTLS3 (0x492): absent: no other bit announces it");
	expect("VM-entry controls", "  9 IA-32e mode guest                 0 or 1 both   run "
				    "32-bit and 64-bit guests");
	expect("CR0 in VMX operation", "only 1: PE, NE, PG");
	expect("CR0 in VMX operation", "the host now has 0x80010033: PE, MP, ET, NE, WP, PG");
	expect("CR0 in VMX operation",
	       "a guest may clear PE and PG all the same, by \"unrestricted guest\"");
	expect("CR4 in VMX operation",
	       "only 0: UMIP, LA57, SMXE, KL, SMAP, PKE, CET, PKS, UINTR, LASS, LAM_SUP, FRED");
	expect("CR4 in VMX operation", "reserved bits: only 0: 15, 26, 29-31, 33-63");
	expect("miscellaneous data", "  4:0 rate of the VMX-preemption timer               TSC/1 "
				     "       used");
	expect("miscellaneous data",
	       "27:25 recommended limit of an MSR list               512 entries");
	expect("VMCS fields", "  9:1 highest index of a VMCS field                  26");
	expect("EPT and VPID", "   17 EPT: pages of 1 GiB                            yes        "
			       "  used if there");
	expect("VM functions", "    0 EPTP switching                                 yes");
	expect("what follows from it", "Plinth runs guests here");
}

static void test_refused(void **state)
{
	(void)state;
	processor_load("penryn");
	report();
	expect("secondary processor-based controls",
	       "Plinth cannot set it as it must: see \"needs\" below");
	expect("secondary processor-based controls",
	       "  1 enable EPT                         only 0 needs  confine a guest to its own "
	       "memory");
	expect("VM-exit controls", " 21 load IA32_EFER                  only 0 needs  have its own "
				   "EFER after an exit");
	expect("EPT and VPID", "IA32_VMX_EPT_VPID_CAP (0x48c): absent: no other bit announces it");
	assert_false(fake_log_contains("a guest may clear PE"));
	expect("what follows from it", "Plinth runs no guests here: this processor lacks \"enable "
				       "EPT\": IA32_VMX_PROCBASED_CTLS2");
	expect("what follows from it", "        machine a hypervisor that offers it");
}

/* Controls that cannot be turned off, in each kind of row. */
static void test_forced(void **state)
{
	(void)state;
	processor_set_msr(IA32_VMX_TRUE_PROCBASED_CTLS,
			  processor_msr(IA32_VMX_TRUE_PROCBASED_CTLS) | PRIMARY_RDTSC_EXITING |
				  PRIMARY_NMI_WINDOW_EXITING | PRIMARY_INVLPG_EXITING |
				  PRIMARY_HLT_EXITING);
	report();
	expect("primary processor-based controls",
	       " 12 RDTSC exiting               only 1 needs  the offset suffices");
	expect("primary processor-based controls",
	       " 22 NMI-window exiting          only 1 needs  wait until a guest can take an NMI");
	expect("primary processor-based controls",
	       "  9 INVLPG exiting              only 1 on     linear translations are the "
	       "guest's");
	expect("primary processor-based controls",
	       "  7 HLT exiting                 only 1 on     idle a CPU whose guest has halted");
	assert_true(fake_log_contains("Plinth runs no guests here"));

	/* Must be 1 and must be 0. */
	processor_load("haswell");
	processor_set_msr(IA32_VMX_TRUE_PINBASED_CTLS, 0x0000007f00000096);
	report();
	expect("pin-based controls", "  7 process posted interrupts     broken needs  interrupts "
				     "are injected at entries");

	/* VPID that cannot be invalidated is there, and not used. */
	processor_load("haswell");
	processor_set_msr(IA32_VMX_EPT_VPID_CAP, 0x0000000006334141);
	report();
	expect("secondary processor-based controls",
	       "  5 enable VPID                        0 or 1 lacks  the TLB outlives exits; needs "
	       "INVVPID");
}

/* Words and bits that no model has: the optional MSRs, and what has no name yet. */
static void test_new(void **state)
{
	(void)state;
	processor_set_msr(IA32_VMX_TRUE_PROCBASED_CTLS,
			  processor_msr(IA32_VMX_TRUE_PROCBASED_CTLS) | BIT(49) | BIT(32));
	processor_set_msr(IA32_VMX_PROCBASED_CTLS,
			  processor_msr(IA32_VMX_PROCBASED_CTLS) | BIT(49) | BIT(32));
	processor_set_msr(IA32_VMX_EXIT_CTLS, processor_msr(IA32_VMX_EXIT_CTLS) | BIT(63));
	processor_set_msr(IA32_VMX_PROCBASED_CTLS3, TERTIARY_IPI_VIRTUALIZATION | BIT(40));
	processor_set_msr(IA32_VMX_EXIT_CTLS2, EXIT2_SAVE_FRED);
	processor_set_msr(IA32_VMX_MISC, processor_msr(IA32_VMX_MISC) | BIT(9) | BIT(12) | BIT(13));
	processor_set_msr(IA32_VMX_VMFUNC, 0x8000000000000001);
	report();
	expect("primary processor-based controls",
	       "reserved bits: only 1: 1, 4-6, 8, 13-14, 26; 0 or 1, which Plinth leaves 0: 0; "
	       "only 0: 18");
	expect("tertiary processor-based controls",
	       "IA32_VMX_PROCBASED_CTLS3 (0x492) = 0x0000010000000010");
	expect("tertiary processor-based controls",
	       "  4 IPI virtualization           0 or 1 off    the word is not activated");
	expect("tertiary processor-based controls",
	       "reserved bits: 0 or 1, which Plinth leaves 0: 40; only 0: 5, 8-39, 41-63");
	expect("secondary VM-exit controls",
	       "  0 save FRED state               0 or 1 off    the word is not activated");
	expect("miscellaneous data", "bits set without a meaning known here: 9, 12-13");
	expect("VM functions", "bits set without a meaning known here: 63");
	expect("what follows from it", "Plinth runs guests here");
}

/* The report is of most use where something is wrong: it shows what can be read. */
static void test_broken(void **state)
{
	(void)state;
	processor_remove_msr(IA32_VMX_TRUE_ENTRY_CTLS);
	processor_remove_msr(IA32_VMX_VMFUNC);
	report();
	assert_true(fake_log_contains("plinth: not all of this can be true: reading "
				      "IA32_VMX_TRUE_ENTRY_CTLS (0x490) faults"));
	expect("VM-entry controls",
	       "IA32_VMX_TRUE_ENTRY_CTLS (0x490): announced, but reading it faults");
	expect("VM functions", "IA32_VMX_VMFUNC (0x491): announced, but reading it faults");
	expect("EPT and VPID", "   20 INVEPT                                         yes        "
			       "  needed");
	assert_true(fake_log_contains("Plinth runs no guests here: reading IA32_VMX_TRUE_ENTRY"));

	processor_load("haswell");
	for (uint32_t msr = VMX_MSR_FIRST; msr <= VMX_MSR_LAST; msr++)
		processor_remove_msr(msr);
	processor_remove_msr(IA32_FEATURE_CONTROL);
	fake_log_reset();
	assert_null(capability_report(&input));
	assert_true(fake_log_contains("IA32_FEATURE_CONTROL (0x3a): reading it faults"));
	assert_true(fake_log_contains("IA32_VMX_CR4_FIXED0 (0x488): announced, but reading"));
}

static void test_feature_control(void **state)
{
	(void)state;
	processor_set_msr(IA32_FEATURE_CONTROL, 0);
	report();
	expect("VMX as firmware left it",
	       "unlocked: when Plinth runs guests, it first sets and locks bit 2");
	expect("what follows from it", "Plinth runs guests here");

	/* What firmware has forbidden is no reason not to tell what there would be. */
	processor_set_msr(IA32_FEATURE_CONTROL, 0x12ff01);
	report();
	expect("VMX as firmware left it", "locked without VMX: it stays so until the next reset");
	expect("VMX as firmware left it",
	       " 14:8 SENTER functions enabled                       0x7f");
	expect("secondary processor-based controls",
	       "  1 enable EPT                         0 or 1 on     confine a guest to its own "
	       "memory");
	assert_true(fake_log_contains("Plinth runs no guests here: VT-x is disabled by firmware"));
}

static void test_no_vmx(void **state)
{
	err_t err;

	(void)state;
	processor_set_feature(CPUID_VMX, false);
	err = capability_report(&input);
	assert_non_null(err);
	assert_non_null(strstr(err, "VMX is missing: CPUID leaf 1 ECX bit 5 is clear"));
	assert_int_equal(fake_log_count(), 0);
	assert_int_equal(processor_reads(IA32_FEATURE_CONTROL), 0);
	assert_int_equal(processor_reads(IA32_VMX_BASIC), 0);
}

/* Fields of any values: nothing runs over, and other MSRs have none. */
static void test_fields(void **state)
{
	static const uint32_t msrs[] = {IA32_FEATURE_CONTROL,  IA32_VMX_BASIC,
					IA32_VMX_MISC,         IA32_VMX_VMCS_ENUM,
					IA32_VMX_EPT_VPID_CAP, IA32_VMX_VMFUNC};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(msrs); i++) {
		fake_log_reset();
		capability_fields_report(msrs[i], ~0ull);
		capability_fields_report(msrs[i], 0x5555555555555555);
		capability_fields_report(msrs[i], 0xaaaaaaaaaaaaaaaa);
		assert_true(fake_log_count() >= 6);
		for (unsigned line = 0; line < fake_log_count(); line++)
			assert_true(strlen(fake_log_text(line)) <= 100);
	}
	fake_log_reset();
	capability_fields_report(IA32_VMX_PINBASED_CTLS, ~0ull);
	assert_int_equal(fake_log_count(), 0);
	capability_fields_report(IA32_VMX_MISC, ~0ull);
	assert_true(fake_log_contains("timer               TSC/2147483648 used"));
	assert_true(fake_log_contains("MSR list               4096 entries"));
	assert_true(fake_log_contains("without a meaning known here: 9-13, 31"));
}

/* The names are those of all bits, ascending, and each once. */
static void test_register_bits(void **state)
{
	const struct register_bits *registers[] = {&cr0_bits, &cr4_bits};

	(void)state;
	for (size_t r = 0; r < ARRAY_COUNT(registers); r++) {
		uint64_t before = 0;

		for (size_t i = 0; i < registers[r]->bit_count; i++) {
			uint64_t mask = registers[r]->bits[i].mask;

			assert_true(mask > before && (mask & (mask - 1)) == 0);
			before = mask;
		}
	}
	assert_string_equal(cr0_bits.bits[cr0_bits.bit_count - 1].name, "PG");
	assert_string_equal(cr4_bits.bits[cr4_bits.bit_count - 1].name, "FRED");
}

static void test_text(void **state)
{
	char word[200], list[REPORT_LIST_MAX] = "";

	(void)state;
	report_text(LOG_INFO, "first: ", 4, "");
	assert_string_equal(fake_log_last(), "plinth: first: ");
	report_text(LOG_INFO, "a", 4, "b c");
	assert_string_equal(fake_log_last(), "plinth: a   b c");

	/* 92 characters fit, 93 do not. */
	fake_log_reset();
	snprintf(word, sizeof(word), "%085d x", 0);
	report_text(LOG_INFO, "12345", 0, word);
	assert_int_equal(fake_log_count(), 1);
	report_text(LOG_INFO, "123456", 2, word);
	assert_int_equal(fake_log_count(), 3);
	assert_string_equal(fake_log_last(), "plinth:   x");

	/* A word that is too long for any line is not broken. */
	fake_log_reset();
	snprintf(word, sizeof(word), "a %0120d b", 0);
	report_text(LOG_INFO, "", 0, word);
	assert_int_equal(fake_log_count(), 3);
	assert_int_equal(strlen(fake_log_text(1)), 8 + 120);

	list_bits(list, 0);
	assert_string_equal(list_or_none(list), "none");
	list_bits(list, ~0ull);
	list_bits(list, 0x8000000000000003);
	assert_string_equal(list, "0-63, 0-1, 63");
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_models),  TEST(test_haswell),
		TEST(test_refused), TEST(test_forced),
		TEST(test_new),     TEST(test_broken),
		TEST(test_no_vmx),  TEST(test_feature_control),
		TEST(test_fields),  TEST(test_register_bits),
		TEST(test_text),
	};

	return cmocka_run_group_tests_name("capability_report", tests, NULL, NULL);
}
