/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SDM's chapter "VM Entries" as a table of rules, and its use: which rules a VMCS breaks, what
 * the processor will say to that, and a report for a person. docs/entry-checks.md tells what is
 * covered.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vcpu/vmx/capabilities.h"
#include "vcpu/vmx/vmcs_image.h"

/* How a VM entry ends: by the VM-instruction error of VMfailValid, or by the basic exit reason. */
enum entry_verdict {
	ENTRY_SUCCEEDS = 0,
	ENTRY_FAIL_CONTROLS = 7, /* VMfailValid: invalid control fields */
	ENTRY_FAIL_HOST = 8,     /* VMfailValid: invalid host-state fields */
	ENTRY_EXIT_GUEST = 33,   /* VM exit: invalid guest state */
	ENTRY_EXIT_MSR = 34,     /* VM exit: MSR loading */
};

/* A control word and bits of it. */
struct entry_controls {
	enum vmx_control_word word;
	uint64_t mask;
};

/* What a VMCS is checked against: the processor at the moment of the entry. Plinth is never in SMM.
 */
struct entry_environment {
	const struct vmx_capabilities *capabilities;
	unsigned physical_bits; /* width of a physical address */
	unsigned linear_bits;   /* of a linear address: 57 where the processor has LA57, else 48 */
	bool long_mode;         /* IA32_EFER.LMA */
	bool tracing;           /* Intel PT is on: IA32_RTIT_CTL.TraceEn */
	bool sgx, rtm, bus_lock_detect, lam;

	/* The bits that these MSRs have on this processor; all others are reserved. */
	uint64_t efer, debugctl, perf_global_ctrl, s_cet, rtit_ctl, lbr_ctl;

	uint64_t current_vmcs; /* physical address of the VMCS that is checked */

	/* Reads memory by physical address. False: there is nothing that could be read. */
	bool (*read)(void *context, uint64_t address, void *to, size_t size);
	void *context;
};

struct entry_view;
struct entry_rule;

/*
 * The wrong bits of the rule's first field, or ENTRY_BROKEN when there are no bits to name; 0: the
 * rule holds.
 */
typedef uint64_t (*entry_predicate)(const struct entry_view *view, const struct entry_rule *rule);
#define ENTRY_BROKEN (~0ull)

#define ENTRY_FIELDS_MAX     6
#define ENTRY_CONDITIONS_MAX 3

struct entry_rule {
	const char *name;    /* "vpid-zero": for tests and documentation */
	const char *section; /* title in the SDM */
	const char *text;    /* what must hold, in words */
	enum entry_verdict verdict;
	uint8_t qualification; /* exit qualification that goes with the verdict */
	const char *differs;   /* not NULL: processors may answer differently, and why */

	/* The rule applies only if all of these controls are 1, and its first field exists. */
	struct entry_controls when[ENTRY_CONDITIONS_MAX];
	entry_predicate broken;

	/* What the predicate works with. */
	uint64_t mask;
	struct entry_controls controls;
	uint8_t index; /* enum segment_index, or number of a PDPTE */

	/* What is shown: the field that the rule is about, then others. */
	uint8_t field_count;
	uint16_t fields[ENTRY_FIELDS_MAX];

	/* Adds to the report what is no field: a value in memory. May be NULL. */
	void (*explain)(const struct entry_view *view, const struct entry_rule *rule, char *text,
			size_t size);
};

/* All rules; NULL for an index beyond the last. */
const struct entry_rule *entry_rule_by_index(size_t index);

/* Calls `found` (which may be NULL) for every rule that the image breaks, in the order of the SDM;
 * returns how many. */
unsigned entry_check(const struct vmcs_image *image, const struct entry_environment *environment,
		     void (*found)(const struct entry_rule *rule, const struct vmcs_image *image,
				   void *context),
		     void *context);

/* What the processor will say. */
struct entry_answer {
	enum entry_verdict verdict;
	uint64_t qualification; /* of the exits; 34: the number of the MSR entry, from 1 */
	bool open; /* a rule decides that not all processors have: it may succeed as well */
};

struct entry_answer entry_check_answer(const struct vmcs_image *image,
				       const struct entry_environment *environment);

/* Prints every broken rule, with section, text and values, tagged with the VM's name. Returns how
 * many there are. */
unsigned entry_check_report(const char *vm_name, const struct vmcs_image *image,
			    const struct entry_environment *environment);

/* What this processor is, for the VMCS that is current on it. */
void entry_environment_read(struct entry_environment *environment,
			    const struct vmx_capabilities *capabilities);

/*
 * Checks the current VMCS, and prints the report, or only when there is something to report.
 * Returns the number of broken rules.
 */
unsigned entry_check_current(const char *vm_name, const struct vmx_capabilities *capabilities,
			     bool only_if_broken);
