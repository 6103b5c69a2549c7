/* SPDX-License-Identifier: BSD-2-Clause */
/* Side channels of processors old and new: what is found, done, and told. */
/* UNITS: vcpu/vmx/side_channels.c vcpu/vmx/report_text.c arch/x86_64/cpuid.c kernel/format.c */
/* UNITS: kernel/string.c tests/fake/log.c tests/fake/error.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include "arch/x86_64/instructions.h"
#include "tests/fake/log.h"
#include "vcpu/msr.h"
#include "vcpu/vmx/side_channels.h"

/* All that a processor can say to its credit. */
#define IMMUNE                                                                                     \
	(ARCH_CAP_RDCL_NO | ARCH_CAP_IBRS_ALL | ARCH_CAP_MDS_NO | ARCH_CAP_TAA_NO |                \
	 ARCH_CAP_SBDR_SSDP_NO | ARCH_CAP_FBSDP_NO | ARCH_CAP_PSDP_NO | ARCH_CAP_BHI_NO)

static struct cpuid_result features, more_features;
static struct side_channels found;

static struct cpuid_result read_cpuid(uint32_t leaf, uint32_t subleaf)
{
	if (leaf == 0)
		return (struct cpuid_result){.eax = 7};
	if (leaf == 7 && subleaf == 0)
		return features;
	if (leaf == 7 && subleaf == 2)
		return more_features;
	return (struct cpuid_result){.eax = 0};
}

static void give(struct cpuid_bit bit)
{
	struct cpuid_result *result = bit.subleaf ? &more_features : &features;

	result->by_register[bit.reg] |= 1u << bit.bit;
}

static void give_msrs(void)
{
	static const uint32_t msrs[] = {IA32_SPEC_CTRL, IA32_PRED_CMD, IA32_FLUSH_CMD,
					IA32_TSX_CTRL};

	for (unsigned i = 0; i < ARRAY_COUNT(msrs); i++)
		fake_msr_set(msrs[i], 0);
}

/* Nothing but speculation, as processors were before 2018. */
static int setup(void **state)
{
	(void)state;
	fake_machine_reset();
	fake_log_reset();
	memset(&features, 0, sizeof(features));
	memset(&more_features, 0, sizeof(more_features));
	features.eax = 2;
	fake_machine.cpuid = read_cpuid;
	return 0;
}

static void arch(uint64_t value)
{
	give(CPUID_ARCH_CAPABILITIES);
	fake_msr_set(IA32_ARCH_CAPABILITIES, value);
}

static uint64_t msr(uint32_t number)
{
	return rdmsr(number);
}

static void find(void)
{
	side_channels_find(&found, cpuid, fake_msr_get);
}

static void an_old_processor(void **state)
{
	(void)state;
	side_channels_start();
	assert_string_equal(
		fake_log_text(0),
		"plinth: vmx: limit: a guest may guess data of others by L1TF, MDS, Spectre v2, "
		"BHI, Spectre v1, shared caches");
	assert_string_equal(fake_log_text(1),
			    "plinth: vmx: limit: newer microcode may have what is missing: "
			    "L1D flush, MD_CLEAR, IBPB, enhanced IBRS");
	assert_int_equal(fake_log_count(), 2);
	/* No MSR of it exists, and none is touched: that would end this test. */
	side_channels_next_vm();
	side_channels_after_beat();
	assert_int_equal(fake_machine.verw_count, 0);
	assert_int_equal(fake_machine.msr_count, 0);
}

/* With the microcode that came later. */
static void the_same_with_microcode(void **state)
{
	(void)state;
	give(CPUID_IBRS_IBPB);
	give(CPUID_STIBP);
	give(CPUID_L1D_FLUSH);
	give(CPUID_MD_CLEAR);
	give_msrs();
	side_channels_start();
	assert_string_equal(fake_log_text(0),
			    "plinth: vmx: against side channels: IBPB before another VM, L1D flush "
			    "there and each ms, VERW before entries, STIBP");
	assert_string_equal(
		fake_log_text(1),
		"plinth: vmx: limit: a guest may guess data of others by L1TF, Spectre v2, BHI, "
		"Spectre v1, shared caches");
	assert_string_equal(
		fake_log_text(2),
		"plinth: vmx: limit: newer microcode may have what is missing: enhanced IBRS");
	assert_int_equal(msr(IA32_SPEC_CTRL), SPEC_CTRL_STIBP);

	give_msrs();
	side_channels_next_vm();
	assert_int_equal(msr(IA32_PRED_CMD), PRED_CMD_IBPB);
	assert_int_equal(msr(IA32_FLUSH_CMD), FLUSH_CMD_L1D_FLUSH);
	assert_int_equal(fake_machine.verw_count, 1);

	give_msrs();
	side_channels_after_beat();
	assert_int_equal(msr(IA32_PRED_CMD), 0);
	assert_int_equal(msr(IA32_FLUSH_CMD), FLUSH_CMD_L1D_FLUSH);
	assert_int_equal(fake_machine.verw_count, 1);
}

