/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUID for guests: the policy, the table made from it, and the exit. */
#include "vcpu/cpuid.h"

#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/instructions.h"
#include "kernel/string.h"
#include "vcpu/hypercall.h"
#include "vcpu/vcpu.h"

#define F(n) (1u << (n))

#define BASIC_LIMIT    0x0du
#define EXTENDED_BASE  0x80000000u
#define EXTENDED_LIMIT 0x80000008u
#define HYPERVISOR     0x40000000u

/*
 * The feature bits that a guest may see when the host has them; all others are 0. Reasons for what
 * is missing: no local APIC yet (APIC, x2APIC, TSC deadline, ARAT), no performance counters or
 * tracing (PDCM, DS, PT), no nested VMX or SMX, no power management (EST, TM, MWAIT), no
 * speculation-control MSRs yet, and no TSX, whose aborts would show exits. MCE and MCA come without
 * machine-check banks.
 */
/* clang-format off */
static const struct feature_rule {
	uint32_t leaf, subleaf;
	uint8_t reg;
	uint32_t allowed;
} feature_rules[] = {
	/* SSE3 PCLMULQDQ SSSE3 FMA CX16 PCID SSE4.1 SSE4.2 MOVBE POPCNT AES XSAVE AVX F16C RDRAND */
	{1, 0, CPUID_ECX,
	 F(0) | F(1) | F(9) | F(12) | F(13) | F(17) | F(19) | F(20) | F(22) |
		 F(23) | F(25) | F(26) | F(28) | F(29) | F(30)},
	/* FPU VME DE PSE TSC MSR PAE MCE CX8 SEP MTRR PGE MCA CMOV PAT PSE36 CLFSH MMX FXSR SSE SSE2
	   SS */
	{1, 0, CPUID_EDX,
	 F(0) | F(1) | F(2) | F(3) | F(4) | F(5) | F(6) | F(7) | F(8) | F(11) |
		 F(12) | F(13) | F(14) | F(15) | F(16) | F(17) | F(19) | F(23) |
		 F(24) | F(25) | F(26) | F(27)},
	/* FSGSBASE TSC_ADJUST BMI1 AVX2 FDP_EXCPTN SMEP BMI2 ERMS INVPCID FCS/FDS AVX512F AVX512DQ RDSEED ADX
	   SMAP AVX512IFMA CLFLUSHOPT CLWB AVX512CD SHA AVX512BW AVX512VL */
	{7, 0, CPUID_EBX,
	 F(0) | F(1) | F(3) | F(5) | F(6) | F(7) | F(8) | F(9) | F(10) | F(13) |
		 F(16) | F(17) | F(18) | F(19) | F(20) | F(21) | F(23) | F(24) |
		 F(28) | F(29) | F(30) | F(31)},
	/* AVX512VBMI UMIP PKU WAITPKG AVX512VBMI2 GFNI VAES VPCLMUL VNNI BITALG VPOPCNT RDPID MOVDIRI MOVDIR64B */
	{7, 0, CPUID_ECX,
	 F(1) | F(2) | F(3) | F(5) | F(6) | F(8) | F(9) | F(10) | F(11) |
		 F(12) | F(14) | F(22) | F(27) | F(28)},
	/* FSRM VP2INTERSECT MD_CLEAR SERIALIZE */
	{7, 0, CPUID_EDX, F(4) | F(8) | F(10) | F(14)},
	/* x87 SSE AVX, the three of AVX-512, PKRU */
	{0x0d, 0, CPUID_EAX, 0x2e7},
	/* XSAVEOPT XSAVEC XGETBV-1 XSAVES */
	{0x0d, 1, CPUID_EAX, F(0) | F(1) | F(2) | F(3)},
	/* LAHF LZCNT PREFETCHW */
	{0x80000001, 0, CPUID_ECX, F(0) | F(5) | F(8)},
	/* SYSCALL NX 1G-pages RDTSCP LM */
	{0x80000001, 0, CPUID_EDX, F(11) | F(20) | F(26) | F(27) | F(29)},
	/* invariant TSC */
	{0x80000007, 0, CPUID_EDX, F(8)},
	/* linear and physical address widths; WBNOINVD stays out */
	{0x80000008, 0, CPUID_EAX, 0xffff},
};
/* clang-format on */

