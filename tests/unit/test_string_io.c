/* SPDX-License-Identifier: BSD-2-Clause */
/* IN and OUT, and their string forms: sizes, directions, repetition, faults on the way. */
/* UNITS: vcpu/io.c vcpu/linear.c vcpu/paging.c vcpu/cpuid.c vcpu/events.c vcpu/vm_memory.c */
/* UNITS: vcpu/bus.c arch/x86_64/cpuid.c arch/x86_64/exceptions.c arch/x86_64/registers.c */
/* UNITS: tests/fake/backend.c tests/fake/guest_memory.c tests/fake/log.c tests/fake/error.c */
/* UNITS: vcpu/breakpoints.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include "arch/x86_64/instructions.h"
#include "tests/fake/backend.h"
#include "tests/fake/guest_memory.h"
#include "vcpu/io.h"

#define RAM  MIB
#define PORT 0x1f0

static uint8_t written[2048];
static unsigned written_count, read_count;
static unsigned end_after;

static uint32_t read_port(void *device, uint16_t port, unsigned size)
{
	(void)device;
	assert_int_equal(port, PORT);
	(void)size;
	return 0x44434241 + 0x04040404 * read_count++;
}

static void write_port(void *device, uint16_t port, unsigned size, uint32_t value)
{
	(void)device;
	assert_int_equal(port, PORT);
	memcpy(written + written_count, &value, size);
	written_count += size;
	if (end_after && written_count == end_after)
		vm_stop(&fake_vcpu_vm, VM_ENDED_EXIT, 0, "by the device");
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

static void begin(enum fake_code code)
{
	static const struct port_range range = {
		"disk", PORT, 8, BUS_1 | BUS_2 | BUS_4, read_port, write_port, NULL,
	};

	fake_vcpu_reset(code);
	assert_null(bus_add_ports(&fake_vcpu_vm.bus, &range));
	for (unsigned i = 0; i < 0x4000; i++)
		memory(i)[0] = (uint8_t)(i ^ i >> 8);
	written_count = read_count = end_after = 0;
	fake_backend.rip = 0x7c00;
}

static const struct string_io ins4 = {
	.port = PORT, .size = 4, .address_size = 4, .segment = SEG_ES, .in = true};
static const struct string_io outs1 = {
	.port = PORT, .size = 1, .address_size = 4, .segment = SEG_DS};

static struct string_io repeated(struct string_io io)
{
	io.rep = true;
	return io;
}

static void expect(const struct string_io *io, enum outcome outcome, uint64_t rcx, uint64_t index)
{
	assert_int_equal(vcpu_io_string(&fake_vcpu, io), outcome);
	assert_int_equal(fake_vcpu.regs.rcx, rcx);
	assert_int_equal(io->in ? fake_vcpu.regs.rdi : fake_vcpu.regs.rsi, index);
	/* RIP is the backend's to move. */
	assert_int_equal(fake_backend.rip, 0x7c00);
}

static void what_in_leaves_in_rax(void **state)
{
	static const struct {
		unsigned size;
		uint64_t rax;
	} rows[] = {
		{1, 0xffffffffffffff41},
		{2, 0xffffffffffff4241},
		{4, 0x44434241        },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct exit_record *record;

		begin(FAKE_CODE64);
		record = fake_vcpu_record();
		fake_vcpu.regs.rax = ~0ull;
		assert_int_equal(vcpu_in(&fake_vcpu, PORT, rows[i].size), OUTCOME_NEXT);
		assert_int_equal(fake_vcpu.regs.rax, rows[i].rax);
		assert_int_equal(record->detail[0],
				 0x44434241 & (~0ull >> (64 - 8 * rows[i].size)));
	}
}

static void what_out_takes_from_rax(void **state)
{
	(void)state;
	for (unsigned size = 1; size <= 4; size *= 2) {
		struct exit_record *record;

		begin(FAKE_CODE64);
		record = fake_vcpu_record();
		fake_vcpu.regs.rax = 0x1122334455667788;
		assert_int_equal(vcpu_out(&fake_vcpu, PORT, size), OUTCOME_NEXT);
		assert_int_equal(written_count, size);
		assert_memory_equal(written, &fake_vcpu.regs.rax, size);
		assert_int_equal(record->detail[0], 0x55667788 & (~0ull >> (64 - 8 * size)));
	}
}

