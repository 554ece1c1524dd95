# make demo and make test work on a fresh machine: they bring what they need.
SHELL := /bin/bash
PYTHON ?= python3
UV_VERSION := 0.13.9
NATS_VERSION := v2.15.3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Without bytecode each process compiles all that it imports anew: half of what a short command costs.
unexport PYTHONDONTWRITEBYTECODE
# The machine's own certificates: sites have proxies with theirs.
export UV_SYSTEM_CERTS := 1

.PHONY: help setup demo desk test quick check bench chaos fuzz soak lock system deb deb-check clean
help: ## this page
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(BIN)/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv==$(UV_VERSION)

$(VENV)/box.stamp: pyproject.toml constraints.txt | $(BIN)/uv
	$(INSTALL) --editable '.[demo,desk]'
	touch $@

# Debian's NATS (2.9) does not keep programs to their rights; where Go is, a newer one comes from it, else its tests are skipped.
# The bench's baseline is NLTK as it comes, which loads nothing that other accounts may write; a clone under umask 002 (Ubuntu's) is such.
$(VENV)/setup.stamp: pyproject.toml constraints.txt | $(BIN)/uv system
	chmod -R go-w edge/words/nltk_data
	$(INSTALL) --editable '.[capture,demo,desk,postgres,oidc,convert,dev]'
	-@command -v go >/dev/null && GOBIN=$(CURDIR)/$(BIN) go install github.com/nats-io/nats-server/v2@$(NATS_VERSION)
	touch $@ $(VENV)/box.stamp

system: ## Debian packages that capture and tests need (where this user may install them)
	@bash tests/system-packages.sh

setup: $(VENV)/setup.stamp ## the environment in .venv, with undertone and undertone-convert, and the speech recogniser
	$(BIN)/undertone fetch-model

demo: $(VENV)/box.stamp ## a call through the whole pipeline, as a central system sees it
	$(BIN)/undertone fetch-model
	$(BIN)/python -m tests.demo

desk: $(VENV)/box.stamp ## broker, two boxes that hear calls, and the recovery desk: its address and a login are printed
	$(BIN)/undertone fetch-model
	$(BIN)/python -m tests.demo.desk

quick: $(VENV)/setup.stamp ## the tests that need no network, model or server, and take under a second each: a minute
	$(BIN)/python -m pytest --numprocesses 2 --dist loadgroup --no-loadscope-reorder -m 'not takes' tests/unit

# tests/conftest.py says which cases stay together and which come first. Three workers on two cores: a good third of the time goes
# by while sound is played at its own pace or something is waited for to be noticed. Real brokers, sound servers and browsers share these
# cores: a case that failed beside others is tried once more by itself. A fault fails twice; what fails once is named in the first report.
test: setup ## every test
	$(BIN)/python -m pytest --numprocesses 3 --dist loadgroup --no-loadscope-reorder || \
	  { [ $$? -eq 1 ] && echo "failed beside others, now each by itself:" && $(BIN)/python -m pytest --last-failed --last-failed-no-failures none; }

check: setup ## lint, format, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: setup ## figures and ratios against named baselines, in one run
	$(BIN)/python -m tests.bench

chaos: setup ## every fault that a cupboard holds, and what came of it
	$(BIN)/python -m tests.chaos --page docs/faults.md

fuzz: setup ## a million damaged inputs for everything that takes input from outside
	$(BIN)/python -m tests.fuzz --inputs 1000000

soak: setup ## eight hours of calls, two on each of four lines, as fast as the machine can
	$(BIN)/python -m tests.soak --hours 8

deb: $(VENV)/box.stamp ## Debian packages in build/deb, for this machine's Debian; ARCH=arm64 for a Raspberry Pi
	$(BIN)/undertone fetch-model
	systemd/deb/build.sh build/deb $(ARCH)

deb-check: setup deb ## the packages in a clean root: installed, timed to a line's first event, upgraded, removed, purged (root; minutes)
	$(BIN)/python -m tests.debs build/deb

lock: | $(BIN)/uv ## write constraints.txt anew
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --no-emit-index-url --no-header --no-annotate pyproject.toml -o constraints.txt

clean: ## forget the environment and caches
	rm -rf $(VENV) build .cache .pytest_cache .mypy_cache .ruff_cache
