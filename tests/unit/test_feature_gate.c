/* SPDX-License-Identifier: BSD-2-Clause */
/* The feature gate: which processors pass, and what each refusal says. */
/* UNITS: vcpu/vmx/feature_gate.c vcpu/vmx/feature_report.c vcpu/vmx/feature_pass.c */
/* UNITS: vcpu/vmx/controls.c vcpu/vmx/capabilities.c vcpu/vmx/report_text.c */
/* UNITS: arch/x86_64/msr.c arch/x86_64/cpuid.c arch/x86_64/vmx_controls.c kernel/format.c */
/* UNITS: tests/fake/processor.c tests/fake/error.c tests/fake/log.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/instructions.h"
#include "tests/fake/log.h"
#include "tests/fake/processor.h"
#include "vcpu/vmx/feature_gate.h"

#define PROCESSOR "use an Intel processor of the Westmere generation (2010) or later"

static struct feature_gate gate;

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
	fake_machine_reset();
	processor_load("haswell");
	return 0;
}

static void pass(void)
{
	err_t err = feature_gate_check(&input, &gate);

	if (err)
		fail_msg("refused: %s", err);
}

static void refuse(const char *text)
{
	err_t err = feature_gate_check(&input, &gate);

	assert_non_null(err);
	if (strcmp(err, text) != 0)
		fail_msg("\n  got      '%s'\n  expected '%s'", err, text);
	assert_true(strlen(err) < 320); /* or the kernel would cut it off */
}

static void test_models(void **state)
{
	(void)state;
	for (unsigned number = 0; processor_name(number); number++) {
		const char *name = processor_name(number);
		err_t err;

		processor_load(name);
		err = feature_gate_check(&input, &gate);
		if (strstr(name, "penryn"))
			assert_non_null(strstr(err, "lacks \"enable EPT\""));
		else if (strstr(name, "lynnfield"))
			assert_non_null(strstr(err, "lacks \"unrestricted guest\""));
		else if (err)
			fail_msg("%s: %s", name, err);
		assert_false(gate.must_write_feature_control);
	}
}

/* What KVM shows of a Haswell to a guest hypervisor. */
static void test_nested_kvm(void **state)
{
	(void)state;
	processor_set_hypervisor("KVMKVMKVM");
	processor_set_msr(IA32_FEATURE_CONTROL, 0x100005);
	processor_set_msr(IA32_VMX_BASIC, 0x00d8100011e57ed0);
	processor_set_msr(IA32_VMX_MISC,
			  0x20000065); /* timer shift 5, HLT only, no wait-for-SIPI */
	processor_set_msr(IA32_VMX_EPT_VPID_CAP, 0x00000f0106134141);
	processor_remove_msr(IA32_VMX_PROCBASED_CTLS3);
	processor_remove_msr(IA32_VMX_EXIT_CTLS2);
	pass();
	assert_int_equal(gate.capabilities.basic.revision, 0x11e57ed0);
	assert_int_equal(gate.capabilities.preemption_timer_shift, 5);
	assert_false(gate.capabilities.misc.activity_wait_for_sipi);
}

static void test_no_vmx(void **state)
{
	(void)state;
	processor_set_feature(CPUID_VMX, false);
	refuse("VMX is missing: CPUID leaf 1 ECX bit 5 is clear, so this processor "
	       "(\"GenuineIntel\") "
	       "has no VT-x, or firmware hides it; look for Intel Virtualization Technology in the "
	       "firmware setup, or " PROCESSOR);
	assert_int_equal(processor_reads(IA32_FEATURE_CONTROL), 0);
}

