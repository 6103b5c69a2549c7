/* SPDX-License-Identifier: BSD-2-Clause */
/* The MSR policy: what passes, what is emulated and how, and that all else is #GP. */
/* UNITS: vcpu/msr.c vcpu/control.c vcpu/cpuid.c vcpu/events.c vcpu/vm_memory.c vcpu/bus.c */
/* UNITS: arch/x86_64/cpuid.c arch/x86_64/exceptions.c tests/fake/backend.c */
/* UNITS: tests/fake/host_cpuid.c tests/fake/log.c tests/fake/error.c */
/* UNITS: vcpu/mtrr.c arch/x86_64/msr.c kernel/format.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include "arch/x86_64/instructions.h"
#include "arch/x86_64/msr.h"
#include "tests/fake/backend.h"
#include "tests/fake/host_cpuid.h"
#include "vcpu/control.h"
#include "vcpu/msr.h"
#include "vcpu/msr_policy.h"

static void build(void)
{
	fake_vcpu_reset(FAKE_CODE64);
	cpuid_build(&fake_vcpu);
	control_offer(&fake_vcpu);
	msr_offer(&fake_vcpu);
	fake_vcpu.misc_enable = 1;
}

static int setup(void **state)
{
	(void)state;
	fake_machine_reset();
	host_cpuid_reset();
	build();
	return 0;
}

static int make_index(void **state)
{
	(void)state;
	msr_init();
	return 0;
}

static bool reads(uint64_t msr, uint64_t *value)
{
	struct general_registers *regs = &fake_vcpu.regs;

	regs->rcx = msr;
	regs->rax = regs->rdx = 0xeeeeeeeeeeeeeeee;
	if (vcpu_msr_read(&fake_vcpu) == OUTCOME_NEXT) {
		assert_int_equal((regs->rax | regs->rdx) >> 32, 0);
		*value = regs->rax | regs->rdx << 32;
		return true;
	}
	fake_expect_fault(13, 0);
	assert_int_equal(regs->rax & regs->rdx, 0xeeeeeeeeeeeeeeee);
	return false;
}

static bool writes(uint64_t msr, uint64_t value)
{
	fake_vcpu.regs.rcx = msr;
	fake_vcpu.regs.rax = value | 0xaaaaaaaa00000000;
	fake_vcpu.regs.rdx = value >> 32 | 0xbbbbbbbb00000000;
	if (vcpu_msr_write(&fake_vcpu) == OUTCOME_NEXT) {
		assert_true(fake_no_fault());
		return true;
	}
	fake_expect_fault(13, 0);
	return false;
}

static void assert_reads(uint32_t msr, uint64_t expected)
{
	uint64_t value = 0;

	assert_true(reads(msr, &value));
	if (value != expected)
		fail_msg("MSR %x is %llx, not %llx", msr, (unsigned long long)value,
			 (unsigned long long)expected);
}

/* Which answer by emulation: read, write of the value that was read. */
static const struct {
	uint32_t first, last;
	bool read, write;
} emulated[] = {
	{IA32_P5_MC_ADDR,         IA32_P5_MC_TYPE,         true,  true },
	{IA32_TIME_STAMP_COUNTER, IA32_TIME_STAMP_COUNTER, true,  true },
	{IA32_PLATFORM_ID,        IA32_PLATFORM_ID,        true,  false},
	{IA32_TSC_ADJUST,         IA32_TSC_ADJUST,         true,  true },
	{IA32_BIOS_UPDT_TRIG,     IA32_BIOS_UPDT_TRIG,     false, true },
	{IA32_BIOS_SIGN_ID,       IA32_BIOS_SIGN_ID,       true,  true },
	{IA32_MTRRCAP,            IA32_MTRRCAP,            true,  false},
	{IA32_ARCH_CAPABILITIES,  IA32_ARCH_CAPABILITIES,  true,  false},
	{IA32_MCG_CAP,            IA32_MCG_CAP,            true,  false},
	{IA32_MCG_STATUS,         IA32_MCG_STATUS,         true,  true },
	{IA32_MISC_ENABLE,        IA32_MISC_ENABLE,        true,  true },
	{IA32_DEBUGCTL,           IA32_DEBUGCTL,           true,  true },
	{IA32_MTRR_PHYSBASE(0),   IA32_MTRR_PHYSMASK(7),   true,  true },
	{IA32_MTRR_FIX64K_00000,  IA32_MTRR_FIX64K_00000,  true,  true },
	{IA32_MTRR_FIX16K_80000,  IA32_MTRR_FIX16K_A0000,  true,  true },
	{IA32_MTRR_FIX4K_C0000,   IA32_MTRR_FIX4K_F8000,   true,  true },
	{IA32_PAT,                IA32_PAT,                true,  true },
	{IA32_MTRR_DEF_TYPE,      IA32_MTRR_DEF_TYPE,      true,  true },
	{IA32_XSS,                IA32_XSS,                true,  true },
	{IA32_EFER,               IA32_EFER,               true,  true },
};

