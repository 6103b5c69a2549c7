/* SPDX-License-Identifier: BSD-2-Clause */
/* The policy for every VMX control that has a name, and the choice of the control words by it. */
#include "vcpu/vmx/controls.h"

/* clang-format off */
/* A row is WORD(CONTROL, CHOICE, reason). */
#define SECONDARY(control, choice, reason) {VMX_SECONDARY, SECONDARY_##control, choice, reason}
#define PIN(control, choice, reason) {VMX_PIN, PIN_##control, choice, reason}
#define PRIMARY(control, choice, reason) {VMX_PRIMARY, PRIMARY_##control, choice, reason}
#define EXIT(control, choice, reason) {VMX_EXIT, EXIT_##control, choice, reason}
#define ENTRY(control, choice, reason) {VMX_ENTRY, ENTRY_##control, choice, reason}

#define MUST   CONTROL_MUST
#define WANT   CONTROL_WANT
#define SWITCH CONTROL_SWITCH
#define AVOID  CONTROL_AVOID
#define NEVER  CONTROL_NEVER

/*
 * Within a word the controls come first by which generations of processors differ: the first that
 * is missing is the one that a refusal names. Tertiary and secondary exit controls have no rows:
 * they are never activated.
 */
const struct control_row control_rows[] = {
	SECONDARY(EPT,                        MUST,   "confine a guest to its own memory"),
	SECONDARY(UNRESTRICTED_GUEST,         MUST,   "run guests in real mode and without paging"),
	SECONDARY(WBINVD_EXITING,             MUST,   "keep a guest from emptying all caches"),
	SECONDARY(VPID,                       WANT,   "the TLB outlives exits; needs INVVPID"),
	SECONDARY(RDTSCP,                     WANT,   "shown to guests when on"),
	SECONDARY(INVPCID,                    WANT,   "shown to guests when on"),
	SECONDARY(XSAVES,                     WANT,   "shown to guests when on"),
	SECONDARY(USER_WAIT_PAUSE,            WANT,   "shown to guests when on"),
	SECONDARY(ENCLS_EXITING,              WANT,   "no SGX for guests: its exit is #UD"),
	SECONDARY(BUS_LOCK_DETECTION,         WANT,   "a guest's bus locks slow all others"),
	SECONDARY(INSTRUCTION_TIMEOUT,        WANT,   "no instruction may keep events out"),
	SECONDARY(VIRTUALIZE_APIC_ACCESSES,   NEVER,  "the local APIC is emulated"),
	SECONDARY(DESCRIPTOR_TABLE_EXITING,   NEVER,  "these registers are the guest's own"),
	SECONDARY(VIRTUALIZE_X2APIC,          NEVER,  "x2APIC MSRs are emulated"),
	SECONDARY(APIC_REGISTERS,             NEVER,  "the local APIC is emulated"),
	SECONDARY(VIRTUAL_INTERRUPTS,         NEVER,  "interrupts are injected at entries"),
	SECONDARY(PAUSE_LOOP_EXITING,         NEVER,  "a vCPU owns its pCPU and may spin"),
	SECONDARY(RDRAND_EXITING,             NEVER,  "randomness is no secret of the host's"),
	SECONDARY(VM_FUNCTIONS,               NEVER,  "a guest has one EPT and no choice"),
	SECONDARY(VMCS_SHADOWING,             NEVER,  "guests are shown no VMX"),
	SECONDARY(RDSEED_EXITING,             NEVER,  "as RDRAND"),
	SECONDARY(PML,                        NEVER,  "nobody asks which pages a guest wrote"),
	SECONDARY(EPT_VIOLATION_VE,           NEVER,  "EPT violations are the host's to see"),
	SECONDARY(CONCEAL_VMX_FROM_PT,        NEVER,  "neither guests nor host have Intel PT"),
	SECONDARY(PASID_TRANSLATION,          NEVER,  "guests are shown no ENQCMD"),
	SECONDARY(MODE_BASED_EXECUTE,         NEVER,  "one execute right is enough"),
	SECONDARY(SUB_PAGE_WRITE,             NEVER,  "rights are by page"),
	SECONDARY(PT_GUEST_PHYSICAL,          NEVER,  "guests are shown no Intel PT"),
	SECONDARY(TSC_SCALING,                NEVER,  "a guest's TSC has the host's rate"),
	SECONDARY(PCONFIG,                    NEVER,  "PCONFIG is #UD then"),
	SECONDARY(ENCLV_EXITING,              NEVER,  "guests are shown no SGX: ENCLV is #UD"),

	PIN(      EXTERNAL_INTERRUPT_EXITING, MUST,   "take the machine's interrupts itself"),
	PIN(      NMI_EXITING,                MUST,   "take the machine's NMIs itself"),
	PIN(      VIRTUAL_NMIS,               MUST,   "know when a guest can take an NMI"),
	PIN(      PREEMPTION_TIMER,           MUST,   "get control back whatever a guest masks"),
	PIN(      POSTED_INTERRUPTS,          NEVER,  "interrupts are injected at entries"),

	PRIMARY(  ACTIVATE_SECONDARY,         MUST,   "use EPT"),
	PRIMARY(  HLT_EXITING,                MUST,   "idle a CPU whose guest has halted"),
	PRIMARY(  MWAIT_EXITING,              MUST,   "keep a guest from idling a CPU its own way"),
	PRIMARY(  MONITOR_EXITING,            MUST,   "keep a guest from MONITOR, as from MWAIT"),
	PRIMARY(  RDPMC_EXITING,              MUST,   "keep the performance counters from guests"),
	PRIMARY(  CR8_LOAD_EXITING,           MUST,   "keep the host's task priority from guests"),
	PRIMARY(  CR8_STORE_EXITING,          MUST,   "show a guest its own task priority"),
	PRIMARY(  IO_BITMAPS,                 MUST,   "decide which ports a guest reaches"),
	PRIMARY(  MSR_BITMAPS,                MUST,   "give a guest its own MSRs without exits"),
	PRIMARY(  TSC_OFFSETTING,             MUST,   "give each guest a TSC of its own"),
	PRIMARY(  INTERRUPT_WINDOW_EXITING,   SWITCH, "wait until a guest can take an interrupt"),
	PRIMARY(  NMI_WINDOW_EXITING,         SWITCH, "wait until a guest can take an NMI"),
	PRIMARY(  CR3_LOAD_EXITING,           AVOID,  "CR3 is the guest's; not all can clear it"),
	PRIMARY(  CR3_STORE_EXITING,          AVOID,  "as CR3-load exiting"),
	PRIMARY(  INVLPG_EXITING,             AVOID,  "linear translations are the guest's"),
	PRIMARY(  RDTSC_EXITING,              NEVER,  "the offset suffices"),
	PRIMARY(  MOV_DR_EXITING,             NEVER,  "the debug registers are live in the guest"),
	PRIMARY(  UNCONDITIONAL_IO_EXITING,   NEVER,  "the bitmaps decide"),
	PRIMARY(  TPR_SHADOW,                 NEVER,  "CR8 exits to the emulated APIC"),
	PRIMARY(  MONITOR_TRAP_FLAG,          NEVER,  "nobody single-steps a guest from outside"),
	PRIMARY(  PAUSE_EXITING,              NEVER,  "a vCPU owns its pCPU and may spin"),
	PRIMARY(  ACTIVATE_TERTIARY,          NEVER,  "nothing in there is used"),

	EXIT(     HOST_ADDRESS_SPACE_SIZE,    MUST,   "be in 64-bit mode after an exit"),
	EXIT(     ACKNOWLEDGE_INTERRUPT,      MUST,   "learn an interrupt's vector from the exit"),
	EXIT(     SAVE_EFER,                  MUST,   "keep a guest's EFER apart from the host's"),
	EXIT(     LOAD_EFER,                  MUST,   "have its own EFER after an exit"),
	EXIT(     SAVE_PAT,                   MUST,   "keep a guest's PAT apart from the host's"),
	EXIT(     LOAD_PAT,                   MUST,   "have its own PAT after an exit"),
	EXIT(     SAVE_DEBUG_CONTROLS,        MUST,   "keep a guest's DR7 and IA32_DEBUGCTL"),
	EXIT(     SAVE_PREEMPTION_TIMER,      NEVER,  "each entry sets a new value"),
	EXIT(     LOAD_PERF_GLOBAL_CTRL,      NEVER,  "guests do not reach that MSR"),
	EXIT(     SAVE_PERF_GLOBAL_CTRL,      NEVER,  "as loading it"),
	EXIT(     CLEAR_BNDCFGS,              NEVER,  "guests are shown no MPX"),
	EXIT(     CONCEAL_VMX_FROM_PT,        NEVER,  "the host uses no Intel PT"),
	EXIT(     CLEAR_RTIT_CTL,             NEVER,  "guests do not reach that MSR"),
	EXIT(     CLEAR_LBR_CTL,              NEVER,  "guests do not reach that MSR"),
	EXIT(     CLEAR_UINV,                 NEVER,  "guests are shown no user interrupts"),
	EXIT(     LOAD_CET,                   NEVER,  "CR4.CET is 0 on both sides"),
	EXIT(     LOAD_PKRS,                  NEVER,  "CR4.PKS is 0 on both sides"),
	EXIT(     ACTIVATE_SECONDARY,         NEVER,  "nothing in there is used"),

	ENTRY(    LOAD_EFER,                  MUST,   "give a guest an EFER of its own"),
	ENTRY(    LOAD_PAT,                   MUST,   "give a guest a PAT of its own"),
	ENTRY(    LOAD_DEBUG_CONTROLS,        MUST,   "give a guest its DR7 and IA32_DEBUGCTL"),
	ENTRY(    IA32E_MODE_GUEST,           SWITCH, "run 32-bit and 64-bit guests"),
	ENTRY(    TO_SMM,                     NEVER,  "Plinth is no SMM monitor"),
	ENTRY(    DEACTIVATE_DUAL_MONITOR,    NEVER,  "Plinth is no SMM monitor"),
	ENTRY(    LOAD_PERF_GLOBAL_CTRL,      NEVER,  "as the exit control"),
	ENTRY(    LOAD_BNDCFGS,               NEVER,  "guests are shown no MPX"),
	ENTRY(    CONCEAL_VMX_FROM_PT,        NEVER,  "the host uses no Intel PT"),
	ENTRY(    LOAD_RTIT_CTL,              NEVER,  "guests are shown no Intel PT"),
	ENTRY(    LOAD_UINV,                  NEVER,  "guests are shown no user interrupts"),
	ENTRY(    LOAD_CET,                   NEVER,  "as the exit control"),
	ENTRY(    LOAD_LBR_CTL,               NEVER,  "guests are shown no LBRs"),
	ENTRY(    LOAD_PKRS,                  NEVER,  "as the exit control"),
	ENTRY(    LOAD_FRED,                  NEVER,  "neither guests nor host have FRED"),
};
/* clang-format on */

