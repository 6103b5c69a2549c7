/* SPDX-License-Identifier: BSD-2-Clause */
/* MOV to CR0, LMSW, CLTS, SMSW: each combination of bits, in modes that they can leave and come
 * back to. */
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"

#define PE (1ull << 0)
#define TS (1ull << 3)
#define ET (1ull << 4)
#define NW (1ull << 29)
#define CD (1ull << 30)
#define PG (1ull << 31)

/* The bits that can be written, and the others, whose write is ignored. */
#define DEFINED 0xe005002full
#define IGNORED 0x1ffaffc0ull
#define CR4_PSE 0x10

/* Writes RAX, reads what came of it, and goes back to the value before. */
CODE16(write16, "mov %cr0, %ecx\n mov %eax, %cr0\n mov %cr0, %ebx\n smsw %edx\n mov %ecx, %cr0\n");
CODE32(write32, "mov %cr0, %ecx\n mov %eax, %cr0\n mov %cr0, %ebx\n smsw %edx\n mov %ecx, %cr0\n");
CODE64(write64, "mov %cr0, %rcx\n mov %rax, %cr0\n mov %cr0, %rbx\n smsw %rdx\n mov %rcx, %cr0\n");
CODE16(lmsw16, "mov %cr0, %ecx\n lmsw %ax\n mov %cr0, %ebx\n smsw %edx\n mov %ecx, %cr0\n");
CODE32(lmsw32, "mov %cr0, %ecx\n lmsw %ax\n mov %cr0, %ebx\n smsw %edx\n mov %ecx, %cr0\n");
CODE64(lmsw64, "mov %cr0, %rcx\n lmsw %ax\n mov %cr0, %rbx\n smsw %rdx\n mov %rcx, %cr0\n");
CODE32(lmsw_memory32, "mov %cr0, %ecx\n mov %eax, (%edi)\n lmsw (%edi)\n mov %cr0, %ebx\n smsw "
		      "%edx\n mov %ecx, %cr0\n");
CODE64(clts64,
       "mov %cr0, %rcx\n mov %rax, %cr0\n clts\n mov %cr0, %rbx\n smsw %rdx\n mov %rcx, %cr0\n");
CODE16(clts16,
       "mov %cr0, %ecx\n mov %eax, %cr0\n clts\n mov %cr0, %ebx\n smsw %edx\n mov %ecx, %cr0\n");
CODE64(fpu_after_ts, "mov %cr0, %rcx\n mov %rax, %cr0\n fnop\n mov %rcx, %cr0\n");

