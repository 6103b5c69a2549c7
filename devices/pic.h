/* SPDX-License-Identifier: BSD-2-Clause */
/* The pair of 8259A interrupt controllers of a PC, with the edge/level registers of EISA. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/error.h"
#include "vcpu/bus.h"

#define PIC_LINES 16

struct pic_chip {
	uint8_t lines; /* the levels at the inputs */
	uint8_t edges; /* requests that came as edges and were not acknowledged */
	uint8_t isr, imr;
	uint8_t elcr;    /* 1: level triggered */
	uint8_t vector;  /* ICW2: that of input 0 */
	uint8_t lowest;  /* the input of lowest priority */
	uint8_t awaited; /* the ICW that port 1 takes next: 2, 3, 4, or 0 */
	bool single;     /* ICW1: no ICW3 follows */
	bool with_icw4;
	bool auto_eoi, special_fully_nested, special_mask, rotate_on_auto_eoi;
	bool read_isr; /* port 0 shows ISR, else IRR */
	bool poll;     /* the next read acknowledges */
};

struct pic {
	struct pic_chip chips[2]; /* [1] sits at input 2 of [0] */
};

CHECKED err_t pic_create(struct pic *pic, struct bus *bus);

/* All inputs masked, vectors 08h and 70h, as firmware has them. The input levels stay. */
void pic_reset(struct pic *pic);

/* An input changes its level. Lines outside 0 to 15, and 2, do not exist. */
void pic_set_irq(struct pic *pic, unsigned line, bool level);

/* True while the controllers ask for an interrupt. */
bool pic_pending(const struct pic *pic);

/* The processor takes the interrupt: its vector. That of input 7 when the request has gone (a
 * spurious one). */
int pic_acknowledge(struct pic *pic);
