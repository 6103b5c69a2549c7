/* SPDX-License-Identifier: BSD-2-Clause */
/* Walks a guest's page tables as the processor would. SDM "Paging". */
#include "vcpu/paging.h"

#include <stddef.h>

#include "arch/x86_64/control_registers.h"
#include "vcpu/vm.h"

#define ENTRY_P  BIT(0)
#define ENTRY_W  BIT(1)
#define ENTRY_U  BIT(2)
#define ENTRY_A  BIT(5)
#define ENTRY_D  BIT(6)
#define ENTRY_PS BIT(7)
#define ENTRY_NX BIT(63)

#define KEY_SHIFT  59
#define LEVELS_MAX 4

/* A walk on its way: where it is, and the rights of all entries so far. */
struct walk {
	const struct paging *paging;
	uint64_t linear;
	struct paging_access access;
	bool writable, user, no_execute;
	uint64_t leaf;
	uint64_t page_size;
};

static uint64_t reserved_bits(const struct paging *paging, unsigned level, bool leaf, bool pae_32)
{
	/* Bits above the physical address width, up to 51; PAE without IA-32e mode reserves 52 to
	 * 62 as well. */
	uint64_t reserved = ~0ull << paging->physical_bits & 0x000fffffffffffffull;

	if (pae_32)
		reserved |= 0x7ff0000000000000ull;
	if (!(paging->efer & EFER_NXE))
		reserved |= ENTRY_NX;
	if (leaf && level == 2)
		reserved |= 0x1fe000; /* bits 20:13 of a 2 MiB page */
	if (leaf && level == 3)
		reserved |= 0x3fffe000; /* bits 29:13 of a 1 GiB page */
	if (level == 4 || (level == 3 && !paging->pages_1g))
		reserved |= ENTRY_PS;
	return reserved;
}

static uint32_t fault(const struct walk *walk, uint64_t why)
{
	uint64_t code = why;
	uint64_t nx_counts = walk->paging->cr4 & CR4_SMEP ||
			     (walk->paging->efer & EFER_NXE && walk->paging->cr4 & CR4_PAE);

	if (walk->access.write)
		code |= PF_ERROR_WRITE;
	if (walk->access.user)
		code |= PF_ERROR_USER;
	if (walk->access.fetch && nx_counts)
		code |= PF_ERROR_FETCH;
	return (uint32_t)code;
}

/* SDM "Determination of Access Rights". */
static bool allowed(const struct walk *walk)
{
	const struct paging *paging = walk->paging;

	if (walk->access.user) {
		if (!walk->user)
			return false;
		if (walk->access.write && !walk->writable)
			return false;
		return !(walk->access.fetch && walk->no_execute);
	}
	if (walk->access.fetch)
		return !walk->no_execute && !(walk->user && paging->cr4 & CR4_SMEP);
	if (walk->user && paging->cr4 & CR4_SMAP && !(paging->rflags & RFLAGS_AC))
		return false;
	return !(walk->access.write && !walk->writable && paging->cr0 & CR0_WP);
}

/* SDM "Protection Keys": user pages in IA-32e mode, data accesses only. */
static bool key_allows(const struct walk *walk)
{
	const struct paging *paging = walk->paging;
	unsigned key = (unsigned)(walk->leaf >> KEY_SHIFT) & 0xf;
	uint32_t rights = paging->pkru >> (2 * key);

	if (!(paging->cr4 & CR4_PKE) || !(paging->efer & EFER_LMA) || !walk->user ||
	    walk->access.fetch)
		return true;
	if (rights & 1)
		return false;
	return !(walk->access.write && rights & 2 && (walk->access.user || paging->cr0 & CR0_WP));
}

/* An entry of 4 or 8 bytes in the guest's memory. NULL: there is none, and it reads as ones. */
static void *entry_at(const struct paging *paging, uint64_t gpa, unsigned size)
{
	return vm_memory(paging->vm, GPA(gpa), size);
}

static uint64_t load(const void *entry, unsigned size)
{
	if (!entry)
		return size == 8 ? UINT64_MAX : UINT32_MAX;
	return size == 8 ? __atomic_load_n((const uint64_t *)entry, __ATOMIC_RELAXED)
			 : __atomic_load_n((const uint32_t *)entry, __ATOMIC_RELAXED);
}

/* Sets flags in an entry, most of which has them already: a locked access is dear. */
static void mark(void *entry, unsigned size, uint64_t flags)
{
	if (!entry || (load(entry, size) & flags) == flags)
		return;
	if (size == 8)
		__atomic_fetch_or((uint64_t *)entry, flags, __ATOMIC_SEQ_CST);
	else
		__atomic_fetch_or((uint32_t *)entry, (uint32_t)flags, __ATOMIC_SEQ_CST);
}

/* Where a walk begins, and how its tables look. */
struct shape {
	unsigned levels;
	unsigned entry_size; /* bytes */
	uint64_t table;      /* of the first level walked */
	bool pae_32;
};

static enum paging_result begin(struct walk *walk, struct shape *shape, uint32_t *error_code)
{
	const struct paging *paging = walk->paging;

	*shape = (struct shape){
		.levels = 4, .entry_size = 8, .table = paging->cr3 & 0x000ffffffffff000ull};
	if (paging->efer & EFER_LMA)
		return PAGING_OK;
	walk->linear &= 0xffffffff;
	if (paging->cr4 & CR4_PAE) {
		uint64_t pdpte = paging->pdptes[walk->linear >> 30];

		*shape = (struct shape){.levels = 2, .entry_size = 8, .pae_32 = true};
		shape->table = pdpte & 0x000ffffffffff000ull;
		if (!(pdpte & ENTRY_P)) {
			*error_code = fault(walk, 0);
			return PAGING_FAULT;
		}
		return PAGING_OK;
	}
	*shape = (struct shape){.levels = 2, .entry_size = 4, .table = paging->cr3 & 0xfffff000};
	return PAGING_OK;
}

