/* SPDX-License-Identifier: BSD-2-Clause */
/* The bits of the VMX control words, under the SDM's names, with tables of those names. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "arch/x86_64/bits.h"

/* Pin-based VM-execution controls */
#define PIN_EXTERNAL_INTERRUPT_EXITING BIT32(0)
#define PIN_NMI_EXITING                BIT32(3)
#define PIN_VIRTUAL_NMIS               BIT32(5)
#define PIN_PREEMPTION_TIMER           BIT32(6)
#define PIN_POSTED_INTERRUPTS          BIT32(7)

/* Primary processor-based VM-execution controls */
#define PRIMARY_INTERRUPT_WINDOW_EXITING BIT32(2)
#define PRIMARY_TSC_OFFSETTING           BIT32(3)
#define PRIMARY_HLT_EXITING              BIT32(7)
#define PRIMARY_INVLPG_EXITING           BIT32(9)
#define PRIMARY_MWAIT_EXITING            BIT32(10)
#define PRIMARY_RDPMC_EXITING            BIT32(11)
#define PRIMARY_RDTSC_EXITING            BIT32(12)
#define PRIMARY_CR3_LOAD_EXITING         BIT32(15)
#define PRIMARY_CR3_STORE_EXITING        BIT32(16)
#define PRIMARY_ACTIVATE_TERTIARY        BIT32(17)
#define PRIMARY_CR8_LOAD_EXITING         BIT32(19)
#define PRIMARY_CR8_STORE_EXITING        BIT32(20)
#define PRIMARY_TPR_SHADOW               BIT32(21)
#define PRIMARY_NMI_WINDOW_EXITING       BIT32(22)
#define PRIMARY_MOV_DR_EXITING           BIT32(23)
#define PRIMARY_UNCONDITIONAL_IO_EXITING BIT32(24)
#define PRIMARY_IO_BITMAPS               BIT32(25)
#define PRIMARY_MONITOR_TRAP_FLAG        BIT32(27)
#define PRIMARY_MSR_BITMAPS              BIT32(28)
#define PRIMARY_MONITOR_EXITING          BIT32(29)
#define PRIMARY_PAUSE_EXITING            BIT32(30)
#define PRIMARY_ACTIVATE_SECONDARY       BIT32(31)

/* Secondary processor-based VM-execution controls */
#define SECONDARY_VIRTUALIZE_APIC_ACCESSES BIT32(0)
#define SECONDARY_EPT                      BIT32(1)
#define SECONDARY_DESCRIPTOR_TABLE_EXITING BIT32(2)
#define SECONDARY_RDTSCP                   BIT32(3)
#define SECONDARY_VIRTUALIZE_X2APIC        BIT32(4)
#define SECONDARY_VPID                     BIT32(5)
#define SECONDARY_WBINVD_EXITING           BIT32(6)
#define SECONDARY_UNRESTRICTED_GUEST       BIT32(7)
#define SECONDARY_APIC_REGISTERS           BIT32(8)
#define SECONDARY_VIRTUAL_INTERRUPTS       BIT32(9)
#define SECONDARY_PAUSE_LOOP_EXITING       BIT32(10)
#define SECONDARY_RDRAND_EXITING           BIT32(11)
#define SECONDARY_INVPCID                  BIT32(12)
#define SECONDARY_VM_FUNCTIONS             BIT32(13)
#define SECONDARY_VMCS_SHADOWING           BIT32(14)
#define SECONDARY_ENCLS_EXITING            BIT32(15)
#define SECONDARY_RDSEED_EXITING           BIT32(16)
#define SECONDARY_PML                      BIT32(17)
#define SECONDARY_EPT_VIOLATION_VE         BIT32(18)
#define SECONDARY_CONCEAL_VMX_FROM_PT      BIT32(19)
#define SECONDARY_XSAVES                   BIT32(20)
#define SECONDARY_PASID_TRANSLATION        BIT32(21)
#define SECONDARY_MODE_BASED_EXECUTE       BIT32(22)
#define SECONDARY_SUB_PAGE_WRITE           BIT32(23)
#define SECONDARY_PT_GUEST_PHYSICAL        BIT32(24)
#define SECONDARY_TSC_SCALING              BIT32(25)
#define SECONDARY_USER_WAIT_PAUSE          BIT32(26)
#define SECONDARY_PCONFIG                  BIT32(27)
#define SECONDARY_ENCLV_EXITING            BIT32(28)
#define SECONDARY_BUS_LOCK_DETECTION       BIT32(30)
#define SECONDARY_INSTRUCTION_TIMEOUT      BIT32(31) /* notify-VM exiting */

