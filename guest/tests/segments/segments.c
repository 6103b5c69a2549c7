/* SPDX-License-Identifier: BSD-2-Clause */
/* Segments in protected mode: limits, types and rights, also for the memory of an instruction that
 * exits. */
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"

#define EXPAND_DOWN 0x97
#define READ_ONLY   0x91
#define EXECUTE     0x99 /* only */
#define ABSENT      0x13
#define WINDOW      SEL_TEST

CODE32(read_byte, "mov (%esi), %al\n");
CODE32(read_long, "mov (%esi), %eax\n");
CODE32(write_byte, "mov %al, (%esi)\n");
CODE32(read_cs, "mov %cs:(%esi), %al\n");
CODE32(write_cs, "mov %al, %cs:(%esi)\n");
CODE32(outs, "mov $0x80, %edx\n outsb\n");
CODE32(outs_long, "mov $0x80, %edx\n outsl\n");
CODE32(outs_ss, "mov $0x80, %edx\n ss outsb\n");
CODE32(ins, "mov $0x80, %edx\n mov %esi, %edi\n insb\n");
CODE32(device, "mov (%esi), %eax\n");
CODE32(load_ds, "mov %eax, %ds\n");
CODE32(load_ss, "mov %eax, %ss\n");
CODE32(load_es, "mov %eax, %es\n mov %es:(%esi), %bl\n");
CODE32(load_fs_null, "xor %eax, %eax\n mov %eax, %fs\n mov %fs:(%esi), %al\n");
CODE32(outs_fs_null, "xor %eax, %eax\n mov %eax, %fs\n mov $0x80, %edx\n fs outsb\n");
CODE32(ins_null, "xor %eax, %eax\n mov %eax, %es\n mov $0x80, %edx\n insb\n");
CODE32(far_jump, "ljmp *(%edi)\n");
CODE32(unaligned, "mov 1(%esi), %ax\n");
CODE32(outs_unaligned, "mov $0x80, %edx\n inc %esi\n outsw\n");

static uint64_t cr0_set, rflags_set;

