//! Looking for rows that keep all rules, and for rows that break one.

use rand::Rng;
use rand::seq::IndexedRandom;

use super::row::{Cell, Row};
use super::values::{self, Moment};
use super::{SeedError, Seeder};
use crate::jobs::column::ColumnSource;
use crate::jobs::judge::Verdict;
use crate::jobs::record::Record;
use crate::jobs::rules::{Check, Rule, Severity, no_object};
use crate::jobs::seen::{InMemory, Question, Seen};

/// Tries to keep all rules; warnings are put up with after the first half.
const GOOD_TRIES: u32 = 2000;
/// Tries to break a rule; others that break along with it are put up with after the first half.
const BAD_TRIES: u32 = 400;

/// Answers without remembering.
struct Peek<'s>(&'s InMemory);

impl Seen for Peek<'_> {
    fn is_repeat(&mut self, question: &Question<'_>) -> bool {
        self.0.knows(question)
    }
}

/// Numbers of the rules that a payload breaks, by severity.
struct Broken {
    failed: Vec<usize>,
    warned: Vec<usize>,
}

impl Broken {
    fn all(&self) -> impl Iterator<Item = usize> {
        self.failed.iter().chain(&self.warned).copied()
    }
}

impl Seeder<'_> {
    /// A row that keeps all rules.
    pub(super) fn good(&mut self, timestamp_ms: i64) -> Result<Row, SeedError> {
        let mut cells: Vec<Cell> =
            (0..self.rules.columns.len()).map(|column| self.typical(column, timestamp_ms)).collect();
        let mut left = Vec::new();
        for tries in 0..GOOD_TRIES {
            let row = Row::Cells(cells.clone());
            let broken = self.breaks(&row, timestamp_ms);
            let is_enough = broken.warned.is_empty() || tries > GOOD_TRIES / 2;
            if broken.failed.is_empty() && is_enough {
                return Ok(row);
            }
            let columns = broken.all().flat_map(|rule| self.looks_at(rule)).collect::<Vec<_>>();
            left = broken.failed;
            if let Some(column) = columns.choose(&mut self.random).copied() {
                let drawn = self.draw(column, &cells, timestamp_ms);
                if let Some(cell) = cells.get_mut(column) {
                    *cell = drawn;
                }
            }
        }
        let ids = left.iter().filter_map(|rule| self.rules.rules.get(*rule)).map(|rule| rule.id.as_str());
        Err(SeedError::NoneValid { table: self.table(), rules: ids.collect::<Vec<_>>().join(", ") })
    }

    /// A row that breaks the next rule of this severity, made of a good one; None when none can be broken.
    pub(super) fn broken(&mut self, severity: Severity, good: &Row, timestamp_ms: i64) -> Option<Row> {
        let side = usize::from(severity == Severity::Warn);
        loop {
            let targets = self.targets.get_mut(side)?;
            let place = targets.next.checked_rem(targets.rules.len())?;
            let rule = *targets.rules.get(place)?;
            targets.next = place + 1;
            if let Some(row) = self.breaking(rule, good, timestamp_ms) {
                return Some(row);
            }
            // A rule of which the first row was a repeat of nothing may be breakable later.
            let is_unique =
                matches!(self.rules.rules.get(rule).map(|rule| &rule.check), Some(Check::Unique { .. }));
            if is_unique && self.recent.is_empty() {
                if self.targets.get(side)?.rules.len() == 1 {
                    return Some(good.clone());
                }
                continue;
            }
            self.targets.get_mut(side)?.rules.retain(|other| *other != rule);
            if let Some(rule) = self.rules.rules.get(rule) {
                self.summary.not_broken(&rule.id);
            }
        }
    }

    /// A row that breaks this rule, and no other one when that can be.
    fn breaking(&mut self, rule: usize, good: &Row, timestamp_ms: i64) -> Option<Row> {
        let wanted: &Rule = self.rules.rules.get(rule)?;
        if matches!(&wanted.check, Check::Fails(fails) if *fails == no_object()) {
            return Some(Row::Other(values::no_object(self.options.is_json_only, &mut self.random)));
        }
        let Row::Cells(good) = good else { return None };
        let columns = self.looks_at(rule);
        let mut found: Option<(usize, Row)> = None;
        for tries in 0..BAD_TRIES {
            let mut cells = good.clone();
            for _ in 0..=(tries / (BAD_TRIES / 4)) {
                self.spoil(&mut cells, wanted, &columns, timestamp_ms);
            }
            let row = Row::Cells(cells);
            let broken = self.breaks(&row, timestamp_ms);
            let others = match wanted.severity {
                Severity::Fail if broken.failed.contains(&rule) => broken.failed.len() - 1,
                Severity::Warn if broken.failed.is_empty() && broken.warned.contains(&rule) => {
                    broken.warned.len() - 1
                }
                Severity::Fail | Severity::Warn => continue,
            };
            if others == 0 {
                return Some(row);
            }
            if found.as_ref().is_none_or(|(fewest, _)| others < *fewest) {
                found = Some((others, row));
            }
            if tries > BAD_TRIES / 2 {
                break;
            }
        }
        found.map(|(_, row)| row)
    }

    /// Changes a cell that the rule looks at; of `unique` all, to those of an earlier row.
    fn spoil(&mut self, cells: &mut [Cell], rule: &Rule, columns: &[usize], timestamp_ms: i64) {
        if let Check::Unique { columns, .. } = &rule.check {
            let before = self.random.random_range(0..self.recent.len().max(1));
            let Some(Row::Cells(earlier)) = self.recent.get(before) else { return };
            for column in columns {
                if let (Some(cell), Some(earlier)) = (cells.get_mut(*column), earlier.get(*column)) {
                    *cell = earlier.clone();
                }
            }
            return;
        }
        let Some(column) = columns.choose(&mut self.random).copied() else { return };
        let Some(shape) = self.rules.columns.get(column).map(|column| column.shape) else { return };
        let spoiled = match self.random.random_range(0..6) {
            0 => Cell::Missing,
            1 => Cell::Null,
            2 => values::no_value(shape, &mut self.random),
            _ => self.draw(column, cells, timestamp_ms),
        };
        if let Some(cell) = cells.get_mut(column) {
            *cell = spoiled;
        }
    }

    /// A value of the column's type: one that rules name, or a typical one.
    fn draw(&mut self, column: usize, cells: &[Cell], timestamp_ms: i64) -> Cell {
        let named = match (self.rules.columns.get(column), self.interests.get(column)) {
            (Some(described), Some(interest)) if self.random.random_range(0..4) > 0 => {
                interest.draw(described, cells, timestamp_ms, &mut self.random)
            }
            _ => None,
        };
        named.unwrap_or_else(|| self.typical(column, timestamp_ms))
    }

    fn typical(&mut self, column: usize, timestamp_ms: i64) -> Cell {
        let is_key = self.rules.key.contains(&column);
        let moment = Moment { seed: self.options.seed, number: self.number, timestamp_ms };
        match self.rules.columns.get(column) {
            Some(described) if described.source != ColumnSource::RowHash => {
                values::typical(described, is_key, moment, &mut self.random)
            }
            _ => Cell::Missing,
        }
    }

    /// The columns that a rule and its condition look at.
    fn looks_at(&self, rule: usize) -> Vec<usize> {
        let Some(rule) = self.rules.rules.get(rule) else { return Vec::new() };
        let mut columns = rule.failing().map(|expr| expr.columns()).unwrap_or_default();
        columns.extend(rule.when.iter().flat_map(|when| when.columns()));
        match &rule.check {
            Check::Fails(_) => {}
            Check::Lookup { column, .. } => columns.push(*column),
            Check::Unique { columns: own, .. } => columns.extend(own),
        }
        columns
    }

    fn breaks(&self, row: &Row, timestamp_ms: i64) -> Broken {
        let payload = row.payload(self.rules);
        let record = Record { payload: Some(&payload), timestamp_ms, partition: 0, offset: 0 };
        let verdict = self.rules.judge(&record, &mut Peek(&self.seen));
        let numbers = |ids: &[&str]| {
            let number = |id: &&str| self.rules.rules.iter().position(|rule| rule.id == **id);
            ids.iter().filter_map(number).collect()
        };
        match &verdict {
            Verdict::Valid { warnings, .. } => Broken { failed: Vec::new(), warned: numbers(warnings) },
            Verdict::Invalid { failed, warnings } => {
                Broken { failed: numbers(failed), warned: numbers(warnings) }
            }
            Verdict::NotJudged => Broken { failed: Vec::new(), warned: Vec::new() },
        }
    }
}