/* How a leaf gets its entries. Leaves without a row read as zeros. */
/* clang-format off */
static const struct leaf_rule {
	uint32_t leaf;
	uint8_t subleaves;        /* how many are kept; 0: the leaf ignores ECX */
	bool copy;                /* the host's values as they are; else through feature_rules */
	uint8_t dynamic;
} leaf_rules[] = {
	{0x00,       0,  true,  CPUID_STATIC         }, /* maximum leaf (cut below) and vendor */
	{0x01,       0,  false, CPUID_DYNAMIC_OSXSAVE},
	{0x02,       0,  true,  CPUID_STATIC         }, /* caches: the host's, the guest runs on them */
	{0x04,       8,  true,  CPUID_STATIC         }, /* caches again; sharing is cut to one CPU below */
	{0x07,       1,  false, CPUID_DYNAMIC_OSPKE  },
	{0x0b,       2,  false, CPUID_STATIC         }, /* topology: one CPU, made below */
	{0x0d,       10, false, CPUID_DYNAMIC_XSAVE  },
	{0x80000000, 0,  true,  CPUID_STATIC         },
	{0x80000001, 0,  false, CPUID_DYNAMIC_SYSCALL},
	{0x80000002, 0,  true,  CPUID_STATIC         }, /* the brand string */
	{0x80000003, 0,  true,  CPUID_STATIC         },
	{0x80000004, 0,  true,  CPUID_STATIC         },
	{0x80000005, 0,  true,  CPUID_STATIC         },
	{0x80000006, 0,  true,  CPUID_STATIC         },
	{0x80000007, 0,  false, CPUID_STATIC         },
	{0x80000008, 0,  false, CPUID_STATIC         },
};
/* clang-format on */

static struct cpuid_result masked_cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_result host = cpuid(leaf, subleaf), out = {0};

	for (unsigned i = 0; i < ARRAY_COUNT(feature_rules); i++) {
		const struct feature_rule *rule = &feature_rules[i];

		if (rule->leaf == leaf && rule->subleaf == subleaf)
			out.by_register[rule->reg] = host.by_register[rule->reg] & rule->allowed;
	}
	return out;
}

/*
 * Features whose registers are in state components: a guest that may not enable all of these in
 * XCR0 is not shown them. With no component at all there is no XSAVE either.
 */
static const struct {
	uint32_t leaf;
	uint8_t reg;
	uint32_t features;
	uint64_t components;
} component_rules[] = {
	/* XSAVE; FMA AVX F16C; AVX2; VAES VPCLMUL; PKU */
	{1, CPUID_ECX, F(26),					 XCR0_X87   },
	{1, CPUID_ECX, F(12) | F(28) | F(29),			      XCR0_AVX   },
	{7, CPUID_EBX, F(5),					  XCR0_AVX   },
	{7, CPUID_ECX, F(9) | F(10),				     XCR0_AVX   },
	{7, CPUID_ECX, F(3),					  XCR0_PKRU  },
 /* AVX512F DQ IFMA CD BW VL; VBMI VBMI2 VNNI BITALG VPOPCNT; VP2INTERSECT */
	{7, CPUID_EBX, F(16) | F(17) | F(21) | F(28) | F(30) | F(31), XCR0_OPMASK},
	{7, CPUID_ECX, F(1) | F(6) | F(11) | F(12) | F(14),	    XCR0_OPMASK},
	{7, CPUID_EDX, F(8),					  XCR0_OPMASK},
};

static void hide_without_components(const struct vcpu *vcpu, uint32_t leaf,
				    struct cpuid_result *entry)
{
	for (unsigned i = 0; i < ARRAY_COUNT(component_rules); i++)
		if (component_rules[i].leaf == leaf &&
		    !(vcpu->xcr0_allowed & component_rules[i].components))
			entry->by_register[component_rules[i].reg] &= ~component_rules[i].features;
}

