//! What a job says at its end.

use serde_json::json;

use crate::jobs::cli::Format;
use crate::jobs::engine::runtime::Ended;

pub(super) fn text(job: &str, ended: &Ended, format: Format) -> String {
    match format {
        Format::Json => {
            let committed = ended.committed.as_ref();
            let summary = json!({
                "job": job,
                "commits": committed.map_or(0, |committed| committed.generation),
                "positions": committed.map(|committed| &committed.positions),
                "counts": ended.report.summary,
                "alarms": ended.alarms,
            });
            format!("{summary:#}\n")
        }
        Format::Text => {
            let width = ended.report.lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
            let mut lines = vec![format!("{job}, since its first start:")];
            lines.extend(ended.report.lines.iter().map(|(name, text)| format!("  {name:<width$}  {text}")));
            lines.extend(ended.alarms.iter().map(|what| format!("  ATTENTION: {what}")));
            lines.join("\n") + "\n"
        }
    }
}
