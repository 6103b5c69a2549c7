/* SPDX-License-Identifier: BSD-2-Clause */
/* The two states in which a vCPU can begin: as after a processor reset, and flat 32-bit protected
 * mode. */
#include "vcpu/state.h"
#include "kernel/string.h"

#define RFLAGS_FIXED    0x2ul        /* bit 1 is always set */
#define CR0_AFTER_RESET 0x60000010ul /* CD, NW, ET */
#define CR0_PROTECTED   0x11ul       /* PE, ET */

/* EDX after reset is the processor's signature, 000n06xxH; the model and stepping are of no
 * consequence. */
#define SIGNATURE_AFTER_RESET 0x600ul

/* The selectors of the Linux boot protocol (__BOOT_CS, __BOOT_DS), which GRUB uses too. */
#define FLAT_CODE_SELECTOR 0x10
#define FLAT_DATA_SELECTOR 0x18

void vcpu_state_reset(struct vcpu_state *state)
{
	const struct segment data = {.limit = 0xffff, .access = SEGMENT_DATA16};

	*state = (struct vcpu_state){
		.regs.rdx = SIGNATURE_AFTER_RESET,
		.rip = 0xfff0,
		.rflags = RFLAGS_FIXED,
		.cr0 = CR0_AFTER_RESET,
		.es = data,
		.cs = {.selector = 0xf000,
		       .base = 0xffff0000,
		       .limit = 0xffff,
		       .access = SEGMENT_CODE16},
		.ss = data,
		.ds = data,
		.fs = data,
		.gs = data,
		.ldtr = {.limit = 0xffff,        .access = SEGMENT_LDT},
		.tr = {.limit = 0xffff,                      .access = SEGMENT_TSS32},
		.gdtr = {.limit = 0xffff},
		.idtr = {.limit = 0xffff       },
	};
}

void vcpu_state_flat32(struct vcpu_state *state, uint32_t eip)
{
	const struct segment data = {
		.selector = FLAT_DATA_SELECTOR, .limit = 0xffffffff, .access = SEGMENT_DATA32};

	*state = (struct vcpu_state){
		.rip = eip,
		.rflags = RFLAGS_FIXED,
		.cr0 = CR0_PROTECTED,
		.es = data,
		.cs = {.selector = FLAT_CODE_SELECTOR,
		       .limit = 0xffffffff,
		       .access = SEGMENT_CODE32},
		.ss = data,
		.ds = data,
		.fs = data,
		.gs = data,
		.ldtr = {.access = SEGMENT_UNUSABLE                             },
		.tr = {.limit = 0x67,                  .access = SEGMENT_TSS32},
 /* No tables: a boot protocol's kernel loads its own before it needs them. */
	};
}
