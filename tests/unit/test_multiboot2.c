/* SPDX-License-Identifier: BSD-2-Clause */
/* The Multiboot2 information: as GRUB gave it, and with everything wrong that can be. */
/* UNITS: kernel/multiboot2.c kernel/warnings.c kernel/format.c tests/fake/log.c tests/fake/error.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/multiboot2.h"
#include "tests/fake/log.h"

#define BLOCK_MAX 0x40000

static struct boot_info info;
static uint8_t block[BLOCK_MAX];
static const uint8_t zeros[64];
static uint32_t block_size;

static void put_bytes(const void *bytes, uint32_t size)
{
	assert_true(size <= BLOCK_MAX - block_size);
	memcpy(block + block_size, bytes, size);
	block_size += size;
}

static void put(uint64_t value, uint32_t size)
{
	put_bytes(&value, size);
}

/* A tag with the size that its content needs, padded. */
static void put_tag(uint32_t type, const void *content, uint32_t size)
{
	put(type, 4);
	put(8 + size, 4);
	put_bytes(content, size);
	put(0, -block_size & 7);
}

static void start(void)
{
	memset(block, 0, sizeof(block));
	block_size = 0;
	put(0, 8);
}

/* Parses a block of just this size: AddressSanitizer sees what is read behind it. */
static err_t parse(uint32_t total, uint32_t readable)
{
	uint8_t *exact = malloc(readable ? readable : 1);
	err_t err;

	memcpy(block, &total, 4);
	memcpy(exact, block, readable);
	memset(&info, 0xa5, sizeof(info));
	err = multiboot2_parse(exact, HPA(0x19000), readable, &info);
	free(exact);
	return err;
}

/* The same with an end tag and a true size. */
static void finish(void)
{
	err_t err;

	put_tag(0, "", 0);
	err = parse(block_size, block_size);
	if (err)
		fail_msg("%s", err);
}

static bool warned(const char *text)
{
	for (unsigned i = 0; i < info.warnings.count && i < WARNINGS_MAX; i++) {
		if (strstr(info.warnings.text[i], text))
			return true;
	}
	return false;
}

static void put_module(uint32_t start_address, uint32_t end, const char *text, uint32_t text_size)
{
	uint8_t content[8 + 64];

	memcpy(content, &start_address, 4);
	memcpy(content + 4, &end, 4);
	memcpy(content + 8, text, text_size);
	put_tag(3, content, 8 + text_size);
}

static void load(const char *path)
{
	FILE *file = fopen(path, "rb");

	assert_non_null(file);
	block_size = (uint32_t)fread(block, 1, sizeof(block), file);
	fclose(file);
	assert_null(parse(block_size, block_size));
	assert_int_equal(info.warnings.count, 0);
	assert_int_equal(info.block.raw, 0x19000);
	assert_int_equal(info.block_size, block_size);
}

/* What GRUB 2.06 gave: its configuration had "two words" and 'quo"te', and wrote each file's path.
 */
static void assert_grub_strings(void)
{
	assert_string_equal(info.loader_name, "GRUB 2.06-13+deb12u2");
	assert_string_equal(info.command_line,
			    "console=com1,115200 trace=all \"two words\" quo\\\"te");
	assert_int_equal(info.module_count, 3);
	assert_string_equal(info.modules[0].text,
			    "kernel name=linux mem=256M -- console=ttyS0 \"a b\" back\\\\slash");
	assert_string_equal(info.modules[1].text, "initrd");
	assert_string_equal(info.modules[2].text, "");
	assert_true(info.framebuffer.present);
	assert_int_equal(info.framebuffer.type, FRAMEBUFFER_RGB);
	assert_int_equal(info.framebuffer.width, 800);
	assert_int_equal(info.framebuffer.height, 600);
	assert_int_equal(info.framebuffer.bits_per_pixel, 24);
	assert_int_equal(info.framebuffer.pitch, 2400);
	assert_int_equal(info.framebuffer.red_position, 16);
	assert_int_equal(info.framebuffer.blue_size, 8);
}