const size_t control_row_count = ARRAY_COUNT(control_rows);

#define REMEDY                                                                                     \
	"use an Intel processor of the Westmere generation (2010) or later, or in a virtual "      \
	"machine a hypervisor that offers it"

/* Names where a missing control's bit is: in its word's MSR, or in the one that would announce the
 * word. */
static err_t missing(const struct vmx_capabilities *capabilities, const struct control_row *row)
{
	const struct vmx_control_range *range = &capabilities->controls[row->word];
	const char *name = vmx_control_name(row->word, row->mask);
	unsigned msr_bit = vmx_allowed_bit(row->word, row->mask);
	char buffer[MSR_NAME_MAX];

	if (range->msr == 0) {
		range = &capabilities->controls[VMX_PRIMARY];
		msr_bit = vmx_allowed_bit(VMX_PRIMARY, PRIMARY_ACTIVATE_SECONDARY);
	}
	return error("this processor lacks \"%s\": %s (%#x) bit %u is clear; Plinth needs it to "
		     "%s; " REMEDY,
		     name, msr_name(range->msr, buffer), range->msr, msr_bit, row->reason);
}

static err_t forced(const struct vmx_capabilities *capabilities, const struct control_row *row)
{
	uint32_t msr = capabilities->controls[row->word].msr;
	char buffer[MSR_NAME_MAX];

	return error(
		"this processor cannot turn \"%s\" off: %s (%#x) bit %u is set; Plinth does not "
		"run guests with it (%s); " REMEDY,
		vmx_control_name(row->word, row->mask), msr_name(msr, buffer), msr,
		(unsigned)__builtin_ctzll(row->mask), row->reason);
}

