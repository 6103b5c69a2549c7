/* SPDX-License-Identifier: BSD-2-Clause */
/* MOV to and from debug registers: fixed bits, aliases, the upper half, general detect; and that
 * they outlive exits. */
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"

#define CR4_DE 8
#define DR7_GD 0x2000
#define FIXED7 0x400

CODE64(write0, "mov %rax, %dr0\n cpuid\n mov %dr0, %rbx\n");
CODE64(write3, "mov %rax, %dr3\n out %al, $0x80\n mov %dr3, %rbx\n");
CODE64(write4, "mov %rax, %db4\n mov %dr6, %rbx\n");
CODE64(write5, "mov %rax, %db5\n mov %dr7, %rbx\n");
CODE64(write6, "mov %rax, %dr6\n wbinvd\n mov %dr6, %rbx\n");
CODE64(write7, "mov %rax, %dr7\n mov %rax, %r8\n cpuid\n mov %dr7, %rbx\n mov $0x400, %eax\n mov "
	       "%rax, %dr7\n");
CODE64(detect, "mov %rax, %dr7\n nop\n mov %dr6, %rbx\n");
CODE64(detect_write, "mov %rax, %dr7\n cpuid\n mov %rdx, %dr0\n");
CODE64(read_all, "mov %dr0, %r8\n mov %dr1, %r9\n mov %dr2, %r10\n mov %dr3, %r11\n");
CODE32(write0_32, "mov %eax, %dr0\n cpuid\n mov %dr0, %ebx\n");
CODE32(write7_32, "mov %eax, %dr7\n cpuid\n mov %dr7, %ebx\n mov $0x400, %eax\n mov %eax, %dr7\n");
CODE32(detect_32, "mov %eax, %dr7\n nop\n mov %dr6, %ebx\n");
CODE16(detect_16, "mov %eax, %dr7\n nop\n mov %dr6, %ebx\n");

static uint64_t read_dr7(void)
{
	uint64_t value;

	asm volatile("mov %%dr7, %0" : "=r"(value));
	return value;
}

static void write_dr7(uint64_t value)
{
	asm volatile("mov %0, %%dr7" : : "r"(value));
}

#define WRITES(place, name, set_cr4, value, wanted, wanted_value)                                  \
	do {                                                                                       \
		struct machine m;                                                                  \
		const char *how;                                                                   \
		machine_init(&m, place);                                                           \
		m.cr4 |= set_cr4;                                                                  \
		m.rax = value;                                                                     \
		how = RUN(&m, name);                                                               \
		check(same(how, wanted) && (!same(how, "done") || m.rbx == (wanted_value)),        \
		      "%s: %s of %lx: %s, reads %lx", place_name(place), #name, (uint64_t)(value), \
		      how, m.rbx);                                                                 \
		write_dr7(FIXED7);                                                                 \
	} while (0)

#define DETECTS(place, name, at)                                                                   \
	do {                                                                                       \
		struct machine m;                                                                  \
		const char *how;                                                                   \
		machine_init(&m, place);                                                           \
		m.rax = DR7_GD | FIXED7;                                                           \
		how = RUN(&m, name);                                                               \
		check(same(how, "#DB(2000) at +" at) && read_dr7() == FIXED7,                      \
		      "%s: %s: %s, then DR7 is %lx", place_name(place), #name, how, read_dr7());   \
	} while (0)

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	struct machine m;

	(void)boot_magic;
	(void)boot_info;
	WRITES(LONG64, write0, 0, 0x123456789abcdef0, "done", 0x123456789abcdef0);
	WRITES(LONG64, write3, 0, 0xffffffffffffffff, "done", 0xffffffffffffffff);
	WRITES(LONG64, write4, 0, 0, "done", 0xffff0ff0);
	WRITES(LONG64, write5, 0, 0, "done", 0x400);
	WRITES(LONG64, write4, CR4_DE, 0, "#UD", 0);
	WRITES(LONG64, write5, CR4_DE, 0, "#UD", 0);
	WRITES(LONG64, write6, 0, 0, "done", 0xffff0ff0);
	WRITES(LONG64, write6, 0, 0xffffffff, "done", 0xffffefff);
	WRITES(LONG64, write6, 0, 0x100000000, "#GP(0)", 0);
	WRITES(LONG64, write7, 0, 0, "done", 0x400);
	WRITES(LONG64, write7, 0, 0x00000155, "done", 0x555);
	WRITES(LONG64, write7, 0, 0x100000000, "#GP(0)", 0);
	WRITES(COMPAT32, write0_32, 0, 0x9abcdef0, "done", 0x9abcdef0);
	WRITES(PROTECTED32, write0_32, 0, 0x9abcdef0, "done", 0x9abcdef0);
	WRITES(PROTECTED32, write7_32, 0, 0x000f0055, "done", 0x000f0455);
	DETECTS(LONG64, detect, "4");
	DETECTS(LONG64, detect_write, "5");
	DETECTS(COMPAT32, detect_32, "4");
	DETECTS(PROTECTED32, detect_32, "4");
	DETECTS(PAE32, detect_32, "4");
	DETECTS(REAL, detect_16, "4");
	/* What was written is there in the next mode and after many exits. */
	asm volatile("mov %0, %%dr1" : : "r"(0x1111222233334444ull));
	machine_init(&m, LONG64);
	RUN(&m, read_all);
	check(m.r9 == 0x1111222233334444, "DR1 is still %lx", m.r9);
	return checks_done();
}
