/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions: vectors, names, error codes, and the classes by which two of them make a double
 * fault. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum exception {
	EXCEPTION_DE = 0,  /* divide error */
	EXCEPTION_DB = 1,  /* debug */
	EXCEPTION_NMI = 2, /* no exception, but its vector */
	EXCEPTION_BP = 3,  /* breakpoint */
	EXCEPTION_OF = 4,  /* overflow */
	EXCEPTION_BR = 5,  /* BOUND range */
	EXCEPTION_UD = 6,  /* invalid opcode */
	EXCEPTION_NM = 7,  /* device not available */
	EXCEPTION_DF = 8,  /* double fault */
	EXCEPTION_TS = 10, /* invalid TSS */
	EXCEPTION_NP = 11, /* segment not present */
	EXCEPTION_SS = 12, /* stack fault */
	EXCEPTION_GP = 13, /* general protection */
	EXCEPTION_PF = 14, /* page fault */
	EXCEPTION_MF = 16, /* x87 floating point */
	EXCEPTION_AC = 17, /* alignment check */
	EXCEPTION_MC = 18, /* machine check */
	EXCEPTION_XM = 19, /* SIMD floating point */
	EXCEPTION_VE = 20, /* virtualization */
	EXCEPTION_CP = 21, /* control protection */
	EXCEPTION_COUNT = 32,
};

/* "#PF", or "reserved" for a vector below 32 that has no exception, or "interrupt" above. */
const char *exception_name(uint8_t vector);

/* The vectors whose delivery pushes an error code (not in real mode): 8, 10-14, 17, 21. AMD's 29
 * and 30 are not ours. */
#define EXCEPTIONS_WITH_ERROR_CODE 0x00227d00u

static inline bool exception_has_error_code(uint8_t vector)
{
	return vector < EXCEPTION_COUNT && (EXCEPTIONS_WITH_ERROR_CODE >> vector & 1) != 0;
}

/*
 * Faults push RF set, so that an instruction breakpoint does not fire again on the return; traps
 * and aborts do not. #DB can be both, and as a fault it leaves that to its handler.
 */
#define EXCEPTION_FAULTS 0x003b7ce1u

static inline bool exception_is_fault(uint8_t vector)
{
	return vector < EXCEPTION_COUNT && (EXCEPTION_FAULTS >> vector & 1) != 0;
}

/* SDM "Interrupt and Exception Classes" in the description of the double-fault exception. */
enum exception_class {
	EXCEPTION_BENIGN,
	EXCEPTION_CONTRIBUTORY,
	EXCEPTION_PAGE_FAULT, /* #PF, and #VE likewise */
	EXCEPTION_DOUBLE_FAULT,
};

enum exception_class exception_class(uint8_t vector);

/* What becomes of an exception that is met while another is delivered (SDM "Conditions for
 * Generating a Double Fault"). */
enum exception_combination {
	COMBINE_SERIAL,       /* the second is handled alone, the first is met again */
	COMBINE_DOUBLE_FAULT, /* #DF with error code 0 */
	COMBINE_SHUTDOWN,     /* triple fault */
};

enum exception_combination exception_combine(uint8_t first, uint8_t second);
