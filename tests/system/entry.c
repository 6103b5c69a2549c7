/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linked in the place of guest/guests.c: tries every mutation of tests/entry on the processor, and
 * compares its answer with that of the table of rules. The console has TAP. No guest instruction is
 * ever executed: the preemption timer is at 0, and the EPT is empty.
 */
#include "arch/x86_64/instructions.h"
#include "arch/x86_64/vmx_instructions.h"
#include "guest/guests.h"
#include "kernel/cpu.h"
#include "kernel/direct_map.h"
#include "kernel/format.h"
#include "kernel/log.h"
#include "kernel/physical.h"
#include "kernel/string.h"
#include "kernel/verdict.h"
#include "tests/entry/mutations.h"
#include "tests/system/entry_refused.h"
#include "tests/system/host_guests.h"
#include "vcpu/vmx/vmx.h"

#define DEBUG_CONSOLE 0xe9 /* reads as its own number in Bochs, and in QEMU */

unsigned entry_try(void);
void entry_try_exit(void);

static struct entry_bench bench;
static struct vmcs_image existing; /* the fields that this processor has */
static hpa_t vmcs;
static bool in_bochs;  /* directly */
static bool in_nested; /* under a hypervisor, which may be in Bochs in its turn */

/* What came of an attempt. */
struct attempt {
	bool invalid; /* VMfailInvalid: there was no VMCS */
	enum entry_verdict verdict;
	uint64_t qualification;
	uint32_t reason; /* of the exit, whole */
};

static void set_host(enum vmcs_field field, uint64_t value)
{
	vmcs_image_set(&bench.host, field, value);
}

static void make_host(void)
{
	struct cpu *cpu = this_cpu();

	set_host(VMCS_HOST_CR0, read_cr0());
	set_host(VMCS_HOST_CR3, read_cr3());
	set_host(VMCS_HOST_CR4, read_cr4());
	set_host(VMCS_HOST_EFER, rdmsr(IA32_EFER));
	set_host(VMCS_HOST_PAT, rdmsr(IA32_PAT));
	set_host(VMCS_HOST_CS_SELECTOR, SELECTOR_CODE);
	set_host(VMCS_HOST_SS_SELECTOR, SELECTOR_DATA);
	set_host(VMCS_HOST_DS_SELECTOR, SELECTOR_DATA);
	set_host(VMCS_HOST_ES_SELECTOR, SELECTOR_DATA);
	set_host(VMCS_HOST_TR_SELECTOR, SELECTOR_TSS);
	set_host(VMCS_HOST_GS_BASE, (uint64_t)cpu);
	set_host(VMCS_HOST_TR_BASE, (uint64_t)&cpu->tss);
	set_host(VMCS_HOST_GDTR_BASE, sgdt().base);
	set_host(VMCS_HOST_IDTR_BASE, sidt().base);
	set_host(VMCS_HOST_RIP, (uint64_t)entry_try_exit);
}

static err_t make_bench(void)
{
	hpa_t pages;
	err_t err = physical_allocate((ENTRY_PAGES + 1) * PAGE_SIZE, PAGE_SIZE, &pages);

	if (err)
		return err;
	for (unsigned i = 0; i < ENTRY_PAGES; i++) {
		bench.page[i] = pages.raw + i * PAGE_SIZE;
		bench.memory[i] = direct_map(HPA(bench.page[i]));
	}
	vmcs = HPA(pages.raw + ENTRY_PAGES * PAGE_SIZE);
	make_host();
	return NULL;
}

/* A fresh VMCS each time: nothing that an attempt has left in it, or in the processor, counts. */
static err_t load_vmcs(void)
{
	uint32_t *region = direct_map(vmcs);

	if (vmclear(vmcs) != VMX_OK)
		return "VMCLEAR failed";
	memset(region, 0, PAGE_SIZE);
	*region = vmx_capabilities()->basic.revision;
	return vmclear(vmcs) == VMX_OK && vmptrld(vmcs) == VMX_OK ? NULL : "VMPTRLD failed";
}

