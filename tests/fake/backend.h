/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A backend for tests of the neutral half of the vCPU: the backend_*() functions over a plain
 * struct, one vCPU, and what happens to it. Link tests/fake/backend.c.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86_64/control_registers.h"
#include "vcpu/vcpu.h"

struct fake_backend {
	uint64_t rip, rsp, rflags;
	uint64_t cr0, cr3, cr4; /* as the guest sees them */
	uint64_t pdptes[4];
	struct segment segments[8]; /* by enum segment_index; the CPL is SS's DPL */
	uint64_t debugctl, pat, dr7;
	unsigned breakpoints; /* met, and pending */
	struct backend_features features;
	bool nmi_blocked, trap_due;
	bool has_ones; /* reads of nothing can be left to the processor, */
	gpa_t ones_at; /* as was asked for here last */

	/* How often each was called. */
	unsigned flush_count, done_count, set_cr0_count, set_cr3_count, set_cr4_count;
	unsigned set_efer_count, set_pdptes_count;

	/* What the next call of each that can fail returns. */
	err_t create_error, set_state_error;
	unsigned created, destroyed;
	void (*run)(struct vcpu *vcpu);
};

extern struct fake_backend fake_backend;

/* The vCPU and its VM. Give the VM memory with tests/fake/guest_memory.h before fake_vcpu_reset().
 */
extern struct vcpu fake_vcpu;
extern struct vm fake_vcpu_vm;

/* In which code the vCPU is. */
enum fake_code {
	FAKE_REAL,
	FAKE_VIRTUAL_8086,
	FAKE_CODE16, /* protected mode without paging */
	FAKE_CODE32,
	FAKE_COMPATIBILITY32, /* in IA-32e mode, with paging */
	FAKE_CODE64,
};

/*
 * A vCPU in this code at CPL 0 (virtual-8086: 3) with flat segments, an empty bus, no events;
 * paging is on in IA-32e mode alone, with CR3 0.
 */
void fake_vcpu_reset(enum fake_code code);

/* Lets exits be recorded from here on, in the one record that this returns. */
struct exit_record *fake_vcpu_record(void);

/* Sets the DPL of SS. */
void fake_vcpu_set_cpl(unsigned cpl);

/* True if nothing was raised; and the event that was raised last, for fake_expect_fault(). */
bool fake_no_fault(void);

/* Fails the test unless exactly this fault is on its way; forgets it. error < 0: it has none. */
void fake_expect_fault(uint8_t vector, int64_t error);
