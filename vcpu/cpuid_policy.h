/* SPDX-License-Identifier: BSD-2-Clause */
/* The CPUID policy: a row for each leaf that a guest sees, and for each feature bit that has a
 * name. Who includes this says what a row is to him. */
#pragma once

/*
 * LEAF(leaf, subleaves that are kept, or 0 if ECX is not looked at, COPY: the host's values as they
 * are, or BITS: through the rows below, what is put in at the exit, what it tells)
 *
 * Leaves without a row read as zeros up to the last one; what is above answers as the last basic
 * leaf. Some values are made by adjust() of vcpu/cpuid.c, which has the reasons.
 */
/* clang-format off */
#define CPUID_LEAF_POLICY(LEAF)                                                                   \
	LEAF(0,          0, COPY, NONE,    "the last leaf, 0Dh at most, and the vendor")          \
	LEAF(1,          0, BITS, OSXSAVE, "signature, CLFLUSH size, APIC ID 0, features")        \
	LEAF(2,          0, COPY, NONE,    "caches and TLBs: the host's, the guest runs on them") \
	LEAF(4,          8, COPY, NONE,    "caches again, shared with nobody")                    \
	LEAF(7,          2, BITS, OSPKE,   "features; 1 is the last subleaf")                     \
	LEAF(0xb,        2, BITS, NONE,    "topology: one thread, one core")                      \
	LEAF(0xd,       10, BITS, XSAVE,   "state components of XCR0 and their sizes")            \
	LEAF(0x80000000, 0, COPY, NONE,    "the last leaf, 80000008h at most")                    \
	LEAF(0x80000001, 0, BITS, SYSCALL, "features; SYSCALL is shown to 64-bit code alone")     \
	LEAF(0x80000002, 0, COPY, NONE,    "the host's name")                                     \
	LEAF(0x80000003, 0, COPY, NONE,    "the same")                                            \
	LEAF(0x80000004, 0, COPY, NONE,    "the same")                                            \
	LEAF(0x80000005, 0, COPY, NONE,    "reserved")                                            \
	LEAF(0x80000006, 0, COPY, NONE,    "the second cache: the host's")                        \
	LEAF(0x80000007, 0, BITS, NONE,    "the invariant TSC")                                   \
	LEAF(0x80000008, 0, BITS, NONE,    "physical address bits: the host's; 48 linear ones")

/*
 * SHOW(leaf, subleaf, register, bit, needs, name): seen if the host has it, and what it needs is
 * there: a control of the backend, or a state component that the guest may enable in XCR0
 * HIDE(leaf, subleaf, register, bit, name, why): 0. So is what has no row.
 */
