/* SPDX-License-Identifier: BSD-2-Clause */
/* VMs whose VMCS is broken by hand before they run. */
#pragma once

/* Runs them one after the other. VMX is on, and no VMCS matters any more. */
void entry_refused_run(void);
