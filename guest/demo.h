/* SPDX-License-Identifier: BSD-2-Clause */
/* The demo guest, which Plinth carries in itself and runs when GRUB brings no module. */
#pragma once

#include <stdint.h>

/* A Multiboot 1 image. */
extern const uint8_t demo_image[], demo_image_end[];

static inline uint64_t demo_image_size(void)
{
	return (uint64_t)(demo_image_end - demo_image);
}
