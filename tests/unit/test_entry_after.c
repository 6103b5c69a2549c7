/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever a guest writes to control registers and MSRs, in whatever order: the VM goes on, and the
 * next VM entry is one that the processor takes, by the rules of the SDM's chapter "VM Entries".
 */
/* UNITS: tests/fake/vmx_machine.c vcpu/vmx/exits.c vcpu/vmx/run.c vcpu/vmx/state.c */
/* UNITS: vcpu/vmx/vmcs.c vcpu/vmx/memory.c vcpu/vmx/ept.c vcpu/vmx/dump.c vcpu/vmx/controls.c */
/* UNITS: vcpu/vmx/capabilities.c vcpu/vcpu.c vcpu/live_state.c vcpu/control.c vcpu/msr.c */
/* UNITS: vcpu/cpuid.c vcpu/events.c vcpu/hypercall.c vcpu/io.c vcpu/linear.c vcpu/paging.c */
/* UNITS: vcpu/mmio.c vcpu/fetch.c vcpu/alu.c vcpu/decoder.c vcpu/decoder_tables.c vcpu/state.c */
/* UNITS: vcpu/vm_memory.c vcpu/bus.c trace/counters.c trace/ring.c arch/x86_64/vmcs_fields.c */
/* UNITS: arch/x86_64/vmx.c arch/x86_64/vmx_controls.c arch/x86_64/msr.c arch/x86_64/cpuid.c */
/* UNITS: arch/x86_64/exceptions.c arch/x86_64/registers.c kernel/format.c kernel/string.c */
/* UNITS: tests/fake/processor.c tests/fake/host_cpuid.c tests/fake/cpus.c tests/fake/physical.c */
/* UNITS: tests/fake/direct_map.c tests/fake/guest_memory.c tests/fake/panic.c */
/* UNITS: vcpu/vmx/exits_io.c tests/fake/log.c tests/fake/error.c */
/* UNITS: vcpu/breakpoints.c vcpu/mtrr.c */
/* UNITS: vcpu/vmx/side_channels.c vcpu/vmx/report_text.c */
/* UNITS: vcpu/vmx/entry_check.c vcpu/vmx/entry_report.c vcpu/vmx/entry_predicates.c */
/* UNITS: vcpu/vmx/entry_rules_control.c vcpu/vmx/entry_rules_execution.c */
/* UNITS: vcpu/vmx/entry_rules_host.c vcpu/vmx/entry_rules_msr.c */
/* UNITS: vcpu/vmx/entry_rules_nonregister.c vcpu/vmx/entry_rules_registers.c */
/* UNITS: vcpu/vmx/entry_rules_segments.c vcpu/vmx/vmcs_image.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include "arch/x86_64/instructions.h"
#include "arch/x86_64/msr.h"
#include "kernel/compiler.h"
#include "tests/fake/host_cpuid.h"
#include "tests/fake/processor.h"
#include "tests/fake/vmx_machine.h"
#include "vcpu/control.h"
#include "vcpu/vmx/entry_check.h"

#define STEPS    60000u
#define RIP      0x8000
#define CR_LMSW  3u
#define CR_CLTS  2u
#define PDPT     0x1000
#define PHYSICAL 40

#define get fake_vmcs_get
#define set fake_vmcs_set

static uint64_t random_state, seed;
static struct entry_environment environment;
static char last[100];

static uint64_t random64(void)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return random_state ^ random_state >> 29 ^ random_state << 31;
}

static unsigned below(unsigned limit)
{
	return (unsigned)(random64() >> 20) % limit;
}

/* Bits of the mask, most of them as they are now, at times with anything else. */
static uint64_t value_near(uint64_t now, uint64_t mask)
{
	uint64_t value = now;

	for (unsigned n = below(4); n > 0; n--)
		value ^= 1ull << below(64) & mask;
	if (below(16) == 0)
		value ^= 1ull << below(64);
	if (below(64) == 0)
		value = random64();
	return value;
}

