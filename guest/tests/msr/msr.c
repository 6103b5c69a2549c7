/* SPDX-License-Identifier: BSD-2-Clause */
/* RDMSR and WRMSR: which MSRs there are, and which values each of them takes. */
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"

#define GP 13

static bool try_read(uint32_t msr, uint64_t *value)
{
	uint32_t low = 0, high = 0;

	TRY("rdmsr", : "=a"(low), "=d"(high) : "c"(msr) : "memory");
	*value = (uint64_t)high << 32 | low;
	return !last_fault.happened;
}

static bool try_write(uint32_t msr, uint64_t value)
{
	TRY("wrmsr", : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
	return !last_fault.happened;
}

static bool shown(uint32_t leaf, char reg, unsigned bit)
{
	struct cpuid c = cpuid(leaf, 0);

	return (reg == 'b' ? c.ebx : reg == 'c' ? c.ecx : c.edx) >> bit & 1;
}

/* --- Bits. --- */

struct bits {
	uint64_t taken;   /* may be changed from what they are, each alone */
	uint64_t changed; /* and then read as they were written */
};

static struct bits try_bits(uint32_t msr, uint64_t base)
{
	struct bits bits = {0, 0};

	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t now;

		if (!try_write(msr, base ^ 1ull << bit))
			continue;
		bits.taken |= 1ull << bit;
		if (try_read(msr, &now) && now == (base ^ 1ull << bit))
			bits.changed |= 1ull << bit;
	}
	try_write(msr, base);
	return bits;
}

/* From their value at the start; what Bochs has not is `# virtual`. */
static void each_bit(void)
{
	uint64_t addresses = (1ull << (cpuid(0x80000008, 0).eax & 0xff)) - 0x1000;
	const uint64_t canonical = 0x7fffffffffff, dword = 0xffffffff;
	const struct {
		uint32_t msr;
		bool bochs_has;
		const char *name;
		uint64_t value, taken, changed;
	} rows[] = {
		{0x0,        false, "P5_MC_ADDR",        0,                                    0,                  0                 },
		{0x1,        false, "P5_MC_TYPE",        0,                                    0,                  0                 },
		{0x17,       false, "PLATFORM_ID",       0,                                    0,                  0                 },
		{0x8b,       false, "BIOS_SIGN_ID",      0,                                    ~0ull,              0                 },
		{0xfe,       true,  "MTRRCAP",           0x508,                                0,                  0                 },
		{0x174,      true,  "SYSENTER_CS",       0,                                    ~0ull,              dword             },
		{0x175,      true,  "SYSENTER_ESP",      0,                                    canonical,          canonical         },
		{0x176,      true,  "SYSENTER_EIP",      0,                                    canonical,          canonical         },
		{0x179,      false, "MCG_CAP",           0,                                    0,                  0                 },
		{0x17a,      false, "MCG_STATUS",        0,                                    7,                  7                 },
		{0x1a0,      false, "MISC_ENABLE",       0x1801,                               0x1801,             1                 },
		{0x1d9,      false, "DEBUGCTL",          0,                                    3,                  2                 },
		{0x200,      true,  "MTRR_PHYSBASE0",    0xc0000000,                           addresses | 5,      addresses | 5     },
		{0x201,      true,  "MTRR_PHYSMASK0",    (addresses & ~0x3fffffffull) | 0x800,
		 addresses | 0x800,										addresses | 0x800 },
		{0x20e,      true,  "MTRR_PHYSBASE7",    0,                                    addresses | 5,      addresses | 5     },
		{0x20f,      true,  "MTRR_PHYSMASK7",    0,                                    addresses | 0x800,  addresses | 0x800 },
		{0x250,      true,  "MTRR_FIX64K_00000", 0x0606060606060606,                   0x0202020202020202,
		 0x0202020202020202												  },
		{0x258,      true,  "MTRR_FIX16K_80000", 0x0606060606060606,                   0x0202020202020202,
		 0x0202020202020202												  },
		{0x259,      true,  "MTRR_FIX16K_A0000", 0,                                    0x0505050505050505, 0x0505050505050505},
		{0x268,      true,  "MTRR_FIX4K_C0000",  0,                                    0x0505050505050505, 0x0505050505050505},
		{0x26f,      true,  "MTRR_FIX4K_F8000",  0,                                    0x0505050505050505, 0x0505050505050505},
		{0x277,      true,  "PAT",               0x0007040600070406,                   0x0503070305030703, 0x0503070305030703},
		{0x2ff,      true,  "MTRR_DEF_TYPE",     0xc06,                                0xc02,              0xc02             },
		{0xc0000081, true,  "STAR",              0,                                    ~0ull,              ~0ull             },
		{0xc0000082, true,  "LSTAR",             0,                                    canonical,          canonical         },
		{0xc0000083, true,  "CSTAR",             0,                                    canonical,          canonical         },
		{0xc0000084, true,  "FMASK",             0,                                    ~0ull,              dword             },
		{0xc0000100, true,  "FS_BASE",           0,                                    canonical,          canonical         },
		{0xc0000101, true,  "GS_BASE",           0,                                    canonical,          canonical         },
		{0xc0000102, true,  "KERNEL_GS_BASE",    0,                                    canonical,          canonical         },
		{0xc0000103, true,  "TSC_AUX",           0,                                    ~0ull,              dword             },
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t value = 0;
		bool there = try_read(rows[i].msr, &value);
		/* What the syscall MSRs are after a reset nobody says. */
		bool as_at_start = rows[i].msr >= 0xc0000080 || value == rows[i].value;
		struct bits bits = {0, 0};

		if (there) {
			if (rows[i].msr >= 0xc0000080)
				try_write(rows[i].msr, 0);
			bits = try_bits(rows[i].msr, rows[i].value);
		}
		if (rows[i].bochs_has)
			check(there && as_at_start && bits.taken == rows[i].taken &&
				      bits.changed == rows[i].changed,
			      "%x %s: %lx, takes %lx, of these keeps %lx", rows[i].msr,
			      rows[i].name, rows[i].msr >= 0xc0000080 ? 0 : value, bits.taken,
			      bits.changed);
		else
			check_virtual(under_plinth() ? there && as_at_start &&
							       bits.taken == rows[i].taken &&
							       bits.changed == rows[i].changed
						     : !there,
				      "Bochs has none", "%x %s: %lx, takes %lx, of these keeps %lx",
				      rows[i].msr, rows[i].name, value, bits.taken, bits.changed);
	}
}

