/* SPDX-License-Identifier: BSD-2-Clause */
/* Model-specific registers: numbers, names for traces, and those with fields decoded (SDM
 * "Model-Specific Registers"). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86_64/bits.h"

/*
 * The list of MSRs by number: ENTRY(name, number). It makes enum msr here and the table of names in
 * msr.c. The families with an index (MTRRs, machine-check banks, x2APIC, ...) follow as macros.
 */
#define MSR_LIST(ENTRY)                                                                            \
	ENTRY(IA32_P5_MC_ADDR, 0x0)                                                                \
	ENTRY(IA32_P5_MC_TYPE, 0x1)                                                                \
	ENTRY(IA32_MONITOR_FILTER_SIZE, 0x6)                                                       \
	ENTRY(IA32_TIME_STAMP_COUNTER, 0x10)                                                       \
	ENTRY(IA32_PLATFORM_ID, 0x17)                                                              \
	ENTRY(IA32_APIC_BASE, 0x1b)                                                                \
	ENTRY(IA32_FEATURE_CONTROL, 0x3a)                                                          \
	ENTRY(IA32_TSC_ADJUST, 0x3b)                                                               \
	ENTRY(IA32_SPEC_CTRL, 0x48)                                                                \
	ENTRY(IA32_PRED_CMD, 0x49)                                                                 \
	ENTRY(IA32_BIOS_UPDT_TRIG, 0x79)                                                           \
	ENTRY(IA32_FEATURE_ACTIVATION, 0x7a)                                                       \
	ENTRY(IA32_MCU_ENUMERATION, 0x7b)                                                          \
	ENTRY(IA32_MCU_STATUS, 0x7c)                                                               \
	ENTRY(IA32_MKTME_KEYID_PARTITIONING, 0x87)                                                 \
	ENTRY(IA32_BIOS_SIGN_ID, 0x8b)                                                             \
	ENTRY(IA32_SMM_MONITOR_CTL, 0x9b)                                                          \
	ENTRY(IA32_SMBASE, 0x9e)                                                                   \
	ENTRY(IA32_MISC_PACKAGE_CTLS, 0xbc)                                                        \
	ENTRY(IA32_XAPIC_DISABLE_STATUS, 0xbd)                                                     \
	ENTRY(IA32_CORE_CAPABILITIES, 0xcf)                                                        \
	ENTRY(IA32_UMWAIT_CONTROL, 0xe1)                                                           \
	ENTRY(IA32_MPERF, 0xe7)                                                                    \
	ENTRY(IA32_APERF, 0xe8)                                                                    \
	ENTRY(IA32_MTRRCAP, 0xfe)                                                                  \
	ENTRY(IA32_ARCH_CAPABILITIES, 0x10a)                                                       \
	ENTRY(IA32_FLUSH_CMD, 0x10b)                                                               \
	ENTRY(IA32_TSX_CTRL, 0x122)                                                                \
	ENTRY(IA32_MCU_OPT_CTRL, 0x123)                                                            \
	ENTRY(IA32_SYSENTER_CS, 0x174)                                                             \
	ENTRY(IA32_SYSENTER_ESP, 0x175)                                                            \
	ENTRY(IA32_SYSENTER_EIP, 0x176)                                                            \
	ENTRY(IA32_MCG_CAP, 0x179)                                                                 \
	ENTRY(IA32_MCG_STATUS, 0x17a)                                                              \
	ENTRY(IA32_MCG_CTL, 0x17b)                                                                 \
	ENTRY(IA32_PERF_STATUS, 0x198)                                                             \
	ENTRY(IA32_PERF_CTL, 0x199)                                                                \
	ENTRY(IA32_CLOCK_MODULATION, 0x19a)                                                        \
	ENTRY(IA32_THERM_INTERRUPT, 0x19b)                                                         \
	ENTRY(IA32_THERM_STATUS, 0x19c)                                                            \
	ENTRY(IA32_MISC_ENABLE, 0x1a0)                                                             \
	ENTRY(IA32_ENERGY_PERF_BIAS, 0x1b0)                                                        \
	ENTRY(IA32_PACKAGE_THERM_STATUS, 0x1b1)                                                    \
	ENTRY(IA32_PACKAGE_THERM_INTERRUPT, 0x1b2)                                                 \
	ENTRY(IA32_XFD, 0x1c4)                                                                     \
	ENTRY(IA32_XFD_ERR, 0x1c5)                                                                 \
	ENTRY(IA32_FRED_RSP0, 0x1cc)                                                               \
	ENTRY(IA32_FRED_RSP1, 0x1cd)                                                               \
	ENTRY(IA32_FRED_RSP2, 0x1ce)                                                               \
	ENTRY(IA32_FRED_RSP3, 0x1cf)                                                               \
	ENTRY(IA32_FRED_STKLVLS, 0x1d0)                                                            \
	ENTRY(IA32_FRED_SSP1, 0x1d1)                                                               \
	ENTRY(IA32_FRED_SSP2, 0x1d2)                                                               \
	ENTRY(IA32_FRED_SSP3, 0x1d3)                                                               \
	ENTRY(IA32_FRED_CONFIG, 0x1d4)                                                             \
	ENTRY(IA32_DEBUGCTL, 0x1d9)                                                                \
	ENTRY(IA32_LER_FROM_IP, 0x1dd)                                                             \
	ENTRY(IA32_LER_TO_IP, 0x1de)                                                               \
	ENTRY(IA32_LER_INFO, 0x1e0)                                                                \
	ENTRY(IA32_SMRR_PHYSBASE, 0x1f2)                                                           \
	ENTRY(IA32_SMRR_PHYSMASK, 0x1f3)                                                           \
	ENTRY(IA32_PLATFORM_DCA_CAP, 0x1f8)                                                        \
	ENTRY(IA32_CPU_DCA_CAP, 0x1f9)                                                             \
	ENTRY(IA32_DCA_0_CAP, 0x1fa)                                                               \
	ENTRY(IA32_MTRR_FIX64K_00000, 0x250)                                                       \
	ENTRY(IA32_MTRR_FIX16K_80000, 0x258)                                                       \
	ENTRY(IA32_MTRR_FIX16K_A0000, 0x259)                                                       \
	ENTRY(IA32_MTRR_FIX4K_C0000, 0x268)                                                        \
	ENTRY(IA32_MTRR_FIX4K_C8000, 0x269)                                                        \
	ENTRY(IA32_MTRR_FIX4K_D0000, 0x26a)                                                        \
	ENTRY(IA32_MTRR_FIX4K_D8000, 0x26b)                                                        \
	ENTRY(IA32_MTRR_FIX4K_E0000, 0x26c)                                                        \
	ENTRY(IA32_MTRR_FIX4K_E8000, 0x26d)                                                        \
	ENTRY(IA32_MTRR_FIX4K_F0000, 0x26e)                                                        \
	ENTRY(IA32_MTRR_FIX4K_F8000, 0x26f)                                                        \
	ENTRY(IA32_PAT, 0x277)                                                                     \
	ENTRY(IA32_INTEGRITY_STATUS, 0x2dc)                                                        \
	ENTRY(IA32_MTRR_DEF_TYPE, 0x2ff)                                                           \
	ENTRY(IA32_PERF_METRICS, 0x329)                                                            \
	ENTRY(IA32_PERF_CAPABILITIES, 0x345)                                                       \
	ENTRY(IA32_FIXED_CTR_CTRL, 0x38d)                                                          \
	ENTRY(IA32_PERF_GLOBAL_STATUS, 0x38e)                                                      \
	ENTRY(IA32_PERF_GLOBAL_CTRL, 0x38f)                                                        \
	ENTRY(IA32_PERF_GLOBAL_STATUS_RESET, 0x390)                                                \
	ENTRY(IA32_PERF_GLOBAL_STATUS_SET, 0x391)                                                  \
	ENTRY(IA32_PERF_GLOBAL_INUSE, 0x392)                                                       \
	ENTRY(IA32_PEBS_ENABLE, 0x3f1)                                                             \
	ENTRY(IA32_VMX_BASIC, 0x480)                                                               \
	ENTRY(IA32_VMX_PINBASED_CTLS, 0x481)                                                       \
	ENTRY(IA32_VMX_PROCBASED_CTLS, 0x482)                                                      \
	ENTRY(IA32_VMX_EXIT_CTLS, 0x483)                                                           \
	ENTRY(IA32_VMX_ENTRY_CTLS, 0x484)                                                          \
	ENTRY(IA32_VMX_MISC, 0x485)                                                                \
	ENTRY(IA32_VMX_CR0_FIXED0, 0x486)                                                          \
	ENTRY(IA32_VMX_CR0_FIXED1, 0x487)                                                          \
	ENTRY(IA32_VMX_CR4_FIXED0, 0x488)                                                          \
	ENTRY(IA32_VMX_CR4_FIXED1, 0x489)                                                          \
	ENTRY(IA32_VMX_VMCS_ENUM, 0x48a)                                                           \
	ENTRY(IA32_VMX_PROCBASED_CTLS2, 0x48b)                                                     \
	ENTRY(IA32_VMX_EPT_VPID_CAP, 0x48c)                                                        \
	ENTRY(IA32_VMX_TRUE_PINBASED_CTLS, 0x48d)                                                  \
	ENTRY(IA32_VMX_TRUE_PROCBASED_CTLS, 0x48e)                                                 \
	ENTRY(IA32_VMX_TRUE_EXIT_CTLS, 0x48f)                                                      \
	ENTRY(IA32_VMX_TRUE_ENTRY_CTLS, 0x490)                                                     \
	ENTRY(IA32_VMX_VMFUNC, 0x491)                                                              \
	ENTRY(IA32_VMX_PROCBASED_CTLS3, 0x492)                                                     \
	ENTRY(IA32_VMX_EXIT_CTLS2, 0x493)                                                          \
	ENTRY(IA32_MCG_EXT_CTL, 0x4d0)                                                             \
	ENTRY(IA32_SGX_SVN_STATUS, 0x500)                                                          \
	ENTRY(IA32_RTIT_OUTPUT_BASE, 0x560)                                                        \
	ENTRY(IA32_RTIT_OUTPUT_MASK_PTRS, 0x561)                                                   \
	ENTRY(IA32_RTIT_CTL, 0x570)                                                                \
	ENTRY(IA32_RTIT_STATUS, 0x571)                                                             \
	ENTRY(IA32_RTIT_CR3_MATCH, 0x572)                                                          \
	ENTRY(IA32_DS_AREA, 0x600)                                                                 \
	ENTRY(IA32_U_CET, 0x6a0)                                                                   \
	ENTRY(IA32_S_CET, 0x6a2)                                                                   \
	ENTRY(IA32_PL0_SSP, 0x6a4)                                                                 \
	ENTRY(IA32_PL1_SSP, 0x6a5)                                                                 \
	ENTRY(IA32_PL2_SSP, 0x6a6)                                                                 \
	ENTRY(IA32_PL3_SSP, 0x6a7)                                                                 \
	ENTRY(IA32_INTERRUPT_SSP_TABLE_ADDR, 0x6a8)                                                \
	ENTRY(IA32_TSC_DEADLINE, 0x6e0)                                                            \
	ENTRY(IA32_PKRS, 0x6e1)                                                                    \
	ENTRY(IA32_PM_ENABLE, 0x770)                                                               \
	ENTRY(IA32_HWP_CAPABILITIES, 0x771)                                                        \
	ENTRY(IA32_HWP_REQUEST_PKG, 0x772)                                                         \
	ENTRY(IA32_HWP_INTERRUPT, 0x773)                                                           \
	ENTRY(IA32_HWP_REQUEST, 0x774)                                                             \
	ENTRY(IA32_HWP_PECI_REQUEST_INFO, 0x775)                                                   \
	ENTRY(IA32_HWP_CTL, 0x776)                                                                 \
	ENTRY(IA32_HWP_STATUS, 0x777)                                                              \
	ENTRY(IA32_X2APIC_APICID, 0x802)                                                           \
	ENTRY(IA32_X2APIC_VERSION, 0x803)                                                          \
	ENTRY(IA32_X2APIC_TPR, 0x808)                                                              \
	ENTRY(IA32_X2APIC_PPR, 0x80a)                                                              \
	ENTRY(IA32_X2APIC_EOI, 0x80b)                                                              \
	ENTRY(IA32_X2APIC_LDR, 0x80d)                                                              \
	ENTRY(IA32_X2APIC_SIVR, 0x80f)                                                             \
	ENTRY(IA32_X2APIC_ESR, 0x828)                                                              \
	ENTRY(IA32_X2APIC_LVT_CMCI, 0x82f)                                                         \
	ENTRY(IA32_X2APIC_ICR, 0x830)                                                              \
	ENTRY(IA32_X2APIC_LVT_TIMER, 0x832)                                                        \
	ENTRY(IA32_X2APIC_LVT_THERMAL, 0x833)                                                      \
	ENTRY(IA32_X2APIC_LVT_PMI, 0x834)                                                          \
	ENTRY(IA32_X2APIC_LVT_LINT0, 0x835)                                                        \
	ENTRY(IA32_X2APIC_LVT_LINT1, 0x836)                                                        \
	ENTRY(IA32_X2APIC_LVT_ERROR, 0x837)                                                        \
	ENTRY(IA32_X2APIC_INIT_COUNT, 0x838)                                                       \
	ENTRY(IA32_X2APIC_CUR_COUNT, 0x839)                                                        \
	ENTRY(IA32_X2APIC_DIV_CONF, 0x83e)                                                         \
	ENTRY(IA32_X2APIC_SELF_IPI, 0x83f)                                                         \
	ENTRY(IA32_TME_CAPABILITY, 0x981)                                                          \
	ENTRY(IA32_TME_ACTIVATE, 0x982)                                                            \
	ENTRY(IA32_TME_EXCLUDE_MASK, 0x983)                                                        \
	ENTRY(IA32_TME_EXCLUDE_BASE, 0x984)                                                        \
	ENTRY(IA32_UINTR_RR, 0x985)                                                                \
	ENTRY(IA32_UINTR_HANDLER, 0x986)                                                           \
	ENTRY(IA32_UINTR_STACKADJUST, 0x987)                                                       \
	ENTRY(IA32_UINTR_MISC, 0x988)                                                              \
	ENTRY(IA32_UINTR_PD, 0x989)                                                                \
	ENTRY(IA32_UINTR_TT, 0x98a)                                                                \
	ENTRY(IA32_COPY_STATUS, 0x990)                                                             \
	ENTRY(IA32_IWKEYBACKUP_STATUS, 0x991)                                                      \
	ENTRY(IA32_DEBUG_INTERFACE, 0xc80)                                                         \
	ENTRY(IA32_L3_QOS_CFG, 0xc81)                                                              \
	ENTRY(IA32_L2_QOS_CFG, 0xc82)                                                              \
	ENTRY(IA32_QM_EVTSEL, 0xc8d)                                                               \
	ENTRY(IA32_QM_CTR, 0xc8e)                                                                  \
	ENTRY(IA32_PQR_ASSOC, 0xc8f)                                                               \
	ENTRY(IA32_BNDCFGS, 0xd90)                                                                 \
	ENTRY(IA32_COPY_LOCAL_TO_PLATFORM, 0xd91)                                                  \
	ENTRY(IA32_COPY_PLATFORM_TO_LOCAL, 0xd92)                                                  \
	ENTRY(IA32_PASID, 0xd93)                                                                   \
	ENTRY(IA32_XSS, 0xda0)                                                                     \
	ENTRY(IA32_PKG_HDC_CTL, 0xdb0)                                                             \
	ENTRY(IA32_PM_CTL1, 0xdb1)                                                                 \
	ENTRY(IA32_THREAD_STALL, 0xdb2)                                                            \
	ENTRY(IA32_SEAMRR_PHYS_BASE, 0x1400)                                                       \
	ENTRY(IA32_SEAMRR_PHYS_MASK, 0x1401)                                                       \
	ENTRY(IA32_MCU_CONTROL, 0x1406)                                                            \
	ENTRY(IA32_LBR_CTL, 0x14ce)                                                                \
	ENTRY(IA32_LBR_DEPTH, 0x14cf)                                                              \
	ENTRY(IA32_HW_FEEDBACK_PTR, 0x17d0)                                                        \
	ENTRY(IA32_HW_FEEDBACK_CONFIG, 0x17d1)                                                     \
	ENTRY(IA32_THREAD_FEEDBACK_CHAR, 0x17d2)                                                   \
	ENTRY(IA32_HW_FEEDBACK_THREAD_CONFIG, 0x17d4)                                              \
	ENTRY(IA32_UARCH_MISC_CTL, 0x1b01)                                                         \
	ENTRY(IA32_EFER, 0xc0000080)                                                               \
	ENTRY(IA32_STAR, 0xc0000081)                                                               \
	ENTRY(IA32_LSTAR, 0xc0000082)                                                              \
	ENTRY(IA32_CSTAR, 0xc0000083)                                                              \
	ENTRY(IA32_FMASK, 0xc0000084)                                                              \
	ENTRY(IA32_FS_BASE, 0xc0000100)                                                            \
	ENTRY(IA32_GS_BASE, 0xc0000101)                                                            \
	ENTRY(IA32_KERNEL_GS_BASE, 0xc0000102)                                                     \
	ENTRY(IA32_TSC_AUX, 0xc0000103)

