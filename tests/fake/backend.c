/* SPDX-License-Identifier: BSD-2-Clause */
/* Stands for a backend in tests of the neutral half of the vCPU. */
#include "tests/fake/backend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libFuzzer's targets are not linked with cmocka. */
#ifdef FUZZING
#define fail_msg(...)                                                                              \
	do {                                                                                       \
		fprintf(stderr, __VA_ARGS__);                                                      \
		abort();                                                                           \
	} while (0)
#else
#include <cmocka.h>
#endif

struct fake_backend fake_backend;
struct vcpu fake_vcpu;
struct vm fake_vcpu_vm;

static void set_segments(enum fake_code code)
{
	struct segment flat = {.selector = 0x10, .limit = 0xffffffff, .access = SEGMENT_DATA32};
	struct segment *segments = fake_backend.segments;

	if (code == FAKE_REAL || code == FAKE_VIRTUAL_8086)
		flat = (struct segment){.limit = 0xffff, .access = SEGMENT_DATA16};
	if (code == FAKE_VIRTUAL_8086)
		flat.access |= 3 << 5;
	for (unsigned i = SEG_ES; i <= SEG_GS; i++)
		segments[i] = flat;
	if (code == FAKE_CODE16) {
		segments[SEG_CS].access = SEGMENT_CODE16;
		segments[SEG_CS].limit = 0xffff;
	} else if (code == FAKE_CODE32 || code == FAKE_COMPATIBILITY32) {
		segments[SEG_CS].access = SEGMENT_CODE32;
	} else if (code == FAKE_CODE64) {
		segments[SEG_CS].access = SEGMENT_CODE64;
	}
	segments[SEG_LDTR].access = SEGMENT_UNUSABLE;
	segments[SEG_TR] = (struct segment){.limit = 0x67, .access = SEGMENT_TSS32};
}

void fake_vcpu_reset(enum fake_code code)
{
	memset(&fake_backend, 0, sizeof(fake_backend));
	memset(&fake_vcpu, 0, sizeof(fake_vcpu));
	fake_backend.features = (struct backend_features){true, true, true, true, ~0ull};
	fake_backend.rflags = RFLAGS_ONE | (code == FAKE_VIRTUAL_8086 ? RFLAGS_VM : 0);
	fake_backend.cr0 = CR0_ET | CR0_NE | (code == FAKE_REAL ? 0 : CR0_PE);
	fake_backend.pat = 0x0007040600070406;
	fake_vcpu.vm = &fake_vcpu_vm;
	fake_vcpu.mode = code == FAKE_REAL ? MODE_REAL : MODE_PROTECTED;
	if (code == FAKE_COMPATIBILITY32 || code == FAKE_CODE64) {
		fake_vcpu.mode = MODE_LONG;
		fake_vcpu.efer = EFER_LME | EFER_LMA | EFER_NXE | EFER_SCE;
		fake_backend.cr0 |= CR0_PG | CR0_WP;
		fake_backend.cr4 = CR4_PAE;
	}
	fake_vcpu.cr0_shadow = fake_backend.cr0;
	fake_vcpu.cr4_shadow = fake_backend.cr4;
	fake_vcpu.cpuid.physical_bits = 40;
	set_segments(code);
	fake_vcpu_vm.vcpu = &fake_vcpu;
	fake_vcpu_vm.end = VM_RUNNING;
	fake_vcpu_vm.end_text[0] = '\0';
	bus_init(&fake_vcpu_vm.bus, fake_vcpu_vm.name);
}

struct exit_record *fake_vcpu_record(void)
{
	static struct exit_record record;

	memset(&record, 0, sizeof(record));
	fake_vcpu.record = &record;
	fake_vcpu.tracing = true;
	return &record;
}

void fake_vcpu_set_cpl(unsigned cpl)
{
	uint32_t *access = &fake_backend.segments[SEG_SS].access;

	*access = (*access & ~0x60u) | cpl << 5;
}

bool fake_no_fault(void)
{
	return !fake_vcpu.events.now.valid;
}

void fake_expect_fault(uint8_t vector, int64_t error)
{
	struct event *now = &fake_vcpu.events.now;

	if (!now->valid)
		fail_msg("no fault was raised; vector %u was expected", vector);
	if (now->type != EVENT_EXCEPTION || now->vector != vector ||
	    now->has_error != (error >= 0) || (error >= 0 && now->error != (uint32_t)error))
		fail_msg("type %u vector %u error %x was raised; vector %u error %llx was expected",
			 now->type, now->vector, now->has_error ? now->error : ~0u, vector,
			 (long long)error);
	now->valid = false;
}

/* As kernel and VMX backend do it; the real vcpu.c may be linked beside. */
__attribute__((weak)) void vcpu_fault(struct vcpu *vcpu, uint8_t vector, bool has_error,
				      uint32_t error)
{
	if (events_raise(&vcpu->events, vector, has_error, has_error ? error : 0) ==
	    RAISED_TRIPLE_FAULT)
		vm_stop(vcpu->vm, VM_ENDED_TRIPLE_FAULT, 0, "triple fault");
}

