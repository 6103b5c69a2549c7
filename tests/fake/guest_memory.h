/* SPDX-License-Identifier: BSD-2-Clause */
/* A VM's memory for host tests: real extents in a window whose other pages fault. Link
 * tests/fake/guest_memory.c. */
#pragma once

#include "vcpu/vm.h"

/* Gives the VM zeroed RAM in [gpa, gpa + size) for each pair; ends with a size of 0. Extents below
 * 16 GiB. */
struct fake_extent {
	uint64_t gpa;
	uint64_t size;
};

void fake_guest_memory(struct vm *vm, const struct fake_extent *extents);

/* One extent from 0. */
void fake_guest_ram(struct vm *vm, uint64_t size);

void fake_guest_memory_free(struct vm *vm);
