/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * EPT rights, page walks, splits and INVEPT on the processor: a guest asks a port what to do next,
 * and tells what came of it; before each step the host changes what it likes.
 */
#include "tests/system/host_guests.h"

#include "kernel/cpu.h"
#include "kernel/log.h"
#include "kernel/string.h"
#include "kernel/verdict.h"
#include "vcpu/vmx/side_channels.h"
#include "vcpu/vmx/vmx.h"

#define PORT    0x2f0
#define MEMORY  (6 * MIB)
#define CODE    0x8000u
#define TABLE   0x9000u   /* a page directory of 32-bit paging */
#define PAGE    0x305000u /* in a large page of its own */
#define OTHER   0x405000u /* and in another */
#define LINEAR  0xc00000u /* where paging maps all of it again */
#define WRITTEN 0x600du
#define RET     0xc3u

enum command { READ, WRITE, EXECUTE, PAGING, FLUSH };

/* 32-bit code: address and command from the port, the result to it. */
asm(".pushsection .rodata\n"
    ".code32\n"
    "guest_code:\n"
    "	mov $0x2f0, %edx\n"
    "1:	in (%dx), %eax\n"
    "	mov %eax, %esi\n"
    "	in (%dx), %eax\n"
    "	cmp $1, %eax\n"
    "	jb 2f\n"
    "	je 3f\n"
    "	cmp $3, %eax\n"
    "	jb 4f\n"
    "	ja 5f\n"
    "	mov %cr4, %eax\n" /* PAGING */
    "	or $0x10, %eax\n"
    "	mov %eax, %cr4\n"
    "	mov %esi, %cr3\n"
    "	mov %cr0, %eax\n"
    "	or $0x80000000, %eax\n"
    "	mov %eax, %cr0\n"
    "	jmp 6f\n"
    "2:	mov (%esi), %eax\n"
    "	jmp 6f\n"
    "3:	movl $0x600d, (%esi)\n"
    "	jmp 6f\n"
    "4:	call *%esi\n"
    "	jmp 6f\n"
    "5:	mov %cr3, %eax\n"
    "	mov %eax, %cr3\n"
    "6:	out %eax, (%dx)\n"
    "	jmp 1b\n"
    "guest_code_end:\n"
    ".code64\n"
    ".popsection\n");
extern const char guest_code[], guest_code_end[];

struct step {
	const char *what;
	void (*before)(void);
	enum command command;
	uint32_t address;
	unsigned violations; /* how many the step costs */
};

#define EITHER  ~0u       /* none or one */
#define ERRATUM (~0u - 1) /* one, where code is kept from large pages; else none */

struct script {
	const char *name;
	const struct step *steps;
	unsigned step_count;
	const char *end; /* the words with which Plinth stops the VM at the last step; NULL: none */
};

static struct {
	struct vm *vm;
	const struct script *script;
	unsigned step;
	bool has_address; /* the guest has read it, and reads the command next */
	uint64_t violations;
	unsigned number; /* of the VM */
	uint32_t value;  /* what PAGE holds */
} run;

void host_check(const char *what, bool holds)
{
	if (!holds)
		verdict_end(VERDICT_FAIL, 1, "%s", what);
	log_info("ok: %s", what);
}

static struct ept *the_ept(void)
{
	return ept_of(run.vm->vcpu);
}

static uint64_t violations(void)
{
	return counter_count(&run.vm->vcpu->counters.by_reason[VMX_EXIT_EPT_VIOLATION]);
}

static void must(err_t err)
{
	if (err)
		verdict_end(VERDICT_FAIL, 1, "%s: %s", run.script->name, err);
}

static uint32_t tell_guest(void *device, uint16_t port, unsigned size)
{
	const struct step *step = &run.script->steps[run.step];

	(void)device;
	(void)port;
	(void)size;
	if (run.step == run.script->step_count) {
		vm_stop(run.vm, VM_ENDED_EXIT, 0, "all steps are done");
		return 0;
	}
	run.has_address = !run.has_address;
	if (run.has_address)
		return step->address;
	if (step->before)
		step->before();
	run.violations = violations();
	return step->command;
}

static void hear_guest(void *device, uint16_t port, unsigned size, uint32_t value)
{
	const struct step *step = &run.script->steps[run.step++];
	uint64_t count = violations() - run.violations;
	unsigned wanted = step->violations;

	(void)device;
	(void)port;
	(void)size;
	if (step->command == WRITE && step->address % LINEAR == PAGE)
		run.value = WRITTEN;
	if (wanted == ERRATUM)
		wanted = vmx_capabilities()->itlb_multihit;
	if (wanted == EITHER)
		host_check(count ? "its write exits all the same" : "its write does not exit",
			   true);
	else
		host_check(step->what,
			   count == wanted && (step->command != READ || value == run.value));
}

