/* SPDX-License-Identifier: BSD-2-Clause */
/* A feature that CPUID shows works, in every mode that it is for; the instructions of one that it
 * does not show are #UD. */
#include "guest/lib/guest.h"
#include "guest/lib/matrix.h"

#define CR4_OSFXSR   (1ull << 9)
#define CR4_FSGSBASE (1ull << 16)
#define CR4_OSXSAVE  (1ull << 18)
#define CR4_PKE      (1ull << 22)

#define NOT_REAL_NOR_V86                                                                           \
	{                                                                                          \
		"#UD", "done", "done", "#UD", "done", "done", "done", "done"                       \
	}
/* Bochs knows these in real and virtual-8086 mode, where the SDM has #UD for VEX. */
#define PROTECTED_MODES                                                                            \
	{                                                                                          \
		NULL, "done", "done", NULL, "done", "done", "done", "done"                         \
	}
#define LONG_MODES(x)                                                                              \
	{                                                                                          \
		NULL, NULL, NULL, NULL, NULL, NULL, "done", x                                      \
	}
#define CPL0_OR_UD                                                                                 \
	{                                                                                          \
		"done", "done", "#UD", "#UD", "done", "#UD", "done", "#UD"                         \
	}

static void set_xcr0(uint64_t value)
{
	write_cr4(read_cr4() | CR4_OSXSAVE);
	asm volatile("xsetbv" : : "a"((uint32_t)value), "d"(0), "c"(0));
	write_cr4(read_cr4() & ~CR4_OSXSAVE);
}

static void avx(struct machine *m, enum place place)
{
	(void)m;
	(void)place;
	set_xcr0(7);
}

static void avx512(struct machine *m, enum place place)
{
	(void)m;
	(void)place;
	set_xcr0(0xe7);
}

static void x87_again(void)
{
	set_xcr0(1);
}

/* For XSAVE's area and INVPCID's descriptor. */
static void clear_data(struct machine *m, enum place place)
{
	(void)m;
	(void)place;
	for (unsigned i = 0; i < 0x400; i++)
		*memory32(TEST_DATA + 4 * i) = 0;
}

