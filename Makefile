# SPDX-License-Identifier: MIT
# Everything made lies under build/. `make help` lists the targets; V=1 shows the commands.

BUILD   := build
CC      ?= gcc
PKGCONF ?= pkg-config
CFLAGS  ?= -O2 -g
STD     := -std=gnu11 -D_GNU_SOURCE -Iinclude -I. -Wall -Wextra -Wshadow -Wpointer-arith \
           -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wno-unused-parameter -fno-strict-aliasing
HARDEN  := -D_FORTIFY_SOURCE=2 -fstack-protector-strong
Q       := $(if $(filter 1,$(V)),,@)
say      = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' '$(1)' '$(2)')

.DEFAULT_GOAL := all
.PHONY: all kmod deps demo try-distributed check check-all bench bench-cloud bench-scale bench-guest accuracy style unit fuzz install install-dkms deb clean help
.DELETE_ON_ERROR:

# $(call program,name,sources,pkg-config packages,extra libraries): build/bin/name
# $(call testprog,name,sources,packages,extra libraries):           build/tests/name, run by tests/run
# $(call archive,name,sources,packages):                            build/lib/name.a
define compile-rules
$(foreach s,$(filter %.c,$(2)),$(eval $(call object-rule,$(s),$(3))))
endef
define object-rule
ifndef seen-$(1)
seen-$(1) := 1
$(BUILD)/obj/$(1:.c=.o): $(1) | deps-present
	$$(call say,CC,$(1))
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(STD) $$(HARDEN) $$(CFLAGS) $$(CFLAGS_$(1)) $$(if $(2),$$(shell $$(PKGCONF) --cflags $(2))) -MMD -MP -c -o $$@ $$<
-include $(BUILD)/obj/$(1:.c=.d)
endif
endef
define link-rule
$(call compile-rules,$(1),$(2),$(3))
$(1): $(patsubst %.c,$(BUILD)/obj/%.o,$(filter %.c,$(2))) $(filter %.a,$(2))
	$$(call say,LD,$(1))
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CFLAGS) -o $$@ $$^ $$(if $(3),$$(shell $$(PKGCONF) --libs $(3))) $(4) $$(LDFLAGS)
endef
define program
$(eval $(call link-rule,$(BUILD)/bin/$(1),$(2),$(3),$(4)))
PROGRAMS += $(BUILD)/bin/$(1)
endef
define testprog
$(eval $(call link-rule,$(BUILD)/tests/$(1),$(2),$(3),$(4)))
TESTPROGS += $(BUILD)/tests/$(1)
endef
define archive
$(call compile-rules,$(1),$(2),$(3))
$(BUILD)/lib/$(1).a: $(patsubst %.c,$(BUILD)/obj/%.o,$(2))
	$$(call say,AR,$$@)
	@mkdir -p $$(@D)
	$$(Q)rm -f $$@ && $$(AR) rcs $$@ $$^
endef

