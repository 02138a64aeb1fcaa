//! The parts of the jobs `dq`, `hash` and `audit`.

use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::args::{JobArgs, ValidRows};
use crate::agent::exit::{Exit, Failure};
use crate::jobs::engine::audit::AuditJob;
use crate::jobs::engine::dq::{Destination, DqJob, INVALID_TOPIC, VALID_TOPIC};
use crate::jobs::engine::error::EngineError;
use crate::jobs::engine::hash::HashJob;
use crate::jobs::engine::job::Job;
use crate::jobs::engine::outlet::{Nowhere, Outlet};
use crate::jobs::engine::places::{Input, Place, open_outlet, open_source};
use crate::jobs::engine::runtime::{Connect, RowSink};
use crate::jobs::engine::source::Source;
use crate::jobs::environment::Environment;
use crate::jobs::project::RulesFile;

/// Which job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Dq,
    Hash,
    Audit,
}

pub(super) struct JobConnect {
    kind: Kind,
    name: String,
    /// What its outputs depend on, beside its input.
    definition: String,
    file: RulesFile,
    environment: Environment,
    destination: Destination,
    has_counts: bool,
    from: Place,
    out: Place,
    input: Input,
    partitions: Option<NonZeroU16>,
    stop: Arc<AtomicBool>,
}

impl JobConnect {
    pub(super) fn new(
        kind: Kind,
        file: RulesFile,
        environment: Environment,
        args: &JobArgs,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, Failure> {
        let destination = match args.valid_rows {
            Some(ValidRows::Cassandra) if !file.rules.has_sink => {
                let what =
                    format!("{} says sink: none: rows of its table are not written to Cassandra", file.file);
                return Err(Failure::new(Exit::Usage, what).next(
                    "write sink: cassandra into it and check it again, or give --valid-rows topic or none",
                ));
            }
            Some(ValidRows::Cassandra) => Destination::Cassandra,
            Some(ValidRows::Topic) => Destination::Topic,
            Some(ValidRows::None) => Destination::Nowhere,
            None if file.rules.has_sink => Destination::Cassandra,
            None => Destination::Nowhere,
        };
        let mut definition = file.rules.rules_version.clone();
        let groups = &environment.consumer_groups;
        let (name, topic, group) = match kind {
            Kind::Dq => {
                let job = DqJob::new(file.rules.clone(), &environment, destination)?;
                (job.name().to_owned(), job.topic().to_owned(), &groups.dq)
            }
            Kind::Hash => {
                let job = HashJob::new(&file.rules, &environment);
                (job.name().to_owned(), job.topic().to_owned(), &groups.hash)
            }
            Kind::Audit if !file.rules.has_audit => {
                let what = format!("{} keeps no audit trail", file.file);
                return Err(Failure::new(Exit::Usage, what).next("write audit: true into it"));
            }
            Kind::Audit => {
                let job = AuditJob::new(&file.rules, &environment);
                definition = job.definition();
                (job.name().to_owned(), job.topic().to_owned(), &groups.audit)
            }
        };
        let input = Input {
            environment: environment.clone(),
            topic,
            group: group.value.clone(),
            may_be_missing: false,
        };
        Ok(Self {
            kind,
            name,
            definition,
            destination,
            has_counts: !args.no_counts_table,
            from: args.from.clone(),
            out: args.out.clone(),
            input,
            partitions: args.partitions,
            stop,
            file,
            environment,
        })
    }
}

impl Connect for JobConnect {
    fn name(&self) -> &str {
        &self.name
    }

    fn definition(&self) -> &str {
        &self.definition
    }

    fn job(&self) -> Result<Box<dyn Job>, EngineError> {
        Ok(match self.kind {
            Kind::Dq => Box::new(DqJob::new(self.file.rules.clone(), &self.environment, self.destination)?),
            Kind::Hash => Box::new(HashJob::new(&self.file.rules, &self.environment)),
            Kind::Audit => Box::new(AuditJob::new(&self.file.rules, &self.environment)),
        })
    }

    fn outlet(&self) -> Result<Box<dyn Outlet>, EngineError> {
        let is_one_cluster = (&self.from, &self.out) == (&Place::Kafka, &Place::Kafka);
        let group = is_one_cluster.then_some(self.input.group.as_str());
        let told = (group, [VALID_TOPIC, INVALID_TOPIC].as_slice());
        open_outlet(&self.out, &self.environment, &self.name, told, self.partitions, &self.stop)
    }

    fn source(&self) -> Result<Box<dyn Source>, EngineError> {
        open_source(&self.from, std::slice::from_ref(&self.input), &self.stop)
    }

    fn rows(&self) -> Result<Box<dyn RowSink>, EngineError> {
        match (self.kind, self.destination) {
            (Kind::Dq, Destination::Cassandra) => self.cassandra(),
            _ => Ok(Box::new(Nowhere)),
        }
    }
}

impl JobConnect {
    #[cfg(feature = "cql")]
    fn cassandra(&self) -> Result<Box<dyn RowSink>, EngineError> {
        use crate::jobs::engine::cassandra::{CassandraRows, Tables};

        let tables = Tables { rules: self.file.clone(), has_counts: self.has_counts };
        Ok(Box::new(CassandraRows::open(&self.environment, &tables)?))
    }

    #[cfg(not(feature = "cql"))]
    fn cassandra(&self) -> Result<Box<dyn RowSink>, EngineError> {
        let _ = self.has_counts;
        Err(EngineError::new(Exit::Usage, "this cdc-jobs was built without Cassandra")
            .next("build it with the feature cql, or give --valid-rows topic"))
    }
}