static void all_numbers(void **state)
{
	static const uint32_t bases[] = {0, 0x40000000, 0xc0000000, 0xffff0000};

	(void)state;
	fake_backend.pat = 0x0007040600070406;
	for (size_t b = 0; b < sizeof(bases) / sizeof(bases[0]); b++)
		for (uint32_t n = 0; n < 0x10000; n++) {
			bool read = false, write = false, can_read;
			uint64_t value = 0;

			for (size_t i = 0; i < sizeof(emulated) / sizeof(emulated[0]); i++)
				if (bases[b] + n >= emulated[i].first &&
				    bases[b] + n <= emulated[i].last) {
					read = emulated[i].read;
					write = emulated[i].write;
				}
			can_read = reads(bases[b] + n, &value);
			if (can_read != read || writes(bases[b] + n, value) != write)
				fail_msg("MSR %x", bases[b] + n);
		}
}

/* ECX counts, RCX does not. */
static void the_upper_half_of_rcx(void **state)
{
	uint64_t value;

	(void)state;
	assert_true(reads(0xffffffff00000000 | IA32_EFER, &value));
	assert_int_equal(value, fake_vcpu.efer);
	assert_true(writes(0xffffffff00000000 | IA32_EFER, fake_vcpu.efer));
}

/* --- The table. --- */

struct row {
	uint32_t first, count;
	const char *kind, *why;
};

#define ROW_RW(first, n, with, name, why) {first, n, "RW", why},
#define ROW_RO(first, n, with, name, why) {first, n, "RO", why},
#define ROW_WO(first, n, with, name, why) {first, n, "WO", why},
#define ROW_LIVE(number, with, why)       {number, 1, "LIVE", why},
#define ROW_NONE(first, n, why)           {first, n, "NONE", why},
static const struct row rows[] = {MSR_POLICY(ROW_RW, ROW_RO, ROW_WO, ROW_LIVE, ROW_NONE)};

/* Whatever has a name has a row, and just one; those that are nothing say why. */
static void each_has_one_row(void **state)
{
	static const uint32_t bases[] = {0, 0xc0000000};
	const size_t count = sizeof(rows) / sizeof(rows[0]);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		char buffer[MSR_NAME_MAX];

		if (!msr_name(rows[i].first, buffer) && rows[i].first != 0x800)
			fail_msg("the row of %x is of no MSR", rows[i].first);
		if (i && rows[i].first < rows[i - 1].first + rows[i - 1].count)
			fail_msg("the row of %x comes too late", rows[i].first);
		if (!strcmp(rows[i].kind, "NONE"))
			assert_true(strlen(rows[i].why) > 3);
	}
	for (unsigned b = 0; b < 2; b++)
		for (uint32_t msr = bases[b]; msr < bases[b] + 0x2000; msr++) {
			char buffer[MSR_NAME_MAX];
			unsigned found = 0;

			for (size_t i = 0; i < count; i++)
				found += msr - rows[i].first < rows[i].count;
			if (msr_name(msr, buffer) && found != 1)
				fail_msg("%s (%x) has %u rows", msr_name(msr, buffer), msr, found);
		}
}

