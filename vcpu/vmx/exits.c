/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of exits: one row a reason. A row's function decodes its exit and calls the neutral
 * function that knows what the instruction means. A new exit gets its row here.
 */
#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/exceptions.h"
#include "arch/x86_64/instructions.h"
#include "arch/x86_64/msr.h"
#include "kernel/cpu.h"
#include "kernel/traps.h"
#include "vcpu/fetch.h"
#include "vcpu/vmx/entry_check.h"
#include "vcpu/vmx/vmx.h"

static inline uint64_t qualification(struct vcpu *vcpu)
{
	uint64_t value = vmcs_read(VMCS_EXIT_QUALIFICATION);

	if (unlikely(vcpu_records(vcpu)))
		vcpu->record->qualification = value;
	return value;
}

/* --- Events --- */

bool vmx_redeliver(struct vcpu *vcpu)
{
	struct vmx_interruption info =
		vmx_interruption_unpack((uint32_t)vmcs_read(VMCS_IDT_VECTORING_INFO));
	struct event event = {
		.valid = true,
		.vector = info.vector,
		.type = (uint8_t)info.type,
		.has_error = info.has_error_code,
	};

	if (!info.valid)
		return false;
	if (event.has_error)
		event.error = (uint32_t)vmcs_read(VMCS_IDT_VECTORING_ERROR_CODE);
	if (vmx_type_needs_length(info.type))
		event.length = (uint8_t)vmcs_read(VMCS_EXIT_INSTRUCTION_LENGTH);
	/* The NMI was not delivered after all, so it does not block: else its injection would fail.
	 */
	if (info.type == VMX_NMI)
		vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) &
								~(uint64_t)INTERRUPTIBILITY_NMI);
	events_redeliver(&vcpu->events, &event);
	return true;
}

/* An IRET had ended the blocking of NMIs when it met the event: it will be executed again, so they
 * stay blocked. */
static void block_nmi_again(void)
{
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY,
		   vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) | INTERRUPTIBILITY_NMI);
}

/*
 * #DB comes here instead of to the guest. What its delivery would have done before the handler
 * starts is done by hand: DR6, DR7.GD off, LBR and BTF off. SDM "Debug Exceptions (#DB)".
 */
static void debug_state(uint64_t debug_qualification)
{
	uint64_t set = debug_qualification & (DR6_B0 | DR6_B1 | DR6_B2 | DR6_B3 | DR6_BD | DR6_BS);
	uint64_t dr6 = (read_dr6() & ~(uint64_t)(DR6_B0 | DR6_B1 | DR6_B2 | DR6_B3)) | set;

	/* RTM is active low in DR6. */
	if (debug_qualification & DEBUG_RTM)
		dr6 &= ~(uint64_t)DR6_RTM;
	write_dr6(dr6);
	vmcs_write(VMCS_GUEST_DR7, vmcs_read(VMCS_GUEST_DR7) & ~(uint64_t)DR7_GD);
	vmcs_write(VMCS_GUEST_DEBUGCTL,
		   vmcs_read(VMCS_GUEST_DEBUGCTL) & ~(uint64_t)(DEBUGCTL_LBR | DEBUGCTL_BTF));
}

/* Gives an intercepted exception back to the guest. One that IRET met finds NMIs unblocked, as the
 * processor leaves them. */
static void give_back(struct vcpu *vcpu, const struct vmx_interruption *info)
{
	bool interrupted = vmx_redeliver(vcpu);
	uint32_t error = 0;

	if (info->has_error_code)
		error = (uint32_t)vmcs_read(VMCS_EXIT_INTERRUPTION_ERROR_CODE);
	if (info->type != VMX_HARDWARE_EXCEPTION) {
		/* INT1, INT3, INTO: a trap of the instruction, which has its length. */
		struct event event = {
			.valid = true,
			.vector = info->vector,
			.type = (uint8_t)info->type,
			.length = (uint8_t)vmcs_read(VMCS_EXIT_INSTRUCTION_LENGTH),
		};

		events_redeliver(&vcpu->events, &event);
		return;
	}
	/* A fault pushes RF set. */
	if (exception_is_fault(info->vector))
		backend_set_resume_flag(vcpu);
	/* An NMI that is lost to a fault in its delivery blocks further ones all the same. */
	if (interrupted && vcpu->events.now.type == EVENT_NMI && info->vector != EXCEPTION_DB)
		block_nmi_again();
	if (events_raise(&vcpu->events, info->vector, info->has_error_code, error) ==
	    RAISED_TRIPLE_FAULT)
		vm_stop(vcpu->vm, VM_ENDED_TRIPLE_FAULT, 0,
			"triple fault: %s was raised while a double fault was delivered",
			exception_name(info->vector));
}

