/* SPDX-License-Identifier: BSD-2-Clause */
/* What the exit stub knows of C: where the fields of struct vcpu are, which vcpu.h asserts, and a
 * selector, which vcpu/vmx/vmcs.c does. */
#pragma once

#define VCPU_REGS_SIZE  128
#define VCPU_HOST_STACK 128
#define VCPU_TSC_ENTRY  136
#define HOST_DATA       0x10 /* SELECTOR_DATA */
