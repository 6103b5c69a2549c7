/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMCS as a plain structure: every field that it has with its value, taken from the processor or
 * made by a test. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86_64/vmcs_fields.h"

/* The fields numbered one after the other, as the table of names has them. */
#define VMCS_ORDINAL(name, encoding) VMCS_ORDINAL_##name,
enum vmcs_ordinal {
	VMCS_FIELDS_16(VMCS_ORDINAL) VMCS_FIELDS_64(VMCS_ORDINAL) VMCS_FIELDS_32(VMCS_ORDINAL)
		VMCS_FIELDS_NATURAL(VMCS_ORDINAL) VMCS_IMAGE_FIELDS
};
#undef VMCS_ORDINAL

struct vmcs_image {
	uint64_t value[VMCS_IMAGE_FIELDS];
	bool present[VMCS_IMAGE_FIELDS]; /* a field that this processor does not have is absent */
};

/* Without any field. */
void vmcs_image_clear(struct vmcs_image *image);

/* Takes every field of the current VMCS. */
void vmcs_image_read(struct vmcs_image *image);

/* False also for an encoding that the table of fields does not have. */
bool vmcs_image_has(const struct vmcs_image *image, uint32_t field);

/* The value of a field; 0 when it is absent. */
uint64_t vmcs_image_get(const struct vmcs_image *image, uint32_t field);

/* Makes the field present, with as many bits of the value as it has room for. */
void vmcs_image_set(struct vmcs_image *image, uint32_t field, uint64_t value);
