//! `cdc-jobs run drift`: two sides in, verdicts out.

use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::args::DriftArgs;
use super::state_path::{is_apart, state_path};
use super::{Done, Labels, find, go, right_project};
use crate::agent::exit::{Exit, Failure};
use crate::jobs::drift::{Both, CURRENT_TOPIC, DriftJob, DriftRules, Side};
use crate::jobs::engine::error::EngineError;
use crate::jobs::engine::job::Job;
use crate::jobs::engine::outlet::Outlet;
use crate::jobs::engine::pair::Pair;
use crate::jobs::engine::places::{Input, Place, open_outlet, open_source};
use crate::jobs::engine::runtime::Connect;
use crate::jobs::engine::source::Source;
use crate::jobs::environment::Environment;
use crate::jobs::project::{Project, RulesFile};
use crate::sink::FileLogReader;

struct DriftConnect {
    name: String,
    definition: String,
    file: RulesFile,
    rules: DriftRules,
    sides: Both<Environment>,
    from: Both<Place>,
    /// Whose brokers take the verdicts.
    environment: Environment,
    out: Place,
    partitions: Option<NonZeroU16>,
    is_finished: bool,
    stop: Arc<AtomicBool>,
}

/// Runs a drift job until its input ends, or it is asked to stop.
///
/// # Errors
/// The folder of the jobs is not right, the table has no section `drift`, or what keeps the job from going on.
pub(super) fn perform(args: &DriftArgs, stop: &Arc<AtomicBool>) -> Result<Done, Failure> {
    let mut job_args = args.job.clone();
    job_args.until_end |= args.finished;
    let job_args = &job_args;
    let project = right_project(job_args)?;
    let (file, environment) = find(&project, job_args)?;
    let Some(rules) = file.rules.drift.clone() else {
        return Err(Failure::new(Exit::Usage, format!("{} has no section drift", file.file))
            .next("docs/drift.md, section 3, describes it"));
    };
    let sides = Both {
        onprem: side(&project, &rules, Side::Onprem)?.clone(),
        cloud: side(&project, &rules, Side::Cloud)?.clone(),
    };
    let own = Side::BOTH.into_iter().find(|side| sides.of(*side).name.value == environment.name.value);
    let Some(own) = own else {
        let what = format!("{} compares no side with {}", file.file, environment.name.value);
        return Err(Failure::new(Exit::Usage, what).next("give one of its two environments: --env"));
    };
    let other_from = args.other_from.clone().unwrap_or_else(|| job_args.from.clone());
    let mut from = Both { onprem: job_args.from.clone(), cloud: job_args.from.clone() };
    *from.of_mut(own.other()) = other_from;
    if args.finished {
        Side::BOTH.into_iter().try_for_each(|side| can_be_finished(from.of(side)))?;
    }
    let job = DriftJob::new(&file.rules, &rules, Both { onprem: &sides.onprem, cloud: &sides.cloud });
    is_apart(&state_path(job.name(), environment, job_args)?, from.of(own.other()))?;
    let connect = DriftConnect {
        name: job.name().to_owned(),
        definition: job.finished(args.finished).definition(),
        file: file.clone(),
        rules,
        sides,
        from,
        environment: environment.clone(),
        out: job_args.out.clone(),
        partitions: job_args.partitions,
        is_finished: args.finished,
        stop: Arc::clone(stop),
    };
    let labels = Labels {
        job: connect.name.clone(),
        table: job_args.table.clone(),
        dc: environment.cassandra.datacenter.value.clone(),
    };
    go(&connect, labels, environment, job_args, stop)
}

/// Brokers never say that nothing more comes, and of a log with parked mutations something does.
fn can_be_finished(place: &Place) -> Result<(), Failure> {
    let Place::Directory(dir) = place else {
        return Err(Failure::new(Exit::Usage, "--finished: topics of brokers have no end")
            .next("give file logs: --from DIR --other-from DIR; over brokers heartbeats decide"));
    };
    let log = FileLogReader::open(dir).map_err(|error| Failure::new(Exit::Unreadable, error.to_string()))?;
    match log.checkpoint().parked_count() {
        0 => Ok(()),
        count => {
            let what = format!("--finished: in {} {count} mutations are parked", dir.display());
            Err(Failure::new(Exit::Usage, what)
                .next("replay their segments once more with a schema that has their tables and columns"))
        }
    }
}

fn side<'p>(project: &'p Project, rules: &DriftRules, side: Side) -> Result<&'p Environment, Failure> {
    let name = &rules.sides.of(side).environment.value;
    let found = project.environments.0.iter().find(|environment| environment.name.value == *name);
    found.ok_or_else(|| Failure::new(Exit::Usage, format!("environments.yaml has no {name}")))
}

impl DriftConnect {
    fn drift_job(&self) -> DriftJob {
        let sides = Both { onprem: &self.sides.onprem, cloud: &self.sides.cloud };
        DriftJob::new(&self.file.rules, &self.rules, sides).finished(self.is_finished)
    }

    /// The topics of a side, read with that side's own credentials.
    fn source_of(&self, side: Side) -> Result<Box<dyn Source>, EngineError> {
        let environment = self.sides.of(side);
        let job = self.drift_job();
        let input = |(number, topic): (usize, &String)| Input {
            environment: environment.clone(),
            topic: topic.clone(),
            group: environment.consumer_groups.drift.value.clone(),
            // An agent begins the others, when it has something to say; a replay has nothing to say there.
            may_be_missing: number > 0,
        };
        let inputs: Vec<Input> = job.topics(side).iter().enumerate().map(input).collect();
        open_source(self.from.of(side), &inputs, &self.stop)
    }
}

impl Connect for DriftConnect {
    fn name(&self) -> &str {
        &self.name
    }

    fn definition(&self) -> &str {
        &self.definition
    }

    fn job(&self) -> Result<Box<dyn Job>, EngineError> {
        Ok(Box::new(self.drift_job()))
    }

    fn outlet(&self) -> Result<Box<dyn Outlet>, EngineError> {
        // Offsets of two users' topics are no part of one user's transaction: they stand beside the verdicts.
        let told = (None, [CURRENT_TOPIC].as_slice());
        open_outlet(&self.out, &self.environment, &self.name, told, self.partitions, &self.stop)
    }

    fn source(&self) -> Result<Box<dyn Source>, EngineError> {
        Ok(Box::new(Pair::new(self.source_of(Side::Onprem)?, self.source_of(Side::Cloud)?)))
    }
}
