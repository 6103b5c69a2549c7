/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypercalls of Plinth, for a guest to include: this header needs nothing but <stdint.h>.
 *
 * A guest finds Plinth by CPUID leaf 40000000h: EBX, ECX, EDX hold PLINTH_SIGNATURE, EAX the
 * highest leaf. Leaf 40000001h gives the version of this ABI in EAX. A call is VMCALL, at CPL 0 in
 * any mode, with the number in EAX and arguments in RBX, RCX, RDX; the result comes back in RAX,
 * all other registers are kept. An unknown number gives PLINTH_ENOSYS. At CPL above 0 VMCALL is
 * #UD, as on a processor without VMX.
 */
#pragma once

#include <stdint.h>

#define PLINTH_SIGNATURE   "PlinthPlinth"
#define PLINTH_ABI_VERSION 1u

#define PLINTH_ENOSYS (~0ull)     /* no such call */
#define PLINTH_EINVAL (~0ull - 1) /* an argument is out of range */

enum plinth_call {
	PLINTH_VERSION = 0, /* -> PLINTH_ABI_VERSION */
	PLINTH_MARK = 1,    /* RBX id, RCX value: a mark in the trace -> 0 */
	PLINTH_EXIT = 2,    /* RBX code: ends the VM as the debug-exit port does; does not return */
	PLINTH_TSC_HZ = 3,  /* -> the frequency of the TSC in Hz */
	PLINTH_INTERRUPT = 4,  /* RBX vector 16 to 255: makes an external interrupt pending for the
				  caller -> 0 */
	PLINTH_NMI = 5,        /* makes an NMI pending for the caller -> 0 */
	PLINTH_EXIT_COUNT = 6, /* -> exits of the calling vCPU so far */
	PLINTH_DEAR_COUNT =
		7, /* RBX 0 VMREADs, 1 VMWRITEs, 2 others that a hypervisor below would see: -> how
		      many the host executed; PLINTH_ENOSYS but in the build of `make bench` */
	/*
	 * RBX ticks of the TSC: when no call starts it anew within that time, it makes an NMI
	 * pending for the caller, and after as long again it ends the VM. 0: off, as at first.
	 * May be a millisecond late. HLT does not wait for it. -> 0
	 */
	PLINTH_WATCHDOG = 8,
};

#ifdef PLINTH_GUEST
static inline uint64_t plinth_call(enum plinth_call number, uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t result;

	__asm__ volatile("vmcall"
			 : "=a"(result)
			 : "a"((uint64_t)number), "b"(a), "c"(b), "d"(c)
			 : "memory");
	return result;
}
#endif
