# make run       build and start everything with demo data
# make test      all tests that need no server
# make e2e       the real binaries against real servers
# make help      the rest
SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS   += --no-print-directory

GO       ?= go
GOBUILD  := $(GO) build -p 2 -tags gosnmp_nodebug -ldflags "-s -w"
BIN      := bin
SMALL    := forecaster anomaly-scorer log-classifier alert-webhook \
            exporters/redfish_exporter exporters/ipmi_exporter exporters/snmp_exporter
# The embedded servers are big: their packages are tested without the race detector, whose
# build of them alone takes longer than all other tests. Long tests (accuracy on recordings)
# run without it too.
HEAVY    := github.com/inframind/inframind/cmd/inframind
RACE_PKG  = $(shell $(GO) list ./... | grep -v '^$(HEAVY)')
TEST     := $(GO) test -p 2 -tags gosnmp_nodebug -timeout 10m
DATA     ?= data

.PHONY: help build small run demo once test test-race test-long lint fmt vet check-rules check-generated generate e2e bench bench-peers bench-servers fuzz clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | column -t -s $$'\t'

build: small ## build every binary into bin/
	$(GOBUILD) -o $(BIN)/ ./cmd/inframind

small: ## build the binaries that embed no server
	@mkdir -p $(BIN)
	$(GOBUILD) -o $(BIN)/ $(addprefix ./,$(SMALL))

run: ## build and start the all-in-one with demo data
	@mkdir -p $(BIN)
	$(GOBUILD) -o $(BIN)/ ./cmd/inframind
	$(BIN)/inframind run --demo --data.dir $(DATA)/demo

demo: run ## the same as run

once: ## one whole cycle of everything, then the status table
	@mkdir -p $(BIN)
	$(GOBUILD) -o $(BIN)/ ./cmd/inframind
	$(BIN)/inframind run --demo --once --data.dir $$(mktemp -d)

test: vet test-race test-long check-rules check-generated ## all tests that need no server

vet:
	@$(GO) vet -tags gosnmp_nodebug ./...
	@$(GO) vet -tags e2e ./e2e

test-race:
	@$(TEST) -race -short $(RACE_PKG) | grep -v 'no test files'

test-long:
	@$(TEST) ./... | grep -v 'no test files'

lint: ## golangci-lint at the version pinned in tools/go.mod
	$(GO) tool -modfile=tools/go.mod golangci-lint run ./...

fmt: ## format the code
	$(GO) tool -modfile=tools/go.mod golangci-lint fmt ./...

check-rules: ## promtool on every rule file and its tests, promtool and amtool on deploy/prometheus
	@command -v promtool >/dev/null || { echo "promtool is missing: install the package prometheus" >&2; exit 1; }
	promtool check rules rules/*.yml $$(ls exporters/*/*.rules.yml 2>/dev/null)
	promtool check config deploy/prometheus/prometheus.yml
	amtool check-config deploy/prometheus/alertmanager.yml
	promtool test rules rules/tests/*.yml $$(ls exporters/*/testdata/*.rules_test.yml 2>/dev/null)

generate: ## remake generated files
	$(GO) generate ./dashboards/...

check-generated: generate
	git diff --exit-code -- dashboards

e2e: build ## real binaries, real Prometheus, Alertmanager, Pushgateway and Elasticsearch
	e2e/run.sh

bench: ## speed of our own code
	$(GO) test -run '^$$' -bench . -benchmem -p 1 -timeout 30m $(RACE_PKG)

bench-peers: small ## ours against the tools people use today, same data, same run
	@for s in */bench/peers.sh exporters/*/bench/peers.sh; do [ -x $$s ] || continue; echo "== $$s"; $$s; done

bench-servers: small ## the forecaster against real VictoriaMetrics and Thanos, built from their modules
	forecaster/bench/servers.sh

fuzz: ## every fuzz target for FUZZTIME (default 20s)
	@for p in $$(grep -rl '^func Fuzz' --include='*_test.go' . | xargs -n1 dirname | sort -u); do \
	  for f in $$(grep -ho '^func Fuzz[A-Za-z0-9_]*' $$p/*_test.go | sed 's/func //'); do \
	    echo "== $$p $$f"; $(GO) test $$p -run '^$$' -fuzz "^$$f$$" -fuzztime $${FUZZTIME:-20s}; done; done

clean: ## remove what was built
	rm -rf $(BIN)
