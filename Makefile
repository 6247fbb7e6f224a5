# The commands of a developer: `make` lists them. docs/testing.md has their times.

VERSION  ?= $(shell tools/version)
REVISION ?= $(shell git rev-parse --short HEAD 2>/dev/null)
VERSION_PKG = github.com/prometheus/common/version
LDFLAGS   = -s -w -X $(VERSION_PKG).Version=$(VERSION) -X $(VERSION_PKG).Revision=$(REVISION)
# The address and the maintainer in packages. A fork sets its own.
export HOMEPAGE   ?= https://github.com/servicegroup-exporter/servicegroup_exporter
export MAINTAINER ?= The servicegroup_exporter Authors <servicegroup-exporter@users.noreply.github.com>
OUTPUT   ?= servicegroup_exporter
TESTED    = $(CURDIR)/.tested/servicegroup_exporter
DIST     ?= dist
ENGINE   ?= podman
IMAGE    ?= servicegroup_exporter:$(subst +,-,$(VERSION))
export GOARCH ?= $(shell go env GOARCH)
# With the same flags everywhere, the program and the tests compile each package once.
export CGO_ENABLED = 0
export GOFLAGS := -buildvcs=false $(filter-out -buildvcs=false,$(shell go env GOFLAGS))
STEP      = @tools/step
GOTEST    = @go run ./tools/gotest
# make check runs vet; as a part of go test it would read all dependencies again. Tests mostly wait for servers and timeouts, so more
# of them, and of packages, run beside each other than there are cores.
TESTFLAGS = -vet=off -timeout 15m -parallel 4
# Tests that compile the program again.
BUILDERS  = ^TestExtend$$
FAULTS    = ^TestQuickFaults$$
# The dashboards, drawn with Grafana's npm packages, which are large.
DASHBOARDS = ^TestDashboards$$
# Rules at nine pairs of intervals of scrapes and evaluations, 30 s of CPU time.
INTERVALS = ^TestRules$$/^promtool$$/^intervals_
# Tests that measure detection in real time, for which the race detector is too slow.
DRILLS    = ^TestDrillsOnAllBackends$$
LINT      = bin/golangci-lint
NFPM      = bin/nfpm
HELM      = bin/helm
SBOM      = bin/cyclonedx-gomod
# Programs of others that evaluate the rules and take the alerts, newer than Debian's, for tests.
EVALUATORS = bin/prometheus bin/promtool bin/alertmanager bin/victoria-metrics bin/vmalert bin/vmalert-tool
# The ZooKeeper client is built without the race detector: it has a data race on lastZxid (go-zookeeper/zk#35, open).
RACE      = -race -gcflags=github.com/go-zookeeper/zk=-race=false
# The packages whose tests wait for the longest begin first, while the others are still compiled.
LONGEST   = ./drivers/zk ./drivers/db ./drivers/mc ./docs
# The tests of the main module; with DETECT_RACES=1 with the race detector.
MAIN_TESTS = @CGO_ENABLED=$(if $(DETECT_RACES),1,0) go run ./tools/gotest . $(TESTFLAGS) -skip '$(BUILDERS)|$(if $(DETECT_RACES),$(DRILLS),$(INTERVALS))' $(if $(DETECT_RACES),$(RACE) -parallel 2,-p 3) $(LONGEST) ./...
FUZZTIME ?= 100000x
SOAKTIME ?= 1h
DEMOFLAGS ?=
ENDTOENDFLAGS ?=
FLAKYRUNS ?= 5
# The packages whose tests start no server.
UNIT      = ./cli/term ./collector/... ./config/... ./drivers ./drivers/zk/layout ./drivers/zk/session ./probe/canary ./tools/... ./web/...

.PHONY: help build tested prepared compiled ci demo endtoend test unit race flaky fresh faults drills page-speed dashboard-speed test-dashboards test-builders test-evaluators test-mysql evaluators deps deps-ci check prose openapi fmt lint fuzz suspicion histories bench soak evaluate packages release test-packaging image generate pictures clean

