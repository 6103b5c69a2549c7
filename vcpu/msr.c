/* SPDX-License-Identifier: BSD-2-Clause */
/* The MSR policy and the RDMSR and WRMSR exits. */
#include "vcpu/msr.h"

#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/instructions.h"
#include "arch/x86_64/msr.h"
#include "vcpu/control.h"
#include "vcpu/msr_policy.h"
#include "vcpu/vcpu.h"

/* --- Which MSRs exist: as the guest's CPUID says. --- */

#define has_always NULL
#define DEFINE_HAS(name, feature)                                                                  \
	static bool has_##name(const struct vcpu *vcpu)                                            \
	{                                                                                          \
		return cpuid_shows(&vcpu->cpuid, feature);                                         \
	}
DEFINE_HAS(mce, CPUID_MCE)
DEFINE_HAS(mca, CPUID_MCA)
DEFINE_HAS(mtrr, CPUID_MTRR)
DEFINE_HAS(arch_caps, CPUID_ARCH_CAPABILITIES)
DEFINE_HAS(tsc_adjust, CPUID_TSC_ADJUST)
DEFINE_HAS(xsaves, CPUID_XSAVES)
DEFINE_HAS(waitpkg, CPUID_WAITPKG)
DEFINE_HAS(long_mode, CPUID_LONG_MODE)

static bool has_tsc_aux(const struct vcpu *vcpu)
{
	return cpuid_shows(&vcpu->cpuid, CPUID_RDTSCP) || cpuid_shows(&vcpu->cpuid, CPUID_RDPID);
}

/* --- Emulated ones. --- */

static uint64_t read_tsc(struct vcpu *vcpu)
{
	return rdtsc() + (uint64_t)vcpu->tsc_offset;
}

/* SDM "IA32_TSC_ADJUST Register and TSC Synchronization": what a write moves the TSC by, TSC_ADJUST
 * moves too. */
static void move_tsc(struct vcpu *vcpu, uint64_t by)
{
	vcpu->tsc_adjust = (int64_t)((uint64_t)vcpu->tsc_adjust + by);
	backend_set_tsc_offset(vcpu, (int64_t)((uint64_t)vcpu->tsc_offset + by));
}

static bool write_tsc(struct vcpu *vcpu, uint64_t value)
{
	move_tsc(vcpu, value - read_tsc(vcpu));
	return true;
}

static uint64_t read_tsc_adjust(struct vcpu *vcpu)
{
	return (uint64_t)vcpu->tsc_adjust;
}

static bool write_tsc_adjust(struct vcpu *vcpu, uint64_t value)
{
	move_tsc(vcpu, value - read_tsc_adjust(vcpu));
	return true;
}

static uint64_t read_zero(struct vcpu *vcpu)
{
	(void)vcpu;
	return 0;
}

static bool write_zero(struct vcpu *vcpu, uint64_t value)
{
	(void)vcpu;
	return value == 0;
}

/* The signature of the microcode: 0, "none loaded". CPUID would load it, and software writes 0
 * before that. */
#define read_signature read_zero
static bool write_signature(struct vcpu *vcpu, uint64_t value)
{
	(void)vcpu;
	(void)value;
	return true;
}

/* SDM "Microcode Update Loader": an update that is not for this processor is not loaded. Its
 * address must be one. */
static bool write_microcode(struct vcpu *vcpu, uint64_t value)
{
	(void)vcpu;
	return (uint64_t)((int64_t)(value << 16) >> 16) == value;
}

/* Of what is told in there, nothing happens; software may set and clear RIPV, EIPV and MCIP. */
static uint64_t read_mcg_status(struct vcpu *vcpu)
{
	return vcpu->mcg_status;
}

static bool write_mcg_status(struct vcpu *vcpu, uint64_t value)
{
	if (value & ~(MCG_STATUS_RIPV | MCG_STATUS_EIPV | MCG_STATUS_MCIP))
		return false;
	vcpu->mcg_status = value;
	return true;
}

static uint64_t read_arch_caps(struct vcpu *vcpu)
{
	(void)vcpu;
	return backend_features()->arch_capabilities & ARCH_CAPABILITIES_SHOWN;
}

static uint64_t read_mtrrcap(struct vcpu *vcpu)
{
	(void)vcpu;
	return MTRR_CAPABILITIES;
}

/* One of many: its number is in ECX. */
static uint64_t read_mtrr(struct vcpu *vcpu)
{
	return mtrr_read(&vcpu->mtrrs, (uint32_t)vcpu->regs.rcx);
}

static bool write_mtrr(struct vcpu *vcpu, uint64_t value)
{
	return mtrr_write(&vcpu->mtrrs, (uint32_t)vcpu->regs.rcx, value, vcpu->cpuid.physical_bits);
}

/* Fast strings on; branch trace and PEBS unavailable. Only fast strings may be changed, and that
 * without effect. */
static uint64_t read_misc_enable(struct vcpu *vcpu)
{
	return vcpu->misc_enable | MISC_ENABLE_BTS_UNAVAIL | MISC_ENABLE_PEBS_UNAVAIL;
}

static bool write_misc_enable(struct vcpu *vcpu, uint64_t value)
{
	uint64_t read_only = MISC_ENABLE_BTS_UNAVAIL | MISC_ENABLE_PEBS_UNAVAIL;

	if (value & ~(MISC_ENABLE_FAST_STRINGS | read_only))
		return false;
	vcpu->misc_enable = value & MISC_ENABLE_FAST_STRINGS;
	return true;
}

/* LBR and BTF act on the processor; without LBR records or debug store the other bits are reserved.
 */

static uint64_t read_debugctl(struct vcpu *vcpu)
{
	return backend_debugctl(vcpu);
}

