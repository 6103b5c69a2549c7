# SPDX-License-Identifier: BSD-2-Clause
# The stand-in for Plinth with which the run scripts are tested.
$(B)/tests/stub.elf: tests/system/stub.c
	@mkdir -p $(@D)
	$(CC) -m32 -std=gnu17 -O1 -ffreestanding -fno-pic -fno-stack-protector -mgeneral-regs-only -Wall -Wextra -Werror \
		-nostdlib -static -Wl,--build-id=none,-Ttext=0x100000,-z,noexecstack -o $@ $<
