/* SPDX-License-Identifier: BSD-2-Clause */
/* MOV to control registers, WRMSR of EFER and XSETBV: each #GP that the SDM has, and what changes.
 */
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

#include <string.h>

#include "arch/x86_64/instructions.h"
#include "tests/fake/backend.h"
#include "tests/fake/guest_memory.h"
#include "tests/fake/host_cpuid.h"
#include "vcpu/control.h"

#define RAM     (16 * MIB)
#define RESET   (CR0_ET | CR0_CD | CR0_NW)
#define PROTECT (CR0_PE | CR0_ET | CR0_NE)

/* All bits of CR4 that the simulated processor lets a guest have. */
#define CR4_ALL                                                                                    \
	(CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_MCE | CR4_PGE | CR4_PCE |  \
	 CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_UMIP | CR4_FSGSBASE | CR4_PCIDE | CR4_OSXSAVE |         \
	 CR4_SMEP | CR4_SMAP | CR4_PKE)

static void begin(enum fake_code code)
{
	fake_vcpu_reset(code);
	cpuid_build(&fake_vcpu);
	control_offer(&fake_vcpu);
	fake_vcpu.cpuid.physical_bits = 40;
	memset((void *)fake_vcpu_vm.window.raw, 0, 0x10000);
}

static int setup(void **state)
{
	(void)state;
	fake_machine_reset();
	host_cpuid_reset();
	begin(FAKE_CODE32);
	return 0;
}

static int make_memory(void **state)
{
	(void)state;
	fake_guest_ram(&fake_vcpu_vm, RAM);
	return 0;
}

static void expect_refused(unsigned cr, uint64_t value)
{
	struct fake_backend before = fake_backend;

	assert_int_equal(vcpu_cr_write(&fake_vcpu, cr, value), OUTCOME_STAY);
	fake_expect_fault(13, 0);
	/* Nothing has changed. */
	assert_memory_equal(&fake_backend, &before, sizeof(before));
}

static void expect_done(unsigned cr, uint64_t value)
{
	if (vcpu_cr_write(&fake_vcpu, cr, value) != OUTCOME_NEXT)
		fail_msg("CR%u <- %llx is refused", cr, (unsigned long long)value);
	assert_true(fake_no_fault());
}

/* Entry number `index` of a table in the guest's memory. */
static void put(uint64_t table, unsigned index, uint64_t value)
{
	memcpy((uint8_t *)fake_vcpu_vm.window.raw + table + 8 * index, &value, 8);
}

static void cr0_combinations(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 16; i++) {
		uint64_t value = (i & 1 ? CR0_PE : 0) | (i & 2 ? CR0_PG : 0) |
				 (i & 4 ? CR0_NW : 0) | (i & 8 ? CR0_CD : 0) | CR0_ET;
		bool bad = (value & CR0_PG && !(value & CR0_PE)) ||
			   (value & CR0_NW && !(value & CR0_CD));

		begin(FAKE_REAL);
		if (bad) {
			expect_refused(0, value);
			continue;
		}
		expect_done(0, value);
		assert_int_equal(fake_backend.cr0, value);
	}
}

static void cr0_high_and_reserved_bits(void **state)
{
	(void)state;
	for (unsigned bit = 32; bit < 64; bit++)
		expect_refused(0, PROTECT | 1ull << bit);
	/* Reserved bits below are ignored, and ET is always one. */
	expect_done(0, 0x1ffaffc0 | CR0_PE);
	assert_int_equal(fake_backend.cr0, CR0_PE | CR0_ET);
}

static void paging_starts_and_ends_with_a_flush(void **state)
{
	(void)state;
	expect_done(0, PROTECT | CR0_WP);
	assert_int_equal(fake_backend.flush_count, 0);
	expect_done(0, PROTECT | CR0_PG);
	assert_int_equal(fake_backend.flush_count, 1);
	assert_int_equal(fake_backend.set_pdptes_count, 0);
	expect_done(0, PROTECT);
	assert_int_equal(fake_backend.flush_count, 2);
}

