/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of VMCS fields by name. */
#include "arch/x86_64/vmcs_fields.h"

#include "kernel/compiler.h"

#define INFO(name, encoding) {VMCS_##name, #name},

const struct vmcs_field_info vmcs_fields[] = {
	/* clang-format off */
	VMCS_FIELDS_16(INFO)
	VMCS_FIELDS_64(INFO)
	VMCS_FIELDS_32(INFO)
	VMCS_FIELDS_NATURAL(INFO)
	/* clang-format on */
};

const size_t vmcs_field_count = ARRAY_COUNT(vmcs_fields);

unsigned vmcs_field_bits(uint32_t encoding)
{
	static const uint8_t bits_of[] = {
		[VMCS_WIDTH_16] = 16,
		[VMCS_WIDTH_64] = 64,
		[VMCS_WIDTH_32] = 32,
		[VMCS_WIDTH_NATURAL] = 64,
	};

	return bits_of[vmcs_field_width(encoding)];
}

const char *vmcs_field_name(uint32_t encoding)
{
	size_t low = 0, high = vmcs_field_count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		uint32_t found = (uint32_t)vmcs_fields[middle].field;

		if (found == encoding)
			return vmcs_fields[middle].name;
		if (found < encoding)
			low = middle + 1;
		else
			high = middle;
	}
	return "?";
}
