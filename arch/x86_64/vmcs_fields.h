/* SPDX-License-Identifier: BSD-2-Clause */
/* The fields of a VMCS (SDM "Field Encoding in VMCS"): encodings, names, and what an encoding says
 * of its field. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * FIELD(name, encoding), ascending. The lists make enum vmcs_field (VMCS_name) here and the table
 * of names in vmcs_fields.c. A field exists only on CPUs that have the feature it belongs to.
 */
#define VMCS_FIELDS_16(FIELD)                                                                      \
	/* Control */                                                                              \
	FIELD(VPID, 0x0000)                                                                        \
	FIELD(POSTED_INTERRUPT_VECTOR, 0x0002)                                                     \
	FIELD(EPTP_INDEX, 0x0004)                                                                  \
	FIELD(HLAT_PREFIX_SIZE, 0x0006)                                                            \
	FIELD(LAST_PID_POINTER_INDEX, 0x0008)                                                      \
	/* Guest state */                                                                          \
	FIELD(GUEST_ES_SELECTOR, 0x0800)                                                           \
	FIELD(GUEST_CS_SELECTOR, 0x0802)                                                           \
	FIELD(GUEST_SS_SELECTOR, 0x0804)                                                           \
	FIELD(GUEST_DS_SELECTOR, 0x0806)                                                           \
	FIELD(GUEST_FS_SELECTOR, 0x0808)                                                           \
	FIELD(GUEST_GS_SELECTOR, 0x080a)                                                           \
	FIELD(GUEST_LDTR_SELECTOR, 0x080c)                                                         \
	FIELD(GUEST_TR_SELECTOR, 0x080e)                                                           \
	FIELD(GUEST_INTERRUPT_STATUS, 0x0810)                                                      \
	FIELD(GUEST_PML_INDEX, 0x0812)                                                             \
	FIELD(GUEST_UINV, 0x0814)                                                                  \
	/* Host state */                                                                           \
	FIELD(HOST_ES_SELECTOR, 0x0c00)                                                            \
	FIELD(HOST_CS_SELECTOR, 0x0c02)                                                            \
	FIELD(HOST_SS_SELECTOR, 0x0c04)                                                            \
	FIELD(HOST_DS_SELECTOR, 0x0c06)                                                            \
	FIELD(HOST_FS_SELECTOR, 0x0c08)                                                            \
	FIELD(HOST_GS_SELECTOR, 0x0c0a)                                                            \
	FIELD(HOST_TR_SELECTOR, 0x0c0c)

