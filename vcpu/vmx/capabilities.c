/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the VMX capability MSRs: which of them exist is itself said by bits of others. */
#include "vcpu/vmx/capabilities.h"

#include "kernel/string.h"

/* Bits of capability MSRs that announce others (SDM "VMX Capability Reporting Facility"). */
#define BASIC_TRUE_CONTROLS BIT(55)
#define ALLOWED(control)    ((uint64_t)(control) << 32)
#define PROC2_EPT_OR_VPID   (ALLOWED(SECONDARY_EPT) | ALLOWED(SECONDARY_VPID))

struct capability_msr {
	uint32_t msr;
	/* It exists when any bit of `bits` is set in the MSR `if_msr`, read before; 0: always. */
	uint32_t if_msr;
	uint64_t if_bits;
	bool optional; /* a fault, as of a hypervisor that shows the bit but not the MSR, means
			  absence */
};

/* In an order in which each is announced by one before it. */
/* clang-format off */
static const struct capability_msr msrs[] = {
	{.msr = IA32_VMX_BASIC},
	{.msr = IA32_VMX_PINBASED_CTLS},
	{.msr = IA32_VMX_PROCBASED_CTLS},
	{.msr = IA32_VMX_EXIT_CTLS},
	{.msr = IA32_VMX_ENTRY_CTLS},
	{.msr = IA32_VMX_MISC},
	{.msr = IA32_VMX_CR0_FIXED0},
	{.msr = IA32_VMX_CR0_FIXED1},
	{.msr = IA32_VMX_CR4_FIXED0},
	{.msr = IA32_VMX_CR4_FIXED1},
	{.msr = IA32_VMX_VMCS_ENUM},
	{.msr = IA32_VMX_PROCBASED_CTLS2,
	 .if_msr = IA32_VMX_PROCBASED_CTLS, .if_bits = ALLOWED(PRIMARY_ACTIVATE_SECONDARY)},
	{.msr = IA32_VMX_EPT_VPID_CAP,
	 .if_msr = IA32_VMX_PROCBASED_CTLS2, .if_bits = PROC2_EPT_OR_VPID},
	{.msr = IA32_VMX_TRUE_PINBASED_CTLS,
	 .if_msr = IA32_VMX_BASIC, .if_bits = BASIC_TRUE_CONTROLS},
	{.msr = IA32_VMX_TRUE_PROCBASED_CTLS,
	 .if_msr = IA32_VMX_BASIC, .if_bits = BASIC_TRUE_CONTROLS},
	{.msr = IA32_VMX_TRUE_EXIT_CTLS,
	 .if_msr = IA32_VMX_BASIC, .if_bits = BASIC_TRUE_CONTROLS},
	{.msr = IA32_VMX_TRUE_ENTRY_CTLS,
	 .if_msr = IA32_VMX_BASIC, .if_bits = BASIC_TRUE_CONTROLS},
	{.msr = IA32_VMX_VMFUNC, .optional = true,
	 .if_msr = IA32_VMX_PROCBASED_CTLS2, .if_bits = ALLOWED(SECONDARY_VM_FUNCTIONS)},
	{.msr = IA32_VMX_PROCBASED_CTLS3, .optional = true,
	 .if_msr = IA32_VMX_PROCBASED_CTLS, .if_bits = ALLOWED(PRIMARY_ACTIVATE_TERTIARY)},
	{.msr = IA32_VMX_EXIT_CTLS2, .optional = true,
	 .if_msr = IA32_VMX_EXIT_CTLS, .if_bits = ALLOWED(EXIT_ACTIVATE_SECONDARY)},
};
/* clang-format on */

static uint64_t raw(const struct vmx_capabilities *capabilities, uint32_t msr)
{
	return capabilities->raw[msr - VMX_MSR_FIRST];
}

static bool is_announced(const struct vmx_capabilities *capabilities,
			 const struct capability_msr *m)
{
	return m->if_msr == 0 || (raw(capabilities, m->if_msr) & m->if_bits) != 0;
}

