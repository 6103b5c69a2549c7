/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that some processors have, that ask for a bit of CR0 or CR4, or that find a fault in
 * their operands before they would exit: what the processor does in every mode is what is wanted.
 */
#include "guest/lib/guest.h"
#include "guest/lib/matrix.h"

#define CR4_TSD         0x4
#define CR4_DE          0x8
#define CR4_PCE         0x100
#define CR4_UMIP        0x800
#define CR4_FSGS        0x10000
#define CR4_OSXSAVE     0x40000
#define CR4_SMAP        0x200000
#define CR4_PKE         0x400000
#define MSR_SYSENTER_CS 0x174
#define ABSENT          0x9000000000000000 /* not canonical; beyond 4 GiB elsewhere */
#define AC              0x40000

static void task_switched(struct machine *m, enum place place)
{
	(void)place;
	m->cr0 |= 8;
}

static void emulated(struct machine *m, enum place place)
{
	(void)place;
	m->cr0 |= 4;
}

/* A descriptor of INVPCID: one address of PCID 0, or one with reserved bits. */
static void good_descriptor(struct machine *m, enum place place)
{
	(void)place;
	m->rax = m->rcx;
	*memory64(TEST_DATA) = 0;
	*memory64(TEST_DATA + 8) = TEST_DATA;
}

static void bad_descriptor(struct machine *m, enum place place)
{
	(void)place;
	m->rax = m->rcx;
	*memory64(TEST_DATA) = 1 << 12;
	*memory64(TEST_DATA + 8) = TEST_DATA;
}

/* Not canonical, across a limit, or with a null selector; unreal mode knows no wrong ones. */
static void wrong_address(struct machine *m, enum place place)
{
	if (place == UNREAL)
		return;
	m->rbx = m->rdi = place_bits(place) == 64 ? ABSENT : 0xffff;
	if (place != REAL && place != V86)
		m->ds = m->es = place_cpl(place);
}

static void wrong_word(struct machine *m, enum place place)
{
	*memory16(TEST_DATA) = 0x30; /* which changes nothing where it is read */
	wrong_address(m, place);
}

static void odd_address(struct machine *m, enum place place)
{
	(void)place;
	m->rbx = m->rdi = TEST_DATA + 8;
}