static void one_element(void **state)
{
	(void)state;
	begin(FAKE_CODE32);
	fake_vcpu.regs.rdi = 0x1000;
	fake_vcpu.regs.rcx = 7; /* no matter without REP */
	expect(&ins4, OUTCOME_NEXT, 7, 0x1004);
	assert_memory_equal(memory(0x1000), "ABCD", 4);
	fake_vcpu.regs.rsi = 0x1003;
	expect(&outs1, OUTCOME_NEXT, 7, 0x1004);
	assert_int_equal(written[0], 'D');
	fake_backend.rflags |= RFLAGS_DF;
	expect(&ins4, OUTCOME_NEXT, 7, 0x1000);
	assert_memory_equal(memory(0x1004), "EFGH", 4);
}

static void repetitions(void **state)
{
	const struct string_io in = repeated(ins4), out = repeated(outs1);

	(void)state;
	begin(FAKE_CODE32);
	fake_vcpu.regs.rdi = 0x1000;
	fake_vcpu.regs.rcx = 3;
	expect(&in, OUTCOME_NEXT, 0, 0x100c);
	assert_memory_equal(memory(0x1000), "ABCDEFGHIJKL", 12);
	fake_vcpu.regs.rsi = 0x1000;
	fake_vcpu.regs.rcx = 12;
	expect(&out, OUTCOME_NEXT, 0, 0x100c);
	assert_memory_equal(written, "ABCDEFGHIJKL", 12);
	/* Downwards. */
	fake_backend.rflags |= RFLAGS_DF;
	fake_vcpu.regs.rsi = 0x1003;
	fake_vcpu.regs.rcx = 4;
	expect(&out, OUTCOME_NEXT, 0, 0xfff);
	assert_memory_equal(written + 12, "DCBA", 4);
}

static void nothing_to_repeat(void **state)
{
	const struct string_io rep_outs1 = repeated(outs1);
	const struct string_io in = repeated(ins4);

	(void)state;
	begin(FAKE_CODE32);
	fake_vcpu.regs.rdi = 0xffffffff; /* where nothing could be written */
	expect(&in, OUTCOME_NEXT, 0, 0xffffffff);
	assert_int_equal(read_count, 0);
	assert_true(fake_no_fault());
	/* The processor has cut the pointer, and left the count. */
	begin(FAKE_CODE64);
	fake_vcpu.regs.rcx = 0x700000000;
	fake_vcpu.regs.rsi = 0x800001000;
	expect(&rep_outs1, OUTCOME_NEXT, 0x700000000, 0x1000);
}

/* SDM "REP": interrupts are taken between elements. */
static void a_long_repetition_lets_others_in(void **state)
{
	const struct string_io out = repeated(outs1);
	unsigned left = 1000, calls = 0;

	(void)state;
	begin(FAKE_CODE32);
	fake_vcpu.regs.rsi = 0x1000;
	fake_vcpu.regs.rcx = left;
	while (vcpu_io_string(&fake_vcpu, &out) == OUTCOME_STAY) {
		calls++;
		assert_true(fake_vcpu.regs.rcx < left);
		left = (unsigned)fake_vcpu.regs.rcx;
		assert_int_equal(written_count, 1000 - left);
		assert_int_equal(fake_backend.done_count, calls);
		/* An instruction breakpoint does not fire again. */
		assert_true(fake_backend.rflags & RFLAGS_RF);
		assert_true(calls < 1000);
	}
	assert_true(calls >= 3);
	assert_int_equal(fake_vcpu.regs.rcx, 0);
	assert_memory_equal(written, memory(0x1000), 1000);
}

