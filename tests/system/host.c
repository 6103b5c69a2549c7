/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linked in the place of guest/guests.c: does to the host what only a bug of its own could do.
 * trace= says which; a fault that does not come ends with the verdict `fail`. Without one, what
 * must work is tried out.
 */
#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/instructions.h"
#include "arch/x86_64/msr.h"
#include "guest/guests.h"
#include "kernel/cpu.h"
#include "kernel/cpu_work.h"
#include "kernel/direct_map.h"
#include "kernel/layout.h"
#include "kernel/local_apic.h"
#include "kernel/log.h"
#include "kernel/msr_safe.h"
#include "kernel/panic.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "kernel/traps.h"
#include "kernel/verdict.h"
#include "tests/system/host_guests.h"
#include "vcpu/vcpu.h"

#define UNKNOWN_MSR  0x12345u
#define TIMER_VECTOR 0x50u

/* The compiler must neither see where these lead nor leave them out. */
static void write_byte(const volatile void *at)
{
	volatile char *to = (volatile char *)at;

	asm volatile("" : "+r"(to));
	*to = 1;
}

static void execute(const void *at)
{
	asm volatile("call *%0" : : "r"(at) : "memory", "rax", "rcx", "rdx", "rsi", "rdi", "cc");
}

static void *kernel_in_direct_map(const char *at)
{
	return direct_map(HPA(kernel_physical(at)));
}

static void null_write(void)
{
	write_byte((void *)8);
}

static void null_call(void)
{
	execute(NULL);
}

static void text_write(void)
{
	write_byte(kernel_text_start);
}

static void rodata_write(void)
{
	write_byte(kernel_rodata_start);
}

static void text_write_direct(void)
{
	write_byte(kernel_in_direct_map(kernel_text_start));
}

static void data_execute(void)
{
	execute(kernel_data_start);
}

static void rodata_execute(void)
{
	execute(kernel_rodata_start);
}

static void text_execute_direct(void)
{
	execute(kernel_in_direct_map(kernel_text_start));
}

/* Where the 32-bit start was, and all of the boot loader's view of memory. */
static void identity_read(void)
{
	write_byte((void *)kernel_physical(kernel_start));
}

static __attribute__((noinline)) int recurse(volatile int *depth)
{
	volatile int room[100];

	room[0] = *depth;
	return room[0] < 0 ? 0 : recurse(room) + room[1];
}

static void stack_overflow(void)
{
	volatile int depth = 1;

	recurse(&depth);
}

static __attribute__((noinline)) void overrun(volatile unsigned size)
{
	char small[16];
	volatile char *to = small;

	asm volatile("" : "+r"(to));
	for (unsigned i = 0; i < size; i++)
		to[i] = 1;
}

static void stack_smash(void)
{
	overrun(64);
}

static void undefined(void)
{
	asm volatile("ud2");
}

static void deliberate(void)
{
	panic("deliberate, with %d", 42);
}

/* No `this CPU` any more: the report of the first fault faults as well. */
static void nested(void)
{
	wrmsr(IA32_GS_BASE, 0);
	write_byte((void *)8);
}

static void talk(void *unused)
{
	(void)unused;
	for (;;)
		log_info("CPU %u talks", this_cpu()->index);
}

static void on_all_others(void (*function)(void *))
{
	for (unsigned i = 1; i < cpu_count(); i++)
		cpu_work_give(cpu_by_number(i), function, NULL);
}

/* The others are at work, and one of them has the console's lock nearly always. */
static void among_others(void)
{
	on_all_others(talk);
	time_delay_us(20000);
	panic("among %u others", cpu_count() - 1);
}

static void panic_too(void *unused)
{
	(void)unused;
	panic("at once");
}

static void at_once(void)
{
	on_all_others(panic_too);
	panic_too(NULL);
}

