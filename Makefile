# What this project can do, one target each; `make` lists them.

CARGO ?= cargo
# How tests/it/ is run, arguments behind it; CI has it built already and asks no cargo, which waits for what another one compiles.
RUST_TESTS ?= cargo test --locked --test it --
# Cases of the differential test, and the seed of the first.
CASES ?= 3
SEED ?= 1
# How often `make test-faults` runs each scenario, with another seed each time.
ROUNDS ?= 1
# Records of `make seed-kafka` for each environment, and how many a second; 0: as fast as they are taken.
COUNT ?= 1000
RATE ?= 0
# Parts of `make test` (.ci/phases.py); empty: all.
PHASES ?=
# SHORT=--short: what of a test with real services `make test` runs.
SHORT ?=
# Which tests of `make test-submit`.
SUBMIT ?= test_submit test_drift test_generated
# Records of `make test-engines` and `make test-verdicts`.
RECORDS ?= 100000
# Rows that differ in `make test-e2e`; E2E takes further options of tests/jobs/drift_e2e.py.
DIVERGENCES ?= 1000
E2E ?=
# Seconds for each fuzz target.
FUZZ_SECONDS ?= 60
FUZZ_TARGETS = descriptor sections body mutation texts

# A Python with the packages of the checks.
VENV = .cache/venv
PYTHON = $(VENV)/bin/python

# The stack of `make up`; docs/stack.md.
STACK = compose/native/stack.py
# `make down DATA=drop` removes the data; `make logs SERVICE=onprem`.
# `make up FLINK=0` leaves Flink out, `make up TASKMANAGERS=4` starts more of it.
DATA ?= keep
SERVICE ?=
FLINK ?= 1
TASKMANAGERS ?=
# Where jobs keep their state on that stack: `make down DATA=drop` removes it with everything else.
CHECKPOINTS ?= file://$(CURDIR)/.cache/stack/jobmanager/data
# The same of the jobs of `make run-dq`.
STACK_JOBS = $(CURDIR)/.cache/stack/jobs
# `make run-dq SIDE=cloud` for the other environment; JOB takes further options of `cdc-jobs run dq`.
SIDE ?= onprem
TABLE ?= sales.events
JOB ?=
# Seconds between two looks of `make reconcile`.
EVERY ?= 60

.DEFAULT_GOAL := help
.PHONY: help run build-jar test test-cql test-flink test-planner test-doctor test-kafka test-oracle test-differential fetch differential lint bench bench-kafka bench-live fuzz fixtures clean up down status logs test-compose test-stack test-browser test-live test-faults validate-ci test-submit submit-onprem submit-cloud submit-drift seed-kafka test-jobs-admin test-jobs-compare test-jobs-remediate test-jobs test-story test-engines test-verdicts test-e2e bench-jobs run-dq reconcile

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## build without C libraries or services and show the demo: changes, data quality, hashes, drift, a repair that is proposed
	$(CARGO) build --locked --profile demo --no-default-features --bins
	$(CARGO) run --quiet --locked --profile demo --no-default-features -- demo

up: $(if $(filter 0,$(FLINK)),,flink/target/.built) ## start two Cassandra clusters, Kafka, an agent beside each node and Flink on this machine; builds the agent (docs/stack.md)
	@$(if $(TASKMANAGERS),STACK_FLINK_TASKMANAGERS=$(TASKMANAGERS)) $(STACK) up $(if $(filter 0,$(FLINK)),--without flink)

down: ## stop them; DATA=drop removes their data
	@$(STACK) down --data $(DATA)
	@$(if $(filter drop,$(DATA)),rm -rf $(STACK_JOBS))

status: ## what of them runs, and where
	@$(STACK) status || true

logs: ## the ends of their logs; SERVICE=onprem for one
	@$(STACK) logs $(SERVICE)

test: ## run all tests but the very long ones, side by side; half an hour; needs Java 17, Maven and Python 3 beside Rust, fetches the rest. PHASES="rust lint" for some
	python3 .ci/phases.py $(PHASES)

test-kafka: $(VENV)/.done ## the Kafka sink against a real broker, which it starts; five to seven minutes
	$(CARGO) build --locked
	$(PYTHON) tests/kafka/run.py --seed $(SEED) --rust-tests "$(RUST_TESTS)"

