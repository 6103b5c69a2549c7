/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions on device memory: what moves and what does not, whatever faults or ends. */
/* UNITS: vcpu/mmio.c vcpu/fetch.c vcpu/alu.c vcpu/decoder.c vcpu/decoder_tables.c */
/* UNITS: vcpu/linear.c vcpu/paging.c vcpu/cpuid.c vcpu/events.c vcpu/vm_memory.c vcpu/bus.c */
/* UNITS: arch/x86_64/cpuid.c arch/x86_64/exceptions.c arch/x86_64/registers.c kernel/format.c */
/* UNITS: tests/fake/backend.c tests/fake/guest_memory.c tests/fake/log.c tests/fake/error.c */
/* UNITS: vcpu/breakpoints.c tests/fake/device_memory.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include "arch/x86_64/instructions.h"
#include "tests/fake/device_memory.h"
#include "vcpu/decoder.h"

#define IN_LINE 0x8000ull /* memory of the guest for strings */

#define INSTRUCTION(...)                                                                           \
	do {                                                                                       \
		static const uint8_t bytes[] = {__VA_ARGS__};                                      \
		code(bytes, sizeof(bytes));                                                        \
	} while (0)

static void an_instruction_ends(void **state)
{
	struct exit_record *record;

	(void)state;
	begin(FAKE_CODE64);
	fake_backend.rflags |= RFLAGS_RF;
	record = fake_vcpu_record();
	record->detail[0] = DEVICE + 0x18;
	fake_vcpu.regs.rbx = DEVICE;
	fake_vcpu.regs.rax = 0x1122334455667788;
	INSTRUCTION(0x48, 0x89, 0x43, 0x18); /* mov %rax, 0x18(%rbx) */
	run(DEVICE + 0x18);
	expect_done(4);
	assert_int_equal(writes, 1);
	assert_int_equal(device[0x18], 0x88);
	assert_int_equal(device[0x1f], 0x11);
	assert_int_equal(record->detail[1], 0x1122334455667788);
	assert_int_equal(record->detail[2], 8 | EPT_MMIO << 8);
}

static void each_code_size(void **state)
{
	(void)state;
	begin(FAKE_CODE32);
	fake_vcpu.regs.rbx = DEVICE | 0xabcd00000000; /* 32 bits of it count */
	device[4] = 0x41;
	fake_vcpu.regs.rax = ~0ull;
	INSTRUCTION(0x8b, 0x43, 0x04); /* mov 4(%ebx), %eax */
	run(DEVICE + 4);
	expect_done(3);
	assert_int_equal(fake_vcpu.regs.rax, 0x41);

	begin(FAKE_REAL);
	fake_backend.segments[SEG_CS].base = CODE;
	fake_backend.segments[SEG_DS].base = DEVICE;
	fake_backend.rip = 0;
	fake_vcpu.regs.rbx = 0x10000; /* 16 bits count */
	fake_vcpu.regs.rax = ~0ull;
	device[4] = 0x42;
	INSTRUCTION(0x8b, 0x47, 0x04); /* mov 4(%bx), %ax */
	run(DEVICE + 4);
	assert_int_equal(fake_backend.rip, 3);
	assert_int_equal(fake_vcpu.regs.rax, 0xffffffffffff0042);

	begin(FAKE_COMPATIBILITY32);
	fake_vcpu.regs.rbx = DEVICE;
	fake_vcpu.regs.rcx = ~0ull;
	INSTRUCTION(0x48, 0x89, 0x0b); /* dec %eax; not REX here */
	run(DEVICE);
	assert_int_equal(fake_vcpu_vm.end, VM_ENDED_STOPPED);
}

/* Outside 64-bit code RIP has 32 bits. */
static void rip_wraps_at_4g(void **state)
{
	(void)state;
	begin(FAKE_CODE32);
	fake_backend.segments[SEG_CS].base = 0x20000;
	fake_backend.rip = 0xfffffffd;
	memcpy(memory(0x1fffd), "\x8b\x43\x04", 3);
	fake_vcpu.regs.rbx = DEVICE;
	run(DEVICE + 4);
	assert_int_equal(fake_backend.rip, 0);
}

