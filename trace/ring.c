/* SPDX-License-Identifier: BSD-2-Clause */
/* The ring of exit records: how it is made, and how its readers find their way. */
#include "trace/ring.h"

#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/instructions.h"
#include "kernel/compiler.h"
#include "kernel/direct_map.h"
#include "kernel/physical.h"
#include "kernel/string.h"

static uint32_t least(uint64_t a, uint64_t b)
{
	return (uint32_t)(a < b ? a : b);
}

static void describe_cpu(struct exit_ring *ring)
{
	ring->signature = cpuid(CPUID_LEAF_FEATURES, 0).eax;
	if (cpuid_max_leaf(cpuid, CPUID_LEAF_BRAND) < CPUID_LEAF_BRAND + 2)
		return;
	for (uint32_t i = 0; i < 3; i++) {
		struct cpuid_result part = cpuid(CPUID_LEAF_BRAND + i, 0);

		memcpy(ring->brand + sizeof(part) * i, &part, sizeof(part));
	}
}

void ring_init(struct exit_ring *ring, uint16_t cpu, uint32_t records, const struct ring_info *info)
{
	memset(ring, 0, ring_bytes(records));
	memcpy(ring->magic, RING_MAGIC, sizeof(ring->magic));
	ring->version = TRACE_VERSION;
	ring->record_size = sizeof(struct exit_record);
	ring->cpu = cpu;
	ring->tsc_hz = info->tsc_hz;
	ring->mask = records - 1;
	describe_cpu(ring);
	ring->capability_count = least(info->capability_count, RING_CAPABILITIES);
	for (unsigned i = 0; i < ring->capability_count; i++)
		ring->capabilities[i] = info->capabilities[i];
	ring->command_line_size = least(strlen(info->command_line), RING_COMMAND_LINE);
	memcpy(ring->command_line, info->command_line, ring->command_line_size);
	ring->header_size =
		(uint16_t)(offsetof(struct exit_ring, command_line) + ring->command_line_size);
}

err_t ring_create(uint16_t cpu, uint32_t records, const struct ring_info *info,
		  struct exit_ring **ring)
{
	hpa_t memory;
	err_t err = physical_allocate(ring_bytes(records), PAGE_SIZE, &memory);

	if (err)
		return error("no memory for %u exit records: %s; give a smaller records=", records,
			     err);
	*ring = direct_map(memory);
	ring_init(*ring, cpu, records, info);
	return NULL;
}

void ring_vm_started(struct exit_ring *ring, unsigned vm, unsigned vcpu, const char *name,
		     uint64_t tsc)
{
	struct exit_record start = {
		.tsc_exit = tsc,
		.tsc_entry = ring->head,
		.reason = RECORD_VM_STARTED,
		.vm = (uint8_t)vm,
		.vcpu = (uint8_t)vcpu,
	};

	memcpy(start.name, name, strnlen(name, sizeof(start.name)));
	ring->started[vm % RING_VMS] = start;
	*ring_next(ring) = start;
}

uint64_t ring_first(const struct exit_ring *ring)
{
	return ring->head > ring->mask ? ring->head - ring->mask - 1 : 0;
}

uint64_t ring_first_of_vm(const struct exit_ring *ring, unsigned vm)
{
	uint64_t first = ring_first(ring), start = ring_vm(ring, vm)->tsc_entry + 1;

	return start > first ? start : first;
}
