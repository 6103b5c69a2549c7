# SPDX-License-Identifier: BSD-2-Clause
# Builds Plinth, its image and its tests. `make help` lists the goals.

B     := build
CC    := gcc
LD    := ld

WARNINGS := -Wall -Wextra -Wconversion -Werror -Wmissing-prototypes -Wstrict-prototypes -Wvla -Wundef
CFLAGS   := -std=gnu17 -O2 -g -ffreestanding -fno-pic -mcmodel=kernel -mno-red-zone -mgeneral-regs-only \
            -fno-omit-frame-pointer -fstack-protector-strong -mstack-protector-guard=global \
            -fno-asynchronous-unwind-tables \
            -fno-common -fno-strict-aliasing -ffile-prefix-map=$(CURDIR)=. $(WARNINGS)
CPPFLAGS := -I. -I$(B) $(DEFINES)

SOURCES := $(wildcard boot/*.S kernel/*.[cS] arch/x86_64/*.[cS] vcpu/*.c vcpu/vmx/*.[cS] devices/*.c guest/*.[cS] \
           trace/*.c)
OBJECTS := $(SOURCES:%=$(B)/%.o)

all: $(B)/plinth.elf $(B)/plinth.iso

# One short line for each step, and the commands only with V=1.
Q   := $(if $(V),,@)
say  = @$(if $(V),:,$(if $(findstring s,$(firstword -$(MAKEFLAGS))),:,printf '  %-8s %s\n' $(1) $(2)))

# Other flags, other objects: this file changes with them, and everything is built again.
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CPPFLAGS) $(CFLAGS) $(HOT)' | cmp -s - $@ || echo '$(CC) $(CPPFLAGS) $(CFLAGS) $(HOT)' >$@

$(B)/%.c.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

# The files that most exits pass: there each instruction counts, and a backtrace can do without their frames.
HOT := vcpu/vmx/run.c vcpu/vmx/exits.c vcpu/vmx/exits_io.c vcpu/vmx/state.c vcpu/bus.c vcpu/control.c vcpu/cpuid.c vcpu/events.c \
       vcpu/hypercall.c vcpu/io.c vcpu/msr.c vcpu/vcpu.c devices/pit.c devices/pit_counter.c devices/serial.c
$(HOT:%=$(B)/%.o): CFLAGS += -fomit-frame-pointer

$(B)/%.S.o: %.S $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

# $(call link,OBJECTS): linked twice. The first link tells the addresses of the functions, and the second takes the table
# of their names in, behind everything whose address it tells.
LINK := $(LD) -nostdlib -static -z max-page-size=4096 -z noexecstack --build-id=none -T boot/plinth.ld
define link
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@.unnamed $(1)
	$(Q)LC_ALL=C nm -n $@.unnamed | LC_ALL=C awk -f tools/make-symbols.awk >$@.symbols.S
	$(Q)$(CC) -c $@.symbols.S -o $@.symbols.o
	$(Q)$(LINK) -o $@ $(1) $@.symbols.o
	@rm -f $@.unnamed $@.symbols.S $@.symbols.o
endef

$(B)/plinth.elf: $(OBJECTS) boot/plinth.ld tools/make-symbols.awk
	$(call link,$(OBJECTS))

-include $(OBJECTS:.o=.d)

include guest/guest.mk
include tests/unit/unit.mk
include tests/system/system.mk
-include tests/fuzz/fuzz.mk tests/nested/nested.mk

# The image, for CD and USB, BIOS and UEFI.
$(B)/plinth.iso: $(B)/plinth.elf iso/grub.cfg.in tools/make-iso.sh
	$(call say,ISO,$@)
	$(Q)tools/make-iso.sh -o $@ -k $<

# memtest86+, from the distribution's package, which is unpacked and not installed.
$(B)/memtest86+x64.bin:
	@tools/get-memtest.sh $@

# What follows installs missing packages first, then calls make again: the goals behind it may need them to start.
AGAIN := +@$(MAKE) --no-print-directory

## setup         install the packages that the other goals need (on Debian and Ubuntu)
setup:
	@tools/setup.sh

## run           build the image and boot it: in QEMU with nested KVM where there is that, else in Bochs
##               GUEST=memtest runs memtest86+ instead of the demo guest; ARGS="--trace io ..." passes options
run:
	@tools/setup.sh build run
	$(AGAIN) run-needs
	@tools/run.sh '$(GUEST)' $(ARGS)

run-needs: $(B)/plinth.elf $(if $(filter memtest,$(GUEST)),$(B)/memtest86+x64.bin)
	@:

## iso           build the bootable image, build/plinth.iso
iso:
	@tools/setup.sh build
	$(AGAIN) $(B)/plinth.iso

## usb           build build/plinth.img for a USB stick, and tell how to write it; the machine stays on at the end
##               OPTIONS="trace=none ..." is Plinth's command line
usb:
	@tools/setup.sh build
	$(AGAIN) $(B)/plinth.elf
	$(call say,ISO,$(B)/plinth.img)
	@tools/make-iso.sh -o $(B)/plinth.img -a 'onexit=halt $(OPTIONS)'
	@echo "To write $(B)/plinth.img to a stick, find the stick's device with lsblk (ALL that is on it will be lost), then:"
	@echo "  sudo dd if=$(B)/plinth.img of=/dev/sdX bs=4M conv=fsync status=progress"

## test          run all tests: lint, unit, fuzz (short), and whole boots in Bochs and QEMU
test:
	@tools/setup.sh
	$(AGAIN) -j2 test-here

## lint          only the checks of the source: layout, clang-tidy, headers alone, scripts
lint:
	@tools/setup.sh build test
	$(AGAIN) all
	prove -j2 tests/lint

## unit          only the unit tests; make unit-NAME runs tests/unit/test_NAME.c
## fuzz          only the fuzz targets, a short run each that is always the same; make fuzz-NAME runs one of them
## system        only the boots in emulators; prove tests/system/NAME.t runs one of them
SYSTEM_NEEDS := $(B)/plinth.elf $(B)/plinth.iso $(B)/memtest86+x64.bin $(B)/tests/stub.elf $(B)/tests/host.elf \
                $(B)/tests/entry.elf $(B)/counted/plinth.elf $(GUEST_IMAGES)
system: $(SYSTEM_NEEDS)
	prove -j2 tests/system

## check-long    what takes too long for `test`: every CPU model, a full pass of memtest86+, long fuzz runs,
##               100 million random instructions
check-long:
	@tools/setup.sh
	$(AGAIN) $(SYSTEM_NEEDS)
	PLINTH_LONG=1 prove -j2 --timer tests/system
	rm -rf $(B)/tidy
	$(AGAIN) tidy TIDY_STATES=225000
	$(AGAIN) fuzz-long

## check-nested  demo, tiny guests and entry rules under real KVM (Linux with nested KVM inside Bochs)
## oracle        the tiny guests straight from GRUB and under Plinth: where they see a difference; NAME="modes ..." shows
##               the two side by side, CPU=skylake_x chooses the processor
## bench         what VM exits cost, as a table; bench-record writes it into docs/performance.md
BENCH_NEEDS := $(B)/plinth.elf $(B)/counted/plinth.elf $(B)/guest/tests/bench.elf
bench bench-record: $(BENCH_NEEDS)
	tools/bench.py $(if $(filter bench-record,$@),--record)

# The build that counts what the host executes at exits.
$(B)/counted/plinth.elf: FORCE
	+@$(MAKE) --no-print-directory B=$(B)/counted DEFINES=-DCOUNT_DEAR $@

## format        lay out the C source with clang-format
format:
	clang-format -i $$(git ls-files '*.c' '*.h')

## clean         remove build/
clean:
	rm -rf $(B)

## help          this list
help:
	@echo "Goals of make (without one: build build/plinth.elf and build/plinth.iso):"
	@sed -n 's/^## /  /p' Makefile

# Everything under one prove, so that one summary at the end counts it; what takes longest comes first.
TESTS := $(wildcard tests/fuzz/*.t tests/lint/*.t tests/system/*.t)
LONGEST := tests/system/memtest.t tests/lint/tidy.t tests/fuzz/fuzz.t tests/lint/builds.t
test-here: $(SYSTEM_NEEDS) $(UNIT_TESTS:%=$(B)/unit/%) $(FUZZ_TARGETS:%=$(B)/fuzz/%)
	@CMOCKA_MESSAGE_OUTPUT=TAP prove -j2 --timer --exec '' $(LONGEST) $(filter-out $(LONGEST),$(TESTS)) \
		$(UNIT_TESTS:%=$(B)/unit/%)

# clang-tidy, one file at a time; again only when the file or a header of its own changed. Its analyzer follows paths
# through a function until it has seen so many states; its own limit, 225000, is for check-long.
TIDY_SOURCES := $(filter %.c,$(SOURCES))
TIDY_STATES  := 20000
$(B)/tidy/%.c.ok: %.c $(B)/%.c.o .clang-tidy
	@mkdir -p $(@D)
	@clang-tidy --quiet $< -- $(CPPFLAGS) $(CFLAGS) -Xclang -analyzer-config -Xclang max-nodes=$(TIDY_STATES) \
		>$@.log 2>&1 || { cat $@.log; exit 1; }
	@touch $@

# For the tests in tests/lint.
print-flags:
	@echo $(CPPFLAGS) $(CFLAGS)

print-tidy-sources:
	@echo $(TIDY_SOURCES)

tidy: $(TIDY_SOURCES:%=$(B)/tidy/%.ok)

.PHONY: FORCE bench bench-record all setup run run-needs iso usb test test-here lint system check-long format clean help tidy \
        print-flags print-tidy-sources
