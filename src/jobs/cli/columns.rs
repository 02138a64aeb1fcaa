//! Text in columns.

/// Lines whose cells stand below each other; the first one is the head. A cell of digits stands to the right.
pub(super) fn columns(lines: &[Vec<String>]) -> String {
    let count = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let mut out = String::new();
    for line in lines {
        let mut text = String::new();
        for (cell, width) in line.iter().zip(&widths) {
            let is_number = !cell.is_empty() && cell.chars().all(|c| c.is_ascii_digit() || c == '-');
            text.push_str(&if is_number { format!("{cell:>width$}") } else { format!("{cell:<width$}") });
            text.push_str("  ");
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out
}

/// A text for a terminal: what it would take for a command is shown as an escape.
pub(super) fn printable(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            // Also the marks that turn the direction of text around.
            '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => out.extend(c.escape_unicode()),
            c if c.is_control() => out.extend(c.escape_default()),
            c => out.push(c),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stand_below_each_other() {
        let lines = [vec!["TOPIC".to_owned(), "LAG".to_owned()], vec!["a".to_owned(), "5".to_owned()]];
        assert_eq!(columns(&lines), "TOPIC  LAG\na        5\n");
    }

    #[test]
    fn nothing_reaches_the_terminal_as_a_command() {
        assert_eq!(printable("a\u{1b}[31m\u{9b}é\n\u{202e}"), "a\\u{1b}[31m\\u{9b}é\\n\\u{202e}");
    }
}
