//! What a running job tells of itself: lines on standard error, and pages over HTTP.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::agent::log;
use crate::http::{Page, Pages};
use crate::jobs::engine::error::EngineError;
use crate::jobs::engine::job::{JobReport, Kind};
use crate::jobs::engine::outlet::Committed;
use crate::jobs::engine::runtime::Progress;
use crate::telemetry::exposition::{Exposition, Type};
use crate::telemetry::metrics::CONTENT_TYPE;

/// Between two lines that say how far the job is.
const TOLD_EVERY: Duration = Duration::from_secs(10);
/// Without a sign of life for so long the loop hangs.
const LIVE_WITHIN: Duration = Duration::from_secs(120);
const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

/// The labels of all metrics of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// Name of the job.
    pub job: String,
    /// `keyspace.table`.
    pub table: String,
    /// Data centre.
    pub dc: String,
}

/// What is known of a running job. Shared between its loop and whoever asks.
#[derive(Debug)]
pub struct JobPages {
    labels: Labels,
    is_quiet: bool,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    alive: Instant,
    told: Instant,
    started_s: f64,
    committed: Option<Committed>,
    committed_s: Option<f64>,
    report: JobReport,
    lag: u64,
    /// Since the start of the process.
    beginnings: u64,
    trouble: Option<String>,
    alarms: Vec<String>,
}

impl JobPages {
    /// Of a job that has not begun.
    #[must_use]
    pub fn new(labels: Labels, is_quiet: bool) -> Self {
        let now = Instant::now();
        let known = Known {
            alive: now,
            told: now,
            started_s: now_s(),
            committed: None,
            committed_s: None,
            report: JobReport::default(),
            lag: 0,
            beginnings: 0,
            trouble: None,
            alarms: Vec::new(),
        };
        Self { labels, is_quiet, known: Mutex::new(known) }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn metrics(&self) -> String {
        let known = self.known();
        let Labels { job, table, dc } = &self.labels;
        let common = [("job_name", job.as_str()), ("table", table.as_str()), ("dc", dc.as_str())];
        let mut out = Exposition::default();
        for group in known.report.samples.chunk_by(|one, other| one.name == other.name) {
            let Some(first) = group.first() else { continue };
            let kind = match first.kind {
                Kind::Counter => Type::Counter,
                Kind::Gauge => Type::Gauge,
            };
            let mut samples = out.metric(first.name, kind, first.help);
            for sample in group {
                let own = sample.labels.iter().map(|(name, value)| (*name, value.as_str()));
                let labels: Vec<(&str, &str)> = common.into_iter().chain(own).collect();
                samples.add(&labels, float(sample.value));
            }
        }
        let commits = known.committed.as_ref().map_or(0, |committed| committed.generation);
        let lines = [
            (
                "job_lag_records",
                Type::Gauge,
                "Records that are there and were not read",
                Some(float(known.lag)),
            ),
            ("job_commits_total", Type::Counter, "Commits since the first start", Some(float(commits))),
            (
                "job_beginnings_total",
                Type::Counter,
                "How often the job began anew after an error",
                Some(float(known.beginnings)),
            ),
            (
                "job_alarms",
                Type::Gauge,
                "What needs somebody's attention, as /status tells",
                Some(float(count(known.alarms.len()))),
            ),
            (
                "job_last_commit_seconds",
                Type::Gauge,
                "When the last commit was, seconds since 1970",
                known.committed_s,
            ),
            (
                "process_start_time_seconds",
                Type::Gauge,
                "When the job was started, seconds since 1970",
                Some(known.started_s),
            ),
        ];
        for (name, kind, help, value) in lines {
            if let Some(value) = value {
                out.metric(name, kind, help).add(&common, value);
            }
        }
        out.finish()
    }

    fn status(&self) -> String {
        let known = self.known();
        let committed = known.committed.as_ref();
        json!({
            "job": self.labels.job, "table": self.labels.table, "dc": self.labels.dc,
            "ready": known.is_ready(), "trouble": known.trouble, "alarms": known.alarms, "lag": known.lag,
            "commits": committed.map_or(0, |committed| committed.generation),
            "positions": committed.map(|committed| &committed.positions),
            "last_commit_s": known.committed_s, "counts": known.report.summary,
        })
        .to_string()
    }
}

impl Known {
    /// It has begun, goes on, and nothing needs attention.
    fn is_ready(&self) -> bool {
        self.committed.is_some() && self.trouble.is_none() && self.alarms.is_empty()
    }
}

fn now_s() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// As exactly as a float can say.
fn float(number: u64) -> f64 {
    crate::telemetry::to_float(number)
}

impl Progress for JobPages {
    fn alive(&self) {
        self.known().alive = Instant::now();
    }

    fn committed(&self, committed: &Committed, report: &JobReport, lag: u64) {
        let mut known = self.known();
        known.alive = Instant::now();
        known.committed = Some(committed.clone());
        known.committed_s = (committed.generation > 0).then(now_s);
        known.report = report.clone();
        known.lag = lag;
        known.trouble = None;
        if !self.is_quiet && known.told.elapsed() >= TOLD_EVERY {
            known.told = Instant::now();
            let parts = report.lines.iter().filter(|(name, _)| !name.starts_with(' '));
            let parts: Vec<String> = parts.map(|(name, text)| format!("{name} {text}")).collect();
            log::info(&format!("{}; {lag} records to go", parts.join("; ")));
        }
    }

    fn begins_anew(&self, error: &EngineError, _: u32) {
        let mut known = self.known();
        known.beginnings += 1;
        known.trouble = Some(error.to_string());
    }

    fn alarm(&self, what: &str) {
        self.known().alarms.push(what.to_owned());
    }
}

impl Pages for JobPages {
    fn page(&self, path: &str) -> Page {
        let page = |code, content_type, text: String| Page { code, content_type, body: text.into_bytes() };
        match path {
            "/livez" if self.known().alive.elapsed() <= LIVE_WITHIN => page(200, TEXT, "ok\n".to_owned()),
            "/livez" => page(503, TEXT, "the loop gives no sign of life\n".to_owned()),
            "/readyz" => {
                let is_ready = self.known().is_ready();
                let known = self.known();
                let why = json!({ "ready": is_ready, "trouble": known.trouble, "alarms": known.alarms });
                page(if is_ready { 200 } else { 503 }, JSON, why.to_string())
            }
            "/metrics" => page(200, CONTENT_TYPE, self.metrics()),
            "/status" => page(200, JSON, self.status()),
            _ => page(404, TEXT, "there are /livez, /readyz, /metrics and /status\n".to_owned()),
        }
    }
}
