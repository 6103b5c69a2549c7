/* SPDX-License-Identifier: BSD-2-Clause */
/* What CPUID tells a guest: nothing that is not there, and each leaf in accord with the others. */
/* UNITS: vcpu/cpuid.c arch/x86_64/cpuid.c vcpu/events.c vcpu/bus.c arch/x86_64/exceptions.c */
/* UNITS: tests/fake/backend.c tests/fake/host_cpuid.c tests/fake/log.c tests/fake/error.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include "arch/x86_64/instructions.h"
#include "tests/fake/backend.h"
#include "tests/fake/host_cpuid.h"
#include "vcpu/cpuid_policy.h"
#include "vcpu/hypercall.h"

static void build(void)
{
	fake_vcpu_reset(FAKE_CODE64);
	cpuid_build(&fake_vcpu);
}

static int setup(void **state)
{
	(void)state;
	fake_machine_reset();
	host_cpuid_reset();
	fake_machine.xcr0 = 1;
	build();
	return 0;
}

static struct cpuid_result ask(uint64_t leaf, uint64_t subleaf)
{
	struct general_registers *regs = &fake_vcpu.regs;

	memset(regs, 0xee, sizeof(*regs));
	regs->rax = leaf;
	regs->rcx = subleaf;
	assert_int_equal(vcpu_cpuid(&fake_vcpu), OUTCOME_NEXT);
	/* The upper halves end; nothing else changes. */
	assert_int_equal((regs->rax | regs->rbx | regs->rcx | regs->rdx) >> 32, 0);
	assert_int_equal(regs->rsi & regs->rdi & regs->rbp & regs->r8 & regs->r15,
			 0xeeeeeeeeeeeeeeee);
	return (struct cpuid_result){.eax = (uint32_t)regs->rax,
				     .ebx = (uint32_t)regs->rbx,
				     .ecx = (uint32_t)regs->rcx,
				     .edx = (uint32_t)regs->rdx};
}

static bool shown(struct cpuid_bit feature)
{
	bool answer = cpuid_result_has(ask(feature.leaf, feature.subleaf), feature);

	assert_int_equal(answer, cpuid_shows(&fake_vcpu.cpuid, feature));
	return answer;
}

static void expect_leaf(uint32_t leaf, uint32_t subleaf, uint32_t eax, uint32_t ebx, uint32_t ecx,
			uint32_t edx)
{
	struct cpuid_result got = ask(leaf, subleaf);

	if (got.eax != eax || got.ebx != ebx || got.ecx != ecx || got.edx != edx)
		fail_msg("leaf %x.%x: %x %x %x %x", leaf, subleaf, got.eax, got.ebx, got.ecx,
			 got.edx);
}

