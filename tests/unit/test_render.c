/* SPDX-License-Identifier: BSD-2-Clause */
/* Exit records in words: each reason that has more to say than its name. */
/* UNITS: trace/render.c trace/ring.c arch/x86_64/vmx.c arch/x86_64/msr.c arch/x86_64/cpuid.c */
/* UNITS: arch/x86_64/exceptions.c kernel/format.c tests/fake/physical.c tests/fake/direct_map.c */
/* UNITS: tests/fake/log.c tests/fake/error.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/instructions.h"
#include "arch/x86_64/msr.h"
#include "arch/x86_64/vmx.h"
#include "tests/fake/log.h"
#include "trace/render.h"

static void expect(const struct exit_record *record, const char *words)
{
	char text[300];
	size_t length = render_words(record, text, sizeof(text));

	if (strcmp(text, words) != 0)
		fail_msg("'%s', not '%s'", text, words);
	assert_int_equal(length, strlen(words));
}

#define RECORD(...) (&(const struct exit_record){__VA_ARGS__})

static void cpuid_and_msrs(void **state)
{
	(void)state;
	expect(RECORD(.reason = VMX_EXIT_CPUID, .qualification = 7 | 1ull << 32,
		      .detail = {0x11 | 0x22ull << 32, 0x33 | 0x44ull << 32}),
	       "CPUID leaf 7.1 -> eax=00000011 ebx=00000022 ecx=00000033 edx=00000044");
	expect(RECORD(.reason = VMX_EXIT_RDMSR, .qualification = IA32_EFER, .detail = {0x500}),
	       "RDMSR IA32_EFER -> 500");
	expect(RECORD(.reason = VMX_EXIT_WRMSR, .qualification = IA32_EFER,
		      .detail = {0xd0100000000}),
	       "WRMSR IA32_EFER <- d0100000000");
	expect(RECORD(.reason = VMX_EXIT_RDMSR, .qualification = 0x12345678, .injected = 0x8b0d),
	       "RDMSR 12345678 => #GP");
	expect(RECORD(.reason = VMX_EXIT_WRMSR, .qualification = 0x12345678, .injected = 0x8b0d,
		      .detail = {5}),
	       "WRMSR 12345678 <- 5 => #GP");
	/* An interrupt that goes in behind it leaves its answer to be seen. */
	expect(RECORD(.reason = VMX_EXIT_RDMSR, .qualification = IA32_EFER, .injected = 0x8041,
		      .detail = {0x500}),
	       "RDMSR IA32_EFER -> 500 => interrupt 41");
	expect(RECORD(.reason = VMX_EXIT_RDMSR, .qualification = IA32_EFER, .injected = 0x8202,
		      .detail = {0x500}),
	       "RDMSR IA32_EFER -> 500 => NMI");
}

