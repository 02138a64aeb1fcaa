//! What every command needs: the rules of the table, both sides, and where verdicts and steps are.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{SystemTime, UNIX_EPOCH};

use super::{FromArgs, TableArgs};
use crate::agent::exit::{Exit, Failure};
use crate::jobs::cli::{folder, stop};
use crate::jobs::drift::{Both, DriftInput, DriftRules, Side};
use crate::jobs::engine::places::Place;
use crate::jobs::environment::Environment;
use crate::jobs::project::RulesFile;
use crate::jobs::remediate::RemediateRules;
use crate::jobs::remediate::repair::RepairTable;
use crate::jobs::remediate::store::Store;

pub(super) struct Opened {
    pub(super) store: Store,
    pub(super) file: RulesFile,
    pub(super) drift: DriftRules,
    pub(super) table: RepairTable,
}

impl Opened {
    pub(super) fn rules(&self) -> &RemediateRules {
        &self.file.rules.remediate
    }

    pub(super) fn name(&self) -> &str {
        self.table.full_name()
    }

    /// The side that an environment is.
    ///
    /// # Errors
    /// It is none.
    pub(super) fn side(&self, environment: &str) -> Result<Side, Failure> {
        let is_it = |side: &Side| self.store.sides.of(*side).name.value == environment;
        Side::BOTH.into_iter().find(is_it).ok_or_else(|| {
            let name = |side: Side| self.store.sides.of(side).name.value.as_str();
            let next = format!("its sides are {} and {}", name(Side::Onprem), name(Side::Cloud));
            Failure::new(Exit::Usage, format!("{} compares no side with {environment}", self.file.file))
                .next(next)
        })
    }

    /// Name of the job that takes steps of this table.
    pub(super) fn job(&self, what: &str) -> String {
        format!("{what}-{}-{}", self.store.environment.name.value, self.name())
    }
}

/// Opens what the options name, until a signal; `from` is missing where no changes are read.
///
/// # Errors
/// The folder of the jobs is not right, or the table is not compared between this environment and another one.
pub(super) fn open(args: &TableArgs, from: Option<&FromArgs>) -> Result<Opened, Failure> {
    open_until(args, from, stop::on_signals()?)
}

/// [`open`] for a caller with signals of its own.
///
/// # Errors
/// As of [`open`].
pub(super) fn open_until(
    args: &TableArgs,
    from: Option<&FromArgs>,
    stop: Arc<AtomicBool>,
) -> Result<Opened, Failure> {
    let project = folder::checked(&args.jobs)?;
    let environment = folder::environment(&project, &args.env)?;
    let file = folder::rules(&project, environment, &args.table)?;
    let Some(drift) = file.rules.drift.clone() else {
        return Err(Failure::new(Exit::Usage, format!("{} has no section drift", file.file))
            .next("docs/drift.md, section 3, describes it"));
    };
    if drift.input == DriftInput::Hash {
        let what = format!("{}: drift compares hash events, which hold no values to repair with", file.file);
        return Err(Failure::new(Exit::Usage, what).next("input: cdc"));
    }
    let side = |side: Side| -> Result<Environment, Failure> {
        folder::environment(&project, &drift.sides.of(side).environment.value).cloned()
    };
    let sides = Both { onprem: side(Side::Onprem)?, cloud: side(Side::Cloud)? };
    let own = Side::BOTH.into_iter().find(|side| sides.of(*side).name.value == args.env);
    let Some(own) = own else {
        let what = format!("{} compares no side with {}", file.file, args.env);
        return Err(Failure::new(Exit::Usage, what).next("give one of its two environments: --env"));
    };
    let here = from.map_or(Place::Kafka, |from| from.from.clone());
    let there = from.and_then(|from| from.other_from.clone()).unwrap_or_else(|| here.clone());
    let mut places = Both { onprem: there.clone(), cloud: there };
    *places.of_mut(own) = here;
    let store = Store {
        verdicts: args.verdicts.clone(),
        environment: environment.clone(),
        sides,
        from: places,
        stop,
    };
    let table = RepairTable::new(&file.rules, &drift);
    Ok(Opened { store, file: file.clone(), drift, table })
}

/// Milliseconds since 1970.
pub(super) fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}
