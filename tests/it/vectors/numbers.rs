//! `double_text.jsonl`: the JDK's texts of doubles and floats.

use cdc_agent::cql::CqlType;
use cdc_agent::envelope::options::ValueFormat;
use cdc_agent::envelope::value::write_value;

use super::{lines, text, unhex};

#[test]
fn doubles_and_floats_have_the_text_of_the_jdk() {
    let lines = lines("double_text.jsonl");
    assert!(lines.len() >= 300);
    for line in &lines {
        let cql_type = if line["type"] == "double" { CqlType::Double } else { CqlType::Float };
        let mut out = Vec::new();
        write_value(&cql_type, &unhex(&line["bits"]), ValueFormat::default(), &mut out).unwrap();
        let expected = match text(line, "text") {
            special @ ("NaN" | "Infinity" | "-Infinity") => format!("\"{special}\""),
            number => number.to_owned(),
        };
        assert_eq!(String::from_utf8(out).unwrap(), expected, "{line}");
    }
}