/* --- What is changed before a step. --- */

static void set_rights(uint32_t address, unsigned rights)
{
	must(ept_protect(the_ept(), GPA(address), PAGE_SIZE, rights));
}

static void page_read_execute(void)
{
	set_rights(PAGE, EPT_READ | EPT_EXECUTE);
}

static void page_read_write(void)
{
	set_rights(PAGE, EPT_READ | EPT_WRITE);
}

static void page_gone(void)
{
	must(ept_unmap(the_ept(), GPA(PAGE), PAGE_SIZE));
}

static void page_back(void)
{
	struct ept_mapping neighbour;

	host_check("a page beside it is mapped still",
		   ept_translate(the_ept(), GPA(PAGE - PAGE_SIZE), &neighbour));
	must(ept_map(the_ept(), GPA(PAGE), HPA(neighbour.hpa.raw + PAGE_SIZE), PAGE_SIZE, EPT_ALL));
}

static void table_read_only(void)
{
	set_rights(TABLE, EPT_READ);
}

static void table_gone(void)
{
	must(ept_unmap(the_ept(), GPA(TABLE), PAGE_SIZE));
}

/* From here on the rights of PAGE change without a split. */
static void neighbour_read_only(void)
{
	set_rights(PAGE + PAGE_SIZE, EPT_READ);
}

static void without_invept(void)
{
	void (*invalidate)(void *) = the_ept()->invalidate;

	the_ept()->invalidate = NULL;
	page_read_execute();
	the_ept()->invalidate = invalidate;
}

/* What Plinth then says of the VMCS is tests/system/entry-checks.t's to look at. */
static void bad_control(void)
{
	log_set_level(LOG_WARN);
	vmcs_write(VMCS_CR3_TARGET_COUNT, 9);
}

static void no_vmcs(void)
{
	if (vmclear(vmx_of(run.vm->vcpu)->vmcs) != VMX_OK)
		must("VMCLEAR fails");
}

/* --- The scripts. --- */

/* clang-format off */
static const struct step rights[] = {
	{"a page is read", NULL, READ, PAGE, 0},
	{"and written", NULL, WRITE, PAGE, 0},
	{"without the right, a write exits", page_read_execute, WRITE, PAGE, 1},
	{"a read does not", NULL, READ, PAGE, 0},
	{"nor does a write to the page before", NULL, WRITE, PAGE - PAGE_SIZE, 0},
	{"nor one to the page behind", NULL, WRITE, PAGE + PAGE_SIZE, 0},
	{"with the right back, a write does not exit", page_read_write, WRITE, PAGE, 0},
	{"of a page that is not there, a read exits", page_gone, READ, PAGE, 1},
	{"so does a write", NULL, WRITE, PAGE, 1},
	{"with the page back, a read does not exit", page_back, READ, PAGE, 0},
	{"nor does a write", NULL, WRITE, PAGE, 0},
	{"without the right, code is not executed", page_read_write, EXECUTE, PAGE, 0},
};

static const struct step execution[] = {
	{"code in a large page: the first fetch may have it split", NULL, EXECUTE, OTHER, ERRATUM},
	{"the next one does not exit", NULL, EXECUTE, OTHER, 0},
	{"nor does one from the page behind", NULL, EXECUTE, OTHER + PAGE_SIZE, 0},
	{"nor does a write", NULL, WRITE, OTHER, 0},
};

static const struct step walk_read_only[] = {
	{"paging on", NULL, PAGING, TABLE, 0},
	{"a page is written by way of a page table", NULL, WRITE, LINEAR + PAGE, 0},
	{"and read", NULL, READ, PAGE, 0},
	{"a page table that is read-only can be walked", table_read_only, FLUSH, 0, 0},
	/* Where one is, processors ask for the right to write. Bochs does not. */
	{"where no accessed flag is to be set in it", NULL, READ, PAGE, 0},
	{"also to write to the page", NULL, WRITE, LINEAR + PAGE, 0},
};

static const struct step walk_gone[] = {
	{"paging on", NULL, PAGING, TABLE, 0},
	{"a page is read by way of a page table", NULL, WRITE, LINEAR + PAGE, 0},
	/* An entry of ones, which has reserved bits. */
	{"a page table that is gone", table_gone, FLUSH, 0, 0},
};

