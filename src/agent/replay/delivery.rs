//! From the workers to the sink, in the order of the log.
//!
//! A worker waits while the batches on their way hold more than their share of memory. The one whose turn it is
//! gets through as soon as all it gave before is taken.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::agent::exit::{Exit, Failure};
use crate::agent::pipeline::batch::Batch;
use crate::agent::pipeline::report::Report;
use crate::agent::pipeline::unit::After;
use crate::agent::pipeline::worker::Outlet;

/// Memory in bytes of all batches that may wait for their turn.
const AHEAD_BYTES: usize = 10 << 20;
/// Used batches that are kept to be filled again, and the memory in bytes that each of them may have.
const SPARE_BATCHES: usize = 4;
const SPARE_BYTES: usize = 1 << 20;

/// What a worker hands over.
#[derive(Debug)]
pub(super) enum Message {
    /// Records.
    Batch(Batch),
    /// The unit is through.
    End(Box<Report>, After),
}

#[derive(Debug, Default)]
struct State {
    waiting: BTreeMap<u64, VecDeque<Message>>,
    ahead: usize,
    turn: u64,
    workers: usize,
    failure: Option<Failure>,
    spare: Vec<Batch>,
}

impl State {
    /// Whether `size` bytes of unit `sequence` must wait.
    fn is_full(&self, sequence: u64, size: usize) -> bool {
        let awaited = self.turn == sequence && self.waiting.get(&sequence).is_none_or(VecDeque::is_empty);
        size > 0 && !awaited && self.ahead + size > AHEAD_BYTES
    }
}

/// Messages by unit, given out in order.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    state: Mutex<State>,
    changed: Condvar,
}

impl Delivery {
    pub(super) fn new(workers: usize) -> Self {
        Self { state: Mutex::new(State { workers, ..State::default() }), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a message of unit `sequence` over; `false` when the replay has failed and the worker must stop.
    pub(super) fn put(&self, sequence: u64, message: Message) -> bool {
        let size = size(&message);
        let mut state = self.lock();
        while state.failure.is_none() && state.is_full(sequence, size) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.failure.is_some() {
            return false;
        }
        state.ahead += size;
        state.waiting.entry(sequence).or_default().push_back(message);
        self.changed.notify_all();
        true
    }

    /// The next message in order; `None` when all workers are done.
    ///
    /// # Errors
    /// What a worker failed with.
    pub(super) fn next(&self) -> Result<Option<Message>, Failure> {
        let mut state = self.lock();
        loop {
            if let Some(failure) = state.failure.take() {
                return Err(failure);
            }
            let turn = state.turn;
            if let Some(message) = state.waiting.get_mut(&turn).and_then(VecDeque::pop_front) {
                state.ahead -= size(&message);
                if matches!(message, Message::End(..)) {
                    state.waiting.remove(&turn);
                    state.turn += 1;
                }
                self.changed.notify_all();
                return Ok(Some(message));
            }
            if state.workers == 0 {
                return Ok(None);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// One worker's membership.
    pub(super) fn member(&self) -> Member<'_> {
        Member { delivery: self, result: None }
    }

    /// A worker has ended, well or not.
    fn worker_ended(&self, result: Result<(), Failure>) {
        let mut state = self.lock();
        state.workers = state.workers.saturating_sub(1);
        if let Err(failure) = result {
            state.failure.get_or_insert(failure);
        }
        self.changed.notify_all();
    }

    /// Tells the workers to stop.
    pub(super) fn stop(&self, reason: Failure) {
        self.lock().failure.get_or_insert(reason);
        self.changed.notify_all();
    }

    /// Gives a used batch back, so that its buffers are used again.
    pub(super) fn give_back(&self, mut batch: Batch) {
        batch.clear();
        let mut state = self.lock();
        if state.spare.len() < SPARE_BATCHES && batch.memory() <= SPARE_BYTES {
            state.spare.push(batch);
        }
    }

    fn spare(&self) -> Batch {
        self.lock().spare.pop().unwrap_or_default()
    }
}

/// A worker that takes part: its end is told even when it panics, so that nobody waits for it.
#[derive(Debug)]
pub(super) struct Member<'d> {
    delivery: &'d Delivery,
    result: Option<Result<(), Failure>>,
}

impl Member<'_> {
    /// Ends the membership.
    pub(super) fn ends(mut self, result: Result<(), Failure>) {
        self.result = Some(result);
    }
}

impl Drop for Member<'_> {
    fn drop(&mut self) {
        let panicked = || Err(Failure::new(Exit::Bug, "a worker panicked"));
        self.delivery.worker_ended(self.result.take().unwrap_or_else(panicked));
    }
}

fn size(message: &Message) -> usize {
    match message {
        Message::Batch(batch) => batch.memory(),
        Message::End(..) => 0,
    }
}

/// The outlet of a worker: the unit it works on.
#[derive(Debug)]
pub(super) struct UnitOutlet<'d> {
    pub(super) delivery: &'d Delivery,
    pub(super) sequence: u64,
    /// Set when the replay has failed elsewhere.
    pub(super) stopped: bool,
}

impl Outlet for UnitOutlet<'_> {
    fn take(&mut self, batch: &mut Batch) -> Result<(), Failure> {
        let full = std::mem::replace(batch, self.delivery.spare());
        if !self.delivery.put(self.sequence, Message::Batch(full)) {
            self.stopped = true;
        }
        Ok(())
    }
}
