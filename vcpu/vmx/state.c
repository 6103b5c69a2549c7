/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's registers in the VMCS, behind the neutral names of vcpu.h. */
#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/instructions.h"
#include "vcpu/control.h"
#include "vcpu/vmx/side_channels.h"
#include "vcpu/vmx/vmx.h"

uint64_t backend_rip(struct vcpu *vcpu)
{
	(void)vcpu;
	return vmcs_read(VMCS_GUEST_RIP);
}

uint64_t backend_rsp(struct vcpu *vcpu)
{
	(void)vcpu;
	return vmcs_read(VMCS_GUEST_RSP);
}

uint64_t backend_rflags(struct vcpu *vcpu)
{
	(void)vcpu;
	return vmcs_read(VMCS_GUEST_RFLAGS);
}

void backend_set_rip(struct vcpu *vcpu, uint64_t rip)
{
	(void)vcpu;
	vmcs_write(VMCS_GUEST_RIP, rip);
}

void backend_set_rsp(struct vcpu *vcpu, uint64_t rsp)
{
	(void)vcpu;
	vmcs_write(VMCS_GUEST_RSP, rsp);
}

void backend_set_rflags(struct vcpu *vcpu, uint64_t rflags)
{
	(void)vcpu;
	vmcs_write(VMCS_GUEST_RFLAGS, rflags);
}

void backend_set_resume_flag(struct vcpu *vcpu)
{
	(void)vcpu;
	vmcs_write(VMCS_GUEST_RFLAGS, vmcs_read(VMCS_GUEST_RFLAGS) | RFLAGS_RF);
}

/* What the guest sees: its own bits from the register, the host's from the shadow. */
uint64_t backend_cr0(struct vcpu *vcpu)
{
	return (vmcs_read(VMCS_GUEST_CR0) & CR0_GUEST_OWNED) |
	       (vcpu->cr0_shadow & ~CR0_GUEST_OWNED);
}

uint64_t backend_cr3(struct vcpu *vcpu)
{
	(void)vcpu;
	return vmcs_read(VMCS_GUEST_CR3);
}

uint64_t backend_cr4(struct vcpu *vcpu)
{
	uint64_t owned = vmx_of(vcpu)->cr4_guest_owned;

	return (vmcs_read(VMCS_GUEST_CR4) & owned) | (vcpu->cr4_shadow & ~owned);
}

static void update_mode(struct vcpu *vcpu)
{
	if (!(vcpu->cr0_shadow & CR0_PE))
		vcpu->mode = MODE_REAL;
	else if (vcpu->efer & EFER_LMA)
		vcpu->mode = MODE_LONG;
	else
		vcpu->mode = MODE_PROTECTED;
}

/*
 * CD and NW are the guest's to see only: a VM entry does not load them, and caching stays on. NE is
 * one while VMX needs it to be; PE and PG may be anything for an unrestricted guest (SDM "Checks on
 * Guest Control Registers, Debug Registers, and MSRs").
 */
void backend_set_cr0(struct vcpu *vcpu, uint64_t value)
{
	const struct vmx_capabilities *capabilities = vmx_capabilities();
	uint64_t real = value & ~(CR0_CD | CR0_NW);

	real |= capabilities->cr0_fixed0 & ~(CR0_PE | CR0_PG);
	real &= capabilities->cr0_fixed1;
	vcpu->cr0_shadow = value;
	vmcs_write(VMCS_GUEST_CR0, real);
	vmcs_write(VMCS_CR0_READ_SHADOW, value);
	update_mode(vcpu);
}

void backend_set_cr3(struct vcpu *vcpu, uint64_t value)
{
	(void)vcpu;
	vmcs_write(VMCS_GUEST_CR3, value);
}

/* VMXE is one while the CPU is in VMX operation; MCE stays on, or a machine check in the guest
 * would shut the CPU down. */
void backend_set_cr4(struct vcpu *vcpu, uint64_t value)
{
	uint64_t real = value | vmx_capabilities()->cr4_fixed0 | CR4_VMXE | (read_cr4() & CR4_MCE);

	vcpu->cr4_shadow = value;
	vcpu->port_breakpoints = value & CR4_DE;
	vmcs_write(VMCS_GUEST_CR4, real);
	vmcs_write(VMCS_CR4_READ_SHADOW, value);
}

void backend_set_efer(struct vcpu *vcpu, uint64_t value)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	uint32_t controls = vmx->entry_controls & ~ENTRY_IA32E_MODE_GUEST;

	if (value & EFER_LMA)
		controls |= ENTRY_IA32E_MODE_GUEST;
	vcpu->efer = value;
	vmcs_write(VMCS_GUEST_EFER, value);
	if (controls != vmx->entry_controls) {
		vmx->entry_controls = controls;
		vmcs_write(VMCS_ENTRY_CONTROLS, controls);
	}
	update_mode(vcpu);
}

