/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NMIs: blocked from their delivery to the next IRET, whatever exits in between, and taken right
 * behind it in any mode. All of it happens in the handler of a first NMI.
 */
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"

#define IF      0x200
#define TF      0x100
#define VECTOR  0x50
#define FRESH   0x60000 /* pages that nobody has executed */
#define PAGE    0x1000
#define ABSENT  0x6e00
#define PRESENT 0xee00
#define DE      0x8

struct __attribute__((packed)) table_pointer {
	uint16_t limit;
	uint64_t base;
};
extern struct table_pointer machine_idt32_pointer, machine_idt64_pointer;
extern const uint8_t trap_entries[];

/* What happens in the handler. */
static void (*script)(void);
static struct {
	enum place place;
	uint64_t rflags;
	bool fresh;
	const char *name;
} now;

static volatile unsigned nested;
static volatile uint64_t nested_rip;
static unsigned next_page;

CODE16(nothing, "nop\n nop\n");

/* The machine is entered by IRET: an NMI that waits is taken at the first instruction. */
static void in_place(void)
{
	struct machine m;
	bool kept = false;

	machine_init(&m, now.place);
	machine_load(nothing, nothing_end);
	m.rflags |= now.rflags;
	if (now.fresh) {
		m.rip = FRESH + PAGE * next_page++;
		*memory16(m.rip) = 0x9090;
		*memory16(m.rip + 2) = 0x0b0f;
		if (now.place == REAL || now.place == UNREAL || now.place == V86) {
			m.cs = m.rip >> 4;
			m.rip = 0;
		} else if (place_bits(now.place) == 16) {
			descriptor_set(0, (uint32_t)m.rip, 0xffff,
				       ACCESS_CODE | (place_cpl(now.place) ? ACCESS_USER : 0));
			m.cs = SEL_TEST + place_cpl(now.place);
			m.rip = 0;
		}
	}
	if (now.rflags & IF)
		interrupt_pend(VECTOR);
	nmi_pend();
	machine_run(&m);
	if (now.rflags & IF)
		kept = interrupt_end(VECTOR);
	check(m.vector == 2, "%s, %s: vector %lx at %lx, flags %lx%s", place_name(now.place),
	      now.name, m.vector, m.rip, m.rflags, kept ? ", and the interrupt waits" : "");
}

static void set_type(uint64_t base, unsigned size, uint16_t type)
{
	*memory16(base + 2 * size + 4) = (uint16_t)((*memory16(base + 2 * size + 4) & 0xff) | type);
}

/* Its delivery meets a fault: lost, and those behind it are blocked until the next IRET. */
static void absent_gate(void)
{
	struct machine m, after;
	const char *how;

	set_type(machine_idt32_pointer.base, 8, ABSENT);
	set_type(machine_idt64_pointer.base, 16, ABSENT);
	machine_init(&m, now.place);
	machine_load(nothing, nothing_end);
	nmi_pend();
	machine_run(&m);
	how = machine_outcome(&m);
	set_type(machine_idt32_pointer.base, 8, PRESENT);
	set_type(machine_idt64_pointer.base, 16, PRESENT);
	nested = 0;
	nmi_pend();
	cpuid(0, 0);
	check(!nested, "%s: its delivery meets a fault: %s, and the next is blocked",
	      place_name(now.place), how);
	machine_init(&after, now.place);
	machine_run(&after);
	check(after.vector == 2, "%s: up to IRET: vector %lx", place_name(now.place), after.vector);
}

static void count(struct trap_frame *frame)
{
	nested++;
	nested_rip = frame->rip;
}

/* Exits do not end the blocking. */
static void exits(void)
{
	nested = 0;
	nmi_pend();
	nmi_pend();
	cpuid(0, 0);
	out8(0x80, 1);
	rdmsr(0x277);
	write_cr4(read_cr4() ^ DE);
	write_cr4(read_cr4() ^ DE);
	check(!nested, "NMIs wait through CPUID, OUT, RDMSR, MOV to CR4");
}

/* The handler of a fault returns by IRET, which ends the blocking. */
static void fault_inside(void)
{
	TRY("ud2");
	check(nested == 1, "two that wait become one, taken when another handler returns: %u",
	      nested);
}

static void exits_and_a_fault(void)
{
	exits();
	fault_inside();
}

/* IRET ends it though it faults: the NMI comes before the first instruction of that handler. */
static void iret_faults(uint64_t selector, uint64_t rip, const char *name)
{
	const uint64_t handler = (uint64_t)&trap_entries[16 * 13];

	nested = 0;
	nmi_pend();
	asm volatile("movq $1f, fault_resume\n\t"
		     "mov %%rsp, %%rdx\n\t"
		     "push %%rax\n\t"
		     "push %%rdx\n\t"
		     "push $2\n\t"
		     "push %%rcx\n\t"
		     "push %%rsi\n\t"
		     "iretq\n"
		     "1:\tmov %%rdx, %%rsp\n\t"
		     "movq $0, fault_resume"
		     :
		     : "a"((uint64_t)SEL_DATA), "c"(selector), "S"(rip)
		     : "rdx", "memory");
	check(nested == 1, "IRET that faults, %s: vector %x, error %lx, NMI %s", name,
	      last_fault.vector, last_fault.error,
	      nested_rip == handler ? "before its handler" : "behind its handler");
}

static void iret_to_null(void)
{
	iret_faults(0, TEST_CODE, "to a null selector");
}

static void iret_to_data(void)
{
	iret_faults(SEL_DATA, TEST_CODE, "to a selector of data");
}

static void iret_to_wrong_rip(void)
{
	iret_faults(SEL_CODE64, 1ull << 62, "to an address that is not canonical");
}

static void first(struct trap_frame *frame)
{
	(void)frame;
	trap_handlers[2] = count;
	script();
}

/* The handler of an NMI runs it. */
static void in_handler(void (*what)(void))
{
	script = what;
	trap_handlers[2] = first;
	nmi_pend();
	trap_handlers[2] = count;
}

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	static const enum place some[] = {PAGED32, USER32, V86, COMPAT_USER32, LONG64, LONG_USER64};
	struct machine m;

	(void)boot_magic;
	(void)boot_info;
	machine_init(&m, REAL);
	in_handler(exits_and_a_fault);
	in_handler(iret_to_null);
	in_handler(iret_to_data);
	in_handler(iret_to_wrong_rip);
	for (now.place = 0; now.place < PLACES; now.place++) {
		now.rflags = 0;
		now.fresh = false;
		now.name = "behind IRET";
		in_handler(in_place);
		now.rflags = IF | TF;
		now.name = "behind IRET, before a step and an interrupt";
		in_handler(in_place);
		now.rflags = 0;
		now.fresh = true;
		now.name = "behind IRET to a new page";
		in_handler(in_place);
	}
	for (unsigned i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		now.place = some[i];
		in_handler(absent_gate);
	}
	return checks_done();
}
