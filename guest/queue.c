/* SPDX-License-Identifier: BSD-2-Clause */
/* Bookkeeping of guests that wait, run, and have ended. */
#include "guest/queue.h"

#include "kernel/string.h"

_Static_assert(GUESTS_MAX <= 64, "a bit each");

static uint64_t bit_of(unsigned index)
{
	return 1ull << index;
}

void queue_init(struct guest_queue *queue, unsigned count)
{
	memset(queue, 0, sizeof(*queue));
	queue->count = count < GUESTS_MAX ? count : GUESTS_MAX;
}

bool queue_take(struct guest_queue *queue, unsigned *index)
{
	if (queue->next == queue->count)
		return false;
	*index = queue->next++;
	queue->active |= bit_of(*index);
	return true;
}

bool queue_is_first(const struct guest_queue *queue, unsigned index)
{
	return !(queue->active & (bit_of(index) - 1));
}

void queue_finish(struct guest_queue *queue, unsigned index, bool passed, uint32_t code)
{
	queue->active &= ~bit_of(index);
	queue->done |= bit_of(index);
	if (passed)
		queue->passed |= bit_of(index);
	queue->codes[index] = code;
}

struct queue_result queue_result(const struct guest_queue *queue)
{
	struct queue_result result = {.count = queue->count, .first_code = 1};
	bool all = true;

	for (unsigned i = 0; i < queue->count; i++) {
		if (queue->passed & bit_of(i)) {
			result.passed++;
		} else if (all) {
			all = false;
			if (queue->done & bit_of(i))
				result.first_code = queue->codes[i];
		}
	}
	return result;
}

void queue_memory_try(struct guest_queue *queue, struct memory_try *try)
{
	try->alone = queue->holders == 0;
	try->number = ++queue->tries;
	queue->holders++;
}

enum memory_answer queue_memory_failed(struct guest_queue *queue, const struct memory_try *try)
{
	queue->holders--;
	if (queue->holders > 0)
		return MEMORY_LATER;
	/* Those that wait are not alone to blame, if one of them has come and gone since. */
	if (!try->alone || try->number != queue->tries)
		return MEMORY_AGAIN;
	queue->changes++;
	return MEMORY_NEVER;
}

void queue_memory_returned(struct guest_queue *queue)
{
	queue->holders--;
	queue->changes++;
}

bool guest_passed(enum vm_end end, uint32_t code)
{
	return (end == VM_ENDED_EXIT && code == 0) || end == VM_ENDED_POWEROFF;
}

bool guest_restarts(enum vm_end end, uint32_t code, unsigned restarts, unsigned limit)
{
	return !guest_passed(end, code) && end != VM_ENDED_USER && restarts < limit;
}
