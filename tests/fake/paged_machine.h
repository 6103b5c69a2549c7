/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine for tests of the address space, and a page walk that knows only what the SDM says. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/address_space.h"

/* Bits of page-table entries, as the SDM has them and not as the code under test does. */
#define P   (1ul << 0)
#define W   (1ul << 1)
#define U   (1ul << 2)
#define PWT (1ul << 3)
#define PCD (1ul << 4)
#define PS  (1ul << 7)
#define G   (1ul << 8)
#define XD  (1ul << 63)

/* Where the kernel's image lies: text, rodata, a page of nothing, data. */
#define CODE       0x00110000ul
#define TEXT_END   0x5000ul
#define RODATA_END 0x8000ul
#define DATA_START 0x9000ul
#define DATA_END   0x10000ul

extern struct memory_map paged_machine_map;
extern const struct kernel_image paged_machine_image;

/* What the processor says of itself; reset by the setups. */
extern bool processor_lacks_nx;
extern unsigned processor_address_bits;

/* cmocka setups: with physical memory only, and with the address space. */
int paged_machine_prepare(void **state);
int paged_machine_setup(void **state);

/* The leaf entry for an address and the size of its page; 0 when it is not mapped. */
uint64_t walk(uint64_t at, uint64_t *page);

void assert_maps(uint64_t at, uint64_t physical, uint64_t rights, uint64_t size);
void assert_unmapped(uint64_t at);

/* No page can be both written and executed, in whatever places it is mapped. */
void assert_write_xor_execute(void);
