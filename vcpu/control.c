/* SPDX-License-Identifier: BSD-2-Clause */
/* MOV to control registers, WRMSR of EFER, XSETBV: what the processor checks, and what then
 * changes. */
#include "vcpu/control.h"

#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/instructions.h"
#include "vcpu/vcpu.h"

#define CR0_DEFINED                                                                                \
	(CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | \
	 CR0_PG)

/* Bits 2:1 and 8:5 of a PDPTE are reserved under PAE paging. */
#define PDPTE_PRESENT  1ull
#define PDPTE_RESERVED 0x1e6ull

/* CR4 bits that a CPUID feature brings; without it they are reserved. */
/* clang-format off */
static const struct cr4_rule {
	uint64_t bit;
	struct cpuid_bit feature;
	bool guest_owned;     /* its change needs nothing done by the host */
} cr4_rules[] = {
	{CR4_VME,                       CPUID_VME,      true },
	{CR4_PVI,                       CPUID_VME,      true },
	{CR4_TSD,                       CPUID_TSC,      true },
	{CR4_DE,                        CPUID_DE,       false}, /* breakpoints on ports */
	{CR4_PSE,                       CPUID_PSE,      true },
	{CR4_PAE,                       CPUID_PAE,      false}, /* PDPTEs, and rules with LMA */
	{CR4_MCE,                       CPUID_MCE,      false}, /* the host's is always one */
	{CR4_PGE,                       CPUID_PGE,      true },
	{CR4_PCE,                       CPUID_MSR,      true }, /* no counters, but the bit exists */
	{CR4_OSFXSR | CR4_OSXMMEXCPT,   CPUID_FXSR,     true },
	{CR4_UMIP,                      CPUID_UMIP,     true },
	{CR4_FSGSBASE,                  CPUID_FSGSBASE, true },
	{CR4_PCIDE,                     CPUID_PCID,     false}, /* rules with LMA and CR3 */
	{CR4_OSXSAVE,                   CPUID_XSAVE,    false}, /* CPUID mirrors it */
	{CR4_SMEP,                      CPUID_SMEP,     true },
	{CR4_SMAP,                      CPUID_SMAP,     true },
	{CR4_PKE,                       CPUID_PKU,      false}, /* CPUID mirrors it */
};
/* clang-format on */

static uint64_t cr4_bits(const struct vcpu *vcpu, bool guest_owned_only)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < ARRAY_COUNT(cr4_rules); i++)
		if (cpuid_shows(&vcpu->cpuid, cr4_rules[i].feature) &&
		    (cr4_rules[i].guest_owned || !guest_owned_only))
			bits |= cr4_rules[i].bit;
	return bits;
}

uint64_t control_cr4_guest_owned(const struct vcpu *vcpu)
{
	return cr4_bits(vcpu, true);
}

void control_offer(struct vcpu *vcpu)
{
	vcpu->cr4_allowed = cr4_bits(vcpu, false);
	/* LMA may be written, but is not changed by that. */
	vcpu->efer_allowed = EFER_LMA;
	if (cpuid_shows(&vcpu->cpuid, CPUID_SYSCALL))
		vcpu->efer_allowed |= EFER_SCE;
	if (cpuid_shows(&vcpu->cpuid, CPUID_LONG_MODE))
		vcpu->efer_allowed |= EFER_LME;
	if (cpuid_shows(&vcpu->cpuid, CPUID_NX))
		vcpu->efer_allowed |= EFER_NXE;
}

static uint64_t physical_reserved(const struct vcpu *vcpu)
{
	return ~0ull << vcpu->cpuid.physical_bits;
}

/*
 * Loads the PDPTEs that PAE paging keeps in the processor. SDM "PDPTE Registers". False: one of
 * them has a reserved bit set, or the table is not in memory.
 */
static bool load_pdptes(struct vcpu *vcpu, uint64_t cr3)
{
	uint64_t pdptes[4];

	if (!vm_read(vcpu->vm, GPA(cr3 & 0xffffffe0), pdptes, sizeof(pdptes)))
		return false;
	for (unsigned i = 0; i < 4; i++)
		if (pdptes[i] & PDPTE_PRESENT &&
		    pdptes[i] & (PDPTE_RESERVED | physical_reserved(vcpu)))
			return false;
	backend_set_pdptes(vcpu, pdptes);
	return true;
}

static bool pae_paging(uint64_t cr0, uint64_t cr4, uint64_t efer)
{
	return cr0 & CR0_PG && cr4 & CR4_PAE && !(efer & EFER_LME);
}

static bool guest_cr0(struct vcpu *vcpu, uint64_t value)
{
	uint64_t old = backend_cr0(vcpu), changed, efer = vcpu->efer;
	uint64_t cr4 = backend_cr4(vcpu);

	if (value >> 32)
		return false;
	value = (value & CR0_DEFINED) | CR0_ET;
	changed = old ^ value;
	if (value & CR0_PG && !(value & CR0_PE))
		return false;
	if (value & CR0_NW && !(value & CR0_CD))
		return false;
	if (changed & CR0_PG) {
		if (value & CR0_PG && efer & EFER_LME) {
			struct segment cs, tr;

			/* SDM "Initializing IA-32e Mode": neither 64-bit code nor a 16-bit TSS may
			 * be current. */
			backend_get_segment(vcpu, SEG_CS, &cs);
			backend_get_segment(vcpu, SEG_TR, &tr);
			if (!(cr4 & CR4_PAE) || cs.access & SEGMENT_L || (tr.access & 0xf) == 3)
				return false;
			efer |= EFER_LMA;
		} else if (!(value & CR0_PG)) {
			if (cr4 & CR4_PCIDE || vcpu_in_64bit_code(vcpu))
				return false;
			efer &= ~EFER_LMA;
		}
	}
	if (changed & (CR0_PG | CR0_CD | CR0_NW) && pae_paging(value, cr4, efer) &&
	    !load_pdptes(vcpu, backend_cr3(vcpu)))
		return false;
	backend_set_cr0(vcpu, value);
	if (efer != vcpu->efer)
		backend_set_efer(vcpu, efer);
	/* SDM "Operations that Invalidate TLBs and Paging-Structure Caches" */
	if (changed & CR0_PG)
		backend_flush_guest_tlb(vcpu);
	return true;
}

