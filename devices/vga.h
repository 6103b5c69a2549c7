/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers of a VGA without a display: they read back, and the beam moves. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "devices/clock.h"
#include "kernel/error.h"
#include "vcpu/bus.h"

/*
 * The adapter's memory: RAM that a guest may read and write, and nobody shows. Programs in text
 * mode use the second part only.
 */
#define VGA_MEMORY_GPA  0xa0000ul
#define VGA_MEMORY_SIZE 0x20000ul
#define VGA_TEXT_GPA    0xb8000ul
#define VGA_TEXT_SIZE   0x8000ul

#define VGA_INDEXED_MAX 32  /* registers in a file */
#define VGA_DAC_SIZE    768 /* 256 colours of 3 components */

enum vga_indexed { VGA_SEQUENCER, VGA_GRAPHICS, VGA_CRTC, VGA_ATTRIBUTE, VGA_INDEXED };

struct vga {
	struct device_clock clock;
	uint8_t index[VGA_INDEXED];
	uint8_t registers[VGA_INDEXED][VGA_INDEXED_MAX];
	bool attribute_data; /* the flip-flop: the next write to 3c0h is data */
	uint8_t misc, feature;
	uint8_t dac_mask;
	bool dac_reading;                   /* the index was set for reads last */
	uint16_t dac_read_at, dac_write_at; /* index times 3, plus the component */
	uint8_t dac[VGA_DAC_SIZE];
};

CHECKED err_t vga_create(struct vga *vga, struct bus *bus);

/* Then it is in text mode, 80 by 25, as firmware leaves it. */
void vga_reset(struct vga *vga);
