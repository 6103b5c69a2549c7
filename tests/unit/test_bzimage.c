/* SPDX-License-Identifier: BSD-2-Clause */
/* UNITS: guest/bzimage.c guest/placement.c guest/firmware.c vcpu/vm_memory.c vcpu/state.c */
/* UNITS: tests/fake/guest_memory.c tests/fake/error.c */
/* The bzImage loader: what a kernel finds when it starts, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "guest/bzimage.h"
#include "tests/fake/guest_memory.h"

#define SETUP_SECTS 2
#define KERNEL_SIZE 0x2345u
#define KERNEL_AT   ((1 + SETUP_SECTS) * 512)

static struct vm vm;
static struct vcpu_state cpu;
static uint8_t bytes[KERNEL_AT + KERNEL_SIZE];
static uint8_t initrd[0x3456];
static struct guest_image image;

static void put(unsigned offset, unsigned size, uint64_t value)
{
	memcpy(bytes + offset, &value, size);
}

/* A header like that of memtest86+ 6.10: protocol 2.12, not relocatable. */
static int setup(void **state)
{
	(void)state;
	memset(bytes, 0, sizeof(bytes));
	for (unsigned i = 0; i < KERNEL_SIZE; i++)
		bytes[KERNEL_AT + i] = (uint8_t)(i * 7 + 1);
	memset(initrd, 0xcd, sizeof(initrd));
	put(0x1f1, 1, SETUP_SECTS);
	put(0x1f4, 4, (KERNEL_SIZE + 15) / 16);
	put(0x1fe, 2, 0xaa55);
	put(0x200, 2, 0x66eb);
	put(0x202, 4, 0x53726448);
	put(0x206, 2, 0x20c);
	put(0x211, 1, 1);
	put(0x214, 4, 0x100000);
	put(0x22c, 4, 0xffffffff);
	put(0x230, 4, 0x1000);
	put(0x238, 4, 255);
	put(0x258, 8, 0x100000);
	put(0x260, 4, 0x80000);
	image = (struct guest_image){
		.bytes = bytes, .size = sizeof(bytes), .command_line = "console=ttyS0,115200"};
	memset(&cpu, 0xff, sizeof(cpu));
	fake_guest_ram(&vm, 32 * MIB);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_guest_memory_free(&vm);
	return 0;
}

/* A header like that of Linux 6.1. */
static void make_relocatable(void)
{
	put(0x206, 2, 0x20f);
	put(0x22c, 4, 0x7fffffff);
	put(0x230, 4, 0x200000);
	put(0x234, 1, 1);
	put(0x258, 8, 0x1000000);
	put(0x260, 4, 0x800000);
}

static uint64_t zero_page(unsigned offset, unsigned size)
{
	uint64_t value = 0;

	assert_true(vm_read(&vm, GPA(cpu.regs.rsi + offset), &value, size));
	return value;
}

static void assert_loaded(uint64_t at)
{
	const uint8_t *memory;

	err_t err = bzimage_load(&vm, &image, &cpu);
	if (err)
		fail_msg("%s", err);
	memory = vm_memory(&vm, GPA(at), KERNEL_SIZE + 1);
	assert_non_null(memory);
	assert_memory_equal(memory, bytes + KERNEL_AT, KERNEL_SIZE);
	assert_int_equal(memory[KERNEL_SIZE], 0);
	assert_int_equal(cpu.rip, at);
}

static void assert_refused(const char *part)
{
	err_t err = bzimage_load(&vm, &image, &cpu);

	assert_non_null(err);
	if (!strstr(err, part))
		fail_msg("\"%s\" does not say \"%s\"", err, part);
}

static void detects(void **state)
{
	(void)state;
	assert_true(bzimage_detect(&image));
	image.size = 0x26b;
	assert_false(bzimage_detect(&image));
	image.size = 0x26c;
	assert_true(bzimage_detect(&image));
	put(0x1fe, 2, 0xaa56);
	assert_false(bzimage_detect(&image));
	put(0x1fe, 2, 0xaa55);
	put(0x202, 4, 0);
	assert_false(bzimage_detect(&image));
}