static enum outcome exit_exception_or_nmi(struct vcpu *vcpu)
{
	uint32_t raw = (uint32_t)vmcs_read(VMCS_EXIT_INTERRUPTION_INFO);
	struct vmx_interruption info = vmx_interruption_unpack(raw);

	if (unlikely(vcpu_records(vcpu))) {
		vcpu->record->detail[0] = raw;
		if (info.has_error_code)
			vcpu->record->detail[1] = vmcs_read(VMCS_EXIT_INTERRUPTION_ERROR_CODE);
	}
	if (info.type == VMX_NMI) {
		/* The host's. Only an IRET ends the blocking of further ones, so it is taken
		 * through the IDT. */
		if (!vmx_redeliver(vcpu) && info.nmi_unblocking)
			block_nmi_again();
		raise_nmi();
		return OUTCOME_STAY;
	}
	if (info.vector == EXCEPTION_MC) {
		/* The host's as well: the machine is broken, or a guest would have to be told of
		 * memory that is. */
		vmx_redeliver(vcpu);
		raise_machine_check();
		return OUTCOME_STAY;
	}
	/* INT1 leaves DR6 as it is. */
	if (info.vector == EXCEPTION_DB && info.type == VMX_HARDWARE_EXCEPTION)
		debug_state(qualification(vcpu));
	else if (info.vector == EXCEPTION_PF)
		write_cr2(qualification(vcpu));
	give_back(vcpu, &info);
	return OUTCOME_STAY;
}

/* The processor has acknowledged it at the exit. */
static enum outcome exit_external_interrupt(struct vcpu *vcpu)
{
	uint32_t info = (uint32_t)vmcs_read(VMCS_EXIT_INTERRUPTION_INFO);

	vmx_redeliver(vcpu);
	if (unlikely(vcpu_records(vcpu)))
		vcpu->record->detail[0] = info;
	if (info & VMX_INFO_VALID)
		trap_interrupt(info & 0xff);
	return OUTCOME_STAY;
}

/* The guest can take what is pending now: prepare_entry() sees to it. */
static enum outcome exit_window(struct vcpu *vcpu)
{
	(void)vcpu;
	return OUTCOME_STAY;
}

/* The heartbeat, which the run loop does by the clock. */
static enum outcome exit_preemption_timer(struct vcpu *vcpu)
{
	(void)vcpu;
	return OUTCOME_STAY;
}

static enum outcome exit_triple_fault(struct vcpu *vcpu)
{
	vm_stop(vcpu->vm, VM_ENDED_TRIPLE_FAULT, 0,
		"triple fault: a fault was met in the delivery of a double fault");
	return OUTCOME_STAY;
}

/* --- Control registers --- */

static bool in_64bit_code(struct vcpu *vcpu)
{
	return vcpu->mode == MODE_LONG && vmcs_read(VMCS_GUEST_CS_ACCESS_RIGHTS) & ACCESS_L;
}

static uint64_t read_register(struct vcpu *vcpu, unsigned index)
{
	return index == REG_RSP ? vmcs_read(VMCS_GUEST_RSP) : vcpu->regs.by_index[index];
}

static enum outcome mov_to_cr(struct vcpu *vcpu, const struct cr_access *access)
{
	uint64_t value = read_register(vcpu, access->reg);

	/* Outside 64-bit code the operand has 32 bits. */
	if (value >> 32 && !in_64bit_code(vcpu))
		value = (uint32_t)value;
	return vcpu_cr_write(vcpu, access->cr, value);
}