test-jobs: $(VENV)/.done ## cdc-jobs run: generated records against an oracle in Python, kills; a real broker and node, which it starts. Three minutes
	$(CARGO) build --locked
	$(PYTHON) tests/jobs/run.py $(SHORT) --seed $(SEED)

test-live: $(VENV)/.done ## the live agent beside a real node and a real broker, killed and cut off: the short scenarios; three minutes
	$(PYTHON) -m unittest discover -s tests/live -p 'test_*.py'
	$(CARGO) build --locked
	$(PYTHON) tests/live/run.py --short --seed $(SEED)

test-faults: $(VENV)/.done ## every scenario of docs/faults.md, ROUNDS times; two hours a round. Writes .cache/faults.json
	$(PYTHON) -m unittest discover -s tests/live -p 'test_*.py'
	$(CARGO) build --locked
	$(PYTHON) tests/live/run.py --seed $(SEED) --rounds $(ROUNDS) --json .cache/faults.json

fetch: ## fetch what the stacks of the tests are made of: Cassandra, Kafka, Flink, Java 11
	@for part in cassandra-4.1 cassandra-5.0 kafka-3.9 flink-1.20 jdk-11 cql; do compose/native/fetch.sh $$part >/dev/null || exit; done

flink/target/.built: flink/pom.xml $(shell find flink/src/main -type f)
	$(MAKE) build-jar
	touch $@

build-jar: ## build the jar for Flink, flink/target/cdc-agent-flink-*.jar: the Cassandra sink, the functions (docs/flink-sink.md), the drift job (docs/drift.md)
	mvn -q -B -ntp -f flink/pom.xml -DskipTests package

test-flink: ## that jar: the planners of Flink 1.20 and 1.17, then beside two real nodes, which it starts; three to four minutes
	python3 tests/flink/run.py
	touch flink/target/.built

test-planner: flink/target/.built ## plan the SQL of jobs/ and of many other rules on Flink 1.20 and 1.17, and ask Flink about records; two minutes
	$(CARGO) build --locked --bin cdc-jobs
	tests/oracle/planner/run.py plan
	tests/oracle/planner/run.py verdicts
	tests/oracle/planner/run.py audits
	tests/oracle/planner/run.py drifts
	tests/oracle/planner/run.py hashes

test-oracle: $(VENV)/.done ## check what the tests compare with: vectors, examples of the JSON Schemas, Cassandra's dump
	python3 tests/oracle/vectors/make_vectors.py --check
	python3 tests/oracle/vectors/agent_timestamps.py --check
	python3 tests/oracle/drift/histories.py --check
	$(PYTHON) tests/oracle/vectors/check_schemas.py
	$(PYTHON) tests/oracle/soundness.py

test-compose: $(VENV)/.done ## check compose/docker-compose.yml and deploy/, what the stack of `make up` does with processes and ports, and the phases of CI
	$(PYTHON) -m unittest tests/stack/test_compose.py tests/stack/test_deploy.py tests/stack/test_example.py tests/stack/test_process.py tests/stack/test_phases.py

test-browser: $(VENV)/.done ## look at the status page with a real browser, and read the metrics with Prometheus' own parser
	$(CARGO) build --locked --example status-page
	$(PYTHON) -m unittest -v tests/browser/test_page.py

test-stack: $(VENV)/.done ## start real stacks beside others, break them, look at what is left; two to five minutes
	$(CARGO) build --locked
	$(PYTHON) -m unittest -v tests/stack/test_stack.py tests/stack/test_privileges.py

$(VENV)/.done: tests/requirements.txt
	python3 -m venv --clear $(VENV)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	touch $@

test-submit: $(VENV)/.done flink/target/.built ## submit jobs to a real Flink cluster, which it starts; stop, resume and replace them, kill parts of it; the generated SQL; drift there and embedded; seven minutes
	$(CARGO) build --locked --bin cdc-jobs
	$(PYTHON) -m unittest -v $(SUBMIT:%=tests/flink/%.py)

test-cql: ## read the schema of a real node, which it starts, over CQL: passwords, TLS, changes, a restart
	$(RUST_TESTS) --ignored live_schema

