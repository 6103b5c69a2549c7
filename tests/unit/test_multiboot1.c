/* SPDX-License-Identifier: BSD-2-Clause */
/* UNITS: guest/multiboot1.c guest/elf.c guest/placement.c guest/firmware.c vcpu/vm_memory.c */
/* UNITS: vcpu/state.c tests/fake/guest_memory.c tests/fake/error.c */
/* The Multiboot 1 loader: what a kernel finds when it starts, and what is refused. */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "guest/multiboot1.h"
#include "tests/fake/guest_memory.h"

#define HEADER_AT 0x100u
#define TEXT_AT   0x200u
#define DATA_AT   0x400u

static struct vm vm;
static struct vcpu_state cpu;
static uint8_t bytes[0x4000];
static uint8_t module[0x2345];
static struct guest_image image;

static void put32(unsigned offset, uint32_t value)
{
	memcpy(bytes + offset, &value, 4);
}

/* Writes a header; all but magic and checksum as given. */
static void put_header(unsigned at, uint32_t flags)
{
	put32(at, 0x1badb002);
	put32(at + 4, flags);
	put32(at + 8, 0u - 0x1badb002 - flags);
}

static Elf32_Ehdr *ehdr(void)
{
	return (Elf32_Ehdr *)bytes;
}

static Elf32_Phdr *phdr(unsigned index)
{
	return (Elf32_Phdr *)(bytes + sizeof(Elf32_Ehdr)) + index;
}

/* A kernel of two segments: text at 1 MiB, data with BSS behind; and a note that is not loaded. */
static void make_elf32(void)
{
	*ehdr() = (Elf32_Ehdr){
		.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, 1},
		.e_type = ET_EXEC,
		.e_machine = EM_386,
		.e_version = 1,
		.e_entry = 0x100010,
		.e_phoff = sizeof(Elf32_Ehdr),
		.e_phentsize = sizeof(Elf32_Phdr),
		.e_phnum = 3
        };
	*phdr(0) = (Elf32_Phdr){.p_type = PT_LOAD,
				.p_offset = TEXT_AT,
				.p_vaddr = 0x100000,
				.p_paddr = 0x100000,
				.p_filesz = 0x180,
				.p_memsz = 0x180};
	*phdr(1) = (Elf32_Phdr){.p_type = PT_NOTE, .p_offset = 0xffffffff, .p_filesz = 0x1000};
	*phdr(2) = (Elf32_Phdr){.p_type = PT_LOAD,
				.p_offset = DATA_AT,
				.p_vaddr = 0x101000,
				.p_paddr = 0x101000,
				.p_filesz = 0x234,
				.p_memsz = 0x3456};
}

static int setup(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 5 + i / 256 + 3);
	memset(module, 0xcd, sizeof(module));
	make_elf32();
	put_header(HEADER_AT, 3);
	image = (struct guest_image){
		.bytes = bytes, .size = sizeof(bytes), .command_line = "tests=0-5 once"};
	memset(&cpu, 0xff, sizeof(cpu));
	fake_guest_ram(&vm, 8 * MIB);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_guest_memory_free(&vm);
	return 0;
}

static void load(void)
{
	err_t err;

	assert_true(multiboot1_detect(&image));
	err = multiboot1_load(&vm, &image, &cpu);
	if (err)
		fail_msg("%s", err);
}

static void assert_refused(const char *part)
{
	err_t err = multiboot1_load(&vm, &image, &cpu);

	assert_non_null(err);
	if (!strstr(err, part))
		fail_msg("\"%s\" does not say \"%s\"", err, part);
}

static uint64_t memory(uint64_t gpa, unsigned size)
{
	uint64_t value = 0;

	assert_true(vm_read(&vm, GPA(gpa), &value, size));
	return value;
}

static uint32_t info(unsigned offset)
{
	return (uint32_t)memory(cpu.regs.rbx + offset, 4);
}

static void assert_memory_zero(uint64_t gpa, uint64_t size)
{
	const uint8_t *at = vm_memory(&vm, GPA(gpa), size);

	assert_non_null(at);
	for (uint64_t i = 0; i < size; i++)
		assert_int_equal(at[i], 0);
}

