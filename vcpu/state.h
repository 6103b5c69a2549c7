/* SPDX-License-Identifier: BSD-2-Clause */
/* The architectural state with which a loader starts a vCPU. Neutral: no word of VMX in it. */
#pragma once

#include <stdint.h>

#include "arch/x86_64/registers.h"

/* As instructions number them, and the two that they do not. */
enum segment_index { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_LDTR, SEG_TR };

/*
 * A segment register with its hidden part. Access rights as in bits 8-23 of a descriptor's high
 * half, moved down by 8 (type 3:0, S 4, DPL 6:5, P 7, AVL 12, L 13, D/B 14, G 15); bit 16:
 * unusable.
 */
struct segment {
	uint16_t selector;
	uint32_t limit; /* in bytes, already scaled by G */
	uint32_t access;
	uint64_t base;
};

#define SEGMENT_UNUSABLE 0x10000u
#define SEGMENT_L        0x2000u /* 64-bit code */
#define SEGMENT_DB       0x4000u /* 32-bit operands, addresses or stack */
#define SEGMENT_CODE16   0x009bu /* present, accessed, readable code */
#define SEGMENT_DATA16   0x0093u /* present, accessed, writable data */
#define SEGMENT_CODE32   0xc09bu
#define SEGMENT_DATA32   0xc093u
#define SEGMENT_CODE64   0xa09bu
#define SEGMENT_TSS32    0x008bu /* busy 32-bit TSS (64-bit in IA-32e mode) */
#define SEGMENT_LDT      0x0082u

struct descriptor_table {
	uint64_t base;
	uint16_t limit;
};

struct vcpu_state {
	struct general_registers regs; /* the rsp slot counts here */
	uint64_t rip, rflags;
	uint64_t cr0, cr3, cr4, efer;
	struct segment es, cs, ss, ds, fs, gs, ldtr, tr;
	struct descriptor_table gdtr, idtr;
};

/* The state after a processor reset (SDM "Processor State After Reset"). */
void vcpu_state_reset(struct vcpu_state *state);

/* Protected mode, flat 4 GiB segments, paging off, IF=0, as 32-bit boot protocols start a kernel at
 * `eip`. */
void vcpu_state_flat32(struct vcpu_state *state, uint32_t eip);
