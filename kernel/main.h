/* SPDX-License-Identifier: BSD-2-Clause */
/* Where boot/entry.S hands over to C. */
#pragma once

#include <stdint.h>

#include "kernel/compiler.h"

/* Called in long mode on the boot stack, with what the boot loader left in EAX and EBX. */
NORETURN void kernel_main(uint32_t magic, uint32_t information);
