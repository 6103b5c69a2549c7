/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypercalls: numbers, arguments, results. */
/* UNITS: vcpu/hypercall.c vcpu/events.c vcpu/bus.c arch/x86_64/exceptions.c */
/* UNITS: tests/fake/backend.c tests/fake/log.c tests/fake/error.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include "arch/x86_64/instructions.h"
#include "kernel/time.h"
#include "tests/fake/backend.h"
#include "vcpu/hypercall.h"

uint64_t time_frequency(void)
{
	return 0x123456789a;
}

uint64_t counters_sum(const struct exit_counters *counters)
{
	assert_ptr_equal(counters, &fake_vcpu.counters);
	return 77;
}

static uint64_t call(uint64_t number, uint64_t argument)
{
	struct general_registers *regs = &fake_vcpu.regs;

	memset(regs, 0xee, sizeof(*regs));
	regs->rax = number;
	regs->rbx = argument;
	regs->rcx = 0x3333;
	assert_int_equal(vcpu_hypercall(&fake_vcpu), OUTCOME_NEXT);
	assert_int_equal(regs->rbx, argument);
	assert_int_equal(regs->rcx, 0x3333);
	assert_int_equal(regs->rdx & regs->rsi & regs->r8 & regs->r15, 0xeeeeeeeeeeeeeeee);
	assert_true(fake_no_fault());
	return regs->rax;
}

static int setup(void **state)
{
	(void)state;
	fake_vcpu_reset(FAKE_CODE64);
	return 0;
}

static void questions(void **state)
{
	(void)state;
	assert_int_equal(call(PLINTH_VERSION, 0), PLINTH_ABI_VERSION);
	assert_int_equal(call(PLINTH_TSC_HZ, 0), 0x123456789a);
	assert_int_equal(call(PLINTH_EXIT_COUNT, 0), 77);
	/* EAX has the number. */
	assert_int_equal(call(0xffffffff00000000 | PLINTH_EXIT_COUNT, 0), 77);
}

static void unknown_numbers(void **state)
{
	(void)state;
	assert_int_equal(call(PLINTH_DEAR_COUNT, 0), PLINTH_ENOSYS);
	for (uint64_t number = PLINTH_WATCHDOG + 1; number < 0x10000; number++)
		assert_int_equal(call(number, 0), PLINTH_ENOSYS);
	assert_int_equal(call(0x80000000, 0), PLINTH_ENOSYS);
	assert_int_equal(call(0xffffffff, 0), PLINTH_ENOSYS);
}

static void interrupts(void **state)
{
	(void)state;
	for (uint64_t vector = 0; vector < 300; vector++) {
		struct events *events = &fake_vcpu.events;

		memset(events, 0, sizeof(*events));
		if (vector < 16 || vector > 255) {
			assert_int_equal(call(PLINTH_INTERRUPT, vector), PLINTH_EINVAL);
			assert_int_equal(events->work, 0);
		} else {
			assert_int_equal(call(PLINTH_INTERRUPT, vector), 0);
			assert_int_equal(events->work, EVENT_WORK_INTERRUPT);
			assert_true(events->interrupts[vector / 64] >> vector % 64 & 1);
		}
	}
	assert_int_equal(call(PLINTH_INTERRUPT, 0x100000020), PLINTH_EINVAL);
	assert_int_equal(call(PLINTH_INTERRUPT, ~0ull), PLINTH_EINVAL);
}

static void nmis(void **state)
{
	(void)state;
	assert_int_equal(call(PLINTH_NMI, 0), 0);
	assert_true(fake_vcpu.events.nmi);
}

static void the_watchdog(void **state)
{
	(void)state;
	fake_machine.tsc = 5000;
	assert_int_equal(call(PLINTH_WATCHDOG, 300), 0);
	assert_int_equal(fake_vcpu.own_watchdog.ticks, 300);
	assert_int_equal(fake_vcpu.own_watchdog.due, 5300);
	fake_vcpu.own_watchdog.rang = true;
	assert_int_equal(call(PLINTH_WATCHDOG, OWN_WATCHDOG_MAX + 1), PLINTH_EINVAL);
	assert_int_equal(fake_vcpu.own_watchdog.ticks, 300);
	assert_int_equal(call(PLINTH_WATCHDOG, OWN_WATCHDOG_MAX), 0);
	assert_false(fake_vcpu.own_watchdog.rang);
	assert_int_equal(call(PLINTH_WATCHDOG, 0), 0);
	assert_int_equal(fake_vcpu.own_watchdog.ticks, 0);
	assert_int_equal(fake_vcpu.events.work, 0);
	fake_machine_reset();
}

static void an_end(void **state)
{
	(void)state;
	call(PLINTH_EXIT, 0x1122334455);
	assert_int_equal(fake_vcpu_vm.end, VM_ENDED_EXIT);
	assert_int_equal(fake_vcpu_vm.end_code, 0x22334455);
	assert_true(fake_vcpu.requests & REQUEST_STOP);
}

/* Outside IA-32e mode registers have 32 bits. */
static void narrow_callers(void **state)
{
	(void)state;
	fake_vcpu_reset(FAKE_CODE32);
	assert_int_equal(call(0x1000, 0), 0xffffffff);
	assert_int_equal(call(PLINTH_TSC_HZ, 0), 0x3456789a);
	assert_int_equal(call(PLINTH_INTERRUPT, 0x500000030), 0);
	assert_int_equal(call(PLINTH_INTERRUPT, 0x500000000), (uint32_t)PLINTH_EINVAL);
}

static void records(void **state)
{
	struct exit_record *record = fake_vcpu_record();

	(void)state;
	assert_int_equal(call(PLINTH_MARK, 5), 0);
	assert_int_equal(record->qualification, PLINTH_MARK);
	assert_int_equal(record->detail[0], 5);
	assert_int_equal(record->detail[1], 0);
	assert_int_equal(record->detail[2], 0x3333);
	call(0x99, 6);
	assert_int_equal(record->detail[1], PLINTH_ENOSYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(questions, setup),
		cmocka_unit_test_setup(unknown_numbers, setup),
		cmocka_unit_test_setup(interrupts, setup),
		cmocka_unit_test_setup(nmis, setup),
		cmocka_unit_test_setup(the_watchdog, setup),
		cmocka_unit_test_setup(an_end, setup),
		cmocka_unit_test_setup(narrow_callers, setup),
		cmocka_unit_test_setup(records, setup),
	};

	return cmocka_run_group_tests_name("hypercall", tests, NULL, NULL);
}