#define MSR_ENUM_ENTRY(name, number) name = number,
enum msr { MSR_LIST(MSR_ENUM_ENTRY) };
#undef MSR_ENUM_ENTRY

/* Families with an index. */
#define IA32_MTRR_PHYSBASE(n)   (0x200u + 2 * (n))
#define IA32_MTRR_PHYSMASK(n)   (0x201u + 2 * (n))
#define IA32_SGXLEPUBKEYHASH(n) (0x8cu + (n))
#define IA32_PMC(n)             (0xc1u + (n))
#define IA32_PERFEVTSEL(n)      (0x186u + (n))
#define IA32_MC_CTL2(n)         (0x280u + (n))
#define IA32_FIXED_CTR(n)       (0x309u + (n))
#define IA32_MC_CTL(n)          (0x400u + 4 * (n))
#define IA32_MC_STATUS(n)       (0x401u + 4 * (n))
#define IA32_MC_ADDR(n)         (0x402u + 4 * (n))
#define IA32_MC_MISC(n)         (0x403u + 4 * (n))
#define IA32_A_PMC(n)           (0x4c1u + (n))
#define IA32_RTIT_ADDR_A(n)     (0x580u + 2 * (n))
#define IA32_RTIT_ADDR_B(n)     (0x581u + 2 * (n))
#define IA32_X2APIC_ISR(n)      (0x810u + (n))
#define IA32_X2APIC_TMR(n)      (0x818u + (n))
#define IA32_X2APIC_IRR(n)      (0x820u + (n))
#define IA32_L3_MASK(n)         (0xc90u + (n))
#define IA32_L2_MASK(n)         (0xd10u + (n))
#define IA32_LBR_INFO(n)        (0x1200u + (n))
#define IA32_LBR_FROM_IP(n)     (0x1500u + (n))
#define IA32_LBR_TO_IP(n)       (0x1600u + (n))

