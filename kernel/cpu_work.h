/* SPDX-License-Identifier: BSD-2-Clause */
/* Work for the other processors, which sleep while they have none. */
#pragma once

#include <stdbool.h>

#include "kernel/cpu.h"
#include "kernel/error.h"

/* Has a processor that has no work call function(argument). */
void cpu_work_give(struct cpu *cpu, void (*function)(void *), void *argument);

/* True until the function has returned. */
bool cpu_work_is_under_way(const struct cpu *cpu);

/* Gives work that takes less than a second, and waits for its end. An error: it has not come to
 * that. */
CHECKED err_t cpu_work_do(struct cpu *cpu, void (*function)(void *), void *argument);

/* What every processor but the first does all its life. */
NORETURN void cpu_work_loop(void);
