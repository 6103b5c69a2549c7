/* SPDX-License-Identifier: BSD-2-Clause */
/* What processors tell each other by interrupts: to look up, or to stop for good. */
#pragma once

#include "kernel/cpu.h"

/* Makes the handlers known. */
void ipi_start(void);

/*
 * Has a processor look at what there is to do: one that sleeps wakes up, one in a guest leaves it
 * and has its beat, a host that holds interrupts off does so later. Nobody waits.
 */
void ipi_kick(const struct cpu *cpu);
void ipi_kick_others(void);

/*
 * Stops all other processors, wherever they are, and waits a little for that: for a panic. False:
 * another one does that already, and this one shall stop.
 */
CHECKED bool ipi_stop_others(void);

/* Called for each NMI: does not return if this processor is to stop. */
void ipi_check_stop(void);

/* Halts this processor, which does nothing any more. */
NORETURN void ipi_stop_here(void);
