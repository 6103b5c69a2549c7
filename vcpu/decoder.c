/* SPDX-License-Identifier: BSD-2-Clause */
/* Decodes a guest's instruction (SDM "Instruction Format"): prefixes, opcode, ModRM, SIB,
 * displacement, immediate. */
#include "vcpu/decoder.h"

#include <stddef.h>

#include "kernel/string.h"
#include "vcpu/decoder_tables.h"

/* Bits of a REX prefix. */
enum { REX_B = 1, REX_X = 2, REX_R = 4, REX_W = 8 };

/* An instruction while it is being decoded. */
struct decoder {
	const uint8_t *bytes;
	unsigned count, at;
	bool ran_out;
	enum code_size code;

	bool operand_prefix, address_prefix;
	uint8_t rex;     /* 0: none */
	uint8_t repeat;  /* the last of F2h and F3h, 0: none */
	uint8_t segment; /* of an override, REG_NONE: none */

	uint32_t map; /* 0, 0Fh, 0F38h, 0F3Ah */
	uint8_t opcode;
	bool has_modrm;
	uint8_t mod, reg, rm; /* as in the ModRM byte, without REX */

	struct instruction *out;
};

/* Takes the next `size` bytes, little-endian. Behind the last byte there are zeros, and ran_out
 * says so. */
static uint64_t take(struct decoder *d, unsigned size)
{
	uint64_t value = 0;

	if (size > d->count - d->at) {
		d->ran_out = true;
		d->at = d->count;
		return 0;
	}
	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)d->bytes[d->at++] << (8 * i);
	return value;
}

static uint64_t cut(uint64_t value, unsigned size)
{
	return size >= 8 ? value : value & ((1ul << (8 * size)) - 1);
}

static int64_t take_signed(struct decoder *d, unsigned size)
{
	uint64_t value = take(d, size);
	uint64_t sign = 1ul << (8 * size - 1);

	return (int64_t)((cut(value, size) ^ sign) - sign);
}

/* The segment that a prefix names, or REG_NONE. */
static uint8_t segment_of_prefix(uint8_t byte)
{
	static const struct {
		uint8_t prefix, segment;
	} overrides[] = {
		{0x26, SEG_ES},
                {0x2e, SEG_CS},
                {0x36, SEG_SS},
		{0x3e, SEG_DS},
                {0x64, SEG_FS},
                {0x65, SEG_GS},
	};

	for (unsigned i = 0; i < ARRAY_COUNT(overrides); i++) {
		if (overrides[i].prefix == byte)
			return overrides[i].segment;
	}
	return REG_NONE;
}

/* Notes a legacy prefix; false when the byte is none. */
static bool take_legacy_prefix(struct decoder *d, uint8_t byte)
{
	uint8_t segment = segment_of_prefix(byte);

	if (segment != REG_NONE) {
		/* 64-bit mode ignores those of ES, CS, SS and DS. */
		if (d->code != CODE_64 || segment >= SEG_FS)
			d->segment = segment;
	} else if (byte == 0x66) {
		d->operand_prefix = true;
	} else if (byte == 0x67) {
		d->address_prefix = true;
	} else if (byte == 0xf0) {
		d->out->lock = true;
	} else if (byte == 0xf2 || byte == 0xf3) {
		d->repeat = byte;
	} else {
		return false;
	}
	return true;
}

static void take_prefixes(struct decoder *d)
{
	while (d->at < d->count) {
		uint8_t byte = d->bytes[d->at];

		if (take_legacy_prefix(d, byte))
			d->rex = 0; /* REX counts directly before the opcode only */
		else if (d->code == CODE_64 && (byte & 0xf0) == 0x40)
			d->rex = byte;
		else
			break;
		d->at++;
	}
}

static void find_sizes(struct decoder *d)
{
	struct instruction *out = d->out;
	bool is_16 = d->code == CODE_16;

	if (d->rex & REX_W)
		out->operand_size = 8;
	else
		out->operand_size = is_16 != d->operand_prefix ? 2 : 4;
	if (d->code == CODE_64)
		out->address_size = d->address_prefix ? 4 : 8;
	else
		out->address_size = is_16 != d->address_prefix ? 2 : 4;
}