/* --- What passes. --- */

static uint32_t passed[64];
static unsigned passed_count;

static void note(void *context, uint32_t msr, unsigned pass)
{
	assert_ptr_equal(context, passed);
	assert_int_equal(pass, MSR_PASS_READ | MSR_PASS_WRITE);
	passed[passed_count++] = msr;
}

static bool passes(uint32_t msr)
{
	for (unsigned i = 0; i < passed_count; i++)
		if (passed[i] == msr)
			return true;
	return false;
}

static const uint32_t live[] = {IA32_STAR,           IA32_LSTAR,        IA32_CSTAR,
				IA32_FMASK,          IA32_FS_BASE,      IA32_GS_BASE,
				IA32_KERNEL_GS_BASE, IA32_TSC_AUX,      IA32_SYSENTER_CS,
				IA32_SYSENTER_ESP,   IA32_SYSENTER_EIP, IA32_UMWAIT_CONTROL};
#define LIVE_COUNT (sizeof(live) / sizeof(live[0]))

static void what_passes(void **state)
{
	uint64_t value;

	(void)state;
	passed_count = 0;
	msr_for_each_passed(&fake_vcpu, note, passed);
	assert_int_equal(passed_count, LIVE_COUNT);
	for (size_t i = 0; i < LIVE_COUNT; i++) {
		assert_true(passes(live[i]));
		/* An exit for one of them means that it does not exist. */
		assert_false(reads(live[i], &value));
		assert_false(writes(live[i], 0));
	}
	for (size_t i = 0; i < sizeof(emulated) / sizeof(emulated[0]); i++)
		assert_false(passes(emulated[i].first) || passes(emulated[i].last));
}

/* An MSR exists with the feature that brings it. */
static void what_the_features_bring(void **state)
{
	static const struct {
		struct cpuid_bit feature;
		uint32_t msr;
	} brings[] = {
		{CPUID_BIT(7,   0, CPUID_EBX, 1),  IA32_TSC_ADJUST      },
		{CPUID_BIT(0xd, 1, CPUID_EAX, 3),  IA32_XSS             },
		{CPUID_BIT(1,   0, CPUID_EDX, 7),  IA32_P5_MC_ADDR      },
		{CPUID_BIT(1,   0, CPUID_EDX, 14), IA32_MCG_CAP         },
		{CPUID_BIT(1,   0, CPUID_EDX, 14), IA32_MCG_STATUS      },
		{CPUID_BIT(1,   0, CPUID_EDX, 12), IA32_MTRRCAP         },
		{CPUID_BIT(1,   0, CPUID_EDX, 12), IA32_MTRR_PHYSBASE(0)},
		{CPUID_BIT(1,   0, CPUID_EDX, 12), IA32_MTRR_PHYSMASK(7)},
		{CPUID_BIT(1,   0, CPUID_EDX, 12), IA32_MTRR_FIX4K_F8000},
		{CPUID_BIT(1,   0, CPUID_EDX, 12), IA32_MTRR_DEF_TYPE   },
	};
	uint64_t value;

	(void)state;
	for (size_t i = 0; i < sizeof(brings) / sizeof(brings[0]); i++) {
		host_cpuid_reset();
		build();
		assert_true(reads(brings[i].msr, &value));
		host_cpuid_set(brings[i].feature, false);
		build();
		assert_false(reads(brings[i].msr, &value));
		assert_false(writes(brings[i].msr, 0));
	}
	/* IA32_UMWAIT_CONTROL with WAITPKG. */
	host_cpuid_reset();
	host_cpuid_set(CPUID_WAITPKG, false);
	build();
	passed_count = 0;
	msr_for_each_passed(&fake_vcpu, note, passed);
	assert_false(passes(IA32_UMWAIT_CONTROL));
	/* TSC_AUX comes with RDTSCP or RDPID. */
	for (unsigned n = 0; n < 4; n++) {
		host_cpuid_reset();
		host_cpuid_set(CPUID_RDTSCP, n & 1);
		host_cpuid_set(CPUID_RDPID, n & 2);
		build();
		passed_count = 0;
		msr_for_each_passed(&fake_vcpu, note, passed);
		assert_int_equal(passes(IA32_TSC_AUX), n != 0);
	}
	host_cpuid_reset();
	host_cpuid_set(CPUID_LONG_MODE, false);
	build();
	passed_count = 0;
	msr_for_each_passed(&fake_vcpu, note, passed);
	assert_false(passes(IA32_STAR) || passes(IA32_GS_BASE) || passes(IA32_KERNEL_GS_BASE));
	assert_true(passes(IA32_SYSENTER_CS));
}