static bool guest_cr3(struct vcpu *vcpu, uint64_t value)
{
	uint64_t cr4 = backend_cr4(vcpu);
	bool no_flush = false;

	if (vcpu->efer & EFER_LMA) {
		if (cr4 & CR4_PCIDE) {
			no_flush = value & CR3_NO_FLUSH;
			value &= ~CR3_NO_FLUSH;
		}
		if (value & physical_reserved(vcpu))
			return false;
	} else {
		value &= 0xffffffff;
		if (pae_paging(backend_cr0(vcpu), cr4, vcpu->efer) && !load_pdptes(vcpu, value))
			return false;
	}
	backend_set_cr3(vcpu, value);
	if (!no_flush)
		backend_flush_guest_tlb(vcpu);
	return true;
}

static bool guest_cr4(struct vcpu *vcpu, uint64_t value)
{
	uint64_t old = backend_cr4(vcpu), changed = old ^ value, cr0 = backend_cr0(vcpu);

	if (value & ~vcpu->cr4_allowed)
		return false;
	if (vcpu->efer & EFER_LMA && !(value & CR4_PAE))
		return false;
	if (changed & value & CR4_PCIDE && (!(vcpu->efer & EFER_LMA) || backend_cr3(vcpu) & 0xfff))
		return false;
	if (changed & (CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP) &&
	    pae_paging(cr0, value, vcpu->efer) && !load_pdptes(vcpu, backend_cr3(vcpu)))
		return false;
	backend_set_cr4(vcpu, value);
	if (changed & (CR4_PAE | CR4_PGE | CR4_PSE | CR4_PCIDE | CR4_SMEP | CR4_SMAP | CR4_PKE))
		backend_flush_guest_tlb(vcpu);
	return true;
}

bool control_write_efer(struct vcpu *vcpu, uint64_t value)
{
	if (value & ~vcpu->efer_allowed)
		return false;
	if ((value ^ vcpu->efer) & EFER_LME && backend_cr0(vcpu) & CR0_PG)
		return false;
	/* LMA follows LME and CR0.PG; a write of it is ignored. */
	value = (value & ~EFER_LMA) | (vcpu->efer & EFER_LMA);
	if (value == vcpu->efer)
		return true;
	if ((value ^ vcpu->efer) & EFER_NXE)
		backend_flush_guest_tlb(vcpu);
	backend_set_efer(vcpu, value);
	return true;
}

bool control_write_cr(struct vcpu *vcpu, unsigned cr, uint64_t value)
{
	switch (cr) {
	case 0:
		return guest_cr0(vcpu, value);
	case 3:
		return guest_cr3(vcpu, value);
	case 4:
		return guest_cr4(vcpu, value);
	case 8:
		if (value & ~0xfull)
			return false;
		vcpu->cr8 = value;
		return true;
	default:
		return false;
	}
}

enum outcome vcpu_cr_write(struct vcpu *vcpu, unsigned cr, uint64_t value)
{
	bool ok = control_write_cr(vcpu, cr, value);

	if (unlikely(vcpu_records(vcpu)))
		vcpu->record->detail[0] = value;
	if (ok)
		return OUTCOME_NEXT;
	vcpu_gp(vcpu);
	return OUTCOME_STAY;
}

/* SDM "XSETBV", and "Enabling the XSAVE Feature Set and XSAVE-Enabled Features" for what goes with
 * what. */
static bool xcr0_valid(const struct vcpu *vcpu, uint64_t value)
{
	uint64_t avx512 = XCR0_OPMASK | XCR0_ZMM_HI256 | XCR0_HI16_ZMM;

	if (value & ~vcpu->xcr0_allowed || !(value & XCR0_X87))
		return false;
	if (value & XCR0_AVX && !(value & XCR0_SSE))
		return false;
	if (value & avx512 && ((value & avx512) != avx512 || !(value & XCR0_AVX)))
		return false;
	return true;
}

enum outcome vcpu_xsetbv(struct vcpu *vcpu)
{
	uint32_t index = (uint32_t)vcpu->regs.rcx;
	uint64_t value = (uint32_t)vcpu->regs.rax | vcpu->regs.rdx << 32;
	bool ok = index == 0 && backend_cpl(vcpu) == 0 && xcr0_valid(vcpu, value);

	if (unlikely(vcpu_records(vcpu))) {
		vcpu->record->qualification = index;
		vcpu->record->detail[0] = value;
	}
	if (!ok) {
		vcpu_gp(vcpu);
		return OUTCOME_STAY;
	}
	/*
	 * XCR0 stays live across exits. xcr0_allowed is a subset of what the host's CPUID offers
	 * and the rules above are the processor's own, so this cannot fault.
	 */
	xsetbv(0, value);
	return OUTCOME_NEXT;
}
