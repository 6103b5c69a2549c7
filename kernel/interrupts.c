/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8259A PICs and the local APIC in xAPIC or x2APIC mode. */
#include "kernel/interrupts.h"

#include <stddef.h>

#include "arch/x86_64/bits.h"
#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/instructions.h"
#include "arch/x86_64/msr.h"
#include "kernel/address.h"
#include "kernel/address_space.h"
#include "kernel/cpu.h"
#include "kernel/log.h"
#include "kernel/traps.h"

#define PIC1		 0x20
#define PIC2		 0xa0
#define PIC_COMMAND	 0 /* offsets from the PIC's port */
#define PIC_DATA	 1
#define PIC_ICW1	 0x11 /* start initialisation, ICW4 follows */
#define PIC_ICW3_1	 0x04 /* the second PIC is at input 2 of the first */
#define PIC_ICW3_2	 0x02
#define PIC_ICW4	 0x01 /* 8086 mode */
#define PIC_READ_ISR	 0x0b
#define PIC_EOI_SPECIFIC 0x60
#define PIC_COUNT	 16

#define APIC_BASE_ENABLE BIT(11)
#define APIC_BASE_X2APIC BIT(10)

#define APIC_TPR	 0x080
#define APIC_EOI	 0x0b0
#define APIC_SVR	 0x0f0
#define APIC_ISR	 0x100 /* 8 registers, 16 bytes apart */
#define APIC_LVT_TIMER	 0x320
#define APIC_LVT_THERMAL 0x330
#define APIC_LVT_PMI	 0x340
#define APIC_LVT_LINT0	 0x350
#define APIC_LVT_ERROR	 0x370
#define APIC_LVT_MASKED	 BIT32(16)
#define APIC_SVR_ENABLE	 BIT32(8)
#define APIC_VERSION	 0x030

static volatile uint32_t *apic_page; /* NULL: x2APIC mode, or none */
static bool apic_x2, apic_started;

void pics_mask(void)
{
	static const struct {
		uint16_t port;
		uint8_t value;
	} steps[] = {
		{PIC1 + PIC_DATA,	  0xff	      },
		{PIC2 + PIC_DATA,	  0xff	      },
		{PIC1 + PIC_COMMAND, PIC_ICW1	     },
		{PIC2 + PIC_COMMAND, PIC_ICW1	     },
		{PIC1 + PIC_DATA,	  VECTOR_PIC    },
		{PIC2 + PIC_DATA,	  VECTOR_PIC + 8},
		{PIC1 + PIC_DATA,	  PIC_ICW3_1    },
		{PIC2 + PIC_DATA,	  PIC_ICW3_2    },
		{PIC1 + PIC_DATA,	  PIC_ICW4	  },
		{PIC2 + PIC_DATA,	  PIC_ICW4	  },
		{PIC1 + PIC_DATA,	  0xff	      },
		{PIC2 + PIC_DATA,	  0xff	      },
	};

	for (unsigned i = 0; i < ARRAY_COUNT(steps); i++)
		out8(steps[i].port, steps[i].value);
}

uint32_t local_apic_read(uint32_t offset)
{
	if (apic_x2)
		return (uint32_t)rdmsr(0x800 + offset / 16);
	return apic_page[offset / 4];
}

void local_apic_write(uint32_t offset, uint32_t value)
{
	if (apic_x2)
		wrmsr(0x800 + offset / 16, value);
	else
		apic_page[offset / 4] = value;
}

/* Masks an LVT entry that this APIC has; the number of entries is in the version register. */
static void mask_sources(void)
{
	static const uint16_t entries[] = {
		APIC_LVT_TIMER, APIC_LVT_LINT0, APIC_LVT_ERROR, APIC_LVT_PMI, APIC_LVT_THERMAL,
	};
	/* Entries by number: timer 0, LINT0 1, LINT1 2, error 3, PMI 4, thermal 5. */
	static const uint8_t numbers[] = {0, 1, 3, 4, 5};
	uint64_t last = bits(local_apic_read(APIC_VERSION), 23, 16);

	for (unsigned i = 0; i < ARRAY_COUNT(entries); i++) {
		if (numbers[i] <= last)
			local_apic_write(entries[i], APIC_LVT_MASKED | VECTOR_SPURIOUS);
	}
}

err_t local_apic_start(void)
{
	uint64_t base;
	void *page;
	err_t err;

	if (!cpuid_has(cpuid, CPUID_APIC))
		return "the processor has no local APIC (CPUID 1 EDX bit 9 is clear)";
	base = rdmsr(IA32_APIC_BASE);
	if (!(base & APIC_BASE_ENABLE)) {
		base |= APIC_BASE_ENABLE;
		wrmsr(IA32_APIC_BASE, base);
	}
	apic_x2 = (base & APIC_BASE_X2APIC) != 0;
	if (!apic_x2 && !apic_page) {
		err = address_space_map_device(HPA(bits(base, 51, 12) << 12), PAGE_SIZE, &page);
		if (err)
			return err;
		apic_page = page;
	}
	mask_sources();
	local_apic_write(APIC_TPR, 0);
	local_apic_write(APIC_SVR, APIC_SVR_ENABLE | VECTOR_SPURIOUS);
	apic_started = true;
	return NULL;
}

/* SDM "Interrupt Acceptance for Fixed Interrupts": what is in service has its bit in ISR. */
static bool apic_in_service(unsigned vector)
{
	return apic_started && bit(local_apic_read(APIC_ISR + vector / 32 * 16), vector % 32);
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
	if (!is_pic(vector) || vector % 8 != 7 || apic_in_service(vector) ||
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

	if (apic_in_service(vector)) {
		local_apic_write(APIC_EOI, 0);
		return;
	}
	if (!is_pic(vector))
		return;
	if (line >= 8)
		out8(PIC2 + PIC_COMMAND, (uint8_t)(PIC_EOI_SPECIFIC | (line - 8)));
	out8(PIC1 + PIC_COMMAND, (uint8_t)(PIC_EOI_SPECIFIC | (line >= 8 ? 2 : line)));
}
