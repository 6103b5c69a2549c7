/* SPDX-License-Identifier: BSD-2-Clause */
/* Plinth's own command line, and the strings of the modules that GRUB loaded: the tables of
 * options. */
#include "kernel/command_line.h"

#include "kernel/address.h"
#include "kernel/format.h"
#include "kernel/option_parser.h"
#include "kernel/string.h"

#define DEFAULT_MEMORY (64 * MIB)
#define DEFAULT_PORT   0x3f8
#define DEFAULT_BAUD   115200u
#define RECORDS_MAX    0x100000u

static const struct option_choice log_levels[] = {
	{"error", LOG_ERROR},
        {"warn",  LOG_WARN },
        {"info",  LOG_INFO },
	{"debug", LOG_DEBUG},
        {NULL,    0        },
};

static const struct option_choice exit_actions[] = {
	{"poweroff", EXIT_POWEROFF},
	{"reboot",   EXIT_REBOOT  },
	{"halt",     EXIT_HALT    },
	{NULL,       0            },
};

static const struct option_choice reports[] = {
	{"vmx", REPORT_VMX},
	{NULL,  0         },
};

static const struct option_choice checks[] = {
	{"entry", CHECK_ENTRY},
	{NULL,    0          },
};

static const struct option_choice trace_outputs[] = {
	{"console", TRACE_CONSOLE},
	{"com2",    TRACE_COM2   },
	{"ring",    TRACE_RING   },
	{NULL,      0            },
};

static const char *skip_prefix(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(text, prefix, length) ? NULL : text + length;
}

/* Names go into log prefixes and command lines: a small alphabet keeps them unmistakable. */
static err_t check_name(const char *name)
{
	size_t length = strnlen(name, OPTION_NAME_MAX);

	if (length == 0 || length == OPTION_NAME_MAX)
		return error("a VM's name has 1 to %u characters", OPTION_NAME_MAX - 1);
	for (size_t i = 0; i < length; i++) {
		char c = name[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '-')
			return "a VM's name consists of a to z, 0 to 9, '_' and '-'";
	}
	return NULL;
}

static err_t parse_name(const char *value, void *target)
{
	struct module_options *options = target;
	err_t err = check_name(value);

	if (err)
		return err;
	if (options->name[0])
		return "the VM has a name already";
	memcpy(options->name, value, strlen(value) + 1);
	return NULL;
}

static err_t parse_baud(const char *text, uint32_t *baud)
{
	const char *end;
	uint64_t value;

	/* A 16550 divides 115200 by a 16-bit number. */
	if (!option_number(text, &value, &end) || *end || value < 2 || value > 115200 ||
	    115200 % value)
		return "the speed must be 115200 or a divisor of it, such as 57600 or 9600";
	*baud = (uint32_t)value;
	return NULL;
}

static err_t parse_serial(const char *value, struct console_options *console)
{
	static const uint16_t com_ports[] = {0x3f8, 0x2f8, 0x3e8, 0x2e8};
	const char *p = skip_prefix(value, "com");
	uint32_t baud = DEFAULT_BAUD;
	uint64_t port;

	if (p && *p >= '1' && *p <= '4') {
		port = com_ports[*p - '1'];
		p++;
	} else if (!skip_prefix(value, "0x") || !option_number(value, &port, &p)) {
		return "must be com1 to com4 or an I/O port such as 0x3f8 (either with ,SPEED), "
		       "vga, none or vm:NAME";
	}
	if (port == 0 || port > 0xfff8)
		return "the I/O port must lie between 0x1 and 0xfff8";
	if (*p == ',') {
		err_t err = parse_baud(p + 1, &baud);

		if (err)
			return err;
	} else if (*p) {
		return "after the port only ,SPEED may follow, such as com1,115200";
	}
	console->serial = true;
	console->port = (uint16_t)port;
	console->baud = baud;
	return NULL;
}

static err_t parse_device(const char *value, struct console_options *console)
{
	if (!console->chosen)
		console->serial = console->vga = false;
	if (!strcmp(value, "none"))
		console->serial = console->vga = false;
	else if (!strcmp(value, "vga"))
		console->vga = true;
	else
		return parse_serial(value, console);
	return NULL;
}

