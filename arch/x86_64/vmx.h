/* SPDX-License-Identifier: BSD-2-Clause */
/* VMX in numbers: exit reasons, interruption information, instruction status and errors, guest
 * non-register state. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86_64/bits.h"
#include "arch/x86_64/vmx_controls.h"      /* the bits of the control words */
#include "arch/x86_64/vmx_qualification.h" /* what an exit tells beyond its reason */

/* SDM "Conventions" of the VMX instruction reference: how a VMX instruction ended. */
enum vmx_status {
	VMX_OK,
	VMX_FAIL_INVALID, /* there is no current VMCS that could hold an error number */
	VMX_FAIL_VALID,   /* the number is in the VM-instruction error field */
};

const char *vmx_status_name(enum vmx_status status);

/* The text of a VM-instruction error (SDM "VM Instruction Error Numbers"), or "unknown error".
 * Never NULL. */
const char *vmx_instruction_error_text(uint32_t number);

#define VMX_INSTRUCTION_ERROR_MAX 28

/*
 * REASON(name, number, text): SDM "VMX Basic Exit Reasons", ascending. Makes enum vmx_exit_reason
 * (VMX_EXIT_name) and the table of texts. Numbers that are missing have no meaning.
 */
#define VMX_EXIT_REASONS(REASON)                                                                   \
	REASON(EXCEPTION_OR_NMI, 0, "exception or NMI")                                            \
	REASON(EXTERNAL_INTERRUPT, 1, "external interrupt")                                        \
	REASON(TRIPLE_FAULT, 2, "triple fault")                                                    \
	REASON(INIT, 3, "INIT signal")                                                             \
	REASON(SIPI, 4, "start-up IPI")                                                            \
	REASON(IO_SMI, 5, "I/O SMI")                                                               \
	REASON(OTHER_SMI, 6, "other SMI")                                                          \
	REASON(INTERRUPT_WINDOW, 7, "interrupt window")                                            \
	REASON(NMI_WINDOW, 8, "NMI window")                                                        \
	REASON(TASK_SWITCH, 9, "task switch")                                                      \
	REASON(CPUID, 10, "CPUID")                                                                 \
	REASON(GETSEC, 11, "GETSEC")                                                               \
	REASON(HLT, 12, "HLT")                                                                     \
	REASON(INVD, 13, "INVD")                                                                   \
	REASON(INVLPG, 14, "INVLPG")                                                               \
	REASON(RDPMC, 15, "RDPMC")                                                                 \
	REASON(RDTSC, 16, "RDTSC")                                                                 \
	REASON(RSM, 17, "RSM")                                                                     \
	REASON(VMCALL, 18, "VMCALL")                                                               \
	REASON(VMCLEAR, 19, "VMCLEAR")                                                             \
	REASON(VMLAUNCH, 20, "VMLAUNCH")                                                           \
	REASON(VMPTRLD, 21, "VMPTRLD")                                                             \
	REASON(VMPTRST, 22, "VMPTRST")                                                             \
	REASON(VMREAD, 23, "VMREAD")                                                               \
	REASON(VMRESUME, 24, "VMRESUME")                                                           \
	REASON(VMWRITE, 25, "VMWRITE")                                                             \
	REASON(VMXOFF, 26, "VMXOFF")                                                               \
	REASON(VMXON, 27, "VMXON")                                                                 \
	REASON(CR_ACCESS, 28, "control-register access")                                           \
	REASON(MOV_DR, 29, "MOV DR")                                                               \
	REASON(IO_INSTRUCTION, 30, "I/O instruction")                                              \
	REASON(RDMSR, 31, "RDMSR")                                                                 \
	REASON(WRMSR, 32, "WRMSR")                                                                 \
	REASON(ENTRY_FAILURE_GUEST_STATE, 33, "VM-entry failure: invalid guest state")             \
	REASON(ENTRY_FAILURE_MSR_LOADING, 34, "VM-entry failure: MSR loading")                     \
	REASON(MWAIT, 36, "MWAIT")                                                                 \
	REASON(MONITOR_TRAP_FLAG, 37, "monitor trap flag")                                         \
	REASON(MONITOR, 39, "MONITOR")                                                             \
	REASON(PAUSE, 40, "PAUSE")                                                                 \
	REASON(ENTRY_FAILURE_MACHINE_CHECK, 41, "VM-entry failure: machine check")                 \
	REASON(TPR_BELOW_THRESHOLD, 43, "TPR below threshold")                                     \
	REASON(APIC_ACCESS, 44, "APIC access")                                                     \
	REASON(VIRTUALIZED_EOI, 45, "virtualized EOI")                                             \
	REASON(GDTR_IDTR_ACCESS, 46, "access to GDTR or IDTR")                                     \
	REASON(LDTR_TR_ACCESS, 47, "access to LDTR or TR")                                         \
	REASON(EPT_VIOLATION, 48, "EPT violation")                                                 \
	REASON(EPT_MISCONFIGURATION, 49, "EPT misconfiguration")                                   \
	REASON(INVEPT, 50, "INVEPT")                                                               \
	REASON(RDTSCP, 51, "RDTSCP")                                                               \
	REASON(PREEMPTION_TIMER, 52, "VMX-preemption timer")                                       \
	REASON(INVVPID, 53, "INVVPID")                                                             \
	REASON(WBINVD, 54, "WBINVD or WBNOINVD")                                                   \
	REASON(XSETBV, 55, "XSETBV")                                                               \
	REASON(APIC_WRITE, 56, "APIC write")                                                       \
	REASON(RDRAND, 57, "RDRAND")                                                               \
	REASON(INVPCID, 58, "INVPCID")                                                             \
	REASON(VMFUNC, 59, "VMFUNC")                                                               \
	REASON(ENCLS, 60, "ENCLS")                                                                 \
	REASON(RDSEED, 61, "RDSEED")                                                               \
	REASON(PML_FULL, 62, "page-modification log full")                                         \
	REASON(XSAVES, 63, "XSAVES")                                                               \
	REASON(XRSTORS, 64, "XRSTORS")                                                             \
	REASON(PCONFIG, 65, "PCONFIG")                                                             \
	REASON(SPP, 66, "sub-page write permission event")                                         \
	REASON(UMWAIT, 67, "UMWAIT")                                                               \
	REASON(TPAUSE, 68, "TPAUSE")                                                               \
	REASON(LOADIWKEY, 69, "LOADIWKEY")                                                         \
	REASON(ENCLV, 70, "ENCLV")                                                                 \
	REASON(ENQCMD_PASID, 72, "ENQCMD PASID translation failure")                               \
	REASON(ENQCMDS_PASID, 73, "ENQCMDS PASID translation failure")                             \
	REASON(BUS_LOCK, 74, "bus lock")                                                           \
	REASON(INSTRUCTION_TIMEOUT, 75, "instruction timeout (notify)")                            \
	REASON(SEAMCALL, 76, "SEAMCALL")                                                           \
	REASON(TDCALL, 77, "TDCALL")                                                               \
	REASON(RDMSRLIST, 78, "RDMSRLIST")                                                         \
	REASON(WRMSRLIST, 79, "WRMSRLIST")                                                         \
	REASON(URDMSR, 80, "URDMSR")                                                               \
	REASON(UWRMSR, 81, "UWRMSR")                                                               \
	REASON(RDMSR_IMMEDIATE, 84, "RDMSR with immediate")                                        \
	REASON(WRMSRNS_IMMEDIATE, 85, "WRMSRNS with immediate")

