/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual CPU, and the neutral calls that its backend makes of its exits. Nothing here knows of
 * VMX: a backend decodes an exit into one of the vcpu_*() calls and does what the outcome says.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86_64/registers.h"
#include "kernel/address.h"
#include "kernel/error.h"
#include "trace/counters.h"
#include "trace/record.h"
#include "trace/ring.h"
#include "vcpu/cpuid.h"
#include "vcpu/events.h"
#include "vcpu/mtrr.h"
#include "vcpu/offsets.h"
#include "vcpu/state.h"
#include "vcpu/vm.h"

/* What became of the instruction that exited. */
enum outcome {
	OUTCOME_NEXT, /* done: the backend moves RIP past it */
	OUTCOME_STAY, /* RIP stays: a fault was raised, the instruction is to be repeated, or the VM
			 ends */
};

/* Ends a VM that hangs: one in which nothing exits but for the host's sake. */
struct watchdog {
	uint64_t limit; /* in ticks; 0: off */
	uint64_t next_look;
	uint64_t progress_at; /* when there was progress last, */
	uint64_t exits;       /* and the guest's exits up to then */
};

/* The guest's own, which it starts by hypercall. */
struct own_watchdog {
	uint64_t ticks; /* 0: off */
	uint64_t due;
	bool rang; /* the NMI has been sent */
};
#define OWN_WATCHDOG_MAX (1ull << 62)

struct vcpu {
	/* The exit stub knows these three by offset. */
	struct general_registers regs;
	uint64_t host_stack; /* RSP of the host while it handles exits */
	uint64_t tsc_entry;  /* stamped last thing before the entry */

	uint64_t tsc_exit; /* stamped first thing after the exit */
	uint64_t deadline; /* the TSC at which the host wants this pCPU: heartbeat, timers */
	struct exit_record *record;   /* of the current exit; NULL if not vcpu->tracing */
	struct exit_counter *counter; /* of the current exit, whose cost is counted at the next */
	bool tracing;                 /* exits are recorded: the one bit that an exit tests */
	bool port_breakpoints;        /* the guest has set CR4.DE: DR0-3 can hold ports */
	uint32_t requests;    /* enum vcpu_request: what must be done before the next entry */
	struct events events; /* begins with such a word of its own: see vcpu_has_work() */
	union {
		uint64_t record_key; /* what is the same in all its records, as it stands there */
		struct {
			uint16_t key_reason, key_injected; /* 0 here */
			uint8_t vm_number, number;
			uint8_t mode; /* enum exit_mode but virtual-8086; follows CR0.PE and
					 EFER.LMA */
			uint8_t key_flags;
		};
	};
	struct exit_ring *ring; /* of its pCPU; NULL: there is none */
	struct vm *vm;
	void *backend;

	/* Control registers as the guest sees them, where the host keeps other values in the real
	 * ones. */
	uint64_t cr0_shadow, cr4_shadow;
	uint64_t efer;
	uint64_t cr8; /* the task priority; no local APIC yet that would act on it */
	uint64_t xcr0_allowed, cr4_allowed, efer_allowed; /* the bits that exist for this guest */
	uint64_t msr_offered; /* the rules of the MSR policy that hold for it, a bit each */
	int64_t tsc_offset, tsc_adjust;
	uint64_t misc_enable, mcg_status;
	struct mtrrs mtrrs;

	struct cpuid_table cpuid;
	struct exit_counters counters;
	uint8_t traced[EXIT_REASONS];    /* what is done with their exits: TRACE_RECORD, ... */
	struct exit_record not_recorded; /* where exits are recorded whose class is not traced */
	uint64_t first_tsc;              /* when it first ran */
	struct watchdog watchdog;
	struct own_watchdog own_watchdog;
	const struct cpu *cpu; /* where it runs: it owns this pCPU all its life */
	uint64_t cr2_at_end;   /* CR2 stays live in the processor until then */
};