static err_t parse_console(const char *value, void *target)
{
	struct console_options *console = &((struct options *)target)->console;
	struct console_options changed = *console;
	const char *name = skip_prefix(value, "vm:");
	err_t err = name ? check_name(name) : parse_device(value, &changed);

	if (err)
		return err;
	if (name) {
		memcpy(console->raw_vm, name, strlen(name) + 1);
		return NULL;
	}
	changed.chosen = true;
	*console = changed;
	return NULL;
}

static err_t parse_records(const char *value, void *target)
{
	const char *end;
	uint64_t records;

	if (!option_number(value, &records, &end) || *end || records > RECORDS_MAX ||
	    records & (records - 1))
		return error("must be 0 or a power of two, of up to %u", RECORDS_MAX);
	((struct options *)target)->records = (unsigned)records;
	return NULL;
}

/* clang-format 14 muddles, or crashes on, rows of unequal length. */
/* clang-format off */

static const struct option_row host_rows[] = {
	{
		.name = "console",
		.kind = OPTION_CUSTOM,
		.syntax = "com1,115200|com2,...|0x3f8,...|vga|none|vm:NAME",
		.help = "where output goes (may be repeated), and which VM has the raw console",
		.parse = parse_console,
	},
	{
		.name = "trace",
		.kind = OPTION_TEXT,
		.syntax = "none|all|CLASS,...",
		.help = "which VM exits are traced; CLASS+cpl tells the privilege level too, -CLASS leaves one out",
		.offset = offsetof(struct options, trace),
		.max = OPTION_TRACE_MAX,
	},
	{
		.name = "trace.out",
		.kind = OPTION_CHOICE,
		.syntax = "console|com2|ring",
		.help = "where they go: lines on the console, binary records to COM2, or nowhere but memory (console)",
		.offset = offsetof(struct options, trace_output),
		.choices = trace_outputs,
	},
	{
		.name = "records",
		.kind = OPTION_CUSTOM,
		.syntax = "COUNT",
		.help = "how many exits are kept in memory, of each CPU: a power of two, or 0 for none (1024)",
		.parse = parse_records,
	},
	{
		.name = "loglevel",
		.kind = OPTION_CHOICE,
		.syntax = "error|warn|info|debug",
		.help = "which lines of Plinth itself are shown (info)",
		.offset = offsetof(struct options, log_level),
		.choices = log_levels,
	},
	{
		.name = "onexit",
		.kind = OPTION_CHOICE,
		.syntax = "poweroff|reboot|halt",
		.help = "what to do when all VMs have ended (poweroff)",
		.offset = offsetof(struct options, exit_action),
		.choices = exit_actions,
	},
	{
		.name = "report",
		.kind = OPTION_CHOICE,
		.syntax = "vmx",
		.help = "run no guest, but tell bit by bit what the processor's VMX can do",
		.offset = offsetof(struct options, report),
		.choices = reports,
	},
	{
		.name = "check",
		.kind = OPTION_CHOICE,
		.syntax = "entry",
		.help = "check the SDM's rules before each VM entry, and stop a VM that breaks one (slow)",
		.offset = offsetof(struct options, check),
		.choices = checks,
	},
};

enum module_row { ROW_KERNEL, ROW_INITRD, ROW_NAME, ROW_MEM, ROW_CPUS, ROW_RESTART, ROW_WATCHDOG };

