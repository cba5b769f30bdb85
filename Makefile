# Every target visits every module of the repository: a module that a command forgets, rots.
# Needs Go, bash and, for -race, a C compiler; the tools are built from tools/go.mod on first use, and redis-server is installed
# for the tests where it is missing (.ci/packages).

SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c

# A checkout owned by another user, or none of git's at all, must not stop a build; a go.work around it must not change it.
export GOFLAGS := $(strip $(GOFLAGS) -buildvcs=false)
export GOWORK  := off

FUZZTIME  ?= 10s
TESTFLAGS ?=
STORMFLAGS ?=
BENCHTIME ?= 100ms
COUNT     ?= 10

# Files not committed yet count too, deleted ones do not; without git, whatever lies in the tree.
GOMODS  := $(wildcard $(or $(shell git ls-files -co --exclude-standard -- go.mod '*/go.mod' 2>/dev/null),$(shell find . -name go.mod)))
MODULES := $(filter-out tools,$(sort $(patsubst ./%,%,$(patsubst %/,%,$(dir $(GOMODS))))))
TOOL    := go tool -modfile=$(CURDIR)/tools/go.mod

# $(call each,MODULES,COMMAND) runs the command in every module, goes on after a failure and fails in the end.
each = status=0; for m in $(1); do echo "== $@: $$m"; (cd $$m && $(2)) || status=1; done; exit $$status

.PHONY: help test fuzz cover lint vet fix-check fmt fmt-check tidy tidy-check bench storm fleet quickstart

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

test: ## run every test of every module with -race and -shuffle=on (TESTFLAGS=-v for more)
	@.ci/packages redis-server chromium prometheus
	@$(call each,$(MODULES),go test -race -shuffle=on $(TESTFLAGS) ./...)

# go test -fuzz takes one target at a time, hence the list first.
fuzz: ## run each fuzz target of each module for FUZZTIME (10s)
	@for m in $(MODULES); do \
		listing=$$(cd $$m && go test -list '^Fuzz' ./...); \
		awk '/^Fuzz/ { name[n++] = $$1 } /^ok/ { for (i = 0; i < n; i++) print $$2, name[i]; n = 0 }' <<<"$$listing" | \
		while read -r package target; do \
			echo "== fuzz: $$m $$target"; \
			(cd $$m && $(CURDIR)/.ci/fuzz "$$package" "$$target" $(FUZZTIME)); \
		done; \
	done

cover: ## print the statement coverage of the core, and its functions that are not wholly covered
	@go test -coverpkg=. -coverprofile=cover.out ./...
	@go tool cover -func=cover.out | awk '!/100.0%$$/ || /^total:/'

lint: ## run golangci-lint (.golangci.yml), staticcheck among its linters
	@$(call each,$(MODULES),$(TOOL) golangci-lint run --config $(CURDIR)/.golangci.yml ./...)

vet: ## run go vet
	@$(call each,$(MODULES),go vet ./...)

fix-check: ## fail if go fix would change anything
	@$(call each,$(MODULES),go fix -diff ./...)

fmt: ## format everything with gofumpt
	@$(TOOL) gofumpt -w .

fmt-check: ## fail if gofumpt would change anything
	@files=$$($(TOOL) gofumpt -l .); test -z "$$files" || { echo "not gofumpt-ed (make fmt):"; echo "$$files"; exit 1; }

tidy: ## run go mod tidy
	@$(call each,$(MODULES) tools,go mod tidy)

tidy-check: ## fail if go mod tidy would change anything
	@$(call each,$(MODULES) tools,go mod tidy -diff)

# Round by round, not with -count, which would measure one contender ten times before it comes to the next: the machine's
# speed drifts, and only what is measured side by side can be compared.
bench: ## measure what a successful call costs beyond a bare one, ours beside the peers, and print the tables
	@cd bench && go test -c -o overhead.test . && \
	for round in $$(seq $(COUNT)); do ./overhead.test -test.run '^$$' -test.bench Overhead -test.benchtime $(BENCHTIME); done | tee overhead.txt
	@cd bench && go run ./ratio overhead.txt

storm: ## run every scenario of overload and outage with ours and the peers, in virtual time (STORMFLAGS="-scenario S1 -seeds 1" for a part)
	@go run -C bench ./storm $(STORMFLAGS)

fleet: ## run the demonstration of a fleet: several processes, one quota over Redis; needs redis-server
	@go run -C examples ./fleet

quickstart: ## run the demonstration: the real SDK against a fake Tencent Cloud, with and without the transport
	@go run -C examples ./quickstart