help: ## list these targets
	@sed -nE 's/^([a-z-]+):.* ## (.*)/  \1\t\2/p' Makefile | sort | expand -t 19

build: ## build ./servicegroup_exporter, or $OUTPUT
	$(STEP) program "Building $(OUTPUT); on a fresh machine Go downloads and compiles 380 packages first, for some two minutes" \
		go build -v $(BUILDFLAGS) -ldflags '$(LDFLAGS)' -o $(OUTPUT) .

demo: build ## run simulated members that die and return, on http://localhost:10199
	./servicegroup_exporter demo $(DEMOFLAGS)

# An unchanged program and its folder keep their time, so that the results of tests that read them stay cached.
tested: ## build the program that tests start
	$(STEP) program "Building the program that tests start; on a fresh machine Go downloads and compiles 380 packages first, for some two minutes" \
		go build -v -ldflags '-s -w -X $(VERSION_PKG).Version=test' -o $(dir $(TESTED))new/ .
	@install -C -m 755 $(dir $(TESTED))new/servicegroup_exporter $(TESTED)

# Debian's packages are configured one after the other, on one core. The other one compiles in that time.
prepared:
	@$(MAKE) --no-print-directory --jobs=2 deps $(if $(DETECT_RACES),tested,compiled)

compiled: tested
	$(STEP) tests "Compiling the tests" sh -c 'go list -v -export -test -f "" ./... && cd e2e && go list -v -export -test -f "" ./...'

test race: export SERVICEGROUP_EXPORTER_BINARY = $(TESTED)
test: prepared ## run all tests against real servers; installs what is missing
	@echo "Testing against real servers: some five minutes; the second time, only what has changed"
	$(MAIN_TESTS)
	$(GOTEST) alerts/runbooks/gen $(TESTFLAGS) -count=1 ./...
	@echo "Testing the built program with a browser, Prometheus and Alertmanager: two minutes"
	$(GOTEST) e2e $(TESTFLAGS) -p 3 -count=1 -skip '$(FAULTS)|$(DASHBOARDS)' ./hosts ./pages $$(cd e2e && go list ./... | grep -vE '/(evaluators|sites)$$')

unit: ## run the tests that start no server, and need only Go
	$(GOTEST) . $(TESTFLAGS) $(UNIT)

race: DETECT_RACES = 1
race: deps-ci tested ## run the tests of the main module with the race detector, which needs gcc
	@echo "Testing with the race detector"
	$(MAIN_TESTS)

flaky: ## run make test $(FLAKYRUNS) times beside two busy loops a core, and list what failed
	tools/flaky $(FLAKYRUNS)

fresh: ## run make demo and make test in a machine of its own with empty caches, for their times; needs root
	tools/fresh

faults: export SERVICEGROUP_EXPORTER_BINARY = $(TESTED)
faults: deps-ci tested ## run the quick part of the fault matrix; the whole of it is "go run ./faults" in e2e
	$(GOTEST) e2e $(TESTFLAGS) -count=1 -run '$(FAULTS)' ./faults

drills: deps ## run a drill on each backend, which make race leaves out
	$(GOTEST) . $(TESTFLAGS) -count=1 -run '$(DRILLS)' ./probe/drill

page-speed: export SERVICEGROUP_EXPORTER_BINARY = $(TESTED)
page-speed: deps tested ## test how fast the page shows 10,000 members, on a machine that does nothing else
	$(GOTEST) e2e $(TESTFLAGS) -count=1 -run '^TestManyMembers$$' ./browser -limits

dashboard-speed: export SERVICEGROUP_EXPORTER_BINARY = $(TESTED)
dashboard-speed: deps tested ## measure how long the dashboards take to load a day of 10,000 members, kept in $DAY if that is a folder
	go test -v -vet=off -timeout 90m -run '^$$' -bench '^BenchmarkDay$$' -benchtime 1x ./dashboards $(if $(DAY),-day=$(abspath $(DAY)))