static void try(enum place place, uint16_t ds, uint64_t offset, const uint8_t *code,
		const uint8_t *end, const char *name, const char *wanted)
{
	struct machine m;
	const char *how;

	machine_init(&m, place);
	m.rsi = offset;
	m.rax = ds;
	m.cr0 |= cr0_set;
	m.rflags |= rflags_set;
	if (ds && code != load_ds && code != load_ss && code != load_es)
		m.ds = m.es = ds;
	m.rdi = TEST_DATA;
	how = machine_try(&m, code, end);
	check(same(how, wanted), "%s: %s of %x:%lx: %s", place_name(place), name, ds, offset, how);
}
#define TRY_AT(place, ds, offset, name, wanted)                                                    \
	try(place, ds, offset, name, name##_end, #name, wanted)

static void limits(enum place place)
{
	uint16_t rpl = (uint16_t)place_cpl(place);
	uint32_t user = rpl ? ACCESS_USER : 0;
	uint16_t sel = WINDOW | rpl;

	descriptor_set(0, TEST_DATA, 0xff, ACCESS_DATA | ACCESS_BIG | user);
	TRY_AT(place, sel, 0xff, read_byte, "done");
	TRY_AT(place, sel, 0x100, read_byte, "#GP(0)");
	TRY_AT(place, sel, 0xfc, read_long, "done");
	TRY_AT(place, sel, 0xfd, read_long, "#GP(0)");
	TRY_AT(place, sel, 0xffffffff, read_long, "#GP(0)");
	TRY_AT(place, sel, 0x100, write_byte, "#GP(0)");
	descriptor_set(0, TEST_DATA, 0xff, EXPAND_DOWN | ACCESS_BIG | user);
	TRY_AT(place, sel, 0xff, read_byte, "#GP(0)");
	TRY_AT(place, sel, 0x100, read_byte, "done");
	descriptor_set(0, TEST_DATA, 0xff, EXPAND_DOWN | user);
	TRY_AT(place, sel, 0xffff, read_byte, "done");
	TRY_AT(place, sel, 0x10000, read_byte, "#GP(0)");
	TRY_AT(place, sel, 0xffff, read_long, "#GP(0)");
	descriptor_set(0, TEST_DATA, 0xff, READ_ONLY | ACCESS_BIG | user);
	TRY_AT(place, sel, 0, read_byte, "done");
	TRY_AT(place, sel, 0, write_byte, "#GP(0)");
	descriptor_set(0, TEST_DATA, 0, ACCESS_DATA | ACCESS_BIG | ACCESS_4K | user);
	TRY_AT(place, sel, 0xfff, read_byte, "done");
	TRY_AT(place, sel, 0x1000, read_byte, "#GP(0)");
	TRY_AT(place, 0, 0x2000, read_cs, "done");
	TRY_AT(place, 0, 0x2000, write_cs, "#GP(0)");
}

/* As the processor does it, so must Plinth where it accesses memory for the guest. */
static void of_string_io(void)
{
	descriptor_set(0, TEST_DATA, 0xff, ACCESS_DATA | ACCESS_BIG);
	TRY_AT(PROTECTED32, WINDOW, 0xff, outs, "done");
	TRY_AT(PROTECTED32, WINDOW, 0x100, outs, "#GP(0) at +5");
	TRY_AT(PROTECTED32, WINDOW, 0xfd, outs_long, "#GP(0) at +5");
	TRY_AT(PROTECTED32, WINDOW, 0x100, ins, "#GP(0) at +7");
	TRY_AT(PAGED32, WINDOW, 0x100, ins, "#GP(0) at +7");
	TRY_AT(COMPAT32, WINDOW, 0x100, ins, "#GP(0) at +7");
	TRY_AT(COMPAT32, WINDOW, 0xff, outs, "done");
	descriptor_set(0, TEST_DATA, 0xff, READ_ONLY | ACCESS_BIG);
	TRY_AT(PROTECTED32, WINDOW, 0, outs, "done");
	TRY_AT(PROTECTED32, WINDOW, 0, ins, "#GP(0) at +7");
	descriptor_set(0, TEST_DATA, 0xff, EXPAND_DOWN);
	TRY_AT(PROTECTED32, WINDOW, 0xff, outs, "#GP(0) at +5");
	TRY_AT(PROTECTED32, WINDOW, 0xffff, outs, "done");
	TRY_AT(PROTECTED32, WINDOW, 0x10000, outs, "#GP(0) at +5");
	TRY_AT(PROTECTED32, WINDOW, TEST_DATA, outs_ss, "done");
	TRY_AT(PROTECTED32, 0, 0, outs_fs_null, "#GP(0) at +9");
	TRY_AT(PROTECTED32, 0, 0, ins_null, "#GP(0) at +9");
	descriptor_set(0, 0xfeaffff0, 0x1f, ACCESS_DATA | ACCESS_BIG);
	TRY_AT(PROTECTED32, WINDOW, 0x10, device, "done");
	TRY_AT(PROTECTED32, WINDOW, 0x1d, device, "#GP(0)");
	/* #AC wants AM, AC and CPL 3, and is then one of string I/O too. */
	for (unsigned i = 0; i < 2; i++) {
		cr0_set = 0x40000;
		rflags_set = 0x43000;
		TRY_AT(i ? USER32 : PAGED32, 0, TEST_DATA, unaligned, i ? "#AC(0)" : "done");
		TRY_AT(i ? USER32 : PAGED32, 0, TEST_DATA, outs_unaligned,
		       i ? "#AC(0) at +6" : "done");
		cr0_set = rflags_set = 0;
	}
}

static void loads(void)
{
	TRY_AT(PROTECTED32, 0x77, TEST_DATA, load_es, "#GP(74)");
	descriptor_set(0, 0, 0xff, ABSENT);
	TRY_AT(PROTECTED32, WINDOW, TEST_DATA, load_ds, "#NP(70)");
	TRY_AT(PROTECTED32, WINDOW, TEST_DATA, load_ss, "#SS(70)");
	descriptor_set(0, 0, 0xff, EXECUTE);
	TRY_AT(PROTECTED32, WINDOW, TEST_DATA, load_ds, "#GP(70)");
	descriptor_set(0, 0, 0xff, READ_ONLY);
	TRY_AT(PROTECTED32, WINDOW, TEST_DATA, load_ss, "#GP(70)");
	TRY_AT(PROTECTED32, 0, TEST_DATA, load_ss, "#GP(0)");
	TRY_AT(PROTECTED32, 0, TEST_DATA, load_fs_null, "#GP(0) at +4");
	TRY_AT(USER32, SEL_DATA, TEST_DATA, load_ds, "#GP(10)");
	TRY_AT(PROTECTED32, SEL_USER_DATA, TEST_DATA, load_ss, "#GP(38)");
	TRY_AT(PROTECTED32, 0x1f0, TEST_DATA, load_ds, "#GP(1f0)");
	/* To code that is not there, is data, or is beyond its limit. */
	*memory32(TEST_DATA) = 0x3000;
	*memory16(TEST_DATA + 4) = SEL_DATA;
	TRY_AT(PROTECTED32, 0, 0, far_jump, "#GP(10)");
	*memory16(TEST_DATA + 4) = 0;
	TRY_AT(PROTECTED32, 0, 0, far_jump, "#GP(0)");
	descriptor_set(0, 0, 0xff, 0x9b | ACCESS_BIG);
	*memory16(TEST_DATA + 4) = WINDOW;
	TRY_AT(PROTECTED32, 0, 0, far_jump, "#GP(0)");
	*memory16(TEST_DATA + 4) = SEL_TSS32 + 8 * 8;
	TRY_AT(PROTECTED32, 0, 0, far_jump, "#GP(98)");
}

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	static const enum place all[] = {PROTECTED32, PAGED32,  PAE32,
					 USER32,      COMPAT32, COMPAT_USER32};

	(void)boot_magic;
	(void)boot_info;
	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		limits(all[i]);
	of_string_io();
	loads();
	return checks_done();
}
