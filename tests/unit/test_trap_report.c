/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel/trap_report.c: exceptions of the host in words. */
/* UNITS: kernel/trap_report.c tests/fake/log.c kernel/format.c */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/instructions.h"
#include "kernel/cpu.h"
#include "kernel/symbols.h"
#include "kernel/trap_report.h"
#include "tests/fake/log.h"

#define STACK_BOTTOM 0xfffffe8000010000ull
#define STACK_TOP    0xfffffe8000018000ull

static struct cpu cpu = {.index = 3};

bool cpu_stack_contains(uint64_t address, uint64_t size)
{
	return address >= STACK_BOTTOM && address < STACK_TOP && size <= STACK_TOP - address;
}

const char *symbol_text(uint64_t address, char buffer[SYMBOL_TEXT_MAX])
{
	snprintf(buffer, SYMBOL_TEXT_MAX, "<%llx>", (unsigned long long)address);
	return buffer;
}

static void assert_described(uint64_t vector, uint64_t code, uint64_t cr2, const char *wanted)
{
	struct trap_frame frame = {
		.vector = vector,
		.error_code = code,
		.rip = 0x77,
		.rsp = STACK_BOTTOM + 0x10,
	};
	char text[256];

	fake_machine_reset();
	fake_machine.cr2 = cr2;
	trap_describe(&frame, text, sizeof(text));
	assert_string_equal(text, wanted);
}

static void test_page_faults(void **state)
{
	(void)state;
	assert_described(14, 0, 0x10,
			 "#PF page fault (error 0x0): read of 0x10, the page is not mapped; "
			 "a null pointer, at <77>");
	assert_described(14, 3, 0x123000,
			 "#PF page fault (error 0x3): write to 0x123000, the page does not allow "
			 "it, at <77>");
	assert_described(14, 0x11, 0x123000,
			 "#PF page fault (error 0x11): execution of 0x123000, the page does not "
			 "allow it, at <77>");
	assert_described(14, 9, 0x123000,
			 "#PF page fault (error 0x9): read of 0x123000, a page-table entry has a "
			 "reserved bit set, at <77>");
}

static void test_selectors(void **state)
{
	(void)state;
	assert_described(13, 0, 0, "#GP general protection (error 0), at <77>");
	assert_described(13, 0x28, 0,
			 "#GP general protection (error 0x28): GDT entry 0x5, at <77>");
	assert_described(11, 0x2c, 0,
			 "#NP segment not present (error 0x2c): LDT entry 0x5, at <77>");
	assert_described(13, 0x103, 0,
			 "#GP general protection (error 0x103): IDT entry 0x20, by an external "
			 "event, at <77>");
}

static void test_double_faults(void **state)
{
	(void)state;
	assert_described(8, 0, STACK_BOTTOM - 8,
			 "#DF double fault: stack overflow, the guard page at 0xfffffe800000f000 "
			 "was hit, at <77>");
	assert_described(8, 0, 0x5000, "#DF double fault: CR2 is 0x5000, at <77>");
	assert_described(8, 0, STACK_BOTTOM - 0x1001,
			 "#DF double fault: CR2 is 0xfffffe800000efff, at <77>");
	assert_described(8, 0, UINT64_MAX, "#DF double fault: CR2 is 0xffffffffffffffff, at <77>");
}

static void test_others(void **state)
{
	(void)state;
	assert_described(6, 0, 0, "#UD invalid opcode, at <77>");
	assert_described(18, 0, 0, "#MC machine check, at <77>");
	assert_described(17, 0, 0, "#AC alignment check, at <77>");
	assert_described(21, 1, 0, "#CP control protection (error 0x1), at <77>");
	assert_described(9, 0, 0, "exception 9 (reserved), at <77>");
	assert_described(31, 0, 0, "exception 31 (reserved), at <77>");
}

static void test_short_buffer(void **state)
{
	struct trap_frame frame = {.vector = 14};
	char text[8];

	(void)state;
	trap_describe(&frame, text, sizeof(text));
	assert_string_equal(text, "#PF pag");
}

static void test_registers(void **state)
{
	struct trap_frame frame = {.vector = 6, .rip = 0x77, .rsp = 0x88};

	(void)state;
	fake_machine_reset();
	fake_log_reset();
	fake_machine.gs_self = &cpu;
	fake_machine.cr3 = 0x9000;
	for (unsigned i = 0; i < REG_COUNT; i++)
		frame.regs.by_index[i] = 0x1000 + i;
	trap_log_registers(&frame);
	assert_int_equal(fake_log_count(), 6);
	assert_true(fake_log_contains("rbx 0000000000001003"));
	assert_true(fake_log_contains("rsp 0000000000000088"));
	assert_true(fake_log_contains("r15 000000000000100f"));
	assert_true(fake_log_contains("cr3 0000000000009000"));
	assert_true(fake_log_contains("cpu 3"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page_faults),   cmocka_unit_test(test_selectors),
		cmocka_unit_test(test_double_faults), cmocka_unit_test(test_others),
		cmocka_unit_test(test_short_buffer),  cmocka_unit_test(test_registers),
	};

	return cmocka_run_group_tests_name("trap_report", tests, NULL, NULL);
}
