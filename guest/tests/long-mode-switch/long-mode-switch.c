/* SPDX-License-Identifier: BSD-2-Clause */
/* Long mode is entered by paging with LME, and left by paging off: what each step wants, and what
 * it changes. */
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"

#define EFER  0xc0000080
#define LME   (1ull << 8)
#define PG    (1ull << 31)
#define PAE   (1ull << 5)
#define PCIDE (1ull << 17)

#define TSS16 1

/* Paging on: CR0 into EBX, EFER into ESI. Paging off again: EFER into EAX. */
CODE32(on_off32, "mov %cr0, %ebp\n mov %ebp, %edi\n bts $31, %edi\n mov $0xc0000080, %ecx\n mov "
		 "%edi, %cr0\n mov %cr0, %ebx\n"
		 "rdmsr\n mov %eax, %esi\n mov %ebp, %cr0\n rdmsr\n");
CODE16(on_off16, "mov %cr0, %ebp\n mov %ebp, %edi\n bts $31, %edi\n mov $0xc0000080, %ecx\n mov "
		 "%edi, %cr0\n mov %cr0, %ebx\n"
		 "rdmsr\n mov %eax, %esi\n mov %ebp, %cr0\n rdmsr\n");
CODE32(ltr_on, "mov $0x78, %ax\n ltr %ax\n mov %cr0, %edi\n bts $31, %edi\n mov %edi, %cr0\n");
CODE32(off_on, "mov %cr0, %ebp\n mov %ebp, %edi\n btr $31, %edi\n mov $0xc0000080, %ecx\n mov "
	       "%edi, %cr0\n mov %cr0, %ebx\n"
	       "rdmsr\n mov %eax, %esi\n mov %ebp, %cr0\n rdmsr\n");
CODE64(off64, "mov %cr0, %rax\n btr $31, %rax\n mov %rax, %cr0\n");
CODE64(pae_off64, "mov %cr4, %rax\n btr $5, %rax\n mov %rax, %cr4\n");
CODE64(lme_off64, "mov $0xc0000080, %ecx\n rdmsr\n btr $8, %eax\n wrmsr\n");
CODE32(lme_on_paged, "mov $0xc0000080, %ecx\n rdmsr\n bts $8, %eax\n wrmsr\n");
CODE32(pcide_off, "mov %cr4, %eax\n bts $17, %eax\n mov %eax, %cr4\n mov %cr0, %edi\n btr $31, "
		  "%edi\n mov %edi, %cr0\n");
/* All the way in one snippet: compatibility mode, 64-bit code, back, and long mode off and on. */
CODE32(round_trip, "mov %cr0, %ebp\n"
		   "ljmp $0x08, $(0x2000 + 2f - round_trip)\n"
		   ".code64\n 2: mov $0x123456789abcdef0, %rax\n mov %rax, %rbx\n shr $32, %rbx\n"
		   "ljmp *3f(%rip)\n 3: .long 0x2000 + 4f - round_trip\n .word 0x18\n"
		   ".code32\n 4: mov %ebp, %edi\n btr $31, %edi\n mov %edi, %cr0\n"
		   "mov $0xc0000080, %ecx\n rdmsr\n mov %eax, %esi\n mov %ebp, %cr0\n rdmsr\n");

static void enters(enum place place)
{
	struct machine m;
	const char *how;

	machine_init(&m, place);
	m.cr3 = (uint64_t)pml4;
	m.cr4 |= PAE;
	m.efer = LME;
	how = place_bits(place) == 16 ? RUN(&m, on_off16) : RUN(&m, on_off32);
	check(same(how, "done") && m.rbx >> 31 & 1 && m.rsi == 0x500 && (uint32_t)m.rax == 0x100,
	      "%s: paging on and off with LME: %s, EFER %lx, then %lx", place_name(place), how,
	      m.rsi, m.rax & 0xffffffff);
}

static void refuses(const char *what, uint64_t cr4, uint64_t cs, bool tss16)
{
	struct machine m;
	const char *how;

	machine_init(&m, PROTECTED32);
	m.cr3 = (uint64_t)pml4;
	m.cr4 = cr4;
	m.efer = LME;
	if (cs)
		m.cs = cs;
	if (tss16) {
		descriptor_set(1, TEST_DATA, 0x2b, 0x80 | TSS16);
		how = RUN(&m, ltr_on);
	} else {
		how = cs ? RUN(&m, on_off16) : RUN(&m, on_off32);
	}
	check(m.vector == 13 && m.error == 0, "%s: %s", what, how);
}

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	struct machine m;

	(void)boot_magic;
	(void)boot_info;
	enters(PROTECTED32);
	enters(PROTECTED16);
	refuses("long mode without PAE", 0, 0, false);
	/* In legacy mode L means nothing, and D is 0: 16-bit code. */
	refuses("long mode with L in CS", PAE, SEL_CODE64, false);
	refuses("long mode with a 16-bit TSS", PAE, 0, true);
	{
		machine_init(&m, COMPAT32);
		check(same(RUN(&m, off_on), "done") && !(m.rbx >> 31 & 1) &&
			      (uint32_t)m.rsi == 0x900 && (uint32_t)m.rax == 0xd00,
		      "compatibility mode: paging off and on: %s, EFER %lx, then %lx",
		      machine_outcome(&m), m.rsi, m.rax & 0xffffffff);
	}
	machine_init(&m, LONG64);
	check(same(RUN(&m, off64), "#GP(0) at +8"), "paging off in 64-bit code: %s",
	      machine_outcome(&m));
	machine_init(&m, LONG64);
	check(same(RUN(&m, pae_off64), "#GP(0) at +8"), "PAE off in long mode: %s",
	      machine_outcome(&m));
	machine_init(&m, LONG64);
	check(same(RUN(&m, lme_off64), "#GP(0) at +b"), "LME off in long mode: %s",
	      machine_outcome(&m));
	for (unsigned i = 0; i < 2; i++) {
		machine_init(&m, i ? PAE32 : PAGED32);
		check(same(RUN(&m, lme_on_paged), "#GP(0) at +b"), "%s: LME on: %s",
		      place_name(i ? PAE32 : PAGED32), machine_outcome(&m));
	}
	machine_init(&m, COMPAT32);
	if (cpuid(1, 0).ecx >> 17 & 1)
		check(same(RUN(&m, pcide_off), "#GP(0) at +11"), "paging off with PCIDE: %s",
		      machine_outcome(&m));
	machine_init(&m, COMPAT32);
	check(same(RUN(&m, round_trip), "done") && (uint32_t)m.rbx == 0x12345678 &&
		      (uint32_t)m.rsi == 0x900 && (uint32_t)m.rax == 0xd00,
	      "to 64-bit code, back, out and in again: %s, rbx %lx", machine_outcome(&m), m.rbx);
	return checks_done();
}
