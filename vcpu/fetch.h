/* SPDX-License-Identifier: BSD-2-Clause */
/* The instruction that a guest is at: its bytes, and what they mean. */
#pragma once

#include "kernel/error.h"
#include "vcpu/decoder.h"
#include "vcpu/linear.h"

struct fetched {
	uint8_t bytes[INSTRUCTION_BYTES_MAX];
	unsigned count; /* how many of them could be fetched */
	enum code_size code;
	struct instruction instruction;
	struct linear_context context; /* of CS */
};

/* Fetches and decodes at CS:RIP. Errors: those of decode(); bytes, count and code are filled in. */
CHECKED err_t fetch_instruction(struct vcpu *vcpu, struct fetched *fetched);
