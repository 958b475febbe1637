# Every task is complete in itself: it makes .venv first, or finds it up to date.
# Another interpreter: make test PYTHON=/path/to/python3.12

PY := .venv/bin/python
export PYTHON

.DEFAULT_GOAL := help
.PHONY: help setup up test fuzz faults lint types format test-all applications cdk package bench bench-upgrade bench-deploy servers lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

setup: ## Make .venv with the locked dependencies
	@sh scripts/setup.sh

up: setup ## Migrate the database (DATABASE_URL, else an embedded PostgreSQL) and show it
	@if [ -z "$$DATABASE_URL" ]; then export PGMIGRATIONS_EMBEDDED="$${PGMIGRATIONS_EMBEDDED:-1}"; fi; \
	.venv/bin/alembic upgrade head && .venv/bin/pgmigrations overview

test: setup ## Run the tests; ARGS="-n 0 -k enum --server debian" are given to pytest
	@$(PY) -m pytest -n auto --dist worksteal $(ARGS)

fuzz: setup ## Migrate random schemas; ARGS="--pairs 200 --seed 1 --server debian --jobs 2"
	@$(PY) -m tests.fuzz $(ARGS)

faults: setup ## Strike an upgrade before and after each of its statements (an hour)
	@$(PY) -m pytest -n auto -m faults tests/fault tests/deploy $(ARGS)

lint: setup ## Check style and formatting
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

# Both projects have a module alembic.env, which mypy takes once in a run.
types: setup ## Check types
	@$(PY) -m mypy
	@$(PY) -m mypy examples/patient_simulation/alembic

format: setup ## Format the code and mend what ruff can mend
	@$(PY) -m ruff check --fix-only --quiet .
	@$(PY) -m ruff format .

test-all: setup ## Run the tests on every supported server and dependency set
	@$(PY) scripts/test_all.py

applications: setup ## Take the models of whole applications through everything (an hour)
	@$(PY) -m pytest -n auto -m applications tests/applications $(ARGS)

# An environment of its own: CDK is 460 MB, which nothing else needs.
cdk: ## Test the deployment in AWS: its templates, images and packages (needs Node)
	@VENV=.servers/cdk REQUIREMENTS=requirements/cdk.txt sh scripts/setup.sh
	@.servers/cdk/bin/python -m pytest -n 0 -m cdk tests/infra $(ARGS)
	@.servers/cdk/bin/python -m mypy infra/*.py tests/infra/*.py

package: setup ## Build the zips of the Lambda function; ARGS="--bundle global-bundle.pem"
	@$(PY) -m scripts.package_lambda $(ARGS)

bench: setup ## Measure autogenerate beside plain Alembic; ARGS="--tables 1000 --repeat 2"
	@$(PY) -m benchmarks.autogenerate $(ARGS)

bench-upgrade: setup ## Measure upgrade beside the others; ARGS="--revisions 10 1000 --repeat 9"
	@$(PY) -m benchmarks.upgrade $(ARGS)

bench-deploy: setup ## Measure the Lambda function's cold start; ARGS="--repeat 21"
	@$(PY) -m benchmarks.deploy $(ARGS)

servers: setup ## Get the servers that test-all uses (installs packages when root)
	@$(PY) scripts/test_all.py --provision-only

lock: ## Write requirements/*.txt again from pyproject.toml (needs uv)
	@sh scripts/lock.sh

clean: ## Remove .venv, the servers and everything built
	rm -rf .venv .servers .mypy_cache .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
