/* SPDX-License-Identifier: BSD-2-Clause */
/* Plinth's command line and the strings of modules. */
/* UNITS: kernel/command_line.c kernel/option_parser.c kernel/format.c */
/* UNITS: tests/fake/log.c tests/fake/error.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/address.h"
#include "kernel/command_line.h"
#include "tests/fake/log.h"

static struct options options;
static struct module_options module;

static void good(const char *text)
{
	err_t err = command_line_parse(text, &options);

	if (err)
		fail_msg("'%s' gave: %s", text, err);
}

static void bad(const char *text, const char *expected)
{
	err_t err = command_line_parse(text, &options);

	if (!err || !strstr(err, expected))
		fail_msg("'%s' gave '%s', not '%s'", text, err ? err : "success", expected);
}

static void good_module(const char *text)
{
	err_t err = module_options_parse(text, 3, &module);

	if (err)
		fail_msg("'%s' gave: %s", text, err);
}

static void bad_module(const char *text, const char *expected)
{
	err_t err = module_options_parse(text, 3, &module);

	if (!err || !strstr(err, expected))
		fail_msg("'%s' gave '%s', not '%s'", text, err ? err : "success", expected);
	assert_non_null(module.guest_command_line);
	assert_true(module.name[0]);
}

static void test_defaults(void **state)
{
	(void)state;
	good("");
	assert_true(options.console.serial);
	assert_true(options.console.vga);
	assert_false(options.console.chosen);
	assert_int_equal(options.console.port, 0x3f8);
	assert_int_equal(options.console.baud, 115200);
	assert_string_equal(options.console.raw_vm, "");
	assert_string_equal(options.trace, "");
	assert_int_equal(options.log_level, LOG_INFO);
	assert_int_equal(options.exit_action, EXIT_POWEROFF);
	assert_int_equal(options.report, REPORT_NONE);
}

static void test_console(void **state)
{
	static const struct {
		const char *text;
		bool serial, vga;
		uint16_t port;
		uint32_t baud;
	} rows[] = {
		{"console=com1,115200",       true,  false, 0x3f8,  115200},
		{"console=com2,57600",        true,  false, 0x2f8,  57600 },
		{"console=com3",              true,  false, 0x3e8,  115200},
		{"console=com4,9600",         true,  false, 0x2e8,  9600  },
		{"console=0x1c90,38400",      true,  false, 0x1c90, 38400 },
		{"console=vga",               false, true,  0x3f8,  115200},
		{"console=none",              false, false, 0x3f8,  115200},
		{"console=vga console=com2",  true,  true,  0x2f8,  115200},
		{"console=com1 console=none", false, false, 0x3f8,  115200},
		{"console=vm:a_b-9",          true,  true,  0x3f8,  115200},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		good(rows[i].text);
		assert_int_equal(options.console.serial, rows[i].serial);
		assert_int_equal(options.console.vga, rows[i].vga);
		assert_int_equal(options.console.port, rows[i].port);
		assert_int_equal(options.console.baud, rows[i].baud);
	}
	assert_string_equal(options.console.raw_vm, "a_b-9");
}

static void test_bad_console(void **state)
{
	(void)state;
	bad("console=com5", "must be com1 to com4");
	bad("console=com", "must be com1 to com4");
	bad("console=", "must be com1 to com4");
	bad("console", "has no value; write console=com1,115200|");
	bad("console=com1,", "speed");
	bad("console=com1,115200n8", "speed");
	bad("console=com1,115201", "speed");
	bad("console=com1,0", "speed");
	bad("console=com1,1", "speed");
	bad("console=com10", "only ,SPEED may follow");
	bad("console=0x", "must be com1 to com4");
	bad("console=0xfff9", "I/O port must lie");
	bad("console=0x0", "I/O port must lie");
	bad("console=0x103f8", "I/O port must lie");
	bad("console=vm:", "1 to 31");
	bad("console=vm:Big", "a to z");
	bad("console=vm:0123456789012345678901234567890x", "1 to 31");
	good("console=vm:012345678901234567890123456789x");
	/* What is wrong changes nothing. */
	bad("console=com9 loglevel=debug", "com9");
	assert_true(options.console.serial && options.console.vga && !options.console.chosen);
	assert_int_equal(options.log_level, LOG_DEBUG);
}

