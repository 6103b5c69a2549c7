/* SPDX-License-Identifier: BSD-2-Clause */
/* INT1 is a trap of its own: unlike a debug exception it tells nothing in DR6 and takes nothing out
 * of it. */
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"

#define TF 0x100

CODE16(with_dr6_16, "mov %eax, %dr6\n int1\n");
CODE32(with_dr6_32, "mov %eax, %dr6\n int1\n");
CODE64(with_dr6_64, "mov %rax, %dr6\n int1\n");
CODE64(behind_breakpoint, "mov %rax, %dr6\n mov %al, (%rdi)\n nop\n");

static void keeps_dr6(enum place place, uint64_t dr6, const char *wanted)
{
	struct machine m;
	const char *how;

	machine_init(&m, place);
	m.rax = dr6;
	how = place_bits(place) == 64   ? RUN(&m, with_dr6_64)
	      : place_bits(place) == 32 ? RUN(&m, with_dr6_32)
					: RUN(&m, with_dr6_16);
	check(same(how, wanted), "%s: DR6 %lx, INT1: %s", place_name(place), dr6, how);
}

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	struct machine m;

	(void)boot_magic;
	(void)boot_info;
	for (enum place place = REAL; place < PLACES; place++) {
		if (place_cpl(place) || place == V86)
			continue;
		keeps_dr6(place, 0xffff0ff0, "#DB(0) at +4");
		keeps_dr6(place, 0xffff0ff5, "#DB(5) at +4");
		keeps_dr6(place, 0xffff4ff1, "#DB(4001) at +4");
		keeps_dr6(place, 0xffff2ff8, "#DB(2008) at +4");
	}
	/* A breakpoint, for comparison, says which it was and clears the other three. */
	asm volatile("mov %0, %%dr0" : : "r"((uint64_t)TEST_DATA));
	asm volatile("mov %0, %%dr7" : : "r"(0x10401ull));
	machine_init(&m, LONG64);
	m.rax = 0xffff4ffe;
	m.rdi = TEST_DATA;
	check(same(RUN(&m, behind_breakpoint), "#DB(4001) at +5"), "a breakpoint: %s",
	      machine_outcome(&m));
	asm volatile("mov %0, %%dr7" : : "r"(0x400ull));
	return checks_done();
}