#define VMCS_FIELDS_64(FIELD)                                                                      \
	/* Control */                                                                              \
	FIELD(IO_BITMAP_A, 0x2000)                                                                 \
	FIELD(IO_BITMAP_B, 0x2002)                                                                 \
	FIELD(MSR_BITMAPS, 0x2004)                                                                 \
	FIELD(EXIT_MSR_STORE_ADDRESS, 0x2006)                                                      \
	FIELD(EXIT_MSR_LOAD_ADDRESS, 0x2008)                                                       \
	FIELD(ENTRY_MSR_LOAD_ADDRESS, 0x200a)                                                      \
	FIELD(EXECUTIVE_VMCS_POINTER, 0x200c)                                                      \
	FIELD(PML_ADDRESS, 0x200e)                                                                 \
	FIELD(TSC_OFFSET, 0x2010)                                                                  \
	FIELD(VIRTUAL_APIC_ADDRESS, 0x2012)                                                        \
	FIELD(APIC_ACCESS_ADDRESS, 0x2014)                                                         \
	FIELD(POSTED_INTERRUPT_DESCRIPTOR, 0x2016)                                                 \
	FIELD(VM_FUNCTION_CONTROLS, 0x2018)                                                        \
	FIELD(EPT_POINTER, 0x201a)                                                                 \
	FIELD(EOI_EXIT_BITMAP_0, 0x201c)                                                           \
	FIELD(EOI_EXIT_BITMAP_1, 0x201e)                                                           \
	FIELD(EOI_EXIT_BITMAP_2, 0x2020)                                                           \
	FIELD(EOI_EXIT_BITMAP_3, 0x2022)                                                           \
	FIELD(EPTP_LIST_ADDRESS, 0x2024)                                                           \
	FIELD(VMREAD_BITMAP, 0x2026)                                                               \
	FIELD(VMWRITE_BITMAP, 0x2028)                                                              \
	FIELD(VE_INFORMATION_ADDRESS, 0x202a)                                                      \
	FIELD(XSS_EXITING_BITMAP, 0x202c)                                                          \
	FIELD(ENCLS_EXITING_BITMAP, 0x202e)                                                        \
	FIELD(SPP_TABLE_POINTER, 0x2030)                                                           \
	FIELD(TSC_MULTIPLIER, 0x2032)                                                              \
	FIELD(TERTIARY_CONTROLS, 0x2034)                                                           \
	FIELD(ENCLV_EXITING_BITMAP, 0x2036)                                                        \
	FIELD(LOW_PASID_DIRECTORY, 0x2038)                                                         \
	FIELD(HIGH_PASID_DIRECTORY, 0x203a)                                                        \
	FIELD(SHARED_EPT_POINTER, 0x203c)                                                          \
	FIELD(PCONFIG_EXITING_BITMAP, 0x203e)                                                      \
	FIELD(HLAT_POINTER, 0x2040)                                                                \
	FIELD(PID_POINTER_TABLE_ADDRESS, 0x2042)                                                   \
	FIELD(SECONDARY_EXIT_CONTROLS, 0x2044)                                                     \
	FIELD(SPEC_CTRL_MASK, 0x204a)                                                              \
	FIELD(SPEC_CTRL_SHADOW, 0x204c)                                                            \
	FIELD(INJECTED_EVENT_DATA, 0x2052)                                                         \
	/* Read-only data */                                                                       \
	FIELD(GUEST_PHYSICAL_ADDRESS, 0x2400)                                                      \
	FIELD(ORIGINAL_EVENT_DATA, 0x2404)                                                         \
	/* Guest state */                                                                          \
	FIELD(LINK_POINTER, 0x2800)                                                                \
	FIELD(GUEST_DEBUGCTL, 0x2802)                                                              \
	FIELD(GUEST_PAT, 0x2804)                                                                   \
	FIELD(GUEST_EFER, 0x2806)                                                                  \
	FIELD(GUEST_PERF_GLOBAL_CTRL, 0x2808)                                                      \
	FIELD(GUEST_PDPTE0, 0x280a)                                                                \
	FIELD(GUEST_PDPTE1, 0x280c)                                                                \
	FIELD(GUEST_PDPTE2, 0x280e)                                                                \
	FIELD(GUEST_PDPTE3, 0x2810)                                                                \
	FIELD(GUEST_BNDCFGS, 0x2812)                                                               \
	FIELD(GUEST_RTIT_CTL, 0x2814)                                                              \
	FIELD(GUEST_LBR_CTL, 0x2816)                                                               \
	FIELD(GUEST_PKRS, 0x2818)                                                                  \
	FIELD(GUEST_FRED_CONFIG, 0x281a)                                                           \
	FIELD(GUEST_FRED_RSP1, 0x281c)                                                             \
	FIELD(GUEST_FRED_RSP2, 0x281e)                                                             \
	FIELD(GUEST_FRED_RSP3, 0x2820)                                                             \
	FIELD(GUEST_FRED_STKLVLS, 0x2822)                                                          \
	FIELD(GUEST_FRED_SSP1, 0x2824)                                                             \
	FIELD(GUEST_FRED_SSP2, 0x2826)                                                             \
	FIELD(GUEST_FRED_SSP3, 0x2828)                                                             \
	/* Host state */                                                                           \
	FIELD(HOST_PAT, 0x2c00)                                                                    \
	FIELD(HOST_EFER, 0x2c02)                                                                   \
	FIELD(HOST_PERF_GLOBAL_CTRL, 0x2c04)                                                       \
	FIELD(HOST_PKRS, 0x2c06)                                                                   \
	FIELD(HOST_FRED_CONFIG, 0x2c08)                                                            \
	FIELD(HOST_FRED_RSP1, 0x2c0a)                                                              \
	FIELD(HOST_FRED_RSP2, 0x2c0c)                                                              \
	FIELD(HOST_FRED_RSP3, 0x2c0e)                                                              \
	FIELD(HOST_FRED_STKLVLS, 0x2c10)                                                           \
	FIELD(HOST_FRED_SSP1, 0x2c12)                                                              \
	FIELD(HOST_FRED_SSP2, 0x2c14)                                                              \
	FIELD(HOST_FRED_SSP3, 0x2c16)