static void test_amd(void **state)
{
	(void)state;
	processor_set_feature(CPUID_VMX, false);
	processor_set_vendor("AuthenticAMD");
	refuse("VMX is missing: this is an AMD processor (\"AuthenticAMD\"), and SVM is not "
	       "supported "
	       "yet; " PROCESSOR ", or Bochs");
	processor_set_feature(CPUID_SVM, true);
	refuse("VMX is missing: this is an AMD processor (\"AuthenticAMD\") with SVM (CPUID leaf "
	       "80000001h ECX bit 2), and SVM is not supported yet; " PROCESSOR ", or Bochs");
	processor_set_hypervisor("KVMKVMKVM"); /* nested VMX will not come from an AMD machine */
	refuse("VMX is missing: this is an AMD processor (\"AuthenticAMD\") with SVM (CPUID leaf "
	       "80000001h ECX bit 2), and SVM is not supported yet; " PROCESSOR ", or Bochs");
}

static void test_hypervisors(void **state)
{
	static const struct {
		const char *sign, *name, *remedy;
	} cases[] = {
		{"KVMKVMKVM",       "KVM",                        "load kvm_intel with nested=1 and start QEMU with -cpu host"},
		{"TCGTCGTCGTCG",    "QEMU's own emulation (TCG)",
		 "start QEMU with -accel kvm -cpu host, or use Bochs"                                                         },
		{"VMwareVMware",    "VMware",
		 "turn on \"Virtualize Intel VT-x/EPT\" for this virtual machine"                                             },
		{"VBoxVBoxVBox",    "VirtualBox",
		 "turn on \"Enable Nested VT-x/AMD-V\" for this virtual machine"                                              },
		{"Microsoft Hv",    "Hyper-V",
		 "set ExposeVirtualizationExtensions for this virtual machine"                                                },
		{"XenVMMXenVMM",    "Xen",                        "set nestedhvm=1 for this domain"                           },
		{"NobodyKnows\x01", "NobodyKnows?",
		 "let it offer nested VMX to this virtual machine"                                                            },
	};
	char expected[400];

	(void)state;
	processor_set_feature(CPUID_VMX, false);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		snprintf(expected, sizeof(expected),
			 "VMX is missing: CPUID leaf 1 ECX bit 5 is clear, and this is a virtual "
			 "machine "
			 "under %s, which does not offer nested VMX; %s",
			 cases[i].name, cases[i].remedy);
		processor_set_hypervisor(cases[i].sign);
		refuse(expected);
	}

	/* QEMU's default model without KVM shows AMD's name and SVM. */
	processor_set_hypervisor("TCGTCGTCGTCG");
	processor_set_vendor("AuthenticAMD");
	processor_set_feature(CPUID_SVM, true);
	refuse("VMX is missing: CPUID leaf 1 ECX bit 5 is clear, and this is a virtual machine "
	       "under "
	       "QEMU's own emulation (TCG), which does not offer nested VMX; start QEMU with "
	       "-accel kvm "
	       "-cpu host, or use Bochs");
}

static void test_locked(void **state)
{
	(void)state;
	processor_set_msr(IA32_FEATURE_CONTROL, 1);
	refuse("VT-x is disabled by firmware: IA32_FEATURE_CONTROL (0x3a) is locked with bit 2 "
	       "clear; "
	       "enable Intel Virtualization Technology in the firmware setup");
	processor_set_msr(IA32_FEATURE_CONTROL, 3);
	refuse("VT-x is disabled by firmware: IA32_FEATURE_CONTROL (0x3a) is locked with bit 2 "
	       "clear "
	       "(and bit 1 set: VMX works only after a measured launch); enable Intel "
	       "Virtualization "
	       "Technology in the firmware setup");
	processor_remove_msr(IA32_FEATURE_CONTROL);
	refuse("reading IA32_FEATURE_CONTROL (0x3a) faults though CPUID offers VMX; if this is a "
	       "virtual machine, its hypervisor's nested VMX is incomplete: update it");
}

static uint32_t written_msr;
static uint64_t written_value;
static bool write_faults;

static bool record_write(uint32_t msr, uint64_t value)
{
	written_msr = msr;
	written_value = value;
	return !write_faults;
}

