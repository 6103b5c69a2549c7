/* SPDX-License-Identifier: BSD-2-Clause */
/* The VMX instructions, each with its status. VMLAUNCH and VMRESUME are in the exit stub. */
#pragma once

#include <stdint.h>

#include "arch/x86_64/dear.h"
#include "arch/x86_64/vmcs_fields.h"
#include "arch/x86_64/vmx.h"
#include "kernel/address.h"
#include "kernel/compiler.h"

/* SDM "Conventions": VMfailInvalid sets CF, VMfailValid sets ZF, VMsucceed clears both. */
static inline enum vmx_status vmx_status_of(bool cf, bool zf)
{
	return cf ? VMX_FAIL_INVALID : zf ? VMX_FAIL_VALID : VMX_OK;
}

/* Enters VMX operation. Faults unless CR4.VMXE is set, CR0 and CR4 fit, and IA32_FEATURE_CONTROL
 * allows it. */
CHECKED static inline enum vmx_status vmxon(hpa_t region)
{
	bool cf, zf;

	asm volatile("vmxon %2" : "=@ccc"(cf), "=@ccz"(zf) : "m"(region.raw) : "memory");
	return vmx_status_of(cf, zf);
}

CHECKED static inline enum vmx_status vmxoff(void)
{
	bool cf, zf;

	asm volatile("vmxoff" : "=@ccc"(cf), "=@ccz"(zf) : : "memory");
	return vmx_status_of(cf, zf);
}

CHECKED static inline enum vmx_status vmclear(hpa_t region)
{
	bool cf, zf;

	COUNT_DEAR_ONE(others);
	asm volatile("vmclear %2" : "=@ccc"(cf), "=@ccz"(zf) : "m"(region.raw) : "memory");
	return vmx_status_of(cf, zf);
}

CHECKED static inline enum vmx_status vmptrld(hpa_t region)
{
	bool cf, zf;

	COUNT_DEAR_ONE(others);
	asm volatile("vmptrld %2" : "=@ccc"(cf), "=@ccz"(zf) : "m"(region.raw) : "memory");
	return vmx_status_of(cf, zf);
}

/* The current VMCS, or all ones. */
static inline hpa_t vmptrst(void)
{
	hpa_t region;

	asm volatile("vmptrst %0" : "=m"(region.raw) : : "cc", "memory");
	return region;
}

/* For fields that this CPU may not have, and where a failure is an answer. *value is untouched
 * then. */
CHECKED static inline enum vmx_status vmread_checked(uint32_t field, uint64_t *value)
{
	uint64_t result = 0;
	bool cf, zf;

	COUNT_DEAR_ONE(vmreads);
	asm volatile("vmread %3, %2"
		     : "=@ccc"(cf), "=@ccz"(zf), "+r"(result)
		     : "r"((uint64_t)field)
		     : "memory");
	if (!cf && !zf)
		*value = result;
	return vmx_status_of(cf, zf);
}

CHECKED static inline enum vmx_status vmwrite_checked(uint32_t field, uint64_t value)
{
	bool cf, zf;

	COUNT_DEAR_ONE(vmwrites);
	asm volatile("vmwrite %3, %2"
		     : "=@ccc"(cf), "=@ccz"(zf)
		     : "r"((uint64_t)field), "rm"(value)
		     : "memory");
	return vmx_status_of(cf, zf);
}

/*
 * The exit path's forms: one instruction, nothing checked. With a current VMCS they can only fail
 * for a field that this CPU does not have (or, for a write, that is read-only): a field without
 * conditions never fails, and one of an optional feature is touched only when its control is on.
 * The VMCS is written with vmwrite_checked() where it is set up, so that a wrong field is found
 * there, with its name. A failing vmcs_read() would leave its destination as it was: garbage of the
 * host's. So do not use it where that could happen.
 */
static inline uint64_t vmcs_read(enum vmcs_field field)
{
	uint64_t value;

	COUNT_DEAR_ONE(vmreads);
	asm volatile("vmread %1, %0" : "=r"(value) : "r"((uint64_t)field) : "cc");
	return value;
}

static inline void vmcs_write(enum vmcs_field field, uint64_t value)
{
	COUNT_DEAR_ONE(vmwrites);
	asm volatile("vmwrite %1, %0" : : "r"((uint64_t)field), "rm"(value) : "cc", "memory");
}

/* An unsupported kind is VMfailValid with error 28: see vmx_capabilities for what there is. */
CHECKED static inline enum vmx_status invept(enum invept_kind kind,
					     struct invept_descriptor descriptor)
{
	bool cf, zf;

	COUNT_DEAR_ONE(others);
	asm volatile("invept %3, %2"
		     : "=@ccc"(cf), "=@ccz"(zf)
		     : "r"((uint64_t)kind), "m"(descriptor)
		     : "memory");
	return vmx_status_of(cf, zf);
}

CHECKED static inline enum vmx_status invvpid(enum invvpid_kind kind,
					      struct invvpid_descriptor descriptor)
{
	bool cf, zf;

	COUNT_DEAR_ONE(others);
	asm volatile("invvpid %3, %2"
		     : "=@ccc"(cf), "=@ccz"(zf)
		     : "r"((uint64_t)kind), "m"(descriptor)
		     : "memory");
	return vmx_status_of(cf, zf);
}