/* --- Emulated ones. --- */

/* SDM "IA32_TSC_ADJUST Register and TSC Synchronization" */
static void the_tsc_and_its_adjustment(void **state)
{
	(void)state;
	fake_machine.tsc = 1000;
	fake_vcpu.tsc_offset = -400;
	assert_reads(IA32_TIME_STAMP_COUNTER, 600);
	assert_true(writes(IA32_TIME_STAMP_COUNTER, 5000));
	assert_reads(IA32_TIME_STAMP_COUNTER, 5000);
	assert_reads(IA32_TSC_ADJUST, 4400);
	assert_true(writes(IA32_TSC_ADJUST, 0));
	assert_reads(IA32_TIME_STAMP_COUNTER, 600);
	assert_true(writes(IA32_TSC_ADJUST, ~0ull));
	assert_reads(IA32_TIME_STAMP_COUNTER, 599);
	assert_true(writes(IA32_TIME_STAMP_COUNTER, ~0ull));
	assert_reads(IA32_TIME_STAMP_COUNTER, ~0ull);
	assert_reads(IA32_TSC_ADJUST, (uint64_t)-601);
	assert_int_equal(fake_machine.tsc, 1000);
	/* All is modulo 2^64, whatever a guest writes. */
	assert_true(writes(IA32_TSC_ADJUST, 1ull << 63));
	assert_true(writes(IA32_TSC_ADJUST, (1ull << 63) - 1));
	assert_reads(IA32_TSC_ADJUST, (1ull << 63) - 1);
	assert_reads(IA32_TIME_STAMP_COUNTER, (1ull << 63) - 1 + 600);
	assert_true(writes(IA32_TIME_STAMP_COUNTER, 1ull << 63));
	assert_reads(IA32_TIME_STAMP_COUNTER, 1ull << 63);
	assert_reads(IA32_TSC_ADJUST, (1ull << 63) - 600);
}

static void the_types_of_pat(void **state)
{
	(void)state;
	for (unsigned entry = 0; entry < 8; entry++)
		for (unsigned type = 0; type < 256; type++) {
			uint64_t value = 0x0606060606060606 & ~(0xffull << (8 * entry));
			bool good = type == 0 || type == 1 || (type >= 4 && type <= 7);

			value |= (uint64_t)type << (8 * entry);
			assert_int_equal(writes(IA32_PAT, value), good);
			if (good)
				assert_reads(IA32_PAT, value);
		}
}

static void bits_of_debugctl(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 64; bit++)
		assert_int_equal(writes(IA32_DEBUGCTL, 1ull << bit), bit < 2);
	/* There are no records of branches, so LBR does not stay. */
	assert_true(writes(IA32_DEBUGCTL, 3));
	assert_reads(IA32_DEBUGCTL, 2);
	assert_true(writes(IA32_DEBUGCTL, 0));
	assert_reads(IA32_DEBUGCTL, 0);
}

static void bits_of_misc_enable(void **state)
{
	const uint64_t fixed = MISC_ENABLE_BTS_UNAVAIL | MISC_ENABLE_PEBS_UNAVAIL;

	(void)state;
	assert_reads(IA32_MISC_ENABLE, 1 | fixed);
	assert_true(writes(IA32_MISC_ENABLE, fixed));
	assert_reads(IA32_MISC_ENABLE, fixed);
	assert_true(writes(IA32_MISC_ENABLE, 1));
	assert_reads(IA32_MISC_ENABLE, 1 | fixed);
	for (unsigned bit = 0; bit < 64; bit++)
		assert_int_equal(writes(IA32_MISC_ENABLE, 1ull << bit),
				 bit == 0 || bit == 11 || bit == 12);
}

