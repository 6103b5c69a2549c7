/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that access guest-physical addresses without memory: decoded, and carried out with
 * the devices. Whatever the bytes are, RIP moves, a fault is raised, or the VM stops.
 */
#include "arch/x86_64/control_registers.h"
#include "kernel/format.h"
#include "vcpu/alu.h"
#include "vcpu/fetch.h"
#include "vcpu/linear.h"
#include "vcpu/vcpu.h"

/* Elements of a repeated string instruction that are done before the guest may be interrupted. */
#define ELEMENTS_AT_ONCE 256

/* An instruction being carried out. */
struct execution {
	struct vcpu *vcpu;
	struct instruction instruction;
	struct linear_context memory;    /* of the operand's segment */
	struct linear_context string_to; /* of ES, for strings */
	struct general_registers regs;   /* the guest's, with RSP filled in */
	uint64_t next_rip;
	uint64_t rflags;
};

static uint64_t swap_bytes(uint64_t value, unsigned size)
{
	return __builtin_bswap64(value) >> (64 - 8 * size);
}

static uint64_t sign_extend(uint64_t value, unsigned size)
{
	unsigned shift = 64 - 8 * size;

	return (uint64_t)((int64_t)(value << shift) >> shift);
}

static uint64_t operand_value(const struct execution *x)
{
	const struct instruction *in = &x->instruction;

	if (in->operand == OPERAND_IMMEDIATE)
		return in->immediate;
	if (in->reg_high_byte)
		return register_read_legacy8(&x->regs, in->reg);
	return register_read(&x->regs, in->reg, in->register_size);
}

static void set_register(struct execution *x, unsigned reg, unsigned size, bool high_byte,
			 uint64_t value)
{
	if (high_byte)
		register_write_legacy8(&x->regs, reg, (uint8_t)value);
	else
		register_write(&x->regs, reg, size, value);
}

static void set_operand(struct execution *x, uint64_t value)
{
	set_register(x, x->instruction.reg, x->instruction.register_size,
		     x->instruction.reg_high_byte, value);
}

static void tell(struct execution *x, uint64_t value)
{
	struct exit_record *record = x->vcpu->record;

	_Static_assert(EPT_MMIO == false && EPT_UNCLAIMED == true, "as assigned below");
	if (likely(!vcpu_records(x->vcpu)))
		return;
	record->detail[1] = value;
	record->ept_size = (uint8_t)x->instruction.size;
	record->ept_answer = x->vcpu->vm->bus.unanswered;
}

/* What an operation makes of memory and operand. Memory is to be written if true comes back. */
static bool compute(struct execution *x, uint64_t *memory)
{
	const struct instruction *in = &x->instruction;
	uint64_t old = *memory, operand = in->operand == OPERAND_NONE ? 0 : operand_value(x),
		 result;

	switch (in->operation) {
	case INSN_MOV:
	case INSN_MOVBE:
		if (in->operation == INSN_MOVBE) {
			old = swap_bytes(old, in->size);
			operand = swap_bytes(operand, in->size);
		}
		if (!in->memory_first) {
			set_operand(x, old);
			return false;
		}
		*memory = operand;
		return true;
	case INSN_MOVZX:
		set_operand(x, old);
		return false;
	case INSN_MOVSX:
		set_operand(x, sign_extend(old, in->size));
		return false;
	case INSN_XCHG:
		set_operand(x, old);
		*memory = operand;
		return true;
	case INSN_XADD:
		*memory = alu(INSN_ADD, in->size, old, operand, &x->rflags);
		set_operand(x, old);
		return true;
	case INSN_CMPXCHG:
		result = register_read(&x->regs, REG_RAX, in->size);
		alu(INSN_CMP, in->size, result, old, &x->rflags);
		if (x->rflags & RFLAGS_ZF)
			*memory = operand;
		else
			register_write(&x->regs, REG_RAX, in->size, old);
		return true;
	default:
		break;
	}
	if (in->memory_first || in->operand == OPERAND_NONE) {
		*memory = alu((enum operation)in->operation, in->size, old, operand, &x->rflags);
		return in->access & ACCESS_WRITE;
	}
	result = alu((enum operation)in->operation, in->size, operand, old, &x->rflags);
	if (in->operation != INSN_CMP && in->operation != INSN_TEST)
		set_operand(x, result);
	return false;
}

