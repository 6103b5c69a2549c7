/* SPDX-License-Identifier: BSD-2-Clause */
/* The world around the devices for their tests: a clock that stands until it is moved, a console, a
 * VM. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "arch/x86_64/instructions.h"
#include "kernel/console.h"
#include "vcpu/vm.h"

/* Sets everything up anew: an empty bus in fake_vm, time 0 at 1 GHz, a console with nothing typed.
 */
void fake_devices_reset(void);

extern struct vm fake_vm; /* its end is what vm_stop was told first */
extern struct console_stream fake_console;

/* The TSC moves on by so many nanoseconds, whatever its frequency is. */
extern uint64_t fake_tsc_hz;
#define fake_tsc fake_machine.tsc
void fake_time_pass(uint64_t ns);

/* A step of the TSC at each look at it, so that a program that waits comes to an end. */
#define fake_tsc_step fake_machine.tsc_step

/* What was written to the console, and what is typed there. */
extern char fake_output[4096];
extern size_t fake_output_size;
void fake_type(const char *text);

/* As the guest does it. */
uint8_t fake_in8(uint16_t port);
uint16_t fake_in16(uint16_t port);
uint32_t fake_in32(uint16_t port);
void fake_out8(uint16_t port, uint8_t value);
void fake_out16(uint16_t port, uint16_t value);
void fake_out32(uint16_t port, uint32_t value);
