/* SPDX-License-Identifier: BSD-2-Clause */
/* The few compiler attributes that the code uses, under readable names. */
#pragma once

#define CHECKED        __attribute__((warn_unused_result))
#define PRINTF(f, a)   __attribute__((format(printf, f, a)))
#define NORETURN       __attribute__((noreturn))
#define PACKED         __attribute__((packed))
#define ALIGNED(n)     __attribute__((aligned(n)))
#define likely(x)      __builtin_expect(!!(x), 1)
#define unlikely(x)    __builtin_expect(!!(x), 0)
#define ARRAY_COUNT(a) (sizeof(a) / sizeof((a)[0]))
