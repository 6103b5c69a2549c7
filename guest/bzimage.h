/* SPDX-License-Identifier: BSD-2-Clause */
/* Linux bzImages, by the 32-bit boot protocol ("The Linux/x86 Boot Protocol", section "32-bit Boot
 * Protocol"). */
#pragma once

#include <stdbool.h>

#include "guest/image.h"

/* True when the image has the marks of a bzImage: boot flag AA55h and "HdrS". */
bool bzimage_detect(const struct guest_image *image);

CHECKED err_t bzimage_load(struct vm *vm, const struct guest_image *image,
			   struct vcpu_state *state);
