/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs the guests that GRUB brought, or the demo guest, in their order, and gives the verdict. */
#include "guest/guests.h"

#include "devices/pc.h"
#include "guest/demo.h"
#include "guest/image.h"
#include "kernel/address_space.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/direct_map.h"
#include "kernel/format.h"
#include "kernel/log.h"
#include "kernel/physical.h"
#include "kernel/rtc.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "kernel/verdict.h"
#include "trace/counters.h"
#include "trace/trace.h"
#include "vcpu/crash_report.h"
#include "vcpu/vcpu.h"

#define GUESTS_MAX     64
#define DEMO_MEMORY    (16 * MIB)

/* A guest as the modules describe it. */
struct guest {
	struct module_options options;
	struct guest_image image;
	err_t err;             /* why it cannot run */
};

/* What all guests have in common. */
struct run {
	const struct options *options;
	struct rtc_time date;
	unsigned passed, failed;
	unsigned first_code;      /* of the first that failed */
};

static struct guest guests[GUESTS_MAX];
static char error_texts[GUESTS_MAX][200];

/* Keeps an error beyond the life of its buffer. */
static err_t keep(unsigned index, err_t err)
{
	format(error_texts[index], sizeof(error_texts[index]), "%s", err);
	return error_texts[index];
}

static err_t check_name(unsigned index)
{
	for (unsigned i = 0; i < index; i++)
		if (strcmp(guests[i].options.name, guests[index].options.name) == 0)
			return "another VM has this name already; give it a name= of its own";
	return NULL;
}

static unsigned add_module(const struct boot_module *module, unsigned count)
{
	struct module_options options;
	err_t err = module_options_parse(module->text, count, &options);
	const void *bytes = direct_map(module->start);
	uint64_t size = module->end.raw - module->start.raw;
	struct guest *guest;

	if (options.role == MODULE_INITRD) {
		if (count == 0) {
			log_error("an initrd comes before any kernel, and is left out; put its module2 "
				  "line after the kernel's");
			return count;
		}
		guest = &guests[count - 1];
		if (!err && guest->image.initrd)
			err = "it has an initrd already; one is the limit";
		if (err && !guest->err)
			guest->err = keep(count - 1, err);
		guest->image.initrd = bytes;
		guest->image.initrd_size = size;
		return count;
	}
	if (count == GUESTS_MAX) {
		log_error("more than %u VMs; \"%s\" is left out", GUESTS_MAX, options.name);
		return count;
	}
	guests[count] = (struct guest){
		.options = options,
		.image = {.bytes = bytes, .size = size, .command_line = options.guest_command_line},
	};
	if (!err)
		err = check_name(count);
	if (err)
		guests[count].err = keep(count, err);
	return count + 1;
}

static unsigned collect(const struct boot_info *boot)
{
	unsigned count = 0;

	if (boot->module_count == 0) {
		guests[0] = (struct guest){
			.options = {.name = "demo", .memory_size = DEMO_MEMORY, .cpu_count = 1},
			.image = {.bytes = demo_image, .size = demo_image_size()},
		};
		return 1;
	}
	for (unsigned i = 0; i < boot->module_count; i++)
		count = add_module(&boot->modules[i], count);
	return count;
}

/* A guest that runs: its VM, devices, console. One at a time for now, so one is enough. */
struct running {
	struct vm *vm;
	struct pc pc;
	struct console_stream stream;
};
static struct running running;

static const char *end_name(enum vm_end end)
{
	static const char *const names[] = {
		[VM_RUNNING] = "running",
		[VM_ENDED_EXIT] = "exit",
		[VM_ENDED_POWEROFF] = "power-off",
		[VM_ENDED_RESET] = "reset",
		[VM_ENDED_HALT] = "halt",
		[VM_ENDED_TRIPLE_FAULT] = "triple fault",
		[VM_ENDED_STOPPED] = "stopped by Plinth",
		[VM_ENDED_USER] = "stopped by the user",
	};

	return names[end];
}

