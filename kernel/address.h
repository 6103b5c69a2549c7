/* SPDX-License-Identifier: BSD-2-Clause */
/* The three kinds of address, each a type of its own so that they cannot be mixed up. */
#pragma once

#include <stdint.h>

/* A guest-physical address: what a guest believes to be physical. */
typedef struct {
	uint64_t raw;
} gpa_t;

/* A host-physical address. */
typedef struct {
	uint64_t raw;
} hpa_t;

/* A virtual address of the host. */
typedef struct {
	uint64_t raw;
} hva_t;

#define GPA(x) ((gpa_t){.raw = (x)})
#define HPA(x) ((hpa_t){.raw = (x)})
#define HVA(x) ((hva_t){.raw = (x)})

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096ul
#define PAGE_2M    0x200000ul
#define PAGE_1G    0x40000000ul

#define KIB 1024ul
#define MIB (1024ul * KIB)
#define GIB (1024ul * MIB)

/* Rounds to a multiple of a power of two. */
static inline uint64_t align_down(uint64_t value, uint64_t align)
{
	return value & ~(align - 1);
}

static inline uint64_t align_up(uint64_t value, uint64_t align)
{
	return (value + align - 1) & ~(align - 1);
}
