# Two commands for a newcomer: `make refresh` and `make test`. Both need Python 3.11 to 3.13 and make, nothing else.

PYTHON ?= python3
READY := .venv/ready
BIN := .venv/bin

.PHONY: refresh test lint bench ui lock clean

refresh: $(READY)  ## take nothing from the web, estimate, publish warehouse/joulebook.duckdb
	$(BIN)/joulebook refresh --offline

test: $(READY)  ## all tests
	$(BIN)/pytest

lint: $(READY)  ## style, types of imports, code location
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/dagster definitions validate -w workspace.yaml

bench: $(READY)  ## speed and memory, and how wrong the estimates are
	$(BIN)/python benchmarks/refresh.py
	$(BIN)/python benchmarks/estimator.py
	$(BIN)/python -m benchmarks.releases

ui: $(READY)  ## the Dagster UI on http://127.0.0.1:3000; SCHEDULE=on starts the daily schedule
	$(BIN)/joulebook ui $(if $(filter on,$(SCHEDULE)),--schedule)

lock:  ## pin every dependency anew; needs uv
	uv pip compile --universal --generate-hashes --no-strip-extras --extra dev --python-version 3.11 --no-header \
		--quiet --upgrade pyproject.toml -o requirements.lock
	uv pip compile --universal --generate-hashes --no-deps --python-version 3.11 --no-header \
		--quiet --upgrade docs/deploy/requirements-postgres.in -o docs/deploy/requirements-postgres.lock

clean:
	rm -rf .venv .cache warehouse

# Made anew when the lock or the project file changes; a second call finds it and skips the set-up.
$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 13) else "joulebook needs Python 3.11 to 3.13; set PYTHON=")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(READY)
