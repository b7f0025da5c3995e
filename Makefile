# One command per verb. `make test` needs nothing but Python 3.11 or newer, make and
# a network: it makes .venv itself, from the locked and hashed requirements/dev.txt.

PYTHON ?= python3
VENV ?= .venv
QUICKSTART ?= notebooks/00_quickstart.ipynb
# Each worker starts its own servers, so more than a few only cost memory.
WORKERS ?= auto
PYTEST_ARGS ?=
SOAK_ARGS ?=
MUTANTS_ARGS ?=
BENCH_ARGS ?=
# `make lock UPGRADE=--upgrade` moves every pin; without it, only what has to move.
UPGRADE ?=

BIN := $(VENV)/bin
BENCH := $(VENV)-bench
LOCKED := $(VENV)/.locked
INSTALLED := $(VENV)/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
COMPILE = $(BIN)/uv pip compile --universal --fork-strategy fewest \
	--generate-hashes --python-version 3.11 --no-emit-index-url --no-header --quiet \
	--system-certs $(UPGRADE)
# A notebook must not see the developer's settings, any more than a test may.
# --nbval-current-env: this environment's kernel, whatever the notebook was saved with.
NBVAL = env $$(env | sed -n 's/^\(OAUTHMAGIC_[A-Z0-9_]*\)=.*/-u \1/p') \
	IPYTHONDIR="$(abspath $(VENV))/.ipython" JUPYTER_NO_CONFIG=1 \
	$(BIN)/python -m pytest -p no:cacheprovider --nbval-current-env
# Written once for two targets: a line with $$(MAKE) in it would run under `make -n` too.
RUN_NOTEBOOKS = echo "== Notebooks: every cell runs =="; \
	$(NBVAL) --nbval-lax notebooks || failed="$$failed notebooks"; \
	echo "== Notebooks: every output is as saved =="; \
	$(NBVAL) --nbval --nbval-sanitize-with tests/nbval_sanitize.cfg notebooks \
		|| failed="$$failed outputs"
MUTATION = PYTHONPATH=tests/support $(BIN)/python -m mutation
OPEN_LAB = $(BIN)/jupyter lab $(ALLOW_ROOT) $(QUICKSTART)
VERDICT = if [ -n "$$failed" ]; then echo "== Failed:$$failed =="; exit 1; fi; \
	echo "== Passed =="

.DEFAULT_GOAL := help
.PHONY: help demo lab test soak coverage mutants bench check notebooks lock clean

help:
	@echo "make demo       run the quickstart, then open it where there is a browser"
	@echo "make lab        open JupyterLab on the quickstart"
	@echo "make test       run the tests, then the notebooks"
	@echo "make soak       the long runs, with their figures (hours; SOAK_ARGS=... for some)"
	@echo "make coverage   every branch of what secrets depend on"
	@echo "make mutants    every change of it is noticed (MUTANTS_ARGS='--sample 10 urls')"
	@echo "make bench      oauthmagic beside its peers (BENCH_ARGS='--only frame --quick')"
	@echo "make check      ruff, mypy, import-linter"
	@echo "make notebooks  run the notebooks and compare their outputs"
	@echo "make lock       write requirements/*.txt anew (UPGRADE=--upgrade for new versions)"
	@echo "make clean      remove what the other targets made, $(VENV) included"

demo: $(INSTALLED)
	@$(BIN)/oauthmagic demo $(QUICKSTART)
	@if [ -t 0 ] && [ -t 1 ] && $(BIN)/python -c "$$HAS_BROWSER"; then $(OPEN_LAB); fi

lab: $(INSTALLED)
	@$(OPEN_LAB)

test: $(INSTALLED)
	@failed=; \
	echo "== Tests =="; \
	$(BIN)/python -m pytest -n $(WORKERS) --maxprocesses 4 --dist loadfile $(PYTEST_ARGS) \
		|| failed="$$failed tests"; \
	$(RUN_NOTEBOOKS); $(VERDICT)

