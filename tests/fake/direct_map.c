/* SPDX-License-Identifier: BSD-2-Clause */
/* Stands for kernel/direct_map.c in tests: one large sparse mapping is the machine's RAM. */
#include "tests/fake/direct_map.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

static uint8_t *ram;
bool fake_direct_map_active;

void fake_ram_reset(void)
{
	if (ram)
		munmap(ram, FAKE_RAM_END);
	ram = mmap(NULL, FAKE_RAM_END, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (ram == MAP_FAILED) {
		perror("fake RAM");
		exit(1);
	}
	fake_direct_map_active = false;
}

void *direct_map(hpa_t at)
{
	if (!ram)
		fake_ram_reset();
	if (at.raw >= FAKE_RAM_END) {
		fprintf(stderr, "there is no RAM at %#lx\n", at.raw);
		abort();
	}
	return ram + at.raw;
}

hpa_t physical_address(const volatile void *at)
{
	uint64_t offset = (uint64_t)at - (uint64_t)ram;

	if (!ram || offset >= FAKE_RAM_END) {
		fprintf(stderr, "%p is not in RAM\n", (const void *)at);
		abort();
	}
	return HPA(offset);
}

void direct_map_activate(void)
{
	fake_direct_map_active = true;
}
