/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUID: leaf numbers, and the feature bits we care for as {leaf, subleaf, register, bit} (SDM
 * "CPUID"). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum cpuid_register { CPUID_EAX, CPUID_EBX, CPUID_ECX, CPUID_EDX };

/* What CPUID returns; by_register is indexed by enum cpuid_register. */
struct cpuid_result {
	union {
		struct {
			uint32_t eax, ebx, ecx, edx;
		};
		uint32_t by_register[4];
	};
};

/* Where a feature's bit is. */
struct cpuid_bit {
	uint32_t leaf;
	uint32_t subleaf;
	enum cpuid_register reg;
	unsigned bit;
};

/* How CPUID is read where tests feed their own values. */
typedef struct cpuid_result (*cpuid_reader)(uint32_t leaf, uint32_t subleaf);

#define CPUID_LEAF_VENDOR        0x00000000u
#define CPUID_LEAF_FEATURES      0x00000001u
#define CPUID_LEAF_CACHES        0x00000004u
#define CPUID_LEAF_MWAIT         0x00000005u
#define CPUID_LEAF_POWER         0x00000006u
#define CPUID_LEAF_STRUCTURED    0x00000007u
#define CPUID_LEAF_PERFMON       0x0000000au
#define CPUID_LEAF_TOPOLOGY      0x0000000bu
#define CPUID_LEAF_XSAVE         0x0000000du
#define CPUID_LEAF_SGX           0x00000012u
#define CPUID_LEAF_PT            0x00000014u
#define CPUID_LEAF_TSC           0x00000015u /* EAX:EBX crystal ratio, ECX crystal Hz */
#define CPUID_LEAF_FREQUENCY     0x00000016u /* EAX base MHz */
#define CPUID_LEAF_KEY_LOCKER    0x00000019u
#define CPUID_LEAF_LBR           0x0000001cu
#define CPUID_LEAF_AMX           0x0000001du
#define CPUID_LEAF_TOPOLOGY_V2   0x0000001fu
#define CPUID_LEAF_HYPERVISOR    0x40000000u /* EBX, ECX, EDX: the hypervisor's signature */
#define CPUID_LEAF_EXTENDED      0x80000000u
#define CPUID_LEAF_EXT_FEATURES  0x80000001u
#define CPUID_LEAF_BRAND         0x80000002u /* to 0x80000004 */
#define CPUID_LEAF_ADVANCED_PM   0x80000007u
#define CPUID_LEAF_ADDRESS_SIZES 0x80000008u /* EAX 7:0 physical, 15:8 linear address bits */
#define CPUID_LEAF_SVM           0x8000000au /* AMD */

#define CPUID_BIT(l, s, r, b)                                                                      \
	((struct cpuid_bit){.leaf = (l), .subleaf = (s), .reg = (r), .bit = (b)})

