/* SPDX-License-Identifier: BSD-2-Clause */
/* Walks the chain of frame pointers and names what it finds. */
#include "kernel/backtrace.h"

#include <stdbool.h>

#include "kernel/cpu.h"
#include "kernel/log.h"
#include "kernel/symbols.h"
#include "kernel/traps.h"

/* What a function with a frame pointer has at RBP. */
struct frame {
	uint64_t caller_rbp;
	uint64_t return_address;
};

/* A stack is known, and mapped but for its guard page: so a fault here would be a surprise, yet no
 * second one. */
static bool read_frame(uint64_t rbp, struct frame *frame)
{
	return rbp % 8 == 0 && cpu_stack_contains(rbp, sizeof(*frame)) &&
	       read64_safe(rbp, &frame->caller_rbp) && read64_safe(rbp + 8, &frame->return_address);
}

void backtrace_log(uint64_t rip, uint64_t rbp)
{
	char text[SYMBOL_TEXT_MAX];
	struct frame frame;

	log_always("backtrace:");
	log_always("  %s", symbol_text(rip, text));
	for (unsigned depth = 1; depth < BACKTRACE_MAX; depth++) {
		if (!read_frame(rbp, &frame) || frame.return_address == 0)
			return;
		/* One back, into the call: behind one that never returns another function may
		 * begin. */
		log_always("  %s", symbol_text(frame.return_address - 1, text));
		if (frame.caller_rbp <= rbp)
			return;
		rbp = frame.caller_rbp;
	}
	log_always("  and more");
}