/*
 * C4h, C5h and 62h are VEX and EVEX when LES, LDS and BOUND would have a register operand; 8Fh is
 * POP as /0 only, and AMD's XOP else.
 */
static err_t check_vector_prefix(const struct decoder *d)
{
	static const struct {
		uint8_t opcode, mask, least;
		bool always_in_64bit;
		const char *name;
	} prefixes[] = {
		{0xc4, 0xc0, 0xc0, true,  "VEX" },
		{0xc5, 0xc0, 0xc0, true,  "VEX" },
		{0x62, 0xc0, 0xc0, true,  "EVEX"},
		{0x8f, 0x38, 0x01, false, "XOP" },
	};
	uint8_t next = d->at < d->count ? d->bytes[d->at] : 0;

	for (unsigned i = 0; i < ARRAY_COUNT(prefixes); i++) {
		if (d->opcode != prefixes[i].opcode)
			continue;
		if ((next & prefixes[i].mask) >= prefixes[i].least ||
		    (prefixes[i].always_in_64bit && d->code == CODE_64))
			return error("vector instructions (here: %s prefix) are not decoded",
				     prefixes[i].name);
	}
	return NULL;
}

static err_t take_opcode(struct decoder *d)
{
	d->opcode = (uint8_t)take(d, 1);
	if (d->opcode != 0x0f)
		return check_vector_prefix(d);
	d->map = 0x0f;
	d->opcode = (uint8_t)take(d, 1);
	if (d->opcode == 0x38 || d->opcode == 0x3a) {
		d->map = 0x0f00u | d->opcode;
		d->opcode = (uint8_t)take(d, 1);
	}
	return NULL;
}

/* The letter of vcpu/decoder_tables.h for what follows the opcode. */
static char find_form(const struct decoder *d)
{
	switch (d->map) {
	case 0:
		for (unsigned i = 0; d->code == CODE_64 && i < not_in_64bit_count; i++) {
			if (not_in_64bit[i] == d->opcode)
				return 'x';
		}
		return one_byte_forms[d->opcode];
	case 0x0f:
		return two_byte_forms[d->opcode];
	case 0x0f38:
		return 'm';
	default:
		return 'B';
	}
}

static uint8_t with_rex(const struct decoder *d, unsigned number, unsigned bit)
{
	return (uint8_t)(d->rex & bit ? number + 8 : number);
}

/* SDM "16-Bit Addressing Forms with the ModR/M Byte". */
static void take_address_16(struct decoder *d)
{
	static const struct {
		uint8_t base, index;
	} forms[8] = {
		{REG_RBX, REG_RSI },
                {REG_RBX, REG_RDI },
                {REG_RBP, REG_RSI },
                {REG_RBP, REG_RDI },
		{REG_RSI, REG_NONE},
                {REG_RDI, REG_NONE},
                {REG_RBP, REG_NONE},
                {REG_RBX, REG_NONE},
	};
	struct instruction *out = d->out;

	if (d->mod == 0 && d->rm == 6) {
		out->displacement = take_signed(d, 2);
		return;
	}
	out->base = forms[d->rm].base;
	out->index = forms[d->rm].index;
	if (d->mod != 0)
		out->displacement = take_signed(d, d->mod == 1 ? 1 : 2);
}

/* SDM "32-Bit Addressing Forms with the ModR/M Byte" and "RIP-Relative Addressing". */
static void take_address_32_64(struct decoder *d)
{
	struct instruction *out = d->out;
	unsigned base = d->rm;

	if (d->rm == 4) {
		uint8_t sib = (uint8_t)take(d, 1);

		base = sib & 7;
		out->scale = (uint8_t)(1u << (sib >> 6));
		out->index = with_rex(d, sib >> 3 & 7, REX_X);
		if (out->index == REG_RSP)
			out->index = REG_NONE;
	}
	if (d->mod == 0 && base == 5) {
		out->base = d->rm == 5 && d->code == CODE_64 ? REG_RIP : REG_NONE;
		out->displacement = take_signed(d, 4);
		return;
	}
	out->base = with_rex(d, base, REX_B);
	if (d->mod != 0)
		out->displacement = take_signed(d, d->mod == 1 ? 1 : 4);
}

