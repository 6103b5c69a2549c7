/* SPDX-License-Identifier: BSD-2-Clause */
/* Which MSRs a guest may touch, and how: by the table of vcpu/msr_policy.h, default deny. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86_64/msr.h"

struct vcpu;

/* Whether an access goes straight to the processor. */
enum msr_pass {
	MSR_PASS_NONE = 0,
	MSR_PASS_READ = 1,
	MSR_PASS_WRITE = 2,
};

/*
 * One rule. An access that does not pass through is emulated by its function; without one it is
 * #GP. write returns false for #GP.
 */
struct msr_rule {
	uint32_t first;
	uint16_t count;
	uint8_t pass;                             /* enum msr_pass, a set */
	bool (*offered)(const struct vcpu *vcpu); /* NULL: always. False: the MSR does not exist for
						     this guest */
	uint64_t (*read)(struct vcpu *vcpu);
	bool (*write)(struct vcpu *vcpu, uint64_t value);
};

/*
 * What IA32_ARCH_CAPABILITIES may tell a guest: attacks that the processor withstands, or that it
 * alone is open to. What is to be done by MSRs that a guest does not reach is left out.
 */
#define ARCH_CAPABILITIES_SHOWN                                                                    \
	(ARCH_CAP_RDCL_NO | ARCH_CAP_RSBA | ARCH_CAP_SSB_NO | ARCH_CAP_MDS_NO |                    \
	 ARCH_CAP_IF_PSCHANGE_MC_NO | ARCH_CAP_TAA_NO | ARCH_CAP_SBDR_SSDP_NO |                    \
	 ARCH_CAP_FBSDP_NO | ARCH_CAP_PSDP_NO | ARCH_CAP_FB_CLEAR | ARCH_CAP_RRSBA |               \
	 ARCH_CAP_BHI_NO | ARCH_CAP_PBRSB_NO | ARCH_CAP_GDS_NO | ARCH_CAP_RFDS_NO |                \
	 ARCH_CAP_RFDS_CLEAR)

/* Calls open(context, msr, pass) for each MSR that passes through for this vCPU, so that a backend
 * can open its bitmap. */
void msr_for_each_passed(const struct vcpu *vcpu,
			 void (*open)(void *context, uint32_t msr, unsigned pass), void *context);

/* Puts the MSRs that stay live across exits to their reset values. Runs when a pCPU changes VM. */
void msr_reset_live(const struct vcpu *vcpu);

/* Settles which of the MSRs exist for a vCPU, from the features that its CPUID shows. */
void msr_offer(struct vcpu *vcpu);

/* Makes the index of the table. Once, at boot. */
void msr_init(void);
