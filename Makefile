# make demo   the whole story on your machine, then a running service until Ctrl-C
# make test   every test        make check   format, lint, types, floors        make bench   figures against peers
# Each sets up what it needs by itself: Python >= 3.11 and make are enough.
PYTHON ?= python3
BIN := .venv/bin
export PYTHON

.PHONY: demo test check bench fuzz reliability setup setup-test judges fast lock clean

demo: setup
	@$(BIN)/xinyin demo $(DEMO_ARGS)

# Compiled code is kept, or each process that a test starts would compile the whole tree anew.
test: setup-test
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 3 --dist worksteal $(TEST_ARGS)

check: setup-test
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: setup-test
	@$(BIN)/xinyin bench $(BENCH_ARGS)

# Long campaigns; their short forms run with the tests. Figures: docs/robustness.md, docs/reliability.md.
fuzz: setup-test
	@$(BIN)/python tests/fuzz/run.py $(FUZZ_ARGS)
	@$(BIN)/python tests/fuzz/api_run.py $(API_FUZZ_ARGS)

reliability: setup-test
	@$(BIN)/python tests/reliability/run.py $(RELIABILITY_ARGS)

setup:
	@deploy/bootstrap.sh run

setup-test:
	@deploy/bootstrap.sh test

# A faster SM2 engine (libbotan-3) from source, four minutes, once; needs Rust. Found by itself afterwards.
fast:
	cd native && cargo build --release

# Outside programs that judge our work (installed when root and apt are there).
judges:
	@deploy/bootstrap.sh judges

# New versions, a week after their release at the earliest; needs uv. Authlib follows its security releases at once.
LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	--no-annotate --no-header --quiet --exclude-newer "7 days" --exclude-newer-package authlib=false pyproject.toml
lock:
	$(LOCK) --group build --output-file requirements.lock
	$(LOCK) --group build --group test --group check --output-file requirements-dev.lock

clean:
	rm -rf .venv .cache native/target dist demo-data demo-out .mypy_cache .ruff_cache .pytest_cache .hypothesis
