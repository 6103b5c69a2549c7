/* SPDX-License-Identifier: BSD-2-Clause */
/* The Intel backend's own state, and the functions that its files share. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86_64/vmx.h"
#include "arch/x86_64/vmx_instructions.h"
#include "kernel/address.h"
#include "kernel/error.h"
#include "vcpu/vcpu.h"
#include "vcpu/vmx/capabilities.h"
#include "vcpu/vmx/controls.h"
#include "vcpu/vmx/ept.h"

/* What is behind vm->backend. */
struct vmx_vm {
	struct ept ept;
	hpa_t ones; /* a page of them, to be read where there is nothing */
};

/* What is behind vcpu->backend. */
struct vmx_vcpu {
	hpa_t vmcs;
	uint32_t primary; /* the primary controls as they are in the VMCS */
	uint32_t entry_controls;
	uint16_t vpid; /* 0: VPIDs are not used */
	uint64_t cr4_guest_owned;
	void *msr_bitmap;
};

static inline struct vmx_vcpu *vmx_of(struct vcpu *vcpu)
{
	return vcpu->backend;
}

static inline struct ept *ept_of(const struct vcpu *vcpu)
{
	return &((struct vmx_vm *)vcpu->vm->backend)->ept;
}

/* --- enable.c --- */

/* What this CPU can do, and the controls that guests run with. Valid from backend_start() on. */
const struct vmx_capabilities *vmx_capabilities(void);
const struct vmx_controls *vmx_controls(void);

/* --- run.c and exits.c --- */

/* One row an exit reason. */
struct vmx_exit_row {
	enum outcome (*handle)(struct vcpu *vcpu);
};
#define VMX_EXIT_ROWS 128
extern const struct vmx_exit_row vmx_exit_rows[VMX_EXIT_ROWS];
_Static_assert(VMX_EXIT_ROWS >= VMX_EXIT_REASON_COUNT && VMX_EXIT_ROWS <= EXIT_REASONS,
	       "a row each");

/* For an EPT violation after which the access is made again, by what was done about it. */
enum outcome vmx_repeat_access(struct vcpu *vcpu, enum ept_answer why);

/* The answer to a reason beyond the table. */
enum outcome vmx_exit_unknown(struct vcpu *vcpu);

/* exits_io.c */
enum outcome vmx_exit_io(struct vcpu *vcpu);

/* If the exit came while an event was being delivered, puts that back to be delivered first. True:
 * it did. */
bool vmx_redeliver(struct vcpu *vcpu);

/* The stub and what it calls. */
void vmx_enter_guest(struct vcpu *vcpu);
void vmx_exit_entry(void);
void vmx_exit_entry_clearing(void); /* empties the processor's buffers before each entry */
NORETURN void vmx_leave_guest(struct vcpu *vcpu);
void vmx_handle_exit(struct vcpu *vcpu, uint64_t tsc);
void vmx_entry_instruction_failed(struct vcpu *vcpu, bool cf, bool zf);

/* --- dump.c --- */

/* Prints all fields of the current VMCS that this CPU has, and that are not 0, with their names. */
void vmx_dump(const struct vcpu *vcpu);
