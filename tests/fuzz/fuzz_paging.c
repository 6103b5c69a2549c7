/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page walks through tables that a hostile guest has written. The input is the processor's state,
 * the access, and then the guest's memory from 0 on, repeated to fill 64 KiB.
 */
/* UNITS: vcpu/paging.c vcpu/vm_memory.c tests/fake/guest_memory.c */
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/control_registers.h"
#include "tests/fake/guest_memory.h"
#include "vcpu/paging.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RAM 0x10000ul

static struct vm vm;

static void check(bool good)
{
	if (!good)
		abort();
}

struct header {
	uint8_t settings, access, physical_bits;
	uint8_t cr3_page;
	uint32_t pkru;
	uint64_t linear;
	uint64_t pdptes[4];
};

static void read_state(struct paging *paging, const struct header *header)
{
	*paging = (struct paging){
		.vm = &vm,
		.cr0 = CR0_PE | (header->settings & 1 ? CR0_WP : 0) |
		       (header->settings & 0x7e ? CR0_PG : 0),
		.cr3 = header->cr3_page * PAGE_SIZE | (header->pkru & 0xfff),
		.cr4 = (header->settings & 2 ? CR4_PAE : 0) | (header->settings & 4 ? CR4_PSE : 0) |
		       (header->settings & 8 ? CR4_SMEP | CR4_SMAP : 0) |
		       (header->settings & 16 ? CR4_PKE : 0),
		.efer = header->settings & 32 ? EFER_NXE : 0,
		.rflags = header->settings & 128 ? RFLAGS_AC : 0,
		.physical_bits = 36 + header->physical_bits % 17,
		.pages_1g = header->physical_bits & 128,
		.pkru = header->pkru,
	};
	if (header->settings & 64) {
		paging->efer |= EFER_LME | EFER_LMA;
		paging->cr4 |= CR4_PAE;
	}
	for (unsigned i = 0; i < 4; i++)
		paging->pdptes[i] = header->pdptes[i] & 0xffff;
}

static void check_fault(const struct paging *paging, struct paging_access access, uint32_t code)
{
	check(!(code & PF_ERROR_WRITE) == !access.write);
	check(!(code & PF_ERROR_USER) == !access.user);
	check(!(code & PF_ERROR_FETCH) || access.fetch);
	check(!(code & PF_ERROR_RESERVED) || code & PF_ERROR_PRESENT);
	check(!(code & PF_ERROR_PK) || (code & PF_ERROR_PRESENT && paging->cr4 & CR4_PKE));
	check((code & ~0x3full) == 0);
}

/* What works once works again, for a reader too, and the entries have their accessed flags. */
static void check_page(const struct paging *paging, uint64_t linear, struct paging_access access,
		       gpa_t gpa)
{
	struct paging_access read = {.user = access.user};
	struct paging_step steps[PAGING_STEPS_MAX];
	unsigned count;
	uint32_t code;
	gpa_t again;

	check(gpa.raw % PAGE_SIZE == linear % PAGE_SIZE);
	check(paging_translate(paging, linear, access, &again, &code) == PAGING_OK);
	check(again.raw == gpa.raw);
	if (access.write) {
		check(paging_translate(paging, linear, read, &again, &code) == PAGING_OK);
		check(again.raw == gpa.raw);
	}
	count = paging_explain(paging, linear, steps);
	check(count > 0 || !(paging->cr0 & CR0_PG));
	for (unsigned i = 0; i < count; i++)
		check(!steps[i].readable || (steps[i].entry & 0x21) == 0x21);
	if (access.write && count && steps[count - 1].readable)
		check(steps[count - 1].entry & 0x40);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct paging_access access;
	struct header header;
	struct paging paging;
	uint32_t code = ~0u;
	gpa_t gpa;

	if (!vm.extent_count)
		fake_guest_ram(&vm, RAM);
	if (size <= sizeof(header))
		return 0;
	memcpy(&header, data, sizeof(header));
	data += sizeof(header);
	size -= sizeof(header);
	for (size_t at = 0; at < RAM; at += size)
		memcpy((uint8_t *)vm.window.raw + at, data, size < RAM - at ? size : RAM - at);
	read_state(&paging, &header);
	access = (struct paging_access){.write = header.access & 1,
					.fetch = (header.access & 3) == 2,
					.user = header.access & 4};
	switch (paging_translate(&paging, header.linear, access, &gpa, &code)) {
	case PAGING_OK:
		check_page(&paging, header.linear, access, gpa);
		break;
	case PAGING_FAULT:
		check_fault(&paging, access, code);
		break;
	}
	return 0;
}
