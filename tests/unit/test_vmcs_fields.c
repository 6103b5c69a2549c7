/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of VMCS fields, and the VMCS that other tests use. */
/* UNITS: arch/x86_64/vmcs_fields.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/vmcs_fields.h"
#include "arch/x86_64/vmx_instructions.h"

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < vmcs_field_count; i++) {
		uint32_t e = (uint32_t)vmcs_fields[i].field;

		assert_int_equal(e & ~VMCS_ENCODING_MASK, 0);
		assert_false(vmcs_field_is_high(e));
		assert_true(i == 0 || e > (uint32_t)vmcs_fields[i - 1].field);
		assert_string_equal(vmcs_field_name(e), vmcs_fields[i].name);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(vmcs_fields[j].name, vmcs_fields[i].name);
	}
	assert_string_equal(vmcs_field_name(0x6c18), "HOST_S_CET");
	assert_string_equal(vmcs_field_name(0x482c), "?"); /* skipped by the SDM */
	assert_string_equal(vmcs_field_name(0xffffffff), "?");
}

/* The name of a field says of which type it is, and each list holds fields of one width. */
static void test_widths_and_types(void **state)
{
#define IN_16(name, encoding)      assert_int_equal(vmcs_field_bits(encoding), 16);
#define IN_64(name, encoding)      assert_int_equal(vmcs_field_width(encoding), VMCS_WIDTH_64);
#define IN_32(name, encoding)      assert_int_equal(vmcs_field_bits(encoding), 32);
#define IN_NATURAL(name, encoding) assert_int_equal(vmcs_field_width(encoding), VMCS_WIDTH_NATURAL);
	(void)state;
	VMCS_FIELDS_16(IN_16)
	VMCS_FIELDS_64(IN_64)
	VMCS_FIELDS_32(IN_32)
	VMCS_FIELDS_NATURAL(IN_NATURAL)
	assert_int_equal(vmcs_field_bits(VMCS_TSC_OFFSET), 64);
	assert_int_equal(vmcs_field_bits(VMCS_GUEST_RIP), 64);

	for (size_t i = 0; i < vmcs_field_count; i++) {
		const char *name = vmcs_fields[i].name;
		enum vmcs_type type = vmcs_field_type((uint32_t)vmcs_fields[i].field);

		assert_int_equal(type == VMCS_TYPE_HOST, strncmp(name, "HOST_", 5) == 0);
		if (type == VMCS_TYPE_CONTROL)
			assert_true(strncmp(name, "GUEST_", 6) != 0);
	}
	assert_int_equal(vmcs_field_type(VMCS_EXIT_REASON), VMCS_TYPE_READ_ONLY);
	assert_int_equal(vmcs_field_type(VMCS_GUEST_PHYSICAL_ADDRESS), VMCS_TYPE_READ_ONLY);
	assert_int_equal(vmcs_field_type(VMCS_LINK_POINTER), VMCS_TYPE_GUEST);
	assert_int_equal(vmcs_field_type(VMCS_PIN_CONTROLS), VMCS_TYPE_CONTROL);
	assert_int_equal(vmcs_field_index(VMCS_GUEST_RIP), 15);
}

static void test_segment_step(void **state)
{
	static const uint32_t first[] = {VMCS_GUEST_ES_SELECTOR, VMCS_GUEST_ES_LIMIT,
					 VMCS_GUEST_ES_ACCESS_RIGHTS, VMCS_GUEST_ES_BASE};
	static const uint32_t last[] = {VMCS_GUEST_TR_SELECTOR, VMCS_GUEST_TR_LIMIT,
					VMCS_GUEST_TR_ACCESS_RIGHTS, VMCS_GUEST_TR_BASE};

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(last[i] - first[i], 7 * VMCS_SEGMENT_STEP);
}

/* No two fields share a slot of the fake. */
static void test_fake_slots(void **state)
{
	static bool seen[FAKE_VMCS_FIELDS];

	(void)state;
	for (size_t i = 0; i < vmcs_field_count; i++) {
		unsigned slot = fake_vmcs_slot((uint32_t)vmcs_fields[i].field);

		assert_false(seen[slot]);
		seen[slot] = true;
	}
}

static void test_fake_fields(void **state)
{
	uint64_t value = 0;

	(void)state;
	fake_vmx_reset();
	vmcs_write(VMCS_GUEST_RIP, 0x123456789abcull);
	vmcs_write(VMCS_VPID, 0x12345);
	vmcs_write(VMCS_EXCEPTION_BITMAP, 0x123456789ull);
	assert_int_equal(vmcs_read(VMCS_GUEST_RIP), 0x123456789abcull);
	assert_int_equal(vmcs_read(VMCS_VPID), 0x2345);
	assert_int_equal(vmcs_read(VMCS_EXCEPTION_BITMAP), 0x23456789);
	assert_int_equal(fake_vmx.writes, 3);
	assert_int_equal(fake_vmx.reads, 3);

	vmcs_write(VMCS_TSC_OFFSET, 0x1111111122222222ull);
	assert_int_equal(vmread_checked(VMCS_TSC_OFFSET + 1, &value), VMX_OK);
	assert_int_equal(value, 0x11111111);
	assert_int_equal(vmwrite_checked(VMCS_TSC_OFFSET + 1, 0x33333333), VMX_OK);
	assert_int_equal(vmcs_read(VMCS_TSC_OFFSET), 0x3333333322222222ull);

	assert_int_equal(vmwrite_checked(VMCS_EXIT_REASON, 1), VMX_FAIL_VALID);
	assert_int_equal(vmcs_read(VMCS_INSTRUCTION_ERROR), 13);
	assert_int_equal(vmread_checked(0x1000, &value), VMX_FAIL_VALID);
	assert_int_equal(vmcs_read(VMCS_INSTRUCTION_ERROR), 12);
	fake_vmx.missing[fake_vmcs_slot(VMCS_GUEST_SSP)] = true;
	assert_int_equal(vmwrite_checked(VMCS_GUEST_SSP, 1), VMX_FAIL_VALID);
}

static void test_fake_regions(void **state)
{
	uint64_t value;

	(void)state;
	fake_vmx_reset();
	vmcs_write(VMCS_GUEST_RSP, 1);
	assert_int_equal(vmclear(HPA(0x3000)), VMX_OK);
	assert_int_equal(vmptrld(HPA(0x3000)), VMX_OK);
	assert_int_equal(vmptrst().raw, 0x3000);
	assert_int_equal(vmcs_read(VMCS_GUEST_RSP), 0);
	assert_int_equal(vmptrld(HPA(0x2000)), VMX_OK);
	assert_int_equal(vmcs_read(VMCS_GUEST_RSP), 1);
	assert_int_equal(vmptrld(HPA(0x2001)), VMX_FAIL_VALID);
	assert_int_equal(vmptrld(HPA(0x1000)), VMX_FAIL_VALID);
	assert_int_equal(vmxon(HPA(0x1000)), VMX_FAIL_VALID);
	assert_int_equal(vmclear(HPA(0x2000)), VMX_OK);
	assert_int_equal(vmread_checked(VMCS_GUEST_RSP, &value), VMX_FAIL_INVALID);
	assert_int_equal(vmxoff(), VMX_OK);
	assert_int_equal(vmxon(HPA(0x1000)), VMX_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),        cmocka_unit_test(test_widths_and_types),
		cmocka_unit_test(test_segment_step), cmocka_unit_test(test_fake_slots),
		cmocka_unit_test(test_fake_fields),  cmocka_unit_test(test_fake_regions),
	};

	return cmocka_run_group_tests_name("vmcs_fields", tests, NULL, NULL);
}