static void test_grub_bios(void **state)
{
	(void)state;
	load("tests/fuzz/corpus/multiboot2/grub-bios");
	assert_grub_strings();
	assert_false(info.efi);
	assert_int_equal(info.framebuffer.address.raw, 0xfd000000);
	assert_int_equal(info.modules[0].start.raw, 0x102000);
	assert_int_equal(info.modules[0].end.raw, 0x104220);
	assert_int_equal(info.memory_map_count, 7);
	assert_int_equal(info.memory_map[1].base, 0x9fc00);
	assert_int_equal(info.memory_map[1].length, 0x400);
	assert_int_equal(info.memory_map[1].type, MEMORY_RESERVED);
	assert_int_equal(info.rsdp_old.size, 20);
	assert_memory_equal(info.rsdp_old.bytes, "RSD PTR ", 8);
	assert_int_equal(info.rsdp_new.size, 0);
}

static void test_grub_efi(void **state)
{
	(void)state;
	load("tests/fuzz/corpus/multiboot2/grub-efi");
	assert_grub_strings();
	assert_true(info.efi);
	assert_int_equal(info.memory_map_count, 18);
	assert_int_equal(info.rsdp_old.size, 20);
	assert_int_equal(info.rsdp_new.size, 36);
}

/* Every length of a true block that is cut short: all of it is read or told, none overrun. */
static void test_cut_anywhere(void **state)
{
	uint32_t whole;

	(void)state;
	load("tests/fuzz/corpus/multiboot2/grub-bios");
	whole = block_size;
	for (uint32_t size = 0; size < whole; size++) {
		err_t err = parse(whole, size); /* the block is longer than what can be read */

		assert_true(err || warned("can be read: cut"));
		err = size >= 4 ? parse(size, size) : NULL;
		assert_true(err || size < 4 || info.warnings.count > 0 || size == whole - 4);
	}
}

static void test_no_block(void **state)
{
	(void)state;
	start();
	assert_non_null(strstr(parse(16, 15), "only 15 bytes"));
	assert_non_null(strstr(parse(15, 16), "claims a size of 15"));
	assert_non_null(strstr(parse(0, 16), "claims a size of 0"));
	assert_null(parse(16, 16));
	assert_string_equal(info.command_line, "");
	assert_string_equal(info.loader_name, "");
	assert_int_equal(info.module_count + info.memory_map_count + info.warnings.count, 0);
	assert_null(parse(UINT32_MAX, 16));
	assert_true(warned("claims 4294967295 bytes, only 16 can be read"));
}

static void test_tag_sizes(void **state)
{
	static const uint32_t sizes[] = {0, 1, 7, 17, 24, 0x7fffffff, 0xfffffff8, 0xffffffff};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
		err_t err;

		start();
		put(77, 4);
		put(sizes[i], 4);
		put(0, 8);
		err = parse(24, 24);
		assert_non_null(err);
		assert_non_null(strstr(err, "the tag of type 77 at offset 8"));
		assert_string_equal(info.command_line, "");
	}
	/* The last tag's padding, and the end tag, may be missing. */
	start();
	put_tag(1, "ab", 3);
	assert_null(parse(19, 19));
	assert_string_equal(info.command_line, "ab");
	assert_true(warned("no end tag"));
	start();
	put_tag(1, "ab", 3);
	assert_null(parse(24, 24));
	assert_true(warned("no end tag"));
	/* What follows the end tag is not looked at. */
	start();
	put_tag(0, "", 0);
	put_tag(1, "ab", 3);
	assert_null(parse(block_size, block_size));
	assert_string_equal(info.command_line, "");
}

static void test_strings(void **state)
{
	(void)state;
	start();
	put_tag(1, "abc", 3); /* no end */
	put_tag(2, "", 0);
	put_module(0x1000, 0x2000, "", 0);
	put_module(0x1000, 0x2000, "kernel\0rest", 11);
	finish();
	assert_string_equal(info.command_line, "abc");
	assert_true(warned("the command line has no end"));
	assert_string_equal(info.loader_name, "");
	assert_string_equal(info.modules[0].text, "");
	assert_string_equal(info.modules[1].text, "kernel");
	assert_int_equal(info.warnings.count, 1);
}