#define VMCS_FIELDS_32(FIELD)                                                                      \
	/* Control */                                                                              \
	FIELD(PIN_CONTROLS, 0x4000)                                                                \
	FIELD(PRIMARY_CONTROLS, 0x4002)                                                            \
	FIELD(EXCEPTION_BITMAP, 0x4004)                                                            \
	FIELD(PAGE_FAULT_ERROR_MASK, 0x4006)                                                       \
	FIELD(PAGE_FAULT_ERROR_MATCH, 0x4008)                                                      \
	FIELD(CR3_TARGET_COUNT, 0x400a)                                                            \
	FIELD(EXIT_CONTROLS, 0x400c)                                                               \
	FIELD(EXIT_MSR_STORE_COUNT, 0x400e)                                                        \
	FIELD(EXIT_MSR_LOAD_COUNT, 0x4010)                                                         \
	FIELD(ENTRY_CONTROLS, 0x4012)                                                              \
	FIELD(ENTRY_MSR_LOAD_COUNT, 0x4014)                                                        \
	FIELD(ENTRY_INTERRUPTION_INFO, 0x4016)                                                     \
	FIELD(ENTRY_EXCEPTION_ERROR_CODE, 0x4018)                                                  \
	FIELD(ENTRY_INSTRUCTION_LENGTH, 0x401a)                                                    \
	FIELD(TPR_THRESHOLD, 0x401c)                                                               \
	FIELD(SECONDARY_CONTROLS, 0x401e)                                                          \
	FIELD(PLE_GAP, 0x4020)                                                                     \
	FIELD(PLE_WINDOW, 0x4022)                                                                  \
	FIELD(INSTRUCTION_TIMEOUT_CONTROL, 0x4024)                                                 \
	/* Read-only data */                                                                       \
	FIELD(INSTRUCTION_ERROR, 0x4400)                                                           \
	FIELD(EXIT_REASON, 0x4402)                                                                 \
	FIELD(EXIT_INTERRUPTION_INFO, 0x4404)                                                      \
	FIELD(EXIT_INTERRUPTION_ERROR_CODE, 0x4406)                                                \
	FIELD(IDT_VECTORING_INFO, 0x4408)                                                          \
	FIELD(IDT_VECTORING_ERROR_CODE, 0x440a)                                                    \
	FIELD(EXIT_INSTRUCTION_LENGTH, 0x440c)                                                     \
	FIELD(EXIT_INSTRUCTION_INFO, 0x440e)                                                       \
	/* Guest state */                                                                          \
	FIELD(GUEST_ES_LIMIT, 0x4800)                                                              \
	FIELD(GUEST_CS_LIMIT, 0x4802)                                                              \
	FIELD(GUEST_SS_LIMIT, 0x4804)                                                              \
	FIELD(GUEST_DS_LIMIT, 0x4806)                                                              \
	FIELD(GUEST_FS_LIMIT, 0x4808)                                                              \
	FIELD(GUEST_GS_LIMIT, 0x480a)                                                              \
	FIELD(GUEST_LDTR_LIMIT, 0x480c)                                                            \
	FIELD(GUEST_TR_LIMIT, 0x480e)                                                              \
	FIELD(GUEST_GDTR_LIMIT, 0x4810)                                                            \
	FIELD(GUEST_IDTR_LIMIT, 0x4812)                                                            \
	FIELD(GUEST_ES_ACCESS_RIGHTS, 0x4814)                                                      \
	FIELD(GUEST_CS_ACCESS_RIGHTS, 0x4816)                                                      \
	FIELD(GUEST_SS_ACCESS_RIGHTS, 0x4818)                                                      \
	FIELD(GUEST_DS_ACCESS_RIGHTS, 0x481a)                                                      \
	FIELD(GUEST_FS_ACCESS_RIGHTS, 0x481c)                                                      \
	FIELD(GUEST_GS_ACCESS_RIGHTS, 0x481e)                                                      \
	FIELD(GUEST_LDTR_ACCESS_RIGHTS, 0x4820)                                                    \
	FIELD(GUEST_TR_ACCESS_RIGHTS, 0x4822)                                                      \
	FIELD(GUEST_INTERRUPTIBILITY, 0x4824)                                                      \
	FIELD(GUEST_ACTIVITY_STATE, 0x4826)                                                        \
	FIELD(GUEST_SMBASE, 0x4828)                                                                \
	FIELD(GUEST_SYSENTER_CS, 0x482a)                                                           \
	FIELD(PREEMPTION_TIMER_VALUE, 0x482e)                                                      \
	/* Host state */                                                                           \
	FIELD(HOST_SYSENTER_CS, 0x4c00)

