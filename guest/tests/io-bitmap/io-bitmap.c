/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which ports CPL 3 may use: IOPL, the I/O bitmap of the 32-bit and of the 64-bit TSS up to its
 * edges, and the limit of the TSS. The right to a port comes before its exit.
 */
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"

#define IOPL_3     0x3000
#define TSS64_SIZE 104
#define IO_BASE_AT 102
#define ALL        8193 /* bytes of the bitmap, with the one behind it */
#define NOWHERE    0xffff

static struct __attribute__((packed)) {
	uint8_t tss[TSS64_SIZE];
	uint8_t io[ALL];
} tss64;

static const struct row {
	uint16_t port;
	uint8_t size;
	uint16_t first, count; /* the ports that are open; both edges of them matter */
	uint16_t bytes;        /* of the bitmap that the TSS has */
} rows[] = {
	{0x80,   1, 0x80,   1,  ALL    },
        {0x80,   1, 0x81,   8,  ALL    },
	{0x81,   1, 0x80,   1,  ALL    },
        {0x80,   2, 0x80,   1,  ALL    },
	{0x80,   2, 0x80,   2,  ALL    },
        {0x80,   4, 0x80,   3,  ALL    },
	{0x80,   4, 0x80,   4,  ALL    },
        {0x87,   2, 0x87,   1,  ALL    },
	{0x87,   2, 0x88,   1,  ALL    },
        {0x87,   2, 0x87,   2,  ALL    },
	{0x85,   4, 0x85,   3,  ALL    },
        {0x85,   4, 0x86,   3,  ALL    },
	{0x85,   4, 0x85,   4,  ALL    }, /* two bytes of the bitmap are read, whatever the port */
	{0x80,   1, 0x80,   1,  0x12   },
        {0x80,   1, 0x80,   1,  0x11   },
	{0x80,   1, 0x80,   1,  0x10   },
        {0x87,   1, 0x80,   8,  0x11   },
	{0x87,   2, 0x80,   16, 0x12   },
        {0x87,   2, 0x80,   16, 0x11   },
	{0x80,   1, 0x80,   1,  0      },
        {0xffff, 1, 0xffff, 1,  ALL    },
	{0xffff, 1, 0xffff, 1,  ALL - 1},
        {0xffff, 2, 0xffff, 1,  ALL    },
	{0xfffe, 2, 0xfffe, 2,  ALL    },
        {0xfffd, 4, 0xfffd, 3,  ALL    },
	{0xfffc, 4, 0xfffc, 4,  ALL - 1},
};

static void set_descriptor(unsigned selector, uint64_t base, uint32_t limit)
{
	guest_gdt[selector / 8] = (limit & 0xffff) | (base & 0xffffff) << 16 | 0x89ull << 40 |
				  (uint64_t)(limit >> 16) << 48 | base >> 24 << 56;
}

/* The bitmap of the TSS that this place has, with so much of it inside the limit. */
static void set_bitmap(enum place place, const struct row *row, bool nowhere)
{
	bool is_long = place_is_long(place);
	uint8_t *io = is_long ? tss64.io : machine_tss32.io;
	uint32_t before = is_long ? TSS64_SIZE : offsetof(struct machine_tss32, io);

	for (unsigned i = 0; i < ALL; i++)
		io[i] = 0xff;
	for (uint32_t port = row->first; port < row->first + row->count; port++)
		io[port / 8] = (uint8_t)(io[port / 8] & ~(1u << port % 8));
	machine_tss32.io_base = nowhere ? NOWHERE : offsetof(struct machine_tss32, io);
	*memory16((uint64_t)tss64.tss + IO_BASE_AT) = nowhere ? NOWHERE : TSS64_SIZE;
	if (is_long) {
		set_descriptor(SEL_TSS64, (uint64_t)&tss64, before + row->bytes - 1);
		asm volatile("ltr %w0" : : "r"(SEL_TSS64));
	} else {
		set_descriptor(SEL_TSS32, (uint64_t)&machine_tss32, before + row->bytes - 1);
	}
}

static const char *try(enum place place, const struct row *row, bool string, bool out,
		       uint64_t rflags)
{
	static const uint8_t opcodes[2][2] = {
		{0xec, 0xee},
                {0x6c, 0x6e}
        };
	uint8_t code[2] = {0x66, (uint8_t)(opcodes[string][out] | (row->size > 1))};
	bool prefix = row->size == 2 ? place_bits(place) != 16
				     : row->size == 4 && place_bits(place) == 16;
	struct machine m;

	machine_init(&m, place);
	m.rflags |= rflags;
	m.rdx = row->port;
	m.rsi = m.rdi = TEST_DATA;
	return machine_try(&m, code + !prefix, code + 2);
}

/* SDM "I/O Permission Bit Map". */
static bool allowed(enum place place, const struct row *row, bool nowhere, uint64_t rflags)
{
	if (place != V86 && rflags & IOPL_3)
		return true;
	return !nowhere && row->port >= row->first &&
	       row->port + row->size <= row->first + row->count && row->port / 8 + 2 <= row->bytes;
}

static unsigned taken, refused;

/* IN, INS, OUT and OUTS have the same rights. A line for what is not as it should be. */
static void check_rights(enum place place, const struct row *row, bool nowhere, uint64_t rflags)
{
	bool wanted = allowed(place, row, nowhere, rflags);

	set_bitmap(place, row, nowhere);
	for (unsigned i = 0; i < 4; i++) {
		const char *how = try(place, row, i & 1, i & 2, rflags);

		taken += same(how, "done");
		refused += same(how, "#GP(0)");
		if (!same(how, wanted ? "done" : "#GP(0)"))
			check(false, "%s: %u bytes at %x, kind %u, IOPL %u: %s", place_name(place),
			      row->size, row->port, i, (unsigned)(rflags >> 12), how);
	}
}

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	static const enum place places[] = {USER16, USER32, V86, COMPAT_USER32, LONG_USER64};
	uint64_t old;
	struct machine m;

	(void)boot_magic;
	(void)boot_info;
	machine_init(&m, REAL);
	old = guest_gdt[SEL_TSS64 / 8];
	for (unsigned i = 0; i < TSS64_SIZE; i++)
		tss64.tss[i] = *memory8((old >> 16 & 0xffffff) + i);
	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		for (unsigned j = 0; j < sizeof(rows) / sizeof(rows[0]); j++)
			check_rights(places[i], &rows[j], false, 0);
		check_rights(places[i], &rows[0], true, 0);
		check_rights(places[i], &rows[2], false, IOPL_3);
		check_rights(places[i], &rows[2], true, IOPL_3);
		check(taken && refused, "%s: %u accesses taken, %u refused", place_name(places[i]),
		      taken, refused);
		taken = refused = 0;
	}
	return checks_done();
}
