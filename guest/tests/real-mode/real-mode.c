/* SPDX-License-Identifier: BSD-2-Clause */
/* Real mode: limits of 64 KiB, addresses above 1 MiB, the interrupt table, faults without error
 * codes. */
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"

#define IF 0x200
#define TF 0x100
#define DF 0x400

CODE16(read_word, "mov (%si), %ax\n");
CODE16(read_long, "mov (%si), %eax\n");
CODE16(write_word, "mov %ax, (%si)\n");
CODE16(read_32, "addr32 mov (%esi), %al\n");
CODE16(read_ss, "mov %ss:(%si), %ax\n");
CODE16(read_bp, "mov (%bp), %ax\n");
CODE16(read_es, "mov %es:(%si), %al\n");
CODE16(read_fs_32, "addr32 mov %fs:(%esi), %eax\n");
CODE16(out_string, "mov $0x80, %dx\n outsw\n");
CODE16(in_string, "mov $0x80, %dx\n insw\n");
CODE16(in_string_32, "mov $0x80, %dx\n addr32 insb\n");
CODE16(sums, "mov $0xffff, %ax\n add $1, %ax\n pushf\n pop %bx\n mov $0x12345678, %ecx\n push "
	     "%ecx\n pop %dx\n pop %si\n");
CODE16(int_40, "int $0x40\n");
CODE16(int_41, "push %cs\n push $0x2100\n int $0x41\n");
CODE16(div_zero, "xor %cx, %cx\n div %cx\n");
CODE16(bad_rdmsr, "mov $0x12345, %ecx\n rdmsr\n");
CODE16(bad_cr0, "mov $0x80000000, %eax\n mov %eax, %cr0\n");
CODE16(undefined, "vmxoff\n");
CODE16(lidt_short, "lidt (%si)\n int $0x40\n");
CODE16(lidt_exit, "lidt (%si)\n cpuid\n rdmsr\n");
CODE16(iret_back,
       "pushf\n push %cs\n push $(0x2000 + 1f - iret_back)\n iret\n ud2\n 1: mov $0x77, %al\n");
CODE16(far_jump, "ljmp $0x100, $(0x1000 + 1f - far_jump)\n ud2\n 1: mov %cs, %ax\n");
CODE16(far_call,
       "lcall $0x200, $(1f - far_call)\n jmp 2f\n 1: mov %cs, %ax\n lret\n 2: mov %cs, %bx\n");
CODE16(segments, "mov $0x1234, %ax\n mov %ax, %fs\n mov %ax, %gs\n mov %fs, %bx\n mov %gs, %cx\n "
		 "lds (%si), %dx\n mov %ds, %di\n");
CODE16(sgdt_16, "sgdt (%si)\n mov 4(%si), %ax\n");
CODE16(push_wrap, "mov $2, %sp\n push %ax\n push %ax\n mov %sp, %bx\n");

static void access(const uint8_t *code, const uint8_t *end, const char *name, uint64_t offset,
		   const char *wanted)
{
	struct machine m;
	const char *how;

	machine_init(&m, REAL);
	m.ds = m.es = m.ss = m.fs = 0x1000;
	m.rsi = m.rdi = m.rbp = offset;
	how = machine_try(&m, code, end);
	check(same(how, wanted), "%s at %lx: %s", name, offset, how);
}
#define ACCESS_AT(name, offset, wanted) access(name, name##_end, #name, offset, wanted)

static void limits(void)
{
	ACCESS_AT(read_word, 0xfffe, "done");
	ACCESS_AT(read_word, 0xffff, "#GP");
	ACCESS_AT(read_long, 0xfffc, "done");
	ACCESS_AT(read_long, 0xfffd, "#GP");
	ACCESS_AT(write_word, 0xffff, "#GP");
	ACCESS_AT(read_32, 0xffff, "done");
	ACCESS_AT(read_32, 0x10000, "#GP");
	ACCESS_AT(read_32, 0x80000000, "#GP");
	ACCESS_AT(read_ss, 0xffff, "#SS");
	ACCESS_AT(read_bp, 0xffff, "#SS");
	ACCESS_AT(read_fs_32, 0xfffd, "#GP");
	/* The memory side of string I/O, which exits. */
	ACCESS_AT(out_string, 0xfffe, "done");
	ACCESS_AT(out_string, 0xffff, "#GP at +3");
	ACCESS_AT(in_string, 0xffff, "#GP at +3");
	ACCESS_AT(in_string_32, 0x10000, "#GP at +3");
	ACCESS_AT(in_string_32, 0xfff0, "done");
}

/* SI holds FFF0h: with DS FFFFh that is above 1 MiB, where A20 lets it be. */
static void above_1m(void)
{
	struct machine m;

	*memory8(0x10ff00) = 0xa5;
	*memory8(0xff00) = 0x5a;
	machine_init(&m, REAL);
	m.es = 0xffff;
	m.rsi = 0xff10;
	RUN(&m, read_es);
	check((m.rax & 0xff) == 0xa5, "ffff:ff10 is above 1 MiB: %lx", m.rax & 0xff);
}

