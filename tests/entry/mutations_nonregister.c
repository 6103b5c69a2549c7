/* SPDX-License-Identifier: BSD-2-Clause */
/* Mutations of activity, interruptibility, pending debug exceptions, the VMCS link pointer, and
 * PDPTEs. */
#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/msr.h"
#include "arch/x86_64/vmx.h"
#include "kernel/compiler.h"
#include "tests/entry/mutations.h"

/* clang-format off */

#define ACTIVITY(state) SET(GUEST_ACTIVITY_STATE, ACTIVITY_##state)
#define SHADOW(which)   OR(GUEST_INTERRUPTIBILITY, INTERRUPTIBILITY_##which)
#define FLAGS(flags)    OR(GUEST_RFLAGS, flags)
#define PENDING(bits)   OR(GUEST_PENDING_DEBUG_EXCEPTIONS, bits)

#define PDPTE_ROWS(number)                                                                         \
	{BREAKS("pdpte" #number), IN(PAE), EDITS(SET(GUEST_PDPTE##number, 3))},                    \
	{BREAKS("pdpte" #number), IN(PAE), EDITS(SET(GUEST_PDPTE##number, BIT(5) | 1))},           \
	{BREAKS("pdpte" #number), IN(PAE), EDITS(SET(GUEST_PDPTE##number, BIT(8) | 1))},           \
	{BREAKS("pdpte" #number), IN(PAE), EDITS(SET(GUEST_PDPTE##number, 1), WIDE(GUEST_PDPTE##number))}, \
	{BREAKS("pdpte" #number), IN(PAE), EDITS(SET(GUEST_PDPTE##number, BIT(63) | 1))},          \
	{IN(PAE), EDITS(SET(GUEST_PDPTE##number, 0xe19))},                                         \
	{IN(PAE), EDITS(SET(GUEST_PDPTE##number, 0xfffffffffffffffe))}

static const struct entry_mutation rows[] = {
	{BREAKS("activity"), EDITS(SET(GUEST_ACTIVITY_STATE, 4))},
	{BREAKS("activity"), EDITS(ACTIVITY(HLT)), WITHOUT(HLT)},
	{BREAKS("activity"), EDITS(ACTIVITY(SHUTDOWN)), WITHOUT(SHUTDOWN)},
	{BREAKS("activity"), EDITS(ACTIVITY(WAIT_FOR_SIPI)), WITHOUT(SIPI)},
	{EDITS(ACTIVITY(HLT)), WITH(HLT)},
	{BREAKS("activity-hlt-cpl"),
	 EDITS(ACTIVITY(HLT), OR(GUEST_SS_ACCESS_RIGHTS, ACCESS_DPL), OR(GUEST_CS_ACCESS_RIGHTS, ACCESS_DPL)), WITH(HLT), KVM_ACTIVITY},
	{BREAKS("activity-shadow"), EDITS(ACTIVITY(HLT), SHADOW(MOV_SS)), WITH(HLT), KVM_ACTIVITY},
	{BREAKS("activity-shadow"), EDITS(ACTIVITY(HLT), SHADOW(STI), FLAGS(RFLAGS_IF)), WITH(HLT), KVM_ACTIVITY},
	{BREAKS("activity-shadow"), EDITS(ACTIVITY(SHUTDOWN), SHADOW(MOV_SS)), WITH(SHUTDOWN)},
	{BREAKS("activity-hlt-event"), EDITS(ACTIVITY(HLT), INJECT(VMX_HARDWARE_EXCEPTION, 6)), WITH(HLT), BOCHS_UNCHECKED},
	{BREAKS("activity-hlt-event"),
	 EDITS(ACTIVITY(HLT), INJECT(VMX_SOFTWARE_INTERRUPT, 32), SET(ENTRY_INSTRUCTION_LENGTH, 2)), WITH(HLT), BOCHS_UNCHECKED},
	{EDITS(ACTIVITY(HLT), INJECT(VMX_NMI, 2)), WITH(HLT)},
	{EDITS(ACTIVITY(HLT), INJECT(VMX_HARDWARE_EXCEPTION, 1)), WITH(HLT)},
	{EDITS(ACTIVITY(HLT), INJECT(VMX_HARDWARE_EXCEPTION, 18)), WITH(HLT)},
	{EDITS(ACTIVITY(HLT), INJECT(VMX_EXTERNAL_INTERRUPT, 32), FLAGS(RFLAGS_IF)), WITH(HLT)},
	{BREAKS("activity-shutdown-event"), EDITS(ACTIVITY(SHUTDOWN), INJECT(VMX_HARDWARE_EXCEPTION, 1)), WITH(SHUTDOWN)},
	{BREAKS("activity-shutdown-event"),
	 EDITS(ACTIVITY(SHUTDOWN), INJECT(VMX_EXTERNAL_INTERRUPT, 32), FLAGS(RFLAGS_IF)), WITH(SHUTDOWN)},
	{EDITS(ACTIVITY(SHUTDOWN), INJECT(VMX_NMI, 2)), WITH(SHUTDOWN)},
	{BREAKS("activity-sipi-event"), EDITS(ACTIVITY(WAIT_FOR_SIPI), INJECT(VMX_NMI, 2)), WITH(SIPI), KVM_ACTIVITY},
	{BREAKS("activity-sipi-smm", "entry-to-smm", "interruptibility-smi"),
	 EDITS(ACTIVITY(WAIT_FOR_SIPI), TURN_ON(ENTRY, TO_SMM), SHADOW(SMI)), WITH(SIPI), BOCHS(EXIT_GUEST, BOCHS_SMM)},

	{BREAKS("interruptibility-reserved"), EDITS(OR(GUEST_INTERRUPTIBILITY, BIT(5)))},
	{BREAKS("interruptibility-reserved"), EDITS(OR(GUEST_INTERRUPTIBILITY, BIT(31)))},
	{BREAKS("interruptibility-both"), EDITS(SHADOW(STI), SHADOW(MOV_SS), FLAGS(RFLAGS_IF))},
	{BREAKS("interruptibility-sti-if"), EDITS(SHADOW(STI))},
	{EDITS(SHADOW(STI), FLAGS(RFLAGS_IF))},
	{EDITS(SHADOW(MOV_SS))},
	{BREAKS("interruptibility-interrupt"), EDITS(SHADOW(STI), FLAGS(RFLAGS_IF), INJECT(VMX_EXTERNAL_INTERRUPT, 32))},
	{BREAKS("interruptibility-interrupt"), EDITS(SHADOW(MOV_SS), FLAGS(RFLAGS_IF), INJECT(VMX_EXTERNAL_INTERRUPT, 32))},
	{EDITS(SHADOW(MOV_SS), INJECT(VMX_HARDWARE_EXCEPTION, 6))},
	{BREAKS("interruptibility-nmi-mov-ss"), EDITS(SHADOW(MOV_SS), INJECT(VMX_NMI, 2))},
	{BREAKS("interruptibility-smi"), EDITS(SHADOW(SMI))},
	{BREAKS("interruptibility-smi-entry", "entry-to-smm"), EDITS(TURN_ON(ENTRY, TO_SMM)), BOCHS(EXIT_GUEST, BOCHS_SMM)},
	{BREAKS("interruptibility-nmi-sti"), EDITS(SHADOW(STI), FLAGS(RFLAGS_IF), INJECT(VMX_NMI, 2)),
	 BOCHS(EXIT_GUEST, "Bochs checks it, but tells no exit qualification")},
	{BREAKS("interruptibility-virtual-nmi"), EDITS(SHADOW(NMI), INJECT(VMX_NMI, 2)), BOCHS_UNCHECKED},
	{EDITS(SHADOW(NMI))},
	{EDITS(SHADOW(NMI), INJECT(VMX_NMI, 2), TURN_OFF(PIN, VIRTUAL_NMIS))},
	{BREAKS("interruptibility-enclave-mov-ss"), EDITS(SHADOW(ENCLAVE), SHADOW(MOV_SS)), WITH(SGX)},
	{BREAKS("interruptibility-enclave"), EDITS(SHADOW(ENCLAVE)), WITHOUT(SGX)},

	{BREAKS("pending-reserved"), EDITS(PENDING(BIT(4)))},
	{BREAKS("pending-reserved"), EDITS(PENDING(DEBUG_BLD)), WITHOUT(BUS_LOCK)},
	{EDITS(PENDING(DEBUG_BLD)), WITH(BUS_LOCK)},
	{BREAKS("pending-reserved"), EDITS(PENDING(BIT(13)))},
	{BREAKS("pending-reserved"), EDITS(PENDING(BIT(15)))},
	{BREAKS("pending-reserved"), EDITS(PENDING(BIT(17)))},
	{BREAKS("pending-reserved"), EDITS(PENDING(BIT(63))), BOCHS(SUCCEEDS, "Bochs looks at the low half only")},
	{EDITS(PENDING(DEBUG_ENABLED | 0xf))},
	{BREAKS("pending-step-missing"), EDITS(SHADOW(MOV_SS), FLAGS(RFLAGS_TF)), BOCHS_UNCHECKED},
	{BREAKS("pending-step-missing"), EDITS(SHADOW(STI), FLAGS(RFLAGS_TF | RFLAGS_IF)), BOCHS_UNCHECKED},
	{BREAKS("pending-step-missing"), EDITS(ACTIVITY(HLT), FLAGS(RFLAGS_TF)), WITH(HLT), BOCHS_UNCHECKED},
	{EDITS(SHADOW(MOV_SS), FLAGS(RFLAGS_TF), PENDING(DEBUG_BS))},
	{EDITS(FLAGS(RFLAGS_TF))},
	{EDITS(SHADOW(MOV_SS), FLAGS(RFLAGS_TF), SET(GUEST_DEBUGCTL, DEBUGCTL_BTF))},
	{BREAKS("pending-step-unwanted"), EDITS(SHADOW(MOV_SS), PENDING(DEBUG_BS)), BOCHS_UNCHECKED},
	{BREAKS("pending-step-unwanted"), EDITS(SHADOW(STI), FLAGS(RFLAGS_IF), PENDING(DEBUG_BS)), BOCHS_UNCHECKED},
	{BREAKS("pending-step-unwanted"), EDITS(ACTIVITY(HLT), PENDING(DEBUG_BS)), WITH(HLT), BOCHS_UNCHECKED},
	{BREAKS("pending-step-unwanted"),
	 EDITS(SHADOW(MOV_SS), FLAGS(RFLAGS_TF), SET(GUEST_DEBUGCTL, DEBUGCTL_BTF), PENDING(DEBUG_BS)), BOCHS_UNCHECKED},
	{EDITS(PENDING(DEBUG_BS))},
	{BREAKS("pending-rtm-bits"), EDITS(PENDING(DEBUG_RTM)), WITH(RTM)},
	{BREAKS("pending-rtm-bits"), EDITS(PENDING(DEBUG_RTM | DEBUG_ENABLED | 1)), WITH(RTM)},
	{EDITS(PENDING(DEBUG_RTM | DEBUG_ENABLED)), WITH(RTM)},
	{BREAKS("pending-rtm"), EDITS(PENDING(DEBUG_RTM | DEBUG_ENABLED)), WITHOUT(RTM)},
	{BREAKS("pending-rtm-mov-ss"), EDITS(PENDING(DEBUG_RTM | DEBUG_ENABLED), SHADOW(MOV_SS)), WITH(RTM)},

	{BREAKS("link-aligned"), EDITS(PAGE(LINK_POINTER, VMCS, 0x800))},
	{BREAKS("link-width"), EDITS(PAGE(LINK_POINTER, VMCS, 0), WIDE(LINK_POINTER))},
	{BREAKS("link-revision"), EDITS(PAGE(LINK_POINTER, VMCS, 0), POKE(VMCS, 0, 0x7eadbeef))},
	{BREAKS("link-shadow"), EDITS(PAGE(LINK_POINTER, VMCS, 0), TURN_ON(SECONDARY, VMCS_SHADOWING))},
	{BREAKS("link-revision", "link-shadow"), EDITS(PAGE(LINK_POINTER, VMCS, 0), POKE(VMCS, 0, 0xfeadbeef))},
	{BREAKS("link-current"), EDITS(CURRENT(LINK_POINTER)), KVM(SUCCEEDS, "KVM does not check it")},
	{EDITS(PAGE(LINK_POINTER, VMCS, 0))},

	PDPTE_ROWS(0),
	PDPTE_ROWS(1),
	PDPTE_ROWS(2),
	PDPTE_ROWS(3),
	{EDITS(SET(GUEST_PDPTE0, 3))},
	{BREAKS("pdpte-memory"), IN(NO_EPT), EDITS(POKE(TABLE, 0, 3))},
	{BREAKS("pdpte-memory"), IN(NO_EPT), EDITS(POKE(TABLE, 24, 0x101))},
	{IN(NO_EPT), EDITS(SET(GUEST_PDPTE0, 3))},
};

const struct entry_mutations mutations_nonregister = {rows, ARRAY_COUNT(rows)};