static void test_unlocked(void **state)
{
	err_t err;

	(void)state;
	processor_set_msr(IA32_FEATURE_CONTROL, 0);
	pass();
	assert_true(gate.must_write_feature_control);
	assert_int_equal(gate.feature_control, 5);

	/* What firmware has set already stays. */
	processor_set_msr(IA32_FEATURE_CONTROL, 0x100002);
	pass();
	assert_int_equal(gate.feature_control, 0x100007);
	written_msr = 0;
	assert_null(feature_gate_open(&gate, record_write));
	assert_int_equal(written_msr, IA32_FEATURE_CONTROL);
	assert_int_equal(written_value, 0x100007);

	write_faults = true;
	err = feature_gate_open(&gate, record_write);
	write_faults = false;
	assert_string_equal(err,
			    "writing 0x100007 to IA32_FEATURE_CONTROL (0x3a) faults though it is "
			    "not locked; enable Intel Virtualization Technology in the firmware "
			    "setup");

	processor_set_msr(IA32_FEATURE_CONTROL, 5);
	pass();
	written_msr = 0;
	assert_null(feature_gate_open(&gate, record_write));
	assert_int_equal(written_msr, 0);
}

static void test_basic(void **state)
{
	const uint64_t good = processor_msr(IA32_VMX_BASIC);

	(void)state;
	processor_set_msr(IA32_VMX_BASIC, (good & ~(0x1fffull << 32)) | 1024ull << 32);
	pass(); /* regions may be smaller than a page */
	processor_set_msr(IA32_VMX_BASIC, good & ~BIT(54));
	pass(); /* information on INS and OUTS is optional */
	processor_set_msr(IA32_VMX_BASIC, good & ~(0xfull << 50));
	pass(); /* UC */
	processor_set_msr(IA32_VMX_BASIC, good & ~BIT(55));
	pass();

	processor_set_msr(IA32_VMX_BASIC, good | 1ull << 32);
	refuse("a VMCS region of 4097 bytes: IA32_VMX_BASIC (0x480) bits 44:32 must be 1 to 4096; "
	       "this "
	       "is a fault of the processor or of the hypervisor below");
	processor_set_msr(IA32_VMX_BASIC, good & ~(0x1fffull << 32));
	refuse("a VMCS region of 0 bytes: IA32_VMX_BASIC (0x480) bits 44:32 must be 1 to 4096; "
	       "this is "
	       "a fault of the processor or of the hypervisor below");
	processor_set_msr(IA32_VMX_BASIC, (good & ~(0xfull << 50)) | 4ull << 50);
	refuse("a VMCS wants memory of type 4 (WT): IA32_VMX_BASIC (0x480) bits 53:50 must be 6 "
	       "(WB) or "
	       "0 (UC); this is a fault of the processor or of the hypervisor below");
	processor_set_msr(IA32_VMX_BASIC, good | BIT(48));
	refuse("VMX structures must lie below 4 GiB: IA32_VMX_BASIC (0x480) bit 48 is set, which "
	       "no "
	       "64-bit processor does; this is a fault of the hypervisor below");
}

static void test_capability_msr_faults(void **state)
{
	(void)state;
	processor_remove_msr(IA32_VMX_TRUE_ENTRY_CTLS);
	refuse("reading IA32_VMX_TRUE_ENTRY_CTLS (0x490) faults though the processor announces it; "
	       "if "
	       "this is a virtual machine, its hypervisor's nested VMX is incomplete: update it");
}

