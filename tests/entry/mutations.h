/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMCSs that are broken in one way each: what the rules for VM entries are tested by, on the host
 * against the table of rules and in an emulator against the processor.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vcpu/vmx/entry_check.h"

/* VMCSs that break no rule, in which edits are made. */
enum entry_base {
	BASE_64BIT,
	BASE_COMPATIBILITY, /* 32-bit code in IA-32e mode */
	BASE_RESTRICTED,    /* 64-bit code, without "unrestricted guest" */
	BASE_PROTECTED,     /* 32-bit, without paging */
	BASE_PAE,
	BASE_NO_EPT, /* PAE, without EPT and "unrestricted guest" */
	BASE_V86,
	BASE_REAL,
	BASE_COUNT
};

/* Pages of memory that a VMCS refers to. All but ENTRY_PAGE_ONES are zero when an edit comes. */
enum entry_page {
	ENTRY_PAGE_VMCS, /* a VMCS region: it begins with the revision identifier */
	ENTRY_PAGE_MSRS, /* the areas of MSRs to store and load */
	ENTRY_PAGE_APIC,
	ENTRY_PAGE_EPT,   /* without an entry: the guest has no memory */
	ENTRY_PAGE_TABLE, /* what CR3 points to */
	ENTRY_PAGE_ONES,  /* all bitmaps */
	ENTRY_PAGES
};

enum entry_edit_kind {
	EDIT_NONE,
	EDIT_SET,
	EDIT_OR,
	EDIT_CLEAR,
	EDIT_WIDE,    /* sets the lowest bit that an address of this processor does not have */
	EDIT_TOP,     /* the field becomes so many bytes less than what an address can be */
	EDIT_PAGE,    /* the field becomes the address of a page, plus the value */
	EDIT_CURRENT, /* ... of the current VMCS */
	EDIT_POKE,    /* 4 bytes of a page, at the offset that `field` is */
};

struct entry_edit {
	enum entry_edit_kind kind;
	uint16_t field;
	enum entry_page page;
	uint64_t value;
};

/* What a processor must have, or must lack, for a mutation to break just what it says. */
enum entry_feature {
	FEATURE_ACCESSED_DIRTY = 1,
	FEATURE_EPT_SHADOW_STACK = 2,
	FEATURE_MTF = 4,
	FEATURE_ZERO_LENGTH = 8,
	FEATURE_SGX = 16,
	FEATURE_RTM = 32,
	FEATURE_BUS_LOCK = 64,
	FEATURE_LONG_MODE = 128, /* the host is in IA-32e mode */
	FEATURE_TRACING = 256,   /* Intel PT is on */
	FEATURE_CET = 512,
	FEATURE_SHUTDOWN = 1024,
	FEATURE_SIPI = 2048,
	FEATURE_ANY_ERROR_CODE = 4096,
	FEATURE_NESTED = 8192, /* FRED's nested exceptions */
	FEATURE_HLT = 16384,
	FEATURE_PCID = 32768,
	FEATURE_LAM = 65536,
	FEATURE_CR3_TARGETS = 131072, /* four of them */
};

#define ENTRY_EDITS_MAX  6
#define ENTRY_BREAKS_MAX 4

/* An answer of a processor that is not the table's, and why. */
struct entry_difference {
	const char *reason; /* NULL: there is none */
	enum entry_verdict verdict;
	uint64_t qualification;
	bool skip; /* not tried: the machine would not survive, or not come back */
};

struct entry_mutation {
	const char *breaks[ENTRY_BREAKS_MAX]; /* the names of all rules that it breaks */
	enum entry_base base;
	struct entry_edit edits[ENTRY_EDITS_MAX];
	uint32_t with, without;             /* enum entry_feature */
	struct entry_difference bochs, kvm; /* of these, where they differ from the SDM */
};

struct entry_mutations {
	const struct entry_mutation *rows;
	size_t count;
};

extern const struct entry_mutations mutations_controls, mutations_host, mutations_registers,
	mutations_segments, mutations_nonregister;

/* All of them; NULL for an index beyond the last. */
const struct entry_mutation *entry_mutation_by_index(size_t index);

/* What a VMCS is made for. */
struct entry_bench {
	struct entry_environment environment;
	struct vmcs_image host;     /* the host-state area, and the controls are ignored */
	uint64_t page[ENTRY_PAGES]; /* physical addresses */
	void *memory[ENTRY_PAGES];
};