/* Everything of which nothing is there, on a processor that has everything. */
static void what_is_never_shown(void **state)
{
	static const struct cpuid_bit never[] = {
		CPUID_MONITOR,
		CPUID_VMX,
		CPUID_SMX,
		CPUID_PDCM,
		CPUID_X2APIC,
		CPUID_TSC_DEADLINE,
		CPUID_OSXSAVE,
		CPUID_APIC,
		CPUID_HTT,
		CPUID_ARAT,
		CPUID_SGX,
		CPUID_RTM,
		CPUID_BIT(7, 0, CPUID_EBX, 4) /* HLE */,
		CPUID_MPX,
		CPUID_PT,
		CPUID_OSPKE,
		CPUID_CET_SS,
		CPUID_LA57,
		CPUID_KEY_LOCKER,
		CPUID_BUS_LOCK_DETECT,
		CPUID_ENQCMD,
		CPUID_PKS,
		CPUID_UINTR,
		CPUID_HYBRID,
		CPUID_PCONFIG,
		CPUID_ARCH_LBR,
		CPUID_CET_IBT,
		CPUID_IBRS_IBPB,
		CPUID_STIBP,
		CPUID_L1D_FLUSH,
		CPUID_CORE_CAPABILITIES,
		CPUID_SSBD,
		CPUID_LASS,
		CPUID_FRED,
		CPUID_LAM,
		CPUID_MSRLIST,
		CPUID_SVM,
		CPUID_WBNOINVD,
		CPUID_BIT(1, 0, CPUID_EDX, 21) /* DS */,
		CPUID_BIT(1, 0, CPUID_EDX, 22) /* ACPI */,
		CPUID_BIT(1, 0, CPUID_EDX, 29) /* TM */,
		CPUID_BIT(1, 0, CPUID_ECX, 7) /* EIST */,
		CPUID_BIT(7, 0, CPUID_EDX, 22) /* AMX-BF16 */,
		CPUID_BIT(7, 0, CPUID_EDX, 24) /* AMX-TILE */,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (shown(never[i]))
			fail_msg("leaf %x register %u bit %u", never[i].leaf, never[i].reg,
				 never[i].bit);
	/* Power, performance counters, tracing, SGX, resource control ... */
	for (uint32_t leaf = 0; leaf <= 0x0d; leaf++)
		if (leaf == 3 || leaf == 5 || leaf == 6 || leaf == 8 || leaf == 9 || leaf == 0x0a ||
		    leaf == 0x0c)
			for (uint32_t sub = 0; sub < 20; sub++)
				expect_leaf(leaf, sub, 0, 0, 0, 0);
}

/* --- The table: what the rows say, on a processor that has everything. --- */

struct row {
	struct cpuid_bit bit;
	bool shown;
	const char *name, *why;
};

#define SHOWN(leaf, sub, reg, bit, needs, name)                                                    \
	{CPUID_BIT(leaf, sub, CPUID_##reg, bit), true, name, #needs},
#define HIDDEN(leaf, sub, reg, bit, name, why)                                                     \
	{CPUID_BIT(leaf, sub, CPUID_##reg, bit), false, name, why},
static const struct row rows[] = {CPUID_FEATURE_POLICY(SHOWN, HIDDEN)};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void each_bit_is_as_its_row_says(void **state)
{
	/* The registers that are nothing but feature bits; and what stands there besides. */
	static const struct {
		uint32_t leaf, subleaf, reg, put_in;
	} registers[] = {
		{1,          0, CPUID_ECX, 1u << 31},
                {1,          0, CPUID_EDX, 0       },
		{7,          0, CPUID_EBX, 0       },
                {7,          0, CPUID_ECX, 0       },
		{7,          0, CPUID_EDX, 0       },
                {7,          1, CPUID_EAX, 0       },
		{7,          1, CPUID_EBX, 0       },
                {7,          1, CPUID_ECX, 0       },
		{7,          1, CPUID_EDX, 0       },
                {0xd,        1, CPUID_EAX, 0       },
		{0x80000001, 0, CPUID_EAX, 0       },
                {0x80000001, 0, CPUID_EBX, 0       },
		{0x80000001, 0, CPUID_ECX, 0       },
                {0x80000001, 0, CPUID_EDX, 0       },
		{0x80000007, 0, CPUID_EDX, 0       },
                {0x80000008, 0, CPUID_EBX, 0       },
	};
	unsigned in_rows = 0, seen = 0;

	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *row = &rows[i], *next = row + 1;

		/* What is hidden says why. */
		assert_true(strlen(row->name) >= 2 && strlen(row->why) >= 3);
		in_rows += row->shown;
		if (i + 1 == ROWS)
			continue;
		/* In order, so none is there twice. */
		assert_true(row->bit.leaf != next->bit.leaf ? row->bit.leaf < next->bit.leaf
			    : row->bit.subleaf != next->bit.subleaf
				    ? row->bit.subleaf < next->bit.subleaf
			    : row->bit.reg != next->bit.reg ? row->bit.reg < next->bit.reg
							    : row->bit.bit < next->bit.bit);
	}
	for (size_t r = 0; r < sizeof(registers) / sizeof(registers[0]); r++) {
		struct cpuid_result got = ask(registers[r].leaf, registers[r].subleaf);
		uint32_t want = registers[r].put_in;

		for (size_t i = 0; i < ROWS; i++)
			if (rows[i].shown && rows[i].bit.leaf == registers[r].leaf &&
			    rows[i].bit.subleaf == registers[r].subleaf &&
			    rows[i].bit.reg == registers[r].reg) {
				want |= 1u << rows[i].bit.bit;
				seen++;
			}
		if (got.by_register[registers[r].reg] != want)
			fail_msg("leaf %x.%x register %u: %x, not %x", registers[r].leaf,
				 registers[r].subleaf, registers[r].reg,
				 got.by_register[registers[r].reg], want);
	}
	assert_int_equal(seen, in_rows);
}

/* Leaf 7 has subleaf 1 where the host has it. */
static void subleaves_of_features(void **state)
{
	(void)state;
	assert_int_equal(ask(7, 0).eax, 1);
	assert_true(shown(CPUID_BIT(7, 1, CPUID_EAX, 4)));
	expect_leaf(7, 2, 0, 0, 0, 0);
	host_cpuid_leaf(7, 0)->eax = 0;
	build();
	assert_int_equal(ask(7, 0).eax, 0);
	expect_leaf(7, 1, 0, 0, 0, 0);
	assert_true(shown(CPUID_SMEP));
}

static void what_is_shown(void **state)
{
	static const struct cpuid_bit some[] = {
		CPUID_SSE3,       CPUID_PCID,      CPUID_XSAVE,
		CPUID_AVX,        CPUID_RDRAND,    CPUID_FPU,
		CPUID_VME,        CPUID_PSE,       CPUID_TSC,
		CPUID_MSR,        CPUID_PAE,       CPUID_SEP,
		CPUID_PGE,        CPUID_PAT,       CPUID_FXSR,
		CPUID_FSGSBASE,   CPUID_SMEP,      CPUID_SMAP,
		CPUID_INVPCID,    CPUID_RDSEED,    CPUID_UMIP,
		CPUID_PKU,        CPUID_WAITPKG,   CPUID_RDPID,
		CPUID_XSAVEOPT,   CPUID_XSAVEC,    CPUID_XSAVES,
		CPUID_SYSCALL,    CPUID_NX,        CPUID_PAGE_1G,
		CPUID_RDTSCP,     CPUID_LONG_MODE, CPUID_INVARIANT_TSC,
		CPUID_TSC_ADJUST, CPUID_MD_CLEAR,  CPUID_MCE,
		CPUID_MCA,        CPUID_MTRR,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		host_cpuid_reset();
		build();
		if (!shown(some[i]))
			fail_msg("leaf %x register %u bit %u", some[i].leaf, some[i].reg,
				 some[i].bit);
		/* And only where the host has it. */
		host_cpuid_set(some[i], false);
		build();
		assert_false(shown(some[i]));
	}
	memset(host_cpuid_leaf(1, 0), 0, sizeof(struct cpuid_result));
	build();
	assert_true(shown(CPUID_HYPERVISOR));
}

/* Features that need a control of the backend follow it, not the host's CPUID. */
static void controls_come_first(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 16; n++) {
		fake_vcpu_reset(FAKE_CODE64);
		fake_backend.features = (struct backend_features){
			.rdtscp = n & 1, .invpcid = n & 2, .xsaves = n & 4, .waitpkg = n & 8};
		cpuid_build(&fake_vcpu);
		assert_int_equal(shown(CPUID_RDTSCP), (n & 1) != 0);
		assert_int_equal(shown(CPUID_RDPID), (n & 1) != 0);
		assert_int_equal(shown(CPUID_INVPCID), (n & 2) != 0);
		assert_int_equal(shown(CPUID_XSAVES), (n & 4) != 0);
		assert_int_equal(shown(CPUID_WAITPKG), (n & 8) != 0);
	}
}

static void one_cpu(void **state)
{
	struct cpuid_result r = ask(1, 0);

	(void)state;
	assert_int_equal(r.eax, 0x000506e3);
	assert_int_equal(r.ebx, 0x00010800); /* APIC ID 0, one CPU, CLFLUSH of 64 bytes */
	for (uint32_t sub = 0; sub < 8; sub++)
		assert_int_equal(ask(4, sub).eax >> 14, 0);
	expect_leaf(0x0b, 0, 0, 1, 0x100, 0);
	expect_leaf(0x0b, 1, 0, 1, 0x201, 0);
	/* Beyond the levels: the number comes back, the type is invalid. */
	expect_leaf(0x0b, 2, 0, 0, 2, 0);
	expect_leaf(0x0b, 0x1234, 0, 0, 0x34, 0);
}

/* Leaf 2 may send to leaf 4 for caches, but not to leaf 18h for TLBs: that is not shown. */
static void leaf_2_sends_nobody_to_leaf_18(void **state)
{
	(void)state;
	*host_cpuid_leaf(2, 0) = (struct cpuid_result){
		.eax = 0x00feff01, .ebx = 0x7e0000f0, .ecx = 0x80fefefe, .edx = 0xfe};
	build();
	expect_leaf(2, 0, 0x0000ff01, 0x7e0000f0, 0x80fefefe, 0);
}

/* --- Which leaf answers. --- */

static void leaves_beyond_the_last(void **state)
{
	static const uint32_t beyond[] = {0x0e,       0x10,       0x1f,       0x20,
					  0x1000,     0x3fffffff, 0x40000004, 0x400000ff,
					  0x7fffffff, 0x80000009, 0x8fffffff, 0xffffffff};

	(void)state;
	assert_int_equal(ask(0, 0).eax, 0x0d);
	assert_int_equal(ask(0x80000000, 0).eax, 0x80000008);
	for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++)
		for (uint32_t sub = 0; sub < 12; sub++) {
			struct cpuid_result last = ask(0x0d, sub);

			expect_leaf(beyond[i], sub, last.eax, last.ebx, last.ecx, last.edx);
		}
}

static void small_hosts(void **state)
{
	(void)state;
	for (uint32_t max = 1; max <= 0x0d; max++) {
		struct cpuid_result last;

		host_cpuid_reset();
		host_cpuid_leaf(0, 0)->eax = max;
		build();
		assert_int_equal(ask(0, 0).eax, max);
		last = ask(max, 1);
		expect_leaf(max + 1, 1, last.eax, last.ebx, last.ecx, last.edx);
		expect_leaf(0x0f, 1, last.eax, last.ebx, last.ecx, last.edx);
		assert_int_equal(cpuid_shows(&fake_vcpu.cpuid, CPUID_SMEP), max >= 7);
		assert_int_equal(cpuid_shows(&fake_vcpu.cpuid, CPUID_XSAVES), max >= 0x0d);
	}
	for (uint32_t max = 0x80000001; max <= 0x80000008; max++) {
		host_cpuid_reset();
		host_cpuid_leaf(0x80000000, 0)->eax = max;
		build();
		expect_leaf(0x80000000, 0, max, 0, 0, 0);
		expect_leaf(max + 1, 0, ask(0x0d, 0).eax, ask(0x0d, 0).ebx, ask(0x0d, 0).ecx,
			    ask(0x0d, 0).edx);
		assert_int_equal(fake_vcpu.cpuid.physical_bits, max < 0x80000008 ? 36 : 40);
	}
	/* Without extended leaves, which return something else then. */
	host_cpuid_leaf(0x80000000, 0)->eax = 0x2ff;
	build();
	assert_false(cpuid_shows(&fake_vcpu.cpuid, CPUID_LONG_MODE));
	expect_leaf(0xffffffff, 0, ask(0x0d, 0).eax, ask(0x0d, 0).ebx, ask(0x0d, 0).ecx,
		    ask(0x0d, 0).edx);
}

/* EAX and ECX count, RAX and RCX do not; and ECX only where the leaf has subleaves. */
static void what_is_asked(void **state)
{
	static const uint32_t without[] = {0, 1, 2, 0x80000001, 0x80000008, 0x40000000};

	(void)state;
	for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
		struct cpuid_result r = ask(without[i], 0);

		expect_leaf(without[i], 0xffffffff, r.eax, r.ebx, r.ecx, r.edx);
		r = ask(without[i] | 0xffffffff00000000, 5);
		expect_leaf(without[i], 0, r.eax, r.ebx, r.ecx, r.edx);
	}
	expect_leaf(7, 2, 0, 0, 0, 0);
	expect_leaf(7, 0xffffffff, 0, 0, 0, 0);
	expect_leaf(4, 8, 0, 0, 0, 0);
	expect_leaf(0x0d, 10, 0, 0, 0, 0);
	expect_leaf(0x0d, 64, 0, 0, 0, 0);
	assert_int_equal(ask(7, 0xffffffff00000000).ebx, ask(7, 0).ebx);
}

static void the_hypervisors_leaves(void **state)
{
	struct cpuid_result r = ask(0x40000000, 0);
	char signature[13] = "";

	(void)state;
	memcpy(signature, &r.ebx, 4);
	memcpy(signature + 4, &r.ecx, 4);
	memcpy(signature + 8, &r.edx, 4);
	assert_string_equal(signature, PLINTH_SIGNATURE);
	assert_int_equal(r.eax, 0x40000001);
	expect_leaf(0x40000001, 0, PLINTH_ABI_VERSION, 0, 0, 0);
	expect_leaf(0x40000002, 0, 0, 0, 0, 0);
	expect_leaf(0x40000003, 7, 0, 0, 0, 0);
}

/* --- What changes while the guest runs. --- */

static void bits_that_mirror_cr4(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 4; n++) {
		struct cpuid_bit osxsave = CPUID_OSXSAVE, ospke = CPUID_OSPKE;

		fake_machine.cr4 = ~0ull; /* the host's is no matter */
		fake_vcpu.cr4_shadow = (n & 1 ? CR4_OSXSAVE : 0) | (n & 2 ? CR4_PKE : 0);
		assert_int_equal(cpuid_result_has(ask(1, 0), osxsave), n & 1);
		assert_int_equal(cpuid_result_has(ask(7, 0), ospke), n >> 1 & 1);
		assert_int_equal(ask(7, 1).ecx, 0);
	}
}

