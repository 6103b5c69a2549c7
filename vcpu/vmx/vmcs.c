/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes the VMCS of a vCPU: controls, bitmaps, host state, and the guest state that a loader asks
 * for. */
#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/exceptions.h"
#include "arch/x86_64/instructions.h"
#include "arch/x86_64/msr.h"
#include "kernel/cpu.h"
#include "kernel/direct_map.h"
#include "kernel/physical.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "trace/trace.h"
#include "vcpu/control.h"
#include "vcpu/msr.h"
#include "vcpu/vmx/side_channels.h"
#include "vcpu/vmx/vmx.h"

_Static_assert(SELECTOR_DATA == HOST_DATA, "vcpu/offsets.h");

/* One allocation a vCPU: the backend's state, the VMCS, the bitmaps. */
#define PAGE_STATE      0
#define PAGE_VMCS       1
#define PAGE_IO_BITMAP  2 /* A and B */
#define PAGE_MSR_BITMAP 4
#define PAGES           5

/* SDM "MSR-Bitmap Address": four quadrants of 1 KiB. */
#define MSR_READ_LOW   0x000
#define MSR_READ_HIGH  0x400
#define MSR_WRITE_LOW  0x800
#define MSR_WRITE_HIGH 0xc00

/*
 * #DB and #AC come here, and are given back, since a loop of either in the delivery of itself never
 * reaches an instruction boundary; #MC is the host's.
 */
#define EXCEPTION_BITMAP (1u << EXCEPTION_DB | 1u << EXCEPTION_AC | 1u << EXCEPTION_MC)

/* The preemption timer's value is the heartbeat's, so that a guest that never exits is left once in
 * a while. */
#define PREEMPTION_US 1000

static void open_msr(void *context, uint32_t msr, unsigned pass)
{
	uint8_t *bitmap = context;
	uint32_t bit = msr & 0x1fff;
	bool high = msr >= 0xc0000000;

	if (pass & MSR_PASS_READ)
		bitmap[(high ? MSR_READ_HIGH : MSR_READ_LOW) + bit / 8] &=
			(uint8_t) ~(1u << bit % 8);
	if (pass & MSR_PASS_WRITE)
		bitmap[(high ? MSR_WRITE_HIGH : MSR_WRITE_LOW) + bit / 8] &=
			(uint8_t) ~(1u << bit % 8);
}

/* Writes a field that every CPU accepted here has; collects the first that fails. */
struct writer {
	err_t err;
};

static void put(struct writer *writer, enum vmcs_field field, uint64_t value)
{
	if (vmwrite_checked(field, value) == VMX_OK || writer->err)
		return;
	writer->err = error("this CPU refuses to write the VMCS field %s", vmcs_field_name(field));
}

static void put_controls(struct writer *writer, struct vcpu *vcpu, hpa_t pages)
{
	const struct vmx_controls *controls = vmx_controls();
	struct vmx_vcpu *vmx = vmx_of(vcpu);

	vmx->primary = controls->primary;
	vmx->entry_controls = controls->entry;
	put(writer, VMCS_PIN_CONTROLS, controls->pin);
	put(writer, VMCS_PRIMARY_CONTROLS, controls->primary);
	put(writer, VMCS_SECONDARY_CONTROLS, controls->secondary);
	put(writer, VMCS_EXIT_CONTROLS, controls->exit);
	put(writer, VMCS_ENTRY_CONTROLS, controls->entry);
	/* A trace of exceptions has them all come here, to be told and given back. */
	put(writer, VMCS_EXCEPTION_BITMAP,
	    trace_chooses(VMX_EXIT_EXCEPTION_OR_NMI) ? ~0u : EXCEPTION_BITMAP);
	put(writer, VMCS_PAGE_FAULT_ERROR_MASK, 0);
	put(writer, VMCS_PAGE_FAULT_ERROR_MATCH, 0);
	put(writer, VMCS_CR3_TARGET_COUNT, 0);
	put(writer, VMCS_EXIT_MSR_STORE_COUNT, 0);
	put(writer, VMCS_EXIT_MSR_LOAD_COUNT, 0);
	put(writer, VMCS_ENTRY_MSR_LOAD_COUNT, 0);
	put(writer, VMCS_ENTRY_INTERRUPTION_INFO, 0);
	put(writer, VMCS_IO_BITMAP_A, pages.raw + PAGE_IO_BITMAP * PAGE_SIZE);
	put(writer, VMCS_IO_BITMAP_B, pages.raw + (PAGE_IO_BITMAP + 1) * PAGE_SIZE);
	put(writer, VMCS_MSR_BITMAPS, pages.raw + PAGE_MSR_BITMAP * PAGE_SIZE);
	put(writer, VMCS_EPT_POINTER, ept_pointer(ept_of(vcpu)));
	if (controls->secondary & SECONDARY_VPID)
		put(writer, VMCS_VPID, vmx->vpid);
	if (controls->secondary & SECONDARY_XSAVES)
		put(writer, VMCS_XSS_EXITING_BITMAP, ~0ull);
	if (controls->secondary & SECONDARY_ENCLS_EXITING)
		put(writer, VMCS_ENCLS_EXITING_BITMAP, ~0ull);
	if (controls->secondary & SECONDARY_INSTRUCTION_TIMEOUT)
		put(writer, VMCS_INSTRUCTION_TIMEOUT_CONTROL, 0);
	put(writer, VMCS_TSC_OFFSET, 0);
	put(writer, VMCS_CR0_MASK, ~CR0_GUEST_OWNED);
	put(writer, VMCS_CR4_MASK, ~vmx->cr4_guest_owned);
	put(writer, VMCS_PREEMPTION_TIMER_VALUE,
	    time_ticks_from_us(PREEMPTION_US) >> vmx_capabilities()->preemption_timer_shift);
	put(writer, VMCS_LINK_POINTER, VMCS_LINK_NONE);
}

