/* SPDX-License-Identifier: BSD-2-Clause */
/* Which breakpoints an access meets: types, lengths, alignment, neighbours, CR4.DE. */
/* UNITS: vcpu/breakpoints.c vcpu/events.c vcpu/cpuid.c arch/x86_64/cpuid.c */
/* UNITS: arch/x86_64/exceptions.c vcpu/bus.c tests/fake/backend.c tests/fake/guest_memory.c */
/* UNITS: tests/fake/log.c tests/fake/error.c vcpu/vm_memory.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/x86_64/instructions.h"
#include "tests/fake/backend.h"
#include "vcpu/breakpoints.h"

#define G(n)               (2ull << (2 * (n)))
#define L(n)               (1ull << (2 * (n)))
#define TYPE(n, type, len) ((uint64_t)((type) | (len) << 2) << (16 + 4 * (n)))

enum { LEN_1 = 0, LEN_2 = 1, LEN_8 = 2, LEN_4 = 3 };

static void types(void **state)
{
	static const struct {
		enum breakpoint_type type;
		bool by_write, by_read, by_port;
	} rows[] = {
		{BREAKPOINT_EXECUTE,    false, false, false},
		{BREAKPOINT_WRITE,      true,  false, false},
		{BREAKPOINT_PORT,       false, false, true },
		{BREAKPOINT_READ_WRITE, true,  true,  false},
	};

	(void)state;
	fake_machine.dr2 = 0x80;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t dr7 = L(2) | TYPE(2, rows[i].type, LEN_1);

		assert_int_equal(breakpoints_met(dr7, BREAKPOINT_WRITE, 0x80, 1),
				 rows[i].by_write ? 4 : 0);
		assert_int_equal(breakpoints_met(dr7, BREAKPOINT_READ_WRITE, 0x80, 1),
				 rows[i].by_read ? 4 : 0);
		assert_int_equal(breakpoints_met(dr7, BREAKPOINT_PORT, 0x80, 1),
				 rows[i].by_port ? 4 : 0);
	}
}

static void ranges(void **state)
{
	static const struct {
		unsigned length;
		uint64_t breakpoint, address;
		unsigned size;
		bool met;
	} rows[] = {
		{LEN_1, 0x1003, 0x1003, 1, true },
		{LEN_1, 0x1003, 0x1004, 1, false},
		{LEN_1, 0x1003, 0x1002, 1, false},
		{LEN_1, 0x1003, 0x1000, 4, true },
		{LEN_1, 0x1003, 0x1000, 3, false},
		{LEN_2, 0x1003, 0x1002, 1, true }, /* 1002 and 1003 */
		{LEN_2, 0x1003, 0x1004, 1, false},
		{LEN_4, 0x1003, 0x1000, 1, true },
		{LEN_4, 0x1003, 0x0fff, 1, false},
		{LEN_4, 0x1003, 0x0fff, 2, true },
		{LEN_8, 0x1003, 0x1007, 1, true },
		{LEN_8, 0x1003, 0x1008, 8, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t dr7 = G(3) | TYPE(3, BREAKPOINT_WRITE, rows[i].length);

		fake_machine.dr3 = rows[i].breakpoint;
		assert_int_equal(
			breakpoints_met(dr7, BREAKPOINT_WRITE, rows[i].address, rows[i].size),
			rows[i].met ? 8 : 0);
	}
}

static void several(void **state)
{
	uint64_t types = TYPE(0, BREAKPOINT_WRITE, LEN_1) | TYPE(1, BREAKPOINT_WRITE, LEN_1);

	(void)state;
	fake_machine.dr0 = fake_machine.dr1 = 0x5000;
	assert_int_equal(breakpoints_met(types | L(0) | G(1), BREAKPOINT_WRITE, 0x5000, 4), 3);
	assert_int_equal(breakpoints_met(types | G(1), BREAKPOINT_WRITE, 0x5000, 4), 2);
	assert_int_equal(breakpoints_met(types, BREAKPOINT_WRITE, 0x5000, 4), 0);
	assert_false(breakpoints_on(types | 0x400));
	assert_true(breakpoints_on(types | L(0)));
	assert_true(breakpoints_on(types | G(3)));
}

static void pending(void **state)
{
	(void)state;
	fake_vcpu_reset(FAKE_CODE32);
	fake_machine.dr0 = 0x80;
	fake_backend.dr7 = G(0) | TYPE(0, BREAKPOINT_PORT, LEN_1);
	fake_backend.breakpoints = 0;
	breakpoints_check(&fake_vcpu, BREAKPOINT_PORT, 0x80, 1);
	assert_int_equal(fake_backend.breakpoints, 0);
	fake_backend.cr4 |= CR4_DE;
	breakpoints_check(&fake_vcpu, BREAKPOINT_PORT, 0x81, 1);
	assert_int_equal(fake_backend.breakpoints, 0);
	breakpoints_check(&fake_vcpu, BREAKPOINT_PORT, 0x80, 1);
	assert_int_equal(fake_backend.breakpoints, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types),
		cmocka_unit_test(ranges),
		cmocka_unit_test(several),
		cmocka_unit_test(pending),
	};

	return cmocka_run_group_tests_name("breakpoints", tests, NULL, NULL);
}
