/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of exceptions, their error codes bit by bit, and the registers. */
#include "kernel/trap_report.h"

#include "arch/x86_64/bits.h"
#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/instructions.h"
#include "kernel/address.h"
#include "kernel/cpu.h"
#include "kernel/format.h"
#include "kernel/log.h"
#include "kernel/symbols.h"

/* How an error code is to be read. */
enum error_kind { CODE_NONE, CODE_ZERO, CODE_SELECTOR, CODE_PAGE_FAULT, CODE_CONTROL };

/* SDM "Exception and Interrupt Reference". */
static const struct {
	const char *name;
	enum error_kind code;
} exceptions[VECTOR_FIRST_INTERRUPT] = {
	[0] = {"#DE divide error",                  CODE_NONE      },
	[1] = {"#DB debug exception",               CODE_NONE      },
	[3] = {"#BP breakpoint",                    CODE_NONE      },
	[4] = {"#OF overflow",                      CODE_NONE      },
	[5] = {"#BR bound range exceeded",          CODE_NONE      },
	[6] = {"#UD invalid opcode",                CODE_NONE      },
	[7] = {"#NM device not available",          CODE_NONE      },
	[8] = {"#DF double fault",                  CODE_ZERO      },
	[10] = {"#TS invalid TSS",                   CODE_SELECTOR  },
	[11] = {"#NP segment not present",           CODE_SELECTOR  },
	[12] = {"#SS stack-segment fault",           CODE_SELECTOR  },
	[13] = {"#GP general protection",            CODE_SELECTOR  },
	[14] = {"#PF page fault",                    CODE_PAGE_FAULT},
	[16] = {"#MF x87 floating-point error",      CODE_NONE      },
	[17] = {"#AC alignment check",               CODE_ZERO      },
	[18] = {"#MC machine check",                 CODE_NONE      },
	[19] = {"#XM SIMD floating-point exception", CODE_NONE      },
	[20] = {"#VE virtualization exception",      CODE_NONE      },
	[21] = {"#CP control protection",            CODE_CONTROL   },
};

static void describe_page_fault(uint64_t code, char *buffer, size_t size)
{
	uint64_t address = read_cr2();
	const char *access = code & PF_ERROR_FETCH   ? "execution of"
			     : code & PF_ERROR_WRITE ? "write to"
						     : "read of";
	const char *why = code & PF_ERROR_RESERVED  ? "a page-table entry has a reserved bit set"
			  : code & PF_ERROR_PRESENT ? "the page does not allow it"
						    : "the page is not mapped";

	format(buffer, size, " (error 0x%lx): %s 0x%lx, %s%s", code, access, address, why,
	       address < PAGE_SIZE ? "; a null pointer" : "");
}

/* SDM "Error Code": external, which table, index. */
static void describe_selector(uint64_t code, char *buffer, size_t size)
{
	const char *table = code & 2 ? "IDT" : code & 4 ? "LDT" : "GDT";

	if (code == 0)
		format(buffer, size, " (error 0)");
	else
		format(buffer, size, " (error 0x%lx): %s entry 0x%lx%s", code, table,
		       bits(code, 15, 3), code & 1 ? ", by an external event" : "");
}

/* A push below a stack hits its guard page, and then there is no stack for the page fault itself.
 */
static void describe_double_fault(const struct trap_frame *frame, char *buffer, size_t size)
{
	uint64_t address = read_cr2();

	if (!cpu_stack_contains(address, 1) && cpu_stack_contains(address + PAGE_SIZE, 1) &&
	    frame->rsp - address + PAGE_SIZE < 2 * PAGE_SIZE)
		format(buffer, size, ": stack overflow, the guard page at 0x%lx was hit",
		       align_down(address, PAGE_SIZE));
	else
		format(buffer, size, ": CR2 is 0x%lx", address);
}

static void describe_code(const struct trap_frame *frame, char *buffer, size_t size)
{
	buffer[0] = '\0';
	switch (exceptions[frame->vector].code) {
	case CODE_NONE:
		break;
	case CODE_ZERO:
		if (frame->vector == VECTOR_DOUBLE_FAULT)
			describe_double_fault(frame, buffer, size);
		break;
	case CODE_SELECTOR:
		describe_selector(frame->error_code, buffer, size);
		break;
	case CODE_PAGE_FAULT:
		describe_page_fault(frame->error_code, buffer, size);
		break;
	case CODE_CONTROL:
		format(buffer, size, " (error 0x%lx)", frame->error_code);
		break;
	}
}

void trap_describe(const struct trap_frame *frame, char *buffer, size_t size)
{
	char code[128], where[SYMBOL_TEXT_MAX];
	const char *name = exceptions[frame->vector].name;

	describe_code(frame, code, sizeof(code));
	symbol_text(frame->rip, where);
	if (name)
		format(buffer, size, "%s%s, at %s", name, code, where);
	else
		format(buffer, size, "exception %lu (reserved), at %s", frame->vector, where);
}

void trap_log_registers(const struct trap_frame *frame)
{
	const struct general_registers *r = &frame->regs;

	log_always("  rax %016lx  rcx %016lx  rdx %016lx  rbx %016lx", r->rax, r->rcx, r->rdx,
		   r->rbx);
	log_always("  rsp %016lx  rbp %016lx  rsi %016lx  rdi %016lx", frame->rsp, r->rbp, r->rsi,
		   r->rdi);
	log_always("  r8  %016lx  r9  %016lx  r10 %016lx  r11 %016lx", r->r8, r->r9, r->r10,
		   r->r11);
	log_always("  r12 %016lx  r13 %016lx  r14 %016lx  r15 %016lx", r->r12, r->r13, r->r14,
		   r->r15);
	log_always("  rip %016lx  rflags %08lx  cs %04lx  ss %04lx  error %lx  cpu %u", frame->rip,
		   frame->rflags, frame->cs, frame->ss, frame->error_code, this_cpu()->index);
	log_always("  cr0 %08lx  cr2 %016lx  cr3 %016lx  cr4 %08lx", read_cr0(), read_cr2(),
		   read_cr3(), read_cr4());
}
