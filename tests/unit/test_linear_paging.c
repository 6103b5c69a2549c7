/* SPDX-License-Identifier: BSD-2-Clause */
/* Accesses through paging, to memory and devices: two pages, rights, faults, fetches. */
/* UNITS: vcpu/linear.c vcpu/paging.c vcpu/cpuid.c arch/x86_64/cpuid.c vcpu/events.c */
/* UNITS: vcpu/vm_memory.c vcpu/bus.c */
/* UNITS: arch/x86_64/exceptions.c tests/fake/backend.c tests/fake/host_cpuid.c */
/* UNITS: tests/fake/guest_memory.c tests/fake/log.c tests/fake/error.c */
/* UNITS: vcpu/breakpoints.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>

#include "arch/x86_64/instructions.h"
#include "tests/fake/backend.h"
#include "tests/fake/guest_memory.h"
#include "tests/fake/host_cpuid.h"
#include "vcpu/linear.h"
#include "vcpu/paging.h"

#define RAM    MIB
#define DEVICE 0x200000ul

static struct linear_context context;
static uint64_t linear;
static char seen[256];

static uint64_t read_device(void *device, uint64_t offset, unsigned size)
{
	(void)device;
	snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "r%lx.%u ",
		 (unsigned long)offset, size);
	return 0x1122334455667788u + offset;
}

static void write_device(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	(void)device;
	snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "w%lx.%u=%lx ",
		 (unsigned long)offset, size, (unsigned long)value);
}

static void begin(enum fake_code code, enum segment_index segment)
{
	static const struct mmio_range range = {
		"device",    GPA(DEVICE),  PAGE_SIZE, BUS_1 | BUS_2 | BUS_4 | BUS_8,
		read_device, write_device, NULL,
	};

	fake_vcpu_reset(code);
	assert_null(bus_add_mmio(&fake_vcpu_vm.bus, &range));
	memset((void *)fake_vcpu_vm.window.raw, 0, RAM);
	seen[0] = '\0';
	linear_begin(&fake_vcpu, segment, &context);
}

static int make_memory(void **state)
{
	(void)state;
	fake_machine_reset();
	fake_guest_ram(&fake_vcpu_vm, RAM);
	return 0;
}

static uint8_t *memory(uint64_t gpa)
{
	return (uint8_t *)fake_vcpu_vm.window.raw + gpa;
}

#define P 1ull
#define W 2ull
#define U 4ull

static void put(uint64_t at, uint64_t value)
{
	memcpy(memory(at), &value, 8);
}

/* 64-bit code at this CPL, with linear 0 to 2 MiB mapped by the table at 4000h, empty as yet. */
static void begin_paged(unsigned cpl)
{
	begin(FAKE_CODE64, SEG_DS);
	fake_backend.cr3 = 0x1000;
	put(0x1000, 0x2000 | P | W | U);
	put(0x2000, 0x3000 | P | W | U);
	put(0x3000, 0x4000 | P | W | U);
	fake_vcpu_set_cpl(cpl);
	linear_begin(&fake_vcpu, SEG_DS, &context);
}

static void reads_and_writes_across_pages(void **state)
{
	static const uint8_t text[] = "sixteen bytes..";
	uint8_t got[16];

	(void)state;
	begin_paged(0);
	put(0x4008, 0x9000 | P | W);
	put(0x4010, 0x7000 | P | W);
	for (unsigned split = 0; split <= 16; split++) {
		uint64_t at = 0x2000 - split;

		memset(memory(0x7000), 0, 0x3000);
		assert_int_equal(linear_write(&context, at, text, 16), LINEAR_OK);
		assert_memory_equal(memory(0xa000 - split), text, split);
		assert_memory_equal(memory(0x7000), text + split, 16 - split);
		assert_int_equal(linear_read(&context, at, got, 16), LINEAR_OK);
		assert_memory_equal(got, text, 16);
	}
}

