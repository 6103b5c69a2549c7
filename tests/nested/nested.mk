# SPDX-License-Identifier: BSD-2-Clause
# The demo as a guest hypervisor under real KVM: a Linux that boots in Bochs runs QEMU with KVM, which boots Plinth.

NESTED := $(B)/nested

check-nested:
	@tools/setup.sh build run test nested
	$(AGAIN) $(B)/plinth.iso $(NESTED)/l0.iso
	prove -v --timer tests/nested/nested.t

# The packages that it is made of stay in the same folder, and are fetched once.
$(NESTED)/l0.iso: tests/nested/make-l0.sh tests/nested/init.sh
	tests/nested/make-l0.sh $@

.PHONY: check-nested
