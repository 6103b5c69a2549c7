/* SPDX-License-Identifier: BSD-2-Clause */
/* How the CPUs forget translations that one of them took out of the page tables. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/compiler.h"

/* Drops all translations of this CPU, global ones and those of paging structures too. */
void tlb_flush(void);

/*
 * To be called after an entry was taken out of the page tables and this CPU has dropped what it
 * knew of it, with the lock of the page tables held. The number is for tlb_all_passed().
 */
uint64_t tlb_mark(void);

/* True when no CPU can know any more what had been taken out before that mark was made. */
CHECKED bool tlb_all_passed(uint64_t mark);

/* Drops what other CPUs have taken out since the last time. One comparison when there is nothing.
 */
void tlb_catch_up(void);

/* Around the sleep of a CPU that has nothing to do: others need not wait for it. */
void tlb_park(void);
void tlb_unpark(void);
