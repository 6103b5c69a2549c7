/* SPDX-License-Identifier: BSD-2-Clause */
/* UNITS: vcpu/decoder.c vcpu/decoder_tables.c tests/fake/error.c */
/* The instruction decoder on encodings worked out by hand from the SDM. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "vcpu/decoder.h"

/* Writes a decoded instruction as a line of text, so that a table can say what is expected. */
static const char *describe(const struct instruction *in)
{
	static const char *const segments[] = {"es", "cs", "ss", "ds", "fs", "gs"};
	static const char *const accesses[] = {"-", "r", "w", "rw"};
	static const char *const registers[] = {"ax",  "cx",  "dx",  "bx", "sp",  "bp",
						"si",  "di",  "r8",  "r9", "r10", "r11",
						"r12", "r13", "r14", "r15"};
	static char text[256];
	size_t at;

	at = (size_t)snprintf(text, sizeof(text), "%u %s", in->length,
			      operation_name(in->operation));
	if (in->operation == INSN_UNSUPPORTED)
		return text;
	at += (size_t)snprintf(text + at, sizeof(text) - at, "%u %s%s", in->size * 8,
			       in->lock ? "lock " : "", accesses[in->access]);
	if (in->access && in->operation < INSN_MOVS) {
		at += (size_t)snprintf(text + at, sizeof(text) - at, " %s:[",
				       segments[in->segment]);
		if (in->base == REG_RIP)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "rip+");
		else if (in->base != REG_NONE)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s+",
					       registers[in->base]);
		if (in->index != REG_NONE)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s*%u+",
					       registers[in->index], in->scale);
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%lld]/%u",
				       (long long)in->displacement, in->address_size * 8);
	} else if (in->operation >= INSN_MOVS) {
		at += (size_t)snprintf(text + at, sizeof(text) - at, " %s/%u%s",
				       segments[in->segment], in->address_size * 8,
				       in->repeat == REPEAT_E    ? " rep"
				       : in->repeat == REPEAT_NE ? " repne"
								 : "");
	}
	if (in->operand == OPERAND_REGISTER)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s %s%u",
				       in->memory_first ? "," : " to",
				       in->reg_high_byte ? "high " : "", in->reg);
	if (in->register_size != in->size)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "/%u", in->register_size * 8);
	if (in->operand == OPERAND_IMMEDIATE)
		snprintf(text + at, sizeof(text) - at, ", 0x%llx",
			 (unsigned long long)in->immediate);
	return text;
}

/* Reads "48 8b 05" into bytes and returns the count. */
static unsigned read_hex(const char *text, uint8_t *bytes)
{
	unsigned count = 0, byte;
	int used;

	while (count < 32 && sscanf(text, "%x%n", &byte, &used) == 1) {
		bytes[count++] = (uint8_t)byte;
		text += used;
	}
	return count;
}

struct example {
	enum code_size code;
	const char *hex;
	const char *expected;
};

static void check(const struct example *examples, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct instruction in;
		uint8_t bytes[32];
		unsigned size = read_hex(examples[i].hex, bytes);
		err_t err = decode(bytes, size, examples[i].code, &in);
		const char *text = err ? err : describe(&in);

		if (strcmp(text, examples[i].expected) != 0)
			fail_msg("%s in %u-bit code: \"%s\", not \"%s\"", examples[i].hex,
				 16u << examples[i].code, text, examples[i].expected);
		/* Bytes behind the instruction do not matter, any missing byte does. */
		for (unsigned have = 0; !err && have < size; have++)
			assert_non_null(decode(bytes, have, examples[i].code, &in));
	}
}

