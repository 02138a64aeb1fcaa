//! The topics that the jobs of an environment read and write (docs/jobs.md), and how they should be configured.

use std::collections::BTreeMap;

use super::environment::Environment;
use super::project::Project;
use super::rules::Source;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// `retention.ms` of a topic that keeps everything.
pub const FOREVER: i64 = -1;

/// `retention.ms` of dead letters: 30 days.
pub const LETTERS_MS: i64 = 30 * DAY_MS;

/// `retention.ms` of hash events: 7 days.
pub const HASHES_MS: i64 = 7 * DAY_MS;

/// The longest record of a job, in bytes: a dead letter holds its record, and more.
pub const LONGEST_RECORD: &str = "16777216";

/// What becomes of old records: `cleanup.policy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cleanup {
    /// They are deleted after this many milliseconds (`retention.ms`); None: as the brokers have it.
    Delete(Option<i64>),
    /// The last one of each key stays.
    Compact,
}

/// How many partitions a topic has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Partitions {
    /// One: few records, read as a whole.
    One,
    /// As many as the user asks for, or the broker's default (`num.partitions`).
    Chosen,
}

/// A topic of the jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobTopic {
    /// Its name.
    pub name: String,
    /// What stands in it.
    pub holds: &'static str,
    /// What becomes of old records.
    pub cleanup: Cleanup,
    /// How many partitions it has.
    pub partitions: Partitions,
    /// Whether a record of a job may be as long as [`LONGEST_RECORD`], beyond the brokers' default (`max.message.bytes`).
    pub is_long: bool,
}

impl JobTopic {
    fn new(name: impl Into<String>, holds: &'static str, cleanup: Cleanup, partitions: Partitions) -> Self {
        Self { name: name.into(), holds, cleanup, partitions, is_long: false }
    }

    fn long(self) -> Self {
        Self { is_long: true, ..self }
    }

    /// Its settings, by Kafka's names.
    #[must_use]
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let (policy, retention) = match self.cleanup {
            Cleanup::Delete(ms) => ("delete", ms.map(|ms| ("retention.ms", ms.to_string()))),
            Cleanup::Compact => ("compact", None),
        };
        let longest = self.is_long.then(|| ("max.message.bytes", LONGEST_RECORD.to_owned()));
        [("cleanup.policy", policy.to_owned())].into_iter().chain(retention).chain(longest).collect()
    }

    /// How a topic that is there differs from what it should be, a text for each difference.
    #[must_use]
    pub fn differences(&self, partitions: usize, settings: &BTreeMap<String, String>) -> Vec<String> {
        let mut found = Vec::new();
        if self.partitions == Partitions::One && partitions != 1 {
            found.push(format!("partitions: {partitions}, expected 1"));
        }
        for (name, expected) in self.settings() {
            match settings.get(name) {
                Some(value) if *value == expected => {}
                Some(value) => found.push(format!("{name}: {value}, expected {expected}")),
                None => found.push(format!("{name}: not told by the broker, expected {expected}")),
            }
        }
        found
    }
}

/// The topics that both environments share: counters, verdicts and repairs.
pub(super) fn shared() -> [JobTopic; 5] {
    let (one, chosen) = (Partitions::One, Partitions::Chosen);
    [
        JobTopic::new("dq_metrics_valid", "counters of valid records", Cleanup::Compact, one),
        JobTopic::new("dq_metrics_invalid", "counters of invalid records", Cleanup::Compact, one),
        JobTopic::new("dq_reconciliation_audit", "verdicts on drift", Cleanup::Delete(Some(FOREVER)), chosen)
            .long(),
        JobTopic::new("dq_reconciliation_current", "the last verdict of each key", Cleanup::Compact, chosen),
        JobTopic::new("dq_remediation_audit", "steps of repairs", Cleanup::Delete(Some(FOREVER)), chosen),
    ]
}

/// The topics of an environment alone, in the order of the rules files.
fn own(project: &Project, environment: &Environment) -> Vec<JobTopic> {
    let chosen = Partitions::Chosen;
    let week = Cleanup::Delete(Some(7 * DAY_MS));
    let mut topics = Vec::new();
    for file in project.rules.iter().filter(|file| file.rules.runs_in(&environment.name.value)) {
        let rules = &file.rules;
        let table = &rules.table.value;
        // An agent that was there first has made it, without a retention of its own.
        let changes = |keyspace: &str, table: &str| {
            let name = environment.cdc_topic(keyspace, table);
            JobTopic::new(name, "changes of a table", Cleanup::Delete(None), chosen)
        };
        match &rules.source {
            Source::Json { topic } => {
                let name = environment.topic(&topic.value);
                topics.push(JobTopic::new(name, "records of the business", week, chosen));
            }
            Source::Cdc { table } => topics.push(changes(&table.value.keyspace, &table.value.table)),
        }
        topics.push(changes(&table.keyspace, &table.table));
        let dead_letters = environment.topic(&rules.dead_letter_topic.value);
        let month = Cleanup::Delete(Some(LETTERS_MS));
        topics.push(JobTopic::new(dead_letters, "dead letters", month, chosen).long());
        if rules.has_audit {
            let name = environment.audit_topic(&table.keyspace, &table.table);
            let forever = Cleanup::Delete(Some(FOREVER));
            topics.push(JobTopic::new(name, "audit trail of a table", forever, chosen).long());
        }
    }
    let kept = Cleanup::Delete(Some(HASHES_MS));
    topics.push(JobTopic::new(environment.hash_topic(), "hashes of rows", kept, chosen).long());
    topics
}

