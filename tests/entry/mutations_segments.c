/* SPDX-License-Identifier: BSD-2-Clause */
/* Mutations of the guest's segment registers. */
#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/vmx.h"
#include "kernel/compiler.h"
#include "tests/entry/mutations.h"

#define DPL_3            (3u << ACCESS_DPL_SHIFT)
#define TYPE(name, type) CLEAR(name##_ACCESS_RIGHTS, ACCESS_TYPE), OR(name##_ACCESS_RIGHTS, (type))

/* clang-format off */

#define V86_ROWS(prefix, segment)                                                                  \
	{BREAKS("v86-" prefix "-base"), IN(V86), EDITS(OR(GUEST_##segment##_BASE, 1))},            \
	{BREAKS("v86-" prefix "-limit"), IN(V86), EDITS(SET(GUEST_##segment##_LIMIT, 0xfffff))},   \
	{BREAKS("v86-" prefix "-rights"), IN(V86), EDITS(CLEAR(GUEST_##segment##_ACCESS_RIGHTS, DPL_3))}

#define RIGHTS_ROWS(prefix, segment)                                                               \
	{BREAKS(prefix "-present"), EDITS(CLEAR(GUEST_##segment##_ACCESS_RIGHTS, ACCESS_P))},      \
	{BREAKS(prefix "-rights-reserved"), EDITS(OR(GUEST_##segment##_ACCESS_RIGHTS, BIT(8)))},   \
	{BREAKS(prefix "-rights-reserved"), EDITS(OR(GUEST_##segment##_ACCESS_RIGHTS, BIT(17)))},  \
	{BREAKS(prefix "-rights-reserved"), EDITS(OR(GUEST_##segment##_ACCESS_RIGHTS, BIT(31)))},  \
	{BREAKS(prefix "-granularity"),                                                            \
	 EDITS(SET(GUEST_##segment##_LIMIT, 0xffffe), OR(GUEST_##segment##_ACCESS_RIGHTS, ACCESS_G))}, \
	{BREAKS(prefix "-granularity"),                                                            \
	 EDITS(SET(GUEST_##segment##_LIMIT, 0x100000), CLEAR(GUEST_##segment##_ACCESS_RIGHTS, ACCESS_G))}, \
	{EDITS(SET(GUEST_##segment##_LIMIT, 0xfff), OR(GUEST_##segment##_ACCESS_RIGHTS, ACCESS_G))}, \
	{EDITS(SET(GUEST_##segment##_LIMIT, 0xfffff), CLEAR(GUEST_##segment##_ACCESS_RIGHTS, ACCESS_G))}

#define CODE_OR_DATA(prefix, segment)                                                              \
	{BREAKS(prefix "-s"), EDITS(CLEAR(GUEST_##segment##_ACCESS_RIGHTS, ACCESS_S))}

#define BASE_UPPER(prefix, segment)                                                                \
	{BREAKS(prefix "-base"), EDITS(OR(GUEST_##segment##_BASE, BIT(32)))}

#define BASE_CANONICAL(prefix, segment)                                                            \
	{BREAKS(prefix "-base"), EDITS(SET(GUEST_##segment##_BASE, NOT_CANONICAL))}

/* Whatever is in it does not count. */
#define UNUSABLE_ROWS(segment)                                                                     \
	{EDITS(SET(GUEST_##segment##_ACCESS_RIGHTS, ACCESS_UNUSABLE), SET(GUEST_##segment##_LIMIT, 0xffffeffe))}, \
	{EDITS(SET(GUEST_##segment##_ACCESS_RIGHTS, ACCESS_UNUSABLE | 0xf00))}

#define DATA_ROWS(prefix, segment)                                                                 \
	{BREAKS(prefix "-accessed"), EDITS(TYPE(GUEST_##segment, 2))},                             \
	{BREAKS(prefix "-readable"), EDITS(TYPE(GUEST_##segment, 9))},                             \
	{EDITS(TYPE(GUEST_##segment, 1))},                                                         \
	CODE_OR_DATA(prefix, segment),                                                             \
	{BREAKS(prefix "-dpl-rpl"), IN(RESTRICTED), EDITS(OR(GUEST_##segment##_SELECTOR, 3))},     \
	{BREAKS(prefix "-dpl-rpl"), IN(RESTRICTED), EDITS(OR(GUEST_##segment##_SELECTOR, 3), TYPE(GUEST_##segment, 11)), \
	 BOCHS(SUCCEEDS, "Bochs leaves type 11 out")},                                             \
	{IN(RESTRICTED), EDITS(OR(GUEST_##segment##_SELECTOR, 3), TYPE(GUEST_##segment, 15))},     \
	{EDITS(OR(GUEST_##segment##_SELECTOR, 3))},                                                \
	UNUSABLE_ROWS(segment),                                                                     \
	RIGHTS_ROWS(prefix, segment)

static const struct entry_mutation rows[] = {
	{BREAKS("tr-ti"), EDITS(OR(GUEST_TR_SELECTOR, 4))},
	{BREAKS("ldtr-ti"), EDITS(OR(GUEST_LDTR_SELECTOR, 4))},
	{EDITS(OR(GUEST_LDTR_SELECTOR, 4), OR(GUEST_LDTR_ACCESS_RIGHTS, ACCESS_UNUSABLE))},
	{BREAKS("ss-rpl", "ss-dpl-rpl"), IN(RESTRICTED), EDITS(OR(GUEST_SS_SELECTOR, 3))},
	{BREAKS("ss-rpl"), IN(RESTRICTED), EDITS(OR(GUEST_CS_SELECTOR, 3))},
	{EDITS(OR(GUEST_CS_SELECTOR, 3)), BOCHS(EXIT_GUEST, BOCHS_CS_RPL)},

	V86_ROWS("cs", CS),
	V86_ROWS("ss", SS),
	V86_ROWS("ds", DS),
	V86_ROWS("es", ES),
	V86_ROWS("fs", FS),
	V86_ROWS("gs", GS),

	BASE_CANONICAL("tr", TR),
	BASE_CANONICAL("fs", FS),
	BASE_CANONICAL("gs", GS),
	BASE_CANONICAL("ldtr", LDTR),
	{BREAKS("fs-base"), EDITS(SET(GUEST_FS_BASE, NOT_CANONICAL), OR(GUEST_FS_ACCESS_RIGHTS, ACCESS_UNUSABLE))},
	{EDITS(SET(GUEST_LDTR_BASE, NOT_CANONICAL), OR(GUEST_LDTR_ACCESS_RIGHTS, ACCESS_UNUSABLE))},
	BASE_UPPER("cs", CS),
	BASE_UPPER("ss", SS),
	BASE_UPPER("ds", DS),
	BASE_UPPER("es", ES),
	{EDITS(OR(GUEST_DS_BASE, BIT(32)), OR(GUEST_DS_ACCESS_RIGHTS, ACCESS_UNUSABLE))},

	{BREAKS("cs-type"), EDITS(TYPE(GUEST_CS, 10))},
	{BREAKS("cs-type"), EDITS(TYPE(GUEST_CS, 7))},
	{BREAKS("cs-type"), IN(RESTRICTED), EDITS(TYPE(GUEST_CS, 3))},
	{EDITS(TYPE(GUEST_CS, 9))},
	{EDITS(TYPE(GUEST_CS, 15))},
	{IN(PROTECTED), EDITS(TYPE(GUEST_CS, 3))},
	CODE_OR_DATA("cs", CS),
	{BREAKS("cs-dpl-data"), IN(PROTECTED), EDITS(TYPE(GUEST_CS, 3), OR(GUEST_CS_ACCESS_RIGHTS, DPL_3))},
	{BREAKS("cs-dpl-equal"), EDITS(OR(GUEST_SS_ACCESS_RIGHTS, DPL_3)), BOCHS(SUCCEEDS, BOCHS_CS_RPL)},
	{BREAKS("cs-dpl-equal"), EDITS(OR(GUEST_CS_ACCESS_RIGHTS, DPL_3))},
	{BREAKS("cs-dpl-equal"), EDITS(OR(GUEST_CS_ACCESS_RIGHTS, DPL_3), OR(GUEST_CS_SELECTOR, 3)), BOCHS(SUCCEEDS, BOCHS_CS_RPL)},
	{EDITS(OR(GUEST_CS_ACCESS_RIGHTS, DPL_3), OR(GUEST_SS_ACCESS_RIGHTS, DPL_3)), BOCHS(EXIT_GUEST, BOCHS_CS_RPL)},
	{BREAKS("cs-dpl-above"), EDITS(TYPE(GUEST_CS, 15), OR(GUEST_CS_ACCESS_RIGHTS, DPL_3))},
	{EDITS(TYPE(GUEST_CS, 15), OR(GUEST_SS_ACCESS_RIGHTS, DPL_3))},
	RIGHTS_ROWS("cs", CS),
	{BREAKS("cs-l-and-db"), EDITS(OR(GUEST_CS_ACCESS_RIGHTS, ACCESS_DB))},
	{IN(PROTECTED), EDITS(OR(GUEST_CS_ACCESS_RIGHTS, ACCESS_L))},

	{BREAKS("ss-type"), EDITS(TYPE(GUEST_SS, 1))},
	{BREAKS("ss-type"), EDITS(TYPE(GUEST_SS, 11))},
	{EDITS(TYPE(GUEST_SS, 7))},
	CODE_OR_DATA("ss", SS),
	{BREAKS("ss-dpl-rpl", "cs-dpl-equal"), IN(RESTRICTED), EDITS(OR(GUEST_SS_ACCESS_RIGHTS, DPL_3))},
	{BREAKS("ss-dpl-rpl"), IN(RESTRICTED), EDITS(OR(GUEST_SS_ACCESS_RIGHTS, DPL_3), OR(GUEST_CS_ACCESS_RIGHTS, DPL_3))},
	{BREAKS("ss-dpl-zero"), IN(REAL), EDITS(OR(GUEST_SS_ACCESS_RIGHTS, DPL_3), OR(GUEST_CS_ACCESS_RIGHTS, DPL_3))},
	{BREAKS("ss-dpl-zero"), IN(PROTECTED), EDITS(OR(GUEST_SS_ACCESS_RIGHTS, DPL_3), TYPE(GUEST_CS, 3))},
	UNUSABLE_ROWS(SS),
	RIGHTS_ROWS("ss", SS),

	DATA_ROWS("ds", DS),
	DATA_ROWS("es", ES),
	DATA_ROWS("fs", FS),
	DATA_ROWS("gs", GS),

	{BREAKS("tr-type"), EDITS(TYPE(GUEST_TR, 9))},
	{BREAKS("tr-type"), EDITS(TYPE(GUEST_TR, 3))},
	{IN(PROTECTED), EDITS(TYPE(GUEST_TR, 3))},
	{BREAKS("tr-type"), IN(PROTECTED), EDITS(TYPE(GUEST_TR, 1))},
	{BREAKS("tr-s"), EDITS(OR(GUEST_TR_ACCESS_RIGHTS, ACCESS_S))},
	RIGHTS_ROWS("tr", TR),
	{BREAKS("tr-unusable"), EDITS(OR(GUEST_TR_ACCESS_RIGHTS, ACCESS_UNUSABLE))},

	{BREAKS("ldtr-type"), EDITS(TYPE(GUEST_LDTR, 3))},
	{BREAKS("ldtr-s"), EDITS(OR(GUEST_LDTR_ACCESS_RIGHTS, ACCESS_S))},
	UNUSABLE_ROWS(LDTR),
	RIGHTS_ROWS("ldtr", LDTR),
};

const struct entry_mutations mutations_segments = {rows, ARRAY_COUNT(rows)};
