/* SPDX-License-Identifier: BSD-2-Clause */
/* UNITS: vcpu/state.c */
/* The two starting states, field by field against the manuals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "vcpu/state.h"

/* SDM "Processor State After Reset". */
static void reset_state(void **unused)
{
	struct vcpu_state state;

	(void)unused;
	memset(&state, 0xff, sizeof(state));
	vcpu_state_reset(&state);
	assert_int_equal(state.rip, 0xfff0);
	assert_int_equal(state.rflags, 2);
	assert_int_equal(state.cr0, 0x60000010);
	assert_int_equal(state.cr3 | state.cr4 | state.efer, 0);
	assert_int_equal(state.cs.selector, 0xf000);
	assert_int_equal(state.cs.base, 0xffff0000);
	assert_int_equal(state.cs.limit, 0xffff);
	assert_int_equal(state.cs.access, 0x9b);
	assert_int_equal(state.ss.access, 0x93);
	assert_int_equal(state.gs.limit, 0xffff);
	assert_int_equal(state.ds.base | state.es.base | state.fs.base, 0);
	assert_int_equal(state.ldtr.access, 0x82);
	assert_int_equal(state.tr.access, 0x8b);
	assert_int_equal(state.tr.limit, 0xffff);
	assert_int_equal(state.gdtr.limit, 0xffff);
	assert_int_equal(state.idtr.limit, 0xffff);
	assert_int_equal(state.regs.rdx & ~0xf00ffull, 0x600);
	for (unsigned i = 0; i < REG_COUNT; i++)
		assert_true(i == REG_RDX || state.regs.by_index[i] == 0);
}

static void flat32_state(void **unused)
{
	struct vcpu_state state;
	const struct segment *data[] = {&state.ds, &state.es, &state.ss, &state.fs, &state.gs};

	(void)unused;
	memset(&state, 0xff, sizeof(state));
	vcpu_state_flat32(&state, 0xf0100000);
	assert_int_equal(state.rip, 0xf0100000);
	assert_int_equal(state.rflags, 2);           /* IF, VM clear */
	assert_int_equal(state.cr0 & 0x80000001, 1); /* PE without PG */
	assert_int_equal(state.cr3 | state.cr4 | state.efer, 0);
	assert_int_equal(state.cs.selector, 0x10);
	assert_int_equal(state.cs.base, 0);
	assert_int_equal(state.cs.limit, 0xffffffff);
	assert_int_equal(state.cs.access, 0xc09b);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(data[i]->selector, 0x18);
		assert_int_equal(data[i]->base, 0);
		assert_int_equal(data[i]->limit, 0xffffffff);
		assert_int_equal(data[i]->access, 0xc093);
	}
	assert_int_equal(state.ldtr.access, 0x10000);
	assert_int_equal(state.tr.access, 0x8b);
	for (unsigned i = 0; i < REG_COUNT; i++)
		assert_int_equal(state.regs.by_index[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reset_state),
		cmocka_unit_test(flat32_state),
	};

	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