/* Where nothing is needed, nothing is done. */
static void a_new_processor(void **state)
{
	(void)state;
	arch(IMMUNE | ARCH_CAP_TSX_CTRL);
	give(CPUID_IBRS_IBPB);
	give(CPUID_STIBP);
	give(CPUID_L1D_FLUSH);
	give(CPUID_MD_CLEAR);
	give(CPUID_BHI_CTRL);
	give(CPUID_RTM);
	give_msrs();
	side_channels_start();
	assert_string_equal(
		fake_log_text(0),
		"plinth: vmx: against side channels: IBPB before another VM, enhanced IBRS");
	assert_string_equal(fake_log_text(1),
			    "plinth: vmx: limit: a guest may guess data of others by Spectre v1, "
			    "shared caches");
	assert_int_equal(msr(IA32_SPEC_CTRL), SPEC_CTRL_IBRS);
	assert_int_equal(msr(IA32_TSX_CTRL), 0);
	side_channels_next_vm();
	side_channels_after_beat();
	assert_int_equal(msr(IA32_FLUSH_CMD), 0);
	assert_int_equal(fake_machine.verw_count, 0);
}

static void l1tf(void **state)
{
	(void)state;
	give(CPUID_L1D_FLUSH);
	arch(0);
	find();
	assert_true(found.l1tf && found.flush_l1d);
	arch(ARCH_CAP_RDCL_NO);
	find();
	assert_false(found.l1tf || found.flush_l1d);
	/* A hypervisor below does it at each entry. */
	arch(ARCH_CAP_SKIP_L1DFL_VMENTRY);
	find();
	assert_false(found.l1tf || found.flush_l1d);
}

static void buffers(void **state)
{
	const uint64_t mmio_no = ARCH_CAP_SBDR_SSDP_NO | ARCH_CAP_FBSDP_NO | ARCH_CAP_PSDP_NO;
	const uint64_t no = mmio_no | ARCH_CAP_MDS_NO | ARCH_CAP_TAA_NO;
	static const uint64_t of_mmio[] = {ARCH_CAP_SBDR_SSDP_NO, ARCH_CAP_FBSDP_NO,
					   ARCH_CAP_PSDP_NO};
	const struct {
		uint64_t arch;
		bool md_clear, rtm, open, clear, tsx_off;
	} cases[] = {
  /* clang-format off */
		{0,                                           false, false, true,  false, false},
		{0,                                           true,  false, false, true,  false},
		{0,                                           true,  true,  false, true,  false},
		{mmio_no | ARCH_CAP_TAA_NO,                   false, false, true,  false, false},
		{mmio_no | ARCH_CAP_TAA_NO,                   true,  false, false, true,  false},
		/* MMIO stale data alone: MD_CLEAR does not promise it. */
		{ARCH_CAP_MDS_NO | ARCH_CAP_TAA_NO,           true,  false, true,  true,  false},
		{ARCH_CAP_MDS_NO | ARCH_CAP_TAA_NO | ARCH_CAP_FB_CLEAR,
							      false, false, false, true,  false},
		/* TAA alone: with TSX switched off there is none. */
		{mmio_no | ARCH_CAP_MDS_NO,                   false, false, false, false, false},
		{mmio_no | ARCH_CAP_MDS_NO,                   false, true,  true,  false, false},
		{mmio_no | ARCH_CAP_MDS_NO,                   true,  true,  false, true,  false},
		{mmio_no | ARCH_CAP_MDS_NO | ARCH_CAP_TSX_CTRL,
							      true,  true,  false, false, true },
		{no,                                          true,  true,  false, false, false},
		{no | ARCH_CAP_RFDS_CLEAR,                    true,  false, false, true,  false},
  /* clang-format on */
	};

	for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
		setup(state);
		arch(cases[i].arch);
		if (cases[i].md_clear)
			give(CPUID_MD_CLEAR);
		if (cases[i].rtm)
			give(CPUID_RTM);
		find();
		if (found.stale_buffers != cases[i].open || found.clear_buffers != cases[i].clear ||
		    found.tsx_off != cases[i].tsx_off)
			fail_msg("case %u: open %d, clear %d, TSX off %d", i, found.stale_buffers,
				 found.clear_buffers, found.tsx_off);
	}
	/* All three bits of MMIO stale data are wanted. */
	for (unsigned i = 0; i < ARRAY_COUNT(of_mmio); i++) {
		arch(no & ~of_mmio[i]);
		find();
		assert_true(found.stale_buffers);
	}
}

