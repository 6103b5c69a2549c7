/* SPDX-License-Identifier: BSD-2-Clause */
/* Which guests there are: what the modules that the boot loader brought say, or the demo guest. */
#pragma once

#include "guest/image.h"
#include "kernel/command_line.h"
#include "kernel/error.h"
#include "kernel/multiboot2.h"

#define GUESTS_MAX 64u

/* A guest as its modules describe it. They stay where they are, so it can be started again. */
struct guest {
	struct module_options options;
	struct guest_image image;
	err_t err; /* why it cannot run; NULL: it can */
};

/* Fills the list, in the modules' order, and tells of modules that belong to none. How many there
 * are. */
unsigned modules_collect(const struct boot_info *boot, struct guest guests[GUESTS_MAX]);