static void detects(void **state)
{
	uint64_t offset;

	(void)state;
	assert_true(multiboot1_detect(&image));
	put32(HEADER_AT + 8, 0);
	assert_false(multiboot1_detect(&image));
	assert_true(multiboot1_find_magic(&image, &offset));
	assert_int_equal(offset, HEADER_AT);
	put_header(HEADER_AT + 2, 0); /* not aligned */
	assert_false(multiboot1_detect(&image));
	put_header(8192 - 8, 0); /* not wholly in the first 8 KiB */
	assert_false(multiboot1_detect(&image));
	put_header(8192 - 12, 0);
	assert_true(multiboot1_detect(&image));
	image.size = 8191;
	assert_false(multiboot1_detect(&image));
	image.size = 0;
	assert_false(multiboot1_detect(&image));
	assert_refused("no header");
}

static void loads_elf32(void **state)
{
	(void)state;
	memset(vm_memory(&vm, GPA(0x101000), 0x4000), 0xaa, 0x4000);
	load();
	assert_memory_equal(vm_memory(&vm, GPA(0x100000), 0x180), bytes + TEXT_AT, 0x180);
	assert_memory_equal(vm_memory(&vm, GPA(0x101000), 0x234), bytes + DATA_AT, 0x234);
	assert_memory_zero(0x101234, 0x3456 - 0x234);
	assert_int_equal(memory(0x101000 + 0x3456, 1), 0xaa);
}

/* "Machine state" of the specification. */
static void machine_state(void **state)
{
	(void)state;
	load();
	assert_int_equal(cpu.rip, 0x100010);
	assert_int_equal(cpu.regs.rax, 0x2badb002);
	assert_true(cpu.regs.rbx > 0 && cpu.regs.rbx < 4 * GIB);
	assert_int_equal(cpu.cs.access, SEGMENT_CODE32);
	assert_int_equal(cpu.ss.access, SEGMENT_DATA32);
	assert_int_equal(cpu.cs.base | cpu.ds.base | cpu.es.base | cpu.ss.base, 0);
	assert_int_equal(cpu.cs.limit & cpu.ds.limit & cpu.gs.limit, 0xffffffff);
	assert_int_equal(cpu.cr0 & 0x80000001, 1);
	assert_int_equal(cpu.rflags & 0x20200, 0);
	assert_non_null(vm_memory(&vm, GPA(cpu.regs.rsp - PAGE_SIZE), PAGE_SIZE));
}

static void information(void **state)
{
	char text[16];
	uint32_t map;

	(void)state;
	load();
	assert_int_equal(info(0),
			 0x124d); /* memory, command line, modules, map, name, framebuffer */
	assert_int_equal(info(4), 639);
	assert_int_equal(info(8), 7 * 1024);
	assert_true(vm_read(&vm, GPA(info(16)), text, sizeof(text)));
	assert_string_equal(text, "tests=0-5 once");
	assert_int_equal(info(20), 0);
	assert_int_equal(info(44), 3 * 24);
	map = info(48);
	assert_int_equal(memory(map, 4), 20);
	assert_int_equal(memory(map + 4, 8), 0);
	assert_int_equal(memory(map + 12, 8), 0x9fc00);
	assert_int_equal(memory(map + 20, 4), 1);
	assert_int_equal(memory(map + 24 + 20, 4), 2);
	assert_int_equal(memory(map + 48 + 4, 8), 0x100000);
	assert_int_equal(memory(map + 48 + 12, 8), 7 * MIB);
	assert_true(vm_read(&vm, GPA(info(64)), text, 7));
	assert_string_equal(text, "Plinth");
	assert_int_equal(memory(cpu.regs.rbx + 88, 8), 0xb8000);
	assert_int_equal(info(96), 160);
	assert_int_equal(info(100), 80);
	assert_int_equal(info(104), 25);
	assert_int_equal(memory(cpu.regs.rbx + 108, 2), 0x210); /* 16 bits a cell, text */
}

static void initrd_becomes_a_module(void **state)
{
	char text[8];
	uint32_t entry;

	(void)state;
	image.initrd = module;
	image.initrd_size = sizeof(module);
	image.initrd_name = "initrd";
	load();
	assert_int_equal(info(20), 1);
	entry = info(24);
	assert_int_equal(memory(entry, 4), 8 * MIB - 0x3000);
	assert_int_equal(memory(entry + 4, 4), 8 * MIB - 0x3000 + sizeof(module));
	assert_true(vm_read(&vm, GPA(memory(entry + 8, 4)), text, 7));
	assert_string_equal(text, "initrd");
	assert_int_equal(memory(entry + 12, 4), 0);
	assert_memory_equal(vm_memory(&vm, GPA(8 * MIB - 0x3000), 0x3000), module, sizeof(module));

	image.initrd_name = NULL;
	image.command_line = NULL;
	load();
	assert_int_equal(memory(memory(info(24) + 8, 4), 1), 0);
	assert_int_equal(memory(info(16), 1), 0);
	image.initrd_size = 9 * MIB;
	assert_refused("no room for the module");
}