#define MSR_NAME_MAX 40

/*
 * The name of an MSR, for traces: from the list, or with its index for a family
 * ("IA32_MTRR_PHYSMASK3"), which is written into buffer. NULL when it has no name.
 */
const char *msr_name(uint32_t msr, char buffer[MSR_NAME_MAX]);

/* How MSRs are read and written where a fault is an answer (false: #GP), and where tests feed their
 * own values. */
typedef bool (*msr_reader)(uint32_t msr, uint64_t *value);
typedef bool (*msr_writer)(uint32_t msr, uint64_t value);

/* IA32_APIC_BASE */
#define APIC_BASE_BSP    BIT(8)
#define APIC_BASE_X2APIC BIT(10)
#define APIC_BASE_ENABLE BIT(11)

/* IA32_SPEC_CTRL, IA32_PRED_CMD, IA32_FLUSH_CMD */
#define SPEC_CTRL_IBRS      BIT(0)
#define SPEC_CTRL_STIBP     BIT(1)
#define SPEC_CTRL_SSBD      BIT(2)
#define SPEC_CTRL_BHI_DIS_S BIT(10)
#define PRED_CMD_IBPB       BIT(0)
#define FLUSH_CMD_L1D_FLUSH BIT(0)

/* IA32_TSX_CTRL */
#define TSX_CTRL_RTM_DISABLE BIT(0)