static void put_host_state(struct writer *writer, struct vcpu *vcpu)
{
	struct cpu *cpu = this_cpu();

	put(writer, VMCS_HOST_CR0, read_cr0());
	put(writer, VMCS_HOST_CR3, read_cr3());
	put(writer, VMCS_HOST_CR4, read_cr4());
	put(writer, VMCS_HOST_EFER, rdmsr(IA32_EFER));
	put(writer, VMCS_HOST_PAT, rdmsr(IA32_PAT));
	put(writer, VMCS_HOST_CS_SELECTOR, SELECTOR_CODE);
	put(writer, VMCS_HOST_SS_SELECTOR, SELECTOR_DATA);
	put(writer, VMCS_HOST_DS_SELECTOR, SELECTOR_DATA);
	put(writer, VMCS_HOST_ES_SELECTOR, SELECTOR_DATA);
	put(writer, VMCS_HOST_FS_SELECTOR, 0);
	put(writer, VMCS_HOST_GS_SELECTOR, 0);
	put(writer, VMCS_HOST_TR_SELECTOR, SELECTOR_TSS);
	put(writer, VMCS_HOST_FS_BASE, 0);
	put(writer, VMCS_HOST_GS_BASE, (uint64_t)cpu);
	put(writer, VMCS_HOST_TR_BASE, (uint64_t)&cpu->tss);
	put(writer, VMCS_HOST_GDTR_BASE, sgdt().base);
	put(writer, VMCS_HOST_IDTR_BASE, sidt().base);
	put(writer, VMCS_HOST_SYSENTER_CS, 0);
	put(writer, VMCS_HOST_SYSENTER_ESP, 0);
	put(writer, VMCS_HOST_SYSENTER_EIP, 0);
	put(writer, VMCS_HOST_RSP, (uint64_t)vcpu + VCPU_REGS_SIZE);
	put(writer, VMCS_HOST_RIP,
	    (uint64_t)(side_channels()->clear_buffers ? vmx_exit_entry_clearing : vmx_exit_entry));
}

static void put_segment(struct writer *writer, enum segment_index index,
			const struct segment *segment)
{
	uint32_t step = VMCS_SEGMENT_STEP * (uint32_t)index;

	put(writer, VMCS_GUEST_ES_SELECTOR + step, segment->selector);
	put(writer, VMCS_GUEST_ES_LIMIT + step, segment->limit);
	put(writer, VMCS_GUEST_ES_ACCESS_RIGHTS + step, segment->access);
	put(writer, VMCS_GUEST_ES_BASE + step, segment->base);
}

