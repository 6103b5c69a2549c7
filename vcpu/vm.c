/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes and unmakes a virtual machine's memory: RAM, window, second-level address space. */
#include "vcpu/vm.h"

#include <stdarg.h>

#include "kernel/address_space.h"
#include "kernel/direct_map.h"
#include "kernel/format.h"
#include "kernel/physical.h"
#include "kernel/string.h"
#include "vcpu/vcpu.h"

#define LOW_END    0xa0000ul /* 640 KiB: the video memory begins */
#define VIDEO_SIZE 0x20000ul
#define HIGH_START MIB

static void add_extent(struct vm *vm, uint64_t gpa, uint64_t offset, uint64_t size)
{
	vm->extents[vm->extent_count++] = (struct vm_extent){
		.gpa = GPA(gpa),
		.hpa = HPA(vm->memory.raw + offset),
		.size = size,
	};
}

/* Guest RAM is one piece of host memory; below the gap, gpa is the offset in it. */
static void lay_out(struct vm *vm, uint64_t size)
{
	uint64_t below_gap = size < VM_GAP_START ? size : VM_GAP_START;

	add_extent(vm, 0, 0, LOW_END);
	add_extent(vm, HIGH_START, HIGH_START, below_gap - HIGH_START);
	if (size > VM_GAP_START)
		add_extent(vm, VM_GAP_END, VM_GAP_START, size - VM_GAP_START);
	vm->video = (struct vm_extent){
		.gpa = GPA(LOW_END),
		.hpa = HPA(vm->memory.raw + LOW_END),
		.size = VIDEO_SIZE,
	};
}

static err_t map_memory(struct vm *vm)
{
	err_t err = NULL;

	memset(direct_map(vm->memory), 0, vm->memory_size);
	for (unsigned i = 0; !err && i < vm->extent_count; i++)
		err = address_space_map_window(HVA(vm->window.raw + vm->extents[i].gpa.raw),
					       vm->extents[i].hpa, vm->extents[i].size);
	if (!err)
		err = address_space_map_window(HVA(vm->window.raw + vm->video.gpa.raw),
					       vm->video.hpa, vm->video.size);
	if (!err)
		err = direct_map_remove(vm->memory, vm->memory_size);
	if (!err)
		err = backend_vm_create(vm);
	return err;
}

err_t vm_create(const char *name, unsigned id, uint64_t size, struct vm **made)
{
	uint64_t memory_size = align_up(size, PAGE_2M);
	struct vm *vm;
	hpa_t page;
	err_t err;

	if (size < 2 * MIB || size % MIB)
		return error("a VM has whole MiB of memory, and 2 MiB at the least");
	if (id >= WINDOW_COUNT)
		return error("no window left for VM number %u; there are %u", id, WINDOW_COUNT);
	err = physical_allocate(sizeof(*vm), PAGE_SIZE, &page);
	if (err)
		return error("no memory for a VM: %s", err);
	vm = direct_map(page);
	memset(vm, 0, sizeof(*vm));
	format(vm->name, sizeof(vm->name), "%s", name);
	vm->id = id;
	vm->window = address_space_window(id);
	bus_init(&vm->bus, vm->name);
	err = physical_allocate(memory_size, PAGE_2M, &vm->memory);
	if (err) {
		physical_free(page, sizeof(*vm));
		return error("no memory for %llu MiB of guest RAM: %s",
			     (unsigned long long)(size / MIB), err);
	}
	vm->memory_size = memory_size;
	lay_out(vm, size);
	err = map_memory(vm);
	if (err) {
		vm_destroy(vm);
		return err;
	}
	*made = vm;
	return NULL;
}

void vm_destroy(struct vm *vm)
{
	err_t err = NULL;

	backend_vm_destroy(vm);
	for (unsigned i = 0; !err && i < vm->extent_count; i++)
		err = address_space_unmap_window(HVA(vm->window.raw + vm->extents[i].gpa.raw),
						 vm->extents[i].size);
	if (!err)
		err = address_space_unmap_window(HVA(vm->window.raw + vm->video.gpa.raw),
						 vm->video.size);
	if (!err)
		err = direct_map_restore(vm->memory, vm->memory_size);
	/* Memory that could not be mapped back is lost, not reused. */
	if (!err)
		physical_free(vm->memory, vm->memory_size);
	physical_free(physical_address(vm), sizeof(*vm));
}

void vm_stop(struct vm *vm, enum vm_end end, uint32_t code, const char *text, ...)
{
	va_list args;

	if (vm->end != VM_RUNNING)
		return;
	vm->end = end;
	vm->end_code = code;
	va_start(args, text);
	vformat(vm->end_text, sizeof(vm->end_text), text, args);
	va_end(args);
	if (vm->vcpu)
		vm->vcpu->requests |= REQUEST_STOP;
}
