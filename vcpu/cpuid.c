/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUID for guests: the table that is made from the policy, and the exit. */
#include "vcpu/cpuid.h"

#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/instructions.h"
#include "kernel/string.h"
#include "vcpu/cpuid_policy.h"
#include "vcpu/hypercall.h"
#include "vcpu/msr.h"
#include "vcpu/vcpu.h"

#define BASIC_LIMIT      0x0du
#define STRUCTURED_LIMIT 1u /* of leaf 7 */
#define EXTENDED_BASE    0x80000000u
#define EXTENDED_LIMIT   0x80000008u
#define HYPERVISOR       0x40000000u

/* Bits that are put in, whatever the host's are. */
#define HYPERVISOR_PRESENT (1u << 31) /* leaf 1 ECX */
#define OSXSAVE            (1u << 27) /* leaf 1 ECX */
#define OSPKE              (1u << 4)  /* leaf 7 ECX */
#define SYSCALL            (1u << 11) /* leaf 80000001h EDX */

/* What a guest may enable in XCR0. */
#define COMPONENTS_AVX512 (XCR0_OPMASK | XCR0_ZMM_HI256 | XCR0_HI16_ZMM)
#define COMPONENTS        (XCR0_X87 | XCR0_SSE | XCR0_AVX | COMPONENTS_AVX512 | XCR0_PKRU)

/* What a feature needs beside the host's bit. */
enum needs {
	NEEDS_NOTHING,
	/* A state component that the guest may enable: with none at all there is no XSAVE either.
	 */
	NEEDS_XSAVE,
	NEEDS_AVX,
	NEEDS_AVX512,
	NEEDS_PKRU,
	/* A control of the backend. */
	NEEDS_RDTSCP, /* RDPID reads TSC_AUX too */
	NEEDS_INVPCID,
	NEEDS_XSAVES,
	NEEDS_WAITPKG,
	/* That there is anything to tell in it. */
	NEEDS_ARCH_CAPABILITIES,
};