/* IA32_ARCH_CAPABILITIES: what this CPU does not suffer from, or can do about it. */
#define ARCH_CAP_RDCL_NO              BIT(0) /* not Meltdown, not L1TF */
#define ARCH_CAP_IBRS_ALL             BIT(1)
#define ARCH_CAP_RSBA                 BIT(2)
#define ARCH_CAP_SKIP_L1DFL_VMENTRY   BIT(3)
#define ARCH_CAP_SSB_NO               BIT(4)
#define ARCH_CAP_MDS_NO               BIT(5)
#define ARCH_CAP_IF_PSCHANGE_MC_NO    BIT(6) /* no iTLB multi-hit machine check */
#define ARCH_CAP_TSX_CTRL             BIT(7)
#define ARCH_CAP_TAA_NO               BIT(8)
#define ARCH_CAP_SBDR_SSDP_NO         BIT(13)
#define ARCH_CAP_FBSDP_NO             BIT(14)
#define ARCH_CAP_PSDP_NO              BIT(15)
#define ARCH_CAP_FB_CLEAR             BIT(17)
#define ARCH_CAP_RRSBA                BIT(19)
#define ARCH_CAP_BHI_NO               BIT(20)
#define ARCH_CAP_XAPIC_DISABLE_STATUS BIT(21)
#define ARCH_CAP_PBRSB_NO             BIT(24)
#define ARCH_CAP_GDS_NO               BIT(26)
#define ARCH_CAP_RFDS_NO              BIT(27)
#define ARCH_CAP_RFDS_CLEAR           BIT(28)

