/* SPDX-License-Identifier: BSD-2-Clause */
/* General registers by index and width. */
/* UNITS: arch/x86_64/registers.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/registers.h"

#define PATTERN 0x1122334455667788ull

static void test_order(void **state)
{
	struct general_registers regs = {
		.rax = 0, .rcx = 1, .rdx = 2, .rbx = 3, .rsp = 4, .r15 = 15};

	(void)state;
	assert_int_equal(regs.by_index[REG_RBX], 3);
	assert_int_equal(regs.by_index[REG_RSP], 4);
	assert_int_equal(regs.by_index[REG_R15], 15);
	assert_int_equal(offsetof(struct general_registers, r8), 64);
}

static void test_read(void **state)
{
	struct general_registers regs = {.rdi = PATTERN};

	(void)state;
	assert_int_equal(register_read(&regs, REG_RDI, 1), 0x88);
	assert_int_equal(register_read(&regs, REG_RDI, 2), 0x7788);
	assert_int_equal(register_read(&regs, REG_RDI, 4), 0x55667788);
	assert_int_equal(register_read(&regs, REG_RDI, 8), PATTERN);
}

static void test_write(void **state)
{
	static const struct {
		unsigned size;
		uint64_t expected;
	} cases[] = {
		{1, 0x11223344556677aaull},
		{2, 0x112233445566bbaaull},
		{4, 0x00000000ddccbbaaull}, /* clears the upper half */
		{8, 0x99887766ddccbbaaull},
	};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		for (unsigned index = 0; index < REG_COUNT; index++) {
			struct general_registers regs;

			for (unsigned j = 0; j < REG_COUNT; j++)
				regs.by_index[j] = PATTERN;
			register_write(&regs, index, cases[i].size, 0x99887766ddccbbaaull);
			for (unsigned j = 0; j < REG_COUNT; j++)
				assert_int_equal(regs.by_index[j],
						 j == index ? cases[i].expected : PATTERN);
		}
	}
}

static void test_legacy_bytes(void **state)
{
	struct general_registers regs = {.rax = PATTERN, .rbx = PATTERN, .rsp = 5, .rdi = 7};

	(void)state;
	assert_int_equal(register_read_legacy8(&regs, 0), 0x88);
	assert_int_equal(register_read_legacy8(&regs, 4), 0x77);
	assert_int_equal(register_read_legacy8(&regs, 7), 0x77);
	register_write_legacy8(&regs, 4, 0xaa); /* AH */
	assert_int_equal(regs.rax, 0x112233445566aa88ull);
	register_write_legacy8(&regs, 0, 0xbb); /* AL */
	assert_int_equal(regs.rax, 0x112233445566aabbull);
	register_write_legacy8(&regs, 7, 0xcc); /* BH */
	assert_int_equal(regs.rbx, 0x112233445566cc88ull);
	assert_int_equal(regs.rsp, 5);
	assert_int_equal(regs.rdi, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_legacy_bytes),
	};

	return cmocka_run_group_tests_name("registers", tests, NULL, NULL);
}