static void loads_a_fixed_kernel(void **state)
{
	(void)state;
	assert_loaded(0x100000);
	assert_int_equal(cpu.rflags, 2);
	assert_int_equal(cpu.cr0 & 0x80000001, 1);
	assert_int_equal(cpu.cs.selector, 0x10);
	assert_int_equal(cpu.ds.selector, 0x18);
	assert_int_equal(cpu.regs.rbp | cpu.regs.rdi | cpu.regs.rbx, 0);
	assert_non_null(vm_memory(&vm, GPA(cpu.gdtr.base), cpu.gdtr.limit));
}

static void fills_the_zero_page(void **state)
{
	char text[32];
	uint64_t i;

	(void)state;
	put(0x1fa, 2, 0x1234);
	assert_loaded(0x100000);
	assert_int_equal(cpu.regs.rsi % PAGE_SIZE, 0);
	assert_true(cpu.regs.rsi >= 0x10000 && cpu.regs.rsi < 0x9f000);
	assert_int_equal(zero_page(0x06, 1), 3);
	assert_int_equal(zero_page(0x07, 1), 80);
	assert_int_equal(zero_page(0x0e, 1), 25);
	assert_int_equal(zero_page(0x0f, 1), 1);
	assert_int_equal(zero_page(0x1ef, 1), 0); /* the sentinel */
	assert_int_equal(zero_page(0x1fa, 2), 0x1234);
	assert_int_equal(zero_page(0x202, 4), 0x53726448);
	assert_int_equal(zero_page(0x210, 1), 0xff);
	assert_int_equal(zero_page(0x211, 1), 1);
	assert_int_equal(zero_page(0x214, 4), 0x100000);
	assert_int_equal(zero_page(0x218, 8), 0);
	assert_int_equal(zero_page(0x1e0, 4), 31 * 1024);

	assert_true(vm_read(&vm, GPA(zero_page(0x228, 4)), text, sizeof(text)));
	assert_string_equal(text, "console=ttyS0,115200");

	assert_int_equal(zero_page(0x1e8, 1), 3);
	for (i = 0; i < 3; i++) {
		static const uint64_t map[3][3] = {
			{0,        0x9fc00,  1},
                        {0x9fc00,  0x60400,  2},
                        {0x100000, 31 * MIB, 1}
                };

		assert_int_equal(zero_page(0x2d0 + 20 * (unsigned)i, 8), map[i][0]);
		assert_int_equal(zero_page(0x2d8 + 20 * (unsigned)i, 8), map[i][1]);
		assert_int_equal(zero_page(0x2e0 + 20 * (unsigned)i, 4), map[i][2]);
	}
}

static void fields_behind_the_header_are_not_copied(void **state)
{
	(void)state;
	put(0x264, 8, 0x1122334455667788); /* the header ends at 0x264 */
	put(0x201, 1, 0x62);
	put(0x250, 8, 0x4141414141414141); /* setup_data is the loader's to give */
	assert_loaded(0x100000);
	assert_int_equal(zero_page(0x264, 8), 0);
	assert_int_equal(zero_page(0x250, 8), 0);
}

static void loads_a_relocatable_kernel_where_it_prefers(void **state)
{
	(void)state;
	make_relocatable();
	assert_loaded(0x1000000);
	assert_int_equal(zero_page(0x214, 4), 0x1000000);
}

static void loads_a_relocatable_kernel_higher_when_needed(void **state)
{
	(void)state;
	fake_guest_memory_free(&vm);
	fake_guest_memory(&vm, (const struct fake_extent[]){
				       {0,         0x1100000},
                                       {0x2100000, 0x2000000},
                                       {0,         0        }
        });
	make_relocatable();
	assert_loaded(0x2200000);
	assert_int_equal(zero_page(0x214, 4), 0x2200000);
}

static void entry_moves_with_the_kernel(void **state)
{
	(void)state;
	make_relocatable();
	put(0x214, 4, 0x100200);
	assert_null(bzimage_load(&vm, &image, &cpu));
	assert_int_equal(cpu.rip, 0x1000200);
}

