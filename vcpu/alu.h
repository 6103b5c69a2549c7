/* SPDX-License-Identifier: BSD-2-Clause */
/* The arithmetic of instructions that are carried out for a guest, with the flags that they leave.
 */
#pragma once

#include <stdint.h>

#include "vcpu/decoder.h"

/*
 * The result of `a operation b` on operands of 1, 2, 4 or 8 bytes, for INSN_ADD to INSN_DEC and
 * INSN_BT to INSN_BTC (where b is the number of the bit). CMP and TEST give a back. The arithmetic
 * flags in *rflags change as the SDM says; flags that it calls undefined are kept.
 */
uint64_t alu(enum operation operation, unsigned size, uint64_t a, uint64_t b, uint64_t *rflags);
