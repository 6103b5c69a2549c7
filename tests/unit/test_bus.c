/* SPDX-License-Identifier: BSD-2-Clause */
/* The bus: who is asked, in which pieces, and what nobody's ports and addresses answer. */
/* UNITS: vcpu/bus.c tests/fake/log.c tests/fake/error.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include "tests/fake/log.h"
#include "vcpu/bus.h"

static struct bus bus;

/* What the device saw: "r3f8.1 w3f9.1=41". */
static char seen[256];

static uint32_t read_port(void *device, uint16_t port, unsigned size)
{
	snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "r%x.%u ", port, size);
	(void)device;
	return 0xa5000000u | (uint32_t)port << 8 | (port & 0xff); /* too wide for most */
}

static void write_port(void *device, uint16_t port, unsigned size, uint32_t value)
{
	(void)device;
	snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "w%x.%u=%x ", port, size, value);
}

static uint64_t read_mmio(void *device, uint64_t offset, unsigned size)
{
	(void)device;
	snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "r%lx.%u ",
		 (unsigned long)offset, size);
	return 0x8877665544332211;
}

static void write_mmio(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	(void)device;
	snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "w%lx.%u=%lx ",
		 (unsigned long)offset, size, (unsigned long)value);
}

static err_t add(const char *name, uint16_t first, uint16_t count, uint8_t sizes)
{
	return bus_add_ports(
		&bus, &(struct port_range){name, first, count, sizes, read_port, write_port, NULL});
}

static err_t add_mmio(const char *name, uint64_t first, uint64_t size, uint8_t sizes)
{
	return bus_add_mmio(&bus, &(struct mmio_range){name, GPA(first), size, sizes, read_mmio,
						       write_mmio, NULL});
}

static int setup(void **state)
{
	(void)state;
	bus_init(&bus, "vm");
	fake_log_reset();
	seen[0] = 0;
	return 0;
}

static void expect_seen(const char *text)
{
	assert_string_equal(seen, text);
	seen[0] = 0;
}

static void whole_accesses_reach_the_device(void **state)
{
	(void)state;
	assert_null(add("x", 0x100, 4, BUS_1 | BUS_2 | BUS_4));
	assert_int_equal(bus_port_read(&bus, 0x101, 1), 0x01);
	assert_int_equal(bus_port_read(&bus, 0x102, 2), 0x0202);
	assert_int_equal(bus_port_read(&bus, 0x100, 4), 0xa5010000);
	expect_seen("r101.1 r102.2 r100.4 ");
	bus_port_write(&bus, 0x103, 1, 0x12345678);
	bus_port_write(&bus, 0x100, 2, 0x12345678);
	bus_port_write(&bus, 0x100, 4, 0x12345678);
	expect_seen("w103.1=78 w100.2=5678 w100.4=12345678 ");
	assert_string_equal(bus_port_name(&bus, 0x103), "x");
	assert_null(bus_port_name(&bus, 0x104));
	assert_int_equal(fake_log_count(), 0);
}

static void wide_accesses_are_split(void **state)
{
	(void)state;
	assert_null(add("bytes", 0x100, 4, BUS_1));
	assert_null(add("words", 0x104, 4, BUS_1 | BUS_2));
	assert_int_equal(bus_port_read(&bus, 0x100, 4), 0x03020100);
	expect_seen("r100.1 r101.1 r102.1 r103.1 ");
	assert_int_equal(bus_port_read(&bus, 0x104, 4), 0x06060404);
	expect_seen("r104.2 r106.2 ");
	bus_port_write(&bus, 0x104, 4, 0x12345678);
	expect_seen("w104.2=5678 w106.2=1234 ");
}

