/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a PC has its BIOS and option ROMs: nothing is plugged in, so it reads as ones. */
#pragma once

#include "kernel/error.h"
#include "vcpu/bus.h"

#define ROM_GPA  0xc0000ul
#define ROM_SIZE 0x40000ul

CHECKED err_t rom_create(struct bus *bus);
