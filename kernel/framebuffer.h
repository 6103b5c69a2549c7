/* SPDX-License-Identifier: BSD-2-Clause */
/* A framebuffer that the boot loader set up, as under UEFI, as a surface for kernel/screen.h. */
#pragma once

#include <stdint.h>

#include "kernel/error.h"
#include "kernel/multiboot2.h"

/*
 * Checks that the framebuffer can be drawn on, and tells how many bytes of it need to be mapped.
 * The values come from the boot loader and may be absurd.
 */
CHECKED err_t framebuffer_check(const struct boot_framebuffer *fb, uint64_t *size);

/* Starts the screen on one that was checked, mapped at `memory`. */
void framebuffer_start(const struct boot_framebuffer *fb, void *memory);
