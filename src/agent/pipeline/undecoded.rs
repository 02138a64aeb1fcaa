//! Mutations that the schema of their place does not decode: delivered with the last schema of the log, parked, given
//! up, or the end of the replay.

use std::sync::Arc;

use super::batch::Parked;
use super::epoch::Epoch;
use super::failed::Failed;
use super::records::{full_name, tag};
use super::report::{Outcome, Skipped, Undelivered};
use super::worker::Work;
use crate::agent::exit::{Exit, Failure};
use crate::cli::{Undecodable, UnknownTable};
use crate::commitlog::{Damage, DamageKind, Decoder, Frame, Mutation, Peek, Position, peek};
use crate::envelope::{Encoder, Place};

/// Length of a sync marker in bytes.
const MARKER_LENGTH: u64 = 8;

/// What a mutation says without a schema. `None`: there is nothing to park it by, and no schema says more.
#[inline]
pub(in crate::agent) fn readable(payload: &[u8]) -> Option<Peek<'_>> {
    peek(payload).ok().filter(|peeked| peeked.updates > 0)
}

impl Work<'_, '_> {
    /// What becomes of a mutation that the schema of its place does not decode.
    pub(in crate::agent) fn undecoded(
        &mut self,
        frame: Frame<'_>,
        offset: u64,
        place: Place<'_>,
        peeked: &Peek<'_>,
        failed: Failed,
    ) -> Result<Outcome, Failure> {
        let failed = match self.with_last_schema(frame, place, failed)? {
            Ok(outcome) => return Ok(outcome),
            Err(failed) => failed,
        };
        // Of one that was parked before it was asked for then: to ask each time again would have no end.
        if !self.is_retried && failed.advice().is_none() {
            self.worker.later.ask();
        }
        let position = place.position(0);
        self.check_goes_on(position, &failed)?;
        if self.count_unknown(frame, peeked, &failed) {
            return Ok(Outcome::Skipped(Skipped::UnknownTable));
        }
        Ok(self.park_or_give_up(frame, offset, position, peeked, &failed))
    }

    /// Tries the last schema of the log; when it does not help, what the mutation has failed with.
    fn with_last_schema(
        &mut self,
        frame: Frame<'_>,
        place: Place<'_>,
        failed: Failed,
    ) -> Result<Result<Outcome, Failed>, Failure> {
        if failed.is_refused() {
            return Ok(Err(failed));
        }
        let last = self.worker.later.last_epoch();
        if self.epoch().is_some_and(|epoch| Arc::ptr_eq(epoch, &last)) {
            return Ok(Err(failed));
        }
        match self.with_schema(&last, frame, place) {
            Ok(outcome) => Ok(Ok(outcome)),
            Err(Failed::HandOver(failure)) => Err(failure),
            Err(later) if later.is_refused() || later.is_part() => Ok(Err(later)),
            Err(_) => Ok(Err(failed)),
        }
    }

    /// An error when the options say to stop at such a mutation.
    fn check_goes_on(&self, position: Position, failed: &Failed) -> Result<(), Failure> {
        if failed.is_refused() {
            let failure = Failure::new(Exit::Usage, format!("mutation at {position}: {failed}"));
            return Err(failed.advice().into_iter().fold(failure, Failure::next));
        }
        if self.worker.unknown_table == UnknownTable::Block && failed.is_unknown_schema() {
            return Err(Failure::new(Exit::UnknownSchema, format!("mutation at {position}: {failed}"))
                .next("give a schema that has the table, or use --unknown-table park"));
        }
        Ok(())
    }

    /// Counts a mutation of an unknown table; whether nothing more becomes of it.
    fn count_unknown(&mut self, frame: Frame<'_>, peeked: &Peek<'_>, failed: &Failed) -> bool {
        let Some(table) = failed.unknown_table() else { return false };
        let unknown = self.report.unknown_tables.entry(table).or_default();
        unknown.mutations += 1;
        unknown.bytes += frame.payload.len() as u64;
        // One that is given up is told of by itself. Of a mutation of several tables nobody knows whether all are dropped.
        self.worker.given_up != Some(peeked.table)
            && self.worker.unknown_table == UnknownTable::Ledger
            && peeked.updates == 1
    }

    fn park_or_give_up(
        &mut self,
        frame: Frame<'_>,
        offset: u64,
        position: Position,
        peeked: &Peek<'_>,
        failed: &Failed,
    ) -> Outcome {
        let entry = self.undelivered(frame, position, peeked, failed);
        let is_unknown = failed.unknown_table() == Some(peeked.table);
        let is_given_up = match self.worker.undecodable {
            _ if self.worker.given_up == Some(peeked.table) => true,
            Undecodable::Park => false,
            Undecodable::Ledger if is_unknown => self.worker.unknown_table == UnknownTable::Ledger,
            Undecodable::Ledger => !failed.is_part(),
        };
        if is_given_up {
            self.report.given_up.push(entry);
            return self.lost(frame, offset, position);
        }
        let tag = tag(peeked.table, peeked.partition_key);
        self.batch.parked.push(Parked { entry, tag, is_unknown: failed.is_unknown_schema() });
        Outcome::Parked
    }

    /// Decodes and encodes one mutation with another schema than that of its place.
    fn with_schema(&mut self, epoch: &Epoch, frame: Frame<'_>, place: Place<'_>) -> Result<Outcome, Failed> {
        let mut mutation = Mutation::default();
        let mut decoder = Decoder::new(&epoch.schema);
        let encoder = std::mem::replace(&mut self.encoder, Encoder::new(self.worker.config));
        let done = self.records(&mut decoder, frame.payload, &mut mutation, place, epoch);
        self.encoder = encoder;
        done
    }

    /// The ledger entry of a mutation that is not delivered.
    fn undelivered(
        &self,
        frame: Frame<'_>,
        position: Position,
        peeked: &Peek<'_>,
        failed: &Failed,
    ) -> Undelivered {
        let known = self.epoch().and_then(|epoch| epoch.schema.table(peeked.table));
        let table = known.map(|table| full_name(table));
        Undelivered {
            position,
            table: Some(table.unwrap_or_else(|| peeked.table.to_string())),
            bytes: Some(frame.payload.len() as u64),
            reason: failed.reason(),
        }
    }

    /// The checksums are right and the bytes make no sense: the mutation is lost. `offset` is that of the byte from
    /// which on offsets of frames count, in the section's plain bytes.
    pub(in crate::agent) fn lost(&mut self, frame: Frame<'_>, offset: u64, position: Position) -> Outcome {
        let plain_offset = offset + frame.offset as u64;
        let in_file = if self.origin.is_stored { 0 } else { MARKER_LENGTH + plain_offset };
        let damage = Damage {
            kind: DamageKind::Mutation,
            offset: position.marker + in_file,
            plain_offset: Some(plain_offset),
            lost_bytes: frame.length() as u64,
            lost_mutations: Some(1),
            reason: None,
        };
        self.report.damaged(self.origin.id, damage);
        Outcome::Undecodable
    }
}