/* All VMs have the same number, so that their VPID is that of the one before. */
static const struct step vpid[] = {
	{"a VM reads its own memory", NULL, READ, PAGE, 0},
	{"paging on", NULL, PAGING, TABLE, 0},
	{"by way of its own page table too", NULL, READ, LINEAR + PAGE, 0},
};

/*
 * Processors keep translations over exits, and a right that is gone still holds. Bochs, by itself,
 * does not.
 */
static const struct step flushed[] = {
	{"a page is written", neighbour_read_only, WRITE, PAGE, 0},
	{"without INVEPT", without_invept, WRITE, PAGE, EITHER},
	{"with the right back, it is written again", page_read_write, WRITE, PAGE, 0},
	{"with INVEPT, a write exits", page_read_execute, WRITE, PAGE, 1},
	{"of a page that is gone, a read exits", page_gone, READ, PAGE, 1},
};

static const struct step resume_fails[] = {
	{"a VM runs", NULL, WRITE, PAGE, 0},
	{"VMRESUME fails", bad_control, READ, PAGE, 0},
};

static const struct step resume_without_vmcs[] = {
	{"a VM runs", NULL, WRITE, PAGE, 0},
	{"VMRESUME fails without a VMCS", no_vmcs, READ, PAGE, 0},
};

#define STEPS(steps) steps, ARRAY_COUNT(steps)
/* The first SCRIPTS_OF_STUB are for both exit stubs. */
#define SCRIPTS_OF_STUB 3
static const struct script scripts[] = {
	{"rights", STEPS(rights), "a fetch of code meets guest-physical address 305000"},
	{"resume-fails", STEPS(resume_fails), "VM entry failed, VMfailValid: error 7"},
	{"resume-without-vmcs", STEPS(resume_without_vmcs), "VM entry failed, VMfailInvalid"},
	{"execution", STEPS(execution), NULL},
	{"walk-read-only", STEPS(walk_read_only), NULL},
	{"walk-gone", STEPS(walk_gone), "triple fault"},
	{"vpid", STEPS(vpid), NULL},
	{"vpid-again", STEPS(vpid), NULL},
	{"invept", STEPS(flushed), NULL},
};
/* clang-format on */

static void write_memory(uint32_t gpa, uint32_t value)
{
	if (!vm_write(run.vm, GPA(gpa), &value, sizeof(value)))
		must("there is no memory");
}

static void fill_memory(void)
{
	if (!vm_write(run.vm, GPA(CODE), guest_code, (uint64_t)(guest_code_end - guest_code)))
		must("there is no memory");
	run.value = ++run.number;
	write_memory(PAGE, run.value);
	write_memory(OTHER, RET);
	write_memory(OTHER + PAGE_SIZE, RET);
	/* Pages of 4 MiB: memory at its address, and again from 12 MiB on. */
	write_memory(TABLE, 0x83);
	write_memory(TABLE + 4 * (LINEAR >> 22), 0x83);
}

static void run_script(const struct script *script, bool clearing)
{
	static const struct port_range port = {
		.name = "test",
		.first = PORT,
		.count = 4,
		.sizes = BUS_4,
		.read = tell_guest,
		.write = hear_guest,
	};
	const struct vcpu_options options = {.traced = NULL};
	struct vcpu_state state;

	run.script = script;
	run.step = 0;
	run.has_address = false;
	must(vm_create(script->name, 0, MEMORY, &run.vm));
	must(bus_add_ports(&run.vm->bus, &port));
	fill_memory();
	vcpu_state_flat32(&state, CODE);
	state.regs.rsp = CODE;
	must(vcpu_create(run.vm, &options, &state));
	if (clearing)
		vmcs_write(VMCS_HOST_RIP, (uint64_t)vmx_exit_entry_clearing);
	vcpu_run(run.vm->vcpu);
	log_set_level(LOG_INFO);
	if (script->end)
		host_check(run.vm->end_text, run.step == script->step_count - 1 &&
						     strncmp(run.vm->end_text, script->end,
							     strlen(script->end)) == 0);
	else
		host_check(script->name, run.step == script->step_count);
	vcpu_destroy(run.vm->vcpu);
	vm_destroy(run.vm);
}

void host_guests_run(void)
{
	for (unsigned i = 0; i < ARRAY_COUNT(scripts); i++)
		run_script(&scripts[i], false);
	log_info("with the exit stub that empties the processor's buffers:");
	for (unsigned i = 0; i < SCRIPTS_OF_STUB; i++)
		run_script(&scripts[i], true);
}
