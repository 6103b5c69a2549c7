/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes of control registers, EFER and XCR0 by a guest, with all checks of the architecture. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct vcpu;

/*
 * The bits of CR0 and CR4 that a guest may change without an exit: those whose change means nothing
 * to the host. All others are the host's, and exit when a MOV would change what the guest sees.
 */
#define CR0_GUEST_OWNED (CR0_MP | CR0_EM | CR0_TS | CR0_AM | CR0_WP)
uint64_t control_cr4_guest_owned(const struct vcpu *vcpu);

/* Settles which bits of CR4 and EFER exist for a vCPU, from the features that its CPUID shows. */
void control_offer(struct vcpu *vcpu);

/* Writes EFER. False: #GP. */
bool control_write_efer(struct vcpu *vcpu, uint64_t value);

/* MOV to CR0, CR3, CR4, CR8, and CLTS and LMSW by way of CR0. False: #GP. */
bool control_write_cr(struct vcpu *vcpu, unsigned cr, uint64_t value);
