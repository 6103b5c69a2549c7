/* SPDX-License-Identifier: BSD-2-Clause */
/* What a dead guest leaves behind, for a person. */
#pragma once

struct vcpu;

/*
 * Prints the vCPU's mode and registers, the bytes at RIP, the guest's page walk to them, and its
 * last exits. The backend must still hold the vCPU's state.
 */
void crash_report(struct vcpu *vcpu);
