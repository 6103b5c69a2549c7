/* SPDX-License-Identifier: BSD-2-Clause */
/* What instructions that exit leave in the halves of registers that they do not write. */
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"

#define ONES 0x1111111111111111ull

CODE64(cpuid_brand, "mov $0x1111111180000002, %rax\n cpuid\n");
CODE64(rdmsr_pat, "mov $0x1111111100000277, %rcx\n rdmsr\n");
CODE64(wrmsr_pat, "mov $0x1111111100000277, %rcx\n mov $0x1111111100070106, %rax\n mov "
		  "$0x1111111100070406, %rdx\n wrmsr\n"
		  "xor %eax, %eax\n rdmsr\n");
CODE64(in8_none, "mov $0x111111111111eee0, %rdx\n in %dx, %al\n");
CODE64(in16_none, "mov $0x111111111111eee0, %rdx\n in %dx, %ax\n");
CODE64(in32_none, "mov $0x111111111111eee0, %rdx\n in %dx, %eax\n");
CODE64(in64_none, "mov $0x111111111111eee0, %rdx\n .byte 0x48\n in %dx, %eax\n");
CODE64(smsw16, "smsw %ax\n");
CODE64(smsw32, "smsw %eax\n");
CODE64(smsw64, "smsw %rax\n");
CODE64(from_cr0, "mov %cr0, %rax\n");
CODE64(from_cr8, "mov %cr8, %rax\n");
CODE64(from_cr4_rex, "mov %cr4, %r11\n");
CODE64(to_cr8, "mov $7, %eax\n mov %rax, %cr8\n mov %cr8, %r11\n mov %cr8, %rsp\n xor %eax, %eax\n "
	       "mov %rax, %cr8\n");
CODE64(from_cr3_rsp, "mov %cr3, %rsp\n");
CODE64(xgetbv_0, "xor %ecx, %ecx\n xgetbv\n");
CODE64(lahf, "lahf\n");
CODE32(cpuid_brand_32, "mov $0x80000002, %eax\n cpuid\n");
CODE32(rdmsr_pat_32, "mov $0x277, %ecx\n rdmsr\n");
CODE32(from_cr0_32, "mov %cr0, %eax\n");
CODE32(from_cr3_32, "mov %cr3, %eax\n");
CODE32(in16_none_32, "mov $0xeee0, %edx\n in %dx, %ax\n");
CODE32(in32_none_32, "mov $0xeee0, %edx\n in %dx, %eax\n");
CODE16(cpuid_brand_16, "mov $0x80000002, %eax\n cpuid\n");
CODE16(in16_none_16, "mov $0xeee0, %dx\n in %dx, %ax\n");
CODE16(from_cr0_16, "mov %cr0, %eax\n");

static bool has_xsave(void)
{
	return cpuid(1, 0).ecx >> 26 & 1;
}

static void show(enum place place, const uint8_t *code, const uint8_t *end, const char *name)
{
	struct machine m;
	const char *how;

	machine_init(&m, place);
	m.rax = m.rbx = m.rcx = m.rdx = m.r11 = ONES;
	m.cr4 |= has_xsave() ? 0x40000 : 0;
	how = machine_try(&m, code, end);
	check(same(how, "done"), "%s: %s: rax=%lx rbx=%lx rcx=%lx rdx=%lx r11=%lx rsp=%lx",
	      place_name(place), name, m.rax, m.rbx, m.rcx, m.rdx, m.r11, m.rsp);
}
#define SHOW(place, name) show(place, name, name##_end, #name)

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	(void)boot_magic;
	(void)boot_info;
	SHOW(LONG64, cpuid_brand);
	SHOW(LONG64, rdmsr_pat);
	SHOW(LONG64, wrmsr_pat);
	SHOW(LONG64, in8_none);
	SHOW(LONG64, in16_none);
	SHOW(LONG64, in32_none);
	SHOW(LONG64, in64_none);
	SHOW(LONG64, smsw16);
	SHOW(LONG64, smsw32);
	SHOW(LONG64, smsw64);
	SHOW(LONG64, from_cr0);
	SHOW(LONG64, from_cr8);
	SHOW(LONG64, from_cr4_rex);
	SHOW(LONG64, to_cr8);
	SHOW(LONG64, from_cr3_rsp);
	if (has_xsave())
		SHOW(LONG64, xgetbv_0);
	SHOW(LONG64, lahf);
	SHOW(COMPAT32, cpuid_brand_32);
	SHOW(COMPAT32, rdmsr_pat_32);
	SHOW(COMPAT32, from_cr0_32);
	SHOW(COMPAT32, from_cr3_32);
	SHOW(COMPAT32, in16_none_32);
	SHOW(COMPAT32, in32_none_32);
	SHOW(PROTECTED32, cpuid_brand_32);
	SHOW(PAE32, from_cr3_32);
	SHOW(PROTECTED32, in16_none_32);
	SHOW(REAL, cpuid_brand_16);
	SHOW(REAL, in16_none_16);
	SHOW(REAL, from_cr0_16);
	SHOW(COMPAT16, in16_none_16);
	return checks_done();
}
