/* SPDX-License-Identifier: BSD-2-Clause */
/* An allocator of physical memory that never uses an address twice. */
#include "tests/fake/physical.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fake/direct_map.h"

#define PIECES_MAX 256
#define START      (16 * MIB)
#define RUBBISH    (4 * MIB) /* bigger pieces are left as they are */

uint64_t fake_physical_used, fake_physical_left;

static struct {
	uint64_t at, size;
} pieces[PIECES_MAX];
static unsigned piece_count;
static uint64_t next;

void fake_physical_reset(void)
{
	fake_ram_reset();
	piece_count = 0;
	next = START;
	fake_physical_used = 0;
	fake_physical_left = 4 * GIB;
}

err_t physical_allocate(uint64_t size, uint64_t align, hpa_t *where)
{
	if (align < PAGE_SIZE)
		align = PAGE_SIZE;
	size = align_up(size, PAGE_SIZE);
	if (size > fake_physical_left || piece_count == PIECES_MAX)
		return "there is no memory left";
	next = align_up(next, align);
	pieces[piece_count].at = next;
	pieces[piece_count++].size = size;
	*where = HPA(next);
	next += size;
	fake_physical_used += size;
	fake_physical_left -= size;
	if (size <= RUBBISH)
		memset(direct_map(*where), 0xcc, size);
	return NULL;
}

void physical_free(hpa_t where, uint64_t size)
{
	size = align_up(size, PAGE_SIZE);
	for (unsigned i = 0; i < piece_count; i++) {
		if (pieces[i].at != where.raw || pieces[i].size != size)
			continue;
		pieces[i] = pieces[--piece_count];
		fake_physical_used -= size;
		fake_physical_left += size;
		return;
	}
	fprintf(stderr, "%#lx bytes at %#lx are not allocated\n", size, where.raw);
	abort();
}