static enum outcome mov_from_cr(struct vcpu *vcpu, const struct cr_access *access)
{
	uint64_t value = access->cr == 8 ? vcpu->cr8 : backend_cr3(vcpu);

	if (value >> 32 && !in_64bit_code(vcpu))
		value = (uint32_t)value;
	if (access->reg == REG_RSP)
		vmcs_write(VMCS_GUEST_RSP, value);
	else
		vcpu->regs.by_index[access->reg] = value;
	if (unlikely(vcpu_records(vcpu)))
		vcpu->record->detail[0] = value;
	return OUTCOME_NEXT;
}

static enum outcome exit_cr_access(struct vcpu *vcpu)
{
	struct cr_access access = cr_access_decode(qualification(vcpu));
	uint64_t lmsw_bits = CR0_PE | CR0_MP | CR0_EM | CR0_TS, cr0;

	switch (access.type) {
	case CR_MOV_TO:
		return mov_to_cr(vcpu, &access);
	case CR_MOV_FROM:
		return mov_from_cr(vcpu, &access);
	case CR_CLTS:
		return vcpu_cr_write(vcpu, 0, backend_cr0(vcpu) & ~(uint64_t)CR0_TS);
	case CR_LMSW:
	default:
		/* LMSW can set PE, but not clear it. */
		cr0 = backend_cr0(vcpu);
		cr0 = (cr0 & ~(lmsw_bits & ~(uint64_t)CR0_PE)) | (access.lmsw_source & lmsw_bits);
		return vcpu_cr_write(vcpu, 0, cr0);
	}
}

/* --- Memory --- */

/*
 * As at a fault, no trap of the instruction is pending, unless MOV SS holds back one of its own:
 * Bochs leaves the single step there. SDM "Saving Non-Register State".
 */
enum outcome vmx_repeat_access(struct vcpu *vcpu, enum ept_answer why)
{
	if (!(vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & INTERRUPTIBILITY_MOV_SS))
		vmcs_write(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, 0);
	if (unlikely(vcpu_records(vcpu)))
		vcpu->record->detail[2] = (uint64_t)why << 8;
	return OUTCOME_STAY;
}

static enum outcome exit_ept_violation(struct vcpu *vcpu)
{
	uint64_t why = vmcs_read(VMCS_EXIT_QUALIFICATION);
	struct ept_violation violation = ept_violation_decode(why);
	gpa_t gpa = GPA(vmcs_read(VMCS_GUEST_PHYSICAL_ADDRESS));
	bool interrupted = vmx_redeliver(vcpu);
	const char *who;
	err_t err;

	if (unlikely(vcpu_records(vcpu))) {
		vcpu->record->qualification = why;
		vcpu->record->detail[0] = gpa.raw;
	}
	if (violation.nmi_unblocked && !interrupted)
		block_nmi_again();
	if (violation.fetch && ept_grant_execute(ept_of(vcpu), gpa))
		return vmx_repeat_access(vcpu, EPT_SPLIT);
	/*
	 * Only the very access of an instruction can be carried out for it. A page walk's, a fetch,
	 * or one in the delivery of an event has no instruction to decode.
	 */
	if (violation.linear_valid && violation.translated && !violation.fetch && !interrupted &&
	    !violation.asynchronous)
		return vcpu_mmio(vcpu, gpa, violation.write);
	who = interrupted               ? "the delivery of an event"
	      : violation.asynchronous  ? "an access that is no instruction's"
	      : !violation.linear_valid ? "a load of PDPTEs"
	      : !violation.translated   ? "a page walk"
					: "a fetch of code";
	err = violation.write ? "writes cannot be carried out for it"
			      : backend_read_ones(vcpu, gpa, who);
	if (err) {
		if (unlikely(vcpu_records(vcpu)))
			vcpu->record->detail[2] = EPT_STOPPED << 8;
		vm_stop(vcpu->vm, VM_ENDED_STOPPED, 0,
			"%s meets guest-physical address %llx, where there is no memory: %s", who,
			(unsigned long long)gpa.raw, err);
	}
	return OUTCOME_STAY;
}

static enum outcome exit_ept_misconfiguration(struct vcpu *vcpu)
{
	gpa_t gpa = GPA(vmcs_read(VMCS_GUEST_PHYSICAL_ADDRESS));

