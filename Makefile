# make demo   install and diagnose a really stuck script
# make test   install and pass the tests, on JAX, TensorFlow and PyTorch
# make check  lint, types, layers
# make bench    speed and memory, ONLY=engine|recorder|leakage|check for one group
# make quality  right and wrong, ONLY=engine|kill|faults|rules|leakage|corpus for one group
# make replay   recorded runs judged again: what changed against REF=main; BUDGET=30 tries causes by experiments too
# make docs   the documentation, in docs/_build/html; warnings are errors
# make outputs  run the examples that README and docs show, and write their outputs anew
# make lock   renew the lock file and the pinned requirements made from it

PYTHON ?= python3
BIN := .venv/bin
TORCH := torch==2.13.0
PER_BACKEND := tests/record tests/rules/test_rule_examples.py

.PHONY: demo test check bench quality replay docs outputs lock clean

demo: .make/run
	-KERAS_BACKEND=jax $(BIN)/unstuck run --html .unstuck/demo.html examples/stuck_at_zero.py
	@echo; echo "The same as a page: $(CURDIR)/.unstuck/demo.html"

test: .make/test
	KERAS_BACKEND=jax $(BIN)/python -m pytest -n 2
	KERAS_BACKEND=tensorflow $(BIN)/python -m pytest -n 2 $(PER_BACKEND)
	KERAS_BACKEND=torch $(BIN)/python -m pytest -n 2 $(PER_BACKEND)

check: .make/lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/outputs.py --check

bench quality: .make/test
	KERAS_BACKEND=jax $(BIN)/python -m benchmarks $@ $(ONLY)

replay: .make/test
	KERAS_BACKEND=jax $(BIN)/python -m benchmarks.replay $(or $(REF),main) $(BUDGET)

docs: .make/docs
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html

outputs: .make/run
	KERAS_BACKEND=jax $(BIN)/python docs/outputs.py --run

lock: .make/lint
	$(BIN)/uv lock
	$(BIN)/uv export -q --no-emit-project --no-hashes --no-default-groups -o requirements/run.txt
	$(BIN)/uv export -q --no-emit-project --no-hashes --only-group test --only-group backends -o requirements/test.txt
	$(BIN)/uv export -q --no-emit-project --no-hashes --only-group lint -o requirements/lint.txt
	$(BIN)/uv export -q --no-emit-project --no-hashes --only-group docs -o requirements/docs.txt

.venv/bin/python:
	$(PYTHON) -m venv .venv

.make/run: .venv/bin/python requirements/run.txt pyproject.toml
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements/run.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	@mkdir -p .make .unstuck && touch $@

.make/test: .make/run .make/chromium requirements/test.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements/test.txt -c requirements/run.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check -c requirements/run.txt $(TORCH)
	@touch $@

# Debian's own browser for the tests of the HTML page. Without it, and without the right to install it, they are skipped.
.make/chromium:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq \
	  && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; } \
	  || echo "No Chromium: the tests of the HTML page in a browser will be skipped (apt-get install chromium)."
	@mkdir -p .make && touch $@

.make/lint: .make/run requirements/lint.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements/lint.txt
	@touch $@

.make/docs: .make/run requirements/docs.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements/docs.txt -c requirements/run.txt
	@touch $@

clean:
	rm -rf .venv .make .unstuck
