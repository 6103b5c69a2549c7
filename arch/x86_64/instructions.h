/* SPDX-License-Identifier: BSD-2-Clause */
/* One-instruction wrappers for what C cannot say: ports, MSRs, control registers, CPUID, time. No
 * policy in them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/dear.h"

/* What SGDT, SIDT, LGDT and LIDT move. */
struct table_register {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

/* Ports. */

static inline uint8_t in8(uint16_t port)
{
	uint8_t value;
	COUNT_DEAR_ONE(others);
	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint16_t in16(uint16_t port)
{
	uint16_t value;
	COUNT_DEAR_ONE(others);
	asm volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint32_t in32(uint16_t port)
{
	uint32_t value;
	COUNT_DEAR_ONE(others);
	asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void out8(uint16_t port, uint8_t value)
{
	COUNT_DEAR_ONE(others);
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void out16(uint16_t port, uint16_t value)
{
	COUNT_DEAR_ONE(others);
	asm volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void out32(uint16_t port, uint32_t value)
{
	COUNT_DEAR_ONE(others);
	asm volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

/* Model-specific registers. These fault on one that does not exist: kernel/msr_safe.h has calls
 * that report it. */

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t low, high;
	COUNT_DEAR_ONE(others);
	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
	return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
	COUNT_DEAR_ONE(others);
	asm volatile("wrmsr"
		     :
		     : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
		     : "memory");
}

/* The processor's identity, time and randomness. */

static inline struct cpuid_result cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_result r;
	COUNT_DEAR_ONE(others);
	asm volatile("cpuid"
		     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
		     : "a"(leaf), "c"(subleaf));
	return r;
}

static inline uint64_t rdtsc(void)
{
	uint32_t low, high;
	asm volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/* False: the generator had no value ready. Exists with CPUID.1:ECX.RDRAND only. */
static inline bool rdrand(uint64_t *value)
{
	bool valid;
	asm volatile("rdrand %0" : "=r"(*value), "=@ccc"(valid));
	return valid;
}

/* Control registers. */

static inline uint64_t read_cr0(void)
{
	uint64_t value;
	asm volatile("mov %%cr0, %0" : "=r"(value) : : "memory");
	return value;
}

static inline uint64_t read_cr2(void)
{
	uint64_t value;
	asm volatile("mov %%cr2, %0" : "=r"(value) : : "memory");
	return value;
}

static inline uint64_t read_cr3(void)
{
	uint64_t value;
	asm volatile("mov %%cr3, %0" : "=r"(value) : : "memory");
	return value;
}

static inline uint64_t read_cr4(void)
{
	uint64_t value;
	asm volatile("mov %%cr4, %0" : "=r"(value) : : "memory");
	return value;
}

static inline uint64_t read_cr8(void)
{
	uint64_t value;
	asm volatile("mov %%cr8, %0" : "=r"(value) : : "memory");
	return value;
}

static inline void write_cr0(uint64_t value)
{
	COUNT_DEAR_ONE(others);
	asm volatile("mov %0, %%cr0" : : "r"(value) : "memory");
}

static inline void write_cr2(uint64_t value)
{
	asm volatile("mov %0, %%cr2" : : "r"(value) : "memory");
}

static inline void write_cr3(uint64_t value)
{
	asm volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}

static inline void write_cr4(uint64_t value)
{
	COUNT_DEAR_ONE(others);
	asm volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

static inline void write_cr8(uint64_t value)
{
	asm volatile("mov %0, %%cr8" : : "r"(value) : "memory");
}

/* Extended control register 0 (and others); need CR4.OSXSAVE. */

static inline uint64_t xgetbv(uint32_t index)
{
	uint32_t low, high;
	asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(index) : "memory");
	return (uint64_t)high << 32 | low;
}

static inline void xsetbv(uint32_t index, uint64_t value)
{
	COUNT_DEAR_ONE(others);
	asm volatile("xsetbv"
		     :
		     : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
		     : "memory");
}

/* Load the FPU, SSE and further state from an area (SDM "XSAVE-Supported Features and
 * State-Component Bitmaps"). */

static inline void fxrstor(const void *area)
{
	asm volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}

static inline void xrstor(const void *area, uint64_t components)
{
	asm volatile("xrstor64 (%0)"
		     :
		     : "r"(area), "a"((uint32_t)components), "d"((uint32_t)(components >> 32))
		     : "memory");
}

/* The protection-key rights of user pages; needs CR4.PKE. */

static inline uint32_t rdpkru(void)
{
	uint32_t value;
	asm volatile("rdpkru" : "=a"(value) : "c"(0) : "rdx", "memory");
	return value;
}

/* Debug registers. */

#define DEFINE_DEBUG_REGISTER(n)                                                                   \
	static inline uint64_t read_dr##n(void)                                                    \
	{                                                                                          \
		uint64_t value;                                                                    \
		asm volatile("mov %%dr" #n ", %0" : "=r"(value) : : "memory");                     \
		return value;                                                                      \
	}                                                                                          \
	static inline void write_dr##n(uint64_t value)                                             \
	{                                                                                          \
		asm volatile("mov %0, %%dr" #n : : "r"(value) : "memory");                         \
	}

DEFINE_DEBUG_REGISTER(0)
DEFINE_DEBUG_REGISTER(1)
DEFINE_DEBUG_REGISTER(2)
DEFINE_DEBUG_REGISTER(3)
DEFINE_DEBUG_REGISTER(6)
DEFINE_DEBUG_REGISTER(7)

#undef DEFINE_DEBUG_REGISTER

/* Descriptor tables and segment registers. */

static inline void lgdt(const struct table_register *table)
{
	asm volatile("lgdt %0" : : "m"(*table) : "memory");
}

static inline void lidt(const struct table_register *table)
{
	asm volatile("lidt %0" : : "m"(*table) : "memory");
}

static inline struct table_register sgdt(void)
{
	struct table_register table;
	asm volatile("sgdt %0" : "=m"(table) : : "memory");
	return table;
}

static inline struct table_register sidt(void)
{
	struct table_register table;
	asm volatile("sidt %0" : "=m"(table) : : "memory");
	return table;
}

static inline void lldt(uint16_t selector)
{
	asm volatile("lldt %0" : : "rm"(selector) : "memory");
}

static inline void ltr(uint16_t selector)
{
	asm volatile("ltr %0" : : "rm"(selector) : "memory");
}

static inline uint16_t store_tr(void)
{
	uint16_t selector;
	asm volatile("str %0" : "=rm"(selector) : : "memory");
	return selector;
}

static inline uint16_t sldt(void)
{
	uint16_t selector;
	asm volatile("sldt %0" : "=rm"(selector) : : "memory");
	return selector;
}

#define DEFINE_SEGMENT_READ(name)                                                                  \
	static inline uint16_t read_##name(void)                                                   \
	{                                                                                          \
		uint16_t selector;                                                                 \
		asm volatile("mov %%" #name ", %0" : "=rm"(selector) : : "memory");                \
		return selector;                                                                   \
	}

DEFINE_SEGMENT_READ(cs)
DEFINE_SEGMENT_READ(ds)
DEFINE_SEGMENT_READ(es)
DEFINE_SEGMENT_READ(ss)
DEFINE_SEGMENT_READ(fs)
DEFINE_SEGMENT_READ(gs)

#undef DEFINE_SEGMENT_READ

/* Loads every segment register: CS with `code`, SS, DS and ES with `data`, FS and GS with null. */
static inline void load_segments(uint16_t code, uint16_t data)
{
	asm volatile("pushq %0\n\t"
		     "leaq 1f(%%rip), %%rax\n\t"
		     "pushq %%rax\n\t"
		     "lretq\n"
		     "1:\n\t"
		     "movl %1, %%ss\n\t"
		     "movl %1, %%ds\n\t"
		     "movl %1, %%es\n\t"
		     "xorl %%eax, %%eax\n\t"
		     "movl %%eax, %%fs\n\t"
		     "movl %%eax, %%gs"
		     :
		     : "r"((uint64_t)code), "r"((uint32_t)data)
		     : "rax", "memory", "cc");
}

/* What the kernel keeps at GS:0: a pointer to the processor's own structure. */
static inline void *read_gs_self(void)
{
	void *self;
	asm volatile("movq %%gs:0, %0" : "=r"(self));
	return self;
}

/* Flags, interrupts, waiting. */

static inline uint64_t read_rflags(void)
{
	uint64_t value;
	asm volatile("pushfq; popq %0" : "=r"(value) : : "memory", "cc");
	return value;
}

static inline void cli(void)
{
	asm volatile("cli" : : : "memory");
}

static inline void sti(void)
{
	asm volatile("sti" : : : "memory");
}

static inline void hlt(void)
{
	asm volatile("hlt" : : : "memory");
}

/* Takes interrupts from the moment that the processor waits, so none can slip in between. */
static inline void sti_hlt(void)
{
	asm volatile("sti; hlt" : : : "memory");
}

static inline void pause(void)
{
	asm volatile("pause" : : : "memory");
}

static inline void breakpoint(void)
{
	asm volatile("int3" : : : "memory");
}

/* Take an NMI or a machine check that a VM exit reported through the host's own IDT. */

static inline void raise_nmi(void)
{
	asm volatile("int $2" : : : "memory");
}

static inline void raise_machine_check(void)
{
	asm volatile("int $18" : : : "memory");
}

/* Caches and TLB. */

static inline void invlpg(uint64_t address)
{
	asm volatile("invlpg (%0)" : : "r"(address) : "memory");
}

static inline void wbinvd(void)
{
	COUNT_DEAR_ONE(others);
	asm volatile("wbinvd" : : : "memory");
}

/* With its operand in memory it also empties the buffers that keep old data, where MD_CLEAR or the
 * like says so. */
static inline void verw(uint16_t selector)
{
	asm volatile("verw %0" : : "m"(selector) : "cc");
}

static inline void mfence(void)
{
	asm volatile("mfence" : : : "memory");
}

static inline void lfence(void)
{
	asm volatile("lfence" : : : "memory");
}