static void test_other_options(void **state)
{
	char text[400];

	(void)state;
	good("  trace=cpuid,io\tonexit=halt\r\n loglevel=error ");
	assert_string_equal(options.trace, "cpuid,io");
	assert_int_equal(options.exit_action, EXIT_HALT);
	assert_int_equal(options.log_level, LOG_ERROR);
	good("onexit=reboot loglevel=warn");
	assert_int_equal(options.exit_action, EXIT_REBOOT);
	assert_int_equal(options.log_level, LOG_WARN);

	good("report=vmx");
	assert_int_equal(options.report, REPORT_VMX);
	bad("report=svm", "option 'report=svm': must be vmx");
	assert_int_equal(options.report, REPORT_NONE);
	assert_int_equal(options.check, CHECK_NOTHING);
	good("check=entry");
	assert_int_equal(options.check, CHECK_ENTRY);
	bad("check=exit", "option 'check=exit': must be entry");
	assert_int_equal(options.check, CHECK_NOTHING);
	bad("loglevel=loud", "option 'loglevel=loud': must be error|warn|info|debug");
	bad("onexit=", "must be poweroff|reboot|halt");
	bad("trace=", "has no value; write trace=none|all|CLASS,...");
	bad("trace=all trace=none", "'trace': given more than once");
	bad("verbose", "unknown option 'verbose': there are console=, trace=, trace.out=, "
		       "records=, loglevel=, onexit=, report=, check=");
	bad("TRACE=all", "unknown option 'TRACE=all'");
	bad("--", "unknown option '--'");
	bad("x y onexit=halt z",
	    "unknown option 'x': there are console=, trace=, trace.out=, records=, loglevel=, "
	    "onexit=, report=, check= (and 2 more wrong)");
	assert_int_equal(options.exit_action, EXIT_HALT);

	snprintf(text, sizeof(text), "trace=%0255d", 0);
	good(text);
	assert_int_equal(strlen(options.trace), 255);
	snprintf(text, sizeof(text), "trace=%0256d", 0);
	bad(text, "longer than 255 bytes");
	/* Words are shown whole up to 47 bytes. */
	bad("01234567890123456789012345678901234567890123456",
	    "option '01234567890123456789012345678901234567890123456'");
	bad("012345678901234567890123456789012345678901234567",
	    "option '01234567890123456789012345678901234567890123...'");
	bad("a\x1b[2Jb", "'a?[2Jb'");
}

static void test_words(void **state)
{
	char text[OPTION_TRACE_MAX * 4];

	(void)state;
	/* As GRUB passes them on: "..." around a word with blanks, a backslash before \ ' and ". */
	good("\"trace=a b\"");
	assert_string_equal(options.trace, "a b");
	good("trace='a \"b\\'");
	assert_string_equal(options.trace, "a \"b\\");
	good("trace=a\\\"b\\'c\\\\d\\ e");
	assert_string_equal(options.trace, "a\"b'c\\d e");
	good("trace=\"a\"'b'c\\");
	assert_string_equal(options.trace, "abc\\");
	bad("trace=\"all loglevel=debug", "its quote \" is never closed");
	bad("trace='", "its quote ' is never closed");

	/* The file's own name, from a boot loader that puts it first. */
	good("/boot/plinth onexit=halt");
	assert_int_equal(options.exit_action, EXIT_HALT);
	good("(hd0,1)/boot/plinth");
	bad("onexit=halt /boot/plinth", "unknown option '/boot/plinth'");

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	bad(text, "longer than 511 bytes");
}

static void test_module(void **state)
{
	(void)state;
	good_module("kernel name=linux mem=256M cpus=1 restart=2 -- console=ttyS0");
	assert_int_equal(module.role, MODULE_KERNEL);
	assert_string_equal(module.name, "linux");
	assert_int_equal(module.memory_size, 256 * MIB);
	assert_int_equal(module.cpu_count, 1);
	assert_int_equal(module.restart_count, 2);
	assert_string_equal(module.guest_command_line, "console=ttyS0");

	good_module("/boot/vmlinuz kernel");
	assert_string_equal(module.name, "vm3");
	assert_int_equal(module.memory_size, 64 * MIB);
	assert_int_equal(module.cpu_count, 1);
	assert_int_equal(module.restart_count, 0);
	assert_string_equal(module.guest_command_line, "");

	good_module("initrd");
	assert_int_equal(module.role, MODULE_INITRD);
	good_module("initrd --");

	bad_module("", "neither 'kernel' nor 'initrd'");
	bad_module("name=x", "neither");
	assert_string_equal(module.name, "x");
	bad_module("kernel initrd", "both");
	bad_module("initrd mem=1M", "takes no options");
	assert_int_equal(module.role, MODULE_INITRD);
	bad_module("initrd -- x", "takes no options");
	bad_module("kernel kernel", "given more than once");
	bad_module("kernel=1", "takes no value");
	bad_module("kernel console=ttyS0", "unknown option 'console=ttyS0': there are kernel, "
					   "initrd, name=, mem=, cpus=, restart=, watchdog=");
	bad_module("kernel name=a name=b", "has a name already");
	bad_module("kernel name=", "1 to 31");
	bad_module("kernel name=A", "a to z");
	bad_module("kernel cpus=2", "option 'cpus=2': must be 1: a VM has one CPU");
	bad_module("kernel cpus=0", "option 'cpus=0'");
	bad_module("kernel cpus=one", "not a number");
	bad_module("kernel restart=1000001", "at most 1000000");
	bad_module("kernel watchdog=86401", "at most 86400");
	good_module("kernel watchdog=5");
	assert_int_equal(module.watchdog_seconds, 5);
	bad_module("kernel restart=18446744073709551616", "not a number");
	bad_module("kernel restart=4294967296", "at most 1000000");
}

