# Wrought: build, test and run. `make help` lists what there is.

SHELL   := /bin/bash
BUILD   ?= build
# The private engines of demo and tests, with their images and data. Outside BUILD: `make clean` may
# run while an engine does.
export BUILD
export STATE ?= $(CURDIR)/.state
PREFIX  ?= /usr/local
ifeq ($(origin CC),default)
CC      := gcc
endif
VERSION := 0.1.0

PKGS    := libmicrohttpd json-c libcurl libseccomp sqlite3 libarchive libcrypto
WARN    := -Wall -Wextra -Wshadow -Wvla -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Walloca -Werror
OPT     ?= -O2 -g
SAN     ?=
CFLAGS  += -std=gnu11 $(OPT) $(WARN) $(SAN) -fno-omit-frame-pointer -pthread -MMD -MP
CPPFLAGS += -iquote . -D_GNU_SOURCE -DWROUGHT_VERSION='"$(VERSION)"' $(PKG_CFLAGS)
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LDLIBS  := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm
LDFLAGS += -pthread $(SAN)

# A plain `make` uses all processors; a -j on the command line overrides this.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif

# One line a file; make V=1 shows the commands, make -s nothing.
ifneq ($(V),)
say =
else ifneq ($(findstring s,$(firstword -$(MAKEFLAGS))),)
say = @
else
say = @printf '  %-4s %s\n' $(1) $@;
endif