/* The basic reason of the current exit. */
static inline uint32_t vcpu_exit_reason(const struct vcpu *vcpu)
{
	return (uint32_t)(vcpu->counter - vcpu->counters.by_reason);
}

enum vcpu_request {
	REQUEST_STOP = 1,      /* the VM has ended */
	REQUEST_FLUSH_EPT = 2, /* cached translations of guest-physical memory are out of date */
	REQUEST_FLUSH_LINEAR =
		4,        /* cached translations of the guest's own page tables are out of date */
	REQUEST_SHOW = 8, /* the record of the current exit goes to the console */
	REQUEST_CHECK_ENTRY = 16, /* what the backend enters with is checked first: stays set */
};

/* --- Records. Each instruction counts here: an exit that is recorded may cost 40 more. --- */

/* Whether the handler of the current exit fills in vcpu->record. */
static inline bool vcpu_records(const struct vcpu *vcpu)
{
	return vcpu->tracing;
}

static inline void vcpu_record_new(struct vcpu *vcpu, uint64_t reason, uint64_t rip)
{
	struct exit_record *record = ring_next(vcpu->ring);

	/* Its address once, instead of that of each word. */
	asm("" : "+r"(record));
	record->tsc_exit = vcpu->tsc_exit;
	record->rip = rip;
	record->key = vcpu->record_key | reason;
	record->qualification = 0;
	record->detail[0] = 0;
	record->detail[1] = 0;
	record->detail[2] = 0;
	vcpu->record = record;
}

/* The same for reasons that are not recorded, or of which more is wanted. Returns the reason. */
uint64_t vcpu_record_special(struct vcpu *vcpu, uint64_t reason, uint64_t rip);

/*
 * For the backend, if vcpu->tracing: ends the record of the exit before, and begins that of an
 * exit. Returns the reason, so that the caller need not keep it.
 */
static inline uint64_t vcpu_record_begin(struct vcpu *vcpu, uint64_t reason, uint64_t rip)
{
	/* Stamped last thing before the entry, which was too late for its own exit. */
	vcpu->record->tsc_entry = vcpu->tsc_entry;
	/* For a reader on another pCPU: a record is whole before there is a next one. */
	asm volatile("" : : : "memory");
	if (unlikely(vcpu->traced[reason] != TRACE_RECORD))
		return vcpu_record_special(vcpu, reason, rip);
	vcpu_record_new(vcpu, reason, rip);
	return reason;
}

_Static_assert(offsetof(struct vcpu, mode) - offsetof(struct vcpu, record_key) ==
		       offsetof(struct exit_record, mode) - offsetof(struct exit_record, key),
	       "the same layout");
_Static_assert(offsetof(struct vcpu, port_breakpoints) == offsetof(struct vcpu, tracing) + 1,
	       "one load reads both");

/* Whether port I/O is to be looked at before it is done: recorded, or compared with breakpoints. */
static inline bool vcpu_watches_ports(const struct vcpu *vcpu)
{
	uint16_t both;

	__builtin_memcpy(&both, (const uint8_t *)vcpu + offsetof(struct vcpu, tracing),
			 sizeof(both));
	return both != 0;
}

_Static_assert(offsetof(struct vcpu, events) == offsetof(struct vcpu, requests) + 4 &&
		       offsetof(struct events, work) == 0,
	       "one load reads both");

/* Whether anything is to be done before the next entry: requests or events, tested by one load. */
static inline bool vcpu_has_work(const struct vcpu *vcpu)
{
	uint64_t both;

	__builtin_memcpy(&both, (const uint8_t *)vcpu + offsetof(struct vcpu, requests),
			 sizeof(both));
	return both != 0;
}

_Static_assert(offsetof(struct vcpu, regs) == 0 &&
		       sizeof(struct general_registers) == VCPU_REGS_SIZE,
	       "vcpu/offsets.h");
_Static_assert(offsetof(struct vcpu, host_stack) == VCPU_HOST_STACK, "vcpu/offsets.h");
_Static_assert(offsetof(struct vcpu, tsc_entry) == VCPU_TSC_ENTRY, "vcpu/offsets.h");

