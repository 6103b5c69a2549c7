/* SPDX-License-Identifier: BSD-2-Clause */
/* The ring of exit records: its header, numbers and wrap, and the starts of VMs. */
/* UNITS: trace/ring.c arch/x86_64/cpuid.c tests/fake/host_cpuid.c tests/fake/physical.c */
/* UNITS: tests/fake/direct_map.c tests/fake/error.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/instructions.h"
#include "tests/fake/host_cpuid.h"
#include "tests/fake/physical.h"
#include "trace/ring.h"

static struct capability capabilities[RING_CAPABILITIES + 5];
static char long_line[2000];
static struct exit_ring *ring;

static struct exit_ring *make(uint16_t cpu, uint32_t records, const struct ring_info *info)
{
	struct exit_ring *made;

	assert_null(ring_create(cpu, records, info, &made));
	return made;
}

static int setup(void **state)
{
	static const struct ring_info info = {.tsc_hz = 3000000000, .command_line = "trace=all"};

	(void)state;
	host_cpuid_reset();
	fake_physical_reset();
	ring = make(0, 8, &info);
	return 0;
}

static void add(unsigned vm, uint64_t tsc)
{
	*ring_next(ring) = (struct exit_record){.tsc_exit = tsc, .reason = 10, .vm = (uint8_t)vm};
}

static void the_header_explains_it(void **state)
{
	const struct ring_info info = {
		.tsc_hz = 20000000,
		.capabilities = capabilities,
		.capability_count = 3,
		.command_line = "trace=all records=64",
	};
	const uint8_t *bytes;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		capabilities[i] = (struct capability){.msr = 0x480 + i, .value = 7 * i};
	ring = make(5, 64, &info);
	bytes = (const uint8_t *)ring;
	/* By offsets, as docs/trace-format.md has them. */
	assert_memory_equal(bytes, "PLNTRING", 8);
	assert_int_equal(bytes[8], 1);
	assert_int_equal(bytes[10] | bytes[11] << 8, 488 + 20);
	assert_int_equal(bytes[12], 64);
	assert_int_equal(bytes[14], 5);
	assert_int_equal(*(const uint64_t *)(bytes + 16), 20000000);
	assert_int_equal(*(const uint64_t *)(bytes + 24), 0);
	assert_int_equal(*(const uint64_t *)(bytes + 32), 63);
	assert_int_equal(*(const uint32_t *)(bytes + 40), cpuid(1, 0).eax);
	assert_int_equal(*(const uint32_t *)(bytes + 96), 3);
	assert_int_equal(*(const uint32_t *)(bytes + 100), 20);
	assert_int_equal(*(const uint32_t *)(bytes + 104 + 32), 0x482);
	assert_int_equal(*(const uint64_t *)(bytes + 104 + 40), 14);
	assert_memory_equal(bytes + 488, "trace=all records=64", 21);
	assert_ptr_equal(ring->started, bytes + 4096);
	assert_ptr_equal(ring->records, bytes + 8192);
	assert_int_equal(ring_bytes(64), 8192 + 64 * 64);
}

static void what_is_too_long_is_cut(void **state)
{
	const struct ring_info info = {
		.tsc_hz = 1,
		.capabilities = capabilities,
		.capability_count = RING_CAPABILITIES + 5,
		.command_line = long_line,
	};

	(void)state;
	memset(long_line, 'x', sizeof(long_line) - 1);
	ring = make(0, 2, &info);
	assert_int_equal(ring->capability_count, RING_CAPABILITIES);
	assert_int_equal(ring->command_line_size, RING_COMMAND_LINE);
	assert_int_equal(ring->header_size, 488 + RING_COMMAND_LINE);
	assert_int_equal(ring->command_line[RING_COMMAND_LINE - 1], 'x');
	assert_int_equal(ring->reserved[0], 0);
}

static void no_memory_no_ring(void **state)
{
	const struct ring_info info = {.tsc_hz = 1, .command_line = ""};

	(void)state;
	fake_physical_left = PAGE_SIZE;
	assert_string_equal(
		ring_create(0, 1024, &info, &ring),
		"no memory for 1024 exit records: there is no memory left; give a smaller "
		"records=");
}

static void it_wraps(void **state)
{
	(void)state;
	assert_int_equal(ring_first(ring), 0);
	for (uint64_t i = 0; i < 8; i++)
		add(1, i);
	assert_int_equal(ring->head, 8);
	assert_int_equal(ring_first(ring), 0);
	add(1, 8);
	assert_int_equal(ring_first(ring), 1);
	for (uint64_t i = 9; i < 29; i++)
		add(1, i);
	assert_int_equal(ring_first(ring), 21);
	for (uint64_t i = ring_first(ring); i < ring->head; i++)
		assert_int_equal(ring_at(ring, i)->tsc_exit, i);
	/* Numbers do not wrap when they pass 32 bits. */
	ring->head = 0xffffffffull;
	add(1, 1);
	add(1, 2);
	assert_int_equal(ring->head, 0x100000001ull);
	assert_int_equal(ring_at(ring, 0x100000000ull)->tsc_exit, 2);
}

static void a_ring_of_one(void **state)
{
	const struct ring_info info = {.tsc_hz = 1, .command_line = ""};

	(void)state;
	ring = make(0, 1, &info);
	add(0, 5);
	add(0, 6);
	assert_int_equal(ring_first(ring), 1);
	assert_int_equal(ring_at(ring, 1)->tsc_exit, 6);
}

static void starts_are_kept(void **state)
{
	const struct exit_record *start;

	(void)state;
	add(3, 1);
	ring_vm_started(ring, 63, 2, "a-name-of-thirty-two-characters!", 100);
	start = ring_vm(ring, 63);
	assert_int_equal(start->reason, RECORD_VM_STARTED);
	assert_int_equal(start->vm, 63);
	assert_int_equal(start->vcpu, 2);
	assert_int_equal(start->tsc_exit, 100);
	assert_int_equal(start->tsc_entry, 1);
	assert_memory_equal(start->name, "a-name-of-thirty-two-characters!", 32);
	assert_memory_equal(ring_at(ring, 1), start, sizeof(*start));
	assert_int_equal(ring_first_of_vm(ring, 63), 2);

	ring_vm_started(ring, 4, 0, "b", 200);
	assert_memory_equal(ring_vm(ring, 4)->name, "b\0\0\0\0\0\0\0", 8);
	for (uint64_t i = 0; i < 7; i++)
		add(4, i);
	/* The ring has left its start behind. */
	assert_int_equal(ring_first_of_vm(ring, 4), 3);
	add(4, 7);
	add(4, 8);
	assert_int_equal(ring_first_of_vm(ring, 4), 4);
	/* A second life begins a new count. */
	ring_vm_started(ring, 4, 0, "b", 300);
	assert_int_equal(ring_first_of_vm(ring, 4), ring->head);
	assert_int_equal(ring_vm(ring, 4)->tsc_exit, 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_header_explains_it, setup),
		cmocka_unit_test_setup(what_is_too_long_is_cut, setup),
		cmocka_unit_test_setup(no_memory_no_ring, setup),
		cmocka_unit_test_setup(it_wraps, setup),
		cmocka_unit_test_setup(a_ring_of_one, setup),
		cmocka_unit_test_setup(starts_are_kept, setup),
	};

	return cmocka_run_group_tests_name("the ring of exit records", tests, NULL, NULL);
}