static enum linear_result execute_plain(struct execution *x)
{
	const struct instruction *in = &x->instruction;
	uint64_t offset = instruction_offset(in, &x->regs, x->next_rip, false), linear, memory = 0;
	bool writes = in->access & ACCESS_WRITE;
	enum linear_result result = linear_address(&x->memory, offset, in->size, writes, &linear);

	/* A write that would fault faults before a device is read. */
	if (result == LINEAR_OK && in->access == ACCESS_MODIFY)
		result = linear_probe(&x->memory, linear, in->size, true);
	if (result == LINEAR_OK && in->access & ACCESS_READ)
		result = linear_read(&x->memory, linear, &memory, in->size);
	if (result != LINEAR_OK)
		return result;
	tell(x, memory);
	if (compute(x, &memory)) {
		result = linear_write(&x->memory, linear, &memory, in->size);
		tell(x, memory);
	}
	return result;
}

static void step_index(struct execution *x, unsigned reg)
{
	const struct instruction *in = &x->instruction;
	uint64_t step = x->rflags & RFLAGS_DF ? -(uint64_t)in->size : in->size;

	register_write(&x->regs, reg, in->address_size,
		       register_read(&x->regs, reg, in->address_size) + step);
}

/* One element of a string instruction. */
static enum linear_result execute_element(struct execution *x)
{
	const struct instruction *in = &x->instruction;
	bool uses_si = in->operation == INSN_MOVS || in->operation == INSN_CMPS ||
		       in->operation == INSN_LODS;
	bool uses_di = in->operation != INSN_LODS;
	bool writes = in->operation == INSN_MOVS || in->operation == INSN_STOS;
	uint64_t from = 0, to = 0, linear_from = 0, linear_to = 0;
	uint64_t accumulator = register_read(&x->regs, REG_RAX, in->size);
	enum linear_result result = LINEAR_OK;

	if (uses_si)
		result = linear_address(&x->memory,
					register_read(&x->regs, REG_RSI, in->address_size),
					in->size, false, &linear_from);
	if (result == LINEAR_OK && uses_di)
		result = linear_address(&x->string_to,
					register_read(&x->regs, REG_RDI, in->address_size),
					in->size, writes, &linear_to);
	if (result == LINEAR_OK && writes)
		result = linear_probe(&x->string_to, linear_to, in->size, true);
	if (result == LINEAR_OK && uses_si)
		result = linear_read(&x->memory, linear_from, &from, in->size);
	if (result == LINEAR_OK && uses_di && !writes)
		result = linear_read(&x->string_to, linear_to, &to, in->size);
	if (result == LINEAR_OK && writes)
		result = linear_write(&x->string_to, linear_to,
				      in->operation == INSN_MOVS ? &from : &accumulator, in->size);
	if (result != LINEAR_OK)
		return result;
	tell(x, in->operation == INSN_STOS ? accumulator : uses_si ? from : to);
	if (in->operation == INSN_LODS)
		register_write(&x->regs, REG_RAX, in->size, from);
	else if (in->operation == INSN_CMPS)
		alu(INSN_CMP, in->size, from, to, &x->rflags);
	else if (in->operation == INSN_SCAS)
		alu(INSN_CMP, in->size, accumulator, to, &x->rflags);
	if (uses_si)
		step_index(x, REG_RSI);
	if (uses_di)
		step_index(x, REG_RDI);
	return LINEAR_OK;
}

/* False in *done: elements are left, and the instruction is to be repeated. */
static enum linear_result execute_string(struct execution *x, bool *done)
{
	const struct instruction *in = &x->instruction;
	bool compares = in->operation == INSN_CMPS || in->operation == INSN_SCAS;
	bool traps = x->rflags & RFLAGS_TF || x->memory.breakpoints;
	unsigned batch = traps ? 1 : ELEMENTS_AT_ONCE;
	uint64_t left = 1;