bool vmx_msr_announced(const struct vmx_capabilities *capabilities, uint32_t msr)
{
	for (size_t i = 0; i < ARRAY_COUNT(msrs); i++) {
		if (msrs[i].msr == msr)
			return is_announced(capabilities, &msrs[i]);
	}
	return false;
}

/* An MSR that faults does not keep the others from being read: a report wants them all. */
static err_t read_raw(struct vmx_capabilities *capabilities, msr_reader rdmsr)
{
	err_t first = NULL;

	for (size_t i = 0; i < ARRAY_COUNT(msrs); i++) {
		const struct capability_msr *m = &msrs[i];
		unsigned slot = m->msr - VMX_MSR_FIRST;
		char buffer[MSR_NAME_MAX];

		if (!is_announced(capabilities, m))
			continue;
		capabilities->present[slot] = rdmsr(m->msr, &capabilities->raw[slot]);
		if (capabilities->present[slot])
			continue;
		capabilities->raw[slot] = 0;
		if (!m->optional && !first)
			first = error(
				"reading %s (%#x) faults though the processor announces it; if "
				"this is a virtual machine, its hypervisor's nested VMX is "
				"incomplete: update it",
				msr_name(m->msr, buffer), m->msr);
	}
	return first;
}

/* Words of 32 bits: the low half of the MSR has the bits that must be 1, the high half those that
 * may. */
static struct vmx_control_range range_of(const struct vmx_capabilities *capabilities,
					 uint32_t plain, uint32_t true_msr)
{
	uint32_t msr = capabilities->basic.true_controls ? true_msr : plain;
	uint64_t value = raw(capabilities, msr);

	if (!capabilities->present[msr - VMX_MSR_FIRST])
		return (struct vmx_control_range){0};
	return (struct vmx_control_range){
		.msr = msr, .forced = (uint32_t)value, .allowed = value >> 32};
}

/* Words of 64 bits: the MSR has the bits that may be 1. */
static struct vmx_control_range wide_range_of(const struct vmx_capabilities *capabilities,
					      uint32_t msr)
{
	if (!capabilities->present[msr - VMX_MSR_FIRST])
		return (struct vmx_control_range){0};
	return (struct vmx_control_range){.msr = msr, .allowed = raw(capabilities, msr)};
}

static void decode_controls(struct vmx_capabilities *c)
{
	c->controls[VMX_PIN] = range_of(c, IA32_VMX_PINBASED_CTLS, IA32_VMX_TRUE_PINBASED_CTLS);
	c->controls[VMX_PRIMARY] =
		range_of(c, IA32_VMX_PROCBASED_CTLS, IA32_VMX_TRUE_PROCBASED_CTLS);
	c->controls[VMX_SECONDARY] =
		range_of(c, IA32_VMX_PROCBASED_CTLS2, IA32_VMX_PROCBASED_CTLS2);
	c->controls[VMX_TERTIARY] = wide_range_of(c, IA32_VMX_PROCBASED_CTLS3);
	c->controls[VMX_EXIT] = range_of(c, IA32_VMX_EXIT_CTLS, IA32_VMX_TRUE_EXIT_CTLS);
	c->controls[VMX_EXIT2] = wide_range_of(c, IA32_VMX_EXIT_CTLS2);
	c->controls[VMX_ENTRY] = range_of(c, IA32_VMX_ENTRY_CTLS, IA32_VMX_TRUE_ENTRY_CTLS);
}

/*
 * The erratum "machine check error on page size change": an instruction fetch that meets two
 * translations of different page sizes stops the machine, and a guest can bring that about. A
 * processor that is free of it says so in IA32_ARCH_CAPABILITIES; some old ones that are free
 * cannot say it, and get the (cheap) protection all the same.
 */
