/* SPDX-License-Identifier: BSD-2-Clause */
/* The C side of machine.S: states for each place, tables, and outcomes in words. */
#include "guest/lib/machine.h"

#include <stddef.h>

#include "guest/lib/guest.h"

#define CR0_PROTECTED 0x31ull       /* PE, ET, NE */
#define CR0_PAGED     0x80010031ull /* PG, WP as well */
#define CR4_PSE       0x10ull
#define CR4_PAE       0x20ull
#define EFER_LONG     0x900ull /* LME, NXE */
#define DR6_CLEAR     0xffff0ff0ull
#define DR6_CAUSES    0xe00full /* BT, BS, BD, B3 to B0 */
#define RFLAGS_VM     0x20000ull

#define GATE32    0xee00 /* interrupt gates that CPL 3 may use */
#define UD        6
#define CODE_ROOM 4096

_Static_assert(sizeof(struct machine) == 8 * M_WORDS &&
		       offsetof(struct machine, cr0) == 8 * M_CR0 &&
		       offsetof(struct machine, cs) == 8 * M_CS &&
		       offsetof(struct machine, kind) == 8 * M_KIND &&
		       offsetof(struct machine, dr6) == 8 * M_DR6,
	       "guest/lib/selectors.h");

/* In machine.S. */
void machine_enter(void);
extern const uint8_t machine_low[], machine_low_end[], machine_entries16[], machine_entries32[],
	machine_entries64[];

static const struct {
	const char *name;
	uint8_t kind, bits, cpl;
	uint16_t code, data;
	uint64_t cr0, cr4;
} places[PLACES] = {
	[REAL] = {"real mode",                 KIND_REAL,   16, 0, 0,               0,               0x30,      0      },
	[UNREAL] = {"unreal mode",               KIND_REAL,   16, 0, 0,               0,               0x30,      0      },
	[PROTECTED16] = {"16-bit protected mode",     KIND_LEGACY, 16, 0, SEL_CODE16,      SEL_DATA16,
                  CR0_PROTECTED,										0      },
	[PROTECTED32] = {"32-bit protected mode",     KIND_LEGACY, 32, 0, SEL_CODE32,      SEL_DATA,
                  CR0_PROTECTED,										0      },
	[PAGED16] = {"16-bit code, paging",       KIND_LEGACY, 16, 0, SEL_CODE16,      SEL_DATA16,      CR0_PAGED,
                  CR4_PSE											      },
	[PAGED32] = {"32-bit code, paging",       KIND_LEGACY, 32, 0, SEL_CODE32,      SEL_DATA,        CR0_PAGED,
                  CR4_PSE											      },
	[PAE32] = {"32-bit code, PAE",          KIND_LEGACY, 32, 0, SEL_CODE32,      SEL_DATA,        CR0_PAGED,
                  CR4_PAE											      },
	[USER16] = {"16-bit code, CPL 3",        KIND_LEGACY, 16, 3, SEL_USER_CODE16, SEL_USER_DATA16,
                  CR0_PAGED,										    CR4_PSE},
	[USER32] = {"32-bit code, CPL 3",        KIND_LEGACY, 32, 3, SEL_USER_CODE32, SEL_USER_DATA,
                  CR0_PAGED,										    CR4_PSE},
	[V86] = {"virtual-8086 mode",         KIND_LEGACY, 16, 3, 0,               0,               CR0_PAGED, CR4_PSE},
	[COMPAT16] = {"16-bit compatibility mode", KIND_LONG,   16, 0, SEL_CODE16,      SEL_DATA16,
                  CR0_PAGED,										    CR4_PAE},
	[COMPAT32] = {"compatibility mode",        KIND_LONG,   32, 0, SEL_CODE32,      SEL_DATA,        CR0_PAGED,
                  CR4_PAE											      },
	[COMPAT_USER32] = {"compatibility mode, CPL 3", KIND_LONG,   32, 3, SEL_USER_CODE32,
                  SEL_USER_DATA,								     CR0_PAGED, CR4_PAE},
	[LONG64] = {"64-bit mode",               KIND_LONG,   64, 0, SEL_CODE64,      SEL_DATA,        CR0_PAGED, CR4_PAE},
	[LONG_USER64] = {"64-bit mode, CPL 3",        KIND_LONG,   64, 3, SEL_USER_CODE64, SEL_USER_DATA,
                  CR0_PAGED,										    CR4_PAE},
};

