/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel/interrupts.c on simulated PICs and a simulated local APIC, in both of its modes. */
/* UNITS: kernel/interrupts.c kernel/local_apic.c arch/x86_64/cpuid.c */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/instructions.h"
#include "kernel/address_space.h"
#include "kernel/interrupts.h"
#include "kernel/local_apic.h"
#include "kernel/traps.h"

#define X2APIC(offset) (0x800 + (offset) / 16)

static struct {
	uint8_t isr, mask, vector;
	unsigned step; /* of the initialisation */
	unsigned eois, last_eoi;
} pics[2];

static uint32_t apic_page[1024];

err_t address_space_map_device(hpa_t at, uint64_t size, void **where)
{
	assert_int_equal(at.raw, 0xfee00000);
	assert_int_equal(size, 4096);
	*where = apic_page;
	return NULL;
}

static void port_write(uint16_t port, unsigned size, uint32_t value)
{
	unsigned n = port >= 0xa0;

	assert_int_equal(size, 1);
	switch (port & ~0x80u) {
	case 0x20:
		if (value & 0x10) {
			pics[n].step = 1;
		} else if (value & 0x20) {
			pics[n].eois++;
			pics[n].last_eoi = value & 7;
			pics[n].isr &= (uint8_t) ~(1u << (value & 7));
		} else {
			assert_int_equal(value, 0x0b);
		}
		break;
	case 0x21:
		if (pics[n].step == 1)
			pics[n].vector = (uint8_t)value;
		else if (pics[n].step == 2)
			assert_int_equal(value, n ? 2 : 4);
		else if (pics[n].step == 3)
			assert_int_equal(value, 1);
		else
			pics[n].mask = (uint8_t)value;
		if (pics[n].step)
			pics[n].step = (pics[n].step + 1) % 4;
		break;
	default:
		fail_msg("port 0x%x", port);
	}
}

static uint32_t port_read(uint16_t port, unsigned size)
{
	(void)size;
	return pics[port >= 0xa0].isr;
}

static bool has_apic = true;

static struct cpuid_result fake_cpuid(uint32_t leaf, uint32_t subleaf)
{
	(void)subleaf;
	if (leaf == 0)
		return (struct cpuid_result){.eax = 1};
	return (struct cpuid_result){.edx = has_apic ? 1u << 9 : 0};
}

static int setup(void **state)
{
	(void)state;
	fake_machine_reset();
	fake_machine.port_read = port_read;
	fake_machine.port_write = port_write;
	fake_machine.cpuid = fake_cpuid;
	memset(pics, 0, sizeof(pics));
	memset(apic_page, 0, sizeof(apic_page));
	has_apic = true;
	return 0;
}

static void test_masks_pics(void **state)
{
	(void)state;
	pics_mask();
	assert_int_equal(pics[0].vector, 0x20);
	assert_int_equal(pics[1].vector, 0x28);
	assert_int_equal(pics[0].mask, 0xff);
	assert_int_equal(pics[1].mask, 0xff);
	assert_int_equal(pics[0].step, 0);
}

static void test_pic_interrupts(void **state)
{
	(void)state;
	/* Real ones: line 7, line 15 and line 1. */
	pics[0].isr = 0x80;
	assert_false(interrupt_is_spurious(0x27));
	interrupt_end(0x27);
	assert_int_equal(pics[0].isr, 0);
	pics[1].isr = 0x80;
	pics[0].isr = 0x04;
	assert_false(interrupt_is_spurious(0x2f));
	interrupt_end(0x2f);
	assert_int_equal(pics[0].isr | pics[1].isr, 0);
	assert_false(interrupt_is_spurious(0x21));

	/* Spurious ones; the second PIC's leaves a request of the first one to be ended. */
	setup(NULL);
	assert_true(interrupt_is_spurious(0x27));
	assert_int_equal(pics[0].eois, 0);
	pics[0].isr = 0x04;
	assert_true(interrupt_is_spurious(0x2f));
	assert_int_equal(pics[1].eois, 0);
	assert_int_equal(pics[0].isr, 0);
	assert_true(interrupt_is_spurious(VECTOR_SPURIOUS));
}

static void test_no_apic(void **state)
{
	(void)state;
	has_apic = false;
	assert_non_null(local_apic_start());
	interrupt_end(0x40);
}

static void test_xapic(void **state)
{
	(void)state;
	/* Switched off by the firmware, with six LVT entries and LINT1 for NMIs. */
	fake_msr_set(0x1b, 0xfee00000);
	apic_page[0x30 / 4] = 5 << 16;
	apic_page[0x360 / 4] = 0x400;
	assert_null(local_apic_start());
	assert_int_equal(rdmsr(0x1b), 0xfee00800);
	assert_int_equal(apic_page[0xf0 / 4], 0x1ff);
	assert_int_equal(apic_page[0x320 / 4], 0x100ff);
	assert_int_equal(apic_page[0x330 / 4], 0x100ff);
	assert_int_equal(apic_page[0x360 / 4], 0x400);

	/* EOI only for what is in service. */
	apic_page[0xb0 / 4] = 1;
	interrupt_end(0x41);
	assert_int_equal(apic_page[0xb0 / 4], 1);
	apic_page[(0x100 + 0x20) / 4] = 2;
	interrupt_end(0x41);
	assert_int_equal(apic_page[0xb0 / 4], 0);
	apic_page[0xb0 / 4] = 1;
	apic_page[(0x100 + 0x10) / 4] = 0x80;
	assert_false(interrupt_is_spurious(0x27));
	interrupt_end(0x27);
	assert_int_equal(apic_page[0xb0 / 4], 0);
	assert_int_equal(pics[0].eois, 0);
}

