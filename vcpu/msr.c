/* SPDX-License-Identifier: BSD-2-Clause */
/* The MSR policy and the RDMSR and WRMSR exits. */
#include "vcpu/msr.h"

#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/instructions.h"
#include "arch/x86_64/msr.h"
#include "vcpu/control.h"
#include "vcpu/vcpu.h"

/* --- Which MSRs exist: as the guest's CPUID says. --- */

static bool has_tsc_adjust(const struct vcpu *vcpu)
{
	return cpuid_shows(&vcpu->cpuid, CPUID_TSC_ADJUST);
}

static bool has_tsc_aux(const struct vcpu *vcpu)
{
	return cpuid_shows(&vcpu->cpuid, CPUID_RDTSCP) || cpuid_shows(&vcpu->cpuid, CPUID_RDPID);
}

static bool has_xsaves(const struct vcpu *vcpu)
{
	return cpuid_shows(&vcpu->cpuid, CPUID_XSAVES);
}

static bool has_waitpkg(const struct vcpu *vcpu)
{
	return cpuid_shows(&vcpu->cpuid, CPUID_WAITPKG);
}

static bool has_long_mode(const struct vcpu *vcpu)
{
	return cpuid_shows(&vcpu->cpuid, CPUID_LONG_MODE);
}

/* --- Emulated ones. --- */

static uint64_t read_tsc(struct vcpu *vcpu)
{
	return rdtsc() + (uint64_t)vcpu->tsc_offset;
}

/* SDM "IA32_TSC_ADJUST Register and TSC Synchronization": what a write moves the TSC by, TSC_ADJUST
 * moves too. */
static bool write_tsc(struct vcpu *vcpu, uint64_t value)
{
	int64_t moved = (int64_t)(value - (rdtsc() + (uint64_t)vcpu->tsc_offset));

	vcpu->tsc_adjust += moved;
	backend_set_tsc_offset(vcpu, vcpu->tsc_offset + moved);
	return true;
}

static uint64_t read_tsc_adjust(struct vcpu *vcpu)
{
	return (uint64_t)vcpu->tsc_adjust;
}

static bool write_tsc_adjust(struct vcpu *vcpu, uint64_t value)
{
	backend_set_tsc_offset(vcpu, vcpu->tsc_offset + ((int64_t)value - vcpu->tsc_adjust));
	vcpu->tsc_adjust = (int64_t)value;
	return true;
}

/* The microcode revision reads as 0, "none loaded"; the write of 0 before the CPUID that would load
 * it is kept legal. */
static uint64_t read_zero(struct vcpu *vcpu)
{
	(void)vcpu;
	return 0;
}

static bool write_ignored(struct vcpu *vcpu, uint64_t value)
{
	(void)vcpu;
	(void)value;
	return true;
}

static bool write_zero_only(struct vcpu *vcpu, uint64_t value)
{
	(void)vcpu;
	return value == 0;
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

/*
 * The policy. What is missing here is #GP, as an MSR is that the processor does not have. The
 * segment bases, SYSENTER and syscall MSRs are the guest's own while it runs: a read or write of
 * the guest touches nothing of the host, which gets its values back from the VMCS at each exit or
 * never uses them.
 */
/* clang-format off */
static const struct msr_rule rules[] = {
	{0}, /* number 0 is no rule's: it is offered to nobody */
	{IA32_TIME_STAMP_COUNTER,            0,                              NULL,           read_tsc,         write_tsc        },
	{IA32_TSC_ADJUST,     0,                              has_tsc_adjust, read_tsc_adjust,  write_tsc_adjust },
	{IA32_PLATFORM_ID,    0,                              NULL,           read_zero,        NULL             },
	{IA32_BIOS_SIGN_ID,   0,                              NULL,           read_zero,        write_ignored    },
	{IA32_UMWAIT_CONTROL, 0,                              has_waitpkg,    read_zero,        write_zero_only  },
	{IA32_SYSENTER_CS,    MSR_PASS_READ | MSR_PASS_WRITE, NULL,           NULL,             NULL             },
	{IA32_SYSENTER_ESP,   MSR_PASS_READ | MSR_PASS_WRITE, NULL,           NULL,             NULL             },
	{IA32_SYSENTER_EIP,   MSR_PASS_READ | MSR_PASS_WRITE, NULL,           NULL,             NULL             },
	{IA32_MISC_ENABLE,    0,                              NULL,           read_misc_enable, write_misc_enable},
	{IA32_DEBUGCTL,       0,                              NULL,           read_debugctl,    write_debugctl   },
	{IA32_PAT,            0,                              NULL,           read_pat,         write_pat        },
	{IA32_XSS,            0,                              has_xsaves,     read_zero,        write_zero_only  },
	{IA32_EFER,           0,                              NULL,           read_efer,        write_efer       },
	{IA32_STAR,           MSR_PASS_READ | MSR_PASS_WRITE, has_long_mode,  NULL,             NULL             },
	{IA32_LSTAR,          MSR_PASS_READ | MSR_PASS_WRITE, has_long_mode,  NULL,             NULL             },
	{IA32_CSTAR,          MSR_PASS_READ | MSR_PASS_WRITE, has_long_mode,  NULL,             NULL             },
	{IA32_FMASK,          MSR_PASS_READ | MSR_PASS_WRITE, has_long_mode,  NULL,             NULL             },
	{IA32_FS_BASE,        MSR_PASS_READ | MSR_PASS_WRITE, has_long_mode,  NULL,             NULL             },
	{IA32_GS_BASE,        MSR_PASS_READ | MSR_PASS_WRITE, has_long_mode,  NULL,             NULL             },
	{IA32_KERNEL_GS_BASE, MSR_PASS_READ | MSR_PASS_WRITE, has_long_mode,  NULL,             NULL             },
	{IA32_TSC_AUX,        MSR_PASS_READ | MSR_PASS_WRITE, has_tsc_aux,    NULL,             NULL             },
};
/* clang-format on */

/* From an MSR's number to its rule's, for the two ranges in which all rules lie. */
#define LOW_COUNT  0x1000u
#define HIGH_BASE  0xc0000000u
#define HIGH_COUNT 0x200u
static uint8_t low_index[LOW_COUNT], high_index[HIGH_COUNT];

void msr_init(void)
{
	for (unsigned i = 1; i < ARRAY_COUNT(rules); i++) {
		if (rules[i].msr < LOW_COUNT)
			low_index[rules[i].msr] = (uint8_t)i;
		else
			high_index[(rules[i].msr - HIGH_BASE) % HIGH_COUNT] = (uint8_t)i;
	}
}

void msr_offer(struct vcpu *vcpu)
{
	_Static_assert(ARRAY_COUNT(rules) <= 32, "a bit each");
	vcpu->msr_offered = 0;
	for (unsigned i = 1; i < ARRAY_COUNT(rules); i++)
		if (!rules[i].offered || rules[i].offered(vcpu))
			vcpu->msr_offered |= 1u << i;
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
	for (unsigned i = 0; i < ARRAY_COUNT(rules); i++)
		if (rules[i].pass && find_rule(vcpu, rules[i].msr))
			open(context, rules[i].msr, rules[i].pass);
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
