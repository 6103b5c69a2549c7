/* SPDX-License-Identifier: BSD-2-Clause */
/* VGA text mode, 80 by 25, as a surface for kernel/screen.h. */
#pragma once

#define VGA_COLUMNS 80u
#define VGA_ROWS    25u

#define VGA_ADDRESS 0xb8000u /* physical */
#define VGA_SIZE    (2ul * VGA_COLUMNS * VGA_ROWS)

/* Starts the screen on the text memory, which is mapped at `memory`, and hides the cursor. */
void vga_start(void *memory);
