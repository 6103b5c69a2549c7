/* SPDX-License-Identifier: BSD-2-Clause */
/* What each processor has of its own: descriptor tables, stacks, counters; reached through GS. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86_64/instructions.h"
#include "kernel/compiler.h"
#include "kernel/error.h"

#define CPUS_MAX 64u

/* Selectors of each processor's GDT. */
#define SELECTOR_CODE 0x08
#define SELECTOR_DATA 0x10
#define SELECTOR_TSS  0x18 /* two entries */

/* Entries of the interrupt stack table: these exceptions may come when the stack in use is unfit.
 */
enum interrupt_stack { IST_NONE, IST_DOUBLE_FAULT, IST_NMI, IST_MACHINE_CHECK };
#define IST_COUNT 3u

/* SDM "64-Bit Task State Segment". */
struct PACKED task_state {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7]; /* ist[0] is IST1 */
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t io_map_base;
};

_Static_assert(sizeof(struct task_state) == 104, "as the processor reads it");

/* Addresses that hold a stack, for backtraces: [bottom, top). */
struct stack_range {
	uint64_t bottom, top;
};

#define CPU_STACKS_MAX (2 * (IST_COUNT + 1)) /* the first ones and those with a guard page */
#define GDT_ENTRIES    5

struct cpu {
	struct cpu *self; /* at GS:0, see this_cpu() */
	unsigned index;
	uint32_t apic_id;

	struct task_state tss;
	uint64_t gdt[GDT_ENTRIES];

	struct stack_range stacks[CPU_STACKS_MAX];
	unsigned stack_count;

	/* NMIs taken by the host. Whoever acts on them clears nmi_pending before it looks. */
	uint64_t nmi_count;
	bool nmi_pending;

	uint64_t interrupt_count;	     /* external interrupts taken */
	uint64_t unexpected_interrupt_count; /* of them, without a handler */
	uint64_t spurious_interrupt_count;   /* of them, never requested */
	uint8_t unexpected_told[256 / 8];    /* vectors that the log has named */
};

/* The processor that executes this. Valid from cpu_start() on. */
static inline struct cpu *this_cpu(void)
{
	return read_gs_self();
}

/*
 * Makes the processor that executes this number `index`: its struct cpu, GDT, TSS, and the control
 * registers as Plinth wants them. The first processor calls it before anything else; until
 * cpu_create_stacks() it uses stacks without guard pages.
 */
void cpu_start(unsigned index);

/* Gives this processor interrupt stacks with guard pages, and *top, the end of a stack to run on.
 */
CHECKED err_t cpu_create_stacks(uint64_t *top);

/* How many processors have started, and each of them (index below that number). */
unsigned cpu_count(void);
struct cpu *cpu_by_index(unsigned index);

/* Calls function(argument) on another stack, for good: it must not return. */
NORETURN void cpu_run_on_stack(uint64_t top, void (*function)(void *), void *argument);

/* True when [address, address + size) lies in a stack of this processor, so that it can be read. */
bool cpu_stack_contains(uint64_t address, uint64_t size);
