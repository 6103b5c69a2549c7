/* SPDX-License-Identifier: BSD-2-Clause */
/* The diagnostic port 80h with the DMA page registers around it, and the delay port EDh. */
#pragma once

#include "vcpu/bus.h"

#define POST_PORT       0x80
#define POST_PORT_COUNT 16
#define POST_DELAY_PORT 0xed

/* There is no DMA controller: the page registers hold what was written. Register 0 is the POST
 * code. */
struct post {
	uint8_t registers[POST_PORT_COUNT];
	uint8_t delay;
};

CHECKED err_t post_create(struct post *post, struct bus *bus);
void post_reset(struct post *post);

/* The last POST code. */
uint8_t post_code(const struct post *post);
