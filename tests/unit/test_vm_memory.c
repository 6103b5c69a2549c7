/* SPDX-License-Identifier: BSD-2-Clause */
/* UNITS: vcpu/vm_memory.c tests/fake/guest_memory.c */
/* Guest memory is reached inside the extents and nowhere else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fake/guest_memory.h"

static struct vm vm;
static uint8_t buffer[4 * PAGE_SIZE];

/* Low RAM, a hole, two extents that touch, and one above 4 GiB. */
static const struct fake_extent extents[] = {
	{0,        0xa0000  },
        {0x100000, PAGE_SIZE},
        {0x101000, PAGE_SIZE},
        {4 * GIB,  PAGE_SIZE},
        {0,        0        },
};

static int setup(void **state)
{
	(void)state;
	fake_guest_memory(&vm, extents);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_guest_memory_free(&vm);
	return 0;
}

static uint64_t host(uint64_t gpa)
{
	return vm.window.raw + gpa;
}

static void memory_is_window_plus_gpa(void **state)
{
	(void)state;
	assert_int_equal((uint64_t)vm_memory(&vm, GPA(0), 1), host(0));
	assert_int_equal((uint64_t)vm_memory(&vm, GPA(0x9ffff), 1), host(0x9ffff));
	assert_int_equal((uint64_t)vm_memory(&vm, GPA(0), 0xa0000), host(0));
	assert_int_equal((uint64_t)vm_memory(&vm, GPA(4 * GIB + 8), PAGE_SIZE - 8),
			 host(4 * GIB + 8));
}

static void memory_outside_is_refused(void **state)
{
	(void)state;
	assert_null(vm_memory(&vm, GPA(0), 0));
	assert_null(vm_memory(&vm, GPA(0xa0000), 1));
	assert_null(vm_memory(&vm, GPA(0x9ffff), 2));
	assert_null(vm_memory(&vm, GPA(0xfffff), 1));
	assert_null(vm_memory(&vm, GPA(0x100000), PAGE_SIZE + 1)); /* crosses extents */
	assert_null(vm_memory(&vm, GPA(0x102000), 1));
	assert_null(vm_memory(&vm, GPA(UINT64_MAX), 1));
	assert_null(vm_memory(&vm, GPA(UINT64_MAX), 2));
	assert_null(vm_memory(&vm, GPA(1), UINT64_MAX));
	assert_null(vm_memory(&vm, GPA(0x100), UINT64_MAX - 0x80));
}

static void copies_cross_extents_that_touch(void **state)
{
	(void)state;
	memset(buffer, 0x5a, sizeof(buffer));
	assert_true(vm_write(&vm, GPA(0x100800), buffer, PAGE_SIZE));
	memset(buffer, 0, sizeof(buffer));
	assert_true(vm_read(&vm, GPA(0x100000), buffer, 2 * PAGE_SIZE));
	for (unsigned i = 0; i < 2 * PAGE_SIZE; i++)
		assert_int_equal(buffer[i], i >= 0x800 && i < 0x1800 ? 0x5a : 0);
}

static void copies_are_whole_or_nothing(void **state)
{
	(void)state;
	memset(buffer, 0x77, sizeof(buffer));
	assert_false(
		vm_write(&vm, GPA(0x101800), buffer, PAGE_SIZE)); /* its second half is no RAM */
	assert_int_equal(*(uint8_t *)host(0x101800), 0);
	assert_false(vm_write(&vm, GPA(0x9fff0), buffer, 17));
	assert_int_equal(*(uint8_t *)host(0x9fff0), 0);
	assert_false(vm_read(&vm, GPA(0x101800), buffer, PAGE_SIZE));
	assert_int_equal(buffer[0], 0x77);
	assert_false(vm_read(&vm, GPA(0x50000), buffer, UINT64_MAX));
	assert_false(vm_read(&vm, GPA(UINT64_MAX - 1), buffer, 8));
	assert_true(vm_read(&vm, GPA(0xa0000), buffer, 0));
	assert_true(vm_write(&vm, GPA(0x9fff0), buffer, 16));
}

static void last_page_of_the_address_space_does_not_wrap(void **state)
{
	(void)state;
	vm.extents[3] = (struct vm_extent){.gpa = GPA(0 - PAGE_SIZE), .size = PAGE_SIZE};
	assert_non_null(vm_memory(&vm, GPA(0 - PAGE_SIZE), PAGE_SIZE));
	assert_null(vm_memory(&vm, GPA(UINT64_MAX), 2));
	assert_false(vm_read(&vm, GPA(UINT64_MAX), buffer, 2)); /* does not go on at address 0 */
}

/* A display adapter's memory is none of the extents, but reached all the same. */
static void video_memory_is_reached_too(void **state)
{
	(void)state;
	vm.extents[0].size = 0x90000; /* the window is backed up to 0xa0000 */
	assert_null(vm_memory(&vm, GPA(0x98000), 1));
	vm.video = (struct vm_extent){.gpa = GPA(0x98000), .size = 0x8000};
	assert_int_equal((uint64_t)vm_memory(&vm, GPA(0x98000), 0x8000), host(0x98000));
	assert_null(vm_memory(&vm, GPA(0x98000), 0x8001));
	assert_null(vm_memory(&vm, GPA(0x97fff), 2));
	assert_true(vm_write(&vm, GPA(0x9fff8), buffer, 8));
	assert_false(vm_write(&vm, GPA(0x9fff9), buffer, 8));
}

static void a_vm_without_ram_has_none(void **state)
{
	(void)state;
	vm.extent_count = 0;
	assert_null(vm_memory(&vm, GPA(0), 1));
	assert_false(vm_read(&vm, GPA(0), buffer, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(memory_is_window_plus_gpa, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_outside_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(copies_cross_extents_that_touch, setup, teardown),
		cmocka_unit_test_setup_teardown(copies_are_whole_or_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(last_page_of_the_address_space_does_not_wrap, setup,
						teardown),
		cmocka_unit_test_setup_teardown(video_memory_is_reached_too, setup, teardown),
		cmocka_unit_test_setup_teardown(a_vm_without_ram_has_none, setup, teardown),
	};

	return cmocka_run_group_tests_name("vm_memory", tests, NULL, NULL);
}
