/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which guest is next, which may be started again, and how all of it went: bookkeeping without a
 * lock of its own, for guest/guests.c to call with its lock held.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "guest/modules.h"
#include "vcpu/vm.h"

struct guest_queue {
	unsigned count, next; /* guests from `next` on wait for a processor, in module order */
	uint64_t active;      /* those under way, a bit each */
	uint64_t done, passed;
	uint32_t codes[GUESTS_MAX];

	/* Memory: who has some or is taking some, and how often that changed. */
	unsigned holders;
	uint64_t tries, changes;
};

void queue_init(struct guest_queue *queue, unsigned count);

/* The next guest, for a processor that is free. False: none waits. */
CHECKED bool queue_take(struct guest_queue *queue, unsigned *index);

/* True for the first of all guests that are under way: the console is its, if no VM was named for
 * it. */
bool queue_is_first(const struct guest_queue *queue, unsigned index);

/* A guest has ended for good. */
void queue_finish(struct guest_queue *queue, unsigned index, bool passed, uint32_t code);

/* How it went: of the first guest, in module order, that did not pass, the code (one that never
 * ran: 1). */
struct queue_result {
	unsigned passed, count;
	uint32_t first_code;
};
struct queue_result queue_result(const struct guest_queue *queue);

/*
 * Guests that run side by side may want more memory together than there is, though each of them
 * could have it. One that does not get it waits until another gives some back; it fails when nobody
 * else had any.
 */
struct memory_try {
	uint64_t number;
	bool alone;
};

enum memory_answer {
	MEMORY_NEVER, /* nobody else has any: waiting would not help */
	MEMORY_AGAIN, /* nobody has any now, but somebody had: try again */
	MEMORY_LATER, /* somebody has: wait for queue->changes to change */
};

void queue_memory_try(struct guest_queue *queue, struct memory_try *try);
enum memory_answer queue_memory_failed(struct guest_queue *queue, const struct memory_try *try);
void queue_memory_returned(struct guest_queue *queue);

/* A VM passes when it ends itself with status 0, or by power-off. */
bool guest_passed(enum vm_end end, uint32_t code);

/*
 * restart=N: a VM that ended in any other way, a reset and a code of its own included, is started
 * again, at most N times. One that the user ended is not.
 */
bool guest_restarts(enum vm_end end, uint32_t code, unsigned restarts, unsigned limit);
