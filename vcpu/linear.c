/* SPDX-License-Identifier: BSD-2-Clause */
/* Segment checks, the guest's paging, and copies to and from what lies behind. */
#include "vcpu/linear.h"

#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/exceptions.h"
#include "arch/x86_64/instructions.h"
#include "kernel/string.h"
#include "vcpu/breakpoints.h"

#define PIECES_MAX 2 /* an access of 16 bytes touches two pages at most */

/* Types of a segment: bit 3 code, bit 1 writable data or readable code, bit 2 expand-down data. */
#define TYPE_CODE        0x8u
#define TYPE_WRITE_READ  0x2u
#define TYPE_EXPAND_DOWN 0x4u

void linear_begin(struct vcpu *vcpu, enum segment_index segment, struct linear_context *context)
{
	struct segment cs;

	*context = (struct linear_context){
		.vcpu = vcpu,
		.index = segment,
		.cpl = vcpu->mode == MODE_REAL ? 0 : backend_cpl(vcpu),
		.cr0 = backend_cr0(vcpu),
		.rflags = backend_rflags(vcpu),
		.breakpoints = breakpoints_on(backend_dr7(vcpu)),
		.page.linear = 1,
	};
	backend_get_segment(vcpu, segment, &context->segment);
	cs = context->segment;
	if (vcpu->mode == MODE_LONG && segment != SEG_CS)
		backend_get_segment(vcpu, SEG_CS, &cs);
	context->code64 = vcpu->mode == MODE_LONG && cs.access & SEGMENT_L;
}

void linear_use_segment(struct linear_context *context, enum segment_index segment)
{
	context->index = segment;
	backend_get_segment(context->vcpu, segment, &context->segment);
}

/* #SS for the stack segment, #GP for the others, error code 0. */
static enum linear_result segment_fault(const struct linear_context *context)
{
	vcpu_fault(context->vcpu, context->index == SEG_SS ? EXCEPTION_SS : EXCEPTION_GP, true, 0);
	return LINEAR_FAULTED;
}

static bool type_allows(const struct linear_context *context, bool write)
{
	uint32_t access = context->segment.access;

	if (access & SEGMENT_UNUSABLE)
		return false;
	/* Real and virtual-8086 mode check limits only. */
	if (context->vcpu->mode == MODE_REAL || context->rflags & RFLAGS_VM)
		return true;
	if (access & TYPE_CODE)
		return !write && access & TYPE_WRITE_READ;
	return !write || access & TYPE_WRITE_READ;
}

static bool limit_allows(const struct linear_context *context, uint64_t offset, unsigned size)
{
	uint32_t access = context->segment.access;
	uint64_t limit = context->segment.limit, last = offset + size - 1;

	if ((access & (TYPE_CODE | TYPE_EXPAND_DOWN)) == TYPE_EXPAND_DOWN)
		return offset > limit && last <= (access & SEGMENT_DB ? 0xffffffff : 0xffff);
	return last <= limit;
}

static bool canonical(uint64_t address)
{
	return (int64_t)(address << 16) >> 16 == (int64_t)address;
}

enum linear_result linear_address(const struct linear_context *context, uint64_t offset,
				  unsigned size, bool write, uint64_t *linear)
{
	if (context->code64) {
		*linear = offset;
		if (context->index == SEG_FS || context->index == SEG_GS)
			*linear += context->segment.base;
		if (!canonical(*linear) || !canonical(*linear + size - 1))
			return segment_fault(context);
	} else {
		if (!type_allows(context, write)) {
			vcpu_gp(context->vcpu);
			return LINEAR_FAULTED;
		}
		if (!limit_allows(context, offset, size))
			return segment_fault(context);
		*linear = (uint32_t)(context->segment.base + offset);
	}
	if (context->cpl == 3 && context->cr0 & CR0_AM && context->rflags & RFLAGS_AC &&
	    *linear & (size - 1)) {
		vcpu_fault(context->vcpu, EXCEPTION_AC, true, 0);
		return LINEAR_FAULTED;
	}
	return LINEAR_OK;
}

/* PKRU stays live across exits, but is readable only while CR4.PKE is on; the host has no user
 * pages that it could close. */
static uint32_t guest_pkru(void)
{
	uint64_t cr4 = read_cr4();
	uint32_t pkru;

	write_cr4(cr4 | CR4_PKE);
	pkru = rdpkru();
	write_cr4(cr4);
	return pkru;
}

const struct paging *linear_paging(struct linear_context *context)
{
	struct paging *paging = &context->paging;
	struct vcpu *vcpu = context->vcpu;

	if (context->paging_is_read)
		return paging;
	*paging = (struct paging){
		.vm = vcpu->vm,
		.cr0 = context->cr0,
		.cr3 = backend_cr3(vcpu),
		.cr4 = backend_cr4(vcpu),
		.efer = vcpu->efer,
		.rflags = context->rflags,
		.physical_bits = vcpu->cpuid.physical_bits,
		.pages_1g = cpuid_shows(&vcpu->cpuid, CPUID_PAGE_1G),
	};
	if (paging->cr0 & CR0_PG && paging->cr4 & CR4_PAE && !(paging->efer & EFER_LMA))
		backend_get_pdptes(vcpu, paging->pdptes);
	if (paging->cr4 & CR4_PKE)
		paging->pkru = guest_pkru();
	context->paging_is_read = true;
	return paging;
}

