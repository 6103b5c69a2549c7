/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest with a page or two of device memory that keeps what is written, for tests of instructions
 * on it. Link tests/fake/device_memory.c. */
#pragma once

#include "tests/fake/backend.h"

#define RAM    (2 * MIB)
#define DEVICE 0x200000ull
#define CODE   0x10000ull

/* What the device holds, and how often it was asked. */
extern uint8_t device[0x2000];
extern unsigned reads, writes;

/* cmocka's group setup: the guest's memory. */
int make_memory(void **state);
uint8_t *memory(uint64_t gpa);
void put(uint64_t at, uint64_t value);

/* Addresses are what they are: 64-bit code has tables that map the first 4 MiB. */
void begin(enum fake_code code);

/* Puts an instruction at RIP; carries it out, as for an access to this address. */
void code(const void *bytes, size_t size);
void run(uint64_t gpa);

/* Fails the test unless RIP has moved past an instruction of this length. */
void expect_done(unsigned length);
