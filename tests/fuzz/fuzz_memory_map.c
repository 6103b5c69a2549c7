/* SPDX-License-Identifier: BSD-2-Clause */
/* Any memory map and any reservations: the result keeps its promises, or there is an error. */
/* UNITS: kernel/memory_map.c tests/fake/log.c tests/fake/error.c */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tests/fake/memory_map_check.h"

#define ENTRY_BYTES       17 /* base, length, type */
#define RESERVATION_BYTES 16
#define RESERVATIONS      4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Four reservations first, then entries as long as there are bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct memory_map map;
	static struct memory_map_entry entries[MEMORY_MAP_ENTRIES_MAX + 1];
	struct memory_reservation reservations[RESERVATIONS] = {0};
	unsigned count = 0;

	if (size < RESERVATIONS * RESERVATION_BYTES)
		return 0;
	for (unsigned i = 0; i < RESERVATIONS; i++) {
		memcpy(&reservations[i].base.raw, data, 8);
		memcpy(&reservations[i].size, data + 8, 8);
		reservations[i].name = "fuzz";
		data += RESERVATION_BYTES;
		size -= RESERVATION_BYTES;
	}
	while (size >= ENTRY_BYTES && count < MEMORY_MAP_ENTRIES_MAX + 1) {
		memcpy(&entries[count].base, data, 8);
		memcpy(&entries[count].length, data + 8, 8);
		entries[count++].type = data[16];
		data += ENTRY_BYTES;
		size -= ENTRY_BYTES;
	}
	if (!memory_map_build(&map, entries, count, reservations, RESERVATIONS, 46))
		check_memory_map(&map, entries, count, reservations, RESERVATIONS);
	else
		MUST(map.region_count == 0 && map.usable_count == 0);
	return 0;
}
