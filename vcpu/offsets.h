/* SPDX-License-Identifier: BSD-2-Clause */
/* Where assembly finds the fields of struct vcpu; vcpu.h asserts that they are there. */
#pragma once

#define VCPU_REGS_SIZE	128
#define VCPU_HOST_STACK 128
#define VCPU_TSC_ENTRY	136
