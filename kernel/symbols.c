/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the function that an address belongs to. */
#include "kernel/symbols.h"

#include "kernel/format.h"
#include "kernel/layout.h"

/* Bounds that boot/plinth.ld sets; the table is empty in the first link. */
extern const struct symbol_entry symbol_entries_start[], symbol_entries_end[];
extern const char symbol_names_start[], symbol_names_end[];

const char *symbol_name(uint64_t address, uint64_t *offset)
{
	uint64_t start = (uint64_t)kernel_text_start;
	size_t low = 0;
	size_t high = (size_t)(symbol_entries_end - symbol_entries_start);

	if (address < start || address >= (uint64_t)kernel_text_end)
		return NULL;
	address -= start;

	/* All before `low` start at or below the address, all from `high` on above it. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (symbol_entries_start[middle].offset <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return NULL;
	*offset = address - symbol_entries_start[low - 1].offset;
	return symbol_names_start + symbol_entries_start[low - 1].name;
}

const char *symbol_text(uint64_t address, char buffer[SYMBOL_TEXT_MAX])
{
	uint64_t offset;
	const char *name = symbol_name(address, &offset);

	if (name)
		format(buffer, SYMBOL_TEXT_MAX, "0x%016lx %s+0x%lx", address, name, offset);
	else
		format(buffer, SYMBOL_TEXT_MAX, "0x%016lx", address);
	return buffer;
}