static void moves(void **state)
{
	static const struct example examples[] = {
		{CODE_64, "88 08",                         "2 MOV8 w ds:[ax+0]/64, 1"                  },
		{CODE_64, "89 08",                         "2 MOV32 w ds:[ax+0]/64, 1"                 },
		{CODE_64, "48 89 08",                      "3 MOV64 w ds:[ax+0]/64, 1"                 },
		{CODE_64, "66 89 08",                      "3 MOV16 w ds:[ax+0]/64, 1"                 },
		{CODE_64, "66 48 89 08",                   "4 MOV64 w ds:[ax+0]/64, 1"                 },
		{CODE_64, "48 66 89 08",                   "4 MOV16 w ds:[ax+0]/64, 1"                 }, /* REX not before opcode */
		{CODE_64, "8a 08",                         "2 MOV8 r ds:[ax+0]/64 to 1"                },
		{CODE_64, "8b 08",                         "2 MOV32 r ds:[ax+0]/64 to 1"               },
		{CODE_64, "8a 20",                         "2 MOV8 r ds:[ax+0]/64 to high 4"           },
		{CODE_64, "40 8a 20",                      "3 MOV8 r ds:[ax+0]/64 to 4"                },
		{CODE_64, "44 8a 20",                      "3 MOV8 r ds:[ax+0]/64 to 12"               },
		{CODE_64, "c6 00 ff",                      "3 MOV8 w ds:[ax+0]/64, 0xff"               },
		{CODE_64, "c7 00 78 56 34 92",             "6 MOV32 w ds:[ax+0]/64, 0x92345678"        },
		{CODE_64, "48 c7 00 78 56 34 92",          "7 MOV64 w ds:[ax+0]/64, 0xffffffff92345678"},
		{CODE_64, "66 c7 00 34 12",                "5 MOV16 w ds:[ax+0]/64, 0x1234"            },
		{CODE_64, "c7 48 00 01 02 03 04",          "7 unsupported"                             }, /* no such /1 */
		{CODE_64, "a0 88 77 66 55 44 33 22 11",
		 "9 MOV8 r ds:[1234605616436508552]/64 to 0"                                           },
		{CODE_64, "67 a1 f0 ff ff ff",             "6 MOV32 r ds:[4294967280]/32 to 0"         },
		{CODE_32, "a3 00 00 e0 fe",                "5 MOV32 w ds:[4276092928]/32, 0"           },
		{CODE_32, "67 a2 34 12",                   "4 MOV8 w ds:[4660]/16, 0"                  },
		{CODE_16, "a3 00 80",                      "3 MOV16 w ds:[32768]/16, 0"                },
		{CODE_64, "89 c8",                         "2 MOV32 -, 1"                              },
		{CODE_64, "0f c3 08",                      "3 MOV32 w ds:[ax+0]/64, 1"                 },
		{CODE_16, "0f c3 0f",                      "3 MOV32 w ds:[bx+0]/16, 1"                 },
		{CODE_64, "4c 0f c3 08",                   "4 MOV64 w ds:[ax+0]/64, 9"                 },
		{CODE_64, "0f 38 f0 08",                   "4 MOVBE32 r ds:[ax+0]/64 to 1"             },
		{CODE_64, "66 0f 38 f1 08",                "5 MOVBE16 w ds:[ax+0]/64, 1"               },
		{CODE_64, "f2 0f 38 f1 08",                "5 unsupported"                             }, /* CRC32 */
		{CODE_64, "8c 08",                         "2 unsupported"                             },
		{CODE_64, "48 b8 01 02 03 04 05 06 07 08", "10 unsupported"                            },
	};

	(void)state;
	check(examples, ARRAY_COUNT(examples));
}

static void extensions(void **state)
{
	static const struct example examples[] = {
		{CODE_64, "0f b6 08",    "3 MOVZX8 r ds:[ax+0]/64 to 1/32" },
		{CODE_64, "0f b6 20",    "3 MOVZX8 r ds:[ax+0]/64 to 4/32" }, /* not AH */
		{CODE_64, "48 0f b7 08", "4 MOVZX16 r ds:[ax+0]/64 to 1/64"},
		{CODE_64, "66 0f be 08", "4 MOVSX8 r ds:[ax+0]/64 to 1/16" },
		{CODE_16, "0f bf 07",    "3 MOVSX16 r ds:[bx+0]/16 to 0"   },
		{CODE_16, "66 0f b6 07", "4 MOVZX8 r ds:[bx+0]/16 to 0/32" },
		{CODE_64, "48 63 08",    "3 MOVSX32 r ds:[ax+0]/64 to 1/64"},
		{CODE_64, "63 08",       "2 MOVSX32 r ds:[ax+0]/64 to 1"   },
		{CODE_64, "66 63 08",    "3 MOVSX16 r ds:[ax+0]/64 to 1"   },
		{CODE_32, "63 08",       "2 unsupported"                   }, /* ARPL */
	};

	(void)state;
	check(examples, ARRAY_COUNT(examples));
}

