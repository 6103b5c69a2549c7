/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Burst after burst of random code in random states, in every mode. Instructions that cause an
 * exception are left out, so that the code goes on; a run of it ends where it leads elsewhere, and
 * most leave the guest whole. When one does not, the VM ends, and can be started again.
 *
 * Command line: seed=N count=N, of instructions; "mix" puts the time into the seed, so that a
 * restart is another run; first=N is the number of the first burst, "tell" tells each,
 * and "slow" expects exits that take long.
 *
 * With "compare" it prints a digest of each burst's outcome, all that its code could see or change;
 * straight from GRUB the lines are the same (tools/oracle.py). "tell" shows outcomes as they are.
 */
#define PLINTH_GUEST
#include "guest/tests/chaos/chaos.h"

#include "guest/lib/guest.h"
#include "vcpu/hypercall.h"

#define INFO_COMMAND_LINE 4
#define TELL_EVERY        5000 /* instructions */
#define VECTORS           256
#define RUNS              16  /* of a burst's code, each from another state */
#define EXCEPTIONS_MAX    200 /* of one run */
#define BURST_MAX         (RUNS * (INSTRUCTIONS_MAX + EXCEPTIONS_MAX + 1)) /* instructions */
#define WATCHDOG_TICKS    60000
#define REST_TICKS        40000000 /* between two runs */
#define INT_2             0x02cd

static KEPT uint64_t seed, wanted, first;
static KEPT bool mix, tell, slow, has_watchdog;
static KEPT uint64_t instructions, burst_start, bursts, told;
static KEPT uint32_t vectors[VECTORS], in_place[PLACES];

/* What is in low memory, where random code without paging can write to it. */
static uint64_t real_vectors[128], low_code[384];

/* --- Command line --- */

static bool skip(const char **text, const char *word)
{
	const char *at = *text;

	while (*word && *at == *word) {
		at++;
		word++;
	}
	if (*word)
		return false;
	*text = at;
	return true;
}

static uint64_t number(const char **text)
{
	uint64_t value = 0;
	bool hex = skip(text, "0x");

	for (;; (*text)++) {
		char c = **text;

		if (c >= '0' && c <= '9')
			value = value * (hex ? 16 : 10) + (uint64_t)(c - '0');
		else if (hex && c >= 'a' && c <= 'f')
			value = value * 16 + (uint64_t)(c - 'a' + 10);
		else
			return value;
	}
}

static void read_command_line(const uint32_t *info)
{
	const char *text = info[0] & INFO_COMMAND_LINE ? (const char *)(uint64_t)info[4] : "";

	seed = 1;
	wanted = 20000;
	while (*text) {
		if (skip(&text, "seed="))
			seed = number(&text);
		else if (skip(&text, "count="))
			wanted = number(&text);
		else if (skip(&text, "first="))
			first = number(&text);
		else if (skip(&text, "compare"))
			comparing = slow = true;
		else if (skip(&text, "mix"))
			mix = true;
		else if (skip(&text, "tell"))
			tell = slow = true;
		else if (skip(&text, "slow"))
			slow = true;
		else
			text++;
	}
	if (mix)
		seed = (seed << 32 ^ rdtsc()) & 0xffffffffffff;
}

/* --- What must be right for the next burst, whatever the last one did. --- */

/* By trying. */
static void find_cr4(void)
{
	uint64_t normal = read_cr4();

	for (unsigned bit = 0; bit < 24; bit++) {
		uint64_t value = normal | 1ull << bit;

		if (comparing && CR4_VIRTUAL >> bit & 1)
			continue;
		TRY("mov %0, %%cr4", : : "r"(value) : "memory");
		if (!last_fault.happened)
			cr4_allowed |= 1ull << bit;
		write_cr4(normal);
	}
}

/* RF: code under test may have left a breakpoint on instructions here. */
static void ignore(struct trap_frame *frame)
{
	frame->rflags |= 0x10000;
}