/* clang-format off */
static const struct matrix_row rows[] = {
	{"RDRAND",               BYTES("\x0f\xc7\xf0")},
	{"RDRAND of 16 or 32",   BYTES("\x66\x0f\xc7\xf0")},
	{"REP RDRAND",           BYTES("\xf2\x0f\xc7\xf0")},
	{"LOCK RDRAND",          BYTES("\xf0\x0f\xc7\xf0")},
	{"RDSEED",               BYTES("\x0f\xc7\xf8")},
	{"RDPID",                BYTES("\xf3\x0f\xc7\xf8")},
	{"RDPMC of none",        BYTES("\x0f\x33"), .rcx = 0x12345, .cr4 = CR4_PCE},
	{"LOCK RDTSC",           BYTES("\xf0\x0f\x31")},
	{"LOCK RDTSCP",          BYTES("\xf0\x0f\x01\xf9"), .cr4 = CR4_TSD},
	{"66 RDTSCP",            BYTES("\x66\x0f\x01\xf9")},
	{"LOCK HLT",             BYTES("\xf0\xf4")},
	{"LOCK RDMSR",           BYTES("\xf0\x0f\x32"), .rcx = MSR_SYSENTER_CS},
	{"LOCK WBINVD",          BYTES("\xf0\x0f\x09")},
	{"WBNOINVD",             BYTES("\xf3\x0f\x09")},
	{"LOCK XSETBV",          BYTES("\xf0\x0f\x01\xd1"), .rax = 1, .cr4 = CR4_OSXSAVE},
	{"66 XSETBV",            BYTES("\x66\x0f\x01\xd1"), .rax = 1, .cr4 = CR4_OSXSAVE},
	{"XSETBV of reserved bits", BYTES("\x0f\x01\xd1"), .rax = 1, .rdx = 0x80000000, .cr4 = CR4_OSXSAVE},
	{"XSETBV, AVX without SSE", BYTES("\x0f\x01\xd1"), .rax = 5, .cr4 = CR4_OSXSAVE},
	{"LOCK MOV to CR0",      BYTES("\xf0\x0f\x22\xc0")},
	{"MOV to CR3, no memory", BYTES("\x0f\x22\x18"), .prepare = same_cr3},
	{"LOCK IN",              BYTES("\xf0\xe4\x80")},
	{"LOCK OUT",             BYTES("\xf0\xe6\x80")},
	{"LOCK CLTS",            BYTES("\xf0\x0f\x06")},
	{"LOCK INVLPG",          BYTES("\xf0\x0f\x01\x3f")},
	{"LOCK SGDT",            BYTES("\xf0\x0f\x01\x07")},
	{"SGDT of a register",   BYTES("\x0f\x01\xc0")},
	{"SIDT, wrong address",  BYTES("\x0f\x01\x0f"), .prepare = wrong_address},
	{"LGDT, wrong address",  BYTES("\x0f\x01\x17"), .prepare = wrong_address},
	{"LIDT, wrong address",  BYTES("\x0f\x01\x1f"), .prepare = wrong_address},
	{"INVLPG, wrong address", BYTES("\x0f\x01\x3f"), .prepare = wrong_address},
	{"SMSW, wrong address",  BYTES("\x0f\x01\x27"), .prepare = wrong_address},
	{"INS, wrong address",   BYTES("\x6c"), .rdx = 0x80, .prepare = wrong_address},
	{"LLDT beyond the GDT",  BYTES("\x0f\x00\xd0"), .rax = 0xff8},
	{"LLDT of data",         BYTES("\x0f\x00\xd0"), .rax = SEL_DATA},
	{"LTR beyond the GDT",   BYTES("\x0f\x00\xd8"), .rax = 0xff8},
	{"LTR of data",          BYTES("\x0f\x00\xd8"), .rax = SEL_DATA},
	{"INVPCID 0",            BYTES("\x66\x0f\x38\x82\x07"), .rcx = 0, .prepare = good_descriptor},
	{"INVPCID 1",            BYTES("\x66\x0f\x38\x82\x07"), .rcx = 1, .prepare = good_descriptor},
	{"INVPCID 2",            BYTES("\x66\x0f\x38\x82\x07"), .rcx = 2, .prepare = good_descriptor},
	{"INVPCID 3",            BYTES("\x66\x0f\x38\x82\x07"), .rcx = 3, .prepare = good_descriptor},
	{"INVPCID 4",            BYTES("\x66\x0f\x38\x82\x07"), .rcx = 4, .prepare = good_descriptor},
	{"INVPCID, reserved bits", BYTES("\x66\x0f\x38\x82\x07"), .rcx = 0, .prepare = bad_descriptor},
	{"INVPCID 4, wrong address", BYTES("\x66\x0f\x38\x82\x07"), .rax = 4, .prepare = wrong_address},
	{"INVPCID of a register", BYTES("\x66\x0f\x38\x82\xc0"), .rcx = 4},
	{"LOCK INVPCID",         BYTES("\xf0\x66\x0f\x38\x82\x07"), .rcx = 4},
	{"RDFSBASE",             BYTES("\xf3\x0f\xae\xc0")},
	{"WRGSBASE",             BYTES("\xf3\x0f\xae\xd8")},
	{"CLAC",                 BYTES("\x0f\x01\xca")},
	{"RDPKRU",               BYTES("\x0f\x01\xee")},
	{"XSAVE",                BYTES("\x0f\xae\x27")},
	{"XSAVE with OSXSAVE",   BYTES("\x0f\xae\x27"), .rax = 1, .cr4 = CR4_OSXSAVE},
	{"XSAVE, odd address",   BYTES("\x0f\xae\x27"), .rax = 1, .cr4 = CR4_OSXSAVE, .prepare = odd_address},
	{"XSAVE with TS",        BYTES("\x0f\xae\x27"), .rax = 1, .cr4 = CR4_OSXSAVE, .prepare = task_switched},
	{"XGETBV with TS",       BYTES("\x0f\x01\xd0"), .cr4 = CR4_OSXSAVE, .prepare = task_switched},
	{"XGETBV of 1",          BYTES("\x0f\x01\xd0"), .rcx = 1, .cr4 = CR4_OSXSAVE},
	{"XGETBV of 2",          BYTES("\x0f\x01\xd0"), .rcx = 2, .cr4 = CR4_OSXSAVE},
	{"XSAVEOPT",             BYTES("\x0f\xae\x37"), .rax = 1, .cr4 = CR4_OSXSAVE},
	{"XSAVEC",               BYTES("\x0f\xc7\x27"), .rax = 1, .cr4 = CR4_OSXSAVE},
	{"XSAVES", BYTES("\x0f\xc7\x2f"), .rax = 1, .cr4 = CR4_OSXSAVE},
	{"XRSTORS",              BYTES("\x0f\xc7\x1f"), .rax = 0, .cr4 = CR4_OSXSAVE},
	{"FXSAVE with TS",       BYTES("\x0f\xae\x07"), .prepare = task_switched},
	{"FXSAVE with EM",       BYTES("\x0f\xae\x07"), .prepare = emulated},
	{"FXSAVE, odd address",  BYTES("\x0f\xae\x07"), .prepare = odd_address},
	{"WAIT with TS",         BYTES("\x9b"), .prepare = task_switched},
	{"EMMS with EM",         BYTES("\x0f\x77"), .prepare = emulated},
	{"MOV from DR4 with DE", BYTES("\x0f\x21\xe0"), .cr4 = CR4_DE},
	{"MOV to DR6, upper half", BYTES("\x0f\x23\xf0"), .rax = 0x100000000},
	{"MOV to DR7, upper half", BYTES("\x0f\x23\xf8"), .rax = 0x100000400},
	{"XBEGIN",               BYTES("\xc7\xf8\x00\x00\x00\x00")},
	{"XEND",                 BYTES("\x0f\x01\xd5")},
	{"XTEST",                BYTES("\x0f\x01\xd6")},
	{"CLFLUSH, wrong address", BYTES("\x0f\xae\x3f"), .prepare = wrong_address},
	{"CLWB",                 BYTES("\x66\x0f\xae\x37")},
	{"CLFLUSHOPT",           BYTES("\x66\x0f\xae\x3f")},
	{"PREFETCHW",            BYTES("\x0f\x0d\x0f")},
	{"MOVBE",                BYTES("\x0f\x38\xf0\x07")},
	{"POPCNT",               BYTES("\xf3\x0f\xb8\xc0")},
	{"LZCNT",                BYTES("\xf3\x0f\xbd\xc0"), .rax = 1},
	{"ADCX",                 BYTES("\x66\x0f\x38\xf6\xc0")},
	{"VZEROUPPER",           BYTES("\xc5\xf8\x77")},
	{"ENDBR64",              BYTES("\xf3\x0f\x1e\xfa")},
	{"RDSSP",                BYTES("\xf3\x0f\x1e\xc8")},
	{"MOVDIRI",              BYTES("\x0f\x38\xf9\x07")},
	{"SERIALIZE",            BYTES("\x0f\x01\xe8")},
	{"HRESET",               BYTES("\xf3\x0f\x3a\xf0\xc0\x00")},
	{"UIRET",                BYTES("\xf3\x0f\x01\xec")},
	{"TDCALL",               BYTES("\x66\x0f\x01\xcc")},
	{"SEAMCALL",             BYTES("\x66\x0f\x01\xcf")},
	{"WRMSRNS",              BYTES("\x0f\x01\xc6")},
	{"RDMSRLIST",            BYTES("\xf2\x0f\x01\xc6")},
	{"LOADIWKEY",            BYTES("\xf3\x0f\x38\xdc\xc0")},
	{"PAUSE with TF",        BYTES("\xf3\x90"), .rflags = 0x100},
	{"UD2 with 15 prefixes", BYTES("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x0f\x0b")},
	{"CPUID of 16 bytes",    BYTES("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x0f\xa2")},
	{"CPUID of 15 bytes",    BYTES("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x0f\xa2")},
	{"OUT of 15 bytes",      BYTES("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\xe6\x80")},
	{"LOCK CPUID",           BYTES("\xf0\x0f\xa2"), .rax = 0x80000000},
	{"F2 CPUID",             BYTES("\xf2\x0f\xa2"), .rax = 0x80000000},
	{"F3 66 CPUID",          BYTES("\xf3\x66\x0f\xa2"), .rax = 0x80000000},
	{"67 CPUID",             BYTES("\x67\x0f\xa2"), .rax = 0x80000000},
	{"LOCK PAUSE",           BYTES("\xf0\xf3\x90")},
	{"LOCK INVD",            BYTES("\xf0\x0f\x08")},
	{"F2 INVD",              BYTES("\xf2\x0f\x08")},
	{"66 WBINVD",            BYTES("\x66\x0f\x09")},
	{"LOCK WRMSR",           BYTES("\xf0\x0f\x30"), .rcx = MSR_SYSENTER_CS},
	{"66 RDMSR",             BYTES("\x66\x0f\x32"), .rcx = 0x277},
	{"F3 RDMSR",             BYTES("\xf3\x0f\x32"), .rcx = 0x277},
	{"F2 WRMSR of none",     BYTES("\xf2\x0f\x30"), .rcx = 0x12345},
	{"LOCK RDPMC",           BYTES("\xf0\x0f\x33")},
	{"LOCK MOV to CR3",      BYTES("\xf0\x0f\x22\xd8"), .prepare = same_cr3},
	{"LOCK MOV from CR3",    BYTES("\xf0\x0f\x20\xd8")},
	{"66 MOV to CR3",        BYTES("\x66\x0f\x22\xd8"), .prepare = same_cr3},
	{"F3 MOV from CR3",      BYTES("\xf3\x0f\x20\xd8")},
	{"67 MOV from CR3, mod 0", BYTES("\x67\x0f\x20\x1d")},
	{"LOCK MOV from DR7",    BYTES("\xf0\x0f\x21\xf8")},
	{"LOCK MOV to DR0",      BYTES("\xf0\x0f\x23\xc0")},
	{"66 MOV from DR7",      BYTES("\x66\x0f\x21\xf8")},
	{"LOCK LMSW",            BYTES("\xf0\x0f\x01\xf0"), .rax = 0x30},
	{"LMSW from memory, wrong address", BYTES("\x0f\x01\x37"), .prepare = wrong_word},
	{"F3 IN",                BYTES("\xf3\xe4\x80")},
	{"F2 OUT",               BYTES("\xf2\xee"), .rdx = 0x80},
	{"67 66 IN",             BYTES("\x67\x66\xed"), .rdx = 0x80},
	{"48 IN",                BYTES("\x48\xed"), .rdx = 0x80},
	{"48 CPUID",             BYTES("\x48\x0f\xa2"), .rax = 0x80000000},
	{"LOCK REP OUTS",        BYTES("\xf0\xf3\x6e"), .rdx = 0x80},
	{"LOCK REP INS of none", BYTES("\xf0\xf3\x6c"), .rdx = 0x80},
	{"IN of 16 bytes",       BYTES("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\xe4\x80")},
	{"OUTS of 15 bytes",     BYTES("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x6e"), .rdx = 0x80},
	{"OUTS of 16 bytes",     BYTES("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x6e"), .rdx = 0x80},
	{"HLT of 16 bytes",      BYTES("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\xf4")},
	{"RDMSR of 16 bytes",    BYTES("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x0f\x32"), .rcx = 0x277},
	{"WBINVD of 15 bytes",   BYTES("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x0f\x09")},
};

