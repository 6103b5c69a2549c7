/* SPDX-License-Identifier: BSD-2-Clause */
/* A VM's second-level address space: its extents and its video memory in EPT, and ones. */
#include "kernel/direct_map.h"
#include "kernel/physical.h"
#include "kernel/string.h"
#include "vcpu/vmx/vmx.h"

/* One allocation: struct vmx_vm, and the page of ones. */
#define VM_SIZE (2 * PAGE_SIZE)

/* The one way to INVEPT: each change of the tables that calls for it comes here. */
static void request_invept(void *context)
{
	struct vm *vm = context;

	if (vm->vcpu)
		vm->vcpu->requests |= REQUEST_FLUSH_EPT;
}

err_t backend_vm_create(struct vm *vm)
{
	const struct vmx_capabilities *capabilities = vmx_capabilities();
	const struct ept_features features = {
		.pages_2m = capabilities->ept_vpid.pages_2m,
		.pages_1g = capabilities->ept_vpid.pages_1g,
		.no_large_execute = capabilities->itlb_multihit,
	};
	struct gpa_range ranges[VM_EXTENTS_MAX + 1];
	unsigned count = 0;
	struct vmx_vm *vmx;
	hpa_t page;
	err_t err = physical_allocate(VM_SIZE, PAGE_SIZE, &page);

	if (err)
		return err;
	vmx = direct_map(page);
	memset(vmx, 0, PAGE_SIZE);
	vmx->ones = HPA(page.raw + PAGE_SIZE);
	memset(direct_map(vmx->ones), 0xff, PAGE_SIZE);
	vm->backend = vmx;

	for (unsigned i = 0; i < vm->extent_count; i++)
		ranges[count++] = (struct gpa_range){vm->extents[i].gpa, vm->extents[i].size};
	ranges[count++] = (struct gpa_range){vm->video.gpa, vm->video.size};
	err = ept_create(&vmx->ept, &features, ranges, count);
	vmx->ept.invalidate = request_invept;
	vmx->ept.context = vm;
	for (unsigned i = 0; !err && i < vm->extent_count; i++)
		err = ept_map(&vmx->ept, vm->extents[i].gpa, vm->extents[i].hpa,
			      vm->extents[i].size, EPT_ALL);
	if (!err)
		err = ept_map(&vmx->ept, vm->video.gpa, vm->video.hpa, vm->video.size, EPT_ALL);
	if (err)
		backend_vm_destroy(vm);
	return err;
}

void backend_vm_destroy(struct vm *vm)
{
	struct vmx_vm *vmx = vm->backend;

	if (!vmx)
		return;
	ept_destroy(&vmx->ept);
	physical_free(physical_address(vmx), VM_SIZE);
	vm->backend = NULL;
}

err_t backend_read_ones(struct vcpu *vcpu, gpa_t gpa, const char *who)
{
	struct vmx_vm *vmx = vcpu->vm->backend;
	const gpa_t page = GPA(align_down(gpa.raw, PAGE_SIZE));
	const char *device = bus_mmio_in_page(&vcpu->vm->bus, page);
	err_t err;

	if (device)
		return error("that page is of the device %s", device);
	err = ept_overlay(&vmx->ept, page, vmx->ones, EPT_READ | EPT_EXECUTE);
	if (err)
		return err;
	bus_tell_unclaimed(&vcpu->vm->bus, gpa, who);
	vmx_repeat_access(vcpu, EPT_ONES);
	return NULL;
}