# Every .c in a room belongs to it; main.c is what makes it a program.
srcs = $(wildcard $(1)/*.c)
objs = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

LIB_SRC    := $(call srcs,lib) $(call srcs,api)
SERVER_SRC := $(call srcs,server)
RUNNER_SRC := $(call srcs,runner) $(call srcs,runner/engine)
CLI_SRC    := $(call srcs,cli)
INIT_SRC   := $(call srcs,runner/init)
# wrought-init is static and links nothing but these and libc.
INIT_SHARED := api/frame.c api/netrule.c lib/buf.c lib/err.c lib/clock.c lib/civil.c

PROGRAMS := $(BUILD)/wrought $(BUILD)/wrought-server $(BUILD)/wrought-runner $(BUILD)/wrought-init

.PHONY: all
all: $(PROGRAMS)

LIBA := $(BUILD)/libwrought.a
$(LIBA): $(call objs,$(LIB_SRC))
	@mkdir -p $(@D); rm -f $@
	$(call say,AR)ar rcs $@ $^

# Says which packages are missing before the compiler stumbles over them.
PACKAGES_OK := $(BUILD)/packages-ok
$(PACKAGES_OK): docker/packages.txt
	@docker/packages.sh require build
	@mkdir -p $(@D) && touch $@

$(BUILD)/obj/%.o: %.c | $(PACKAGES_OK)
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# What it includes with .incbin, which -MMD does not see.
$(BUILD)/obj/cli/dotworker_runtime.o $(BUILD)/fuzz/obj/cli/dotworker_runtime.o: $(wildcard cli/templates/*)
$(BUILD)/obj/cli/cmd_completion.o: $(wildcard cli/shell/*)
$(BUILD)/obj/server/h_ops.o $(BUILD)/fuzz/obj/server/h_ops.o: api/openapi.yaml

$(BUILD)/wrought: $(call objs,$(CLI_SRC)) $(LIBA)
$(BUILD)/wrought-server: $(call objs,$(SERVER_SRC)) $(LIBA)
$(BUILD)/wrought-runner: $(call objs,$(RUNNER_SRC)) $(LIBA)
$(BUILD)/wrought $(BUILD)/wrought-server $(BUILD)/wrought-runner:
	$(call say,LINK)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# No sanitizer in init: it is static, and runs in containers that have nothing else. Its tests can run
# with one all the same: make BUILD=build-isan INIT_OPT='-O1 -g' INIT_LINK=-fsanitize=address,undefined
INIT_OPT  ?= -Os
INIT_LINK ?= -static -s
$(BUILD)/initobj/%.o: %.c | $(PACKAGES_OK)
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CPPFLAGS) $(filter-out -fsanitize%,$(CFLAGS)) $(INIT_OPT) $(filter -fsanitize%,$(INIT_LINK)) -c -o $@ $<
$(BUILD)/wrought-init: $(patsubst %.c,$(BUILD)/initobj/%.o,$(INIT_SRC) $(INIT_SHARED))
	$(call say,LINK)$(CC) $(INIT_LINK) -o $@ $^

# Manual pages, written by the programs themselves from their tables of verbs and options.
MAN := $(BUILD)/man/wrought.1 $(BUILD)/man/wrought-server.8 $(BUILD)/man/wrought-runner.8
$(BUILD)/man/%.1: $(BUILD)/%
	@mkdir -p $(@D)
	$(call say,MAN)$< man >$@.tmp && mv $@.tmp $@
$(BUILD)/man/%.8: $(BUILD)/%
	@mkdir -p $(@D)
	$(call say,MAN)$< --man >$@.tmp && mv $@.tmp $@
.PHONY: man
man: $(MAN) ## the manual pages, in build/man

# Unit tests: tests/unit/test_X.c is a program of its own. It may use every room but the mains.
TEST_SRC  := $(wildcard tests/unit/test_*.c)
TESTS     := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(TEST_SRC))
# Archives, so that a test links only what it uses.
$(BUILD)/libserver.a: $(call objs,$(filter-out %/main.c,$(SERVER_SRC)))
$(BUILD)/librunner.a: $(call objs,$(filter-out %/main.c,$(RUNNER_SRC)))
$(BUILD)/libcli.a: $(call objs,$(filter-out %/main.c,$(CLI_SRC)))
# Behind all others, whose modules of the same names come first.
$(BUILD)/libinit.a: $(call objs,$(filter-out %/main.c,$(INIT_SRC)))
$(BUILD)/libserver.a $(BUILD)/librunner.a $(BUILD)/libcli.a $(BUILD)/libinit.a:
	@mkdir -p $(@D); rm -f $@
	$(call say,AR)ar rcs $@ $^
$(BUILD)/tests/%: tests/unit/%.c $(LIBA) $(BUILD)/libserver.a $(BUILD)/librunner.a $(BUILD)/libcli.a $(BUILD)/libinit.a
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -MF $@.d -o $@ $< $(BUILD)/libserver.a $(BUILD)/librunner.a \
	    $(BUILD)/libcli.a $(LIBA) $(BUILD)/libinit.a $(LIBA) $(LDLIBS)

# The lister that tests/unit/cron_ten_years.py compares with another implementation.
$(BUILD)/tests/cron_list: tests/unit/cron_list.c $(LIBA)
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -MF $@.d -o $@ $< $(LIBA) $(LDLIBS)

# Measurements: bench/X.c is a program of its own.
$(BUILD)/bench/%: bench/%.c $(LIBA) $(BUILD)/libserver.a
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -MF $@.d -o $@ $< $(BUILD)/libserver.a $(LIBA) $(LDLIBS)

# The lister of routes that tests/api/openapi.t compares with api/openapi.yaml.
$(BUILD)/tests/list_routes: tests/api/list_routes.c $(LIBA) $(BUILD)/libserver.a
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -MF $@.d -o $@ $< $(BUILD)/libserver.a $(LIBA) $(LDLIBS)

# Tests that run a program that was built.
$(BUILD)/tests/test_init $(BUILD)/tests/test_init_boxed: $(BUILD)/wrought-init

# Tests in C that need an engine: a .t in tests/engine runs them.
ENGINE_TESTS := $(patsubst tests/engine/%.c,$(BUILD)/tests/engine/%,$(wildcard tests/engine/test_*.c))
$(BUILD)/tests/engine/%: tests/engine/%.c $(LIBA) $(BUILD)/librunner.a
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -MF $@.d -o $@ $< $(BUILD)/librunner.a $(LIBA) $(LDLIBS)

# Programs that tests run inside tasks: static, because test images hold no libraries.
PROBES := $(patsubst tests/probe/%.c,$(BUILD)/probe/%,$(wildcard tests/probe/*.c))
$(BUILD)/probe/%: tests/probe/%.c
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CPPFLAGS) $(filter-out -fsanitize%,$(CFLAGS)) -static -MF $@.d -o $@ $<

.PHONY: tests
tests: $(TESTS) $(BUILD)/tests/cron_list $(BUILD)/tests/list_routes

# ---- targets for people; `make help` prints the ## texts

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z][a-zA-Z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile tests/fuzz/fuzz.mk | expand -t 22

.PHONY: deps deps-test deps-compat
deps: ## install the Debian packages for building and running (root)
	@docker/packages.sh install build run
deps-test: ## … and those for the tests (root)
	@docker/packages.sh install build run test
deps-compat: ## … and npm, for the tests with clients as they were published (root)
	@docker/packages.sh install build run test compat

.PHONY: stacks stack-NAME
stacks: ## build every stack image on the engine of DOCKER_HOST, or the default one
	@stacks/build.sh
stack-NAME: ## build one stack image, for example make stack-sh
	@echo 'NAME stands for a folder of stacks/: $(notdir $(patsubst %/,%,$(wildcard stacks/*/)))'