static void msrs_that_stay_zero(void **state)
{
	static const uint32_t zero_only[] = {IA32_XSS, IA32_P5_MC_ADDR, IA32_P5_MC_TYPE};

	(void)state;
	for (size_t i = 0; i < sizeof(zero_only) / sizeof(zero_only[0]); i++) {
		assert_reads(zero_only[i], 0);
		assert_true(writes(zero_only[i], 0));
		for (unsigned bit = 0; bit < 64; bit++)
			assert_false(writes(zero_only[i], 1ull << bit));
	}
	assert_true(writes(IA32_BIOS_SIGN_ID, 0x1234));
	assert_reads(IA32_BIOS_SIGN_ID, 0);
	assert_reads(IA32_PLATFORM_ID, 0);
	assert_false(writes(IA32_PLATFORM_ID, 0));
}

/* None of the machine-check banks that the SDM has is there. */
static void no_machine_check_banks(void **state)
{
	uint64_t value;

	(void)state;
	assert_reads(IA32_MCG_CAP, 0);
	for (unsigned bit = 0; bit < 64; bit++) {
		assert_int_equal(writes(IA32_MCG_STATUS, 1ull << bit), bit < 3);
		if (bit < 3)
			assert_reads(IA32_MCG_STATUS, 1ull << bit);
	}
	assert_true(writes(IA32_MCG_STATUS, 0));
	assert_reads(IA32_MCG_STATUS, 0);
	for (uint32_t msr = IA32_MC_CTL(0); msr <= IA32_MC_MISC(31); msr++)
		assert_false(reads(msr, &value) || writes(msr, 0));
	assert_false(reads(IA32_MCG_CTL, &value) || writes(IA32_MCG_CTL, ~0ull));
}

/* What the processor withstands, but nothing that is done by MSRs which guests do not reach. */
static void what_it_withstands(void **state)
{
	const uint64_t left_out = ARCH_CAP_IBRS_ALL | ARCH_CAP_SKIP_L1DFL_VMENTRY |
				  ARCH_CAP_TSX_CTRL | ARCH_CAP_XAPIC_DISABLE_STATUS;
	uint64_t value;

	(void)state;
	assert_true(reads(IA32_ARCH_CAPABILITIES, &value));
	assert_true(value & ARCH_CAP_RDCL_NO && value & ARCH_CAP_MDS_NO);
	assert_int_equal(value & left_out, 0);
	assert_int_equal(value >> 29, 0); /* what is newer */
	fake_backend.features.arch_capabilities = left_out | ARCH_CAP_RDCL_NO;
	assert_reads(IA32_ARCH_CAPABILITIES, ARCH_CAP_RDCL_NO);
	for (unsigned bit = 0; bit < 64; bit++)
		assert_false(writes(IA32_ARCH_CAPABILITIES, 1ull << bit));
	/* Nothing to tell, or no MSR at all. */
	fake_backend.features.arch_capabilities = left_out;
	cpuid_build(&fake_vcpu);
	msr_offer(&fake_vcpu);
	assert_false(cpuid_shows(&fake_vcpu.cpuid, CPUID_ARCH_CAPABILITIES));
	assert_false(reads(IA32_ARCH_CAPABILITIES, &value));
}

static void microcode(void **state)
{
	static const uint64_t addresses[] = {0, 0x7fffffffffff, 0xffff800000000000, ~0ull};
	static const uint64_t none[] = {0x800000000000, 0xffff7fffffffffff, 1ull << 63};
	uint64_t value;

	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		assert_true(writes(IA32_BIOS_UPDT_TRIG, addresses[i]));
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_false(writes(IA32_BIOS_UPDT_TRIG, none[i]));
	assert_false(reads(IA32_BIOS_UPDT_TRIG, &value));
	assert_reads(IA32_BIOS_SIGN_ID, 0);
}

/* --- MTRRs: SDM "Memory Type Range Registers (MTRRs)". --- */

