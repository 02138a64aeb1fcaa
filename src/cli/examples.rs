//! The examples below each help text.

pub(super) const TOP: &str = "\
Examples:
  cdc-agent demo                                        what it does, without any service
  cdc-agent replay cdc_raw --schema schema.cql          changes as records, on standard output
  cdc-agent verify cdc_raw                              is everything whole?

Exit codes:
  0 ok   1 bug   2 usage or configuration   3 damaged input   4 unreadable input
  5 unknown schema   6 destination   7 fenced or locked";

pub(super) const RUN: &str = "\
Examples:
  cdc-agent run --config /etc/cdc-agent/agent.toml
  cdc-agent run --cdc-raw /var/lib/cassandra/cdc_raw --bootstrap-servers kafka:9092 --prefix onprem
  cdc-agent run --cdc-raw cdc_raw --schema schema.cql --state-dir state --out log     without Kafka and CQL

SIGTERM and SIGINT stop it after a commit. Exit codes: 0 stopped, 2 configuration, 4 the commit log cannot be read,
6 the destination refuses, 7 another agent has the directory or the transactional ids.";

pub(super) const STATUS: &str = "\
Examples:
  cdc-agent status --config /etc/cdc-agent/agent.toml
  cdc-agent status --watch
  cdc-agent status --live > /dev/null || echo hangs, or is not there
  cdc-agent status --json | jq .lag

Exit codes: 0 it does its work, 2 configuration, 4 it runs and is not ready, 6 no agent answers.";

pub(super) const PARKED: &str = "\
Examples:
  cdc-agent parked list --config /etc/cdc-agent/agent.toml
  cdc-agent parked retry
  cdc-agent parked skip 1795397450763:35866:0";

pub(super) const PARKED_LIST: &str = "\
Examples:
  cdc-agent parked list --config /etc/cdc-agent/agent.toml
  cdc-agent parked list --json | jq -r .place

A running agent is asked; of one that does not run, the committed checkpoint is read, which has places and partitions only.
Exit codes: 0 listed, 2 configuration, 6 what is committed cannot be read.";

pub(super) const PARKED_RETRY: &str = "\
Examples:
  cdc-agent parked retry --config /etc/cdc-agent/agent.toml

Exit codes: 0 tried, 2 configuration, 5 some stay parked, 6 no agent answers, or it refuses.";

pub(super) const PARKED_SKIP: &str = "\
Examples:
  cdc-agent parked skip 1795397450763:35866:0           what would be given up
  cdc-agent parked skip 1795397450763:35866:0 --yes
  cdc-agent parked skip --table 5bc52802-de25-35ed-aeab-188eecebb090 --yes

Exit codes: 0 done, 2 nothing such is parked, 6 no agent answers, or it refuses.";

pub(super) const CHECKPOINT: &str = "\
Examples:
  cdc-agent checkpoint show --config /etc/cdc-agent/agent.toml
  cdc-agent checkpoint rewind --config agent.toml --to 1795397450763:20:0
  cdc-agent checkpoint accept-loss --config agent.toml --segment 1795397450763";

pub(super) const CHECKPOINT_SHOW: &str = "\
Examples:
  cdc-agent checkpoint show --config /etc/cdc-agent/agent.toml
  cdc-agent checkpoint show --out log --state-dir state --json | jq .checkpoint.open

Exit codes: 0 shown, 2 configuration, 6 what is committed cannot be read.";

pub(super) const CHECKPOINT_REWIND: &str = "\
Examples:
  cdc-agent checkpoint rewind --config agent.toml --to 1795397450763:20:0         what would be done
  cdc-agent checkpoint rewind --config agent.toml --to 1795397450763:20:0 --yes

Exit codes: 0 done, 2 there is no such position, 4 cdc_raw cannot be read, 6 destination, 7 the agent runs.";

pub(super) const CHECKPOINT_ACCEPT_LOSS: &str = "\
Examples:
  cdc-agent checkpoint accept-loss --config agent.toml --segment 1795397450763         what would be done
  cdc-agent checkpoint accept-loss --config agent.toml --segment 1795397450763 --yes

Exit codes: 0 done, 2 there is nothing to accept, 4 cdc_raw cannot be read, 6 destination, 7 the agent runs.";

pub(super) const COMPLETIONS: &str = "\
Examples:
  cdc-agent completions bash > /etc/bash_completion.d/cdc-agent
  cdc-agent completions zsh > ~/.zfunc/_cdc-agent";

pub(super) const MAN: &str = "\
Examples:
  cdc-agent man | man -l -
  cdc-agent man --dir /usr/local/share/man/man1";

pub(super) const INSPECT: &str = "\
Examples:
  cdc-agent inspect CommitLog-7-1795361326344.log --limit 10
  cdc-agent inspect CommitLog-7-1795361326344.log --schema schema.json --values
  cdc-agent inspect CommitLog-7-1795361326344.log --schema schema.json --at 1795361326344:154:0
  cdc-agent inspect CommitLog-7-1795361326344.log --schema schema.cql --json | jq 'select(.type == \"mutation\")'

