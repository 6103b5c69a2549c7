/* SPDX-License-Identifier: BSD-2-Clause */
/* Page walks with one entry a level, in any paging mode, for tests. Link tests/fake/one_walk.c. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86_64/control_registers.h"
#include "vcpu/paging.h"

#define P  (1ull << 0)
#define W  (1ull << 1)
#define U  (1ull << 2)
#define A  (1ull << 5)
#define D  (1ull << 6)
#define PS (1ull << 7)
#define NX (1ull << 63)

#define RAM MIB

/* The processor's state, and what the last walk gave. */
extern struct vm vm;
extern struct paging paging;
extern gpa_t gpa;
extern uint32_t error_code;

/* cmocka's group setup: the guest's memory. */
int make_memory(void **state);
uint64_t get(uint64_t at, unsigned size);
void put4(uint64_t at, uint64_t value);

/* The way to LINEAR: a table a level, in pages of their own. */
#define LINEAR       0x0000123456789abcull
#define LINEAR4      0x56789abcull
#define TABLE(level) (0x1000ull * (level))

enum mode { MODE_32, MODE_32_PSE, MODE_PAE, MODE_4LEVEL };

struct one_walk {
	enum mode mode;
	unsigned top, leaf; /* levels */
	unsigned entry_size;
	uint64_t linear;
	uint64_t entries[5]; /* by level */
};

uint64_t entry_at(const struct one_walk *w, unsigned level);

/* A walk in which everything is allowed, to a page at the address that `leaf_address` says. */
struct one_walk easy(enum mode mode, unsigned leaf, uint64_t leaf_address);

/* Writes its entries, and sets the processor to its mode. */
void prepare(const struct one_walk *w);

extern const struct paging_access data_read, user_write;

enum paging_result translate(const struct one_walk *w, struct paging_access access);
void expect_page(const struct one_walk *w, struct paging_access access, uint64_t page);
void expect_fault(const struct one_walk *w, struct paging_access access, uint64_t code);
