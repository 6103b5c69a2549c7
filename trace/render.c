/* SPDX-License-Identifier: BSD-2-Clause */
/* Says in words what an exit record holds. */
#include "trace/render.h"

#include "arch/x86_64/exceptions.h"
#include "arch/x86_64/msr.h"
#include "arch/x86_64/vmx.h"
#include "kernel/format.h"
#include "kernel/log.h"

#define WORDS_MAX 200

static bool is_exit_of(const struct exit_record *record, unsigned vm)
{
	return record->vm == vm && record->reason != RECORD_VM_STARTED;
}

/* Text that grows in a buffer of fixed size; what does not fit is cut off. */
struct text {
	char *at;
	size_t size, length;
};

static void PRINTF(2, 3) add(struct text *text, const char *words, ...)
{
	va_list args;
	size_t room = text->length < text->size ? text->size - text->length : 0;

	va_start(args, words);
	text->length += vformat(text->at + (room ? text->length : 0), room, words, args);
	va_end(args);
}

#define U(x) ((unsigned long long)(x))

static void words_cpuid(const struct exit_record *r, struct text *text)
{
	add(text, "CPUID leaf %x.%x -> eax=%08x ebx=%08x ecx=%08x edx=%08x",
	    (uint32_t)r->qualification, (uint32_t)(r->qualification >> 32), (uint32_t)r->detail[0],
	    (uint32_t)(r->detail[0] >> 32), (uint32_t)r->detail[1], (uint32_t)(r->detail[1] >> 32));
}

static void words_io(const struct exit_record *r, struct text *text)
{
	struct io_access io = io_access_decode(r->qualification);
	const char *size = io.size == 1 ? "" : io.size == 2 ? ".w" : ".d";

	if (io.string) {
		add(text, "%s%s%s %x, %llu elements", io.rep ? "REP " : "", io.in ? "INS" : "OUTS",
		    size, io.port, U(r->detail[1]));
		return;
	}
	add(text, "%s%s %x %s %llx", io.in ? "IN" : "OUT", size, io.port, io.in ? "->" : "<-",
	    U(r->detail[0]));
	if (io.size == 1 && r->detail[0] >= 0x20 && r->detail[0] < 0x7f)
		add(text, " '%c'", (char)r->detail[0]);
}

static void add_msr(struct text *text, uint64_t msr)
{
	char buffer[MSR_NAME_MAX];

	const char *name = msr_name((uint32_t)msr, buffer);

	if (name)
		add(text, "%s", name);
	else
		add(text, "%llx", U(msr));
}

/* A fault went in at the entry: it is the instruction's answer. An interrupt is none. */
static bool is_refused(const struct exit_record *r)
{
	return r->injected & RECORD_INJECTED && (r->injected >> 8 & 7) == VMX_HARDWARE_EXCEPTION;
}

static void words_rdmsr(const struct exit_record *r, struct text *text)
{
	add(text, "RDMSR ");
	add_msr(text, r->qualification);
	if (!is_refused(r))
		add(text, " -> %llx", U(r->detail[0]));
}

static void words_wrmsr(const struct exit_record *r, struct text *text)
{
	add(text, "WRMSR ");
	add_msr(text, r->qualification);
	add(text, " <- %llx", U(r->detail[0]));
}

static void words_cr(const struct exit_record *r, struct text *text)
{
	struct cr_access access = cr_access_decode(r->qualification);

	switch (access.type) {
	case CR_MOV_TO:
		add(text, "MOV CR%u <- %llx", access.cr, U(r->detail[0]));
		break;
	case CR_MOV_FROM:
		add(text, "MOV CR%u -> %llx", access.cr, U(r->detail[0]));
		break;
	case CR_CLTS:
		add(text, "CLTS");
		break;
	case CR_LMSW:
		add(text, "LMSW %x", access.lmsw_source);
		break;
	}
}

static void words_ept(const struct exit_record *r, struct text *text)
{
	struct ept_violation violation = ept_violation_decode(r->qualification);
	static const char *const answers[] = {
		[EPT_MMIO] = "",
		[EPT_UNCLAIMED] = ", nobody's",
		[EPT_READ_ONLY] = ", read-only: dropped",
		[EPT_SPLIT] = ", page split",
		[EPT_STOPPED] = ", stopped",
		[EPT_ONES] = ", nobody's: ones",
	};
	uint64_t size = r->detail[2] & 0xff, answer = r->detail[2] >> 8 & 0xff;

	add(text, "EPT %s gpa=%llx",
	    violation.fetch   ? "fetch"
	    : violation.write ? "write"
			      : "read",
	    U(r->detail[0]));
	if (size)
		add(text, " %s %llx (%llu bytes)", violation.write ? "<-" : "->", U(r->detail[1]),
		    U(size));
	if (answer < ARRAY_COUNT(answers))
		add(text, "%s", answers[answer]);
}

static void words_exception(const struct exit_record *r, struct text *text)
{
	struct vmx_interruption info = vmx_interruption_unpack((uint32_t)r->detail[0]);

	if (info.type == VMX_NMI) {
		add(text, "NMI of the host");
		return;
	}
	add(text, "%s", exception_name(info.vector));
	if (info.has_error_code)
		add(text, " error=%llx", U(r->detail[1]));
	if (info.vector == EXCEPTION_DB)
		add(text, " conditions=%llx", U(r->qualification));
}

