/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors are sentences: what failed, why, and where it helps what to do. */
#pragma once

#include "kernel/compiler.h"

/*
 * NULL is success; else the text of the error, without a final full stop. A text made by error()
 * lives in a buffer of this CPU and is valid until the second next call of error() there (so one
 * text may be wrapped in another).
 */
typedef const char *err_t;

/* Formats an error text. Never returns NULL. */
err_t error(const char *text, ...) PRINTF(1, 2) CHECKED;