static void unaligned_accesses_are_split(void **state)
{
	(void)state;
	assert_null(add("x", 0x100, 8, BUS_1 | BUS_2 | BUS_4));
	bus_port_write(&bus, 0x101, 4, 0x44332211);
	expect_seen("w101.1=11 w102.2=3322 w104.1=44 ");
	bus_port_write(&bus, 0x103, 2, 0x2211);
	expect_seen("w103.1=11 w104.1=22 ");
}

static void accesses_across_ranges_are_split(void **state)
{
	(void)state;
	assert_null(add("a", 0x100, 2, BUS_1 | BUS_2 | BUS_4));
	assert_null(add("b", 0x102, 1, BUS_1));
	bus_port_write(&bus, 0x100, 4, 0x44332211);
	expect_seen("w100.2=2211 w102.1=33 ");
	assert_string_equal(fake_log_last(),
			    "plinth[vm]: port 103h: nobody answers, 1-byte OUT of 44h is dropped");
	assert_int_equal(bus_port_read(&bus, 0x100, 4), 0xff020000);
	seen[0] = 0;
	assert_null(add("c", 0x200, 1, BUS_1 | BUS_2));
	assert_int_equal(bus_port_read(&bus, 0x200, 2), 0xff00);
	expect_seen("r200.1 ");
}

static void too_narrow_accesses_find_nobody(void **state)
{
	(void)state;
	assert_null(add("wide", 0x100, 4, BUS_4));
	assert_int_equal(bus_port_read(&bus, 0x100, 1), 0xff);
	assert_int_equal(bus_port_read(&bus, 0x102, 2), 0xffff);
	expect_seen("");
	assert_int_equal(bus_port_read(&bus, 0x100, 4), 0xa5010000);
}

static void unclaimed_ports_read_ones_and_are_told_once(void **state)
{
	(void)state;
	assert_int_equal(bus_port_read(&bus, 0x2f8, 1), 0xff);
	assert_int_equal(bus_port_read(&bus, 0x2f8, 2), 0xffff);
	bus_port_write(&bus, 0x2f8, 4, 1);
	assert_int_equal(fake_log_count(), 1);
	assert_string_equal(fake_log_last(),
			    "plinth[vm]: port 2f8h: nobody answers, 1-byte IN reads ones");
	assert_int_equal(bus_port_read(&bus, 0xcf0, 4), 0xffffffff);
	assert_string_equal(fake_log_last(),
			    "plinth[vm]: port cf0h: nobody answers, 4-byte IN reads ones");
	bus_port_write(&bus, 0xe9, 1, 'x');
	assert_string_equal(fake_log_last(),
			    "plinth[vm]: port e9h: nobody answers, 1-byte OUT of 78h is dropped");
	assert_int_equal(fake_log_count(), 3);
}

static void lines_for_ports_come_to_an_end(void **state)
{
	(void)state;
	for (unsigned port = 0; port < PORT_COUNT; port++)
		bus_port_read(&bus, (uint16_t)port, 1);
	assert_int_equal(fake_log_count(), PORTS_TOLD_MAX + 1);
	assert_true(fake_log_contains("64 unclaimed ports told"));
	bus_port_read(&bus, 0xffff, 1);
	assert_int_equal(fake_log_count(), PORTS_TOLD_MAX + 1);
}

static void the_last_port(void **state)
{
	(void)state;
	assert_null(add("end", 0xfffe, 2, BUS_1 | BUS_2 | BUS_4));
	assert_null(add("start", 0, 2, BUS_1));
	assert_int_equal(bus_port_read(&bus, 0xffff, 4), 0xffffffff);
	expect_seen("rffff.1 ");
	assert_int_equal(bus_port_read(&bus, 0xfffe, 4), 0xfffffefe);
	expect_seen("rfffe.2 ");
	bus_port_write(&bus, 0xfffd, 4, 0x44332211);
	expect_seen("wfffe.2=3322 ");
}

