/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions and interrupts of the host: the IDT, who handles a vector, and faults that are
 * expected. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86_64/registers.h"
#include "kernel/compiler.h"

/* What kernel/trap_entry.S and the processor leave on the stack. The rsp slot of regs is a gap. */
struct trap_frame {
	struct general_registers regs;
	uint64_t vector;
	uint64_t error_code; /* 0 for a vector that has none */
	uint64_t rip, cs, rflags, rsp, ss;
};

#define VECTOR_NMI             2
#define VECTOR_DOUBLE_FAULT    8
#define VECTOR_PAGE_FAULT      14
#define VECTOR_MACHINE_CHECK   18
#define VECTOR_FIRST_INTERRUPT 0x20 /* below are the exceptions */
#define VECTOR_PIC             0x20 /* 16 of them, all masked */
#define VECTOR_TIMER           0xef /* of the local APIC: the beat of a processor that sleeps */
#define VECTOR_KICK            0xf0 /* from another processor */
#define VECTOR_SPURIOUS        0xff

/*
 * Makes the IDT and loads it on this processor, the first one; masks the PICs. Needs no memory.
 * Other processors call traps_load().
 */
void traps_init(void);
void traps_load(void);

/*
 * A handler for an interrupt (a vector from VECTOR_FIRST_INTERRUPT on). It runs with interrupts
 * off, and the end of interrupt is signalled after it. NULL takes it away.
 */
typedef void trap_handler_fn(unsigned vector);
void trap_set_handler(unsigned vector, trap_handler_fn *handler);

/*
 * Does for an external interrupt what the IDT's entry would have done: for one that a VM exit has
 * acknowledged. NMIs that cause an exit are passed on with `int $2` instead, since only IRET ends
 * the blocking of NMIs.
 */
void trap_interrupt(unsigned vector);

/* Called by kernel/trap_entry.S. */
void trap_dispatch(struct trap_frame *frame);

/*
 * Where an instruction of the host may fault, and where to go on if it does: FIXUP("1b", "2f") in
 * an asm statement makes an entry of the table that is searched on every exception.
 */
#define FIXUP(fault, resume)                                                                       \
	".pushsection .fixup_table, \"a\"\n\t"                                                     \
	".balign 8\n\t"                                                                            \
	".quad " fault ", " resume "\n\t"                                                          \
	".popsection\n\t"

/* Reads 8 bytes that may not be mapped. False: they are not; *value is left alone. */
CHECKED bool read64_safe(uint64_t address, uint64_t *value);
