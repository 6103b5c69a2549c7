/* SPDX-License-Identifier: BSD-2-Clause */
/* VMX in numbers: texts, event information, control names, qualifications. */
/* UNITS: arch/x86_64/vmx.c arch/x86_64/vmx_controls.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/vmx.h"

#include "kernel/compiler.h"

#define NUMBER(name, number, text) number,
static const uint32_t reasons[] = {VMX_EXIT_REASONS(NUMBER)};

static void test_exit_reasons(void **state)
{
	size_t next = 0;

	(void)state;
	for (size_t i = 1; i < ARRAY_COUNT(reasons); i++)
		assert_true(reasons[i] > reasons[i - 1]);
	for (uint32_t reason = 0; reason < 0x10000; reason++) {
		bool known = strcmp(vmx_exit_reason_name(reason), "unknown exit reason") != 0;
		bool listed = next < ARRAY_COUNT(reasons) && reasons[next] == reason;

		assert_int_equal(known, listed);
		next += listed;
	}
	assert_string_equal(vmx_exit_reason_name(48), "EPT violation");
	assert_string_equal(vmx_exit_reason_name(~0u), "unknown exit reason");
	assert_int_equal(VMX_EXIT_REASON_COUNT, 86);
}

static void test_instruction_errors(void **state)
{
	(void)state;
	for (uint32_t number = 0; number < 40; number++) {
		bool unknown = strcmp(vmx_instruction_error_text(number), "unknown error") == 0;
		bool unused =
			number == 0 || number == 14 || number == 21 || number == 27 || number > 28;

		assert_int_equal(unknown, unused);
	}
	assert_string_equal(vmx_instruction_error_text(7),
			    "VM entry with invalid control field(s)");
	assert_string_equal(vmx_instruction_error_text(~0u), "unknown error");
	assert_string_equal(vmx_status_name(VMX_FAIL_VALID), "VMfailValid");
}

static void test_types(void **state)
{
	(void)state;
	for (unsigned vector = 0; vector < 256; vector++) {
		enum vmx_interruption_type type = vmx_type_of_vector((uint8_t)vector);

		if (vector == 2)
			assert_int_equal(type, VMX_NMI);
		else if (vector == 3 || vector == 4)
			assert_int_equal(type, VMX_SOFTWARE_EXCEPTION);
		else if (vector < 32)
			assert_int_equal(type, VMX_HARDWARE_EXCEPTION);
		else
			assert_int_equal(type, VMX_EXTERNAL_INTERRUPT);
	}
	for (unsigned type = 0; type < 8; type++)
		assert_int_equal(vmx_type_needs_length((enum vmx_interruption_type)type),
				 type == 4 || type == 5 || type == 6);
	assert_string_equal(vmx_interruption_type_name(VMX_NMI), "NMI");
}

static void test_interruption_info(void **state)
{
	struct vmx_interruption pf = {
		.vector = 14, .type = VMX_HARDWARE_EXCEPTION, .has_error_code = true};
	struct vmx_interruption i;

	(void)state;
	assert_int_equal(vmx_interruption_pack(pf), 0x80000b0e);
	i = vmx_interruption_unpack(0x80000b0e);
	assert_true(i.valid && i.has_error_code && !i.nmi_unblocking);
	assert_int_equal(i.vector, 14);
	assert_int_equal(i.type, VMX_HARDWARE_EXCEPTION);
	i = vmx_interruption_unpack(0x00001202);
	assert_true(!i.valid && !i.has_error_code && i.nmi_unblocking);
	assert_int_equal(i.type, VMX_NMI);
	/* An interrupted delivery is injected again without bit 12, which is reserved there. */
	i = vmx_interruption_unpack(0x80001202);
	assert_int_equal(vmx_interruption_pack(i), 0x80000202);
}

static void test_control_names(void **state)
{
	(void)state;
	for (unsigned word = 0; word < VMX_CONTROL_WORD_COUNT; word++) {
		const struct vmx_control_names *n = &vmx_control_names[word];

		assert_non_null(n->word);
		for (size_t i = 0; i < n->bit_count; i++) {
			uint64_t mask = n->bits[i].mask;

			assert_int_equal(mask & (mask - 1), 0);
			assert_true(mask != 0);
			assert_true(i == 0 || mask > n->bits[i - 1].mask);
			for (size_t j = 0; j < i; j++)
				assert_string_not_equal(n->bits[i].name, n->bits[j].name);
		}
	}
	assert_string_equal(vmx_control_name(VMX_SECONDARY, SECONDARY_EPT), "enable EPT");
	assert_string_equal(vmx_control_name(VMX_EXIT, EXIT_ACTIVATE_SECONDARY),
			    "activate secondary controls");
	assert_string_equal(vmx_control_name(VMX_PIN, BIT32(1)), "reserved");
}

static void test_qualifications(void **state)
{
	struct cr_access cr = cr_access_decode(0x12340f74);
	struct dr_access dr = dr_access_decode(0x917);
	struct io_access io = io_access_decode(0x03f80008);
	struct ept_violation ept = ept_violation_decode(0x1a2);
	struct task_switch task = task_switch_decode(0xc0000028);
	struct apic_access apic = apic_access_decode(0x1300);

	(void)state;
	assert_int_equal(cr.cr, 4);
	assert_int_equal(cr.type, CR_LMSW);
	assert_true(cr.lmsw_memory);
	assert_int_equal(cr.reg, 15);
	assert_int_equal(cr.lmsw_source, 0x1234);
	assert_int_equal(dr.dr, 7);
	assert_true(dr.from);
	assert_int_equal(dr.reg, 9);
	assert_int_equal(io.port, 0x3f8);
	assert_int_equal(io.size, 1);
	assert_true(io.in && !io.string && !io.rep && !io.immediate);
	io = io_access_decode(0xffff0073);
	assert_int_equal(io.size, 4);
	assert_int_equal(io.port, 0xffff);
	assert_true(!io.in && io.string && io.rep && io.immediate);
	assert_true(!ept.read && ept.write && !ept.fetch);
	assert_true(!ept.readable && !ept.writable && ept.executable);
	assert_true(ept.linear_valid && ept.translated && !ept.nmi_unblocked);
	assert_int_equal(task.selector, 0x28);
	assert_int_equal(task.source, TASK_SWITCH_GATE);
	assert_int_equal(apic.offset, 0x300);
	assert_int_equal(apic.type, APIC_LINEAR_WRITE);
}

static void test_instruction_info(void **state)
{
	/* reg2 = 10, base rbx, no index, segment DS, 64-bit addresses, memory, scale 4 */
	struct instruction_info i = instruction_info_decode(0xa1c18102);
	struct string_io_info s = string_io_info_decode(0x00010080);

	(void)state;
	assert_int_equal(i.scale, 4);
	assert_int_equal(i.address_size, 8);
	assert_false(i.is_register);
	assert_int_equal(i.segment, 3);
	assert_false(i.has_index);
	assert_true(i.has_base);
	assert_int_equal(i.base, 3);
	assert_int_equal(i.reg2, 10);
	assert_int_equal(s.address_size, 4);
	assert_int_equal(s.segment, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exit_reasons),
		cmocka_unit_test(test_instruction_errors),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_interruption_info),
		cmocka_unit_test(test_control_names),
		cmocka_unit_test(test_qualifications),
		cmocka_unit_test(test_instruction_info),
	};

	return cmocka_run_group_tests_name("vmx", tests, NULL, NULL);
}