static void bad_port_ranges_are_refused(void **state)
{
	(void)state;
	struct port_range lacking = {"lacking", 0x300, 1, BUS_1, read_port, NULL, NULL};

	assert_null(add("a", 0x100, 4, BUS_1));
	assert_string_equal(add("b", 0xfe, 3, BUS_1), "port 100h of b belongs to a already");
	assert_non_null(add("c", 0x103, 1, BUS_1));
	assert_non_null(add("empty", 0x200, 0, BUS_1));
	assert_non_null(add("wraps", 0xfff0, 17, BUS_1));
	assert_null(add("fits", 0xfff0, 16, BUS_1));
	assert_non_null(add("sizeless", 0x200, 1, 0));
	assert_non_null(add("wrong", 0x200, 1, BUS_8));
	assert_non_null(bus_add_ports(&bus, &lacking));
	lacking.read = NULL;
	lacking.write = write_port;
	assert_non_null(bus_add_ports(&bus, &lacking));
	/* Nothing of the refused ones stays. */
	assert_null(bus_port_name(&bus, 0xff));
	assert_null(bus_port_name(&bus, 0x200));
	assert_null(bus_port_name(&bus, 0x300));
}

static void port_ranges_run_out(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PORT_RANGES_MAX; i++)
		assert_null(add("x", (uint16_t)(0x100 + i), 1, BUS_1));
	assert_non_null(add("more", 0x1000, 1, BUS_1));
	assert_int_equal(bus_port_read(&bus, 0x100 + PORT_RANGES_MAX - 1, 1), 0x3f);
}

static void mmio_reaches_the_device(void **state)
{
	(void)state;
	assert_null(add_mmio("high", 0xfee00000, 0x1000, BUS_4));
	assert_null(add_mmio("low", 0xfec00000, 0x20, BUS_1 | BUS_2 | BUS_4 | BUS_8));
	assert_int_equal(bus_mmio_read(&bus, GPA(0xfee00030), 4), 0x44332211);
	expect_seen("r30.4 ");
	assert_true(bus_mmio_read(&bus, GPA(0xfec00018), 8) == 0x8877665544332211);
	expect_seen("r18.8 ");
	bus_mmio_write(&bus, GPA(0xfee00300), 8, 0x1122334455667788);
	expect_seen("w300.4=55667788 w304.4=11223344 ");
	bus_mmio_write(&bus, GPA(0xfec00001), 8, 0x8877665544332211);
	expect_seen("w1.1=11 w2.2=3322 w4.4=77665544 w8.1=88 ");
	assert_string_equal(bus_mmio_name(&bus, GPA(0xfee00fff)), "high");
	assert_null(bus_mmio_name(&bus, GPA(0xfee01000)));
	assert_int_equal(fake_log_count(), 0);
}

static void mmio_ranges_are_found_among_many(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 20; i++)
		assert_null(add_mmio("x", 0x1000 * (i * 7 % 20), 2, BUS_1 | BUS_2 | BUS_4));
	for (uint64_t i = 0; i < 20; i++) {
		assert_null(bus_mmio_name(&bus, GPA(0x1000 * i - 1)));
		assert_string_equal(bus_mmio_name(&bus, GPA(0x1000 * i)), "x");
		assert_string_equal(bus_mmio_name(&bus, GPA(0x1000 * i + 1)), "x");
		assert_null(bus_mmio_name(&bus, GPA(0x1000 * i + 2)));
	}
	assert_int_equal(bus_mmio_read(&bus, GPA(0x3000), 4), 0xffff2211);
	expect_seen("r0.2 ");
}