	*done = true;
	if (in->repeat != REPEAT_NONE)
		left = register_read(&x->regs, REG_RCX, in->address_size);
	while (left > 0) {
		enum linear_result result;

		if (batch-- == 0) {
			*done = false;
			return LINEAR_OK;
		}
		result = execute_element(x);
		if (result != LINEAR_OK)
			return result;
		left--;
		if (in->repeat == REPEAT_NONE)
			break;
		register_write(&x->regs, REG_RCX, in->address_size, left);
		if (compares && !(x->rflags & RFLAGS_ZF) == (in->repeat == REPEAT_E))
			break;
	}
	return LINEAR_OK;
}

/* Stops the VM over an instruction that cannot be carried out, with its bytes. */
static void stop(struct vcpu *vcpu, gpa_t gpa, const struct fetched *fetched, const char *why)
{
	char hex[3 * INSTRUCTION_BYTES_MAX + 1] = "";
	size_t at = 0;

	for (unsigned i = 0; i < fetched->count && at < sizeof(hex); i++)
		at += format(hex + at, sizeof(hex) - at, "%s%02x", i ? " " : "", fetched->bytes[i]);
	if (unlikely(vcpu_records(vcpu)))
		vcpu->record->detail[2] = EPT_STOPPED << 8;
	vm_stop(vcpu->vm, VM_ENDED_STOPPED, 0,
		"access to %llx, where there is no memory, by the bytes %s at RIP %llx: %s",
		(unsigned long long)gpa.raw, hex, (unsigned long long)backend_rip(vcpu), why);
}

static bool is_string(const struct instruction *in)
{
	return in->operation >= INSN_MOVS && in->operation <= INSN_SCAS;
}

static void begin(struct vcpu *vcpu, struct execution *x, const struct fetched *fetched)
{
	x->vcpu = vcpu;
	x->instruction = fetched->instruction;
	vcpu->vm->bus.unanswered = false;
	x->regs = vcpu->regs;
	x->regs.rsp = backend_rsp(vcpu);
	x->rflags = fetched->context.rflags;
	x->next_rip = backend_rip(vcpu) + x->instruction.length;
	if (fetched->code != CODE_64)
		x->next_rip = (uint32_t)x->next_rip;
	x->memory = fetched->context;
	linear_use_segment(&x->memory, (enum segment_index)x->instruction.segment);
	if (!is_string(&x->instruction))
		return;
	x->string_to = fetched->context;
	linear_use_segment(&x->string_to, SEG_ES);
}

/* Puts the registers back. Those of elements already done count even when the next one faults. */
static void commit(struct execution *x, bool done)
{
	struct vcpu *vcpu = x->vcpu;

	vcpu->regs = x->regs;
	if (x->regs.rsp != backend_rsp(vcpu))
		backend_set_rsp(vcpu, x->regs.rsp);
	/* RF ends with the instruction; before that it keeps a breakpoint from firing at each
	 * element. */
	backend_set_rflags(vcpu, done ? x->rflags & ~RFLAGS_RF : x->rflags | RFLAGS_RF);
	if (done)
		backend_set_rip(vcpu, x->next_rip);
	backend_instruction_done(vcpu);
}

enum outcome vcpu_mmio(struct vcpu *vcpu, gpa_t gpa, bool write)
{
	enum linear_result result = LINEAR_OK;
	struct fetched fetched;
	struct execution x;
	bool done = true;
	err_t err = fetch_instruction(vcpu, &fetched);
	const struct instruction *in = &fetched.instruction;

	if (!err && in->operation == INSN_UNSUPPORTED)
		err = "this instruction is not carried out on device memory";
	if (!err && in->access == ACCESS_NONE && in->operation != INSN_NOTHING)
		err = "this instruction accesses no memory";
	/* The processor can carry out any instruction, while that only reads where nothing is. */
	if (err && !write && !backend_read_ones(vcpu, gpa, "an instruction"))
		return OUTCOME_STAY;
	if (err) {
		stop(vcpu, gpa, &fetched, err);
		return OUTCOME_STAY;
	}
	begin(vcpu, &x, &fetched);
	if (is_string(in))
		result = execute_string(&x, &done);
	else if (in->operation != INSN_NOTHING)
		result = execute_plain(&x);
	if (result == LINEAR_OK)
		commit(&x, done);
	else if (is_string(in))
		vcpu->regs = x.regs;
	return OUTCOME_STAY;
}