/* A fault in the second page comes before anything is written, and CR2 says where. */
static void a_fault_in_the_second_page(void **state)
{
	static const uint8_t text[8] = "12345678";

	(void)state;
	begin_paged(3);
	put(0x4008, 0x9000 | P | W | U);
	put(0x4010, 0x7000 | P | U);
	assert_int_equal(linear_write(&context, 0x1ffd, text, 8), LINEAR_FAULTED);
	fake_expect_fault(14, PF_ERROR_PRESENT | PF_ERROR_WRITE | PF_ERROR_USER);
	assert_int_equal(fake_machine.cr2, 0x2000);
	assert_int_equal(memory(0x9ffd)[0], 0);
	assert_int_equal(linear_probe(&context, 0x1ffd, 8, true), LINEAR_FAULTED);
	fake_expect_fault(14, PF_ERROR_PRESENT | PF_ERROR_WRITE | PF_ERROR_USER);
	assert_int_equal(linear_probe(&context, 0x1ffd, 8, false), LINEAR_OK);
	assert_int_equal(linear_read(&context, 0x0ffd, &linear, 8), LINEAR_FAULTED);
	fake_expect_fault(14, PF_ERROR_USER);
	assert_int_equal(fake_machine.cr2, 0x0ffd);
}

static void the_cpl_decides(void **state)
{
	(void)state;
	begin_paged(0);
	put(0x4008, 0x9000 | P | W);
	assert_int_equal(linear_read(&context, 0x1000, &linear, 8), LINEAR_OK);
	for (unsigned cpl = 1; cpl < 3; cpl++) {
		fake_vcpu_set_cpl(cpl);
		linear_begin(&fake_vcpu, SEG_DS, &context);
		assert_int_equal(linear_read(&context, 0x1000, &linear, 8), LINEAR_OK);
	}
	fake_vcpu_set_cpl(3);
	linear_begin(&fake_vcpu, SEG_DS, &context);
	assert_int_equal(linear_read(&context, 0x1000, &linear, 8), LINEAR_FAULTED);
	fake_expect_fault(14, PF_ERROR_PRESENT | PF_ERROR_USER);
}

/* In real mode the CPL is 0, whatever is left in SS. */
static void real_mode_is_cpl_0(void **state)
{
	(void)state;
	begin(FAKE_REAL, SEG_DS);
	fake_vcpu_set_cpl(3);
	linear_begin(&fake_vcpu, SEG_DS, &context);
	assert_int_equal(context.cpl, 0);
}

/* The guest's PKRU is read with the host's CR4.PKE on for a moment. */
static void protection_keys(void **state)
{
	(void)state;
	begin_paged(3);
	put(0x4008, 0x9000 | P | W | U | 5ull << 59);
	fake_machine.pkru = 1u << 10;
	assert_int_equal(linear_read(&context, 0x1000, &linear, 8), LINEAR_OK);
	fake_backend.cr4 |= CR4_PKE;
	linear_begin(&fake_vcpu, SEG_DS, &context);
	assert_int_equal(linear_read(&context, 0x1000, &linear, 8), LINEAR_FAULTED);
	fake_expect_fault(14, PF_ERROR_PRESENT | PF_ERROR_USER | PF_ERROR_PK);
	assert_int_equal(fake_machine.cr4 & CR4_PKE, 0);
}

/* One walk a page and instruction: what the guest's tables say meanwhile counts from the next
 * instruction on, as with a TLB. But a page that was read is not one that may be written. */
