/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest with device memory that keeps what is written. */
#include "tests/fake/device_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "arch/x86_64/instructions.h"
#include "tests/fake/guest_memory.h"

uint8_t device[0x2000];
unsigned reads, writes;

static uint64_t read_device(void *unused, uint64_t offset, unsigned size)
{
	uint64_t value = 0;

	(void)unused;
	reads++;
	memcpy(&value, device + offset, size);
	return value;
}

static void write_device(void *unused, uint64_t offset, unsigned size, uint64_t value)
{
	(void)unused;
	writes++;
	memcpy(device + offset, &value, size);
}

int make_memory(void **state)
{
	(void)state;
	fake_machine_reset();
	fake_guest_ram(&fake_vcpu_vm, RAM);
	return 0;
}

uint8_t *memory(uint64_t gpa)
{
	return (uint8_t *)fake_vcpu_vm.window.raw + gpa;
}

void put(uint64_t at, uint64_t value)
{
	memcpy(memory(at), &value, 8);
}

void begin(enum fake_code code)
{
	static const struct mmio_range range = {
		"device",    GPA(DEVICE),  sizeof(device), BUS_1 | BUS_2 | BUS_4 | BUS_8,
		read_device, write_device, NULL,
	};

	fake_vcpu_reset(code);
	assert_null(bus_add_mmio(&fake_vcpu_vm.bus, &range));
	put(0x1000, 0x2007);
	put(0x2000, 0x3007);
	put(0x3000, 0x000087);
	put(0x3008, 0x200087);
	fake_backend.cr3 = 0x1000;
	fake_backend.rip = CODE;
	memset(memory(CODE), 0, 64);
	memset(device, 0, sizeof(device));
	reads = writes = 0;
}

void code(const void *bytes, size_t size)
{
	memcpy(memory(CODE), bytes, size);
}

void run(uint64_t gpa)
{
	assert_int_equal(vcpu_mmio(&fake_vcpu, GPA(gpa), false), OUTCOME_STAY);
}

void expect_done(unsigned length)
{
	assert_true(fake_no_fault());
	if (fake_vcpu_vm.end != VM_RUNNING)
		fail_msg("%s", fake_vcpu_vm.end_text);
	assert_int_equal(fake_backend.rip, CODE + length);
	assert_int_equal(fake_backend.done_count, 1);
	assert_int_equal(fake_backend.rflags & RFLAGS_RF, 0);
}