static void addresses(void **state)
{
	static const struct example examples[] = {
		{CODE_64, "8b 05 10 00 00 00",             "6 MOV32 r ds:[rip+16]/64 to 0"     },
		{CODE_64, "67 8b 05 f0 ff ff ff",          "7 MOV32 r ds:[rip+-16]/32 to 0"    },
		{CODE_64, "c7 05 f0 ff ff ff 01 00 00 00", "10 MOV32 w ds:[rip+-16]/64, 0x1"   },
		{CODE_32, "8b 05 10 00 00 00",             "6 MOV32 r ds:[16]/32 to 0"         },
		{CODE_64, "8b 04 25 00 00 e0 fe",          "7 MOV32 r ds:[-18874368]/64 to 0"  },
		{CODE_64, "8b 40 80",                      "3 MOV32 r ds:[ax+-128]/64 to 0"    },
		{CODE_64, "8b 80 00 01 00 00",             "6 MOV32 r ds:[ax+256]/64 to 0"     },
		{CODE_64, "8b 45 00",                      "3 MOV32 r ss:[bp+0]/64 to 0"       },
		{CODE_64, "41 8b 45 00",                   "4 MOV32 r ds:[r13+0]/64 to 0"      },
		{CODE_64, "8b 04 24",                      "3 MOV32 r ss:[sp+0]/64 to 0"       },
		{CODE_64, "41 8b 04 24",                   "4 MOV32 r ds:[r12+0]/64 to 0"      },
		{CODE_64, "8b 04 c8",                      "3 MOV32 r ds:[ax+cx*8+0]/64 to 0"  },
		{CODE_64, "42 8b 04 60",                   "4 MOV32 r ds:[ax+r12*2+0]/64 to 0" },
		{CODE_64, "8b 04 60",                      "3 MOV32 r ds:[ax+0]/64 to 0"       }, /* index 4: none */
		{CODE_64, "8b 04 8d 10 00 00 00",          "7 MOV32 r ds:[cx*4+16]/64 to 0"    },
		{CODE_64, "43 8b 44 ac 08",                "5 MOV32 r ds:[r12+r13*4+8]/64 to 0"},
		{CODE_64, "41 8b 04 8d 10 00 00 00",       "8 MOV32 r ds:[cx*4+16]/64 to 0"    },
		{CODE_64, "67 8b 00",                      "3 MOV32 r ds:[ax+0]/32 to 0"       },
		{CODE_64, "64 8b 00",                      "3 MOV32 r fs:[ax+0]/64 to 0"       },
		{CODE_64, "2e 8b 45 00",                   "4 MOV32 r ss:[bp+0]/64 to 0"       },
		{CODE_64, "65 3e 8b 00",                   "4 MOV32 r gs:[ax+0]/64 to 0"       },
		{CODE_32, "65 3e 8b 45 00",                "5 MOV32 r ds:[bp+0]/32 to 0"       },
		{CODE_32, "8b 44 24 04",                   "4 MOV32 r ss:[sp+4]/32 to 0"       },
		{CODE_32, "67 8b 07",                      "3 MOV32 r ds:[bx+0]/16 to 0"       },
		{CODE_16, "8b 00",                         "2 MOV16 r ds:[bx+si*1+0]/16 to 0"  },
		{CODE_16, "8b 43 fe",                      "3 MOV16 r ss:[bp+di*1+-2]/16 to 0" },
		{CODE_16, "8b 46 00",                      "3 MOV16 r ss:[bp+0]/16 to 0"       },
		{CODE_16, "8b 06 34 12",                   "4 MOV16 r ds:[4660]/16 to 0"       },
		{CODE_16, "8b 84 00 80",                   "4 MOV16 r ds:[si+-32768]/16 to 0"  },
		{CODE_16, "26 8b 05",                      "3 MOV16 r es:[di+0]/16 to 0"       },
		{CODE_16, "67 66 8b 04 58",                "5 MOV32 r ds:[ax+bx*2+0]/32 to 0"  },
	};

	(void)state;
	check(examples, ARRAY_COUNT(examples));
}

