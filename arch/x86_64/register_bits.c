/* SPDX-License-Identifier: BSD-2-Clause */
/* The SDM's names of the bits of CR0 and CR4. */
#include "arch/x86_64/register_bits.h"

#include "arch/x86_64/control_registers.h"
#include "kernel/compiler.h"

/* clang-format off */
static const struct register_bit cr0[] = {
	{CR0_PE, "PE"}, {CR0_MP, "MP"}, {CR0_EM, "EM"}, {CR0_TS, "TS"}, {CR0_ET, "ET"}, {CR0_NE, "NE"},
	{CR0_WP, "WP"}, {CR0_AM, "AM"}, {CR0_NW, "NW"}, {CR0_CD, "CD"}, {CR0_PG, "PG"},
};

static const struct register_bit cr4[] = {
	{CR4_VME,        "VME"},        {CR4_PVI,      "PVI"},      {CR4_TSD,     "TSD"},
	{CR4_DE,         "DE"},         {CR4_PSE,      "PSE"},      {CR4_PAE,     "PAE"},
	{CR4_MCE,        "MCE"},        {CR4_PGE,      "PGE"},      {CR4_PCE,     "PCE"},
	{CR4_OSFXSR,     "OSFXSR"},     {CR4_OSXMMEXCPT, "OSXMMEXCPT"}, {CR4_UMIP, "UMIP"},
	{CR4_LA57,       "LA57"},       {CR4_VMXE,     "VMXE"},     {CR4_SMXE,    "SMXE"},
	{CR4_FSGSBASE,   "FSGSBASE"},   {CR4_PCIDE,    "PCIDE"},    {CR4_OSXSAVE, "OSXSAVE"},
	{CR4_KL,         "KL"},         {CR4_SMEP,     "SMEP"},     {CR4_SMAP,    "SMAP"},
	{CR4_PKE,        "PKE"},        {CR4_CET,      "CET"},      {CR4_PKS,     "PKS"},
	{CR4_UINTR,      "UINTR"},      {CR4_LASS,     "LASS"},     {CR4_LAM_SUP, "LAM_SUP"},
	{CR4_FRED,       "FRED"},
};
/* clang-format on */

const struct register_bits cr0_bits = {"CR0", cr0, ARRAY_COUNT(cr0)};
const struct register_bits cr4_bits = {"CR4", cr4, ARRAY_COUNT(cr4)};
