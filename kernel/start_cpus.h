/* SPDX-License-Identifier: BSD-2-Clause */
/* Starts the other processors. */
#pragma once

#include "kernel/acpi.h"
#include "kernel/memory_map.h"

/*
 * Starts those that the firmware lists, one after the other, and tells of each that cannot be used.
 * Needs this processor's local APIC and the time. Afterwards they wait for work
 * (kernel/cpu_work.h).
 */
void start_cpus(const struct acpi_info *acpi, const struct memory_map *map);