/* Leaf 0Dh: what the state components that a guest may enable look like. */
static struct cpuid_result xsave_cpuid(const struct vcpu *vcpu, uint32_t subleaf)
{
	struct cpuid_result host = cpuid(0x0d, subleaf), out = masked_cpuid(0x0d, subleaf);

	if (!vcpu->xcr0_allowed)
		return (struct cpuid_result){0};
	if (subleaf == 0) {
		/* The standard format's size is that of the highest component allowed. */
		out.eax = (uint32_t)vcpu->xcr0_allowed;
		out.ecx = 576;
		for (unsigned i = 2; i < 32; i++) {
			struct cpuid_result component;

			if (!(vcpu->xcr0_allowed >> i & 1))
				continue;
			component = cpuid(0x0d, i);
			if (component.ebx + component.eax > out.ecx)
				out.ecx = component.ebx + component.eax;
		}
	} else if (subleaf == 1) {
		if (!backend_features()->xsaves)
			out.eax &= ~F(3);
	} else if (vcpu->xcr0_allowed >> subleaf & 1) {
		out = host;
	}
	return out;
}

/* Bits that depend on more than the host's CPUID. */
static void adjust(struct vcpu *vcpu, uint32_t leaf, uint32_t subleaf, struct cpuid_result *entry)
{
	const struct backend_features *features = backend_features();
	struct cpuid_result host;

	switch (leaf) {
	case 0:
		entry->eax = vcpu->cpuid.basic_max;
		break;
	case 1:
		host = cpuid(1, 0);
		entry->eax = host.eax;
		entry->ebx = (host.ebx & 0xff00) | 1u << 16; /* CLFLUSH size, one CPU, APIC ID 0 */
		entry->ecx |= F(31);			     /* a hypervisor is present */
		hide_without_components(vcpu, leaf, entry);
		break;
	case 4:
		entry->eax &= 0x3fff; /* neither cores nor threads share: one CPU */
		break;
	case 7:
		if (!features->invpcid)
			entry->ebx &= ~F(10);
		if (!features->waitpkg)
			entry->ecx &= ~F(5);
		if (!features->rdtscp)
			entry->ecx &= ~F(22); /* RDPID reads TSC_AUX too */
		hide_without_components(vcpu, leaf, entry);
		break;
	case 0x0b:
		*entry = (struct cpuid_result){
			.ebx = subleaf < 2,
			.ecx = subleaf | (subleaf + 1) << 8, /* level type: 1 SMT, 2 core */
		};
		break;
	case 0x0d:
		*entry = xsave_cpuid(vcpu, subleaf);
		break;
	case EXTENDED_BASE:
		*entry = (struct cpuid_result){.eax = vcpu->cpuid.extended_max};
		break;
	case 0x80000001:
		if (!features->rdtscp)
			entry->edx &= ~F(27);
		break;
	case 0x80000008:
		/* 57 bits of linear address come with LA57 alone. */
		if (entry->eax >> 8 > 48)
			entry->eax = (entry->eax & 0xff) | 48 << 8;
		break;
	default:
		break;
	}
}

static struct cpuid_leaf *leaf_slot(struct cpuid_table *table, uint32_t leaf)
{
	if (leaf < CPUID_BASIC_LEAVES)
		return &table->basic[leaf];
	if (leaf - EXTENDED_BASE < CPUID_EXTENDED_LEAVES)
		return &table->extended[leaf - EXTENDED_BASE];
	if (leaf - HYPERVISOR < CPUID_HYPERVISOR_LEAVES)
		return &table->hypervisor[leaf - HYPERVISOR];
	return NULL;
}

static void add(struct cpuid_table *table, uint32_t leaf, const struct cpuid_result *entry)
{
	struct cpuid_leaf *slot = leaf_slot(table, leaf);

	if (slot->count == 0)
		slot->first = (uint8_t)table->entry_count;
	slot->count++;
	table->entries[table->entry_count++] = *entry;
}

