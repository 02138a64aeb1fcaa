//! What a running agent tells of itself, over HTTP: to probes, to Prometheus, to people. Nothing can be changed through
//! it.
//!
//! `/livez`, `/readyz`, `/metrics`, `/status` and the page `/` are all made from one [`Status`](crate::telemetry::Status).

#[cfg(feature = "http")]
mod answer;
mod client;
mod pages;
mod print;
#[cfg(feature = "http")]
mod server;

#[cfg(all(feature = "http", feature = "kafka"))]
pub(crate) use answer::is_loopback;
pub use client::{ClientError, fetch, parse};
pub use pages::{Page, Pages};
pub use print::terminal;
#[cfg(feature = "http")]
pub use server::{ServeError, Server};