static void interrupts(void)
{
	struct machine m;

	machine_init(&m, REAL);
	m.rflags |= IF | DF | 0xd5;
	RUN(&m, int_40);
	check(same(machine_outcome(&m), "interrupt 40 at +2") && m.rsp == TEST_STACK &&
		      m.rflags == (2 | IF | DF | 0xd5),
	      "INT 40h: %s, flags pushed %lx", machine_outcome(&m), m.rflags);
	/* A handler that comes back by IRET with flags of its own. */
	*memory32(0x41 * 4) = 0x2100;
	*memory32(0x2100) = 0x0b0f9090;
	machine_init(&m, REAL);
	m.rflags |= IF | TF;
	RUN(&m, int_41);
	check(same(machine_outcome(&m), "#DB(4000) at +1"), "INT with TF steps before it: %s",
	      machine_outcome(&m));
	machine_init(&m, REAL);
	m.rflags |= IF;
	RUN(&m, int_41);
	check(m.vector == 6 && m.rip == 0x2102 && !(m.rflags & IF) && m.rsp == TEST_STACK - 10,
	      "INT 41h goes where the table says: %lx:%lx, flags %lx, SP %lx", m.cs, m.rip,
	      m.rflags, m.rsp);
	*memory32(0x41 * 4) = *memory32(0x40 * 4) + 8;
	for (unsigned i = 0; i < 3; i++) {
		/* A limit below the entry: #GP, whose entry is within. */
		static const uint16_t table_limits[] = {0x103, 0x102, 0xff};
		static const char *const wanted[] = {"interrupt 40 at +5", "#GP at +3",
						     "#GP at +3"};

		*memory16(TEST_DATA) = table_limits[i];
		*memory32(TEST_DATA + 2) = 0;
		machine_init(&m, REAL);
		m.rsi = TEST_DATA;
		RUN(&m, lidt_short);
		check(same(machine_outcome(&m), wanted[i]), "INT 40h, table limit %x: %s",
		      table_limits[i], machine_outcome(&m));
	}
	/* The table elsewhere, for a fault that an exit raises. */
	for (unsigned i = 0; i < 256; i++)
		*memory32(0x6000 + 4 * i) = *memory32(4 * i);
	*memory32(0x6000 + 4 * 13) = *memory32(0x40 * 4);
	*memory16(TEST_DATA) = 0x3ff;
	*memory32(TEST_DATA + 2) = 0x6000;
	machine_init(&m, REAL);
	m.rsi = TEST_DATA;
	m.rcx = 0;
	m.rax = 0x80000002;
	RUN(&m, lidt_exit);
	check(same(machine_outcome(&m), "interrupt 40 at +5"),
	      "#GP of RDMSR by a table that has moved: %s", machine_outcome(&m));
}

#define SIMPLE(name, wanted, ...)                                                                  \
	do {                                                                                       \
		struct machine m;                                                                  \
		machine_init(&m, REAL);                                                            \
		m.rsi = TEST_DATA;                                                                 \
		RUN(&m, name);                                                                     \
		check(same(machine_outcome(&m), wanted), #name ": %s, sp %lx" __VA_ARGS__);        \
	} while (0)

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	(void)boot_magic;
	(void)boot_info;
	limits();
	above_1m();
	interrupts();
	SIMPLE(sums, "done", " bx %lx dx %lx si %lx", machine_outcome(&m), m.rsp, m.rbx, m.rdx,
	       m.rsi);
	SIMPLE(div_zero, "#DE at +2", "", machine_outcome(&m), m.rsp);
	SIMPLE(bad_rdmsr, "#GP at +6", "", machine_outcome(&m), m.rsp);
	SIMPLE(bad_cr0, "#GP at +6", "", machine_outcome(&m), m.rsp);
	SIMPLE(undefined, "#UD", "", machine_outcome(&m), m.rsp);
	SIMPLE(iret_back, "done", " ax %lx", machine_outcome(&m), m.rsp, m.rax);
	SIMPLE(far_jump, "done", " ax %lx cs %lx", machine_outcome(&m), m.rsp, m.rax, m.cs);
	SIMPLE(far_call, "done", " ax %lx bx %lx", machine_outcome(&m), m.rsp, m.rax, m.rbx);
	*memory32(TEST_DATA) = 0xbeef1357;
	SIMPLE(segments, "done", " bx %lx cx %lx dx %lx ds %lx", machine_outcome(&m), m.rsp, m.rbx,
	       m.rcx, m.rdx, m.ds);
	SIMPLE(sgdt_16, "done", " ax %lx", machine_outcome(&m), m.rsp, m.rax & 0xffff);
	SIMPLE(push_wrap, "done", " bx %lx", machine_outcome(&m), m.rsp, m.rbx & 0xffff);
	return checks_done();
}