static void a_single_step_is_one_element(void **state)
{
	const struct string_io in = repeated(ins4);

	(void)state;
	begin(FAKE_CODE32);
	fake_backend.rflags |= RFLAGS_TF;
	fake_vcpu.regs.rdi = 0x1000;
	fake_vcpu.regs.rcx = 3;
	expect(&in, OUTCOME_STAY, 2, 0x1004);
	assert_int_equal(fake_backend.done_count, 1);
	expect(&in, OUTCOME_STAY, 1, 0x1008);
	assert_int_equal(fake_backend.done_count, 2);
	/* The last one ends the instruction, and with it comes its step. */
	expect(&in, OUTCOME_NEXT, 0, 0x100c);
	assert_int_equal(fake_backend.done_count, 2);
}

static void address_sizes(void **state)
{
	struct string_io in = repeated(ins4);

	(void)state;
	/* 16 bits wrap, and keep what is above. */
	begin(FAKE_REAL);
	fake_backend.segments[SEG_ES].base = 0x1000;
	in.address_size = 2;
	fake_vcpu.regs.rdi = 0x1234fffc;
	fake_vcpu.regs.rcx = 0x56780002;
	expect(&in, OUTCOME_NEXT, 0x56780000, 0x12340004);
	assert_memory_equal(memory(0x10ffc), "ABCD", 4);
	assert_memory_equal(memory(0x1000), "EFGH", 4);
	/* 32 bits in 64-bit code end the upper halves. */
	begin(FAKE_CODE32);
	fake_vcpu.mode = MODE_LONG;
	fake_backend.segments[SEG_CS].access = SEGMENT_CODE64;
	in.address_size = 4;
	fake_vcpu.regs.rdi = 0x5500001000;
	fake_vcpu.regs.rcx = 0x5500000001;
	expect(&in, OUTCOME_NEXT, 0, 0x1004);
	in.address_size = 8;
	fake_vcpu.regs.rdi = 0x1000;
	fake_vcpu.regs.rcx = 1;
	expect(&in, OUTCOME_NEXT, 0, 0x1004);
}

static void segments(void **state)
{
	struct string_io out = outs1;

	(void)state;
	begin(FAKE_CODE32);
	fake_backend.segments[SEG_FS].base = 0x2000;
	out.segment = SEG_FS;
	fake_vcpu.regs.rsi = 0x10;
	expect(&out, OUTCOME_NEXT, 0, 0x11);
	assert_int_equal(written[0], memory(0x2010)[0]);
	/* Read-only memory can be put out, but not read into. */
	fake_backend.segments[SEG_ES].access = SEGMENT_DATA32 & ~2u;
	expect(&ins4, OUTCOME_STAY, 0, 0);
	fake_expect_fault(13, 0);
	assert_int_equal(read_count, 0);
	out.segment = SEG_SS;
	fake_backend.segments[SEG_SS].limit = 0x10;
	expect(&out, OUTCOME_STAY, 0, 0x11);
	fake_expect_fault(12, 0);
	assert_int_equal(written_count, 1);
}

/* Elements before the fault are done; the port is not touched for the one that faults. */
static void a_fault_in_the_middle(void **state)
{
	const struct string_io in = repeated(ins4), out = repeated(outs1);

	(void)state;
	begin(FAKE_CODE32);
	fake_backend.segments[SEG_ES].limit = 0x1009;
	fake_vcpu.regs.rdi = 0x1000;
	fake_vcpu.regs.rcx = 5;
	expect(&in, OUTCOME_STAY, 3, 0x1008);
	fake_expect_fault(13, 0);
	assert_int_equal(read_count, 2);
	assert_int_equal(fake_backend.done_count, 0);
	fake_backend.segments[SEG_DS].limit = 0x1001;
	fake_vcpu.regs.rsi = 0x1000;
	fake_vcpu.regs.rcx = 5;
	expect(&out, OUTCOME_STAY, 3, 0x1002);
	fake_expect_fault(13, 0);
	assert_int_equal(written_count, 2);
}