static void long_mode_follows_lme_and_pg(void **state)
{
	(void)state;
	expect_done(4, CR4_PAE);
	assert_true(control_write_efer(&fake_vcpu, EFER_LME));
	assert_int_equal(fake_vcpu.efer, EFER_LME);
	expect_done(0, PROTECT | CR0_PG);
	assert_int_equal(fake_vcpu.efer, EFER_LME | EFER_LMA);
	assert_int_equal(fake_vcpu.mode, MODE_LONG);
	/* No PDPTEs there. */
	assert_int_equal(fake_backend.set_pdptes_count, 0);
	/* LME cannot change while paging is on. */
	assert_false(control_write_efer(&fake_vcpu, 0));
	assert_false(control_write_efer(&fake_vcpu, EFER_LMA));
	expect_done(0, PROTECT);
	assert_int_equal(fake_vcpu.efer, EFER_LME);
	assert_int_equal(fake_vcpu.mode, MODE_PROTECTED);
	assert_true(control_write_efer(&fake_vcpu, 0));
}

/* SDM "Initializing IA-32e Mode", "Switching Out of IA-32e Mode Operation" */
static void what_keeps_long_mode_from_starting_and_ending(void **state)
{
	struct segment *cs = &fake_backend.segments[SEG_CS], *tr = &fake_backend.segments[SEG_TR];

	(void)state;
	assert_true(control_write_efer(&fake_vcpu, EFER_LME));
	expect_refused(0, PROTECT | CR0_PG); /* no PAE */
	expect_done(4, CR4_PAE);
	cs->access |= SEGMENT_L;
	expect_refused(0, PROTECT | CR0_PG);
	cs->access &= ~SEGMENT_L;
	tr->access = 0x83;
	expect_refused(0, PROTECT | CR0_PG); /* a 16-bit TSS */
	tr->access = SEGMENT_TSS32;
	expect_done(0, PROTECT | CR0_PG);

	cs->access = SEGMENT_CODE64;
	expect_refused(0, PROTECT); /* from 64-bit code */
	cs->access = SEGMENT_CODE32;
	expect_done(4, CR4_PAE | CR4_PCIDE);
	expect_refused(0, PROTECT);   /* with PCIDs */
	expect_refused(4, CR4_PCIDE); /* PAE must stay */
	expect_done(4, CR4_PAE);
	expect_refused(4, 0);
	expect_done(0, PROTECT);
	expect_done(4, 0);
}

/* Outside IA-32e mode CR4.PAE and CS.L mean nothing for CR0.PG. */
static void paging_without_long_mode(void **state)
{
	(void)state;
	fake_backend.segments[SEG_CS].access |= SEGMENT_L;
	fake_backend.segments[SEG_TR].access = 0x83;
	expect_done(0, PROTECT | CR0_PG);
	expect_done(0, PROTECT);
}

static void pae_paging_loads_the_pdptes(void **state)
{
	(void)state;
	put(0x1020, 0, 0x2001);
	put(0x1020, 1, 0x8001 | 0xe18);      /* PWT, PCD and the ignored bits 11:9 */
	put(0x1020, 2, ~1ull);               /* not present: anything goes */
	put(0x1020, 3, 0xffffffe000 | 1ull); /* up to the last address bit */
	expect_done(3, 0x1020);
	expect_done(4, CR4_PAE);
	assert_int_equal(fake_backend.set_pdptes_count, 0);
	expect_done(0, PROTECT | CR0_PG);
	assert_int_equal(fake_backend.set_pdptes_count, 1);
	assert_int_equal(fake_backend.pdptes[0], 0x2001);
	assert_int_equal(fake_backend.pdptes[1], 0x8e19);
	assert_int_equal(fake_backend.pdptes[2], ~1ull);
	/* CR3 again, and what else loads them: CD and NW in CR0; PGE, PSE, SMEP in CR4. */
	expect_done(3, 0x1020);
	assert_int_equal(fake_backend.set_pdptes_count, 2);
	expect_done(0, PROTECT | CR0_PG | CR0_CD);
	assert_int_equal(fake_backend.set_pdptes_count, 3);
	expect_done(0, PROTECT | CR0_PG | CR0_CD | CR0_WP | CR0_TS);
	assert_int_equal(fake_backend.set_pdptes_count, 3);
	for (uint64_t bit = CR4_PSE; bit <= CR4_SMEP; bit <<= 1) {
		if (bit != CR4_PGE && bit != CR4_PSE && bit != CR4_SMEP)
			continue;
		fake_backend.set_pdptes_count = 0;
		expect_done(4, CR4_PAE | bit);
		expect_done(4, CR4_PAE);
		assert_int_equal(fake_backend.set_pdptes_count, 2);
	}
	expect_done(4, CR4_PAE | CR4_OSXSAVE | CR4_SMAP);
	assert_int_equal(fake_backend.set_pdptes_count, 2);
}

