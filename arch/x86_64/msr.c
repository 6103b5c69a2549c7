/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of MSRs, and the decoders of those that have fields. */
#include "arch/x86_64/msr.h"

#include "kernel/compiler.h"
#include "kernel/format.h"

struct msr_entry {
	uint32_t msr;
	const char *name;
};

#define NAME_ENTRY(name, number) {number, #name},

/* Ascending. */
static const struct msr_entry msr_names[] = {MSR_LIST(NAME_ENTRY)};

/* Families: `count` members of `step` numbers each; `index` is the first member's. */
struct msr_family {
	uint32_t first;
	uint32_t count;
	uint32_t step;
	const char *prefix;
	const char *suffix;
};

/* clang-format off */
static const struct msr_family families[] = {
	{0x008c,  4, 1, "IA32_SGXLEPUBKEYHASH", ""},
	{0x00c1,  8, 1, "IA32_PMC",           ""},
	{0x0186,  8, 1, "IA32_PERFEVTSEL",    ""},
	{0x0200, 10, 2, "IA32_MTRR_PHYSBASE", ""},
	{0x0201, 10, 2, "IA32_MTRR_PHYSMASK", ""},
	{0x0280, 32, 1, "IA32_MC",            "_CTL2"},
	{0x0309,  7, 1, "IA32_FIXED_CTR",     ""},
	{0x0400, 29, 4, "IA32_MC",            "_CTL"},
	{0x0401, 29, 4, "IA32_MC",            "_STATUS"},
	{0x0402, 29, 4, "IA32_MC",            "_ADDR"},
	{0x0403, 29, 4, "IA32_MC",            "_MISC"},
	{0x04c1,  8, 1, "IA32_A_PMC",         ""},
	{0x0580,  4, 2, "IA32_RTIT_ADDR",     "_A"},
	{0x0581,  4, 2, "IA32_RTIT_ADDR",     "_B"},
	{0x0810,  8, 1, "IA32_X2APIC_ISR",    ""},
	{0x0818,  8, 1, "IA32_X2APIC_TMR",    ""},
	{0x0820,  8, 1, "IA32_X2APIC_IRR",    ""},
	{0x0c90, 128, 1, "IA32_L3_MASK",      ""},
	{0x0d10, 64, 1, "IA32_L2_MASK",       ""},
	{0x1200, 32, 1, "IA32_LBR_",          "_INFO"},
	{0x1500, 32, 1, "IA32_LBR_",          "_FROM_IP"},
	{0x1600, 32, 1, "IA32_LBR_",          "_TO_IP"},
};
/* clang-format on */

static const char *family_name(uint32_t msr, char *buffer)
{
	for (size_t i = 0; i < ARRAY_COUNT(families); i++) {
		const struct msr_family *f = &families[i];
		uint32_t offset = msr - f->first;

		if (msr < f->first || offset % f->step != 0 || offset / f->step >= f->count)
			continue;
		format(buffer, MSR_NAME_MAX, "%s%u%s", f->prefix, offset / f->step, f->suffix);
		return buffer;
	}
	return NULL;
}

const char *msr_name(uint32_t msr, char buffer[MSR_NAME_MAX])
{
	size_t low = 0, high = ARRAY_COUNT(msr_names);

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (msr_names[middle].msr == msr)
			return msr_names[middle].name;
		if (msr_names[middle].msr < msr)
			low = middle + 1;
		else
			high = middle;
	}
	return family_name(msr, buffer);
}

const char *memory_type_name(unsigned type)
{
	static const char *const names[] = {
		[MEMORY_UC] = "UC", [MEMORY_WC] = "WC", [MEMORY_WT] = "WT",
		[MEMORY_WP] = "WP", [MEMORY_WB] = "WB", [MEMORY_UC_MINUS] = "UC-",
	};

	return type < ARRAY_COUNT(names) && names[type] ? names[type] : "?";
}

struct feature_control feature_control_decode(uint64_t value)
{
	return (struct feature_control){
		.locked = (value & FEATURE_CONTROL_LOCK) != 0,
		.vmx_in_smx = (value & FEATURE_CONTROL_VMX_IN_SMX) != 0,
		.vmx_outside_smx = (value & FEATURE_CONTROL_VMX_OUTSIDE_SMX) != 0,
	};
}

struct vmx_basic vmx_basic_decode(uint64_t value)
{
	return (struct vmx_basic){
		.revision = (uint32_t)bits(value, 30, 0),
		.region_size = (uint32_t)bits(value, 44, 32),
		.addresses_32bit = bit(value, 48),
		.dual_monitor = bit(value, 49),
		.memory_type = (unsigned)bits(value, 53, 50),
		.ins_outs_info = bit(value, 54),
		.true_controls = bit(value, 55),
		.any_exception_error = bit(value, 56),
		.nested_exception = bit(value, 58),
	};
}

struct vmx_misc vmx_misc_decode(uint64_t value)
{
	return (struct vmx_misc){
		.preemption_timer_shift = (unsigned)bits(value, 4, 0),
		.stores_lma = bit(value, 5),
		.activity_hlt = bit(value, 6),
		.activity_shutdown = bit(value, 7),
		.activity_wait_for_sipi = bit(value, 8),
		.pt_in_vmx = bit(value, 14),
		.smbase_in_smm = bit(value, 15),
		.cr3_targets = (unsigned)bits(value, 24, 16),
		.msr_list_max = ((unsigned)bits(value, 27, 25) + 1) * 512,
		.smm_monitor_ctl_bit2 = bit(value, 28),
		.vmwrite_any = bit(value, 29),
		.zero_length_injection = bit(value, 30),
		.mseg_revision = (uint32_t)bits(value, 63, 32),
	};
}

struct ept_vpid_cap ept_vpid_cap_decode(uint64_t value)
{
	return (struct ept_vpid_cap){
		.execute_only = bit(value, 0),
		.walk_4 = bit(value, 6),
		.walk_5 = bit(value, 7),
		.memory_uc = bit(value, 8),
		.memory_wb = bit(value, 14),
		.pages_2m = bit(value, 16),
		.pages_1g = bit(value, 17),
		.invept = bit(value, 20),
		.accessed_dirty = bit(value, 21),
		.advanced_exit_info = bit(value, 22),
		.supervisor_shadow_stack = bit(value, 23),
		.invept_single = bit(value, 25),
		.invept_all = bit(value, 26),
		.invvpid = bit(value, 32),
		.invvpid_address = bit(value, 40),
		.invvpid_single = bit(value, 41),
		.invvpid_all = bit(value, 42),
		.invvpid_retaining_globals = bit(value, 43),
		.hlat_prefix_max = (unsigned)bits(value, 53, 48),
	};
}