static void report(const struct vm *vm)
{
	struct vcpu *vcpu = vm->vcpu;
	uint64_t ran = time_now() - vcpu->first_tsc;

	if (vm->end == VM_ENDED_TRIPLE_FAULT || vm->end == VM_ENDED_STOPPED)
		crash_report(vcpu);
	counters_print(&vcpu->counters, vm->name);
	trace_report(vm->name, vm->id, this_cpu()->index);
	log_vm_line(LOG_ALWAYS, vm->name, "ended after %llu ms: %s, code %u (%s)",
	       (unsigned long long)(time_us_from_ticks(ran) / 1000), end_name(vm->end), vm->end_code,
	       vm->end_text);
}

/* The VM that console=vm:NAME names, or each in its turn. */
static bool has_raw_console(const struct run *run, const struct vm *vm)
{
	const char *chosen = run->options->console.raw_vm;

	return !chosen[0] || strcmp(chosen, vm->name) == 0;
}

static err_t start(struct run *run, unsigned id, const struct guest *guest)
{
	const struct vcpu_options vcpu_options = {
		.traced = trace_by_reason(),
		.watchdog_us = guest->options.watchdog_seconds * 1000000ull,
		.check_entries = run->options->check == CHECK_ENTRY,
	};
	const struct pc_options pc_options = {.console = &running.stream, .date = run->date};
	struct vcpu_state state;
	const char *kind = "";
	struct vm *vm;
	err_t err = vm_create(guest->options.name, id, guest->options.memory_size, &vm);

	if (err)
		return err;
	running.vm = vm;
	console_stream_init(&running.stream, vm->name, has_raw_console(run, vm));
	err = pc_create(vm, &running.pc, &pc_options);
	if (!err)
		err = image_load(vm, &guest->image, &state, &kind);
	if (!err)
		err = vcpu_create(vm, &vcpu_options, &state);
	if (err) {
		console_stream_close(&running.stream);
		vm_destroy(vm);
		return err;
	}
	log_vm(vm->name, "%s, %llu KiB, %llu MiB of memory", kind,
	       (unsigned long long)(guest->image.size / KIB),
	       (unsigned long long)(guest->options.memory_size / MIB));
	return NULL;
}

static void run_one(struct run *run, unsigned id, const struct guest *guest)
{
	err_t err = guest->err ? guest->err : start(run, id, guest);
	struct vm *vm = running.vm;
	bool passed;
	unsigned code = 1;

	if (err) {
		log_error("VM %s does not start: %s", guest->options.name, err);
		passed = false;
	} else {
		vcpu_run(vm->vcpu);
		console_stream_close(&running.stream);
		report(vm);
		passed = (vm->end == VM_ENDED_EXIT && vm->end_code == 0) ||
			 vm->end == VM_ENDED_POWEROFF;
		if (vm->end == VM_ENDED_EXIT)
			code = vm->end_code;
		vcpu_destroy(vm->vcpu);
		vm_destroy(vm);
	}
	if (passed)
		run->passed++;
	else if (run->failed++ == 0)
		run->first_code = code;
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

	trace_start(&trace_options, cpu_count());
}

void guests_run(const struct boot_info *boot, const struct options *options,
		const struct acpi_info *acpi)
{
	static struct run run;
	unsigned count;
	err_t err;

	(void)acpi;
	run.options = options;
	err = backend_start();
	if (err)
		verdict_end(VERDICT_ERROR, VERDICT_CODE_REFUSED, "%s", err);
	start_trace(boot, options);
	err = rtc_read_host(&run.date);
	if (err)
		log_warn("the guests' clocks start in 2000: %s", err);
	count = collect(boot);
	for (unsigned i = 0; i < count && !console_end_requested(); i++)
		run_one(&run, i, &guests[i]);
	trace_finish();
	backend_stop();
	if (run.failed || count == 0)
		verdict_end(VERDICT_FAIL, run.first_code, "%u of %u VMs passed", run.passed, count);
	verdict_end(VERDICT_PASS, 0, "%u of %u VMs passed", run.passed, count);
}