static bool read_nothing(void *context, uint64_t address, void *to, size_t size)
{
	(void)context;
	(void)address;
	memset(to, 0, size);
	return true;
}

static int begin(const char *model)
{
	vmx_machine_model = model;
	vmx_machine_setup();
	assert_non_null(vmx_machine_vcpu);
	/* As the simulated CPUID has it, which knows all features. */
	vmx_machine_capabilities.cr4_fixed1 = 0xffffffff;
	environment = (struct entry_environment){
		.capabilities = &vmx_machine_capabilities,
		.physical_bits = PHYSICAL,
		.linear_bits = 48,
		.long_mode = true,
		.efer = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE,
		.debugctl = DEBUGCTL_LBR | DEBUGCTL_BTF,
		.current_vmcs = vmptrst().raw,
		.read = read_nothing,
	};
	/* PDPTEs: good ones, and some with reserved bits. */
	for (unsigned i = 0; i < 512; i++) {
		uint64_t entry = i % 8 == 7 ? ~0ull : 0x2001 + 0x1000 * i;

		memcpy(vmx_machine_memory(PDPT) + 8 * i, &entry, 8);
	}
	return 0;
}

static void tell(const struct entry_rule *rule, const struct vmcs_image *image, void *context)
{
	(void)image;
	(void)context;
	fail_msg("seed %llx, after %s: %s", (unsigned long long)seed, last, rule->name);
}

static void check_entry(void)
{
	struct vmcs_image image;

	if (vmx_machine_vm.end != VM_RUNNING)
		fail_msg("seed %llx, after %s: %s", (unsigned long long)seed, last,
			 vmx_machine_vm.end_text);
	vmcs_image_read(&image);
	entry_check(&image, &environment, tell, NULL);
}

/* --- What a guest may do. --- */

/* In IA-32e mode it may be in 64-bit code, and out again. */
static void far_jump(void)
{
	bool to_64 = vmx_machine_vcpu->efer & EFER_LMA && below(2);

	snprintf(last, sizeof(last), "a jump to %s code", to_64 ? "64-bit" : "32-bit");
	set(VMCS_GUEST_CS_ACCESS_RIGHTS, to_64 ? SEGMENT_CODE64 : SEGMENT_CODE32);
}

/* Bits that it owns change without an exit. */
static void own_bits(void)
{
	uint64_t owned = vmx_of(vmx_machine_vcpu)->cr4_guest_owned;

	snprintf(last, sizeof(last), "a change of its own bits");
	set(VMCS_GUEST_CR0, get(VMCS_GUEST_CR0) ^ (random64() & CR0_GUEST_OWNED));
	set(VMCS_GUEST_CR4, get(VMCS_GUEST_CR4) ^ (random64() & owned));
}

static void write_cr(void)
{
	static const uint64_t crs[] = {0, 0, 0, 3, 4, 4, 4, 8};
	uint64_t cr = crs[below(8)], value;
	unsigned reg = below(16);

	switch (cr) {
	case 0:
		value = value_near(backend_cr0(vmx_machine_vcpu),
				   CR0_PE | CR0_PG | CR0_CD | CR0_NW | CR0_NE | CR0_WP);
		break;
	case 3:
		value = PDPT;
		if (below(2))
			value = value_near(PDPT + 32ull * below(64), 0x8000000000000fff);
		break;
	case 4:
		value = value_near(backend_cr4(vmx_machine_vcpu), 0x1ffffff);
		break;
	default:
		value = below(32);
		break;
	}
	snprintf(last, sizeof(last), "MOV of %llx to CR%u", (unsigned long long)value,
		 (unsigned)cr);
	if (reg == REG_RSP)
		set(VMCS_GUEST_RSP, value);
	else
		vmx_machine_vcpu->regs.by_index[reg] = value;
	assert_true(vmx_machine_exit_with(VMX_EXIT_CR_ACCESS, cr | reg << 8));
}

