/* SPDX-License-Identifier: BSD-2-Clause */
/* What the start of another processor (boot/ap_trampoline.S) is given, at the end of its page in
 * low memory. */
#pragma once

#define AP_BOOT_OFFSET 0xf00 /* in the page */

/* Offsets from there. */
#define AP_BOOT_STATE      0
#define AP_BOOT_GDTR       6
#define AP_BOOT_PROTECTED  12
#define AP_BOOT_LONG       20
#define AP_BOOT_CR3        28
#define AP_BOOT_KERNEL_CR3 32
#define AP_BOOT_STACK      40
#define AP_BOOT_ENTRY      48
#define AP_BOOT_GDT        56

/* The state: who is wanted says so, and who comes takes it, once. */
#define AP_NOBODY_WANTED 0
#define AP_WANTED        1
#define AP_TAKEN         2

#ifndef __ASSEMBLER__

#include <stddef.h>
#include <stdint.h>

struct far_pointer {
	uint32_t offset;
	uint16_t selector;
	uint16_t unused;
};

struct ap_boot {
	uint32_t state;
	uint16_t unused;
	uint16_t gdt_limit;
	uint32_t gdt_base;
	struct far_pointer protected;
	struct far_pointer long_mode;
	uint32_t cr3; /* below 4 GiB: maps low memory to itself, and the kernel */
	uint64_t kernel_cr3;
	uint64_t stack; /* its upper end */
	uint64_t entry; /* a C function without arguments */
	uint64_t gdt[4];
};

_Static_assert(offsetof(struct ap_boot, state) == AP_BOOT_STATE, "as above");
_Static_assert(offsetof(struct ap_boot, gdt_limit) == AP_BOOT_GDTR, "as above");
_Static_assert(offsetof(struct ap_boot, protected) == AP_BOOT_PROTECTED, "as above");
_Static_assert(offsetof(struct ap_boot, long_mode) == AP_BOOT_LONG, "as above");
_Static_assert(offsetof(struct ap_boot, cr3) == AP_BOOT_CR3, "as above");
_Static_assert(offsetof(struct ap_boot, kernel_cr3) == AP_BOOT_KERNEL_CR3, "as above");
_Static_assert(offsetof(struct ap_boot, stack) == AP_BOOT_STACK, "as above");
_Static_assert(offsetof(struct ap_boot, entry) == AP_BOOT_ENTRY, "as above");
_Static_assert(offsetof(struct ap_boot, gdt) == AP_BOOT_GDT, "as above");
_Static_assert(AP_BOOT_OFFSET + sizeof(struct ap_boot) <= 4096, "in the page");

/* The code to be copied to the start of the page, and the places in it where the modes change. */
extern const char ap_trampoline[], ap_trampoline_end[];
extern const char ap_trampoline_protected[], ap_trampoline_long[];

#endif
