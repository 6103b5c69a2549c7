/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs the guests on all processors, and gives the verdict. Each processor takes the next guest in
 * module order, runs it to its end, starts it again as often as restart= allows, and takes the
 * next.
 */
#include "guest/guests.h"

#include "guest/life.h"
#include "guest/modules.h"
#include "guest/queue.h"
#include "kernel/beat.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/cpu_work.h"
#include "kernel/log.h"
#include "kernel/physical.h"
#include "kernel/rtc.h"
#include "kernel/spinlock.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "kernel/verdict.h"
#include "trace/trace.h"
#include "vcpu/vcpu.h"

/* What a VM needs beside its own memory: the tables that map it, bitmaps, devices. */
#define OVERHEAD_SHARE 256
#define OVERHEAD_LEAST MIB

static struct {
	const struct options *options;
	struct rtc_time date; /* of the host */
	uint64_t date_tsc;    /* when that was */

	struct cpu *cpus[CPUS_MAX]; /* those that run guests; the first is the one that boots */
	unsigned cpu_count;
	err_t join_error;

	struct guest guests[GUESTS_MAX];
	struct spinlock lock; /* of the queue */
	struct guest_queue queue;
} run;

/* --- One guest. --- */

/* The console is the VM's that console=vm:NAME names, else of the first one that runs. */
static void open_console(struct life *life, unsigned index)
{
	const char *chosen = run.options->console.raw_vm;
	const char *name = run.guests[index].options.name;

	/* One step with the end of another guest, which gives the console to those that are open.
	 */
	spin_lock(&run.lock);
	life_open_console(life, chosen[0] ? strcmp(chosen, name) == 0
					  : queue_is_first(&run.queue, index));
	spin_unlock(&run.lock);
}

static void finish(unsigned index, bool passed, uint32_t code)
{
	spin_lock(&run.lock);
	queue_finish(&run.queue, index, passed, code);
	spin_unlock(&run.lock);
}

static uint64_t memory_needed(const struct guest *guest)
{
	uint64_t size = guest->options.memory_size;

	return size + size / OVERHEAD_SHARE + OVERHEAD_LEAST;
}

/* Only others' memory can be what this guest waits for. */
static bool lacks_memory(const struct guest *guest)
{
	struct physical_totals totals = physical_totals();

	return memory_needed(guest) <= totals.usable && memory_needed(guest) > totals.largest;
}

static void wait_for_memory(const struct guest *guest, uint64_t changes)
{
	log_vm(guest->options.name, "waits until other VMs give back enough memory");
	while (__atomic_load_n(&run.queue.changes, __ATOMIC_RELAXED) == changes &&
	       !console_end_requested())
		beat_sleep();
}

/* After a start that failed. False: it failed for good. */
static bool may_start_later(const struct guest *guest, const struct memory_try *try)
{
	enum memory_answer answer;
	uint64_t changes;

	spin_lock(&run.lock);
	if (!lacks_memory(guest)) {
		queue_memory_returned(&run.queue);
		spin_unlock(&run.lock);
		return false;
	}
	answer = queue_memory_failed(&run.queue, try);
	changes = run.queue.changes;
	spin_unlock(&run.lock);
	if (answer == MEMORY_LATER)
		wait_for_memory(guest, changes);
	return answer != MEMORY_NEVER && !console_end_requested();
}

static struct rtc_time date_now(void)
{
	uint64_t passed = time_us_from_ticks(time_now() - run.date_tsc) / 1000000;
	struct rtc_time date;

	rtc_from_seconds(rtc_to_seconds(&run.date) + passed, &date);
	return date;
}

static err_t start(struct life *life, unsigned index)
{
	const struct guest *guest = &run.guests[index];
	struct memory_try try;
	err_t err;

	do {
		const struct life_options options = {
			.id = index,
			.date = date_now(),
			.check_entries = run.options->check == CHECK_ENTRY,
		};

		spin_lock(&run.lock);
		queue_memory_try(&run.queue, &try);
		spin_unlock(&run.lock);
		err = life_begin(life, guest, &options);
	} while (err && may_start_later(guest, &try));
	return err;
}

static void end(struct life *life)
{
	life_end(life);
	spin_lock(&run.lock);
	queue_memory_returned(&run.queue);
	spin_unlock(&run.lock);
}

/* Runs a guest until it is not started again. */
static err_t run_all_lives(struct life *life, unsigned index)
{
	unsigned limit = run.guests[index].options.restart_count, restarts = 0;

	for (;;) {
		err_t err = start(life, index);
		bool again;

		if (err)
			return restarts ? error("restart %u of %u failed: %s", restarts, limit, err)
					: err;
		life_run(life);
		again = !console_end_requested() &&
			guest_restarts(life->end, life->code, restarts, limit);
		if (again)
			restarts++;
		life_report(life, again ? restarts : 0);
		end(life);
		if (!again)
			return NULL;
	}
}