static void a_page_is_walked_to_once(void **state)
{
	(void)state;
	begin_paged(0);
	fake_backend.cr0 |= CR0_WP;
	put(0x4008, 0x9000 | P);
	put(0x4010, 0xa000 | P | W);
	memory(0x9000)[0] = 0x11;
	memory(0x9678)[0] = 0x22;
	memory(0xa000)[0] = 0x33;
	linear = 0;
	assert_int_equal(linear_read(&context, 0x1000, &linear, 1), LINEAR_OK);
	put(0x4008, 0);
	assert_int_equal(linear_read(&context, 0x1678, &linear, 1), LINEAR_OK);
	assert_int_equal(linear, 0x22);
	assert_int_equal(linear_write(&context, 0x1678, &linear, 1), LINEAR_FAULTED);
	fake_expect_fault(14, PF_ERROR_WRITE);
	assert_int_equal(linear_read(&context, 0x2000, &linear, 1), LINEAR_OK);
	assert_int_equal(linear, 0x33);
	assert_int_equal(memory(0x4010)[0] & 0x60, 0x20);
	assert_int_equal(linear_write(&context, 0x2008, &linear, 1), LINEAR_OK);
	assert_int_equal(memory(0x4010)[0] & 0x60, 0x60);
	assert_int_equal(memory(0xa008)[0], 0x33);
	memory(0x4010)[0] = 0;
	assert_int_equal(linear_write(&context, 0x2fff, &linear, 1), LINEAR_OK);
	assert_int_equal(memory(0xafff)[0], 0x33);
	linear_begin(&fake_vcpu, SEG_DS, &context);
	assert_int_equal(linear_read(&context, 0x2000, &linear, 1), LINEAR_FAULTED);
}

static void the_pdptes_are_the_processors(void **state)
{
	(void)state;
	begin(FAKE_CODE32, SEG_DS);
	fake_backend.cr0 |= CR0_PG;
	fake_backend.cr4 |= CR4_PAE;
	fake_backend.cr3 = 0x8000; /* where there are none */
	fake_backend.pdptes[0] = 0x2000 | P;
	put(0x2000, 0x3000 | P | W);
	put(0x3008, 0x5000 | P | W);
	memory(0x5678)[0] = 0x77;
	linear_begin(&fake_vcpu, SEG_DS, &context);
	linear = 0;
	assert_int_equal(linear_read(&context, 0x1678, &linear, 1), LINEAR_OK);
	assert_int_equal(linear, 0x77);
}

static void what_paging_sees(void **state)
{
	const struct paging *paging;

	(void)state;
	begin_paged(0);
	host_cpuid_reset();
	cpuid_build(&fake_vcpu);
	fake_backend.rflags |= RFLAGS_AC;
	linear_begin(&fake_vcpu, SEG_DS, &context);
	paging = linear_paging(&context);
	assert_true(paging->pages_1g);
	assert_int_equal(paging->physical_bits, 40);
	assert_int_equal(paging->cr0, fake_backend.cr0);
	assert_int_equal(paging->cr3, 0x1000);
	assert_int_equal(paging->cr4, CR4_PAE);
	assert_int_equal(paging->efer, fake_vcpu.efer);
	assert_true(paging->rflags & RFLAGS_AC);
	host_cpuid_set(CPUID_PAGE_1G, false);
	cpuid_build(&fake_vcpu);
	linear_begin(&fake_vcpu, SEG_DS, &context);
	paging = linear_paging(&context);
	assert_false(paging->pages_1g);
}

static void a_table_outside_memory_is_ones(void **state)
{
	(void)state;
	begin_paged(0);
	put(0x3000, RAM | P | W);
	assert_int_equal(linear_read(&context, 0x1678, &linear, 1), LINEAR_FAULTED);
	fake_expect_fault(14, PF_ERROR_PRESENT | PF_ERROR_RESERVED);
	assert_int_equal(fake_machine.cr2, 0x1678);
}

/* --- To devices. --- */

static void devices(void **state)
{
	uint64_t value = 0;

	(void)state;
	begin(FAKE_CODE32, SEG_DS);
	assert_int_equal(linear_read(&context, DEVICE + 8, &value, 4), LINEAR_OK);
	assert_int_equal(value, 0x55667790);
	value = 0x0102030405060708;
	assert_int_equal(linear_write(&context, DEVICE + 0x10, &value, 8), LINEAR_OK);
	assert_int_equal(linear_write(&context, DEVICE + 0x21, &value, 4), LINEAR_OK);
	assert_string_equal(seen, "r8.4 w10.8=102030405060708 w21.1=8 w22.2=607 w24.1=5 ");
}