/* Checks one row against the range, and adds its bit to the value when it is to be 1. */
static err_t apply(const struct vmx_capabilities *capabilities, const struct control_row *row,
		   uint64_t *value)
{
	const struct vmx_control_range *range = &capabilities->controls[row->word];
	bool can_be_one = (range->allowed & row->mask) != 0;
	bool can_be_zero = (range->forced & row->mask) == 0;

	switch (row->choice) {
	case CONTROL_MUST:
		if (!can_be_one)
			return missing(capabilities, row);
		*value |= row->mask;
		return NULL;
	case CONTROL_WANT:
		if (can_be_one)
			*value |= row->mask;
		return NULL;
	case CONTROL_SWITCH:
		if (!can_be_one)
			return missing(capabilities, row);
		return can_be_zero ? NULL : forced(capabilities, row);
	case CONTROL_NEVER:
		return can_be_zero ? NULL : forced(capabilities, row);
	case CONTROL_AVOID:
		return NULL;
	}
	return NULL;
}

/* VPID without a way to invalidate by VPID would let a guest keep translations that it must lose.
 */
static bool vpid_is_usable(const struct vmx_capabilities *capabilities)
{
	return vmx_has_invvpid(capabilities, INVVPID_SINGLE_CONTEXT) ||
	       vmx_has_invvpid(capabilities, INVVPID_ALL_CONTEXTS);
}