static void old_protocols(void **state)
{
	(void)state;
	put(0x206, 2, 0x206);
	put(0x201, 1, 0x3c - 2);
	put(0x260, 4, 0xffffffff); /* behind the header: not init_size */
	assert_loaded(0x100000);
	put(0x206, 2, 0x205);
	assert_refused("protocol 2.05 is too old");
}

static void setup_sects_0_means_4(void **state)
{
	static uint8_t big[5 * 512 + KERNEL_SIZE];

	(void)state;
	put(0x1f1, 1, 0);
	memcpy(big, bytes, 0x300);
	memcpy(big + 5 * 512, bytes + KERNEL_AT, KERNEL_SIZE);
	image.bytes = big;
	image.size = sizeof(big);
	assert_loaded(0x100000);
}

static void bytes_behind_the_kernel_are_not_loaded(void **state)
{
	const uint8_t *memory;

	(void)state;
	put(0x1f4, 4, 0x100);
	assert_null(bzimage_load(&vm, &image, &cpu));
	memory = vm_memory(&vm, GPA(0x100000), 0x1001);
	assert_memory_equal(memory, bytes + KERNEL_AT, 0x1000);
	assert_int_equal(memory[0x1000], 0);
}

static void initrd_goes_to_the_top(void **state)
{
	(void)state;
	image.initrd = initrd;
	image.initrd_size = sizeof(initrd);
	assert_loaded(0x100000);
	assert_int_equal(zero_page(0x218, 4), 32 * MIB - 0x4000);
	assert_int_equal(zero_page(0x21c, 4), sizeof(initrd));
	assert_memory_equal(vm_memory(&vm, GPA(32 * MIB - 0x4000), 0x4000), initrd, sizeof(initrd));
}

static void initrd_stays_below_its_limit(void **state)
{
	(void)state;
	image.initrd = initrd;
	image.initrd_size = sizeof(initrd);
	put(0x22c, 4, 0xffffff);
	assert_loaded(0x100000);
	assert_int_equal(zero_page(0x218, 4), 0x1000000 - 0x4000);
	image.initrd_size = 0x3000;
	assert_loaded(0x100000);
	assert_int_equal(zero_page(0x218, 4), 0x1000000 - 0x3000);
	put(0x22c, 4, 0xfffffe); /* one byte less is a page less */
	assert_loaded(0x100000);
	assert_int_equal(zero_page(0x218, 4), 0x1000000 - 0x4000);
	image.initrd_size = sizeof(initrd);
	put(0x22c, 4, 0x103fff); /* inside the kernel, so below 1 MiB is what is left */
	assert_loaded(0x100000);
	assert_int_equal(zero_page(0x218, 4), 0x9c000);
	put(0x22c, 4, 0x2000);
	assert_refused("no room for the initrd");
	image.initrd_size = 0;
	assert_loaded(0x100000);
	assert_int_equal(zero_page(0x218, 8), 0);
}

static void initrd_too_large(void **state)
{
	static uint8_t large[31 * MIB];

	(void)state;
	image.initrd = large;
	image.initrd_size = sizeof(large);
	assert_refused("no room for the initrd: 0x1f00000 bytes");
}

static void command_line_limit(void **state)
{
	char text[300];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[255] = 0;
	image.command_line = text;
	assert_loaded(0x100000);
	text[255] = 'x';
	text[256] = 0;
	assert_refused("the command line has 256 characters, the kernel takes at most 255");
	image.command_line = NULL;
	assert_loaded(0x100000);
	assert_int_equal(*(char *)vm_memory(&vm, GPA(zero_page(0x228, 4)), 1), 0);
}