/* One page memory, the next a device's. */
static void half_memory_half_device(void **state)
{
	uint64_t value = 0x0102030405060708;

	(void)state;
	begin_paged(0);
	put(0x4008, 0x9000 | P | W);
	put(0x4010, DEVICE | P | W);
	assert_int_equal(linear_write(&context, 0x1ffc, &value, 8), LINEAR_OK);
	assert_string_equal(seen, "w0.4=1020304 ");
	assert_int_equal(memory(0x9ffc)[0], 0x08);
	assert_int_equal(memory(0x9fff)[0], 0x05);
	seen[0] = '\0';
	assert_int_equal(linear_read(&context, 0x1ffc, &value, 8), LINEAR_OK);
	assert_string_equal(seen, "r0.4 ");
	assert_int_equal(value, 0x5566778805060708);
}

static void an_access_wraps_at_4g(void **state)
{
	uint64_t value = 0;

	(void)state;
	begin(FAKE_CODE32, SEG_DS);
	memory(0)[0] = 0x41;
	memory(1)[0] = 0x42;
	assert_int_equal(linear_read(&context, 0xfffffffe, &value, 4), LINEAR_OK);
	assert_int_equal(value, 0x4241ffff);
}

/* --- Fetches. --- */

static unsigned fetch(uint8_t *bytes, unsigned size)
{
	linear_begin(&fake_vcpu, SEG_CS, &context);
	return linear_fetch(&context, bytes, size);
}

static void fetches(void **state)
{
	uint8_t bytes[15];

	(void)state;
	begin_paged(3);
	put(0x4008, 0x9000 | P | U);
	put(0x4010, 0x7000 | P | U);
	memset(memory(0x9ff8), 0x11, 8);
	memset(memory(0x7000), 0x22, 16);
	fake_backend.rip = 0x1ff8;
	assert_int_equal(fetch(bytes, 15), 15);
	assert_int_equal(bytes[7], 0x11);
	assert_int_equal(bytes[8], 0x22);
	/* A page that may not be executed ends the bytes, and raises nothing. */
	put(0x4010, 0x7000 | P | U | 1ull << 63);
	assert_int_equal(fetch(bytes, 15), 8);
	put(0x4010, DEVICE | P | U);
	assert_int_equal(fetch(bytes, 15), 8);
	put(0x4008, 0);
	assert_int_equal(fetch(bytes, 15), 0);
	assert_true(fake_no_fault());
	assert_int_equal(seen[0], '\0');
	assert_int_equal(fake_vcpu_vm.end, VM_RUNNING);
}

static void fetches_go_through_cs(void **state)
{
	uint8_t byte;

	(void)state;
	begin(FAKE_REAL, SEG_DS);
	fake_backend.segments[SEG_CS].base = 0x12340;
	memory(0x12356)[0] = 0x90;
	fake_backend.rip = 0x16;
	assert_int_equal(fetch(&byte, 1), 1);
	assert_int_equal(byte, 0x90);
	/* In 64-bit code CS has no base. */
	begin_paged(0);
	put(0x4008, 0x9000 | P);
	memory(0x9016)[0] = 0x91;
	fake_backend.segments[SEG_CS].base = 0x5000;
	fake_backend.rip = 0x1016;
	assert_int_equal(fetch(&byte, 1), 1);
	assert_int_equal(byte, 0x91);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_writes_across_pages),
		cmocka_unit_test(a_fault_in_the_second_page),
		cmocka_unit_test(the_cpl_decides),
		cmocka_unit_test(real_mode_is_cpl_0),
		cmocka_unit_test(protection_keys),
		cmocka_unit_test(a_page_is_walked_to_once),
		cmocka_unit_test(the_pdptes_are_the_processors),
		cmocka_unit_test(what_paging_sees),
		cmocka_unit_test(a_table_outside_memory_is_ones),
		cmocka_unit_test(devices),
		cmocka_unit_test(half_memory_half_device),
		cmocka_unit_test(an_access_wraps_at_4g),
		cmocka_unit_test(fetches),
		cmocka_unit_test(fetches_go_through_cs),
	};

	return cmocka_run_group_tests_name("linear_paging", tests, make_memory, NULL);
}
