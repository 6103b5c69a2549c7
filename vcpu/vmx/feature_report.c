/* SPDX-License-Identifier: BSD-2-Clause */
/* The processor's VMX capabilities in words, for a person at the console. */
#include "kernel/format.h"
#include "kernel/log.h"
#include "kernel/string.h"
#include "vcpu/vmx/feature_gate.h"

#define LIST_MAX 200

/* Appends to a list "a, b, c" in a buffer of LIST_MAX. What does not fit is left out. */
static void list_add(char *list, const char *item)
{
	size_t used = strlen(list);

	format(list + used, LIST_MAX - used, "%s%s", used ? ", " : "", item);
}

static void list_if(char *list, bool condition, const char *item)
{
	if (condition)
		list_add(list, item);
}

static const char *or_none(const char *list)
{
	return list[0] ? list : "none";
}

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
	char list[LIST_MAX] = "";

	list_if(list, e->accessed_dirty, "accessed and dirty flags");
	list_if(list, e->execute_only, "execute-only pages");
	list_if(list, e->walk_5, "5 levels");
	list_if(list, e->advanced_exit_info, "advanced exit information");
	list_if(list, e->invept_single, "INVEPT single");
	list_if(list, e->invept_all, "INVEPT all");
	log_info("vmx: EPT with 4K%s%s pages; %s", e->pages_2m ? ", 2M" : "",
		 e->pages_1g ? ", 1G" : "", or_none(list));
	if (c->itlb_multihit && (e->pages_2m || e->pages_1g))
		log_info("vmx: iTLB multi-hit erratum not excluded: large pages are split where a "
			 "guest executes");
}

static void report_vpid(const struct feature_gate *gate)
{
	const struct ept_vpid_cap *e = &gate->capabilities.ept_vpid;
	char list[LIST_MAX] = "";

	list_if(list, e->invvpid_address, "address");
	list_if(list, e->invvpid_single, "single");
	list_if(list, e->invvpid_all, "all");
	list_if(list, e->invvpid_retaining_globals, "retaining globals");
	log_info("vmx: unrestricted guest yes, VPID %s (INVVPID: %s)",
		 gate->controls.secondary & SECONDARY_VPID ? "yes" : "no", or_none(list));
}

static void report_misc(const struct vmx_capabilities *c)
{
	char list[LIST_MAX] = "active";

	list_if(list, c->misc.activity_hlt, "HLT");
	list_if(list, c->misc.activity_shutdown, "shutdown");
	list_if(list, c->misc.activity_wait_for_sipi, "wait-for-SIPI");
	log_info("vmx: preemption timer at TSC/%u; activity states: %s",
		 1u << c->preemption_timer_shift, list);
}

/* The controls that a processor may have or lack: which of them are on. */
static void report_optional(const struct feature_gate *gate)
{
	char on[LIST_MAX] = "", off[LIST_MAX] = "";

	for (size_t i = 0; i < control_row_count; i++) {
		const struct control_row *row = &control_rows[i];

		if (row->choice != CONTROL_WANT || row->mask == SECONDARY_VPID)
			continue;
		list_add(gate->controls.secondary & row->mask ? on : off,
			 vmx_control_name(row->word, row->mask));
	}
	log_info("vmx: optional controls on: %s", or_none(on));
	log_info("vmx: optional controls that this processor lacks: %s", or_none(off));
}

void feature_gate_report(const struct feature_gate *gate)
{
	report_basic(gate);
	report_ept(&gate->capabilities);
	report_vpid(gate);
	report_misc(&gate->capabilities);
	report_optional(gate);
}