/* Writes the fields that exist. False: a field that the row is about does not. */
static bool write_image(const struct vmcs_image *image, const struct entry_mutation *row)
{
	for (unsigned e = 0; e < ENTRY_EDITS_MAX; e++) {
		const struct entry_edit *edit = &row->edits[e];

		if (edit->kind != EDIT_NONE && edit->kind != EDIT_POKE &&
		    !vmcs_image_has(&existing, edit->field))
			return false;
	}
	for (size_t i = 0; i < vmcs_field_count; i++) {
		enum vmcs_field field = vmcs_fields[i].field;

		if (vmcs_image_has(image, field) && vmcs_image_has(&existing, field))
			vmcs_write(field, vmcs_image_get(image, field));
	}
	return true;
}

/* The rules get what the processor has made of it. */
static void read_image(struct vmcs_image *image)
{
	vmcs_image_clear(image);
	for (size_t i = 0; i < vmcs_field_count; i++) {
		enum vmcs_field field = vmcs_fields[i].field;

		if (vmcs_image_has(&existing, field))
			vmcs_image_set(image, field, vmcs_read(field));
	}
}

static struct attempt attempt(void)
{
	struct attempt result = {.invalid = false};

	switch (entry_try()) {
	case 0:
		result.reason = (uint32_t)vmcs_read(VMCS_EXIT_REASON);
		result.qualification = vmcs_read(VMCS_EXIT_QUALIFICATION);
		if (result.reason & VMX_EXIT_ENTRY_FAILURE)
			result.verdict = (enum entry_verdict)(result.reason & VMX_EXIT_REASON_MASK);
		break;
	case 1:
		result.invalid = true;
		break;
	default:
		result.verdict = (enum entry_verdict)vmcs_read(VMCS_INSTRUCTION_ERROR);
	}
	return result;
}

static bool has_qualification(enum entry_verdict verdict)
{
	return verdict == ENTRY_EXIT_GUEST || verdict == ENTRY_EXIT_MSR;
}

static bool agrees(const struct attempt *result, enum entry_verdict verdict, uint64_t qualification)
{
	return result->verdict == verdict &&
	       (!has_qualification(verdict) || result->qualification == qualification);
}

static const char *in_words(char *text, size_t size, enum entry_verdict verdict,
			    uint64_t qualification)
{
	if (verdict == ENTRY_SUCCEEDS)
		return "success";
	format(text, size, has_qualification(verdict) ? "%u, qualification %llu" : "%u",
	       (unsigned)verdict, (unsigned long long)qualification);
	return text;
}

/* The mark of the row that the answer fits; NULL: none. What a hypervisor leaves to its processor,
 * that answers. */
static const struct entry_difference *known_difference(const struct entry_mutation *row,
						       const struct attempt *result)
{
	const struct entry_difference *marks[] = {
		in_bochs || in_nested ? &row->bochs : NULL,
		in_nested ? &row->kvm : NULL,
	};

	for (size_t i = 0; i < ARRAY_COUNT(marks); i++) {
		if (marks[i] && marks[i]->reason && !marks[i]->skip &&
		    agrees(result, marks[i]->verdict, marks[i]->qualification))
			return marks[i];
	}
	return NULL;
}

/* One line of TAP. False: not ok. */
static bool judge(unsigned number, const char *name, const struct entry_mutation *row,
		  const struct attempt *result, const struct entry_answer *answer)
{
	const struct entry_difference *known = known_difference(row, result);
	char wanted[40], got[40];

	if (agrees(result, answer->verdict, answer->qualification) ||
	    (answer->open && result->verdict == ENTRY_SUCCEEDS)) {
		log_info("ok %u - %s", number, name);
		return true;
	}
	log_info("%s %u - %s # processor: %s, table: %s%s%s", known ? "ok" : "not ok", number, name,
		 in_words(got, sizeof(got), result->verdict, result->qualification),
		 in_words(wanted, sizeof(wanted), answer->verdict, answer->qualification),
		 known ? "; differs: " : "", known ? known->reason : "");
	return known != NULL;
}

