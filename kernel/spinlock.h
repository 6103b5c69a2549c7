/* SPDX-License-Identifier: BSD-2-Clause */
/* A lock between processors, first come, first served. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86_64/instructions.h"

/*
 * All zeros is a free one. The host holds one with interrupts off, so nothing on the same processor
 * can want it meanwhile: NMI handlers take no locks, and a panic takes none either.
 *
 * Order, where one is taken under another: guests, address space, physical memory, console.
 */
struct spinlock {
	uint32_t next;    /* the ticket of him who comes next */
	uint32_t serving; /* whose turn it is */
};

static inline void spin_lock(struct spinlock *lock)
{
	uint32_t ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

	while (__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket)
		pause();
}

/* True: it is taken. False: somebody has it. */
static inline bool spin_try_lock(struct spinlock *lock)
{
	uint32_t ticket = __atomic_load_n(&lock->serving, __ATOMIC_RELAXED);

	return __atomic_compare_exchange_n(&lock->next, &ticket, ticket + 1, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline void spin_unlock(struct spinlock *lock)
{
	__atomic_store_n(&lock->serving, lock->serving + 1, __ATOMIC_RELEASE);
}
