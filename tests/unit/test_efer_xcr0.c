/* SPDX-License-Identifier: BSD-2-Clause */
/* WRMSR of EFER, and XSETBV: which bits there are, and which go together. */
/* UNITS: vcpu/control.c vcpu/cpuid.c arch/x86_64/cpuid.c vcpu/events.c vcpu/vm_memory.c vcpu/bus.c
 */
/* UNITS: arch/x86_64/exceptions.c tests/fake/backend.c tests/fake/host_cpuid.c */
/* UNITS: tests/fake/guest_memory.c tests/fake/log.c tests/fake/error.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "arch/x86_64/instructions.h"
#include "tests/fake/backend.h"
#include "tests/fake/host_cpuid.h"
#include "vcpu/control.h"

static void begin(enum fake_code code)
{
	fake_vcpu_reset(code);
	cpuid_build(&fake_vcpu);
	control_offer(&fake_vcpu);
}

static int setup(void **state)
{
	(void)state;
	fake_machine_reset();
	host_cpuid_reset();
	begin(FAKE_CODE32);
	return 0;
}

static void efer_bits_follow_cpuid(void **state)
{
	static const struct {
		uint64_t bit;
		struct cpuid_bit feature;
	} brings[] = {
		{EFER_SCE, CPUID_BIT(0x80000001u, 0, CPUID_EDX, 11)},
		{EFER_LME, CPUID_BIT(0x80000001u, 0, CPUID_EDX, 29)},
		{EFER_NXE, CPUID_BIT(0x80000001u, 0, CPUID_EDX, 20)},
	};

	(void)state;
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t value = 1ull << bit;
		bool good = value & (EFER_SCE | EFER_LME | EFER_NXE | EFER_LMA);

		begin(FAKE_CODE32);
		assert_int_equal(control_write_efer(&fake_vcpu, value), good);
		/* LMA is the processor's to set. */
		assert_int_equal(fake_vcpu.efer, good ? value & ~EFER_LMA : 0);
		assert_int_equal(fake_backend.flush_count, value == EFER_NXE);
	}
	for (size_t i = 0; i < sizeof(brings) / sizeof(brings[0]); i++) {
		host_cpuid_reset();
		host_cpuid_set(brings[i].feature, false);
		begin(FAKE_CODE32);
		assert_false(control_write_efer(&fake_vcpu, brings[i].bit));
	}
}

static void efer_in_long_mode(void **state)
{
	(void)state;
	begin(FAKE_CODE64);
	/* A read, modify and write as kernels do it, with LMA in and out. */
	assert_true(control_write_efer(&fake_vcpu, EFER_LME | EFER_LMA | EFER_NXE));
	assert_int_equal(fake_vcpu.efer, EFER_LME | EFER_LMA | EFER_NXE);
	assert_true(control_write_efer(&fake_vcpu, EFER_LME | EFER_SCE));
	assert_int_equal(fake_vcpu.efer, EFER_LME | EFER_LMA | EFER_SCE);
	/* What changes nothing costs nothing. */
	fake_backend.set_efer_count = 0;
	assert_true(control_write_efer(&fake_vcpu, fake_vcpu.efer));
	assert_int_equal(fake_backend.set_efer_count, 0);
}

/* SDM "XSETBV": written as the list of what is allowed. */
static bool xcr0_is_good(uint64_t value)
{
	unsigned avx512 = (unsigned)(value >> 5) & 7;

	if (!(value & 1) || value & ~0x2e7ull)
		return false;
	if (value & XCR0_AVX && !(value & XCR0_SSE))
		return false;
	return avx512 == 0 || (avx512 == 7 && value & XCR0_AVX);
}

static enum outcome xsetbv_of(uint64_t index, uint64_t value)
{
	fake_vcpu.regs.rcx = index;
	fake_vcpu.regs.rax = (uint32_t)value | 0xdead000000000000;
	fake_vcpu.regs.rdx = value >> 32 | 0xbeef000000000000;
	return vcpu_xsetbv(&fake_vcpu);
}

static void all_values_of_xcr0(void **state)
{
	(void)state;
	fake_machine.xcr0_supported = 0x2ff;
	for (uint64_t value = 0; value < 0x800; value++) {
		fake_machine.xcr0 = 1;
		if (xcr0_is_good(value)) {
			assert_int_equal(xsetbv_of(0xffffffff00000000, value), OUTCOME_NEXT);
			assert_int_equal(fake_machine.xcr0, value);
		} else {
			assert_int_equal(xsetbv_of(0, value), OUTCOME_STAY);
			fake_expect_fault(13, 0);
			assert_int_equal(fake_machine.xcr0, 1);
		}
	}
	for (unsigned bit = 11; bit < 64; bit++) {
		assert_int_equal(xsetbv_of(0, 7 | 1ull << bit), OUTCOME_STAY);
		fake_expect_fault(13, 0);
	}
}

static void xsetbv_of_others_is_refused(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 32; bit++) {
		assert_int_equal(xsetbv_of(1ull << bit, 7), OUTCOME_STAY);
		fake_expect_fault(13, 0);
	}
	fake_vcpu_set_cpl(3);
	assert_int_equal(xsetbv_of(0, 7), OUTCOME_STAY);
	fake_expect_fault(13, 0);
	assert_int_equal(fake_machine.xsetbv_count, 0);
}

/* What the host has not, XSETBV must not even try. */
static void xcr0_is_limited_by_the_host(void **state)
{
	(void)state;
	host_cpuid_leaf(0x0d, 0)->eax = 7;
	begin(FAKE_CODE64);
	assert_int_equal(xsetbv_of(0, 7), OUTCOME_NEXT);
	assert_int_equal(xsetbv_of(0, 0xe7), OUTCOME_STAY);
	fake_expect_fault(13, 0);
	/* Two of the three components of AVX-512 are none. */
	host_cpuid_leaf(0x0d, 0)->eax = 0x67;
	begin(FAKE_CODE64);
	assert_int_equal(fake_vcpu.xcr0_allowed, 7);
	host_cpuid_set(CPUID_XSAVE, false);
	begin(FAKE_CODE64);
	assert_int_equal(fake_vcpu.xcr0_allowed, 0);
	assert_int_equal(xsetbv_of(0, 1), OUTCOME_STAY);
}

static void records(void **state)
{
	struct exit_record *record = fake_vcpu_record();

	(void)state;
	assert_int_equal(xsetbv_of(0, 7), OUTCOME_NEXT);
	assert_int_equal(record->qualification, 0);
	assert_int_equal(record->detail[0], 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(efer_bits_follow_cpuid, setup),
		cmocka_unit_test_setup(efer_in_long_mode, setup),
		cmocka_unit_test_setup(all_values_of_xcr0, setup),
		cmocka_unit_test_setup(xsetbv_of_others_is_refused, setup),
		cmocka_unit_test_setup(xcr0_is_limited_by_the_host, setup),
		cmocka_unit_test_setup(records, setup),
	};

	return cmocka_run_group_tests_name("efer_xcr0", tests, NULL, NULL);
}