static void bad_pdptes_are_refused(void **state)
{
	(void)state;
	put(0x1000, 0, 0x2001);
	expect_done(3, 0x1000);
	expect_done(4, CR4_PAE);
	expect_done(0, PROTECT | CR0_PG);
	for (unsigned bit = 1; bit < 64; bit++) {
		bool reserved = bit == 1 || bit == 2 || (bit >= 5 && bit <= 8) || bit >= 40;

		for (unsigned i = 0; i < 4; i++) {
			put(0x3000, i, 1ull << bit | 1);
			if (reserved)
				expect_refused(3, 0x3000);
			else
				expect_done(3, 0x3000);
			put(0x3000, i, 1ull << bit);
			expect_done(3, 0x3000);
			put(0x3000, i, 0);
		}
	}
	/* Where there is no memory the processor reads ones. */
	expect_refused(3, RAM);
	expect_refused(3, 0xffffffe0);
	/* Only 32 bits of CR3 count, and of them 31:5. */
	expect_done(3, 0xfff00000301full);
	assert_int_equal(fake_backend.cr3, 0x301f);
	/* The same by way of CR0 and CR4. */
	put(0x3000, 3, 3);
	expect_refused(0, PROTECT | CR0_PG | CR0_CD);
	expect_refused(4, CR4_PAE | CR4_PGE);
	expect_done(0, PROTECT);
	expect_refused(0, PROTECT | CR0_PG);
	expect_done(4, 0);
	expect_done(0, PROTECT | CR0_PG);
	expect_refused(4, CR4_PAE);
}

static void cr3_in_long_mode(void **state)
{
	(void)state;
	begin(FAKE_CODE64);
	expect_done(3, 0xfffffff000 | CR3_PWT | CR3_PCD);
	assert_int_equal(fake_backend.flush_count, 1);
	for (unsigned bit = 40; bit < 64; bit++)
		expect_refused(3, 0x1000 | 1ull << bit);
	expect_done(3, 0x1000);
	expect_done(4, CR4_PAE | CR4_PCIDE);
	fake_backend.flush_count = 0;
	expect_done(3, 0x1005);
	assert_int_equal(fake_backend.flush_count, 1);
	/* Bit 63 keeps the TLB and is not stored. */
	expect_done(3, CR3_NO_FLUSH | 0x2007);
	assert_int_equal(fake_backend.flush_count, 1);
	assert_int_equal(fake_backend.cr3, 0x2007);
	for (unsigned bit = 40; bit < 63; bit++)
		expect_refused(3, CR3_NO_FLUSH | 0x1000 | 1ull << bit);
}

static void cr4_bits_follow_cpuid(void **state)
{
	static const struct {
		uint64_t bits;
		struct cpuid_bit feature;
	} brings[] = {
		{CR4_VME | CR4_PVI,           CPUID_BIT(1, 0, CPUID_EDX, 1) },
		{CR4_TSD,                     CPUID_BIT(1, 0, CPUID_EDX, 4) },
		{CR4_DE,                      CPUID_BIT(1, 0, CPUID_EDX, 2) },
		{CR4_PSE,                     CPUID_BIT(1, 0, CPUID_EDX, 3) },
		{CR4_PAE,                     CPUID_BIT(1, 0, CPUID_EDX, 6) },
		{CR4_MCE,                     CPUID_BIT(1, 0, CPUID_EDX, 7) },
		{CR4_PGE,                     CPUID_BIT(1, 0, CPUID_EDX, 13)},
		{CR4_OSFXSR | CR4_OSXMMEXCPT, CPUID_BIT(1, 0, CPUID_EDX, 24)},
		{CR4_UMIP,                    CPUID_BIT(7, 0, CPUID_ECX, 2) },
		{CR4_FSGSBASE,                CPUID_BIT(7, 0, CPUID_EBX, 0) },
		{CR4_OSXSAVE,                 CPUID_BIT(1, 0, CPUID_ECX, 26)},
		{CR4_SMEP,                    CPUID_BIT(7, 0, CPUID_EBX, 7) },
		{CR4_SMAP,                    CPUID_BIT(7, 0, CPUID_EBX, 20)},
		{CR4_PKE,                     CPUID_BIT(7, 0, CPUID_ECX, 3) },
		{CR4_PCIDE,                   CPUID_BIT(1, 0, CPUID_ECX, 17)},
	};

	(void)state;
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t value = 1ull << bit | CR4_PAE;

		begin(FAKE_CODE64);
		if (value & ~CR4_ALL)
			expect_refused(4, value);
		else
			expect_done(4, value);
	}
	for (size_t i = 0; i < sizeof(brings) / sizeof(brings[0]); i++) {
		host_cpuid_reset();
		host_cpuid_set(brings[i].feature, false);
		begin(FAKE_CODE64);
		for (unsigned bit = 0; bit < 23; bit++)
			if (brings[i].bits >> bit & 1)
				expect_refused(4, CR4_PAE | 1ull << bit);
		fake_backend.cr4 = 0;
		assert_int_equal(control_cr4_guest_owned(&fake_vcpu) & brings[i].bits, 0);
	}
}

