/* SPDX-License-Identifier: BSD-2-Clause */
/* Fetches and decodes the instruction that a guest is at. */
#include "vcpu/fetch.h"

static enum code_size code_size(const struct linear_context *code)
{
	if (code->code64)
		return CODE_64;
	return code->segment.access & SEGMENT_DB ? CODE_32 : CODE_16;
}

err_t fetch_instruction(struct vcpu *vcpu, struct fetched *fetched)
{
	linear_begin(vcpu, SEG_CS, &fetched->context);
	fetched->code = code_size(&fetched->context);
	fetched->count = linear_fetch(&fetched->context, fetched->bytes, sizeof(fetched->bytes));
	return decode(fetched->bytes, fetched->count, fetched->code, &fetched->instruction);
}
