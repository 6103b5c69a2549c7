/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starts the other processors by INIT and start-up IPIs (SDM "MP Initialization Protocol Algorithm
 * for MP Systems"), one after the other. No wait is unbounded: one that does not come is told and
 * left out.
 */
#include "kernel/start_cpus.h"

#include <stddef.h>

#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/instructions.h"
#include "arch/x86_64/msr.h"
#include "boot/ap_boot.h"
#include "kernel/address_space.h"
#include "kernel/cpu.h"
#include "kernel/cpu_choice.h"
#include "kernel/cpu_work.h"
#include "kernel/direct_map.h"
#include "kernel/ipi.h"
#include "kernel/layout.h"
#include "kernel/local_apic.h"
#include "kernel/log.h"
#include "kernel/msr_safe.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "kernel/traps.h"
#include "kernel/tsc_sync.h"

/* SDM: 10 ms after INIT, 200 us after the first start-up IPI; the second one is for those that
 * missed it. */
#define INIT_WAIT_US   10000u
#define FIRST_WAIT_US  1000u
#define SECOND_WAIT_US 100000u
#define READY_WAIT_US  1000000u
#define STEP_US        10u

/* How far a processor has come, once it runs kernel code. */
enum step { STEP_NONE, STEP_REFUSED, STEP_READY, STEP_JOINED };

/* The one that is being started. */
static struct {
	unsigned index;
	uint32_t apic_id;
	uint32_t step;
	err_t err; /* with STEP_REFUSED */
} starting;

static void advance_to(enum step step)
{
	__atomic_store_n(&starting.step, step, __ATOMIC_RELEASE);
}

static err_t become_like_the_first(void)
{
	err_t err;

	address_space_activate();
	err = local_apic_join();
	if (!err && local_apic_id() != starting.apic_id)
		err = error("it says that its APIC ID is %u; update the firmware", local_apic_id());
	return err;
}

/* Where boot/ap_trampoline.S leads, on a stack with a guard page. */
static NORETURN void run(void)
{
	cpu_start(starting.index);
	traps_load();
	starting.err = become_like_the_first();
	if (starting.err) {
		advance_to(STEP_REFUSED);
		ipi_stop_here();
	}
	this_cpu()->apic_id = starting.apic_id;
	advance_to(STEP_READY);
	tsc_sync_follow();
	cpu_join();
	advance_to(STEP_JOINED);
	cpu_work_loop();
}

static struct far_pointer far_pointer(hpa_t page, const char *place, uint16_t selector)
{
	return (struct far_pointer){
		.offset = (uint32_t)page.raw + (uint32_t)(place - ap_trampoline),
		.selector = selector,
	};
}

static void prepare_page(struct ap_boot *boot, hpa_t page)
{
	/* Flat: 32-bit code, data, 64-bit code. */
	static const uint64_t gdt[] = {
		0,
		0x00cf9b000000ffff,
		0x00cf93000000ffff,
		0x00af9b000000ffff,
	};

	_Static_assert(sizeof(gdt) == sizeof(boot->gdt), "it must fit");
	memset(boot, 0, sizeof(*boot));
	memcpy(boot->gdt, gdt, sizeof(gdt));
	boot->gdt_limit = sizeof(gdt) - 1;
	boot->gdt_base = (uint32_t)page.raw + AP_BOOT_OFFSET + AP_BOOT_GDT;
	boot->protected = far_pointer(page, ap_trampoline_protected, 8);
	boot->long_mode = far_pointer(page, ap_trampoline_long, 24);
	boot->cr3 = (uint32_t)kernel_physical(boot_pml4);
	boot->kernel_cr3 = address_space_cr3();
	boot->entry = (uint64_t)run;
}

static bool wait_until_at_least(const uint32_t *word, uint32_t value, unsigned limit_us)
{
	for (unsigned us = 0; us < limit_us; us += STEP_US) {
		if (__atomic_load_n(word, __ATOMIC_ACQUIRE) >= value)
			return true;
		time_delay_us(STEP_US);
	}
	return false;
}

/* False: it has not come, and if it still does, it stops before it touches anything. */
static bool call(struct ap_boot *boot, hpa_t page, uint32_t apic_id)
{
	uint32_t command = IPI_STARTUP | (uint32_t)(page.raw / PAGE_SIZE), wanted = AP_WANTED;

	__atomic_store_n(&boot->state, AP_WANTED, __ATOMIC_SEQ_CST);
	if (!local_apic_send(apic_id, IPI_INIT))
		return false;
	time_delay_us(INIT_WAIT_US);
	if (local_apic_send(apic_id, command) &&
	    wait_until_at_least(&boot->state, AP_TAKEN, FIRST_WAIT_US))
		return true;
	if (local_apic_send(apic_id, command) &&
	    wait_until_at_least(&boot->state, AP_TAKEN, SECOND_WAIT_US))
		return true;
	if (!__atomic_compare_exchange_n(&boot->state, &wanted, AP_NOBODY_WANTED, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return true;
	(void)local_apic_send(apic_id, IPI_INIT);
	return false;
}

static void tell_difference(struct tsc_difference difference, const char *what)
{
	uint64_t distance = (uint64_t)(difference.ticks < 0 ? -difference.ticks : difference.ticks);

	log_warn("CPU %u: its TSC is %lu ticks (%lu us) %s the first CPU's, give or take %lu; %s",
		 starting.index, distance, time_us_from_ticks(distance),
		 difference.ticks < 0 ? "behind" : "ahead of", difference.doubt, what);
}

/* Times of one VM are right in any case: it stays on one processor. */
static err_t compare_time(void)
{
	static const char no_answer[] = "it stopped answering when its TSC was read";
	struct tsc_difference difference;

	if (!tsc_sync_measure(&difference))
		return no_answer;
	if (tsc_is_same(difference)) {
		log_debug("CPU %u: its TSC is the first CPU's, give or take %lu ticks",
			  starting.index, difference.doubt);
		return NULL;
	}
	if (!tsc_sync_adjust(-difference.ticks)) {
		tell_difference(difference, "times of VMs on different CPUs differ by that");
		return NULL;
	}
	tell_difference(difference, "IA32_TSC_ADJUST makes up for it");
	if (!tsc_sync_measure(&difference))
		return no_answer;
	if (!tsc_is_same(difference))
		tell_difference(difference, "times of VMs on different CPUs differ by that");
	return NULL;
}

/* What comes after the first word of the processor. */
static err_t accompany(void)
{
	err_t err;

	if (!wait_until_at_least(&starting.step, STEP_REFUSED, READY_WAIT_US))
		return "it began to start and then stopped";
	if (starting.step == STEP_REFUSED)
		return starting.err;
	err = compare_time();
	tsc_sync_end();
	if (!err && !wait_until_at_least(&starting.step, STEP_JOINED, READY_WAIT_US))
		err = "it stopped before it was ready for work";
	return err;
}

/* True: the number is used up, be it by a processor that is of no use. */
static bool start(struct ap_boot *boot, hpa_t page, unsigned index, uint32_t apic_id)
{
	uint64_t stack;
	bool came = false;
	err_t err = cpu_create_stacks(index, &stack);

	if (!err) {
		starting.index = index;
		starting.apic_id = apic_id;
		starting.err = NULL;
		advance_to(STEP_NONE);
		tsc_sync_begin();
		boot->stack = stack;
		came = call(boot, page, apic_id);
		err = came ? accompany() : "it does not answer INIT and start-up IPIs";
	}
	if (err)
		log_warn("the CPU with APIC ID %u is left out: %s", apic_id, err);
	/* A processor that went astray gets no second chance to do so. */
	if (err && came)
		(void)local_apic_send(apic_id, IPI_INIT);
	return came;
}

static void start_all(const struct cpu_choice *choice, hpa_t page)
{
	static uint8_t kept[PAGE_SIZE];
	uint8_t *low = direct_map(page);
	struct ap_boot *boot = (struct ap_boot *)(low + AP_BOOT_OFFSET);
	unsigned index = 1;

	/* Whose page it may be gets it back. */
	memcpy(kept, low, PAGE_SIZE);
	memcpy(low, ap_trampoline, (size_t)(ap_trampoline_end - ap_trampoline));
	prepare_page(boot, page);
	for (unsigned i = 0; i < choice->count && index < CPUS_MAX; i++) {
		if (start(boot, page, index, choice->apic_ids[i]))
			index++;
	}
	memcpy(low, kept, PAGE_SIZE);
}

static void tell_left_out(const struct cpu_choice *choice)
{
	if (choice->off)
		log_debug("CPUs: %u that the firmware lists are switched off", choice->off);
	if (choice->need_x2)
		log_warn("CPUs: %u with APIC IDs from 255 on are left out, which need x2APIC mode; "
			 "enable x2APIC in the firmware setup",
			 choice->need_x2);
	if (choice->too_many)
		log_warn("CPUs: %u are left out, since Plinth uses %u at the most",
			 choice->too_many, CPUS_MAX);
}

/* Threads of one core share its buffers and its first cache (SDM "Detecting Hardware
 * Multi-Threading"). */
static bool cores_are_shared(void)
{
	static uint32_t apic_ids[CPUS_MAX];
	struct cpuid_result threads;

	if (cpuid_max_leaf(cpuid, 0) < CPUID_LEAF_TOPOLOGY)
		return false;
	threads = cpuid(CPUID_LEAF_TOPOLOGY, 0);
	for (unsigned i = 0; i < cpu_count(); i++)
		apic_ids[i] = cpu_by_number(i)->apic_id;
	return threads.ebx != 0 &&
	       cpu_choice_shares_core(apic_ids, cpu_count(), threads.eax & 0x1f);
}

static bool leaks_between_threads(void)
{
	uint64_t immune = ARCH_CAP_RDCL_NO | ARCH_CAP_MDS_NO, value;

	return !cpuid_has(cpuid, CPUID_ARCH_CAPABILITIES) ||
	       !rdmsr_safe(IA32_ARCH_CAPABILITIES, &value) || (value & immune) != immune;
}

void start_cpus(const struct acpi_info *acpi, const struct memory_map *map)
{
	static struct cpu_choice choice;
	hpa_t page;

	if (!local_apic_is_started())
		return;
	this_cpu()->apic_id = local_apic_id();
	cpu_choice_make(&choice, acpi, this_cpu()->apic_id, local_apic_is_x2(), CPUS_MAX - 1);
	tell_left_out(&choice);
	ipi_start();
	if (choice.count > 0 && cpu_choice_page(map, &page))
		start_all(&choice, page);
	else if (choice.count > 0)
		log_warn("CPUs: no RAM below 1 MiB is free to start the other %u in; they are left "
			 "out",
			 choice.count);
	log_info("CPUs: %u of %u run", cpu_count(), choice.count + 1);
	if (cores_are_shared() && leaks_between_threads())
		log_info("CPUs: limit: some are threads of one core, where a guest may find traces "
			 "of "
			 "another's data (L1TF, MDS); if guests must not trust each other, switch "
			 "Hyper-Threading off in the firmware setup");
}
