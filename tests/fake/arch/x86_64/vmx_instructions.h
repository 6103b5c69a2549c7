/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stands for arch/x86_64/vmx_instructions.h in host tests: VMCS regions are arrays, found by their
 * physical address, and the instructions keep the processor's rules. A test looks at and prepares
 * everything through fake_vmx.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "arch/x86_64/vmcs_fields.h"
#include "arch/x86_64/vmx.h"
#include "kernel/address.h"
#include "kernel/compiler.h"

#define FAKE_VMCS_COUNT  8
#define FAKE_VMCS_FIELDS 1024 /* width 2 bits, type 2 bits, index 6 bits */

struct fake_vmcs {
	uint64_t address;
	bool used;
	bool launched;
	uint64_t field[FAKE_VMCS_FIELDS];
};

struct fake_vmx {
	bool on;
	uint64_t vmxon_region;
	struct fake_vmcs vmcs[FAKE_VMCS_COUNT];
	struct fake_vmcs *current;
	bool missing[FAKE_VMCS_FIELDS]; /* fields that this processor does not have */
	bool vmwrite_any;               /* VMWRITE reaches the read-only fields */
	enum vmx_status next_status;    /* if not VMX_OK: what the next instruction returns */
	uint64_t next_error;            /* ... with this VM-instruction error */

	bool fail_invalidations; /* INVEPT and INVVPID know no kind */

	unsigned reads, writes; /* VMREADs and VMWRITEs since the test cleared them */
	unsigned invept_count, invvpid_count;
	enum invept_kind invept_kind;
	struct invept_descriptor invept_descriptor;
	enum invvpid_kind invvpid_kind;
	struct invvpid_descriptor invvpid_descriptor;
};

static inline enum vmx_status vmx_status_of(bool cf, bool zf)
{
	return cf ? VMX_FAIL_INVALID : zf ? VMX_FAIL_VALID : VMX_OK;
}

/* One for the whole program, whichever files include this. */
__attribute__((weak)) struct fake_vmx fake_vmx;

static inline unsigned fake_vmcs_slot(uint32_t field)
{
	return (field >> 13 & 3) << 8 | (field >> 10 & 3) << 6 | (field >> 1 & 63);
}

/* Makes a processor in VMX operation, with one current VMCS of zeros. */
static inline void fake_vmx_reset(void)
{
	fake_vmx = (struct fake_vmx){.on = true, .vmxon_region = 0x1000};
	fake_vmx.vmcs[0] = (struct fake_vmcs){.used = true, .address = 0x2000};
	fake_vmx.current = &fake_vmx.vmcs[0];
}

static inline struct fake_vmcs *fake_vmcs_current(void)
{
	if (!fake_vmx.current) {
		fprintf(stderr, "fake VMX: no current VMCS\n");
		abort();
	}
	return fake_vmx.current;
}

/* Look at and set a field, read-only or not, without counting. */
static inline uint64_t fake_vmcs_get(uint32_t field)
{
	return fake_vmcs_current()->field[fake_vmcs_slot(field)];
}

static inline void fake_vmcs_set(uint32_t field, uint64_t value)
{
	fake_vmcs_current()->field[fake_vmcs_slot(field)] = value;
}

/* Whether the processor accepts the encoding: all but bits 31:15, bit 12, and high halves of others
 * than 64 bits. */
static inline bool fake_vmcs_has(uint32_t field)
{
	if ((field & ~(VMCS_ENCODING_MASK)) != 0 || vmcs_field_index(field) > 63)
		return false;
	if (vmcs_field_is_high(field) && vmcs_field_width(field) != VMCS_WIDTH_64)
		return false;
	return !fake_vmx.missing[fake_vmcs_slot(field)];
}

/* VMfailValid with an error number when there is a current VMCS, else VMfailInvalid. */
static inline enum vmx_status fake_vmx_fail(uint64_t number)
{
	if (!fake_vmx.current)
		return VMX_FAIL_INVALID;
	fake_vmcs_set(VMCS_INSTRUCTION_ERROR, number);
	return VMX_FAIL_VALID;
}

/* Takes the failure that a test has ordered, if any. */
static inline bool fake_vmx_ordered(enum vmx_status *status)
{
	*status = fake_vmx.next_status;
	fake_vmx.next_status = VMX_OK;
	if (*status == VMX_FAIL_VALID)
		*status = fake_vmx_fail(fake_vmx.next_error);
	return *status != VMX_OK;
}

CHECKED static inline enum vmx_status vmxon(hpa_t region)
{
	enum vmx_status status;

	if (fake_vmx_ordered(&status))
		return status;
	if (fake_vmx.on)
		return fake_vmx_fail(15);
	if (region.raw & 0xfff)
		return VMX_FAIL_INVALID;
	fake_vmx.on = true;
	fake_vmx.vmxon_region = region.raw;
	fake_vmx.current = NULL;
	return VMX_OK;
}

