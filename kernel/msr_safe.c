/* SPDX-License-Identifier: BSD-2-Clause */
/* RDMSR and WRMSR with an entry in the table of expected faults. */
#include "kernel/msr_safe.h"

#include "kernel/traps.h"

bool rdmsr_safe(uint32_t msr, uint64_t *value)
{
	uint32_t low, high;
	bool done;

	asm volatile("xorl %k[done], %k[done]\n\t"
		     "1: rdmsr\n\t"
		     "movl $1, %k[done]\n"
		     "2:\n\t" FIXUP("1b", "2b")
		     : [done] "=&r"(done), "=a"(low), "=d"(high)
		     : "c"(msr)
		     : "memory", "cc");
	if (done)
		*value = (uint64_t)high << 32 | low;
	return done;
}

bool wrmsr_safe(uint32_t msr, uint64_t value)
{
	bool done;

	asm volatile("xorl %k[done], %k[done]\n\t"
		     "1: wrmsr\n\t"
		     "movl $1, %k[done]\n"
		     "2:\n\t" FIXUP("1b", "2b")
		     : [done] "=&r"(done)
		     : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
		     : "memory", "cc");
	return done;
}
