# make demo: the whole story on your machine.  make test: every test.  Both set everything up by themselves.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check bench setup setup-dev format lock clean

demo: setup
	@$(BIN)/xinyin demo

test: setup-dev
	@$(BIN)/python -m pytest -n 2 $(PYTEST_ARGS)

check: setup-dev
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: setup-dev
	@$(BIN)/xinyin bench
