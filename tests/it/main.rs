//! The integration tests: one binary, one module a subject.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod acceptance;
mod cli;
mod config_commands;
mod configuration;
mod connector;
mod copies;
mod damage;
mod demo;
mod destination;
mod doubtful;
mod drift_job;
mod file_log;
mod golden;
mod heads;
#[cfg(feature = "http")]
mod http;
mod inspect;
mod jobs;
#[cfg(feature = "kafka")]
mod kafka_node;
mod layout;
mod legacy;
#[cfg(feature = "cql")]
mod live_schema;
mod memory;
mod misread;
mod model;
mod operating;
mod parts;
mod program;
mod record_schemas;
mod remediate;
mod replay_again;
mod replay_order;
mod replay_part;
mod replay_repeated;
mod replay_scope;
mod row_deletion;
mod schema_history;
mod schema_merge;
mod special_files;
mod sums;
mod support;
mod told;
mod undecodable;
mod units;
mod unknown_table;
mod upgrade;
mod vectors;
mod verify;
mod view_rows;
mod visibility;
mod wrong_key;
