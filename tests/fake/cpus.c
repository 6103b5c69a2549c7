/* SPDX-License-Identifier: BSD-2-Clause */
/* Processors that a test switches between. */
#include "tests/fake/cpus.h"

struct cpu fake_cpus[FAKE_CPUS_MAX];
static unsigned count = 1;

void fake_cpus_start(unsigned wanted)
{
	memset(fake_cpus, 0, sizeof(fake_cpus));
	count = wanted;
	for (unsigned i = 0; i < FAKE_CPUS_MAX; i++) {
		fake_cpus[i].self = &fake_cpus[i];
		fake_cpus[i].index = i;
		fake_cpus[i].apic_id = 2 * i;
	}
	fake_cpu_become(0);
}

void fake_cpu_become(unsigned n)
{
	fake_machine.gs_self = &fake_cpus[n];
}

unsigned cpu_count(void)
{
	return count;
}

struct cpu *cpu_by_number(unsigned n)
{
	return &fake_cpus[n];
}
