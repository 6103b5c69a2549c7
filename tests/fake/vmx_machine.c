/* SPDX-License-Identifier: BSD-2-Clause */
/* A VM with one vCPU on the real VMX backend, and what stands around it. */
#include "tests/fake/vmx_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/msr.h"
#include "kernel/beat.h"
#include "kernel/console.h"
#include "kernel/ipi.h"
#include "kernel/time.h"
#include "kernel/traps.h"
#include "tests/fake/cpus.h"
#include "tests/fake/guest_memory.h"
#include "tests/fake/host_cpuid.h"
#include "tests/fake/log.h"
#include "tests/fake/physical.h"
#include "tests/fake/processor.h"
#include "trace/render.h"
#include "trace/trace.h"
#include "vcpu/msr.h"
#include "vcpu/vmx/entry_check.h"

const char *vmx_machine_model = "skylake";
bool vmx_machine_itlb_multihit;
struct vmx_capabilities vmx_machine_capabilities;
struct vmx_controls vmx_machine_controls;
struct vm vmx_machine_vm;
struct vcpu *vmx_machine_vcpu;
err_t vmx_machine_error;
unsigned vmx_machine_interrupts[256];
bool vmx_machine_end_requested;
void (*vmx_machine_guest)(struct vcpu *vcpu);

static jmp_buf leave;
static bool running;

const struct vmx_capabilities *vmx_capabilities(void)
{
	return &vmx_machine_capabilities;
}

const struct vmx_controls *vmx_controls(void)
{
	return &vmx_machine_controls;
}

void vmx_exit_entry(void)
{
	abort();
}

void vmx_exit_entry_clearing(void)
{
	abort();
}

void vmx_enter_guest(struct vcpu *vcpu)
{
	if (vmx_machine_guest)
		vmx_machine_guest(vcpu);
}

NORETURN void vmx_leave_guest(struct vcpu *vcpu)
{
	(void)vcpu;
	if (!running)
		abort();
	longjmp(leave, 1);
}

/* --- What the kernel offers. --- */

void beat(uint64_t now)
{
	(void)now;
}

void ipi_kick(const struct cpu *cpu)
{
	(void)cpu;
}

bool console_end_requested(void)
{
	return vmx_machine_end_requested;
}

uint64_t time_now(void)
{
	return fake_machine.tsc;
}

uint64_t time_frequency(void)
{
	return 1000000000;
}

uint64_t time_ticks_from_us(uint64_t us)
{
	return us * 1000;
}

uint64_t time_us_from_ticks(uint64_t ticks)
{
	return ticks / 1000;
}

void trap_interrupt(unsigned vector)
{
	vmx_machine_interrupts[vector]++;
}

void render_heading(const char *vm_name)
{
	(void)vm_name;
}

void render_line(const char *vm_name, uint64_t number, const struct exit_record *record,
		 uint64_t first_tsc)
{
	(void)vm_name;
	(void)number;
	(void)record;
	(void)first_tsc;
}

static struct exit_ring *ring;

struct exit_ring *trace_ring(unsigned cpu)
{
	return cpu == 0 ? ring : NULL;
}

bool trace_chooses(unsigned reason)
{
	(void)reason;
	return false;
}

void trace_poll(void)
{
}

bool trace_is_waiting(void)
{
	return false;
}

struct exit_ring *vmx_machine_record(void)
{
	static const struct ring_info info = {.tsc_hz = 1000000000, .command_line = ""};

	if (ring_create(0, 16, &info, &ring))
		abort();
	memset(vmx_machine_vcpu->traced, TRACE_RECORD, sizeof(vmx_machine_vcpu->traced));
	vmx_machine_vcpu->ring = ring;
	vmx_machine_vcpu->tracing = true;
	vmx_machine_vcpu->record = &vmx_machine_vcpu->not_recorded;
	return ring;
}

__attribute__((weak)) unsigned
entry_check_current(const char *vm_name, const struct vmx_capabilities *capabilities, bool quiet)
{
	(void)vm_name;
	(void)capabilities;
	(void)quiet;
	return 0;
}

void vm_stop(struct vm *vm, enum vm_end end, uint32_t code, const char *text, ...)
{
	va_list args;

	if (vm->end != VM_RUNNING)
		return;
	vm->end = end;
	vm->end_code = code;
	va_start(args, text);
	vsnprintf(vm->end_text, sizeof(vm->end_text), text, args);
	va_end(args);
	if (vm->vcpu)
		vm->vcpu->requests |= REQUEST_STOP;
}

/* --- The machine. --- */