static void test_old_apic_lacks_entries(void **state)
{
	(void)state;
	fake_msr_set(0x1b, 0xfee00800);
	apic_page[0x30 / 4] = 3 << 16;
	assert_null(local_apic_start());
	assert_int_equal(apic_page[0x370 / 4], 0x100ff);
	assert_int_equal(apic_page[0x340 / 4], 0);
	assert_int_equal(apic_page[0x330 / 4], 0);
}

static void test_x2apic(void **state)
{
	static const uint32_t registers[] = {0x80, 0xb0, 0xf0, 0x320, 0x330, 0x340, 0x350, 0x370};

	(void)state;
	fake_msr_set(0x1b, 0xfee00c00);
	fake_msr_set(X2APIC(0x30), 5 << 16);
	for (unsigned i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
		fake_msr_set(X2APIC(registers[i]), 0);
	for (uint32_t i = 0; i < 8; i++)
		fake_msr_set(X2APIC(0x100 + 16 * i), 0);
	assert_null(local_apic_start());
	assert_int_equal(rdmsr(X2APIC(0xf0)), 0x1ff);
	fake_msr_set(X2APIC(0x120), 2);
	fake_msr_set(X2APIC(0xb0), 1);
	interrupt_end(0x41);
	assert_int_equal(rdmsr(X2APIC(0xb0)), 0);
	assert_int_equal(apic_page[0xf0 / 4], 0);
}

/* Interrupts for others: in xAPIC mode the destination first, then the command that sends. */
static void test_send_xapic(void **state)
{
	(void)state;
	fake_msr_set(0x1b, 0xfee00800);
	assert_null(local_apic_start());
	assert_true(local_apic_is_started());
	assert_false(local_apic_is_x2());
	apic_page[0x20 / 4] = 0x07000000;
	assert_int_equal(local_apic_id(), 7);
	assert_true(local_apic_send(5, IPI_STARTUP | 0x9a));
	assert_int_equal(apic_page[0x310 / 4], 0x05000000);
	assert_int_equal(apic_page[0x300 / 4], 0x469a);
	/* One that is never delivered does not hold the host up. */
	assert_false(local_apic_send(5, IPI_NMI | 0x1000));
}

static void set_x2apic_registers(void)
{
	static const uint32_t registers[] = {0x20,  0x80,  0xb0,  0xf0,  0x300,
					     0x320, 0x330, 0x340, 0x350, 0x370};

	for (unsigned i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
		fake_msr_set(X2APIC(registers[i]), 0);
	fake_msr_set(X2APIC(0x30), 5 << 16);
}

static void test_send_x2apic(void **state)
{
	(void)state;
	fake_msr_set(0x1b, 0xfee00c00);
	set_x2apic_registers();
	fake_msr_set(X2APIC(0x20), 0x12345678);
	assert_null(local_apic_start());
	assert_true(local_apic_is_x2());
	assert_int_equal(local_apic_id(), 0x12345678);
	assert_true(local_apic_send(0x1234, IPI_INIT));
	assert_int_equal(rdmsr(X2APIC(0x300)), 0x123400004500);
}

/* The other processors follow the first. */
static void test_join(void **state)
{
	(void)state;
	fake_msr_set(0x1b, 0xfee00900);
	assert_null(local_apic_start());
	apic_page[0xf0 / 4] = 0;
	fake_msr_set(0x1b, 0xfee00000);
	assert_null(local_apic_join());
	assert_int_equal(rdmsr(0x1b), 0xfee00800);
	assert_int_equal(apic_page[0xf0 / 4], 0x1ff);
	fake_msr_set(0x1b, 0xfee00c00);
	assert_non_null(strstr(local_apic_join(), "x2APIC"));

	setup(NULL);
	fake_msr_set(0x1b, 0xfee00d00);
	set_x2apic_registers();
	assert_null(local_apic_start());
	fake_msr_set(0x1b, 0xfee00800);
	fake_msr_set(X2APIC(0xf0), 0);
	assert_null(local_apic_join());
	assert_int_equal(rdmsr(0x1b), 0xfee00c00);
	assert_int_equal(rdmsr(X2APIC(0xf0)), 0x1ff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_masks_pics, setup),
		cmocka_unit_test_setup(test_pic_interrupts, setup),
		cmocka_unit_test_setup(test_no_apic, setup),
		cmocka_unit_test_setup(test_xapic, setup),
		cmocka_unit_test_setup(test_old_apic_lacks_entries, setup),
		cmocka_unit_test_setup(test_x2apic, setup),
		cmocka_unit_test_setup(test_send_xapic, setup),
		cmocka_unit_test_setup(test_send_x2apic, setup),
		cmocka_unit_test_setup(test_join, setup),
	};

	return cmocka_run_group_tests_name("interrupts", tests, NULL, NULL);
}
