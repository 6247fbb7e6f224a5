# Everything a developer runs. `make demo` needs Go alone; `make test` installs the servers that the tests start.

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
VERSION_PKG = github.com/prometheus/common/version
LDFLAGS   = -s -w -X $(VERSION_PKG).Version=$(VERSION) -X $(VERSION_PKG).Branch=$(shell git branch --show-current 2>/dev/null) \
            -X $(VERSION_PKG).Revision=$(shell git rev-parse --short HEAD 2>/dev/null)
LINT      = bin/golangci-lint
FUZZTIME ?= 100000x
DEMOFLAGS ?=
ENDTOENDFLAGS ?=

.PHONY: endtoend build demo test deps check fmt lint fuzz bench generate preview screenshots clean

build:
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o servicegroup_exporter .

demo: build ## simulated members that die and return, on http://localhost:10199
	./servicegroup_exporter demo $(DEMOFLAGS)

test: deps ## all tests, against real servers
	go test -race -timeout 15m ./...
	cd tools/browser && go test -count=1 -timeout 5m ./...

deps:
	tools/install-packages
	tools/browser/prepare

check: lint
	go vet ./...
	go mod verify
	go mod tidy -diff
	cd tools/dashboards && go vet ./... && go mod verify && go mod tidy -diff
	cd tools/browser && go vet ./... && go mod tidy -diff

$(LINT): tools/golangci-lint/go.mod
	go build -modfile=tools/golangci-lint/go.mod -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

lint: $(LINT)
	$(LINT) fmt --diff
	$(LINT) run
	cd tools/dashboards && ../../$(LINT) run
	cd tools/browser && ../../$(LINT) run

fmt: $(LINT)
	$(LINT) fmt

fuzz: ## every fuzz test, with so many inputs or for so long
	tools/fuzz $(FUZZTIME)

bench: deps ## scrapes of 1,000 to 100,000 members on real servers; the table in the README
	tools/bench

endtoend: deps ## from death to page, measured; the tables in docs/alerting.md
	go run ./alerts/endtoend $(ENDTOENDFLAGS)

generate: ## files that are made from code
	go generate ./...

preview: deps ## pictures of the dashboards' data, for the documentation
	go test ./dashboards -count=1 -run TestQueries -preview $(CURDIR)/docs/images

screenshots: deps ## the pictures of the pages in docs/images
	cd tools/browser && go test -count=1 -run '^TestCloud$$' -images=../../docs/images .

clean:
	rm -rf bin servicegroup_exporter
