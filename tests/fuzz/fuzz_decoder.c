/* SPDX-License-Identifier: BSD-2-Clause */
/* UNITS: vcpu/decoder.c vcpu/decoder_tables.c tests/fake/error.c */
/* Any bytes decode to something consistent, without a look behind them. The first byte chooses mode
 * and flags. */
#include <stdlib.h>
#include <string.h>

#include "vcpu/decoder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static bool is_size(unsigned size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

static void check_fields(const struct instruction *in)
{
	require(in->operation < INSN_OPERATION_COUNT);
	require(in->access <= ACCESS_MODIFY && in->operand <= OPERAND_IMMEDIATE);
	require(in->segment <= SEG_GS && is_size(in->scale) && is_size(in->operand_size));
	require(is_size(in->address_size) && in->address_size > 1);
	require(in->base < REG_COUNT || in->base == REG_RIP || in->base == REG_NONE);
	require(in->index < REG_COUNT || in->index == REG_NONE);
	require(in->reg < REG_COUNT);
	if (in->operation == INSN_UNSUPPORTED)
		return;
	require(is_size(in->size) && is_size(in->register_size));
	require(in->size == 8 || in->immediate >> (8 * in->size) == 0);
	require(!in->reg_high_byte || (in->reg >= 4 && in->reg < 8 && in->register_size == 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct general_registers regs;
	struct instruction in, again;
	enum code_size code;
	uint8_t *bytes;

	if (size < 1)
		return 0;
	code = data[0] % 3;
	size--;
	/* A block of its own, so that the sanitizer sees an overrun. */
	bytes = malloc(size ? size : 1);
	require(bytes != NULL);
	memcpy(bytes, data + 1, size);
	memset(&regs, data[0], sizeof(regs));

	if (!decode(bytes, (unsigned)size, code, &in)) {
		require(in.length >= 1 && in.length <= INSTRUCTION_BYTES_MAX && in.length <= size);
		check_fields(&in);
		require(!decode(bytes, in.length, code, &again));
		require(memcmp(&in, &again, sizeof(in)) == 0);
		require(decode(bytes, in.length - 1u, code, &again) != NULL);
		(void)instruction_offset(&in, &regs, ~0ul, data[0] & 8);
	}
	free(bytes);
	return 0;
}
