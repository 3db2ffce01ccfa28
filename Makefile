# `make help` says what there is. Nothing needs to be installed before but Python 3.11.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:

BIN := .venv/bin
# A temporary database and broker around a command, unless DATABASE_URL and
# REDIS_URL name some.
WITH_SERVERS := $(BIN)/python -m config.run.servers

# Made up, for checking the settings of production without a production.
AS_IN_PRODUCTION := DEBUG=0 SECRET_KEY=signs-nothing DATABASE_URL=sqlite://:memory: \
	PUBLIC_URL=https://link.example.com \
	CONFLUENCE_LINK_VAULT_KEYS=check:RrVccwnU62W1AypI1vjSTr2qbwG8Y9CoFNUlVpaLl14=

.PHONY: help demo run worker beat test test-faults check bench fmt requirements

help: ## Say what each command does
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/installed ## Run everything on this machine, with a stand-in Atlassian; ctrl-C ends it
	@exec $(BIN)/python -m config.run.demo

run: .venv/installed ## Run the site at PUBLIC_URL, after migrating; settings from the environment or .env
	@exec $(BIN)/python -m config.run.develop site

worker: .venv/installed ## Run one worker for all queues
	@exec $(BIN)/python -m config.run.develop worker

beat: .venv/installed ## Run beat, which tells the workers when to look for due tokens
	@exec $(BIN)/python -m config.run.develop beat

# What starts processes of its own waits more than it works: two of them at once.
test: check ## Run every check and test, on a PostgreSQL and a Valkey of their own
	@config/run/install_programs.sh
	rm -f .coverage .coverage.*
	$(WITH_SERVERS) $(BIN)/pytest --numprocesses logical --maxprocesses 4 \
		-m "not processes and not faults" --cov --cov-report= --cov-fail-under=0
	$(WITH_SERVERS) $(BIN)/pytest --numprocesses 2 -m "processes and not faults" \
		--cov --cov-append

test-faults: .venv/installed ## Run the tests of faults, also those that take their time
	@config/run/install_programs.sh
	$(WITH_SERVERS) env HYPOTHESIS_PROFILE=long \
		$(BIN)/pytest --numprocesses 2 tests/faults tests/processes

check: .venv/installed ## Check style, types, layers and migrations
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	env $(AS_IN_PRODUCTION) $(BIN)/python manage.py check --fail-level WARNING
	env $(AS_IN_PRODUCTION) $(BIN)/python manage.py makemigrations --check --dry-run

bench: .venv/installed ## Measure
	$(WITH_SERVERS) $(BIN)/python -m benchmarks

fmt: .venv/installed ## Format the code and fix what can be fixed
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# 3.11 means 3.11.0: some packages need one more before 3.11.3, which Debian 12 has.
# The certificates of the system, as pip is told to use behind a company's proxy.
COMPILE = $(BIN)/uv pip compile --quiet --system-certs --python-version 3.11 --universal \
	--generate-hashes --no-emit-index-url --custom-compile-command "make requirements"

requirements: .venv/installed ## Compile requirements/*.in to *.txt with hashes
	$(COMPILE) requirements/base.in -o requirements/base.txt
	$(COMPILE) requirements/production.in -o requirements/production.txt
	$(COMPILE) requirements/dev.in -o requirements/dev.txt

.venv/installed: requirements/dev.txt config/run/install.sh
	@config/run/install.sh