static void take_modrm(struct decoder *d, bool always_registers)
{
	uint8_t modrm = (uint8_t)take(d, 1);

	d->has_modrm = true;
	d->mod = always_registers ? 3 : modrm >> 6;
	d->reg = modrm >> 3 & 7;
	d->rm = modrm & 7;
	if (d->mod == 3)
		return;
	if (d->out->address_size == 2)
		take_address_16(d);
	else
		take_address_32_64(d);
}

/* The size of the immediate for a letter; ModRM has been taken. */
static unsigned immediate_size(const struct decoder *d, char form)
{
	unsigned full = d->out->operand_size == 2 ? 2 : 4;
	bool test = d->reg < 2; /* group 3 */

	switch (form) {
	case 'b':
	case 'B':
		return 1;
	case '3':
		return test ? 1 : 0;
	case '4':
		return test ? full : 0;
	case 'w':
		return 2;
	case 'e':
		return 3;
	case 'z':
	case 'Z':
		return full;
	case 'v':
		return d->out->operand_size;
	case 'j':
		/* In 64-bit mode the operand size of near branches is fixed. */
		return d->code == CODE_64 ? 4 : full;
	case 'f':
		return full + 2;
	default:
		return 0;
	}
}

static err_t take_operands(struct decoder *d)
{
	char form = find_form(d);
	unsigned size;

	switch (form) {
	case 'x':
		return error("there is no instruction with opcode 0x%02x%s",
			     d->map << 8 | d->opcode, d->code == CODE_64 ? " in 64-bit mode" : "");
	case 'm':
	case 'B':
	case 'Z':
	case '3':
	case '4':
	case 'r':
		take_modrm(d, form == 'r');
		break;
	case 'o':
		d->out->displacement = (int64_t)take(d, d->out->address_size);
		return NULL;
	default:
		break;
	}
	size = immediate_size(d, form);
	/* Sizes that are no power of two have no meaning as one number, and nobody asks for it. */
	if (size == 1 || size == 2 || size == 4)
		d->out->immediate = (uint64_t)take_signed(d, size);
	else
		d->out->immediate = take(d, size);
	return NULL;
}

static bool is_string(unsigned operation)
{
	return operation >= INSN_MOVS && operation <= INSN_SCAS;
}

/* What the tables cannot say. */
static bool is_exception(const struct decoder *d, const struct semantics *semantics)
{
	if (d->map == 0 && d->opcode == 0x90 && (d->rex & REX_B))
		return true; /* XCHG R8, RAX */
	if (d->map == 0 && d->opcode == 0x63 && d->code != CODE_64)
		return true;                                                     /* ARPL */
	return semantics->operation == INSN_MOVBE && (d->repeat || d->mod == 3); /* CRC32 */
}

/* The size of the operand in memory. */
static uint8_t find_size(const struct decoder *d, const struct semantics *semantics)
{
	if (semantics->size == SIZE_OPERAND)
		return d->out->operand_size;
	if (semantics->size == SIZE_4_OR_8)
		return d->rex & REX_W ? 8 : 4;
	if (d->map == 0 && d->opcode == 0x63 && d->out->operand_size == 2)
		return 2; /* MOVSXD with a 16-bit operand reads no more */
	return semantics->size;
}

static void find_register(struct decoder *d)
{
	struct instruction *out = d->out;

	out->register_size = out->size;
	if (out->operation == INSN_MOVZX || out->operation == INSN_MOVSX)
		out->register_size = out->operand_size;
	if (out->operand != OPERAND_REGISTER)
		return;
	out->reg = d->has_modrm ? with_rex(d, d->reg, REX_R) : REG_RAX;
	out->reg_high_byte = out->register_size == 1 && !d->rex && out->reg >= 4;
}

