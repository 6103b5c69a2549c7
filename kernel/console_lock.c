/* SPDX-License-Identifier: BSD-2-Clause */
/* The console's lock, which its owner may take again, and which a panic breaks. */
#include "kernel/console_lock.h"

#include "kernel/cpu.h"
#include "kernel/spinlock.h"

static struct {
	struct spinlock lock;
	unsigned owner; /* a CPU's index + 1; 0: nobody */
	unsigned depth; /* how often the owner has taken it */
	bool is_broken;
} state;

/* Only the owner itself finds its own number here, so nothing can change between look and use. */
static bool is_mine(unsigned number)
{
	return __atomic_load_n(&state.owner, __ATOMIC_RELAXED) == number;
}

static bool is_broken(void)
{
	return __atomic_load_n(&state.is_broken, __ATOMIC_ACQUIRE);
}

static void take(unsigned number)
{
	__atomic_store_n(&state.owner, number, __ATOMIC_RELAXED);
	state.depth = 1;
}

void console_lock(void)
{
	unsigned number;

	/* In a panic even the way to this CPU's number may be damaged. */
	if (is_broken())
		return;
	number = this_cpu()->index + 1;
	if (is_mine(number)) {
		state.depth++;
		return;
	}
	spin_lock(&state.lock);
	take(number);
}

bool console_try_lock(void)
{
	unsigned number;

	if (is_broken())
		return true;
	number = this_cpu()->index + 1;
	if (is_mine(number)) {
		state.depth++;
		return true;
	}
	if (!spin_try_lock(&state.lock))
		return false;
	take(number);
	return true;
}

void console_unlock(void)
{
	if (is_broken() || --state.depth > 0)
		return;
	__atomic_store_n(&state.owner, 0, __ATOMIC_RELAXED);
	spin_unlock(&state.lock);
}

void console_lock_break(void)
{
	__atomic_store_n(&state.is_broken, true, __ATOMIC_RELEASE);
}
