# SPDX-License-Identifier: BSD-2-Clause
# The tiny guests: each folder of guest/tests/ and guest/demo/ becomes a Multiboot 1 image, linked with guest/lib/.

GUEST_CFLAGS := -std=gnu17 -O2 -g -ffreestanding -fno-pic -fno-pie -mno-red-zone -mgeneral-regs-only -fno-stack-protector \
                -fno-asynchronous-unwind-tables -fno-strict-aliasing -ffile-prefix-map=$(CURDIR)=. $(WARNINGS)
GUEST_LIB    := $(B)/guest/lib/entry.S.guest.o $(B)/guest/lib/guest.c.guest.o $(B)/guest/lib/guest.a
GUEST_TESTS  := $(notdir $(wildcard guest/tests/*))
GUEST_IMAGES := $(GUEST_TESTS:%=$(B)/guest/tests/%.elf) $(B)/guest/starter.elf

$(B)/%.guest.o: %
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) -I. $(GUEST_CFLAGS) -MMD -MP -c $< -o $@

# What only some of them need.
$(B)/guest/lib/guest.a: $(addprefix $(B)/guest/lib/,machine.S.guest.o machine_skip.S.guest.o machine.c.guest.o matrix.c.guest.o interrupt.c.guest.o)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcsD $@ $^

# Multiboot 1 wants a 32-bit ELF file; the code in it is what it is.
define GUEST_RULE
$(B)/$(1).elf: $(patsubst %,$(B)/%.guest.o,$(wildcard $(1)/*.c $(1)/*.S)) $(GUEST_LIB) guest/lib/guest.ld
	$$(call say,LINK,$$@)
	$(Q)$(LD) -nostdlib -static -z max-page-size=4096 -z noexecstack --no-warn-rwx-segments --build-id=none \
	      -T guest/lib/guest.ld -o $$@.64 $$(filter %.o %.a,$$^)
	$(Q)objcopy -O elf32-i386 --strip-debug $$@.64 $$@
endef
$(foreach g,guest/demo $(GUEST_TESTS:%=guest/tests/%),$(eval $(call GUEST_RULE,$(g))))

$(B)/guest/demo_image.S.o: $(B)/guest/demo.elf

# Starts tiny guests one after another where there is no Plinth. All of it is 32-bit code.
$(B)/guest/starter.elf: $(wildcard guest/starter/*)
	@mkdir -p $(@D)
	$(call say,CC,guest/starter)
	$(Q)$(CC) -m32 $(GUEST_CFLAGS) -fno-builtin -nostdlib -static -Wl,--build-id=none,-z,noexecstack,--no-warn-rwx-segments \
		-T guest/starter/starter.ld -o $@ $(filter %.c %.S,$^)

# The processor is the oracle: those that print the same lines under Plinth as straight from GRUB. NAME="a b" chooses, CPU=haswell.
NOT_FOR_ORACLE := bench chaos ends hang isolation triple-fault
ORACLE_GUESTS  := $(filter-out $(NOT_FOR_ORACLE),$(GUEST_TESTS))
oracle: $(B)/plinth.elf $(B)/guest/starter.elf $(patsubst %,$(B)/guest/tests/%.elf,$(or $(NAME),$(ORACLE_GUESTS)))
	@B='$(B)' tools/oracle.py $(if $(CPU),--cpu $(CPU)) $(or $(NAME),--all)

print-oracle-guests:
	@echo $(ORACLE_GUESTS)

.PHONY: oracle print-oracle-guests

-include $(shell find $(B)/guest -name '*.guest.d' 2>/dev/null)
