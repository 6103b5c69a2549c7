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
	struct cpu *self;  /* at GS:0, see this_cpu() */
	unsigned index;    /* below CPUS_MAX, and no other CPU's */
	uint32_t apic_id;  /* of its local APIC: where interrupts for it are sent */
	uint32_t cpuid_id; /* as CPUID tells it: what no damage to memory changes */

	/* Work for it, while it waits for some (kernel/cpu_work.h); NULL: there is none. */
	void (*work)(void *);
	void *work_argument;

	/* Set to 0 by a kick: the deadline of the vCPU that runs here (kernel/ipi.h). */
	uint64_t *deadline;

	/* It was stopped for another CPU's panic. */
	bool stopped;

	/* kernel/tlb.c: how far this CPU has dropped what others took out of the page tables. */
	uint64_t tlb_passed;
	bool tlb_parked;

	struct task_state tss;
	uint64_t gdt[GDT_ENTRIES];

	struct stack_range stacks[CPU_STACKS_MAX];
	unsigned stack_count;

	/* NMIs taken by the host. Whoever acts on them clears nmi_pending before it looks. */
	uint64_t nmi_count;
	bool nmi_pending;

	uint64_t interrupt_count;            /* external interrupts taken */
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
 * registers as Plinth wants them. The first processor, number 0, calls it before anything else;
 * until cpu_create_stacks() it uses stacks without guard pages.
 */
void cpu_start(unsigned index);

/* The APIC ID of the processor that executes this, as CPUID tells it. */
uint32_t cpu_apic_id(void);

/*
 * Gives processor number `index` interrupt stacks with guard pages, and *top, the end of a stack to
 * run on. It may be one that has not started yet.
 */
CHECKED err_t cpu_create_stacks(unsigned index, uint64_t *top);

/* From now on this processor is one of those below. The first one is from its start on. */
void cpu_join(void);

/* How many processors run, and each of them (n below that number; 0 is the first one). */
unsigned cpu_count(void);
struct cpu *cpu_by_number(unsigned n);

/* Calls function(argument) on another stack, for good: it must not return. */
NORETURN void cpu_run_on_stack(uint64_t top, void (*function)(void *), void *argument);

/* True when [address, address + size) lies in a stack of this processor, so that it can be read. */
bool cpu_stack_contains(uint64_t address, uint64_t size);
