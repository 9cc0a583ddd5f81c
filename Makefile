# Workledger. `make help` lists the targets.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

IS_311 := -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'
PYTHON ?= $(shell for each in python3.11 python3 python; do $$each $(IS_311) 2>/dev/null && echo $$each && break; done)
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet
PORT ?= 8000
LIMITS ?= off
# Passed on to pytest, as in `make test ARGS="-k cursors"`.
ARGS ?=
# The tests share nothing but the processor: each worker has an engine of its own, and whole modules, which are furnished once.
PYTEST := $(PY) -m pytest -n auto --maxprocesses 4 --dist loadfile

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---- the environment: each stamp is younger than what it was made from, so a second run starts at once

$(PY):
	@$(PYTHON) $(IS_311) 2>/dev/null || { echo "Workledger needs Python 3.11; set PYTHON= to where it is" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/serve.stamp: requirements.txt infra/local/requirements.txt | $(PY)
	@echo "Installing what the local stack needs"
	@$(PIP) install -r requirements.txt -r infra/local/requirements.txt
	@$(PY) -m compileall -q infra chalicelib app.py
	@$(PY) -m infra.local.dynoxide || true
	@touch $@

$(VENV)/test.stamp: tests/requirements.txt $(VENV)/serve.stamp
	@echo "Installing the tools that test and package"
	@$(PIP) install -r requirements.txt -r tests/requirements.txt
	@touch $@

# ---- run

.PHONY: serve
serve: $(VENV)/serve.stamp ## Run the product here: PORT=8000, LIMITS=on|off (by source), WORKLEDGER_STORE=moto|dynoxide
	@exec $(PY) -m infra.local.serve --port $(PORT) --limits $(LIMITS) --end-with-parent

.PHONY: reset
reset: ## Drop the data that `make serve` keeps
	@rm -rf .cache/local && echo "Dropped the local data"

# ---- check

.PHONY: lint
lint: $(VENV)/test.stamp ## Check style and types
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

.PHONY: test
test: $(VENV)/test.stamp ## Run every check: style, types, the suite, its smoke run on moto, and the e2e on the package
	@$(MAKE) --no-print-directory e2e-parts || echo "the emulator could not be installed" >&2
	@$(PY) -m tests.run --emulator $(E2E)/bin/ministack -- $(ARGS)

.PHONY: test-full
test-full: ## Run every check with as many examples of each property as it ever gets
	@WORKLEDGER_BUDGET=full $(MAKE) --no-print-directory test

.PHONY: test-moto
test-moto: $(VENV)/test.stamp ## Run the whole suite on moto, as where there is no dynoxide
	WORKLEDGER_STORE=moto $(PYTEST) $(ARGS)

.PHONY: test-strict
test-strict: $(VENV)/test.stamp ## Run the suite alone on dynoxide, or on the engine at TABLE_ENDPOINT=
	WORKLEDGER_STORE=dynoxide $(PYTEST) $(ARGS)

.PHONY: test-one
test-one: $(VENV)/test.stamp ## Run the tests of FILE=tests/…, at once
	@$(PY) -m pytest --no-header $(FILE) $(ARGS)

.PHONY: prove
prove: $(VENV)/test.stamp ## Write while everything breaks, and hold the table against the answers: SEED=1 OPERATIONS=1200
	$(PY) -m tests.prove --seed $(or $(SEED),1) $(if $(OPERATIONS),--operations $(OPERATIONS)) $(ARGS)

.PHONY: openapi
openapi: $(VENV)/test.stamp ## Write docs/openapi.json anew
	$(PY) -m infra.openapi

.PHONY: mutate
mutate: $(VENV)/test.stamp ## Remove each guard in turn and name those that no test misses: ARGS="--sample 20 --seed 1"
	$(PY) -m benchmarks.mutations $(ARGS)

.PHONY: bench
bench: $(VENV)/test.stamp ## Measure
	$(PY) -m benchmarks

# package, e2e, deploy
-include infra/package.mk