# $(call plugin,name,sources,flags,packages,extra libraries): build/plugins/name.so, of sluice/detector.h
define plugin
$(BUILD)/plugins/$(1).so: $(2) include/sluice/detector.h | deps-present
	$$(call say,PLUGIN,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(STD) $$(HARDEN) $$(CFLAGS) -fPIC -shared $(3) $$(if $(4),$$(shell $$(PKGCONF) --cflags $(4))) \
		-o $$@ $$(filter %.c,$$^) $$(if $(4),$$(shell $$(PKGCONF) --libs $(4))) $(5) $$(LDFLAGS)
endef

# In the order a frame meets them.
include $(sort $(wildcard kmod/build.mk))
-include lib/build.mk
-include relay/build.mk
-include cloud/build.mk
-include tools/build.mk
-include tests/build.mk

all: $(PROGRAMS) ## build every user-space program into build/bin

kmod: ## build build/kmod/sluice.ko against KDIR (default: the newest installed amd64 headers)
	$(Q)tools/deps kmod
	$(Q)tests/vm/kbuild $(KDIR) $(if $(PLANT),SLUICE_PLANT=$(PLANT))

deps: ## install the Debian packages that building and testing need
	$(Q)tools/deps build kmod check scale demo bench

# One cheap stamp: a machine with only git, make and apt gets the compiler and libraries here.
.PHONY: deps-present
deps-present: $(BUILD)/.deps
$(BUILD)/.deps: tools/deps
	$(Q)mkdir -p $(BUILD)
	$(Q)tools/deps build && touch $@

tests: $(TESTPROGS)

check: ## set up, build and run every test that gates a change
	$(Q)tools/deps build kmod check scale demo kernel
	$(Q)tests/run check

check-all: ## check, and the slow matrix
	$(Q)tools/deps build kmod check scale demo kernel bench deb
	$(Q)tests/run check all

unit: ## unit tests only
	$(Q)tests/run unit

demo: ## camera to summary in a virtual machine; CLIP=file MODE=capture|tap
	$(Q)tools/deps build kmod demo
	$(Q)$(MAKE) --no-print-directory all kmod
	$(Q)tests/vm/demo $(if $(MODE),--mode $(MODE)) $(if $(CLIP),--clip '$(CLIP)')

try-distributed: ## the main job on three brokers, PostgreSQL and a bucket; CLIP=file OUT=dir (default build/try)
	$(if $(CLIP),,$(error say which: make try-distributed CLIP=file OUT=dir))
	$(Q)tools/deps build scale
	$(Q)$(MAKE) --no-print-directory all
	$(Q)SLUICE_BACKEND=distributed $(BUILD)/bin/sluice-try '$(CLIP)' '$(or $(OUT),$(BUILD)/try)'

bench: ## ratios against peers, in one run, to build/bench.json
	$(Q)tools/deps build bench
	$(Q)tests/bench/run

bench-cloud: ## 1,000 devices against the cloud node, its memory, handshakes, cost of a byte; rows of build/bench.json
	$(Q)tools/deps build bench
	$(Q)tests/bench/cloud

bench-scale: ## one and two workers, and ingest, on three brokers, PostgreSQL and a bucket; rows of build/bench.json
	$(Q)tools/deps build bench scale
	$(Q)tests/bench/scale

bench-guest: ## what the module costs, in guests: tapped DQBUF, four cameras, CPU beside motion
	$(Q)tools/deps build kmod demo bench
	$(Q)$(MAKE) --no-print-directory all kmod guest-programs
	$(Q)tests/vm/bench

accuracy: ## the gate and the events against clips with truth files and generated scenes
	$(Q)tools/deps build
	$(Q)$(MAKE) --no-print-directory all tests
	$(Q)tests/accuracy/run

style: ## clang-format, checkpatch, sparse, cppcheck, banned calls
	$(Q)tools/deps check kmod
	$(Q)tests/style

PREFIX ?= /usr/local
install: all ## programs, man pages and shell completion to PREFIX (default /usr/local), below DESTDIR
	$(Q)install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/zsh/site-functions
	$(Q)install -m 755 $(wildcard $(BUILD)/bin/*) $(DESTDIR)$(PREFIX)/bin
	$(Q)install -m 644 $(wildcard docs/man/*.1) $(DESTDIR)$(PREFIX)/share/man/man1
	$(Q)install -m 644 tools/completion/sluicectl.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/sluicectl
	$(Q)install -m 644 tools/completion/sluice-cloud.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/sluice-cloud
	$(Q)install -m 644 tools/completion/_sluicectl tools/completion/_sluice-cloud $(DESTDIR)$(PREFIX)/share/zsh/site-functions
	$(Q)install -d $(addprefix $(DESTDIR)$(PREFIX)/,share/man/man5 share/doc/sluice lib/systemd/system lib/sysusers.d lib/tmpfiles.d)
	$(Q)install -m 644 $(wildcard docs/man/*.5) $(DESTDIR)$(PREFIX)/share/man/man5
	$(Q)install -m 644 relay/relay.conf.example cloud/cloud.conf.example relay/sluice-relay-settings.conf docs/metrics.md docs/operations.md docs/detector.md $(DESTDIR)$(PREFIX)/share/doc/sluice
	$(Q)install -d $(DESTDIR)$(PREFIX)/include/sluice $(DESTDIR)$(PREFIX)/lib/sluice
	$(Q)for p in $(wildcard $(BUILD)/plugins/detector-*.so); do install -m 644 $$p $(DESTDIR)$(PREFIX)/lib/sluice || exit 1; done
	$(Q)install -m 644 include/sluice/detector.h $(DESTDIR)$(PREFIX)/include/sluice
	$(Q)install -m 644 relay/sysusers.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/sluice.conf
	$(Q)install -m 644 relay/tmpfiles.conf $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/sluice.conf
	$(Q)install -m 644 cloud/sysusers.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/sluice-cloud.conf
	$(Q)install -m 644 cloud/tmpfiles.conf $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/sluice-cloud.conf
	$(Q)for p in relay cloud; do u=$(DESTDIR)$(PREFIX)/lib/systemd/system/sluice-$$p.service; \
		sed 's|@PREFIX@|$(PREFIX)|g' $$p/sluice-$$p.service >$$u && chmod 644 $$u || exit 1; done

DKMS = $(DESTDIR)/usr/src/sluice-$(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
install-dkms: ## the module's sources and udev rule to where dkms and udev look (docs/kernel.md)
	$(Q)rm -rf $(DKMS)
	$(Q)install -d $(DKMS)/kmod $(DKMS)/include/sluice $(DESTDIR)/usr/lib/udev/rules.d
	$(Q)install -m 644 Kbuild dkms.conf $(DKMS)
	$(Q)install -m 644 kmod/*.[ch] $(DKMS)/kmod
	$(Q)install -m 644 include/sluice/*.h $(DKMS)/include/sluice
	$(Q)install -m 644 kmod/99-sluice.rules $(DESTDIR)/usr/lib/udev/rules.d

deb: ## Debian packages of what install and install-dkms install, to build/deb
	$(Q)tools/deps build deb
	$(Q)tools/deb $(BUILD)/deb

clean: ## remove build/
	$(Q)rm -rf $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14
