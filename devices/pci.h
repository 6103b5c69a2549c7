/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI configuration mechanism #1 at ports CF8h and CFCh, with no device on the bus. */
#pragma once

#include <stdint.h>

#include "devices/reset.h"
#include "kernel/error.h"
#include "vcpu/bus.h"

struct pci {
	uint32_t
		address; /* CF8h: enable 31, bus 23:16, device 15:11, function 10:8, register 7:2 */
	struct reset *reset;
};

/* Byte accesses to CF9h go to `reset`. */
CHECKED err_t pci_create(struct pci *pci, struct bus *bus, struct reset *reset);
void pci_reset(struct pci *pci);
