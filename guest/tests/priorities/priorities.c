/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What comes first when an instruction makes an interrupt or NMI pending: that, the single step
 * over it, or, behind STI and MOV SS, nothing yet. The instruction asks the local APIC or Plinth,
 * and has three bytes.
 */
#define PLINTH_GUEST
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"
#include "vcpu/hypercall.h"

#define IF           0x200
#define TF           0x100
#define RF           0x10000
#define VECTOR       0x50
#define NOBODY       0xfeb00000
#define FRESH        0x60000
#define PAGE         0x1000
#define APIC_COMMAND 0xfee00300
#define APIC_TARGET  0xfee00310
#define APIC_ID      0xfee00020
#define SELF         0x40000
#define AS_NMI       0x4400

static unsigned next_page;

static const struct row {
	const char *name;
	uint64_t rflags;
	bool nmi;
	const char *before, *after; /* the instruction */
	uint8_t before_size, after_size;
} rows[] = {
#define CODE_AROUND(before, after) before, after, sizeof(before) - 1, sizeof(after) - 1
	{"interrupts off",                  0,       false, CODE_AROUND("",         "\x90")            },
	{"interrupts on",                   IF,      false, CODE_AROUND("",         "\x90")            },
	{"interrupts on, single step",      IF | TF, false, CODE_AROUND("",         "\x90")            },
	{"interrupts off, single step",     TF,      false, CODE_AROUND("",         "\x90")            },
	{"behind STI",                      0,       false, CODE_AROUND("\xfb",     "\x90")            },
	{"behind MOV SS",                   IF,      false, CODE_AROUND("\x8e\xd2", "\x90")            },
	{"behind MOV SS, single step",      IF | TF, false, CODE_AROUND("\x8e\xd2", "\x90")            },
	{"before MOV SS",                   IF,      false, CODE_AROUND("",         "\x8e\xd2\x90")    },
	{"interrupts off, then STI, CPUID", 0,       false, CODE_AROUND("",         "\xfb\x0f\xa2\x90")},
	{"interrupts off, then STI, HLT",   0,       false, CODE_AROUND("",         "\xfb\xf4\x90")    },
	{"NMI",			     0,       true,  CODE_AROUND("",         "\x90")            },
	{"NMI, interrupts on",              IF,      true,  CODE_AROUND("",         "\x90")            },
	{"NMI, single step",                TF,      true,  CODE_AROUND("",         "\x90")            },
	{"NMI, interrupts on, single step", IF | TF, true,  CODE_AROUND("",         "\x90")            },
	{"NMI behind MOV SS",               0,       true,  CODE_AROUND("\x8e\xd2", "\x90")            },
	{"NMI behind STI",                  0,       true,  CODE_AROUND("\xfb",     "\x90")            },
	{"NMI before UD2",                  0,       true,  CODE_AROUND("",         "\x0f\x0b")        },
};

/* VMCALL, or MOV [EBX], EAX with a prefix. */
static void load(const struct row *row, struct machine *m)
{
	static const uint8_t vmcall[] = {0x0f, 0x01, 0xc1}, mov[] = {0x3e, 0x89, 0x03};
	uint8_t code[16], *to = code;

	for (unsigned i = 0; i < row->before_size; i++)
		*to++ = (uint8_t)row->before[i];
	for (unsigned i = 0; i < 3; i++)
		*to++ = under_plinth() ? vmcall[i] : mov[i];
	for (unsigned i = 0; i < row->after_size; i++)
		*to++ = (uint8_t)row->after[i];
	machine_load(code, to);
	m->rdx = m->ss;
	if (under_plinth()) {
		m->rax = row->nmi ? PLINTH_NMI : PLINTH_INTERRUPT;
		m->rbx = VECTOR;
	} else {
		m->rax = row->nmi ? AS_NMI : SELF | VECTOR;
		m->rbx = APIC_COMMAND;
		*memory32(APIC_TARGET) = *memory32(APIC_ID);
	}
}

