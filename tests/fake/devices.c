/* SPDX-License-Identifier: BSD-2-Clause */
/* Stands for the clock, the console and the VM's end in tests of devices. */
#include "tests/fake/devices.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kernel/time.h"

struct vm fake_vm;
struct console_stream fake_console;
uint64_t fake_tsc_hz;
char fake_output[4096];
size_t fake_output_size;

static char input[4096];
static size_t input_size, input_read;

void fake_devices_reset(void)
{
	memset(&fake_vm, 0, sizeof(fake_vm));
	strcpy(fake_vm.name, "test");
	bus_init(&fake_vm.bus, fake_vm.name);
	fake_tsc = 0;
	fake_tsc_hz = 1000000000;
	fake_tsc_step = 0;
	fake_output_size = input_size = input_read = 0;
}

uint64_t time_now(void)
{
	return rdtsc();
}

uint64_t time_frequency(void)
{
	return fake_tsc_hz;
}

void fake_time_pass(uint64_t ns)
{
	fake_tsc += (uint64_t)((unsigned __int128)ns * fake_tsc_hz / 1000000000);
}

void fake_type(const char *text)
{
	size_t size = strlen(text);

	memcpy(input + input_size, text, size);
	input_size += size;
}

void console_stream_write(struct console_stream *stream, uint8_t byte)
{
	(void)stream;
	if (fake_output_size < sizeof(fake_output))
		fake_output[fake_output_size++] = (char)byte;
}

int console_stream_read(struct console_stream *stream)
{
	(void)stream;
	return input_read < input_size ? (uint8_t)input[input_read++] : -1;
}

bool console_stream_readable(const struct console_stream *stream)
{
	(void)stream;
	return input_read < input_size;
}

void vm_stop(struct vm *vm, enum vm_end end, uint32_t code, const char *text, ...)
{
	va_list args;

	if (vm->end != VM_RUNNING)
		return;
	vm->end = end;
	vm->end_code = code;
	va_start(args, text);
	vsnprintf(vm->end_text, sizeof(vm->end_text), text, args);
	va_end(args);
}

uint8_t fake_in8(uint16_t port)
{
	return (uint8_t)bus_port_read(&fake_vm.bus, port, 1);
}

uint16_t fake_in16(uint16_t port)
{
	return (uint16_t)bus_port_read(&fake_vm.bus, port, 2);
}

uint32_t fake_in32(uint16_t port)
{
	return bus_port_read(&fake_vm.bus, port, 4);
}

void fake_out8(uint16_t port, uint8_t value)
{
	bus_port_write(&fake_vm.bus, port, 1, value);
}

void fake_out16(uint16_t port, uint16_t value)
{
	bus_port_write(&fake_vm.bus, port, 2, value);
}

void fake_out32(uint16_t port, uint32_t value)
{
	bus_port_write(&fake_vm.bus, port, 4, value);
}
