/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ring: the last exit records of one pCPU, in one piece of memory that explains itself, so that
 * a dump of it can be read. Its pCPU alone writes it. docs/trace-format.md is the specification for
 * readers.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/error.h"
#include "trace/record.h"

#define TRACE_VERSION     1
#define RING_MAGIC        "PLNTRING"
#define RING_CAPABILITIES 24
#define RING_COMMAND_LINE 1024
#define RING_VMS          64 /* VMs whose start is kept: as many as there can be */

/* A capability MSR of the processor, as it was read. */
struct capability {
	uint32_t msr;
	uint32_t reserved;
	uint64_t value;
};

struct exit_ring {
	char magic[8];
	uint16_t version;
	uint16_t header_size; /* bytes in use from magic to the end of the command line */
	uint16_t record_size;
	uint16_t cpu; /* number of the pCPU */
	uint64_t tsc_hz;
	uint64_t head;      /* records ever written; number n is at records[n & mask] */
	uint64_t mask;      /* how many records it keeps, less one */
	uint32_t signature; /* of the processor: CPUID.01h:EAX */
	uint32_t running;   /* 1: a VM runs, and the newest record may be unfinished */
	char brand[48];     /* the processor's name for itself */
	uint32_t capability_count;
	uint32_t command_line_size; /* of Plinth's own command line, which has no terminator */
	struct capability capabilities[RING_CAPABILITIES];
	char command_line[RING_COMMAND_LINE];
	uint8_t reserved[4096 - 488 - RING_COMMAND_LINE];

	/* How each VM started last here, by its number; also in the ring, from where it may be
	 * gone. */
	struct exit_record started[RING_VMS];
	struct exit_record records[];
};

_Static_assert(offsetof(struct exit_ring, brand) == 48 &&
		       offsetof(struct exit_ring, capabilities) == 104 &&
		       offsetof(struct exit_ring, command_line) == 488 &&
		       offsetof(struct exit_ring, started) == 4096 &&
		       offsetof(struct exit_ring, records) == 8192,
	       "docs/trace-format.md");

/* What a ring tells of the machine. */
struct ring_info {
	uint64_t tsc_hz;
	const struct capability *capabilities;
	unsigned capability_count;
	const char *command_line;
};

/* The bytes of a ring that keeps so many records. */
static inline uint64_t ring_bytes(uint32_t records)
{
	return offsetof(struct exit_ring, records) + (uint64_t)records * sizeof(struct exit_record);
}

/* Makes an empty ring of `records` (a power of two) in ring_bytes(records) of memory. */
void ring_init(struct exit_ring *ring, uint16_t cpu, uint32_t records,
	       const struct ring_info *info);

/* The same in memory of its own. */
CHECKED err_t ring_create(uint16_t cpu, uint32_t records, const struct ring_info *info,
			  struct exit_ring **ring);

/* The place for the next record, whose old contents are still in it. */
static inline struct exit_record *ring_next(struct exit_ring *ring)
{
	uint64_t head = ring->head;

	ring->head = head + 1;
	return &ring->records[head & ring->mask];
}

/* A vCPU starts, or starts again, on the ring's pCPU. Its records are numbered from here. */
void ring_vm_started(struct exit_ring *ring, unsigned vm, unsigned vcpu, const char *name,
		     uint64_t tsc);

/* --- For readers. --- */

/* The records that are there: numbers from the first to below ring->head. */
uint64_t ring_first(const struct exit_ring *ring);

static inline const struct exit_record *ring_at(const struct exit_ring *ring, uint64_t number)
{
	return &ring->records[number & ring->mask];
}

/* Likewise, from the VM's start on; other VMs' may be among them. */
uint64_t ring_first_of_vm(const struct exit_ring *ring, unsigned vm);

static inline const struct exit_record *ring_vm(const struct exit_ring *ring, unsigned vm)
{
	return &ring->started[vm % RING_VMS];
}