/* MOVS, STOS and LODS take F2h for REP too, as processors do. */
static uint8_t find_repeat(const struct decoder *d, unsigned operation)
{
	if (!is_string(operation) || !d->repeat)
		return REPEAT_NONE;
	if (operation == INSN_CMPS || operation == INSN_SCAS)
		return d->repeat == 0xf2 ? REPEAT_NE : REPEAT_E;
	return REPEAT_E;
}

static void describe(struct decoder *d)
{
	const struct semantics *semantics = find_semantics(d->map, d->opcode, d->reg);
	struct instruction *out = d->out;

	if (!semantics || semantics->operation == INSN_UNSUPPORTED || is_exception(d, semantics))
		return;
	out->operation = semantics->operation;
	out->operand = semantics->operand;
	out->memory_first = semantics->memory_first;
	out->size = find_size(d, semantics);
	if (!d->has_modrm || d->mod != 3)
		out->access = semantics->access;
	out->repeat = find_repeat(d, out->operation);
	find_register(d);
	out->immediate = out->operand == OPERAND_IMMEDIATE ? cut(out->immediate, out->size) : 0;
	out->bit_string = out->operation >= INSN_BT && out->operation <= INSN_BTC &&
			  out->operand == OPERAND_REGISTER && out->access;
}

static uint8_t find_segment(const struct decoder *d)
{
	if (d->segment != REG_NONE)
		return d->segment;
	/* SDM "Default Segment Selection Rules": the stack's, when the base points into it. */
	if (d->out->base == REG_RSP || d->out->base == REG_RBP)
		return SEG_SS;
	return SEG_DS;
}

err_t decode(const uint8_t *bytes, unsigned count, enum code_size code, struct instruction *out)
{
	struct decoder d = {.bytes = bytes, .count = count, .code = code, .segment = REG_NONE};
	err_t err;

	if (count > INSTRUCTION_BYTES_MAX)
		d.count = INSTRUCTION_BYTES_MAX;
	*out = (struct instruction){.base = REG_NONE, .index = REG_NONE, .scale = 1};
	d.out = out;

	take_prefixes(&d);
	find_sizes(&d);
	err = take_opcode(&d);
	if (!err)
		err = take_operands(&d);
	if (d.ran_out && d.count == INSTRUCTION_BYTES_MAX)
		return error("the instruction is longer than %u bytes", INSTRUCTION_BYTES_MAX);
	if (d.ran_out)
		return error("the instruction is longer than the %u bytes that could be fetched",
			     d.count);
	if (err)
		return err;
	out->length = (uint8_t)d.at;
	out->opcode = d.map << 8 | d.opcode;
	out->segment = find_segment(&d);
	describe(&d);
	return NULL;
}

/* How far a register's value moves the operand of the BT family: whole operands, signed. */
static uint64_t bit_string_distance(const struct instruction *instruction,
				    const struct general_registers *regs)
{
	uint64_t bits = 8ul * instruction->size;
	uint64_t sign = 1ul << (bits - 1);
	uint64_t value = cut(regs->by_index[instruction->reg], instruction->size);

	/* Division that rounds down, of what may be negative. */
	value = (value ^ sign) - sign;
	return (uint64_t)((int64_t)(value & ~(bits - 1)) / 8);
}

uint64_t instruction_offset(const struct instruction *instruction,
			    const struct general_registers *regs, uint64_t next_rip, bool write)
{
	uint64_t offset = (uint64_t)instruction->displacement;

	if (is_string(instruction->operation)) {
		bool destination = write || instruction->operation == INSN_SCAS;

		offset = destination ? regs->rdi : regs->rsi;
		return cut(offset, instruction->address_size);
	}
	if (instruction->base == REG_RIP)
		offset += next_rip;
	else if (instruction->base != REG_NONE)
		offset += regs->by_index[instruction->base];
	if (instruction->index != REG_NONE)
		offset += regs->by_index[instruction->index] * instruction->scale;
	if (instruction->bit_string)
		offset += bit_string_distance(instruction, regs);
	return cut(offset, instruction->address_size);
}
