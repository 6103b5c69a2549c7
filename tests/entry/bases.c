/* SPDX-License-Identifier: BSD-2-Clause */
/* VMCSs that break no rule, in which mutations are made. */
#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/msr.h"
#include "arch/x86_64/vmx.h"
#include "kernel/address.h"
#include "kernel/string.h"
#include "tests/entry/mutations.h"
#include "vcpu/state.h"

#define GUEST_VPID 0xffff

/* Every field that can be written, so that nothing of an earlier VMCS is left. */
static void make_zero(struct vmcs_image *image)
{
	vmcs_image_clear(image);
	for (size_t i = 0; i < vmcs_field_count; i++) {
		uint32_t field = (uint32_t)vmcs_fields[i].field;

		if (vmcs_field_type(field) != VMCS_TYPE_READ_ONLY)
			vmcs_image_set(image, field, 0);
	}
}

static void copy_host(const struct entry_bench *bench, struct vmcs_image *image)
{
	for (size_t i = 0; i < vmcs_field_count; i++) {
		uint32_t field = (uint32_t)vmcs_fields[i].field;

		if (vmcs_field_type(field) == VMCS_TYPE_HOST)
			vmcs_image_set(image, field, vmcs_image_get(&bench->host, field));
	}
}

/*
 * The timer is at 0, so that the guest is left before its first instruction. Interrupts stay
 * pending, as the exit does not acknowledge them.
 */
static void make_controls(const struct entry_bench *bench, struct vmcs_image *image)
{
	const struct vmx_control_range *range = bench->environment.capabilities->controls;

	vmcs_image_set(image, VMCS_PIN_CONTROLS,
		       range[VMX_PIN].forced | PIN_EXTERNAL_INTERRUPT_EXITING | PIN_NMI_EXITING |
			       PIN_VIRTUAL_NMIS | PIN_PREEMPTION_TIMER);
	vmcs_image_set(image, VMCS_PRIMARY_CONTROLS,
		       range[VMX_PRIMARY].forced | PRIMARY_HLT_EXITING |
			       PRIMARY_ACTIVATE_SECONDARY);
	vmcs_image_set(image, VMCS_SECONDARY_CONTROLS,
		       range[VMX_SECONDARY].forced | SECONDARY_EPT | SECONDARY_UNRESTRICTED_GUEST);
	vmcs_image_set(image, VMCS_EXIT_CONTROLS,
		       range[VMX_EXIT].forced | EXIT_HOST_ADDRESS_SPACE_SIZE | EXIT_LOAD_EFER |
			       EXIT_LOAD_PAT);
	vmcs_image_set(image, VMCS_ENTRY_CONTROLS,
		       range[VMX_ENTRY].forced | ENTRY_LOAD_EFER | ENTRY_LOAD_PAT |
			       ENTRY_LOAD_DEBUG_CONTROLS | ENTRY_IA32E_MODE_GUEST);
	vmcs_image_set(image, VMCS_LINK_POINTER, VMCS_LINK_NONE);
	vmcs_image_set(image, VMCS_VPID, GUEST_VPID);
	vmcs_image_set(image, VMCS_TSC_MULTIPLIER, BIT(48));
	vmcs_image_set(image, VMCS_EPT_POINTER,
		       bench->page[ENTRY_PAGE_EPT] | EPTP_MEMORY_WB | EPTP_WALK_LENGTH(4));
}

/* What controls that are off point to: a mutation need only turn them on. */
static void make_addresses(const struct entry_bench *bench, struct vmcs_image *image)
{
	static const uint16_t ones[] = {
		VMCS_IO_BITMAP_A,   VMCS_IO_BITMAP_B,    VMCS_MSR_BITMAPS,
		VMCS_VMREAD_BITMAP, VMCS_VMWRITE_BITMAP,
	};
	static const uint16_t zeros[] = {
		VMCS_APIC_ACCESS_ADDRESS,
		VMCS_POSTED_INTERRUPT_DESCRIPTOR,
		VMCS_PML_ADDRESS,
		VMCS_SPP_TABLE_POINTER,
		VMCS_EPTP_LIST_ADDRESS,
		VMCS_VE_INFORMATION_ADDRESS,
		VMCS_LOW_PASID_DIRECTORY,
		VMCS_HIGH_PASID_DIRECTORY,
		VMCS_PID_POINTER_TABLE_ADDRESS,
		VMCS_HLAT_POINTER,
		VMCS_VIRTUAL_APIC_ADDRESS,
	};
	static const uint16_t areas[] = {
		VMCS_EXIT_MSR_STORE_ADDRESS,
		VMCS_EXIT_MSR_LOAD_ADDRESS,
		VMCS_ENTRY_MSR_LOAD_ADDRESS,
	};

	for (size_t i = 0; i < ARRAY_COUNT(ones); i++)
		vmcs_image_set(image, ones[i], bench->page[ENTRY_PAGE_ONES]);
	for (size_t i = 0; i < ARRAY_COUNT(zeros); i++)
		vmcs_image_set(image, zeros[i], bench->page[ENTRY_PAGE_APIC]);
	for (size_t i = 0; i < ARRAY_COUNT(areas); i++)
		vmcs_image_set(image, areas[i], bench->page[ENTRY_PAGE_MSRS]);
}

static void set_segment(struct vmcs_image *image, enum segment_index index, struct segment segment)
{
	uint32_t step = VMCS_SEGMENT_STEP * (uint32_t)index;

	vmcs_image_set(image, VMCS_GUEST_ES_SELECTOR + step, segment.selector);
	vmcs_image_set(image, VMCS_GUEST_ES_LIMIT + step, segment.limit);
	vmcs_image_set(image, VMCS_GUEST_ES_ACCESS_RIGHTS + step, segment.access);
	vmcs_image_set(image, VMCS_GUEST_ES_BASE + step, segment.base);
}

