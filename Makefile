# Everything starts from a Python >= 3.11 and make; `make help` lists what there is.

VENV    := .venv
BIN     := $(VENV)/bin
STAMP   := $(VENV)/.installed
# One more than the cores: many tests wait for servers and processes. In the order of the files, or the long
# stories, each alone in its file, would all come last.
WORKERS ?= 3
PIP     := $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help venv demo test servers lint format bench soak lock clean distclean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

demo: $(STAMP) ## the whole story on embedded parts: nothing to set up, nothing outside is touched
	@$(BIN)/wxsync demo $(ARGS)

test: $(STAMP) servers lint ## the servers, lint, and every test but the long ones
	.ci/test $(BIN)/python -n $(WORKERS) --dist loadfile --no-loadscope-reorder -ra --no-fold-skipped $(ARGS)

servers: ## install what the tests start themselves (root on Debian or Ubuntu; elsewhere: say what is missing)
	@sh tests/servers/install

lint: $(STAMP) ## ruff, mypy --strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## let ruff put the code in order
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: $(STAMP) ## what a plan costs beside the bare reading, how fast a first load goes (APPLY="--people N"), by files too (BATCH="--people N"), what reading a directory costs, and how long events wait (CALLBACKS="--rounds N")
	$(BIN)/python benchmarks/plan.py $(ARGS)
	$(BIN)/python benchmarks/apply.py $(APPLY)
	$(BIN)/python benchmarks/batch.py $(BATCH)
	$(BIN)/python benchmarks/ldap.py $(LDAP)
	$(BIN)/python benchmarks/callbacks.py $(CALLBACKS)

soak: $(STAMP) servers ## the long tests
	@$(BIN)/python -m pytest -m soak -n $(WORKERS) --dist worksteal -ra --no-fold-skipped $(ARGS) || { code=$$?; \
	  [ $$code -ne 5 ] || echo "make soak: no test is marked soak, so nothing was tried and nothing is shown"; \
	  exit $$code; }

venv: $(STAMP) ## .venv with what requirements.lock pins, and wxsync itself, editable

$(STAMP): requirements.lock pyproject.toml
	@sh .ci/make-venv $(VENV)
	$(PIP) install --quiet --require-hashes -r requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# Made with the oldest Python that we support, so that its backports are in; UPGRADE=1 takes newer versions.
lock: ## write requirements.lock anew from pyproject.toml
	@sh .ci/make-lock $(if $(UPGRADE),--upgrade)

clean: ## remove what the tools left behind, but not .venv
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean ## and .venv too
	rm -rf $(VENV)
