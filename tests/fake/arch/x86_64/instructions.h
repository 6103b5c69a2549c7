/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stands for arch/x86_64/instructions.h in host tests: the same calls, on a small simulated machine
 * that a test sets up. fake_machine is one object for the whole program; memset it to zero
 * (fake_machine_reset) for a machine that has no devices (ports read as ones), no MSRs, and a TSC
 * that stands still.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/cpuid.h"

struct table_register {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

#define FAKE_MSRS_MAX 128

struct fake_msr {
	uint32_t index;
	uint64_t value;
};

struct fake_machine {
	/* Ports; NULL: nobody answers. size is 1, 2 or 4. */
	uint32_t (*port_read)(uint16_t port, unsigned size);
	void (*port_write)(uint16_t port, unsigned size, uint32_t value);

	/* CPUID; NULL: all zeros. */
	struct cpuid_result (*cpuid)(uint32_t leaf, uint32_t subleaf);

	/* MSRs: looked up in the table, see fake_msr_set(). Hooks, when set, come first; false: it
	 * faults. */
	bool (*msr_read)(uint32_t msr, uint64_t *value);
	bool (*msr_write)(uint32_t msr, uint64_t value);
	struct fake_msr msrs[FAKE_MSRS_MAX];
	unsigned msr_count;

	/* rdtsc() returns tsc and then adds tsc_step. */
	uint64_t tsc, tsc_step;

	/* rdrand(): false when random_fails. */
	uint64_t random;
	bool random_fails;

	/* Called by hlt() and sti_hlt(); NULL: they just return. */
	void (*hlt)(void);

	/* XCR0 takes only these bits, or XSETBV faults; 0: all of them. */
	uint64_t xcr0_supported;

	/* rdpkru() faults while CR4.PKE is clear. */
	uint32_t pkru;

	/* The areas that fxrstor() and xrstor() loaded last, and the components asked for; NULL:
	 * none. */
	const void *fxrstor_area, *xrstor_area;
	uint64_t xrstor_components;

	/* Registers as last written. */
	uint64_t cr0, cr2, cr3, cr4, cr8, xcr0, rflags;
	uint64_t dr0, dr1, dr2, dr3, dr6, dr7;
	struct table_register gdtr, idtr;
	void *gs_self;
	uint16_t tr, ldtr, cs, ds, es, ss, fs, gs;