/* --- Memory types: each byte alone, and all of them. --- */

static void memory_types(void)
{
	static const struct {
		uint32_t msr;
		uint64_t base;
		unsigned shifts;
		const char *name;
		bool pat;
	} rows[] = {
		{0x200, 0x100000, 1, "MTRR_PHYSBASE0",    false},
		{0x250, 0,        8, "MTRR_FIX64K_00000", false},
		{0x26d, 0,        8, "MTRR_FIX4K_E8000",  false},
		{0x277, 0,        8, "PAT",               true },
		{0x2ff, 0x800,    1, "MTRR_DEF_TYPE",     false},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned wrong = 0, taken = 0;
		uint64_t before;

		try_read(rows[i].msr, &before);
		for (unsigned byte = 0; byte < rows[i].shifts; byte++)
			for (uint64_t type = 0; type < 256; type++) {
				uint64_t value = rows[i].base | type << 8 * byte, now = ~value;
				bool ok = type < 8 && type != 2 && type != 3 &&
					  (type != 7 || rows[i].pat);
				bool took = try_write(rows[i].msr, value);

				try_read(rows[i].msr, &now);
				wrong += took != ok || (took && now != value);
				taken += took;
			}
		try_write(rows[i].msr, before);
		check(!wrong, "%x %s: %u bytes are taken, %u are not as wanted", rows[i].msr,
		      rows[i].name, taken, wrong);
	}
}

/* --- Which there are. --- */

/* A number with no MSR, or with one that CPUID says is not there. */
static bool refuses(uint32_t msr)
{
	uint64_t value;
	bool reads = try_read(msr, &value), writes;
	bool gp = !reads && last_fault.vector == GP && !last_fault.error;

	writes = try_write(msr, 0);
	return gp && !writes && last_fault.vector == GP && !last_fault.error;
}

static void nowhere(void)
{
	static const uint32_t numbers[] = {2,          0x13,       0x11f,      0xfff,
					   0x1fff,     0x2000,     0x3fffffff, 0x40000000,
					   0x4b564d00, 0xbfffffff, 0xc0000085, 0xc0000104,
					   0xc0001fff, 0xc0002000, 0xc0010015, 0xffffffff};

	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		check(refuses(numbers[i]), "%x: no MSR", numbers[i]);
}

