/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stands for kernel/physical.c in tests: pieces of tests/fake/direct_map.c's RAM, counted. What it
 * hands out is full of rubbish. Link tests/fake/physical.c and tests/fake/direct_map.c.
 */
#pragma once

#include <stdint.h>

#include "kernel/physical.h"

/* Nothing is allocated, and there is much left. */
void fake_physical_reset(void);

/* Bytes allocated and not given back, and how many more there are. A piece that is given back twice
 * or in parts ends the test. */
extern uint64_t fake_physical_used, fake_physical_left;