	/* How often each was executed. */
	unsigned hlt_count, pause_count, invlpg_count, wbinvd_count, breakpoint_count, verw_count;
	unsigned nmi_count, machine_check_count, xsetbv_count;
	uint64_t invlpg_last;
};

__attribute__((weak)) struct fake_machine fake_machine;

static inline void fake_machine_reset(void)
{
	memset(&fake_machine, 0, sizeof(fake_machine));
}

/* Makes an MSR exist, or changes its value. */
static inline void fake_msr_set(uint32_t msr, uint64_t value)
{
	for (unsigned i = 0; i < fake_machine.msr_count; i++) {
		if (fake_machine.msrs[i].index == msr) {
			fake_machine.msrs[i].value = value;
			return;
		}
	}
	if (fake_machine.msr_count == FAKE_MSRS_MAX) {
		fprintf(stderr, "fake machine: more than %u MSRs\n", FAKE_MSRS_MAX);
		abort();
	}
	fake_machine.msrs[fake_machine.msr_count].index = msr;
	fake_machine.msrs[fake_machine.msr_count++].value = value;
}

/* False: there is none, so that RDMSR faults. */
static inline bool fake_msr_get(uint32_t msr, uint64_t *value)
{
	if (fake_machine.msr_read)
		return fake_machine.msr_read(msr, value);
	for (unsigned i = 0; i < fake_machine.msr_count; i++) {
		if (fake_machine.msrs[i].index == msr) {
			*value = fake_machine.msrs[i].value;
			return true;
		}
	}
	return false;
}

/* A write as the machine sees it. False: it faults. */
static inline bool fake_msr_write(uint32_t msr, uint64_t value)
{
	uint64_t old;

	if (fake_machine.msr_write)
		return fake_machine.msr_write(msr, value);
	if (!fake_msr_get(msr, &old))
		return false;
	fake_msr_set(msr, value);
	return true;
}

static inline uint32_t fake_port_read(uint16_t port, unsigned size)
{
	return fake_machine.port_read ? fake_machine.port_read(port, size) : UINT32_MAX;
}

static inline void fake_port_write(uint16_t port, unsigned size, uint32_t value)
{
	if (fake_machine.port_write)
		fake_machine.port_write(port, size, value);
}

static inline uint8_t in8(uint16_t port)
{
	return (uint8_t)fake_port_read(port, 1);
}

static inline uint16_t in16(uint16_t port)
{
	return (uint16_t)fake_port_read(port, 2);
}

static inline uint32_t in32(uint16_t port)
{
	return fake_port_read(port, 4);
}

static inline void out8(uint16_t port, uint8_t value)
{
	fake_port_write(port, 1, value);
}

static inline void out16(uint16_t port, uint16_t value)
{
	fake_port_write(port, 2, value);
}

static inline void out32(uint16_t port, uint32_t value)
{
	fake_port_write(port, 4, value);
}

/* An MSR that does not exist: on the machine this would be a #GP without a fix-up, so the test
 * fails. */
static inline uint64_t rdmsr(uint32_t msr)
{
	uint64_t value;

	if (!fake_msr_get(msr, &value)) {
		fprintf(stderr, "fake machine: rdmsr(0x%x) faults\n", msr);
		abort();
	}
	return value;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
	if (!fake_msr_write(msr, value)) {
		fprintf(stderr, "fake machine: wrmsr(0x%x, 0x%llx) faults\n", msr,
			(unsigned long long)value);
		abort();
	}
}

static inline struct cpuid_result cpuid(uint32_t leaf, uint32_t subleaf)
{
	return fake_machine.cpuid ? fake_machine.cpuid(leaf, subleaf)
				  : (struct cpuid_result){.eax = 0};
}

static inline uint64_t rdtsc(void)
{
	uint64_t now = fake_machine.tsc;

	fake_machine.tsc += fake_machine.tsc_step;
	return now;
}

static inline bool rdrand(uint64_t *value)
{
	*value = fake_machine.random;
	return !fake_machine.random_fails;
}

#define FAKE_REGISTER(name, type)                                                                  \
	static inline type read_##name(void)                                                       \
	{                                                                                          \
		return fake_machine.name;                                                          \
	}                                                                                          \
	static inline void write_##name(type value)                                                \
	{                                                                                          \
		fake_machine.name = value;                                                         \
	}

FAKE_REGISTER(cr0, uint64_t)
FAKE_REGISTER(cr2, uint64_t)
FAKE_REGISTER(cr3, uint64_t)
FAKE_REGISTER(cr4, uint64_t)
FAKE_REGISTER(cr8, uint64_t)
FAKE_REGISTER(dr0, uint64_t)
FAKE_REGISTER(dr1, uint64_t)
FAKE_REGISTER(dr2, uint64_t)
FAKE_REGISTER(dr3, uint64_t)
FAKE_REGISTER(dr6, uint64_t)
FAKE_REGISTER(dr7, uint64_t)

#undef FAKE_REGISTER

#define FAKE_SEGMENT_READ(name)                                                                    \
	static inline uint16_t read_##name(void)                                                   \
	{                                                                                          \
		return fake_machine.name;                                                          \
	}

FAKE_SEGMENT_READ(cs)
FAKE_SEGMENT_READ(ds)
FAKE_SEGMENT_READ(es)
FAKE_SEGMENT_READ(ss)
FAKE_SEGMENT_READ(fs)
FAKE_SEGMENT_READ(gs)

#undef FAKE_SEGMENT_READ

static inline uint64_t xgetbv(uint32_t index)
{
	return index == 0 ? fake_machine.xcr0 : 0;
}

static inline void fake_machine_faults(const char *instruction)
{
	fprintf(stderr, "fake machine: %s faults\n", instruction);
	abort();
}

static inline void xsetbv(uint32_t index, uint64_t value)
{
	uint64_t supported = fake_machine.xcr0_supported;

	if (index != 0 || (supported && (value & ~supported || !(value & 1))))
		fake_machine_faults("xsetbv");
	fake_machine.xcr0 = value;
	fake_machine.xsetbv_count++;
}

static inline void fxrstor(const void *area)
{
	if (fake_machine.cr0 & 0xc || (uintptr_t)area % 16)
		fake_machine_faults("fxrstor");
	fake_machine.fxrstor_area = area;
}

static inline void xrstor(const void *area, uint64_t components)
{
	if (fake_machine.cr0 & 8 || (uintptr_t)area % 64)
		fake_machine_faults("xrstor");
	fake_machine.xrstor_area = area;
	fake_machine.xrstor_components = components & fake_machine.xcr0;
}

static inline uint32_t rdpkru(void)
{
	if (!(fake_machine.cr4 & 1u << 22))
		fake_machine_faults("rdpkru");
	return fake_machine.pkru;
}

static inline void lgdt(const struct table_register *table)
{
	fake_machine.gdtr = *table;
}

static inline void lidt(const struct table_register *table)
{
	fake_machine.idtr = *table;
}

static inline struct table_register sgdt(void)
{
	return fake_machine.gdtr;
}

static inline struct table_register sidt(void)
{
	return fake_machine.idtr;
}

static inline void lldt(uint16_t selector)
{
	fake_machine.ldtr = selector;
}

static inline void ltr(uint16_t selector)
{
	fake_machine.tr = selector;
}

static inline uint16_t store_tr(void)
{
	return fake_machine.tr;
}

static inline uint16_t sldt(void)
{
	return fake_machine.ldtr;
}

static inline void load_segments(uint16_t code, uint16_t data)
{
	fake_machine.cs = code;
	fake_machine.ss = fake_machine.ds = fake_machine.es = data;
	fake_machine.fs = fake_machine.gs = 0;
}

/* Zeros, for a struct cpu, when the test has none of its own. */
__attribute__((weak, aligned(64))) unsigned char fake_cpu[0x10000];

static inline void *read_gs_self(void)
{
	return fake_machine.gs_self ? fake_machine.gs_self : fake_cpu;
}

static inline uint64_t read_rflags(void)
{
	return fake_machine.rflags;
}

static inline void cli(void)
{
	fake_machine.rflags &= ~0x200ull;
}

static inline void sti(void)
{
	fake_machine.rflags |= 0x200;
}

static inline void hlt(void)
{
	fake_machine.hlt_count++;
	if (fake_machine.hlt)
		fake_machine.hlt();
}

static inline void sti_hlt(void)
{
	sti();
	hlt();
}

/* unistd.h of the host has another pause(). */
static inline void fake_pause(void)
{
	fake_machine.pause_count++;
}
#define pause fake_pause

static inline void breakpoint(void)
{
	fake_machine.breakpoint_count++;
}

static inline void raise_nmi(void)
{
	fake_machine.nmi_count++;
}

static inline void raise_machine_check(void)
{
	fake_machine.machine_check_count++;
}

static inline void invlpg(uint64_t address)
{
	fake_machine.invlpg_count++;
	fake_machine.invlpg_last = address;
}

static inline void wbinvd(void)
{
	fake_machine.wbinvd_count++;
}

static inline void verw(uint16_t selector)
{
	(void)selector;
	fake_machine.verw_count++;
}

static inline void mfence(void)
{
}

static inline void lfence(void)
{
}
