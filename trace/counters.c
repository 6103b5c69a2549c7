/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of exit counts and costs at the end of a run. */
#include "trace/counters.h"

#include <stdbool.h>
#include <stddef.h>

#include "arch/x86_64/vmx.h"
#include "kernel/compiler.h"
#include "kernel/format.h"
#include "kernel/log.h"
#include "kernel/string.h"

#define U(x) ((unsigned long long)(x))

void counters_reset(struct exit_counters *counters)
{
	memset(counters, 0, sizeof(*counters));
	for (unsigned i = 0; i <= EXIT_REASONS; i++)
		counters->by_reason[i].min = ~0ull;
}

uint64_t counter_count(const struct exit_counter *counter)
{
	uint64_t sum = 0;

	if (counter->max == 0 && counter->min != 0)
		return 0;
	for (unsigned i = COUNTER_LEAST; i < COUNTER_BUCKETS; i++)
		sum += counter->buckets[i];
	return sum;
}

uint64_t counters_sum(const struct exit_counters *counters)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < EXIT_REASONS; i++)
		sum += counter_count(&counters->by_reason[i]);
	return sum;
}

/* --- The table: a line a reason, the most frequent first, with a chart of its buckets. --- */

/* One line; the last of all adds the others up. */
struct row {
	const char *name;
	uint64_t count;
	const struct exit_counter *costs;
};

/* What the lines have in common. */
struct table {
	const char *vm_name;
	struct row rows[EXIT_REASONS + 1];
	unsigned row_count; /* the sum's is one more */
	struct exit_counter sum;
	unsigned first, last; /* of the buckets in use */
	int name_width, count_width, min_width, mean_width, max_width;
};

static void add_up(struct exit_counter *sum, const struct exit_counter *costs)
{
	sum->total += costs->total;
	if (costs->min < sum->min)
		sum->min = costs->min;
	if (costs->max > sum->max)
		sum->max = costs->max;
	for (unsigned i = COUNTER_LEAST; i < COUNTER_BUCKETS; i++)
		sum->buckets[i] += costs->buckets[i];
}

/* The rows in order: few, so that each is simply moved to its place. */
static void collect(const struct exit_counters *counters, struct table *table)
{
	struct row sum = {.name = "all", .costs = &table->sum};

	table->sum.min = ~0ull;
	for (unsigned i = 0; i < EXIT_REASONS; i++) {
		struct row row = {
			.name = vmx_exit_reason_name(i),
			.count = counter_count(&counters->by_reason[i]),
			.costs = &counters->by_reason[i],
		};
		unsigned at = table->row_count;

		if (!row.count)
			continue;
		for (; at > 0 && table->rows[at - 1].count < row.count; at--)
			table->rows[at] = table->rows[at - 1];
		table->rows[at] = row;
		table->row_count++;
		sum.count += row.count;
		add_up(&table->sum, row.costs);
	}
	table->rows[table->row_count] = sum;
}

static uint64_t mean(const struct row *row)
{
	return row->costs->total / row->count;
}

static void widen(int *width, size_t length)
{
	if (*width < (int)length)
		*width = (int)length;
}

static void widen_for(int *width, uint64_t number)
{
	widen(width, format(NULL, 0, "%llu", U(number)));
}

static void measure(struct table *table)
{
	const struct row *sum = &table->rows[table->row_count];

	table->name_width = sizeof("exits by reason") - 1;
	table->count_width = sizeof("count") - 1;
	table->min_width = sizeof("min") - 1;
	table->mean_width = sizeof("mean") - 1;
	table->max_width = sizeof("max") - 1;
	for (unsigned i = 0; i <= table->row_count; i++) {
		const struct row *row = &table->rows[i];

		widen(&table->name_width, strlen(row->name));
		widen_for(&table->count_width, row->count);
		widen_for(&table->min_width, row->costs->min);
		widen_for(&table->mean_width, mean(row));
		widen_for(&table->max_width, row->costs->max);
	}
	table->first = COUNTER_LEAST;
	while (!sum->costs->buckets[table->first])
		table->first++;
	table->last = COUNTER_BUCKETS - 1;
	while (!sum->costs->buckets[table->last])
		table->last--;
}

