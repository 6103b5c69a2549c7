/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds, closes and tells the processor's side channels. Where it says nothing, the worst is
 * assumed. */
#include "vcpu/vmx/side_channels.h"

#include "arch/x86_64/instructions.h"
#include "kernel/cpu.h"
#include "kernel/log.h"
#include "kernel/msr_safe.h"
#include "vcpu/msr.h"
#include "vcpu/vmx/report_text.h"

static struct side_channels first;

const struct side_channels *side_channels(void)
{
	return &first;
}

static uint64_t arch_capabilities(cpuid_reader cpuid, msr_reader rdmsr)
{
	uint64_t value;

	if (!cpuid_has(cpuid, CPUID_ARCH_CAPABILITIES) || !rdmsr(IA32_ARCH_CAPABILITIES, &value))
		return 0;
	return value;
}

/*
 * Buffers that keep data of what ran before, and that VERW empties where microcode taught it to:
 * MD_CLEAR for MDS and TAA, FB_CLEAR for MMIO stale data (MD_CLEAR does where there is MDS too),
 * RFDS_CLEAR for RFDS, which exists on the few processors that say so.
 */
static void find_buffers(struct side_channels *found, cpuid_reader cpuid, uint64_t arch)
{
	const uint64_t mmio_no = ARCH_CAP_SBDR_SSDP_NO | ARCH_CAP_FBSDP_NO | ARCH_CAP_PSDP_NO;
	bool md_clear = cpuid_has(cpuid, CPUID_MD_CLEAR), fb_clear = arch & ARCH_CAP_FB_CLEAR;
	bool mds = !(arch & ARCH_CAP_MDS_NO), mmio = (arch & mmio_no) != mmio_no;
	bool taa = !(arch & ARCH_CAP_TAA_NO) && cpuid_has(cpuid, CPUID_RTM);

	found->tsx_off = taa && arch & ARCH_CAP_TSX_CTRL;
	if (found->tsx_off)
		taa = false;
	found->stale_buffers =
		((mds || taa) && !md_clear) || (mmio && !fb_clear && !(mds && md_clear));
	found->clear_buffers =
		((mds || taa || mmio) && (md_clear || fb_clear)) || arch & ARCH_CAP_RFDS_CLEAR;
}

/*
 * Enhanced IBRS keeps apart what guests and the host taught the predictors, as long as the bit is
 * set: it is set once, since guests do not reach the MSR. Plain IBRS would have to be written at
 * each exit.
 */
static void find_branches(struct side_channels *found, cpuid_reader cpuid, uint64_t arch)
{
	bool ibrs = cpuid_has(cpuid, CPUID_IBRS_IBPB);
	bool enhanced = ibrs && arch & ARCH_CAP_IBRS_ALL;

	found->barrier = ibrs;
	found->between_vms = !ibrs;
	found->branch_targets = !enhanced;
	if (enhanced)
		found->spec_ctrl |= SPEC_CTRL_IBRS;
	else if (cpuid_has(cpuid, CPUID_STIBP))
		found->spec_ctrl |= SPEC_CTRL_STIBP;
	if (arch & ARCH_CAP_BHI_NO)
		return;
	if (cpuid_has(cpuid, CPUID_BHI_CTRL))
		found->spec_ctrl |= SPEC_CTRL_BHI_DIS_S;
	else
		found->branch_history = true;
}

void side_channels_find(struct side_channels *found, cpuid_reader cpuid, msr_reader rdmsr)
{
	uint64_t arch = arch_capabilities(cpuid, rdmsr);

	*found = (struct side_channels){
		.arch_capabilities = arch,
		.l1tf = !(arch & (ARCH_CAP_RDCL_NO | ARCH_CAP_SKIP_L1DFL_VMENTRY)),
	};
	found->flush_l1d = found->l1tf && cpuid_has(cpuid, CPUID_L1D_FLUSH);
	find_buffers(found, cpuid, arch);
	find_branches(found, cpuid, arch);
}