CHECKED static inline enum vmx_status vmxoff(void)
{
	enum vmx_status status;

	if (fake_vmx_ordered(&status))
		return status;
	fake_vmx.on = false;
	fake_vmx.current = NULL;
	return VMX_OK;
}

static inline struct fake_vmcs *fake_vmcs_find(uint64_t address)
{
	struct fake_vmcs *unused = NULL;

	for (unsigned i = 0; i < FAKE_VMCS_COUNT; i++) {
		struct fake_vmcs *vmcs = &fake_vmx.vmcs[i];

		if (vmcs->used && vmcs->address == address)
			return vmcs;
		if (!vmcs->used && !unused)
			unused = vmcs;
	}
	if (!unused) {
		fprintf(stderr, "fake VMX: more than %d regions\n", FAKE_VMCS_COUNT);
		abort();
	}
	unused->used = true;
	unused->address = address;
	return unused;
}

CHECKED static inline enum vmx_status vmclear(hpa_t region)
{
	enum vmx_status status;
	struct fake_vmcs *vmcs;

	if (fake_vmx_ordered(&status))
		return status;
	if (region.raw & 0xfff)
		return fake_vmx_fail(2);
	if (region.raw == fake_vmx.vmxon_region)
		return fake_vmx_fail(3);
	vmcs = fake_vmcs_find(region.raw);
	vmcs->launched = false;
	if (fake_vmx.current == vmcs)
		fake_vmx.current = NULL;
	return VMX_OK;
}

CHECKED static inline enum vmx_status vmptrld(hpa_t region)
{
	enum vmx_status status;

	if (fake_vmx_ordered(&status))
		return status;
	if (region.raw & 0xfff)
		return fake_vmx_fail(9);
	if (region.raw == fake_vmx.vmxon_region)
		return fake_vmx_fail(10);
	fake_vmx.current = fake_vmcs_find(region.raw);
	return VMX_OK;
}

static inline hpa_t vmptrst(void)
{
	return HPA(fake_vmx.current ? fake_vmx.current->address : ~0ull);
}

CHECKED static inline enum vmx_status vmread_checked(uint32_t field, uint64_t *value)
{
	enum vmx_status status;
	uint64_t stored;

	fake_vmx.reads++;
	if (fake_vmx_ordered(&status))
		return status;
	if (!fake_vmx.current)
		return VMX_FAIL_INVALID;
	if (!fake_vmcs_has(field))
		return fake_vmx_fail(12);
	stored = fake_vmcs_get(field);
	*value = vmcs_field_is_high(field) ? stored >> 32 : stored;
	return VMX_OK;
}

CHECKED static inline enum vmx_status vmwrite_checked(uint32_t field, uint64_t value)
{
	enum vmx_status status;
	unsigned width = vmcs_field_bits(field);

	fake_vmx.writes++;
	if (fake_vmx_ordered(&status))
		return status;
	if (!fake_vmx.current)
		return VMX_FAIL_INVALID;
	if (!fake_vmcs_has(field))
		return fake_vmx_fail(12);
	if (vmcs_field_type(field) == VMCS_TYPE_READ_ONLY && !fake_vmx.vmwrite_any)
		return fake_vmx_fail(13);
	if (vmcs_field_is_high(field))
		value = value << 32 | (uint32_t)fake_vmcs_get(field);
	else if (width < 64)
		value &= (1ull << width) - 1;
	fake_vmcs_set(field, value);
	return VMX_OK;
}

/* In the fast forms a failure is a bug of the code under test, so it ends the test. */
static inline uint64_t vmcs_read(enum vmcs_field field)
{
	uint64_t value;

	if (vmread_checked((uint32_t)field, &value) != VMX_OK) {
		fprintf(stderr, "fake VMX: VMREAD of %s fails\n", vmcs_field_name((uint32_t)field));
		abort();
	}
	return value;
}

static inline void vmcs_write(enum vmcs_field field, uint64_t value)
{
	if (vmwrite_checked((uint32_t)field, value) != VMX_OK) {
		fprintf(stderr, "fake VMX: VMWRITE of %s fails\n",
			vmcs_field_name((uint32_t)field));
		abort();
	}
}

CHECKED static inline enum vmx_status invept(enum invept_kind kind,
					     struct invept_descriptor descriptor)
{
	enum vmx_status status;

	if (fake_vmx_ordered(&status))
		return status;
	if (fake_vmx.fail_invalidations)
		return fake_vmx_fail(28);
	fake_vmx.invept_count++;
	fake_vmx.invept_kind = kind;
	fake_vmx.invept_descriptor = descriptor;
	return VMX_OK;
}

CHECKED static inline enum vmx_status invvpid(enum invvpid_kind kind,
					      struct invvpid_descriptor descriptor)
{
	enum vmx_status status;

	if (fake_vmx_ordered(&status))
		return status;
	if (fake_vmx.fail_invalidations)
		return fake_vmx_fail(28);
	fake_vmx.invvpid_count++;
	fake_vmx.invvpid_kind = kind;
	fake_vmx.invvpid_descriptor = descriptor;
	return VMX_OK;
}
