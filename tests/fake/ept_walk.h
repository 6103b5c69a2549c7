/* SPDX-License-Identifier: BSD-2-Clause */
/* Extended page tables for tests, and a walk through them that knows only what the SDM says. Link
 * tests/fake/ept_walk.c. */
#pragma once

#include "vcpu/vmx/ept.h"

/* The tables, and how often they asked for INVEPT. */
extern struct ept ept;
extern unsigned invalidations;

/* Makes them anew, for one range. */
void ept_walk_create(const struct ept_features *features, uint64_t gpa, uint64_t size);

/* Bits of entries, as the SDM has them and not as the code under test does. */
#define R  1ull
#define W  2ull
#define X  4ull
#define WB (6ull << 3)
#define PS (1ull << 7)

/* The leaf for an address and its level, or 0. Fails the test on an entry that is no good. */
uint64_t leaf_of(uint64_t gpa, unsigned *level);

/* That an address is mapped like this or not, by the tables and by what ept_translate() says. */
void expect_mapped(uint64_t gpa, uint64_t hpa, unsigned rights, uint64_t page_size);
void expect_unmapped(uint64_t gpa);
