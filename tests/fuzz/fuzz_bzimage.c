/* SPDX-License-Identifier: BSD-2-Clause */
/* UNITS: guest/bzimage.c guest/placement.c guest/firmware.c vcpu/vm_memory.c vcpu/state.c */
/* UNITS: tests/fake/guest_memory.c tests/fake/error.c */
/* Hostile bzImages: whatever the bytes, the loader stays in the VM's memory and starts it inside.
 */
#include <stdlib.h>
#include <string.h>

#include "guest/bzimage.h"
#include "tests/fake/guest_memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vm vm;
	struct guest_image image = {
		.bytes = data, .size = size, .command_line = "console=ttyS0,115200"};
	struct vcpu_state state;

	if (vm.extent_count == 0)
		fake_guest_memory(&vm, (const struct fake_extent[]){
					       {0,         0x180000},
                                               {0x1000000, 0x40000 },
                                               {0,         0       }
                });
	/* The tail serves as the initrd, overlapping the image: they are read only. */
	image.initrd = data + size / 2;
	image.initrd_size = size / 2;
	if (!bzimage_detect(&image))
		return 0;
	if (!bzimage_load(&vm, &image, &state)) {
		if (!vm_memory(&vm, GPA(state.rip), 1) ||
		    !vm_memory(&vm, GPA(state.regs.rsi), PAGE_SIZE) ||
		    !vm_memory(&vm, GPA(state.gdtr.base), state.gdtr.limit + 1u))
			abort();
	}
	return 0;
}