/* One wrong field each. */
static void bad_headers(void **state)
{
	static const struct {
		unsigned offset, size;
		uint64_t value;
		const char *text;
	} bad[] = {
		{0x201, 1, 0x8f,               "the setup header ends at 0x291"                            },
		{0x201, 1, 0x61,               "ends at 0x263, but protocol 2.12 needs 0x264"              },
		{0x1f1, 1, 64,                 "truncated: 10565 bytes, but the setup code alone has 33280"},
		{0x1f4, 4, 0,                  "syssize is 0"					      },
		{0x1f4, 4, 0x236,              "truncated: syssize says 0x2360"                            },
		{0x1f4, 4, 0xffffffff,         "truncated"                                                 },
		{0x206, 2, 0x105,              "protocol 1.05 is too old"                                  },
		{0x211, 1, 0,                  "LOADED_HIGH"					       },
		{0x214, 4, 0x90000,            "code32_start 0x90000 lies outside"                         },
		{0x214, 4, 0x102345,           "code32_start 0x102345 lies outside"                        },
		{0x214, 4, 0xffffffff,         "code32_start"                                              },
		{0x258, 8, 0x100000000,        "pref_address 0x100000000 is not below 4 GiB"               },
		{0x258, 8, 0xffffffffffffffff, "pref_address"                                              },
		{0x258, 8, 0x2000000,          "lies outside the VM's RAM"                                 },
		{0x258, 8, 0x90000,            "overlaps the PC's EBDA"                                    },
		{0x260, 4, 0x2000000,          "outside the VM's RAM of 32768 KiB"                         },
		{0x260, 4, 0xffffffff,         "the kernel"                                                },
	};

	for (unsigned i = 0; i < ARRAY_COUNT(bad); i++) {
		uint8_t before[8];

		memcpy(before, bytes + bad[i].offset, sizeof(before));
		put(bad[i].offset, bad[i].size, bad[i].value);
		assert_refused(bad[i].text);
		memcpy(bytes + bad[i].offset, before, sizeof(before));
	}
	(void)state;
	assert_loaded(0x100000);
}

static void bad_relocatable_headers(void **state)
{
	(void)state;
	make_relocatable();
	put(0x230, 4, 0);
	assert_refused("kernel_alignment 0x0 is not a power of two");
	put(0x230, 4, 0x300000);
	assert_refused("kernel_alignment 0x300000");
	put(0x230, 4, 0x80000000);
	assert_refused("no room for the kernel");
	put(0x230, 4, 0x200000);
	put(0x260, 4, 0x1000001);
	assert_refused("no room for the kernel");
	put(0x258, 8, 0xffffffff);
	assert_refused("no room for the kernel");
}

static void truncated_at_every_length(void **state)
{
	(void)state;
	for (uint64_t size = 0x26c; size < sizeof(bytes) - 15; size += 1 + size / 64) {
		image.size = size;
		assert_refused("truncated");
	}
	image.size = sizeof(bytes) - 5;
	assert_refused("truncated");
	image.size = sizeof(bytes) - 4; /* syssize is rounded up to 16 bytes */
	assert_null(bzimage_load(&vm, &image, &cpu));
}

static void a_vm_that_is_too_small(void **state)
{
	(void)state;
	vm.extents[0].size = MIB;
	assert_refused("outside the VM's RAM of 1024 KiB; give it more memory (mem=)");
	vm.extent_count = 0;
	assert_refused("outside the VM's RAM of 0 KiB");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(detects),
		TEST(loads_a_fixed_kernel),
		TEST(fills_the_zero_page),
		TEST(fields_behind_the_header_are_not_copied),
		TEST(loads_a_relocatable_kernel_where_it_prefers),
		TEST(loads_a_relocatable_kernel_higher_when_needed),
		TEST(entry_moves_with_the_kernel),
		TEST(old_protocols),
		TEST(setup_sects_0_means_4),
		TEST(bytes_behind_the_kernel_are_not_loaded),
		TEST(initrd_goes_to_the_top),
		TEST(initrd_stays_below_its_limit),
		TEST(initrd_too_large),
		TEST(command_line_limit),
		TEST(bad_headers),
		TEST(bad_relocatable_headers),
		TEST(truncated_at_every_length),
		TEST(a_vm_that_is_too_small),
	};

	return cmocka_run_group_tests_name("bzimage", tests, NULL, NULL);
}
