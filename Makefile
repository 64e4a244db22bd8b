# Each target works from a fresh clone: it makes its own virtual environment in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check

.PHONY: help demo test coverage lint bench docs clean
help:
	@echo "make demo   the whole job on sample data: check, train, predict, score, report, and the studio"
	@echo "make test   install what the tests need and run them all, with the linters"
	@echo "make coverage  the same tests, slower, with the lines and branches that none of them reaches"
	@echo "make lint   ruff, mypy and the import floors"
	@echo "make bench  the benchmarks, with the peers installed"
	@echo "make docs   the documentation, into site"

demo: $(VENV)/demo.stamp
	$(BIN)/inlay demo demo

test: $(VENV)/dev.stamp lint
	$(BIN)/python -m pytest -n 2

coverage: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -n 2 --cov --cov-report=term:skip-covered

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/web.py check
	$(BIN)/python tools/web.py test

bench: $(VENV)/dev.stamp
	$(PIP) install -q -c constraints.txt '.[bench]'
	set -e; for each in masks average_precision confusion panoptic coco_files memory score; do $(BIN)/python benchmarks/$$each.py; done

docs: $(VENV)/dev.stamp
	$(BIN)/mkdocs build --strict -q

clean:
	rm -rf $(VENV) build demo site

$(VENV)/demo.stamp: pyproject.toml CMakeLists.txt $(shell find src -type f -not -name '*.pyc' 2>/dev/null)
	@PYTHON="$(PYTHON)" sh tools/prepare.sh $(VENV)
	$(PIP) install -q -c constraints.txt '.[train,studio]' || sh tools/explain.sh
	@touch $@

$(VENV)/dev.stamp: pyproject.toml CMakeLists.txt $(shell find src -type f -not -name '*.pyc' 2>/dev/null)
	@PYTHON="$(PYTHON)" sh tools/prepare.sh $(VENV)
	$(PIP) install -q -c constraints.txt '.[dev]' || sh tools/explain.sh
	@touch $@
