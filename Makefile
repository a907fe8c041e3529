# make run: the demo desk.  make test: everything the tests need, then all tests.  make soak: things break for long.

PORT ?= 8000
export UV_PYTHON_DOWNLOADS := never
# Dozens of servers are started by the tests: none of them compiles Django anew.
unexport PYTHONDONTWRITEBYTECODE
export VIRTUAL_ENV := $(CURDIR)/.venv
export PATH := $(CURDIR)/.venv/bin:$(PATH)

UV_INSTALL := uv pip install --quiet --require-hashes
COMPILE := uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11
PYTEST := python -m pytest
# On every core; files as they come: sorted by size, a file whose one test waits for long would be the last one.
SHARED := -n auto --dist loadfile --no-loadscope-reorder

.PHONY: run test test-servers test-clients test-faults test-js soak bench lint format requirements clean

run: .venv/base.done node_modules/.package-lock.json
	@DEBUG=true BROADCAST_CONNECTION=null PORT=$(PORT) python manage.py demo --if-empty --migrate
	@DEBUG=true python manage.py runserver --noreload 127.0.0.1:$(PORT)

test: .venv/dev.done node_modules/.package-lock.json
	@.ci/services
	@$(MAKE) --no-print-directory --jobs 2 --output-sync test-servers test-clients test-faults lint test-js
	$(PYTEST) $(SHARED) --ignore tests/integration --ignore tests/faults --ignore tests/browser
	$(PYTEST) $(SHARED) tests/browser

# A pytest process of its own: its tests share one PostgreSQL database.
test-servers:
	$(PYTEST) -n 2 --dist loadfile --no-loadscope-reorder tests/integration/servers

test-clients:
	$(PYTEST) -n 2 --dist loadfile --no-loadscope-reorder tests/integration/clients

test-faults: .venv/dev.done node_modules/.package-lock.json
	@.ci/services
	$(PYTEST) tests/faults/test_fault_run.py

test-js:
	node --test tests/js/*.test.js

# With a restart of everything under load, too. FAULT_SECONDS says for how long things break, FAULT_SEED in which order;
# FUZZ_EXAMPLES how long the games are played.
soak: export FAULT_SECONDS ?= 900
soak: export FUZZ_EXAMPLES ?= 500
soak: .venv/dev.done node_modules/.package-lock.json
	@.ci/services
	$(PYTEST) tests/faults
	$(PYTEST) $(SHARED) $$(git grep -l FUZZ_EXAMPLES -- 'tests/*.py')

# One after the other: docs/benchmarks.md says what they measure. Of one by its name, OPTIONS may ask for a part.
BENCHMARKS := fanout connections latency writes starvation

bench:
	@$(MAKE) --no-print-directory --jobs 1 $(BENCHMARKS:%=bench-%)

bench-%: .venv/dev.done node_modules/.package-lock.json
	@.ci/services
	python -m benchmarks.$* $(OPTIONS)

# Grows to every file as the words of the project change.
SPELLED := .ci *.md $(filter-out docs/serving.md,$(wildcard docs/*.md)) docs/decisions docs/reference Makefile pyproject.toml requirements package.json biome.json

lint: .venv/dev.done node_modules/.package-lock.json
	ruff format --check .
	ruff check .
	python manage.py makemigrations --check --dry-run --settings tests.settings
	mypy
	djade --check $$(git ls-files '*.html')
	codespell --check-filenames --check-hidden $$(git ls-files -- $(SPELLED))
	npx biome check static realtime/static tests

format: .venv/dev.done node_modules/.package-lock.json
	ruff format .
	ruff check --fix .
	djade $$(git ls-files '*.html') || true
	npx biome check --write static realtime/static tests

requirements: .venv/uv.done
	$(COMPILE) pyproject.toml -o requirements/base.txt
	$(COMPILE) pyproject.toml --group dev -o requirements/dev.txt
	$(COMPILE) --group uv -o requirements/uv.txt
	$(COMPILE) --group node -o requirements/node.txt

.venv/uv.done: requirements/uv.txt
	@echo "Setting up Python ..."
	@python3 -m venv .venv
	@python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

.venv/base.done: .venv/uv.done requirements/base.txt
	@$(UV_INSTALL) -r requirements/base.txt
	@touch $@

.venv/dev.done: .venv/base.done requirements/dev.txt
	@$(UV_INSTALL) -r requirements/dev.txt
	@touch $@

node_modules/.package-lock.json: .venv/uv.done package-lock.json requirements/node.txt
	@echo "Setting up the browser code ..."
	@npm --version >/dev/null 2>&1 || $(UV_INSTALL) -r requirements/node.txt
	@npm ci --no-progress --loglevel error
	@touch $@

clean:
	rm -rf .venv node_modules staticfiles