/* IA32_MISC_ENABLE */
#define MISC_ENABLE_FAST_STRINGS BIT(0)
#define MISC_ENABLE_BTS_UNAVAIL  BIT(11)
#define MISC_ENABLE_PEBS_UNAVAIL BIT(12)
#define MISC_ENABLE_MONITOR      BIT(18)
#define MISC_ENABLE_LIMIT_CPUID  BIT(22)
#define MISC_ENABLE_XTPR_DISABLE BIT(23)

/* IA32_MCG_STATUS */
#define MCG_STATUS_RIPV BIT(0)
#define MCG_STATUS_EIPV BIT(1)
#define MCG_STATUS_MCIP BIT(2)

/* IA32_DEBUGCTL */
#define DEBUGCTL_LBR           BIT(0)
#define DEBUGCTL_BTF           BIT(1)
#define DEBUGCTL_BUS_LOCK      BIT(2)
#define DEBUGCTL_TR            BIT(6)
#define DEBUGCTL_BTS           BIT(7)
#define DEBUGCTL_BTINT         BIT(8)
#define DEBUGCTL_FREEZE_IN_SMM BIT(14)
#define DEBUGCTL_RTM           BIT(15)

/* Memory types, as in PAT, MTRRs, EPT entries and VMX_BASIC. */
enum memory_type {
	MEMORY_UC = 0,
	MEMORY_WC = 1,
	MEMORY_WT = 4,
	MEMORY_WP = 5,
	MEMORY_WB = 6,
	MEMORY_UC_MINUS = 7, /* in PAT only */
};

