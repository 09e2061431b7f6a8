# Wrought: build, test and run. `make help` lists what there is.

BUILD   ?= build
PREFIX  ?= /usr/local
CC      ?= gcc
VERSION := 0.1.0

PKGS    := libmicrohttpd json-c libcurl libseccomp sqlite3 libarchive libcrypto
WARN    := -Wall -Wextra -Wshadow -Wvla -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Walloca -Werror
OPT     ?= -O2 -g
SAN     ?=
CFLAGS  += -std=gnu11 $(OPT) $(WARN) $(SAN) -fno-omit-frame-pointer -pthread -MMD -MP
CPPFLAGS += -iquote . -D_GNU_SOURCE -DWROUGHT_VERSION='"$(VERSION)"' $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LDLIBS  := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm
LDFLAGS += -pthread $(SAN)

# Every .c in a room belongs to it; main.c is what makes it a program.
srcs = $(wildcard $(1)/*.c)
objs = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

LIB_SRC    := $(call srcs,lib) $(call srcs,api)
SERVER_SRC := $(call srcs,server)
RUNNER_SRC := $(call srcs,runner) $(call srcs,runner/engine)
CLI_SRC    := $(call srcs,cli)
INIT_SRC   := $(call srcs,runner/init)
# wrought-init is static and links nothing but these and libc.
INIT_SHARED := api/frame.c lib/buf.c lib/err.c

PROGRAMS := $(BUILD)/wrought $(BUILD)/wrought-server $(BUILD)/wrought-runner $(BUILD)/wrought-init

.PHONY: all
all: $(PROGRAMS)

LIBA := $(BUILD)/libwrought.a
$(LIBA): $(call objs,$(LIB_SRC))
	@mkdir -p $(@D); rm -f $@
	ar rcs $@ $^

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(BUILD)/wrought: $(call objs,$(CLI_SRC)) $(LIBA)
$(BUILD)/wrought-server: $(call objs,$(SERVER_SRC)) $(LIBA)
$(BUILD)/wrought-runner: $(call objs,$(RUNNER_SRC)) $(LIBA)
$(BUILD)/wrought $(BUILD)/wrought-server $(BUILD)/wrought-runner:
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# No sanitizer in init: it is static, and runs in containers that have nothing else.
$(BUILD)/initobj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(filter-out -fsanitize%,$(CFLAGS)) -Os -c -o $@ $<
$(BUILD)/wrought-init: $(patsubst %.c,$(BUILD)/initobj/%.o,$(INIT_SRC) $(INIT_SHARED))
	$(CC) -static -s -o $@ $^

# Unit tests: tests/unit/test_X.c is a program of its own. It may use every room but the mains.
TEST_SRC  := $(wildcard tests/unit/test_*.c)
TESTS     := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(TEST_SRC))
# Archives, so that a test links only what it uses.
$(BUILD)/libserver.a: $(call objs,$(filter-out %/main.c,$(SERVER_SRC)))
$(BUILD)/librunner.a: $(call objs,$(filter-out %/main.c,$(RUNNER_SRC)))
$(BUILD)/libcli.a: $(call objs,$(filter-out %/main.c,$(CLI_SRC)))
$(BUILD)/libserver.a $(BUILD)/librunner.a $(BUILD)/libcli.a:
	@mkdir -p $(@D); rm -f $@
	ar rcs $@ $^
$(BUILD)/tests/%: tests/unit/%.c $(LIBA) $(BUILD)/libserver.a $(BUILD)/librunner.a $(BUILD)/libcli.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -MF $@.d -o $@ $< $(BUILD)/libserver.a $(BUILD)/librunner.a \
	    $(BUILD)/libcli.a $(LIBA) $(LDLIBS)

.PHONY: tests
tests: $(TESTS)

.PHONY: clean
clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
