/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8259A: initialization words, priorities and their rotation, end of interrupt, poll, cascade.
 */

#include "devices/pic.h"

#include <stddef.h>

#include "kernel/string.h"

#define CASCADE 2 /* the input of the first chip that the second one drives */

enum {
	ICW1_INIT = 0x10,
	ICW1_SINGLE = 0x02,
	ICW1_ICW4 = 0x01,
	ICW4_NESTED = 0x10,
	ICW4_AUTO = 0x02,

	OCW3 = 0x08, /* of a write to port 0: else it is OCW2 */
	OCW3_ESMM = 0x40,
	OCW3_SMM = 0x20,
	OCW3_POLL = 0x04,
	OCW3_READ = 0x02, /* bit 0 then chooses */

	OCW2_ROTATE = 0x80,
	OCW2_SPECIFIC = 0x40,
	OCW2_EOI = 0x20,

	POLL_PENDING = 0x80,
};

/* Inputs that are always edge triggered: timer, keyboard and cascade; clock and coprocessor. */
static const uint8_t elcr_writable[2] = {0xf8, 0xde};

static bool is_first(const struct pic *pic, const struct pic_chip *chip)
{
	return chip == &pic->chips[0];
}

/* The input of highest priority in a set, or -1. */
static int first_of(const struct pic_chip *chip, uint8_t set)
{
	for (unsigned i = 1; i <= 8; i++) {
		unsigned input = (chip->lowest + i) % 8;

		if (set & (1u << input))
			return (int)input;
	}
	return -1;
}

static bool wants(const struct pic *pic, const struct pic_chip *chip, unsigned *input);

static uint8_t requests(const struct pic *pic, const struct pic_chip *chip)
{
	uint8_t irr = chip->edges | (chip->lines & chip->elcr);
	unsigned input;

	if (is_first(pic, chip) && wants(pic, &pic->chips[1], &input))
		irr |= 1 << CASCADE;
	return irr;
}

/* Does the chip ask for an interrupt, and which? Inputs in service hold back those of their
 * priority and below. */
static bool wants(const struct pic *pic, const struct pic_chip *chip, unsigned *input)
{
	uint8_t holding = chip->isr;
	int next = first_of(chip, requests(pic, chip) & (uint8_t)~chip->imr);
	int held;

	if (next < 0)
		return false;
	if (chip->special_mask)
		holding &= (uint8_t)~chip->imr;
	/* The second chip sorts its inputs itself: several of them may be in service here at once.
	 */
	if (chip->special_fully_nested && is_first(pic, chip))
		holding &= (uint8_t) ~(1 << CASCADE);
	*input = (unsigned)next;
	if (holding & (1u << next))
		return false;
	held = first_of(chip, holding);
	return held < 0 || first_of(chip, (uint8_t)(1u << held | 1u << next)) == next;
}

static void acknowledge(struct pic_chip *chip, unsigned input)
{
	chip->edges &= (uint8_t) ~(1u << input);
	if (!chip->auto_eoi)
		chip->isr |= (uint8_t)(1u << input);
	else if (chip->rotate_on_auto_eoi)
		chip->lowest = (uint8_t)input;
}

void pic_set_irq(struct pic *pic, unsigned line, bool level)
{
	struct pic_chip *chip = &pic->chips[line / 8 % 2];
	uint8_t bit = (uint8_t)(1u << line % 8);

	if (line >= PIC_LINES || line == CASCADE)
		return;
	if (!level) {
		chip->lines &= (uint8_t)~bit;
	} else {
		if (!((chip->lines | chip->elcr) & bit))
			chip->edges |= bit;
		chip->lines |= bit;
	}
}

bool pic_pending(const struct pic *pic)
{
	unsigned input;

	return wants(pic, &pic->chips[0], &input);
}

int pic_acknowledge(struct pic *pic)
{
	struct pic_chip *first = &pic->chips[0];
	struct pic_chip *second = &pic->chips[1];
	unsigned input;

	if (!wants(pic, first, &input))
		return first->vector + 7;
	acknowledge(first, input);
	if (input != CASCADE)
		return first->vector + (int)input;
	if (!wants(pic, second, &input))
		return second->vector + 7;
	acknowledge(second, input);
	return second->vector + (int)input;
}

/* ICW1 starts over: nothing masked, nothing in service, input 7 lowest; edges are forgotten. */
static void write_icw1(struct pic_chip *chip, uint8_t value)
{
	*chip = (struct pic_chip){
		.lines = chip->lines,
		.elcr = chip->elcr,
		.vector = chip->vector,
		.lowest = 7,
		.awaited = 2,
		.single = value & ICW1_SINGLE,
		.with_icw4 = value & ICW1_ICW4,
	};
}