static void ports(void **state)
{
	static const struct {
		uint64_t qualification, value, count;
		const char *words;
	} rows[] = {
		{0x03f80000, 0x41, 0,   "OUT 3f8 <- 41 'A'"          },
		{0x03f80000, 0x20, 0,   "OUT 3f8 <- 20 ' '"          },
		{0x03f80000, 0x7f, 0,   "OUT 3f8 <- 7f"              },
		{0x03f80000, 0x0a, 0,   "OUT 3f8 <- a"               },
		{0x03f80008, 0x41, 0,   "IN 3f8 -> 41 'A'"           },
		{0x01f00009, 0x41, 0,   "IN.w 1f0 -> 41"             },
		{0x0cf80003, 0x41, 0,   "OUT.d cf8 <- 41"            },
		{0x01f00039, 0,    256, "REP INS.w 1f0, 256 elements"},
		{0x01f00033, 0,    3,   "REP OUTS.d 1f0, 3 elements" },
		{0x01f00010, 0,    1,   "OUTS 1f0, 1 elements"       },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect(RECORD(.reason = VMX_EXIT_IO_INSTRUCTION,
			      .qualification = rows[i].qualification,
			      .detail = {rows[i].value, rows[i].count}),
		       rows[i].words);
}

static void control_registers(void **state)
{
	(void)state;
	expect(RECORD(.reason = VMX_EXIT_CR_ACCESS, .qualification = 0x304, .detail = {0x20}),
	       "MOV CR4 <- 20");
	expect(RECORD(.reason = VMX_EXIT_CR_ACCESS, .qualification = 0x13, .detail = {0x1000}),
	       "MOV CR3 -> 1000");
	expect(RECORD(.reason = VMX_EXIT_CR_ACCESS, .qualification = 0x20), "CLTS");
	expect(RECORD(.reason = VMX_EXIT_CR_ACCESS, .qualification = 0x10030), "LMSW 1");
	expect(RECORD(.reason = VMX_EXIT_XSETBV, .qualification = 0, .detail = {7}),
	       "XSETBV XCR0 <- 7");
}

static void memory(void **state)
{
	(void)state;
	expect(RECORD(.reason = VMX_EXIT_EPT_VIOLATION, .qualification = 0x182,
		      .detail = {0xfee00020, 0x55, 4 | EPT_MMIO << 8}),
	       "EPT write gpa=fee00020 <- 55 (4 bytes)");
	expect(RECORD(.reason = VMX_EXIT_EPT_VIOLATION, .qualification = 0x181,
		      .detail = {0xfee00020, ~0ull, 8 | EPT_UNCLAIMED << 8}),
	       "EPT read gpa=fee00020 -> ffffffffffffffff (8 bytes), nobody's");
	expect(RECORD(.reason = VMX_EXIT_EPT_VIOLATION, .qualification = 0x184,
		      .detail = {0x1000, 0, EPT_SPLIT << 8}),
	       "EPT fetch gpa=1000, page split");
	expect(RECORD(.reason = VMX_EXIT_EPT_VIOLATION, .qualification = 0x81,
		      .detail = {0x1000, 0, EPT_STOPPED << 8}),
	       "EPT read gpa=1000, stopped");
	expect(RECORD(.reason = VMX_EXIT_EPT_VIOLATION, .qualification = 0x184,
		      .detail = {0x1000, 0, EPT_ONES << 8}),
	       "EPT fetch gpa=1000, nobody's: ones");
	/* An answer that there is none of, from a ring that something else wrote into. */
	expect(RECORD(.reason = VMX_EXIT_EPT_VIOLATION, .detail = {0x1000, 0, 0xff00}),
	       "EPT read gpa=1000");
}

static void events(void **state)
{
	(void)state;
	expect(RECORD(.reason = VMX_EXIT_EXCEPTION_OR_NMI, .detail = {0x80000202}),
	       "NMI of the host");
	expect(RECORD(.reason = VMX_EXIT_EXCEPTION_OR_NMI, .qualification = 0x4000,
		      .detail = {0x80000301}, .injected = 0x8301),
	       "#DB conditions=4000 => #DB");
	expect(RECORD(.reason = VMX_EXIT_EXCEPTION_OR_NMI, .detail = {0x80000b11, 0}),
	       "#AC error=0");
	expect(RECORD(.reason = VMX_EXIT_EXTERNAL_INTERRUPT, .detail = {0x80000020}),
	       "interrupt 20 of the host");
	expect(RECORD(.reason = VMX_EXIT_INTERRUPT_WINDOW, .injected = 0x8030),
	       "interrupt window => interrupt 30");
	expect(RECORD(.reason = VMX_EXIT_BUS_LOCK, .injected = 0x8480), "bus lock => INT 80");
	expect(RECORD(.reason = VMX_EXIT_BUS_LOCK, .injected = 0x8603), "bus lock => #BP");
}

static void hypercalls(void **state)
{
	(void)state;
	expect(RECORD(.reason = VMX_EXIT_VMCALL, .qualification = 0, .detail = {0, 1}),
	       "VMCALL version(0) -> 1");
	expect(RECORD(.reason = VMX_EXIT_VMCALL, .qualification = 1, .detail = {5, 0, 0x77}),
	       "VMCALL mark(5, 77) -> 0");
	expect(RECORD(.reason = VMX_EXIT_VMCALL, .qualification = 0xffffffff, .detail = {5, ~0ull}),
	       "VMCALL ffffffff(5) -> ffffffffffffffff");
}

/* Whatever is in a record, its words end in the buffer, and the length is what all would need. */
static void any_record_in_any_buffer(void **state)
{
	(void)state;
	srandom(1);
	for (unsigned n = 0; n < 20000; n++) {
		struct exit_record record;
		char whole[400], *text;
		size_t size = (size_t)random() % 60, length;

		for (size_t i = 0; i < sizeof(record); i++)
			((uint8_t *)&record)[i] = (uint8_t)random();
		record.reason = n % 4 ? (uint16_t)(n % 100) : record.reason;
		length = render_words(&record, whole, sizeof(whole));
		assert_true(length > 0 && length < 200);
		assert_int_equal(length, strlen(whole));
		text = malloc(size);
		assert_int_equal(render_words(&record, text, size), length);
		if (size)
			assert_memory_equal(text, whole, length < size ? length : size - 1);
		free(text);
		length = render_text(&record, record.rip, record.detail[0], whole, sizeof(whole));
		assert_true(length < RENDER_MAX);
	}
}

static void lines(void **state)
{
	struct exit_record record = {
		.reason = VMX_EXIT_HLT, .tsc_exit = 1500, .tsc_entry = 1570, .rip = 0x7c00};
	char text[RENDER_MAX];

	(void)state;
	fake_log_reset();
	render_heading("demo");
	assert_string_equal(fake_log_last(),
			    "plinth[demo]:   exit      at tick                  cost  "
			    "what the guest did -> what came of it => event");
	render_line("demo", 12, &record, 1000);
	assert_string_equal(fake_log_last(),
			    "plinth[demo]:     12          500 rip=7c00           70  HLT");
	record.flags = RECORD_CODE | RECORD_CODE_D | 3 << RECORD_CPL_SHIFT;
	record.tsc_entry = 0;
	render_text(&record, 12, 1000, text, sizeof(text));
	assert_string_equal(text, "    12          500 rip=7c00       cpl3 32      -  HLT");
	record.flags = RECORD_CODE | RECORD_CODE_L;
	render_text(&record, 12, 1000, text, sizeof(text));
	assert_string_equal(text, "    12          500 rip=7c00       cpl0 64      -  HLT");
	record.flags = RECORD_CODE;
	/* What an earlier record left in this place is no entry of its own. */
	record.tsc_entry = 1500;
	render_text(&record, 12, 1000, text, sizeof(text));
	assert_string_equal(text, "    12          500 rip=7c00       cpl0 16      -  HLT");
}

/* The last exits of one VM among those of others, in a ring that has overwritten the first. */
static void the_last_exits(void **state)
{
	static union {
		struct exit_ring ring;
		uint8_t bytes[sizeof(struct exit_ring) + 16 * sizeof(struct exit_record)];
	} memory;
	static const struct ring_info info = {.command_line = ""};
	struct exit_ring *ring = &memory.ring;

	(void)state;
	fake_log_reset();
	ring_init(ring, 0, 16, &info);
	render_last("demo", ring, 1, 5);
	assert_int_equal(fake_log_count(), 0);
	ring_vm_started(ring, 1, 0, "demo", 1000);
	for (unsigned i = 1; i <= 40; i++) {
		struct exit_record *record = ring_next(ring);

		*record = (struct exit_record){.reason = VMX_EXIT_HLT,
					       .vm = i % 2,
					       .tsc_exit = 1000 + i,
					       .tsc_entry = 2000};
	}
	render_last("demo", ring, 1, 5);
	assert_int_equal(fake_log_count(), 6);
	assert_true(fake_log_contains("its last 5 exits: number, ticks since its start"));
	assert_non_null(strstr(fake_log_text(1), "    31           31 rip="));
	assert_non_null(strstr(fake_log_text(5), "    39           39 rip="));
	/* More than there are. */
	fake_log_reset();
	render_last("demo", ring, 1, 1000);
	assert_int_equal(fake_log_count(), 9);
	assert_true(fake_log_contains("its last 8 exits"));
	/* None of an earlier life. */
	fake_log_reset();
	ring_vm_started(ring, 1, 0, "demo", 3000);
	render_last("demo", ring, 1, 1000);
	assert_int_equal(fake_log_count(), 0);
	*ring_next(ring) = (struct exit_record){.reason = VMX_EXIT_HLT, .vm = 1, .tsc_exit = 3005};
	render_last("demo", ring, 1, 1000);
	assert_int_equal(fake_log_count(), 2);
	assert_non_null(strstr(fake_log_text(1), "     1            5 rip="));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cpuid_and_msrs),
		cmocka_unit_test(ports),
		cmocka_unit_test(control_registers),
		cmocka_unit_test(memory),
		cmocka_unit_test(events),
		cmocka_unit_test(hypercalls),
		cmocka_unit_test(any_record_in_any_buffer),
		cmocka_unit_test(lines),
		cmocka_unit_test(the_last_exits),
	};

	return cmocka_run_group_tests_name("render", tests, NULL, NULL);
}