/* SDM "CPUID": "SYSCALL/SYSRET ... always enumerated as 0 outside 64-bit mode". */
static void syscall_is_for_64bit_code(void **state)
{
	static const enum fake_code codes[] = {FAKE_REAL,   FAKE_VIRTUAL_8086,    FAKE_CODE16,
					       FAKE_CODE32, FAKE_COMPATIBILITY32, FAKE_CODE64};

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct cpuid_result r;

		fake_vcpu_reset(codes[i]);
		cpuid_build(&fake_vcpu);
		r = ask(0x80000001, 0);
		assert_int_equal(cpuid_result_has(r, CPUID_SYSCALL), codes[i] == FAKE_CODE64);
		assert_true(cpuid_result_has(r, CPUID_LONG_MODE));
		/* What the policy has to know is whether there is one at all. */
		assert_true(cpuid_shows(&fake_vcpu.cpuid, CPUID_SYSCALL));
	}
}

static cpuid_reader with_sizes;

static struct cpuid_result without_sizes(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_result r = with_sizes(leaf, subleaf);

	if (leaf == 0x0d && subleaf == 9)
		return (struct cpuid_result){0};
	if (leaf == 0x0d && subleaf == 0)
		r.ecx = 0xac0;
	return r;
}

/* SDM "XSAVE area": what the leaf says must hold what XSAVE writes, for each XCR0. */
static void sizes_of_the_xsave_area(void **state)
{
	static const uint64_t values[] = {1, 3, 7, 0xe7, 0x2e7, 0x201, 0x207};

	(void)state;
	assert_int_equal(fake_vcpu.xcr0_allowed, 0x2e7);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct cpuid_result r;
		uint32_t end = 576, compact = 576;

		for (unsigned c = 2; c < 10; c++)
			if (values[i] >> c & 1) {
				end = host_components[c].offset + host_components[c].size;
				compact += host_components[c].size;
			}
		fake_machine.xcr0 = values[i];
		r = ask(0x0d, 0);
		assert_int_equal(r.eax, 0x2e7);
		assert_int_equal(r.ebx, end);
		assert_int_equal(r.ecx, 2688 + 8);
		assert_int_equal(r.edx, 0);
		r = ask(0x0d, 1);
		assert_int_equal(r.eax, 0xf);
		assert_int_equal(r.ebx, compact);
		assert_int_equal(r.ecx | r.edx, 0);
	}
	for (uint32_t c = 2; c < 12; c++) {
		bool there = c < 10 && 0x2e7 >> c & 1;

		expect_leaf(0x0d, c, there ? host_components[c].size : 0,
			    there ? host_components[c].offset : 0, 0, 0);
	}
	/* A processor that says how much it is, but not of each: it is believed if the guest may
	   have all that it has. */
	host_cpuid_leaf(0x0d, 0)->eax = 0x2e7;
	with_sizes = fake_machine.cpuid;
	fake_machine.cpuid = without_sizes;
	build();
	assert_int_equal(ask(0x0d, 0).ecx, 0xac0);
	fake_machine.cpuid = with_sizes;
	/* Without AVX-512 and PKRU the area is smaller. */
	host_cpuid_leaf(0x0d, 0)->eax = 0x1f;
	build();
	assert_int_equal(ask(0x0d, 0).eax, 7);
	assert_int_equal(ask(0x0d, 0).ecx, 832);
}