void cpuid_build(struct vcpu *vcpu)
{
	struct cpuid_table *table = &vcpu->cpuid;
	uint32_t basic_max = cpuid(0, 0).eax;
	uint32_t extended_max = cpuid_max_leaf(cpuid, EXTENDED_BASE);
	struct cpuid_result signature = {.eax = HYPERVISOR + 1};
	struct cpuid_result abi = {.eax = PLINTH_ABI_VERSION};

	*table = (struct cpuid_table){
		.basic_max = basic_max < BASIC_LIMIT ? basic_max : BASIC_LIMIT,
		.extended_max = extended_max < EXTENDED_LIMIT ? extended_max : EXTENDED_LIMIT,
		.entry_count = 1, /* entry 0 is the zeros of leaves that have none */
	};
	/* A range that is absent is one with nothing in it. */
	if (extended_max == 0)
		table->extended_max = EXTENDED_BASE;
	vcpu->xcr0_allowed = 0;
	if (masked_cpuid(1, 0).ecx & F(26) && table->basic_max >= 0x0d) {
		vcpu->xcr0_allowed = masked_cpuid(0x0d, 0).eax;
		if ((vcpu->xcr0_allowed & 0xe0) != 0xe0)
			vcpu->xcr0_allowed &= ~0xe0ull;
	}

	for (unsigned i = 0; i < ARRAY_COUNT(leaf_rules); i++) {
		const struct leaf_rule *rule = &leaf_rules[i];
		struct cpuid_leaf *slot = leaf_slot(table, rule->leaf);
		uint32_t max = rule->leaf >= EXTENDED_BASE ? table->extended_max : table->basic_max;

		if (rule->leaf > max)
			continue;
		slot->subleaves = rule->subleaves > 0;
		slot->dynamic = rule->dynamic;
		for (uint32_t sub = 0; sub < (rule->subleaves ? rule->subleaves : 1u); sub++) {
			struct cpuid_result entry =
				rule->copy ? cpuid(rule->leaf, sub) : masked_cpuid(rule->leaf, sub);

			adjust(vcpu, rule->leaf, sub, &entry);
			add(table, rule->leaf, &entry);
		}
	}
	/* SDM "CPUID": 36 bits where the leaf that tells is missing. */
	table->physical_bits = 36;
	if (table->extended_max >= CPUID_LEAF_ADDRESS_SIZES)
		table->physical_bits = cpuid(CPUID_LEAF_ADDRESS_SIZES, 0).eax & 0xff;
	for (unsigned i = 0; i < CPUID_BASIC_LEAVES; i++)
		if (i <= table->basic_max && !table->basic[i].subleaves && !table->basic[i].dynamic)
			table->plain[i] = &table->entries[table->basic[i].first];
	memcpy(&signature.ebx, PLINTH_SIGNATURE, 4);
	memcpy(&signature.ecx, &PLINTH_SIGNATURE[4], 4);
	memcpy(&signature.edx, &PLINTH_SIGNATURE[8], 4);
	add(table, HYPERVISOR, &signature);
	add(table, HYPERVISOR + 1, &abi);
}

/* The entry for a leaf and subleaf; *slot is its leaf, for what is dynamic in it. */
static const struct cpuid_result *look_up(const struct cpuid_table *table, uint32_t leaf,
					  uint32_t subleaf, const struct cpuid_leaf **slot)
{
	/* SDM "CPUID": a leaf above the maximum gives the data of the highest basic leaf. */
	if (likely(leaf <= table->basic_max))
		*slot = &table->basic[leaf];
	else if (leaf - EXTENDED_BASE <= table->extended_max - EXTENDED_BASE)
		*slot = &table->extended[leaf - EXTENDED_BASE];
	else if (leaf - HYPERVISOR < CPUID_HYPERVISOR_LEAVES)
		*slot = &table->hypervisor[leaf - HYPERVISOR];
	else
		*slot = &table->basic[table->basic_max];

	if (!(*slot)->subleaves)
		return &table->entries[(*slot)->first];
	if (subleaf < (*slot)->count)
		return &table->entries[(*slot)->first + subleaf];
	return &table->entries[0];
}

bool cpuid_shows(const struct cpuid_table *table, struct cpuid_bit feature)
{
	const struct cpuid_leaf *slot;
	const struct cpuid_result *entry;
	uint32_t max = feature.leaf >= EXTENDED_BASE ? table->extended_max : table->basic_max;

	if (feature.leaf > max)
		return false;
	entry = look_up(table, feature.leaf, feature.subleaf, &slot);
	return entry->by_register[feature.reg] >> feature.bit & 1;
}

