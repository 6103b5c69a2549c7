/* SPDX-License-Identifier: BSD-2-Clause */
/* Indexed register files, the palette, and status bits by time; nothing is drawn. */

#include "devices/vga.h"

#include "kernel/string.h"

#define VGA_PORT       0x3b0
#define VGA_PORT_COUNT 0x30

/* Text mode: 449 lines of 31.469 kHz, 400 of them visible; here in eighths of a line. */
#define EIGHTHS_HZ      251752
#define LINES           449
#define LINES_VISIBLE   400
#define SYNC_FIRST      412
#define SYNC_LAST       413
#define EIGHTHS_VISIBLE 6

enum {
	MISC_COLOUR = 0x01, /* the CRTC answers at 3dxh, else at 3bxh */
	MISC_TEXT = 0x67,

	STATUS_BLANKED = 0x01,
	STATUS_VERTICAL = 0x08,
	STATUS_0_SWITCH = 0x10, /* a colour monitor is sensed */

	ATTRIBUTE_PALETTE_ON = 0x20, /* kept in the index register */

	DAC_READ_STATE = 0x03,
};

/* How many registers each file has; indexes beyond read as zero. */
static const uint8_t register_counts[VGA_INDEXED] = {
	[VGA_SEQUENCER] = 5,
	[VGA_GRAPHICS] = 9,
	[VGA_CRTC] = 25,
	[VGA_ATTRIBUTE] = 21,
};

static const uint8_t index_masks[VGA_INDEXED] = {
	[VGA_SEQUENCER] = 0x07,
	[VGA_GRAPHICS] = 0x0f,
	[VGA_CRTC] = 0x1f,
	[VGA_ATTRIBUTE] = 0x3f, /* with ATTRIBUTE_PALETTE_ON */
};

/* 80 by 25 characters of 9 by 16 points. */
static const uint8_t text_sequencer[] = {0x03, 0x00, 0x03, 0x00, 0x02};
static const uint8_t text_graphics[] = {0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x0f, 0xff};
static const uint8_t text_crtc[] = {0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00,
				    0x4f, 0x0d, 0x0e, 0x00, 0x00, 0x00, 0x00, 0x9c, 0x8e,
				    0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff};
static const uint8_t text_attribute[] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14,
					 0x07, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d,
					 0x3e, 0x3f, 0x0c, 0x00, 0x0f, 0x08, 0x00};

static unsigned index_of(const struct vga *vga, enum vga_indexed file)
{
	unsigned index = vga->index[file] & index_masks[file];

	return file == VGA_ATTRIBUTE ? index & (unsigned)~ATTRIBUTE_PALETTE_ON : index;
}

static uint8_t read_indexed(const struct vga *vga, enum vga_indexed file)
{
	unsigned index = index_of(vga, file);

	return index < register_counts[file] ? vga->registers[file][index] : 0;
}

static void write_indexed(struct vga *vga, enum vga_indexed file, uint8_t value)
{
	unsigned index = index_of(vga, file);

	if (index < register_counts[file])
		vga->registers[file][index] = value;
}

/* Input status 1: where the beam would be. A read of it readies 3c0h for an index. */
static uint8_t read_status_1(struct vga *vga)
{
	uint64_t eighths = device_clock_ticks(&vga->clock);
	uint64_t line = eighths / 8 % LINES;
	uint8_t status = 0;

	vga->attribute_data = false;
	if (line >= LINES_VISIBLE || eighths % 8 >= EIGHTHS_VISIBLE)
		status |= STATUS_BLANKED;
	if (line >= SYNC_FIRST && line <= SYNC_LAST)
		status |= STATUS_VERTICAL;
	return status;
}

static void write_attribute(struct vga *vga, uint8_t value)
{
	if (vga->attribute_data)
		write_indexed(vga, VGA_ATTRIBUTE, value);
	else
		vga->index[VGA_ATTRIBUTE] = value & index_masks[VGA_ATTRIBUTE];
	vga->attribute_data = !vga->attribute_data;
}

static uint8_t read_dac(struct vga *vga)
{
	uint8_t value = vga->dac[vga->dac_read_at];

	vga->dac_read_at = (uint16_t)((vga->dac_read_at + 1) % VGA_DAC_SIZE);
	return value;
}

static void write_dac(struct vga *vga, uint8_t value)
{
	vga->dac[vga->dac_write_at] = value & 0x3f;
	vga->dac_write_at = (uint16_t)((vga->dac_write_at + 1) % VGA_DAC_SIZE);
}

/* The CRTC's ports, of which those at 3bxh answer for monochrome modes and those at 3dxh for
 * colour. */
