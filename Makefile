# Table of contents of the lab. Each target is a call of the command line; nothing is done here only.

.DEFAULT_GOAL := help
SHELL := /bin/bash

SETUP_PYTHON ?= python3
PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
STATELAB := $(BIN)/statelab
UV := $(BIN)/uv pip install --quiet --system-certs --compile-bytecode --python $(BIN)/python
READY := .state/ready

# The lab starts dozens of processes; without bytecode each compiles every library anew, which is two thirds of its start.
unexport PYTHONDONTWRITEBYTECODE

PROFILE ?=
ENGINE ?= auto
RUN ?= reports/latest
comma := ,

##@ The lab
report: $(READY) ## measure and report (PROFILE= ENGINE= WORKLOAD= MECHANISM= DEPLOYMENT= WINDOW= RUNS= PYTHON=3.12 I_MAY_LOAD=URL)
	@$(STATELAB) run --profile "$(PROFILE)" --engine "$(ENGINE)" --workload "$(WORKLOAD)" --mechanism "$(MECHANISM)" \
	  --deployment "$(DEPLOYMENT)" --window "$(WINDOW)" $(if $(RUNS),--runs "$(RUNS)") $(if $(PYTHON),--python "$(PYTHON)") \
	  $(if $(I_MAY_LOAD),--i-may-load "$(I_MAY_LOAD)") $(if $(APP_DIR),--app-dir "$(APP_DIR)")

again: $(READY) ## render a saved run again, without any server (RUN=reports/latest)
	@$(STATELAB) report "$(RUN)"

repro: $(READY) ## show every predicted collision on demand, without load (ENGINE= RUNS= CELL= DEPLOYMENT= PROFILE=)
	@$(STATELAB) repro --all $(CELL) --engine "$(ENGINE)" --deployment "$(DEPLOYMENT)" --profile "$(PROFILE)" $(if $(RUNS),--runs "$(RUNS)")

survive: $(READY) ## end worker, server, store, everything, and see which state is left (MECHANISM=)
	@$(STATELAB) survive --mechanism "$(MECHANISM)"

list: $(READY) ## name every mechanism, deployment, window and profile
	@$(STATELAB) list

up: $(READY) ## bring the whole lab up (ENGINE=compose, local or auto; DEPLOYMENT=)
	@$(STATELAB) up --engine "$(ENGINE)" --deployment "$(DEPLOYMENT)"

load: $(READY) ## Locust web UI against what is up; on several machines MASTER=1 here, WORKER_OF=host there
	@$(STATELAB) load $(if $(MASTER),--master "$(MASTER)") $(if $(WORKER_OF),--worker-of "$(WORKER_OF)")

down: $(READY) ## stop what `make up` started
	@$(STATELAB) down

##@ Docker, Swarm, Kubernetes
engine: ## install and start Docker Engine and Compose, build base images (Debian 12, root, no registry needed)
	@compose/offline/engine up

stack: $(READY) ## .state/stack.json for `docker stack deploy` (SERVICES= PUBLISH= REGISTRY=), see compose/swarm
	@mkdir -p .state && $(BIN)/python compose/swarm/stack.py $(SERVICES) $(if $(PUBLISH),--publish $(PUBLISH)) \
	  --registry "$(REGISTRY)" > .state/stack.json && echo "docker stack deploy --compose-file .state/stack.json --resolve-image never statelab"

manifests: $(READY) ## .state/manifests/<overlay>.yaml for `kubectl apply -f` (REGISTRY=), see kubernetes
	@$(UV) --require-hashes -r requirements/manifests.txt
	@$(BIN)/python kubernetes/manifests.py .state/manifests --registry "$(REGISTRY)"

engine-down: ## stop the Docker Engine that `make engine` started
	@compose/offline/engine down

##@ Development
setup: $(READY) ## make .venv from the locked, hashed requirements; get missing store programs

browser: ## install Chromium and axe-core, which some tests and pictures need (Debian, root)
	@for package in chromium npm; do command -v $$package >/dev/null || { \
	  echo "installing $$package from Debian packages (about 60 s)"; export DEBIAN_FRONTEND=noninteractive; \
	  { apt-get update -qq && apt-get install -y -qq --no-install-recommends $$package fonts-dejavu-core >/dev/null; } || \
	  [ $$package = npm ]; }; done
	@npm ci --prefix requirements/axe --ignore-scripts --no-audit --no-fund --loglevel=error || \
	  echo "axe-core cannot be had from npm here, so the tests that need it are skipped, and say so"

test: $(READY) ## lint, types, and all tests; the Compose tests run where a Docker Engine answers
	@$(MAKE) --no-print-directory -j2 lint tested-servers
	@$(BIN)/pytest -n 4 --dist loadgroup --durations=15

tested-servers: $(READY)
	@$(STATELAB) setup --servers
	@$(UV) --require-hashes -r requirements/manifests.txt

lint: $(READY) ## ruff, mypy (strict), and the layers of src/statelab (import-linter)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports --no-logo

