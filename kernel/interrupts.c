/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8259A PICs, and the ends of interrupts of both controllers. */
#include "kernel/interrupts.h"

#include "arch/x86_64/bits.h"
#include "arch/x86_64/instructions.h"
#include "kernel/compiler.h"
#include "kernel/local_apic.h"
#include "kernel/traps.h"

#define PIC1             0x20
#define PIC2             0xa0
#define PIC_COMMAND      0 /* offsets from the PIC's port */
#define PIC_DATA         1
#define PIC_ICW1         0x11 /* start initialisation, ICW4 follows */
#define PIC_ICW3_1       0x04 /* the second PIC is at input 2 of the first */
#define PIC_ICW3_2       0x02
#define PIC_ICW4         0x01 /* 8086 mode */
#define PIC_READ_ISR     0x0b
#define PIC_EOI_SPECIFIC 0x60
#define PIC_COUNT        16

void pics_mask(void)
{
	static const struct {
		uint16_t port;
		uint8_t value;
	} steps[] = {
		{PIC1 + PIC_DATA,    0xff          },
                {PIC2 + PIC_DATA,    0xff          },
		{PIC1 + PIC_COMMAND, PIC_ICW1      },
                {PIC2 + PIC_COMMAND, PIC_ICW1      },
		{PIC1 + PIC_DATA,    VECTOR_PIC    },
                {PIC2 + PIC_DATA,    VECTOR_PIC + 8},
		{PIC1 + PIC_DATA,    PIC_ICW3_1    },
                {PIC2 + PIC_DATA,    PIC_ICW3_2    },
		{PIC1 + PIC_DATA,    PIC_ICW4      },
                {PIC2 + PIC_DATA,    PIC_ICW4      },
		{PIC1 + PIC_DATA,    0xff          },
                {PIC2 + PIC_DATA,    0xff          },
	};

	for (unsigned i = 0; i < ARRAY_COUNT(steps); i++)
		out8(steps[i].port, steps[i].value);
}

static bool pic_in_service(unsigned line)
{
	uint16_t port = line < 8 ? PIC1 : PIC2;

	out8(port + PIC_COMMAND, PIC_READ_ISR);
	return bit(in8(port + PIC_COMMAND), line % 8);
}

static bool is_pic(unsigned vector)
{
	return vector >= VECTOR_PIC && vector < VECTOR_PIC + PIC_COUNT;
}

bool interrupt_is_spurious(unsigned vector)
{
	if (vector == VECTOR_SPURIOUS)
		return true;
	/* 8259A: with a request that went away in time, line 7 of the PIC is reported and not in
	 * service. */
	if (!is_pic(vector) || vector % 8 != 7 || local_apic_in_service(vector) ||
	    pic_in_service(vector - VECTOR_PIC))
		return false;
	/* The second PIC's spurious interrupt is a real one for the first, on its input 2. */
	if (vector == VECTOR_PIC + 15)
		out8(PIC1 + PIC_COMMAND, PIC_EOI_SPECIFIC | 2);
	return true;
}

void interrupt_end(unsigned vector)
{
	unsigned line = vector - VECTOR_PIC;

	if (local_apic_in_service(vector)) {
		local_apic_write(APIC_EOI, 0);
		return;
	}
	if (!is_pic(vector))
		return;
	if (line >= 8)
		out8(PIC2 + PIC_COMMAND, (uint8_t)(PIC_EOI_SPECIFIC | (line - 8)));
	out8(PIC1 + PIC_COMMAND, (uint8_t)(PIC_EOI_SPECIFIC | (line >= 8 ? 2 : line)));
}
