/* SPDX-License-Identifier: BSD-2-Clause */
/* Panic: say all that is known, then end; and when even that fails, say less. */
#include "kernel/panic.h"

#include <stdarg.h>
#include <stdbool.h>

#include "arch/x86_64/instructions.h"
#include "kernel/backtrace.h"
#include "kernel/console.h"
#include "kernel/format.h"
#include "kernel/ipi.h"
#include "kernel/log.h"
#include "kernel/power.h"
#include "kernel/trap_report.h"
#include "kernel/verdict.h"

#define PANIC_TEXT_MAX 256

/*
 * How often panic was entered. The second time, what the first one did has failed: only one line
 * and the verdict then. The third time not even that works: power off.
 */
static unsigned panic_depth;

/*
 * Comes before anything that might fail. True: this is the first time. The other processors are
 * stopped before the console belongs to nobody; one that panics at the same time stops as well.
 */
static bool enter(void)
{
	unsigned depth;

	cli();
	if (!ipi_stop_others())
		ipi_stop_here();
	depth = __atomic_fetch_add(&panic_depth, 1, __ATOMIC_ACQ_REL);
	if (depth >= 2)
		power_end(POWER_OFF);
	console_panic_mode();
	return depth == 0;
}

static NORETURN void end_nested(const char *text)
{
	log_error("panic in a panic: %s", text);
	verdict_end(VERDICT_ERROR, VERDICT_CODE_PANIC, "panic in a panic: %s", text);
}

void panic(const char *text, ...)
{
	bool first = enter();
	char made[PANIC_TEXT_MAX];
	va_list args;

	va_start(args, text);
	vformat(made, sizeof(made), text, args);
	va_end(args);
	if (!first)
		end_nested(made);

	log_error("panic: %s", made);
	backtrace_log((uint64_t)__builtin_return_address(0) - 1,
		      *(uint64_t *)__builtin_frame_address(0));
	verdict_end(VERDICT_ERROR, VERDICT_CODE_PANIC, "panic: %s", made);
}

void panic_in_trap(const struct trap_frame *frame)
{
	bool first = enter();
	char made[PANIC_TEXT_MAX];

	if (!first) {
		format(made, sizeof(made), "exception %lu at 0x%lx", frame->vector, frame->rip);
		end_nested(made);
	}
	trap_describe(frame, made, sizeof(made));
	log_error("panic: %s", made);
	trap_log_registers(frame);
	backtrace_log(frame->rip, frame->regs.rbp);
	verdict_end(VERDICT_ERROR, VERDICT_CODE_PANIC, "panic: %s", made);
}

/* The compiler's stack protector calls this when a function's canary has changed. */
NORETURN void __stack_chk_fail(void);

NORETURN void __stack_chk_fail(void)
{
	panic("a function wrote beyond its variables on the stack");
}