static void test_fixed_bits(void **state)
{
	(void)state;
	input.cr0 &= ~0x20ull; /* NE is set for VMXON anyhow */
	pass();
	assert_int_equal(gate.cr0, 0x80010033);
	assert_int_equal(gate.cr4, 0x2020);

	processor_set_msr(IA32_VMX_CR4_FIXED0, 0x2400);
	refuse("CR4 is 0x2020, but VMX operation needs bits 0x400 set (IA32_VMX_CR4_FIXED0, "
	       "0x488); "
	       "this is a bug of Plinth: please report it with the name of the processor");
	processor_set_msr(IA32_VMX_CR4_FIXED0, 0x2000);
	input.cr4 = 0x100820; /* SMEP, which this model may set, and UMIP, which it may not */
	refuse("CR4 is 0x102820, but VMX operation needs bits 0x800 clear (IA32_VMX_CR4_FIXED1, "
	       "0x489); "
	       "if this is a virtual machine, its CPUID offers more than its VMX: use another CPU "
	       "model");
	input.cr4 = 0x20;
	/* VMXE itself must be allowed. */
	processor_set_msr(IA32_VMX_CR4_FIXED1, 0x7ff);
	refuse("CR4 is 0x2020, but VMX operation needs bits 0x2000 clear (IA32_VMX_CR4_FIXED1, "
	       "0x489); "
	       "if this is a virtual machine, its CPUID offers more than its VMX: use another CPU "
	       "model");
	processor_load("haswell");
	input.cr0 = 0x33;
	refuse("CR0 is 0x33, but VMX operation needs bits 0x80000000 set (IA32_VMX_CR0_FIXED0, "
	       "0x486); "
	       "this is a bug of Plinth: please report it with the name of the processor");
}

static void test_ept(void **state)
{
	static const struct {
		unsigned bit;
		const char *what;
	} needs[] = {
		{6,  "a page walk of 4 levels"    },
		{14, "tables in write-back memory"},
		{20, "INVEPT"                     },
	};
	static const unsigned optional[] = {0, 8, 16, 17, 21, 25, 26, 32, 40, 41, 42, 43};
	const uint64_t good = processor_msr(IA32_VMX_EPT_VPID_CAP);
	char expected[300];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(needs); i++) {
		snprintf(expected, sizeof(expected),
			 "EPT without %s: IA32_VMX_EPT_VPID_CAP (0x48c) bit %u is clear; " PROCESSOR
			 ", or in a virtual machine a hypervisor that offers it",
			 needs[i].what, needs[i].bit);
		processor_set_msr(IA32_VMX_EPT_VPID_CAP, good & ~BIT(needs[i].bit));
		refuse(expected);
	}
	processor_set_msr(IA32_VMX_EPT_VPID_CAP, good & ~(BIT(25) | BIT(26)));
	refuse("EPT without INVEPT of a single or of all contexts: IA32_VMX_EPT_VPID_CAP (0x48c) "
	       "bit 26 "
	       "is clear; " PROCESSOR ", or in a virtual machine a hypervisor that offers it");
	for (size_t i = 0; i < ARRAY_COUNT(optional); i++) {
		processor_set_msr(IA32_VMX_EPT_VPID_CAP, good & ~BIT(optional[i]));
		pass();
	}
}

static void test_report(void **state)
{
	static const char *const lines[] = {
		"plinth: vmx: revision 0x2b, VMCS region of 4096 bytes in WB memory, TRUE controls",
		"plinth: vmx: EPT with 4K, 2M, 1G pages, accessed and dirty flags, execute-only "
		"pages",
		"plinth: vmx: guests execute from 4K pages only: the iTLB multi-hit erratum is not "
		"ruled out",
		"plinth: vmx: unrestricted guest, VPID, preemption timer at TSC/1",
		"plinth: vmx: for guests: RDTSCP, INVPCID; missing: XSAVES, WAITPKG",
		"plinth: vmx: limit: no bus-lock detection, no instruction timeout: a guest can "
		"slow other CPUs",
	};

	(void)state;
	pass();
	feature_gate_report(&gate);
	assert_int_equal(fake_log_count(), ARRAY_COUNT(lines));
	for (unsigned i = 0; i < ARRAY_COUNT(lines); i++) {
		assert_string_equal(fake_log_text(i), lines[i]);
		assert_int_equal(fake_log_level(i), LOG_INFO);
	}
}

