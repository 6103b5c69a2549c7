/* SPDX-License-Identifier: BSD-2-Clause */
/* The exit record: what one VM exit was, in 64 bytes, and the ring that keeps the last ones. */
#pragma once

#include <stdint.h>

#include "kernel/compiler.h"

/* What code the vCPU was running. In flags of a record, and the cached mode of a vCPU. */
enum exit_mode {
	MODE_REAL,
	MODE_VIRTUAL_8086,
	MODE_PROTECTED,     /* 16- or 32-bit, without IA-32e mode */
	MODE_LONG,          /* IA-32e mode: 64-bit or compatibility */
};

#define RECORD_ENTRY_FAILED 0x01   /* in flags: the VM entry failed, the guest did not run */

#define RECORD_INJECTED     0x8000 /* in injected: an event was injected at the entry; vector 7:0, type 10:8 */

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
 *   VMCALL         number           argument 1       result
 *   XSETBV         the XCR          value
 *   others         as the SDM's
 */
struct exit_record {
	uint64_t tsc_exit;
	uint64_t tsc_entry;
	uint64_t rip;
	uint16_t reason;        /* basic exit reason */
	uint16_t injected;
	uint8_t vm, vcpu;
	uint8_t mode;           /* enum exit_mode */
	uint8_t flags;
	uint64_t qualification;
	uint64_t detail[3];
};

_Static_assert(sizeof(struct exit_record) == 64, "one cache line");

/* The last records of a vCPU; written by its pCPU only. */
struct exit_ring {
	struct exit_record *records;
	uint32_t size;          /* in records, a power of two */
	uint64_t count;         /* ever written; the next goes to count & (size - 1) */
};

/* What was done about an EPT violation, in detail[2] bits 15:8. */
enum ept_answer {
	EPT_MMIO,           /* a device answered */
	EPT_UNCLAIMED,      /* nobody: ones read, writes dropped */
	EPT_READ_ONLY,      /* a write to memory that is read-only for the guest was dropped */
	EPT_SPLIT,          /* a mapping was refined, the access is repeated */
	EPT_STOPPED,
};