/* An element across two pages, of which the second cannot be written. */
static void a_page_fault_across_pages(void **state)
{
	static const uint64_t tables[][2] = {
		{0x1000, 0x2007},
                {0x2000, 0x3007},
                {0x3000, 0x4007},
		{0x4028, 0x5007},
                {0x4030, 0x6005},
                {0x4038, 0x7007},
	};

	(void)state;
	begin(FAKE_CODE64);
	memset(memory(0x1000), 0, 0x4000);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		memcpy(memory(tables[i][0]), &tables[i][1], 8);
	fake_backend.cr3 = 0x1000;
	fake_vcpu_set_cpl(3);
	fake_vcpu.regs.rdi = 0x5ffe;
	memory(0x5ffe)[0] = 0x99;
	expect(&ins4, OUTCOME_STAY, 0, 0x5ffe);
	fake_expect_fault(14, PF_ERROR_PRESENT | PF_ERROR_WRITE | PF_ERROR_USER);
	assert_int_equal(fake_machine.cr2, 0x6000);
	assert_int_equal(read_count, 0);
	assert_int_equal(memory(0x5ffe)[0], 0x99);
	fake_vcpu.regs.rsi = 0x5ffe;
	assert_int_equal(vcpu_io_string(&fake_vcpu, &(struct string_io){.port = PORT,
									.size = 4,
									.address_size = 8,
									.segment = SEG_DS}),
			 OUTCOME_NEXT);
	assert_int_equal(written_count, 4);
	assert_int_equal(written[0], 0x99);
	assert_int_equal(written[2], memory(0x6000)[0]);
}

static void an_end_in_the_middle(void **state)
{
	const struct string_io out = repeated(outs1);

	(void)state;
	begin(FAKE_CODE32);
	end_after = 3;
	fake_vcpu.regs.rcx = 10;
	expect(&out, OUTCOME_STAY, 7, 3);
	assert_int_equal(written_count, 3);
	assert_int_equal(fake_vcpu_vm.end, VM_ENDED_EXIT);
}

/* On the port, or on what is read from or written to memory: after the element that meets it. */
static void breakpoints(void **state)
{
	const struct string_io out = repeated(outs1), in = ins4;

	(void)state;
	begin(FAKE_CODE32);
	fake_machine.dr0 = PORT;
	fake_machine.dr1 = 0x1001;
	fake_backend.dr7 = 0x3 << 20 | 0x2 << 16 | 0xa;
	fake_backend.cr4 |= CR4_DE;
	fake_vcpu.regs.rcx = 10;
	fake_vcpu.regs.rsi = 0x1000;
	expect(&out, OUTCOME_STAY, 9, 0x1001);
	assert_int_equal(fake_backend.breakpoints, 1);
	fake_backend.cr4 &= ~(uint64_t)CR4_DE;
	fake_backend.breakpoints = 0;
	expect(&out, OUTCOME_STAY, 8, 0x1002);
	assert_int_equal(fake_backend.breakpoints, 2);
	fake_backend.breakpoints = 0;
	expect(&out, OUTCOME_STAY, 7, 0x1003);
	assert_int_equal(fake_backend.breakpoints, 0);
	fake_vcpu.regs.rdi = 0xffe;
	expect(&in, OUTCOME_NEXT, 7, 0x1002);
	assert_int_equal(fake_backend.breakpoints, 2);
	fake_backend.breakpoints = 0;
	fake_backend.dr7 = 0;
}

static void records(void **state)
{
	const struct string_io out = repeated(outs1);
	struct exit_record *record;

	(void)state;
	begin(FAKE_CODE32);
	record = fake_vcpu_record();
	fake_vcpu.regs.rcx = 10;
	expect(&out, OUTCOME_NEXT, 0, 10);
	assert_int_equal(record->detail[0], 9);
	assert_int_equal(record->detail[1], 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_in_leaves_in_rax),
		cmocka_unit_test(what_out_takes_from_rax),
		cmocka_unit_test(one_element),
		cmocka_unit_test(repetitions),
		cmocka_unit_test(nothing_to_repeat),
		cmocka_unit_test(a_long_repetition_lets_others_in),
		cmocka_unit_test(a_single_step_is_one_element),
		cmocka_unit_test(address_sizes),
		cmocka_unit_test(segments),
		cmocka_unit_test(a_fault_in_the_middle),
		cmocka_unit_test(a_page_fault_across_pages),
		cmocka_unit_test(an_end_in_the_middle),
		cmocka_unit_test(breakpoints),
		cmocka_unit_test(records),
	};

	return cmocka_run_group_tests_name("string_io", tests, make_memory, NULL);
}
