# Weir. `make` lists what there is to make.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
DESTDIR ?=
# Where `make install` lets alerts link to; by default the folder that it puts docs into.
DOCS_URL ?=
RELEASE := .build/release/weir
# What `make install` installs. Another one than the release build must be there already.
BINARY ?= $(RELEASE)
DURATION ?= 60s
CLIENTS ?= 20
FUZZ_TIME ?= 60

# Every import must be a declared dependency: that is what holds the floor plan up.
SWIFT_FLAGS := --explicit-target-dependency-import-check error
SWIFT_SOURCES := Package.swift Sources Tests
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.NOTPARALLEL:
.PHONY: help build demo test debug unit system bench defence-bench fuzz golden format lint install

help: ## list these targets
	@awk -F ":.*## " '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The release binary has the Swift runtime inside, so that it runs where there is no toolchain.
build: ## build the release binary
	@.ci/packages libraries
	@.ci/quiet "release build" \
	    swift build -c release --product weir --static-swift-stdlib $(SWIFT_FLAGS)
	@.ci/quiet "release build of the SQLite extension" \
	    swift build -c release --product weir_store --static-swift-stdlib $(SWIFT_FLAGS)

demo: build ## run gateway and simulated clients on loopback (DURATION=60s CLIENTS=20)
	@$(RELEASE) demo --clients $(CLIENTS) --duration $(DURATION)

test: unit system ## install what is missing, build, run every test

debug:
	@.ci/packages libraries tests
	@.ci/quiet "debug build" swift build --build-tests $(SWIFT_FLAGS)

unit: debug # the tests that need neither root nor network
	@.ci/quiet "unit tests" swift test --skip-build

# Network namespaces and TUN devices need root; nothing outside them is changed.
system: debug # the tests with real peers
	@.ci/unpack libreswan openiked
	@$(if $(SUDO),echo "system tests make network namespaces: running them by sudo")
	@$(SUDO) env PATH="$$PATH" PYTHONDONTWRITEBYTECODE=1 \
	    WEIR="$${WEIR:-$(CURDIR)/.build/debug/weir}" \
	    python3 -m unittest discover -v -s Tests/SystemTests

bench: build ## measure Weir and strongSwan side by side; writes docs/benchmarks.md
	@.ci/packages tests
	@$(SUDO) env PATH="$$PATH" PYTHONDONTWRITEBYTECODE=1 \
	    python3 .ci/bench $(RELEASE) --write docs/benchmarks.md
	@$(SUDO) env PATH="$$PATH" PYTHONDONTWRITEBYTECODE=1 \
	    python3 .ci/bench-page $(RELEASE) --write docs/benchmarks.md

defence-bench: ## measure half-open IKE SAs, sessions, cookie challenges (release build)
	@swift run -c release defence-bench

fuzz: debug ## run each fuzz target under Tests/Fuzz for FUZZ_TIME=60 seconds
	@python3 .ci/fuzz $(FUZZ_TIME)

golden: debug ## write the golden files and docs/records.md anew; read the diff
	@WEIR_GOLDEN=1 .ci/quiet "golden files" swift test --skip-build
	@.build/debug/weir records --format markdown > docs/records.md.new
	@mv docs/records.md.new docs/records.md
	@git --no-pager diff --stat

format: ## format all Swift code in place
	@swift format --in-place --parallel --recursive $(SWIFT_SOURCES)

lint: debug ## check format and imports
	@.ci/quiet "format" swift format lint --strict --parallel --recursive $(SWIFT_SOURCES)
	@.ci/quiet "scripts" bash -n .ci/packages .ci/unpack .ci/quiet .ci/run .ci/install

install: $(if $(filter $(RELEASE),$(BINARY)),build) ## install under DESTDIR and PREFIX (default /usr/local)
	@DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" SYSCONFDIR="$(SYSCONFDIR)" DOCS_URL="$(DOCS_URL)" \
	    .ci/install "$(BINARY)"
