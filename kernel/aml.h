/* SPDX-License-Identifier: BSD-2-Clause */
/* The one thing that Plinth wants from ACPI's byte code: the package of the soft-off state. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/compiler.h"

/*
 * Searches byte code for `Name (_S5_, Package () {...})` and takes its first two values, SLP_TYPa
 * and SLP_TYPb. Nothing is interpreted: a package that code computes is not found.
 */
bool aml_find_s5(const uint8_t *code, uint32_t size, uint8_t *s5_a, uint8_t *s5_b) CHECKED;