#define CPUID_FEATURE_POLICY(SHOW, HIDE)                                                          \
	SHOW(1, 0, ECX, 0,             NOTHING, "SSE3")                                           \
	SHOW(1, 0, ECX, 1,             NOTHING, "PCLMULQDQ")                                      \
	HIDE(1, 0, ECX, 2,             "DTES64",               "no debug store")                  \
	HIDE(1, 0, ECX, 3,             "MONITOR",              "waiting is HLT's")                \
	HIDE(1, 0, ECX, 4,             "DS-CPL",               "no debug store")                  \
	HIDE(1, 0, ECX, 5,             "VMX",                  "no VMX in a guest")               \
	HIDE(1, 0, ECX, 6,             "SMX",                  "no SMX in a guest")               \
	HIDE(1, 0, ECX, 7,             "EIST",                 "power is the host's")             \
	HIDE(1, 0, ECX, 8,             "TM2",                  "power is the host's")             \
	SHOW(1, 0, ECX, 9,             NOTHING, "SSSE3")                                          \
	HIDE(1, 0, ECX, 10,            "CNXT-ID",              "a choice of the firmware's")      \
	HIDE(1, 0, ECX, 11,            "SDBG",                 "debug interfaces are the host's") \
	SHOW(1, 0, ECX, 12,            AVX,     "FMA")                                            \
	SHOW(1, 0, ECX, 13,            NOTHING, "CMPXCHG16B")                                     \
	HIDE(1, 0, ECX, 14,            "xTPR",                 "no local APIC")                   \
	HIDE(1, 0, ECX, 15,            "PDCM",                 "no performance counters")         \
	SHOW(1, 0, ECX, 17,            NOTHING, "PCID")                                           \
	HIDE(1, 0, ECX, 18,            "DCA",                  "no direct cache access")          \
	SHOW(1, 0, ECX, 19,            NOTHING, "SSE4.1")                                         \
	SHOW(1, 0, ECX, 20,            NOTHING, "SSE4.2")                                         \
	HIDE(1, 0, ECX, 21,            "x2APIC",               "no local APIC")                   \
	SHOW(1, 0, ECX, 22,            NOTHING, "MOVBE")                                          \
	SHOW(1, 0, ECX, 23,            NOTHING, "POPCNT")                                         \
	HIDE(1, 0, ECX, 24,            "TSC-deadline",         "no local APIC")                   \
	SHOW(1, 0, ECX, 25,            NOTHING, "AES")                                            \
	SHOW(1, 0, ECX, 26,            XSAVE,   "XSAVE")                                          \
	HIDE(1, 0, ECX, 27,            "OSXSAVE",              "put in: mirrors CR4 of the guest")\
	SHOW(1, 0, ECX, 28,            AVX,     "AVX")                                            \
	SHOW(1, 0, ECX, 29,            AVX,     "F16C")                                           \
	SHOW(1, 0, ECX, 30,            NOTHING, "RDRAND")                                         \
	HIDE(1, 0, ECX, 31,            "hypervisor",           "put in: a hypervisor is present") \
	SHOW(1, 0, EDX, 0,             NOTHING, "FPU")                                            \
	SHOW(1, 0, EDX, 1,             NOTHING, "VME")                                            \
	SHOW(1, 0, EDX, 2,             NOTHING, "DE")                                             \
	SHOW(1, 0, EDX, 3,             NOTHING, "PSE")                                            \
	SHOW(1, 0, EDX, 4,             NOTHING, "TSC")                                            \
	SHOW(1, 0, EDX, 5,             NOTHING, "MSR")                                            \
	SHOW(1, 0, EDX, 6,             NOTHING, "PAE")                                            \
	SHOW(1, 0, EDX, 7,             NOTHING, "MCE")                                            \
	SHOW(1, 0, EDX, 8,             NOTHING, "CX8")                                            \
	HIDE(1, 0, EDX, 9,             "APIC",                 "no local APIC")                   \
	SHOW(1, 0, EDX, 11,            NOTHING, "SEP")                                            \
	SHOW(1, 0, EDX, 12,            NOTHING, "MTRR")                                           \
	SHOW(1, 0, EDX, 13,            NOTHING, "PGE")                                            \
	SHOW(1, 0, EDX, 14,            NOTHING, "MCA")                                            \
	SHOW(1, 0, EDX, 15,            NOTHING, "CMOV")                                           \
	SHOW(1, 0, EDX, 16,            NOTHING, "PAT")                                            \
	SHOW(1, 0, EDX, 17,            NOTHING, "PSE-36")                                         \
	HIDE(1, 0, EDX, 18,            "PSN",                  "a number of the host's")          \
	SHOW(1, 0, EDX, 19,            NOTHING, "CLFSH")                                          \
	HIDE(1, 0, EDX, 21,            "DS",                   "no debug store")                  \
	HIDE(1, 0, EDX, 22,            "ACPI",                 "power is the host's")             \
	SHOW(1, 0, EDX, 23,            NOTHING, "MMX")                                            \
	SHOW(1, 0, EDX, 24,            NOTHING, "FXSR")                                           \
	SHOW(1, 0, EDX, 25,            NOTHING, "SSE")                                            \
	SHOW(1, 0, EDX, 26,            NOTHING, "SSE2")                                           \
	SHOW(1, 0, EDX, 27,            NOTHING, "SS")                                             \
	HIDE(1, 0, EDX, 28,            "HTT",                  "one processor")                   \
	HIDE(1, 0, EDX, 29,            "TM",                   "power is the host's")             \
	HIDE(1, 0, EDX, 31,            "PBE",                  "power is the host's")             \
	SHOW(7, 0, EBX, 0,             NOTHING, "FSGSBASE")                                       \
	SHOW(7, 0, EBX, 1,             NOTHING, "TSC_ADJUST")                                     \
	HIDE(7, 0, EBX, 2,             "SGX",                  "no SGX")                          \
	SHOW(7, 0, EBX, 3,             NOTHING, "BMI1")                                           \
	HIDE(7, 0, EBX, 4,             "HLE",                  "its aborts would show exits")     \
	SHOW(7, 0, EBX, 5,             AVX,     "AVX2")                                           \
	SHOW(7, 0, EBX, 6,             NOTHING, "FDP_EXCPTN_ONLY")                                \
	SHOW(7, 0, EBX, 7,             NOTHING, "SMEP")                                           \
	SHOW(7, 0, EBX, 8,             NOTHING, "BMI2")                                           \
	SHOW(7, 0, EBX, 9,             NOTHING, "ERMS")                                           \
	SHOW(7, 0, EBX, 10,            INVPCID, "INVPCID")                                        \
	HIDE(7, 0, EBX, 11,            "RTM",                  "its aborts would show exits")     \
	HIDE(7, 0, EBX, 12,            "RDT-M",                "shares of caches are the host's") \
	SHOW(7, 0, EBX, 13,            NOTHING, "FCS-FDS-deprecated")                             \
	HIDE(7, 0, EBX, 14,            "MPX",                  "no MPX")                          \
	HIDE(7, 0, EBX, 15,            "RDT-A",                "shares of caches are the host's") \
	SHOW(7, 0, EBX, 16,            AVX512,  "AVX512F")                                        \
	SHOW(7, 0, EBX, 17,            AVX512,  "AVX512DQ")                                       \
	SHOW(7, 0, EBX, 18,            NOTHING, "RDSEED")                                         \
	SHOW(7, 0, EBX, 19,            NOTHING, "ADX")                                            \
	SHOW(7, 0, EBX, 20,            NOTHING, "SMAP")                                           \
	SHOW(7, 0, EBX, 21,            AVX512,  "AVX512_IFMA")                                    \
	SHOW(7, 0, EBX, 23,            NOTHING, "CLFLUSHOPT")                                     \
	SHOW(7, 0, EBX, 24,            NOTHING, "CLWB")                                           \
	HIDE(7, 0, EBX, 25,            "PT",                   "no Intel PT")                     \
	HIDE(7, 0, EBX, 26,            "AVX512PF",             "of one product alone")            \
	HIDE(7, 0, EBX, 27,            "AVX512ER",             "of one product alone")            \
	SHOW(7, 0, EBX, 28,            AVX512,  "AVX512CD")                                       \
	SHOW(7, 0, EBX, 29,            NOTHING, "SHA")                                            \
	SHOW(7, 0, EBX, 30,            AVX512,  "AVX512BW")                                       \
	SHOW(7, 0, EBX, 31,            AVX512,  "AVX512VL")                                       \
	HIDE(7, 0, ECX, 0,             "PREFETCHWT1",          "of one product alone")            \
	SHOW(7, 0, ECX, 1,             AVX512,  "AVX512_VBMI")                                    \
	SHOW(7, 0, ECX, 2,             NOTHING, "UMIP")                                           \
	SHOW(7, 0, ECX, 3,             PKRU,    "PKU")                                            \
	HIDE(7, 0, ECX, 4,             "OSPKE",                "put in: mirrors CR4 of the guest")\
	SHOW(7, 0, ECX, 5,             WAITPKG, "WAITPKG")                                        \
	SHOW(7, 0, ECX, 6,             AVX512,  "AVX512_VBMI2")                                   \
	HIDE(7, 0, ECX, 7,             "CET_SS",               "no CET")                          \
	SHOW(7, 0, ECX, 8,             NOTHING, "GFNI")                                           \
	SHOW(7, 0, ECX, 9,             AVX,     "VAES")                                           \
	SHOW(7, 0, ECX, 10,            AVX,     "VPCLMULQDQ")                                     \
	SHOW(7, 0, ECX, 11,            AVX512,  "AVX512_VNNI")                                    \
	SHOW(7, 0, ECX, 12,            AVX512,  "AVX512_BITALG")                                  \
	HIDE(7, 0, ECX, 13,            "TME_EN",               "no memory encryption")            \
	SHOW(7, 0, ECX, 14,            AVX512,  "AVX512_VPOPCNTDQ")                               \
	HIDE(7, 0, ECX, 16,            "LA57",                 "no 5-level paging")               \
	HIDE(7, 0, ECX, 17,            "MAWAU",                "with MPX alone")                  \
	HIDE(7, 0, ECX, 18,            "MAWAU",                "with MPX alone")                  \
	HIDE(7, 0, ECX, 19,            "MAWAU",                "with MPX alone")                  \
	HIDE(7, 0, ECX, 20,            "MAWAU",                "with MPX alone")                  \
	HIDE(7, 0, ECX, 21,            "MAWAU",                "with MPX alone")                  \
	SHOW(7, 0, ECX, 22,            RDTSCP,  "RDPID")                                          \
	HIDE(7, 0, ECX, 23,            "KL",                   "no Key Locker")                   \
	HIDE(7, 0, ECX, 24,            "BUS_LOCK_DETECT",      "bus locks are the host's to see") \
	SHOW(7, 0, ECX, 25,            NOTHING, "CLDEMOTE")                                       \
	SHOW(7, 0, ECX, 27,            NOTHING, "MOVDIRI")                                        \
	SHOW(7, 0, ECX, 28,            NOTHING, "MOVDIR64B")                                      \
	HIDE(7, 0, ECX, 29,            "ENQCMD",               "no ENQCMD")                       \
	HIDE(7, 0, ECX, 30,            "SGX_LC",               "no SGX")                          \
	HIDE(7, 0, ECX, 31,            "PKS",                  "no keys for supervisor pages")    \
	HIDE(7, 0, EDX, 1,             "SGX-KEYS",             "no SGX")                          \
	HIDE(7, 0, EDX, 2,             "AVX512_4VNNIW",        "of one product alone")            \
	HIDE(7, 0, EDX, 3,             "AVX512_4FMAPS",        "of one product alone")            \
	SHOW(7, 0, EDX, 4,             NOTHING, "FSRM")                                           \
	HIDE(7, 0, EDX, 5,             "UINTR",                "no user interrupts")              \
	SHOW(7, 0, EDX, 8,             AVX512,  "AVX512_VP2INTERSECT")                            \
	HIDE(7, 0, EDX, 9,             "SRBDS_CTRL",           "speculation is the host's")       \
	SHOW(7, 0, EDX, 10,            NOTHING, "MD_CLEAR")                                       \
	HIDE(7, 0, EDX, 11,            "RTM_ALWAYS_ABORT",     "no TSX")                          \
	HIDE(7, 0, EDX, 13,            "RTM_FORCE_ABORT",      "no TSX")                          \
	SHOW(7, 0, EDX, 14,            NOTHING, "SERIALIZE")                                      \
	HIDE(7, 0, EDX, 15,            "hybrid",               "one processor")                   \
	HIDE(7, 0, EDX, 16,            "TSXLDTRK",             "no TSX")                          \
	HIDE(7, 0, EDX, 18,            "PCONFIG",              "no memory encryption")            \
	HIDE(7, 0, EDX, 19,            "ARCH_LBR",             "no records of branches")          \
	HIDE(7, 0, EDX, 20,            "CET_IBT",              "no CET")                          \
	HIDE(7, 0, EDX, 22,            "AMX-BF16",             "no AMX")                          \
	SHOW(7, 0, EDX, 23,            AVX512,  "AVX512_FP16")                                    \
	HIDE(7, 0, EDX, 24,            "AMX-TILE",             "no AMX")                          \
	HIDE(7, 0, EDX, 25,            "AMX-INT8",             "no AMX")                          \
	HIDE(7, 0, EDX, 26,            "IBRS_IBPB",            "speculation is the host's")       \
	HIDE(7, 0, EDX, 27,            "STIBP",                "speculation is the host's")       \
	HIDE(7, 0, EDX, 28,            "L1D_FLUSH",            "speculation is the host's")       \
	SHOW(7, 0, EDX, 29,            ARCH_CAPABILITIES, "ARCH_CAPABILITIES")                    \
	HIDE(7, 0, EDX, 30,            "CORE_CAPABILITIES",    "nothing to tell")                 \
	HIDE(7, 0, EDX, 31,            "SSBD",                 "speculation is the host's")       \
	SHOW(7, 1, EAX, 0,             AVX,     "SHA512")                                         \
	SHOW(7, 1, EAX, 1,             AVX,     "SM3")                                            \
	SHOW(7, 1, EAX, 2,             AVX,     "SM4")                                            \
	SHOW(7, 1, EAX, 3,             NOTHING, "RAO-INT")                                        \
	SHOW(7, 1, EAX, 4,             AVX,     "AVX-VNNI")                                       \
	SHOW(7, 1, EAX, 5,             AVX512,  "AVX512_BF16")                                    \
	HIDE(7, 1, EAX, 6,             "LASS",                 "CR4 has no such bit for guests")  \
	SHOW(7, 1, EAX, 7,             NOTHING, "CMPCCXADD")                                      \
	HIDE(7, 1, EAX, 8,             "ArchPerfmonExt",       "no performance counters")         \
	SHOW(7, 1, EAX, 10,            NOTHING, "FZRM")                                           \
	SHOW(7, 1, EAX, 11,            NOTHING, "FSRS")                                           \
	SHOW(7, 1, EAX, 12,            NOTHING, "FSRC")                                           \
	HIDE(7, 1, EAX, 17,            "FRED",                 "no FRED")                         \
	HIDE(7, 1, EAX, 18,            "LKGS",                 "no FRED")                         \
	HIDE(7, 1, EAX, 19,            "WRMSRNS",              "an exit each")                    \
	HIDE(7, 1, EAX, 20,            "NMI_SRC",              "nothing to tell")                 \
	HIDE(7, 1, EAX, 21,            "AMX-FP16",             "no AMX")                          \
	HIDE(7, 1, EAX, 22,            "HRESET",               "a choice of the firmware's")      \
	SHOW(7, 1, EAX, 23,            AVX,     "AVX-IFMA")                                       \
	HIDE(7, 1, EAX, 26,            "LAM",                  "CR4 has no such bit for guests")  \
	HIDE(7, 1, EAX, 27,            "MSRLIST",              "an exit each")                    \
	HIDE(7, 1, EAX, 30,            "INVD_DISABLE",         "caches are the host's")           \
	SHOW(7, 1, EDX, 4,             AVX,     "AVX-VNNI-INT8")                                  \
	SHOW(7, 1, EDX, 5,             AVX,     "AVX-NE-CONVERT")                                 \
	HIDE(7, 1, EDX, 8,             "AMX-COMPLEX",          "no AMX")                          \
	SHOW(7, 1, EDX, 10,            AVX,     "AVX-VNNI-INT16")                                 \
	HIDE(7, 1, EDX, 13,            "UTMR",                 "no user interrupts")              \
	SHOW(7, 1, EDX, 14,            NOTHING, "PREFETCHI")                                      \
	HIDE(7, 1, EDX, 17,            "UIRET_UIF",            "no user interrupts")              \
	HIDE(7, 1, EDX, 18,            "CET_SSS",              "no CET")                          \
	HIDE(7, 1, EDX, 19,            "AVX10",                "its leaf is not shown")           \
	HIDE(7, 1, EDX, 21,            "APX_F",                "no APX")                          \
	SHOW(0xd, 1, EAX, 0,           XSAVE,   "XSAVEOPT")                                       \
	SHOW(0xd, 1, EAX, 1,           XSAVE,   "XSAVEC")                                         \
	SHOW(0xd, 1, EAX, 2,           XSAVE,   "XGETBV-1")                                       \
	SHOW(0xd, 1, EAX, 3,           XSAVES,  "XSAVES")                                         \
	HIDE(0xd, 1, EAX, 4,           "XFD",                  "no AMX")                          \
	SHOW(0x80000001, 0, ECX, 0,    NOTHING, "LAHF-64")                                        \
	SHOW(0x80000001, 0, ECX, 5,    NOTHING, "LZCNT")                                          \
	SHOW(0x80000001, 0, ECX, 8,    NOTHING, "PREFETCHW")                                      \
	SHOW(0x80000001, 0, EDX, 11,   NOTHING, "SYSCALL")                                        \
	SHOW(0x80000001, 0, EDX, 20,   NOTHING, "NX")                                             \
	SHOW(0x80000001, 0, EDX, 26,   NOTHING, "1G-pages")                                       \
	SHOW(0x80000001, 0, EDX, 27,   RDTSCP,  "RDTSCP")                                         \
	SHOW(0x80000001, 0, EDX, 29,   NOTHING, "LM")                                             \
	SHOW(0x80000007, 0, EDX, 8,    NOTHING, "invariant-TSC")                                  \
	HIDE(0x80000008, 0, EBX, 9,    "WBNOINVD",             "WBINVD is the host's")
/* clang-format on */