/* --- Nothing is offered whose registers the guest cannot enable. --- */

static void vectors_need_their_state(void **state)
{
	static const struct cpuid_bit avx512[] = {
		CPUID_BIT(7, 0, CPUID_EBX, 16), CPUID_BIT(7, 0, CPUID_EBX, 17),
		CPUID_BIT(7, 0, CPUID_EBX, 21), CPUID_BIT(7, 0, CPUID_EBX, 28),
		CPUID_BIT(7, 0, CPUID_EBX, 30), CPUID_BIT(7, 0, CPUID_EBX, 31),
		CPUID_BIT(7, 0, CPUID_ECX, 1),  CPUID_BIT(7, 0, CPUID_ECX, 6),
		CPUID_BIT(7, 0, CPUID_ECX, 11), CPUID_BIT(7, 0, CPUID_ECX, 12),
		CPUID_BIT(7, 0, CPUID_ECX, 14), CPUID_BIT(7, 0, CPUID_EDX, 8),
		CPUID_BIT(7, 0, CPUID_EDX, 23), CPUID_BIT(7, 1, CPUID_EAX, 5),
	};
	static const struct cpuid_bit avx[] = {
		CPUID_AVX,
		CPUID_BIT(1, 0, CPUID_ECX, 12), /* FMA */
		CPUID_BIT(1, 0, CPUID_ECX, 29), /* F16C */
		CPUID_BIT(7, 0, CPUID_EBX, 5),  /* AVX2 */
		CPUID_BIT(7, 0, CPUID_ECX, 9),  /* VAES */
		CPUID_BIT(7, 0, CPUID_ECX, 10), /* VPCLMULQDQ */
		CPUID_BIT(7, 1, CPUID_EAX, 0),  /* SHA512 */
		CPUID_BIT(7, 1, CPUID_EAX, 4),  /* AVX-VNNI */
		CPUID_BIT(7, 1, CPUID_EAX, 23), /* AVX-IFMA */
		CPUID_BIT(7, 1, CPUID_EDX, 10), /* AVX-VNNI-INT16 */
	};
	static const uint32_t xcr0[] = {0x2e7, 0x267, 0x07, 0x03, 0};

	(void)state;
	for (size_t n = 0; n < sizeof(xcr0) / sizeof(xcr0[0]); n++) {
		host_cpuid_reset();
		host_cpuid_leaf(0x0d, 0)->eax = xcr0[n];
		host_cpuid_set(CPUID_XSAVE, xcr0[n] != 0);
		build();
		for (size_t i = 0; i < sizeof(avx512) / sizeof(avx512[0]); i++)
			assert_int_equal(shown(avx512[i]), xcr0[n] == 0x2e7);
		for (size_t i = 0; i < sizeof(avx) / sizeof(avx[0]); i++)
			assert_int_equal(shown(avx[i]), (xcr0[n] & 4) != 0);
		assert_int_equal(shown(CPUID_XSAVE), xcr0[n] != 0);
		/* PKRU that XRSTOR does not reset would tell the next VM of this one. */
		assert_int_equal(shown(CPUID_PKU), xcr0[n] >> 9 & 1);
	}
	/* No XSAVE, no leaf that describes its area. */
	for (uint32_t sub = 0; sub < 12; sub++)
		expect_leaf(0x0d, sub, 0, 0, 0, 0);
	/* A processor whose leaves end before 0Dh cannot tell either. */
	host_cpuid_reset();
	host_cpuid_leaf(0, 0)->eax = 7;
	build();
	assert_false(shown(CPUID_XSAVE) || shown(CPUID_AVX));
}

