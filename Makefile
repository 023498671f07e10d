# health-checker: build, install, test. `make help` lists the targets.
SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build

CARGO   ?= cargo
PREFIX  ?= /usr
DESTDIR ?=
TARGET  ?= $(or $(CARGO_TARGET_DIR),target)
BIN      = $(TARGET)/release/health-checker

bindir       = $(DESTDIR)$(PREFIX)/bin
systemdir    = $(DESTDIR)$(PREFIX)/lib/systemd
dracutdir    = $(DESTDIR)$(PREFIX)/lib/dracut/modules.d

.PHONY: build install help setup tools image demo test test-container test-machine bench torture pyyaml fuzz

build: ## the release binary
	$(CARGO) build --release --locked

install: build ## everything below DESTDIR, as a package would
	install -Dm755 $(BIN) $(bindir)/health-checker
	install -d $(systemdir)/system-generators
	ln -sfn ../../../bin/health-checker $(systemdir)/system-generators/health-checker-generator
	install -Dm644 -t $(systemdir)/system systemd/*.service systemd/*.target systemd/*.timer
	install -Dm644 -t $(systemdir)/system-preset systemd/*.preset
	install -Dm644 -t $(systemdir)/catalog systemd/*.catalog
	install -Dm755 -t $(dracutdir)/50health-checker dracut/50health-checker/*.sh

setup: ## what the tests need of this machine: installed, or named
	@tests/setup.sh

tools: setup ## the tree of tools that the tests run in, once
	@tests/tools/build

image: setup ## the test machine's disks, if anything in them changed
	@tests/vm/image/build

demo: setup ## first boot, a bad update and the rollback, told as it happens (V=1: raw console)
	@tests/vm/demo

test: setup ## every check, every container story, the short machine stories (SKIP_VM=1: without)
	@tests/run-all

test-container: setup ## container stories; STORY=… only those with that in their name
	@tests/run-stories container $(STORY)

test-machine: setup ## every machine story; STORY=… only those with that in their name
	@tests/run-stories vm $(STORY)

bench: setup ## what the claims about speed and size are measured with; CLAIM=… only those with that in their name
	@tests/bench/run $(CLAIM)

torture: setup ## the power cut at N points (200) of what is written, BOOTS (3) of them booted; SEED=…, RECORDING=…
	@N=$(N) BOOTS=$(BOOTS) SEED=$(SEED) tests/vm/torture/run $(RECORDING)

pyyaml: setup ## N documents of YAML (20000), read by us and by PyYAML; SEED=…
	@N=$(or $(N),20000) SEED=$(SEED) tests/pyyaml/run

fuzz: ## libFuzzer on everything that reads bytes from outside, TIME=60 seconds each; PARSER=… only that
	@TIME=$(TIME) tests/fuzz $(PARSER)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | column -ts $$'\t'