static void test_report_of_little(void **state)
{
	(void)state;
	processor_set_msr(IA32_FEATURE_CONTROL, 0);
	processor_set_msr(IA32_VMX_MISC, 5);
	processor_set_msr(IA32_VMX_EPT_VPID_CAP, 0x0000000004104040);
	processor_set_msr(IA32_VMX_PROCBASED_CTLS2, 0x000000c200000000);
	pass();
	feature_gate_report(&gate);
	assert_true(fake_log_contains("firmware left IA32_FEATURE_CONTROL (0x3a) unlocked"));
	assert_true(fake_log_contains("EPT with 4K pages"));
	assert_false(fake_log_contains("accessed"));
	assert_false(fake_log_contains("multi-hit"));
	assert_true(fake_log_contains("unrestricted guest, no VPID, preemption timer at TSC/32"));
	assert_true(fake_log_contains("for guests: none; missing: RDTSCP, INVPCID, XSAVES, WAIT"));
}

/* All there is: no line about what is missing. Whatever there is, the lines are short. */
static void test_report_of_all(void **state)
{
	const uint32_t all = SECONDARY_RDTSCP | SECONDARY_INVPCID | SECONDARY_XSAVES |
			     SECONDARY_USER_WAIT_PAUSE | SECONDARY_BUS_LOCK_DETECTION |
			     SECONDARY_INSTRUCTION_TIMEOUT;

	(void)state;
	processor_set_msr(IA32_FEATURE_CONTROL, 0);
	processor_set_msr(IA32_VMX_EPT_VPID_CAP, 0x00000f01067341c1);
	processor_set_msr(IA32_VMX_PROCBASED_CTLS2, 0x000000e200000000 | (uint64_t)all << 32);
	pass();
	feature_gate_report(&gate);
	assert_true(fake_log_contains("execute-only pages, 5 levels"));
	assert_true(fake_log_contains("for guests: RDTSCP, INVPCID, XSAVES, WAITPKG"));
	assert_false(fake_log_contains("missing"));
	assert_false(fake_log_contains("limit"));
	for (unsigned i = 0; i < fake_log_count(); i++)
		assert_true(strlen(fake_log_text(i)) <= 100);
}

static void test_pass(void **state)
{
	struct vmx_capabilities capabilities;
	struct vmx_controls controls;

	(void)state;
	fake_machine.cpuid = processor_cpuid;
	fake_machine.msr_read = processor_rdmsr;
	fake_machine.msr_write = record_write;
	fake_machine.cr0 = 0x80010033;
	fake_machine.cr4 = 0x20;
	processor_set_msr(IA32_FEATURE_CONTROL, 0);
	written_msr = 0;
	assert_null(feature_gate_pass(&capabilities, &controls));
	assert_int_equal(written_msr, IA32_FEATURE_CONTROL);
	assert_int_equal(written_value, 5);
	assert_int_equal(capabilities.basic.revision, 0x2b);
	assert_true(controls.secondary & SECONDARY_EPT);
	assert_true(fake_log_contains("plinth: vmx: revision 0x2b"));

	/* A refused processor is left as it was. */
	fake_log_reset();
	processor_load("penryn");
	processor_set_msr(IA32_FEATURE_CONTROL, 0);
	written_msr = 0;
	assert_non_null(feature_gate_pass(&capabilities, &controls));
	assert_int_equal(written_msr, 0);
	assert_int_equal(fake_log_count(), 0);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_models),
		TEST(test_nested_kvm),
		TEST(test_no_vmx),
		TEST(test_amd),
		TEST(test_hypervisors),
		TEST(test_locked),
		TEST(test_unlocked),
		TEST(test_basic),
		TEST(test_capability_msr_faults),
		TEST(test_fixed_bits),
		TEST(test_ept),
		TEST(test_report),
		TEST(test_report_of_little),
		TEST(test_report_of_all),
		TEST(test_pass),
	};

	return cmocka_run_group_tests_name("feature_gate", tests, NULL, NULL);
}
