/* SPDX-License-Identifier: BSD-2-Clause */
/* What both halves of this guest share: a window of pages with and without memory, and a digest of
 * what instructions left. */
#pragma once

#include "guest/lib/machine.h"

#define PAGE   0x1000
#define NOBODY 0xfeb00000u
#define WINDOW 0x30000

/* Pages of the window: memory, none behind it, memory, none and read-only, none and the
 * supervisor's, an absent one. */
enum { MEMORY, DEVICE, MORE, READ_ONLY, KERNEL, ABSENT, PAGES };
#define AT(page, offset) (PAGE * (page) + (offset))
#define HERE             AT(DEVICE, 0x124)

#define WINDOW_DATA 0 /* 64 KiB from WINDOW on */
#define SMALL_DATA  1 /* up to the 24th byte of DEVICE */
#define NO_PAGING   2 /* the same as WINDOW_DATA, by physical addresses */

#define ACCESSED 0x60u /* and dirty, in an entry of a page table */

#define CF 0x1
#define PF 0x4
#define AF 0x10
#define ZF 0x40
#define SF 0x80
#define TF 0x100
#define DF 0x400
#define OF 0x800
#define RF 0x10000

/* A state with which DS and ES begin at the window, but are flat in 64-bit mode. */
void init(struct machine *machine, enum place place);

/* Runs code and adds what it left to the digest, but for some flags; with memory only where that
 * can change, as it takes long. A line tells of an end that was not wanted; NULL: any is. */
void run(struct machine *machine, enum place place, const uint8_t *code, unsigned size,
	 uint64_t undefined, bool touches_memory, const char *wanted, const char *name);

/* A line for all that ran since the last one. */
void tell(enum place place, const char *what);

/* Strings, and operands across the ends of pages. */
void device_strings(enum place place);
void device_bases(void);
