# The two commands that matter: `make demo` (the main job on real servers) and `make test`. `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := deploy/locks/dev.txt
STAMP := $(VENV)/.installed
# Where the local stack keeps its databases, objects, logs and secrets.
DATA ?= .data
export PHYTOBATCH_LOCAL_DATA ?= $(DATA)

.PHONY: help install demo up down clean test unit lint types imports lock migration train bench

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

install: $(STAMP) ## make .venv from the locked, hashed packages

$(STAMP): $(LOCK) pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else "Phytobatch needs Python 3.11 to 3.13, this is %d.%d: run make PYTHON=python3.12 ..." % v)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the locked packages into $(VENV) (the first time takes a few minutes, mostly TensorFlow) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --requirement $(LOCK)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

lock: ## write the lock again from pyproject.toml (hashes, no index address)
	@$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --quiet --output-file $(LOCK)