/* Without 5-level paging linear addresses have 48 bits. */
static void widths_of_addresses(void **state)
{
	(void)state;
	expect_leaf(0x80000008, 0, 0x3028, 0, 0, 0);
	host_cpuid_leaf(0x80000008, 0)->eax = 0xff3034;
	build();
	expect_leaf(0x80000008, 0, 0x3034, 0, 0, 0);
	assert_int_equal(fake_vcpu.cpuid.physical_bits, 52);
}

static unsigned asked;

static struct cpuid_result count_asked(uint32_t leaf, uint32_t subleaf)
{
	(void)leaf;
	(void)subleaf;
	asked++;
	return (struct cpuid_result){.ebx = 0x240};
}

/* CPUID is dear under another hypervisor: only the size that depends on XCR0 needs it. */
static void the_host_is_not_asked(void **state)
{
	(void)state;
	fake_machine.cpuid = count_asked;
	for (uint32_t leaf = 0; leaf < 0x20; leaf++)
		if (leaf < 0x0d)
			ask(leaf, 0);
	for (uint32_t leaf = 0x80000000; leaf <= 0x80000008; leaf++)
		ask(leaf, 0);
	ask(0x40000000, 0);
	ask(0x0d, 2);
	assert_int_equal(asked, 0);
	assert_int_equal(ask(0x0d, 0).ebx, 0x240);
	assert_int_equal(asked, 1);
}

