/* SPDX-License-Identifier: BSD-2-Clause */
/* What was most frequent in a VM's records: ports, MSRs, CPUID leaves, pages, and where the guest
 * was. */
#pragma once

#include "trace/ring.h"

/* Prints one line for each kind that occurs. Takes a time that grows with the ring: for the end of
 * a VM. */
void top_print(const struct exit_ring *ring, unsigned vm, const char *vm_name);
