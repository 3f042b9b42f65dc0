# storewatch: `make demo` and `make test` need Python 3.11 or newer, git and make, nothing else.

BIN := .venv/bin
READY := .venv/.ready
# Most tests wait for a disk, a lock or a process, so more run at a time than there are cores.
AT_ONCE := -n 4 --dist loadgroup --no-loadscope-reorder

.PHONY: help setup demo serve test unit hunt fuzz faults soak check format audit bench bench-million docs dist try-wheel lock clean

help: ## Show what can be made.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 15

setup: $(READY) ## Make .venv with the `storewatch` command and all that tests need.

$(READY): requirements/dev.txt requirements/tools.txt pyproject.toml scripts/setup
	@scripts/setup requirements/dev.txt
	@touch $@

demo: setup ## Make a fleet, load it, report on it. DATA=DIR takes your own three files.
	@$(BIN)/storewatch demo $(if $(DATA),--data "$(DATA)")

serve: setup ## Serve the pages and the REST API on http://127.0.0.1:8000.
	@$(BIN)/storewatch serve --no-login

test: setup ## Run all tests.
	@$(BIN)/python -m pytest $(AT_ONCE) $(ARGS)

unit: setup ## Run the quick tests.
	@$(BIN)/python -m pytest $(AT_ONCE) -m "not slow" $(ARGS)

hunt: setup ## Run the tests with generated examples on other ones than usual.
	@HYPOTHESIS_PROFILE=hunt $(BIN)/python -m pytest $(AT_ONCE) $$(grep -rlE "^@given|schemathesis" tests --include=test_*.py) $(ARGS)

fuzz: setup ## Try inputs that nobody would send, MINUTES=10 of them; writes docs/explanation/fuzzing.md.
	@$(BIN)/python -m tests.fuzz --minutes $(or $(MINUTES),10) --examples $(or $(EXAMPLES),50) $(ARGS)

faults: setup ## Try every fault under load, for 20 minutes or FAULTS_ROUNDS=20; writes docs/reliability.md.
	@$(BIN)/python -m tests.faults

check: setup ## Lint, format, types, layers.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: setup ## Put the code into shape.
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

audit: setup ## Ask which pinned packages have known flaws. Needs the network.
	@.tools/bin/uv tool run --from pip-audit pip-audit --strict --require-hashes --disable-pip -r requirements/dev.txt

bench: setup ## Measure, and write docs/benchmarks.md.
	@scripts/setup requirements/bench.txt
	@$(BIN)/python -m bench

bench-million: setup ## Measure fleets up to 1,000,000 stores, or STORES=100000; writes docs/benchmarks-of-large-fleets.md.
	@scripts/setup requirements/bench.txt
	@$(BIN)/python -m bench.million

soak: setup ## Live a day of 14,092 stores in MINUTES=16; writes docs/explanation/soak.md and its picture.
	@$(BIN)/python -m bench.soak --minutes $(or $(MINUTES),16) $(ARGS)

docs: setup ## Build the documentation as a static site in build/docs; a link that leads nowhere ends it.
	@$(BIN)/python scripts/site/build.py build/docs

dist: setup ## Build the wheel and the source distribution in dist/.
	@rm -rf dist
	@$(BIN)/python -m hatchling build -d dist

try-wheel: dist ## Install the wheel in clean environments on each Python there is, and make a demo's report in each.
	@scripts/try-wheel

lock: setup ## Pin the newest versions of everything, with hashes.
	@scripts/lock

clean: ## Remove what setup made.
	@rm -rf .venv .tools build dist
