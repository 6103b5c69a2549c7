/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a VM finds of those before it on its processor: nothing. It looks at all that it can read,
 * then leaves a pattern in all that it can write, for the next one to find. Words of its command
 * line say how it ends: "fail" with a status that has it started again, "die" with a triple fault;
 * "msrs" that it looks at each.
 */
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"

#define PATTERN     0x5a17c0de5a17c0deull
#define PATTERN_LOW (PATTERN >> 17) /* a canonical address */

#define MSR_TSC_ADJUST     0x3b
#define MSR_SYSENTER_CS    0x174
#define MSR_SYSENTER_ESP   0x175
#define MSR_SYSENTER_EIP   0x176
#define MSR_DEBUGCTL       0x1d9
#define MSR_PAT            0x277
#define MSR_XSS            0xda0
#define MSR_STAR           0xc0000081
#define MSR_LSTAR          0xc0000082
#define MSR_CSTAR          0xc0000083
#define MSR_FMASK          0xc0000084
#define MSR_FS_BASE        0xc0000100
#define MSR_GS_BASE        0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX        0xc0000103

#define CR4_OSXSAVE (1ull << 18)
#define PAGE        4096ull
#define NOBODY      0xfeb00000ull /* no memory is there */
#define BIOS_DATA   0x9f000ull    /* of the extended one; the other one is in page 0 */
#define LOW_END     0xa0000ull
#define VIDEO_END   0xc0000ull
#define HIGH_START  0x100000ull
#define AREA_SIZE   8192

extern const uint8_t guest_image_end[];
static uint8_t __attribute__((aligned(64))) area[AREA_SIZE];
static uint64_t memory_end, image_end;

struct multiboot_info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline;
};

static bool has_word(const char *line, const char *word)
{
	for (; *line; line++) {
		unsigned i = 0;

		while (word[i] && line[i] == word[i])
			i++;
		if (!word[i])
			return true;
	}
	return false;
}

/* --- General registers --- */

static void check_general(uint32_t magic, uint32_t info)
{
	uint64_t others = 0;

	check(magic == 0x2badb002, "RAX is the magic number of Multiboot");
	check(boot_registers[3] == info, "RBX is the address of the information, and no more");
	check(boot_registers[4] < memory_end, "RSP is an address of the VM");
	for (unsigned i = 1; i < 16; i++)
		if (i != 3 && i != 4)
			others |= boot_registers[i];
	check(others == 0, "all other general registers are 0");
}

/* --- Memory --- */

/* Where the loader has put something, or this image is. */
static bool is_known(uint64_t page, uint64_t info)
{
	return page == 0 || page == BIOS_DATA || (page >= HIGH_START && page < image_end) ||
	       (page >= info - PAGE && page < info + 4 * PAGE);
}

enum content { ZERO, OTHER, HAS_PATTERN };

static enum content content(uint64_t page)
{
	enum content found = ZERO;

	for (uint64_t at = page; at < page + PAGE; at += 8) {
		uint64_t value = *memory64(at);

		if (value == PATTERN)
			return HAS_PATTERN;
		if (value)
			found = OTHER;
	}
	return found;
}

static uint64_t next_page(uint64_t page)
{
	return page + PAGE == VIDEO_END ? HIGH_START : page + PAGE;
}

static void check_memory(uint64_t info)
{
	unsigned dirty = 0, patterns = 0;

	for (uint64_t page = 0; page < memory_end; page = next_page(page)) {
		enum content found = content(page);

		/* The image has the pattern in its own code. */
		patterns += found == HAS_PATTERN && (page < HIGH_START || page >= image_end);
		if (found == ZERO || is_known(page, info))
			continue;
		if (!dirty++)
			print("# not zero: %lx\n", page);
	}
	check(dirty == 0, "memory and video memory are 0 where the loader has put nothing");
	check(patterns == 0, "no page has what an earlier VM left");
}

static void dirty_memory(void)
{
	for (uint64_t page = 0; page < memory_end; page = next_page(page)) {
		if (page >= HIGH_START && page < image_end)
			continue;
		for (uint64_t at = page; at < page + PAGE; at += 8)
			*memory64(at) = PATTERN;
	}
}

/* --- MSRs --- */

