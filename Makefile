# busgate: every job is one word. `make` alone lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
PY ?= python3

.PHONY: help demo sim test test-kernel test-net test-services fuzz check format lint types contracts bench mutants lock fixtures clean run-setup dev-setup install

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.run-installed ## set everything up, then play a recorded bus day through the gate
	@$(BIN)/busgate demo $(DEMO_OPTIONS)

sim: $(VENV)/.run-installed ## play a simulated bus whose drive is stopped by remote, without the gate and with it
	@$(BIN)/busgate-sim run remote-stop-driving --no-gate
	@$(BIN)/busgate-sim run remote-stop-driving

test: $(VENV)/.dev-installed ## set everything up, then run all tests
	@$(BIN)/pytest $(PYTEST_OPTIONS)

test-kernel: $(VENV)/.dev-installed ## run only the tests that need a kernel with CAN, in a guest of their own
	@$(BIN)/python tests/kernel/boot.py pytest $(PYTEST_OPTIONS) || [ $$? = 77 ]

test-net: $(VENV)/.dev-installed ## run only the tests of the IP side, in network namespaces of their own (root, nftables)
	@$(BIN)/pytest tests/system/test_net.py tests/system/test_relay.py tests/system/test_capture.py \
	  tests/system/test_modem.py tests/system/test_namespaces.py $(PYTEST_OPTIONS)

fuzz: $(VENV)/.dev-installed ## feed every decoder damaged bytes, ten minutes each (FUZZ="--minutes 1 jt808")
	@$(BIN)/python tests/fuzz/run.py $(FUZZ)

test-services: $(VENV)/.dev-installed ## install into a Debian of its own and watch the services under systemd (root, debootstrap, systemd-container)
	@$(BIN)/python tests/kernel/services.py || [ $$? = 77 ]

check: $(VENV)/.dev-installed ## what CI runs: format, lint, types, import contracts, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest $(PYTEST_OPTIONS)

format: $(VENV)/.dev-installed ## lay the code out
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(VENV)/.dev-installed ## lint only
	$(BIN)/ruff check .

types: $(VENV)/.dev-installed ## mypy strict only
	$(BIN)/mypy

contracts: $(VENV)/.dev-installed ## who may import whom
	$(BIN)/lint-imports

bench: $(VENV)/.dev-installed ## measure against the named peers; writes build/bench.json
	$(BIN)/python tests/bench/run.py

mutants: $(VENV)/.dev-installed ## change one thing at a time in judge/ and trust/; fails on a survivor that is not argued
	$(BIN)/python tests/mutants/run.py

fixtures: $(VENV)/.dev-installed ## regenerate what is generated and committed; then `git diff` shows what changed
	$(BIN)/python -m busgate_sim.demo_day
	$(BIN)/busgate-sim record doors-by-control stop-by-32960-2016 sms-kill update-of-battery-ordered --seconds 16 \
	  --out firmware-sim/scenarios/recordings

install: ## install on this machine as services (root); DESTDIR=FOLDER stages it there instead
	@PY="$(PY)" sh deploy/setup/into_system.sh "$(DESTDIR)"

lock: ## resolve the locked dependencies anew (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q \
	  --extra build --extra demo --extra mf4 --extra gpio pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q \
	  --extra build --extra demo --extra mf4 --extra gpio --extra dev pyproject.toml -c requirements.lock -o requirements-dev.lock

clean: ## remove the virtual environment and what was built
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis mutants busgate-demo

# ---- set-up: a virtual environment from the hash-locked files; nothing outside this folder is touched ----

$(VENV)/bin/python:
	@PY="$(PY)" sh deploy/setup/venv.sh $(VENV)

$(VENV)/.run-installed: requirements.lock pyproject.toml deploy/setup/install.sh | $(VENV)/bin/python
	@sh deploy/setup/install.sh $(VENV) requirements.lock
	@touch $@

$(VENV)/.dev-installed: requirements-dev.lock pyproject.toml deploy/setup/install.sh | $(VENV)/bin/python
	@sh deploy/setup/install.sh $(VENV) requirements-dev.lock
	@touch $@ $(VENV)/.run-installed

run-setup: $(VENV)/.run-installed ## only set up what running needs
dev-setup: $(VENV)/.dev-installed ## only set up what developing needs