static void arithmetic(void **state)
{
	static const struct example examples[] = {
		{CODE_64, "01 08",             "2 ADD32 rw ds:[ax+0]/64, 1"                },
		{CODE_64, "03 08",             "2 ADD32 r ds:[ax+0]/64 to 1"               },
		{CODE_64, "0a 08",             "2 OR8 r ds:[ax+0]/64 to 1"                 },
		{CODE_64, "f0 08 20",          "3 OR8 lock rw ds:[ax+0]/64, high 4"        },
		{CODE_64, "11 08",             "2 ADC32 rw ds:[ax+0]/64, 1"                },
		{CODE_64, "19 08",             "2 SBB32 rw ds:[ax+0]/64, 1"                },
		{CODE_64, "48 21 08",          "3 AND64 rw ds:[ax+0]/64, 1"                },
		{CODE_64, "29 08",             "2 SUB32 rw ds:[ax+0]/64, 1"                },
		{CODE_64, "31 08",             "2 XOR32 rw ds:[ax+0]/64, 1"                },
		{CODE_64, "39 08",             "2 CMP32 r ds:[ax+0]/64, 1"                 },
		{CODE_64, "3b 08",             "2 CMP32 r ds:[ax+0]/64 to 1"               },
		{CODE_64, "85 08",             "2 TEST32 r ds:[ax+0]/64, 1"                },
		{CODE_64, "83 08 f0",          "3 OR32 rw ds:[ax+0]/64, 0xfffffff0"        },
		{CODE_64, "48 83 38 f0",       "4 CMP64 r ds:[ax+0]/64, 0xfffffffffffffff0"},
		{CODE_64, "80 20 80",          "3 AND8 rw ds:[ax+0]/64, 0x80"              },
		{CODE_64, "81 28 44 33 22 11", "6 SUB32 rw ds:[ax+0]/64, 0x11223344"       },
		{CODE_16, "81 37 44 33",       "4 XOR16 rw ds:[bx+0]/16, 0x3344"           },
		{CODE_32, "82 00 01",          "3 ADD8 rw ds:[ax+0]/32, 0x1"               },
		{CODE_64, "f6 00 80",          "3 TEST8 r ds:[ax+0]/64, 0x80"              },
		{CODE_64, "f7 00 44 33 22 11", "6 TEST32 r ds:[ax+0]/64, 0x11223344"       },
		{CODE_64, "f7 10",             "2 NOT32 rw ds:[ax+0]/64"                   },
		{CODE_64, "f6 18",             "2 NEG8 rw ds:[ax+0]/64"                    },
		{CODE_64, "f7 20",             "2 unsupported"                             }, /* MUL */
		{CODE_64, "fe 00",             "2 INC8 rw ds:[ax+0]/64"                    },
		{CODE_64, "66 ff 08",          "3 DEC16 rw ds:[ax+0]/64"                   },
		{CODE_64, "87 08",             "2 XCHG32 rw ds:[ax+0]/64, 1"               },
		{CODE_64, "0f c1 08",          "3 XADD32 rw ds:[ax+0]/64, 1"               },
		{CODE_64, "f0 0f b1 08",       "4 CMPXCHG32 lock rw ds:[ax+0]/64, 1"       },
		{CODE_64, "0f b0 08",          "3 CMPXCHG8 rw ds:[ax+0]/64, 1"             },
		{CODE_64, "0f c7 08",          "3 unsupported"                             }, /* CMPXCHG8B */
		{CODE_64, "48 0f c7 08",       "4 unsupported"                             },
		{CODE_64, "0f a3 08",          "3 BT32 r ds:[ax+0]/64, 1"                  },
		{CODE_64, "f0 48 0f ab 08",    "5 BTS64 lock rw ds:[ax+0]/64, 1"           },
		{CODE_64, "0f b3 08",          "3 BTR32 rw ds:[ax+0]/64, 1"                },
		{CODE_64, "0f bb 08",          "3 BTC32 rw ds:[ax+0]/64, 1"                },
		{CODE_64, "0f ba 20 07",       "4 BT32 r ds:[ax+0]/64, 0x7"                },
		{CODE_64, "0f ba 28 07",       "4 BTS32 rw ds:[ax+0]/64, 0x7"              },
		{CODE_64, "0f ba 00 07",       "4 unsupported"                             },
	};

	(void)state;
	check(examples, ARRAY_COUNT(examples));
}

static void strings(void **state)
{
	static const struct example examples[] = {
		{CODE_64, "a4",             "1 MOVS8 rw ds/64"          },
		{CODE_64, "f3 48 a5",       "3 MOVS64 rw ds/64 rep"     },
		{CODE_64, "f2 a5",          "2 MOVS32 rw ds/64 rep"     },
		{CODE_64, "f3 aa",          "2 STOS8 w ds/64 rep, 0"    },
		{CODE_16, "f3 ab",          "2 STOS16 w ds/16 rep, 0"   },
		{CODE_16, "67 66 f3 26 ab", "5 STOS32 w es/32 rep, 0"   },
		{CODE_64, "65 ad",          "2 LODS32 r gs/64 to 0"     },
		{CODE_32, "f2 ae",          "2 SCAS8 r ds/32 repne to 0"},
		{CODE_32, "f3 a6",          "2 CMPS8 r ds/32 rep"       },
		{CODE_32, "6c",             "1 unsupported"             }, /* INS */
	};

	(void)state;
	check(examples, ARRAY_COUNT(examples));
}

