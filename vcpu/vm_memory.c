/* SPDX-License-Identifier: BSD-2-Clause */
/* The way to a guest's memory: every guest-physical address is checked against the VM's extents
 * here. */
#include "kernel/string.h"
#include "vcpu/vm.h"

static uint64_t rest_of(const struct vm_extent *extent, uint64_t gpa)
{
	if (gpa >= extent->gpa.raw && gpa - extent->gpa.raw < extent->size)
		return extent->size - (gpa - extent->gpa.raw);
	return 0;
}

/* How many bytes of memory follow gpa in the piece that it lies in; 0: it lies in none. */
static uint64_t ram_from(const struct vm *vm, uint64_t gpa)
{
	for (unsigned i = 0; i < vm->extent_count && i < VM_EXTENTS_MAX; i++) {
		uint64_t rest = rest_of(&vm->extents[i], gpa);

		if (rest)
			return rest;
	}
	return rest_of(&vm->video, gpa);
}

/* True when all of [gpa, gpa + size) is RAM, be it of several extents that touch. */
static bool is_ram(const struct vm *vm, uint64_t gpa, uint64_t size)
{
	/* Each turn passes the end of an extent, so there are never more turns than pieces of
	 * memory. */
	while (size > 0) {
		uint64_t here = ram_from(vm, gpa);

		if (here == 0)
			return false;
		if (here >= size)
			return true;
		size -= here;
		gpa += here;
		if (gpa < here)
			return false; /* wrapped at 2^64 */
	}
	return true;
}

static void *host_address(const struct vm *vm, uint64_t gpa)
{
	return (void *)(uintptr_t)(vm->window.raw + gpa);
}

void *vm_memory(const struct vm *vm, gpa_t gpa, uint64_t size)
{
	if (size == 0 || ram_from(vm, gpa.raw) < size)
		return NULL;
	return host_address(vm, gpa.raw);
}

/*
 * The window keeps touching extents adjacent for the host too, but it is mapped extent by extent:
 * the copies go piece by piece so that they never rely on it.
 */
bool vm_read(const struct vm *vm, gpa_t gpa, void *to, uint64_t size)
{
	uint8_t *out = to;

	if (!is_ram(vm, gpa.raw, size))
		return false;
	while (size > 0) {
		uint64_t here = ram_from(vm, gpa.raw);
		uint64_t piece = here < size ? here : size;

		memcpy(out, host_address(vm, gpa.raw), piece);
		out += piece;
		gpa.raw += piece;
		size -= piece;
	}
	return true;
}

bool vm_write(const struct vm *vm, gpa_t gpa, const void *from, uint64_t size)
{
	const uint8_t *in = from;

	if (!is_ram(vm, gpa.raw, size))
		return false;
	while (size > 0) {
		uint64_t here = ram_from(vm, gpa.raw);
		uint64_t piece = here < size ? here : size;

		memcpy(host_address(vm, gpa.raw), in, piece);
		in += piece;
		gpa.raw += piece;
		size -= piece;
	}
	return true;
}