static bool crtc_answers(const struct vga *vga, uint16_t port)
{
	return (port >= 0x3d0) == ((vga->misc & MISC_COLOUR) != 0);
}

static uint8_t read_crtc(struct vga *vga, uint16_t port)
{
	if (!crtc_answers(vga, port))
		return 0xff;
	switch (port & 0xf) {
	case 0x4:
		return vga->index[VGA_CRTC];
	case 0x5:
		return read_indexed(vga, VGA_CRTC);
	case 0xa:
		return read_status_1(vga);
	default:
		return 0xff;
	}
}

static void write_crtc(struct vga *vga, uint16_t port, uint8_t value)
{
	if (!crtc_answers(vga, port))
		return;
	switch (port & 0xf) {
	case 0x4:
		vga->index[VGA_CRTC] = value & index_masks[VGA_CRTC];
		break;
	case 0x5:
		write_indexed(vga, VGA_CRTC, value);
		break;
	case 0xa:
		vga->feature = value;
		break;
	}
}

static uint32_t vga_read(void *device, uint16_t port, unsigned size)
{
	struct vga *vga = device;

	(void)size;
	switch (port) {
	case 0x3c0:
		return vga->index[VGA_ATTRIBUTE];
	case 0x3c1:
		return read_indexed(vga, VGA_ATTRIBUTE);
	case 0x3c2:
		return STATUS_0_SWITCH;
	case 0x3c4:
		return vga->index[VGA_SEQUENCER];
	case 0x3c5:
		return read_indexed(vga, VGA_SEQUENCER);
	case 0x3c6:
		return vga->dac_mask;
	case 0x3c7:
		return vga->dac_reading ? DAC_READ_STATE : 0;
	case 0x3c8:
		return vga->dac_write_at / 3u;
	case 0x3c9:
		return read_dac(vga);
	case 0x3ca:
		return vga->feature;
	case 0x3cc:
		return vga->misc;
	case 0x3ce:
		return vga->index[VGA_GRAPHICS];
	case 0x3cf:
		return read_indexed(vga, VGA_GRAPHICS);
	default:
		if (port >= 0x3c0 && port < 0x3d0)
			return 0xff;
		return read_crtc(vga, port);
	}
}

static void vga_write(void *device, uint16_t port, unsigned size, uint32_t wide)
{
	struct vga *vga = device;
	uint8_t value = (uint8_t)wide;

	(void)size;
	switch (port) {
	case 0x3c0:
		write_attribute(vga, value);
		break;
	case 0x3c2:
		vga->misc = value;
		break;
	case 0x3c4:
		vga->index[VGA_SEQUENCER] = value & index_masks[VGA_SEQUENCER];
		break;
	case 0x3c5:
		write_indexed(vga, VGA_SEQUENCER, value);
		break;
	case 0x3c6:
		vga->dac_mask = value;
		break;
	case 0x3c7:
		vga->dac_reading = true;
		vga->dac_read_at = (uint16_t)(value * 3u);
		break;
	case 0x3c8:
		vga->dac_reading = false;
		vga->dac_write_at = (uint16_t)(value * 3u);
		break;
	case 0x3c9:
		write_dac(vga, value);
		break;
	case 0x3ce:
		vga->index[VGA_GRAPHICS] = value & index_masks[VGA_GRAPHICS];
		break;
	case 0x3cf:
		write_indexed(vga, VGA_GRAPHICS, value);
		break;
	default:
		if (port < 0x3c0 || port >= 0x3d0)
			write_crtc(vga, port, value);
	}
}

void vga_reset(struct vga *vga)
{
	memset(vga, 0, sizeof(*vga));
	device_clock_start(&vga->clock, EIGHTHS_HZ);
	vga->misc = MISC_TEXT;
	vga->dac_mask = 0xff;
	vga->index[VGA_ATTRIBUTE] = ATTRIBUTE_PALETTE_ON;
	memcpy(vga->registers[VGA_SEQUENCER], text_sequencer, sizeof(text_sequencer));
	memcpy(vga->registers[VGA_GRAPHICS], text_graphics, sizeof(text_graphics));
	memcpy(vga->registers[VGA_CRTC], text_crtc, sizeof(text_crtc));
	memcpy(vga->registers[VGA_ATTRIBUTE], text_attribute, sizeof(text_attribute));
}

err_t vga_create(struct vga *vga, struct bus *bus)
{
	vga_reset(vga);
	return bus_add_ports(bus, &(struct port_range){
					  .name = "vga",
					  .first = VGA_PORT,
					  .count = VGA_PORT_COUNT,
					  .sizes = BUS_1,
					  .read = vga_read,
					  .write = vga_write,
					  .device = vga,
				  });
}