static void try(enum place place, const struct row *row)
{
	bool waits = false;
	struct machine m;

	machine_init(&m, place);
	m.rflags |= row->rflags;
	load(row, &m);
	machine_run(&m);
	if (!row->nmi)
		waits = interrupt_end(VECTOR);
	check(true, "%s: %s: vector %lx at %lx, flags %lx, DR6 %lx%s", place_name(place), row->name,
	      m.vector, m.rip, m.rflags, m.dr6 & 0xf00f, waits ? ", the interrupt waits" : "");
}

/* A breakpoint on the first instruction of a page that nobody has executed. RF holds it off once.
 */
static void new_page(enum place place, uint64_t rflags, uint8_t first, const char *name)
{
	uint64_t start = FRESH + PAGE * next_page++;
	struct machine m;

	*memory8(start) = first;
	*memory8(start + 1) = 0xa2;
	*memory16(start + 2) = 0x0b0f;
	machine_init(&m, place);
	m.rip = start;
	if (place == V86) {
		m.cs = start >> 4;
		m.rip = 0;
	}
	m.rflags |= rflags;
	m.rax = 0x80000000;
	asm volatile("mov %0, %%dr0" : : "r"(start));
	asm volatile("mov %0, %%dr7" : : "r"(0x402ull));
	machine_run(&m);
	asm volatile("mov %0, %%dr7" : : "r"(0x400ull));
	check(true, "%s: a breakpoint on a new page, %s: vector %lx at +%lx, flags %lx, DR6 %lx",
	      place_name(place), name, m.vector, m.rip & 0xff, m.rflags, m.dr6 & 0xf00f);
}

static void new_pages(enum place place)
{
	new_page(place, 0, 0x0f, "CPUID");
	new_page(place, RF, 0x0f, "CPUID with RF");
	new_page(place, RF | TF, 0x0f, "CPUID with RF and TF");
	new_page(place, TF, 0x0f, "CPUID with TF");
	new_page(place, RF, 0xb0, "MOV with RF");
}

/* MOV from [EBX], where there is no memory, and a breakpoint on what follows it. */
static void behind_device(enum place place, uint64_t rflags)
{
	static const uint8_t code[] = {0x8b, 0x03, 0x90, 0x90};
	struct machine m;

	machine_init(&m, place);
	m.rbx = NOBODY;
	m.rflags |= rflags;
	asm volatile("mov %0, %%dr0" : : "r"(TEST_CODE + 2ull));
	asm volatile("mov %0, %%dr7" : : "r"(0x402ull));
	machine_load(code, code + sizeof(code));
	machine_run(&m);
	asm volatile("mov %0, %%dr7" : : "r"(0x400ull));
	check(true,
	      "%s: a breakpoint behind an access to no memory, flags %lx: vector %lx at %lx, "
	      "flags %lx, DR6 %lx",
	      place_name(place), rflags, m.vector, m.rip, m.rflags, m.dr6 & 0xf00f);
}

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	static const uint64_t flags[] = {0, RF, RF | TF};
	static const enum place some[] = {PAGED32, USER32, V86, COMPAT_USER32, LONG64, LONG_USER64};
	static const enum place places[] = {PROTECTED32, PAGED32, PAE32, COMPAT32, LONG64};

	(void)boot_magic;
	(void)boot_info;
	interrupt_pend(VECTOR); /* switches the local APIC on */
	interrupt_end(VECTOR);
	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		for (unsigned j = 0; j < sizeof(rows) / sizeof(rows[0]); j++)
			try(places[i], &rows[j]);
	for (unsigned i = 0; i < sizeof(some) / sizeof(some[0]); i++)
		new_pages(some[i]);
	for (unsigned i = 0; i < 3; i++) {
		behind_device(PAGED32, flags[i]);
		behind_device(LONG64, flags[i]);
		behind_device(COMPAT_USER32, flags[i]);
	}
	return checks_done();
}