/* --- What exits ask for; each does the whole of its instruction but moving RIP. --- */

enum outcome vcpu_cpuid(struct vcpu *vcpu);
enum outcome vcpu_hlt(struct vcpu *vcpu);
enum outcome vcpu_msr_read(struct vcpu *vcpu);
enum outcome vcpu_msr_write(struct vcpu *vcpu);
enum outcome vcpu_xsetbv(struct vcpu *vcpu);
enum outcome vcpu_hypercall(struct vcpu *vcpu);

/* MOV to a control register; the value comes from a general register. cr is 0, 3, 4 or 8. */
enum outcome vcpu_cr_write(struct vcpu *vcpu, unsigned cr, uint64_t value);

/* IN and OUT with the accumulator are in vcpu/io.h. A string instruction, as its exit describes it.
 */
struct string_io {
	uint16_t port;
	uint8_t size;         /* 1, 2 or 4 bytes an element */
	uint8_t address_size; /* 2, 4 or 8 bytes: of SI/DI and CX */
	uint8_t segment;      /* enum segment_index; INS always uses ES */
	bool in, rep;
};
enum outcome vcpu_io_string(struct vcpu *vcpu, const struct string_io *io);

/* An access of the current instruction, a write or a read, to a guest-physical address that is not
 * RAM. Moves RIP itself. */
enum outcome vcpu_mmio(struct vcpu *vcpu, gpa_t gpa, bool write);

/* The 1 ms beat: console, end requests, deadlines. Sets the next deadline. */
void vcpu_heartbeat(struct vcpu *vcpu, uint64_t now);

/*
 * Has a vCPU that runs on another pCPU leave its guest, if it is there, and have its heartbeat,
 * which looks at what was asked for. Does not wait. Only while that pCPU runs it.
 */
void vcpu_kick(const struct vcpu *vcpu);

/* Raises a fault of the current instruction. Double faults and triple faults are formed as the SDM
 * says. */
void vcpu_fault(struct vcpu *vcpu, uint8_t vector, bool has_error, uint32_t error);
#define vcpu_gp(vcpu) vcpu_fault(vcpu, 13, true, 0)
#define vcpu_ud(vcpu) vcpu_fault(vcpu, 6, false, 0)

/* --- What a backend offers. --- */

uint64_t backend_rip(struct vcpu *vcpu);
uint64_t backend_rsp(struct vcpu *vcpu);
uint64_t backend_rflags(struct vcpu *vcpu);
void backend_set_rip(struct vcpu *vcpu, uint64_t rip);
void backend_set_rsp(struct vcpu *vcpu, uint64_t rsp);
void backend_set_rflags(struct vcpu *vcpu, uint64_t rflags);

/* Sets RFLAGS.RF. */
void backend_set_resume_flag(struct vcpu *vcpu);

/* Control registers as the processor has them for the guest. The write of CR0, CR4 and EFER keeps
 * what the host needs. */
uint64_t backend_cr0(struct vcpu *vcpu);
uint64_t backend_cr3(struct vcpu *vcpu);
uint64_t backend_cr4(struct vcpu *vcpu);
void backend_set_cr0(struct vcpu *vcpu, uint64_t value);
void backend_set_cr3(struct vcpu *vcpu, uint64_t value);
void backend_set_cr4(struct vcpu *vcpu, uint64_t value);
void backend_set_efer(struct vcpu *vcpu, uint64_t value);
void backend_get_pdptes(struct vcpu *vcpu, uint64_t pdptes[4]);
void backend_set_pdptes(struct vcpu *vcpu, const uint64_t pdptes[4]);
void backend_get_segment(struct vcpu *vcpu, enum segment_index index, struct segment *segment);
unsigned backend_cpl(struct vcpu *vcpu);

