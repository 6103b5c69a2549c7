/* SPDX-License-Identifier: BSD-2-Clause */
/* Stands for kernel/direct_map.c in tests: physical memory from 0 to FAKE_RAM_END is the test's
 * own. */
#pragma once

#include <stdbool.h>

#include "kernel/direct_map.h"

#define FAKE_RAM_END (16 * GIB)

/* All of it is zero again, and costs nothing until it is touched. */
void fake_ram_reset(void);

/* Whether direct_map_activate() was called since. */
extern bool fake_direct_map_active;
