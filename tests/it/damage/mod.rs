//! Damaged segments: what is found, where, and what is lost by it.
//!
//! Seeded mutants of the fixtures. The expectation is made from the undamaged segment's ledger, never from what
//! the reader says of the mutant.

mod head;
mod mutant;
mod overwritten;
mod plain;
mod segment;
mod stored;

use mutant::{Random, SEED};
use plain::Class;
use segment::Original;

/// Mutants of each class and segment.
const CASES: u64 = 60;

fn run(folders: &[&str], classes: &[(&str, Class)]) {
    let originals: Vec<Original> = folders.iter().flat_map(|folder| Original::of(folder)).collect();
    for (name, class) in classes {
        let mut mutants = 0;
        for original in &originals {
            for case in 0..CASES {
                let Some(mutant) = class(original, &mut Random::new(case)) else { continue };
                mutants += 1;
                mutant.check(original, &format!("{name}: {} seed {SEED:#x} case {case}", original.name));
            }
        }
        assert!(mutants >= CASES / 4, "{name}: only {mutants} mutants");
    }
}

#[test]
fn damage_to_plain_segments_is_found_and_its_loss_is_exact() {
    run(&["5.0-v8-direct", "4.1-none"], plain::CLASSES);
}

#[test]
fn damage_to_compressed_segments_is_found_and_its_loss_is_accounted_for() {
    run(&["4.1-lz4", "5.0-v8-lz4", "4.1-snappy", "4.1-deflate", "4.1-zstd"], stored::CLASSES);
}

#[test]
fn damage_to_encrypted_segments_is_found_and_its_loss_is_accounted_for() {
    run(&["4.1-encrypted", "5.0-v8-encrypted"], stored::CLASSES);
}
