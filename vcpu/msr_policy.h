/* SPDX-License-Identifier: BSD-2-Clause */
/* The MSR policy: a row for each architectural MSR, with what becomes of an access to it. Who
 * includes this says what a row is to him. */
#pragma once

#include "arch/x86_64/msr.h"

/*
 * RW, RO, WO(first MSR, count, with, name, why): emulated by read_NAME() and write_NAME() of
 * vcpu/msr.c, or by one of them, while the other access is #GP
 * LIVE(MSR, with, why): the guest's own while it runs, and no exit: a read or write touches nothing
 * of the host, which gets its values back from the VMCS at each exit or never uses them
 * NONE(first MSR, count, why): #GP, as an MSR that the processor does not have, and as all that has
 * no row
 *
 * has_WITH() tells whether CPUID shows the guest what brings the MSR.
 */
/* clang-format off */
#define MSR_POLICY(RW, RO, WO, LIVE, NONE)                                                        \
	RW(  IA32_P5_MC_ADDR,         2,  mce,        zero,        "no machine checks")           \
	NONE(IA32_MONITOR_FILTER_SIZE,      1,   "no MONITOR")                                    \
	RW(  IA32_TIME_STAMP_COUNTER, 1,  always,     tsc,         "the host's and an offset")    \
	RO(  IA32_PLATFORM_ID,        1,  always,     zero,        "platform 0")                  \
	NONE(IA32_APIC_BASE,                1,   "no local APIC")                                 \
	NONE(IA32_FEATURE_CONTROL,          1,   "no VMX, no SMX, no SGX")                        \
	RW(  IA32_TSC_ADJUST,         1,  tsc_adjust, tsc_adjust,  "")                            \
	NONE(IA32_SPEC_CTRL,                1,   "speculation is the host's")                     \
	NONE(IA32_PRED_CMD,                 1,   "speculation is the host's")                     \
	WO(  IA32_BIOS_UPDT_TRIG,     1,  always,     microcode,   "no update is the right one")  \
	NONE(IA32_FEATURE_ACTIVATION,       1,   "nothing to activate")                           \
	NONE(IA32_MCU_ENUMERATION,          2,   "microcode is the host's")                       \
	NONE(IA32_MKTME_KEYID_PARTITIONING, 1,   "no memory encryption")                          \
	RW(  IA32_BIOS_SIGN_ID,       1,  always,     signature,   "no microcode is loaded")      \
	NONE(IA32_SGXLEPUBKEYHASH(0),       4,   "no SGX")                                        \
	NONE(IA32_SMM_MONITOR_CTL,          1,   "no VMX")                                        \
	NONE(IA32_SMBASE,                   1,   "for SMM alone")                                 \
	NONE(IA32_MISC_PACKAGE_CTLS,        1,   "power is the host's")                           \
	NONE(IA32_XAPIC_DISABLE_STATUS,     1,   "no local APIC")                                 \
	NONE(IA32_PMC(0),                   8,   "no performance counters")                       \
	NONE(IA32_CORE_CAPABILITIES,        1,   "nothing to tell")                               \
	LIVE(IA32_UMWAIT_CONTROL, waitpkg,   "how long TPAUSE and UMWAIT last")                   \
	NONE(IA32_MPERF,                    2,   "power is the host's")                           \
	RO(  IA32_MTRRCAP,            1,  mtrr,       mtrrcap,     "8 variable, all fixed, WC")   \
	RO(  IA32_ARCH_CAPABILITIES,  1,  arch_caps,  arch_caps,   "attacks it withstands")       \
	NONE(IA32_FLUSH_CMD,                1,   "speculation is the host's")                     \
	NONE(IA32_TSX_CTRL,                 1,   "no TSX")                                        \
	NONE(IA32_MCU_OPT_CTRL,             1,   "microcode is the host's")                       \
	LIVE(IA32_SYSENTER_CS,    always,    "")                                                  \
	LIVE(IA32_SYSENTER_ESP,   always,    "")                                                  \
	LIVE(IA32_SYSENTER_EIP,   always,    "")                                                  \
	RO(  IA32_MCG_CAP,            1,  mca,        zero,        "no machine-check banks")      \
	RW(  IA32_MCG_STATUS,         1,  mca,        mcg_status,  "no machine checks")           \
	NONE(IA32_MCG_CTL,                  1,   "not in IA32_MCG_CAP")                           \
	NONE(IA32_PERFEVTSEL(0),            8,   "no performance counters")                       \
	NONE(IA32_PERF_STATUS,              5,   "power is the host's")                           \
	RW(  IA32_MISC_ENABLE,        1,  always,     misc_enable, "fast strings alone")          \
	NONE(IA32_ENERGY_PERF_BIAS,         3,   "power is the host's")                           \
	NONE(IA32_XFD,                      2,   "no AMX")                                        \
	NONE(IA32_FRED_RSP0,                9,   "no FRED")                                       \
	RW(  IA32_DEBUGCTL,           1,  always,     debugctl,    "BTF alone, no records")       \
	NONE(IA32_LER_FROM_IP,              4,   "no records of branches")                        \
	NONE(IA32_SMRR_PHYSBASE,            2,   "not in IA32_MTRRCAP")                           \
	NONE(IA32_PLATFORM_DCA_CAP,         3,   "no direct cache access")                        \
	RW(  IA32_MTRR_PHYSBASE(0),   16, mtrr,       mtrr,        "kept, to no effect")          \
	NONE(IA32_MTRR_PHYSBASE(8),         4,   "not in IA32_MTRRCAP")                           \
	RW(  IA32_MTRR_FIX64K_00000,  1,  mtrr,       mtrr,        "kept")                        \
	RW(  IA32_MTRR_FIX16K_80000,  2,  mtrr,       mtrr,        "kept")                        \
	RW(  IA32_MTRR_FIX4K_C0000,   8,  mtrr,       mtrr,        "kept")                        \
	RW(  IA32_PAT,                1,  always,     pat,         "")                            \
	NONE(IA32_MC_CTL2(0),               32,  "no machine-check banks")                        \
	NONE(IA32_INTEGRITY_STATUS,         1,   "no SGX")                                        \
	RW(  IA32_MTRR_DEF_TYPE,      1,  mtrr,       mtrr,        "kept")                        \
	NONE(IA32_FIXED_CTR(0),             7,   "no performance counters")                       \
	NONE(IA32_PERF_METRICS,             1,   "no performance counters")                       \
	NONE(IA32_PERF_CAPABILITIES,        1,   "no performance counters")                       \
	NONE(IA32_FIXED_CTR_CTRL,           6,   "no performance counters")                       \
	NONE(IA32_PEBS_ENABLE,              1,   "no performance counters")                       \
	NONE(IA32_MC_CTL(0),                116, "no machine-check banks")                        \
	NONE(IA32_VMX_BASIC,                20,  "no VMX")                                        \
	NONE(IA32_A_PMC(0),                 8,   "no performance counters")                       \
	NONE(IA32_MCG_EXT_CTL,              1,   "not in IA32_MCG_CAP")                           \
	NONE(IA32_SGX_SVN_STATUS,           1,   "no SGX")                                        \
	NONE(IA32_RTIT_OUTPUT_BASE,         2,   "no Intel PT")                                   \
	NONE(IA32_RTIT_CTL,                 3,   "no Intel PT")                                   \
	NONE(IA32_RTIT_ADDR_A(0),           8,   "no Intel PT")                                   \
	NONE(IA32_DS_AREA,                  1,   "no debug store")                                \
	NONE(IA32_U_CET,                    1,   "no CET")                                        \
	NONE(IA32_S_CET,                    1,   "no CET")                                        \
	NONE(IA32_PL0_SSP,                  5,   "no CET")                                        \
	NONE(IA32_TSC_DEADLINE,             1,   "no local APIC")                                 \
	NONE(IA32_PKRS,                     1,   "no keys for supervisor pages")                  \
	NONE(IA32_PM_ENABLE,                8,   "power is the host's")                           \
	NONE(0x800,                         256, "no local APIC")                                 \
	NONE(IA32_TME_CAPABILITY,           4,   "no memory encryption")                          \
	NONE(IA32_UINTR_RR,                 6,   "no user interrupts")                            \
	NONE(IA32_COPY_STATUS,              2,   "no Key Locker")                                 \
	NONE(IA32_DEBUG_INTERFACE,          1,   "debug interfaces are the host's")               \
	NONE(IA32_L3_QOS_CFG,               2,   "shares of caches are the host's")               \
	NONE(IA32_QM_EVTSEL,                3,   "shares of caches are the host's")               \
	NONE(IA32_L3_MASK(0),               256, "shares of caches are the host's")               \
	NONE(IA32_BNDCFGS,                  1,   "no MPX")                                        \
	NONE(IA32_COPY_LOCAL_TO_PLATFORM,   2,   "no Key Locker")                                 \
	NONE(IA32_PASID,                    1,   "no ENQCMD")                                     \
	RW(  IA32_XSS,                1,  xsaves,     zero,        "no supervisor components")    \
	NONE(IA32_PKG_HDC_CTL,              3,   "power is the host's")                           \
	NONE(IA32_LBR_INFO(0),              32,  "no records of branches")                        \
	NONE(IA32_SEAMRR_PHYS_BASE,         2,   "no SEAM")                                       \
	NONE(IA32_MCU_CONTROL,              1,   "microcode is the host's")                       \
	NONE(IA32_LBR_CTL,                  2,   "no records of branches")                        \
	NONE(IA32_LBR_FROM_IP(0),           32,  "no records of branches")                        \
	NONE(IA32_LBR_TO_IP(0),             32,  "no records of branches")                        \
	NONE(IA32_HW_FEEDBACK_PTR,          5,   "power is the host's")                           \
	NONE(IA32_UARCH_MISC_CTL,           1,   "speculation is the host's")                     \
	RW(  IA32_EFER,               1,  always,     efer,        "")                            \
	LIVE(IA32_STAR,           long_mode, "")                                                  \
	LIVE(IA32_LSTAR,          long_mode, "")                                                  \
	LIVE(IA32_CSTAR,          long_mode, "")                                                  \
	LIVE(IA32_FMASK,          long_mode, "")                                                  \
	LIVE(IA32_FS_BASE,        long_mode, "")                                                  \
	LIVE(IA32_GS_BASE,        long_mode, "")                                                  \
	LIVE(IA32_KERNEL_GS_BASE, long_mode, "")                                                  \
	LIVE(IA32_TSC_AUX,        tsc_aux,   "")
/* clang-format on */
