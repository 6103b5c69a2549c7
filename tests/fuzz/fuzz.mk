# SPDX-License-Identifier: BSD-2-Clause
# Fuzzing on the host: each tests/fuzz/fuzz_NAME.c is a libFuzzer target, built with the files that its "UNITS:" lines
# name (as in tests/unit/unit.mk). Its seeds are the files of tests/fuzz/corpus/NAME/.

FUZZCC       := clang
FUZZCFLAGS   := -std=gnu17 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
                -fno-omit-frame-pointer -fno-strict-aliasing $(WARNINGS) -Wno-vla
FUZZ_TARGETS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

$(B)/fuzz/%.o: %.c
	@mkdir -p $(@D)
	$(call say,FUZZCC,$<)
	$(Q)$(FUZZCC) -DHOST_TEST -DFUZZING -Itests/fake -I. $(FUZZCFLAGS) -MMD -MP -c -o $@ $<

define FUZZ_RULE
$(B)/fuzz/$(1): $(patsubst %.c,$(B)/fuzz/%.o,tests/fuzz/$(1).c $(call units_of,tests/fuzz/$(1).c))
	$$(call say,LINK,$$@)
	$(Q)$(FUZZCC) $(FUZZCFLAGS) -o $$@ $$^
endef
$(foreach t,$(FUZZ_TARGETS),$(eval $(call FUZZ_RULE,$(t))))
-include $(shell find $(B)/fuzz -name '*.d' 2>/dev/null)

# Each target once, in the same short way; make fuzz-NAME runs tests/fuzz/fuzz_NAME.c alone.
fuzz: $(FUZZ_TARGETS:%=$(B)/fuzz/%)
	prove tests/fuzz/fuzz.t tests/fuzz/trace-tool.t

fuzz-long: $(FUZZ_TARGETS:%=$(B)/fuzz/%)
	PLINTH_LONG=1 prove -v tests/fuzz/fuzz.t tests/fuzz/trace-tool.t

fuzz-%: $(B)/fuzz/fuzz_%
	prove -v tests/fuzz/fuzz.t :: $*

.PHONY: fuzz fuzz-long