/* Tertiary processor-based VM-execution controls: 64 bits */
#define TERTIARY_LOADIWKEY_EXITING         BIT(0)
#define TERTIARY_HLAT                      BIT(1)
#define TERTIARY_EPT_PAGING_WRITE          BIT(2)
#define TERTIARY_GUEST_PAGING_VERIFICATION BIT(3)
#define TERTIARY_IPI_VIRTUALIZATION        BIT(4)
#define TERTIARY_MSR_LIST                  BIT(6)
#define TERTIARY_VIRTUALIZE_SPEC_CTRL      BIT(7)

/* Primary VM-exit controls */
#define EXIT_SAVE_DEBUG_CONTROLS     BIT32(2)
#define EXIT_HOST_ADDRESS_SPACE_SIZE BIT32(9)
#define EXIT_LOAD_PERF_GLOBAL_CTRL   BIT32(12)
#define EXIT_ACKNOWLEDGE_INTERRUPT   BIT32(15)
#define EXIT_SAVE_PAT                BIT32(18)
#define EXIT_LOAD_PAT                BIT32(19)
#define EXIT_SAVE_EFER               BIT32(20)
#define EXIT_LOAD_EFER               BIT32(21)
#define EXIT_SAVE_PREEMPTION_TIMER   BIT32(22)
#define EXIT_CLEAR_BNDCFGS           BIT32(23)
#define EXIT_CONCEAL_VMX_FROM_PT     BIT32(24)
#define EXIT_CLEAR_RTIT_CTL          BIT32(25)
#define EXIT_CLEAR_LBR_CTL           BIT32(26)
#define EXIT_CLEAR_UINV              BIT32(27)
#define EXIT_LOAD_CET                BIT32(28)
#define EXIT_LOAD_PKRS               BIT32(29)
#define EXIT_SAVE_PERF_GLOBAL_CTRL   BIT32(30)
#define EXIT_ACTIVATE_SECONDARY      BIT32(31)

/* Secondary VM-exit controls: 64 bits */
#define EXIT2_SAVE_FRED         BIT(0)
#define EXIT2_LOAD_FRED         BIT(1)
#define EXIT2_BUSY_SHADOW_STACK BIT(3) /* prematurely busy shadow stack */

/* VM-entry controls */
#define ENTRY_LOAD_DEBUG_CONTROLS     BIT32(2)
#define ENTRY_IA32E_MODE_GUEST        BIT32(9)
#define ENTRY_TO_SMM                  BIT32(10)
#define ENTRY_DEACTIVATE_DUAL_MONITOR BIT32(11)
#define ENTRY_LOAD_PERF_GLOBAL_CTRL   BIT32(13)
#define ENTRY_LOAD_PAT                BIT32(14)
#define ENTRY_LOAD_EFER               BIT32(15)
#define ENTRY_LOAD_BNDCFGS            BIT32(16)
#define ENTRY_CONCEAL_VMX_FROM_PT     BIT32(17)
#define ENTRY_LOAD_RTIT_CTL           BIT32(18)
#define ENTRY_LOAD_UINV               BIT32(19)
#define ENTRY_LOAD_CET                BIT32(20)
#define ENTRY_LOAD_LBR_CTL            BIT32(21)
#define ENTRY_LOAD_PKRS               BIT32(22)
#define ENTRY_LOAD_FRED               BIT32(23)

/* A bit of a control word with the SDM's name for it. */
struct vmx_control_bit {
	uint64_t mask;
	const char *name;
};

enum vmx_control_word {
	VMX_PIN,
	VMX_PRIMARY,
	VMX_SECONDARY,
	VMX_TERTIARY,
	VMX_EXIT,
	VMX_EXIT2,
	VMX_ENTRY,
	VMX_CONTROL_WORD_COUNT
};

struct vmx_control_names {
	const char *word; /* "pin-based controls" */
	const struct vmx_control_bit *bits;
	size_t bit_count;
};

/* The named bits of each control word, ascending. */
extern const struct vmx_control_names vmx_control_names[VMX_CONTROL_WORD_COUNT];

/* The name of a control: exactly one bit of mask set. "reserved" when the SDM gives it none. */
const char *vmx_control_name(enum vmx_control_word word, uint64_t mask);
