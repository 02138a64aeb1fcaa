//! Texts that hold a pattern.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

use crate::jobs::pattern::Pattern;

/// How often more than it must a part is repeated, at most.
const MORE: u32 = 4;

/// A text that holds the pattern; None when none was found.
pub(super) fn holding(pattern: &Pattern, random: &mut ChaCha8Rng) -> Option<String> {
    let mut parser = ParserBuilder::new().unicode(false).utf8(false).build();
    let plain = || ParserBuilder::new().build().parse(pattern.source()).ok();
    let tree = parser.parse(pattern.source()).ok().or_else(plain)?;
    let mut bytes = Vec::new();
    write(&tree, random, &mut bytes);
    // Anchors in the middle, or bytes that are no text: then it is none.
    String::from_utf8(bytes).ok().filter(|text| pattern.is_in(text))
}

fn write(tree: &Hir, random: &mut ChaCha8Rng, out: &mut Vec<u8>) {
    match tree.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.extend_from_slice(&literal.0),
        HirKind::Class(class) => out.extend_from_slice(one_of(class, random).as_bytes()),
        HirKind::Capture(capture) => write(&capture.sub, random, out),
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(u32::MAX).min(repetition.min.saturating_add(MORE));
            for _ in 0..random.random_range(repetition.min..=most.max(repetition.min)) {
                write(&repetition.sub, random, out);
            }
        }
        HirKind::Concat(parts) => parts.iter().for_each(|part| write(part, random, out)),
        HirKind::Alternation(parts) => {
            if let Some(part) = parts.choose(random) {
                write(part, random, out);
            }
        }
    }
}

/// A character of a class: one that people can read when there is one.
fn one_of(class: &Class, random: &mut ChaCha8Rng) -> String {
    let is_in = |c: char| match class {
        Class::Unicode(class) => {
            class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&c))
        }
        Class::Bytes(class) => u8::try_from(c).is_ok_and(|byte| {
            class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&byte))
        }),
    };
    let readable: Vec<char> = (' '..='~').filter(|c| is_in(*c)).collect();
    let letters: Vec<char> = readable.iter().copied().filter(char::is_ascii_alphanumeric).collect();
    let chosen = letters.choose(random).or_else(|| readable.choose(random)).copied();
    let first = || match class {
        Class::Unicode(class) => class.ranges().first().map(|range| range.start()),
        Class::Bytes(class) => class.ranges().first().map(|range| char::from(range.start())),
    };
    chosen.or_else(first).map(String::from).unwrap_or_default()
}
