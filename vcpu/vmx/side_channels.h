/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ways past the walls between guests that the processor leaves open: what speculation lets a guest
 * read or steer. Which this one may have, and what is done about each; docs/security.md has the
 * whole list.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/msr.h"
#include "kernel/error.h"

struct side_channels {
	/* What remains open, whatever is done. */
	bool l1tf;           /* between two beats, what an exit brings into the first data cache */
	bool stale_buffers;  /* MDS, TAA, MMIO stale data */
	bool branch_targets; /* Spectre v2: a guest may steer the host's indirect branches */
	bool branch_history; /* BHI: the same through their history */
	bool between_vms;    /* Spectre v2: a VM may steer the branches of the next one there */

	uint64_t arch_capabilities; /* IA32_ARCH_CAPABILITIES; 0: it is not there */

	/* What is done. */
	bool flush_l1d;     /* IA32_FLUSH_CMD before another VM, and at each beat */
	bool clear_buffers; /* VERW before each entry */
	bool barrier;       /* IBPB before another VM */
	bool tsx_off;       /* transactions abort at once: no TAA */
	uint64_t spec_ctrl; /* IA32_SPEC_CTRL as it is while Plinth runs; 0: left alone */
};

/* What a processor says of itself. A pure function of what the readers say. */
void side_channels_find(struct side_channels *found, cpuid_reader cpuid, msr_reader rdmsr);

/* Does what is done once and for all. What faults, as under a hypervisor that shows the bit but not
 * the MSR, is not done, and remains open. */
void side_channels_close(struct side_channels *found, msr_writer wrmsr);

/* Tells in `plinth: vmx:` lines what is done and what remains. */
void side_channels_report(const struct side_channels *found);

/* All of it for the first processor; and for each other one, whose VMs get what the first one's
 * get. An error: it differs. */
void side_channels_start(void);
CHECKED err_t side_channels_follow(void);

/* What side_channels_start() found; all false before. */
const struct side_channels *side_channels(void);

/* Before the first entry of a VM on this processor, after what was here before. */
void side_channels_next_vm(void);

/* After the host has done other things than handling an exit. */
void side_channels_after_beat(void);
