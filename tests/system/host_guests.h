/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests that the host's test runs, and whose EPT and VMCS it changes under them. */
#pragma once

#include <stdbool.h>

/* Tells what holds; ends with the verdict `fail` when it does not. */
void host_check(const char *what, bool holds);

/* Starts the backend and runs them all. */
void host_guests_run(void);
