/* SPDX-License-Identifier: BSD-2-Clause */
/* The controller answers; the devices behind it do not, and what is sent to them times out. */

#include "devices/i8042.h"

#include <stddef.h>

#include "kernel/string.h"

#define DATA_PORT    0x60
#define COMMAND_PORT 0x64

enum {
	STATUS_OUTPUT_FULL = 0x01,
	STATUS_SYSTEM = 0x04,  /* the self-test was passed */
	STATUS_COMMAND = 0x08, /* the last write was to the command port */
	STATUS_UNLOCKED = 0x10,
	STATUS_AUX = 0x20, /* the output buffer holds a byte of the second port */
	STATUS_TIMEOUT = 0x40,

	BYTE_SYSTEM = 0x04, /* of the command byte: copied to the status register */
	BYTE_KEYBOARD_OFF = 0x10,
	BYTE_AUX_OFF = 0x20,

	/* The output port. */
	OUTPUT_NOT_RESET = 0x01,
	OUTPUT_A20 = 0x02,
	OUTPUT_FULL = 0x10,
	OUTPUT_LINES = 0xc0, /* clock and data idle */

	INPUT_PORT = 0xa0, /* keyboard not locked, no manufacturing jumper */

	COMMAND_READ_RAM = 0x20,  /* to 3fh */
	COMMAND_WRITE_RAM = 0x60, /* to 7fh */
	COMMAND_PASSWORD_TEST = 0xa4,
	COMMAND_AUX_DISABLE = 0xa7,
	COMMAND_AUX_ENABLE = 0xa8,
	COMMAND_AUX_TEST = 0xa9,
	COMMAND_SELF_TEST = 0xaa,
	COMMAND_KEYBOARD_TEST = 0xab,
	COMMAND_KEYBOARD_OFF = 0xad,
	COMMAND_KEYBOARD_ON = 0xae,
	COMMAND_READ_INPUT = 0xc0,
	COMMAND_READ_OUTPUT = 0xd0,
	COMMAND_WRITE_OUTPUT = 0xd1,
	COMMAND_LOOP_KEYBOARD =
		0xd2, /* the byte that follows appears as if a keyboard had sent it */
	COMMAND_LOOP_AUX = 0xd3,
	COMMAND_SEND_AUX = 0xd4,
	COMMAND_A20_OFF = 0xdd,
	COMMAND_A20_ON = 0xdf,
	COMMAND_PULSE = 0xf0, /* to ffh: pulses the output lines whose bits are clear */

	PASSWORD_NONE = 0xf1,
	SELF_TEST_PASSED = 0x55,
	LINE_TEST_PASSED = 0x00,
};

static void put_output(struct i8042 *i8042, uint8_t value, uint8_t from)
{
	i8042->output = value;
	i8042->status &= (uint8_t) ~(STATUS_AUX | STATUS_TIMEOUT);
	i8042->status |= STATUS_OUTPUT_FULL | from;
}

static uint8_t read_output_port(const struct i8042 *i8042)
{
	return (uint8_t)(OUTPUT_LINES | OUTPUT_NOT_RESET | (i8042->reset->a20 ? OUTPUT_A20 : 0) |
			 (i8042->status & STATUS_OUTPUT_FULL ? OUTPUT_FULL : 0));
}

static void write_output_port(struct i8042 *i8042, uint8_t value)
{
	i8042->reset->a20 = value & OUTPUT_A20;
	if (!(value & OUTPUT_NOT_RESET))
		reset_machine(i8042->reset, "the keyboard controller's output port");
}

static void write_ram(struct i8042 *i8042, unsigned index, uint8_t value)
{
	i8042->ram[index % I8042_RAM_SIZE] = value;
	if (index % I8042_RAM_SIZE == 0) {
		i8042->status &= (uint8_t)~STATUS_SYSTEM;
		i8042->status |= value & BYTE_SYSTEM ? STATUS_SYSTEM : 0;
	}
}

static void self_test(struct i8042 *i8042)
{
	write_ram(i8042, 0, BYTE_SYSTEM | BYTE_KEYBOARD_OFF | BYTE_AUX_OFF);
	put_output(i8042, SELF_TEST_PASSED, 0);
}

