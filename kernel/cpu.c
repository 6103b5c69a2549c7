/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets a processor up: descriptor tables, stacks for the worst exceptions, control registers, the
 * stack canary. */
#include "kernel/cpu.h"

#include <stddef.h>

#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/msr.h"
#include "kernel/address_space.h"
#include "kernel/layout.h"

#define MAIN_STACK_SIZE      0x8000u
#define INTERRUPT_STACK_SIZE 0x4000u

/* SDM "Segment Descriptors": present, accessed; flat, since long mode ignores base and limit. */
#define DESCRIPTOR_CODE64 0x00af9b000000ffffull
#define DESCRIPTOR_DATA   0x00cf93000000ffffull
#define DESCRIPTOR_TSS    0x0000890000000000ull /* available 64-bit TSS */

/* What the compiler's stack protector compares with; stack_protector_start() gives it its value. */
extern uint64_t __stack_chk_guard;
uint64_t __stack_chk_guard;

static struct cpu cpus[CPUS_MAX];

/* Those that run. They start one after the other. */
static struct cpu *joined[CPUS_MAX];
static unsigned joined_count;

/* For the first processor, until there is memory. */
static uint8_t first_interrupt_stacks[IST_COUNT][INTERRUPT_STACK_SIZE] ALIGNED(16);

static void add_stack(struct cpu *cpu, uint64_t bottom, uint64_t top)
{
	if (cpu->stack_count < CPU_STACKS_MAX)
		cpu->stacks[cpu->stack_count++] =
			(struct stack_range){.bottom = bottom, .top = top};
}

static void set_interrupt_stack(struct cpu *cpu, unsigned n, uint64_t top)
{
	cpu->tss.ist[n] = top;
	add_stack(cpu, top - INTERRUPT_STACK_SIZE, top);
}

/* SDM "TSS Descriptor in 64-bit mode": the base is spread over two entries. */
static void make_gdt(struct cpu *cpu)
{
	uint64_t base = (uint64_t)&cpu->tss;

	cpu->gdt[SELECTOR_CODE / 8] = DESCRIPTOR_CODE64;
	cpu->gdt[SELECTOR_DATA / 8] = DESCRIPTOR_DATA;
	cpu->gdt[SELECTOR_TSS / 8] = DESCRIPTOR_TSS | (sizeof(cpu->tss) - 1) |
				     bits(base, 23, 0) << 16 | bits(base, 31, 24) << 56;
	cpu->gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
}

static void load_gdt(struct cpu *cpu)
{
	struct table_register gdtr = {.limit = sizeof(cpu->gdt) - 1, .base = (uint64_t)cpu->gdt};

	lgdt(&gdtr);
	load_segments(SELECTOR_CODE, SELECTOR_DATA);
	ltr(SELECTOR_TSS);
	lldt(0);
	/* Loading GS cleared its base. */
	wrmsr(IA32_GS_BASE, (uint64_t)cpu);
}

/*
 * The protections that the processor has. OSXSAVE is for the guests' XCR0: the host itself uses
 * general registers only. MCE stays set under a guest too, so that a machine check is reported
 * instead of a shutdown.
 */
static void set_control_registers(void)
{
	static const struct {
		struct cpuid_bit feature;
		uint64_t cr4;
	} rows[] = {
		{CPUID_MCE,   CR4_MCE    },
                {CPUID_XSAVE, CR4_OSXSAVE},
                {CPUID_SMEP,  CR4_SMEP   },
		{CPUID_SMAP,  CR4_SMAP   },
                {CPUID_UMIP,  CR4_UMIP   },
	};
	uint64_t cr4 = CR4_PAE;

	for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
		if (cpuid_has(cpuid, rows[i].feature))
			cr4 |= rows[i].cr4;
	}
	write_cr0(CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE);
	write_cr4(cr4);
	wrmsr(IA32_EFER, EFER_LMA | EFER_LME | EFER_NXE);
}

/*
 * Memory is mapped with entry 0 of the PAT, WB, and device registers with entry 3, UC, as they are
 * after a reset; a firmware or boot loader may have left others. SDM "Programming the PAT".
 */
