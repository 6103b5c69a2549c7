/* SPDX-License-Identifier: BSD-2-Clause */
/* The interrupt controllers of the host: PICs masked for good, the local APIC on. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/error.h"

/* Moves the two 8259A PICs' vectors to VECTOR_PIC, away from the exceptions, and masks all their
 * inputs. */
void pics_mask(void);

/*
 * Switches this processor's local APIC on, with VECTOR_SPURIOUS and its own interrupt sources
 * masked. Maps its registers the first time, so it needs the address space. An error: there is none
 * that can be used.
 */
CHECKED err_t local_apic_start(void);

/* Registers of the local APIC by their offset in the page (SDM "Local APIC Register Address Map").
 */
uint32_t local_apic_read(uint32_t offset);
void local_apic_write(uint32_t offset, uint32_t value);

/* True when the vector was never requested, so that no end of interrupt is due (the APIC's spurious
 * vector, or a PIC's). */
bool interrupt_is_spurious(unsigned vector);

/* The end of interrupt for a vector that was taken. */
void interrupt_end(unsigned vector);
