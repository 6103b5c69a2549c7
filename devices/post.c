/* SPDX-License-Identifier: BSD-2-Clause */
/* Scratch registers that a PC's programs write to for diagnosis and delay. */

#include "devices/post.h"

#include "kernel/string.h"

static uint32_t post_read(void *device, uint16_t port, unsigned size)
{
	const struct post *post = device;

	(void)size;
	return post->registers[port % POST_PORT_COUNT];
}

static void post_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
	struct post *post = device;

	(void)size;
	post->registers[port % POST_PORT_COUNT] = (uint8_t)value;
}

static uint32_t delay_read(void *device, uint16_t port, unsigned size)
{
	const struct post *post = device;

	(void)port;
	(void)size;
	return post->delay;
}

static void delay_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
	struct post *post = device;

	(void)port;
	(void)size;
	post->delay = (uint8_t)value;
}

uint8_t post_code(const struct post *post)
{
	return post->registers[0];
}

void post_reset(struct post *post)
{
	memset(post, 0, sizeof(*post));
}

err_t post_create(struct post *post, struct bus *bus)
{
	err_t err;

	post_reset(post);
	err = bus_add_ports(bus, &(struct port_range){
					 .name = "post",
					 .first = POST_PORT,
					 .count = POST_PORT_COUNT,
					 .sizes = BUS_1,
					 .read = post_read,
					 .write = post_write,
					 .device = post,
				 });
	if (err)
		return err;
	return bus_add_ports(bus, &(struct port_range){
					  .name = "delay",
					  .first = POST_DELAY_PORT,
					  .count = 1,
					  .sizes = BUS_1,
					  .read = delay_read,
					  .write = delay_write,
					  .device = post,
				  });
}
