/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors and page tables. Under paging the guest's own code and data are read-only, so that
 * most of what random code does leaves it alone; a window is mapped anew for each burst, to
 * anything.
 */
#include "guest/lib/guest.h"
#include "guest/tests/chaos/chaos.h"

#define P   1ull
#define W   2ull
#define U   4ull
#define PS  0x80ull
#define NX  (1ull << 63)
#define ALL (P | W | U)

#define PDPTE_RESERVED 0xffff8000000001e6ull

#define IMAGE     0x100000ull
#define MEBIBYTES 2 /* of page tables for low memory, 2 MiB each */

#define ALIGNED __attribute__((aligned(4096)))
static ALIGNED uint64_t level4[512], level3[512], pae_pointers[512], low2[512], window2[512],
	high2[512], low1[MEBIBYTES][512], window1[512];
static ALIGNED uint32_t directory[1024], low32[1024], window32[1024];

extern const uint8_t guest_image_end[];

static uint64_t address_of(const volatile void *object)
{
	return (uint64_t)object;
}

/* What a page of the first 4 MiB may be used for. */
static uint64_t low_rights(uint64_t page)
{
	if (page == MACHINE || page == (M_SKIP_LOG & ~0xfffull))
		return P | W;
	if (comparing && page == 0) /* where the firmware finds its way back to the starter */
		return P | U;
	if (comparing && page >= COMPARED_END && page < IMAGE)
		return 0;
	if (page >= LOW_BASE && page < MACHINE)
		return P;
	if (page < IMAGE)
		return ALL;
	/* The GDT is written to on the way to a place, and stacks. */
	if (page == (address_of(guest_gdt) & ~0xfffull) || page == address_of(machine_trap_stack) ||
	    page == address_of(machine_hub_stack))
		return P | W;
	return page < address_of(guest_image_end) ? P : P | W;
}

static void make_low(void)
{
	for (unsigned i = 0; i < 1024; i++) {
		uint64_t page = (uint64_t)i << 12, entry = page | low_rights(page) | 0x60;

		low1[i / 512][i % 512] = entry;
		low32[i] = (uint32_t)entry;
	}
}

void tables_start(void)
{
	/* Bursts begin and end in the guest's own page tables, with SMEP and SMAP in any state. */
	directories[0] &= ~U;
	directories[1] &= ~U;
	write_cr3(read_cr3());
	make_low();
	for (unsigned i = 0; i < MEBIBYTES; i++)
		low2[i] = address_of(low1[i]) | ALL;
	/* Behind RAM, and where the APICs are on a PC. */
	if (!comparing) {
		low2[RAM_END >> 21] = RAM_END | ALL | PS | NX;
		high2[0x1f6] = 0xfec00000 | ALL | PS | NX;
		high2[0x1f7] = 0xfee00000 | ALL | PS | NX;
		directory[1] = (uint32_t)(RAM_END | ALL | PS);
		directory[0x3fb] = (uint32_t)(0xfec00000 | ALL | PS);
	}

	window2[0] = address_of(window1) | ALL;
	level3[0] = address_of(low2) | ALL;
	level3[1] = address_of(window2) | ALL;
	level3[3] = address_of(high2) | ALL;
	level3[511] = address_of(window2) | ALL;
	level4[0] = level4[511] = address_of(level3) | ALL;
	for (unsigned i = 0; i < 4; i++)
		pae_pointers[i] = level3[i] & ~PDPTE_RESERVED;
	directory[0] = (uint32_t)(address_of(low32) | ALL);
	directory[WINDOW >> 22] = (uint32_t)(address_of(window32) | ALL);
}

/* As tables_start() left them, also what the processor marked. */
void tables_clear(void)
{
	make_low();
	for (unsigned i = 0; i < 512; i++) {
		window1[i] = 0;
		window2[i] = i ? 0 : address_of(window1) | ALL;
		if (i > 3 && i < 511)
			level3[i] = 0;
		if (i > 0 && i < 511)
			level4[i] = 0;
	}
	for (unsigned i = 0; i < 1024; i++) {
		window32[i] = 0;
		if (i > WINDOW >> 22)
			directory[i] = 0;
	}
	for (unsigned i = 0; i < sizeof(machine_tss32.io); i++)
		machine_tss32.io[i] = 0xff;
	for (unsigned i = 0; i < sizeof(machine_tss32.redirection); i++)
		machine_tss32.redirection[i] = 0xff;
}

