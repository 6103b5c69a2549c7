/* SPDX-License-Identifier: BSD-2-Clause */
/* The interrupt controllers of the host: PICs masked for good, the local APIC (local_apic.h) on. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Moves the two 8259A PICs' vectors to VECTOR_PIC, away from the exceptions, and masks all their
 * inputs. */
void pics_mask(void);

/* True when the vector was never requested, so that no end of interrupt is due (the APIC's spurious
 * vector, or a PIC's). */
bool interrupt_is_spurious(unsigned vector);

/* The end of interrupt for a vector that was taken. */
void interrupt_end(unsigned vector);
