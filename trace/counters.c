/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of exit counts at the end of a run, and the classes of the trace= option. */
#include "trace/counters.h"

#include <stddef.h>

#include "arch/x86_64/vmx.h"
#include "kernel/log.h"
#include "kernel/string.h"

static const struct trace_class {
	const char *name;
	uint8_t reasons[12];
	uint8_t count;
} trace_classes[] = {
	{"exception", {0},                                      1 },
	{"interrupt", {1, 7, 8},                                3 },
	{"cpuid",     {10},                                     1 },
	{"hlt",       {12, 36, 39, 40, 67, 68},                 6 },
	{"vmcall",    {18},                                     1 },
	{"vmx",       {11, 19, 20, 21, 22, 23, 24, 25, 26, 27}, 10},
	{"cr",        {28},                                     1 },
	{"dr",        {29},                                     1 },
	{"io",        {30},                                     1 },
	{"msr",       {31, 32},                                 2 },
	{"ept",       {48, 49},                                 2 },
	{"timer",     {52},                                     1 },
	{"xsetbv",    {55},                                     1 },
	{"cache",     {13, 54},                                 2 },
	{"fatal",     {2, 3, 4, 5, 6, 9, 33, 34, 41},           9 },
};

static const struct trace_class *find_class(const char *name, size_t length)
{
	for (size_t i = 0; i < ARRAY_COUNT(trace_classes); i++)
		if (strlen(trace_classes[i].name) == length &&
		    strncmp(trace_classes[i].name, name, length) == 0)
			return &trace_classes[i];
	return NULL;
}

static void set_all(struct trace_mask *mask, bool on)
{
	for (unsigned i = 0; i < ARRAY_COUNT(mask->bits); i++)
		mask->bits[i] = on ? ~0ull : 0;
}

err_t trace_mask_parse(const char *text, struct trace_mask *mask)
{
	set_all(mask, false);
	while (*text) {
		const char *comma = strchr(text, ',');
		size_t length = comma ? (size_t)(comma - text) : strlen(text);
		bool leave_out = length > 0 && *text == '-';
		const char *name = text + leave_out;
		size_t name_length = length - leave_out;
		const struct trace_class *class = find_class(name, name_length);

		if (class) {
			for (unsigned i = 0; i < class->count; i++) {
				uint64_t bit = 1ull << class->reasons[i] % 64;

				if (leave_out)
					mask->bits[class->reasons[i] / 64] &= ~bit;
				else
					mask->bits[class->reasons[i] / 64] |= bit;
			}
		} else if (name_length == 3 && strncmp(name, "all", 3) == 0) {
			set_all(mask, !leave_out);
		} else if (name_length == 4 && strncmp(name, "none", 4) == 0) {
			set_all(mask, leave_out);
		} else {
			return error("trace=: there is no class \"%.*s\"; the classes are all, none, "
				     "exception, interrupt, cpuid, hlt, vmcall, vmx, cr, dr, io, msr, "
				     "ept, timer, xsetbv, cache, fatal, and -CLASS leaves one out",
				     (int)(name_length < 40 ? name_length : 40), name);
		}
		text += length + (comma != NULL);
	}
	return NULL;
}

void counters_reset(struct exit_counters *counters)
{
	for (unsigned i = 0; i <= EXIT_REASONS; i++)
		counters->by_reason[i] = (struct exit_counter){.min = ~0ull};
}

uint64_t counters_sum(const struct exit_counters *counters)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < EXIT_REASONS; i++)
		sum += counters->by_reason[i].count;
	return sum;
}

void counters_print(const struct exit_counters *counters, const char *vm_name)
{
	uint64_t count = counters_sum(counters), ticks = 0;
	bool printed[EXIT_REASONS] = {false};

	for (unsigned i = 0; i < EXIT_REASONS; i++)
		ticks += counters->by_reason[i].total;
	if (count == 0) {
		log_vm_line(LOG_ALWAYS, vm_name, "no exits");
		return;
	}
	log_vm_line(LOG_ALWAYS, vm_name, "%-28s %10s %7s %9s %9s %9s", "exits by reason", "count", "share", "min",
	       "mean", "max");
	/* The most frequent first; there are few reasons, so a search for each line will do. */
	for (;;) {
		const struct exit_counter *most;
		unsigned best = EXIT_REASONS;
		uint64_t permille;

		for (unsigned i = 0; i < EXIT_REASONS; i++)
			if (!printed[i] && counters->by_reason[i].count &&
			    (best == EXIT_REASONS ||
			     counters->by_reason[i].count > counters->by_reason[best].count))
				best = i;
		if (best == EXIT_REASONS)
			break;
		printed[best] = true;
		most = &counters->by_reason[best];
		permille = most->count * 1000 / count;
		log_vm_line(LOG_ALWAYS, vm_name, "%-28s %10llu %5llu.%llu%% %9llu %9llu %9llu",
		       vmx_exit_reason_name(best), (unsigned long long)most->count,
		       (unsigned long long)permille / 10, (unsigned long long)permille % 10,
		       (unsigned long long)most->min, (unsigned long long)(most->total / most->count),
		       (unsigned long long)most->max);
	}
	log_vm_line(LOG_ALWAYS, vm_name, "%-28s %10llu  100.0%% %29llu ticks in all", "all", (unsigned long long)count,
	       (unsigned long long)ticks);
}
