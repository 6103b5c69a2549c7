/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest state that stays in the processor across exits, since the host uses none of it. */
#pragma once

struct vcpu;

/*
 * Gives a vCPU that starts on this pCPU the reset values of FPU, SSE, AVX and their like, XCR0,
 * DR0-3, DR6, CR2, and the live MSRs, so that it sees nothing of the VM that was here before.
 */
void live_state_reset(const struct vcpu *vcpu);
