# Fuzzers: tests/fuzz/fuzz_X.c is a libFuzzer target under ASan and UBSan; inputs to start from may be in
# tests/fuzz/seeds/X. What it learns stays in $(FUZZ_BUILD)/corpus/X; what breaks it in $(FUZZ_BUILD).

FUZZ_SECONDS ?= 600
FUZZ_BUILD   := $(BUILD)/fuzz
FUZZ_CC      ?= clang
FUZZ_FLAGS   := -std=gnu11 -O1 -g $(WARN) -fno-omit-frame-pointer -pthread -MMD -MP \
                -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
FUZZERS      := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_OBJ     := $(patsubst %.c,$(FUZZ_BUILD)/obj/%.o,\
                $(filter-out %/main.c,$(LIB_SRC) $(SERVER_SRC) $(RUNNER_SRC) $(CLI_SRC)))

$(FUZZ_BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(CPPFLAGS) $(FUZZ_FLAGS) -c -o $@ $<

# An archive, so that a fuzzer links only what it uses.
$(FUZZ_BUILD)/rooms.a: $(FUZZ_OBJ)
	@rm -f $@
	ar rcs $@ $^

$(FUZZ_BUILD)/fuzz_%: $(FUZZ_BUILD)/obj/tests/fuzz/fuzz_%.o $(FUZZ_BUILD)/rooms.a
	$(FUZZ_CC) -fsanitize=fuzzer,address,undefined -pthread -o $@ $^ $(LDLIBS)

# Ten seconds for one input, where microseconds are usual, is a finding too.
.PHONY: $(FUZZERS:%=fuzz-%)
$(FUZZERS:%=fuzz-%): fuzz-%: $(FUZZ_BUILD)/fuzz_%
	@mkdir -p $(FUZZ_BUILD)/corpus/$*
	$< -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
	    -artifact_prefix=$(FUZZ_BUILD)/$*- $(FUZZ_BUILD)/corpus/$* $(wildcard tests/fuzz/seeds/$*)

.PHONY: fuzz fuzz-NAME
fuzz: ## every fuzzer under ASan and UBSan, one after the other, FUZZ_SECONDS each (600)
	@for f in $(FUZZERS); do $(MAKE) --no-print-directory fuzz-$$f || exit 1; done
fuzz-NAME: ## one of them, for example make fuzz-json
	@echo 'NAME stands for one of: $(FUZZERS)'
