/* SPDX-License-Identifier: BSD-2-Clause */
/* UNITS: vcpu/decoder.c vcpu/decoder_tables.c tests/fake/error.c */
/* The instruction decoder against objdump: lengths and memory operands of random instructions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "vcpu/decoder.h"

#define SLOT   32 /* an instruction, and NOPs by which objdump finds its way back */
#define ROUNDS 20000

static uint8_t slots[ROUNDS][SLOT];
static uint64_t random_state;

static uint32_t random_bits(void)
{
	random_state = random_state * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)(random_state >> 33);
}

static unsigned pick(unsigned count)
{
	return random_bits() % count;
}

/* Random bytes, but with few prefixes, so that all opcodes and forms are met. */
static void make_instruction(uint8_t *slot, enum code_size code)
{
	static const uint8_t prefixes[] = {0x66, 0x67, 0xf2, 0xf3, 0x64, 0x65, 0x2e, 0x36};
	unsigned at = 0;

	memset(slot, 0x90, SLOT);
	while (pick(3) == 0)
		slot[at++ % 4] = prefixes[pick(sizeof(prefixes))];
	if (at > 4)
		at = 4;
	if (code == CODE_64 && pick(2))
		slot[at++] = (uint8_t)(0x40 + pick(16));
	if (pick(3) == 0) {
		slot[at++] = 0x0f;
		if (pick(10) == 0)
			slot[at++] = pick(2) ? 0x38 : 0x3a;
	}
	while (at < INSTRUCTION_BYTES_MAX)
		slot[at++] = (uint8_t)random_bits();
}

/* True when a line has nothing but prefixes: objdump shows those that it sees no use for by
 * themselves. */
static bool is_prefixes(const char *text)
{
	static const char *const prefixes[] = {"lock",   "repz",   "repnz",  "cs",     "ds",
					       "es",     "fs",     "gs",     "ss",     "rex",
					       "data16", "data32", "addr16", "addr32", "{rex}"};

	while (*text) {
		size_t length = strcspn(text, " "), i = 0;

		while (i < ARRAY_COUNT(prefixes) &&
		       strncmp(text, prefixes[i], strlen(prefixes[i])) != 0)
			i++;
		if (i == ARRAY_COUNT(prefixes))
			return false;
		text += length;
		text += strspn(text, " ");
	}
	return true;
}

/*
 * Lines of objdump that are no measure: what it does not know, and what it knows of processors that
 * are not Intel's or are long gone. FWAIT is one with the x87 instruction behind it there, but not
 * in the SDM.
 */
static bool is_no_measure(const uint8_t *bytes, unsigned length, const char *text)
{
	static const char *const unknown[] = {"(bad)",  ".byte", "extrq",  "insertq",
					      "xcrypt", "xsha",  "xstore", "montmul",
					      "jmpe",   ",tr",   " tr"};

	for (unsigned i = 0; i < ARRAY_COUNT(unknown); i++) {
		if (strstr(text, unknown[i]))
			return true;
	}
	return is_prefixes(text) || (length > 1 && memchr(bytes, 0x9b, 5));
}

/* The operand in memory as objdump's Intel syntax has it, without the segment. */
static void print_operand(const struct instruction *in, char *text, size_t size)
{
	static const char *const names[][16] = {
		{"ax",   "cx",  "dx",   "bx", "sp", "bp", "si", "di"},
		{ "eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi",              "r8d", "r9d", "r10d",
		 "r11d", "r12d", "r13d", "r14d", "r15d"},
		{              "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",                          "r8", "r9", "r10", "r11",
		 "r12", "r13", "r14", "r15"},
	};
	unsigned width = in->address_size == 2 ? 0 : in->address_size == 4 ? 1 : 2;
	static const char *const widths[] = {
		[1] = "BYTE", [2] = "WORD", [4] = "DWORD", [8] = "QWORD"};
	size_t at = (size_t)snprintf(text, size, "%s PTR ", widths[in->size]);

	at += (size_t)snprintf(text + at, size - at, "[");
	if (in->base == REG_RIP)
		at += (size_t)snprintf(text + at, size - at, width == 1 ? "eip" : "rip");
	else if (in->base != REG_NONE)
		at += (size_t)snprintf(text + at, size - at, "%s", names[width][in->base]);
	if (in->index != REG_NONE) {
		at += (size_t)snprintf(text + at, size - at, "%s%s",
				       in->base == REG_NONE ? "" : "+", names[width][in->index]);
		if (width > 0)
			at += (size_t)snprintf(text + at, size - at, "*%u", in->scale);
	}
	/* The displacement from RIP is shown without a sign. */
	if (in->base == REG_RIP)
		snprintf(text + at, size - at, "+0x%llx]", (unsigned long long)in->displacement);
	else
		snprintf(text + at, size - at, "%s0x%llx]", in->displacement < 0 ? "-" : "+",
			 in->displacement < 0 ? 0ull - (unsigned long long)in->displacement
					      : (unsigned long long)in->displacement);
}

/* Brings objdump's operand into the form of print_operand; false when it is one that is not
 * compared. */