static const struct {
	const char *name;
	void (*run)(void);
} faults[] = {
	{"null-write",          null_write         },
	{"null-call",           null_call          },
	{"text-write",          text_write         },
	{"rodata-write",        rodata_write       },
	{"text-write-direct",   text_write_direct  },
	{"data-execute",        data_execute       },
	{"rodata-execute",      rodata_execute     },
	{"text-execute-direct", text_execute_direct},
	{"identity-read",       identity_read      },
	{"stack-overflow",      stack_overflow     },
	{"stack-smash",         stack_smash        },
	{"undefined",           undefined          },
	{"deliberate",          deliberate         },
	{"among-others",        among_others       },
	{"at-once",             at_once            },
	{"nested",              nested             },
};

static unsigned ticks;

static void timer(unsigned vector)
{
	ticks += vector == TIMER_VECTOR;
}

static void start_timer(void)
{
	local_apic_write(APIC_LVT_TIMER, TIMER_VECTOR);
	local_apic_write(APIC_DIVIDE, 0xb);
	local_apic_write(APIC_INITIAL_COUNT, 1000);
}

static void check_interrupts(void)
{
	struct cpu *cpu = this_cpu();

	asm volatile("int $2; int $2");
	host_check("NMIs are counted", cpu->nmi_count == 2 && cpu->nmi_pending);

	asm volatile("int $0x40; int $0x40; int $0x21");
	host_check("unexpected interrupts are counted", cpu->unexpected_interrupt_count == 3);
	asm volatile("int $0x27; int $0x2f; int $0xff");
	host_check("spurious interrupts are counted", cpu->spurious_interrupt_count == 3);

	trap_set_handler(TIMER_VECTOR, timer);
	start_timer();
	sti_hlt();
	cli();
	start_timer();
	sti_hlt();
	cli();
	host_check("a handler is called, again after its end of interrupt", ticks == 2);
}

static void check_what_works(void)
{
	uint64_t value = 77;
	uint64_t efer = rdmsr(IA32_EFER);

	host_check("an MSR that exists can be read",
		   rdmsr_safe(IA32_EFER, &value) && value == efer);
	host_check("one that does not is reported",
		   !rdmsr_safe(UNKNOWN_MSR, &value) && value == efer);
	host_check("a write of it too", !wrmsr_safe(UNKNOWN_MSR, 0));
	host_check("so is a value with reserved bits", !wrmsr_safe(IA32_EFER, ~0ul));
	host_check("mapped memory can be read",
		   read64_safe((uint64_t)&value, &efer) && efer == value);
	host_check("what is not mapped is reported", !read64_safe(8, &efer));
	host_check("and so is what is no address", !read64_safe(0x1234567812345678, &efer));
	host_check("write protection is on", (read_cr0() & CR0_WP) != 0);
	host_check("SMEP is on where it exists",
		   !cpuid_has(cpuid, CPUID_SMEP) || (read_cr4() & CR4_SMEP) != 0);
	host_check("SMAP is on where it exists",
		   !cpuid_has(cpuid, CPUID_SMAP) || (read_cr4() & CR4_SMAP) != 0);
	host_check("UMIP is on where it exists",
		   !cpuid_has(cpuid, CPUID_UMIP) || (read_cr4() & CR4_UMIP) != 0);
	host_check("device registers are mapped uncached, memory is not",
		   (rdmsr(IA32_PAT) >> 24 & 0xff) == MEMORY_UC &&
			   (rdmsr(IA32_PAT) & 0xff) == MEMORY_WB);
	check_interrupts();
}

static void run_guests(void)
{
	err_t err = backend_start();

	if (err)
		verdict_end(VERDICT_ERROR, VERDICT_CODE_REFUSED, "%s", err);
	host_guests_run();
	backend_stop();
}

void guests_run(const struct boot_info *boot, const struct options *options,
		const struct acpi_info *acpi)
{
	(void)boot;
	(void)acpi;
	if (!options->trace[0]) {
		check_what_works();
		run_guests();
		verdict_end(VERDICT_PASS, 0, "all of it works");
	}
	for (unsigned i = 0; i < ARRAY_COUNT(faults); i++) {
		if (strcmp(options->trace, faults[i].name) == 0)
			faults[i].run();
	}
	verdict_end(VERDICT_FAIL, 1, "%s did no harm", options->trace);
}
