/* SPDX-License-Identifier: BSD-2-Clause */
/* VMX operation on and off. What the CPU must have for it is the feature gate's to say. */
#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/instructions.h"
#include "kernel/cpu.h"
#include "kernel/direct_map.h"
#include "kernel/physical.h"
#include "kernel/string.h"
#include "vcpu/msr.h"
#include "vcpu/vmx/feature_gate.h"
#include "vcpu/vmx/side_channels.h"
#include "vcpu/vmx/vmx.h"

static struct vmx_capabilities the_capabilities;
static struct vmx_controls the_controls;
static hpa_t vmxon_regions[CPUS_MAX]; /* by the CPU's index; 0: it is not in VMX operation */

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

/* SDM "Enabling and Entering VMX Operation". */
static err_t enter_operation(void)
{
	hpa_t *region = &vmxon_regions[this_cpu()->index];
	err_t err = physical_allocate(PAGE_SIZE, PAGE_SIZE, region);

	if (err)
		return error("no memory for the VMXON region: %s", err);
	memset(direct_map(*region), 0, PAGE_SIZE);
	*(uint32_t *)direct_map(*region) = the_capabilities.basic.revision;
	write_cr0(read_cr0() | the_capabilities.cr0_fixed0);
	write_cr4(read_cr4() | the_capabilities.cr4_fixed0 | CR4_VMXE);
	if (vmxon(*region) == VMX_OK)
		return NULL;
	physical_free(*region, PAGE_SIZE);
	*region = HPA(0);
	return "VMXON failed though all its conditions hold; is Plinth inside VMX operation "
	       "already?";
}

err_t backend_start(void)
{
	err_t err = feature_gate_pass(&the_capabilities, &the_controls);

	if (err)
		return err;
	side_channels_start();
	msr_init();
	return enter_operation();
}

err_t backend_join(void)
{
	err_t err = feature_gate_follow(&the_capabilities);

	if (!err)
		err = side_channels_follow();
	return err ? err : enter_operation();
}

void backend_stop(void)
{
	hpa_t *region = &vmxon_regions[this_cpu()->index];

	if (region->raw == 0 || vmxoff() != VMX_OK)
		return;
	write_cr4(read_cr4() & ~CR4_VMXE);
	physical_free(*region, PAGE_SIZE);
	*region = HPA(0);
}
