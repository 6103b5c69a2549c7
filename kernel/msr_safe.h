/* SPDX-License-Identifier: BSD-2-Clause */
/* Access to MSRs that may not exist: a fault is reported instead of taken. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/compiler.h"

/*
 * False: the instruction faulted, because the processor has no such MSR, or does not take the
 * value. *value is left alone then. Works from the moment that traps_init() has run.
 */
CHECKED bool rdmsr_safe(uint32_t msr, uint64_t *value);
CHECKED bool wrmsr_safe(uint32_t msr, uint64_t value);