static void put_in_dynamic(struct vcpu *vcpu, enum cpuid_dynamic what, uint32_t subleaf)
{
	uint64_t cr4 = vcpu->cr4_shadow;

	switch (what) {
	case CPUID_DYNAMIC_OSXSAVE:
		if (cr4 & CR4_OSXSAVE)
			vcpu->regs.rcx |= F(27);
		break;
	case CPUID_DYNAMIC_OSPKE:
		if (subleaf == 0 && cr4 & CR4_PKE)
			vcpu->regs.rcx |= F(4);
		break;
	case CPUID_DYNAMIC_XSAVE:
		/* XCR0 and XSS are the guest's, live: the processor knows the size that goes with
		 * them. */
		if (subleaf < 2 && vcpu->xcr0_allowed)
			vcpu->regs.rbx = cpuid(0x0d, subleaf).ebx;
		break;
	case CPUID_DYNAMIC_SYSCALL:
		/* SDM "CPUID": 0 outside 64-bit mode. */
		if (!vcpu_in_64bit_code(vcpu))
			vcpu->regs.rdx &= ~(uint64_t)F(11);
		break;
	case CPUID_STATIC:
		break;
	}
}

static inline void answer(struct vcpu *vcpu, const struct cpuid_result *entry)
{
	vcpu->regs.rax = entry->eax;
	vcpu->regs.rbx = entry->ebx;
	vcpu->regs.rcx = entry->ecx;
	vcpu->regs.rdx = entry->edx;
}

/* Leaves with subleaves, with bits of the moment, or beyond the basic range. */
static __attribute__((noinline)) void answer_special(struct vcpu *vcpu, uint32_t leaf,
						     uint32_t subleaf)
{
	const struct cpuid_leaf *slot;

	answer(vcpu, look_up(&vcpu->cpuid, leaf, subleaf, &slot));
	if (slot->dynamic != CPUID_STATIC)
		put_in_dynamic(vcpu, slot->dynamic, subleaf);
	/* SDM "CPUID": ECX 7:0 of the topology leaf gives back the level that was asked for. */
	else if (slot == &vcpu->cpuid.basic[CPUID_LEAF_TOPOLOGY])
		vcpu->regs.rcx = (vcpu->regs.rcx & ~0xffull) | (subleaf & 0xff);
}

static inline void tell(struct vcpu *vcpu, uint32_t leaf, uint32_t subleaf,
			const struct cpuid_result *result)
{
	struct exit_record *record = vcpu->record;

	record->half[0] = leaf;
	record->half[1] = subleaf;
	__builtin_memcpy(record->detail, result, sizeof(*result));
}

/* Also what is told of them: the caller has nothing left to do. */
static __attribute__((noinline)) enum outcome answer_special_leaf(struct vcpu *vcpu, uint32_t leaf,
								  uint32_t subleaf)
{
	answer_special(vcpu, leaf, subleaf);
	if (unlikely(vcpu_records(vcpu))) {
		const struct cpuid_result result = {
			.eax = (uint32_t)vcpu->regs.rax,
			.ebx = (uint32_t)vcpu->regs.rbx,
			.ecx = (uint32_t)vcpu->regs.rcx,
			.edx = (uint32_t)vcpu->regs.rdx,
		};

		tell(vcpu, leaf, subleaf, &result);
	}
	return OUTCOME_NEXT;
}

enum outcome vcpu_cpuid(struct vcpu *vcpu)
{
	uint32_t leaf = (uint32_t)vcpu->regs.rax, subleaf = (uint32_t)vcpu->regs.rcx;
	const struct cpuid_result *plain = NULL;

	if (likely(leaf < CPUID_BASIC_LEAVES))
		plain = vcpu->cpuid.plain[leaf];
	if (unlikely(!plain))
		return answer_special_leaf(vcpu, leaf, subleaf);
	answer(vcpu, plain);
	if (unlikely(vcpu_records(vcpu)))
		tell(vcpu, leaf, subleaf, plain);
	return OUTCOME_NEXT;
}
