/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs one instruction natively, between code that loads all registers and code that stores them.
 */
#include "tests/fake/native.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* A page of code being written. */
struct writer {
	uint8_t *page;
	unsigned at;
};

static void put(struct writer *w, const void *bytes, unsigned size)
{
	memcpy(w->page + w->at, bytes, size);
	w->at += size;
}

static void put_byte(struct writer *w, uint8_t byte)
{
	w->page[w->at++] = byte;
}

static void put_opcode_and_64(struct writer *w, const char *opcode, uint64_t value)
{
	put(w, opcode, 2);
	put(w, &value, sizeof(value));
}

/* pushes and pops of what a function keeps, in order and back */
static const uint8_t keep[] = {0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57, 0x9c};
static const uint8_t restore[] = {0x9d, 0x41, 0x5f, 0x41, 0x5e, 0x41,
				  0x5d, 0x41, 0x5c, 0x5d, 0x5b, 0xc3};

void native_run(const void *bytes, unsigned length, struct native *state)
{
	static uint8_t *page;
	struct writer w;
	uint32_t flags = (uint32_t)state->rflags;

	if (!page) {
		page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (page == MAP_FAILED)
			abort();
	}
	w = (struct writer){.page = page};
	put(&w, keep, sizeof(keep));
	put_byte(&w, 0x68); /* push $flags */
	put(&w, &flags, 4);
	put_byte(&w, 0x9d); /* popf */
	for (unsigned i = 0; i < REG_COUNT; i++) {
		uint8_t opcode[2] = {i < 8 ? 0x48 : 0x49, (uint8_t)(0xb8 + i % 8)};

		if (i != REG_RSP) /* movabs $value, reg */
			put_opcode_and_64(&w, (const char *)opcode, state->regs.by_index[i]);
	}
	put(&w, bytes, length);
	/* movabs %rax, address; then the others by way of RAX, which keeps the flags too */
	for (unsigned i = 0; i < REG_COUNT; i++) {
		uint8_t move[3] = {i < 8 ? 0x48 : 0x4c, 0x89, (uint8_t)(0xc0 | i % 8 << 3)};

		if (i == REG_RSP)
			continue;
		put(&w, move, 3);
		put_opcode_and_64(&w, "\x48\xa3", (uint64_t)&state->regs.by_index[i]);
	}
	put(&w, "\x9c\x58", 2); /* pushf; pop %rax */
	put_opcode_and_64(&w, "\x48\xa3", (uint64_t)&state->rflags);
	put_byte(&w, 0xfc); /* cld */
	put(&w, restore, sizeof(restore));
	((void (*)(void))(uintptr_t)page)();
}
