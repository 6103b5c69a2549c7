/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC: registers in memory (xAPIC) or MSRs (x2APIC), and interrupts for other
 * processors. */
#include "kernel/local_apic.h"

#include <stddef.h>

#include "arch/x86_64/bits.h"
#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/instructions.h"
#include "arch/x86_64/msr.h"
#include "kernel/address.h"
#include "kernel/address_space.h"
#include "kernel/traps.h"

#define APIC_SVR_ENABLE   BIT32(8)
#define APIC_ICR_PENDING  BIT32(12)
#define APIC_BASE_ADDRESS 0x000ffffffffff000ull

#define X2APIC_MSR(offset) (0x800 + (offset) / 16)

/* SDM: the status is "send pending" until the other side has it, some microseconds at the most. */
#define SEND_READS_MAX 1000000u

static struct {
	volatile uint32_t *page; /* NULL: x2APIC mode, or none; each processor sees its own there */
	uint64_t base;           /* IA32_APIC_BASE of the first processor */
	bool is_x2, is_started;
} apic;

bool local_apic_is_started(void)
{
	return apic.is_started;
}

bool local_apic_is_x2(void)
{
	return apic.is_x2;
}

uint32_t local_apic_read(uint32_t offset)
{
	if (apic.is_x2)
		return (uint32_t)rdmsr(X2APIC_MSR(offset));
	return apic.page[offset / 4];
}

void local_apic_write(uint32_t offset, uint32_t value)
{
	if (apic.is_x2)
		wrmsr(X2APIC_MSR(offset), value);
	else
		apic.page[offset / 4] = value;
}

uint32_t local_apic_id(void)
{
	uint32_t value = local_apic_read(APIC_ID);

	return apic.is_x2 ? value : value >> 24;
}

bool local_apic_in_service(unsigned vector)
{
	return apic.is_started && bit(local_apic_read(APIC_ISR + vector / 32 * 16), vector % 32);
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

static void enable(void)
{
	mask_sources();
	local_apic_write(APIC_TPR, 0);
	local_apic_write(APIC_SVR, APIC_SVR_ENABLE | VECTOR_SPURIOUS);
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
	apic.is_x2 = (base & APIC_BASE_X2APIC) != 0;
	if (!apic.is_x2 && !apic.page) {
		err = address_space_map_device(HPA(base & APIC_BASE_ADDRESS), PAGE_SIZE, &page);
		if (err)
			return err;
		apic.page = page;
	}
	enable();
	apic.base = base;
	apic.is_started = true;
	return NULL;
}

/* SDM "x2APIC State Transitions": from xAPIC to x2APIC mode there is a way, but none straight back.
 */
err_t local_apic_join(void)
{
	uint64_t wanted = apic.base & (APIC_BASE_ADDRESS | APIC_BASE_ENABLE);
	uint64_t base = rdmsr(IA32_APIC_BASE);

	if (base & APIC_BASE_X2APIC && !apic.is_x2)
		return "its local APIC is in x2APIC mode and the first CPU's is not; update the "
		       "firmware";
	if (!(base & APIC_BASE_X2APIC))
		wrmsr(IA32_APIC_BASE, wanted | (base & APIC_BASE_BSP));
	if (!(base & APIC_BASE_X2APIC) && apic.is_x2)
		wrmsr(IA32_APIC_BASE, wanted | (base & APIC_BASE_BSP) | APIC_BASE_X2APIC);
	enable();
	return NULL;
}

bool local_apic_send(uint32_t apic_id, uint32_t command)
{
	if (apic.is_x2) {
		/* SDM "MSR Access in x2APIC Mode": WRMSR does not wait for stores before it. */
		mfence();
		lfence();
		wrmsr(IA32_X2APIC_ICR, (uint64_t)apic_id << 32 | command);
		return true;
	}
	local_apic_write(APIC_ICR_HIGH, apic_id << 24);
	local_apic_write(APIC_ICR, command);
	for (unsigned i = 0; i < SEND_READS_MAX; i++) {
		if (!(local_apic_read(APIC_ICR) & APIC_ICR_PENDING))
			return true;
		pause();
	}
	return false;
}