/* Some processors drop reserved bits of a field, so that there is nothing to be checked. */
static bool kept(const struct entry_mutation *row, const struct vmcs_image *wanted,
		 const struct vmcs_image *got)
{
	for (unsigned e = 0; e < ENTRY_EDITS_MAX; e++) {
		const struct entry_edit *edit = &row->edits[e];

		if (edit->kind != EDIT_NONE && edit->kind != EDIT_POKE &&
		    vmcs_image_get(wanted, edit->field) != vmcs_image_get(got, edit->field))
			return false;
	}
	return true;
}

/* Makes the VMCS of the row, and the image that the rules get: what the processor has made of it.
 * NULL: done; else why not. */
static const char *make(const struct entry_mutation *row, struct vmcs_image *image)
{
	struct vmcs_image wanted;
	err_t err = load_vmcs();

	if (err)
		verdict_end(VERDICT_ERROR, VERDICT_CODE_REFUSED, "%s", err);
	entry_environment_read(&bench.environment, vmx_capabilities());
	entry_base_make(&bench, row->base, &wanted);
	entry_mutation_apply(&bench, row, &wanted);
	if (!write_image(&wanted, row))
		return "the processor has no such field";
	read_image(image);
	return kept(row, &wanted, image) ? NULL : "the processor does not keep these bits";
}

static bool try(unsigned number, const struct entry_mutation *row)
{
	const char *unfit = entry_mutation_unfit(row, &bench);
	char name[200], text[100];
	struct vmcs_image image;
	struct entry_answer answer;
	struct attempt result;

	entry_mutation_describe(row, name, sizeof(name));
	if (!unfit && in_bochs && row->bochs.skip)
		unfit = row->bochs.reason;
	if (!unfit)
		unfit = make(row, &image);
	if (unfit) {
		log_info("ok %u - %s # skip %s", number, name, unfit);
		return true;
	}
	if (!entry_mutation_check(row, &image, &bench.environment, text, sizeof(text))) {
		log_info("not ok %u - %s # %s", number, name, text);
		return false;
	}
	answer = entry_check_answer(&image, &bench.environment);
	result = attempt();
	if (result.invalid) {
		log_info("not ok %u - %s # VMfailInvalid", number, name);
		return false;
	}
	return judge(number, name, row, &result, &answer);
}

void guests_run(const struct boot_info *boot, const struct options *options,
		const struct acpi_info *acpi)
{
	const struct entry_mutation *row;
	unsigned count = 0, failed = 0;
	err_t err;

	(void)boot;
	(void)options;
	(void)acpi;
	in_nested = cpuid_has(cpuid, CPUID_HYPERVISOR);
	in_bochs = !in_nested && in8(DEBUG_CONSOLE) == DEBUG_CONSOLE;
	err = backend_start();
	if (!err)
		err = make_bench();
	if (err)
		verdict_end(VERDICT_ERROR, VERDICT_CODE_REFUSED, "%s", err);
	err = load_vmcs();
	if (err)
		verdict_end(VERDICT_ERROR, VERDICT_CODE_REFUSED, "%s", err);
	vmcs_image_read(&existing);
	entry_environment_read(&bench.environment, vmx_capabilities());
	for (; (row = entry_mutation_by_index(count)) != NULL; count++)
		failed += !try(count + 1, row);
	log_info("1..%u", count);
	entry_refused_run();
	/* Elsewhere tests/system/host.c runs them. */
	if (in_nested)
		host_guests_run();
	backend_stop();
	if (failed)
		verdict_end(VERDICT_FAIL, failed, "%u of %u answers differ", failed, count);
	verdict_end(VERDICT_PASS, 0, "%u answers are as the table says, or known to differ", count);
}
