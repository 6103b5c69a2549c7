/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Translations that went, on all CPUs, without interrupting any.
 *
 * What is taken out of the page tables while several CPUs run belongs to one VM: its window, and
 * its RAM's place in the direct map. Only the CPU that runs this VM uses these addresses, and it
 * drops them itself. Another CPU may hold such a translation all the same, since a processor may
 * fill its TLB by speculation. An exit does not change that: with VPIDs it flushes nothing, though
 * it loads CR3 (SDM "Operations that Invalidate Cached Mappings"). Three things could go wrong with
 * one:
 *
 *  - The other CPU uses the address later for something else, as a window that a new VM gets. So a
 * CPU catches up before it maps anything: what it puts to use is what it has mapped itself.
 *  - A page table that was taken out becomes other memory while a CPU's paging-structure caches
 * still lead to it: the CPU would walk through arbitrary bytes. So such tables are kept until every
 * CPU has passed the mark that was made after they had been taken out.
 *  - Guest RAM stays readable for the host, which is what taking it out of the direct map is to
 *    prevent. So each CPU catches up at each beat, a millisecond at the most (SDM: the
 * VMX-preemption timer brings it out of a guest that never exits). A stale entry shows the same
 * memory as before.
 *
 * Nobody waits for anybody: not for a guest that keeps interrupts off, nor for a CPU that zeroes a
 * gigabyte, nor for one that waits for a lock that the first one holds. It costs exits nothing.
 */
#include "kernel/tlb.h"

#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/instructions.h"
#include "kernel/cpu.h"

/* Counts what was taken out. */
static uint64_t marks;

/* SDM "Operations that Invalidate TLBs and Paging-Structure Caches": also global pages. */
void tlb_flush(void)
{
	uint64_t cr4 = read_cr4();

	write_cr4(cr4 & ~CR4_PGE);
	write_cr4(cr4);
}

/* Every mark up to this one was made, and its entry taken out, before the flush. */
static void pass(struct cpu *cpu, uint64_t mark)
{
	tlb_flush();
	__atomic_store_n(&cpu->tlb_passed, mark, __ATOMIC_RELEASE);
}

void tlb_catch_up(void)
{
	uint64_t mark = __atomic_load_n(&marks, __ATOMIC_ACQUIRE);
	struct cpu *cpu = this_cpu();

	if (unlikely(cpu->tlb_passed != mark))
		pass(cpu, mark);
}

uint64_t tlb_mark(void)
{
	struct cpu *cpu = this_cpu();
	uint64_t mark;

	/* What the others have taken out; then what this CPU has dropped already is the next mark.
	 */
	tlb_catch_up();
	mark = __atomic_add_fetch(&marks, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&cpu->tlb_passed, mark, __ATOMIC_RELEASE);
	return mark;
}

bool tlb_all_passed(uint64_t mark)
{
	for (unsigned i = 0; i < cpu_count(); i++) {
		const struct cpu *cpu = cpu_by_number(i);

		if (!__atomic_load_n(&cpu->tlb_parked, __ATOMIC_SEQ_CST) &&
		    __atomic_load_n(&cpu->tlb_passed, __ATOMIC_ACQUIRE) < mark)
			return false;
	}
	return true;
}

/* Parked, a CPU knows nothing: it has just dropped everything, and sleeps. */
void tlb_park(void)
{
	tlb_flush();
	__atomic_store_n(&this_cpu()->tlb_parked, true, __ATOMIC_SEQ_CST);
}

/* What it may have fetched since, as by an interrupt that woke it, is dropped again. */
void tlb_unpark(void)
{
	struct cpu *cpu = this_cpu();

	__atomic_store_n(&cpu->tlb_parked, false, __ATOMIC_SEQ_CST);
	pass(cpu, __atomic_load_n(&marks, __ATOMIC_SEQ_CST));
}