static void structures_avoid_a_kernel_in_low_memory(void **state)
{
	(void)state;
	phdr(0)->p_paddr = 0x10000;
	phdr(0)->p_memsz = 0x8f000;
	load();
	assert_memory_equal(vm_memory(&vm, GPA(0x10000), 0x180), bytes + TEXT_AT, 0x180);
	assert_memory_zero(0x10180, 0x8f000 - 0x180);
	phdr(0)->p_paddr = 0x1000;
	phdr(0)->p_memsz = 0x9ec00;
	load();
	assert_true(cpu.regs.rbx >= 0x100000);
	assert_memory_zero(0x1180, 0x9ec00 - 0x180);
	assert_memory_zero(0x101234, 0x3456 - 0x234);
}

static void entry_follows_the_segment(void **state)
{
	(void)state;
	phdr(0)->p_vaddr = 0xc0100000;
	phdr(2)->p_vaddr = 0xc0101000;
	ehdr()->e_entry = 0xc0100020;
	load();
	assert_int_equal(cpu.rip, 0x100020);
	ehdr()->e_entry = 0x100024; /* physical already */
	load();
	assert_int_equal(cpu.rip, 0x100024);
	ehdr()->e_entry = 0xc0100180;
	assert_refused("the ELF entry 0xc0100180 lies outside all 2 segments");
	ehdr()->e_entry = 0xc00fffff;
	assert_refused("the ELF entry 0xc00fffff lies outside");
}

static void make_elf64(void)
{
	Elf64_Ehdr header = {
		.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = 1,
		.e_entry = 0xffffffff80100008,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 1
        };
	Elf64_Phdr segment = {.p_type = PT_LOAD,
			      .p_offset = TEXT_AT,
			      .p_vaddr = 0xffffffff80100000,
			      .p_paddr = 0x100000,
			      .p_filesz = 0x180,
			      .p_memsz = 0x1180};

	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + sizeof(header), &segment, sizeof(segment));
}

static void loads_elf64(void **state)
{
	Elf64_Phdr segment;

	(void)state;
	make_elf64();
	load();
	assert_int_equal(cpu.rip, 0x100008);
	assert_int_equal(cpu.cs.access, SEGMENT_CODE32);
	assert_memory_equal(vm_memory(&vm, GPA(0x100000), 0x180), bytes + TEXT_AT, 0x180);

	memcpy(&segment, bytes + sizeof(Elf64_Ehdr), sizeof(segment));
	segment.p_memsz = UINT64_MAX;
	memcpy(bytes + sizeof(Elf64_Ehdr), &segment, sizeof(segment));
	assert_refused("wraps around");
	segment.p_paddr = 0x100100000;
	segment.p_memsz = 0x1180;
	memcpy(bytes + sizeof(Elf64_Ehdr), &segment, sizeof(segment));
	assert_refused("does not end below 4 GiB");
	bytes[18] = EM_386;
	assert_refused("ELF file for machine 3; 64-bit x86 is 62");
}

/* With address fields: the file is a flat binary that loads at 2 MiB. */
static void make_flat(void)
{
	memset(bytes, 0x90, TEXT_AT);
	put_header(HEADER_AT, 0x10003);
	put32(HEADER_AT + 12, 0x200000 + HEADER_AT - 0x80);
	put32(HEADER_AT + 16, 0x200000);
	put32(HEADER_AT + 20, 0x201000);
	put32(HEADER_AT + 24, 0x203000);
	put32(HEADER_AT + 28, 0x200fff);
}