test-dashboards: export SERVICEGROUP_EXPORTER_BINARY = $(TESTED)
test-dashboards: deps tested ## draw the dashboards with Grafana's own panels, and test what they show
	@tools/install-npm e2e/browser/grafana
	$(GOTEST) e2e $(TESTFLAGS) -count=1 -run '$(DASHBOARDS)' ./browser

test-builders: ## run the tests that compile the program again: the steps of docs/extend.md
	$(GOTEST) . $(TESTFLAGS) -count=1 -run '$(BUILDERS)' ./docs

test-evaluators: export SERVICEGROUP_EXPORTER_BINARY = $(TESTED)
test-evaluators: deps tested evaluators ## test the rules in newer releases of Prometheus, in VictoriaMetrics, and in the ways of sites
	$(GOTEST) e2e $(TESTFLAGS) -count=1 -timeout 25m ./evaluators
	$(GOTEST) e2e $(TESTFLAGS) -count=1 ./sites -all
	$(GOTEST) . $(TESTFLAGS) -count=1 -run TestQueries ./dashboards -prometheus=$(CURDIR)/bin/prometheus
	@SERVICEGROUP_TEST_NEWER=1 go run ./tools/gotest . $(TESTFLAGS) -count=1 -skip TestRandomHistories ./alerts/alertmanager ./alerts/bridge
	@SERVICEGROUP_TEST_NEWER=1 go run ./tools/gotest e2e $(TESTFLAGS) -count=1 ./pages

test-mysql: ## test databases with MySQL 8's protocol, as go-mysql-server implements it again
	$(GOTEST) e2e/mysql8 $(TESTFLAGS) -count=1 ./...

test-packaging: deps-ci $(NFPM) $(SBOM) $(HELM) ## test packages on a machine of their own, manifests, chart, playbooks and releases; needs root
	$(GOTEST) packaging $(TESTFLAGS) -timeout 50m ./...

evaluators: $(EVALUATORS) ## build other versions of Prometheus, Alertmanager and VictoriaMetrics, in bin/

deps: ## install the Debian packages of tools/packages.txt, and the npm packages of the browser tests
	@tools/install-packages tools/packages.txt
	@tools/install-npm e2e/browser

deps-ci: deps ## install also what race, faults and test-packaging need
	@tools/install-packages tools/packages-ci.txt

ci: ## run all checks that must pass before a merge
	$(MAKE) deps-ci
	$(MAKE) build
	$(MAKE) check
	$(MAKE) generate
	git diff --exit-code
	$(MAKE) test DETECT_RACES=1
	$(MAKE) faults
	$(MAKE) drills
	$(MAKE) page-speed
	$(MAKE) test-dashboards
	$(MAKE) test-builders
	$(MAKE) -j2 test-evaluators histories # The first waits for most of its time.
	$(MAKE) suspicion
	$(MAKE) test-mysql
	$(MAKE) test-packaging
	$(MAKE) fuzz FUZZTIME=5000x
	@echo "all checks passed"

check: lint prose openapi ## lint and vet, words included; go mod verify skips modules with a replace directive, which have no checksum
	go vet ./...
	go mod verify
	go mod tidy -diff
	for module in alerts/runbooks/gen e2e e2e/mysql8 packaging tools/prose; do \
		(cd $$module && go vet ./... && (grep -q '^replace' go.mod || go mod verify) && go mod tidy -diff) || exit 1; done

bin/%: tools/%/go.mod # the tool that the module names
	env -u GOARCH go build -trimpath -modfile=$< -o $@ tool

bin/helm: tools/helm/go.mod # with the release of Kubernetes that its libraries have, as Helm's own releases; without, it is 1.20
	env -u GOARCH go build -trimpath -modfile=$< -o $@ -ldflags '-X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=36' tool

bin/prometheus bin/promtool &: tools/prometheus/go.mod # only with the service discoveries that read a file or a URL
	env -u GOARCH go build -trimpath -tags=remove_all_sd -modfile=$< -o bin/ tool

bin/victoria-metrics bin/vmalert bin/vmalert-tool &: tools/victoriametrics/go.mod
	env -u GOARCH go build -trimpath -modfile=$< -o bin/ tool

