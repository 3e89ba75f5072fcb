# Two commands matter to a newcomer: `make demo` and `make test`. Both do all their set-up themselves.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
LOCKS := requirements/base.txt requirements/worker.txt requirements/embedded.txt requirements/test.txt

.DEFAULT_GOAL := help
.PHONY: help setup lock frontend check test test-browser test-deployment test-monitoring page-if-possible up demo \
  bench-ingest bench-dock test-engines bench-redock bench-enrichment bench-scores bench-ligands bench-rings \
  bench-prep bench-analyse bench-builds bench-pockets
help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 18

setup: $(VENV)/.installed ## Virtual environment, pinned and hash-checked dependencies, the package

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name one with PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "The venv module is missing; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@touch $@

$(VENV)/.dependencies: $(VENV)/.python $(LOCKS)
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: $(addprefix -r ,$(LOCKS))
	@touch $@

$(VENV)/.installed: $(VENV)/.dependencies pyproject.toml
	MAD_SKIP_FRONTEND=1 $(PY) -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

lock: ## Resolve the dependencies anew and write requirements/*.txt (needs uv)
	uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header --all-extras pyproject.toml -o requirements/.all.txt $(LOCK_FLAGS)
	@for set in base worker embedded test; do \
	  extra=$$( [ $$set = base ] || echo --extra $$set ); \
	  uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header --no-annotate $$extra -c requirements/.all.txt pyproject.toml -o requirements/$$set.txt || exit 1; \
	done; rm requirements/.all.txt

frontend: setup ## Build the web page into the package (with the Node of a wheel)
	@$(PY) hatch_build.py

check: setup frontend ## Format, lint, types and import arrows, of Python and of the page
	$(PY) -m ruff format --check --quiet . || { $(PY) -m ruff format --diff . ; exit 1; }
	$(PY) -m ruff check --quiet .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports
	$(PY) hatch_build.py npm run --silent lint
	$(PY) hatch_build.py npm run --silent typecheck
	$(PY) hatch_build.py npm run --silent test

test: check ## Gates, then unit, integration, acceptance and science tests, in two processes
	$(PY) -m pytest -n 2 --dist worksteal

test-browser: setup frontend ## The page in a real Chromium, which must be on PATH
	$(PY) -m pytest tests/browser

test-deployment: setup ## The containers on a real Docker engine: start, screen, kill, compare; prints a table
	$(PY) -m pytest tests/deployment

test-monitoring: ## Alert rules and their tests, by Prometheus' promtool, which must be on PATH
	@command -v promtool >/dev/null || { echo "promtool is missing; on Debian: apt-get install prometheus" >&2; exit 1; }
	cd deploy/monitoring && promtool check config prometheus.yml
	cd deploy/monitoring && promtool check rules --lint=all --lint-fatal alerts.yml
	cd deploy/monitoring && promtool test rules alerts_test.yml

# What runs without the page does not need it: an earlier page stays, or the server shows a plain one.
page-if-possible: setup
	@$(PY) hatch_build.py || echo "Going on without building the web page. Build it later with: make frontend" >&2

up: page-if-possible ## Run the dashboard on this machine; Ctrl-C stops it
	@$(VENV)/bin/mad up

demo: page-if-possible ## Dock known drugs at a real receptor and print the ranked hit list
	@$(VENV)/bin/mad demo

bench-ingest: setup ## What validating ligands costs beside bare RDKit calls (reads MAD_BENCHMARK_DATA)
	$(PY) benchmarks/ingest.py

bench-dock: setup ## CPU and loss of our search efforts beside the vina command (reads MAD_BENCHMARK_DATA)
	$(PY) -m benchmarks.dock $(BENCH_FLAGS)

bench-builds: setup ## Vina built for this processor beside the wheel, with and without shared tables
	$(PY) -m benchmarks.builds $(BENCH_FLAGS)

test-engines: setup ## Docking programs that MAD_TEST_ENGINE_COMMANDS names (name=program;...), and MAD_TEST_AUTOGRID
	@test -n "$$MAD_TEST_ENGINE_COMMANDS$$MAD_TEST_AUTOGRID" || { echo "Name programs: MAD_TEST_ENGINE_COMMANDS='deb=/usr/bin/vina' MAD_TEST_AUTOGRID=autogrid4 make test-engines" >&2; exit 1; }
	$(PY) -m pytest tests/science/docking_programs

bench-redock: setup ## How often native ligands are found again, beside published Vina and Gold (reads MAD_BENCHMARK_DATA)
	$(PY) -m benchmarks.redock $(BENCH_FLAGS)

bench-enrichment: setup ## How well docking tells actives from decoys, beside size alone (reads MAD_BENCHMARK_DATA)
	$(PY) -m benchmarks.enrichment $(BENCH_FLAGS)

bench-scores: setup ## Whether published docking scores come back (reads MAD_BENCHMARK_DATA)
	$(PY) -m benchmarks.scores $(BENCH_FLAGS)

bench-ligands: setup ## What preparing ligands costs beside bare library calls (reads MAD_BENCHMARK_DATA)
	$(PY) -m benchmarks.prepare_ligands

bench-rings: setup ## What docking from several ring conformations is worth (reads MAD_BENCHMARK_DATA)
	$(PY) -m benchmarks.ring_conformers

bench-prep: setup ## What becomes of receptors: prepared, refused with a reason, or crashed (reads MAD_BENCHMARK_DATA)
	$(PY) benchmarks/prep.py

bench-analyse: setup ## What the analysis of a pose costs, part by part (reads MAD_BENCHMARK_DATA)
	$(PY) benchmarks/analyse.py

bench-pockets: setup ## How often native ligands lie in the first pockets (reads MAD_BENCHMARK_DATA)
	$(PY) -m benchmarks.pockets $(BENCH_FLAGS)
