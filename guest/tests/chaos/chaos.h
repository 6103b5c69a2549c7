/* SPDX-License-Identifier: BSD-2-Clause */
/* The chaos guest: runs random code in random states in every mode, and goes on. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "guest/lib/machine.h"

/* In .data, which random code can write to only without paging. */
#define KEPT __attribute__((section(".data")))

/* --- Random numbers, repeatable: all that a burst does follows from the seed and its number. ---
 */

void random_start(uint64_t seed, uint64_t burst);
uint64_t random_bits(void);
uint32_t random_below(uint32_t limit);
bool one_in(uint32_t count);
#define PICK(list) ((list)[random_below(sizeof(list) / sizeof((list)[0]))])

/*
 * Comparing: the same code runs under Plinth and without it, so that it must not use what is not
 * the same there. Without paging only segments keep it from devices: it is confined to a few.
 */
extern bool comparing;
bool place_is_paged(enum place place);
bool confined(enum place place);
#define CR4_VIRTUAL     0x6000ull /* VMXE, SMXE */
#define UNCLAIMED       0x5550    /* ports, here and at the end */
#define UNCLAIMED_SHORT 0x50
#define COMPARED_END    0x20000ull /* low memory that code can use */
#define STARTER_VECTOR  0x467      /* the firmware's way back to guest/starter, */
#define STARTER_CODE    0x9f000u   /* which is there */

/* --- Values that matter to somebody. --- */

/* Memory for operands, or what only looks like it: see value.c. Quiet: RAM, as far as the page
 * tables go. */
uint64_t random_address(unsigned bits, bool quiet);
uint64_t random_value(unsigned bits);
uint32_t random_msr(void);
uint64_t random_msr_value(uint32_t msr, enum place place);
uint16_t random_port(void);
uint16_t random_selector(enum place place);
uint64_t random_cr(unsigned cr, enum place place);
uint64_t random_dr(unsigned dr);
uint64_t random_flags(enum place place);
extern uint64_t cr4_allowed; /* the bits that can be set here */

/* --- Tables: descriptors at SEL_TEST, page tables, I/O bitmap. --- */

#define SLOT_CODE      0 /* code at this place, which ends with low memory */
#define SLOT_DATA      1
#define SELECTOR(slot) ((uint16_t)(SEL_TEST + 8 * (slot)))

/* Addresses behind page-table entries that are made anew for each burst. */
#define WINDOW      0x40000000ull
#define WINDOW_SIZE 0x200000ull
#define RAM_END     0x400000ull

void tables_start(void);
void tables_clear(void);
void tables_shuffle(enum place place);
uint64_t tables_cr3(enum place place);
uint64_t tables_any_cr3(void); /* of some page tables, of whichever kind */

/* --- Code. --- */

#define LANDING          0x7f00 /* where transfers of control go to: not back to the code */
#define HLT              0xf4
#define CODE_MAX         1200
#define INSTRUCTIONS_MAX 160

struct code {
	uint8_t bytes[CODE_MAX + 32];
	uint16_t starts[INSTRUCTIONS_MAX + 1]; /* where each instruction begins, and the end */
	unsigned length, count;
	enum place place;
	unsigned bits, cpl;
	bool waits; /* with HLT, which single steps would keep from its interrupt */
};

/* --- What is compared. --- */

void compare_start(void);
void compare_prepare(void); /* before each run */
/* Exceptions: how many there may be, and were. */
void compare_outcome(struct machine *machine, unsigned most, unsigned exceptions, bool tell);
uint32_t compare_digest(void); /* of all outcomes since the last one */

/* Makes about so many instructions. */
void code_make(struct code *code, enum place place, unsigned count);
