/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtual machine: its memory, its bus, and how it ended. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/address.h"
#include "kernel/error.h"
#include "vcpu/bus.h"

#define VM_NAME_MAX    32
#define VM_EXTENTS_MAX 8

/* Where no RAM is, as in a PC: device registers live there. */
#define VM_GAP_START (3 * GIB)
#define VM_GAP_END   (4 * GIB)

struct vcpu;

/* A piece of guest RAM: [gpa, gpa + size), backed by [hpa, hpa + size). */
struct vm_extent {
	gpa_t gpa;
	hpa_t hpa;
	uint64_t size; /* bytes, a multiple of PAGE_SIZE */
};

/* How a VM ended. */
enum vm_end {
	VM_RUNNING,
	VM_ENDED_EXIT,     /* through the debug-exit port; the code is the value written */
	VM_ENDED_POWEROFF, /* ACPI power-off */
	VM_ENDED_RESET,    /* a reset port */
	VM_ENDED_HALT,     /* HLT with no wake-up possible */
	VM_ENDED_TRIPLE_FAULT,
	VM_ENDED_STOPPED, /* by Plinth, with a report */
	VM_ENDED_USER,    /* Ctrl-A X on the console */
};

struct vm {
	char name[VM_NAME_MAX];
	unsigned id;
	hva_t window; /* hva = window + gpa, valid inside the extents only */
	struct vm_extent extents[VM_EXTENTS_MAX];
	unsigned extent_count;
	struct bus bus;
	struct vcpu *vcpu; /* its one vCPU */
	enum vm_end end;
	uint32_t end_code;
	char end_text[240]; /* the reason in words */
	void *pc;           /* the devices, owned by devices/pc.c */
	struct vm_extent
		video; /* a display adapter's, at A0000h: memory, but not RAM to tell a guest of */
	hpa_t memory;  /* all of it, in one piece */
	uint64_t memory_size;
	void *backend; /* the second-level address space */
};

/*
 * Makes a VM with `size` bytes of zeroed RAM (whole MiB, 2 MiB at the least), laid out as a PC's:
 * 640 KiB, then from 1 MiB on, with a gap from 3 to 4 GiB. Errors: no memory, no free window.
 */
CHECKED err_t vm_create(const char *name, unsigned id, uint64_t size, struct vm **vm);

/* Gives everything back. The VM's vCPU must be gone. */
void vm_destroy(struct vm *vm);

/*
 * The host address of [gpa, gpa + size), or NULL unless all of it lies inside one extent of RAM, or
 * in video memory. The one way to guest memory; a size of 0 gives NULL.
 */
void *vm_memory(const struct vm *vm, gpa_t gpa, uint64_t size);

/* Copies, checked the same way but free to cross from one extent into the next. False: nothing was
 * copied. */
CHECKED bool vm_read(const struct vm *vm, gpa_t gpa, void *to, uint64_t size);
CHECKED bool vm_write(const struct vm *vm, gpa_t gpa, const void *from, uint64_t size);

/* Ends the VM after the current exit; the first call counts, later ones are ignored. */
void vm_stop(struct vm *vm, enum vm_end end, uint32_t code, const char *text, ...) PRINTF(4, 5);
