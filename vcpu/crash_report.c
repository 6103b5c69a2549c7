/* SPDX-License-Identifier: BSD-2-Clause */
/* The report on a guest that died: state, code, page walk, last exits. */
#include "vcpu/crash_report.h"

#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/register_bits.h"
#include "kernel/format.h"
#include "kernel/log.h"
#include "trace/render.h"
#include "vcpu/linear.h"
#include "vcpu/paging.h"
#include "vcpu/vcpu.h"

#define LAST_EXITS 16
#define CODE_BYTES 16

#define U(x) ((unsigned long long)(x))

/* clang-format off */
static const struct register_bit efer_names[] = {
	{EFER_SCE, "SCE"}, {EFER_LME, "LME"}, {EFER_LMA, "LMA"}, {EFER_NXE, "NXE"},
};
/* clang-format on */

/* clang-format off */
static const struct register_bit rflags_names[] = {
	{RFLAGS_CF, "CF"}, {RFLAGS_PF, "PF"}, {RFLAGS_AF, "AF"}, {RFLAGS_ZF, "ZF"}, {RFLAGS_SF, "SF"},
	{RFLAGS_TF, "TF"}, {RFLAGS_IF, "IF"}, {RFLAGS_DF, "DF"}, {RFLAGS_OF, "OF"}, {RFLAGS_NT, "NT"},
	{RFLAGS_RF, "RF"}, {RFLAGS_VM, "VM"}, {RFLAGS_AC, "AC"},
};
/* clang-format on */

/* clang-format off */
static const struct register_bit entry_names[] = {
	{BIT(0), "P"}, {BIT(1), "W"}, {BIT(2), "U"}, {BIT(5), "A"}, {BIT(6), "D"}, {BIT(7), "PS"}, {BIT(63), "NX"},
};
/* clang-format on */

static void name_bits(uint64_t value, const struct register_bit *names, unsigned count, char *text,
		      size_t size)
{
	size_t at = 0;

	text[0] = 0;
	for (unsigned i = 0; i < count; i++)
		if (value & names[i].mask && at < size)
			at += format(text + at, size - at, "%s%s", at ? " " : "", names[i].name);
}

static void tell_register(struct vcpu *vcpu, const char *name, uint64_t value,
			  const struct register_bit *names, unsigned count)
{
	char text[160];

	name_bits(value, names, count, text, sizeof(text));
	log_vm(vcpu->vm->name, "  %-6s %llx (%s)", name, U(value), text);
}

static const char *mode_name(struct vcpu *vcpu)
{
	struct segment cs;

	backend_get_segment(vcpu, SEG_CS, &cs);
	switch (vcpu->mode) {
	case MODE_REAL:
		return "real mode";
	case MODE_LONG:
		if (cs.access & SEGMENT_L)
			return "64-bit mode";
		return cs.access & SEGMENT_DB ? "compatibility mode, 32-bit code"
					      : "compatibility mode, 16-bit code";
	default:
		if (backend_rflags(vcpu) & RFLAGS_VM)
			return "virtual-8086 mode";
		return cs.access & SEGMENT_DB ? "protected mode, 32-bit code"
					      : "protected mode, 16-bit code";
	}
}

static void tell_general(struct vcpu *vcpu)
{
	static const char *const names[REG_COUNT] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp",
						     "rsi", "rdi", "r8",  "r9",  "r10", "r11",
						     "r12", "r13", "r14", "r15"};
	struct general_registers regs = vcpu->regs;

	regs.rsp = backend_rsp(vcpu);
	for (unsigned i = 0; i < REG_COUNT; i += 4)
		log_vm(vcpu->vm->name, "  %-3s %016llx  %-3s %016llx  %-3s %016llx  %-3s %016llx",
		       names[i], U(regs.by_index[i]), names[i + 1], U(regs.by_index[i + 1]),
		       names[i + 2], U(regs.by_index[i + 2]), names[i + 3],
		       U(regs.by_index[i + 3]));
}

