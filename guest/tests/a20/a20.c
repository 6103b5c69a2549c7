/* SPDX-License-Identifier: BSD-2-Clause */
/* The A20 line: on, addresses go on above 1 MiB. Off, a PC of old takes bit 20 away, but processors
 * have lost that pin. */
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"

#define LOW    0x500
#define HIGH   0x100500
#define PORT   0x92
#define NO_A20 "Plinth's processor has no A20M# pin, as Intel's have none since 2013"

CODE16(through_port, "in $0x92, %al\n mov %al, %cl\n and $0xfd, %al\n out %al, $0x92\n mov "
		     "%es:(%si), %bl\n in $0x92, %al\n mov %al, %dl\n"
		     "mov %cl, %al\n or $2, %al\n out %al, $0x92\n in $0x92, %al\n");

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	struct machine m;

	(void)boot_magic;
	(void)boot_info;
	*memory8(LOW) = 0x11;
	*memory8(HIGH) = 0x22;
	check(*memory8(LOW) == 0x11, "the line is on at the start");
	machine_init(&m, REAL);
	m.es = 0xffff;
	m.rsi = HIGH - 0xffff0;
	RUN(&m, through_port);
	check(same(machine_outcome(&m), "done"), "port 92h turns it off and on: %s",
	      machine_outcome(&m));
	check(!(m.rdx & 2) && m.rax & 2, "its bit reads back");
	check_virtual((m.rbx & 0xff) == (under_plinth() ? 0x22 : 0x11), NO_A20,
		      "off, ffff:%lx reads %lx", m.rsi, m.rbx & 0xff);
	check(*memory8(HIGH) == 0x22, "on again, memory above 1 MiB is itself");
	return checks_done();
}
