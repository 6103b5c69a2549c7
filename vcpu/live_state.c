/* SPDX-License-Identifier: BSD-2-Clause */
/* Resets the guest state that stays in the processor across exits. */
#include "vcpu/live_state.h"

#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/instructions.h"
#include "kernel/compiler.h"
#include "vcpu/msr.h"
#include "vcpu/vcpu.h"

/*
 * The legacy region and header of an XSAVE area that says "initial" of every component (SDM
 * "Operation of XRSTOR"): XSTATE_BV is 0. FXRSTOR reads the first 512 bytes alone.
 */
static const struct ALIGNED(64) {
	uint16_t fcw;
	uint8_t rest[22];
	uint32_t mxcsr;
	uint8_t registers[484];
	uint8_t header[64];
} initial_state = {
	.fcw = 0x37f,
	.mxcsr = 0x1f80,
};

_Static_assert(sizeof(initial_state) == 576, "legacy region and XSAVE header");

void live_state_reset(const struct vcpu *vcpu)
{
	/* With TS or EM set the loads would fault. */
	write_cr0(read_cr0() & ~(CR0_TS | CR0_EM));
	write_cr4(read_cr4() | CR4_OSFXSR);
	fxrstor(&initial_state);
	if (vcpu->xcr0_allowed) {
		xsetbv(0, vcpu->xcr0_allowed);
		xrstor(&initial_state, vcpu->xcr0_allowed);
		xsetbv(0, XCR0_X87);
	}
	write_dr0(0);
	write_dr1(0);
	write_dr2(0);
	write_dr3(0);
	write_dr6(DR6_RESET);
	write_cr2(0);
	msr_reset_live(vcpu);
}