static const struct option_row module_rows[] = {
	[ROW_KERNEL] = {
		.name = "kernel",
		.kind = OPTION_WORD,
		.help = "this module is what a VM of its own starts with",
	},
	[ROW_INITRD] = {
		.name = "initrd",
		.kind = OPTION_WORD,
		.help = "this module is the initial RAM disk of the VM named before it",
	},
	[ROW_NAME] = {
		.name = "name",
		.kind = OPTION_CUSTOM,
		.syntax = "NAME",
		.help = "what the VM is called (vm0, vm1, ...)",
		.parse = parse_name,
	},
	[ROW_MEM] = {
		.name = "mem",
		.kind = OPTION_SIZE,
		.syntax = "SIZE",
		.help = "the VM's memory, with K, M or G (64M)",
		.offset = offsetof(struct module_options, memory_size),
		.min = MIB,
		.max = 1024 * GIB,
		.unit = PAGE_SIZE,
	},
	[ROW_CPUS] = {
		.name = "cpus",
		.kind = OPTION_NUMBER,
		.syntax = "1",
		.help = "how many CPUs the VM has; one, for now",
		.offset = offsetof(struct module_options, cpu_count),
		.min = 1,
		.max = 1,
		.limit = ": a VM has one CPU, more are not supported yet",
	},
	[ROW_RESTART] = {
		.name = "restart",
		.kind = OPTION_NUMBER,
		.syntax = "COUNT",
		.help = "how many times a VM that did not pass (crash, reset, other status) is started again (0)",
		.offset = offsetof(struct module_options, restart_count),
		.max = 1000000,
	},
	[ROW_WATCHDOG] = {
		.name = "watchdog",
		.kind = OPTION_NUMBER,
		.syntax = "SECONDS",
		.help = "stop a VM that does nothing which the host notices for so long (0: never)",
		.offset = offsetof(struct module_options, watchdog_seconds),
		.max = 86400,
	},
};

/* clang-format on */

_Static_assert(ARRAY_COUNT(host_rows) <= OPTION_ROWS_MAX, "one bit a row");
_Static_assert(ARRAY_COUNT(module_rows) <= OPTION_ROWS_MAX, "one bit a row");
_Static_assert(sizeof(enum trace_output) == sizeof(unsigned), "OPTION_CHOICE stores an unsigned");
_Static_assert(sizeof(enum log_level) == sizeof(unsigned), "OPTION_CHOICE stores an unsigned");
_Static_assert(sizeof(enum report) == sizeof(unsigned), "OPTION_CHOICE stores an unsigned");
_Static_assert(sizeof(enum check) == sizeof(unsigned), "OPTION_CHOICE stores an unsigned");
_Static_assert(sizeof(enum exit_action) == sizeof(unsigned), "OPTION_CHOICE stores an unsigned");

err_t command_line_parse(const char *text, struct options *options)
{
	uint32_t given;

	*options = (struct options){
		.console = {.serial = true,
			    .port = DEFAULT_PORT,
			    .baud = DEFAULT_BAUD,
			    .vga = true},
		.trace_output = TRACE_CONSOLE,
		.records = OPTION_RECORDS_DEFAULT,
		.log_level = LOG_INFO,
		.exit_action = EXIT_POWEROFF,
	};
	return options_parse(host_rows, ARRAY_COUNT(host_rows), text, options, &given, NULL);
}

/* What a word alone cannot tell: whether the words fit together. */
static err_t check_module(uint32_t given, const struct module_options *options)
{
	const uint32_t kernel = 1u << ROW_KERNEL;
	const uint32_t initrd = 1u << ROW_INITRD;

	if (!(given & (kernel | initrd)))
		return "the module's string says neither 'kernel' nor 'initrd': write, for "
		       "instance, "
		       "module2 FILE kernel name=linux mem=256M -- console=ttyS0";
	if ((given & (kernel | initrd)) == (kernel | initrd))
		return "the module's string says both 'kernel' and 'initrd': it can be only one";
	if (given & initrd && (given & ~initrd || *options->guest_command_line))
		return "an initrd takes no options and no command line: give them to its kernel";
	return NULL;
}

err_t module_options_parse(const char *text, unsigned vm_number, struct module_options *options)
{
	uint32_t given;
	err_t err;

	*options = (struct module_options){
		.role = MODULE_KERNEL,
		.memory_size = DEFAULT_MEMORY,
		.cpu_count = 1,
	};
	err = options_parse(module_rows, ARRAY_COUNT(module_rows), text, options, &given,
			    &options->guest_command_line);
	if (given & 1u << ROW_INITRD && !(given & 1u << ROW_KERNEL))
		options->role = MODULE_INITRD;
	if (!options->name[0])
		format(options->name, sizeof(options->name), "vm%u", vm_number);
	return err ? err : check_module(given, options);
}

void command_line_log_help(void)
{
	options_log_help(host_rows, ARRAY_COUNT(host_rows));
}

void module_options_log_help(void)
{
	options_log_help(module_rows, ARRAY_COUNT(module_rows));
}
