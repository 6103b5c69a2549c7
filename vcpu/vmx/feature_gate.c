/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps of the feature gate. Each is a pure function of what the readers say. */
#include "vcpu/vmx/feature_gate.h"

#include "arch/x86_64/control_registers.h"
#include "kernel/string.h"

#define PROCESSOR "use an Intel processor of the Westmere generation (2010) or later"

/* Hypervisors that show themselves in CPUID leaf 40000000h, and what to do about missing nested VMX
 * there. */
struct hypervisor {
	const char *sign;
	const char *name;
	const char *remedy;
};

enum { KVM, TCG, VMWARE, VIRTUALBOX, HYPER_V, XEN };

static const struct hypervisor hypervisors[] = {
	[KVM] = {.sign = "KVMKVMKVM",
		 .name = "KVM",
		 .remedy = "load kvm_intel with nested=1 and start QEMU with -cpu host"    },
	[TCG] = {.sign = "TCGTCGTCGTCG",
		 .name = "QEMU's own emulation (TCG)",
		 .remedy = "start QEMU with -accel kvm -cpu host, or use Bochs"            },
	[VMWARE] = {.sign = "VMwareVMware",
                 .name = "VMware",
                 .remedy = "turn on \"Virtualize Intel VT-x/EPT\" for this virtual machine"},
	[VIRTUALBOX] = {.sign = "VBoxVBoxVBox",
                 .name = "VirtualBox",
                 .remedy = "turn on \"Enable Nested VT-x/AMD-V\" for this virtual machine" },
	[HYPER_V] = {.sign = "Microsoft Hv",
                 .name = "Hyper-V",
                 .remedy = "set ExposeVirtualizationExtensions for this virtual machine"   },
	[XEN] = {.sign = "XenVMMXenVMM",
		 .name = "Xen",
		 .remedy = "set nestedhvm=1 for this domain"                               },
};

/* The name and the remedy of the hypervisor that Plinth runs under; NULL when it runs on the
 * machine itself. */
static const struct hypervisor *find_hypervisor(cpuid_reader cpuid, struct hypervisor *unknown,
						char sign[13])
{
	if (!cpuid_has(cpuid, CPUID_HYPERVISOR))
		return NULL;
	cpuid_hypervisor(cpuid, sign);
	for (size_t i = 0; i < ARRAY_COUNT(hypervisors); i++) {
		if (strcmp(hypervisors[i].sign, sign) == 0)
			return &hypervisors[i];
	}
	*unknown = (struct hypervisor){
		.sign = sign,
		.name = sign[0] ? sign : "a hypervisor",
		.remedy = "let it offer nested VMX to this virtual machine",
	};
	return unknown;
}

/* VMX at all (SDM "Discovering Support for VMX"). Where it is missing, the reason differs by what
 * this machine is. */
static err_t check_cpuid(const struct feature_gate_input *input, struct feature_gate *gate)
{
	const struct hypervisor *hypervisor;
	struct hypervisor unknown;
	char vendor[13], sign[13];
	bool amd, svm;

	(void)gate;
	if (cpuid_has(input->cpuid, CPUID_VMX))
		return NULL;

	cpuid_vendor(input->cpuid, vendor);
	amd = strcmp(vendor, "AuthenticAMD") == 0 || strcmp(vendor, "HygonGenuine") == 0;
	svm = cpuid_has(input->cpuid, CPUID_SVM);
	hypervisor = find_hypervisor(input->cpuid, &unknown, sign);
	if (hypervisor && (!amd || hypervisor == &hypervisors[TCG]))
		return error("VMX is missing: CPUID leaf 1 ECX bit 5 is clear, and this is a "
			     "virtual machine under %s, which does not offer nested VMX; %s",
			     hypervisor->name, hypervisor->remedy);
	if (amd)
		return error("VMX is missing: this is an AMD processor (\"%s\")%s, and SVM is not "
			     "supported yet; " PROCESSOR ", or Bochs",
			     vendor, svm ? " with SVM (CPUID leaf 80000001h ECX bit 2)" : "");
	return error("VMX is missing: CPUID leaf 1 ECX bit 5 is clear, so this processor (\"%s\") "
		     "has no VT-x, or firmware hides it; look for Intel Virtualization Technology "
		     "in the firmware setup, or " PROCESSOR,
		     vendor);
}

/*
 * SDM "Enabling and Entering VMX Operation": VMXON faults unless IA32_FEATURE_CONTROL is locked
 * with VMX allowed outside SMX. Firmware should have done it; what it left unlocked is ours to set,
 * until the next reset.
 */
static err_t check_feature_control(const struct feature_gate_input *input,
				   struct feature_gate *gate)
{
	struct feature_control control;
	uint64_t value;

	if (!input->rdmsr(IA32_FEATURE_CONTROL, &value))
		return error("reading IA32_FEATURE_CONTROL (0x3a) faults though CPUID offers VMX; "
			     "if this is a virtual machine, its hypervisor's nested VMX is "
			     "incomplete: update it");

	control = feature_control_decode(value);
	if (!control.locked) {
		gate->must_write_feature_control = true;
		gate->feature_control =
			value | FEATURE_CONTROL_LOCK | FEATURE_CONTROL_VMX_OUTSIDE_SMX;
		return NULL;
	}
	if (control.vmx_outside_smx)
		return NULL;
	return error("VT-x is disabled by firmware: IA32_FEATURE_CONTROL (0x3a) is locked with "
		     "bit 2 clear%s; enable Intel Virtualization Technology in the firmware setup",
		     control.vmx_in_smx ? " (and bit 1 set: VMX works only after a measured launch)"
					: "");
}

