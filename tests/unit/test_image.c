/* SPDX-License-Identifier: BSD-2-Clause */
/* UNITS: guest/image.c guest/bzimage.c guest/multiboot1.c guest/elf.c guest/placement.c */
/* UNITS: guest/firmware.c vcpu/vm_memory.c vcpu/state.c */
/* UNITS: tests/fake/guest_memory.c tests/fake/error.c */
/* Images are told apart, and one that nobody can start is called by its name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "guest/image.h"
#include "tests/fake/guest_memory.h"

static struct vm vm;
static struct vcpu_state cpu;
static uint8_t bytes[0x9000];
static struct guest_image image;
static const char *kind;

static int setup(void **state)
{
	(void)state;
	memset(bytes, 0, sizeof(bytes));
	image = (struct guest_image){.bytes = bytes, .size = sizeof(bytes)};
	kind = NULL;
	fake_guest_ram(&vm, 4 * MIB);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_guest_memory_free(&vm);
	return 0;
}

static void put32(unsigned offset, uint32_t value)
{
	memcpy(bytes + offset, &value, 4);
}

static void assert_refused(const char *part)
{
	err_t err = image_load(&vm, &image, &cpu, &kind);

	assert_non_null(err);
	assert_non_null(kind);
	if (!strstr(err, part))
		fail_msg("\"%s\" does not say \"%s\"", err, part);
}

static void known_formats(void **state)
{
	static const struct {
		unsigned offset;
		const char *mark;
		const char *text;
	} formats[] = {
		{0,      "\x1f\x8b\x08",     "gzip"                                        },
		{0,      "\xfd\x37zXZ",      "xz file"                                     },
		{0,      "BZh9",             "bzip2"				       },
		{0,      "\x28\xb5\x2f\xfd", "zstd"                                        },
		{0,      "\x02\x21\x4c\x18", "lz4"                                         },
		{0,      "070701",           "cpio"					},
		{0,      "!<arch>\ndebian",  "ar archive"                                  },
		{257,    "ustar",            "tar archive"                                 },
		{0,      "#!/bin/sh",        "script"                                      },
		{0,      "\177ELF\1",        "32-bit ELF file without a Multiboot 1 header"},
		{0,      "\177ELF\2",        "64-bit ELF file without a Multiboot 1 header"},
		{0,      "MZ",               "PE (EFI) program"                            },
		{0x8001, "CD001",            "CD image"                                    },
		{510,    "\x55\xaa",         "boot sector"                                 },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_COUNT(formats); i++) {
		memset(bytes, 0, sizeof(bytes));
		memcpy(bytes + formats[i].offset, formats[i].mark, strlen(formats[i].mark));
		assert_refused(formats[i].text);
	}
}

static void multiboot2_only(void **state)
{
	(void)state;
	put32(0x1000, 0xe85250d6);
	put32(0x1008, 16);
	put32(0x100c, 0u - 0xe85250d6 - 16);
	assert_refused("Multiboot 2 header only");
	put32(0x100c, 0);
	assert_refused("neither");
}

static void wrong_checksum(void **state)
{
	(void)state;
	put32(0x40, 0x1badb002);
	assert_refused("Multiboot 1 header at 0x40 with a wrong checksum");
}

static void nothing_known(void **state)
{
	(void)state;
	memcpy(bytes, "\x12\x34\x56\xff", 4);
	assert_refused("neither a Linux bzImage nor a Multiboot 1 kernel");
	assert_refused("begins with 12 34 56 ff");
	for (image.size = 1; image.size < 1024; image.size++)
		assert_refused("too short");
	image.size = 0;
	assert_refused("the image is empty");
	image = (struct guest_image){.bytes = NULL, .size = 5};
	assert_refused("the image is empty");
}

static void loads_multiboot1(void **state)
{
	(void)state;
	put32(0x40, 0x1badb002);
	put32(0x44, 0x10000);
	put32(0x48, 0u - 0x1badb002 - 0x10000);
	put32(0x4c, 0x100040);
	put32(0x50, 0x100000);
	put32(0x5c, 0x100080);
	assert_null(image_load(&vm, &image, &cpu, &kind));
	assert_string_equal(kind, "Multiboot 1");
	assert_int_equal(cpu.rip, 0x100080);
	assert_int_equal(*(uint16_t *)vm_memory(&vm, GPA(0x40e), 2), 0x9fc0);
	put32(0x5c, 0);
	assert_refused("entry_addr 0x0");
	assert_string_equal(kind, "Multiboot 1");
}

static void loads_bzimage(void **state)
{
	(void)state;
	bytes[0x1f1] = 1;
	put32(0x1f4, 0x800);
	put32(0x1fe, 0x66ebaa55);
	put32(0x202, 0x53726448);
	put32(0x206, 0x20c);
	bytes[0x211] = 1;
	put32(0x214, 0x100000);
	put32(0x238, 255);
	/* A Multiboot header too: Linux' protocol goes first. */
	put32(0x1000, 0x1badb002);
	put32(0x1008, 0u - 0x1badb002);
	assert_null(image_load(&vm, &image, &cpu, &kind));
	assert_string_equal(kind, "Linux bzImage");
	assert_int_equal(cpu.rip, 0x100000);
	image.size = 0x300;
	assert_refused("truncated");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(known_formats), TEST(multiboot2_only),  TEST(wrong_checksum),
		TEST(nothing_known), TEST(loads_multiboot1), TEST(loads_bzimage),
	};

	return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