#define FEATURE(leaf, subleaf, reg, bit, needs, name)                                              \
	{leaf, subleaf, CPUID_##reg, bit, NEEDS_##needs},
#define NO_FEATURE(leaf, subleaf, reg, bit, name, why)

static const struct feature {
	uint32_t leaf;
	uint8_t subleaf, reg, bit, needs;
} features[] = {CPUID_FEATURE_POLICY(FEATURE, NO_FEATURE)};

#define COPY                                      true
#define BITS                                      false
#define LEAF(leaf, subleaves, copy, dynamic, why) {leaf, subleaves, copy, CPUID_DYNAMIC_##dynamic},

static const struct leaf_rule {
	uint32_t leaf;
	uint8_t subleaves;
	bool copy;
	uint8_t dynamic; /* enum cpuid_dynamic */
} leaf_rules[] = {CPUID_LEAF_POLICY(LEAF)};

/* Entries of its table: the zeros, the hypervisor's two, and those of the leaves. */
#define ENTRIES(leaf, subleaves, copy, dynamic, why) +((subleaves) ? (subleaves) : 1)
_Static_assert(3 CPUID_LEAF_POLICY(ENTRIES) <= CPUID_ENTRIES, "room for all leaves");

static bool is_there(const struct vcpu *vcpu, enum needs needs)
{
	const struct backend_features *backend = backend_features();

	switch (needs) {
	case NEEDS_XSAVE:
		return vcpu->xcr0_allowed;
	case NEEDS_AVX:
		return vcpu->xcr0_allowed & XCR0_AVX;
	case NEEDS_AVX512:
		return vcpu->xcr0_allowed & XCR0_OPMASK;
	case NEEDS_PKRU:
		return vcpu->xcr0_allowed & XCR0_PKRU;
	case NEEDS_RDTSCP:
		return backend->rdtscp;
	case NEEDS_INVPCID:
		return backend->invpcid;
	case NEEDS_XSAVES:
		return vcpu->xcr0_allowed && backend->xsaves;
	case NEEDS_WAITPKG:
		return backend->waitpkg;
	case NEEDS_ARCH_CAPABILITIES:
		return backend->arch_capabilities & ARCH_CAPABILITIES_SHOWN;
	case NEEDS_NOTHING:
		break;
	}
	return true;
}

static struct cpuid_result masked_cpuid(const struct vcpu *vcpu, uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_result host = cpuid(leaf, subleaf), out = {0};

	for (unsigned i = 0; i < ARRAY_COUNT(features); i++) {
		const struct feature *f = &features[i];

		if (f->leaf == leaf && f->subleaf == subleaf &&
		    is_there(vcpu, (enum needs)f->needs))
			out.by_register[f->reg] |= host.by_register[f->reg] & 1u << f->bit;
	}
	return out;
}

/* Leaf 0Dh: what the state components that a guest may enable look like. */
static struct cpuid_result xsave_cpuid(const struct vcpu *vcpu, uint32_t subleaf)
{
	struct cpuid_result host = cpuid(0x0d, subleaf), out = masked_cpuid(vcpu, 0x0d, subleaf);

	if (!vcpu->xcr0_allowed)
		return (struct cpuid_result){0};
	if (subleaf == 0) {
		/* The standard format ends with the highest component allowed; with all of them
		 * the processor says where, though it may not tell the size of each. */
		out.eax = (uint32_t)vcpu->xcr0_allowed;
		out.ecx = host.eax == out.eax ? host.ecx : 576;
		for (unsigned i = 2; i < 32; i++) {
			struct cpuid_result component;

			if (!(vcpu->xcr0_allowed >> i & 1))
				continue;
			component = cpuid(0x0d, i);
			if (component.ebx + component.eax > out.ecx)
				out.ecx = component.ebx + component.eax;
		}
	} else if (subleaf > 1 && vcpu->xcr0_allowed >> subleaf & 1) {
		out = host;
	}
	return out;
}

/*
 * SDM "CPUID", leaf 2: one descriptor a byte, but for the lowest of EAX; a register with bit 31 set
 * has none. FEh sends the reader to leaf 18h.
 */
static void drop_descriptor(struct cpuid_result *entry, uint32_t descriptor)
{
	for (unsigned i = 0; i < 16; i++) {
		uint32_t *reg = &entry->by_register[i / 4];

		if (i > 0 && !(*reg >> 31) && (*reg >> i % 4 * 8 & 0xff) == descriptor)
			*reg &= ~(0xffu << i % 4 * 8);
	}
}

/* What is not as the host has it, and no feature bit. */
static void adjust(struct vcpu *vcpu, uint32_t leaf, uint32_t subleaf, struct cpuid_result *entry)
{
	struct cpuid_result host;

	switch (leaf) {
	case 0:
		entry->eax = vcpu->cpuid.basic_max;
		break;
	case 1:
		host = cpuid(1, 0);
		entry->eax = host.eax;
		entry->ebx = (host.ebx & 0xff00) | 1u << 16; /* CLFLUSH size, one CPU, APIC ID 0 */
		entry->ecx |= HYPERVISOR_PRESENT;
		break;
	case 2:
		drop_descriptor(entry, 0xfe);
		break;
	case 4:
		entry->eax &= 0x3fff; /* neither cores nor threads share: one CPU */
		break;
	case 7:
		host = cpuid(7, 0);
		if (subleaf > host.eax)
			*entry = (struct cpuid_result){0};
		else if (subleaf == 0)
			entry->eax = host.eax < STRUCTURED_LIMIT ? host.eax : STRUCTURED_LIMIT;
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
	case 0x80000008:
		/* 57 bits of linear address come with LA57 alone. */
		entry->eax = cpuid(leaf, 0).eax & 0xffff;
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
	if (cpuid_result_has(cpuid(1, 0), CPUID_XSAVE) && table->basic_max >= 0x0d) {
		vcpu->xcr0_allowed = cpuid(0x0d, 0).eax & COMPONENTS;
		if ((vcpu->xcr0_allowed & COMPONENTS_AVX512) != COMPONENTS_AVX512)
			vcpu->xcr0_allowed &= ~(uint64_t)COMPONENTS_AVX512;
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
			struct cpuid_result entry = rule->copy
							    ? cpuid(rule->leaf, sub)
							    : masked_cpuid(vcpu, rule->leaf, sub);

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
			vcpu->regs.rcx |= OSXSAVE;
		break;
	case CPUID_DYNAMIC_OSPKE:
		if (subleaf == 0 && cr4 & CR4_PKE)
			vcpu->regs.rcx |= OSPKE;
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
			vcpu->regs.rdx &= ~(uint64_t)SYSCALL;
		break;
	case CPUID_DYNAMIC_NONE:
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
	if (slot->dynamic != CPUID_DYNAMIC_NONE)
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
