//! Entry points of the fuzz targets of `tests/fuzz`, which the tests also run over the committed corpora.
//!
//! Each takes any bytes and asserts what must hold for them, beyond not panicking. Checksums would keep a
//! fuzzer out, so inputs can ask for theirs to be made right first ([`repair`]).

mod body;
mod descriptor;
mod mutation;
mod repair;
mod sections;
mod texts;

pub use body::body;
pub use descriptor::descriptor;
pub use mutation::mutation;
pub use sections::sections;
pub use texts::texts;

/// A fuzz target: takes any bytes.
pub type Target = fn(&[u8]);

/// The targets by name: the folders of `tests/fuzz/corpus`.
pub const TARGETS: [(&str, Target); 5] = [
    ("descriptor", descriptor),
    ("sections", sections),
    ("body", body),
    ("mutation", mutation),
    ("texts", texts),
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// What the fuzzers started from, and every input that once failed.
    #[test]
    fn corpora_hold() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
        for (name, target) in super::TARGETS {
            let mut inputs: Vec<_> =
                corpus.join(name).read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
            inputs.sort();
            assert!(inputs.len() >= 5, "{name} has no corpus");
            for input in inputs {
                let bytes = std::fs::read(&input).unwrap();
                assert!(std::panic::catch_unwind(|| target(&bytes)).is_ok(), "{}", input.display());
            }
        }
    }
}
