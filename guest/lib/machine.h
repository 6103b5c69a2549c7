/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a few instructions in any mode of the processor, from a state that is wholly given, and
 * tells how they ended: at the first exception or interrupt, with everything as it was then.
 *
 * A test writes its instructions with CODE16(), CODE32() or CODE64(), asks for a place (a mode, and
 * a CPL), changes what it wants to, and calls machine_run(). Behind the instructions stands UD2;
 * who comes there is done.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/lib/selectors.h"

/* Where code can run. The paged ones see all memory at its own address, at CPL 3 too. */
enum place {
	REAL,
	UNREAL,      /* real mode with 4 GiB segments in DS and ES */
	PROTECTED16, /* without paging */
	PROTECTED32,
	PAGED16, /* 32-bit paging */
	PAGED32,
	PAE32,
	USER16, /* 32-bit paging, CPL 3 */
	USER32,
	V86,
	COMPAT16, /* compatibility mode */
	COMPAT32,
	COMPAT_USER32,
	LONG64,
	LONG_USER64,
	PLACES,
};

const char *place_name(enum place place);
bool place_is_long(enum place place);  /* EFER.LMA */
unsigned place_bits(enum place place); /* 16, 32, 64: operand size, address size and stack */
unsigned place_cpl(enum place place);

/* The state to run with, and afterwards as it was found at the exception. Words of 8 bytes:
 * selectors.h knows their numbers. */
struct machine {
	union {
		uint64_t reg[16];
		struct {
			uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13,
				r14, r15;
		};
	};
	uint64_t rip, rflags;
	uint64_t cr0, cr2, cr3, cr4, efer;
	uint64_t es, cs, ss, ds, fs, gs;
	uint64_t kind, flat;
	uint64_t vector, error; /* how it ended */
	uint64_t dr6;           /* cleared before */
};

/* A state with which code runs at this place: at TEST_CODE, with a stack that ends at TEST_STACK,
 * DS and ES for TEST_DATA. */
void machine_init(struct machine *machine, enum place place);

/* Copies instructions to TEST_CODE, with UD2 behind them. */
void machine_load(const void *code, const void *end);

/* Runs. True: it ended at that UD2. */
bool machine_run(struct machine *machine);

/* #DB stands with the causes that DR6 tells. How the last run ended, in words: "done", or the
 * exception with its error code, and where unless at the first instruction. */
const char *machine_outcome(const struct machine *machine);

/* machine_load(), machine_run(), machine_outcome() with code written by CODE16(), CODE32() or
 * CODE64(). */
#define RUN(machine, name) machine_try(machine, name, name##_end)
const char *machine_try(struct machine *machine, const void *code, const void *end);

/* Whether texts are the same. */
bool same(const char *a, const char *b);

#define CODE(bits, name, text)                                                                     \
	extern const uint8_t name[], name##_end[];                                                 \
	asm(".pushsection .rodata\n.code" #bits "\n" #name ":\n" text "\n" #name                   \
	    "_end:\n.code64\n.popsection")
#define CODE16(name, text) CODE(16, name, text)
#define CODE32(name, text) CODE(32, name, text)
#define CODE64(name, text) CODE(64, name, text)

/* Memory by its address, which may be 0 or low, as no object of C is. */
#define DEFINE_MEMORY(bits)                                                                        \
	static inline volatile uint##bits##_t *memory##bits(uint64_t address)                      \
	{                                                                                          \
		asm("" : "+r"(address));                                                           \
		return (volatile uint##bits##_t *)address;                                         \
	}
DEFINE_MEMORY(8)
DEFINE_MEMORY(16)
DEFINE_MEMORY(32)
DEFINE_MEMORY(64)

/* --- Tables that a test may change. --- */

/* The interrupt and I/O bitmaps of the 32-bit TSS: all set, that is closed. */
extern struct __attribute__((packed)) machine_tss32 {
	uint16_t link, reserved0;
	uint32_t esp0, ss0, unused[22];
	uint16_t trap, io_base;
	uint8_t redirection[32];
	uint8_t io[8193];
} machine_tss32;

extern uint64_t guest_gdt[];
extern uint64_t pml4[512], directories[4 * 512];

/* Where handlers of exceptions run, but for those of CPL 0 outside long mode. */
extern uint8_t machine_trap_stack[4096];

/* And what is needed on the way into a mode. */
extern uint8_t machine_hub_stack[4096];

/* What the places use: for CR3 of 32-bit and of PAE paging. */
extern uint32_t machine_directory32[1024];
extern uint64_t machine_pdpt[4];

/* Makes descriptors at SEL_TEST + 8 * index. */
void descriptor_set(unsigned index, uint32_t base, uint32_t limit, uint32_t access);
#define ACCESS_CODE 0x9b /* present, accessed, readable */
#define ACCESS_DATA 0x93 /* present, accessed, writable */
#define ACCESS_USER 0x60
#define ACCESS_L    0x2000
#define ACCESS_BIG  0x4000
#define ACCESS_4K   0x8000 /* the limit counts pages */