static void run_guest(unsigned index)
{
	const struct guest *guest = &run.guests[index];
	struct life *life = NULL;
	bool passed = false;
	uint32_t code = 1;
	err_t err = guest->err;

	if (!err)
		err = life_create(guest, &life);
	if (!err) {
		open_console(life, index);
		err = run_all_lives(life, index);
	}
	if (err) {
		log_error("VM %s does not start: %s", guest->options.name, err);
	} else {
		passed = guest_passed(life->end, life->code);
		code = life->end == VM_ENDED_EXIT ? life->code : 1;
	}
	finish(index, passed, code);
	life_destroy(life);
}

/* --- All guests. --- */

static bool take(unsigned *index)
{
	bool taken;

	spin_lock(&run.lock);
	taken = !console_end_requested() && queue_take(&run.queue, index);
	spin_unlock(&run.lock);
	return taken;
}

/* A processor's part. Its first guest was chosen for it, so that the same guests run side by side
 * each time. */
static void work(void *first)
{
	unsigned index = (unsigned)(uintptr_t)first;

	do
		run_guest(index);
	while (take(&index));
}

/* The other processors that have something to do begin first. */
static void run_all(void)
{
	unsigned first[CPUS_MAX];
	unsigned busy = 0;

	while (busy < run.cpu_count && take(&first[busy]))
		busy++;
	for (unsigned i = 1; i < busy; i++)
		cpu_work_give(run.cpus[i], work, (void *)(uintptr_t)first[i]);
	if (busy > 0)
		work((void *)(uintptr_t)first[0]);
	for (unsigned i = 1; i < busy; i++) {
		while (cpu_work_is_under_way(run.cpus[i])) {
			beat_sleep();
			trace_poll();
		}
	}
}

static void join(void *unused)
{
	(void)unused;
	run.join_error = backend_join();
}

static void leave(void *unused)
{
	(void)unused;
	backend_stop();
}

/* The others must be able to do what the first one can, since any guest may come to any of them. */
static void join_all(void)
{
	run.cpus[run.cpu_count++] = this_cpu();
	for (unsigned i = 1; i < cpu_count(); i++) {
		struct cpu *cpu = cpu_by_number(i);
		err_t err = cpu_work_do(cpu, join, NULL);

		if (!err)
			err = run.join_error;
		if (err)
			log_warn("CPU %u runs no guests: %s", cpu->index, err);
		else
			run.cpus[run.cpu_count++] = cpu;
	}
}

static void leave_all(void)
{
	for (unsigned i = 1; i < run.cpu_count; i++) {
		err_t err = cpu_work_do(run.cpus[i], leave, NULL);

		if (err)
			log_warn("VMX operation stays on: %s", err);
	}
	backend_stop();
}

/* The demo shows all its exits, unless no records are wanted. */
static void start_trace(const struct boot_info *boot, const struct options *options)
{
	static struct capability capabilities[RING_CAPABILITIES];
	const char *by_default = boot->module_count || !options->records ? "none" : "all";
	const struct trace_options trace_options = {
		.classes = options->trace[0] ? options->trace : by_default,
		.output = options->trace_output,
		.records = options->records,
		.console_port = options->console.serial ? options->console.port : 0,
		.command_line = boot->command_line,
		.capabilities = capabilities,
		.capability_count = backend_capabilities(capabilities, ARRAY_COUNT(capabilities)),
	};

	trace_start(&trace_options, run.cpus[run.cpu_count - 1]->index + 1);
}

static NORETURN void give_verdict(void)
{
	struct queue_result result = queue_result(&run.queue);

	if (result.passed < result.count || result.count == 0)
		verdict_end(VERDICT_FAIL, result.first_code, "%u of %u VMs passed", result.passed,
			    result.count);
	verdict_end(VERDICT_PASS, 0, "%u of %u VMs passed", result.passed, result.count);
}

void guests_run(const struct boot_info *boot, const struct options *options,
		const struct acpi_info *acpi)
{
	err_t err;

	(void)acpi;
	run.options = options;
	err = backend_start();
	if (err)
		verdict_end(VERDICT_ERROR, VERDICT_CODE_REFUSED, "%s", err);
	join_all();
	start_trace(boot, options);
	err = rtc_read_host(&run.date);
	if (err)
		log_warn("the guests' clocks start in 2000: %s", err);
	run.date_tsc = time_now();
	queue_init(&run.queue, modules_collect(boot, run.guests));
	run_all();
	trace_finish();
	leave_all();
	give_verdict();
}
