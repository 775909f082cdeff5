# Table of contents of the lab. Each target is a call of the command line; nothing is done here only.

.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STATELAB := $(BIN)/statelab
UV := $(BIN)/uv pip install --quiet --system-certs --compile-bytecode --python $(BIN)/python
READY := .state/ready

# The lab starts dozens of processes; without bytecode each compiles every library anew, which is two thirds of its start.
unexport PYTHONDONTWRITEBYTECODE

PROFILE ?= standard
ENGINE ?= auto
RUN ?= reports/latest
comma := ,

##@ The lab
report: $(READY) ## measure and report (PROFILE= ENGINE= WORKLOAD= MECHANISM= DEPLOYMENT= WINDOW= RUNS=)
	@$(STATELAB) run --profile "$(PROFILE)" --engine "$(ENGINE)" --workload "$(WORKLOAD)" --mechanism "$(MECHANISM)" \
	  --deployment "$(DEPLOYMENT)" --window "$(WINDOW)" $(if $(RUNS),--runs "$(RUNS)")

again: $(READY) ## render a saved run again, without any server (RUN=reports/latest)
	@$(STATELAB) report "$(RUN)"

repro: $(READY) ## show every predicted collision on demand, without load (ENGINE= RUNS= CELL= DEPLOYMENT=)
	@$(STATELAB) repro --all $(CELL) --engine "$(ENGINE)" --deployment "$(DEPLOYMENT)" $(if $(RUNS),--runs "$(RUNS)")

survive: $(READY) ## end worker, server, store, everything, and see which state is left (MECHANISM=)
	@$(STATELAB) survive --mechanism "$(MECHANISM)"

list: $(READY) ## name every mechanism, deployment, window and profile
	@$(STATELAB) list

up: $(READY) ## bring the whole lab up (ENGINE=compose, local or auto; DEPLOYMENT=)
	@$(STATELAB) up --engine "$(ENGINE)" --deployment "$(DEPLOYMENT)"

load: $(READY) ## Locust web UI against what is up
	@$(STATELAB) load

down: $(READY) ## stop what `make up` started
	@$(STATELAB) down

##@ Docker
engine: ## install and start Docker Engine and Compose, build base images (Debian 12, root, no registry needed)
	@compose/offline/engine up

engine-down: ## stop the Docker Engine that `make engine` started
	@compose/offline/engine down

##@ Development
setup: $(READY) ## make .venv from the locked, hashed requirements; get missing store programs

browser: ## install Chromium, which some tests and pictures need (Debian, root)
	@command -v chromium >/dev/null || { echo "installing chromium from Debian packages (about 60 s)"; \
	  export DEBIAN_FRONTEND=noninteractive; \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; }

test: $(READY) lint ## lint, types, and all tests; the Compose tests run where a Docker Engine answers
	@$(BIN)/pytest -n auto -m 'not process and not docker'
	@$(BIN)/pytest -n 3 --dist loadfile --durations=15 -m process
	@$(BIN)/pytest --durations=5 -m docker

lint: $(READY) ## ruff, mypy (strict), and the layers of src/statelab (import-linter)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports --no-logo

fuzz: $(READY) ## every checker against exhaustive search on random histories (MODELS= COUNT=1000000 SEED=)
	@HISTORIES=20000 $(BIN)/pytest -n auto -q tests/check -k '$(or $(subst $(comma), or ,$(MODELS)),test)'
	@PYTHONPATH=tests $(BIN)/python tests/fuzz.py --models "$(MODELS)" $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED))

bench: $(READY) ## speed of the checkers, and of the lab as ratios of one run (BENCH=starting, checking, proving or serving)
	@$(BIN)/python -m benchmarks $(BENCH)

speed: $(READY) ## measure the checkers and put the table and the plot into docs/checking.md (about 10 min, a quiet machine)
	@$(BIN)/python -m benchmarks checking && $(BIN)/python -m benchmarks.publish

readme: $(READY) ## put the headline table of reports/latest into the README
	@$(BIN)/python -m statelab.report.docs.readme_headline

stores: $(READY) ## write docs/stores.md anew from reports/latest
	@$(BIN)/python -m statelab.report.docs.stores_page

docs: $(READY) ## write docs/mechanisms.md, failures.md, findings.md and architecture.svg anew from the code
	@for page in mechanisms_page failures_page findings_page architecture_picture; do $(BIN)/python -m statelab.report.docs.$$page || exit 1; done

audit-examples: $(READY) ## audit real apps from PyPI, write docs/audit-examples.md (about 15 min)
	@$(BIN)/python examples/audit/run.py

lock: $(READY) ## write requirements/*.txt anew from pyproject.toml
	@requirements/lock

clean: ## remove reports, recordings, caches and the environment
	@rm -rf reports recordings .state/ready .state/packages $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements/dev.txt requirements/bootstrap.txt pyproject.toml
	@echo "setting up $(VENV) from the locked requirements (about 10 s)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "State Lab needs Python 3.11 or newer: make PYTHON=python3.x ...")'
	@$(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet --require-hashes -r requirements/bootstrap.txt
	@$(UV) --require-hashes -r requirements/dev.txt
	@$(UV) --no-build-isolation --no-deps --editable .
	@$(STATELAB) setup
	@mkdir -p $(dir $@) && touch $@

.PHONY: report again repro survive list up load down engine engine-down browser setup test lint fuzz bench speed readme stores docs audit-examples lock clean help