static void loads_by_address_fields(void **state)
{
	(void)state;
	make_flat();
	memset(vm_memory(&vm, GPA(0x200000), 0x4000), 0xaa, 0x4000);
	load();
	assert_int_equal(cpu.rip, 0x200fff);
	assert_memory_equal(vm_memory(&vm, GPA(0x200000), 0x1000), bytes + 0x80, 0x1000);
	assert_memory_zero(0x201000, 0x2000);
	assert_int_equal(memory(0x203000, 1), 0xaa);

	put32(HEADER_AT + 20, 0); /* to the end of the file */
	put32(HEADER_AT + 24, 0); /* no BSS */
	load();
	assert_memory_equal(vm_memory(&vm, GPA(0x200000), 0x4000), bytes + 0x80,
			    sizeof(bytes) - 0x80);
	assert_int_equal(memory(0x200000 + sizeof(bytes) - 0x80, 1), 0xaa);
}

static void address_fields_go_before_elf(void **state)
{
	(void)state;
	put_header(0x180, 0x10000); /* behind the program headers */
	put32(HEADER_AT, 0);
	put32(0x180 + 12, 0x200180);
	put32(0x180 + 16, 0x200000);
	put32(0x180 + 20, 0);
	put32(0x180 + 24, 0);
	put32(0x180 + 28, 0x200000);
	load();
	assert_int_equal(cpu.rip, 0x200000);
}

static void bad_address_fields(void **state)
{
	static const struct {
		unsigned offset;
		uint32_t value;
		const char *text;
	} bad[] = {
		{12, 0x1fffff,   "do not fit a header at 0x100"                                },
		{12, 0x200101,   "do not fit a header"                                         },
		{12, 0xffffffff, "do not fit a header"                                         },
		{16, 0,          "do not fit a header"                                         },
		{20, 0x200000,   "load_end_addr 0x200000 is not above load_addr 0x200000"      },
		{20, 0x1fffff,   "is not above"						},
		{20, 0x203f81,   "truncated: load_addr 0x200000 to load_end_addr 0x203f81"     },
		{20, 0xffffffff, "truncated"						   },
		{24, 0x200fff,   "bss_end_addr 0x200fff is below the end of the data, 0x201000"},
		{24, 0x900000,   "outside the VM's RAM of 8192 KiB"                            },
		{24, 0xffffffff, "outside the VM's RAM"                                        },
		{28, 0x1fffff,   "entry_addr 0x1fffff lies outside"                            },
		{28, 0x201000,   "entry_addr 0x201000 lies outside"                            },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_COUNT(bad); i++) {
		make_flat();
		put32(HEADER_AT + bad[i].offset, bad[i].value);
		assert_refused(bad[i].text);
	}
}

static void bad_flags(void **state)
{
	(void)state;
	put_header(HEADER_AT, 0x0b);
	assert_refused("has flags 0xb: bits 0x8 require what is not known here");
	put_header(HEADER_AT, 0x8000);
	assert_refused("bits 0x8000");
	put_header(HEADER_AT, 0xfffe0000); /* optional features: free to be ignored */
	load();
	memset(bytes, 0, 4);
	assert_refused(
		"has no address fields (bit 16 of flags 0xfffe0000), and the image is no ELF file");
}

static void video_is_answered_with_text(void **state)
{
	(void)state;
	put_header(0x180, 7);
	put32(HEADER_AT, 0);
	put32(0x180 + 32, 0);
	load();
	put32(0x180 + 32, 2);
	assert_refused("video mode type 2");
}

static void truncated_headers(void **state)
{
	(void)state;
	put32(HEADER_AT, 0);
	put_header(8192 - 44, 4);
	assert_refused("does not end inside the image");
	put_header(8192 - 44, 0);
	load();
	put_header(8192 - 28, 0x10000);
	put32(8192 - 44, 0);
	assert_refused("does not end inside the image (16384 bytes) and its first 8 KiB");
	put_header(HEADER_AT, 0x10000);
	image.size = HEADER_AT + 31;
	assert_refused("does not end inside the image (287 bytes)");
}

