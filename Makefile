# Two commands are enough: `make run` and `make test`. Both make the environment they need.
# VENV=folder puts that environment elsewhere; PYTHON=program chooses the interpreter.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV ?= .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt

# The first interpreter that really starts, is new enough and can make an environment.
define FIND_PYTHON
for candidate in $(or $(PYTHON),python3.11 python3.12 python3.13 python3 python); do \
	if "$$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
		echo "$$candidate"; exit 0; \
	fi; \
done; \
echo 'No Python 3.11 or newer with its venv module was found$(if $(PYTHON), as $(PYTHON), on PATH).' >&2; \
echo 'Install one (on Debian or Ubuntu: python3.11 and python3.11-venv), or name it: make run PYTHON=/path/to/python3.11' >&2; \
exit 1
endef

.PHONY: help run test lint format locale screenshots install install-dev clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: install  ## Install what is needed and open the chat on the bundled tasks
	@$(BIN)/iterate $(ARGS)

# Nothing in the suite needs a network, a language model or the user's own settings.
test lint: export HF_HUB_OFFLINE := 1
test lint: export HF_HUB_DISABLE_TELEMETRY := 1
test lint: export DO_NOT_TRACK := 1
test lint: export LANGSMITH_TRACING := false
test lint: export OPENAI_API_KEY :=
test lint: export OPENAI_BASE_URL :=

test: lint  ## Install what is needed, then check style, types and imports, and run every test
	$(BIN)/python -m pytest -n 2 --dist worksteal $(PYTEST_ARGS)

lint: install-dev  ## Check style, types and import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install-dev  ## Rewrite the code in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Locations stay out of the catalogue and messages are sorted, so that a diff of it shows only what changed in the text.
locale: install-dev  ## Collect the messages of the code into the catalogue and compile it
	$(BIN)/pybabel -q extract -F agent/locale/babel.cfg -k T --no-default-keywords --no-location --sort-output --width 120 \
		--project iterate-mode -o $(VENV)/iterate.pot agent tools
	$(BIN)/pybabel -q update -D iterate -i $(VENV)/iterate.pot -d agent/locale -l zh_TW --no-fuzzy-matching \
		--ignore-obsolete --ignore-pot-creation-date --width 120
	$(BIN)/pybabel -q compile -D iterate -d agent/locale -l zh_TW --statistics

screenshots: install-dev  ## Take the pictures of the README again from the real program (WORKSPACE=folder with a trained stance)
	$(BIN)/python .github/screenshots.py $(WORKSPACE)

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

# The stamps are older than pyproject.toml or constraints.txt exactly when an installation is due.
$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/pip
	$(PIP_INSTALL) -e '.[embedded]'
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(BIN)/pip
	$(PIP_INSTALL) -e '.[embedded,dev]'
	@touch $@ $(VENV)/.installed

# pip is the last thing that venv puts there: an environment that was interrupted is made again.
$(BIN)/pip:
	@python=$$($(FIND_PYTHON)) && echo "Making the environment $(VENV) with $$("$$python" --version)" && \
		"$$python" -m venv "$(VENV)"

clean:  ## Remove the environment and caches; tasks, runs and the workspace stay
	rm -rf "$(VENV)" dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find agent tools tests -name __pycache__ -type d -prune -exec rm -rf {} +
