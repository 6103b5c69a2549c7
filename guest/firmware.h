/* SPDX-License-Identifier: BSD-2-Clause */
/* What a PC's firmware and boot loader would have left for a guest: memory map, BIOS data area, a
 * flat GDT. */
#pragma once

#include <stdint.h>

#include "guest/placement.h"
#include "vcpu/state.h"
#include "vcpu/vm.h"

enum e820_type { E820_RAM = 1, E820_RESERVED = 2 };

/* As INT 15h, AX=E820h tells it, in the layout that the Linux zero page has. */
struct e820_entry {
	uint64_t first;
	uint64_t size;
	uint32_t type; /* enum e820_type */
} PACKED;

/* Each extent may be cut in two by the area below 1 MiB, which is an entry of its own. */
#define E820_ENTRIES_MAX (2 * VM_EXTENTS_MAX + 1)

/* Fills `map`, sorted by address, and returns the count of entries. */
unsigned firmware_memory_map(const struct vm *vm, struct e820_entry map[E820_ENTRIES_MAX]);

/* RAM below 640 KiB and from 1 MiB up to its first gap, in KiB. */
uint32_t firmware_low_kib(const struct vm *vm);
uint32_t firmware_high_kib(const struct vm *vm);

/* Writes the few words of the BIOS data area that systems look at; a VM without RAM there is left
 * alone. */
CHECKED err_t firmware_bios_data(const struct vm *vm);

/* Places a GDT with the flat segments of vcpu_state_flat32 and points the state's GDTR to it. */
CHECKED err_t firmware_flat_gdt(struct placement *placement, struct vcpu_state *state);