stack-%:
	@stacks/build.sh $*

.PHONY: images
images: ## build the images wrought-server and wrought-runner (docker/compose.yml runs them)
	@WROUGHT_VERSION=$(VERSION) docker/images.sh

# Packages come before the build, which a prerequisite in the same make could not see (pkg-config has
# been asked by then): so a make of its own.
.PHONY: demo run
demo: deps ## set everything up, run a task in a container, show it, stop again
	@echo 'Building' && $(MAKE) --no-print-directory -s all
	@examples/demo.sh demo
run: deps ## the same set-up, serving until Ctrl-C
	@echo 'Building' && $(MAKE) --no-print-directory -s all
	@examples/demo.sh run

# Each group is a make of its own, after the packages and in this order: the cheapest failure first.
.PHONY: check check-fast check-unit check-api check-engine
check: ## every test: lint, unit, api, and engine on a private Docker Engine (root)
	@tests/run.sh preflight
	@[ "$$(id -u)" != 0 ] || $(MAKE) --no-print-directory deps-test
	@$(MAKE) --no-print-directory check-fast
	@$(MAKE) --no-print-directory check-engine
check-fast: lint ## lint, unit and api tests: no engine, no network
	@$(MAKE) --no-print-directory check-unit
	@$(MAKE) --no-print-directory check-api
check-unit: tests ## the C tests of single modules
	@tests/run.sh unit
check-api: all $(BUILD)/tests/list_routes ## black-box tests of server and CLI
	@tests/run.sh api
check-engine: all $(ENGINE_TESTS) $(PROBES) ## black-box tests that run containers
	@tests/run.sh engine

# Not in check: it needs a registry, and Debian's npm is 376 packages.
.PHONY: check-compat
check-compat: ## IronWorker's own npm client against server, runner and engine (root, network)
	@tests/run.sh preflight
	@[ "$$(id -u)" != 0 ] || $(MAKE) --no-print-directory deps-compat
	@$(MAKE) --no-print-directory all
	@tests/run.sh compat

.PHONY: check-san check-tsan
check-san: export OPT := -O1 -g
check-san: export SAN := -fsanitize=address,undefined -fno-sanitize-recover=all
check-san: ## unit and api tests under ASan and UBSan, in build-san
	@$(MAKE) --no-print-directory BUILD=build-san check-unit
	@$(MAKE) --no-print-directory BUILD=build-san check-api
check-tsan: export OPT := -O1 -g
check-tsan: export SAN := -fsanitize=thread
check-tsan: ## unit and api tests under TSan, in build-tsan
	@$(MAKE) --no-print-directory BUILD=build-tsan check-unit
	@$(MAKE) --no-print-directory BUILD=build-tsan check-api

.PHONY: lint fmt
lint: ## include directions, library owners, format, words, shell scripts
	@docker/packages.sh require build test
	@tests/run.sh lint
fmt: ## clang-format all C files in place
	@clang-format -i $$(find lib api server runner cli tests -name '*.[ch]')

.PHONY: install
SHARE = $(DESTDIR)$(PREFIX)/share
install: all $(MAN) ## install under DESTDIR and PREFIX (/usr/local)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/wrought/stacks
	install -m 0755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	ln -sf wrought $(DESTDIR)$(PREFIX)/bin/iron_worker
	install -d $(addprefix $(SHARE)/,man/man1 man/man8 bash-completion/completions zsh/site-functions fish/vendor_completions.d)
	install -m 0644 $(filter %.1,$(MAN)) $(SHARE)/man/man1
	install -m 0644 $(filter %.8,$(MAN)) $(SHARE)/man/man8
	ln -sf wrought.1 $(SHARE)/man/man1/iron_worker.1
	install -m 0644 cli/shell/wrought.bash $(SHARE)/bash-completion/completions/wrought
	ln -sf wrought $(SHARE)/bash-completion/completions/iron_worker
	install -m 0644 cli/shell/wrought.zsh $(SHARE)/zsh/site-functions/_wrought
	install -m 0644 cli/shell/wrought.fish $(SHARE)/fish/vendor_completions.d/wrought.fish
	ln -sf wrought.fish $(SHARE)/fish/vendor_completions.d/iron_worker.fish
	cp -R stacks/. $(DESTDIR)$(PREFIX)/share/wrought/stacks

.PHONY: clean
clean: ## remove what was built; engines and their images stay in .state
	rm -rf $(BUILD) build-san build-tsan

-include tests/fuzz/fuzz.mk
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
