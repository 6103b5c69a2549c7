/* SPDX-License-Identifier: BSD-2-Clause */
/* Power off, reboot, halt: every way that the machine may have, one after the other. */
#pragma once

#include "kernel/acpi.h"
#include "kernel/compiler.h"
#include "kernel/error.h"

enum power_action { POWER_OFF, POWER_REBOOT, POWER_HALT };

/* What the firmware says of soft-off and reset. The pointer is kept. Without it there are only the
 * other ways. An error costs the reset register only. */
CHECKED err_t power_set_acpi(const struct acpi_info *acpi);

/* Does it. Where the machine does not obey, the processor halts for good. */
NORETURN void power_end(enum power_action action);
