/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes a VM of a guest's modules, runs it, reports on it, and gives back what it had. */
#include "guest/life.h"

#include "guest/queue.h"
#include "kernel/address_space.h"
#include "kernel/cpu.h"
#include "kernel/direct_map.h"
#include "kernel/format.h"
#include "kernel/log.h"
#include "kernel/physical.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "trace/counters.h"
#include "trace/trace.h"
#include "vcpu/crash_report.h"
#include "vcpu/vcpu.h"

err_t life_create(const struct guest *guest, struct life **life)
{
	hpa_t memory;
	err_t err = physical_allocate(sizeof(**life), PAGE_SIZE, &memory);

	if (err)
		return error("no memory for its devices: %s", err);
	*life = direct_map(memory);
	memset(*life, 0, sizeof(**life));
	(*life)->guest = guest;
	return NULL;
}

void life_open_console(struct life *life, bool raw)
{
	console_stream_init(&life->stream, life->guest->options.name, raw);
}

static err_t make(struct life *life, const struct guest *guest, const struct life_options *options)
{
	const struct vcpu_options vcpu_options = {
		.traced = trace_by_reason(),
		.watchdog_us = guest->options.watchdog_seconds * 1000000ull,
		.check_entries = options->check_entries,
	};
	const struct pc_options pc_options = {.console = &life->stream, .date = options->date};
	struct vcpu_state state;
	const char *kind = "";
	char where[24] = "";
	err_t err;

	memset(&life->pc, 0, sizeof(life->pc));
	err = pc_create(life->vm, &life->pc, &pc_options);
	if (!err)
		err = image_load(life->vm, &guest->image, &state, &kind);
	if (!err)
		err = vcpu_create(life->vm, &vcpu_options, &state);
	if (err)
		return err;
	if (cpu_count() > 1)
		format(where, sizeof(where), ", on CPU %u", this_cpu()->index);
	log_vm(life->vm->name, "%s, %lu KiB, %lu MiB of memory%s", kind, guest->image.size / KIB,
	       guest->options.memory_size / MIB, where);
	return NULL;
}

err_t life_begin(struct life *life, const struct guest *guest, const struct life_options *options)
{
	err_t err =
		vm_create(guest->options.name, options->id, guest->options.memory_size, &life->vm);

	if (err)
		return err;
	err = make(life, guest, options);
	if (err)
		vm_destroy(life->vm);
	return err;
}

void life_run(struct life *life)
{
	vcpu_run(life->vm->vcpu);
	console_stream_end_line(&life->stream);
	life->end = life->vm->end;
	life->code = life->vm->end_code;
}

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

static void tell_end(const struct vm *vm)
{
	struct vcpu *vcpu = vm->vcpu;
	uint64_t ran = time_now() - vcpu->first_tsc;

	if (vm->end == VM_ENDED_TRIPLE_FAULT || vm->end == VM_ENDED_STOPPED)
		crash_report(vcpu);
	counters_print(&vcpu->counters, vm->name);
	trace_report(vm->name, vm->id, this_cpu()->index);
	log_vm_line(LOG_ALWAYS, vm->name, "ended after %lu ms: %s, code %u (%s)",
		    time_us_from_ticks(ran) / 1000, end_name(vm->end), vm->end_code, vm->end_text);
}

void life_report(struct life *life, unsigned restart)
{
	unsigned limit = life->guest->options.restart_count;

	/* Other VMs' lines wait, so that the report is one piece. */
	console_hold();
	tell_end(life->vm);
	if (restart)
		log_vm_line(LOG_ALWAYS, life->vm->name, "restart %u of %u", restart, limit);
	else if (limit && life->end != VM_ENDED_USER && !guest_passed(life->end, life->code))
		log_vm_line(LOG_ALWAYS, life->vm->name, "no restart: restart=%u is used up", limit);
	console_release();
}

void life_end(struct life *life)
{
	vcpu_destroy(life->vm->vcpu);
	vm_destroy(life->vm);
	life->vm = NULL;
}

void life_destroy(struct life *life)
{
	if (!life)
		return;
	console_stream_close(&life->stream);
	physical_free(physical_address(life), sizeof(*life));
}