static void simple_command(struct i8042 *i8042, uint8_t command)
{
	uint8_t *byte = &i8042->ram[0];

	switch (command) {
	case COMMAND_PASSWORD_TEST:
		put_output(i8042, PASSWORD_NONE, 0);
		break;
	case COMMAND_AUX_DISABLE:
		*byte |= BYTE_AUX_OFF;
		break;
	case COMMAND_AUX_ENABLE:
		*byte &= (uint8_t)~BYTE_AUX_OFF;
		break;
	case COMMAND_SELF_TEST:
		self_test(i8042);
		break;
	case COMMAND_AUX_TEST:
	case COMMAND_KEYBOARD_TEST:
		put_output(i8042, LINE_TEST_PASSED, 0);
		break;
	case COMMAND_KEYBOARD_OFF:
		*byte |= BYTE_KEYBOARD_OFF;
		break;
	case COMMAND_KEYBOARD_ON:
		*byte &= (uint8_t)~BYTE_KEYBOARD_OFF;
		break;
	case COMMAND_READ_INPUT:
		put_output(i8042, INPUT_PORT, 0);
		break;
	case COMMAND_READ_OUTPUT:
		put_output(i8042, read_output_port(i8042), 0);
		break;
	case COMMAND_A20_OFF:
		i8042->reset->a20 = false;
		break;
	case COMMAND_A20_ON:
		i8042->reset->a20 = true;
		break;
	}
}

static void write_command(struct i8042 *i8042, uint8_t command)
{
	i8042->status |= STATUS_COMMAND;
	i8042->awaited = 0;
	if (command >= COMMAND_PULSE) {
		if (!(command & OUTPUT_NOT_RESET))
			reset_machine(i8042->reset, "the keyboard controller (port 64h)");
	} else if ((command & 0xe0) == COMMAND_READ_RAM) {
		put_output(i8042, i8042->ram[command % I8042_RAM_SIZE], 0);
	} else if ((command & 0xe0) == COMMAND_WRITE_RAM ||
		   (command >= COMMAND_WRITE_OUTPUT && command <= COMMAND_SEND_AUX)) {
		i8042->awaited = command;
	} else {
		simple_command(i8042, command);
	}
}

static void write_data(struct i8042 *i8042, uint8_t value)
{
	uint8_t command = i8042->awaited;

	i8042->status &= (uint8_t)~STATUS_COMMAND;
	i8042->awaited = 0;
	switch (command) {
	case 0: /* for the keyboard */
	case COMMAND_SEND_AUX:
		/* Nobody takes it off the line. */
		i8042->status |= STATUS_TIMEOUT;
		break;
	case COMMAND_WRITE_OUTPUT:
		write_output_port(i8042, value);
		break;
	case COMMAND_LOOP_KEYBOARD:
		put_output(i8042, value, 0);
		break;
	case COMMAND_LOOP_AUX:
		put_output(i8042, value, STATUS_AUX);
		break;
	default:
		write_ram(i8042, command, value);
	}
}

static uint32_t i8042_read(void *device, uint16_t port, unsigned size)
{
	struct i8042 *i8042 = device;

	(void)size;
	if (port == COMMAND_PORT)
		return i8042->status;
	i8042->status &= (uint8_t) ~(STATUS_OUTPUT_FULL | STATUS_AUX);
	return i8042->output;
}

static void i8042_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
	struct i8042 *i8042 = device;

	(void)size;
	if (port == COMMAND_PORT)
		write_command(i8042, (uint8_t)value);
	else
		write_data(i8042, (uint8_t)value);
}

void i8042_reset(struct i8042 *i8042)
{
	struct reset *reset = i8042->reset;

	memset(i8042, 0, sizeof(*i8042));
	i8042->reset = reset;
	i8042->status = STATUS_UNLOCKED;
	/* As firmware leaves it. */
	write_ram(i8042, 0, BYTE_SYSTEM | BYTE_KEYBOARD_OFF | BYTE_AUX_OFF);
}

err_t i8042_create(struct i8042 *i8042, struct bus *bus, struct reset *reset)
{
	static const uint16_t ports[] = {DATA_PORT, COMMAND_PORT};

	i8042->reset = reset;
	i8042_reset(i8042);
	for (unsigned i = 0; i < ARRAY_COUNT(ports); i++) {
		err_t err = bus_add_ports(bus, &(struct port_range){
						       .name = "i8042",
						       .first = ports[i],
						       .count = 1,
						       .sizes = BUS_1,
						       .read = i8042_read,
						       .write = i8042_write,
						       .device = i8042,
					       });

		if (err)
			return err;
	}
	return NULL;
}