static void test_guest_command_line(void **state)
{
	static const struct {
		const char *text, *rest;
	} rows[] = {
		{"kernel -- a",                               "a"                              },
		{"kernel --  a  b ",                          " a  b "                         },
		{"kernel --",				 ""                               },
		{"kernel -- ",				""                               },
		{"kernel -- -- x",                            "-- x"                           },
		{"kernel -- \"a b\" c\\\\d name=x 'unclosed", "\"a b\" c\\\\d name=x 'unclosed"},
		{"kernel\t--\t\x01\xff",                      "\x01\xff"                       },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		good_module(rows[i].text);
		assert_string_equal(module.guest_command_line, rows[i].rest);
	}
	bad_module("kernel --x", "unknown option '--x'");
	bad_module("kernel \"--\" x", "unknown option '--'");
}

static void test_sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t size;
	} rows[] = {
		{"kernel mem=1M",       MIB       },
                {"kernel mem=1m",       MIB       },
		{"kernel mem=1024K",    MIB       },
                {"kernel mem=1048576",  MIB       },
		{"kernel mem=0x100000", MIB       },
                {"kernel mem=0x40M",    64 * MIB  },
		{"kernel mem=2g",       2 * GIB   },
                {"kernel mem=1024G",    1024 * GIB},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		good_module(rows[i].text);
		assert_int_equal(module.memory_size, rows[i].size);
	}
	bad_module("kernel mem=0", "between 1M and 1024G");
	bad_module("kernel mem=1025G", "between 1M and 1024G");
	bad_module("kernel mem=1023K", "between 1M and 1024G");
	bad_module("kernel mem=1048577", "multiple of 4K");
	bad_module("kernel mem=", "not a size");
	bad_module("kernel mem=M", "not a size");
	bad_module("kernel mem=64MB", "not a size");
	bad_module("kernel mem=64T", "not a size");
	bad_module("kernel mem=-1", "not a size");
	bad_module("kernel mem=0x", "not a size");
	bad_module("kernel mem=17179869184G", "not a size");
	bad_module("kernel mem=18446744073709551615K", "not a size");
	bad_module("kernel mem=99999999999999999999", "not a size");
	assert_int_equal(module.memory_size, 64 * MIB);
}

static void test_records(void **state)
{
	(void)state;
	good("trace=all+cpl,-io");
	assert_int_equal(options.trace_output, TRACE_CONSOLE);
	assert_int_equal(options.records, 1024);
	good("trace.out=com2 records=0");
	assert_int_equal(options.trace_output, TRACE_COM2);
	assert_int_equal(options.records, 0);
	good("trace.out=ring records=0x100000");
	assert_int_equal(options.trace_output, TRACE_RING);
	assert_int_equal(options.records, 0x100000);
	good("trace.out=console records=1");
	assert_int_equal(options.records, 1);
	bad("trace.out=com1", "option 'trace.out=com1': must be console|com2|ring");
	bad("records=1000", "option 'records=1000': must be 0 or a power of two, of up to 1048576");
	assert_int_equal(options.records, 1024);
	bad("records=2097152", "power of two, of up to 1048576");
	bad("records=64k", "power of two");
	bad("records=", "power of two");
	bad("records=99999999999999999999", "power of two");
}

static void test_help(void **state)
{
	(void)state;
	fake_log_reset();
	command_line_log_help();
	module_options_log_help();
	assert_int_equal(fake_log_count(), 15);
	assert_true(fake_log_contains("  onexit=poweroff|reboot|halt: what to do"));
	assert_true(fake_log_contains("  initrd: this module"));
	assert_true(fake_log_contains("  mem=SIZE: the VM's memory"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_console),
		cmocka_unit_test(test_bad_console),
		cmocka_unit_test(test_other_options),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_module),
		cmocka_unit_test(test_guest_command_line),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests_name("command_line", tests, NULL, NULL);
}
