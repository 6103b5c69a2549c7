/* SPDX-License-Identifier: BSD-2-Clause */
/* Accesses through segments: limits, types, canonical addresses, alignment. */
/* UNITS: vcpu/linear.c vcpu/paging.c vcpu/cpuid.c arch/x86_64/cpuid.c vcpu/events.c */
/* UNITS: vcpu/vm_memory.c vcpu/bus.c */
/* UNITS: arch/x86_64/exceptions.c tests/fake/backend.c tests/fake/host_cpuid.c */
/* UNITS: tests/fake/guest_memory.c tests/fake/log.c tests/fake/error.c */
/* UNITS: vcpu/breakpoints.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "arch/x86_64/instructions.h"
#include "tests/fake/backend.h"
#include "tests/fake/guest_memory.h"
#include "vcpu/linear.h"

#define RAM MIB

static struct linear_context context;
static uint64_t linear;

static void begin(enum fake_code code, enum segment_index segment)
{
	fake_vcpu_reset(code);
	linear_begin(&fake_vcpu, segment, &context);
}

static int make_memory(void **state)
{
	(void)state;
	fake_machine_reset();
	fake_guest_ram(&fake_vcpu_vm, RAM);
	return 0;
}

static void expect_linear(uint64_t offset, unsigned size, bool write, uint64_t expected)
{
	if (linear_address(&context, offset, size, write, &linear) != LINEAR_OK)
		fail_msg("%llx is refused", (unsigned long long)offset);
	assert_int_equal(linear, expected);
	assert_true(fake_no_fault());
}

static void expect_refused(uint64_t offset, unsigned size, bool write, uint8_t vector)
{
	if (linear_address(&context, offset, size, write, &linear) != LINEAR_FAULTED)
		fail_msg("%llx is not refused", (unsigned long long)offset);
	fake_expect_fault(vector, 0);
}

static void limits(void **state)
{
	(void)state;
	for (unsigned size = 1; size <= 16; size *= 2)
		for (enum segment_index i = SEG_ES; i <= SEG_GS; i++) {
			uint8_t vector = i == SEG_SS ? 12 : 13;

			begin(FAKE_CODE32, i);
			context.segment.access = SEGMENT_DATA32;
			context.segment.limit = 0x1fff;
			context.segment.base = 0x10000;
			expect_linear(0, size, true, 0x10000);
			expect_linear(0x2000 - size, size, true, 0x12000 - size);
			expect_refused(0x2000 - size + 1, size, true, vector);
			expect_refused(0x2000, size, false, vector);
			expect_refused(0xffffffff, size, false, vector);
		}
}

static void limits_of_expand_down_segments(void **state)
{
	(void)state;
	for (unsigned big = 0; big < 2; big++) {
		uint64_t top = big ? 0xffffffff : 0xffff;

		begin(FAKE_CODE32, SEG_SS);
		context.segment.access = 0x97 | (big ? SEGMENT_DB : 0);
		context.segment.limit = 0x1fff;
		expect_refused(0, 1, true, 12);
		expect_refused(0x1fff, 1, true, 12);
		expect_refused(0x1fff, 4, false, 12);
		expect_linear(0x2000, 4, true, 0x2000);
		expect_linear(top - 3, 4, true, top - 3);
		expect_refused(top - 2, 4, true, 12);
	}
	/* A conforming code segment has that bit too. */
	begin(FAKE_CODE32, SEG_CS);
	context.segment.access = 0x9e | SEGMENT_DB;
	context.segment.limit = 0x1fff;
	expect_linear(0, 4, false, 0);
}

static void types(void **state)
{
	static const struct {
		uint32_t access;
		bool readable, writable;
	} kinds[] = {
		{0x91,                    true,  false}, /* read-only data */
		{0x93,                    true,  true },
                {0x95,                    true,  false}, /* expand-down */
		{0x97,                    true,  true },
                {0x99,                    false, false}, /* code that is only executed */
		{0x9b,                    true,  false},
                {0x9d,                    false, false}, /* conforming */
		{0x9f,                    true,  false},
                {SEGMENT_UNUSABLE | 0x93, false, false}, /* null selector */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		bool down = (kinds[i].access & 0xc) == 4;

		begin(FAKE_CODE32, SEG_DS);
		context.segment.access = kinds[i].access | SEGMENT_DB;
		context.segment.limit = down ? 0xfff : 0xffffffff;
		for (unsigned write = 0; write < 2; write++) {
			if (write ? kinds[i].writable : kinds[i].readable)
				expect_linear(0x1000, 4, write, 0x1000);
			else
				expect_refused(0x1000, 4, write, 13);
		}
	}
}

