//! `cdc-agent replay`: segments at rest become records.

pub mod options;