/* "UC", "WB", ...; "?" for a number that has no meaning. */
const char *memory_type_name(unsigned type);

/* The value of IA32_PAT after a reset: WB, WT, UC-, UC twice. */
#define PAT_RESET 0x0007040600070406ull

/* IA32_FEATURE_CONTROL */
#define FEATURE_CONTROL_LOCK            BIT(0)
#define FEATURE_CONTROL_VMX_IN_SMX      BIT(1)
#define FEATURE_CONTROL_VMX_OUTSIDE_SMX BIT(2)
#define FEATURE_CONTROL_SENTER_LOCAL    (0x7full << 8)
#define FEATURE_CONTROL_SENTER_GLOBAL   BIT(15)
#define FEATURE_CONTROL_SGX_LAUNCH      BIT(17)
#define FEATURE_CONTROL_SGX             BIT(18)
#define FEATURE_CONTROL_LMCE            BIT(20)

struct feature_control {
	bool locked;          /* no more writes until the next reset */
	bool vmx_in_smx;      /* VMXON works in SMX operation (after GETSEC[SENTER]) */
	bool vmx_outside_smx; /* VMXON works otherwise */
};

struct feature_control feature_control_decode(uint64_t value);

/* IA32_VMX_BASIC (SDM "Basic VMX Information") */
struct vmx_basic {
	uint32_t revision;        /* VMCS revision identifier, 31 bits */
	uint32_t region_size;     /* bytes of a VMXON or VMCS region, at most 4096 */
	bool addresses_32bit;     /* structures must lie below 4 GiB: CPUs without Intel 64 */
	bool dual_monitor;        /* dual-monitor treatment of SMIs and SMM */
	unsigned memory_type;     /* to access VMCS and what it points to: enum memory_type */
	bool ins_outs_info;       /* exits by INS and OUTS tell instruction information */
	bool true_controls;       /* the IA32_VMX_TRUE_* MSRs exist */
	bool any_exception_error; /* bit 56: a hardware exception may be injected with or without
				     error code */
	bool nested_exception;    /* bit 58: FRED's nested-exception bit in event information */
};

