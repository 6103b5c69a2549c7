/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes the verdict to the console and to the debug port, and ends the run. */
#include "kernel/verdict.h"

#include <stdarg.h>

#include "arch/x86_64/instructions.h"
#include "kernel/console.h"
#include "kernel/format.h"
#include "kernel/log.h"
#include "kernel/power.h"

#define DEBUG_PORT       0xe9 /* of emulators; no guest reaches it */
#define VERDICT_TEXT_MAX 300

static enum exit_action action_on_exit = EXIT_POWEROFF;

void verdict_on_exit(enum exit_action action)
{
	action_on_exit = action;
}

static void write_debug_port(const char *text)
{
	for (; *text; text++)
		out8(DEBUG_PORT, (uint8_t)*text);
}

void verdict_end(enum verdict verdict, unsigned code, const char *text, ...)
{
	static const char *const words[] = {
		[VERDICT_PASS] = "pass",
		[VERDICT_FAIL] = "fail",
		[VERDICT_ERROR] = "error",
	};
	static const enum power_action actions[] = {
		[EXIT_POWEROFF] = POWER_OFF,
		[EXIT_REBOOT] = POWER_REBOOT,
		[EXIT_HALT] = POWER_HALT,
	};
	char made[VERDICT_TEXT_MAX];
	size_t used;
	va_list args;

	cli();
	used = format(made, sizeof(made), "verdict: %s %u ", words[verdict], code);
	va_start(args, text);
	vformat(made + used, sizeof(made) - used, text, args);
	va_end(args);

	if (action_on_exit == EXIT_HALT)
		log_info("halting as told by onexit=halt; it is safe to switch the machine off");
	log_always("%s", made);
	console_flush();
	write_debug_port("plinth: ");
	write_debug_port(made);
	write_debug_port("\n");
	power_end(actions[action_on_exit]);
}
