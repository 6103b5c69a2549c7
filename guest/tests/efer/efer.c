/* SPDX-License-Identifier: BSD-2-Clause */
/* WRMSR of IA32_EFER: which bits exist, and when LME may change. */
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"

#define EFER 0xc0000080
#define SCE  (1ull << 0)
#define LME  (1ull << 8)
#define LMA  (1ull << 10)
#define NXE  (1ull << 11)

/* Writes EDX:EAX, reads it into EDI:ESI, and writes the value of before. */
CODE16(write16, "mov %eax, %ebx\n mov %edx, %ebp\n rdmsr\n xchg %eax, %ebx\n xchg %edx, %ebp\n "
		"wrmsr\n rdmsr\n mov %eax, %esi\n"
		"mov %edx, %edi\n mov %ebx, %eax\n mov %ebp, %edx\n wrmsr\n");
CODE32(write32, "mov %eax, %ebx\n mov %edx, %ebp\n rdmsr\n xchg %eax, %ebx\n xchg %edx, %ebp\n "
		"wrmsr\n rdmsr\n mov %eax, %esi\n"
		"mov %edx, %edi\n mov %ebx, %eax\n mov %ebp, %edx\n wrmsr\n");
CODE64(no_execute, "wrmsr\n jmp *%rdi\n");
CODE64(syscall_ends,
       "wrmsr\n mov $0xc0000081, %ecx\n mov $0x00330008, %edx\n xor %eax, %eax\n wrmsr\n"
       "mov $0xc0000082, %ecx\n mov $0x2080, %eax\n xor %edx, %edx\n wrmsr\n syscall\n");

static const char *write(struct machine *m, enum place place, uint64_t value)
{
	machine_init(m, place);
	m->rcx = EFER;
	m->rax = (uint32_t)value;
	m->rdx = value >> 32;
	return place_bits(place) == 16 ? RUN(m, write16) : RUN(m, write32);
}

static void toggle(enum place place, unsigned bit)
{
	const char *fault = place == REAL ? "#GP at +d" : "#GP(0) at +9";
	uint64_t base = place_is_long(place) ? LME | LMA | NXE : 0, value = base ^ 1ull << bit,
		 wanted;
	bool ok = bit == 0 || bit == 11 || bit == 10 ||
		  (bit == 8 && (place == REAL || place == PROTECTED32));
	struct machine m;
	const char *how = write(&m, place, value);
	bool as_wanted;

	/* LMA is as it is. */
	wanted = (value & ~LMA) | (base & LMA);
	as_wanted = ok ? same(how, "done") && (uint32_t)m.rsi == wanted &&
				    (uint32_t)m.rdi == wanted >> 32
		       : same(how, fault);
	check(as_wanted, "%s: bit %u: %s, reads %lx", place_name(place), bit, how,
	      ok ? m.rsi & 0xffffffff : 0ul);
}

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	static uint64_t page_table[3][512] __attribute__((aligned(4096)));
	struct machine m;

	(void)boot_magic;
	(void)boot_info;
	for (unsigned bit = 0; bit < 64; bit++) {
		toggle(COMPAT32, bit);
		toggle(PROTECTED32, bit);
	}
	for (unsigned bit = 0; bit < 16; bit++) {
		toggle(REAL, bit);
		toggle(PAE32, bit);
	}
	/* NXE acts: bit 63 of a page's entry forbids execution, and is reserved without it. */
	for (unsigned i = 0; i < 512; i++)
		page_table[2][i] = directories[i];
	page_table[1][0] = (uint64_t)page_table[2] | 7;
	page_table[0][0] = (uint64_t)page_table[1] | 7;
	page_table[2][64] |= 1ull << 63;
	for (unsigned on = 0; on < 2; on++) {
		machine_init(&m, LONG64);
		m.cr3 = (uint64_t)page_table[0];
		m.rcx = EFER;
		m.rax = LME | (on ? NXE : 0);
		m.rdi = 64 << 21;
		RUN(&m, no_execute);
		check(m.vector == 14 && m.error == (on ? 0x11 : 0x9) && m.cr2 == 64 << 21,
		      "NXE %u: a jump to a page that may not be executed: %s, CR2 %lx", on,
		      machine_outcome(&m), m.cr2);
	}
	/* SCE acts: SYSCALL goes to LSTAR, where nothing but zeros is. */
	for (unsigned on = 0; on < 2; on++) {
		machine_init(&m, LONG64);
		m.rcx = EFER;
		m.rax = LME | NXE | (on ? SCE : 0);
		m.rdi = TEST_DATA;
		*memory16(0x2080) = 0x0b0f;
		RUN(&m, syscall_ends);
		check(m.vector == 6 && (m.rip == 0x2080) == on,
		      "SCE %u: SYSCALL: %s, RCX %lx R11 %lx", on, machine_outcome(&m), m.rcx,
		      m.r11);
	}
	return checks_done();
}