/* The bits of the linear address that a level translates start here. */
static unsigned shift_of(const struct shape *shape, unsigned level)
{
	return PAGE_SHIFT + (shape->entry_size == 8 ? 9 : 10) * (level - 1);
}

static bool is_leaf(const struct paging *paging, const struct shape *shape, unsigned level,
		    uint64_t entry)
{
	if (level == 1)
		return true;
	if (!(entry & ENTRY_PS) || level > (paging->pages_1g ? 3 : 2))
		return false;
	return shape->entry_size == 8 || paging->cr4 & CR4_PSE;
}

static bool has_reserved(const struct paging *paging, const struct shape *shape, unsigned level,
			 bool leaf, uint64_t entry)
{
	unsigned bits = paging->physical_bits < 40 ? paging->physical_bits : 40;

	if (shape->entry_size == 8)
		return entry & reserved_bits(paging, level, leaf, shape->pae_32);
	/*
	 * 4 MiB pages: bits 20:13 are address bits 39:32 with PSE-36, as far as the processor has
	 * them; those above, up to 21, are reserved.
	 */
	return leaf && level == 2 && entry & 0x3fffff & ~0ull << (bits - 19);
}

/* The address of a leaf's page. */
static uint64_t page_of(const struct shape *shape, unsigned level, uint64_t entry)
{
	if (shape->entry_size == 4 && level == 2)
		return (entry & 0xffc00000) | (entry >> 13 & 0xff) << 32;
	return entry & 0x000ffffffffff000ull & ~((1ull << shift_of(shape, level)) - 1);
}

enum paging_result paging_translate(const struct paging *paging, uint64_t linear,
				    struct paging_access access, gpa_t *gpa, uint32_t *error_code)
{
	struct walk walk = {.paging = paging,
			    .linear = linear,
			    .access = access,
			    .writable = true,
			    .user = true};
	void *entries[LEVELS_MAX];
	enum paging_result result;
	struct shape shape;
	unsigned depth = 0;
	bool key_denies;

	if (!(paging->cr0 & CR0_PG)) {
		*gpa = GPA(linear & 0xffffffff);
		return PAGING_OK;
	}
	result = begin(&walk, &shape, error_code);
	if (result != PAGING_OK)
		return result;
	for (unsigned level = shape.levels;; level--) {
		unsigned shift = shift_of(&shape, level);
		uint64_t index = walk.linear >> shift & (shape.entry_size == 8 ? 0x1ff : 0x3ff),
			 entry;
		bool leaf;

		entries[depth] =
			entry_at(paging, shape.table + index * shape.entry_size, shape.entry_size);
		entry = load(entries[depth++], shape.entry_size);
		if (!(entry & ENTRY_P)) {
			*error_code = fault(&walk, 0);
			return PAGING_FAULT;
		}
		leaf = is_leaf(paging, &shape, level, entry);
		if (has_reserved(paging, &shape, level, leaf, entry)) {
			*error_code = fault(&walk, PF_ERROR_PRESENT | PF_ERROR_RESERVED);
			return PAGING_FAULT;
		}
		walk.writable &= (entry & ENTRY_W) != 0;
		walk.user &= (entry & ENTRY_U) != 0;
		walk.no_execute |= shape.entry_size == 8 && entry & ENTRY_NX;
		if (leaf) {
			walk.leaf = entry;
			*gpa = GPA(page_of(&shape, level, entry) |
				   (walk.linear & ((1ull << shift) - 1)));
			break;
		}
		shape.table = entry & 0x000ffffffffff000ull;
	}
	key_denies = !key_allows(&walk);
	if (!allowed(&walk) || key_denies) {
		/* SDM "Page-Fault Exceptions": the PK flag tells of the key, whatever else denies
		 * the access too. */
		*error_code = fault(&walk, PF_ERROR_PRESENT | (key_denies ? PF_ERROR_PK : 0));
		return PAGING_FAULT;
	}
	for (unsigned i = 0; i < depth; i++)
		mark(entries[i], shape.entry_size,
		     i == depth - 1 && access.write ? ENTRY_A | ENTRY_D : ENTRY_A);
	return PAGING_OK;
}

unsigned paging_explain(const struct paging *paging, uint64_t linear,
			struct paging_step steps[PAGING_STEPS_MAX])
{
	struct walk walk = {.paging = paging, .linear = linear};
	struct shape shape;
	uint32_t error_code;
	unsigned count = 0;

	if (!(paging->cr0 & CR0_PG) || begin(&walk, &shape, &error_code) != PAGING_OK)
		return 0;
	for (unsigned level = shape.levels; level > 0; level--) {
		uint64_t index = walk.linear >> shift_of(&shape, level) &
				 (shape.entry_size == 8 ? 0x1ff : 0x3ff);
		struct paging_step *step = &steps[count++];
		void *entry;

		*step = (struct paging_step){.level = level,
					     .at = GPA(shape.table + index * shape.entry_size)};
		entry = entry_at(paging, step->at.raw, shape.entry_size);
		if (!entry)
			break;
		step->readable = true;
		step->entry = load(entry, shape.entry_size);
		if (!(step->entry & ENTRY_P) || is_leaf(paging, &shape, level, step->entry))
			break;
		shape.table = step->entry & 0x000ffffffffff000ull;
	}
	return count;
}
