/* SPDX-License-Identifier: BSD-2-Clause */
/* The address register answers to 32-bit accesses only; the other bytes at its ports are someone
 * else's. */

#include "devices/pci.h"

#define PCI_ADDRESS_PORT  0xcf8
#define PCI_PORT_COUNT    8
#define PCI_ADDRESS_VALID 0x80fffffcu /* the bits that the register keeps */

static uint32_t pci_read(void *device, uint16_t port, unsigned size)
{
	struct pci *pci = device;

	if (port == PCI_ADDRESS_PORT && size == 4)
		return pci->address;
	if (port == RESET_CONTROL_PORT && size == 1)
		return reset_control_read(pci->reset);
	return UINT32_MAX; /* what a bus without devices returns */
}

static void pci_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
	struct pci *pci = device;

	if (port == PCI_ADDRESS_PORT && size == 4)
		pci->address = value & PCI_ADDRESS_VALID;
	else if (port == RESET_CONTROL_PORT && size == 1)
		reset_control_write(pci->reset, (uint8_t)value);
}

void pci_reset(struct pci *pci)
{
	pci->address = 0;
}

err_t pci_create(struct pci *pci, struct bus *bus, struct reset *reset)
{
	pci->reset = reset;
	pci_reset(pci);
	return bus_add_ports(bus, &(struct port_range){
					  .name = "pci",
					  .first = PCI_ADDRESS_PORT,
					  .count = PCI_PORT_COUNT,
					  .sizes = BUS_1 | BUS_2 | BUS_4,
					  .read = pci_read,
					  .write = pci_write,
					  .device = pci,
				  });
}