struct code {
	const uint8_t *start, *end;
};
#define CODE_FOR(place, name)                                                                      \
	(place_bits(place) == 64   ? (struct code){name##64, name##64_end}                         \
	 : place_bits(place) == 32 ? (struct code){name##32, name##32_end}                         \
				   : (struct code){name##16, name##16_end})

static void prepare(struct machine *m, enum place place)
{
	machine_init(m, place);
	m->rdi = TEST_DATA;
	/* For PG where it is off. */
	if (!(m->cr0 & PG)) {
		m->cr3 = (uint64_t)machine_directory32;
		m->cr4 |= CR4_PSE;
	}
}

/* SDM "MOV -- Move to/from Control Registers" */
static bool refused(enum place place, uint64_t value)
{
	return value >> 32 || (value & PG && !(value & PE)) || (value & NW && !(value & CD)) ||
	       (place == LONG64 && !(value & PG));
}

static void write_all(enum place place)
{
	struct code code = CODE_FOR(place, write);
	unsigned taken = 0, faults = 0, wrong = 0, values = 0;

	/* The eleven bits of DEFINED, spread over CR0. */
	for (unsigned i = 0; i < 1 << 10; i++) {
		uint64_t value = (i & 0xf) | (i & 0x10) << 1 | (uint64_t)(i & 0x20) << 11 |
				 (uint64_t)(i & 0x40) << 12 | (uint64_t)(i & 0x380) << 22,
			 seen;
		struct machine m;
		const char *how;

		prepare(&m, place);
		m.rax = value;
		how = machine_try(&m, code.start, code.end);
		values++;
		seen = value | ET;
		if (same(how, refused(place, value) ? place == REAL ? "#GP at +3" : "#GP(0) at +3"
						    : "done") &&
		    (refused(place, value) ||
		     (m.rbx == seen && (uint32_t)m.rdx == (uint32_t)seen))) {
			taken += !refused(place, value);
			faults += refused(place, value);
		} else if (wrong++ < 5) {
			print("# MOV CR0 of %lx: %s, reads %lx, SMSW %lx\n", value, how, m.rbx,
			      m.rdx);
		}
	}
	check(!wrong, "%s: MOV to CR0 of %u values: %u taken, %u refused, %u otherwise",
	      place_name(place), values, taken, faults, wrong);
}

static void write_one(enum place place, uint64_t value, const char *what)
{
	struct code code = CODE_FOR(place, write);
	struct machine m;
	const char *how;

	prepare(&m, place);
	m.rax = m.cr0 ^ value;
	how = machine_try(&m, code.start, code.end);
	if (refused(place, m.rax))
		check(same(how, place == REAL ? "#GP at +3" : "#GP(0) at +3"), "%s: %s: %s",
		      place_name(place), what, how);
	else
		check(same(how, "done") && m.rbx == ((m.rax & DEFINED) | ET),
		      "%s: %s: %s, reads %lx", place_name(place), what, how, m.rbx);
}

static void lmsw(enum place place, uint16_t value)
{
	struct code code = CODE_FOR(place, lmsw);
	uint64_t wanted;
	struct machine m;
	const char *how;

	prepare(&m, place);
	m.rax = 0x11110000 | value;
	wanted = (m.cr0 & ~0xeull) | (value & 0xf);
	how = machine_try(&m, code.start, code.end);
	check(same(how, "done") && m.rbx == wanted, "%s: LMSW of %x: %s, reads %lx, SMSW %lx",
	      place_name(place), value, how, m.rbx, m.rdx);
}

static void clear_ts(enum place place, struct code code)
{
	struct machine m;
	const char *how;

	prepare(&m, place);
	m.rax = m.cr0 | TS | 2;
	how = machine_try(&m, code.start, code.end);
	check(same(how, "done") && m.rbx == (m.cr0 | 2), "%s: CLTS: %s, reads %lx, SMSW %lx",
	      place_name(place), how, m.rbx, m.rdx);
}

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	static const enum place all[] = {REAL,  PROTECTED16, PROTECTED32, PAGED32,
					 PAE32, COMPAT32,    LONG64};
	static const uint16_t words[] = {0x0000, 0x0001, 0x000e, 0x0008, 0xfff0, 0xffff};
	struct machine m;

	(void)boot_magic;
	(void)boot_info;
	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i] != PROTECTED16 && all[i] != PAGED32)
			write_all(all[i]);
		write_one(all[i], IGNORED, "reserved bits");
		write_one(all[i], ET, "ET");
		for (unsigned w = 0; w < sizeof(words) / sizeof(words[0]); w++)
			lmsw(all[i], words[w]);
	}
	for (unsigned bit = 32; bit < 64; bit += 31)
		write_one(LONG64, 1ull << bit, bit == 32 ? "bit 32" : "bit 63");
	clear_ts(LONG64, (struct code){clts64, clts64_end});
	clear_ts(REAL, (struct code){clts16, clts16_end});
	machine_init(&m, PROTECTED32);
	m.rax = 0xf;
	m.rdi = TEST_DATA;
	check(same(RUN(&m, lmsw_memory32), "done"), "LMSW from memory reads %lx", m.rbx);
	machine_init(&m, LONG64);
	m.rax = m.cr0 | TS;
	RUN(&m, fpu_after_ts);
	check(same(machine_outcome(&m), "#NM at +6"), "FNOP with TS: %s", machine_outcome(&m));
	return checks_done();
}