struct vmx_basic vmx_basic_decode(uint64_t value);

/* IA32_VMX_MISC (SDM "Miscellaneous Data") */
struct vmx_misc {
	unsigned
		preemption_timer_shift; /* the timer counts down when this bit of the TSC changes */
	bool stores_lma;                /* exits store EFER.LMA into "IA-32e mode guest" */
	bool activity_hlt, activity_shutdown, activity_wait_for_sipi;
	bool pt_in_vmx;             /* Intel PT may be used in VMX operation */
	bool smbase_in_smm;         /* RDMSR of IA32_SMBASE in SMM */
	unsigned cr3_targets;       /* CR3-target values, 0 to 256 */
	unsigned msr_list_max;      /* recommended limit of entries in an MSR list */
	bool smm_monitor_ctl_bit2;  /* VMXOFF can unblock SMIs */
	bool vmwrite_any;           /* VMWRITE reaches the read-only fields too */
	bool zero_length_injection; /* software events may be injected with instruction length 0 */
	uint32_t mseg_revision;
};

struct vmx_misc vmx_misc_decode(uint64_t value);

/* IA32_VMX_EPT_VPID_CAP (SDM "VPID and EPT Capabilities") */
struct ept_vpid_cap {
	bool execute_only;         /* an EPT entry may be X without R */
	bool walk_4, walk_5;       /* page-walk lengths */
	bool memory_uc, memory_wb; /* memory types for the EPT tables themselves */
	bool pages_2m, pages_1g;
	bool accessed_dirty;
	bool advanced_exit_info; /* exit qualification of EPT violations: bits 9-11 */
	bool supervisor_shadow_stack;
	bool invept, invept_single, invept_all;
	bool invvpid, invvpid_address, invvpid_single, invvpid_all, invvpid_retaining_globals;
	unsigned hlat_prefix_max;
};

struct ept_vpid_cap ept_vpid_cap_decode(uint64_t value);
