/* SPDX-License-Identifier: BSD-2-Clause */
/* What VM entries are checked against on this processor: CPUID, the VMX capabilities, and memory.
 */
#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/instructions.h"
#include "arch/x86_64/vmx_instructions.h"
#include "kernel/direct_map.h"
#include "kernel/msr_safe.h"
#include "kernel/string.h"
#include "kernel/traps.h"
#include "vcpu/vmx/entry_check.h"

#define PHYSICAL_BITS_MIN 36 /* of processors that do not tell */

/* SDM "IA32_DEBUGCTL MSR". Which of the bits beyond the first a processor has, it does not tell:
 * none is counted as reserved. */
#define DEBUGCTL_ALL     0xffc3ull
#define DEBUGCTL_RTM_BIT BIT(15)

/* SDM "IA32_PERF_GLOBAL_CTRL": general counters from bit 0, fixed ones from 32, and the performance
 * metrics. */
#define GLOBAL_FIXED       32
#define GLOBAL_METRICS     BIT(48)
#define CAPABILITY_METRICS BIT(15) /* in IA32_PERF_CAPABILITIES */

/* SDM "Architectural MSRs": IA32_S_CET, IA32_RTIT_CTL, IA32_LBR_CTL. */
#define S_CET_SHADOW_STACK 0x3ull
#define S_CET_TRACKING     0xfffffffffffffc3cull
#define RTIT_CTL_ALL       0x0380ffff8f7bffffull
#define LBR_CTL_ALL        0x7f000full
#define RTIT_CTL_TRACE_EN  BIT(0)

/* Any address may be asked for: what lies outside the RAM that is mapped reads as a fault, which is
 * told. */
static bool read_memory(void *context, uint64_t address, void *to, size_t size)
{
	uint8_t bytes[sizeof(uint64_t)];
	uint64_t word;

	(void)context;
	for (size_t done = 0; done < size;) {
		uint64_t at = address + done;
		size_t skip = at % sizeof(word), part = sizeof(word) - skip;

		if (at >= DIRECT_MAP_SIZE ||
		    !read64_safe((uint64_t)direct_map(HPA(at - skip)), &word))
			return false;
		if (part > size - done)
			part = size - done;
		memcpy(bytes, &word, sizeof(bytes));
		memcpy((uint8_t *)to + done, bytes + skip, part);
		done += part;
	}
	return true;
}

static void read_address_widths(struct entry_environment *environment)
{
	environment->physical_bits = PHYSICAL_BITS_MIN;
	if (cpuid_max_leaf(cpuid, CPUID_LEAF_ADDRESS_SIZES) >= CPUID_LEAF_ADDRESS_SIZES)
		environment->physical_bits = cpuid(CPUID_LEAF_ADDRESS_SIZES, 0).eax & 0xff;
	environment->linear_bits = cpuid_has(cpuid, CPUID_LA57) ? 57 : 48;
}

static uint64_t efer_bits(void)
{
	uint64_t value = 0;

	if (cpuid_has(cpuid, CPUID_SYSCALL))
		value |= EFER_SCE;
	if (cpuid_has(cpuid, CPUID_LONG_MODE))
		value |= EFER_LME | EFER_LMA;
	if (cpuid_has(cpuid, CPUID_NX))
		value |= EFER_NXE;
	return value;
}

static uint64_t debugctl_bits(void)
{
	uint64_t value = DEBUGCTL_ALL;

	if (!cpuid_has(cpuid, CPUID_RTM))
		value &= ~DEBUGCTL_RTM_BIT;
	if (cpuid_has(cpuid, CPUID_BUS_LOCK_DETECT))
		value |= DEBUGCTL_BUS_LOCK;
	return value;
}

/* SDM "Architectural Performance Monitoring Leaf": how many counters there are. */
static uint64_t global_ctrl_bits(void)
{
	struct cpuid_result leaf;
	uint64_t value, capabilities;
	unsigned general, fixed;

	if (cpuid_max_leaf(cpuid, CPUID_LEAF_PERFMON) < CPUID_LEAF_PERFMON)
		return 0;
	leaf = cpuid(CPUID_LEAF_PERFMON, 0);
	general = leaf.eax >> 8 & 0xff;
	fixed = (leaf.eax & 0xff) > 1 ? leaf.edx & 0x1f : 0;
	value = general < 32 ? (1ull << general) - 1 : 0xffffffff;
	value |= ((1ull << fixed) - 1) << GLOBAL_FIXED;
	if (cpuid_has(cpuid, CPUID_PDCM) && rdmsr_safe(IA32_PERF_CAPABILITIES, &capabilities) &&
	    capabilities & CAPABILITY_METRICS)
		value |= GLOBAL_METRICS;
	return value;
}

static uint64_t s_cet_bits(void)
{
	return (cpuid_has(cpuid, CPUID_CET_SS) ? S_CET_SHADOW_STACK : 0) |
	       (cpuid_has(cpuid, CPUID_CET_IBT) ? S_CET_TRACKING : 0);
}

void entry_environment_read(struct entry_environment *environment,
			    const struct vmx_capabilities *capabilities)
{
	uint64_t rtit_ctl;

	*environment = (struct entry_environment){
		.capabilities = capabilities,
		.long_mode = true, /* Plinth is 64-bit code */
		.sgx = cpuid_has(cpuid, CPUID_SGX),
		.rtm = cpuid_has(cpuid, CPUID_RTM),
		.bus_lock_detect = cpuid_has(cpuid, CPUID_BUS_LOCK_DETECT),
		.lam = cpuid_has(cpuid, CPUID_LAM),
		.efer = efer_bits(),
		.debugctl = debugctl_bits(),
		.perf_global_ctrl = global_ctrl_bits(),
		.s_cet = s_cet_bits(),
		.rtit_ctl = RTIT_CTL_ALL,
		.lbr_ctl = LBR_CTL_ALL,
		.current_vmcs = vmptrst().raw,
		.read = read_memory,
	};
	read_address_widths(environment);
	environment->tracing = cpuid_has(cpuid, CPUID_PT) && rdmsr_safe(IA32_RTIT_CTL, &rtit_ctl) &&
			       rtit_ctl & RTIT_CTL_TRACE_EN;
}

unsigned entry_check_current(const char *vm_name, const struct vmx_capabilities *capabilities,
			     bool only_if_broken)
{
	struct entry_environment environment;
	struct vmcs_image image;
	unsigned count;

	vmcs_image_read(&image);
	entry_environment_read(&environment, capabilities);
	count = entry_check(&image, &environment, NULL, NULL);
	if (count > 0 || !only_if_broken)
		entry_check_report(vm_name, &image, &environment);
	return count;
}
