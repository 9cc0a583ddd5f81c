# Workledger. `make help` lists the targets.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

IS_311 := -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'
PYTHON ?= $(shell for each in python3.11 python3 python; do $$each $(IS_311) 2>/dev/null && echo $$each && break; done)
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet
PORT ?= 8000
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
serve: $(VENV)/serve.stamp ## Run the product here: PORT=8000, WORKLEDGER_STORE=moto|dynoxide
	@exec $(PY) -m infra.local.serve --port $(PORT) --end-with-parent

.PHONY: reset
reset: ## Drop the data that `make serve` keeps
	@rm -rf .cache/local && echo "Dropped the local data"

# ---- check

# $(call when-possible,name,command that succeeds when its parts can be had,target)
define when-possible
if $(2); then $(MAKE) --no-print-directory $(3); \
else printf '\n%s\n%s\n%s\n\n' '****************************************' '**** SKIPPED: $(1), see above why' '****************************************'; fi
endef

.PHONY: lint
lint: $(VENV)/test.stamp ## Check style and types
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

.PHONY: test
test: lint ## Run every check: style, types, the suite on moto, then the strict pass and the e2e where they can run
	WORKLEDGER_STORE=moto $(PYTEST) $(ARGS)
	@$(call when-possible,strict pass,$(PY) -m infra.local.dynoxide,test-strict)
	@$(call when-possible,e2e,$(MAKE) --no-print-directory e2e-parts,e2e)

.PHONY: test-strict
test-strict: $(VENV)/test.stamp ## Run the suite and its nets on dynoxide, or on the engine at TABLE_ENDPOINT=
	WORKLEDGER_STORE=dynoxide $(PYTEST) $(ARGS)

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
