# Annals. A newcomer needs two commands, `make demo` and `make test`: Python 3.11 or newer, make and a network are enough.
# `make` alone lists the others. PYTHON=python3.13 chooses the interpreter of a new .venv (`make clean` first to change it).

PYTHON ?= python3
UV := uv==0.13.9

# An activated venv, a PYTHONPATH or pip settings that install elsewhere would reach into ours. A mirror set for pip is kept.
unexport PYTHONPATH PYTHONHOME PYTHONSTARTUP VIRTUAL_ENV PIP_USER PIP_TARGET PIP_PREFIX PIP_ROOT PIP_REQUIRE_VIRTUALENV
export PYTHONNOUSERSITE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Every path is relative, so that the checkout may stand in a folder with spaces in its name. A .venv holds its folder's name
# and the locks' packages: the stamps carry a checksum of both, and a moved checkout or a changed lock builds it anew.
PY := .venv/bin/python
FINGERPRINT := $(shell { pwd -P; cat requirements.lock requirements-dev.lock; } | cksum | tr -dc '0-9')
RUNTIME := .venv/runtime-$(FINGERPRINT)
DEV := .venv/dev-$(FINGERPRINT)
PROJECT := .venv/project-$(FINGERPRINT)

# A Python that was upgraded or removed under us leaves a .venv that cannot run.
ifneq ($(shell $(PY) -c 'print("runs")' 2>/dev/null),runs)
$(shell rm -f .venv/runtime-* .venv/dev-* .venv/project-*)
endif

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test check format check-format lint types bench soak lock clean

help:
	@echo 'make demo      build .venv, start everything, take in sample data and print a screen pop'
	@echo 'make test      run the tests, those on a real Kafka broker too (ARGS="tests/infra -k log" for some of them)'
	@echo 'make check     everything a change must pass: format, lint, types, tests'
	@echo 'make format    lay the code out, sort its imports'
	@echo 'make lint      ruff'
	@echo 'make types     mypy --strict'
	@echo 'make soak      the long repetitions'
	@echo 'make bench     the measurements, beside a bare path in the same run'
	@echo 'make lock      write the lock files from pyproject.toml (UPGRADE=1: with the newest versions)'
	@echo 'make clean     remove .venv and what the tools left; never your data'

demo: $(PROJECT)
	@examples/demo.sh

test: $(PROJECT) $(DEV)
	@$(PY) -m pytest $(ARGS)

soak: $(PROJECT) $(DEV)
	@$(PY) -m pytest -m soak $(ARGS)

check: check-format lint types test

format: $(DEV)
	@$(PY) -m ruff check --select I --fix --quiet .
	@$(PY) -m ruff format .

check-format: $(DEV)
	@$(PY) -m ruff format --check .

lint: $(DEV)
	@$(PY) -m ruff check .

types: $(DEV)
	@$(PY) -m mypy

bench: $(PROJECT) $(DEV)
	@for file in bench/[a-z]*.py; do $(PY) -m "bench.$$(basename "$$file" .py)" $(ARGS) || exit 1; done

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the environment -------------------------------------------------------------------------------------------------------

define require_python
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo 'Annals needs Python 3.11 or newer, and $(PYTHON) is not: install one and run make again with PYTHON=/path/to/it.' >&2; exit 1; }
endef

# The base interpreter builds the venv, for $(PYTHON) may be the python of the very .venv that is removed here.
$(RUNTIME):
	$(require_python)
	@echo 'Building .venv from requirements.lock: about half a gigabyte, once.'
	@base=$$("$(PYTHON)" -c 'import sys; print(sys._base_executable)') && rm -rf .venv && "$$base" -m venv .venv || { \
	  echo 'No virtual environment could be made: on Debian and Ubuntu, install the package python3-venv and run make again.' >&2; exit 1; }
	@$(PY) -m pip install --require-hashes -r requirements.lock || { \
	  echo 'The packages could not be installed: see the message above; a network is needed the first time.' >&2; exit 1; }
	@touch $@

$(DEV): $(RUNTIME)
	@$(PY) -m pip install --require-hashes -r requirements-dev.lock || { \
	  echo 'The packages could not be installed: see the message above; a network is needed the first time.' >&2; exit 1; }
	@touch $@

# Editable, with the build tools of requirements.lock: nothing is fetched. Again when pyproject.toml names another command.
$(PROJECT): pyproject.toml $(RUNTIME)
	@$(PY) -m pip install --quiet --no-index --no-deps --no-build-isolation --editable .
	@touch $@

# --- the locks -------------------------------------------------------------------------------------------------------------
# One file for all platforms and all Pythons from 3.11, with hashes and without any registry's address. requirements.lock holds
# the build tools as well (hatchling, and editables for its editable installs), so that the project itself installs offline.

COMPILE = build/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
  --custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade)
BUILD_TOOLS = printf 'hatchling>=1.27\neditables>=0.5\n'

lock:
	$(require_python)
	@test -x build/lock/bin/uv || { "$(PYTHON)" -m venv build/lock && build/lock/bin/python -m pip install --quiet $(UV); }
	@$(BUILD_TOOLS) | $(COMPILE) --output-file requirements.lock pyproject.toml - >/dev/null
	@$(BUILD_TOOLS) | $(COMPILE) --group dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml - >/dev/null