#define VMCS_FIELDS_NATURAL(FIELD)                                                                 \
	/* Control */                                                                              \
	FIELD(CR0_MASK, 0x6000)                                                                    \
	FIELD(CR4_MASK, 0x6002)                                                                    \
	FIELD(CR0_READ_SHADOW, 0x6004)                                                             \
	FIELD(CR4_READ_SHADOW, 0x6006)                                                             \
	FIELD(CR3_TARGET0, 0x6008)                                                                 \
	FIELD(CR3_TARGET1, 0x600a)                                                                 \
	FIELD(CR3_TARGET2, 0x600c)                                                                 \
	FIELD(CR3_TARGET3, 0x600e)                                                                 \
	/* Read-only data */                                                                       \
	FIELD(EXIT_QUALIFICATION, 0x6400)                                                          \
	FIELD(IO_RCX, 0x6402)                                                                      \
	FIELD(IO_RSI, 0x6404)                                                                      \
	FIELD(IO_RDI, 0x6406)                                                                      \
	FIELD(IO_RIP, 0x6408)                                                                      \
	FIELD(GUEST_LINEAR_ADDRESS, 0x640a)                                                        \
	/* Guest state */                                                                          \
	FIELD(GUEST_CR0, 0x6800)                                                                   \
	FIELD(GUEST_CR3, 0x6802)                                                                   \
	FIELD(GUEST_CR4, 0x6804)                                                                   \
	FIELD(GUEST_ES_BASE, 0x6806)                                                               \
	FIELD(GUEST_CS_BASE, 0x6808)                                                               \
	FIELD(GUEST_SS_BASE, 0x680a)                                                               \
	FIELD(GUEST_DS_BASE, 0x680c)                                                               \
	FIELD(GUEST_FS_BASE, 0x680e)                                                               \
	FIELD(GUEST_GS_BASE, 0x6810)                                                               \
	FIELD(GUEST_LDTR_BASE, 0x6812)                                                             \
	FIELD(GUEST_TR_BASE, 0x6814)                                                               \
	FIELD(GUEST_GDTR_BASE, 0x6816)                                                             \
	FIELD(GUEST_IDTR_BASE, 0x6818)                                                             \
	FIELD(GUEST_DR7, 0x681a)                                                                   \
	FIELD(GUEST_RSP, 0x681c)                                                                   \
	FIELD(GUEST_RIP, 0x681e)                                                                   \
	FIELD(GUEST_RFLAGS, 0x6820)                                                                \
	FIELD(GUEST_PENDING_DEBUG_EXCEPTIONS, 0x6822)                                              \
	FIELD(GUEST_SYSENTER_ESP, 0x6824)                                                          \
	FIELD(GUEST_SYSENTER_EIP, 0x6826)                                                          \
	FIELD(GUEST_S_CET, 0x6828)                                                                 \
	FIELD(GUEST_SSP, 0x682a)                                                                   \
	FIELD(GUEST_INTERRUPT_SSP_TABLE, 0x682c)                                                   \
	/* Host state */                                                                           \
	FIELD(HOST_CR0, 0x6c00)                                                                    \
	FIELD(HOST_CR3, 0x6c02)                                                                    \
	FIELD(HOST_CR4, 0x6c04)                                                                    \
	FIELD(HOST_FS_BASE, 0x6c06)                                                                \
	FIELD(HOST_GS_BASE, 0x6c08)                                                                \
	FIELD(HOST_TR_BASE, 0x6c0a)                                                                \
	FIELD(HOST_GDTR_BASE, 0x6c0c)                                                              \
	FIELD(HOST_IDTR_BASE, 0x6c0e)                                                              \
	FIELD(HOST_SYSENTER_ESP, 0x6c10)                                                           \
	FIELD(HOST_SYSENTER_EIP, 0x6c12)                                                           \
	FIELD(HOST_RSP, 0x6c14)                                                                    \
	FIELD(HOST_RIP, 0x6c16)                                                                    \
	FIELD(HOST_S_CET, 0x6c18)                                                                  \
	FIELD(HOST_SSP, 0x6c1a)                                                                    \
	FIELD(HOST_INTERRUPT_SSP_TABLE, 0x6c1c)

