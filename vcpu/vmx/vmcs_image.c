/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMCS as a plain structure: where each field is in it. */
#include "vcpu/vmx/vmcs_image.h"

#include "arch/x86_64/vmx_instructions.h"
#include "kernel/compiler.h"
#include "kernel/string.h"

/* Width, type and index of an encoding tell a field; of the index no field uses more than six bits.
 */
#define SLOT(encoding)                                                                             \
	(((encoding) >> 13 & 3) << 8 | ((encoding) >> 10 & 3) << 6 | ((encoding) >> 1 & 63))

/* By slot: one more than the ordinal, so that 0 is no field. */
#define ENTRY(name, encoding) [SLOT(encoding)] = VMCS_ORDINAL_##name + 1,
static const uint8_t ordinals[] = {
	/* clang-format off */
	VMCS_FIELDS_16(ENTRY)
	VMCS_FIELDS_64(ENTRY)
	VMCS_FIELDS_32(ENTRY)
	VMCS_FIELDS_NATURAL(ENTRY)
	/* clang-format on */
};

_Static_assert(VMCS_IMAGE_FIELDS < 255, "an ordinal has 8 bits");

/* The ordinal, or a negative number. */
static int ordinal_of(uint32_t field)
{
	uint32_t slot = SLOT(field);
	int ordinal;

	if (slot >= ARRAY_COUNT(ordinals))
		return -1;
	ordinal = ordinals[slot] - 1;
	return ordinal >= 0 && vmcs_fields[ordinal].field == field ? ordinal : -1;
}

void vmcs_image_clear(struct vmcs_image *image)
{
	memset(image, 0, sizeof(*image));
}

void vmcs_image_read(struct vmcs_image *image)
{
	vmcs_image_clear(image);
	for (size_t i = 0; i < VMCS_IMAGE_FIELDS; i++)
		image->present[i] =
			vmread_checked((uint32_t)vmcs_fields[i].field, &image->value[i]) == VMX_OK;
}

bool vmcs_image_has(const struct vmcs_image *image, uint32_t field)
{
	int ordinal = ordinal_of(field);

	return ordinal >= 0 && image->present[ordinal];
}

uint64_t vmcs_image_get(const struct vmcs_image *image, uint32_t field)
{
	int ordinal = ordinal_of(field);

	return ordinal >= 0 ? image->value[ordinal] : 0;
}

void vmcs_image_set(struct vmcs_image *image, uint32_t field, uint64_t value)
{
	int ordinal = ordinal_of(field);
	unsigned width = vmcs_field_bits(field);

	if (ordinal < 0)
		return;
	image->present[ordinal] = true;
	image->value[ordinal] = width < 64 ? value & ((1ull << width) - 1) : value;
}
