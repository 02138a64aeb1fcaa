//! `inspect`: what is in a segment, with offsets.

pub mod annotate;
