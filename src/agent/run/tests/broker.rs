//! A broker with transactions, and a sink in front of it that fails at any place.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use super::random::Random;
use crate::checkpoint::Checkpoint;
use crate::commitlog::Position;
use crate::envelope::Record;
use crate::sink::{Sink, SinkError};

/// A record as a consumer sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) topic: String,
    pub(super) key: String,
    pub(super) value: String,
    pub(super) event_id: String,
    pub(super) position: Position,
}

/// What is committed, and what is sent.
#[derive(Debug, Default)]
pub(super) struct Broker {
    pub(super) committed: Vec<Seen>,
    /// Of the committed records.
    pub(super) positions: BTreeSet<Position>,
    pub(super) checkpoint: Checkpoint,
    pub(super) sent: Vec<Seen>,
}

/// One agent's sink. Once in `faults` calls it fails; 0: never.
pub(super) struct SimulatedSink {
    pub(super) broker: Rc<RefCell<Broker>>,
    pub(super) random: Random,
    pub(super) faults: u64,
    /// So many commits are taken back, besides.
    pub(super) undoes: u32,
    /// It fails behind so many commits, and commits as often as it can until then.
    pub(super) commits_left: Option<u32>,
    pub(super) most_parked: usize,
    known: Checkpoint,
    has_failed: bool,
}

impl SimulatedSink {
    /// Takes over: what the agent before sent and did not commit is aborted.
    pub(super) fn open(broker: &Rc<RefCell<Broker>>, random: Random, faults: u64) -> Self {
        broker.borrow_mut().sent.clear();
        let known = broker.borrow().checkpoint.clone();
        Self {
            broker: Rc::clone(broker),
            random,
            faults,
            undoes: 0,
            commits_left: None,
            most_parked: usize::MAX,
            known,
            has_failed: false,
        }
    }

    fn fails(&mut self) -> bool {
        self.faults > 0 && self.random.once_in(self.faults)
    }

    fn undone(&mut self) -> SinkError {
        self.has_failed = true;
        self.broker.borrow_mut().sent.clear();
        SinkError::RolledBack { what: "simulated".to_owned() }
    }
}

impl Sink for SimulatedSink {
    fn send(&mut self, record: &Record<'_>) -> Result<(), SinkError> {
        assert!(!self.has_failed, "nothing is sent after an error");
        if self.fails() {
            return Err(self.undone());
        }
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        self.broker.borrow_mut().sent.push(Seen {
            topic: record.topic.to_owned(),
            key: text(record.key),
            value: record.value.map(text).unwrap_or_default(),
            event_id: record.event_id.to_owned(),
            position: record.position,
        });
        Ok(())
    }

    fn commit(&mut self, checkpoint: &Checkpoint) -> Result<(), SinkError> {
        assert!(!self.has_failed, "nothing is committed after an error");
        checkpoint.check_follows(&self.known)?;
        self.take_back(checkpoint)
    }

    fn take_back(&mut self, checkpoint: &Checkpoint) -> Result<(), SinkError> {
        assert!(!self.has_failed, "nothing is committed after an error");
        let is_undone = self.undoes > 0 || self.commits_left == Some(0);
        self.undoes = self.undoes.saturating_sub(1);
        self.commits_left = self.commits_left.map(|left| left.saturating_sub(1));
        if is_undone || self.fails() {
            return Err(self.undone());
        }
        let is_unknown = self.fails();
        if is_unknown && self.random.once_in(2) {
            self.has_failed = true;
            self.broker.borrow_mut().sent.clear();
            return Err(SinkError::Indefinite { what: "simulated, not committed".to_owned() });
        }
        let broker = &mut *self.broker.borrow_mut();
        broker.positions.extend(broker.sent.iter().map(|seen| seen.position));
        broker.committed.append(&mut broker.sent);
        broker.checkpoint = checkpoint.clone();
        if is_unknown {
            self.has_failed = true;
            return Err(SinkError::Indefinite { what: "simulated, committed".to_owned() });
        }
        self.known = checkpoint.clone();
        Ok(())
    }

    fn checkpoint(&self) -> Option<&Checkpoint> {
        Some(&self.known)
    }

    fn is_full(&self) -> bool {
        self.commits_left.is_some()
    }

    fn most_parked(&self) -> usize {
        self.most_parked
    }

    fn rewind(&mut self) -> Result<(), SinkError> {
        if self.fails() {
            return Err(self.undone());
        }
        self.broker.borrow_mut().sent.clear();
        self.known = self.broker.borrow().checkpoint.clone();
        self.has_failed = false;
        Ok(())
    }
}