static void bad_elf_headers(void **state)
{
	static const struct {
		unsigned offset, size;
		uint32_t value;
		const char *text;
	} bad[] = {
		{4,  1, 3,          "unknown ELF class 3"                              },
		{5,  1, 2,          "data encoding 2"                                  },
		{16, 2, ET_REL,     "ELF file of type 1 is not executable"             },
		{18, 2, 40,         "ELF file for machine 40; 32-bit x86 is 3"         },
		{18, 2, EM_X86_64,  "ELF file for machine 62"                          },
		{24, 4, 0x99999999, "the ELF entry 0x99999999 lies outside"            },
		{28, 4, 0xffffffff, "truncated ELF file: program headers at 0xffffffff"},
		{28, 4, 0x3fa1,     "truncated ELF file: program headers"              },
		{42, 2, 31,         "ELF program headers of 31 bytes; they have 32"    },
		{42, 2, 0xffff,     "truncated ELF file: program headers"              },
		{44, 2, 0,          "ELF file without program headers"                 },
		{44, 2, 1000,       "ELF file with 1000 program headers"               },
		{44, 2, 0xffff,     "ELF file with 65535 program headers"              },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_COUNT(bad); i++) {
		make_elf32();
		memcpy(bytes + bad[i].offset, &bad[i].value, bad[i].size);
		assert_refused(bad[i].text);
	}
}

static void bad_segments(void **state)
{
	(void)state;
	phdr(0)->p_filesz = 0x181;
	assert_refused("ELF segment 0 has 0x181 bytes in the file but 0x180 in memory");
	make_elf32();
	phdr(2)->p_offset = sizeof(bytes) - 0x233;
	assert_refused("truncated ELF file: segment 2 has 0x234 bytes at 0x3dcd");
	phdr(2)->p_offset = 0xffffffff;
	assert_refused("truncated");
	make_elf32();
	phdr(2)->p_paddr = 0x10017f;
	assert_refused("an ELF segment at 0x10017f-0x1035d4 overlaps an ELF segment");
	phdr(2)->p_paddr = 0xffffffff;
	assert_refused("does not end below 4 GiB");
	phdr(2)->p_paddr = 0x900000;
	assert_refused("lies outside the VM's RAM of 8192 KiB");
	phdr(2)->p_paddr = 0x9e000;
	assert_refused("overlaps the PC's EBDA, video and BIOS area");
	phdr(2)->p_paddr = 0xb8000;
	assert_refused("overlaps the PC's EBDA, video and BIOS area");
	phdr(2)->p_paddr = 0x400;
	assert_refused("overlaps the BIOS data area");
	make_elf32();
	phdr(2)->p_memsz = 0xffffffff;
	assert_refused("does not end below 4 GiB");
	phdr(0)->p_type = PT_NULL;
	phdr(2)->p_type = PT_NULL;
	assert_refused("ELF file without a segment to load");
}

static void too_many_segments(void **state)
{
	(void)state;
	put32(HEADER_AT, 0);
	put_header(0x1800, 0);
	ehdr()->e_phnum = 100;
	for (unsigned i = 0; i < 100; i++)
		*phdr(i) = (Elf32_Phdr){.p_type = PT_LOAD,
					.p_paddr = 0x100000 + i * 16,
					.p_vaddr = 0x100000 + i * 16,
					.p_memsz = 16};
	assert_refused("more than 32 segments to load");
	for (unsigned i = 32; i < 100; i++)
		phdr(i)->p_memsz = 0;
	load();
}

static void truncated_at_every_length(void **state)
{
	(void)state;
	for (image.size = HEADER_AT + 12; image.size < DATA_AT + 0x234; image.size++)
		assert_refused("truncated");
	load();
}

static void a_vm_that_is_too_small(void **state)
{
	(void)state;
	vm.extents[0].size = MIB;
	assert_refused(
		"Multiboot 1: an ELF segment at 0x100000-0x10017f lies outside the VM's RAM");
	vm.extents[0] = (struct vm_extent){.gpa = GPA(0x100000), .size = 0x5000};
	assert_refused("no room for"); /* the kernel has room, its information has not */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(detects),
		TEST(loads_elf32),
		TEST(machine_state),
		TEST(information),
		TEST(initrd_becomes_a_module),
		TEST(structures_avoid_a_kernel_in_low_memory),
		TEST(entry_follows_the_segment),
		TEST(loads_elf64),
		TEST(loads_by_address_fields),
		TEST(address_fields_go_before_elf),
		TEST(bad_address_fields),
		TEST(bad_flags),
		TEST(video_is_answered_with_text),
		TEST(truncated_headers),
		TEST(bad_elf_headers),
		TEST(bad_segments),
		TEST(too_many_segments),
		TEST(truncated_at_every_length),
		TEST(a_vm_that_is_too_small),
	};

	return cmocka_run_group_tests_name("multiboot1", tests, NULL, NULL);
}