fuzz: $(READY) ## every checker against exhaustive search on random histories; generated apps (MODELS= COUNT=1000000 SEED=)
	@HISTORIES=20000 $(BIN)/pytest -n auto -q tests/check tests/foreign/test_same_verdict.py -k '$(or $(subst $(comma), or ,$(MODELS)),test)'
	@$(if $(MODELS),,AUDITS=50 $(BIN)/pytest -n 2 --timeout=0 -q tests/audit/test_private_lines.py tests/audit/test_generated_apps.py)
	@PYTHONPATH=tests $(BIN)/python tests/fuzz.py --models "$(MODELS)" $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED))

bench: $(READY) ## speed of the checkers, and of the lab as ratios of one run (BENCH=starting, checking, proving, serving, servers, distributed, audit, page or scale)
	@PYTHONPATH=tests $(BIN)/python -m benchmarks $(BENCH)

speed: $(READY) ## measure the checkers and put the table and the plot into docs/checking.md (about 10 min, a quiet machine)
	@PYTHONPATH=tests $(BIN)/python -m benchmarks checking && PYTHONPATH=tests $(BIN)/python -m benchmarks.publish checking

scale: $(READY) ## check datasets of 10^6 to 10^8 operations and put table and model into docs/scale.md (about 10 min, 20 GB of disk)
	@PYTHONPATH=tests LARGEST=$(or $(LARGEST),100000000) $(BIN)/python -m benchmarks scale && PYTHONPATH=tests $(BIN)/python -m benchmarks.publish scale

readme: $(READY) ## put the headline tables of reports/latest into docs/tables.md
	@$(BIN)/python -m statelab.report.docs.tables_page

stores: $(READY) ## write docs/stores.md anew from reports/latest (RUN=; REPLICAS=a run of the profile replicas)
	@$(BIN)/python -m statelab.report.docs.stores_page "$(RUN)" $(REPLICAS)

servers: $(READY) ## write docs/servers.md anew from reports/latest, a run of PROFILE=servers
	@$(BIN)/python -m statelab.report.docs.servers_page

docs: $(READY) ## write docs/mechanisms.md, failures.md, findings.md, cli.md and architecture.svg anew from the code
	@for page in mechanisms_page failures_page findings_page architecture_picture; do $(BIN)/python -m statelab.report.docs.$$page || exit 1; done
	@PYTHONPATH=tests $(BIN)/python tests/shown.py cli.md

orders: $(READY) ## play two requests in every order of their lines anew, for the page of the scheduler (about 2 min)
	@$(BIN)/python -m statelab.repro.orders

site: $(READY) ## build the docs as a site that needs no network, site/index.html; a broken link fails
	@rm -rf site .state/site && mkdir -p .state/site
	@cp -r --parents README.md CONTRIBUTING.md CHANGES.md LICENSE docs examples/findings/*.py examples/maintainers/*.py .state/site
	@$(UV) --require-hashes -r requirements/site.txt
	@NO_COLOR=1 $(BIN)/zensical build --strict --clean
	@echo "the docs: site/index.html"

screenshots: $(READY) ## pictures of a run's pages, wide and narrow, light and dark, in reports/screenshots (RUN= PAGES=addresses, or locust)
	@PYTHONPATH=tests $(BIN)/python tests/screenshots.py "$(RUN)" reports/screenshots $(PAGES)

audit-picture: $(READY) ## audit Flask-Limiter's memory:// and take docs/audit.png, the README's picture, of what is found (about 1 min)
	@$(STATELAB) audit --app-dir examples/audit/flask-limiter-memory --out .state/audit-picture >/dev/null || [ $$? = 1 ]
	@PYTHONPATH=tests $(BIN)/python tests/screenshots.py --picture .state/audit-picture/index.html finding-1 docs/audit.png

audit-examples: $(READY) ## audit real apps from PyPI, write docs/audit-examples.md (about 10 min; SUBJECTS= only checks these)
	@$(BIN)/python examples/audit/run.py $(if $(SUBJECTS),--check $(SUBJECTS))

lock: $(READY) ## write requirements/*.txt anew from pyproject.toml
	@requirements/lock

dist: $(READY) ## build the wheel, dist/statelab-<version>-py3-none-any.whl
	@rm -rf dist && $(BIN)/python -m hatchling build --target wheel

clean: ## remove reports, recordings, the wheel, caches and the environment
	@rm -rf reports recordings dist site .state/site .state/ready .state/packages .state/pythons $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements/dev.txt requirements/bootstrap.txt pyproject.toml
	@echo "setting up $(VENV) from the locked requirements (about 10 s)"
	@$(SETUP_PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "State Lab needs Python 3.11 or newer: make SETUP_PYTHON=python3.x ...")'
	@$(SETUP_PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet --require-hashes -r requirements/bootstrap.txt
	@$(UV) --require-hashes -r requirements/dev.txt
	@$(UV) --no-build-isolation --no-deps --editable .
	@$(STATELAB) setup
	@mkdir -p $(dir $@) && touch $@

.PHONY: report again repro survive list up load down engine stack manifests engine-down browser setup test tested-servers lint fuzz bench speed scale readme stores servers docs orders site screenshots audit-picture audit-examples lock dist clean help
