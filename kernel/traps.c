/* SPDX-License-Identifier: BSD-2-Clause */
/* The IDT and the dispatch of its vectors: fix-ups, NMIs, interrupts, and a report for everything
 * else. */
#include "kernel/traps.h"

#include "arch/x86_64/instructions.h"
#include "kernel/cpu.h"
#include "kernel/interrupts.h"
#include "kernel/ipi.h"
#include "kernel/log.h"
#include "kernel/panic.h"

#define VECTOR_COUNT 256u

/* SDM "64-Bit Mode IDT". */
struct idt_entry {
	uint16_t offset_0;
	uint16_t selector;
	uint8_t ist;
	uint8_t type;
	uint16_t offset_16;
	uint32_t offset_32;
	uint32_t reserved;
};

#define IDT_INTERRUPT_GATE 0x8e /* present, DPL 0, clears IF */

struct fixup {
	uint64_t fault, resume;
};

extern const char trap_entries[][16];
extern const struct fixup fixup_table_start[], fixup_table_end[];

static struct idt_entry idt[VECTOR_COUNT] ALIGNED(16);
static trap_handler_fn *handlers[VECTOR_COUNT];

static const uint8_t vector_stacks[VECTOR_FIRST_INTERRUPT] = {
	[VECTOR_NMI] = IST_NMI,
	[VECTOR_DOUBLE_FAULT] = IST_DOUBLE_FAULT,
	[VECTOR_MACHINE_CHECK] = IST_MACHINE_CHECK,
};

void traps_init(void)
{
	for (unsigned vector = 0; vector < VECTOR_COUNT; vector++) {
		uint64_t entry = (uint64_t)trap_entries[vector];

		idt[vector] = (struct idt_entry){
			.offset_0 = (uint16_t)entry,
			.offset_16 = (uint16_t)(entry >> 16),
			.offset_32 = (uint32_t)(entry >> 32),
			.selector = SELECTOR_CODE,
			.ist = vector < VECTOR_FIRST_INTERRUPT ? vector_stacks[vector] : IST_NONE,
			.type = IDT_INTERRUPT_GATE,
		};
	}
	pics_mask();
	traps_load();
}

void traps_load(void)
{
	struct table_register idtr = {.limit = sizeof(idt) - 1, .base = (uint64_t)idt};

	lidt(&idtr);
}

void trap_set_handler(unsigned vector, trap_handler_fn *handler)
{
	if (vector < VECTOR_FIRST_INTERRUPT || vector >= VECTOR_COUNT)
		panic("trap_set_handler: vector %u is not an interrupt's", vector);
	__atomic_store_n(&handlers[vector], handler, __ATOMIC_RELEASE);
}

/* An interrupt that nobody waits for: counted, and named once. */
static void tell_unexpected(struct cpu *cpu, unsigned vector)
{
	uint8_t bit = (uint8_t)(1u << vector % 8);

	cpu->unexpected_interrupt_count++;
	if (cpu->unexpected_told[vector / 8] & bit)
		return;
	cpu->unexpected_told[vector / 8] |= bit;
	log_debug("interrupt vector 0x%x came on CPU %u and has no handler", vector, cpu->index);
}

void trap_interrupt(unsigned vector)
{
	struct cpu *cpu = this_cpu();
	trap_handler_fn *handler;

	if (vector >= VECTOR_COUNT)
		return;
	cpu->interrupt_count++;
	if (interrupt_is_spurious(vector)) {
		cpu->spurious_interrupt_count++;
		return;
	}
	handler = __atomic_load_n(&handlers[vector], __ATOMIC_ACQUIRE);
	if (handler)
		handler(vector);
	else
		tell_unexpected(cpu, vector);
	interrupt_end(vector);
}

/* May come anywhere, also in the middle of a log line: so it only takes note, or stops. */
static void take_nmi(void)
{
	struct cpu *cpu = this_cpu();

	ipi_check_stop();
	cpu->nmi_count++;
	__atomic_store_n(&cpu->nmi_pending, true, __ATOMIC_RELEASE);
}

static bool fix_up(struct trap_frame *frame)
{
	for (const struct fixup *f = fixup_table_start; f < fixup_table_end; f++) {
		if (f->fault == frame->rip) {
			frame->rip = f->resume;
			return true;
		}
	}
	return false;
}

void trap_dispatch(struct trap_frame *frame)
{
	if (frame->vector >= VECTOR_FIRST_INTERRUPT) {
		trap_interrupt((unsigned)frame->vector);
		return;
	}
	if (frame->vector == VECTOR_NMI) {
		take_nmi();
		return;
	}
	if (fix_up(frame))
		return;
	panic_in_trap(frame);
}

bool read64_safe(uint64_t address, uint64_t *value)
{
	uint64_t read;
	bool done;

	asm volatile("xorl %k[done], %k[done]\n\t"
		     "1: movq (%[address]), %[read]\n\t"
		     "movl $1, %k[done]\n"
		     "2:\n\t" FIXUP("1b", "2b")
		     : [done] "=&r"(done), [read] "=&r"(read)
		     : [address] "r"(address)
		     : "memory", "cc");
	if (done)
		*value = read;
	return done;
}
