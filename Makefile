# SPDX-License-Identifier: BSD-2-Clause
# Builds Plinth, its image and its tests. `make help` lists the goals.

B     := build
CC    := gcc
LD    := ld

WARNINGS := -Wall -Wextra -Wconversion -Werror -Wmissing-prototypes -Wstrict-prototypes -Wvla -Wundef
CFLAGS   := -std=gnu17 -O2 -g -ffreestanding -fno-pic -mcmodel=kernel -mno-red-zone -mgeneral-regs-only \
            -fno-omit-frame-pointer -fstack-protector-strong -fno-asynchronous-unwind-tables \
            -fno-common -fno-strict-aliasing -ffile-prefix-map=$(CURDIR)=. $(WARNINGS)
CPPFLAGS := -I. -I$(B)

SOURCES := $(wildcard boot/*.S kernel/*.[cS] arch/x86_64/*.[cS] vcpu/*.c vcpu/vmx/*.[cS] devices/*.c guest/*.c \
           trace/*.c)
OBJECTS := $(SOURCES:%=$(B)/%.o)

all: $(B)/plinth.elf

$(B)/%.c.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(B)/%.S.o: %.S
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(B)/plinth.elf: $(OBJECTS) boot/plinth.ld
	$(LD) -nostdlib -static -z max-page-size=4096 -z noexecstack --build-id=none -T boot/plinth.ld -o $@ $(OBJECTS)

-include $(OBJECTS:.o=.d)

include tests/unit/unit.mk

clean:
	rm -rf $(B)

.PHONY: all clean