static bool normalise(const char *text, char *out, size_t size)
{
	const char *pointer = strstr(text, " PTR ");
	const char *open, *close;
	char segment_free[128];

	if (!pointer || strstr(text, "iz"))
		return false; /* an index register that is none is shown as riz or eiz */
	while (pointer > text && pointer[-1] >= 'A' && pointer[-1] <= 'Z')
		pointer--;
	open = strchr(pointer, '[');
	close = open ? strchr(open, ']') : NULL;
	if (!close || (size_t)(close - pointer) > 100)
		return false; /* an absolute address */
	snprintf(segment_free, sizeof(segment_free), "%.*s%.*s",
		 (int)(strstr(pointer, " PTR ") + 5 - pointer), pointer, (int)(close - open), open);
	snprintf(out, size, "%s%s]", segment_free,
		 strstr(segment_free, "+0x") || strstr(segment_free, "-0x") ? "" : "+0x0");
	return true;
}

static bool compare_operand(const struct instruction *in, const char *text)
{
	char mine[160], theirs[160];

	if (in->operation == INSN_UNSUPPORTED || in->operation >= INSN_MOVS || !in->access)
		return false;
	/* objdump takes 66h before REX.W for 16 bits with MOVSXD. */
	if (in->operation == INSN_NOTHING || in->opcode == 0x63 ||
	    !normalise(text, theirs, sizeof(theirs)))
		return false;
	print_operand(in, mine, sizeof(mine));
	if (strcmp(mine, theirs) != 0)
		fail_msg("%s: operand %s, not %s", text, mine, theirs);
	return true;
}

/* What came of one instruction. */
struct tally {
	unsigned lengths, operands, vectors;
};

static void compare(const uint8_t *slot, enum code_size code, unsigned length, const char *text,
		    struct tally *tally)
{
	struct instruction in;
	err_t err;
	char hex[64];

	if (is_no_measure(slot, length, text))
		return;
	for (unsigned i = 0; i < 15; i++)
		snprintf(hex + 3 * i, 4, "%02x ", slot[i]);
	err = decode(slot, INSTRUCTION_BYTES_MAX, code, &in);
	if (err && strstr(err, "vector")) {
		tally->vectors++;
		return;
	}
	if (err)
		fail_msg("%s(%u bytes, %s): %s", hex, length, text, err);
	if (in.length != length)
		fail_msg("%s(%s): length %u, not %u", hex, text, in.length, length);
	tally->lengths++;
	if (compare_operand(&in, text))
		tally->operands++;
}

/* One line of objdump: "   1f40:\t48 8b 05 ... \tmov    rax,QWORD PTR [rip+0x10]        # 0x1f57"
 */
static void read_line(char *line, enum code_size code, struct tally *tally)
{
	unsigned long at;
	unsigned length = 0, byte;
	int used = 0;
	char *bytes, *text, *comment;

	if (sscanf(line, " %lx:%n", &at, &used) != 1 || line[used] != '\t' || at % SLOT != 0 ||
	    at / SLOT >= ROUNDS)
		return;
	bytes = line + used + 1;
	text = strchr(bytes, '\t');
	if (!text)
		return;
	*text++ = 0;
	while (sscanf(bytes, "%x%n", &byte, &used) == 1) {
		bytes += used;
		length++;
	}
	text[strcspn(text, "\n")] = 0;
	comment = strchr(text, '#');
	if (comment)
		*comment = 0;
	compare(slots[at / SLOT], code, length, text, tally);
}

static void compare_with_objdump(enum code_size code, const char *machine)
{
	char path[] = "/tmp/test_decoder_XXXXXX", command[256], line[512];
	int file = mkstemp(path);
	struct tally tally = {0};
	FILE *output;

	random_state = 20240101 + code;
	for (unsigned i = 0; i < ROUNDS; i++)
		make_instruction(slots[i], code);
	assert_true(file >= 0);
	unlink(path); /* nobody needs its name: objdump inherits the descriptor */
	assert_int_equal(write(file, slots, sizeof(slots)), sizeof(slots));
	snprintf(command, sizeof(command),
		 "objdump -D -z -b binary -m i386 -M %s,intel --insn-width=16 /dev/fd/%d", machine,
		 file);
	output = popen(command, "r");
	assert_non_null(output);
	while (fgets(line, sizeof(line), output))
		read_line(line, code, &tally);
	assert_int_equal(pclose(output), 0);
	close(file);
	print_message("# %s: %u lengths, %u operands alike; %u vectors\n", machine, tally.lengths,
		      tally.operands, tally.vectors);
	/* Most of what is tried must have been compared, or the comparison says little. */
	assert_true(tally.lengths > ROUNDS / 2);
	assert_true(tally.operands > ROUNDS / 12);
}

static void code_16(void **state)
{
	(void)state;
	compare_with_objdump(CODE_16, "i8086");
}

static void code_32(void **state)
{
	(void)state;
	compare_with_objdump(CODE_32, "i386");
}

static void code_64(void **state)
{
	(void)state;
	compare_with_objdump(CODE_64, "x86-64,intel64");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code_16),
		cmocka_unit_test(code_32),
		cmocka_unit_test(code_64),
	};

	return cmocka_run_group_tests_name("decoder_objdump", tests, NULL, NULL);
}
