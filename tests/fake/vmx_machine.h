/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM with one vCPU on the real VMX backend, whose processor is tests/fake/'s: for tests of exits.
 * Link the files of VMX_MACHINE_UNITS below; a test prepares fields of the VMCS, lets an exit be
 * handled, and looks at what has become of them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86_64/control_registers.h"
#include "vcpu/vmx/vmx.h"

/*
 * UNITS of a test: tests/fake/vmx_machine.c vcpu/vmx/exits.c vcpu/vmx/run.c vcpu/vmx/state.c
 * vcpu/vmx/vmcs.c vcpu/vmx/memory.c vcpu/vmx/ept.c ... as test_vmx_exits.c has them.
 */

/* The model of tests/unit/vmx-capabilities.txt that it has; to be changed before the next setup. */
extern const char *vmx_machine_model;

/* Whether it has the iTLB multi-hit erratum; to be changed before the next setup too. */
extern bool vmx_machine_itlb_multihit;

/* To be changed after the setup. */
extern struct vmx_capabilities vmx_machine_capabilities;
extern struct vmx_controls vmx_machine_controls;

extern struct vm vmx_machine_vm;
extern struct vcpu *vmx_machine_vcpu; /* NULL: it could not be made, see the error */
extern err_t vmx_machine_error;

/* What a guest's code did: enum code_size is of the code segment. */
void vmx_machine_setup(void); /* flat 32-bit code at CPL 0 without paging */
void vmx_machine_teardown(void);

/* To 64-bit code (no paging is set up for it), or to real mode. */
void vmx_machine_64bit(void);
void vmx_machine_real(void);
void vmx_machine_set_cpl(unsigned cpl);

/* Guest memory: 2 MiB from 0 on. */
uint8_t *vmx_machine_memory(uint64_t gpa);

/*
 * Handles an exit with this reason; the fields that it needs have been set with fake_vmcs_set().
 * The exit's VMREADs and VMWRITEs are in fake_vmx.reads and .writes. False: the guest was left for
 * good.
 */
bool vmx_machine_exit(uint32_t reason);

/* The same with a qualification and an instruction length of 2. */
bool vmx_machine_exit_with(uint32_t reason, uint64_t qualification);

/* What the last exit left to be injected, as in the VMCS; 0: nothing. Forgets it. */
uint32_t vmx_machine_injected(void);

#define INJECTED_UD 0x80000306u
#define INJECTED_GP 0x80000b0du

/* Lets all exits be recorded from here on: the ring of its pCPU. */
struct exit_ring *vmx_machine_record(void);

/* The vectors that the host's handlers were called for. */
extern unsigned vmx_machine_interrupts[256];

/* Ctrl-A X. */
extern bool vmx_machine_end_requested;

/* Called instead of the guest; it may call vmx_machine_exit(). */
extern void (*vmx_machine_guest)(struct vcpu *vcpu);