/* With a bit of CR4 that only some processors have. */
static const struct {
	uint32_t leaf;
	unsigned reg, bit; /* of CPUID: EBX 1, ECX 2 */
	struct matrix_row row;
} optional[] = {
	{7, 1, 0,  {"RDFSBASE, FSGSBASE",  BYTES("\xf3\x0f\xae\xc0"), .cr4 = CR4_FSGS}},
	{7, 1, 0,  {"WRFSBASE, not canonical", BYTES("\xf3\x48\x0f\xae\xd0"), .rax = ABSENT, .cr4 = CR4_FSGS}},
	{7, 2, 3,  {"RDPKRU with PKE",     BYTES("\x0f\x01\xee"), .cr4 = CR4_PKE}},
	{7, 2, 3,  {"RDPKRU, ECX 1",       BYTES("\x0f\x01\xee"), .rcx = 1, .cr4 = CR4_PKE}},
	{7, 2, 2,  {"SGDT with UMIP",      BYTES("\x0f\x01\x07"), .cr4 = CR4_UMIP}},
	{7, 2, 2,  {"SLDT with UMIP",      BYTES("\x0f\x00\xc0"), .cr4 = CR4_UMIP}},
	{7, 2, 2,  {"SMSW with UMIP",      BYTES("\x0f\x01\xe0"), .cr4 = CR4_UMIP}},
	{7, 2, 2,  {"SIDT with UMIP, wrong address", BYTES("\x0f\x01\x0f"), .cr4 = CR4_UMIP, .prepare = wrong_address}},
};
/* clang-format on */

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	(void)boot_magic;
	(void)boot_info;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		matrix_tell(&rows[i]);
	for (unsigned i = 0; i < sizeof(optional) / sizeof(optional[0]); i++) {
		struct cpuid features = cpuid(optional[i].leaf, 0);
		uint32_t reg = optional[i].reg == 1 ? features.ebx : features.ecx;

		if (reg >> optional[i].bit & 1 && cpuid(0, 0).eax >= 7)
			matrix_tell(&optional[i].row);
	}
	return checks_done();
}
