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

/* The stack is a known one; yet a fault here must not be a second trouble. */
static bool read_frame(uint64_t rbp, struct frame *frame)
{
	return rbp % 8 == 0 && cpu_stack_contains(rbp, sizeof(*frame)) &&
	       read64_safe(rbp, &frame->caller_rbp) && read64_safe(rbp + 8, &frame->return_address);
}

static void log_address(uint64_t address)
{
	char text[SYMBOL_TEXT_MAX];

	log_always("  %s", symbol_text(address, text));
}

static void log_repeats(unsigned count)
{
	if (count)
		log_always("  ... %u more of the same", count);
}

void backtrace_log(uint64_t rip, uint64_t rbp)
{
	uint64_t last = 0;
	unsigned lines = 0, repeats = 0;
	struct frame frame;

	log_always("backtrace:");
	log_address(rip);
	for (unsigned frames = 0; frames < BACKTRACE_FRAMES_MAX; frames++) {
		if (!read_frame(rbp, &frame) || frame.return_address == 0)
			break;
		if (frame.return_address == last) {
			repeats++;
		} else {
			log_repeats(repeats);
			repeats = 0;
			if (++lines == BACKTRACE_LINES_MAX) {
				log_always("  ... and more");
				return;
			}
			/* One back, into the call: behind one that never returns another function
			 * begins. */
			log_address(frame.return_address - 1);
			last = frame.return_address;
		}
		/* Callers lie higher: so the walk ends even in a damaged stack. */
		if (frame.caller_rbp <= rbp)
			break;
		rbp = frame.caller_rbp;
	}
	log_repeats(repeats);
}
