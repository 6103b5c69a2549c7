/* SPDX-License-Identifier: BSD-2-Clause */
/* Arithmetic with flags. SDM, each instruction's "Flags Affected". */
#include "vcpu/alu.h"

#include "arch/x86_64/control_registers.h"

static void set(uint64_t *rflags, uint64_t flag, bool on)
{
	*rflags = on ? *rflags | flag : *rflags & ~flag;
}

static void set_result_flags(uint64_t *rflags, uint64_t result, unsigned bits)
{
	set(rflags, RFLAGS_ZF, result == 0);
	set(rflags, RFLAGS_SF, result >> (bits - 1) & 1);
	set(rflags, RFLAGS_PF, !__builtin_parity((unsigned)result & 0xff));
}

/* a + b + carry; a subtraction is the addition of the complement with the carry turned round. */
static uint64_t add(unsigned bits, uint64_t a, uint64_t b, bool carry, bool subtract,
		    uint64_t *rflags)
{
	uint64_t mask = ~0ull >> (64 - bits), second = subtract ? ~b & mask : b;
	unsigned __int128 sum = (unsigned __int128)a + second + (carry != subtract);
	uint64_t result = (uint64_t)sum & mask;

	set(rflags, RFLAGS_CF, (sum >> bits & 1) != subtract);
	set(rflags, RFLAGS_AF, (a ^ b ^ result) >> 4 & 1);
	set(rflags, RFLAGS_OF, (~(a ^ second) & (a ^ result)) >> (bits - 1) & 1);
	set_result_flags(rflags, result, bits);
	return result;
}

static uint64_t logic(unsigned bits, uint64_t result, uint64_t *rflags)
{
	set(rflags, RFLAGS_CF | RFLAGS_OF, false);
	set_result_flags(rflags, result, bits);
	return result;
}

uint64_t alu(enum operation operation, unsigned size, uint64_t a, uint64_t b, uint64_t *rflags)
{
	unsigned bits = 8 * size;
	uint64_t mask = ~0ull >> (64 - bits), carry_flag = *rflags & RFLAGS_CF, bit, result;

	a &= mask;
	if (operation >= INSN_BT && operation <= INSN_BTC) {
		bit = 1ull << (b & (bits - 1));
		set(rflags, RFLAGS_CF, a & bit);
		return operation == INSN_BTS   ? a | bit
		       : operation == INSN_BTR ? a & ~bit
		       : operation == INSN_BTC ? a ^ bit
					       : a;
	}
	b &= mask;
	switch (operation) {
	case INSN_ADD:
	case INSN_XADD:
		return add(bits, a, b, false, false, rflags);
	case INSN_ADC:
		return add(bits, a, b, carry_flag, false, rflags);
	case INSN_SUB:
		return add(bits, a, b, false, true, rflags);
	case INSN_SBB:
		return add(bits, a, b, carry_flag, true, rflags);
	case INSN_CMP:
	case INSN_CMPXCHG:
	case INSN_CMPS:
	case INSN_SCAS:
		add(bits, a, b, false, true, rflags);
		return a;
	case INSN_NEG:
		return add(bits, 0, a, false, true, rflags);
	case INSN_INC:
	case INSN_DEC:
		/* They leave CF alone. */
		result = add(bits, a, 1, false, operation == INSN_DEC, rflags);
		set(rflags, RFLAGS_CF, carry_flag);
		return result;
	case INSN_AND:
		return logic(bits, a & b, rflags);
	case INSN_OR:
		return logic(bits, a | b, rflags);
	case INSN_XOR:
		return logic(bits, a ^ b, rflags);
	case INSN_TEST:
		logic(bits, a & b, rflags);
		return a;
	case INSN_NOT:
		return ~a & mask;
	default:
		return a;
	}
}