/* What the host must act on is not left to the guest; the rest needs no exit. */
static void ownership_of_cr4(void **state)
{
	uint64_t owned = control_cr4_guest_owned(&fake_vcpu);

	(void)state;
	assert_int_equal(
		owned, CR4_ALL & ~(CR4_DE | CR4_PAE | CR4_MCE | CR4_PCIDE | CR4_OSXSAVE | CR4_PKE));
	assert_int_equal(CR0_GUEST_OWNED & (CR0_PE | CR0_PG | CR0_NE | CR0_CD | CR0_NW), 0);
}

static void pcids_need_long_mode_and_a_clear_cr3(void **state)
{
	(void)state;
	expect_refused(4, CR4_PCIDE);
	begin(FAKE_CODE64);
	fake_backend.cr3 = 0x1001;
	expect_refused(4, CR4_PAE | CR4_PCIDE);
	fake_backend.cr3 = 0x1000;
	expect_done(4, CR4_PAE | CR4_PCIDE);
	/* Once it is set, CR3 may be anything. */
	fake_backend.cr3 = 0x1fff;
	expect_done(4, CR4_PAE | CR4_PCIDE | CR4_PGE);
	expect_done(4, CR4_PAE);
}

static void changes_of_cr4_flush(void **state)
{
	static const uint64_t flushes = CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP | CR4_SMAP | CR4_PKE;

	(void)state;
	for (unsigned bit = 0; bit < 23; bit++) {
		uint64_t value = 1ull << bit;

		if (!(value & CR4_ALL) || value == CR4_PCIDE)
			continue;
		begin(FAKE_CODE32);
		expect_done(4, value);
		assert_int_equal(fake_backend.flush_count, (value & flushes) != 0);
		expect_done(4, value);
		assert_int_equal(fake_backend.flush_count, (value & flushes) != 0);
	}
}

static void cr8(void **state)
{
	(void)state;
	begin(FAKE_CODE64);
	for (uint64_t value = 0; value < 16; value++) {
		expect_done(8, value);
		assert_int_equal(fake_vcpu.cr8, value);
	}
	for (unsigned bit = 4; bit < 64; bit++)
		expect_refused(8, 1ull << bit);
	assert_int_equal(fake_vcpu.cr8, 15);
	for (unsigned cr = 1; cr < 16; cr++)
		if (cr != 3 && cr != 4 && cr != 8)
			assert_false(control_write_cr(&fake_vcpu, cr, 0));
}

static void records(void **state)
{
	struct exit_record *record = fake_vcpu_record();

	(void)state;
	expect_done(0, PROTECT | CR0_TS);
	assert_int_equal(record->detail[0], PROTECT | CR0_TS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(cr0_combinations, setup),
		cmocka_unit_test_setup(cr0_high_and_reserved_bits, setup),
		cmocka_unit_test_setup(paging_starts_and_ends_with_a_flush, setup),
		cmocka_unit_test_setup(long_mode_follows_lme_and_pg, setup),
		cmocka_unit_test_setup(what_keeps_long_mode_from_starting_and_ending, setup),
		cmocka_unit_test_setup(paging_without_long_mode, setup),
		cmocka_unit_test_setup(pae_paging_loads_the_pdptes, setup),
		cmocka_unit_test_setup(bad_pdptes_are_refused, setup),
		cmocka_unit_test_setup(cr3_in_long_mode, setup),
		cmocka_unit_test_setup(cr4_bits_follow_cpuid, setup),
		cmocka_unit_test_setup(ownership_of_cr4, setup),
		cmocka_unit_test_setup(pcids_need_long_mode_and_a_clear_cr3, setup),
		cmocka_unit_test_setup(changes_of_cr4_flush, setup),
		cmocka_unit_test_setup(cr8, setup),
		cmocka_unit_test_setup(records, setup),
	};

	return cmocka_run_group_tests_name("control", tests, make_memory, NULL);
}