static struct machine *const low_machine = (struct machine *)MACHINE;
static uint64_t done_at; /* linear address of the UD2 behind the code */

struct __attribute__((packed)) table_pointer {
	uint16_t limit;
	uint64_t base;
};

/* --- Tables --- */

struct machine_tss32 machine_tss32;
__attribute__((aligned(4096))) uint32_t machine_directory32[1024];
__attribute__((aligned(32))) uint64_t machine_pdpt[4];

static struct __attribute__((packed)) {
	uint32_t reserved0;
	uint64_t rsp[3], reserved1, ist[7], reserved2;
	uint16_t reserved3, io_base;
} tss64;

static uint64_t idt32[256];
static struct {
	uint64_t low, high;
} idt64[256];
__attribute__((aligned(4096))) uint8_t machine_trap_stack[4096];

struct table_pointer machine_idt32_pointer = {sizeof(idt32) - 1, (uint64_t)idt32};
struct table_pointer machine_idt64_pointer = {sizeof(idt64) - 1, (uint64_t)idt64};

static uint64_t descriptor(uint32_t base, uint32_t limit, uint32_t access)
{
	return (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 |
	       (uint64_t)(access & 0xf0ff) << 40 | (uint64_t)(limit >> 16 & 0xf) << 48 |
	       (uint64_t)(base >> 24) << 56;
}

void descriptor_set(unsigned index, uint32_t base, uint32_t limit, uint32_t access)
{
	guest_gdt[SEL_TEST / 8 + index % 16] = descriptor(base, limit, access);
}

static uint64_t gate32(const uint8_t *entry, uint16_t selector, uint32_t access)
{
	uint32_t address = (uint32_t)(uint64_t)entry;

	return (address & 0xffff) | (uint64_t)selector << 16 | (uint64_t)access << 32 |
	       (uint64_t)(address >> 16) << 48;
}

static void make_tables(void)
{
	uint32_t *real_idt = (uint32_t *)0;
	uint8_t *to = (uint8_t *)LOW_BASE;

	for (const uint8_t *from = machine_low; from < machine_low_end; from++)
		*to++ = *from;
	asm("" : "+r"(real_idt)); /* 0 is an address here */
	for (unsigned i = 0; i < 256; i++) {
		real_idt[i] = (uint32_t)(LOW_BASE + (machine_entries16 - machine_low) + 8 * i);
		idt32[i] = gate32(&machine_entries32[16 * i], SEL_CODE32, GATE32);
		/* On stack 1 of the TSS, so that the code under test may have any. */
		idt64[i].low = gate32(&machine_entries64[16 * i], SEL_CODE64, GATE32 | 1);
	}
	*memory64(MACHINE + 8 * M_SKIP_LEFT) = 0;
	for (uint32_t i = 0; i < 1024; i++)
		machine_directory32[i] = i << 22 | 0x87;
	for (unsigned i = 0; i < 4; i++)
		machine_pdpt[i] = (uint64_t)&directories[512 * i] | 1;

	machine_tss32.esp0 = (uint32_t)(uint64_t)(machine_trap_stack + sizeof(machine_trap_stack));
	machine_tss32.ss0 = SEL_DATA;
	machine_tss32.io_base = offsetof(struct machine_tss32, io);
	for (unsigned i = 0; i < sizeof(machine_tss32.redirection); i++)
		machine_tss32.redirection[i] = 0xff;
	for (unsigned i = 0; i < sizeof(machine_tss32.io); i++)
		machine_tss32.io[i] = 0xff;
	guest_gdt[SEL_TSS32 / 8] =
		descriptor((uint32_t)(uint64_t)&machine_tss32, sizeof(machine_tss32) - 1, 0x89);
	tss64.rsp[0] = tss64.ist[0] = (uint64_t)(machine_trap_stack + sizeof(machine_trap_stack));
	tss64.io_base = sizeof(tss64);
	guest_gdt[SEL_TSS64 / 8] = descriptor((uint32_t)(uint64_t)&tss64, sizeof(tss64) - 1, 0x89);
	guest_gdt[SEL_TSS64 / 8 + 1] = 0;
	asm volatile("ltr %w0" : : "r"(SEL_TSS64));
}

/* --- Places --- */

const char *place_name(enum place place)
{
	return places[place].name;
}

bool place_is_long(enum place place)
{
	return places[place].kind == KIND_LONG;
}

unsigned place_bits(enum place place)
{
	return places[place].bits;
}

unsigned place_cpl(enum place place)
{
	return places[place].cpl;
}

void machine_init(struct machine *machine, enum place place)
{
	static bool made;
	uint16_t data = places[place].data;

	if (!made)
		make_tables();
	made = true;
	*machine = (struct machine){
		.rsp = TEST_STACK,
		.rip = TEST_CODE,
		.rflags = 2,
		.cr0 = places[place].cr0,
		.cr4 = places[place].cr4,
		.cs = places[place].code,
		.ss = data,
		.ds = data,
		.es = data,
		.fs = data,
		.gs = data,
		.kind = places[place].kind,
		.flat = place == UNREAL,
	};
	if (place_is_long(place)) {
		machine->efer = EFER_LONG;
		machine->cr3 = (uint64_t)pml4;
		machine->cr4 = read_cr4();
	} else if (place == PAE32) {
		machine->cr3 = (uint64_t)machine_pdpt;
	} else if (machine->cr0 >> 31) {
		machine->cr3 = (uint64_t)machine_directory32;
	}
	if (place == V86)
		machine->rflags |= RFLAGS_VM;
}

void machine_load(const void *code, const void *end)
{
	uint64_t size = (uint64_t)end - (uint64_t)code;
	volatile uint8_t *to = (volatile uint8_t *)TEST_CODE;

	for (uint64_t i = 0; i < size && i < CODE_ROOM - 2; i++)
		to[i] = ((const uint8_t *)code)[i];
	to[size] = 0x0f;
	to[size + 1] = 0x0b;
	done_at = TEST_CODE + size;
}

static uint64_t linear_rip(const struct machine *machine)
{
	bool by_selector = machine->kind == KIND_REAL || machine->rflags & RFLAGS_VM;

	return machine->rip + (by_selector ? machine->cs << 4 : 0);
}

static bool is_done(const struct machine *machine)
{
	return machine->vector == UD && linear_rip(machine) == done_at;
}

bool machine_run(struct machine *machine)
{
	uint64_t *words = (uint64_t *)machine;

	machine->vector = machine->error = 0;
	asm volatile("mov %0, %%dr6" : : "r"(DR6_CLEAR));
	*low_machine = *machine;
	machine_enter();
	*machine = *low_machine;
	/* Pushed and stored selectors have 16 bits, whatever stands above them; real mode pushes 16
	 * bits of flags. */
	for (unsigned i = M_ES; i <= M_GS; i++)
		words[i] &= 0xffff;
	machine->vector &= 0xff;
	if (machine->kind == KIND_REAL)
		machine->rflags &= 0xffff;
	return is_done(machine);
}

/* --- Outcomes --- */

static char outcome[48];
static unsigned outcome_length;

static void append(const char *text)
{
	while (*text && outcome_length < sizeof(outcome) - 1)
		outcome[outcome_length++] = *text++;
	outcome[outcome_length] = '\0';
}

static void append_hex(uint64_t value)
{
	char digit[2] = "";

	if (value >> 4)
		append_hex(value >> 4);
	digit[0] = "0123456789abcdef"[value & 15];
	append(digit);
}

const char *machine_outcome(const struct machine *machine)
{
	static const char *const names[32] = {
		"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", NULL,  "#TS",
		"#NP", "#SS", "#GP", "#PF", NULL,  "#MF", "#AC", "#MC", "#XM", "#VE", "#CP",
	};
	const uint32_t with_error = 0x227d00;
	uint8_t vector = (uint8_t)machine->vector;
	int64_t offset = (int64_t)(linear_rip(machine) - TEST_CODE);

	outcome_length = 0;
	if (is_done(machine)) {
		append("done");
		return outcome;
	}
	if (vector < 32 && names[vector]) {
		append(names[vector]);
	} else {
		append("interrupt ");
		append_hex(vector);
	}
	if (vector == 1) {
		append("(");
		append_hex(machine->dr6 & DR6_CAUSES);
		append(")");
	} else if (machine->kind != KIND_REAL && vector < 32 && with_error >> vector & 1) {
		append("(");
		append_hex(machine->error);
		append(")");
	}
	if (offset) {
		append(offset < 0 ? " at -" : " at +");
		append_hex((uint64_t)(offset < 0 ? -offset : offset));
	}
	return outcome;
}

const char *machine_try(struct machine *machine, const void *code, const void *end)
{
	machine_load(code, end);
	machine_run(machine);
	return machine_outcome(machine);
}

bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}