static void test_too_much_text(void **state)
{
	char *text = calloc(1, BOOT_TEXT_MAX + 64);

	(void)state;
	memset(text, 'x', BOOT_TEXT_MAX + 63);
	start();
	put_tag(1, text, BOOT_TEXT_MAX + 64);
	put_tag(2, text, 100);
	put_module(1, 2, "kernel", 7);
	finish();
	assert_int_equal(strlen(info.command_line), BOOT_TEXT_MAX - 1);
	assert_string_equal(info.loader_name, "");
	assert_string_equal(info.modules[0].text, "");
	assert_true(warned("the command line is cut"));

	/* Longer by its terminator alone. */
	start();
	put_tag(1, text + 63, BOOT_TEXT_MAX + 1);
	finish();
	assert_int_equal(strlen(info.command_line), BOOT_TEXT_MAX - 1);
	assert_true(warned("the command line is cut"));

	/* Just as much as there is room for: the next one is empty. */
	start();
	put_tag(1, text + 65, BOOT_TEXT_MAX - 1);
	put_module(1, 2, "kernel", 7);
	finish();
	assert_int_equal(strlen(info.command_line), BOOT_TEXT_MAX - 2);
	assert_string_equal(info.modules[0].text, "");
	free(text);
}

static void test_modules(void **state)
{
	(void)state;
	start();
	put_tag(3, "1234567", 7); /* too short */
	put_module(0x2000, 0x1000, "kernel", 7);
	for (uint32_t i = 0; i < 128; i++)
		put_module(0x100000 + i, 0x200000 + i, "kernel", 7);
	finish();
	assert_int_equal(info.module_count, BOOT_MODULES_MAX);
	assert_int_equal(info.modules[0].start.raw, 0x2000);
	assert_int_equal(info.modules[0].end.raw, 0x2000);
	assert_int_equal(info.modules[127].end.raw, 0x200000 + 126);
	assert_int_equal(info.warnings.count, 3);
	assert_true(warned("a tag (module) of 15 bytes is too short"));
	assert_true(warned("module 0 ends (0x1000) before it starts (0x2000)"));
	assert_true(warned("a module at 0x10007f is ignored: there are more than 128"));
}

static void put_map(uint32_t entry_size, unsigned count, uint32_t extra)
{
	uint8_t *content = calloc(1, 8 + entry_size * count + extra);

	memcpy(content, &entry_size, 4);
	for (unsigned i = 0; i < count && entry_size >= 20; i++) {
		uint64_t base = i * 0x1000ull;

		memcpy(content + 8 + i * entry_size, &base, 8);
		content[8 + i * entry_size + 9] = 0x10;
		content[8 + i * entry_size + 16] = 1;
	}
	put_tag(6, content, 8 + entry_size * count + extra);
	free(content);
}

static void test_memory_map(void **state)
{
	static const uint32_t bad_sizes[] = {0, 1, 19, 21, 23, 0xfffffffc};

	(void)state;
	start();
	put_map(40, 3, 39); /* a larger entry, and one that is cut */
	finish();
	assert_int_equal(info.memory_map_count, 3);
	assert_int_equal(info.memory_map[2].base, 0x2000);
	assert_int_equal(info.memory_map[2].length, 0x1000);
	assert_int_equal(info.memory_map[2].type, 1);
	assert_true(warned("last entry is cut"));

	start();
	put_map(24, 513, 0);
	finish();
	assert_int_equal(info.memory_map_count, 512);
	assert_true(warned("cut after 512"));

	for (size_t i = 0; i < ARRAY_COUNT(bad_sizes); i++) {
		uint8_t content[48] = {0};

		memcpy(content, &bad_sizes[i], 4);
		start();
		put_tag(6, content, sizeof(content));
		finish();
		assert_int_equal(info.memory_map_count, 0);
		assert_int_equal(info.warnings.count, 1);
	}
	start();
	put_tag(6, "1234567", 7);
	put_map(24, 1, 0); /* the one that was too short does not count as the first */
	finish();
	assert_int_equal(info.memory_map_count, 1);
}