void backend_get_pdptes(struct vcpu *vcpu, uint64_t pdptes[4])
{
	(void)vcpu;
	pdptes[0] = vmcs_read(VMCS_GUEST_PDPTE0);
	pdptes[1] = vmcs_read(VMCS_GUEST_PDPTE1);
	pdptes[2] = vmcs_read(VMCS_GUEST_PDPTE2);
	pdptes[3] = vmcs_read(VMCS_GUEST_PDPTE3);
}

void backend_set_pdptes(struct vcpu *vcpu, const uint64_t pdptes[4])
{
	(void)vcpu;
	vmcs_write(VMCS_GUEST_PDPTE0, pdptes[0]);
	vmcs_write(VMCS_GUEST_PDPTE1, pdptes[1]);
	vmcs_write(VMCS_GUEST_PDPTE2, pdptes[2]);
	vmcs_write(VMCS_GUEST_PDPTE3, pdptes[3]);
}

void backend_get_segment(struct vcpu *vcpu, enum segment_index index, struct segment *segment)
{
	uint32_t step = VMCS_SEGMENT_STEP * (uint32_t)index;

	(void)vcpu;
	*segment = (struct segment){
		.selector = (uint16_t)vmcs_read(VMCS_GUEST_ES_SELECTOR + step),
		.limit = (uint32_t)vmcs_read(VMCS_GUEST_ES_LIMIT + step),
		.access = (uint32_t)vmcs_read(VMCS_GUEST_ES_ACCESS_RIGHTS + step),
		.base = vmcs_read(VMCS_GUEST_ES_BASE + step),
	};
}

/* SDM "Guest Register State": the CPL is the DPL of SS. */
unsigned backend_cpl(struct vcpu *vcpu)
{
	(void)vcpu;
	return (unsigned)(vmcs_read(VMCS_GUEST_SS_ACCESS_RIGHTS) & ACCESS_DPL) >> ACCESS_DPL_SHIFT;
}

bool backend_nmi_blocked(struct vcpu *vcpu)
{
	(void)vcpu;
	return vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & INTERRUPTIBILITY_NMI;
}

uint64_t backend_dr7(struct vcpu *vcpu)
{
	(void)vcpu;
	return vmcs_read(VMCS_GUEST_DR7);
}

bool backend_trap_due(struct vcpu *vcpu)
{
	(void)vcpu;
	/* With BTF, TF steps over branches only. */
	if (vmcs_read(VMCS_GUEST_RFLAGS) & RFLAGS_TF &&
	    !(vmcs_read(VMCS_GUEST_DEBUGCTL) & DEBUGCTL_BTF))
		return true;
	return vmcs_read(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS) & (DEBUG_BS | DEBUG_ENABLED);
}

void backend_breakpoints_met(struct vcpu *vcpu, unsigned breakpoints)
{
	(void)vcpu;
	vmcs_write(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS,
		   vmcs_read(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS) | breakpoints | DEBUG_ENABLED);
}

void backend_set_tsc_offset(struct vcpu *vcpu, int64_t offset)
{
	vcpu->tsc_offset = offset;
	vmcs_write(VMCS_TSC_OFFSET, (uint64_t)offset);
}

uint64_t backend_debugctl(struct vcpu *vcpu)
{
	(void)vcpu;
	return vmcs_read(VMCS_GUEST_DEBUGCTL);
}

void backend_set_debugctl(struct vcpu *vcpu, uint64_t value)
{
	(void)vcpu;
	vmcs_write(VMCS_GUEST_DEBUGCTL, value);
}

uint64_t backend_pat(struct vcpu *vcpu)
{
	(void)vcpu;
	return vmcs_read(VMCS_GUEST_PAT);
}

void backend_set_pat(struct vcpu *vcpu, uint64_t value)
{
	(void)vcpu;
	vmcs_write(VMCS_GUEST_PAT, value);
}

const struct backend_features *backend_features(void)
{
	static struct backend_features features;
	uint32_t secondary = vmx_controls()->secondary;

	features = (struct backend_features){
		.rdtscp = secondary & SECONDARY_RDTSCP,
		.invpcid = secondary & SECONDARY_INVPCID,
		.xsaves = secondary & SECONDARY_XSAVES,
		.waitpkg = secondary & SECONDARY_USER_WAIT_PAUSE,
		.arch_capabilities = side_channels()->arch_capabilities,
	};
	return &features;
}

void backend_flush_guest_tlb(struct vcpu *vcpu)
{
	vcpu->requests |= REQUEST_FLUSH_LINEAR;
}
