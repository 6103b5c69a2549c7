/* SPDX-License-Identifier: BSD-2-Clause */
/* Bits of the control, flag and debug registers (SDM "System Architecture Overview", "Debug
 * Registers"). */
#pragma once

#include "arch/x86_64/bits.h"

#define CR0_PE BIT(0) /* protected mode */
#define CR0_MP BIT(1)
#define CR0_EM BIT(2)
#define CR0_TS BIT(3)
#define CR0_ET BIT(4) /* always one */
#define CR0_NE BIT(5)
#define CR0_WP BIT(16)
#define CR0_AM BIT(18)
#define CR0_NW BIT(29)
#define CR0_CD BIT(30)
#define CR0_PG BIT(31)

#define CR3_PWT      BIT(3)
#define CR3_PCD      BIT(4)
#define CR3_LAM_U57  BIT(61)
#define CR3_LAM_U48  BIT(62)
#define CR3_NO_FLUSH BIT(63) /* in MOV to CR3 with CR4.PCIDE, never stored */

#define CR4_VME        BIT(0)
#define CR4_PVI        BIT(1)
#define CR4_TSD        BIT(2)
#define CR4_DE         BIT(3)
#define CR4_PSE        BIT(4)
#define CR4_PAE        BIT(5)
#define CR4_MCE        BIT(6)
#define CR4_PGE        BIT(7)
#define CR4_PCE        BIT(8)
#define CR4_OSFXSR     BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define CR4_UMIP       BIT(11)
#define CR4_LA57       BIT(12)
#define CR4_VMXE       BIT(13)
#define CR4_SMXE       BIT(14)
#define CR4_FSGSBASE   BIT(16)
#define CR4_PCIDE      BIT(17)
#define CR4_OSXSAVE    BIT(18)
#define CR4_KL         BIT(19)
#define CR4_SMEP       BIT(20)
#define CR4_SMAP       BIT(21)
#define CR4_PKE        BIT(22)
#define CR4_CET        BIT(23)
#define CR4_PKS        BIT(24)
#define CR4_UINTR      BIT(25)
#define CR4_LASS       BIT(27)
#define CR4_LAM_SUP    BIT(28)
#define CR4_FRED       BIT(32)

#define EFER_SCE   BIT(0)
#define EFER_LME   BIT(8)
#define EFER_LMA   BIT(10)
#define EFER_NXE   BIT(11)
#define EFER_SVME  BIT(12) /* AMD */
#define EFER_LMSLE BIT(13) /* AMD */
#define EFER_FFXSR BIT(14) /* AMD */

#define RFLAGS_CF   BIT(0)
#define RFLAGS_ONE  BIT(1) /* always one */
#define RFLAGS_PF   BIT(2)
#define RFLAGS_AF   BIT(4)
#define RFLAGS_ZF   BIT(6)
#define RFLAGS_SF   BIT(7)
#define RFLAGS_TF   BIT(8)
#define RFLAGS_IF   BIT(9)
#define RFLAGS_DF   BIT(10)
#define RFLAGS_OF   BIT(11)
#define RFLAGS_IOPL (3ull << 12)
#define RFLAGS_NT   BIT(14)
#define RFLAGS_RF   BIT(16)
#define RFLAGS_VM   BIT(17)
#define RFLAGS_AC   BIT(18)
#define RFLAGS_VIF  BIT(19)
#define RFLAGS_VIP  BIT(20)
#define RFLAGS_ID   BIT(21)

#define XCR0_X87       BIT(0) /* always one */
#define XCR0_SSE       BIT(1)
#define XCR0_AVX       BIT(2)
#define XCR0_BNDREGS   BIT(3)
#define XCR0_BNDCSR    BIT(4)
#define XCR0_OPMASK    BIT(5)
#define XCR0_ZMM_HI256 BIT(6)
#define XCR0_HI16_ZMM  BIT(7)
#define XCR0_PKRU      BIT(9)
#define XCR0_TILECFG   BIT(17)
#define XCR0_TILEDATA  BIT(18)
#define XCR0_APX       BIT(19)

/* DR6: BLD and RTM are active low, and so one in the reset value. */
#define DR6_B0    BIT(0)
#define DR6_B1    BIT(1)
#define DR6_B2    BIT(2)
#define DR6_B3    BIT(3)
#define DR6_BLD   BIT(11)
#define DR6_BD    BIT(13)
#define DR6_BS    BIT(14)
#define DR6_BT    BIT(15)
#define DR6_RTM   BIT(16)
#define DR6_RESET 0xffff0ff0ull

/* DR7: breakpoint n has L at bit 2n, G at 2n + 1, R/W at 16 + 4n (2 bits), LEN at 18 + 4n (2 bits).
 */
#define DR7_LE    BIT(8)
#define DR7_GE    BIT(9)
#define DR7_ONE   BIT(10) /* always one */
#define DR7_RTM   BIT(11)
#define DR7_GD    BIT(13)
#define DR7_RESET 0x400ull

/* Page-fault error codes (SDM "Page-Fault Exceptions"). */
#define PF_ERROR_PRESENT  BIT(0)
#define PF_ERROR_WRITE    BIT(1)
#define PF_ERROR_USER     BIT(2)
#define PF_ERROR_RESERVED BIT(3)
#define PF_ERROR_FETCH    BIT(4)
#define PF_ERROR_PK       BIT(5)
#define PF_ERROR_SS       BIT(6)
#define PF_ERROR_HLAT     BIT(7)
#define PF_ERROR_SGX      BIT(15)
