# Workledger. `make help` lists the targets.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

IS_SUPPORTED := -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
# The first that there is. It also decides on the runtime of the functions that it packages.
PYTHONS := python3.13 python3.12 python3.11 python3 python
PYTHON ?= $(shell for name in $(PYTHONS); do $$name $(IS_SUPPORTED) 2>/dev/null && echo $$name && break; done)
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet
PORT ?= 8000
LIMITS ?= off
# Passed on to pytest, as in `make test ARGS="-k cursors"`.
ARGS ?=
# Each worker has its own engine and runs whole modules, whose fixtures are created once.
PYTEST := $(PY) -m pytest -n auto --maxprocesses 4 --dist loadfile

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---- the environment: a stamp newer than its requirements lets a second run start at once

$(PY):
	@$(PYTHON) $(IS_SUPPORTED) 2>/dev/null || { echo "Workledger needs Python 3.11, 3.12 or 3.13; set PYTHON= to its path" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/serve.stamp: requirements.txt infra/local/requirements.txt | $(PY)
	@echo "Installing the local stack"
	@$(PIP) install -r requirements.txt -r infra/local/requirements.txt
	@$(PY) -m compileall -q infra chalicelib app.py
	@$(PY) -m infra.local.dynoxide || true
	@touch $@

$(VENV)/test.stamp: tests/requirements.txt $(VENV)/serve.stamp
	@echo "Installing the tools for tests and packaging"
	@$(PIP) install -r requirements.txt -r tests/requirements.txt
	@touch $@

# ---- run

.PHONY: serve
serve: $(VENV)/serve.stamp ## Run the product locally: PORT=8000, LIMITS=on|off (by source), WORKLEDGER_STORE=moto|dynoxide
	@exec $(PY) -m infra.local.serve --port $(PORT) --limits $(LIMITS) --end-with-parent

.PHONY: chalice-local
chalice-local: $(VENV)/serve.stamp ## Run Chalice's own `chalice local` over moto: PORT=8000, RELOAD=1 restarts it on any change
	@exec $(PY) -m infra.local.chalice_local --port $(PORT) $(if $(RELOAD),--reload) --end-with-parent

.PHONY: tier
tier: $(VENV)/serve.stamp ## Set a subscription tier in `make serve`: TIER=FREE|PRO|ENTERPRISE ORG=id, e-mail or demo's name
	@$(PY) -m infra.local.tier --port $(PORT) --organization "$(or $(ORG),owner@demo.example)" --tier "$(TIER)"

.PHONY: reset
reset: $(VENV)/serve.stamp ## Drop the data of `make serve`, which must not be running
	@$(PY) -m infra.local.reset

# ---- check

.PHONY: lint
lint: $(VENV)/test.stamp ## Check style and types
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

.PHONY: test
test: $(VENV)/test.stamp ## Run all checks: style, types, the suite, its smoke run on moto, and e2e on the package
	@$(MAKE) --no-print-directory e2e-parts || echo "the emulator could not be installed" >&2
	@$(PY) -m tests.run --emulator $(E2E)/bin/ministack -- $(ARGS)

.PHONY: test-full
test-full: ## Run all checks with the full number of examples for each property
	@WORKLEDGER_BUDGET=full $(MAKE) --no-print-directory test

.PHONY: test-moto
test-moto: $(VENV)/test.stamp ## Run the whole suite on moto, as on machines without dynoxide
	WORKLEDGER_STORE=moto $(PYTEST) $(ARGS)

.PHONY: test-strict
test-strict: $(VENV)/test.stamp ## Run only the suite, on dynoxide or on the engine at TABLE_ENDPOINT=
	WORKLEDGER_STORE=dynoxide $(PYTEST) $(ARGS)

.PHONY: test-one
test-one: $(VENV)/test.stamp ## Run the tests of FILE=tests/…, without setup
	@$(PY) -m pytest --no-header $(FILE) $(ARGS)

.PHONY: prove
prove: $(VENV)/test.stamp ## Inject faults under load and compare the table with the answers: SEED=1 OPERATIONS=1200
	$(PY) -m tests.prove --seed $(or $(SEED),1) $(if $(OPERATIONS),--operations $(OPERATIONS)) $(ARGS)

.PHONY: openapi
openapi: $(VENV)/test.stamp ## Rewrite docs/openapi.json and the table of routes
	$(PY) -m infra.openapi

.PHONY: lint-openapi
lint-openapi: $(VENV)/test.stamp ## Check docs/openapi.json with Redocly and Spectral, from npm
	$(PY) -m infra.lint

.PHONY: bruno
bruno: $(VENV)/test.stamp ## Write build/bruno, a request for each action, to open in Bruno
	@$(PY) -m infra.bruno

.PHONY: screenshots
screenshots: $(VENV)/test.stamp ## Rewrite docs/images/console-*.png, pictures of the console's pages
	WORKLEDGER_SCREENSHOTS=docs/images $(PY) -m pytest --no-header tests/console

.PHONY: mutate
mutate: $(VENV)/test.stamp ## Remove each guard in turn and list those that no test covers: ARGS="--sample 20 --seed 1"
	$(PY) -m benchmarks.mutations $(ARGS)

$(VENV)/bench.stamp: benchmarks/peers/requirements.txt $(VENV)/test.stamp
	@$(PIP) install -r $<
	@touch $@

.PHONY: bench
bench: $(VENV)/bench.stamp ## Run the benchmarks, the last beside services of the usual kinds
	$(PY) -m benchmarks

.PHONY: price
price: $(VENV)/test.stamp ## Print what a million requests of each action cost at list price, and a month of 50 people
	@$(PY) -m benchmarks.price

# package, e2e, deploy
-include infra/package.mk