static void lmsw_or_clts(void)
{
	uint64_t source = random64() & 0xffff;

	snprintf(last, sizeof(last), "LMSW of %llx or CLTS", (unsigned long long)source);
	assert_true(vmx_machine_exit_with(VMX_EXIT_CR_ACCESS,
					  below(2) ? CR_CLTS << 4 : CR_LMSW << 4 | source << 16));
}

static void write_msr(void)
{
	static const uint32_t msrs[] = {IA32_EFER,
					IA32_EFER,
					IA32_EFER,
					IA32_PAT,
					IA32_DEBUGCTL,
					IA32_MISC_ENABLE,
					IA32_XSS,
					IA32_TSC_ADJUST,
					IA32_MTRR_DEF_TYPE,
					IA32_MCG_STATUS,
					IA32_MTRR_PHYSBASE(3),
					IA32_BIOS_UPDT_TRIG,
					IA32_SYSENTER_EIP,
					IA32_FEATURE_CONTROL,
					IA32_APIC_BASE,
					IA32_TIME_STAMP_COUNTER};
	uint32_t msr = below(32) ? msrs[below(ARRAY_COUNT(msrs))] : below(0x2000);
	struct general_registers *regs = &vmx_machine_vcpu->regs;
	uint64_t value = msr == IA32_EFER  ? value_near(vmx_machine_vcpu->efer, 0xfff)
			 : msr == IA32_PAT ? value_near(PAT_RESET, ~0ull)
			 : below(2)        ? value_near(0, 0xfff)
					   : random64();

	snprintf(last, sizeof(last), "WRMSR of %llx to %x", (unsigned long long)value, msr);
	regs->rcx = random64() << 32 | msr;
	regs->rax = (uint32_t)value;
	regs->rdx = value >> 32;
	assert_true(vmx_machine_exit_with(VMX_EXIT_WRMSR, 0));
}

static void others(void)
{
	static const uint32_t reasons[] = {VMX_EXIT_CPUID,  VMX_EXIT_RDMSR, VMX_EXIT_XSETBV,
					   VMX_EXIT_INVLPG, VMX_EXIT_RDPMC, VMX_EXIT_WBINVD};
	uint32_t reason = reasons[below(ARRAY_COUNT(reasons))];

	snprintf(last, sizeof(last), "exit %u", reason);
	vmx_machine_vcpu->regs.rax = below(2) ? below(0x400) : random64();
	vmx_machine_vcpu->regs.rcx = below(2) ? 0 : random64();
	vmx_machine_vcpu->regs.rdx = below(2) ? 0 : random64();
	assert_true(vmx_machine_exit_with(reason, 0));
}

static void step(void)
{
	switch (below(12)) {
	case 0:
		far_jump();
		break;
	case 1:
		own_bits();
		break;
	case 2:
		lmsw_or_clts();
		break;
	case 3:
	case 4:
	case 5:
		write_msr();
		break;
	case 6:
		others();
		break;
	default:
		write_cr();
		break;
	}
	check_entry();
	/* What was to be injected has been; a handler has returned from it. */
	vmx_machine_injected();
	set(VMCS_GUEST_RIP, RIP);
	set(VMCS_GUEST_RFLAGS, RFLAGS_ONE);
}

static void any_order(void **state)
{
	static const char *const models[] = {"arrandale", "haswell", "skylake_x"};

	(void)state;
	for (size_t m = 0; m < ARRAY_COUNT(models); m++) {
		unsigned modes[MODE_LONG + 1] = {0};

		begin(models[m]);
		seed = random_state = 0x1234 + m;
		snprintf(last, sizeof(last), "the start");
		check_entry();
		for (unsigned n = 0; n < STEPS; n++) {
			step();
			modes[vmx_machine_vcpu->mode]++;
		}
		/* It has come everywhere. */
		for (unsigned mode = 0; mode <= MODE_LONG; mode++)
			if (mode != MODE_VIRTUAL_8086 && modes[mode] < STEPS / 100)
				fail_msg("mode %u: %u of %u steps", mode, modes[mode], STEPS);
	}
	vmx_machine_teardown();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order),
	};

	return cmocka_run_group_tests_name("entries after any writes", tests, NULL, NULL);
}