/* The capability MSRs can all be read. */
static err_t check_capabilities(const struct feature_gate_input *input, struct feature_gate *gate)
{
	return vmx_capabilities_read(&gate->capabilities, input->rdmsr, input->cpuid);
}

/* SDM "Basic VMX Information": the regions fit a page, and lie where our memory lies. */
static err_t check_basic(const struct feature_gate_input *input, struct feature_gate *gate)
{
	const struct vmx_basic *basic = &gate->capabilities.basic;

	(void)input;
	/* Regions are one page each; they may be smaller. */
	if (basic->region_size == 0 || basic->region_size > 4096)
		return error("a VMCS region of %u bytes: IA32_VMX_BASIC (0x480) bits 44:32 must "
			     "be 1 to 4096; this is a fault of the processor or of the hypervisor "
			     "below",
			     basic->region_size);
	/* Plinth keeps VMCS regions in write-back memory, as the SDM wants it where WB is reported;
	 * UC is taken as it is. */
	if (basic->memory_type != MEMORY_WB && basic->memory_type != MEMORY_UC)
		return error("a VMCS wants memory of type %u (%s): IA32_VMX_BASIC (0x480) bits "
			     "53:50 must be 6 (WB) or 0 (UC); this is a fault of the processor or "
			     "of the hypervisor below",
			     basic->memory_type, memory_type_name(basic->memory_type));
	/* Only processors without 64-bit mode set this. */
	if (basic->addresses_32bit)
		return error("VMX structures must lie below 4 GiB: IA32_VMX_BASIC (0x480) bit 48 "
			     "is set, which no 64-bit processor does; this is a fault of the "
			     "hypervisor below");
	return NULL;
}

static err_t fixed_bits_error(const char *name, uint64_t value, uint64_t fixed0,
			      uint32_t fixed0_msr, uint64_t fixed1)
{
	uint64_t missing = fixed0 & ~value;
	char buffer[MSR_NAME_MAX];

	if (missing)
		return error("%s is %#llx, but VMX operation needs bits %#llx set (%s, %#x); this "
			     "is a bug of Plinth: please report it with the name of the processor",
			     name, (unsigned long long)value, (unsigned long long)missing,
			     msr_name(fixed0_msr, buffer), fixed0_msr);
	return error("%s is %#llx, but VMX operation needs bits %#llx clear (%s, %#x); if this is "
		     "a virtual machine, its CPUID offers more than its VMX: use another CPU model",
		     name, (unsigned long long)value, (unsigned long long)(value & ~fixed1),
		     msr_name(fixed0_msr + 1, buffer), fixed0_msr + 1);
}

/*
 * SDM "VMX-Fixed Bits in CR0", "VMX-Fixed Bits in CR4": VMXON faults, and an entry fails on the
 * host state, unless CR0 and CR4 have the fixed bits. Looked at as they will be then.
 */
static err_t check_fixed_bits(const struct feature_gate_input *input, struct feature_gate *gate)
{
	const struct vmx_capabilities *c = &gate->capabilities;

	gate->cr0 = input->cr0 | CR0_NE;
	gate->cr4 = input->cr4 | CR4_VMXE;
	if (!vmx_cr0_fits(c, gate->cr0))
		return fixed_bits_error("CR0", gate->cr0, c->cr0_fixed0, IA32_VMX_CR0_FIXED0,
					c->cr0_fixed1);
	if (!vmx_cr4_fits(c, gate->cr4))
		return fixed_bits_error("CR4", gate->cr4, c->cr4_fixed0, IA32_VMX_CR4_FIXED0,
					c->cr4_fixed1);
	return NULL;
}

/* Every control that Plinth cannot do without, EPT and unrestricted guest first. */
static err_t check_controls(const struct feature_gate_input *input, struct feature_gate *gate)
{
	(void)input;
	return vmx_controls_choose(&gate->capabilities, &gate->controls);
}

/*
 * What EPT must be able to do: tables in write-back memory, four levels, and INVEPT of one of both
 * kinds, without which no right could be taken back. Large pages, accessed and dirty flags,
 * execute-only pages are optional.
 */
static err_t check_ept(const struct feature_gate_input *input, struct feature_gate *gate)
{
	const struct vmx_capabilities *c = &gate->capabilities;
	bool any_kind =
		vmx_has_invept(c, INVEPT_SINGLE_CONTEXT) || vmx_has_invept(c, INVEPT_ALL_CONTEXTS);
	const struct {
		bool fine;
		unsigned bit;
		const char *what;
	} needs[] = {
  /* clang-format off */
		{c->ept_vpid.walk_4,     6, "a page walk of 4 levels"},
		{c->ept_vpid.memory_wb, 14, "tables in write-back memory"},
		{c->ept_vpid.invept,    20, "INVEPT"},
		{any_kind,              26, "INVEPT of a single or of all contexts"},
  /* clang-format on */
	};

	(void)input;
	for (size_t i = 0; i < ARRAY_COUNT(needs); i++) {
		if (!needs[i].fine)
			return error("EPT without %s: IA32_VMX_EPT_VPID_CAP (0x48c) bit %u is "
				     "clear; " PROCESSOR
				     ", or in a virtual machine a hypervisor that offers it",
				     needs[i].what, needs[i].bit);
	}
	return NULL;
}

static err_t (*const steps[])(const struct feature_gate_input *input, struct feature_gate *gate) = {
	check_cpuid, check_feature_control, check_capabilities, check_basic, check_controls,
	check_ept,   check_fixed_bits,
};

err_t feature_gate_check(const struct feature_gate_input *input, struct feature_gate *gate)
{
	memset(gate, 0, sizeof(*gate));
	for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
		err_t err = steps[i](input, gate);

		if (err)
			return err;
	}
	return NULL;
}