static void test_duplicates(void **state)
{
	(void)state;
	start();
	put_tag(1, "first", 6);
	put_tag(1, "second", 7);
	put_map(24, 2, 0);
	put_map(24, 3, 0);
	put_tag(99, "anything", 8);
	put_tag(UINT32_MAX, "anything", 8);
	put_tag(9, "x", 1); /* known, but of no use */
	finish();
	assert_string_equal(info.command_line, "first");
	assert_int_equal(info.memory_map_count, 2);
	assert_int_equal(info.warnings.count, 2);
	assert_true(warned("a second tag (command line): ignored"));
	assert_true(warned("a second tag (memory map): ignored"));
}

static void test_rsdp(void **state)
{
	(void)state;
	start();
	put_tag(14, zeros, 19);
	put_tag(15, zeros, 64);
	finish();
	assert_int_equal(info.rsdp_old.size, 0);
	assert_true(warned("RSDP (ACPI 1.0)) of 27 bytes is too short"));
	assert_int_equal(info.rsdp_new.size, ACPI_RSDP_MAX);
}

static void test_framebuffer(void **state)
{
	uint8_t content[30] = {0x00, 0x80, 0x0b, 0};

	(void)state;
	content[21] = FRAMEBUFFER_EGA_TEXT;
	start();
	put_tag(8, content, 24);
	finish();
	assert_true(info.framebuffer.present);
	assert_int_equal(info.framebuffer.type, FRAMEBUFFER_EGA_TEXT);
	assert_int_equal(info.framebuffer.address.raw, 0xb8000);

	content[21] = FRAMEBUFFER_RGB;
	start();
	put_tag(8, content, 29);
	finish();
	assert_false(info.framebuffer.present);
	assert_true(warned("does not tell its colours"));

	content[21] = 3;
	start();
	put_tag(8, content, 30);
	finish();
	assert_false(info.framebuffer.present);
	assert_true(warned("unknown type 3"));
}

static void test_efi_tags(void **state)
{
	static const uint32_t types[] = {11, 12, 17, 18, 19, 20};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
		start();
		put_tag(types[i], zeros, 8);
		put_tag(types[i], zeros, 8);
		finish();
		assert_true(info.efi);
		assert_int_equal(info.warnings.count, 0);
	}
}

static void test_warnings(void **state)
{
	struct warnings list = {0};

	(void)state;
	fake_log_reset();
	warnings_log(&list, "test");
	assert_int_equal(fake_log_count(), 0);
	for (unsigned i = 0; i < WARNINGS_MAX + 3; i++)
		warnings_add(&list, "number %u %0200d", i, 0);
	assert_int_equal(list.count, WARNINGS_MAX + 3);
	warnings_log(&list, "test");
	assert_int_equal(fake_log_count(), WARNINGS_MAX + 1);
	assert_true(fake_log_contains("test: number 7 000"));
	assert_true(fake_log_contains("test: and 3 more"));
	assert_int_equal(fake_log_level(0), LOG_WARN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grub_bios),     cmocka_unit_test(test_grub_efi),
		cmocka_unit_test(test_cut_anywhere),  cmocka_unit_test(test_no_block),
		cmocka_unit_test(test_tag_sizes),     cmocka_unit_test(test_strings),
		cmocka_unit_test(test_too_much_text), cmocka_unit_test(test_modules),
		cmocka_unit_test(test_memory_map),    cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_rsdp),          cmocka_unit_test(test_framebuffer),
		cmocka_unit_test(test_efi_tags),      cmocka_unit_test(test_warnings),
	};

	return cmocka_run_group_tests_name("multiboot2", tests, NULL, NULL);
}
