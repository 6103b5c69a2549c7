/* SPDX-License-Identifier: BSD-2-Clause */
/* The VMX control words that Plinth runs a guest with, from one table of what it must, wants to,
 * and must not have. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86_64/vmx_controls.h"
#include "kernel/error.h"
#include "vcpu/vmx/capabilities.h"

enum control_choice {
	CONTROL_MUST,   /* 1, or Plinth refuses the processor */
	CONTROL_WANT,   /* 1 where the processor has it */
	CONTROL_SWITCH, /* 0 at first, set and cleared while a guest runs: must be free to be either
			 */
	CONTROL_AVOID,  /* 0 where the processor allows that, else 1: its exits are handled */
	CONTROL_NEVER,  /* 0, or Plinth refuses the processor */
};

/* One control with what becomes of it and why. */
struct control_row {
	enum vmx_control_word word;
	uint64_t mask;
	enum control_choice choice;
	const char
		*reason; /* MUST, SWITCH: completes "Plinth needs it to ..."; else for the reader */
};

extern const struct control_row control_rows[];
extern const size_t control_row_count;

/* The words as a VMCS starts with them. Tertiary and secondary exit controls are never activated.
 */
struct vmx_controls {
	uint32_t pin;
	uint32_t primary;
	uint32_t secondary;
	uint32_t exit;
	uint32_t entry;
};

/*
 * Chooses one word. Errors name the first feature that is missing (or that cannot be turned off)
 * with its MSR and bit, and say what to do.
 */
CHECKED err_t vmx_control_choose(const struct vmx_capabilities *capabilities,
				 enum vmx_control_word word, uint32_t *value);

/* Chooses all, in the order in which a refusal tells most: secondary, pin-based, primary, exit,
 * entry. */
CHECKED err_t vmx_controls_choose(const struct vmx_capabilities *capabilities,
				  struct vmx_controls *controls);