static bool write_debugctl(struct vcpu *vcpu, uint64_t value)
{
	if (value & ~(DEBUGCTL_LBR | DEBUGCTL_BTF))
		return false;
	backend_set_debugctl(vcpu, value & DEBUGCTL_BTF);
	return true;
}

static uint64_t read_pat(struct vcpu *vcpu)
{
	return backend_pat(vcpu);
}

/* SDM "IA32_PAT MSR": the memory types 0, 1, 4, 5, 6, 7 are the ones that may be written. */
static bool write_pat(struct vcpu *vcpu, uint64_t value)
{
	for (unsigned i = 0; i < 64; i += 8) {
		uint64_t type = value >> i & 0xff;

		if (type > 7 || type == 2 || type == 3)
			return false;
	}
	backend_set_pat(vcpu, value);
	return true;
}

static uint64_t read_efer(struct vcpu *vcpu)
{
	return vcpu->efer;
}

static bool write_efer(struct vcpu *vcpu, uint64_t value)
{
	return control_write_efer(vcpu, value);
}

/* vcpu/msr_policy.h without what is #GP anyhow. */
#define RULE_RW(first, n, with, name, why) {first, n, 0, has_##with, read_##name, write_##name},
#define RULE_RO(first, n, with, name, why) {first, n, 0, has_##with, read_##name, NULL},
#define RULE_WO(first, n, with, name, why) {first, n, 0, has_##with, NULL, write_##name},
#define RULE_LIVE(number, with, why)                                                               \
	{number, 1, MSR_PASS_READ | MSR_PASS_WRITE, has_##with, NULL, NULL},
#define RULE_NONE(first, n, why)

static const struct msr_rule rules[] = {
	{0}, /* number 0 is no rule's: it is offered to nobody */
	MSR_POLICY(RULE_RW, RULE_RO, RULE_WO, RULE_LIVE, RULE_NONE)};

/* From an MSR's number to its rule's, for the two ranges in which all rules lie. */
#define LOW_COUNT  0x1000u
#define HIGH_BASE  0xc0000000u
#define HIGH_COUNT 0x200u
static uint8_t low_index[LOW_COUNT], high_index[HIGH_COUNT];

void msr_init(void)
{
	for (unsigned i = 1; i < ARRAY_COUNT(rules); i++)
		for (uint32_t msr = rules[i].first; msr < rules[i].first + rules[i].count; msr++) {
			if (msr < LOW_COUNT)
				low_index[msr] = (uint8_t)i;
			else
				high_index[(msr - HIGH_BASE) % HIGH_COUNT] = (uint8_t)i;
		}
}

void msr_offer(struct vcpu *vcpu)
{
	_Static_assert(ARRAY_COUNT(rules) <= 64, "a bit each");
	vcpu->msr_offered = 0;
	for (unsigned i = 1; i < ARRAY_COUNT(rules); i++)
		if (!rules[i].offered || rules[i].offered(vcpu))
			vcpu->msr_offered |= 1ull << i;
}

static inline const struct msr_rule *find_rule(const struct vcpu *vcpu, uint32_t msr)
{
	uint32_t index;

	if (msr < LOW_COUNT)
		index = low_index[msr];
	else if (msr - HIGH_BASE < HIGH_COUNT)
		index = high_index[msr - HIGH_BASE];
	else
		return NULL;
	return vcpu->msr_offered >> index & 1 ? &rules[index] : NULL;
}

void msr_for_each_passed(const struct vcpu *vcpu,
			 void (*open)(void *context, uint32_t msr, unsigned pass), void *context)
{
	for (unsigned i = 1; i < ARRAY_COUNT(rules); i++)
		if (rules[i].pass && find_rule(vcpu, rules[i].first))
			open(context, rules[i].first, rules[i].pass);
}

void msr_reset_live(const struct vcpu *vcpu)
{
	if (has_long_mode(vcpu)) {
		wrmsr(IA32_STAR, 0);
		wrmsr(IA32_LSTAR, 0);
		wrmsr(IA32_CSTAR, 0);
		wrmsr(IA32_FMASK, 0);
		wrmsr(IA32_KERNEL_GS_BASE, 0);
	}
	if (has_tsc_aux(vcpu))
		wrmsr(IA32_TSC_AUX, 0);
	if (has_xsaves(vcpu))
		wrmsr(IA32_XSS, 0);
	if (has_waitpkg(vcpu))
		wrmsr(IA32_UMWAIT_CONTROL, 0);
}

static void fill_record(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	if (unlikely(vcpu_records(vcpu))) {
		vcpu->record->qualification = msr;
		vcpu->record->detail[0] = value;
	}
}

enum outcome vcpu_msr_read(struct vcpu *vcpu)
{
	uint32_t msr = (uint32_t)vcpu->regs.rcx;
	const struct msr_rule *rule = find_rule(vcpu, msr);
	uint64_t value;

	if (unlikely(!rule || !rule->read)) {
		fill_record(vcpu, msr, 0);
		vcpu_gp(vcpu);
		return OUTCOME_STAY;
	}
	value = rule->read(vcpu);
	vcpu->regs.rax = (uint32_t)value;
	vcpu->regs.rdx = value >> 32;
	fill_record(vcpu, msr, value);
	return OUTCOME_NEXT;
}

enum outcome vcpu_msr_write(struct vcpu *vcpu)
{
	uint32_t msr = (uint32_t)vcpu->regs.rcx;
	uint64_t value = (uint32_t)vcpu->regs.rax | vcpu->regs.rdx << 32;
	const struct msr_rule *rule = find_rule(vcpu, msr);

	fill_record(vcpu, msr, value);
	if (likely(rule && rule->write && rule->write(vcpu, value)))
		return OUTCOME_NEXT;
	vcpu_gp(vcpu);
	return OUTCOME_STAY;
}