	if (unlikely(vcpu_records(vcpu)))
		vcpu->record->detail[0] = gpa.raw;
	vm_stop(vcpu->vm, VM_ENDED_STOPPED, 0,
		"EPT misconfiguration at guest-physical address %llx: an entry of Plinth's own "
		"tables is "
		"not as this CPU wants it",
		(unsigned long long)gpa.raw);
	return OUTCOME_STAY;
}

/* --- Instructions --- */

/* Hypercalls are for the guest's kernel; for its programs VMCALL is what it is without a
 * hypervisor. */
static enum outcome exit_vmcall(struct vcpu *vcpu)
{
	if (unlikely(vmcs_read(VMCS_GUEST_SS_ACCESS_RIGHTS) & ACCESS_DPL)) {
		vcpu_ud(vcpu);
		return OUTCOME_STAY;
	}
	return vcpu_hypercall(vcpu);
}

/* For what the guest's CPUID does not offer: as on a processor without it. */
static enum outcome exit_undefined(struct vcpu *vcpu)
{
	vcpu_ud(vcpu);
	return OUTCOME_STAY;
}

/* There are no performance counters, so any number in ECX is one too high. */
static enum outcome exit_rdpmc(struct vcpu *vcpu)
{
	vcpu_gp(vcpu);
	return OUTCOME_STAY;
}

/*
 * Guest memory is write-back, and no device of the guest looks at it past the caches: writing them
 * back would change nothing but the time it takes. INVD may write back what it likes.
 */
static enum outcome exit_cache(struct vcpu *vcpu)
{
	(void)vcpu;
	return OUTCOME_NEXT;
}

/* Where INVLPG exiting cannot be turned off: more goes than was asked for, which is allowed. */
static enum outcome exit_invlpg(struct vcpu *vcpu)
{
	backend_flush_guest_tlb(vcpu);
	return OUTCOME_NEXT;
}

/* A bus lock was taken by the instruction before: it has been done. */
static enum outcome exit_bus_lock(struct vcpu *vcpu)
{
	vmx_redeliver(vcpu);
	return OUTCOME_STAY;
}

static enum outcome exit_instruction_timeout(struct vcpu *vcpu)
{
	vmx_redeliver(vcpu);
	if (qualification(vcpu) & NOTIFY_CONTEXT_INVALID)
		vm_stop(vcpu->vm, VM_ENDED_STOPPED, 0,
			"the guest kept the CPU from any instruction boundary, and its state is "
			"lost");
	return OUTCOME_STAY;
}

/* --- Ends --- */

static enum outcome exit_entry_failure(struct vcpu *vcpu)
{
	uint64_t why = qualification(vcpu);

	if (unlikely(vcpu_records(vcpu)))
		vcpu->record->flags |= RECORD_ENTRY_FAILED;
	vm_stop(vcpu->vm, VM_ENDED_STOPPED, 0, "%s (exit qualification %llu%s)",
		vmx_exit_reason_name(vcpu_exit_reason(vcpu)), (unsigned long long)why,
		why == ENTRY_FAILURE_PDPTE          ? ": a PDPTE"
		: why == ENTRY_FAILURE_NMI          ? ": an NMI while STI blocks"
		: why == ENTRY_FAILURE_LINK_POINTER ? ": the VMCS link pointer"
						    : "");
	if (vcpu_exit_reason(vcpu) != VMX_EXIT_ENTRY_FAILURE_MACHINE_CHECK)
		entry_check_current(vcpu->vm->name, vmx_capabilities(), false);
	vmx_dump(vcpu);
	return OUTCOME_STAY;
}

static enum outcome exit_task_switch(struct vcpu *vcpu)
{
	static const char *const sources[] = {
		[TASK_SWITCH_CALL] = "CALL",
		[TASK_SWITCH_IRET] = "IRET",
		[TASK_SWITCH_JMP] = "JMP",
		[TASK_SWITCH_GATE] = "a gate of the IDT",
	};
	struct task_switch task = task_switch_decode(qualification(vcpu));