/* Whether this processor is one for which the row was made; else what it lacks, or should not have.
 */
const char *entry_mutation_unfit(const struct entry_mutation *row, const struct entry_bench *bench);

/* Fills pages and image with the row's base. */
void entry_base_make(const struct entry_bench *bench, enum entry_base base,
		     struct vmcs_image *image);

/* Makes the row's edits in both. */
void entry_mutation_apply(const struct entry_bench *bench, const struct entry_mutation *row,
			  struct vmcs_image *image);

/* What a row does, in words: "vpid-zero: SECONDARY_CONTROLS |= 20, VPID = 0". */
void entry_mutation_describe(const struct entry_mutation *row, char *text, size_t size);

/* Whether the rows's `breaks` has the rule. */
bool entry_mutation_breaks(const struct entry_mutation *row, const char *rule);

/*
 * The outcome of the table against the row's `breaks`: all of them, and no other. Else *text says
 * which is missing or is too much.
 */
bool entry_mutation_check(const struct entry_mutation *row, const struct vmcs_image *image,
			  const struct entry_environment *environment, char *text, size_t size);

/* --- How a row is written --- */

#define BREAKS(...)       .breaks = {__VA_ARGS__}
#define IN(which)         .base = BASE_##which
#define EDITS(...)        .edits = {__VA_ARGS__}
#define WITH(which)       .with = FEATURE_##which
#define WITHOUT(which)    .without = FEATURE_##which
#define BOCHS(which, why) .bochs = {.verdict = ENTRY_##which, .reason = (why)}
#define NOT_IN_BOCHS(why) .bochs = {.skip = true, .reason = (why)}
#define KVM(which, why)   .kvm = {.verdict = ENTRY_##which, .reason = (why)}

/* What the rows of Bochs 2.7 have in common, and those of KVM. */
#define BOCHS_UNCHECKED BOCHS(SUCCEEDS, "Bochs does not check it")
#define KVM_ACTIVITY                                                                               \
	KVM(SUCCEEDS, "KVM does not enter a guest in HLT or wait-for-SIPI, and checks little "     \
		      "then")
#define BOCHS_SMM    "Bochs checks the interruptibility state, and not whether it is in SMM"
#define BOCHS_CS_RPL "Bochs compares the DPL of CS with the RPL of CS, not with the DPL of SS"

#define SET(name, v)                                                                               \
	{                                                                                          \
		.kind = EDIT_SET, .field = VMCS_##name, .value = (v)                               \
	}
#define OR(name, v)                                                                                \
	{                                                                                          \
		.kind = EDIT_OR, .field = VMCS_##name, .value = (v)                                \
	}
#define CLEAR(name, v)                                                                             \
	{                                                                                          \
		.kind = EDIT_CLEAR, .field = VMCS_##name, .value = (v)                             \
	}
#define WIDE(name)                                                                                 \
	{                                                                                          \
		.kind = EDIT_WIDE, .field = VMCS_##name                                            \
	}
#define TOP(name, v)                                                                               \
	{                                                                                          \
		.kind = EDIT_TOP, .field = VMCS_##name, .value = (v)                               \
	}
#define CURRENT(name)                                                                              \
	{                                                                                          \
		.kind = EDIT_CURRENT, .field = VMCS_##name                                         \
	}
#define PAGE(name, which, offset)                                                                  \
	{                                                                                          \
		.kind = EDIT_PAGE, .field = VMCS_##name, .page = ENTRY_PAGE_##which,               \
		.value = (offset)                                                                  \
	}
#define POKE(which, at, v)                                                                         \
	{                                                                                          \
		.kind = EDIT_POKE, .field = (at), .page = ENTRY_PAGE_##which, .value = (v)         \
	}

/* A control, under its own name. */
#define TURN_ON(word, control)  OR(word##_CONTROLS, word##_##control)
#define TURN_OFF(word, control) CLEAR(word##_CONTROLS, word##_##control)

/* Under 48 bits and under 57. */
#define NOT_CANONICAL 0x8000000000000000ull

/* An event to inject. */
#define INJECT(type, vector) SET(ENTRY_INTERRUPTION_INFO, VMX_INFO_VALID | (type) << 8 | (vector))
#define INJECT_CODE(type, vector)                                                                  \
	SET(ENTRY_INTERRUPTION_INFO, VMX_INFO_VALID | VMX_INFO_ERROR_CODE | (type) << 8 | (vector))