static void tell_segments(struct vcpu *vcpu)
{
	static const char *const names[] = {"es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr"};

	for (unsigned i = 0; i < ARRAY_COUNT(names); i++) {
		struct segment s;

		backend_get_segment(vcpu, (enum segment_index)i, &s);
		if (s.access & SEGMENT_UNUSABLE)
			log_vm(vcpu->vm->name, "  %-4s %04x unusable, base %llx", names[i],
			       s.selector, U(s.base));
		else
			log_vm(vcpu->vm->name, "  %-4s %04x base %llx limit %x access %x", names[i],
			       s.selector, U(s.base), s.limit, s.access);
	}
}

static void tell_code(struct vcpu *vcpu)
{
	uint8_t bytes[CODE_BYTES];
	char hex[3 * CODE_BYTES + 1] = "";
	struct linear_context context;
	unsigned count;
	size_t at = 0;

	linear_begin(vcpu, SEG_CS, &context);
	count = linear_fetch(&context, bytes, sizeof(bytes));
	for (unsigned i = 0; i < count; i++)
		at += format(hex + at, sizeof(hex) - at, " %02x", bytes[i]);
	if (count)
		log_vm(vcpu->vm->name, "  code at RIP:%s", hex);
	else
		log_vm(vcpu->vm->name, "  the code at RIP cannot be read");
}

/* The guest's own tables on the way to RIP. */
static void tell_page_walk(struct vcpu *vcpu)
{
	struct paging_step steps[PAGING_STEPS_MAX];
	struct linear_context context;
	const struct paging *paging;
	uint64_t linear = backend_rip(vcpu);
	unsigned count;

	linear_begin(vcpu, SEG_CS, &context);
	if (!context.code64)
		linear = (uint32_t)(linear + context.segment.base);
	paging = linear_paging(&context);
	if (!(paging->cr0 & CR0_PG))
		return;
	count = paging_explain(paging, linear, steps);
	log_vm(vcpu->vm->name, "  page walk to linear address %llx, from CR3 %llx:", U(linear),
	       U(paging->cr3));
	for (unsigned i = 0; i < count; i++) {
		char text[40];

		name_bits(steps[i].entry, entry_names, ARRAY_COUNT(entry_names), text,
			  sizeof(text));
		if (steps[i].readable)
			log_vm(vcpu->vm->name, "    level %u, entry at %llx: %llx (%s)",
			       steps[i].level, U(steps[i].at.raw), U(steps[i].entry),
			       text[0] ? text : "not present");
		else
			log_vm(vcpu->vm->name, "    level %u, entry at %llx: there is no memory",
			       steps[i].level, U(steps[i].at.raw));
	}
}

void crash_report(struct vcpu *vcpu)
{
	log_vm(vcpu->vm->name, "%s, CPL %u, RIP %llx", mode_name(vcpu),
	       vcpu->mode == MODE_REAL ? 0 : backend_cpl(vcpu), U(backend_rip(vcpu)));
	tell_code(vcpu);
	tell_general(vcpu);
	tell_register(vcpu, "rflags", backend_rflags(vcpu), rflags_names,
		      ARRAY_COUNT(rflags_names));
	tell_register(vcpu, "cr0", backend_cr0(vcpu), cr0_bits.bits, (unsigned)cr0_bits.bit_count);
	log_vm(vcpu->vm->name, "  cr2    %llx", U(vcpu->cr2_at_end));
	log_vm(vcpu->vm->name, "  cr3    %llx", U(backend_cr3(vcpu)));
	tell_register(vcpu, "cr4", backend_cr4(vcpu), cr4_bits.bits, (unsigned)cr4_bits.bit_count);
	tell_register(vcpu, "efer", vcpu->efer, efer_names, ARRAY_COUNT(efer_names));
	tell_segments(vcpu);
	tell_page_walk(vcpu);
	if (vcpu->ring)
		render_last(vcpu->vm->name, vcpu->ring, vcpu->vm_number, LAST_EXITS);
}