	vm_stop(vcpu->vm, VM_ENDED_STOPPED, 0,
		"a task switch to selector %x by %s: hardware task switching is not supported "
		"under Plinth",
		task.selector, sources[task.source]);
	return OUTCOME_STAY;
}

/* Of an exit that the controls should never let happen. */
static enum outcome exit_unexpected(struct vcpu *vcpu)
{
	vm_stop(vcpu->vm, VM_ENDED_STOPPED, 0,
		"exit reason %u (%s, qualification %llx) came, which no control of this VMCS asks "
		"for",
		vcpu_exit_reason(vcpu), vmx_exit_reason_name(vcpu_exit_reason(vcpu)),
		(unsigned long long)qualification(vcpu));
	return OUTCOME_STAY;
}

enum outcome vmx_exit_unknown(struct vcpu *vcpu)
{
	uint32_t reason = (uint32_t)vmcs_read(VMCS_EXIT_REASON);

	vm_stop(vcpu->vm, VM_ENDED_STOPPED, 0,
		"exit reason %u (whole field %x, qualification %llx) is newer than Plinth",
		reason & VMX_EXIT_REASON_MASK, reason, (unsigned long long)qualification(vcpu));
	return OUTCOME_STAY;
}

/* clang-format off */
const struct vmx_exit_row vmx_exit_rows[VMX_EXIT_ROWS] = {
	/* 35, 38, 42, 71, 82 and 83 have no meaning in the SDM. */
	[35] = {vmx_exit_unknown}, [38] = {vmx_exit_unknown}, [42] = {vmx_exit_unknown},
	[71] = {vmx_exit_unknown}, [82] = {vmx_exit_unknown}, [83] = {vmx_exit_unknown},
	[VMX_EXIT_EXCEPTION_OR_NMI]            = {exit_exception_or_nmi},
	[VMX_EXIT_EXTERNAL_INTERRUPT]          = {exit_external_interrupt},
	[VMX_EXIT_TRIPLE_FAULT]                = {exit_triple_fault},
	[VMX_EXIT_INIT]                        = {exit_unexpected},
	[VMX_EXIT_SIPI]                        = {exit_unexpected},
	[VMX_EXIT_IO_SMI]                      = {exit_unexpected},
	[VMX_EXIT_OTHER_SMI]                   = {exit_unexpected},
	[VMX_EXIT_INTERRUPT_WINDOW]            = {exit_window},
	[VMX_EXIT_NMI_WINDOW]                  = {exit_window},
	[VMX_EXIT_TASK_SWITCH]                 = {exit_task_switch},
	[VMX_EXIT_CPUID]                       = {vcpu_cpuid},
	[VMX_EXIT_GETSEC]                      = {exit_undefined},
	[VMX_EXIT_HLT]                         = {vcpu_hlt},
	[VMX_EXIT_INVD]                        = {exit_cache},
	[VMX_EXIT_INVLPG]                      = {exit_invlpg},
	[VMX_EXIT_RDPMC]                       = {exit_rdpmc},
	[VMX_EXIT_RDTSC]                       = {exit_unexpected},
	[VMX_EXIT_RSM]                         = {exit_undefined},
	[VMX_EXIT_VMCALL]                      = {exit_vmcall},
	[VMX_EXIT_VMCLEAR]                     = {exit_undefined},
	[VMX_EXIT_VMLAUNCH]                    = {exit_undefined},
	[VMX_EXIT_VMPTRLD]                     = {exit_undefined},
	[VMX_EXIT_VMPTRST]                     = {exit_undefined},
	[VMX_EXIT_VMREAD]                      = {exit_undefined},
	[VMX_EXIT_VMRESUME]                    = {exit_undefined},
	[VMX_EXIT_VMWRITE]                     = {exit_undefined},
	[VMX_EXIT_VMXOFF]                      = {exit_undefined},
	[VMX_EXIT_VMXON]                       = {exit_undefined},
	[VMX_EXIT_CR_ACCESS]                   = {exit_cr_access},
	[VMX_EXIT_MOV_DR]                      = {exit_unexpected},
	[VMX_EXIT_IO_INSTRUCTION]              = {vmx_exit_io},
	[VMX_EXIT_RDMSR]                       = {vcpu_msr_read},
	[VMX_EXIT_WRMSR]                       = {vcpu_msr_write},
	[VMX_EXIT_ENTRY_FAILURE_GUEST_STATE]   = {exit_entry_failure},
	[VMX_EXIT_ENTRY_FAILURE_MSR_LOADING]   = {exit_entry_failure},
	[VMX_EXIT_MWAIT]                       = {exit_undefined},
	[VMX_EXIT_MONITOR_TRAP_FLAG]           = {exit_unexpected},
	[VMX_EXIT_MONITOR]                     = {exit_undefined},
	[VMX_EXIT_PAUSE]                       = {exit_unexpected},
	[VMX_EXIT_ENTRY_FAILURE_MACHINE_CHECK] = {exit_entry_failure},
	[VMX_EXIT_TPR_BELOW_THRESHOLD]         = {exit_unexpected},
	[VMX_EXIT_APIC_ACCESS]                 = {exit_unexpected},
	[VMX_EXIT_VIRTUALIZED_EOI]             = {exit_unexpected},
	[VMX_EXIT_GDTR_IDTR_ACCESS]            = {exit_unexpected},
	[VMX_EXIT_LDTR_TR_ACCESS]              = {exit_unexpected},
	[VMX_EXIT_EPT_VIOLATION]               = {exit_ept_violation},
	[VMX_EXIT_EPT_MISCONFIGURATION]        = {exit_ept_misconfiguration},
	[VMX_EXIT_INVEPT]                      = {exit_undefined},
	[VMX_EXIT_RDTSCP]                      = {exit_unexpected},
	[VMX_EXIT_PREEMPTION_TIMER]            = {exit_preemption_timer},
	[VMX_EXIT_INVVPID]                     = {exit_undefined},
	[VMX_EXIT_WBINVD]                      = {exit_cache},
	[VMX_EXIT_XSETBV]                      = {vcpu_xsetbv},
	[VMX_EXIT_APIC_WRITE]                  = {exit_unexpected},
	[VMX_EXIT_RDRAND]                      = {exit_unexpected},
	[VMX_EXIT_INVPCID]                     = {exit_unexpected},
	[VMX_EXIT_VMFUNC]                      = {exit_undefined},
	[VMX_EXIT_ENCLS]                       = {exit_undefined},
	[VMX_EXIT_RDSEED]                      = {exit_unexpected},
	[VMX_EXIT_PML_FULL]                    = {exit_unexpected},
	[VMX_EXIT_XSAVES]                      = {exit_undefined},
	[VMX_EXIT_XRSTORS]                     = {exit_undefined},
	[VMX_EXIT_PCONFIG]                     = {exit_undefined},
	[VMX_EXIT_SPP]                         = {exit_unexpected},
	[VMX_EXIT_UMWAIT]                      = {exit_unexpected},
	[VMX_EXIT_TPAUSE]                      = {exit_unexpected},
	[VMX_EXIT_LOADIWKEY]                   = {exit_undefined},
	[VMX_EXIT_ENCLV]                       = {exit_undefined},
	[VMX_EXIT_ENQCMD_PASID]                = {exit_undefined},
	[VMX_EXIT_ENQCMDS_PASID]               = {exit_undefined},
	[VMX_EXIT_BUS_LOCK]                    = {exit_bus_lock},
	[VMX_EXIT_INSTRUCTION_TIMEOUT]         = {exit_instruction_timeout},
	[VMX_EXIT_SEAMCALL]                    = {exit_undefined},
	[VMX_EXIT_TDCALL]                      = {exit_undefined},
	[VMX_EXIT_RDMSRLIST]                   = {exit_undefined},
	[VMX_EXIT_WRMSRLIST]                   = {exit_undefined},
	[VMX_EXIT_URDMSR]                      = {exit_undefined},
	[VMX_EXIT_UWRMSR]                      = {exit_undefined},
	[VMX_EXIT_RDMSR_IMMEDIATE]             = {exit_undefined},
	[VMX_EXIT_WRMSRNS_IMMEDIATE]           = {exit_undefined},
	[VMX_EXIT_REASON_COUNT ... VMX_EXIT_ROWS - 1] = {vmx_exit_unknown},
};
/* clang-format on */
