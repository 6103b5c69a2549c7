/* SPDX-License-Identifier: BSD-2-Clause */
/* UNITS: guest/image.c guest/multiboot1.c guest/bzimage.c guest/elf.c guest/placement.c */
/* UNITS: guest/firmware.c vcpu/vm_memory.c vcpu/state.c */
/* UNITS: tests/fake/guest_memory.c tests/fake/error.c */
/* Hostile Multiboot 1 images: the loader stays in the VM's memory and starts it inside. */
#include <stdlib.h>
#include <string.h>

#include "guest/image.h"
#include "guest/multiboot1.h"
#include "tests/fake/guest_memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A right checksum is hard to find by chance: each magic gets one. */
static void mend_checksums(uint8_t *bytes, size_t size)
{
	for (size_t at = 0; at + 12 <= size && at < 8192; at += 4) {
		uint32_t words[3];

		memcpy(words, bytes + at, sizeof(words));
		if (words[0] != 0x1badb002)
			continue;
		words[2] = 0u - words[0] - words[1];
		memcpy(bytes + at, words, sizeof(words));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vm vm;
	struct guest_image image = {.size = size, .command_line = "a b c", .initrd_name = "module"};
	struct vcpu_state state;
	const char *kind;
	uint8_t *bytes = malloc(size ? size : 1);

	if (vm.extent_count == 0)
		fake_guest_memory(&vm, (const struct fake_extent[]){
					       {0,         0x180000},
                                               {0x1000000, 0x40000 },
                                               {0,         0       }
                });
	if (!bytes)
		abort();
	memcpy(bytes, data, size);
	mend_checksums(bytes, size);
	image.bytes = bytes;
	image.initrd = bytes + size / 2;
	image.initrd_size = size / 2;
	if (!image_load(&vm, &image, &state, &kind)) {
		if (!vm_memory(&vm, GPA(state.rip), 1) ||
		    !vm_memory(&vm, GPA(state.gdtr.base), state.gdtr.limit + 1u))
			abort();
		if (state.regs.rax == 0x2badb002 && !vm_memory(&vm, GPA(state.regs.rbx), 116))
			abort();
	}
	free(bytes);
	return 0;
}
