/* SPDX-License-Identifier: BSD-2-Clause */
/* ACPI's fixed hardware: PM1 event and control registers and the power-management timer. */
#pragma once

#include <stdint.h>

#include "devices/clock.h"
#include "kernel/error.h"
#include "vcpu/vm.h"

/* For the FADT and the DSDT. */
#define ACPI_PM1_EVENT   0x600 /* status and enable, 2 bytes each */
#define ACPI_PM1_CONTROL 0x604 /* 2 bytes */
#define ACPI_PM_TIMER    0x608 /* 24 bits in 4 bytes */
#define ACPI_PM_TIMER_HZ 3579545
#define ACPI_S5_TYPE     5 /* SLP_TYP of power-off, as \_S5 has to give it */

struct acpi_pm {
	struct vm *vm;
	struct device_clock clock;
	uint64_t status_ticks; /* until when TMR_STS is up to date */
	uint16_t status, enable, control;
};

CHECKED err_t acpi_pm_create(struct acpi_pm *pm, struct vm *vm);
void acpi_pm_reset(struct acpi_pm *pm);