#define VMX_EXIT_ENUM(name, number, text) VMX_EXIT_##name = number,
enum vmx_exit_reason {
	VMX_EXIT_REASONS(VMX_EXIT_ENUM) VMX_EXIT_REASON_COUNT /* one more than the highest: the
								 length of a table by reason */
};
#undef VMX_EXIT_ENUM

/* The text of a basic exit reason, or "unknown exit reason". Never NULL. */
const char *vmx_exit_reason_name(uint32_t basic_reason);

/* The exit-reason field: the basic reason in 15:0, and these. */
#define VMX_EXIT_REASON_MASK       0xffffu
#define VMX_EXIT_BUSY_SHADOW_STACK BIT32(25)
#define VMX_EXIT_BUS_LOCK_ASSERTED BIT32(26) /* the instruction also took a bus lock */
#define VMX_EXIT_ENCLAVE_MODE      BIT32(27)
#define VMX_EXIT_PENDING_MTF       BIT32(28)
#define VMX_EXIT_FROM_ROOT         BIT32(29)
#define VMX_EXIT_ENTRY_FAILURE     BIT32(31)

/* SDM "Information for VM Exits Due to Vectored Events": types in bits 10:8 of all three
 * information fields. */
enum vmx_interruption_type {
	VMX_EXTERNAL_INTERRUPT = 0,
	VMX_NMI = 2,
	VMX_HARDWARE_EXCEPTION = 3,
	VMX_SOFTWARE_INTERRUPT = 4,            /* INT n */
	VMX_PRIVILEGED_SOFTWARE_EXCEPTION = 5, /* INT1 */
	VMX_SOFTWARE_EXCEPTION = 6,            /* INT3, INTO */
	VMX_OTHER_EVENT = 7, /* entry: MTF when vector 0; SYSCALL, SYSENTER with FRED */
};

const char *vmx_interruption_type_name(enum vmx_interruption_type type);