/* Translates an access; raises the page fault when that does not work out. */
static enum linear_result translate(struct linear_context *context, uint64_t linear, bool write,
				    gpa_t *gpa)
{
	const struct paging_access access = {.write = write, .user = context->cpl == 3};
	uint64_t offset = linear % PAGE_SIZE;
	struct vcpu *vcpu = context->vcpu;
	uint32_t error_code;

	if (context->page.linear == linear - offset && context->page.written >= write) {
		*gpa = GPA(context->page.gpa.raw + offset);
		return LINEAR_OK;
	}
	switch (paging_translate(linear_paging(context), linear, access, gpa, &error_code)) {
	case PAGING_OK:
		context->page = (struct linear_page){
			.linear = linear - offset, .gpa = GPA(gpa->raw - offset), .written = write};
		return LINEAR_OK;
	case PAGING_FAULT:
	default:
		write_cr2(linear);
		vcpu_fault(vcpu, EXCEPTION_PF, true, error_code);
		return LINEAR_FAULTED;
	}
}

/* A part of an access within one page. */
struct piece {
	gpa_t gpa;
	unsigned size;
};

static enum linear_result find_pieces(struct linear_context *context, uint64_t linear,
				      unsigned size, bool write, struct piece pieces[PIECES_MAX],
				      unsigned *count)
{
	for (*count = 0; size > 0; (*count)++) {
		unsigned room = (unsigned)(PAGE_SIZE - linear % PAGE_SIZE);
		struct piece *piece = &pieces[*count];
		enum linear_result result;

		piece->size = size < room ? size : room;
		result = translate(context, linear, write, &piece->gpa);
		if (result != LINEAR_OK)
			return result;
		linear += piece->size;
		if (!context->code64)
			linear = (uint32_t)linear;
		size -= piece->size;
	}
	return LINEAR_OK;
}

/* The widest accesses that a device can be asked with. */
static unsigned device_step(gpa_t gpa, unsigned size)
{
	unsigned step = 8;

	while (step > size || gpa.raw % step)
		step /= 2;
	return step;
}

static void read_piece(struct vm *vm, gpa_t gpa, uint8_t *to, unsigned size)
{
	if (vm_read(vm, gpa, to, size))
		return;
	while (size > 0) {
		unsigned step = device_step(gpa, size);
		uint64_t value = bus_mmio_read(&vm->bus, gpa, step);

		memcpy(to, &value, step);
		to += step;
		gpa.raw += step;
		size -= step;
	}
}

static void write_piece(struct vm *vm, gpa_t gpa, const uint8_t *from, unsigned size)
{
	if (vm_write(vm, gpa, from, size))
		return;
	while (size > 0) {
		unsigned step = device_step(gpa, size);
		uint64_t value = 0;

		memcpy(&value, from, step);
		bus_mmio_write(&vm->bus, gpa, step, value);
		from += step;
		gpa.raw += step;
		size -= step;
	}
}

enum linear_result linear_read(struct linear_context *context, uint64_t linear, void *to,
			       unsigned size)
{
	struct piece pieces[PIECES_MAX];
	unsigned count, done = 0;
	enum linear_result result = find_pieces(context, linear, size, false, pieces, &count);

	if (result != LINEAR_OK)
		return result;
	for (unsigned i = 0; i < count; done += pieces[i++].size)
		read_piece(context->vcpu->vm, pieces[i].gpa, (uint8_t *)to + done, pieces[i].size);
	if (unlikely(context->breakpoints))
		breakpoints_check(context->vcpu, BREAKPOINT_READ_WRITE, linear, size);
	return LINEAR_OK;
}

enum linear_result linear_write(struct linear_context *context, uint64_t linear, const void *from,
				unsigned size)
{
	struct piece pieces[PIECES_MAX];
	unsigned count, done = 0;
	enum linear_result result = find_pieces(context, linear, size, true, pieces, &count);

	if (result != LINEAR_OK)
		return result;
	for (unsigned i = 0; i < count; done += pieces[i++].size)
		write_piece(context->vcpu->vm, pieces[i].gpa, (const uint8_t *)from + done,
			    pieces[i].size);
	if (unlikely(context->breakpoints))
		breakpoints_check(context->vcpu, BREAKPOINT_WRITE, linear, size);
	return LINEAR_OK;
}

enum linear_result linear_probe(struct linear_context *context, uint64_t linear, unsigned size,
				bool write)
{
	struct piece pieces[PIECES_MAX];
	unsigned count;

	return find_pieces(context, linear, size, write, pieces, &count);
}

unsigned linear_fetch(struct linear_context *context, uint8_t *to, unsigned size)
{
	const struct paging_access access = {.fetch = true, .user = context->cpl == 3};
	uint64_t linear = backend_rip(context->vcpu);
	unsigned got = 0;

	if (!context->code64)
		linear = (uint32_t)(linear + context->segment.base);
	while (got < size) {
		unsigned room = (unsigned)(PAGE_SIZE - linear % PAGE_SIZE);
		unsigned step = size - got < room ? size - got : room;
		uint32_t error_code;
		gpa_t gpa;

		/* The processor has fetched the instruction: what does not translate is past its
		 * end. */
		if (paging_translate(linear_paging(context), linear, access, &gpa, &error_code) !=
			    PAGING_OK ||
		    !vm_read(context->vcpu->vm, gpa, to + got, step))
			break;
		got += step;
		linear += step;
		if (!context->code64)
			linear = (uint32_t)linear;
	}
	return got;
}
