/* SPDX-License-Identifier: BSD-2-Clause */
/* What an exit tells beyond its reason: exit qualifications and instruction information, decoded.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86_64/bits.h"

/* SDM "Exit Qualification for Control-Register Accesses" */
enum cr_access_type { CR_MOV_TO, CR_MOV_FROM, CR_CLTS, CR_LMSW };

struct cr_access {
	unsigned cr;
	enum cr_access_type type;
	unsigned reg;     /* enum register_index, of the MOVs */
	bool lmsw_memory; /* the operand of LMSW is in memory, at the guest-linear address */
	uint16_t lmsw_source;
};

static inline struct cr_access cr_access_decode(uint64_t qualification)
{
	return (struct cr_access){
		.cr = (unsigned)bits(qualification, 3, 0),
		.type = (enum cr_access_type)bits(qualification, 5, 4),
		.lmsw_memory = bit(qualification, 6),
		.reg = (unsigned)bits(qualification, 11, 8),
		.lmsw_source = (uint16_t)bits(qualification, 31, 16),
	};
}

/* SDM "Exit Qualification for MOV DR" */
struct dr_access {
	unsigned dr;
	bool from; /* MOV from DR */
	unsigned reg;
};

static inline struct dr_access dr_access_decode(uint64_t qualification)
{
	return (struct dr_access){
		.dr = (unsigned)bits(qualification, 2, 0),
		.from = bit(qualification, 4),
		.reg = (unsigned)bits(qualification, 11, 8),
	};
}

/* SDM "Exit Qualification for I/O Instructions" */
#define IO_SIZE   7ull /* bytes less one: 0, 1, 3 */
#define IO_STRING BIT(4)

struct io_access {
	uint16_t port;
	unsigned size; /* bytes: 1, 2, 4 */
	bool in, string, rep;
	bool immediate; /* the port is in the instruction, not in DX */
};

static inline struct io_access io_access_decode(uint64_t qualification)
{
	return (struct io_access){
		.size = (unsigned)bits(qualification, 2, 0) + 1,
		.in = bit(qualification, 3),
		.string = bit(qualification, 4),
		.rep = bit(qualification, 5),
		.immediate = bit(qualification, 6),
		.port = (uint16_t)bits(qualification, 31, 16),
	};
}

/* SDM "Exit Qualification for EPT Violations" */
struct ept_violation {
	bool read, write, fetch;
	bool readable, writable, executable; /* what the EPT entries allow, ANDed */
	bool user_executable;                /* with mode-based execute control only */
	bool linear_valid;                   /* the guest-linear address field is valid */
	bool translated; /* the access itself; clear: the page walk's, or its A/D update */
	bool user_linear, writable_linear, no_execute_linear; /* advanced exit information */
	bool nmi_unblocked; /* by an IRET that then met the violation */
	bool shadow_stack;
	bool paging_verification;
	bool asynchronous; /* not an access of the instruction (trace output, UIPI) */
};

static inline struct ept_violation ept_violation_decode(uint64_t qualification)
{
	return (struct ept_violation){
		.read = bit(qualification, 0),
		.write = bit(qualification, 1),
		.fetch = bit(qualification, 2),
		.readable = bit(qualification, 3),
		.writable = bit(qualification, 4),
		.executable = bit(qualification, 5),
		.user_executable = bit(qualification, 6),
		.linear_valid = bit(qualification, 7),
		.translated = bit(qualification, 8),
		.user_linear = bit(qualification, 9),
		.writable_linear = bit(qualification, 10),
		.no_execute_linear = bit(qualification, 11),
		.nmi_unblocked = bit(qualification, 12),
		.shadow_stack = bit(qualification, 13),
		.paging_verification = bit(qualification, 15),
		.asynchronous = bit(qualification, 16),
	};
}

/* SDM "Exit Qualification for Task Switches" */
enum task_switch_source { TASK_SWITCH_CALL, TASK_SWITCH_IRET, TASK_SWITCH_JMP, TASK_SWITCH_GATE };

struct task_switch {
	uint16_t selector;
	enum task_switch_source source;
};