__attribute__((weak)) void vm_stop(struct vm *vm, enum vm_end end, uint32_t code, const char *text,
				   ...)
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

#define REGISTER(name)                                                                             \
	uint64_t backend_##name(struct vcpu *vcpu)                                                 \
	{                                                                                          \
		(void)vcpu;                                                                        \
		return fake_backend.name;                                                          \
	}                                                                                          \
	void backend_set_##name(struct vcpu *vcpu, uint64_t value)                                 \
	{                                                                                          \
		(void)vcpu;                                                                        \
		fake_backend.name = value;                                                         \
	}

REGISTER(rip)
REGISTER(rsp)
REGISTER(rflags)

void backend_set_resume_flag(struct vcpu *vcpu)
{
	(void)vcpu;
	fake_backend.rflags |= RFLAGS_RF;
}
REGISTER(debugctl)
REGISTER(pat)

uint64_t backend_cr0(struct vcpu *vcpu)
{
	(void)vcpu;
	return fake_backend.cr0;
}

uint64_t backend_cr3(struct vcpu *vcpu)
{
	(void)vcpu;
	return fake_backend.cr3;
}

uint64_t backend_cr4(struct vcpu *vcpu)
{
	(void)vcpu;
	return fake_backend.cr4;
}

static void update_mode(struct vcpu *vcpu)
{
	vcpu->mode = !(vcpu->cr0_shadow & CR0_PE) ? MODE_REAL
		     : vcpu->efer & EFER_LMA      ? MODE_LONG
						  : MODE_PROTECTED;
}

void backend_set_cr0(struct vcpu *vcpu, uint64_t value)
{
	fake_backend.cr0 = vcpu->cr0_shadow = value;
	fake_backend.set_cr0_count++;
	update_mode(vcpu);
}

void backend_set_cr3(struct vcpu *vcpu, uint64_t value)
{
	(void)vcpu;
	fake_backend.cr3 = value;
	fake_backend.set_cr3_count++;
}

void backend_set_cr4(struct vcpu *vcpu, uint64_t value)
{
	fake_backend.cr4 = vcpu->cr4_shadow = value;
	fake_backend.set_cr4_count++;
}

void backend_set_efer(struct vcpu *vcpu, uint64_t value)
{
	vcpu->efer = value;
	fake_backend.set_efer_count++;
	update_mode(vcpu);
}

void backend_get_pdptes(struct vcpu *vcpu, uint64_t pdptes[4])
{
	(void)vcpu;
	memcpy(pdptes, fake_backend.pdptes, sizeof(fake_backend.pdptes));
}

void backend_set_pdptes(struct vcpu *vcpu, const uint64_t pdptes[4])
{
	(void)vcpu;
	memcpy(fake_backend.pdptes, pdptes, sizeof(fake_backend.pdptes));
	fake_backend.set_pdptes_count++;
}

void backend_get_segment(struct vcpu *vcpu, enum segment_index index, struct segment *segment)
{
	(void)vcpu;
	*segment = fake_backend.segments[index];
}

unsigned backend_cpl(struct vcpu *vcpu)
{
	(void)vcpu;
	return fake_backend.segments[SEG_SS].access >> 5 & 3;
}

bool backend_nmi_blocked(struct vcpu *vcpu)
{
	(void)vcpu;
	return fake_backend.nmi_blocked;
}

bool backend_trap_due(struct vcpu *vcpu)
{
	(void)vcpu;
	return fake_backend.trap_due;
}

void backend_instruction_done(struct vcpu *vcpu)
{
	(void)vcpu;
	fake_backend.done_count++;
}

uint64_t backend_dr7(struct vcpu *vcpu)
{
	(void)vcpu;
	return fake_backend.dr7;
}

void backend_breakpoints_met(struct vcpu *vcpu, unsigned breakpoints)
{
	(void)vcpu;
	fake_backend.breakpoints |= breakpoints;
}

void backend_set_tsc_offset(struct vcpu *vcpu, int64_t offset)
{
	vcpu->tsc_offset = offset;
}

const struct backend_features *backend_features(void)
{
	return &fake_backend.features;
}

void backend_flush_guest_tlb(struct vcpu *vcpu)
{
	(void)vcpu;
	fake_backend.flush_count++;
}

err_t backend_read_ones(struct vcpu *vcpu, gpa_t gpa, const char *who)
{
	(void)vcpu;
	(void)who;
	fake_backend.ones_at = gpa;
	return fake_backend.has_ones ? NULL : "there are no ones";
}

err_t backend_vcpu_create(struct vcpu *vcpu)
{
	(void)vcpu;
	if (!fake_backend.create_error)
		fake_backend.created++;
	return fake_backend.create_error;
}

void backend_vcpu_destroy(struct vcpu *vcpu)
{
	(void)vcpu;
	fake_backend.destroyed++;
}

err_t backend_set_state(struct vcpu *vcpu, const struct vcpu_state *state)
{
	vcpu->regs = state->regs;
	fake_backend.rip = state->rip;
	return fake_backend.set_state_error;
}

void backend_run(struct vcpu *vcpu)
{
	if (fake_backend.run)
		fake_backend.run(vcpu);
}
