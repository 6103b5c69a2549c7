/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether this processor can carry Plinth: one requirement a step, each refusal with the reason and
 * the remedy. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/msr.h"
#include "kernel/error.h"
#include "vcpu/vmx/capabilities.h"
#include "vcpu/vmx/controls.h"

/* What the gate looks at. */
struct feature_gate_input {
	cpuid_reader cpuid;
	msr_reader rdmsr;  /* false: it faults */
	uint64_t cr0, cr4; /* as they are now */
};

/* What it found, and what VMX operation needs. */
struct feature_gate {
	bool must_write_feature_control; /* firmware has left it unlocked */
	uint64_t feature_control;        /* the value to write then */
	uint64_t cr0, cr4;               /* as they are to be at VMXON: with NE and VMXE */
	struct vmx_capabilities capabilities;
	struct vmx_controls controls;
};

/* Takes the steps in order. Changes nothing on the processor. Errors: the first requirement that is
 * not met. */
CHECKED err_t feature_gate_check(const struct feature_gate_input *input, struct feature_gate *gate);

/* Does what VMXON wants first: writes IA32_FEATURE_CONTROL if firmware has not. Errors: it faults.
 */
CHECKED err_t feature_gate_open(const struct feature_gate *gate, msr_writer wrmsr);

/* Tells in `plinth: vmx:` lines what the processor has. */
void feature_gate_report(const struct feature_gate *gate);

/*
 * All of it for the processor that executes this: checks, opens, reports, and gives what was found.
 * What is left for the caller is to set CR0.NE and CR4.VMXE, and VMXON.
 */
CHECKED err_t feature_gate_pass(struct vmx_capabilities *capabilities,
				struct vmx_controls *controls);

/*
 * The same for each other processor, without a report. Errors: also what differs from the first
 * one's capabilities.
 */
CHECKED err_t feature_gate_follow(const struct vmx_capabilities *first);
