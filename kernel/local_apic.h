/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC of the processor that executes this, in xAPIC or x2APIC mode. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/error.h"

/*
 * Switches the first processor's local APIC on, with VECTOR_SPURIOUS and its own interrupt sources
 * masked, in the mode in which the firmware left it. Maps its registers, so it needs the address
 * space. An error: there is none that can be used.
 */
CHECKED err_t local_apic_start(void);

/* The same for each other processor, in the same mode. */
CHECKED err_t local_apic_join(void);

/* What the first one found. */
bool local_apic_is_started(void);
bool local_apic_is_x2(void);

/* Registers by their offset in the page (SDM "Local APIC Register Address Map"). */
#define APIC_ID            0x020
#define APIC_VERSION       0x030
#define APIC_TPR           0x080
#define APIC_EOI           0x0b0
#define APIC_SVR           0x0f0
#define APIC_ISR           0x100 /* 8 registers, 16 bytes apart */
#define APIC_ICR           0x300
#define APIC_ICR_HIGH      0x310
#define APIC_LVT_TIMER     0x320
#define APIC_LVT_THERMAL   0x330
#define APIC_LVT_PMI       0x340
#define APIC_LVT_LINT0     0x350
#define APIC_LVT_ERROR     0x370
#define APIC_INITIAL_COUNT 0x380
#define APIC_CURRENT_COUNT 0x390
#define APIC_DIVIDE        0x3e0

#define APIC_LVT_MASKED BIT32(16)

uint32_t local_apic_read(uint32_t offset);
void local_apic_write(uint32_t offset, uint32_t value);

/* The ID of this processor's. */
uint32_t local_apic_id(void);

/* True when the vector is being served (SDM "Interrupt Acceptance for Fixed Interrupts"). */
bool local_apic_in_service(unsigned vector);

/* Kinds of inter-processor interrupts, for the low half of the interrupt command register. */
#define IPI_FIXED   0x0000u /* | vector */
#define IPI_NMI     0x0400u
#define IPI_INIT    0x4500u
#define IPI_STARTUP 0x4600u /* | page number */

/*
 * Sends one to the processor with this APIC ID. What was stored before is seen by whoever receives
 * it. False: the APIC did not get rid of it.
 */
bool local_apic_send(uint32_t apic_id, uint32_t command);
