/* SPDX-License-Identifier: BSD-2-Clause */
/* Who runs: the guests that the boot loader brought, one after the other. */
#pragma once

#include "kernel/acpi.h"
#include "kernel/command_line.h"
#include "kernel/compiler.h"
#include "kernel/multiboot2.h"

/* Runs all of them and ends with the verdict. */
NORETURN void guests_run(const struct boot_info *boot, const struct options *options,
			 const struct acpi_info *acpi);
