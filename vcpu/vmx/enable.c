/* SPDX-License-Identifier: BSD-2-Clause */
/* VMX operation on and off. What the CPU must have for it is the feature gate's to say. */
#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/instructions.h"
#include "kernel/direct_map.h"
#include "kernel/physical.h"
#include "kernel/string.h"
#include "vcpu/msr.h"
#include "vcpu/vmx/feature_gate.h"
#include "vcpu/vmx/vmx.h"

static struct vmx_capabilities the_capabilities;
static struct vmx_controls the_controls;
static hpa_t vmxon_region;

const struct vmx_capabilities *vmx_capabilities(void)
{
	return &the_capabilities;
}

const struct vmx_controls *vmx_controls(void)
{
	return &the_controls;
}

unsigned backend_capabilities(struct capability *list, unsigned max)
{
	unsigned count = 0;

	for (uint32_t i = 0; i < VMX_MSR_COUNT && count < max; i++)
		if (the_capabilities.present[i])
			list[count++] = (struct capability){
				.msr = VMX_MSR_FIRST + i,
				.value = the_capabilities.raw[i],
			};
	return count;
}

err_t backend_start(void)
{
	err_t err = feature_gate_pass(&the_capabilities, &the_controls);

	if (err)
		return err;
	msr_init();
	err = physical_allocate(PAGE_SIZE, PAGE_SIZE, &vmxon_region);
	if (err)
		return error("no memory for the VMXON region: %s", err);
	memset(direct_map(vmxon_region), 0, PAGE_SIZE);
	*(uint32_t *)direct_map(vmxon_region) = the_capabilities.basic.revision;
	write_cr0(read_cr0() | the_capabilities.cr0_fixed0);
	write_cr4(read_cr4() | the_capabilities.cr4_fixed0 | CR4_VMXE);
	if (vmxon(vmxon_region) != VMX_OK)
		return "VMXON failed though all its conditions hold; is Plinth inside VMX "
		       "operation already?";
	return NULL;
}

void backend_stop(void)
{
	if (!(read_cr4() & CR4_VMXE) || vmxon_region.raw == 0)
		return;
	if (vmxoff() == VMX_OK)
		write_cr4(read_cr4() & ~CR4_VMXE);
	vmxon_region = HPA(0);
}
