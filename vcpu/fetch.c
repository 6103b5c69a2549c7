/* SPDX-License-Identifier: BSD-2-Clause */
/* Fetches and decodes the instruction that a guest is at. */
#include "vcpu/fetch.h"

#include "vcpu/linear.h"

static enum code_size code_size(struct vcpu *vcpu)
{
	struct segment cs;

	backend_get_segment(vcpu, SEG_CS, &cs);
	if (vcpu->mode == MODE_LONG && cs.access & SEGMENT_L)
		return CODE_64;
	return cs.access & SEGMENT_DB ? CODE_32 : CODE_16;
}

err_t fetch_instruction(struct vcpu *vcpu, struct fetched *fetched)
{
	*fetched = (struct fetched){.code = code_size(vcpu)};
	linear_fetch(vcpu, fetched->bytes, sizeof(fetched->bytes), &fetched->count);
	return decode(fetched->bytes, fetched->count, fetched->code, &fetched->instruction);
}
