/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests whose EPT and VMCS change under them: run by host.c, and by entry.c under KVM. */
#pragma once

#include <stdbool.h>

/* Tells what holds; ends with the verdict `fail` when it does not. */
void host_check(const char *what, bool holds);

/* Runs them all, on a backend that has started. */
void host_guests_run(void);
