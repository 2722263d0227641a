# Everything one does with Alta on this machine. `make` alone tells what there is.

# The first Python on the PATH that is new enough.
PYTHON ?= $(firstword $(foreach python,python3 python3.14 python3.13 python3.12 python3.11,\
    $(shell command -v $(python) >/dev/null && $(python) -c 'import sys; sys.version_info >= (3, 11) and print("$(python)")' 2>/dev/null)))
VENV := .venv/bin
DIR ?= samples/upload
JOBS ?= 2

# What `make up` and `make demo` are told: PORT=8010, {NAME}_PORT=…, FRESH=1, ISOLATED=1 (see emulators/README.md).
RUN = $(VENV)/python -m emulators --with-parent $(if $(FRESH),--fresh) $(if $(ISOLATED),--isolated)

.DEFAULT_GOAL := help
.PHONY: help setup demo up test lint package package-check requirements openapi pages bench bench-cold chaos fuzz lock clean

help: ## Tell what there is.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what is missing: Python packages into .venv, firebase-tools into emulators/firebase.
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is missing (https://www.python.org/downloads). Name it: make PYTHON=…"; exit 2; }
	@$(PYTHON) -m emulators.install

demo: BEGAN := $(shell date +%s)
demo: setup ## Upload a folder and show what was read: the samples, or DIR=path.
	@$(RUN) demo "$(DIR)" --began $(BEGAN)

up: setup ## Run the platform on this machine until Ctrl-C; FRESH=1 forgets the last run, ISOLATED=1 as deployed.
	@$(RUN) up

test: lint ## Check and test everything; JOBS=n processes at a time.
	$(VENV)/python -m pytest --numprocesses $(JOBS)

lint: setup ## Check style, types, layers and formats.
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/lint-imports
	$(VENV)/mypy

package: setup ## Make each function's archive, ready to deploy.
	$(VENV)/python -m infra.package

package-check: setup ## Start every function alone, from its archive and its own requirements.
	PACKAGE_CHECK=all $(VENV)/python -m pytest tests/infra/test_package.py

requirements: setup ## Write each function's requirements.txt from what it imports.
	$(VENV)/python -m infra.requirements

openapi: setup ## Write the API's reference from the routes.
	$(VENV)/python -m infra.openapi

pages: setup ## Write the pages that code tells: settings, data model, errors.
	$(VENV)/python -m infra.pages

bench: setup ## Measure everything: operations, requests, cold starts.
	$(VENV)/python -m tests.bench

bench-cold: setup ## Measure each function's start against a bare one.
	$(VENV)/python -m tests.bench.cold

chaos: setup ## Kill parts of the platform while it works, and see that nothing is lost.
	$(VENV)/python -m pytest -m chaos -s tests/chaos

fuzz: setup ## Ask the whole API generated requests; N=how many, SEED=n for the same ones again.
	$(VENV)/python -m tests.fuzz $(if $(N),--requests $(N)) $(if $(SEED),--seed $(SEED))

lock: setup ## Compile requirements.txt from requirements.in.
	$(VENV)/python -m pip install --quiet uv
	$(VENV)/uv pip compile --no-emit-index-url --no-header requirements.in -o requirements.txt

clean: ## Remove what was installed, made and kept.
	rm -rf .venv .alta build emulators/firebase/node_modules