static bool is_type(uint64_t type)
{
	return type == 0 || type == 1 || type == 4 || type == 5 || type == 6;
}

static void variable_ranges(void **state)
{
	(void)state;
	assert_reads(IA32_MTRRCAP, 0x508);
	for (uint32_t n = 0; n < 8; n++) {
		for (unsigned bit = 0; bit < 64; bit++) {
			bool address = bit >= 12 && bit < 40;

			assert_int_equal(writes(IA32_MTRR_PHYSBASE(n), 1ull << bit),
					 address || bit == 0 || bit == 2);
			assert_int_equal(writes(IA32_MTRR_PHYSMASK(n), 1ull << bit),
					 address || bit == 11);
		}
		for (unsigned type = 0; type < 256; type++)
			assert_int_equal(writes(IA32_MTRR_PHYSBASE(n), 0x1000 | type),
					 is_type(type));
		assert_true(writes(IA32_MTRR_PHYSBASE(n), 0xfffffff006 - 0x1000 * n));
		assert_true(writes(IA32_MTRR_PHYSMASK(n), 0xfffffff800 - 0x1000 * n));
	}
	for (uint32_t n = 0; n < 8; n++) {
		assert_reads(IA32_MTRR_PHYSBASE(n), 0xfffffff006 - 0x1000 * n);
		assert_reads(IA32_MTRR_PHYSMASK(n), 0xfffffff800 - 0x1000 * n);
	}
}

static void fixed_ranges(void **state)
{
	static const uint32_t fixed[] = {0x250, 0x258, 0x259, 0x268, 0x269, 0x26a,
					 0x26b, 0x26c, 0x26d, 0x26e, 0x26f};

	(void)state;
	for (unsigned i = 0; i < 11; i++) {
		for (unsigned shift = 0; shift < 64; shift += 8)
			for (uint64_t type = 0; type < 256; type++) {
				uint64_t value =
					(0x0606060606060606 & ~(0xffull << shift)) | type << shift;

				assert_int_equal(writes(fixed[i], value), is_type(type));
				if (is_type(type))
					assert_reads(fixed[i], value);
			}
		assert_true(writes(fixed[i], 0x0100000000000000 | (i & 1) | (i & 2) << 15));
	}
	for (unsigned i = 0; i < 11; i++)
		assert_reads(fixed[i], 0x0100000000000000 | (i & 1) | (i & 2) << 15);
}

static void the_default_type(void **state)
{
	(void)state;
	for (uint64_t value = 0; value < 0x1000; value++)
		assert_int_equal(writes(IA32_MTRR_DEF_TYPE, value),
				 !(value & 0x300) && is_type(value & 0xff));
	for (unsigned bit = 12; bit < 64; bit++)
		assert_false(writes(IA32_MTRR_DEF_TYPE, 1ull << bit | 6));
	assert_true(writes(IA32_MTRR_DEF_TYPE, 0xc01));
	assert_reads(IA32_MTRR_DEF_TYPE, 0xc01);
}

static void mtrrs_as_firmware_leaves_them(void **state)
{
	(void)state;
	mtrr_init(&fake_vcpu.mtrrs, 40);
	assert_reads(IA32_MTRR_DEF_TYPE, 0xc06);
	assert_reads(IA32_MTRR_FIX64K_00000, 0x0606060606060606);
	assert_reads(IA32_MTRR_FIX16K_80000, 0x0606060606060606);
	assert_reads(IA32_MTRR_FIX16K_A0000, 0);
	assert_reads(IA32_MTRR_FIX4K_F8000, 0);
	assert_reads(IA32_MTRR_PHYSBASE(0), 0xc0000000);
	assert_reads(IA32_MTRR_PHYSMASK(0), 0xffc0000800);
	for (uint32_t msr = IA32_MTRR_PHYSBASE(1); msr <= IA32_MTRR_PHYSMASK(7); msr++)
		assert_reads(msr, 0);
	mtrr_init(&fake_vcpu.mtrrs, 52);
	assert_reads(IA32_MTRR_PHYSMASK(0), 0xfffffc0000800);
}