static uint64_t random_frame(bool wide)
{
	static const uint64_t frames[] = {
		0x5000,     0x6000,     0x5000,     0x6000,     0xa0000,
		0xb8000,    0xc0000,    0xf0000,    0x3ff000,   0x400000,
		0x80000000, 0xd0000000, 0xfec00000, 0xfee00000, 0xfffff000,
	};
	static const uint64_t wide_frames[] = {
		0x100000000ull,     0x7ffffff000ull,    0x8000000000ull,
		0x3fffffffff000ull, 0xffffffffff000ull,
	};

	if (comparing)
		return wide && one_in(10) ? wide_frames[3 + random_below(2)]
					  : frames[random_below(2)];
	return wide && one_in(10) ? PICK(wide_frames) : PICK(frames);
}

static uint64_t random_entry(bool wide)
{
	uint64_t entry = random_frame(wide) | P | (random_bits() & 0xfe);

	entry |= one_in(4) ? 0 : W | U;
	if (one_in(8))
		entry |= random_bits() & 0x100; /* G */
	if (one_in(8))
		entry &= ~P;
	if (wide && ((entry & 0xfffffffff000) >= 0xa0000 ? !one_in(50) : one_in(4)))
		entry |= NX;
	else if (!wide && (entry & 0xfffff000) >= 0xc0000 && !one_in(4))
		entry &= ~P;
	if (wide && one_in(32)) {
		unsigned bit = random_below(64);

		if (!comparing || bit < 12 || bit >= 40)
			entry ^= 1ull << bit;
	}
	return entry;
}

/* Of the upper levels: a large page when comparing, whose address has reserved bits set. */
static void shuffle_levels(void)
{
	if (comparing) {
		window2[1 + random_below(511)] = random_entry(true) | PS;
		level3[4 + random_below(507)] = random_entry(true) | PS;
		level4[1 + random_below(510)] = random_entry(true) | PS;
		return;
	}
	window2[1 + random_below(511)] = (random_entry(true) & ~0x1fe000ull) | PS;
	level3[4 + random_below(507)] = random_entry(true) | (one_in(2) ? PS : 0);
	level4[1 + random_below(510)] = random_entry(true);
	directory[0x101 + random_below(64)] = (uint32_t)random_entry(false);
	pae_pointers[2] =
		one_in(64) ? random_entry(true) & ~PDPTE_RESERVED : level3[1] & ~PDPTE_RESERVED;
}

static void shuffle_pages(void)
{
	static const uint32_t good = 0x5000 | 7;

	for (unsigned i = 0; i < 8; i++) {
		window1[random_below(512)] = random_entry(true);
		window32[random_below(1024)] = (uint32_t)random_entry(false);
	}
	window1[0] = window32[0] = good;
	shuffle_levels();
}

/* --- Descriptors --- */

static void set(unsigned slot, uint64_t descriptor)
{
	guest_gdt[SEL_TEST / 8 + slot % 16] = descriptor;
}

static uint64_t gate(uint64_t offset, uint16_t selector, uint32_t access)
{
	return (offset & 0xffff) | (uint64_t)selector << 16 | (uint64_t)access << 32 |
	       (offset >> 16 & 0xffff) << 48;
}

static uint32_t random_base(void)
{
	static const uint32_t bases[] = {0,          0,          0,         0x5000,
					 0x5ff0,     0xa0000,    0x3ff000,  0x400000,
					 0x40000000, 0xfee00000, 0xfffff000};

	return PICK(bases);
}

/* Limits that keep code without paging from this guest, mostly. */
static uint32_t random_limit(void)
{
	static const uint32_t limits[] = {0, 1, 0xff, 0xfff, 0x1000, 0xffff, 0xfffff};

	return PICK(limits);
}

static uint32_t dpl(void)
{
	return random_below(4) << 5;
}

static uint32_t big(void)
{
	return (one_in(2) ? ACCESS_BIG : 0) | (one_in(8) ? ACCESS_4K : 0);
}

