/* SPDX-License-Identifier: BSD-2-Clause */
/* The GDT of the tiny guests, and where the code of other modes lies: for C and assembly. */
#pragma once

#define SEL_CODE64      0x08
#define SEL_DATA        0x10
#define SEL_CODE32      0x18
#define SEL_CODE16      0x20
#define SEL_DATA16      0x28
#define SEL_USER_CODE64 0x33
#define SEL_USER_DATA   0x3b
#define SEL_USER_CODE32 0x43
#define SEL_USER_CODE16 0x4b
#define SEL_USER_DATA16 0x53
#define SEL_TSS32       0x58
#define SEL_TSS64       0x60
#define SEL_TEST        0x70 /* from here on 16 descriptors are the tests' own */

/*
 * Low memory, which real mode reaches. The interrupt table is at 0.
 */
#define TEST_CODE  0x2000 /* a page for the code under test, */
#define TEST_STACK 0x4000 /* the top of its stack, */
#define TEST_DATA  0x5000 /* and a page for its data */
#define LOW_BASE   0x8000 /* the library's 16-bit code */
#define MACHINE    0xb000 /* struct machine, the state to run with */

/* struct machine: words of 8 bytes, by number. The general registers come first, in opcode order.
 */
#define M_RSP    4
#define M_RIP    16
#define M_RFLAGS 17
#define M_CR0    18
#define M_CR2    19
#define M_CR3    20
#define M_CR4    21
#define M_EFER   22
#define M_ES     23
#define M_CS     24
#define M_SS     25
#define M_DS     26
#define M_FS     27
#define M_GS     28
#define M_KIND   29
#define M_FLAT   30
#define M_VECTOR 31
#define M_ERROR  32
#define M_DR6    33
#define M_WORDS  34

/*
 * In the same page, for code in which exceptions are not the end: with M_SKIP_LEFT not 0, an
 * exception in segment M_SKIP_CS at M_SKIP_RIP and so many bytes more is counted, and what caused
 * it is left out: the code goes on at M_SKIP_RIP and what M_SKIP_NEXT says for that byte, 0 for
 * none. Interrupts and traps are counted and go on.
 */
#define M_SKIP_LEFT 34
#define M_SKIP_RIP  35
#define M_SKIP_CS   36
#define M_SKIP_NEXT (MACHINE + 0x200) /* 16 bits a byte of code */
#define M_SKIP_SIZE 0x500
/* With each a line of four words of 32 bits, by what M_SKIP_LEFT was: vector and error code, RIP,
 * flags, CR2. */
#define M_SKIP_LOG (MACHINE + 0x1000)
/* Exceptions that are met before their instruction is done: all but #DB, NMI, #BP and #OF. */
#define M_SKIP_FAULTS 0xffffffe1
#define M_SKIP_SEEN   (MACHINE + 0xc00) /* 32 bits a vector */

/* M_KIND */
#define KIND_REAL   0
#define KIND_LEGACY 1 /* protected mode with its 32-bit IDT, virtual-8086 mode */
#define KIND_LONG   2 /* 64-bit and compatibility mode */
