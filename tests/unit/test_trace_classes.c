/* SPDX-License-Identifier: BSD-2-Clause */
/* The classes of trace=: which reasons a list chooses, and what it says to a wrong one. */
/* UNITS: trace/classes.c kernel/format.c tests/fake/error.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include "arch/x86_64/vmx.h"
#include "trace/classes.h"

static struct trace_classes classes;

static void good(const char *text)
{
	err_t err = trace_classes_parse(text, &classes);

	if (err)
		fail_msg("'%s': %s", text, err);
}

static void bad(const char *text, const char *message)
{
	err_t err = trace_classes_parse(text, &classes);

	if (!err || !strstr(err, message))
		fail_msg("'%s' gave '%s', not '%s'", text, err ? err : "no error", message);
}

static unsigned chosen(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < EXIT_REASONS; i++)
		count += classes.by_reason[i] != 0;
	return count;
}

static void all_and_none(void **state)
{
	(void)state;
	good("");
	assert_int_equal(chosen(), 0);
	good("all");
	assert_int_equal(chosen(), EXIT_REASONS);
	assert_int_equal(classes.by_reason[EXIT_REASONS - 1], TRACE_CHOSEN);
	good("none");
	assert_int_equal(chosen(), 0);
	good("all,none,io");
	assert_int_equal(chosen(), 1);
}

static void some(void **state)
{
	(void)state;
	good("cpuid,msr");
	assert_int_equal(chosen(), 3);
	assert_int_equal(classes.by_reason[VMX_EXIT_CPUID], TRACE_CHOSEN);
	assert_int_equal(classes.by_reason[VMX_EXIT_RDMSR], TRACE_CHOSEN);
	assert_int_equal(classes.by_reason[VMX_EXIT_WRMSR], TRACE_CHOSEN);
	good("msr,io,");
	assert_int_equal(chosen(), 3);
	good("all,-io,-msr");
	assert_int_equal(chosen(), EXIT_REASONS - 3);
	assert_int_equal(classes.by_reason[VMX_EXIT_IO_INSTRUCTION], 0);
	good("io,-all,cr");
	assert_int_equal(chosen(), 1);
	assert_int_equal(classes.by_reason[VMX_EXIT_CR_ACCESS], TRACE_CHOSEN);
}

static void privilege(void **state)
{
	(void)state;
	good("all+cpl");
	for (unsigned i = 0; i < EXIT_REASONS; i++)
		assert_int_equal(classes.by_reason[i], TRACE_CHOSEN | TRACE_CPL);
	good("io,msr+cpl,hlt");
	assert_int_equal(classes.by_reason[VMX_EXIT_IO_INSTRUCTION], TRACE_CHOSEN);
	assert_int_equal(classes.by_reason[VMX_EXIT_RDMSR], TRACE_CHOSEN | TRACE_CPL);
	assert_int_equal(classes.by_reason[VMX_EXIT_WRMSR], TRACE_CHOSEN | TRACE_CPL);
	assert_int_equal(classes.by_reason[VMX_EXIT_HLT], TRACE_CHOSEN);
	good("all,msr+cpl");
	assert_int_equal(classes.by_reason[VMX_EXIT_CPUID], TRACE_CHOSEN);
	assert_int_equal(classes.by_reason[VMX_EXIT_RDMSR], TRACE_CHOSEN | TRACE_CPL);
	good("all+cpl,-io,io");
	assert_int_equal(classes.by_reason[VMX_EXIT_IO_INSTRUCTION], TRACE_CHOSEN);
}

static void wrong(void **state)
{
	(void)state;
	bad("teapot",
	    "there is no class \"teapot\"; the classes are all, none, exception, interrupt, cpuid");
	bad("cpuid,teapot,io", "\"teapot\"");
	assert_int_equal(chosen(), 1);
	bad("IO", "\"IO\"");
	bad("io,,msr", "\"\"");
	bad("-", "\"-\"");
	bad("+cpl", "\"+cpl\"");
	bad("io+CPL", "\"io+CPL\"");
	bad("io+cpl+cpl", "\"io+cpl+cpl\"");
	bad("-io+cpl", "\"-io+cpl\"");
	bad("none+cpl", "\"none+cpl\"");
	bad("-none", "\"-none\"");
	bad("i", "\"i\"");
	bad("0123456789012345678901234567890123456789X",
	    "\"0123456789012345678901234567890123456789\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_and_none),
		cmocka_unit_test(some),
		cmocka_unit_test(privilege),
		cmocka_unit_test(wrong),
	};

	return cmocka_run_group_tests_name("classes of exits", tests, NULL, NULL);
}