# The same tests at their whole length, and those that only run here.
soak: $(INSTALLED)
	@OAUTHMAGIC_SOAK=1 $(BIN)/python -m pytest -n $(WORKERS) --maxprocesses 4 $(SOAK_ARGS)

coverage: $(INSTALLED)
	@$(MUTATION).branches

mutants: $(INSTALLED)
	@$(MUTATION) $(MUTANTS_ARGS)

# The peers have an environment of their own: none of them is a dependency. A figure
# fails no build.
bench: $(BENCH)/.installed
	@$(BENCH)/bin/python tests/benchmarks/run.py $(BENCH_ARGS)

notebooks: $(INSTALLED)
	@failed=; $(RUN_NOTEBOOKS); $(VERDICT)

# Every one is run, so that one reading shows all that is wrong.
check: $(INSTALLED)
	@failed=; \
	echo "== ruff check =="; \
	$(BIN)/ruff check || failed="$$failed ruff-check"; \
	echo "== ruff format =="; \
	$(BIN)/ruff format --check || failed="$$failed ruff-format"; \
	echo "== mypy =="; \
	$(BIN)/mypy oauthmagic $(wildcard tests/typing) || failed="$$failed mypy"; \
	echo "== import-linter =="; \
	$(BIN)/lint-imports --no-logo || failed="$$failed import-linter"; \
	$(VERDICT)

lock: $(INSTALLED)
	@$(PIP) install --quiet --require-hashes -r requirements/uv.txt
	@$(COMPILE) --group lock --no-annotate --output-file requirements/uv.txt
	@$(COMPILE) pyproject.toml --group dev --extra lab --output-file requirements/dev.txt

clean:
	rm -rf $(VENV) $(BENCH) .hypothesis .import_linter_cache .mypy_cache .pytest_cache \
		.ruff_cache .coverage .coverage.* build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Two stamps: a changed lock is installed, a changed pyproject.toml only costs the
# editable install. `venv` is made again where it was left half made.
$(LOCKED): requirements/dev.txt
	@command -v $(PYTHON) >/dev/null || { \
		echo "oauthmagic needs Python 3.11 or newer, and there is no '$(PYTHON)' here." \
			"Name one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c "$$NEW_ENOUGH" '$(PYTHON)'
	@$(BIN)/python -m pip --version >/dev/null 2>&1 \
		|| $(PYTHON) -m venv --clear $(VENV) \
		|| { echo "Python could not make $(VENV);" \
			"on Debian and Ubuntu: apt install python3-venv." >&2; exit 1; }
	@echo "Installing what requirements/dev.txt names into $(VENV) (about a minute)"
	@$(PIP) install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

$(INSTALLED): $(LOCKED) pyproject.toml oauthmagic/__init__.py
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(BENCH)/.installed: pyproject.toml oauthmagic/__init__.py
	@$(PYTHON) -c "$$NEW_ENOUGH" '$(PYTHON)'
	@$(BENCH)/bin/python -m pip --version >/dev/null 2>&1 \
		|| $(PYTHON) -m venv --clear $(BENCH)
	@echo "Installing oauthmagic and its peers into $(BENCH) (about a minute)"
	@$(BENCH)/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	@$(BENCH)/bin/python -m pip install --quiet --editable . --group bench
	@touch $@

# The syntax of these is old on purpose: an old Python has to be able to say it.
define NEW_ENOUGH
import sys
if sys.version_info < (3, 11):
    sys.exit("oauthmagic needs Python 3.11 or newer; '%s' is %s. Name another: make PYTHON=python3.12 ..." % (sys.argv[1], sys.version.split()[0]))
endef
export NEW_ENOUGH

# A text browser in the terminal would be found as well, so on Unix a display counts.
define HAS_BROWSER
import os, sys, webbrowser
if sys.platform not in ("darwin", "win32") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    sys.exit(1)
try:
    webbrowser.get()
except webbrowser.Error:
    sys.exit(1)
endef
export HAS_BROWSER

# JupyterLab refuses root, who in a container is the only user there is.
ALLOW_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)
