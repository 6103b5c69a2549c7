/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that access device memory, as a hostile guest has them: any bytes, any registers,
 * any mode, any page tables. The input is the state, the code, and then the guest's memory from 0
 * on, repeated to fill 64 KiB; a page of a device follows it.
 */
/* UNITS: vcpu/mmio.c vcpu/fetch.c vcpu/alu.c vcpu/decoder.c vcpu/decoder_tables.c */
/* UNITS: vcpu/linear.c vcpu/paging.c vcpu/cpuid.c vcpu/events.c vcpu/vm_memory.c vcpu/bus.c */
/* UNITS: vcpu/breakpoints.c arch/x86_64/cpuid.c arch/x86_64/exceptions.c */
/* UNITS: arch/x86_64/registers.c kernel/format.c tests/fake/backend.c */
/* UNITS: tests/fake/guest_memory.c tests/fake/log.c tests/fake/error.c */
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/instructions.h"
#include "tests/fake/backend.h"
#include "tests/fake/guest_memory.h"
#include "tests/fake/log.h"
#include "vcpu/decoder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RAM    0x10000ul
#define DEVICE RAM
#define CODE   0x8000ul

static void check(bool good)
{
	if (!good)
		abort();
}

struct header {
	uint8_t code;     /* enum fake_code, and paging */
	uint8_t cpl;      /* and AC, AM */
	uint8_t rflags;   /* TF, DF, and the rest */
	uint8_t pointers; /* registers that point to the device */
	uint8_t segment;  /* which one is odd, and how */
	uint8_t cr3_page;
	uint8_t bytes[INSTRUCTION_BYTES_MAX];
	uint8_t where; /* of the code in its page */
	uint64_t regs[4];
	uint32_t limit, base;
};

static unsigned accesses;

static uint64_t read_device(void *device, uint64_t offset, unsigned size)
{
	(void)device;
	accesses++;
	check(offset + size <= PAGE_SIZE && offset % size == 0);
	return 0x0123456789abcdef + offset;
}

static void write_device(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	(void)device;
	(void)value;
	accesses++;
	check(offset + size <= PAGE_SIZE && offset % size == 0);
}

static void set_registers(const struct header *header)
{
	for (unsigned i = 0; i < REG_COUNT; i++) {
		uint64_t value = header->regs[i % 4] * (i / 4 * 2 + 1);

		if (header->pointers >> i % 8 & 1)
			value = DEVICE + value % 64;
		fake_vcpu.regs.by_index[i] = value;
	}
	fake_vcpu.regs.rcx %= 2000;
	fake_backend.rsp = fake_vcpu.regs.rsp;
	fake_vcpu.regs.rsp = 0;
	fake_backend.rflags |= (header->rflags & 0xd5) | (header->rflags & 2 ? RFLAGS_TF : 0) |
			       (header->rflags & 8 ? RFLAGS_DF : 0) |
			       (header->rflags & 32 ? RFLAGS_AC : 0);
}

static void set_mode(const struct header *header)
{
	struct segment *odd = &fake_backend.segments[header->segment % 6];

	if (header->code & 0x40 && fake_vcpu.mode != MODE_REAL) {
		fake_backend.cr0 |= CR0_PG;
		fake_backend.cr3 = header->cr3_page * PAGE_SIZE;
	}
	if (header->code & 0x80) {
		fake_backend.cr4 |= CR4_PAE | CR4_PSE;
		memcpy(fake_backend.pdptes, (void *)fake_vcpu_vm.window.raw,
		       sizeof(fake_backend.pdptes));
	}
	if (fake_vcpu.mode == MODE_LONG)
		fake_backend.cr3 = header->cr3_page * PAGE_SIZE;
	if (!(fake_backend.rflags & RFLAGS_VM))
		fake_vcpu_set_cpl(header->cpl & 3);
	fake_backend.cr0 |= header->cpl & 4 ? CR0_AM : 0;
	fake_backend.cr4 |= header->cpl & 8 ? CR4_SMAP | CR4_SMEP | CR4_PKE : 0;
	if (header->segment & 0x80) {
		odd->limit = header->limit;
		odd->base = header->base % (2 * RAM);
		odd->access ^= header->segment & 0x40 ? 2 : 4;
	}
}

/* Tables that map the first 2 MiB as they are, where the input does not bring its own. */
static void put_tables(const struct header *header)
{
	static const uint64_t entries[][2] = {
		{0x1000, 0x2007},
		{0x2000, 0x3007},
		{0x3000, 0x87  },
	};

	if (header->cr3_page != 1)
		return;
	for (unsigned i = 0; i < 3; i++)
		memcpy((uint8_t *)fake_vcpu_vm.window.raw + entries[i][0], &entries[i][1], 8);
}

/* The instruction is done, or a part of it, or it faults, or the VM ends. */
static void check_outcome(enum outcome outcome, const struct general_registers *before,
			  uint64_t rip)
{
	uint64_t moved = fake_backend.rip - rip;

	check(outcome == OUTCOME_STAY);
	if (fake_vcpu_vm.end != VM_RUNNING) {
		check(moved == 0);
	} else if (fake_no_fault()) {
		check(fake_backend.done_count == 1);
		check((moved > 0 && moved <= INSTRUCTION_BYTES_MAX) ||
		      fake_backend.rip < INSTRUCTION_BYTES_MAX ||
		      fake_vcpu.regs.rcx != before->rcx);
	} else {
		check(moved == 0 && fake_backend.done_count == 0);
	}
	check(fake_vcpu.regs.rsp == before->rsp || fake_vcpu_vm.end != VM_RUNNING ||
	      !fake_no_fault() || fake_vcpu.regs.rsp == fake_backend.rsp);
	/* One instruction is 256 elements at most, each with a few accesses. */
	check(accesses < 256 * 64);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct mmio_range range = {
		"device",    GPA(DEVICE),  PAGE_SIZE, BUS_1 | BUS_2 | BUS_4,
		read_device, write_device, NULL,
	};
	struct general_registers before;
	struct header header;
	uint8_t *memory;
	uint64_t rip;

	if (!fake_vcpu_vm.window.raw)
		fake_guest_ram(&fake_vcpu_vm, RAM);
	if (size <= sizeof(header))
		return 0;
	memcpy(&header, data, sizeof(header));
	data += sizeof(header);
	size -= sizeof(header);
	memory = (uint8_t *)fake_vcpu_vm.window.raw;
	for (size_t at = 0; at < RAM; at += size)
		memcpy(memory + at, data, size < RAM - at ? size : RAM - at);
	rip = CODE + (header.where & 1 ? PAGE_SIZE - header.where % 16 : header.where);
	memcpy(memory + rip, header.bytes, sizeof(header.bytes));
	put_tables(&header);

	fake_machine_reset();
	fake_log_reset();
	fake_vcpu_reset((enum fake_code)(header.code % 6));
	check(!bus_add_mmio(&fake_vcpu_vm.bus, &range));
	set_mode(&header);
	set_registers(&header);
	fake_backend.rip = rip;
	before = fake_vcpu.regs;
	accesses = 0;
	check_outcome(vcpu_mmio(&fake_vcpu, GPA(DEVICE), false), &before, rip);
	return 0;
}
