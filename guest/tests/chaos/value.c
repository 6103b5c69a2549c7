/* SPDX-License-Identifier: BSD-2-Clause */
/* Random numbers, and the values that are interesting to a processor and to Plinth. */
#include "guest/lib/guest.h"
#include "guest/tests/chaos/chaos.h"

static KEPT uint64_t state;

KEPT uint64_t cr4_allowed;
KEPT bool comparing;

/* SplitMix64: any state will do, and near ones give numbers that are not. */
uint64_t random_bits(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

void random_start(uint64_t seed, uint64_t burst)
{
	state = seed;
	state = random_bits() ^ burst * 0xd1342543de82ef95ull;
}

uint32_t random_below(uint32_t limit)
{
	return (uint32_t)((random_bits() >> 32) * limit >> 32);
}

bool one_in(uint32_t count)
{
	return random_below(count) == 0;
}

static const struct {
	uint64_t address;
	uint32_t spread;
	uint8_t weight;
	uint8_t bits; /* only where addresses have so many */
	bool quiet;
} areas[] = {
	{TEST_DATA,             4096,     40, 16, true },
	{TEST_DATA + 4090,      12,       8,  16, true },
	{TEST_STACK - 256,      256,      4,  16, true },
	{0xffe0,                48,       4,  16, true },
	{0x7000,                0x1000,   4,  16, true },
	{0xa0000,               0x20000,  6,  32, true },
	{0x9fff8,               16,       2,  32, true },
	{0xbfff8,               16,       2,  32, false},
	{0xc0000,               0x40000,  4,  32, false},
	{RAM_END - 8,           16,       4,  32, false},
	{RAM_END,               0x1000,   6,  32, false},
	{WINDOW,                0x200000, 12, 32, false},
	{WINDOW - 4,            8,        2,  32, false},
	{0xfee00000,            0x400,    6,  32, false},
	{0xfec00000,            0x20,     4,  32, false},
	{0xfffffff0,            32,       2,  32, false},
	{0x100000000ull,        0x2000,   3,  64, false},
	{0x7ffffffffff8ull,     16,       2,  64, false},
	{0x7fffffffe000ull,     0x2000,   1,  64, false},
	{0xffff7ffffffffff8ull, 16,       2,  64, false},
	{0xffffffffc0000000ull, 0x1000,   2,  64, false},
	{0xfffffffffffffff8ull, 16,       2,  64, false},
};

bool place_is_paged(enum place place)
{
	return place != REAL && place != UNREAL && place != PROTECTED16 && place != PROTECTED32;
}

bool confined(enum place place)
{
	return comparing && !place_is_paged(place);
}

uint64_t random_address(unsigned bits, bool quiet)
{
	static KEPT uint8_t by_weight[256];
	static KEPT uint32_t count;

	if (!count)
		for (unsigned i = 0; i < sizeof(areas) / sizeof(areas[0]); i++)
			for (unsigned j = 0; j < areas[i].weight; j++)
				by_weight[count++] = (uint8_t)i;
	for (;;) {
		uint32_t i = by_weight[random_below(count)];

		if (areas[i].bits <= bits && (areas[i].quiet || !quiet))
			return areas[i].address + random_below(areas[i].spread);
	}
}

uint64_t random_value(unsigned bits)
{
	static const uint64_t edges[] = {
		0,
		1,
		2,
		0x7f,
		0x80,
		0xff,
		0x7fff,
		0x8000,
		0xffff,
		0x10000,
		0x7fffffff,
		0x80000000,
		0xffffffff,
		0x100000000ull,
		0x7fffffffffffull,
		0x800000000000ull,
		0xffff800000000000ull,
		0x7fffffffffffffffull,
		0x8000000000000000ull,
		~0ull,
	};

	switch (random_below(8)) {
	case 0:
		return PICK(edges);
	case 1:
		return random_bits();
	case 2:
		return 1ull << random_below(64);
	case 3:
		return random_below(0x100);
	default:
		return random_address(bits, false);
	}
}

uint32_t random_msr(void)
{
	static const uint32_t known[] = {
		0x10,       0x3b,       0x17,       0x8b,       0xe1,       0x174,      0x175,
		0x176,      0x1a0,      0x1d9,      0x277,      0xda0,      0xc0000080, 0xc0000081,
		0xc0000082, 0xc0000083, 0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102, 0xc0000103,
	};
	static const uint32_t others[] = {
		0,          0x1b,       0x3a,       0x48,       0x79,       0x9b,       0xc1,
		0xce,       0xfe,       0x122,      0x179,      0x186,      0x1db,      0x1fc,
		0x200,      0x20f,      0x250,      0x26f,      0x2ff,      0x38f,      0x400,
		0x480,      0x48b,      0x491,      0x492,      0x4ff,      0x560,      0x600,
		0x6a0,      0x6e0,      0x800,      0x808,      0x80b,      0x830,      0x83f,
		0xfff,      0x1000,     0x1fff,     0x2000,     0x40000000, 0x4b564d00, 0xbfffffff,
		0xc0000000, 0xc0000085, 0xc00000e7, 0xc0001fff, 0xc0002000, 0xc0010015, 0xc0010117,
		0xffffffff,
	};

	/* What a guest finds as on the processor, and what neither has. */
	static const uint32_t same[] = {
		0x174,      0x175,      0x176,      0x277,      0xc0000080, 0xc0000081, 0xc0000082,
		0xc0000083, 0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102, 0xc0000103, 0x40000000,
		0x4b564d00, 0xbfffffff, 0xc0000000, 0xc0000085, 0xc0001fff, 0xc0002000, 0xffffffff,
	};

	if (comparing)
		return PICK(same);
	switch (random_below(8)) {
	case 0:
		return PICK(others);
	case 1:
		return (uint32_t)random_bits();
	case 2:
		return random_below(0x1000);
	default:
		return PICK(known);
	}
}

uint64_t random_msr_value(uint32_t msr, enum place place)
{
	uint64_t value = random_value(64);

	if (msr == 0xc0000080) { /* EFER: SCE, LME, LMA, NXE */
		value = place_is_long(place) ? 0xd00 : 0;
		if (one_in(2))
			value |= 1;
		if (one_in(3))
			value ^= 0x800;
		if (one_in(24))
			value ^= 1ull << random_below(64);
	} else if (msr == 0x277 && !one_in(4)) { /* PAT */
		value = 0;
		for (unsigned i = 0; i < 64; i += 8)
			value |= (uint64_t)random_below(one_in(8) ? 9 : 2) << i;
	} else if (msr == 0x1d9 && !one_in(4)) { /* DEBUGCTL */
		value = random_below(4);
	}
	return value;
}

uint16_t random_port(void)
{
	static const uint16_t known[] = {
		0x20,  0x21,  0xa0,  0xa1,  0x40,  0x41,  0x42,  0x43,   0x60,   0x61,
		0x70,  0x71,  0x80,  0xcf8, 0xcfa, 0xcfc, 0xcfd, 0xcff,  0x3f9,  0x3fa,
		0x3fb, 0x3fc, 0x3fd, 0x3fe, 0x3ff, 0x3c0, 0x3c4, 0x3c5,  0x3c8,  0x3c9,
		0x3ce, 0x3cf, 0x3d4, 0x3d5, 0x3da, 0x3b4, 0x3ba, 0x600,  0x608,  0x60a,
		0x4d0, 0x4d1, 0xe9,  0x402, 0x2f8, 0x1f0, 0x278, 0xfffe, 0xffff, 0,
	};
	/* Where a write can end the VM. */
	static const uint16_t ends[] = {0xf4, 0x64, 0x92, 0xcf9, 0x604};

	if (comparing)
		return (uint16_t)((one_in(4) ? 0xfffc : UNCLAIMED) + random_below(4));
	if (one_in(1000))
		return PICK(ends);
	if (one_in(400))
		return 0x3f8; /* the console */
	for (;;) {
		uint16_t port = one_in(10) ? (uint16_t)random_bits() : PICK(known);
		bool is_end = false;

		for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
			is_end |= port >= ends[i] - 3 && port <= ends[i] + 3;
		if (!is_end || port == 0x60 || port == 0x61 || port == 0xcfa || port == 0xcfc)
			return port;
	}
}

uint16_t random_selector(enum place place)
{
	static const uint16_t fixed[] = {
		0,
		SEL_CODE64,
		SEL_DATA,
		SEL_CODE32,
		SEL_CODE16,
		SEL_DATA16,
		SEL_USER_CODE64,
		SEL_USER_DATA,
		SEL_USER_CODE32,
		SEL_USER_CODE16,
		SEL_USER_DATA16,
		SEL_TSS32,
		SEL_TSS64,
	};
	uint16_t selector;

	if (place == REAL || place == UNREAL || place == V86) {
		static const uint16_t paragraphs[] = {0, 0, 0, 0x200, 0x500, 0x7c0};
		static const uint16_t devices[] = {0xa000, 0xb800, 0xc000, 0xf000};

		/* Behind 1 MiB lies this guest. */
		if (place == V86 && one_in(8))
			return 0xffff;
		return one_in(16) && !confined(place) ? PICK(devices) : PICK(paragraphs);
	}
	if (one_in(32) && !confined(place))
		return (uint16_t)random_bits();
	selector = one_in(2) && !confined(place) ? PICK(fixed) : SELECTOR(random_below(16));
	if (one_in(3))
		selector |= (uint16_t)random_below(8);
	else if (place_cpl(place) == 3)
		selector |= 3;
	return selector;
}

static uint64_t random_cr0(enum place place)
{
	static const uint8_t bits[] = {1, 2, 3, 4, 5, 16, 18, 29, 30};
	struct machine normal;
	uint64_t value;

	machine_init(&normal, place);
	value = normal.cr0;
	for (unsigned i = random_below(3); i; i--)
		value ^= 1ull << PICK(bits);
	if (one_in(16))
		value ^= 1ull << random_below(64);
	/* In another mode there are no handlers. */
	if (comparing || !one_in(1000))
		value = (value & ~0x80000001ull) | (normal.cr0 & 0x80000001);
	return value;
}

static uint64_t random_cr4(enum place place)
{
	struct machine normal;
	uint64_t value;

	machine_init(&normal, place);
	value = normal.cr4;
	for (unsigned i = random_below(4); i; i--)
		value ^= cr4_allowed & 1ull << random_below(24) & ~0x20ull;
	if (one_in(10))
		value ^= 1ull << random_below(64);
	if (comparing)
		return value & ~CR4_VIRTUAL;
	if (one_in(1000))
		value ^= 0x20;
	return value;
}

static uint64_t random_cr3(enum place place)
{
	uint64_t value = tables_cr3(place);

	if (one_in(4))
		value |= random_below(place == PAE32 ? 0x20 : 0x1000);
	if (place_is_long(place) && one_in(8))
		value |= 1ull << 63;
	if (one_in(place_cpl(place) == 3 ? 8 : 1000) && !(comparing && place_cpl(place) == 0))
		value = one_in(2) ? tables_any_cr3() : random_value(64);
	return value;
}

uint64_t random_cr(unsigned cr, enum place place)
{
	switch (cr) {
	case 0:
		return random_cr0(place);
	case 3:
		return random_cr3(place);
	case 4:
		return random_cr4(place);
	case 8:
		return random_below(18);
	default:
		return random_value(64);
	}
}

uint64_t random_dr(unsigned dr)
{
	/* A #DB of Bochs clears DR6.BT, but those of processors do not, nor those that Plinth gives
	 * back. */
	if (comparing && dr == 6)
		return 0xffff0ff0 ^ (random_bits() & 0x1600f);
	if (one_in(16))
		return random_value(64);
	if (dr < 4)
		return one_in(2) ? TEST_CODE + random_below(256) : TEST_DATA + random_below(4096);
	if (dr == 7)
		return 0x400 | (random_bits() & (one_in(4) ? 0xffff03ff : 0xffff00ff));
	return 0xffff0ff0 ^ (random_bits() & 0x1e00f);
}

/* TF, and what else an instruction can be run with. NT makes a task switch of IRET. */
uint64_t random_flags(enum place place)
{
	uint64_t flags = 2 | (random_bits() & 0xcd5);

	if (one_in(2))
		flags |= 0x200; /* IF */
	if (one_in(20))
		flags |= 0x100; /* TF */
	if (one_in(2))
		flags |= 0x3000; /* IOPL */
	if (one_in(8))
		flags |= 0x10000; /* RF */
	if (one_in(3))
		flags |= 0x40000; /* AC */
	if (one_in(8))
		flags |= random_bits() & 0x380000; /* VIF, VIP, ID */
	if (one_in(64) && !comparing)
		flags |= 0x4000; /* NT */
	if (place == V86)
		flags |= 0x20000;
	return flags;
}
