# Packaging, deployment and the end-to-end test; included by the Makefile.

STAGE ?= dev
E2E := .cache/e2e-venv

.PHONY: lint-template
lint-template: $(VENV)/test.stamp ## Lint the template of STAGE=dev
	$(PY) -m infra.template --stage $(STAGE)

.PHONY: package
package: $(VENV)/test.stamp ## Package STAGE=dev for AWS into build/dev
	$(PY) -m infra.package --stage $(STAGE)

.PHONY: deploy
deploy: package ## Deploy STAGE=dev; MAIL_FROM= is required the first time, see infra/deploy.py
	$(PY) -m infra.deploy --stage $(STAGE)

# The emulator pins another botocore than the product, hence its own environment.
$(E2E)/installed.stamp: infra/e2e/requirements.txt | $(PY)
	@$(PY) -m venv $(E2E)
	@$(E2E)/bin/python -m pip --disable-pip-version-check --quiet install -r infra/e2e/requirements.txt
	@touch $@

.PHONY: e2e-parts
e2e-parts: $(E2E)/installed.stamp

# Exit code 77: nothing was tested, because the emulator cannot be installed here.
.PHONY: e2e
e2e: package ## Deploy the package to MiniStack and test it through its API Gateway
	@$(MAKE) --no-print-directory e2e-parts || echo "the emulator could not be installed" >&2
	$(PY) -m infra.e2e --template build/$(STAGE)/sam.json --emulator $(E2E)/bin/ministack