/* Real and virtual-8086 mode look at limits alone: code segments can be written there. */
static void types_do_not_count_in_real_mode(void **state)
{
	(void)state;
	for (unsigned v86 = 0; v86 < 2; v86++) {
		begin(v86 ? FAKE_VIRTUAL_8086 : FAKE_REAL, SEG_CS);
		context.segment.access = 0x9b;
		context.segment.base = 0xffff0;
		expect_linear(0x10, 2, true, 0x100000);
		expect_linear(0xfffe, 2, true, 0x10ffee);
		expect_refused(0xffff, 2, true, 13);
		expect_refused(0xfffd, 4, false, 13);
		linear_begin(&fake_vcpu, SEG_SS, &context);
		expect_refused(0xffff, 2, true, 12);
	}
}

static void linear_addresses_wrap_at_4g(void **state)
{
	(void)state;
	begin(FAKE_CODE32, SEG_DS);
	context.segment.base = 0xfffff000;
	expect_linear(0x2004, 4, false, 0x1004);
	begin(FAKE_COMPATIBILITY32, SEG_FS);
	context.segment.base = 0xfffff000;
	expect_linear(0x2004, 4, false, 0x1004);
}

/* In 64-bit code there are neither limits nor types, and only FS and GS have a base. */
static void segments_of_64_bit_code(void **state)
{
	(void)state;
	for (enum segment_index i = SEG_ES; i <= SEG_GS; i++) {
		bool has_base = i == SEG_FS || i == SEG_GS;

		begin(FAKE_CODE64, i);
		context.segment =
			(struct segment){.access = SEGMENT_UNUSABLE, .base = 0xffff800000001000};
		expect_linear(0x123456789, 8, true, has_base ? 0xffff800123457789 : 0x123456789);
	}
}

static void canonical_addresses(void **state)
{
	(void)state;
	for (enum segment_index i = SEG_ES; i <= SEG_GS; i++) {
		uint8_t vector = i == SEG_SS ? 12 : 13;

		begin(FAKE_CODE64, i);
		expect_linear(0x00007ffffffffff8, 8, true, 0x00007ffffffffff8);
		expect_refused(0x00007ffffffffff9, 8, true, vector);
		expect_refused(0x0000800000000000, 1, false, vector);
		expect_refused(0xffff7fffffffffff, 1, false, vector);
		expect_refused(0xffff7ffffffffffc, 8, false, vector);
		expect_linear(0xffff800000000000, 8, false, 0xffff800000000000);
		expect_linear(~0ull - 7, 8, false, ~0ull - 7);
	}
	/* The sum counts, not the offset. */
	begin(FAKE_CODE64, SEG_GS);
	context.segment.base = 0x1000;
	expect_refused(0x00007ffffffff800, 8, true, 13);
	context.segment.base = 0xffff800000000000;
	expect_linear(0x0000000000000010, 8, true, 0xffff800000000010);
}

/* SDM "Interrupt 17 -- Alignment Check Exception (#AC)" */
static void alignment_checks(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 16; n++) {
		bool am = n & 1, ac = n & 2, wide = n & 8;
		unsigned cpl = n & 4 ? 3 : 2;

		begin(wide ? FAKE_CODE64 : FAKE_CODE32, SEG_DS);
		fake_vcpu_set_cpl(cpl);
		fake_backend.cr0 |= am ? CR0_AM : 0;
		fake_backend.rflags |= ac ? RFLAGS_AC : 0;
		linear_begin(&fake_vcpu, SEG_DS, &context);
		for (unsigned size = 1; size <= 8; size *= 2)
			for (uint64_t at = 0x1000; at < 0x1010; at++) {
				if (am && ac && cpl == 3 && at % size)
					expect_refused(at, size, false, 17);
				else
					expect_linear(at, size, false, at);
			}
	}
	/* The linear address is what is aligned or not. */
	begin(FAKE_CODE32, SEG_DS);
	fake_vcpu_set_cpl(3);
	fake_backend.cr0 |= CR0_AM;
	fake_backend.rflags |= RFLAGS_AC;
	linear_begin(&fake_vcpu, SEG_DS, &context);
	context.segment.base = 2;
	expect_linear(2, 4, false, 4);
	expect_refused(4, 4, false, 17);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits),
		cmocka_unit_test(limits_of_expand_down_segments),
		cmocka_unit_test(types),
		cmocka_unit_test(types_do_not_count_in_real_mode),
		cmocka_unit_test(linear_addresses_wrap_at_4g),
		cmocka_unit_test(segments_of_64_bit_code),
		cmocka_unit_test(canonical_addresses),
		cmocka_unit_test(alignment_checks),
	};

	return cmocka_run_group_tests_name("linear", tests, make_memory, NULL);
}