err_t vmx_control_choose(const struct vmx_capabilities *capabilities, enum vmx_control_word word,
			 uint32_t *value)
{
	const struct vmx_control_range *range = &capabilities->controls[word];
	uint64_t chosen = range->forced;
	char buffer[MSR_NAME_MAX];

	if ((range->forced & ~range->allowed) != 0)
		return error(
			"%s (%#x) contradicts itself: bits %#llx must be 1 and must be 0; if this "
			"is a virtual machine, its hypervisor's nested VMX is broken",
			msr_name(range->msr, buffer), range->msr,
			(unsigned long long)(range->forced & ~range->allowed));
	for (size_t i = 0; i < control_row_count; i++) {
		err_t err = NULL;

		if (control_rows[i].word == word)
			err = apply(capabilities, &control_rows[i], &chosen);
		if (err)
			return err;
	}
	if (word == VMX_SECONDARY && !vpid_is_usable(capabilities))
		chosen &= ~(uint64_t)SECONDARY_VPID;
	*value = (uint32_t)chosen;
	return NULL;
}

err_t vmx_controls_choose(const struct vmx_capabilities *capabilities,
			  struct vmx_controls *controls)
{
	const struct {
		enum vmx_control_word word;
		uint32_t *value;
	} words[] = {
		{VMX_SECONDARY, &controls->secondary},
                {VMX_PIN,       &controls->pin      },
		{VMX_PRIMARY,   &controls->primary  },
                {VMX_EXIT,      &controls->exit     },
		{VMX_ENTRY,     &controls->entry    },
	};

	for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
		err_t err = vmx_control_choose(capabilities, words[i].word, words[i].value);

		if (err)
			return err;
	}
	return NULL;
}