static void make_host(void)
{
	fake_machine_reset();
	fake_machine.cr0 = CR0_PE | CR0_NE | CR0_WP | CR0_PG | CR0_ET;
	fake_machine.cr4 = CR4_PAE | CR4_VMXE | CR4_MCE | CR4_OSXSAVE;
	fake_msr_set(IA32_EFER, EFER_LME | EFER_LMA | EFER_NXE);
	fake_msr_set(IA32_PAT, 0x0007040600070406);
	fake_cpus_start(1);
	processor_load(vmx_machine_model);
	if (vmx_capabilities_read(&vmx_machine_capabilities, processor_rdmsr, processor_cpuid) ||
	    vmx_controls_choose(&vmx_machine_capabilities, &vmx_machine_controls))
		abort();
	vmx_machine_capabilities.itlb_multihit = vmx_machine_itlb_multihit;
	host_cpuid_reset();
	msr_init();
	fake_vmx_reset();
}

void vmx_machine_setup(void)
{
	const struct vcpu_options options = {.traced = NULL};
	struct vcpu_state state;

	vmx_machine_teardown();
	make_host();
	fake_physical_reset();
	fake_log_reset();
	memset(vmx_machine_interrupts, 0, sizeof(vmx_machine_interrupts));
	vmx_machine_end_requested = false;
	vmx_machine_guest = NULL;
	ring = NULL;
	fake_guest_ram(&vmx_machine_vm, 2 * MIB);
	vmx_machine_vm.extents[0].hpa = HPA(GIB);
	vmx_machine_vm.video = (struct vm_extent){GPA(16 * MIB), HPA(GIB + 16 * MIB), PAGE_SIZE};
	bus_init(&vmx_machine_vm.bus, vmx_machine_vm.name);
	vcpu_state_flat32(&state, 0x8000);
	vmx_machine_error = backend_vm_create(&vmx_machine_vm);
	if (!vmx_machine_error)
		vmx_machine_error = vcpu_create(&vmx_machine_vm, &options, &state);
	vmx_machine_vcpu = vmx_machine_vm.vcpu;
	if (vmx_machine_vcpu) {
		vmx_machine_vcpu->deadline = ~0ull >> 1;
		vmx_machine_vcpu->requests = 0;
	}
}

void vmx_machine_teardown(void)
{
	if (!vmx_machine_vm.window.raw)
		return;
	if (vmx_machine_vm.vcpu)
		vcpu_destroy(vmx_machine_vm.vcpu);
	backend_vm_destroy(&vmx_machine_vm);
	fake_guest_memory_free(&vmx_machine_vm);
	vmx_machine_vm.window = HVA(0);
}

uint8_t *vmx_machine_memory(uint64_t gpa)
{
	return (uint8_t *)vmx_machine_vm.window.raw + gpa;
}

void vmx_machine_64bit(void)
{
	backend_set_cr4(vmx_machine_vcpu, CR4_PAE);
	backend_set_cr0(vmx_machine_vcpu, CR0_PE | CR0_ET | CR0_NE | CR0_PG);
	backend_set_efer(vmx_machine_vcpu, EFER_LME | EFER_LMA);
	fake_vmcs_set(VMCS_GUEST_CS_ACCESS_RIGHTS, SEGMENT_CODE64);
}

void vmx_machine_real(void)
{
	backend_set_cr0(vmx_machine_vcpu, CR0_ET);
	fake_vmcs_set(VMCS_GUEST_CS_ACCESS_RIGHTS, SEGMENT_CODE16);
}

void vmx_machine_set_cpl(unsigned cpl)
{
	uint64_t access = fake_vmcs_get(VMCS_GUEST_SS_ACCESS_RIGHTS);

	fake_vmcs_set(VMCS_GUEST_SS_ACCESS_RIGHTS, (access & ~0x60ull) | cpl << 5);
}

bool vmx_machine_exit(uint32_t reason)
{
	static volatile bool left;

	fake_vmcs_set(VMCS_EXIT_REASON, reason);
	fake_vmx.reads = fake_vmx.writes = 0;
	left = true;
	running = true;
	if (setjmp(leave) == 0) {
		vmx_handle_exit(vmx_machine_vcpu, fake_machine.tsc);
		left = false;
	}
	running = false;
	return !left;
}

bool vmx_machine_exit_with(uint32_t reason, uint64_t qualification)
{
	fake_vmcs_set(VMCS_EXIT_QUALIFICATION, qualification);
	fake_vmcs_set(VMCS_EXIT_INSTRUCTION_LENGTH, 2);
	return vmx_machine_exit(reason);
}

uint32_t vmx_machine_injected(void)
{
	uint32_t info = (uint32_t)fake_vmcs_get(VMCS_ENTRY_INTERRUPTION_INFO);

	fake_vmcs_set(VMCS_ENTRY_INTERRUPTION_INFO, 0);
	return info & 0x80000000 ? info : 0;
}
