/* SPDX-License-Identifier: BSD-2-Clause */
/* Every mode of the processor is reached from 64-bit mode and left for it again, and each to the
 * next by way of it. */
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"

/* The same bytes add 32 bits in 16-bit code with a prefix, and 32 bits in other code without. */
CODE16(add16, "addl $0x12345678, %eax\n mov %cs, %bx\n lahf\n");
CODE32(add32, "addl $0x12345678, %eax\n mov %cs, %bx\n lahf\n");
CODE64(add64, "add $0x12345678, %rax\n mov %cs, %bx\n lahf\n");

static const char *run(struct machine *m, enum place place)
{
	switch (place_bits(place)) {
	case 16:
		return RUN(m, add16);
	case 32:
		return RUN(m, add32);
	default:
		return RUN(m, add64);
	}
}

static void visit(enum place place)
{
	struct machine m;
	const char *how;

	machine_init(&m, place);
	m.rax = 0x11111111;
	how = run(&m, place);
	check(same(how, "done") && (m.rax | 0xff00) == 0x2345ff89, "%s: %s, eax=%lx cs=%lx",
	      place_name(place), how, m.rax, m.rbx & 0xffff);
	print("# cr0=%lx cr4=%lx efer=%lx rflags=%lx rsp=%lx ss=%lx ds=%lx\n", m.cr0, m.cr4, m.efer,
	      m.rflags, m.rsp, m.ss, m.ds);
}

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	(void)boot_magic;
	(void)boot_info;
	for (enum place place = 0; place < PLACES; place++)
		visit(place);
	/* Every pair, one straight after the other. */
	for (enum place from = 0; from < PLACES; from++) {
		unsigned done = 0;

		for (enum place to = 0; to < PLACES; to++) {
			struct machine m;

			machine_init(&m, from);
			done += same(run(&m, from), "done");
			machine_init(&m, to);
			done += same(run(&m, to), "done");
		}
		check(done == 2 * PLACES, "%s, then each other", place_name(from));
	}
	return checks_done();
}