/* No segment reaches further than 64 KiB. */
static void confine_descriptors(void)
{
	static const uint8_t slots[] = {2, 3, 5, 6, 13, 15};

	for (unsigned i = 0; i < sizeof(slots); i++) {
		uint64_t *descriptor = &guest_gdt[SEL_TEST / 8 + slots[i]];
		bool down = (*descriptor >> 42 & 3) == 1;

		*descriptor &= ~(0xff8f0000ff000000 | (down ? 1ull << 54 : 0));
	}
	set(7, 0);
	set(14, 0);
}

static void shuffle_descriptors(enum place place)
{
	uint32_t user = place_cpl(place) == 3 ? ACCESS_USER : 0, bits = 0;

	if (place_bits(place) == 64)
		bits = ACCESS_L;
	else if (place_bits(place) == 32)
		bits = ACCESS_BIG;
	descriptor_set(SLOT_CODE, 0, 0xffff, ACCESS_CODE | user | bits);
	descriptor_set(SLOT_DATA, 0, 0xffff, ACCESS_DATA | ACCESS_USER | (big() & ACCESS_BIG));
	descriptor_set(2, random_base(), random_limit(), 0x97 | dpl() | big());
	descriptor_set(3, random_base(), random_limit(), 0x91 | dpl() | big());
	descriptor_set(4, 0, 0xffff, 0x9f | dpl() | bits);
	descriptor_set(5, random_base(), random_limit(), 0x99 | dpl() | big());
	descriptor_set(6, random_base(), random_limit(), (uint32_t)random_below(32) | dpl());
	descriptor_set(7, TEST_DATA, 0xff, 0x82); /* LDT */
	set(8, 0);
	set(9, gate(LANDING + random_below(16),
		    PICK(((const uint16_t[]){SEL_CODE32, SEL_CODE16, SEL_CODE64})),
		    0x8c00 | ACCESS_USER << 8 | random_below(4)));
	set(10, gate(LANDING + random_below(16), SEL_CODE64, 0x8c00 | ACCESS_USER << 8));
	set(11, 0);
	descriptor_set(12, TEST_DATA, 0x67, 0x81u + 8 * random_below(2));
	descriptor_set(13, random_base(), random_limit(), ACCESS_DATA | ACCESS_USER | big());
	set(14, random_bits());
	descriptor_set(15, 0, 0xfffff, ACCESS_DATA | dpl() | big());
	/* Far transfers to a TSS or task gate are task switches, which end the VM. */
	if (comparing || !one_in(50))
		descriptor_set(12, TEST_DATA, 0x67, 0x8b);
	if ((guest_gdt[SEL_TEST / 8 + 14] >> 40 & 0x1f) < 10)
		set(14, guest_gdt[SEL_TEST / 8 + 14] | 1ull << 44);
	if (confined(place))
		confine_descriptors();
}

/* Code and stack, so that they can be used with SMEP and SMAP on. */
static void set_owner(bool user)
{
	for (unsigned i = TEST_CODE >> 12; i < TEST_STACK >> 12; i++) {
		uint64_t entry = (uint64_t)i << 12 | P | W | (user ? U : 0) | 0x60;

		low1[0][i] = entry;
		low32[i] = (uint32_t)entry;
	}
}

void tables_shuffle(enum place place)
{
	shuffle_pages();
	set_owner(place_cpl(place) == 3);
	shuffle_descriptors(place);
	/* The I/O bitmap, and that of software interrupts in virtual-8086 mode. */
	for (unsigned i = 0; i < 4; i++) {
		machine_tss32.io[random_below(0x100)] = (uint8_t)(one_in(2) ? 0 : random_bits());
		machine_tss32.redirection[random_below(32)] = (uint8_t)random_bits();
	}
}

uint64_t tables_cr3(enum place place)
{
	if (place_is_long(place))
		return address_of(level4);
	if (place == PAE32)
		return address_of(pae_pointers);
	return address_of(directory);
}

uint64_t tables_any_cr3(void)
{
	static const void *const tables[] = {level4, level3, pae_pointers, directory, window1};

	return address_of(PICK(tables));
}