static void records(void **state)
{
	struct exit_record *record = fake_vcpu_record();
	struct cpuid_result r = ask(7, 0x100000000);

	(void)state;
	assert_int_equal(record->qualification, 7);
	assert_int_equal(record->detail[0], r.eax | (uint64_t)r.ebx << 32);
	assert_int_equal(record->detail[1], r.ecx | (uint64_t)r.edx << 32);
	ask(0x0d, 5);
	assert_int_equal(record->qualification, 0x50000000d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_is_never_shown, setup),
		cmocka_unit_test_setup(each_bit_is_as_its_row_says, setup),
		cmocka_unit_test_setup(subleaves_of_features, setup),
		cmocka_unit_test_setup(what_is_shown, setup),
		cmocka_unit_test_setup(controls_come_first, setup),
		cmocka_unit_test_setup(one_cpu, setup),
		cmocka_unit_test_setup(leaf_2_sends_nobody_to_leaf_18, setup),
		cmocka_unit_test_setup(leaves_beyond_the_last, setup),
		cmocka_unit_test_setup(small_hosts, setup),
		cmocka_unit_test_setup(what_is_asked, setup),
		cmocka_unit_test_setup(the_hypervisors_leaves, setup),
		cmocka_unit_test_setup(bits_that_mirror_cr4, setup),
		cmocka_unit_test_setup(syscall_is_for_64bit_code, setup),
		cmocka_unit_test_setup(sizes_of_the_xsave_area, setup),
		cmocka_unit_test_setup(vectors_need_their_state, setup),
		cmocka_unit_test_setup(widths_of_addresses, setup),
		cmocka_unit_test_setup(the_host_is_not_asked, setup),
		cmocka_unit_test_setup(records, setup),
	};

	return cmocka_run_group_tests_name("cpuid_policy", tests, NULL, NULL);
}