#define CHART_MAX  (2 * COUNTER_BUCKETS + 8)
#define CHART_WIDE 20 /* with more buckets than this, one has one character instead of two */

static size_t cell_width(const struct table *table)
{
	return table->last - table->first < CHART_WIDE ? 2 : 1;
}

/* In tenths of a percent. Sums that have wrapped, after a TSC that jumped, must not stop the host.
 */
static uint64_t permille(uint64_t part, uint64_t whole)
{
	if (part > ~0ull / 1000)
		return whole < 1000 ? 0 : part / (whole / 1000);
	return whole ? part * 1000 / whole : 0;
}

/* A bucket as a character: the more ink, the larger its share of the row. None is blank but an
 * empty one. */
static char ink(uint64_t count, uint64_t of)
{
	static const char inks[] = ".:-=+*#%@";
	uint64_t steps = sizeof(inks) - 1, step = permille(count, of) * steps / 1000;

	if (!count)
		return ' ';
	return inks[step < steps ? step : steps - 1];
}

static const char *chart(const struct table *table, const struct row *row, char text[CHART_MAX])
{
	size_t width = cell_width(table), at = 0;

	for (unsigned i = table->first; i <= table->last; i++, at += width)
		memset(text + at, ink(row->costs->buckets[i], row->count), width);
	text[at] = '\0';
	return text;
}

/* 2^n ticks in at most four characters: 16, 512, 1k, 64k, 1M. */
static size_t power(unsigned n, char *text, size_t size)
{
	static const char units[] = " kMGTPE";

	return format(text, size, n < 10 ? "%u" : "%u%c", 1u << n % 10, units[n / 10]);
}

/* The scale above the charts: where a label stands, its bucket begins. A blank is left between
 * labels. */
static const char *scale(const struct table *table, char text[CHART_MAX])
{
	size_t width = cell_width(table), end = width * (table->last - table->first + 1),
	       free_from = 0;

	memset(text, ' ', CHART_MAX);
	for (unsigned i = table->first; i <= table->last; i++) {
		size_t at = width * (i - table->first), length;
		char label[8];

		if (at < free_from)
			continue;
		length = power(i, label, sizeof(label));
		if (at + length > CHART_MAX - 1)
			break;
		memcpy(text + at, label, length);
		free_from = at + length + 1;
		if (at + length > end)
			end = at + length;
	}
	text[end] = '\0';
	return text;
}

static void print_row(const struct table *table, const struct row *row)
{
	const struct row *sum = &table->rows[table->row_count];
	uint64_t share = permille(row->count, sum->count);
	uint64_t time = permille(row->costs->total, sum->costs->total);
	char text[CHART_MAX];

	log_vm_line(LOG_ALWAYS, table->vm_name,
		    "%-*s %*llu %3llu.%llu%% %3llu.%llu%% %*llu %*llu %*llu  |%s|",
		    table->name_width, row->name, table->count_width, U(row->count), U(share / 10),
		    U(share % 10), U(time / 10), U(time % 10), table->min_width, U(row->costs->min),
		    table->mean_width, U(mean(row)), table->max_width, U(row->costs->max),
		    chart(table, row, text));
}

void counters_print(const struct exit_counters *counters, const char *vm_name)
{
	struct table table = {.vm_name = vm_name};
	char text[CHART_MAX];

	collect(counters, &table);
	if (table.row_count == 0) {
		log_vm_line(LOG_ALWAYS, vm_name, "no exits");
		return;
	}
	measure(&table);
	log_vm_line(LOG_ALWAYS, vm_name, "%-*s %*s  share   time %*s %*s %*s   %s ticks",
		    table.name_width, "exits by reason", table.count_width, "count",
		    table.min_width, "min", table.mean_width, "mean", table.max_width, "max",
		    scale(&table, text));
	for (unsigned i = 0; i <= table.row_count; i++)
		print_row(&table, &table.rows[i]);
	log_vm_line(LOG_ALWAYS, vm_name,
		    "%llu ticks in all; the charts show how the exits' costs spread, one column a "
		    "power of two",
		    U(table.rows[table.row_count].costs->total));
}