static void set_memory_types(void)
{
	if (!cpuid_has(cpuid, CPUID_PAT) || rdmsr(IA32_PAT) == PAT_RESET)
		return;
	wbinvd();
	wrmsr(IA32_PAT, PAT_RESET);
	wbinvd();
	write_cr3(read_cr3());
}

/*
 * A canary that differs from boot to boot. Its lowest byte is zero, which ends a string that runs
 * over. Runs once, in functions that are not protected themselves or never return.
 */
__attribute__((no_stack_protector)) static void stack_protector_start(void)
{
	uint64_t value = rdtsc() * 0x9e3779b97f4a7c15ull;
	uint64_t random;

	if (cpuid_has(cpuid, CPUID_RDRAND)) {
		for (unsigned tries = 0; tries < 10; tries++) {
			if (rdrand(&random)) {
				value ^= random;
				break;
			}
		}
	}
	__stack_chk_guard = value << 8;
}

__attribute__((no_stack_protector)) void cpu_start(unsigned index)
{
	struct cpu *cpu = &cpus[index];

	cpu->self = cpu;
	cpu->index = index;
	cpu->apic_id = cpu->cpuid_id = cpu_apic_id();
	cpu->tss.io_map_base = sizeof(cpu->tss);
	make_gdt(cpu);
	load_gdt(cpu);
	set_control_registers();
	set_memory_types();
	if (index == 0) {
		stack_protector_start();
		add_stack(cpu, (uint64_t)boot_stack_bottom, (uint64_t)boot_stack_top);
		for (unsigned n = 0; n < IST_COUNT; n++)
			set_interrupt_stack(cpu, n, (uint64_t)first_interrupt_stacks[n + 1]);
		cpu_join();
	}
}

uint32_t cpu_apic_id(void)
{
	/* Leaf 0Bh has all 32 bits, but not every processor has the leaf. */
	if (cpuid_max_leaf(cpuid, 0) >= CPUID_LEAF_TOPOLOGY &&
	    cpuid(CPUID_LEAF_TOPOLOGY, 0).ebx != 0)
		return cpuid(CPUID_LEAF_TOPOLOGY, 0).edx;
	return cpuid(CPUID_LEAF_FEATURES, 0).ebx >> 24;
}

err_t cpu_create_stacks(unsigned index, uint64_t *top)
{
	struct cpu *cpu = &cpus[index];
	void *stack;
	err_t err;

	for (unsigned n = 0; n < IST_COUNT; n++) {
		err = stack_create(INTERRUPT_STACK_SIZE, &stack);
		if (err)
			return err;
		set_interrupt_stack(cpu, n, (uint64_t)stack);
	}
	err = stack_create(MAIN_STACK_SIZE, &stack);
	if (err)
		return err;
	*top = (uint64_t)stack;
	add_stack(cpu, *top - MAIN_STACK_SIZE, *top);
	return NULL;
}

void cpu_join(void)
{
	joined[joined_count] = this_cpu();
	__atomic_store_n(&joined_count, joined_count + 1, __ATOMIC_RELEASE);
}

unsigned cpu_count(void)
{
	return __atomic_load_n(&joined_count, __ATOMIC_ACQUIRE);
}

struct cpu *cpu_by_number(unsigned n)
{
	return joined[n];
}

void cpu_run_on_stack(uint64_t top, void (*function)(void *), void *argument)
{
	asm volatile("movq %0, %%rsp\n\t"
		     "xorl %%ebp, %%ebp\n\t"
		     "callq *%1\n\t"
		     "ud2"
		     :
		     : "r"(top), "r"(function), "D"(argument)
		     : "memory");
	__builtin_unreachable();
}

bool cpu_stack_contains(uint64_t address, uint64_t size)
{
	const struct cpu *cpu = this_cpu();

	for (unsigned i = 0; i < cpu->stack_count; i++) {
		const struct stack_range *stack = &cpu->stacks[i];

		if (address >= stack->bottom && address < stack->top &&
		    size <= stack->top - address)
			return true;
	}
	return false;
}
