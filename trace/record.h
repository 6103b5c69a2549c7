/* SPDX-License-Identifier: BSD-2-Clause */
/* The exit record: what one VM exit was, in 64 bytes. docs/trace-format.md is the specification for
 * readers. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/compiler.h"

/* What code the vCPU was running. In a record, and the cached mode of a vCPU. */
enum exit_mode {
	MODE_REAL,
	MODE_VIRTUAL_8086,
	MODE_PROTECTED, /* 16- or 32-bit, without IA-32e mode */
	MODE_LONG,      /* IA-32e mode: 64-bit or compatibility */
};

/* In flags of a record. */
#define RECORD_ENTRY_FAILED 0x01 /* the VM entry failed, the guest did not run */
#define RECORD_CODE         0x02 /* the next three are told: the exit's class is traced with +cpl */
#define RECORD_CODE_L       0x04 /* CS.L: 64-bit code */
#define RECORD_CODE_D       0x08 /* CS.D: 32-bit code */
#define RECORD_CPL_SHIFT    4    /* the CPL, bits 5:4 */

/* In injected of a record: the event that went in at the entry, laid out as the SDM's interruption
 * information. */
#define RECORD_INJECTED 0x8000 /* there was one; vector 7:0, type 10:8, with error code 11 */

/* Reasons of records that are no exits. */
#define RECORD_VM_STARTED 0xffff

/*
 * Which words mean what depends on the reason; render.c is the reader.
 *                  qualification    detail[0]        detail[1]      detail[2]
 *   CPUID          leaf | sub<<32   eax | ebx<<32    ecx | edx<<32
 *   I/O            as the SDM's     value            count of REP
 *   RDMSR, WRMSR   the MSR          value
 *   CR access      as the SDM's     value
 *   EPT violation  as the SDM's     gpa              value          size | what was done << 8
 *   exception      as the SDM's     interruption     error code
 *                                   information
 *   VMCALL         number           argument 1       result         argument 2, of a mark
 *   XSETBV         the XCR          value
 *   VM started     its name in all four; tsc_exit is when, tsc_entry the number of this record in
 * its ring others         as the SDM's
 */
struct exit_record {
	uint64_t tsc_exit;
	uint64_t tsc_entry; /* not above tsc_exit: the guest has not been entered since */
	uint64_t rip;
	union {
		uint64_t key; /* the same as one word, to be written at once */
		struct {
			uint16_t reason; /* basic exit reason */
			uint16_t injected;
			uint8_t vm, vcpu;
			uint8_t mode; /* enum exit_mode */
			uint8_t flags;
		};
	};
	union {
		struct {
			uint64_t qualification;
			uint64_t detail[3];
		};
		struct {
			uint64_t other_words[3];
			uint8_t ept_size;   /* of an EPT violation: detail[2] bits 7:0 */
			uint8_t ept_answer; /* and 15:8, enum ept_answer */
		};
		uint32_t half[8]; /* the same in halves, low first */
		char name[32];
	};
};

_Static_assert(sizeof(struct exit_record) == 64, "one cache line");
_Static_assert(offsetof(struct exit_record, key) == 24 &&
		       offsetof(struct exit_record, flags) == 31 &&
		       offsetof(struct exit_record, qualification) == 32,
	       "docs/trace-format.md");

/* What was done about an EPT violation, in detail[2] bits 15:8. */
enum ept_answer {
	EPT_MMIO,      /* a device answered */
	EPT_UNCLAIMED, /* nobody: ones read, writes dropped */
	EPT_READ_ONLY, /* a write to memory that is read-only for the guest was dropped */
	EPT_SPLIT,     /* a mapping was refined, the access is repeated */
	EPT_STOPPED,
	EPT_ONES, /* nobody: the access is repeated, and reads ones */
};