#define VMCS_ENUM_FIELD(name, encoding) VMCS_##name = encoding,
enum vmcs_field {
	VMCS_FIELDS_16(VMCS_ENUM_FIELD) VMCS_FIELDS_64(VMCS_ENUM_FIELD)
		VMCS_FIELDS_32(VMCS_ENUM_FIELD) VMCS_FIELDS_NATURAL(VMCS_ENUM_FIELD)
};
#undef VMCS_ENUM_FIELD

/* The distance between the same fields of two segment registers, in the order ES CS SS DS FS GS
 * LDTR TR. */
#define VMCS_SEGMENT_STEP 2

/* Bits 14:13 and 11:10 of an encoding. */
enum vmcs_width { VMCS_WIDTH_16, VMCS_WIDTH_64, VMCS_WIDTH_32, VMCS_WIDTH_NATURAL };
enum vmcs_type { VMCS_TYPE_CONTROL, VMCS_TYPE_READ_ONLY, VMCS_TYPE_GUEST, VMCS_TYPE_HOST };

static inline enum vmcs_width vmcs_field_width(uint32_t encoding)
{
	return (enum vmcs_width)(encoding >> 13 & 3);
}

static inline enum vmcs_type vmcs_field_type(uint32_t encoding)
{
	return (enum vmcs_type)(encoding >> 10 & 3);
}

/* Bits 9:1: the number among the fields of its width and type. */
static inline unsigned vmcs_field_index(uint32_t encoding)
{
	return encoding >> 1 & 0x1ff;
}

/* Bit 0: the access is to the high 32 bits of a 64-bit field. */
static inline bool vmcs_field_is_high(uint32_t encoding)
{
	return (encoding & 1) != 0;
}

/* Bits of the field's value: 16, 32 or 64. */
unsigned vmcs_field_bits(uint32_t encoding);

/* The bits that the SDM defines in an encoding; others are reserved and make it unsupported. */
#define VMCS_ENCODING_MASK 0x6fffu

struct vmcs_field_info {
	enum vmcs_field field;
	const char *name;
};

/* All the fields, by ascending encoding, for dumps. */
extern const struct vmcs_field_info vmcs_fields[];
extern const size_t vmcs_field_count;

/* The field's name, or "?". */
const char *vmcs_field_name(uint32_t encoding);