static void write_ocw2(struct pic_chip *chip, uint8_t value)
{
	int input = value & OCW2_SPECIFIC ? value & 7 : -1;

	if (value & OCW2_EOI) {
		uint8_t served = chip->isr;

		/* In special mask mode the masked ones need an end of interrupt that names them. */
		if (chip->special_mask)
			served &= (uint8_t)~chip->imr;
		if (input < 0)
			input = first_of(chip, served);
		if (input < 0)
			return;
		chip->isr &= (uint8_t) ~(1u << input);
		if (value & OCW2_ROTATE)
			chip->lowest = (uint8_t)input;
	} else if (input < 0) {
		chip->rotate_on_auto_eoi = value & OCW2_ROTATE;
	} else if (value & OCW2_ROTATE) {
		chip->lowest = (uint8_t)input;
	}
}

static void write_ocw3(struct pic_chip *chip, uint8_t value)
{
	if (value & OCW3_ESMM)
		chip->special_mask = value & OCW3_SMM;
	if (value & OCW3_POLL)
		chip->poll = true;
	else if (value & OCW3_READ)
		chip->read_isr = value & 1;
}

static void write_port_1(struct pic_chip *chip, uint8_t value)
{
	switch (chip->awaited) {
	case 2:
		chip->vector = value & 0xf8;
		chip->awaited = !chip->single ? 3 : chip->with_icw4 ? 4 : 0;
		break;
	case 3: /* the cascade is wired, whatever it says */
		chip->awaited = chip->with_icw4 ? 4 : 0;
		break;
	case 4:
		chip->special_fully_nested = value & ICW4_NESTED;
		chip->auto_eoi = value & ICW4_AUTO;
		chip->awaited = 0;
		break;
	default:
		chip->imr = value;
	}
}

static uint8_t read_poll(struct pic *pic, struct pic_chip *chip)
{
	unsigned input;

	chip->poll = false;
	if (!wants(pic, chip, &input))
		return 0;
	acknowledge(chip, input);
	return (uint8_t)(POLL_PENDING | input);
}

static struct pic_chip *chip_at(struct pic *pic, uint16_t port)
{
	return &pic->chips[port >= 0xa0];
}

static uint32_t pic_read(void *device, uint16_t port, unsigned size)
{
	struct pic *pic = device;
	struct pic_chip *chip = chip_at(pic, port);

	(void)size;
	if (chip->poll)
		return read_poll(pic, chip);
	if (port % 2)
		return chip->imr;
	return chip->read_isr ? chip->isr : requests(pic, chip);
}

static void pic_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
	struct pic_chip *chip = chip_at(device, port);
	uint8_t byte = (uint8_t)value;

	(void)size;
	if (port % 2)
		write_port_1(chip, byte);
	else if (byte & ICW1_INIT)
		write_icw1(chip, byte);
	else if (byte & OCW3)
		write_ocw3(chip, byte);
	else
		write_ocw2(chip, byte);
}

static uint32_t elcr_read(void *device, uint16_t port, unsigned size)
{
	struct pic *pic = device;

	(void)size;
	return pic->chips[port % 2].elcr;
}

static void elcr_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
	struct pic *pic = device;

	(void)size;
	pic->chips[port % 2].elcr = (uint8_t)value & elcr_writable[port % 2];
}

void pic_reset(struct pic *pic)
{
	static const uint8_t vectors[2] = {0x08, 0x70};

	for (unsigned i = 0; i < 2; i++)
		pic->chips[i] = (struct pic_chip){
			.lines = pic->chips[i].lines,
			.imr = 0xff,
			.vector = vectors[i],
			.lowest = 7,
		};
}

err_t pic_create(struct pic *pic, struct bus *bus)
{
	static const struct {
		const char *name;
		uint16_t first;
		uint32_t (*read)(void *device, uint16_t port, unsigned size);
		void (*write)(void *device, uint16_t port, unsigned size, uint32_t value);
	} ranges[] = {
		{"pic-1", 0x20,  pic_read,  pic_write },
		{"pic-2", 0xa0,  pic_read,  pic_write },
		{"elcr",  0x4d0, elcr_read, elcr_write},
	};

	memset(pic, 0, sizeof(*pic));
	pic_reset(pic);
	for (unsigned i = 0; i < ARRAY_COUNT(ranges); i++) {
		err_t err = bus_add_ports(bus, &(struct port_range){
						       .name = ranges[i].name,
						       .first = ranges[i].first,
						       .count = 2,
						       .sizes = BUS_1,
						       .read = ranges[i].read,
						       .write = ranges[i].write,
						       .device = pic,
					       });

		if (err)
			return err;
	}
	return NULL;
}