/* CS, and the five for data, with one selector each. */
static void set_segments(struct vmcs_image *image, struct segment code, struct segment data)
{
	set_segment(image, SEG_CS, code);
	for (unsigned index = SEG_ES; index <= SEG_GS; index++) {
		if (index != SEG_CS)
			set_segment(image, (enum segment_index)index, data);
	}
}

static void make_64bit_guest(const struct entry_bench *bench, struct vmcs_image *image)
{
	const struct vmx_capabilities *c = bench->environment.capabilities;

	vmcs_image_set(image, VMCS_GUEST_CR0, c->cr0_fixed0 | CR0_PE | CR0_ET | CR0_WP | CR0_PG);
	vmcs_image_set(image, VMCS_GUEST_CR3, bench->page[ENTRY_PAGE_TABLE]);
	vmcs_image_set(image, VMCS_GUEST_CR4, c->cr4_fixed0 | CR4_PAE);
	vmcs_image_set(image, VMCS_GUEST_EFER, EFER_LMA | EFER_LME);
	vmcs_image_set(image, VMCS_GUEST_PAT, PAT_RESET);
	vmcs_image_set(image, VMCS_GUEST_DR7, DR7_RESET);
	vmcs_image_set(image, VMCS_GUEST_RFLAGS, RFLAGS_ONE);
	vmcs_image_set(image, VMCS_GUEST_RIP, 0x1000);
	vmcs_image_set(image, VMCS_GUEST_RSP, 0x2000);
	set_segments(image, (struct segment){0x08, 0xffffffff, SEGMENT_CODE64, 0},
		     (struct segment){0x10, 0xffffffff, SEGMENT_DATA32, 0});
	set_segment(image, SEG_LDTR, (struct segment){0x18, 0xfff, SEGMENT_LDT, 0x3000});
	set_segment(image, SEG_TR, (struct segment){0x20, 0xfff, SEGMENT_TSS32, 0x4000});
}

static void turn_off(struct vmcs_image *image, uint32_t field, uint64_t bits)
{
	vmcs_image_set(image, field, vmcs_image_get(image, field) & ~bits);
}

static void turn_on(struct vmcs_image *image, uint32_t field, uint64_t bits)
{
	vmcs_image_set(image, field, vmcs_image_get(image, field) | bits);
}

/* From 64-bit code to 32-bit code without paging. */
static void make_protected(struct vmcs_image *image)
{
	turn_off(image, VMCS_ENTRY_CONTROLS, ENTRY_IA32E_MODE_GUEST);
	turn_off(image, VMCS_GUEST_CR0, CR0_PG);
	turn_off(image, VMCS_GUEST_CR4, CR4_PAE);
	vmcs_image_set(image, VMCS_GUEST_EFER, 0);
	vmcs_image_set(image, VMCS_GUEST_CS_ACCESS_RIGHTS, SEGMENT_CODE32);
}

static void make_pae(struct vmcs_image *image)
{
	make_protected(image);
	turn_on(image, VMCS_GUEST_CR0, CR0_PG);
	turn_on(image, VMCS_GUEST_CR4, CR4_PAE);
}

static void make_v86(struct vmcs_image *image)
{
	const struct segment segment = {0x100, 0xffff, 0xf3, 0x1000};

	make_protected(image);
	turn_on(image, VMCS_GUEST_RFLAGS, RFLAGS_VM);
	set_segments(image, segment, segment);
}

static void make_real(struct vmcs_image *image)
{
	make_protected(image);
	turn_off(image, VMCS_GUEST_CR0, CR0_PE);
	set_segments(image, (struct segment){0x100, 0xffff, SEGMENT_CODE16, 0x1000},
		     (struct segment){0x100, 0xffff, SEGMENT_DATA16, 0x1000});
}

static void change_base(enum entry_base base, struct vmcs_image *image)
{
	switch (base) {
	case BASE_COMPATIBILITY:
		vmcs_image_set(image, VMCS_GUEST_CS_ACCESS_RIGHTS, SEGMENT_CODE32);
		break;
	case BASE_RESTRICTED:
		turn_off(image, VMCS_SECONDARY_CONTROLS, SECONDARY_UNRESTRICTED_GUEST);
		break;
	case BASE_PROTECTED:
		make_protected(image);
		break;
	case BASE_PAE:
		make_pae(image);
		break;
	case BASE_NO_EPT:
		make_pae(image);
		turn_off(image, VMCS_SECONDARY_CONTROLS,
			 SECONDARY_UNRESTRICTED_GUEST | SECONDARY_EPT);
		break;
	case BASE_V86:
		make_v86(image);
		break;
	case BASE_REAL:
		make_real(image);
		break;
	case BASE_64BIT:
	case BASE_COUNT:
		break;
	}
}

void entry_base_make(const struct entry_bench *bench, enum entry_base base,
		     struct vmcs_image *image)
{
	for (unsigned i = 0; i < ENTRY_PAGES; i++)
		memset(bench->memory[i], i == ENTRY_PAGE_ONES ? 0xff : 0, PAGE_SIZE);
	*(uint32_t *)bench->memory[ENTRY_PAGE_VMCS] =
		bench->environment.capabilities->basic.revision;
	make_zero(image);
	copy_host(bench, image);
	make_controls(bench, image);
	make_addresses(bench, image);
	make_64bit_guest(bench, image);
	change_base(base, image);
}
