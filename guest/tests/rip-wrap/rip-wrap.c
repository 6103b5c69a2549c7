/* SPDX-License-Identifier: BSD-2-Clause */
/* Where an instruction that exits ends a 64 KiB segment: the next one is beyond the limit, and RIP
 * does not come around. */
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"

#define TOP 0x20000 /* linear end of the code */

static void put(const char *bytes, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		((volatile char *)TOP)[(int)i - (int)size] = bytes[i];
	/* What is found if the limit does not hold, and if RIP comes around. */
	((volatile char *)TOP)[0] = (char)0xcc;
	((volatile char *)TOP)[-0x10000] = (char)0xf1;
}

static void try(enum place place, const char *bytes, unsigned size, const char *name,
		uint8_t vector, uint64_t rip)
{
	struct machine m;

	put(bytes, size);
	machine_init(&m, place);
	if (place == REAL || place == V86)
		m.cs = (TOP - 0x10000) >> 4;
	else
		m.cs = SEL_TEST | (m.cs & 3);
	m.rip = 0x10000 - size;
	m.rax = m.rcx = 0;
	m.rdx = 0x80;
	machine_run(&m);
	check(m.vector == vector && m.rip == rip, "%s: %s at the end: vector %lx at %lx",
	      place_name(place), name, m.vector, m.rip);
}
#define TRY_AT_END(place, bytes, name, vector, rip)                                                \
	try(place, bytes, sizeof(bytes) - 1, name, vector, rip)

static void ends_segment(enum place place, uint64_t behind)
{
	TRY_AT_END(place, "\x90", "NOP", 13, behind);
	TRY_AT_END(place, "\x0f\xa2", "CPUID", 13, behind);
	TRY_AT_END(place, "\x66\x0f\xa2", "CPUID with a prefix", 13, behind);
	/* An instruction across the end. */
	TRY_AT_END(place, "\x0f", "half an instruction", 13, 0xffff);
	if (place_cpl(place) == 0) {
		TRY_AT_END(place, "\xe6\x80", "OUT", 13, behind);
		TRY_AT_END(place, "\x6e", "OUTS", 13, behind);
		TRY_AT_END(place, "\x0f\x09", "WBINVD", 13, behind);
	}
	TRY_AT_END(place, "\xcd\x40", "INT 40h", place == V86 ? 13 : 0x40,
		   place == V86 ? 0xfffe : behind);
}

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	(void)boot_magic;
	(void)boot_info;
	/* Real mode pushes 16 bits. */
	ends_segment(REAL, 0);
	ends_segment(V86, 0x10000);
	descriptor_set(0, TOP - 0x10000, 0xffff, ACCESS_CODE);
	ends_segment(PROTECTED16, 0x10000);
	ends_segment(PAGED16, 0x10000);
	ends_segment(COMPAT16, 0x10000);
	/* With a larger limit, 16-bit code goes on. */
	descriptor_set(0, TOP - 0x10000, 0x1ffff, ACCESS_CODE);
	TRY_AT_END(PROTECTED16, "\x90", "NOP, larger limit", 3, 0x10001);
	TRY_AT_END(PROTECTED16, "\x0f\xa2", "CPUID, larger limit", 3, 0x10001);
	TRY_AT_END(COMPAT16, "\x0f\xa2", "CPUID, larger limit", 3, 0x10001);
	descriptor_set(0, TOP - 0x10000, 0xffff, ACCESS_CODE | ACCESS_BIG);
	ends_segment(PROTECTED32, 0x10000);
	descriptor_set(0, TOP - 0x10000, 0xffff, ACCESS_CODE | ACCESS_BIG | ACCESS_USER);
	ends_segment(USER32, 0x10000);
	return checks_done();
}