static void fill(uint64_t from, uint64_t to, uint64_t value)
{
	uint64_t count = (to - from) / 8;

	asm volatile("rep stosq" : "+D"(from), "+c"(count) : "a"(value) : "memory");
}

/* Wild jumps end soon: UD2 and NOPs everywhere, which as far pointers point to more of them. */
#define FILLER 0x909090900b0f0b0full

static void fill_memory(void)
{
	if (comparing) {
		fill(0x400, 0x500, FILLER);
		*memory32(STARTER_VECTOR) = STARTER_CODE << 12;
	}
	fill(0x500, TEST_STACK, FILLER);
	fill(TEST_DATA + 0x1000, LOW_BASE, FILLER);
	fill(TEST_STACK, TEST_DATA + 0x2000, LANDING * 0x1000100010001ull);
	fill(LANDING, LANDING + 32, 0x9090909090909090);
	*memory16(LANDING + 32) = 0x0b0f;
	fill(MACHINE + 0x1000, comparing ? COMPARED_END : 0xa0000, FILLER);
}

static void move(uint64_t to, uint64_t from, uint64_t size)
{
	size /= 8;
	asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

static void repair(void)
{
	move(0, (uint64_t)real_vectors, sizeof(real_vectors));
	move(LOW_BASE, (uint64_t)low_code, sizeof(low_code));
	asm volatile("mov %0, %%dr7" : : "r"(0x400ull));
	wrmsr(0x174, SEL_CODE32);
	wrmsr(0x175, TEST_STACK);
	wrmsr(0x176, LANDING);
	wrmsr(0xc0000081, (uint64_t)SEL_CODE64 << 32 | (uint64_t)0x28 << 48);
	wrmsr(0xc0000082, LANDING);
	wrmsr(0xc0000083, LANDING);
	if (!comparing && rdmsr(0x1d9))
		wrmsr(0x1d9, 0);
}

/* The serial port may be in any state, and what stands on the line may be anything. */
static void prepare_to_print(void)
{
	out8(0x3fb, 3);
	out8(0x3fc, 3);
	out8(0x3f9, 0);
	out8(0x3fa, 0);
}

static void tell_progress(void)
{
	prepare_to_print();
	print("\n# chaos: seed %lx: %lu instructions in %lu bursts\n", seed, instructions, bursts);
}

/* --- A burst --- */

static KEPT struct code code;

/* Endless loops end with an NMI; those of the guest itself, whose memory may be any, with the VM.
 */
static void watchdog(uint64_t ticks)
{
	if (has_watchdog)
		plinth_call(PLINTH_WATCHDOG, ticks, 0, 0);
}

static uint64_t linear_rip(const struct machine *m)
{
	bool by_selector = m->kind == KIND_REAL || m->rflags & 0x20000;

	return m->rip + (by_selector ? m->cs << 4 : 0);
}

/* Registers and segments with which code of this place can begin. */
static void shake(struct machine *m)
{
	enum place place = code.place;
	uint16_t rpl = (uint16_t)code.cpl;
	bool by_selector = place == REAL || place == UNREAL || place == V86;

	machine_init(m, place);
	for (unsigned i = 0; i < 16; i++)
		if (i != M_RSP)
			m->reg[i] = one_in(3) ? random_value(code.bits)
					      : random_address(code.bits, true);
	/* The base of frames, and of XLAT. */
	if (!one_in(64))
		m->rbp = m->rbx = random_address(code.bits, true);
	/* For REP, which may be without end in device memory. */
	if (!one_in(64))
		m->rcx = random_below(one_in(64) ? 0x400 : 20);
	if (one_in(4))
		m->rdx = random_port();
	m->rsp = TEST_STACK - 8 * random_below(64) - (one_in(16) ? random_below(8) : 0);
	m->rflags = random_flags(place);
	if (code.waits)
		m->rflags &= ~0x100ull;
	m->cr3 = tables_cr3(place);
	for (unsigned i = 0; i < 5; i++)
		if (one_in(3))
			m->cr4 |= cr4_allowed & 1ull << random_below(24) & ~0x20020ull;
	if (place_is_long(place) && one_in(8) && cr4_allowed & 0x20000) {
		m->cr4 |= 0x20000; /* PCIDE */
		m->cr3 |= random_below(0x1000);
	}
	if (one_in(4))
		m->cr0 ^= 1ull << PICK(((const uint8_t[]){1, 2, 3, 5, 16, 18, 30}));
	if (place_is_long(place))
		m->efer |= random_below(2);
	else if (place == PAE32)
		m->efer = 0x800;
	if (by_selector) {
		do
			m->ds = random_selector(place);
		while (m->ds >= 0xa000 && m->ds < 0xffff);
		m->es = random_selector(place);
	} else {
		if (confined(place))
			m->ss = m->fs = m->gs = SELECTOR(SLOT_DATA);
		if (confined(place) || !one_in(50))
			m->cs = SELECTOR(SLOT_CODE) | rpl;
		if (!(m->cr0 >> 31) || one_in(4)) {
			m->ds = SELECTOR(SLOT_DATA) | rpl;
			m->es = SELECTOR(one_in(16) ? 13 : SLOT_DATA) | rpl;
		}
		if (one_in(4))
			m->fs = SELECTOR(SLOT_DATA);
	}
	for (unsigned i = 0; one_in(4) && i < 4; i++)
		switch (i) {
		case 0:
			asm volatile("mov %0, %%dr0" : : "r"(random_dr(0)));
			break;
		case 1:
			asm volatile("mov %0, %%dr1" : : "r"(random_dr(1)));
			break;
		default:
			asm volatile("mov %0, %%dr2" : : "r"(random_dr(2)));
			break;
		}
}

/* The code's linear address, from where it is to begin, as CS and RIP. */
static void aim(struct machine *m, uint64_t address)
{
	if (m->kind != KIND_REAL && !(m->rflags & 0x20000)) {
		m->rip = address;
		return;
	}
	m->cs = address >> 4;
	if (one_in(2))
		m->cs -= random_below((uint32_t)m->cs);
	m->rip = address - (m->cs << 4);
}

static void tell_burst(uint64_t burst)
{
	unsigned next = 0;

	prepare_to_print();
	print("\n# burst %lu in %s:", burst, place_name(code.place));
	for (unsigned i = 0; i < code.length; i++) {
		bool begins = next < code.count && code.starts[next] == i;

		next += begins;
		print(begins ? "\n# %x:" : " ", i);
		print("%s%x", code.bytes[i] < 16 ? "0" : "", code.bytes[i]);
	}
	print("\n");
}

/* So that exceptions in the code leave out what caused them, and it goes on. */
static void skip_exceptions(const struct machine *m)
{
	for (unsigned i = 0; i < code.count; i++)
		*memory16(M_SKIP_NEXT + 2u * code.starts[i]) = code.starts[i + 1];
	*memory64(MACHINE + 8 * M_SKIP_RIP) = m->rip;
	*memory64(MACHINE + 8 * M_SKIP_CS) = m->cs;
	*memory64(MACHINE + 8 * M_SKIP_LEFT) = EXCEPTIONS_MAX;
}

static void forget_skips(void)
{
	*memory64(MACHINE + 8 * M_SKIP_LEFT) = 0;
	for (unsigned i = 0; i < code.count; i++)
		*memory16(M_SKIP_NEXT + 2u * code.starts[i]) = 0;
}

/* How many instructions were begun. Where the end is elsewhere: at least those with exceptions. */
static unsigned reached(uint64_t offset, unsigned exceptions)
{
	unsigned count = 0;

	if (offset > code.length)
		return exceptions + 1;
	while (count < code.count && code.starts[count] <= offset)
		count++;
	return count;
}

static void run(uint64_t at)
{
	struct machine m;
	uint64_t left;

	move(at, (uint64_t)code.bytes, (code.length + 31) & ~7ull);
	shake(&m);
	aim(&m, at);
	skip_exceptions(&m);
	repair();
	if (comparing)
		compare_prepare();
	watchdog(slow ? 100 * WATCHDOG_TICKS : WATCHDOG_TICKS);
	machine_run(&m);
	watchdog(REST_TICKS);
	left = *memory64(MACHINE + 8 * M_SKIP_LEFT) % (EXCEPTIONS_MAX + 1);
	/* The bare machine has no watchdog: it is lost. */
	if (comparing && under_plinth() && m.vector == 2 && *memory16(linear_rip(&m) - 2) != INT_2)
		guest_exit(3);
	if (comparing)
		compare_outcome(&m, EXCEPTIONS_MAX, EXCEPTIONS_MAX - (unsigned)left, tell);
	forget_skips();
	vectors[m.vector % VECTORS]++;
	instructions += reached(linear_rip(&m) - at, EXCEPTIONS_MAX - (unsigned)left);
	/* Who counts the runs may have been changed by one. */
	if (instructions - burst_start > BURST_MAX)
		guest_exit(4);
}

static void run_burst(uint64_t burst)
{
	static const uint8_t offsets[] = {0, 0, 1, 64};
	uint64_t at = TEST_CODE + PICK(offsets);
	enum place place;

	if (one_in(8))
		at = TEST_CODE + 4096 - random_below(64);
	do
		place = (enum place)random_below(PLACES);
	while (comparing && place == UNREAL); /* its segments reach everything */
	code_make(&code, place, 8 + random_below(INSTRUCTIONS_MAX - 8));
	if (comparing) {
		tables_clear();
		fill_memory();
	}
	tables_shuffle(place);
	if (tell)
		tell_burst(burst);
	in_place[code.place] += RUNS;
	burst_start = instructions;
	for (unsigned i = 0; i < RUNS; i++) {
		/* Returns that nobody called. */
		fill(TEST_STACK - 0x400, TEST_STACK, LANDING * 0x1000100010001ull);
		run(at);
	}
	if (comparing)
		check(true, "burst %lu in %s: %x", burst, place_name(place), compare_digest());
}

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	struct machine m;

	(void)boot_magic;
	read_command_line((const uint32_t *)(uint64_t)boot_info);
	for (unsigned i = 0; i < VECTORS; i++)
		if (i == 1 || i == 2 || i >= 16)
			trap_handlers[i] = ignore;
	has_watchdog = under_plinth();
	tables_start();
	find_cr4();
	machine_init(&m, REAL);
	move((uint64_t)real_vectors, 0, sizeof(real_vectors));
	move((uint64_t)low_code, LOW_BASE, sizeof(low_code));
	fill_memory();
	fill(M_SKIP_NEXT, M_SKIP_SEEN + 4 * VECTORS, 0);
	print("# chaos: seed %lx, %lu instructions, from burst %lu on\n", seed, wanted, first);
	if (comparing)
		compare_start();
	for (bursts = 0; instructions < wanted; bursts++) {
		random_start(seed, first + bursts);
		run_burst(first + bursts);
		if (!comparing && instructions - told >= TELL_EVERY) {
			told = instructions;
			tell_progress();
		}
	}
	if (!comparing)
		tell_progress();
	print("# chaos: done; by vector");
	for (unsigned i = 0; i < VECTORS; i++)
		if (vectors[i] + *memory32(M_SKIP_SEEN + 4 * i))
			print(" %x:%u", i, vectors[i] + *memory32(M_SKIP_SEEN + 4 * i));
	print("\n# chaos: runs by place");
	for (unsigned i = 0; i < PLACES; i++)
		print(" %u", in_place[i]);
	print("\n");
	return comparing ? checks_done() : 0;
}
