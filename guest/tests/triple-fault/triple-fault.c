/* SPDX-License-Identifier: BSD-2-Clause */
/* Dies of a triple fault: an undefined instruction with an IDT that is not there. */
#include "guest/lib/guest.h"

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	static const struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} none = {0, 0};

	(void)boot_magic;
	(void)boot_info;
	print("# next comes a triple fault\n");
	asm volatile("lidt %0; ud2" : : "m"(none));
	return 0;
}
