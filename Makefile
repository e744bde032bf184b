# Everything a person or a machine does here. Without make: README.md has the same in plain Python lines.
PYTHON ?= python3
PORT ?=
VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)

.DEFAULT_GOAL := help
.PHONY: help run test lint audit bench clean setup setup-dev

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@echo "  PYTHON=python3.12 chooses the Python that makes $(VENV); PORT=8051 another port for run"

run: setup ## set up if need be, and open the studio on http://127.0.0.1:8050
	@$(BIN)/python app.py $(if $(PORT),--port $(PORT))

test: setup-dev lint ## set up if need be, then lint, types, import contracts and all tests
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations 10 --ignore tests/browser
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations 10 tests/browser

lint: setup-dev ## code style, the rules of bandit, types and import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

audit: ## look the lock file up among known vulnerabilities, with pip-audit in an environment of its own; needs a network
	@$(PYTHON) -m venv $(VENV)-audit && $(VENV)-audit/$(notdir $(BIN))/pip install -q pip-audit
	@$(VENV)-audit/$(notdir $(BIN))/pip-audit --disable-pip --require-hashes -r requirements-lock.txt

bench: setup-dev ## measure this machine; results in benchmarks/results
	@failed=; for each in startup first_frame speed memory; do $(BIN)/python -m benchmarks.$$each || failed=1; done; [ -z "$$failed" ]

clean: ## remove what was made here: the environment, caches, builds
	@rm -rf $(VENV) $(VENV)-audit build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup:
	@$(PYTHON) tools/prepare.py $(VENV)

setup-dev:
	@$(PYTHON) tools/prepare.py $(VENV) --dev
