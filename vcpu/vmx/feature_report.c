/* SPDX-License-Identifier: BSD-2-Clause */
/* The processor's VMX capabilities in words, for a person at the console: what it has, what guests
 * get of it, and what limits follow. report=vmx tells the rest. */
#include "kernel/compiler.h"
#include "kernel/log.h"
#include "vcpu/vmx/feature_gate.h"
#include "vcpu/vmx/report_text.h"

static void report_basic(const struct feature_gate *gate)
{
	const struct vmx_capabilities *c = &gate->capabilities;

	log_info("vmx: revision %#x, VMCS region of %u bytes in %s memory, %s controls",
		 c->basic.revision, c->basic.region_size, memory_type_name(c->basic.memory_type),
		 c->basic.true_controls ? "TRUE" : "plain");
	if (gate->must_write_feature_control)
		log_info("vmx: firmware left IA32_FEATURE_CONTROL (0x3a) unlocked: VT-x enabled "
			 "and locked");
}

static void report_ept(const struct vmx_capabilities *c)
{
	const struct ept_vpid_cap *e = &c->ept_vpid;
	char list[REPORT_LIST_MAX] = "4K";

	list_if(list, e->pages_2m, "2M");
	list_if(list, e->pages_1g, "1G");
	log_info("vmx: EPT with %s pages%s%s%s", list,
		 e->accessed_dirty ? ", accessed and dirty flags" : "",
		 e->execute_only ? ", execute-only pages" : "", e->walk_5 ? ", 5 levels" : "");
	if (c->itlb_multihit && (e->pages_2m || e->pages_1g))
		log_info("vmx: guests execute from 4K pages only: the iTLB multi-hit erratum is "
			 "not ruled out");
}

static void report_execution(const struct feature_gate *gate)
{
	log_info("vmx: unrestricted guest, %sVPID, preemption timer at TSC/%u",
		 gate->controls.secondary & SECONDARY_VPID ? "" : "no ",
		 1u << gate->capabilities.preemption_timer_shift);
}

/* What controls that a processor may lack let guests have. */
static void report_instructions(const struct feature_gate *gate)
{
	static const struct {
		uint32_t control;
		const char *name;
	} rows[] = {
		{SECONDARY_RDTSCP,          "RDTSCP" },
		{SECONDARY_INVPCID,         "INVPCID"},
		{SECONDARY_XSAVES,          "XSAVES" },
		{SECONDARY_USER_WAIT_PAUSE, "WAITPKG"},
	};
	char on[REPORT_LIST_MAX] = "", off[REPORT_LIST_MAX] = "";

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		list_add(gate->controls.secondary & rows[i].control ? on : off, rows[i].name);
	log_info("vmx: for guests: %s%s%s", list_or_none(on), off[0] ? "; missing: " : "", off);
}

/* What nothing keeps a guest from doing to others. */
static void report_limits(const struct feature_gate *gate)
{
	char list[REPORT_LIST_MAX] = "";

	list_if(list, !(gate->controls.secondary & SECONDARY_BUS_LOCK_DETECTION),
		"no bus-lock detection");
	list_if(list, !(gate->controls.secondary & SECONDARY_INSTRUCTION_TIMEOUT),
		"no instruction timeout");
	if (list[0])
		log_info("vmx: limit: %s: a guest can slow other CPUs", list);
}

void feature_gate_report(const struct feature_gate *gate)
{
	report_basic(gate);
	report_ept(&gate->capabilities);
	report_execution(gate);
	report_instructions(gate);
	report_limits(gate);
}
