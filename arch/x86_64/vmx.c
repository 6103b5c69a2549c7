/* SPDX-License-Identifier: BSD-2-Clause */
/* The texts of exit reasons, instruction errors, event types and activity states. */
#include "arch/x86_64/vmx.h"

#include "kernel/compiler.h"

#define REASON_TEXT(name, number, text) [number] = text,

static const char *const exit_reasons[VMX_EXIT_REASON_COUNT] = {VMX_EXIT_REASONS(REASON_TEXT)};

const char *vmx_exit_reason_name(uint32_t basic_reason)
{
	if (basic_reason < ARRAY_COUNT(exit_reasons) && exit_reasons[basic_reason])
		return exit_reasons[basic_reason];
	return "unknown exit reason";
}

/* 14, 21 and 27 are not used. */
static const char *const instruction_errors[VMX_INSTRUCTION_ERROR_MAX + 1] = {
	[1] = "VMCALL executed in VMX root operation",
	[2] = "VMCLEAR with invalid physical address",
	[3] = "VMCLEAR with VMXON pointer",
	[4] = "VMLAUNCH with non-clear VMCS",
	[5] = "VMRESUME with non-launched VMCS",
	[6] = "VMRESUME after VMXOFF (VMXOFF and VMXON between VMLAUNCH and VMRESUME)",
	[7] = "VM entry with invalid control field(s)",
	[8] = "VM entry with invalid host-state field(s)",
	[9] = "VMPTRLD with invalid physical address",
	[10] = "VMPTRLD with VMXON pointer",
	[11] = "VMPTRLD with incorrect VMCS revision identifier",
	[12] = "VMREAD or VMWRITE from or to unsupported VMCS component",
	[13] = "VMWRITE to read-only VMCS component",
	[15] = "VMXON executed in VMX root operation",
	[16] = "VM entry with invalid executive-VMCS pointer",
	[17] = "VM entry with non-launched executive VMCS",
	[18] = "VM entry with executive-VMCS pointer not VMXON pointer (when deactivating the "
	       "dual-monitor treatment of SMIs and SMM)",
	[19] = "VMCALL with non-clear VMCS (when activating the dual-monitor treatment)",
	[20] = "VMCALL with invalid VM-exit control fields",
	[22] = "VMCALL with incorrect MSEG revision identifier",
	[23] = "VMXOFF under dual-monitor treatment of SMIs and SMM",
	[24] = "VMCALL with invalid SMM-monitor features",
	[25] = "VM entry with invalid VM-execution control fields in executive VMCS (when "
	       "returning from SMM)",
	[26] = "VM entry with events blocked by MOV SS",
	[28] = "invalid operand to INVEPT or INVVPID",
};

const char *vmx_instruction_error_text(uint32_t number)
{
	if (number < ARRAY_COUNT(instruction_errors) && instruction_errors[number])
		return instruction_errors[number];
	return "unknown error";
}

const char *vmx_status_name(enum vmx_status status)
{
	static const char *const names[] = {
		[VMX_OK] = "VMsucceed",
		[VMX_FAIL_INVALID] = "VMfailInvalid",
		[VMX_FAIL_VALID] = "VMfailValid",
	};

	return (unsigned)status < ARRAY_COUNT(names) ? names[status] : "?";
}

const char *vmx_interruption_type_name(enum vmx_interruption_type type)
{
	static const char *const names[] = {
		[VMX_EXTERNAL_INTERRUPT] = "external interrupt",
		[1] = "reserved",
		[VMX_NMI] = "NMI",
		[VMX_HARDWARE_EXCEPTION] = "hardware exception",
		[VMX_SOFTWARE_INTERRUPT] = "software interrupt",
		[VMX_PRIVILEGED_SOFTWARE_EXCEPTION] = "privileged software exception",
		[VMX_SOFTWARE_EXCEPTION] = "software exception",
		[VMX_OTHER_EVENT] = "other event",
	};

	return (unsigned)type < ARRAY_COUNT(names) ? names[type] : "?";
}

enum vmx_interruption_type vmx_type_of_vector(uint8_t vector)
{
	if (vector == 2)
		return VMX_NMI;
	if (vector == 3 || vector == 4)
		return VMX_SOFTWARE_EXCEPTION;
	return vector < 32 ? VMX_HARDWARE_EXCEPTION : VMX_EXTERNAL_INTERRUPT;
}

const char *vmx_activity_name(uint32_t activity)
{
	static const char *const names[] = {
		[ACTIVITY_ACTIVE] = "active",
		[ACTIVITY_HLT] = "HLT",
		[ACTIVITY_SHUTDOWN] = "shutdown",
		[ACTIVITY_WAIT_FOR_SIPI] = "wait-for-SIPI",
	};

	return activity < ARRAY_COUNT(names) ? names[activity] : "reserved";
}