static void without_effect(void **state)
{
	static const struct example examples[] = {
		{CODE_64, "90",                      "1 NOP32 -"            },
		{CODE_64, "49 90",                   "2 unsupported"        }, /* XCHG R8, RAX */
		{CODE_64, "f3 90",                   "2 NOP32 -"            },
		{CODE_64, "0f 1f 84 00 00 00 00 00", "8 NOP8 -"             },
		{CODE_64, "0f 18 08",                "3 NOP8 -"             },
		{CODE_64, "0f 0d 08",                "3 NOP8 -"             },
		{CODE_64, "0f ae 38",                "3 NOP8 r ds:[ax+0]/64"},
	};

	(void)state;
	check(examples, ARRAY_COUNT(examples));
}

/* Their length is all that is known. */
static void lengths(void **state)
{
	static const struct example examples[] = {
		{CODE_64, "ff 30",				     "2 unsupported"}, /* PUSH */
		{CODE_64, "8f 00",				     "2 unsupported"}, /* POP */
		{CODE_64, "ff 15 00 00 00 00",                         "6 unsupported"}, /* CALL */
		{CODE_64, "ff 25 00 00 00 00",                         "6 unsupported"}, /* JMP */
		{CODE_64, "e8 00 00 00 00",                            "5 unsupported"},
		{CODE_64, "66 e8 00 00 00 00",                         "6 unsupported"},
		{CODE_32, "66 e8 00 00",                               "4 unsupported"},
		{CODE_32, "ea 00 00 00 00 00 00",                      "7 unsupported"},
		{CODE_16, "ea 00 00 00 00",                            "5 unsupported"},
		{CODE_16, "c8 00 00 00",                               "4 unsupported"},
		{CODE_32, "62 00",				     "2 unsupported"}, /* BOUND */
		{CODE_32, "c4 00",				     "2 unsupported"}, /* LES */
		{CODE_32, "c5 40 00",                                  "3 unsupported"}, /* LDS */
		{CODE_64, "0f 20 05",                                  "3 unsupported"}, /* MOV from CR0: never memory */
		{CODE_64, "0f 29 40 10",                               "4 unsupported"}, /* MOVAPS */
		{CODE_64, "66 0f 3a 0f 00 01",                         "6 unsupported"},
		{CODE_64, "0f 01 f9",                                  "3 unsupported"}, /* RDTSCP */
		{CODE_64, "0f 80 00 00 00 00",                         "6 unsupported"},
		{CODE_32, "d5 0a",				     "2 unsupported"},
		{CODE_64, "f4",					"1 unsupported"},
		{CODE_64, "66 66 66 66 66 66 66 66 8b 80 00 00 00 00",
		 "14 MOV16 r ds:[ax+0]/64 to 0"                                       },
	};

	(void)state;
	check(examples, ARRAY_COUNT(examples));
}

static void errors(void **state)
{
	static const struct example examples[] = {
		{CODE_64, "8b",					      "the instruction is longer than the 1 bytes that could be fetched"},
		{CODE_64, "66 66 66 66 66 66 66 66 66 66 8b 80 00 00 00 00",
		 "the instruction is longer than 15 bytes"										     },
		{CODE_64, "66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 66",
		 "the instruction is longer than 15 bytes"										     },
		{CODE_64, "c5 f8 28 00",                                     "vector instructions (here: VEX prefix) are not decoded"          },
		{CODE_32, "c4 e2 79 18 00",
		 "vector instructions (here: VEX prefix) are not decoded"                                                                      },
		{CODE_64, "62 f1 7c 48 28 00",
		 "vector instructions (here: EVEX prefix) are not decoded"                                                                     },
		{CODE_64, "06",					      "there is no instruction with opcode 0x06 in 64-bit mode"         },
		{CODE_64, "82 00 00",					"there is no instruction with opcode 0x82 in 64-bit mode"         },
		{CODE_32, "0f 04",					   "there is no instruction with opcode 0xf04"                       },
	};
	struct instruction in;

	(void)state;
	check(examples, ARRAY_COUNT(examples));
	assert_non_null(decode(NULL, 0, CODE_64, &in));
}

