/* SPDX-License-Identifier: BSD-2-Clause */
/* Names and classes of exceptions, as tables. */
#include "arch/x86_64/exceptions.h"

static const char *const names[EXCEPTION_COUNT] = {
	[EXCEPTION_DE] = "#DE", [EXCEPTION_DB] = "#DB", [EXCEPTION_NMI] = "NMI",
	[EXCEPTION_BP] = "#BP", [EXCEPTION_OF] = "#OF", [EXCEPTION_BR] = "#BR",
	[EXCEPTION_UD] = "#UD", [EXCEPTION_NM] = "#NM", [EXCEPTION_DF] = "#DF",
	[EXCEPTION_TS] = "#TS", [EXCEPTION_NP] = "#NP", [EXCEPTION_SS] = "#SS",
	[EXCEPTION_GP] = "#GP", [EXCEPTION_PF] = "#PF", [EXCEPTION_MF] = "#MF",
	[EXCEPTION_AC] = "#AC", [EXCEPTION_MC] = "#MC", [EXCEPTION_XM] = "#XM",
	[EXCEPTION_VE] = "#VE", [EXCEPTION_CP] = "#CP",
};

/* Whatever is not named here is benign. */
static const uint8_t classes[EXCEPTION_COUNT] = {
	[EXCEPTION_DE] = EXCEPTION_CONTRIBUTORY, [EXCEPTION_DF] = EXCEPTION_DOUBLE_FAULT,
	[EXCEPTION_TS] = EXCEPTION_CONTRIBUTORY, [EXCEPTION_NP] = EXCEPTION_CONTRIBUTORY,
	[EXCEPTION_SS] = EXCEPTION_CONTRIBUTORY, [EXCEPTION_GP] = EXCEPTION_CONTRIBUTORY,
	[EXCEPTION_PF] = EXCEPTION_PAGE_FAULT,   [EXCEPTION_VE] = EXCEPTION_PAGE_FAULT,
	[EXCEPTION_CP] = EXCEPTION_CONTRIBUTORY,
};

/* Row: the class of the exception under delivery. Column: that of the one met meanwhile. */
static const uint8_t combinations[4][4] = {
	[EXCEPTION_CONTRIBUTORY] = {[EXCEPTION_CONTRIBUTORY] = COMBINE_DOUBLE_FAULT},
	[EXCEPTION_PAGE_FAULT] = { [EXCEPTION_CONTRIBUTORY] = COMBINE_DOUBLE_FAULT,
				    [EXCEPTION_PAGE_FAULT] = COMBINE_DOUBLE_FAULT},
	[EXCEPTION_DOUBLE_FAULT] = {     [EXCEPTION_CONTRIBUTORY] = COMBINE_SHUTDOWN,
				    [EXCEPTION_PAGE_FAULT] = COMBINE_SHUTDOWN,
				    [EXCEPTION_DOUBLE_FAULT] = COMBINE_SHUTDOWN},
};

const char *exception_name(uint8_t vector)
{
	if (vector >= EXCEPTION_COUNT)
		return "interrupt";
	return names[vector] ? names[vector] : "reserved";
}

enum exception_class exception_class(uint8_t vector)
{
	return vector < EXCEPTION_COUNT ? (enum exception_class)classes[vector] : EXCEPTION_BENIGN;
}

enum exception_combination exception_combine(uint8_t first, uint8_t second)
{
	return (enum exception_combination)
		combinations[exception_class(first)][exception_class(second)];
}
