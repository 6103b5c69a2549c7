/* SPDX-License-Identifier: BSD-2-Clause */
/* What the processor's VMX can do, read once from the capability MSRs (SDM "VMX Capability
 * Reporting Facility"). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/msr.h"
#include "arch/x86_64/vmx.h"
#include "kernel/error.h"

#define VMX_MSR_FIRST IA32_VMX_BASIC
#define VMX_MSR_LAST  IA32_VMX_EXIT_CTLS2
#define VMX_MSR_COUNT (VMX_MSR_LAST - VMX_MSR_FIRST + 1)

/* What a control word may be. */
struct vmx_control_range {
	uint32_t
		msr; /* that says it; 0: this processor does not have the word, all of it is zero */
	uint64_t forced;  /* bits that must be 1 ("allowed 0-settings") */
	uint64_t allowed; /* bits that may be 1 ("allowed 1-settings") */
};

struct vmx_capabilities {
	struct vmx_basic basic;
	struct vmx_misc misc;
	struct ept_vpid_cap ept_vpid; /* all false without EPT and VPID */
	struct vmx_control_range controls[VMX_CONTROL_WORD_COUNT];
	uint64_t cr0_fixed0, cr0_fixed1;
	uint64_t cr4_fixed0, cr4_fixed1;
	unsigned preemption_timer_shift; /* the timer ticks every 2^shift ticks of the TSC */
	bool itlb_multihit;              /* execute rights on large pages can stop the machine */

	/* The MSRs 480h to 493h as they were read, for reports. */
	uint64_t raw[VMX_MSR_COUNT];
	bool present[VMX_MSR_COUNT];
};

/*
 * Reads everything. An optional MSR is read only when another bit says that it exists. Errors: an
 * MSR that must exist faults; it counts as 0, and the rest is read all the same. Call it only where
 * CPUID offers VMX.
 */
CHECKED err_t vmx_capabilities_read(struct vmx_capabilities *capabilities, msr_reader rdmsr,
				    cpuid_reader cpuid);

/* Whether an MSR of 480h to 493h exists, as far as the others tell. */
bool vmx_msr_announced(const struct vmx_capabilities *capabilities, uint32_t msr);

/*
 * Guests are made for what the first CPU can do. An error: another one differs, with the MSR and
 * both values.
 */
CHECKED err_t vmx_capabilities_compare(const struct vmx_capabilities *first,
				       const struct vmx_capabilities *other);

/* The bit of the MSR that tells whether a control may be 1: the control's own bit, or that plus 32.
 */
unsigned vmx_allowed_bit(enum vmx_control_word word, uint64_t mask);

/* Whether a control of one bit may be 1. */
static inline bool vmx_control_allowed(const struct vmx_capabilities *capabilities,
				       enum vmx_control_word word, uint64_t mask)
{
	return (capabilities->controls[word].allowed & mask) != 0;
}

/* The values that CR0 and CR4 may have in VMX operation: every fixed bit as the processor wants it.
 */
static inline bool vmx_cr0_fits(const struct vmx_capabilities *capabilities, uint64_t cr0)
{
	return (cr0 & capabilities->cr0_fixed0) == capabilities->cr0_fixed0 &&
	       (cr0 & ~capabilities->cr0_fixed1) == 0;
}

static inline bool vmx_cr4_fits(const struct vmx_capabilities *capabilities, uint64_t cr4)
{
	return (cr4 & capabilities->cr4_fixed0) == capabilities->cr4_fixed0 &&
	       (cr4 & ~capabilities->cr4_fixed1) == 0;
}

/* Whether INVEPT and INVVPID know a kind. */
bool vmx_has_invept(const struct vmx_capabilities *capabilities, enum invept_kind kind);
bool vmx_has_invvpid(const struct vmx_capabilities *capabilities, enum invvpid_kind kind);
