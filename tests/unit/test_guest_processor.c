/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables of docs/guest-processor.md are those of the policies. With --tables this prints them.
 */
/* UNITS: arch/x86_64/msr.c kernel/format.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/compiler.h"
#include "vcpu/cpuid_policy.h"
#include "vcpu/msr_policy.h"

#define PAGE      "docs/guest-processor.md"
#define TABLE_MAX 20000

struct leaf {
	uint32_t leaf;
	const char *what;
};
#define LEAF_ROW(leaf, subleaves, copy, dynamic, what) {leaf, what},
static const struct leaf leaves[] = {CPUID_LEAF_POLICY(LEAF_ROW)};

struct feature {
	uint32_t leaf, subleaf;
	const char *reg, *name, *needs, *why;
};
#define SHOWN(leaf, subleaf, reg, bit, needs, name) {leaf, subleaf, #reg, name, #needs, NULL},
#define HIDDEN(leaf, subleaf, reg, bit, name, why)  {leaf, subleaf, #reg, name, NULL, why},
static const struct feature features[] = {CPUID_FEATURE_POLICY(SHOWN, HIDDEN)};

struct msr_row {
	uint32_t first, count;
	const char *access, *with, *why;
};
#define ROW_RW(first, n, with, name, why) {first, n, "read, write", #with, why},
#define ROW_RO(first, n, with, name, why) {first, n, "read", #with, why},
#define ROW_WO(first, n, with, name, why) {first, n, "write", #with, why},
#define ROW_LIVE(msr, with, why)          {msr, 1, "live", #with, why},
#define ROW_NONE(first, n, why)           {first, n, NULL, NULL, why},
static const struct msr_row msrs[] = {MSR_POLICY(ROW_RW, ROW_RO, ROW_WO, ROW_LIVE, ROW_NONE)};

static void print_leaves(FILE *out)
{
	fputs("| leaf | what a guest sees |\n|---|---|\n", out);
	for (size_t i = 0; i < ARRAY_COUNT(leaves); i++)
		fprintf(out, "| %x | %s |\n", leaves[i].leaf, leaves[i].what);
}

static void print_register(FILE *out, const struct feature *f)
{
	if (f->subleaf || f->leaf == 7 || f->leaf == 0xd)
		fprintf(out, "%x.%x %s", f->leaf, f->subleaf, f->reg);
	else
		fprintf(out, "%x %s", f->leaf, f->reg);
}

static bool same_register(const struct feature *a, const struct feature *b)
{
	return a->leaf == b->leaf && a->subleaf == b->subleaf && !strcmp(a->reg, b->reg);
}

static void print_shown(FILE *out)
{
	const struct feature *last = NULL;

	fputs("| register | bits that a guest sees where the host has them |\n|---|---|\n", out);
	for (size_t i = 0; i < ARRAY_COUNT(features); i++) {
		const struct feature *f = &features[i];

		if (f->why)
			continue;
		if (last && same_register(last, f)) {
			fputs(", ", out);
		} else {
			fputs(last ? " |\n| " : "| ", out);
			print_register(out, f);
			fputs(" | ", out);
		}
		fputs(f->name, out);
		if (strcmp(f->needs, "NOTHING") != 0 && strcmp(f->needs, f->name) != 0)
			fprintf(out, " (%s)", f->needs);
		last = f;
	}
	fputs(" |\n", out);
}

/* All that is hidden for the reason that the row is the first to have. */
static void print_hidden(FILE *out)
{
	fputs("| bits that it does not see | why |\n|---|---|\n", out);
	for (size_t i = 0; i < ARRAY_COUNT(features); i++) {
		const char *why = features[i].why, *separator = "| ", *name = "";
		bool told = !why;

		for (size_t k = 0; !told && k < i; k++)
			told = features[k].why && !strcmp(features[k].why, why);
		if (told)
			continue;
		for (size_t k = i; k < ARRAY_COUNT(features); k++) {
			if (!features[k].why || strcmp(features[k].why, why) != 0 ||
			    !strcmp(features[k].name, name))
				continue;
			name = features[k].name;
			fprintf(out, "%s%s", separator, name);
			separator = ", ";
		}
		fprintf(out, " | %s |\n", why);
	}
}

static const char *name_of(uint32_t msr, char buffer[MSR_NAME_MAX])
{
	const char *name = msr_name(msr, buffer);

	return name ? name : "";
}

static void print_range(FILE *out, const struct msr_row *row)
{
	char first[MSR_NAME_MAX], last[MSR_NAME_MAX];
	uint32_t end = row->first + row->count - 1;

	if (row->count == 1)
		fprintf(out, "%x %s", row->first, name_of(row->first, first));
	else if (!*name_of(row->first, first) || !*name_of(end, last))
		fprintf(out, "%x-%x", row->first, end);
	else
		fprintf(out, "%x-%x %s to %s", row->first, end, name_of(row->first, first),
			name_of(end, last));
}

static void print_msrs(FILE *out)
{
	fputs("| MSR | access | offered with | |\n|---|---|---|---|\n", out);
	for (size_t i = 0; i < ARRAY_COUNT(msrs); i++) {
		const struct msr_row *row = &msrs[i];

		if (!row->access)
			continue;
		fputs("| ", out);
		print_range(out, row);
		fprintf(out, " | %s | %s | %s |\n", row->access,
			strcmp(row->with, "always") != 0 ? row->with : "", row->why);
	}
}

static void print_refused(FILE *out)
{
	fputs("| MSRs that are #GP | why |\n|---|---|\n", out);
	for (size_t i = 0; i < ARRAY_COUNT(msrs); i++) {
		const char *separator = "| ", *why = msrs[i].why;
		bool told = msrs[i].access != NULL;

		for (size_t k = 0; !told && k < i; k++)
			told = !msrs[k].access && !strcmp(msrs[k].why, why);
		if (told)
			continue;
		for (size_t k = i; k < ARRAY_COUNT(msrs); k++) {
			if (msrs[k].access || strcmp(msrs[k].why, why) != 0)
				continue;
			fputs(separator, out);
			print_range(out, &msrs[k]);
			separator = ", ";
		}
		fprintf(out, " | %s |\n", why);
	}
}

static void (*const tables[])(FILE *) = {print_leaves, print_shown, print_hidden, print_msrs,
					 print_refused};

static void the_page_has_them(void **state)
{
	static char page[4 * TABLE_MAX], table[TABLE_MAX];
	FILE *file = fopen(PAGE, "r");

	(void)state;
	assert_non_null(file);
	assert_true(fread(page, 1, sizeof(page) - 1, file) > 0);
	fclose(file);
	for (size_t i = 0; i < ARRAY_COUNT(tables); i++) {
		memset(table, 0, sizeof(table));
		file = fmemopen(table, sizeof(table) - 1, "w");
		tables[i](file);
		fclose(file);
		assert_true(strlen(table) < sizeof(table) - 2);
		if (!strstr(page, table))
			fail_msg("table %zu of " PAGE " is out of date; "
				 "build/unit/test_guest_processor --tables prints all",
				 i + 1);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_has_them),
	};

	if (argc > 1 && !strcmp(argv[1], "--tables")) {
		for (size_t i = 0; i < ARRAY_COUNT(tables); i++) {
			tables[i](stdout);
			putchar('\n');
		}
		return 0;
	}
	return cmocka_run_group_tests_name("what a guest sees of the processor", tests, NULL, NULL);
}
