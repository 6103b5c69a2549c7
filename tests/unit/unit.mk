# SPDX-License-Identifier: BSD-2-Clause
# Unit tests on the host: each tests/unit/test_NAME.c is a cmocka program. Its line "UNITS: a.c b.c" names the
# project's files that it links, the very files of the hypervisor; headers in tests/fake/ stand before the real ones.

HOSTCC     := gcc
HOSTCFLAGS := -std=gnu17 -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer \
              -fno-strict-aliasing $(WARNINGS) -Wno-vla
UNIT_TESTS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
units_of    = $(shell sed -n 's/.*UNITS: *\([^*]*\).*/\1/p' $(1))

# Each file is compiled once, for all tests that link it.
$(B)/unit/%.o: %.c
	@mkdir -p $(@D)
	$(call say,HOSTCC,$<)
	$(Q)$(HOSTCC) -DHOST_TEST -Itests/fake -I. $(HOSTCFLAGS) -MMD -MP -c -o $@ $<

define UNIT_RULE
$(B)/unit/$(1): $(patsubst %.c,$(B)/unit/%.o,tests/unit/$(1).c $(call units_of,tests/unit/$(1).c))
	$$(call say,LINK,$$@)
	$(Q)$(HOSTCC) $(HOSTCFLAGS) -o $$@ $$^ -lcmocka
endef
$(foreach t,$(UNIT_TESTS),$(eval $(call UNIT_RULE,$(t))))
-include $(shell find $(B)/unit -name '*.d' 2>/dev/null)

unit: $(UNIT_TESTS:%=$(B)/unit/%)
	CMOCKA_MESSAGE_OUTPUT=TAP prove --exec '' $(UNIT_TESTS:%=$(B)/unit/%)

# One test alone: make unit-NAME
unit-%: $(B)/unit/test_%
	CMOCKA_MESSAGE_OUTPUT=TAP $<

.PHONY: unit