test-doctor: ## cdc-agent doctor beside a real node and a real broker, which it starts, and breaks in a dozen ways; a minute
	$(CARGO) build --locked
	python3 tests/doctor/run.py --agent target/debug/cdc-agent

test-differential: ## decode the random writes of CASES=3 as Cassandra's own reader does; half a minute
	$(CARGO) build --locked
	tests/oracle/differential.py --cases $(CASES) --seed $(SEED)

differential: ## decode random writes as Cassandra's own reader does; CASES=100 SEED=1000 for a long run
	$(CARGO) build --locked
	tests/oracle/differential.py --cases $(CASES) --seed $(SEED) --statements 2000

validate-ci: ## check the jobs of jobs/: files, policy, rules and hashes against the tables, feedback loops, stale SQL (docs/rules.md)
	$(CARGO) run --locked --quiet --bin cdc-jobs -- check --schema jobs/tables.cql
	$(CARGO) run --locked --quiet --bin cdc-jobs -- sql --check

submit-onprem: ## submit the jobs of onprem to the Flink of `make up`; those that run are left alone (docs/submit.md)
submit-cloud: ## the same for cloud
submit-drift: ## the same for drift
submit-onprem submit-cloud submit-drift:
	$(CARGO) build --locked --quiet --bin cdc-jobs
	@# 2: a topic is there with other settings, which is told and left so.
	@for env in $(if $(filter submit-drift,$@),onprem cloud,$(@:submit-%=%)); do \
		target/debug/cdc-jobs topics create --env $$env || [ $$? -eq 2 ] || exit 6; \
	done
	@target/debug/cdc-jobs submit $(@:submit-%=%) --schema jobs/tables.cql --checkpoints $(CHECKPOINTS)

seed-kafka: ## write good and bad records to the business topics of both environments on the stack of `make up`: the same ones, and a few rows that differ; COUNT=1000 RATE=0 SEED=1 (docs/jobs-commands.md)
	$(CARGO) build --locked --quiet --bin cdc-jobs
	@# 2: a topic is there with other settings, which is told and left so.
	@start=$$(date -u -d "@$$(( $$(date +%s) - $(COUNT) / 1000 ))" +%FT%TZ); \
	for env in onprem cloud; do \
		{ target/debug/cdc-jobs topics create --env $$env || [ $$? -eq 2 ]; } && \
		target/debug/cdc-jobs seed --env $$env --table sales.events --samples && \
		target/debug/cdc-jobs seed --env $$env --table sales.events --count $(COUNT) --rate $(RATE) --seed $(SEED) --start $$start || exit $$?; \
	done; \
	echo "for drift: a row that differs, and three on each side that the other one has not"; \
	for few in "onprem 1 0 $(SEED)001" "cloud 1 1 $(SEED)001" "onprem 3 0 $(SEED)002" "cloud 3 0 $(SEED)003"; do \
		set -- $$few; \
		target/debug/cdc-jobs seed --env $$1 --table sales.events --count $$2 --warn-ratio $$3 --seed $$4 --bad-ratio 0 --start $$start || exit $$?; \
	done

run-dq: ## judge the records of a business topic on the stack of `make up` in the embedded engine, until Ctrl-C; SIDE=cloud, JOB=--until-end (docs/stack.md)
	$(CARGO) build --locked --quiet --bin cdc-jobs
	@# 2: a topic is there with other settings, which is told and left so.
	@target/debug/cdc-jobs topics create --env $(SIDE) || [ $$? -eq 2 ]
	@target/debug/cdc-jobs run dq --env $(SIDE) --table $(TABLE) --state $(STACK_JOBS)/$(SIDE)/$(TABLE) $(JOB)

reconcile: ## compare the counters of a data quality job on the stack of `make up` with its topics, every EVERY=60 seconds, until Ctrl-C; SIDE=cloud, TABLE=sales.users (docs/jobs-commands.md)
	$(CARGO) build --locked --quiet --bin cdc-jobs
	@target/debug/cdc-jobs reconcile --env $(SIDE) --table $(TABLE) --every $(EVERY)

