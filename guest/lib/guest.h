/* SPDX-License-Identifier: BSD-2-Clause */
/* What a tiny guest has to work with: a serial port, TAP, faults that may be expected, and the
 * instructions that exit. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The guest's own. Its result goes to the debug-exit port: 0 is a pass. */
int guest_main(uint32_t boot_magic, uint32_t boot_info);

/* General registers as the guest found them, in opcode order, but for RAX. Of RCX, RDX, RSP and RDI
 * the lower halves. */
extern uint64_t boot_registers[16];

__attribute__((noreturn)) void guest_exit(int code);

/* Whether Plinth runs the guest. Not: the processor itself does, straight from GRUB. */
bool under_plinth(void);

/* --- Output on COM1. print knows %s %d %u %x %lx %c. --- */
void print(const char *text, ...) __attribute__((format(printf, 1, 2)));

/* --- TAP: each check is one line. --- */
void check(bool passed, const char *what, ...) __attribute__((format(printf, 2, 3)));

/*
 * A check of something in which a guest is meant to see that it is virtual: its line is marked "#
 * virtual", with the reason. It passes in both cases, in its own way, and only such lines may
 * differ.
 */
void check_virtual(bool passed, const char *reason, const char *what, ...)
	__attribute__((format(printf, 3, 4)));

/* A check of what Bochs does not do as processors do: says how, when it fails, and that counts as
 * nothing. */
void check_bochs(bool passed, const char *bochs, const char *what, ...)
	__attribute__((format(printf, 3, 4)));

/* Prints the plan. Returns 0 when all checks passed, else 1. */
int checks_done(void);

/* --- Traps --- */

struct trap_frame {
	uint64_t r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

/* Called by entry.S before guest_main(). */
void guest_setup(void);

/* Points a vector straight at code that ends with IRETQ. */
void trap_set_entry(unsigned vector, const void *entry);

/* Called for a vector that is not a fault which was expected. NULL: such a trap ends the guest with
 * a report. */
extern void (*trap_handlers[256])(struct trap_frame *frame);

/*
 * An external interrupt for this processor, as its local APIC or Plinth brings it: pending at once.
 * interrupt_end() takes it where the test did not, which is then true, and tells the local APIC
 * that it is over.
 */
void interrupt_pend(uint8_t vector);
bool interrupt_end(uint8_t vector);

/* The same for an NMI. */
void nmi_pend(void);

/* The fault that an instruction under TRY met. */
struct fault {
	bool happened;
	uint8_t vector;
	uint64_t error;
};
extern volatile struct fault last_fault;
extern volatile uint64_t fault_resume;

/*
 * Runs an instruction, given as text with its operands as in an asm statement, that may fault;
 * last_fault tells whether it did.
 */
#define TRY(instruction, ...)                                                                      \
	do {                                                                                       \
		last_fault.happened = false;                                                       \
		asm volatile("movq $1f, fault_resume\n\t" instruction                              \
			     "\n1:\tmovq $0, fault_resume" __VA_ARGS__);                           \
	} while (0)

/* --- Instructions --- */

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r;

	asm volatile("cpuid"
		     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
		     : "a"(leaf), "c"(subleaf));
	return r;
}

#define DEFINE_PORT(type, suffix, bits)                                                            \
	static inline type in##bits(uint16_t port)                                                 \
	{                                                                                          \
		type value;                                                                        \
		asm volatile("in" suffix " %1, %0" : "=a"(value) : "Nd"(port));                    \
		return value;                                                                      \
	}                                                                                          \
	static inline void out##bits(uint16_t port, type value)                                    \
	{                                                                                          \
		asm volatile("out" suffix " %0, %1" : : "a"(value), "Nd"(port));                   \
	}
DEFINE_PORT(uint8_t, "b", 8)
DEFINE_PORT(uint16_t, "w", 16)
DEFINE_PORT(uint32_t, "l", 32)

#define DEFINE_CR(n)                                                                               \
	static inline uint64_t read_cr##n(void)                                                    \
	{                                                                                          \
		uint64_t value;                                                                    \
		asm volatile("mov %%cr" #n ", %0" : "=r"(value) : : "memory");                     \
		return value;                                                                      \
	}                                                                                          \
	static inline void write_cr##n(uint64_t value)                                             \
	{                                                                                          \
		asm volatile("mov %0, %%cr" #n : : "r"(value) : "memory");                         \
	}
DEFINE_CR(0)
DEFINE_CR(3)
DEFINE_CR(4)
DEFINE_CR(8)

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t low, high;

	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
	asm volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static inline uint64_t rdtsc(void)
{
	uint32_t low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static inline uint64_t xgetbv(void)
{
	uint32_t low, high;

	asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}