static void efer(void **state)
{
	(void)state;
	assert_reads(IA32_EFER, EFER_LME | EFER_LMA | EFER_NXE | EFER_SCE);
	assert_true(writes(IA32_EFER, EFER_LME | EFER_LMA));
	assert_reads(IA32_EFER, EFER_LME | EFER_LMA);
	assert_false(writes(IA32_EFER, EFER_LMA));
	assert_false(writes(IA32_EFER, EFER_LME | EFER_SVME));
	assert_reads(IA32_EFER, EFER_LME | EFER_LMA);
}

/* --- Between VMs. --- */

static unsigned resets;
static uint32_t reset_msrs[32];

static bool note_reset(uint32_t msr, uint64_t value)
{
	assert_int_equal(value, 0);
	reset_msrs[resets++] = msr;
	return true;
}

static bool is_reset(uint32_t msr)
{
	for (unsigned i = 0; i < resets; i++)
		if (reset_msrs[i] == msr)
			return true;
	return false;
}

/* What passes and is not in the backend's own state must not show the next VM what this one had. */
static void live_msrs_are_reset(void **state)
{
	(void)state;
	fake_machine.msr_write = note_reset;
	resets = 0;
	msr_reset_live(&fake_vcpu);
	for (size_t i = 0; i < LIVE_COUNT; i++) {
		bool backends = live[i] == IA32_FS_BASE || live[i] == IA32_GS_BASE ||
				live[i] == IA32_SYSENTER_CS || live[i] == IA32_SYSENTER_ESP ||
				live[i] == IA32_SYSENTER_EIP;

		assert_int_equal(is_reset(live[i]), !backends);
	}
	assert_true(is_reset(IA32_XSS));
	/* Nothing is written that the host has not. */
	host_cpuid_set(CPUID_XSAVES, false);
	host_cpuid_set(CPUID_RDTSCP, false);
	host_cpuid_set(CPUID_RDPID, false);
	build();
	resets = 0;
	msr_reset_live(&fake_vcpu);
	assert_false(is_reset(IA32_XSS) || is_reset(IA32_TSC_AUX));
}

static void records(void **state)
{
	struct exit_record *record = fake_vcpu_record();
	uint64_t value;

	(void)state;
	assert_true(reads(IA32_EFER, &value));
	assert_int_equal(record->qualification, IA32_EFER);
	assert_int_equal(record->detail[0], value);
	assert_false(writes(0x1234, 0x123456789));
	assert_int_equal(record->qualification, 0x1234);
	assert_int_equal(record->detail[0], 0x123456789);
	assert_false(reads(0x1235, &value));
	assert_int_equal(record->qualification, 0x1235);
	assert_int_equal(record->detail[0], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_numbers, setup),
		cmocka_unit_test_setup(the_upper_half_of_rcx, setup),
		cmocka_unit_test_setup(what_passes, setup),
		cmocka_unit_test_setup(what_the_features_bring, setup),
		cmocka_unit_test_setup(the_tsc_and_its_adjustment, setup),
		cmocka_unit_test_setup(the_types_of_pat, setup),
		cmocka_unit_test_setup(bits_of_debugctl, setup),
		cmocka_unit_test_setup(bits_of_misc_enable, setup),
		cmocka_unit_test_setup(msrs_that_stay_zero, setup),
		cmocka_unit_test_setup(no_machine_check_banks, setup),
		cmocka_unit_test_setup(what_it_withstands, setup),
		cmocka_unit_test_setup(microcode, setup),
		cmocka_unit_test_setup(variable_ranges, setup),
		cmocka_unit_test_setup(fixed_ranges, setup),
		cmocka_unit_test_setup(the_default_type, setup),
		cmocka_unit_test_setup(mtrrs_as_firmware_leaves_them, setup),
		cmocka_unit_test_setup(efer, setup),
		cmocka_unit_test(each_has_one_row),
		cmocka_unit_test_setup(live_msrs_are_reset, setup),
		cmocka_unit_test_setup(records, setup),
	};

	return cmocka_run_group_tests_name("msr_policy", tests, make_index, NULL);
}
