/* SPDX-License-Identifier: BSD-2-Clause */
/* Access to guest memory as an instruction of the guest has it: through a segment and the guest's
 * paging. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vcpu/paging.h"
#include "vcpu/vcpu.h"

enum linear_result {
	LINEAR_OK,
	LINEAR_FAULTED, /* a fault was raised for the guest */
};

/* A page that an access went to: the next one to it takes no walk, as with a TLB. */
struct linear_page {
	uint64_t linear; /* with bit 0 set: there is none */
	gpa_t gpa;
	bool written;
};

/* What one instruction's accesses have in common; filled once, good until the guest runs again. */
struct linear_context {
	struct vcpu *vcpu;
	struct segment segment;
	enum segment_index index;
	unsigned cpl;
	uint64_t cr0, rflags;
	bool code64;
	bool breakpoints; /* some are on */
	struct paging paging;
	bool paging_is_read; /* by the first access */
	struct linear_page page;
};

void linear_begin(struct vcpu *vcpu, enum segment_index segment, struct linear_context *context);

/* Goes on with another segment of the same instruction. */
void linear_use_segment(struct linear_context *context, enum segment_index segment);

/*
 * Checks [offset, offset + size) against the segment, as for an access of 1 to 16 bytes, and gives
 * its linear address. SDM "Limit Checking", "Type Checking", "Canonical Addressing", "Interrupt 17
 * -- Alignment Check Exception (#AC)".
 */
enum linear_result linear_address(const struct linear_context *context, uint64_t offset,
				  unsigned size, bool write, uint64_t *linear);

/*
 * Reads or writes at a linear address with the rights of the guest's CPL. What is not RAM is asked
 * of the devices. A fault in a second page comes before anything of the first is written.
 */
enum linear_result linear_read(struct linear_context *context, uint64_t linear, void *to,
			       unsigned size);
enum linear_result linear_write(struct linear_context *context, uint64_t linear, const void *from,
				unsigned size);

/* Whether an access would work: the faults of linear_read() and linear_write() without their
 * effects. */
enum linear_result linear_probe(struct linear_context *context, uint64_t linear, unsigned size,
				bool write);

/* What the guest's paging depends on. */
const struct paging *linear_paging(struct linear_context *context);

/* Fetches up to `size` bytes of code at RIP, with the context of CS. Returns how many there were
 * before a page that has none. */
unsigned linear_fetch(struct linear_context *context, uint8_t *to, unsigned size);
