/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads and writes general registers by index, with the widths' semantics. */
#include "arch/x86_64/registers.h"

/* The low bits that `size` bytes cover. */
static uint64_t size_mask(unsigned size)
{
	return size >= 8 ? ~0ull : (1ull << 8 * size) - 1;
}

uint64_t register_read(const struct general_registers *regs, unsigned index, unsigned size)
{
	return regs->by_index[index % REG_COUNT] & size_mask(size);
}

void register_write(struct general_registers *regs, unsigned index, unsigned size, uint64_t value)
{
	uint64_t *reg = &regs->by_index[index % REG_COUNT];
	uint64_t mask = size_mask(size);

	if (size == 4)
		*reg = value & mask;
	else
		*reg = (*reg & ~mask) | (value & mask);
}

uint8_t register_read_legacy8(const struct general_registers *regs, unsigned index)
{
	unsigned shift = index & 4 ? 8 : 0;

	return (uint8_t)(regs->by_index[index & 3] >> shift);
}

void register_write_legacy8(struct general_registers *regs, unsigned index, uint8_t value)
{
	unsigned shift = index & 4 ? 8 : 0;
	uint64_t *reg = &regs->by_index[index & 3];

	*reg = (*reg & ~(0xffull << shift)) | (uint64_t)value << shift;
}