static const struct {
	uint32_t msr;
	uint64_t start, left;
} msrs[] = {
  /* clang-format off */
	{MSR_STAR,           0,                PATTERN},
	{MSR_LSTAR,          0,                PATTERN_LOW},
	{MSR_CSTAR,          0,                PATTERN_LOW},
	{MSR_FMASK,          0,                (uint32_t)PATTERN},
	{MSR_KERNEL_GS_BASE, 0,                PATTERN_LOW},
	{MSR_FS_BASE,        0,                PATTERN_LOW},
	{MSR_GS_BASE,        0,                PATTERN_LOW},
	{MSR_TSC_AUX,        0,                (uint32_t)PATTERN},
	{MSR_SYSENTER_CS,    0,                (uint32_t)PATTERN},
	{MSR_SYSENTER_ESP,   0,                PATTERN_LOW},
	{MSR_SYSENTER_EIP,   0,                PATTERN_LOW},
	{MSR_TSC_ADJUST,     0,                PATTERN_LOW},
	{MSR_XSS,            0,                0},
	{MSR_DEBUGCTL,       0,                2}, /* BTF */
	{MSR_PAT,            0x7040600070406,  0x606060606060606},
  /* clang-format on */
};

static uint64_t read_msr(uint32_t msr)
{
	uint32_t low = 0, high = 0;

	TRY("rdmsr", : "+a"(low), "+d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static void check_msrs(bool all)
{
	unsigned strange = 0, host = 0;

	for (unsigned i = 0; i < sizeof(msrs) / sizeof(msrs[0]); i++) {
		uint64_t value = read_msr(msrs[i].msr);

		if (last_fault.happened || value == msrs[i].start)
			continue;
		print("# MSR %x is %lx\n", msrs[i].msr, value);
		strange++;
	}
	check(strange == 0, "MSRs have the values that follow a reset");
	/* The host's addresses are in the upper half. */
	for (uint32_t i = 0; all && i < 0x1200; i++)
		if ((int64_t)read_msr(i < 0x1000 ? i : 0xc0000000 + i - 0x1000) < 0 &&
		    !last_fault.happened)
			host++;
	check(host == 0, "no MSR that can be read holds an address of the host");
}

static void dirty_msrs(void)
{
	for (unsigned i = 0; i < sizeof(msrs) / sizeof(msrs[0]); i++)
		TRY("wrmsr",
		    :
		    : "c"(msrs[i].msr), "a"((uint32_t)msrs[i].left),
		      "d"((uint32_t)(msrs[i].left >> 32)));
}

/* --- FPU, SSE, AVX and what else XSAVE saves --- */

static bool has_xsave(void)
{
	return cpuid(1, 0).ecx >> 26 & 1;
}

static void xsetbv(uint64_t value)
{
	asm volatile("xsetbv" : : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static uint64_t components(void)
{
	struct cpuid leaf = cpuid(0x0d, 0);

	return leaf.eax | (uint64_t)leaf.edx << 32;
}

static void save(void)
{
	for (unsigned i = 0; i < AREA_SIZE; i++)
		area[i] = 0xee;
	for (unsigned i = 512; i < 576; i++)
		area[i] = 0;
	if (has_xsave())
		asm volatile("xsave64 %0" : "+m"(area) : "a"(-1), "d"(-1) : "memory");
	else
		asm volatile("fxsave64 %0" : "=m"(area) : : "memory");
}

static bool is_clear(unsigned first, unsigned end)
{
	for (unsigned i = first; i < end; i++)
		if (area[i])
			return false;
	return true;
}

static void check_registers_of_fpu(void)
{
	uint64_t all = 0;
	bool clear = true;

	if (has_xsave()) {
		write_cr4(read_cr4() | CR4_OSXSAVE);
		check(xgetbv() == 1, "XCR0 is 1");
		all = components();
		xsetbv(all);
	}
	save();
	/* FCW and FSW, FTW and FOP, FIP, FDP, MXCSR */
	check(*(uint32_t *)area == 0x37f && is_clear(4, 24) && *(uint32_t *)(area + 24) == 0x1f80,
	      "the FPU is as FNINIT leaves it, MXCSR as after a reset");
	check(is_clear(32, 160), "the FPU's registers are 0");
	check(is_clear(160, 416), "XMM0 to XMM15 are 0");
	for (unsigned i = 2; i < 32; i++)
		if (all >> i & 1) {
			struct cpuid place = cpuid(0x0d, i);

			clear &= place.ebx + place.eax <= AREA_SIZE &&
				 is_clear(place.ebx, place.ebx + place.eax);
		}
	check(clear, "all that XSAVE saves beside them is 0: YMM, ZMM, opmasks, PKRU");
}

static void dirty_fpu(void)
{
	for (unsigned i = 0; i < AREA_SIZE; i++)
		area[i] = (uint8_t)(PATTERN >> i % 8 * 8);
	/* FCW and FSW: an exception that waits for the next FPU instruction, which the host's must
	 * not be. */
	*(uint32_t *)area = 0xb8810340;
	*(uint32_t *)(area + 24) = 0x7f80;
	*(uint32_t *)(area + 28) = 0;
	if (has_xsave()) {
		for (unsigned i = 512; i < 576; i++)
			area[i] = 0;
		*(uint64_t *)(area + 512) = components();
		if (components() >> 9 & 1)
			*(uint64_t *)(area + cpuid(0x0d, 9).ebx) = 0x55555555;
		asm volatile("xrstor64 %0" : : "m"(area), "a"(-1), "d"(-1));
	} else {
		asm volatile("fxrstor64 %0" : : "m"(area));
	}
}

/* --- Debug registers, CR2, and the rest --- */

#define DEBUG_REGISTER(n)                                                                          \
	static uint64_t read_dr##n(void)                                                           \
	{                                                                                          \
		uint64_t value;                                                                    \
		asm volatile("mov %%dr" #n ", %0" : "=r"(value));                                  \
		return value;                                                                      \
	}                                                                                          \
	static void write_dr##n(uint64_t value)                                                    \
	{                                                                                          \
		asm volatile("mov %0, %%dr" #n : : "r"(value));                                    \
	}
DEBUG_REGISTER(0)
DEBUG_REGISTER(1)
DEBUG_REGISTER(2)
DEBUG_REGISTER(3)
DEBUG_REGISTER(6)
DEBUG_REGISTER(7)
DEFINE_CR(2)

static void check_debug(void)
{
	uint16_t selectors;

	check((read_dr0() | read_dr1() | read_dr2() | read_dr3()) == 0, "DR0 to DR3 are 0");
	check(read_dr6() == 0xffff0ff0 && read_dr7() == 0x400, "DR6 and DR7 are as after a reset");
	check(read_cr2() == 0, "CR2 is 0");
	check(read_cr8() == 0, "CR8 is 0");
	asm volatile("str %0" : "=r"(selectors));
	check(selectors == 0, "the task register holds no selector");
	asm volatile("sldt %0" : "=r"(selectors));
	check(selectors == 0, "nor does the LDT register");
}

static void dirty_debug(void)
{
	write_dr0(PATTERN_LOW);
	write_dr1(PATTERN_LOW + 8);
	write_dr2(~PATTERN_LOW);
	write_dr3(PATTERN_LOW + 24);
	write_dr6(0xffff4ff0);
	write_dr7(0xfff007ff); /* all of them, on reads and writes */
	write_cr2(PATTERN);
	write_cr8(9);
}

/* --- Devices --- */

#define SERIAL_SCRATCH 0x3ff
#define POST           0x80
#define PCI_ADDRESS    0xcf8
#define PIC_MASK       0x21

static uint8_t cmos(uint8_t index)
{
	out8(0x70, index);
	return in8(0x71);
}

static void check_devices(void)
{
	unsigned left = 0;

	for (unsigned i = 0x40; i < 0x80; i++)
		left += cmos((uint8_t)i) == 0xa5;
	left += in8(SERIAL_SCRATCH) == 0xa5;
	left += in8(POST) == 0xa5;
	left += in32(PCI_ADDRESS) == 0x8000a500;
	left += in8(PIC_MASK) == 0xa5;
	check(left == 0, "devices remember nothing");
}

static void dirty_devices(void)
{
	for (unsigned i = 0x40; i < 0x80; i++) {
		out8(0x70, (uint8_t)i);
		out8(0x71, 0xa5);
	}
	out8(SERIAL_SCRATCH, 0xa5);
	out8(POST, 0xa5);
	out32(PCI_ADDRESS, 0x8000a500);
	out8(PIC_MASK, 0xa5);
}

/* --- What stays in the processor while the host handles an exit --- */

static void many_exits(void)
{
	uint8_t byte;

	cpuid(1, 0);
	byte = in8(POST);
	out8(POST, byte);
	read_msr(MSR_PAT);
	read_msr(0x12345);
	byte = *memory8(NOBODY);
	asm volatile("rep insb" : : "D"(NOBODY), "c"(16), "d"((uint16_t)POST) : "memory");
	write_cr4(read_cr4() ^ 4);
	write_cr4(read_cr4() ^ 4);
}

static bool has_pattern(unsigned first, unsigned end)
{
	for (unsigned i = first; i < end; i++)
		if (area[i] != (uint8_t)(PATTERN >> i % 8 * 8))
			return false;
	return true;
}

static void check_exits(void)
{
	unsigned lost = 0;
	bool kept;

	many_exits();
	check(read_dr0() == PATTERN_LOW && read_dr1() == PATTERN_LOW + 8 &&
		      read_dr2() == ~PATTERN_LOW && read_dr3() == PATTERN_LOW + 24 &&
		      read_dr6() == 0xffff4ff0 && read_dr7() == 0xfff007ff &&
		      read_cr2() == PATTERN && read_cr8() == 9,
	      "debug registers, CR2 and CR8 outlive exits");
	save();
	kept = *(uint16_t *)area == 0x340 && *(uint32_t *)(area + 24) == 0x7f80 &&
	       has_pattern(32, 42) && has_pattern(160, 416);
	for (unsigned i = 2; has_xsave() && i < 32; i++)
		if (components() >> i & 1 && i != 9) {
			struct cpuid place = cpuid(0x0d, i);

			kept &= has_pattern(place.ebx, place.ebx + place.eax);
		}
	check(kept, "so do the FPU, SSE, AVX and what else XSAVE saves");
	for (unsigned i = 0; i < sizeof(msrs) / sizeof(msrs[0]); i++)
		lost += read_msr(msrs[i].msr) != msrs[i].left && !last_fault.happened;
	check(lost == 0, "and so do MSRs");
}

/* --- The end, with the pattern in the general registers as well --- */

static const struct __attribute__((packed)) {
	uint16_t limit;
	uint64_t base;
} no_idt = {0, 0};

#define PATTERN_EVERYWHERE                                                                         \
	"mov %%rsi, %%rbx; mov %%rsi, %%rcx; mov %%rsi, %%rbp; mov %%rsi, %%rsp\n\t"               \
	"mov %%rsi, %%rdi; mov %%rsi, %%r8; mov %%rsi, %%r9; mov %%rsi, %%r10\n\t"                 \
	"mov %%rsi, %%r11; mov %%rsi, %%r12; mov %%rsi, %%r13; mov %%rsi, %%r14\n\t"               \
	"mov %%rsi, %%r15\n\t"

static __attribute__((noreturn)) void end(int code, bool die)
{
	if (die)
		asm volatile("lidt %0\n\t" PATTERN_EVERYWHERE "ud2" : : "m"(no_idt), "S"(PATTERN));
	asm volatile(PATTERN_EVERYWHERE "out %%eax, %%dx" : : "a"(code), "d"(0xf4), "S"(PATTERN));
	for (;;)
		;
}

int guest_main(uint32_t magic, uint32_t info)
{
	const struct multiboot_info *boot = (const struct multiboot_info *)(uint64_t)info;
	const char *line = (const char *)(uint64_t)boot->cmdline;
	bool fail = has_word(line, "fail"), die = has_word(line, "die");
	int result;

	memory_end = HIGH_START + boot->mem_upper * 1024ull;
	image_end = ((uint64_t)guest_image_end + PAGE - 1) & -PAGE;
	check_debug();
	check_registers_of_fpu();
	check_general(magic, info);
	check_memory(info);
	check_devices();
	check_msrs(has_word(line, "msrs"));

	dirty_msrs();
	dirty_fpu();
	dirty_debug();
	check_exits();
	result = checks_done();
	dirty_fpu();
	dirty_devices();
	dirty_memory();
	end(result ? result : fail ? 7 : 0, die);
}
