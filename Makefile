# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt

.PHONY: demo test check bench bench-peers bench-web clean

demo: $(VENV)/demo.done
	$(BIN)/lookalike demo lookalike-demo

# Two files of tests at a time: most of a test is a process that waits for another.
test: check
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# What CI runs besides the tests: format, lint, types, import contracts.
check: $(VENV)/test.done
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/test.done
	$(BIN)/python benchmarks/bench.py

# Minutes of many clients at once, over a synthetic gallery of 100,000 pictures.
bench-web: $(VENV)/test.done
	$(BIN)/python benchmarks/bench_web.py

# Rivals are installed into environments of their own, 3 GB in all, below .venv-peers. PEERS="FOLDER --photos 100"
# takes your own photos.
bench-peers: $(VENV)/test.done
	$(BIN)/python benchmarks/bench_peers.py $(PEERS)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo.done: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(INSTALL) -e '.[demo,serve]'
	touch $@

$(VENV)/test.done: pyproject.toml constraints.txt requirements-test.txt | $(VENV)/bin/python
	$(INSTALL) -e '.[demo,serve,raw,jxl,float32]' -r requirements-test.txt
	touch $@

clean:
	rm -rf $(VENV) .venv-peers lookalike-demo
