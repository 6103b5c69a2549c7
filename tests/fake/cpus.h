/* SPDX-License-Identifier: BSD-2-Clause */
/* Processors for tests of what several of them do, one at a time on the one thread. Link
 * tests/fake/cpus.c. */
#pragma once

#include "kernel/cpu.h"

#define FAKE_CPUS_MAX 4

/* All zeros but their indexes, which are those in this list. */
extern struct cpu fake_cpus[FAKE_CPUS_MAX];

/* So many run, and number 0 executes what follows. */
void fake_cpus_start(unsigned count);

/* What follows is executed by this one. */
void fake_cpu_become(unsigned n);