Values are shown as hex. Exit code 3 says that the segment is damaged, 4 that it cannot be read.";

pub(super) const VERIFY: &str = "\
Examples:
  cdc-agent verify /var/lib/cassandra/cdc_raw
  cdc-agent verify CommitLog-7-1795361326344.log --schema schema.json
  cdc-agent verify --keystore cassandra.keystore --keystore-password-file password.txt saved/*.log
  cdc-agent verify saved --json | jq 'select(.type == \"total\")'

Exit codes: 0 clean, 3 damaged, 4 unreadable (no segment, unsupported version, no key), the worst of all segments.";

pub(super) const SCHEMA: &str = "\
Examples:
  cqlsh -e 'DESCRIBE SCHEMA WITH INTERNALS' > schema.cql
  cdc-agent schema check schema.cql
  cdc-agent schema show schema.cql";

pub(super) const SCHEMA_SHOW: &str = "\
Examples:
  cdc-agent schema show schema.cql
  cdc-agent schema show schema.json --json | jq '.tables[] | select(.cdc)'";

pub(super) const SCHEMA_CHECK: &str = "\
Examples:
  cdc-agent schema check schema.cql && echo usable";

pub(super) const REPLAY: &str = "\
Examples:
  cdc-agent replay cdc_raw --schema schema.json                        records on standard output
  cdc-agent replay cdc_raw --schema schema.json --out events           into a file log; run again to go on
  cdc-agent replay a.log --schema schema.cql --table shop.orders       one table, whatever its cdc option
  cdc-agent replay cdc_raw --schema schema.json --dry-run --jobs 2     count only
  cdc-agent replay cdc_raw --schema schema.json --row-hash v1 --summary summary.json
  cdc-agent replay cdc_raw --schema schema.json --config agent.toml    options from a file

Exit codes: 0 done, 2 usage, 3 damage was found, 4 a segment cannot be read, 5 a table is unknown,
6 the destination failed, 7 the destination is held by another writer.";

pub(super) const DEMO: &str = "\
Examples:
  cdc-agent demo
  cdc-agent demo --out demo && cat demo/onprem/*/0/*.jsonl";

pub(super) const CONFIG: &str = "\
Examples:
  cdc-agent config init --cassandra-yaml /etc/cassandra/cassandra.yaml --out agent.toml
  cdc-agent config check --config agent.toml
  cdc-agent config show --config agent.toml";

pub(super) const CONFIG_SHOW: &str = "\
Examples:
  cdc-agent config show --config agent.toml
  cdc-agent config show --config agent.toml --json | jq 'select(.from != \"default\")'";

pub(super) const CONFIG_CHECK: &str = "\
Examples:
  cdc-agent config check --config agent.toml && echo usable

Exit codes: 0 nothing fails (there may be warnings), 2 something does.";

pub(super) const CONFIG_INIT: &str = "\
Examples:
  cdc-agent config init --cassandra-yaml /etc/cassandra/cassandra.yaml --out agent.toml";

pub(super) const CONFIG_IMPORT: &str = "\
Examples:
  cdc-agent config import-debezium connector.properties --out agent.toml

What is not taken over, or means something else here, is said on standard error.";

pub(super) const DOCTOR: &str = "\
Examples:
  cdc-agent doctor --config agent.toml
  cdc-agent doctor --config agent.toml --json | jq 'select(.verdict == \"fail\")'

Exit code: 0 when nothing fails, or that of the first check that does: 2 configuration, 3 damaged segment, 4 directory
or segment cannot be read, 5 schema, 6 destination or state directory, 7 another agent holds the directory.";

pub(super) const SNAPSHOT: &str = "\
Examples:
  cdc-agent snapshot start --table shop.orders
  cdc-agent snapshot status
  cdc-agent snapshot stop";

pub(super) const SNAPSHOT_START: &str = "\
Examples:
  cdc-agent snapshot start --config agent.toml --table shop.orders --table shop.users
  cdc-agent snapshot start --table shop.orders --rate 500 --wait

The running agent reads the rows that this node owns first, and publishes them as records with op r between the changes.
Give the command on every node of the data centre. It goes on after a restart of the agent. The role of the agent
needs SELECT on the tables. Exit codes: 0 done, 6 no agent answers, it refuses, or (--wait) one did not complete.";

pub(super) const SNAPSHOT_STOP: &str = "\
Examples:
  cdc-agent snapshot stop --table shop.orders
  cdc-agent snapshot stop --config agent.toml";

pub(super) const SNAPSHOT_STATUS: &str = "\
Examples:
  cdc-agent snapshot status
  cdc-agent snapshot status --config agent.toml --json | jq .percent";