test-jobs-admin: $(VENV)/.done ## cdc-jobs topics, tail, groups, seed and rest against a real broker, which it starts; a minute
	$(CARGO) build --locked --bin cdc-jobs
	$(PYTHON) tests/jobs/admin.py $(SHORT)

test-jobs-remediate: $(VENV)/.done ## cdc-jobs remediate beside two real Cassandra clusters, a broker, agents and a drift job, which it starts; three minutes
	$(CARGO) build --locked
	$(PYTHON) tests/jobs/remediate.py

test-jobs-compare: ## cdc-jobs compare beside two real Cassandra clusters, which it starts; two minutes
	$(CARGO) build --locked --bin cdc-jobs
	python3 tests/jobs/compare.py

test-story: $(VENV)/.done flink/target/.built ## make up, seed-kafka, submit-onprem submit-cloud submit-drift as a newcomer types them, and what they lead to; the ports of make up, and no stack of it; five minutes
	$(CARGO) build --locked
	$(PYTHON) tests/jobs/story.py

test-engines: $(VENV)/.done flink/target/.built ## Flink and the embedded engine on the same RECORDS=100000 records, record by record; starts Cassandra, Kafka, an agent, Flink
	$(CARGO) build --locked
	$(PYTHON) tests/jobs/engines.py --records $(RECORDS) --seed $(SEED)

test-verdicts: $(VENV)/.done flink/target/.built ## what test-engines does, for drift and audit: RECORDS=100000 records of each of two tables and of a trail; starts Kafka, Flink, Cassandra. Eleven minutes
	$(CARGO) build --locked --bin cdc-jobs
	RECORDS=$(RECORDS) $(PYTHON) -m unittest -v tests.flink.test_drift tests.flink.test_generated.Generated.test_both_engines_write_the_same_trail

lint: ## check format and lints; licences and sources of dependencies where cargo-deny is installed
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets --all-features -- -D warnings
	$(CARGO) clippy --locked --no-default-features -- -D warnings
	@if command -v cargo-deny >/dev/null; then $(CARGO) deny --locked check licenses bans sources; \
	else echo "cargo-deny is not installed: licences and sources are not checked"; fi

test-e2e: $(VENV)/.done flink/target/.built ## the whole way on two Cassandra clusters, Kafka, agents and Flink, which it starts: DIVERGENCES=1000 rows that differ are found and repaired; parts are killed (docs/end-to-end.md). Half an hour
	$(CARGO) build --locked
	$(PYTHON) tests/jobs/drift_e2e.py --divergences $(DIVERGENCES) --seed $(SEED) $(E2E)

bench: ## measure decoding beside Cassandra's reader and the JVM connector's; memory and jobs of replay
	tests/bench/run.py
	tests/bench/replay.py

bench-kafka: ## measure the Kafka sink beside a bare librdkafka producer, on a broker that it starts
	tests/bench/kafka.py

bench-live: $(VENV)/.done ## measure the live agent beside a real node, broker and the JVM connector, on an idle machine; twenty minutes after the builds
	$(PYTHON) tests/bench/live/run.py

bench-jobs: $(VENV)/.done flink/target/.built ## measure the jobs of the embedded engine beside Flink's, same records, broker and node, which it starts; an idle machine
	$(CARGO) build --locked --release
	$(PYTHON) tests/bench/jobs.py

fuzz: ## fuzz each target for FUZZ_SECONDS; needs a nightly toolchain and cargo-fuzz
	for target in $(FUZZ_TARGETS); do \
		mkdir -p tests/fuzz/found/$$target && \
		$(CARGO) +nightly fuzz run --fuzz-dir tests/fuzz $$target tests/fuzz/found/$$target tests/fuzz/corpus/$$target \
			-- -max_total_time=$(FUZZ_SECONDS) -max_len=8192 -rss_limit_mb=2048 || exit 1; \
	done

fixtures: ## write the fixtures anew with real Cassandra nodes, and what Cassandra's reader finds in them
	python3 cdc_fixtures/make.py
	tests/oracle/dump.sh cdc_fixtures/[45].* cdc_fixtures/demo*

clean: ## stop the stack, remove what builds, tests, benches and the stack made
	$(STACK) down
	$(CARGO) clean
	rm -rf .cache flink/target tests/fuzz/target tests/fuzz/found tests/oracle/target
