/* SPDX-License-Identifier: BSD-2-Clause */
/* report=vmx: what the processor offers a backend, told instead of running guests. */
#pragma once

#include "kernel/compiler.h"

/* Tells it bit by bit, also on a processor that cannot run guests, and ends with the verdict. */
NORETURN void backend_report(void);