/* The slot of RSP in the registers is a gap: the backend has it. */
static void the_stack_pointer_as_an_operand(void **state)
{
	uint64_t value;

	(void)state;
	begin(FAKE_CODE64);
	fake_backend.rsp = 0x123456789a;
	fake_vcpu.regs.rsp = 0xbad;
	fake_vcpu.regs.rbx = DEVICE;
	INSTRUCTION(0x48, 0x89, 0x23); /* mov %rsp, (%rbx) */
	run(DEVICE);
	expect_done(3);
	memcpy(&value, device, 8);
	assert_int_equal(value, 0x123456789a);

	begin(FAKE_CODE64);
	fake_backend.rsp = 0xffffffffffff;
	fake_vcpu.regs.rbx = DEVICE;
	device[0] = 0x10;
	INSTRUCTION(0x8b, 0x23); /* mov (%rbx), %esp */
	run(DEVICE);
	expect_done(2);
	assert_int_equal(fake_backend.rsp, 0x10);

	begin(FAKE_CODE64);
	fake_backend.rsp = DEVICE - 8;
	INSTRUCTION(0x48, 0x8b, 0x44, 0x24, 0x08); /* mov 8(%rsp), %rax */
	run(DEVICE);
	expect_done(5);
	assert_int_equal(fake_vcpu.regs.rax, 0);
}

static void expect_untouched(const struct general_registers *before, unsigned device_reads)
{
	assert_memory_equal(&fake_vcpu.regs, before, sizeof(*before));
	assert_int_equal(fake_backend.rip, CODE);
	assert_int_equal(fake_backend.done_count, 0);
	assert_int_equal(writes, 0);
	assert_int_equal(reads, device_reads);
}

static void faults_touch_nothing(void **state)
{
	struct general_registers before;

	(void)state;
	/* Beyond the limit of SS, which EBP stands for. */
	begin(FAKE_CODE32);
	fake_backend.segments[SEG_SS].limit = DEVICE - 1;
	fake_vcpu.regs.rbp = DEVICE;
	before = fake_vcpu.regs;
	INSTRUCTION(0x8b, 0x45, 0x00); /* mov (%ebp), %eax */
	run(DEVICE);
	fake_expect_fault(12, 0);
	expect_untouched(&before, 0);

	/* A read, modify and write of what cannot be written does not read first. */
	begin(FAKE_CODE64);
	put(0x3008, 0x200085);
	fake_vcpu.regs.rbx = DEVICE;
	before = fake_vcpu.regs;
	INSTRUCTION(0x83, 0x03, 0x01); /* addl $1, (%rbx) */
	run(DEVICE);
	fake_expect_fault(14, PF_ERROR_PRESENT | PF_ERROR_WRITE);
	assert_int_equal(fake_machine.cr2, DEVICE);
	expect_untouched(&before, 0);

	/* XADD and CMPXCHG write registers too. */
	INSTRUCTION(0x0f, 0xc1, 0x03); /* xadd %eax, (%rbx) */
	run(DEVICE);
	fake_expect_fault(14, PF_ERROR_PRESENT | PF_ERROR_WRITE);
	expect_untouched(&before, 0);
}

static void expect_stop(const char *why)
{
	assert_int_equal(fake_vcpu_vm.end, VM_ENDED_STOPPED);
	if (!strstr(fake_vcpu_vm.end_text, why))
		fail_msg("%s", fake_vcpu_vm.end_text);
	assert_true(fake_no_fault());
	assert_int_equal(fake_backend.rip, CODE);
	assert_int_equal(reads + writes, 0);
}

static void what_cannot_be_carried_out_stops_the_vm(void **state)
{
	(void)state;
	begin(FAKE_CODE64);
	fake_vcpu.regs.rbx = DEVICE;
	INSTRUCTION(0x0f, 0x28, 0x03, 0x90); /* movaps (%rbx), %xmm0 */
	run(DEVICE + 0x30);
	expect_stop("access to 200030, where there is no memory, by the bytes 0f 28 03 90");
	expect_stop("at RIP 10000: ");

	begin(FAKE_CODE64);
	INSTRUCTION(0x48, 0x89, 0xc3); /* mov %rax, %rbx */
	run(DEVICE);
	expect_stop("this instruction accesses no memory");

	/* The code ends with the memory. */
	begin(FAKE_CODE64);
	fake_backend.rip = DEVICE - 2;
	memcpy(memory(DEVICE - 2), "\x8b\x04", 2);
	assert_int_equal(vcpu_mmio(&fake_vcpu, GPA(DEVICE), false), OUTCOME_STAY);
	assert_int_equal(fake_vcpu_vm.end, VM_ENDED_STOPPED);
	assert_non_null(strstr(fake_vcpu_vm.end_text, "2 bytes that could be fetched"));

	begin(FAKE_CODE64);
	fake_backend.rip = 0x0000800000000000 - 1;
	assert_int_equal(vcpu_mmio(&fake_vcpu, GPA(DEVICE), false), OUTCOME_STAY);
	assert_int_equal(fake_vcpu_vm.end, VM_ENDED_STOPPED);
}