bin/alertmanager: tools/alertmanager/go.mod
	env -u GOARCH tools/alertmanager/build $@

lint: $(LINT) ## lint the Go code and its format
	$(LINT) fmt --diff
	$(LINT) run --allow-parallel-runners
	cd alerts/runbooks/gen && ../../../$(LINT) run --allow-parallel-runners
	cd e2e && ../$(LINT) run --allow-parallel-runners
	cd e2e/mysql8 && ../../$(LINT) run --allow-parallel-runners
	cd packaging && ../$(LINT) run --allow-parallel-runners
	cd tools/prose && ../../$(LINT) run --allow-parallel-runners

prose: ## lint the words of everything that people read; "tools/prose/check PATH..." lints only some of it
	tools/install-npm tools/prose
	cd tools/prose && go test ./... && node --test
	tools/prose/check

openapi: ## check the description of the API by the rules that Redocly recommends
	tools/openapi/check

fmt: $(LINT) ## format the Go code
	$(LINT) fmt

fuzz: ## run every fuzz test, for $(FUZZTIME): inputs, as 5000x, or a duration
	tools/fuzz $(FUZZTIME)

suspicion: ## count the mistakes of the failure detector with the heartbeats of 10,000 made sources
	cd e2e && go test -count=1 -run '^TestMade$$' -v ./suspicion -runs=10000

histories: deps ## compare the alerts of rules and bridge in 1,000 random histories
	go test -count=1 -timeout 60m -run '^TestRandomHistories$$' ./alerts/bridge -histories=1000

bench: deps ## measure scrapes of 1,000 to 100,000 members on real servers: the tables in docs/evaluation.md
	tools/bench

soak: deps ## check for $(SOAKTIME) that the use of resources does not grow while members, groups and sources come and go
	cd e2e && go test -count=1 -run '^TestSoak$$' -v -timeout 0 ./soak -soak=$(SOAKTIME)

endtoend: deps ## measure the time from death to page: the tables in docs/alerting.md
	cd e2e && go run ./pages $(ENDTOENDFLAGS)
	cd e2e && go run ./hosts

packages: $(NFPM) ## build the Debian and the RPM package for this machine's architecture, or $GOARCH, in dist/
	$(MAKE) --no-print-directory build BUILDFLAGS=-trimpath OUTPUT=$(DIST)/linux-$(GOARCH)/servicegroup_exporter
	VERSION=$(VERSION) DIST=$(DIST) tools/package

image: ## build the container image with podman, or $ENGINE
	$(MAKE) --no-print-directory build BUILDFLAGS=-trimpath OUTPUT=$(DIST)/linux-$(GOARCH)/servicegroup_exporter
	mkdir -p $(DIST)/linux-$(GOARCH)/state
	cp LICENSE NOTICE $(DIST)/linux-$(GOARCH)
	$(ENGINE) build --platform=linux/$(GOARCH) --file=packaging/container/Containerfile --tag=$(IMAGE) --tag=servicegroup_exporter:latest $(DIST)/linux-$(GOARCH)

release: $(NFPM) $(SBOM) ## build archives, packages, repositories and checksums for all architectures, in dist/, signed with $SIGNING_KEY
	VERSION=$(VERSION) DIST=$(DIST) tools/release

evaluate: deps-ci ## measure everything in docs/evaluation.md; EVALUATEFLAGS=--short takes minutes
	tools/evaluate $(EVALUATEFLAGS)

generate: ## regenerate files that are generated from code
	go generate ./...

pictures: export SERVICEGROUP_EXPORTER_BINARY = $(TESTED)
pictures: deps tested ## take the pictures of the pages and the dashboards in docs/images
	@tools/install-npm e2e/browser/grafana
	cd e2e/browser && go test -count=1 -run '^TestCloud$$|^TestHosts$$|$(DASHBOARDS)' -images=../../docs/images .

clean: ## remove what is built here
	rm -rf .tested bin dist servicegroup_exporter