/// All topics that the jobs of an environment read and write, each once.
#[must_use]
pub fn of_environment(project: &Project, environment: &Environment) -> Vec<JobTopic> {
    let mut topics: Vec<JobTopic> = Vec::new();
    for topic in own(project, environment).into_iter().chain(shared()) {
        if !topics.iter().any(|known| known.name == topic.name) {
            topics.push(topic);
        }
    }
    topics
}

/// The other environment that a topic belongs to, if it does: because a job there reads or writes it, or by its prefix;
/// of prefixes that begin with one another (`prod` and `prod.eu`) the longest counts. Commands for one environment leave
/// it alone.
#[must_use]
pub fn other_owner<'p>(
    project: &'p Project,
    environment: &Environment,
    topic: &str,
) -> Option<&'p Environment> {
    let owns = |one: &Environment| own(project, one).iter().any(|known| known.name == topic);
    if owns(environment) {
        return None;
    }
    let owner = project.environments.0.iter().find(|other| owns(other));
    let owner = owner.or_else(|| by_prefix(project, topic))?;
    (owner.name.value != environment.name.value).then_some(owner)
}

/// The environment that a topic belongs to by its prefix, if there is one.
#[must_use]
pub fn by_prefix<'p>(project: &'p Project, topic: &str) -> Option<&'p Environment> {
    let is_prefixed = |one: &&Environment| {
        let rest = topic.strip_prefix(one.topic_prefix.value.as_str());
        rest.is_some_and(|rest| rest.starts_with(['.', '_']))
    };
    let prefixed = project.environments.0.iter().filter(is_prefixed);
    prefixed.max_by_key(|one| one.topic_prefix.value.len())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn project() -> Project {
        let (project, findings) = Project::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs"));
        assert!(findings.is_empty(), "{findings:?}");
        project
    }

    /// As docs/jobs.md lists them.
    #[test]
    fn topics_of_the_bundled_jobs() {
        let project = project();
        let topics = of_environment(&project, &project.environments.0[0]);
        let said: Vec<String> = topics
            .iter()
            .map(|topic| {
                let settings = topic.settings();
                let settings: Vec<_> =
                    settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
                format!("{} {:?} {}", topic.name, topic.partitions, settings.join(" "))
            })
            .collect();
        assert_eq!(
            said,
            [
                "topic_onprem_sales Chosen cleanup.policy=delete retention.ms=604800000",
                "onprem.cdc.sales.events Chosen cleanup.policy=delete",
                "onprem.dlq.sales.events Chosen cleanup.policy=delete retention.ms=2592000000 max.message.bytes=16777216",
                "onprem.cdc.sales.users Chosen cleanup.policy=delete",
                "onprem.dlq.sales.users Chosen cleanup.policy=delete retention.ms=2592000000 max.message.bytes=16777216",
                "onprem.audit.sales.users Chosen cleanup.policy=delete retention.ms=-1 max.message.bytes=16777216",
                "onprem_hash_events Chosen cleanup.policy=delete retention.ms=604800000 max.message.bytes=16777216",
                "dq_metrics_valid One cleanup.policy=compact",
                "dq_metrics_invalid One cleanup.policy=compact",
                "dq_reconciliation_audit Chosen cleanup.policy=delete retention.ms=-1 max.message.bytes=16777216",
                "dq_reconciliation_current Chosen cleanup.policy=compact",
                "dq_remediation_audit Chosen cleanup.policy=delete retention.ms=-1",
            ]
        );
    }

    #[test]
    fn whose_a_topic_is() {
        let project = project();
        let onprem = &project.environments.0[0];
        for topic in ["cloud.cdc.sales.events", "cloud_hash_events", "topic_cloud_sales", "cloud.anything"] {
            let owner = other_owner(&project, onprem, topic).map(|owner| owner.name.value.as_str());
            assert_eq!(owner, Some("cloud"), "{topic}");
        }
        for topic in ["onprem.cdc.sales.events", "topic_onprem_sales", "dq_metrics_valid", "clouds", "x"] {
            assert_eq!(other_owner(&project, onprem, topic), None, "{topic}");
        }
    }

    #[test]
    fn of_prefixes_that_begin_with_one_another_the_longest_counts() {
        let mut project = project();
        for (environment, prefix) in project.environments.0.iter_mut().zip(["prod", "prod.eu"]) {
            environment.topic_prefix.value = prefix.to_owned();
        }
        let (prod, eu) = (&project.environments.0[0], &project.environments.0[1]);
        let owner = |environment, topic| {
            other_owner(&project, environment, topic).map(|owner| owner.topic_prefix.value.as_str())
        };
        assert_eq!((owner(prod, "prod.eu.cdc.a.b"), owner(eu, "prod.eu.cdc.a.b")), (Some("prod.eu"), None));
        assert_eq!((owner(prod, "prod.cdc.a.b"), owner(eu, "prod.cdc.a.b")), (None, Some("prod")));
        // What a job reads or writes is its environment's, whatever the prefix.
        assert_eq!(owner(prod, "prod.eu_hash_events"), Some("prod.eu"));
        assert_eq!(owner(eu, "prod_hash_events"), Some("prod"));
    }

    #[test]
    fn differences_are_named() {
        let topic = JobTopic::new("t", "x", Cleanup::Compact, Partitions::One);
        let settings = |policy: &str| BTreeMap::from([("cleanup.policy".to_owned(), policy.to_owned())]);
        assert_eq!(topic.differences(1, &settings("compact")), Vec::<String>::new());
        assert_eq!(
            topic.differences(3, &settings("delete")),
            ["partitions: 3, expected 1", "cleanup.policy: delete, expected compact"]
        );
    }
}