static void reads_are_left_to_the_processor(void **state)
{
	(void)state;
	begin(FAKE_CODE64);
	fake_backend.has_ones = true;
	fake_vcpu.regs.rbx = DEVICE;
	INSTRUCTION(0x0f, 0x28, 0x03); /* movaps (%rbx), %xmm0 */
	run(DEVICE + 0x30);
	assert_int_equal(fake_vcpu_vm.end, VM_RUNNING);
	assert_int_equal(fake_backend.ones_at.raw, DEVICE + 0x30);
	assert_int_equal(fake_backend.rip, CODE);
	assert_true(fake_no_fault());

	INSTRUCTION(0x0f, 0x29, 0x03); /* movaps %xmm0, (%rbx) */
	assert_int_equal(vcpu_mmio(&fake_vcpu, GPA(DEVICE), true), OUTCOME_STAY);
	expect_stop("not carried out on device memory");
}

static void hints_are_skipped(void **state)
{
	(void)state;
	begin(FAKE_CODE64);
	fake_vcpu.regs.rbx = DEVICE;
	INSTRUCTION(0x0f, 0x18, 0x0b); /* prefetcht0 (%rbx) */
	run(DEVICE);
	expect_done(3);
	assert_int_equal(reads + writes, 0);
}

/* --- Strings. --- */

static void string_setup(uint64_t rsi, uint64_t rdi, uint64_t rcx)
{
	begin(FAKE_CODE64);
	fake_vcpu.regs.rsi = rsi;
	fake_vcpu.regs.rdi = rdi;
	fake_vcpu.regs.rcx = rcx;
	memset(memory(IN_LINE), 0x5a, 0x2000);
}

static void a_repetition_lets_others_in(void **state)
{
	(void)state;
	string_setup(0, DEVICE, 600);
	fake_vcpu.regs.rax = 0x77;
	INSTRUCTION(0xf3, 0xaa); /* rep stosb */
	for (unsigned left = 600; left > 256; left -= 256) {
		run(DEVICE);
		assert_int_equal(fake_vcpu.regs.rcx, left - 256);
		assert_int_equal(fake_vcpu.regs.rdi, DEVICE + 600 - left + 256);
		assert_int_equal(fake_backend.rip, CODE);
		/* An instruction breakpoint has fired, if any, and does not again. */
		assert_int_equal(fake_backend.rflags & RFLAGS_RF, RFLAGS_RF);
	}
	fake_backend.done_count = 0;
	run(DEVICE);
	expect_done(2);
	assert_int_equal(fake_vcpu.regs.rcx, 0);
	assert_int_equal(writes, 600);
	assert_int_equal(device[599], 0x77);
	assert_int_equal(device[600], 0);
}

/* SDM "Single-Step Exception Condition": a trap after each element, the last one too. */
static void a_single_step_is_one_element(void **state)
{
	(void)state;
	string_setup(DEVICE, 0, 3);
	memset(device, 1, 3);
	fake_backend.rflags |= RFLAGS_TF;
	fake_vcpu.regs.rax = 1;
	fake_vcpu.regs.rdi = DEVICE;
	INSTRUCTION(0xf3, 0xae); /* repe scasb */
	for (unsigned left = 3; left-- > 0;) {
		run(DEVICE);
		assert_int_equal(fake_vcpu.regs.rcx, left);
		assert_int_equal(fake_backend.done_count, 3 - left);
		assert_int_equal(fake_backend.rip, left ? CODE : CODE + 2);
		/* The flags of the comparison are there to be seen. */
		assert_int_equal(fake_backend.rflags & RFLAGS_ZF, RFLAGS_ZF);
	}
}

static void directions_and_address_sizes(void **state)
{
	(void)state;
	string_setup(IN_LINE, DEVICE + 0x100, 4);
	fake_backend.rflags |= RFLAGS_DF;
	put(IN_LINE, 0x3333333344444444);
	put(IN_LINE - 8, 0x1111111122222222);
	INSTRUCTION(0xf3, 0xa5); /* rep movsl */
	run(DEVICE + 0x100);
	expect_done(2);
	assert_int_equal(fake_vcpu.regs.rsi, IN_LINE - 16);
	assert_int_equal(fake_vcpu.regs.rdi, DEVICE + 0xf0);
	assert_int_equal(device[0x100], 0x44);
	assert_int_equal(device[0xfc], 0x11);
	assert_int_equal(device[0xf8], 0x22);

	/* 32-bit addresses in 64-bit code: the upper halves end, as with any 32-bit result. */
	string_setup(0xaa00000000 | IN_LINE, 0xbb00000000 | DEVICE, 0xcc00000001);
	INSTRUCTION(0x67, 0xf3, 0xa4); /* rep movsb (%esi), (%edi) */
	run(DEVICE);
	expect_done(3);
	assert_int_equal(fake_vcpu.regs.rsi, IN_LINE + 1);
	assert_int_equal(fake_vcpu.regs.rdi, DEVICE + 1);
	assert_int_equal(fake_vcpu.regs.rcx, 0);
	assert_int_equal(device[0], 0x5a);

	/* 16-bit ones wrap within their 16 bits. */
	begin(FAKE_REAL);
	fake_backend.segments[SEG_CS].base = CODE;
	fake_backend.segments[SEG_ES].base = DEVICE - 0xfffe;
	fake_backend.rip = 0;
	fake_vcpu.regs.rdi = 0xabcdfffe;
	fake_vcpu.regs.rcx = 0xabcd0001;
	fake_vcpu.regs.rax = 0x1234;
	INSTRUCTION(0xf3, 0xab); /* rep stosw */
	run(DEVICE);
	assert_int_equal(fake_vcpu.regs.rdi, 0xabcd0000);
	assert_int_equal(fake_vcpu.regs.rcx, 0xabcd0000);
	assert_int_equal(device[1], 0x12);
}