/* In IA-32e mode, and not in its compatibility mode. */
static inline bool vcpu_in_64bit_code(struct vcpu *vcpu)
{
	struct segment cs;

	if (vcpu->mode != MODE_LONG)
		return false;
	backend_get_segment(vcpu, SEG_CS, &cs);
	return cs.access & SEGMENT_L;
}

bool backend_nmi_blocked(struct vcpu *vcpu); /* by an NMI whose handler has not executed IRET */

/* Ends blocking by STI and MOV SS, and makes the #DB of a single step pending if TF asks for one:
 * an instruction is done. */
void backend_instruction_done(struct vcpu *vcpu);
uint64_t backend_dr7(struct vcpu *vcpu);

/* Whether a #DB will be due when the current instruction is done: of a single step, or put off by
 * MOV SS. */
bool backend_trap_due(struct vcpu *vcpu);

/* Makes the #DB of these breakpoints pending (bit n for DRn), as a trap of the current instruction.
 */
void backend_breakpoints_met(struct vcpu *vcpu, unsigned breakpoints);
void backend_set_tsc_offset(struct vcpu *vcpu, int64_t offset);
uint64_t backend_debugctl(struct vcpu *vcpu);
void backend_set_debugctl(struct vcpu *vcpu, uint64_t value);
uint64_t backend_pat(struct vcpu *vcpu);
void backend_set_pat(struct vcpu *vcpu, uint64_t value);

/* What the backend's processor can offer to guests beyond the CPUID of the host. */
struct backend_features {
	bool rdtscp, invpcid, xsaves, waitpkg;
	uint64_t arch_capabilities; /* the host's IA32_ARCH_CAPABILITIES; 0: it has none */
};
const struct backend_features *backend_features(void);

/*
 * Has the processor itself read ones in the page at gpa, where there is neither memory nor a
 * device. Writes to it still exit. `who` reads there, for the log. Errors: why that cannot be.
 */
CHECKED err_t backend_read_ones(struct vcpu *vcpu, gpa_t gpa, const char *who);

/* Drops cached translations of this vCPU's address space after control registers were changed for
 * it. */
void backend_flush_guest_tlb(struct vcpu *vcpu);

/*
 * Puts the first pCPU into the state in which it can run guests, after it has told what it can do.
 * Errors: what the CPU or its firmware lacks, and the remedy.
 */
CHECKED err_t backend_start(void);

/*
 * The same for each other pCPU, which must be able to do just what the first one can. An error
 * tells in what it differs; this one can then run no guest.
 */
CHECKED err_t backend_join(void);

/* Takes the pCPU that executes this back out of that state. */
void backend_stop(void);

/* The processor's capability MSRs as they were read, for readers of a trace. Returns how many, up
 * to `max`. */
unsigned backend_capabilities(struct capability *list, unsigned max);

/* Makes the second-level address space of a VM: its extents, and its video memory. */
CHECKED err_t backend_vm_create(struct vm *vm);
void backend_vm_destroy(struct vm *vm);

CHECKED err_t backend_vcpu_create(struct vcpu *vcpu);
void backend_vcpu_destroy(struct vcpu *vcpu);
CHECKED err_t backend_set_state(struct vcpu *vcpu, const struct vcpu_state *state);

/* Runs the vCPU until its VM has ended. */
void backend_run(struct vcpu *vcpu);

/* --- The life of a vCPU. --- */

struct vcpu_options {
	const uint8_t *traced; /* for each reason TRACE_RECORD, ...; NULL: nothing is recorded */
	uint64_t watchdog_us;  /* without an exit of the guest's own, the VM is stopped; 0: never */
	bool check_entries;    /* by the rules of the backend, before each */
};

CHECKED err_t vcpu_create(struct vm *vm, const struct vcpu_options *options,
			  const struct vcpu_state *state);
void vcpu_run(struct vcpu *vcpu);
void vcpu_destroy(struct vcpu *vcpu);

/* For the backend at REQUEST_SHOW, when all that the entry needs is done. */
void vcpu_record_show(struct vcpu *vcpu);
