/* SPDX-License-Identifier: BSD-2-Clause */
/* A VM's memory for host tests: real extents in a window whose other pages fault. */
#include "tests/fake/guest_memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define WINDOW (16 * GIB)

void fake_guest_memory(struct vm *vm, const struct fake_extent *extents)
{
	char *window =
		mmap(NULL, WINDOW, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (window == MAP_FAILED)
		abort();
	memset(vm, 0, sizeof(*vm));
	memcpy(vm->name, "test", sizeof("test"));
	vm->window = HVA((uint64_t)window);
	for (; extents->size > 0; extents++) {
		if (vm->extent_count == VM_EXTENTS_MAX || extents->gpa + extents->size > WINDOW ||
		    mprotect(window + extents->gpa, extents->size, PROT_READ | PROT_WRITE) != 0)
			abort();
		vm->extents[vm->extent_count++] =
			(struct vm_extent){.gpa = GPA(extents->gpa), .size = extents->size};
	}
}

void fake_guest_ram(struct vm *vm, uint64_t size)
{
	fake_guest_memory(vm, (const struct fake_extent[]){
				      {0, size},
                                      {0, 0   }
        });
}

void fake_guest_memory_free(struct vm *vm)
{
	munmap((void *)vm->window.raw, WINDOW);
}