/* Leaf 1 */
#define CPUID_SSE3         CPUID_BIT(1, 0, CPUID_ECX, 0)
#define CPUID_MONITOR      CPUID_BIT(1, 0, CPUID_ECX, 3)
#define CPUID_VMX          CPUID_BIT(1, 0, CPUID_ECX, 5)
#define CPUID_SMX          CPUID_BIT(1, 0, CPUID_ECX, 6)
#define CPUID_PDCM         CPUID_BIT(1, 0, CPUID_ECX, 15)
#define CPUID_PCID         CPUID_BIT(1, 0, CPUID_ECX, 17)
#define CPUID_X2APIC       CPUID_BIT(1, 0, CPUID_ECX, 21)
#define CPUID_TSC_DEADLINE CPUID_BIT(1, 0, CPUID_ECX, 24)
#define CPUID_XSAVE        CPUID_BIT(1, 0, CPUID_ECX, 26)
#define CPUID_OSXSAVE      CPUID_BIT(1, 0, CPUID_ECX, 27)
#define CPUID_AVX          CPUID_BIT(1, 0, CPUID_ECX, 28)
#define CPUID_RDRAND       CPUID_BIT(1, 0, CPUID_ECX, 30)
#define CPUID_HYPERVISOR   CPUID_BIT(1, 0, CPUID_ECX, 31)
#define CPUID_FPU          CPUID_BIT(1, 0, CPUID_EDX, 0)
#define CPUID_VME          CPUID_BIT(1, 0, CPUID_EDX, 1)
#define CPUID_DE           CPUID_BIT(1, 0, CPUID_EDX, 2)
#define CPUID_PSE          CPUID_BIT(1, 0, CPUID_EDX, 3)
#define CPUID_TSC          CPUID_BIT(1, 0, CPUID_EDX, 4)
#define CPUID_MSR          CPUID_BIT(1, 0, CPUID_EDX, 5)
#define CPUID_PAE          CPUID_BIT(1, 0, CPUID_EDX, 6)
#define CPUID_MCE          CPUID_BIT(1, 0, CPUID_EDX, 7)
#define CPUID_APIC         CPUID_BIT(1, 0, CPUID_EDX, 9)
#define CPUID_SEP          CPUID_BIT(1, 0, CPUID_EDX, 11)
#define CPUID_MTRR         CPUID_BIT(1, 0, CPUID_EDX, 12)
#define CPUID_PGE          CPUID_BIT(1, 0, CPUID_EDX, 13)
#define CPUID_MCA          CPUID_BIT(1, 0, CPUID_EDX, 14)
#define CPUID_PAT          CPUID_BIT(1, 0, CPUID_EDX, 16)
#define CPUID_FXSR         CPUID_BIT(1, 0, CPUID_EDX, 24)
#define CPUID_HTT          CPUID_BIT(1, 0, CPUID_EDX, 28)

/* Leaf 6 */
#define CPUID_ARAT CPUID_BIT(6, 0, CPUID_EAX, 2)

/* Leaf 7 */
#define CPUID_FSGSBASE          CPUID_BIT(7, 0, CPUID_EBX, 0)
#define CPUID_TSC_ADJUST        CPUID_BIT(7, 0, CPUID_EBX, 1)
#define CPUID_SGX               CPUID_BIT(7, 0, CPUID_EBX, 2)
#define CPUID_SMEP              CPUID_BIT(7, 0, CPUID_EBX, 7)
#define CPUID_INVPCID           CPUID_BIT(7, 0, CPUID_EBX, 10)
#define CPUID_RTM               CPUID_BIT(7, 0, CPUID_EBX, 11)
#define CPUID_MPX               CPUID_BIT(7, 0, CPUID_EBX, 14)
#define CPUID_RDSEED            CPUID_BIT(7, 0, CPUID_EBX, 18)
#define CPUID_SMAP              CPUID_BIT(7, 0, CPUID_EBX, 20)
#define CPUID_PT                CPUID_BIT(7, 0, CPUID_EBX, 25)
#define CPUID_UMIP              CPUID_BIT(7, 0, CPUID_ECX, 2)
#define CPUID_PKU               CPUID_BIT(7, 0, CPUID_ECX, 3)
#define CPUID_OSPKE             CPUID_BIT(7, 0, CPUID_ECX, 4)
#define CPUID_WAITPKG           CPUID_BIT(7, 0, CPUID_ECX, 5)
#define CPUID_CET_SS            CPUID_BIT(7, 0, CPUID_ECX, 7)
#define CPUID_LA57              CPUID_BIT(7, 0, CPUID_ECX, 16)
#define CPUID_RDPID             CPUID_BIT(7, 0, CPUID_ECX, 22)
#define CPUID_KEY_LOCKER        CPUID_BIT(7, 0, CPUID_ECX, 23)
#define CPUID_BUS_LOCK_DETECT   CPUID_BIT(7, 0, CPUID_ECX, 24)
#define CPUID_ENQCMD            CPUID_BIT(7, 0, CPUID_ECX, 29)
#define CPUID_PKS               CPUID_BIT(7, 0, CPUID_ECX, 31)
#define CPUID_UINTR             CPUID_BIT(7, 0, CPUID_EDX, 5)
#define CPUID_MD_CLEAR          CPUID_BIT(7, 0, CPUID_EDX, 10)
#define CPUID_HYBRID            CPUID_BIT(7, 0, CPUID_EDX, 15)
#define CPUID_PCONFIG           CPUID_BIT(7, 0, CPUID_EDX, 18)
#define CPUID_ARCH_LBR          CPUID_BIT(7, 0, CPUID_EDX, 19)
#define CPUID_CET_IBT           CPUID_BIT(7, 0, CPUID_EDX, 20)
#define CPUID_IBRS_IBPB         CPUID_BIT(7, 0, CPUID_EDX, 26) /* IA32_SPEC_CTRL, IA32_PRED_CMD */
#define CPUID_STIBP             CPUID_BIT(7, 0, CPUID_EDX, 27)
#define CPUID_L1D_FLUSH         CPUID_BIT(7, 0, CPUID_EDX, 28) /* IA32_FLUSH_CMD */
#define CPUID_ARCH_CAPABILITIES CPUID_BIT(7, 0, CPUID_EDX, 29)
#define CPUID_CORE_CAPABILITIES CPUID_BIT(7, 0, CPUID_EDX, 30)
#define CPUID_SSBD              CPUID_BIT(7, 0, CPUID_EDX, 31)
#define CPUID_LASS              CPUID_BIT(7, 1, CPUID_EAX, 6)
#define CPUID_FRED              CPUID_BIT(7, 1, CPUID_EAX, 17)
#define CPUID_LAM               CPUID_BIT(7, 1, CPUID_EAX, 26)
#define CPUID_MSRLIST           CPUID_BIT(7, 1, CPUID_EAX, 27)
#define CPUID_PSFD              CPUID_BIT(7, 2, CPUID_EDX, 0)
#define CPUID_IPRED_CTRL        CPUID_BIT(7, 2, CPUID_EDX, 1)
#define CPUID_RRSBA_CTRL        CPUID_BIT(7, 2, CPUID_EDX, 2)
#define CPUID_BHI_CTRL          CPUID_BIT(7, 2, CPUID_EDX, 4)