static void words_interrupt(const struct exit_record *r, struct text *text)
{
	add(text, "interrupt %llx of the host", U(r->detail[0] & 0xff));
}

static void words_vmcall(const struct exit_record *r, struct text *text)
{
	static const char *const names[] = {"version",    "mark",       "exit",
					    "tsc-hz",     "interrupt",  "nmi",
					    "exit-count", "dear-count", "watchdog"};

	if (r->qualification < ARRAY_COUNT(names))
		add(text, "VMCALL %s(%llx", names[r->qualification], U(r->detail[0]));
	else
		add(text, "VMCALL %llx(%llx", U(r->qualification), U(r->detail[0]));
	if (r->qualification == 1)
		add(text, ", %llx", U(r->detail[2]));
	add(text, ") -> %llx", U(r->detail[1]));
}

static void words_xsetbv(const struct exit_record *r, struct text *text)
{
	add(text, "XSETBV XCR%llu <- %llx", U(r->qualification), U(r->detail[0]));
}

/* Reasons that say more than their name. */
static void (*const words[VMX_EXIT_REASON_COUNT])(const struct exit_record *r,
						  struct text *text) = {
	[VMX_EXIT_EXCEPTION_OR_NMI] = words_exception,
	[VMX_EXIT_EXTERNAL_INTERRUPT] = words_interrupt,
	[VMX_EXIT_CPUID] = words_cpuid,
	[VMX_EXIT_VMCALL] = words_vmcall,
	[VMX_EXIT_CR_ACCESS] = words_cr,
	[VMX_EXIT_IO_INSTRUCTION] = words_io,
	[VMX_EXIT_RDMSR] = words_rdmsr,
	[VMX_EXIT_WRMSR] = words_wrmsr,
	[VMX_EXIT_EPT_VIOLATION] = words_ept,
	[VMX_EXIT_EPT_MISCONFIGURATION] = words_ept,
	[VMX_EXIT_XSETBV] = words_xsetbv,
};

static void add_injected(struct text *text, uint16_t injected)
{
	uint8_t vector = (uint8_t)injected;
	enum vmx_interruption_type type = (enum vmx_interruption_type)(injected >> 8 & 7);

	add(text, " => ");
	if (type == VMX_EXTERNAL_INTERRUPT)
		add(text, "interrupt %x", vector);
	else if (type == VMX_NMI)
		add(text, "NMI");
	else if (type == VMX_SOFTWARE_INTERRUPT)
		add(text, "INT %x", vector);
	else
		add(text, "%s", exception_name(vector));
}

size_t render_words(const struct exit_record *record, char *buffer, size_t size)
{
	struct text text = {.at = buffer, .size = size};

	if (record->reason < ARRAY_COUNT(words) && words[record->reason])
		words[record->reason](record, &text);
	else
		add(&text, "%s", vmx_exit_reason_name(record->reason));
	if (record->injected & RECORD_INJECTED)
		add_injected(&text, record->injected);
	return text.length;
}

/* The privilege level and the width of the code, for classes with +cpl; an empty text for others.
 */
static void add_code(struct text *text, const struct exit_record *record)
{
	if (record->flags & RECORD_CODE)
		add(text, " cpl%u %s", record->flags >> RECORD_CPL_SHIFT & 3,
		    record->flags & RECORD_CODE_L   ? "64"
		    : record->flags & RECORD_CODE_D ? "32"
						    : "16");
}

size_t render_text(const struct exit_record *record, uint64_t number, uint64_t first_tsc,
		   char *buffer, size_t size)
{
	struct text text = {.at = buffer, .size = size};
	char words_text[WORDS_MAX];

	add(&text, "%6llu %12llu rip=%-10llx", U(number), U(record->tsc_exit - first_tsc),
	    U(record->rip));
	add_code(&text, record);
	if (record->tsc_entry > record->tsc_exit)
		add(&text, " %6llu", U(record->tsc_entry - record->tsc_exit));
	else
		add(&text, "      -");
	render_words(record, words_text, sizeof(words_text));
	add(&text, "  %s", words_text);
	return text.length;
}

void render_heading(const char *vm_name)
{
	log_vm_line(LOG_ALWAYS, vm_name, "%6s %12s %-14s %6s  %s", "exit", "at tick", "", "cost",
		    "what the guest did -> what came of it => event");
}

void render_line(const char *vm_name, uint64_t number, const struct exit_record *record,
		 uint64_t first_tsc)
{
	char text[RENDER_MAX];

	render_text(record, number, first_tsc, text, sizeof(text));
	log_vm_line(LOG_ALWAYS, vm_name, "%s", text);
}

void render_last(const char *vm_name, const struct exit_ring *ring, unsigned vm, unsigned count)
{
	const struct exit_record *start = ring_vm(ring, vm);
	uint64_t first = ring_first_of_vm(ring, vm), from = ring->head;
	unsigned found = 0;

	/* Back to the first that is to be shown. */
	while (found < count && from > first)
		found += is_exit_of(ring_at(ring, --from), vm);
	if (found == 0)
		return;
	log_vm_line(
		LOG_ALWAYS, vm_name,
		"its last %u exits: number, ticks since its start, RIP, cost in ticks, what it was",
		found);
	for (; from < ring->head; from++)
		if (is_exit_of(ring_at(ring, from), vm))
			render_line(vm_name, from - start->tsc_entry, ring_at(ring, from),
				    start->tsc_exit);
}