static void as_cpuid_says(void)
{
	static const struct {
		uint32_t leaf;
		char reg;
		uint8_t bit;
		uint32_t msr;
		const char *name, *why;
	} rows[] = {
		{1, 'c', 5,  0x3a,  "VMX and FEATURE_CONTROL",                 "no VMX"                      },
		{1, 'c', 5,  0x480, "VMX and VMX_BASIC",                       "no VMX"                      },
		{1, 'd', 12, 0xfe,  "MTRR and MTRRCAP",                        0                             },
		{1, 'd', 12, 0x2ff, "MTRR and MTRR_DEF_TYPE",                  0                             },
		{1, 'd', 9,  0x1b,  "APIC and APIC_BASE",                      "no local APIC"               },
		{1, 'c', 24, 0x6e0, "TSC deadline and TSC_DEADLINE",           "no local APIC"               },
		{7, 'b', 1,  0x3b,  "TSC_ADJUST and TSC_ADJUST",               0                             },
		{7, 'c', 5,  0xe1,  "WAITPKG and UMWAIT_CONTROL",              0                             },
		{7, 'd', 26, 0x48,  "IBRS and SPEC_CTRL",                      "no protection of speculation"},
		{7, 'd', 29, 0x10a, "ARCH_CAPABILITIES and ARCH_CAPABILITIES", 0                             },
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool is = shown(rows[i].leaf, rows[i].reg, rows[i].bit), there;
		uint64_t value;

		there = try_read(rows[i].msr, &value);
		if (rows[i].why)
			check_virtual(is == there, rows[i].why, "%s: %u %u", rows[i].name, is,
				      there);
		else
			check(is == there, "%s: %u %u", rows[i].name, is, there);
	}
	/* No machine-check bank, and no register of one. */
	if (under_plinth())
		check_virtual(shown(1, 'd', 14) && refuses(0x400) && refuses(0x403) &&
				      refuses(0x17b) && refuses(0x280),
			      "Bochs has none", "MCA without banks");
	else
		check_virtual(refuses(0x400), "Bochs has none", "MCA without MSRs");
}

/* --- Time. --- */

static void time(void)
{
	const uint64_t far = 1ull << 50, near = 1ull << 40;
	bool adjust = shown(7, 'b', 1);
	uint64_t first = 0, second = 0, third = 0;
	uint32_t low, high, aux = 0;

	check(try_write(0x10, far) && rdtsc() - far < near, "TSC may be written");
	check(try_read(0x10, &first) && first - far < near, "and is read by RDMSR");
	if (adjust) {
		try_read(0x3b, &second);
		check(second - far < near || second - far > ~near,
		      "TSC_ADJUST has gone with the TSC");
		check(try_write(0x3b, second - (far >> 1)) && rdtsc() - (far >> 1) < near,
		      "and the TSC goes with TSC_ADJUST");
		check(try_read(0x3b, &third) && third == second - (far >> 1),
		      "which reads as it was written");
		try_write(0x3b, 0);
	}
	try_write(0xc0000103, 0x12345678);
	asm volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(aux));
	check(aux == 0x12345678, "RDTSCP gives TSC_AUX");
	try_write(0xc0000103, 0);
}

/* --- What RDMSR and WRMSR do with registers, and where they may be. --- */

CODE64(read64, "rdmsr\n");
CODE64(write64, "wrmsr\n");
CODE32(read32, "rdmsr\n");
CODE16(read16, "rdmsr\n");

static void registers(void)
{
	struct machine m;

	machine_init(&m, LONG64);
	m.rcx = 0xffffffff00000277;
	m.rax = m.rdx = ~0ull;
	check(same(RUN(&m, read64), "done") && m.rax == 0x00070406 && m.rdx == 0x00070406 &&
		      m.rcx == 0xffffffff00000277,
	      "RDMSR: ECX counts, RAX and RDX lose their upper halves");
	machine_init(&m, LONG64);
	m.rcx = 0xffffffff00000277;
	m.rax = m.rdx = 0xffffffff00070406;
	check(same(RUN(&m, write64), "done") && m.rax == 0xffffffff00070406,
	      "WRMSR: EDX:EAX counts");
	machine_init(&m, LONG64);
	m.rcx = 0x2000;
	m.rax = m.rdx = 0x1234567890abcdef;
	check(same(RUN(&m, read64), "#GP(0)") && m.rax == 0x1234567890abcdef && m.rax == m.rdx,
	      "RDMSR of none: #GP(0), registers as before");
	for (enum place place = REAL; place < PLACES; place++) {
		const char *how;

		machine_init(&m, place);
		m.rcx = 0x277;
		how = place_bits(place) == 64   ? RUN(&m, read64)
		      : place_bits(place) == 32 ? RUN(&m, read32)
						: RUN(&m, read16);
		check(place_cpl(place) ? same(how, "#GP(0)")
				       : same(how, "done") && (uint32_t)m.rax == 0x00070406,
		      "%s: RDMSR: %s", place_name(place), how);
	}
}

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	(void)boot_magic;
	(void)boot_info;
	each_bit();
	memory_types();
	nowhere();
	as_cpuid_says();
	time();
	registers();
	return checks_done();
}
