//! `cdc-agent`: parses the command line and dispatches.
fn main() {}