static void unclaimed_memory_reads_ones(void **state)
{
	(void)state;
	assert_null(add_mmio("x", 0x1000, 2, BUS_1));
	assert_true(bus_mmio_read(&bus, GPA(0xd0000000), 8) == UINT64_MAX);
	assert_string_equal(fake_log_last(), "plinth[vm]: address d0000000h: nobody answers, "
					     "8-byte read gives ones");
	bus_mmio_write(&bus, GPA(0xd0000fff), 2, 0xabcd);
	assert_int_equal(fake_log_count(), 1); /* one line a page, for the first byte of a gap */
	assert_int_equal(bus_mmio_read(&bus, GPA(0xfff), 4), 0xff1111ff);
	expect_seen("r0.1 r1.1 ");
	assert_true(bus_mmio_read(&bus, GPA(UINT64_MAX), 8) == UINT64_MAX);
	for (uint64_t page = 0; page < 100; page++)
		bus_mmio_write(&bus, GPA(page << 12), 1, 0);
	assert_int_equal(fake_log_count(), PAGES_TOLD_MAX + 1);
}

static void pages_with_a_device(void **state)
{
	(void)state;
	assert_null(add_mmio("x", 0x1ffe, 4, BUS_1));
	assert_null(bus_mmio_in_page(&bus, GPA(0)));
	assert_string_equal(bus_mmio_in_page(&bus, GPA(0x1000)), "x");
	assert_string_equal(bus_mmio_in_page(&bus, GPA(0x2000)), "x");
	assert_null(bus_mmio_in_page(&bus, GPA(0x3000)));
	bus_tell_unclaimed(&bus, GPA(0x3123), "a fetch");
	assert_string_equal(fake_log_last(),
			    "plinth[vm]: address 3123h: nobody answers, a fetch reads ones there");
	bus_tell_unclaimed(&bus, GPA(0x3ff0), "a fetch");
	assert_int_equal(fake_log_count(), 1);
}

static void bad_mmio_ranges_are_refused(void **state)
{
	(void)state;
	assert_null(add_mmio("a", 0x1000, 0x1000, BUS_4));
	assert_null(add_mmio("b", 0x3000, 0x1000, BUS_4));
	assert_string_equal(add_mmio("c", 0x1fff, 1, BUS_4),
			    "the memory space of c at 1fffh overlaps that of a");
	assert_non_null(add_mmio("c", 0x2000, 0x1001, BUS_4));
	assert_non_null(add_mmio("c", 0, 0x10000, BUS_4));
	assert_non_null(add_mmio("c", 0, 0, BUS_4));
	assert_non_null(add_mmio("c", UINT64_MAX, 2, BUS_4));
	assert_non_null(add_mmio("c", 0x8000, 1, 0));
	assert_null(add_mmio("c", 0x2000, 0x1000, BUS_4));
	assert_null(add_mmio("top", UINT64_MAX, 1, BUS_1));
	for (unsigned i = 4; i < MMIO_RANGES_MAX; i++)
		assert_null(add_mmio("x", 0x10000 + i, 1, BUS_1));
	assert_non_null(add_mmio("more", 0x20000, 1, BUS_1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(whole_accesses_reach_the_device, setup),
		cmocka_unit_test_setup(wide_accesses_are_split, setup),
		cmocka_unit_test_setup(unaligned_accesses_are_split, setup),
		cmocka_unit_test_setup(accesses_across_ranges_are_split, setup),
		cmocka_unit_test_setup(too_narrow_accesses_find_nobody, setup),
		cmocka_unit_test_setup(unclaimed_ports_read_ones_and_are_told_once, setup),
		cmocka_unit_test_setup(lines_for_ports_come_to_an_end, setup),
		cmocka_unit_test_setup(the_last_port, setup),
		cmocka_unit_test_setup(bad_port_ranges_are_refused, setup),
		cmocka_unit_test_setup(port_ranges_run_out, setup),
		cmocka_unit_test_setup(mmio_reaches_the_device, setup),
		cmocka_unit_test_setup(mmio_ranges_are_found_among_many, setup),
		cmocka_unit_test_setup(unclaimed_memory_reads_ones, setup),
		cmocka_unit_test_setup(pages_with_a_device, setup),
		cmocka_unit_test_setup(bad_mmio_ranges_are_refused, setup),
	};

	return cmocka_run_group_tests_name("bus", tests, setup, NULL);
}