static inline struct task_switch task_switch_decode(uint64_t qualification)
{
	return (struct task_switch){
		.selector = (uint16_t)bits(qualification, 15, 0),
		.source = (enum task_switch_source)bits(qualification, 31, 30),
	};
}

/* SDM "Exit Qualification for APIC-Access VM Exits" */
enum apic_access_type {
	APIC_LINEAR_READ = 0,
	APIC_LINEAR_WRITE = 1,
	APIC_LINEAR_FETCH = 2,
	APIC_LINEAR_EVENT_DELIVERY = 3,
	APIC_LINEAR_MONITORING = 4,
	APIC_PHYSICAL_EVENT_DELIVERY = 10,
	APIC_PHYSICAL_MONITORING = 11,
	APIC_PHYSICAL_ACCESS = 15,
};

struct apic_access {
	uint16_t offset; /* of linear accesses */
	enum apic_access_type type;
	bool asynchronous;
};

static inline struct apic_access apic_access_decode(uint64_t qualification)
{
	return (struct apic_access){
		.offset = (uint16_t)bits(qualification, 11, 0),
		.type = (enum apic_access_type)bits(qualification, 15, 12),
		.asynchronous = bit(qualification, 16),
	};
}

/* SDM "Exit Qualification for Debug Exceptions"; pending debug exceptions have these bits too, and
 * ENABLED. */
#define DEBUG_B(n)    BIT(n)
#define DEBUG_BLD     BIT(11) /* a bus lock; active high here */
#define DEBUG_ENABLED BIT(12) /* pending debug exceptions only: an enabled breakpoint was met */
#define DEBUG_BD      BIT(13)
#define DEBUG_BS      BIT(14)
#define DEBUG_RTM     BIT(16)

/* Qualification of an entry failure for invalid guest state (SDM "VM-Entry Failures During or After
 * Loading Guest State"). */
#define ENTRY_FAILURE_PDPTE        2
#define ENTRY_FAILURE_NMI          3 /* injected NMI, with blocking by STI */
#define ENTRY_FAILURE_LINK_POINTER 4

/* Qualification of an instruction-timeout (notify) exit. */
#define NOTIFY_CONTEXT_INVALID BIT(0)

/* Operand size codes: 16, 32, 64 bits are 0, 1, 2. Segments are numbered ES CS SS DS FS GS. */

/* SDM "Format of the VM-Exit Instruction-Information Field as Used for INS and OUTS" */
struct string_io_info {
	unsigned address_size; /* bytes: 2, 4, 8 */
	unsigned segment;      /* of OUTS; undefined for INS, which uses ES */
};

static inline struct string_io_info string_io_info_decode(uint32_t info)
{
	return (struct string_io_info){
		.address_size = 2u << bits(info, 9, 7),
		.segment = (unsigned)bits(info, 17, 15),
	};
}

/*
 * The layout that the other instructions share (VMX instructions, INVEPT, INVPCID, LGDT, LLDT,
 * RDRAND, XSAVES, ...); which fields are defined depends on the instruction.
 */
struct instruction_info {
	unsigned scale;        /* 1, 2, 4, 8 */
	unsigned reg1;         /* the operand when it is a register */
	unsigned address_size; /* bytes: 2, 4, 8 */
	bool is_register;      /* the operand at bits 6:3, else memory */
	unsigned operand_size; /* code in bits 12:11 (RDRAND, RDSEED, UMWAIT) */
	unsigned segment;
	bool has_index, has_base;
	unsigned index, base;
	unsigned reg2;
};

static inline struct instruction_info instruction_info_decode(uint32_t info)
{
	return (struct instruction_info){
		.scale = 1u << bits(info, 1, 0),
		.reg1 = (unsigned)bits(info, 6, 3),
		.address_size = 2u << bits(info, 9, 7),
		.is_register = bit(info, 10),
		.operand_size = (unsigned)bits(info, 12, 11),
		.segment = (unsigned)bits(info, 17, 15),
		.index = (unsigned)bits(info, 21, 18),
		.has_index = !bit(info, 22),
		.base = (unsigned)bits(info, 26, 23),
		.has_base = !bit(info, 27),
		.reg2 = (unsigned)bits(info, 31, 28),
	};
}
