/* SPDX-License-Identifier: BSD-2-Clause */
/* Takes each fault that is easily had; the same with exceptions traced (they exit then, and are
 * given back) and without. */
#include "guest/lib/guest.h"

#define UNMAPPED 0x8000000000ull /* above the identity map */

static volatile unsigned breakpoints;

static void on_breakpoint(struct trap_frame *frame)
{
	(void)frame;
	breakpoints++;
}

static uint64_t read_cr2(void)
{
	uint64_t value;

	asm volatile("mov %%cr2, %0" : "=r"(value));
	return value;
}

static bool faulted(unsigned vector, uint64_t error)
{
	return last_fault.happened && last_fault.vector == vector && last_fault.error == error;
}

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	uint32_t high = 1;

	(void)boot_magic;
	(void)boot_info;
	TRY("ud2");
	check(faulted(6, 0), "UD2 is #UD");
	TRY("div %2", : "+d"(high) : "a"(0), "r"(0));
	check(faulted(0, 0), "a division by zero is #DE");
	TRY("mov (%0), %%al", : : "r"(UNMAPPED) : "rax");
	check(faulted(14, 0) && read_cr2() == UNMAPPED,
	      "a read of an unmapped page is #PF, and CR2 has the address");
	TRY("movb $1, (%0)", : : "r"(UNMAPPED + 4096));
	check(faulted(14, 2) && read_cr2() == UNMAPPED + 4096,
	      "a write likewise, with another error code");
	TRY("mov %0, %%ds", : : "r"(0x70));
	check(faulted(13, 0x70), "a selector beyond the GDT is #GP with the selector");
	TRY("mov (%0), %%al", : : "r"(0x0000900000000000ull) : "rax");
	check(faulted(13, 0), "an address that is not canonical is #GP(0)");
	trap_handlers[3] = on_breakpoint;
	asm volatile("int3");
	check(breakpoints == 1, "INT3 comes back behind itself");
	asm volatile("int $3");
	check(breakpoints == 2, "INT 3 of two bytes likewise");
	return checks_done();
}