/* An event with one of these types is injected with the length of its instruction (SDM
 * "Injected-Event Information"). */
static inline bool vmx_type_needs_length(enum vmx_interruption_type type)
{
	return type == VMX_SOFTWARE_INTERRUPT || type == VMX_PRIVILEGED_SOFTWARE_EXCEPTION ||
	       type == VMX_SOFTWARE_EXCEPTION;
}

/*
 * The type of an event that no instruction asked for, from its vector: 2 is an NMI; 3 and 4 are
 * software exceptions; 32 and up external interrupts; the rest, 1 and 21-31 among them, hardware
 * exceptions.
 */
enum vmx_interruption_type vmx_type_of_vector(uint8_t vector);

#define VMX_INFO_ERROR_CODE     BIT32(11)
#define VMX_INFO_NMI_UNBLOCKING BIT32(12) /* in exit information: by an IRET that faulted */
#define VMX_INFO_NESTED         BIT32(13) /* with FRED */
#define VMX_INFO_VALID          BIT32(31)

/* One layout for VM-entry interruption, VM-exit interruption and IDT-vectoring information. */
struct vmx_interruption {
	uint8_t vector;
	enum vmx_interruption_type type;
	bool has_error_code;
	bool nmi_unblocking;
	bool valid;
};

static inline struct vmx_interruption vmx_interruption_unpack(uint32_t info)
{
	return (struct vmx_interruption){
		.vector = (uint8_t)info,
		.type = (enum vmx_interruption_type)(info >> 8 & 7),
		.has_error_code = (info & VMX_INFO_ERROR_CODE) != 0,
		.nmi_unblocking = (info & VMX_INFO_NMI_UNBLOCKING) != 0,
		.valid = (info & VMX_INFO_VALID) != 0,
	};
}

/* The value of the VM-entry interruption-information field; a valid one whatever `valid` and
 * `nmi_unblocking` say. */
static inline uint32_t vmx_interruption_pack(struct vmx_interruption event)
{
	return VMX_INFO_VALID | (event.has_error_code ? VMX_INFO_ERROR_CODE : 0) |
	       (uint32_t)event.type << 8 | event.vector;
}

/* SDM "Guest Non-Register State": interruptibility */
#define INTERRUPTIBILITY_STI     BIT32(0)
#define INTERRUPTIBILITY_MOV_SS  BIT32(1)
#define INTERRUPTIBILITY_SMI     BIT32(2)
#define INTERRUPTIBILITY_NMI     BIT32(3) /* with virtual NMIs: virtual-NMI blocking */
#define INTERRUPTIBILITY_ENCLAVE BIT32(4)

/* SDM "Guest Non-Register State": activity */
enum vmx_activity {
	ACTIVITY_ACTIVE,
	ACTIVITY_HLT,
	ACTIVITY_SHUTDOWN,
	ACTIVITY_WAIT_FOR_SIPI,
};

const char *vmx_activity_name(uint32_t activity);

/* SDM "Guest Register State": segment access rights */
#define ACCESS_TYPE      0xfu
#define ACCESS_S         BIT32(4) /* code or data */
#define ACCESS_DPL       (3u << 5)
#define ACCESS_P         BIT32(7)
#define ACCESS_AVL       BIT32(12)
#define ACCESS_L         BIT32(13)
#define ACCESS_DB        BIT32(14)
#define ACCESS_G         BIT32(15)
#define ACCESS_UNUSABLE  BIT32(16)
#define ACCESS_DPL_SHIFT 5

/* SDM "Extended-Page-Table Pointer (EPTP)" */
#define EPTP_MEMORY_UC      0u
#define EPTP_MEMORY_WB      6u
#define EPTP_WALK_LENGTH(n) (((uint64_t)(n)-1) << 3)
#define EPTP_ACCESSED_DIRTY BIT(6)
#define EPTP_SHADOW_STACK   BIT(7)

/* A VMCS region begins with its revision identifier; this bit makes it a shadow VMCS. */
#define VMCS_SHADOW BIT32(31)

/* The VMCS link pointer when there is none. */
#define VMCS_LINK_NONE (~0ull)

enum invept_kind {
	INVEPT_SINGLE_CONTEXT = 1,
	INVEPT_ALL_CONTEXTS = 2,
};

struct invept_descriptor {
	uint64_t eptp;
	uint64_t reserved; /* zero */
};

enum invvpid_kind {
	INVVPID_ADDRESS = 0,
	INVVPID_SINGLE_CONTEXT = 1,
	INVVPID_ALL_CONTEXTS = 2,
	INVVPID_RETAINING_GLOBALS = 3,
};

struct invvpid_descriptor {
	uint64_t vpid; /* 16 bits, the rest zero */
	uint64_t linear_address;
};