/* SDM "Instruction Set Reference": those that are "Invalid" in 64-bit mode. */
static void opcodes_that_64_bit_mode_has_not(void **state)
{
	static const uint8_t opcodes[] = {0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f,
					  0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61, 0x82,
					  0x9a, 0xce, 0xd4, 0xd5, 0xd6, 0xea};
	unsigned refused = 0;

	(void)state;
	for (unsigned opcode = 0; opcode < 256; opcode++) {
		uint8_t bytes[INSTRUCTION_BYTES_MAX] = {(uint8_t)opcode};
		struct instruction in;
		bool invalid = memchr(opcodes, (int)opcode, sizeof(opcodes)) != NULL;
		err_t err = decode(bytes, sizeof(bytes), CODE_64, &in);

		assert_int_equal(err && strstr(err, "there is no instruction"), invalid);
		if (invalid)
			refused++;
		if (invalid && decode(bytes, sizeof(bytes), CODE_32, &in))
			fail_msg("0x%x is refused in 32-bit code", opcode);
	}
	assert_int_equal(refused, sizeof(opcodes));
}

static uint64_t offset_of(const char *hex, enum code_size code, bool write)
{
	/* Registers with their index in each byte, RCX a negative bit offset. */
	struct general_registers regs;
	struct instruction in;
	uint8_t bytes[32];
	unsigned count = read_hex(hex, bytes);

	for (unsigned i = 0; i < REG_COUNT; i++)
		regs.by_index[i] = i * 0x0101010101010101;
	regs.rcx = 0xffffffffffffffdf; /* -33 */
	regs.rdx = 100;
	assert_null(decode(bytes, count, code, &in));
	return instruction_offset(&in, &regs, 0x123456789abcdef0, write);
}

static void offsets(void **state)
{
	(void)state;
	assert_int_equal(offset_of("8b 05 10 00 00 00", CODE_64, false), 0x123456789abcdf00);
	assert_int_equal(offset_of("67 8b 05 f0 ff ff ff", CODE_64, false), 0x9abcdee0);
	assert_int_equal(offset_of("8b 04 dd 01 00 00 00", CODE_64, false), 0x1818181818181819);
	assert_int_equal(offset_of("42 8b 44 f3 ff", CODE_64, false), 0x7373737373737372);
	assert_int_equal(offset_of("8b 43 ff", CODE_32, false), 0x03030302);
	assert_int_equal(offset_of("8b 41 22", CODE_32, false), 0x1); /* wraps */
	assert_int_equal(offset_of("8b 40 01", CODE_16, false), 0x090a);
	assert_int_equal(offset_of("a1 00 80", CODE_16, false), 0x8000);
	assert_int_equal(offset_of("a4", CODE_64, false), 0x0606060606060606);
	assert_int_equal(offset_of("a4", CODE_64, true), 0x0707070707070707);
	assert_int_equal(offset_of("67 ab", CODE_64, true), 0x07070707);
	assert_int_equal(offset_of("ae", CODE_16, false), 0x0707);
	/* Bit -33 is in the operand that begins 8 bytes before; bit 100 12 bytes behind. */
	assert_int_equal(offset_of("0f a3 0b", CODE_64, false), 0x03030303030302fb);
	assert_int_equal(offset_of("48 0f a3 0b", CODE_64, false), 0x03030303030302fb);
	assert_int_equal(offset_of("66 0f a3 0b", CODE_64, false), 0x03030303030302fd);
	assert_int_equal(offset_of("0f ab 13", CODE_64, false), 0x030303030303030f);
	assert_int_equal(offset_of("66 0f ab 13", CODE_64, false), 0x030303030303030f);
	assert_int_equal(offset_of("0f ba 2b ff", CODE_64, false), 0x0303030303030303);
}

static void every_operation_has_a_name(void **state)
{
	(void)state;
	for (unsigned i = 0; i < INSN_OPERATION_COUNT; i++)
		assert_non_null(operation_name(i));
	assert_string_equal(operation_name(INSN_OPERATION_COUNT), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moves),
		cmocka_unit_test(extensions),
		cmocka_unit_test(addresses),
		cmocka_unit_test(arithmetic),
		cmocka_unit_test(strings),
		cmocka_unit_test(without_effect),
		cmocka_unit_test(lengths),
		cmocka_unit_test(errors),
		cmocka_unit_test(opcodes_that_64_bit_mode_has_not),
		cmocka_unit_test(offsets),
		cmocka_unit_test(every_operation_has_a_name),
	};

	return cmocka_run_group_tests_name("decoder", tests, NULL, NULL);
}