static void segments_of_strings(void **state)
{
	(void)state;
	begin(FAKE_CODE32);
	fake_backend.segments[SEG_FS].base = DEVICE;
	fake_backend.segments[SEG_ES].base = IN_LINE;
	device[5] = 0x99;
	fake_vcpu.regs.rsi = 5;
	INSTRUCTION(0x64, 0xa4); /* movsb %fs:(%esi), %es:(%edi) */
	run(DEVICE + 5);
	expect_done(2);
	assert_int_equal(memory(IN_LINE)[0], 0x99);
}

/* Elements that are done stay done when the next one faults. */
static void a_fault_in_the_middle(void **state)
{
	(void)state;
	begin(FAKE_CODE32);
	fake_backend.segments[SEG_ES].limit = DEVICE + 9;
	fake_vcpu.regs.rdi = DEVICE;
	fake_vcpu.regs.rcx = 5;
	INSTRUCTION(0xf3, 0xab); /* rep stosl */
	run(DEVICE);
	fake_expect_fault(13, 0);
	assert_int_equal(fake_vcpu.regs.rcx, 3);
	assert_int_equal(fake_vcpu.regs.rdi, DEVICE + 8);
	assert_int_equal(fake_backend.rip, CODE);
	assert_int_equal(writes, 2);
	/* SDM "REP": a fault finds the flags as they were. */
	begin(FAKE_CODE32);
	fake_backend.segments[SEG_ES].limit = DEVICE + 1;
	fake_backend.rflags |= RFLAGS_CF;
	fake_vcpu.regs.rdi = DEVICE;
	fake_vcpu.regs.rcx = 5;
	INSTRUCTION(0xf3, 0xae); /* repe scasb */
	run(DEVICE);
	fake_expect_fault(13, 0);
	assert_int_equal(fake_backend.rflags, RFLAGS_ONE | RFLAGS_CF);
}

/* The destination is looked at before a device is read. */
static void the_second_operand_faults_first(void **state)
{
	(void)state;
	string_setup(DEVICE, 0x400000, 1);
	INSTRUCTION(0xa4); /* movsb */
	run(DEVICE);
	fake_expect_fault(14, PF_ERROR_WRITE);
	assert_int_equal(fake_machine.cr2, 0x400000);
	assert_int_equal(reads + writes, 0);
	assert_int_equal(fake_vcpu.regs.rsi, DEVICE);
}

static void nothing_to_repeat(void **state)
{
	(void)state;
	string_setup(DEVICE, DEVICE, 0);
	INSTRUCTION(0xf3, 0xa4);
	run(DEVICE);
	expect_done(2);
	assert_int_equal(reads + writes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_instruction_ends),
		cmocka_unit_test(each_code_size),
		cmocka_unit_test(rip_wraps_at_4g),
		cmocka_unit_test(the_stack_pointer_as_an_operand),
		cmocka_unit_test(faults_touch_nothing),
		cmocka_unit_test(what_cannot_be_carried_out_stops_the_vm),
		cmocka_unit_test(reads_are_left_to_the_processor),
		cmocka_unit_test(hints_are_skipped),
		cmocka_unit_test(a_repetition_lets_others_in),
		cmocka_unit_test(a_single_step_is_one_element),
		cmocka_unit_test(directions_and_address_sizes),
		cmocka_unit_test(segments_of_strings),
		cmocka_unit_test(a_fault_in_the_middle),
		cmocka_unit_test(the_second_operand_faults_first),
		cmocka_unit_test(nothing_to_repeat),
	};

	return cmocka_run_group_tests_name("mmio", tests, make_memory, NULL);
}
