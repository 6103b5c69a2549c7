/* SPDX-License-Identifier: BSD-2-Clause */
/* MTRRs: where each MSR's value is kept, and what may be written to it (SDM "Memory Type Range
 * Registers (MTRRs)"). */
#include "vcpu/mtrr.h"

#include "arch/x86_64/msr.h"
#include "vcpu/vm.h"

#define ALL_WB 0x0606060606060606ull

#define DEF_TYPE_TYPE   0xffull
#define DEF_TYPE_FIXED  BIT(10)
#define DEF_TYPE_ENABLE BIT(11)
#define BASE_TYPE       0xffull
#define BASE_RESERVED   0xf00ull
#define MASK_VALID      BIT(11)
#define MASK_RESERVED   0x7ffull

/* UC, WC, WT, WP, WB: UC- is for PAT alone. */
static bool is_type(uint64_t type)
{
	return type == MEMORY_UC || type == MEMORY_WC || (type >= MEMORY_WT && type <= MEMORY_WB);
}

/* The fixed ranges are not numbered in one piece. */
static unsigned fixed_index(uint32_t msr)
{
	if (msr == IA32_MTRR_FIX64K_00000)
		return 0;
	if (msr <= IA32_MTRR_FIX16K_A0000)
		return 1 + msr - IA32_MTRR_FIX16K_80000;
	return 3 + msr - IA32_MTRR_FIX4K_C0000;
}

static bool is_variable(uint32_t msr)
{
	return msr - IA32_MTRR_PHYSBASE(0) < MTRR_VARIABLE_COUNT;
}

void mtrr_init(struct mtrrs *mtrrs, unsigned physical_bits)
{
	uint64_t addresses = (1ull << physical_bits) - 1;

	*mtrrs = (struct mtrrs){
		.def_type = DEF_TYPE_ENABLE | DEF_TYPE_FIXED | MEMORY_WB,
		.fixed = {ALL_WB,                   ALL_WB                           },
		.variable = {VM_GAP_START | MEMORY_UC,
                          (addresses & ~(VM_GAP_END - VM_GAP_START - 1)) | MASK_VALID},
	};
}

uint64_t mtrr_read(const struct mtrrs *mtrrs, uint32_t msr)
{
	if (is_variable(msr))
		return mtrrs->variable[msr - IA32_MTRR_PHYSBASE(0)];
	if (msr == IA32_MTRR_DEF_TYPE)
		return mtrrs->def_type;
	return mtrrs->fixed[fixed_index(msr)];
}

bool mtrr_write(struct mtrrs *mtrrs, uint32_t msr, uint64_t value, unsigned physical_bits)
{
	uint64_t above = ~0ull << physical_bits;

	if (is_variable(msr)) {
		bool is_mask = msr & 1;

		if (value & (above | (is_mask ? MASK_RESERVED : BASE_RESERVED)))
			return false;
		if (!is_mask && !is_type(value & BASE_TYPE))
			return false;
		mtrrs->variable[msr - IA32_MTRR_PHYSBASE(0)] = value;
		return true;
	}
	if (msr == IA32_MTRR_DEF_TYPE) {
		if (value & ~(DEF_TYPE_TYPE | DEF_TYPE_FIXED | DEF_TYPE_ENABLE) ||
		    !is_type(value & DEF_TYPE_TYPE))
			return false;
		mtrrs->def_type = value;
		return true;
	}
	for (unsigned i = 0; i < 64; i += 8)
		if (!is_type(value >> i & 0xff))
			return false;
	mtrrs->fixed[fixed_index(msr)] = value;
	return true;
}
