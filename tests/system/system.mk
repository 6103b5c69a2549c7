# SPDX-License-Identifier: BSD-2-Clause
# The stand-in for Plinth with which the run scripts are tested.
$(B)/tests/stub.elf: tests/system/stub.c tests/system/system.mk
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) -m32 -std=gnu17 -O1 -ffreestanding -fno-pic -fno-stack-protector -mgeneral-regs-only -Wall -Wextra -Werror \
		-nostdlib -static -Wl,--build-id=none,-Ttext-segment=0x100000,-z,noexecstack -o $@ $<

# Plinth with tests of its own protections instead of guests.
HOST_OBJECTS = $(filter-out $(B)/guest/guests.c.o,$(OBJECTS)) $(B)/tests/system/host.c.o $(B)/tests/system/host_guests.c.o
$(B)/tests/host.elf: $(HOST_OBJECTS) boot/plinth.ld tools/make-symbols.awk
	$(call link,$(HOST_OBJECTS))

# Plinth that tries VM entries instead of running guests.
ENTRY_OBJECTS = $(filter-out $(B)/guest/guests.c.o,$(OBJECTS)) \
                $(patsubst %,$(B)/%.o,$(wildcard tests/entry/*.c tests/system/entry*.[cS])) \
                $(B)/tests/system/host_guests.c.o
$(B)/tests/entry.elf: $(ENTRY_OBJECTS) boot/plinth.ld tools/make-symbols.awk
	$(call link,$(ENTRY_OBJECTS))

-include $(filter $(B)/tests/%,$(HOST_OBJECTS:.o=.d) $(ENTRY_OBJECTS:.o=.d))
