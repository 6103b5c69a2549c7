/* SPDX-License-Identifier: BSD-2-Clause */
/* Stands for kernel/msr_safe.h in host tests: the MSRs of the simulated machine, see
 * arch/x86_64/instructions.h there. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86_64/instructions.h"
#include "kernel/compiler.h"

static inline CHECKED bool rdmsr_safe(uint32_t msr, uint64_t *value)
{
	return fake_msr_get(msr, value);
}

static inline CHECKED bool wrmsr_safe(uint32_t msr, uint64_t value)
{
	return fake_msr_write(msr, value);
}
