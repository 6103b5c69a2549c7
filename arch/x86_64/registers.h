/* SPDX-License-Identifier: BSD-2-Clause */
/* The general registers in opcode order, and access to them by index with the widths' semantics. */
#pragma once

#include <stdint.h>

enum register_index {
	REG_RAX,
	REG_RCX,
	REG_RDX,
	REG_RBX,
	REG_RSP,
	REG_RBP,
	REG_RSI,
	REG_RDI,
	REG_R8,
	REG_R9,
	REG_R10,
	REG_R11,
	REG_R12,
	REG_R13,
	REG_R14,
	REG_R15,
	REG_COUNT
};

/*
 * Ordered as ModRM and REX number them. Of a running vCPU the rsp slot is a gap: RSP lives in the
 * VMCS, and the exit stub leaves this slot alone.
 */
struct general_registers {
	union {
		struct {
			uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi;
			uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
		};
		uint64_t by_index[REG_COUNT];
	};
};

_Static_assert(sizeof(struct general_registers) == 128, "16 registers of 8 bytes");

/* The low `size` bytes (1, 2, 4, 8) of a register. */
uint64_t register_read(const struct general_registers *regs, unsigned index, unsigned size);

/* Writes as an instruction does: 4 bytes clear the upper half, 1 and 2 bytes keep the rest. */
void register_write(struct general_registers *regs, unsigned index, unsigned size, uint64_t value);

/* The byte registers of an instruction without REX: 4 to 7 are AH, CH, DH, BH. */
uint8_t register_read_legacy8(const struct general_registers *regs, unsigned index);
void register_write_legacy8(struct general_registers *regs, unsigned index, uint8_t value);