/* clang-format off */
static const struct feature {
	uint32_t leaf, subleaf;
	char reg;
	uint8_t bit;
	const char *hidden; /* why Plinth does not show it */
	struct matrix_row row;
} features[] = {
	{1, 0, 'd', 15, 0, {"CMOV",        BYTES("\x0f\x44\xc0"),             .wanted = DONE}},
	{1, 0, 'd', 19, 0, {"CLFLUSH",     BYTES("\x0f\xae\x3f"),             .wanted = DONE}},
	{1, 0, 'd', 25, 0, {"SSE",         BYTES("\x0f\x58\xc0"),             .wanted = DONE, .cr4 = CR4_OSFXSR}},
	{1, 0, 'd', 26, 0, {"SSE2",        BYTES("\x66\x0f\x58\xc0"),         .wanted = DONE, .cr4 = CR4_OSFXSR}},
	{1, 0, 'c', 0,  0, {"SSE3",        BYTES("\xf2\x0f\x7c\xc0"),         .wanted = DONE, .cr4 = CR4_OSFXSR}},
	{1, 0, 'c', 9,  0, {"SSSE3",       BYTES("\x66\x0f\x38\x1c\xc0"),     .wanted = DONE, .cr4 = CR4_OSFXSR}},
	{1, 0, 'c', 19, 0, {"SSE4.1",      BYTES("\x66\x0f\x38\x10\xc0"),     .wanted = DONE, .cr4 = CR4_OSFXSR}},
	{1, 0, 'c', 20, 0, {"SSE4.2",      BYTES("\x66\x0f\x38\x37\xc0"),     .wanted = DONE, .cr4 = CR4_OSFXSR}},
	{1, 0, 'c', 1,  0, {"PCLMULQDQ",   BYTES("\x66\x0f\x3a\x44\xc0\x00"), .wanted = DONE, .cr4 = CR4_OSFXSR}},
	{1, 0, 'c', 25, 0, {"AES",         BYTES("\x66\x0f\x38\xdc\xc0"),     .wanted = DONE, .cr4 = CR4_OSFXSR}},
	{1, 0, 'c', 13, 0, {"CMPXCHG16B",  BYTES("\x48\x0f\xc7\x0f"),         .wanted = LONG_MODES("done")}},
	{1, 0, 'c', 22, 0, {"MOVBE",       BYTES("\x0f\x38\xf0\x07"),         .wanted = DONE}},
	{1, 0, 'c', 23, 0, {"POPCNT",      BYTES("\xf3\x0f\xb8\xc0"),         .wanted = DONE}},
	{1, 0, 'c', 30, 0, {"RDRAND",      BYTES("\x0f\xc7\xf0"),             .wanted = DONE}},
	{1, 0, 'c', 3,  "waiting is HLT's",
	                   {"MONITOR",     BYTES("\x0f\x01\xc8"),             .wanted = CPL0_OR_UD}},
	{1, 0, 'c', 26, 0, {"XSAVE",       BYTES("\x0f\xae\x27"),             .wanted = DONE, .cr4 = CR4_OSXSAVE, .prepare = clear_data}},
	{1, 0, 'c', 26, 0, {"XGETBV",      BYTES("\x0f\x01\xd0"),             .wanted = DONE, .cr4 = CR4_OSXSAVE}},
	{0xd, 1, 'a', 0, 0, {"XSAVEOPT",   BYTES("\x0f\xae\x37"),             .wanted = DONE, .cr4 = CR4_OSXSAVE, .prepare = clear_data}},
	{0xd, 1, 'a', 1, 0, {"XSAVEC",     BYTES("\x0f\xc7\x27"),             .wanted = DONE, .cr4 = CR4_OSXSAVE, .prepare = clear_data}},
	{0xd, 1, 'a', 3, 0, {"XSAVES",     BYTES("\x0f\xc7\x2f"),             .wanted = CPL0_ONLY, .cr4 = CR4_OSXSAVE, .prepare = clear_data}},
	{1, 0, 'c', 28, 0, {"AVX",         BYTES("\xc5\xfc\x58\xc0"),         .wanted = NOT_REAL_NOR_V86, .cr4 = CR4_OSXSAVE | CR4_OSFXSR,
	                    .prepare = avx, .finish = x87_again}},
	{1, 0, 'c', 12, 0, {"FMA",         BYTES("\xc4\xe2\x7d\xb8\xc0"),     .wanted = NOT_REAL_NOR_V86, .cr4 = CR4_OSXSAVE | CR4_OSFXSR,
	                    .prepare = avx, .finish = x87_again}},
	{1, 0, 'c', 29, 0, {"F16C",        BYTES("\xc4\xe2\x7d\x13\xc0"),     .wanted = NOT_REAL_NOR_V86, .cr4 = CR4_OSXSAVE | CR4_OSFXSR,
	                    .prepare = avx, .finish = x87_again}},
	{7, 0, 'b', 5,  0, {"AVX2",        BYTES("\xc5\xfd\xfc\xc0"),         .wanted = NOT_REAL_NOR_V86, .cr4 = CR4_OSXSAVE | CR4_OSFXSR,
	                    .prepare = avx, .finish = x87_again}},
	{7, 0, 'b', 16, 0, {"AVX512F",     BYTES("\x62\xf1\x7c\x48\x58\xc0"), .wanted = NOT_REAL_NOR_V86, .cr4 = CR4_OSXSAVE | CR4_OSFXSR,
	                    .prepare = avx512, .finish = x87_again}},
	{1, 0, 'c', 28, 0, {"AVX, not in XCR0", BYTES("\xc5\xfc\x58\xc0"),    .wanted = UNDEFINED, .cr4 = CR4_OSXSAVE | CR4_OSFXSR}},
	{7, 0, 'b', 3,  0, {"BMI1",        BYTES("\xc4\xe2\x78\xf2\xc0"),     .wanted = PROTECTED_MODES}},
	{7, 0, 'b', 8,  0, {"BMI2",        BYTES("\xc4\xe2\x7b\xf6\xc0"),     .wanted = PROTECTED_MODES}},
	{7, 0, 'b', 0,  0, {"FSGSBASE",    BYTES("\xf3\x0f\xae\xc0"),         .wanted = LONG_ONLY, .cr4 = CR4_FSGSBASE}},
	{7, 0, 'b', 0,  0, {"FSGSBASE, off", BYTES("\xf3\x0f\xae\xc0"),       .wanted = UNDEFINED}},
	{7, 0, 'b', 10, 0, {"INVPCID",     BYTES("\x66\x0f\x38\x82\x07"),     .wanted = CPL0_ONLY, .rax = 2, .prepare = clear_data}},
	{7, 0, 'b', 18, 0, {"RDSEED",      BYTES("\x0f\xc7\xf8"),             .wanted = DONE}},
	{7, 0, 'b', 19, 0, {"ADX",         BYTES("\x66\x0f\x38\xf6\xc0"),     .wanted = DONE}},
	{7, 0, 'b', 20, 0, {"CLAC",        BYTES("\x0f\x01\xca"),             .wanted = CPL0_OR_UD}},
	{7, 0, 'b', 23, 0, {"CLFLUSHOPT",  BYTES("\x66\x0f\xae\x3f"),         .wanted = DONE}},
	{7, 0, 'b', 24, 0, {"CLWB",        BYTES("\x66\x0f\xae\x37"),         .wanted = DONE}},
	{7, 0, 'b', 29, 0, {"SHA",         BYTES("\x0f\x38\xc8\xc0"),         .wanted = DONE, .cr4 = CR4_OSFXSR}},
	{7, 0, 'b', 2,  0, {"SGX",         BYTES("\x0f\x01\xcf"),             .wanted = DONE}},
	{7, 0, 'c', 3,  0, {"PKU",         BYTES("\x0f\x01\xee"),             .wanted = DONE, .cr4 = CR4_PKE}},
	{7, 0, 'c', 5,  0, {"WAITPKG",     BYTES("\x66\x0f\xae\xf1"),         .wanted = DONE}},
	{7, 0, 'c', 8,  0, {"GFNI",        BYTES("\x66\x0f\x38\xcf\xc0"),     .wanted = DONE, .cr4 = CR4_OSFXSR}},
	{7, 0, 'c', 22, 0, {"RDPID",       BYTES("\xf3\x0f\xc7\xf8"),         .wanted = DONE}},
	{7, 0, 'c', 27, 0, {"MOVDIRI",     BYTES("\x0f\x38\xf9\x07"),         .wanted = DONE}},
	{7, 0, 'd', 14, 0, {"SERIALIZE",   BYTES("\x0f\x01\xe8"),             .wanted = DONE}},
	{0x80000001, 0, 'c', 0,  0, {"LAHF", BYTES("\x9f"),                   .wanted = LONG_MODES("done")}},
	{0x80000001, 0, 'd', 27, 0, {"RDTSCP", BYTES("\x0f\x01\xf9"),         .wanted = DONE}},
};
/* clang-format on */

static bool shown(const struct feature *f)
{
	uint32_t range = f->leaf & 0x80000000;
	struct cpuid c;

	if (f->leaf > cpuid(range, 0).eax)
		return false;
	c = cpuid(f->leaf, f->subleaf);
	return (f->reg == 'a'   ? c.eax
		: f->reg == 'b' ? c.ebx
		: f->reg == 'c' ? c.ecx
				: c.edx) >>
		       f->bit &
	       1;
}

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	(void)boot_magic;
	(void)boot_info;
	for (unsigned i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		struct matrix_row row = features[i].row;

		/* Without the feature the bits of CR4 and XCR0 are not there either. */
		if (!shown(&features[i])) {
			row.cr4 &= CR4_OSFXSR;
			row.prepare = NULL;
			row.finish = NULL;
			for (unsigned class = 0; class < PLACE_CLASSES; class ++)
				row.wanted[class] = row.wanted[class] ? "#UD" : NULL;
		}
		matrix_check(&row, features[i].hidden);
	}
	return checks_done();
}
