# Each target installs, builds and starts what it needs. `make up MLFLOW_LOCAL_INSTANCE=NAME` acts on an instance of that name.
PYTHON ?= python3
MAKEFLAGS += --no-print-directory # the last line of `make up` is the tracking URI
# The longest first; each folder in one process of two, with what it starts to itself.
TESTS := $(addprefix tests/,production e2e plain_user walk_through operations image unit policy gcp engine tools ingress workflows)
APART := $(addprefix --ignore tests/,production/day_two image/differential)
SIDE_BY_SIDE := --numprocesses 2 --dist loadscope --no-loadscope-reorder
NAMED = $(or $(STACK),$(error which stack? make $@ STACK=prod))

.PHONY: up down test test-day-two test-release test-unit lint preview deploy drift bench docs develop

up: ## start the whole stack on this machine and print its tracking URI
	@$(PYTHON) -m local up

down: ## destroy the stack and remove everything that `make up` started
	@$(PYTHON) -m local down

test: lint ## every test but those of day two and of a new release
	.venv/bin/python -m pytest $(SIDE_BY_SIDE) $(APART) $(TESTS)

test-day-two: develop ## prod under load: replaced pods, another password, a restore, an upgrade; takes about 15 minutes
	.venv/bin/python -m pytest tests/production/day_two

test-release: develop ## every route answered as a full installation answers; for each release of MLflow
	.venv/bin/python -m pytest tests/image/differential

test-unit: develop ## the fast tests
	.venv/bin/python -m pytest tests/unit

lint: develop ## style and types
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/basedpyright
	test -z "$$(gofmt -l local)"
	.venv/bin/shellcheck .ci/run local/minikube/node/entry local/minikube/preload/pack
	.venv/bin/python -m tests.workflows

preview: ## what `make deploy STACK=NAME` would change, held against the policies
	pulumi preview --refresh --stack $(NAMED) --policy-pack policy --diff

deploy: ## bring a stack up to date, and mend what drifted; asks nothing
	pulumi up --refresh --stack $(NAMED) --policy-pack policy --yes
	.venv/bin/python -m operations start --stack $(NAMED)

drift: ## fail, saying what, where a stack is not what the program says
	.venv/bin/python -m operations drift --stack $(NAMED)

bench: develop ## the measurements, each a ratio within one run
	.venv/bin/python -m bench

docs: develop ## the README's table of settings and the architecture picture
	.venv/bin/python -m docs

develop: ## install what tests, measurements and style checks need
	@$(PYTHON) -m local develop