static void branches(void **state)
{
	(void)state;
	arch(ARCH_CAP_IBRS_ALL);
	find();
	/* Without the MSR the bit means nothing. */
	assert_true(found.branch_targets && found.between_vms && found.branch_history);
	assert_int_equal(found.spec_ctrl, 0);
	give(CPUID_IBRS_IBPB);
	find();
	assert_false(found.branch_targets || found.between_vms);
	assert_true(found.branch_history);
	give(CPUID_BHI_CTRL);
	find();
	assert_false(found.branch_history);
	assert_int_equal(found.spec_ctrl, SPEC_CTRL_IBRS | SPEC_CTRL_BHI_DIS_S);
	arch(ARCH_CAP_IBRS_ALL | ARCH_CAP_BHI_NO);
	find();
	assert_false(found.branch_history);
	assert_int_equal(found.spec_ctrl, SPEC_CTRL_IBRS);
}

/* A hypervisor that shows a bit without its MSR takes nothing down, and is told as what it is. */
static void msrs_that_fault(void **state)
{
	(void)state;
	arch(ARCH_CAP_IBRS_ALL | ARCH_CAP_TSX_CTRL | ARCH_CAP_MDS_NO);
	give(CPUID_IBRS_IBPB);
	give(CPUID_L1D_FLUSH);
	give(CPUID_BHI_CTRL);
	give(CPUID_RTM);
	side_channels_start();
	assert_int_equal(fake_log_count(), 2);
	assert_true(fake_log_contains("by L1TF, MDS, Spectre v2, BHI, Spectre v1, shared caches"));
	assert_true(fake_log_contains("missing: L1D flush, MD_CLEAR, IBPB, enhanced IBRS"));
	side_channels_next_vm();
	side_channels_after_beat();

	/* So does IA32_ARCH_CAPABILITIES itself. */
	setup(state);
	give(CPUID_ARCH_CAPABILITIES);
	find();
	assert_true(found.l1tf && found.stale_buffers && found.branch_targets);
}

/* All processors get what the first one gets, or run no guests. */
static void the_other_processors(void **state)
{
	(void)state;
	arch(IMMUNE);
	give(CPUID_IBRS_IBPB);
	give_msrs();
	side_channels_start();
	fake_msr_set(IA32_SPEC_CTRL, 0);
	assert_null(side_channels_follow());
	assert_int_equal(msr(IA32_SPEC_CTRL), SPEC_CTRL_IBRS);
	for (unsigned bit = 0; bit < 64; bit++) {
		/* What guests are told counts too. */
		const uint64_t counts = IMMUNE | ARCH_CAP_RFDS_CLEAR | ARCH_CAPABILITIES_SHOWN;
		err_t err;

		arch(IMMUNE ^ 1ull << bit);
		err = side_channels_follow();
		if ((err != NULL) != ((counts >> bit & 1) != 0))
			fail_msg("bit %u: %s", bit, err ? err : "no error");
	}
	arch(IMMUNE);
	features.edx &= ~(1u << 26);
	assert_non_null(side_channels_follow());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_old_processor, setup),
		cmocka_unit_test_setup(the_same_with_microcode, setup),
		cmocka_unit_test_setup(a_new_processor, setup),
		cmocka_unit_test_setup(l1tf, setup),
		cmocka_unit_test_setup(buffers, setup),
		cmocka_unit_test_setup(branches, setup),
		cmocka_unit_test_setup(msrs_that_fault, setup),
		cmocka_unit_test_setup(the_other_processors, setup),
	};

	return cmocka_run_group_tests_name("side_channels", tests, NULL, NULL);
}
