/* SPDX-License-Identifier: BSD-2-Clause */
/* Which of the processors that the firmware lists can be started, and where their start finds room.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/acpi.h"
#include "kernel/memory_map.h"

/* Other processors than the first, in the firmware's order, and how many are left out for what
 * reason. */
struct cpu_choice {
	uint32_t apic_ids[ACPI_CPUS_MAX];
	unsigned count;
	unsigned off;      /* listed, but not switched on */
	unsigned need_x2;  /* their APIC IDs need x2APIC mode, which the firmware left off */
	unsigned too_many; /* beyond `limit` */
};

/* `own` is the first processor's APIC ID, and `limit` how many others may be chosen. */
void cpu_choice_make(struct cpu_choice *choice, const struct acpi_info *acpi, uint32_t own, bool x2,
		     unsigned limit);

/*
 * True when two of these APIC IDs belong to threads of one core: they are alike but for the lowest
 * `thread_bits` bits.
 */
bool cpu_choice_shares_core(const uint32_t *apic_ids, unsigned count, unsigned thread_bits);

/*
 * A page for the start of processors, which begins in real mode: usable RAM below 1 MiB that is not
 * the first page. False: there is none.
 */
CHECKED bool cpu_choice_page(const struct memory_map *map, hpa_t *page);