static bool has_itlb_multihit(msr_reader rdmsr, cpuid_reader cpuid)
{
	uint64_t value;

	return !cpuid_has(cpuid, CPUID_ARCH_CAPABILITIES) ||
	       !rdmsr(IA32_ARCH_CAPABILITIES, &value) || (value & ARCH_CAP_IF_PSCHANGE_MC_NO) == 0;
}

err_t vmx_capabilities_read(struct vmx_capabilities *capabilities, msr_reader rdmsr,
			    cpuid_reader cpuid)
{
	err_t err;

	memset(capabilities, 0, sizeof(*capabilities));
	err = read_raw(capabilities, rdmsr);
	capabilities->basic = vmx_basic_decode(raw(capabilities, IA32_VMX_BASIC));
	capabilities->misc = vmx_misc_decode(raw(capabilities, IA32_VMX_MISC));
	capabilities->ept_vpid = ept_vpid_cap_decode(raw(capabilities, IA32_VMX_EPT_VPID_CAP));
	capabilities->cr0_fixed0 = raw(capabilities, IA32_VMX_CR0_FIXED0);
	capabilities->cr0_fixed1 = raw(capabilities, IA32_VMX_CR0_FIXED1);
	capabilities->cr4_fixed0 = raw(capabilities, IA32_VMX_CR4_FIXED0);
	capabilities->cr4_fixed1 = raw(capabilities, IA32_VMX_CR4_FIXED1);
	capabilities->preemption_timer_shift = capabilities->misc.preemption_timer_shift;
	capabilities->itlb_multihit = has_itlb_multihit(rdmsr, cpuid);
	decode_controls(capabilities);
	return err;
}

#define ONE_KIND                                                                                   \
	"use CPUs of one model and stepping, and update the firmware, which loads their microcode"

err_t vmx_capabilities_compare(const struct vmx_capabilities *first,
			       const struct vmx_capabilities *other)
{
	for (unsigned i = 0; i < VMX_MSR_COUNT; i++) {
		uint32_t msr = VMX_MSR_FIRST + i;
		char name[MSR_NAME_MAX];

		if (first->present[i] != other->present[i])
			return error("%s (%#x) exists on %s; " ONE_KIND, msr_name(msr, name), msr,
				     first->present[i] ? "the first CPU and not on this one"
						       : "this CPU and not on the first one");
		if (first->raw[i] != other->raw[i])
			return error("%s (%#x) is %#llx, and %#llx on the first CPU; " ONE_KIND,
				     msr_name(msr, name), msr, (unsigned long long)other->raw[i],
				     (unsigned long long)first->raw[i]);
	}
	if (other->itlb_multihit && !first->itlb_multihit)
		return error("IA32_ARCH_CAPABILITIES (0x10a) bit 6 is clear, and set on the first "
			     "CPU: large pages are not safe here; " ONE_KIND);
	return NULL;
}

unsigned vmx_allowed_bit(enum vmx_control_word word, uint64_t mask)
{
	unsigned own = (unsigned)__builtin_ctzll(mask);

	return word == VMX_TERTIARY || word == VMX_EXIT2 ? own : own + 32;
}

bool vmx_has_invept(const struct vmx_capabilities *capabilities, enum invept_kind kind)
{
	const struct ept_vpid_cap *c = &capabilities->ept_vpid;

	return c->invept && ((kind == INVEPT_SINGLE_CONTEXT && c->invept_single) ||
			     (kind == INVEPT_ALL_CONTEXTS && c->invept_all));
}

bool vmx_has_invvpid(const struct vmx_capabilities *capabilities, enum invvpid_kind kind)
{
	const struct ept_vpid_cap *c = &capabilities->ept_vpid;

	return c->invvpid && ((kind == INVVPID_ADDRESS && c->invvpid_address) ||
			      (kind == INVVPID_SINGLE_CONTEXT && c->invvpid_single) ||
			      (kind == INVVPID_ALL_CONTEXTS && c->invvpid_all) ||
			      (kind == INVVPID_RETAINING_GLOBALS && c->invvpid_retaining_globals));
}
