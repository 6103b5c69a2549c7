/* SPDX-License-Identifier: BSD-2-Clause */
/* The lists of what was most frequent in a VM's records. */
/* UNITS: trace/top.c trace/ring.c arch/x86_64/msr.c arch/x86_64/cpuid.c kernel/format.c */
/* UNITS: tests/fake/host_cpuid.c tests/fake/physical.c tests/fake/direct_map.c */
/* UNITS: tests/fake/log.c tests/fake/error.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include "arch/x86_64/msr.h"
#include "arch/x86_64/vmx.h"
#include "tests/fake/host_cpuid.h"
#include "tests/fake/log.h"
#include "tests/fake/physical.h"
#include "trace/top.h"

static struct exit_ring *ring;

static void make(uint32_t records)
{
	static const struct ring_info info = {.tsc_hz = 1, .command_line = ""};

	fake_physical_reset();
	assert_null(ring_create(0, records, &info, &ring));
	ring_vm_started(ring, 1, 0, "one", 0);
}

static int setup(void **state)
{
	(void)state;
	host_cpuid_reset();
	fake_log_reset();
	make(1024);
	return 0;
}

static void add(unsigned vm, uint16_t reason, uint64_t rip, uint64_t qualification, uint64_t detail)
{
	*ring_next(ring) = (struct exit_record){
		.reason = reason,
		.vm = (uint8_t)vm,
		.rip = rip,
		.qualification = qualification,
		.detail = {detail},
	};
}

static void each_kind_has_a_line(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5; i++)
		add(1, VMX_EXIT_IO_INSTRUCTION, 0x1000, 0x3f80000 | (i & 1 ? 8 : 0), 0);
	add(1, VMX_EXIT_IO_INSTRUCTION, 0x1001, 0x800000, 0);
	add(1, VMX_EXIT_RDMSR, 0x1002, IA32_EFER, 0);
	add(1, VMX_EXIT_WRMSR, 0x1002, IA32_EFER, 0);
	add(1, VMX_EXIT_RDMSR, 0x1003, 0x12345, 0);
	add(1, VMX_EXIT_CPUID, 0x1004, 7 | 1ull << 32, 0);
	add(1, VMX_EXIT_EPT_VIOLATION, 0x1005, 1, 0xfee00010);
	add(1, VMX_EXIT_EPT_VIOLATION, 0x1006, 2, 0xfee00320);
	/* Another VM's do not count. */
	add(2, VMX_EXIT_CPUID, 0x1004, 99, 0);
	top_print(ring, 1, "one");
	assert_int_equal(fake_log_count(), 5);
	assert_string_equal(fake_log_text(0), "plinth[one]:   top ports   3f8 x5  80 x1");
	assert_string_equal(fake_log_text(1), "plinth[one]:   top MSRs    IA32_EFER x2  12345 x1");
	assert_string_equal(fake_log_text(2), "plinth[one]:   top leaves  7.1 x1");
	assert_string_equal(fake_log_text(3), "plinth[one]:   top pages   fee00000 x2");
	assert_string_equal(fake_log_text(4), "plinth[one]:   top RIPs    1000 x5  1002 x2");
}

static void nothing_is_said_of_nothing(void **state)
{
	(void)state;
	top_print(ring, 1, "one");
	add(1, VMX_EXIT_HLT, 0x1000, 0, 0);
	top_print(ring, 1, "one");
	assert_int_equal(fake_log_count(), 0);
}

/* Frequent ones among very many others are found, with their exact counts; equals in order. */
static void a_needle_in_a_haystack(void **state)
{
	(void)state;
	make(16384);
	for (unsigned i = 0; i < 12000; i++) {
		add(1, VMX_EXIT_IO_INSTRUCTION, i, (uint64_t)i << 16, 0);
		if (i % 10 == 0)
			add(1, VMX_EXIT_IO_INSTRUCTION, i, 0xfff10000, 0);
		if (i % 20 == 0)
			add(1, VMX_EXIT_IO_INSTRUCTION, i, 0xfff00000, 0);
	}
	top_print(ring, 1, "one");
	assert_non_null(strstr(fake_log_text(0), "top ports   fff1 x1200  fff0 x600  "));
}

/* Only six fit, the smallest of equals first; those from before a VM's start do not count. */
static void six_and_no_more(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++)
		add(1, VMX_EXIT_IO_INSTRUCTION, 0x5000, 0x700000, 0);
	ring_vm_started(ring, 1, 0, "one", 5);
	for (unsigned i = 0; i < 20; i++)
		add(1, VMX_EXIT_IO_INSTRUCTION, 0x2000 + i, (uint64_t)(9 - i % 10) << 16, 0);
	top_print(ring, 1, "one");
	assert_int_equal(fake_log_count(), 1);
	assert_string_equal(fake_log_text(0),
			    "plinth[one]:   top ports   0 x2  1 x2  2 x2  3 x2  4 x2  5 x2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_kind_has_a_line, setup),
		cmocka_unit_test_setup(nothing_is_said_of_nothing, setup),
		cmocka_unit_test_setup(a_needle_in_a_haystack, setup),
		cmocka_unit_test_setup(six_and_no_more, setup),
	};

	return cmocka_run_group_tests_name("what is most frequent", tests, NULL, NULL);
}
