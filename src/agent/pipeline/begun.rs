//! Tables whose creation stands in the log that is read: all that was ever logged of them is behind it.

use std::sync::Arc;

use super::epoch::{Epoch, Verdict};
use crate::commitlog::Position;
use crate::envelope::options::Profile;
use crate::envelope::topic::table_topic;
use crate::schema::{Creation, TableSchema};

/// What was created longer ago, milliseconds, may have been logged before what is read: a node that takes the schema over
/// from another one logs all of it again. A newer table has its creation in the log, or had it when the agent began.
const NEW_MS: i64 = 600_000;

/// A wanted table, and where the log has its creation.
#[derive(Debug, Clone)]
pub(in crate::agent) struct Begun {
    table: Arc<TableSchema>,
    /// The segment's file.
    pub(in crate::agent) file: String,
    pub(in crate::agent) position: Position,
    /// When it was created, by the clock of the node that was asked to, microseconds since 1970.
    pub(in crate::agent) created_us: i64,
}

impl Begun {
    pub(in crate::agent) fn table(&self) -> (&str, &str) {
        (&self.table.keyspace, &self.table.name)
    }

    pub(in crate::agent) fn topic(&self, profile: Profile, prefix: &str) -> String {
        table_topic(profile, prefix, &self.table)
    }
}

/// The wanted tables that begin with a mutation at this place, which is read at `now_ms`, milliseconds since 1970.
pub(in crate::agent) fn begun(
    created: &[Creation],
    (position, file): (Position, &str),
    epoch: &Epoch,
    now_ms: i64,
) -> Vec<Begun> {
    let is_new = |created: &&Creation| created.at_us / 1000 >= now_ms.saturating_sub(NEW_MS);
    let is_wanted = |created: &&Creation| epoch.interest.table(created.table) == Verdict::Wanted;
    let begun = |created: &Creation| {
        let table = Arc::clone(epoch.schema.table(created.table)?);
        Some(Begun { table, file: file.to_owned(), position, created_us: created.at_us })
    };
    created.iter().filter(is_new).filter(is_wanted).filter_map(begun).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::filter::TableFilter;
    use crate::schema::{SchemaHistory, ddl};

    const NOW_MS: i64 = 1_795_385_810_000;

    #[test]
    fn an_old_schema_that_is_logged_again_is_no_creation() {
        let text = "CREATE TABLE k.t (p int PRIMARY KEY) WITH ID = 8bd6f9e6-0000-11f0-8000-000000000001 AND cdc = true;
                    CREATE TABLE k.u (p int PRIMARY KEY) WITH ID = 8bd6f9e6-0000-11f0-8000-000000000002";
        let (history, _) = SchemaHistory::new(&ddl::parse(text).unwrap().rows);
        let epoch = Epoch::new(None, history.schema().clone(), &TableFilter::default());
        let position: Position = "7:40:3".parse().unwrap();
        let topics = |last: char, at_ms: i64| {
            let table = format!("8bd6f9e6-0000-11f0-8000-00000000000{last}").parse().unwrap();
            let created = [Creation { table, at_us: at_ms * 1000 }];
            let begun = begun(&created, (position, "CommitLog-7-7.log"), &epoch, NOW_MS);
            begun.iter().map(|begun| begun.topic(Profile::Flat, "p")).collect::<Vec<_>>()
        };
        assert_eq!(topics('1', NOW_MS + 5), ["p.cdc.k.t"], "by another clock");
        assert_eq!(topics('1', NOW_MS - NEW_MS), ["p.cdc.k.t"]);
        assert_eq!(topics('1', NOW_MS - NEW_MS - 1), [""; 0], "old");
        assert_eq!(topics('2', NOW_MS), [""; 0], "not wanted");
        assert_eq!(topics('3', NOW_MS), [""; 0], "not known");
    }
}
