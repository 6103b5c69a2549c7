# SPDX-License-Identifier: BSD-2-Clause
# The demo as a guest hypervisor under real KVM: a Linux that boots in Bochs runs QEMU with KVM, which boots Plinth. And
# the rules for VM entries against KVM's.

NESTED := $(B)/nested

check-nested:
	@tools/setup.sh build run test nested
	$(AGAIN) $(B)/plinth.iso $(NESTED)/l0.iso $(NESTED)/guests.iso $(NESTED)/entry.iso
	prove -v --timer tests/nested/nested.t

# The packages that it is made of stay in the same folder, and are fetched once.
$(NESTED)/l0.iso: tests/nested/make-l0.sh tests/nested/init.sh
	tests/nested/make-l0.sh $@

# The demo twice, and the tiny guests that try what a hypervisor below can spoil most, for two processors; and Plinth that
# tries VM entries instead of running guests. Not single-step: KVM carries out MOV from DR7 itself, and has the step's #DB at
# another place.
NESTED_GUESTS := faults long-mode-switch unreal-mode debug-registers shadows string-io register-halves vmx-instructions \
                 virtual-8086 real-mode cr3 software-interrupts modes outside
$(NESTED)/guests.iso: $(B)/plinth.elf $(B)/guest/demo.elf $(NESTED_GUESTS:%=$(B)/guest/tests/%.elf) tools/make-iso.sh
	@mkdir -p $(@D)
	$(call say,ISO,$@)
	$(Q)tools/make-iso.sh -o $@ -k $< -a records=0 $(foreach g,first second,-m $(B)/guest/demo.elf -c "kernel name=$(g) mem=4M") \
		$(foreach g,$(NESTED_GUESTS),-m $(B)/guest/tests/$(g).elf -c "kernel name=$(g) mem=4M")
$(NESTED)/entry.iso: $(B)/tests/entry.elf tools/make-iso.sh
	@mkdir -p $(@D)
	$(call say,ISO,$@)
	$(Q)tools/make-iso.sh -o $@ -k $<

.PHONY: check-nested
