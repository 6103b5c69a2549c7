/* SPDX-License-Identifier: BSD-2-Clause */
/* Hostile command lines and strings of modules: an error in words, or values inside their limits.
 */
/* UNITS: kernel/command_line.c kernel/option_parser.c kernel/format.c */
/* UNITS: tests/fake/log.c tests/fake/error.c */
#include <stdlib.h>
#include <string.h>

#include "kernel/address.h"
#include "kernel/command_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_error(err_t err)
{
	if (err && !*err)
		abort();
}

static void check_host(const char *text)
{
	static struct options options;

	memset(&options, 0xa5, sizeof(options));
	check_error(command_line_parse(text, &options));
	if (!memchr(options.trace, 0, sizeof(options.trace)) ||
	    !memchr(options.console.raw_vm, 0, sizeof(options.console.raw_vm)) ||
	    options.console.port == 0 || 115200 % options.console.baud ||
	    options.log_level < LOG_ERROR || options.log_level > LOG_DEBUG ||
	    options.exit_action > EXIT_HALT || options.trace_output > TRACE_RING ||
	    options.records > 1u << 20 || options.records & (options.records - 1))
		abort();
}

static void check_module(const char *text)
{
	static struct module_options module;

	memset(&module, 0xa5, sizeof(module));
	check_error(module_options_parse(text, UINT32_MAX, &module));
	if (!memchr(module.name, 0, sizeof(module.name)) || !module.name[0] ||
	    module.memory_size < MIB || module.memory_size % PAGE_SIZE || module.cpu_count != 1 ||
	    module.guest_command_line < text || module.guest_command_line > text + strlen(text))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1); /* of just this size, so that reading on is seen */

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	check_host(text);
	check_module(text);
	free(text);
	return 0;
}
