/* SPDX-License-Identifier: BSD-2-Clause */
/* Plinth's own command line, and the strings of the modules that GRUB loaded. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/error.h"
#include "kernel/log.h"

#define OPTION_NAME_MAX  32 /* a VM's name, with its terminator */
#define OPTION_TRACE_MAX 256

/* What the machine does when every VM has ended. */
enum exit_action { EXIT_POWEROFF, EXIT_REBOOT, EXIT_HALT };

/* What is told instead of running guests. */
enum report { REPORT_NONE, REPORT_VMX };

/* What Plinth checks that a run does not need. */
enum check { CHECK_NOTHING, CHECK_ENTRY };

/* Where the exits go that trace= chooses. */
enum trace_output { TRACE_CONSOLE, TRACE_COM2, TRACE_RING };

#define OPTION_RECORDS_DEFAULT 1024u

/* Where Plinth and the guest of the raw console are seen. */
struct console_options {
	bool chosen; /* by the command line, not by default */
	bool serial;
	uint16_t port; /* I/O port of the 16550; 3f8h is COM1 */
	uint32_t baud;
	bool vga;
	char raw_vm[OPTION_NAME_MAX]; /* the VM that has the raw console; "": the first */
};

struct options {
	struct console_options console;
	char trace[OPTION_TRACE_MAX]; /* "all", "none" or CLASS,...; "": not given */
	enum trace_output trace_output;
	unsigned records; /* kept of each CPU's exits: a power of two, or 0 */
	enum log_level log_level;
	enum exit_action exit_action;
	enum report report;
	enum check check;
};

/*
 * Parses `console=... trace=... trace.out=... records=... loglevel=... onexit=... report=...
 * check=...`. Options not given have their defaults: COM1 at 115200 and VGA, the console, 1024,
 * info, power off, no report, no checks. console= may come several times: the first that names a
 * device replaces the default, the rest add. A wrong option is left out and the rest still counts;
 * the error names the first, and how many more there are.
 */
err_t command_line_parse(const char *text, struct options *options) CHECKED;

enum module_role { MODULE_KERNEL, MODULE_INITRD };

struct module_options {
	enum module_role role;
	char name[OPTION_NAME_MAX]; /* [a-z0-9_-]; unique is for the caller to see to */
	uint64_t memory_size;       /* bytes, whole pages */
	unsigned cpu_count;
	unsigned restart_count;    /* how many times the VM may be restarted */
	unsigned watchdog_seconds; /* without a sign of life, until the VM is stopped; 0: never */
	const char *guest_command_line; /* inside the parsed text, byte for byte; never NULL */
};

/*
 * Parses `kernel name=linux mem=256M cpus=1 restart=0 -- console=ttyS0` or `initrd`. `vm_number`
 * makes the name of a VM that has none: vm0, vm1 and so on. On an error role and name are as far as
 * known, so that the VM can be named; it must not be started.
 */
err_t module_options_parse(const char *text, unsigned vm_number,
			   struct module_options *options) CHECKED;

/* Writes one line to the log for each option that exists, with its help. */
void command_line_log_help(void);
void module_options_log_help(void);
