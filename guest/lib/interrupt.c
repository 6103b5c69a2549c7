/* SPDX-License-Identifier: BSD-2-Clause */
/* External interrupts that a guest sends to itself. */
#define PLINTH_GUEST
#include "guest/lib/guest.h"
#include "vcpu/hypercall.h"

/* The local APIC, by memory. */
#define APIC(offset)  (*(volatile uint32_t *)(0xfee00000ull + (offset)))
#define APIC_ID       0x20
#define APIC_EOI      0xb0
#define APIC_SPURIOUS 0xf0
#define APIC_REQUEST  0x200
#define APIC_COMMAND  0x300
#define APIC_ENABLE   0x1ff
#define APIC_TARGET   0x310
#define TO_SELF       0x40000
#define AS_NMI        0x4400 /* which has no shorthand for the sender itself */

static volatile bool taken;

static void take(struct trap_frame *frame)
{
	(void)frame;
	taken = true;
}

void interrupt_pend(uint8_t vector)
{
	if (under_plinth()) {
		plinth_call(PLINTH_INTERRUPT, vector, 0, 0);
		return;
	}
	APIC(APIC_SPURIOUS) = APIC_ENABLE;
	APIC(APIC_COMMAND) = TO_SELF | vector;
}

void nmi_pend(void)
{
	if (under_plinth()) {
		plinth_call(PLINTH_NMI, 0, 0, 0);
		return;
	}
	APIC(APIC_SPURIOUS) = APIC_ENABLE;
	APIC(APIC_TARGET) = APIC(APIC_ID);
	APIC(APIC_COMMAND) = AS_NMI;
}

bool interrupt_end(uint8_t vector)
{
	taken = false;
	trap_handlers[vector] = take;
	asm volatile("sti; nop; nop; cli" : : : "memory");
	trap_handlers[vector] = 0;
	if (!under_plinth())
		APIC(APIC_EOI) = 0;
	return taken;
}
