//! The text form of Prometheus, version 0.0.4.
//!
//! Source: <https://prometheus.io/docs/instrumenting/exposition_formats/>

use std::fmt::Write;

/// What kind of numbers a metric has.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Type {
    Counter,
    Gauge,
}

/// Writes metrics into a text.
#[derive(Debug, Default)]
pub(crate) struct Exposition {
    text: String,
}

impl Exposition {
    /// Begins a metric: its lines of samples follow.
    pub(crate) fn metric(&mut self, name: &'static str, kind: Type, help: &str) -> Samples<'_> {
        let kind = match kind {
            Type::Counter => "counter",
            Type::Gauge => "gauge",
        };
        self.head(name, kind, help);
        Samples { text: &mut self.text, name }
    }

    /// A metric with one sample, or none.
    pub(crate) fn single(&mut self, name: &'static str, kind: Type, help: &str, value: Option<f64>) {
        if let Some(value) = value {
            self.metric(name, kind, help).add(&[], value);
        }
    }

    /// A histogram: cumulated counts by upper bound, sum and count.
    pub(crate) fn histogram(
        &mut self,
        name: &'static str,
        help: &str,
        buckets: &[(f64, f64)],
        (sum, count): (f64, f64),
    ) {
        self.head(name, "histogram", help);
        let text = &mut self.text;
        // Writing to a String does not fail.
        for (bound, value) in buckets {
            _ = writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {value}");
        }
        _ = writeln!(text, "{name}_bucket{{le=\"+Inf\"}} {count}");
        _ = writeln!(text, "{name}_sum {sum}");
        _ = writeln!(text, "{name}_count {count}");
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }
}

/// The samples of one metric.
#[derive(Debug)]
pub(crate) struct Samples<'a> {
    text: &'a mut String,
    name: &'static str,
}

impl Samples<'_> {
    /// One sample.
    pub(crate) fn add(&mut self, labels: &[(&str, &str)], value: f64) {
        self.text.push_str(self.name);
        let mut before = '{';
        for (label, value) in labels {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            _ = write!(self.text, "{before}{label}=\"{value}\"");
            before = ',';
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        // As Prometheus spells it.
        _ = match value.is_infinite() && value > 0.0 {
            true => writeln!(self.text, " +Inf"),
            false => writeln!(self.text, " {value}"),
        };
    }
}