err_t backend_set_state(struct vcpu *vcpu, const struct vcpu_state *state)
{
	struct writer writer = {NULL};

	vcpu->regs = state->regs;
	put(&writer, VMCS_GUEST_RSP, state->regs.rsp);
	put(&writer, VMCS_GUEST_RIP, state->rip);
	put(&writer, VMCS_GUEST_RFLAGS, state->rflags | RFLAGS_ONE);
	put_segment(&writer, SEG_ES, &state->es);
	put_segment(&writer, SEG_CS, &state->cs);
	put_segment(&writer, SEG_SS, &state->ss);
	put_segment(&writer, SEG_DS, &state->ds);
	put_segment(&writer, SEG_FS, &state->fs);
	put_segment(&writer, SEG_GS, &state->gs);
	put_segment(&writer, SEG_LDTR, &state->ldtr);
	put_segment(&writer, SEG_TR, &state->tr);
	put(&writer, VMCS_GUEST_GDTR_BASE, state->gdtr.base);
	put(&writer, VMCS_GUEST_GDTR_LIMIT, state->gdtr.limit);
	put(&writer, VMCS_GUEST_IDTR_BASE, state->idtr.base);
	put(&writer, VMCS_GUEST_IDTR_LIMIT, state->idtr.limit);
	put(&writer, VMCS_GUEST_CR3, state->cr3);
	put(&writer, VMCS_GUEST_DR7, DR7_RESET);
	put(&writer, VMCS_GUEST_DEBUGCTL, 0);
	put(&writer, VMCS_GUEST_PAT, PAT_RESET);
	put(&writer, VMCS_GUEST_SYSENTER_CS, 0);
	put(&writer, VMCS_GUEST_SYSENTER_ESP, 0);
	put(&writer, VMCS_GUEST_SYSENTER_EIP, 0);
	put(&writer, VMCS_GUEST_INTERRUPTIBILITY, 0);
	put(&writer, VMCS_GUEST_ACTIVITY_STATE, ACTIVITY_ACTIVE);
	put(&writer, VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, 0);
	if (writer.err)
		return writer.err;
	vcpu->efer = ~state->efer; /* so that all of it is written */
	backend_set_cr0(vcpu, state->cr0);
	backend_set_cr4(vcpu, state->cr4);
	backend_set_efer(vcpu, state->efer);
	return NULL;
}

err_t backend_vcpu_create(struct vcpu *vcpu)
{
	const struct vmx_capabilities *capabilities = vmx_capabilities();
	struct writer writer = {NULL};
	struct vmx_vcpu *vmx;
	uint8_t *base;
	hpa_t pages;
	err_t err = physical_allocate(PAGES * PAGE_SIZE, PAGE_SIZE, &pages);

	if (err)
		return error("no memory for a VMCS: %s", err);
	base = direct_map(pages);
	memset(base, 0, PAGES * PAGE_SIZE);
	memset(base + PAGE_IO_BITMAP * PAGE_SIZE, 0xff, 3 * PAGE_SIZE);
	vmx = (struct vmx_vcpu *)base;
	vmx->vmcs = HPA(pages.raw + PAGE_VMCS * PAGE_SIZE);
	vmx->vpid = (uint16_t)(1 + vcpu->vm->id % 0xffff);
	vmx->msr_bitmap = base + PAGE_MSR_BITMAP * PAGE_SIZE;
	vmx->cr4_guest_owned = control_cr4_guest_owned(vcpu);
	vcpu->backend = vmx;
	msr_for_each_passed(vcpu, open_msr, vmx->msr_bitmap);

	*(uint32_t *)(base + PAGE_VMCS * PAGE_SIZE) = capabilities->basic.revision;
	if (vmclear(vmx->vmcs) != VMX_OK || vmptrld(vmx->vmcs) != VMX_OK) {
		physical_free(pages, PAGES * PAGE_SIZE);
		return error("this CPU does not take a VMCS at %llx with revision %x",
			     (unsigned long long)vmx->vmcs.raw, capabilities->basic.revision);
	}
	put_controls(&writer, vcpu, pages);
	put_host_state(&writer, vcpu);
	if (writer.err)
		backend_vcpu_destroy(vcpu);
	/* What an earlier VM with this number, or the firmware, left in the TLB. */
	vcpu->requests |= REQUEST_FLUSH_EPT | REQUEST_FLUSH_LINEAR;
	return writer.err;
}

void backend_vcpu_destroy(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);

	/* Writes what the CPU may have cached of it, so that the memory can be something else. */
	if (vmclear(vmx->vmcs) == VMX_OK)
		physical_free(HPA(vmx->vmcs.raw - PAGE_VMCS * PAGE_SIZE), PAGES * PAGE_SIZE);
	vcpu->backend = NULL;
}
