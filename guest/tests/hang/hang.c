/* SPDX-License-Identifier: BSD-2-Clause */
/* Hangs with interrupts off, as a kernel does that waits for a lock which nobody gives back. */
#include "guest/lib/guest.h"

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	(void)boot_magic;
	(void)boot_info;
	print("# next comes a loop without end\n");
	for (;;)
		asm volatile("cli");
}
