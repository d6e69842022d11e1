# Two commands matter to a newcomer: `make demo` and `make test`. The others are listed by `make help`.

CARGO ?= cargo
FAST  := $(CARGO) build --profile ci --workspace --bins
BIN   := target/ci

.DEFAULT_GOAL := help
.PHONY: year help check-tools build demo test lint vectors bench soak soak-real mutants years interop asyncapi update fuzz

help:  ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

check-tools:
	@command -v $(CARGO) >/dev/null || { echo "Steward is built with Rust 1.95 or newer, and cargo was not found: install it with rustup, then run this again." >&2; exit 1; }
	@command -v cc >/dev/null || { echo "SQLite is built from source and needs a C compiler: run \`sudo apt-get install build-essential\`, then this again." >&2; exit 1; }

build: check-tools  ## Build all programs, quickly and optimised
	$(FAST)

demo: build  ## Watch a simulated fund at work (q quits); DEMO="--seed 7 --days 5" passes options on
	$(BIN)/steward demo $(DEMO)

test: check-tools  ## Run every test that belongs to a change (15 minutes at most)
	$(CARGO) build --workspace --bins
	$(CARGO) test --workspace
	$(CARGO) test -p contracts --features schema --test documents

lint: check-tools  ## Format, clippy and documentation, warnings denied
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --quiet

VECTOR_TESTS := -p market -p limits -p formulas -p allocation -p steward-risk-gate -p steward-plan -p steward-evaluate -p steward-score
vectors: check-tools  ## Run the numeric vectors, or those of STEWARD_VECTORS=<dir>
	$(CARGO) test $(VECTOR_TESTS) --tests --quiet -- --nocapture
	$(CARGO) test -p steward-tests --test vectors --quiet -- --nocapture
	$(CARGO) test -p steward-tests --test plans --quiet baseline -- --nocapture

bench: build  ## Measure, print a table and write target/bench.json
	$(CARGO) bench --profile ci -p steward-tests --bench steward

SOAK := $(CARGO) test --profile ci -p steward-tests --test faults
soak: check-tools  ## Seeded fault runs of the money path in one process: SEEDS=1000 FIRST=1
	SEEDS=$${SEEDS:-1000} FIRST=$${FIRST:-1} $(SOAK) soak -- --nocapture

soak-real: build  ## The same with real processes and real kills: RUNS=50 FIRST=1 JOBS=1 (demos at once)
	RUNS=$${RUNS:-50} FIRST=$${FIRST:-1} JOBS=$${JOBS:-1} STEWARD_BIN=$(CURDIR)/$(BIN) $(CARGO) test --profile ci -p steward-tests --test soak_real -- --nocapture

mutants: check-tools  ## Prove that the checkers notice broken variants; rewrites docs/mutants.md
	STEWARD_UPDATE=1 $(CARGO) test --profile ci -p steward-tests --features mutants --test faults mutants -- --nocapture

years: check-tools  ## Five simulated years, five seeds, both modes: target/years.json, docs/years.md
	YEARS=$${YEARS:-5} SEEDS=$${SEEDS:-5} $(CARGO) test --profile ci -p steward-tests --test years -- --nocapture

year: check-tools  ## A simulated year of 20 seeds beside keeping and equal weights; rewrites docs/simulated-year.md
	DAYS=$${DAYS:-365} SEEDS=$${SEEDS:-20} $(CARGO) test --profile ci -p steward-tests --test fund_year -- --nocapture

interop: build  ## Other brokers and clients: mosquitto, mosquitto_sub/pub, paho
	bash tests/interop/run

asyncapi:  ## Check docs/asyncapi.yaml with the AsyncAPI project's parser (needs Node)
	@command -v npm >/dev/null || { echo "The AsyncAPI parser runs on Node, and npm was not found: install Node 20 or newer." >&2; exit 1; }
	mkdir -p target/node && cd target/node && (test -d node_modules/@asyncapi/parser || (npm init -y >/dev/null && npm install --silent --no-audit --no-fund --ignore-scripts @asyncapi/parser@3))
	node tests/interop/asyncapi.mjs docs/asyncapi.yaml "$(CURDIR)/target/node/node_modules"

fuzz:  ## Fuzz decoders, formulas and weights (needs `cargo install cargo-fuzz` and a nightly compiler); TIME=60
	cd bus/contracts/fuzz && $(CARGO) fuzz run decode -- -max_total_time=$${TIME:-60}
	cd domain/allocation/fuzz && $(CARGO) fuzz run numbers -- -max_total_time=$${TIME:-60}

update:  ## Rewrite golden files and generated documents after a meant change
	STEWARD_UPDATE=1 $(CARGO) test -p contracts --features schema
	STEWARD_UPDATE=1 $(CARGO) test -p steward-tests --test scenarios