void side_channels_close(struct side_channels *found, msr_writer wrmsr)
{
	if (found->flush_l1d)
		found->flush_l1d = wrmsr(IA32_FLUSH_CMD, FLUSH_CMD_L1D_FLUSH);
	if (found->barrier) {
		found->barrier = wrmsr(IA32_PRED_CMD, PRED_CMD_IBPB);
		found->between_vms = !found->barrier;
	}
	if (found->tsx_off) {
		found->tsx_off = wrmsr(IA32_TSX_CTRL, TSX_CTRL_RTM_DISABLE);
		found->stale_buffers |= !found->tsx_off;
	}
	if (found->spec_ctrl && !wrmsr(IA32_SPEC_CTRL, found->spec_ctrl)) {
		found->branch_targets = true;
		found->branch_history |= (found->spec_ctrl & SPEC_CTRL_BHI_DIS_S) != 0;
		found->spec_ctrl = 0;
	}
}

static void report_done(const struct side_channels *found)
{
	char list[REPORT_LIST_MAX] = "";

	list_if(list, found->barrier, "IBPB before another VM");
	list_if(list, found->flush_l1d, "L1D flush there and each ms");
	list_if(list, found->clear_buffers, "VERW before entries");
	list_if(list, found->tsx_off, "TSX off");
	list_if(list, found->spec_ctrl & SPEC_CTRL_IBRS, "enhanced IBRS");
	list_if(list, found->spec_ctrl & SPEC_CTRL_STIBP, "STIBP");
	list_if(list, found->spec_ctrl & SPEC_CTRL_BHI_DIS_S, "BHI_DIS_S");
	if (list[0])
		log_info("vmx: against side channels: %s", list);
}

void side_channels_report(const struct side_channels *found)
{
	char open[REPORT_LIST_MAX] = "", lacks[REPORT_LIST_MAX] = "";

	list_if(open, found->l1tf, "L1TF");
	list_if(open, found->stale_buffers, "MDS");
	list_if(open, found->branch_targets || found->between_vms, "Spectre v2");
	list_if(open, found->branch_history, "BHI");
	list_add(open, "Spectre v1");
	list_add(open, "shared caches");
	list_if(lacks, found->l1tf && !found->flush_l1d, "L1D flush");
	list_if(lacks, found->stale_buffers, "MD_CLEAR");
	list_if(lacks, found->between_vms, "IBPB");
	list_if(lacks, found->branch_targets, "enhanced IBRS");

	report_done(found);
	log_info("vmx: limit: a guest may guess data of others by %s", open);
	if (lacks[0])
		log_info("vmx: limit: newer microcode may have what is missing: %s", lacks);
}

void side_channels_start(void)
{
	side_channels_find(&first, cpuid, rdmsr_safe);
	side_channels_close(&first, wrmsr_safe);
	side_channels_report(&first);
}

static bool same(const struct side_channels *a, const struct side_channels *b)
{
	uint64_t told = (a->arch_capabilities ^ b->arch_capabilities) & ARCH_CAPABILITIES_SHOWN;

	return told == 0 && a->l1tf == b->l1tf && a->stale_buffers == b->stale_buffers &&
	       a->branch_targets == b->branch_targets && a->branch_history == b->branch_history &&
	       a->between_vms == b->between_vms && a->flush_l1d == b->flush_l1d &&
	       a->clear_buffers == b->clear_buffers && a->barrier == b->barrier &&
	       a->tsx_off == b->tsx_off && a->spec_ctrl == b->spec_ctrl;
}

err_t side_channels_follow(void)
{
	struct side_channels found;

	side_channels_find(&found, cpuid, rdmsr_safe);
	side_channels_close(&found, wrmsr_safe);
	if (same(&found, &first))
		return NULL;
	return "what it says of its side channels (IA32_ARCH_CAPABILITIES, 0x10a, and CPUID leaf 7 "
	       "EDX) is not what the first CPU says; use CPUs of one model and stepping, and "
	       "update "
	       "the firmware, which loads their microcode";
}

void side_channels_next_vm(void)
{
	if (first.barrier)
		wrmsr(IA32_PRED_CMD, PRED_CMD_IBPB);
	side_channels_after_beat();
	if (first.clear_buffers)
		verw(SELECTOR_DATA);
}

void side_channels_after_beat(void)
{
	if (first.flush_l1d)
		wrmsr(IA32_FLUSH_CMD, FLUSH_CMD_L1D_FLUSH);
}