/* Leaf 0dh */
#define CPUID_XSAVEOPT CPUID_BIT(0xd, 1, CPUID_EAX, 0)
#define CPUID_XSAVEC   CPUID_BIT(0xd, 1, CPUID_EAX, 1)
#define CPUID_XSAVES   CPUID_BIT(0xd, 1, CPUID_EAX, 3)

/* Leaf 14h */
#define CPUID_PT_CR3_FILTER CPUID_BIT(0x14, 0, CPUID_EBX, 0)

/* Extended leaves */
#define CPUID_SVM           CPUID_BIT(0x80000001u, 0, CPUID_ECX, 2) /* AMD */
#define CPUID_SYSCALL       CPUID_BIT(0x80000001u, 0, CPUID_EDX, 11)
#define CPUID_NX            CPUID_BIT(0x80000001u, 0, CPUID_EDX, 20)
#define CPUID_PAGE_1G       CPUID_BIT(0x80000001u, 0, CPUID_EDX, 26)
#define CPUID_RDTSCP        CPUID_BIT(0x80000001u, 0, CPUID_EDX, 27)
#define CPUID_LONG_MODE     CPUID_BIT(0x80000001u, 0, CPUID_EDX, 29)
#define CPUID_INVARIANT_TSC CPUID_BIT(0x80000007u, 0, CPUID_EDX, 8)
#define CPUID_WBNOINVD      CPUID_BIT(0x80000008u, 0, CPUID_EBX, 9)

/* The feature's bit in what its leaf and subleaf returned. */
static inline bool cpuid_result_has(struct cpuid_result result, struct cpuid_bit feature)
{
	return (result.by_register[feature.reg] >> feature.bit & 1) != 0;
}

/* Whether the CPU has a feature: its leaf exists, its subleaf exists (leaf 7 counts them), and the
 * bit is set. */
bool cpuid_has(cpuid_reader read, struct cpuid_bit feature);

/* The highest leaf of the range (basic, hypervisor or extended) that a leaf is in, or 0 when that
 * range is absent. */
uint32_t cpuid_max_leaf(cpuid_reader read, uint32_t leaf);

/* The 12 characters of EBX, EDX, ECX of leaf 0, such as "GenuineIntel", and a zero. */
void cpuid_vendor(cpuid_reader read, char text[13]);

/* The 12 characters of EBX, ECX, EDX of leaf 40000000h, such as "KVMKVMKVM"; bytes that do not
 * print become '?'. */
void cpuid_hypervisor(cpuid_reader read, char text[13]);
