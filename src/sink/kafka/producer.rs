//! One producer: records in, and one transaction after the other.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use super::client::{Purpose, config, unmade};
use super::context::{Context, EVENT_ID, Failed};
use super::doubt::Doubts;
use super::flush::flush;
use super::notice::Notice;
use super::options::KafkaOptions;
use super::refusal::advice;
use super::trouble::{Trouble, forbids_topic, is_missing, lasting, refuses_record};

/// The pauses while librdkafka is waited for: a small part of the time waited so far, within these bounds.
const PAUSES: (Duration, Duration) = (Duration::from_micros(100), Duration::from_millis(10));
const PAUSE_PARTS: u32 = 32;
/// A commit takes 5 to 8 ms. One that takes so long may have been asked for twice, or Kafka is away.
const LONGEST_COMMIT: Duration = Duration::from_secs(5);
/// An abort takes as long as what is under way; readers wait for what is not aborted until the transaction times out.
const LONGEST_ABORT: Duration = Duration::from_secs(5);
/// After so long librdkafka is served, and the abort goes on.
const ABORT_PART: Duration = Duration::from_millis(100);
/// How long whoever asks to stop waits for what is sent to be acknowledged.
const STOP_PATIENCE: Duration = Duration::from_secs(5);
/// More events than stand in a queue between two commits.
const TOLD_AT_ONCE: u32 = 64;
/// That many times as many come while no broker can be asked.
const TOLD_IN_VAIN: u32 = 16;
/// After how many records log lines and errors are looked for.
const SERVE_EVERY: u32 = 512;
/// When waiting is told first: whoever waits because a topic was deleted is to know it within 10 s.
const TOLD_FIRST: Duration = Duration::from_secs(5);
/// And then every so often.
const TOLD_AGAIN: Duration = Duration::from_secs(10);
/// How long brokers may take to say which topics there are, when records for them are not acknowledged.
const TOPICS_ASKED: Duration = Duration::from_secs(1);

/// A record with its partition.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outgoing<'a> {
    pub(super) topic: &'a str,
    pub(super) partition: i32,
    pub(super) key: Option<&'a [u8]>,
    /// `None` is a tombstone.
    pub(super) value: Option<&'a [u8]>,
    /// Empty when the record has none.
    pub(super) event_id: &'a str,
    /// Other headers, in their order.
    pub(super) headers: &'a [(&'a str, Option<&'a [u8]>)],
    pub(super) ts_ms: i64,
}

/// Why a record or a batch did not get through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stuck {
    /// In general.
    Trouble(Trouble),
    /// This record is longer than librdkafka sends. It was not handed over, and nothing else is harmed.
    TooLarge,
    /// Because Kafka does not take one of these records: what was sent in the same transaction is not delivered
    /// either.
    Records(Vec<Failed>),
}

impl From<Trouble> for Stuck {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

pub(super) struct Producer {
    inner: BaseProducer<Context>,
    /// The transactional id; empty when there is none.
    id: String,
    options: KafkaOptions,
    unserved: u32,
    in_transaction: bool,
    /// Topics of the records that were handed over since all were acknowledged.
    sent_to: BTreeSet<Box<str>>,
    /// What may still come of it, and of the producers that had its id before.
    doubts: Doubts,
}

impl Producer {
    /// A producer without transactions that repeats nothing.
    pub(super) fn idempotent(options: &KafkaOptions) -> Result<Self, Trouble> {
        Self::create(options, &Purpose::Idempotent, String::new())
    }

    /// A producer with a transactional id. Whoever had it before is fenced, and its open transaction aborted.
    pub(super) fn transactional(
        options: &KafkaOptions,
        id: String,
        doubts: &Doubts,
    ) -> Result<Self, Trouble> {
        let mut producer = Self::create(options, &Purpose::Transactions(id.clone()), id)?;
        producer.doubts = doubts.clone();
        // Serves the first request for a token.
        producer.inner.poll(Duration::ZERO);
        let taken = producer.inner.init_transactions(options.start_timeout);
        producer.serve();
        if producer.inner.context().take_erred() {
            doubts.add();
        }
        taken.map_err(|error| {
            let other = || producer.trouble(&error, "cannot take over the transactional id");
            producer.refusal().map_or_else(other, |(what, hint)| Trouble::Lasting { what, hint })
        })?;
        Ok(producer)
    }

    fn create(options: &KafkaOptions, purpose: &Purpose, id: String) -> Result<Self, Trouble> {
        let inner = config(options, purpose)
            .create_with_context::<_, BaseProducer<Context>>(Context::new(options))
            .map_err(|error| unmade(&error))?;
        Ok(Self {
            inner,
            id,
            options: options.clone(),
            unserved: 0,
            in_transaction: false,
            sent_to: BTreeSet::new(),
            doubts: Doubts::default(),
        })
    }

    /// What an error means here. A fatal one tells its cause by itself.
    fn trouble(&self, error: &KafkaError, what: &str) -> Trouble {
        let servers = &self.options.bootstrap_servers;
        if let Some((code, reason)) = self.inner.client().fatal_error() {
            let fatal = KafkaError::Global(code);
            return match Trouble::of(&fatal, what, &self.id, |code| self.lasting(code)) {
                Trouble::Unknown(_) => Trouble::Unknown(format!("{what}: {fatal}: {reason}")),
                known => self.judged(known, what),
            };
        }
        let trouble = Trouble::of(error, &format!("{what} ({servers})"), &self.id, |code| self.lasting(code));
        self.judged(trouble, what)
    }

    /// What to do about an error that trying again does not help. A topic that is gone is made again when the sink starts
    /// again, where the agent makes topics.
    fn lasting(&self, code: RDKafkaErrorCode) -> Option<&'static str> {
        let is_mended = is_missing(code) && self.options.topics.create;
        lasting(code).filter(|_| !is_mended)
    }

    /// Whoever asked twice for the id may be fenced by its own request, which came late.
    fn judged(&self, trouble: Trouble, what: &str) -> Trouble {
        match trouble {
            Trouble::Fenced(id) if self.doubts.take() => Trouble::Unknown(format!(
                "{what}: {id} was taken over, perhaps by a late request of this agent"
            )),
            other => other,
        }
    }

    pub(super) fn has_transactions(&self) -> bool {
        !self.id.is_empty()
    }

    /// Begins a transaction, when there is none and the producer has transactions.
    pub(super) fn begin(&mut self) -> Result<(), Trouble> {
        if !self.in_transaction && self.has_transactions() {
            self.inner
                .begin_transaction()
                .map_err(|error| self.trouble(&error, "cannot begin a transaction"))?;
            self.in_transaction = true;
        }
        Ok(())
    }

    /// Hands a record over. When librdkafka's queue is full this waits until there is room.
    pub(super) fn produce(&mut self, record: &Outgoing<'_>) -> Result<(), Stuck> {
        let mut wait = Wait::default();
        loop {
            let mut outgoing = BaseRecord::<[u8], [u8]>::to(record.topic)
                .partition(record.partition)
                // 0 would mean now.
                .timestamp(record.ts_ms.max(1));
            outgoing.key = record.key;
            outgoing.payload = record.value;
            if !record.event_id.is_empty() {
                let header = Header { key: EVENT_ID, value: Some(record.event_id) };
                outgoing = outgoing.headers(OwnedHeaders::new_with_capacity(1).insert(header));
            } else if !record.headers.is_empty() {
                let all = OwnedHeaders::new_with_capacity(record.headers.len());
                let insert = |all: OwnedHeaders, (key, value): &(&str, Option<&[u8]>)| {
                    all.insert(Header { key, value: *value })
                };
                outgoing = outgoing.headers(record.headers.iter().fold(all, insert));
            }
            let error = match self.inner.send(outgoing) {
                Ok(()) => break,
                Err((error, _)) => error,
            };
            match error.rdkafka_error_code() {
                Some(RDKafkaErrorCode::QueueFull) => self.wait(&mut wait, "the queue of records is full")?,
                Some(RDKafkaErrorCode::MessageSizeTooLarge) => return Err(Stuck::TooLarge),
                Some(code) if forbids_topic(code) => return Err(forbidden(record.topic, code)),
                _ => return Err(self.stuck(&error, record.topic)),
            }
        }
        if !self.sent_to.contains(record.topic) {
            self.sent_to.insert(Box::from(record.topic));
        }
        self.unserved += 1;
        if self.unserved >= SERVE_EVERY {
            self.unserved = 0;
            self.inner.poll(Duration::ZERO);
        }
        Ok(())
    }

    /// Why `send` failed: what failed before explains it better than that the transaction cannot go on.
    fn stuck(&self, error: &KafkaError, topic: &str) -> Stuck {
        // Which record failed may stand behind log lines.
        self.serve();
        let broken = error.rdkafka_error_code() == Some(RDKafkaErrorCode::State);
        let what = format!("cannot send a record to topic {topic}");
        let transaction = || self.why_broken(&what).filter(|_| broken).map(Stuck::from);
        let cause = self.failure().err().or_else(transaction);
        cause.unwrap_or_else(|| self.trouble(error, &what).into())
    }

    /// Why the transaction, in which something has failed, must be aborted. It cannot be committed: asking for that
    /// only tells the reason.
    fn why_broken(&self, what: &str) -> Option<Trouble> {
        let error = self.in_transaction.then(|| self.inner.commit_transaction(Duration::ZERO))?.err()?;
        matches!(error, KafkaError::Transaction(_)).then(|| self.trouble(&error, what))
    }

    /// Waits until everything handed over is acknowledged. Nothing of it lingers any longer.
    pub(super) fn drain(&mut self) -> Result<(), Stuck> {
        let mut wait = Wait::default();
        loop {
            // Flushing is told of in log lines, which count as what is under way until they are heard.
            self.serve();
            self.failure()?;
            if self.inner.in_flight_count() == 0 {
                self.sent_to.clear();
                // Whoever refused before lets in now.
                let _ = self.inner.context().take_shut_out();
                return Ok(());
            }
            flush(&self.inner, wait.pause());
            self.waited(&mut wait, "records are not acknowledged")?;
        }
    }

    /// Records that are not acknowledged.
    pub(super) fn queued(&self) -> u64 {
        u64::try_from(self.inner.in_flight_count()).unwrap_or_default()
    }

    /// Commits the transaction, whose records are acknowledged.
    ///
    /// librdkafka repeats a request whose connection broke, and tells only of the answer that it got in the end. The
    /// first request may reach the broker still, and would end a later transaction of this id. So a commit with such
    /// trouble counts as one of which nobody knows how it ended: all ids are taken over anew, which makes brokers refuse
    /// what is under way.
    pub(super) fn commit(&mut self) -> Result<(), Trouble> {
        if !self.in_transaction {
            return Ok(());
        }
        self.serve();
        if self.inner.context().take_erred() {
            // A request that adds partitions may come late, and begin a transaction that nobody ends.
            self.doubts.add();
        }
        let began = Instant::now();
        let answer = self.inner.commit_transaction(LONGEST_COMMIT);
        if answer.as_ref().is_err_and(is_unanswered) {
            // Nor can it be aborted: it may be committed.
            self.in_transaction = false;
            let what = "a commit is not answered".to_owned();
            self.options.observer.tell(&Notice::Waiting { what, seconds: LONGEST_COMMIT.as_secs() });
        }
        answer.map_err(|error| self.trouble(&error, "cannot commit a transaction"))?;
        self.in_transaction = false;
        self.serve();
        match self.inner.context().take_erred() || began.elapsed() > LONGEST_COMMIT {
            true => Err(Trouble::Unknown(
                "a commit was answered, and its request may be repeated still".to_owned(),
            )),
            false => Ok(()),
        }
    }

    /// Lets a consumer group's offsets become part of the transaction.
    pub(super) fn send_offsets(
        &self,
        offsets: &TopicPartitionList,
        group: &ConsumerGroupMetadata,
    ) -> Result<(), Trouble> {
        self.inner
            .send_offsets_to_transaction(offsets, group, self.options.start_timeout)
            .map_err(|error| self.trouble(&error, "cannot send the offsets of the consumer group"))
    }

    /// Hears all that librdkafka has to tell: a call may tell one thing only.
    pub(super) fn serve(&self) {
        for _ in 0..TOLD_AT_ONCE {
            self.inner.poll(Duration::ZERO);
        }
    }

    /// Aborts the transaction, if there is one. Whether none is open any more: else the next owner of the id, or Kafka
    /// after the transaction's time, aborts it.
    pub(super) fn abort(&mut self) -> bool {
        if !std::mem::take(&mut self.in_transaction) {
            return true;
        }
        let began = Instant::now();
        while self.inner.client().fatal_error().is_none() && began.elapsed() < LONGEST_ABORT {
            match self.inner.abort_transaction(ABORT_PART) {
                Ok(()) => return true,
                // It waits for what is under way, of which is heard only here.
                Err(KafkaError::Transaction(error)) if error.is_retriable() => {
                    let _ = self.inner.flush(ABORT_PART);
                }
                Err(_) => return false,
            }
        }
        false
    }

    /// Why brokers do not let this producer in, if they do not, and what to do.
    fn refusal(&self) -> Option<(String, &'static str)> {
        // The reason may stand behind many log lines.
        (0..TOLD_IN_VAIN).for_each(|_| self.serve());
        let reason = self.inner.context().take_shut_out()?;
        let servers = &self.options.bootstrap_servers;
        let advice = advice(&reason);
        Some((format!("the brokers at {servers} do not let in: {reason}"), advice))
    }

    /// What failed to be delivered, and whether the producer is beyond use.
    fn failure(&self) -> Result<(), Stuck> {
        let failed = self.inner.context().take_failed();
        if let Some((code, reason)) = self.inner.client().fatal_error() {
            let what = format!("the producer failed: {reason}");
            return Err(self.trouble(&KafkaError::Global(code), &what).into());
        }
        let Some(first) = failed.first() else { return Ok(()) };
        if failed.iter().any(|failed| refuses_record(failed.code) || forbids_topic(failed.code)) {
            return Err(Stuck::Records(failed));
        }
        let what = format!("topic {} did not take a record: {}", first.topic, first.code);
        Err(match self.lasting(first.code) {
            Some(hint) => Trouble::Lasting { what, hint },
            None => self.why_broken(&what).unwrap_or(Trouble::Undone(what)),
        }
        .into())
    }

    /// Serves librdkafka, pauses for a moment, and tells when it takes long.
    fn wait(&self, wait: &mut Wait, what: &str) -> Result<(), Stuck> {
        // Not by polling with a time: that goes on after an event, and spins through its last millisecond, which takes
        // the processor from a broker on the same machine.
        self.inner.poll(Duration::ZERO);
        thread::sleep(wait.pause());
        self.waited(wait, what)
    }

    /// Tells when waiting takes long.
    fn waited(&self, wait: &mut Wait, what: &str) -> Result<(), Stuck> {
        self.failure()?;
        if self.options.stop.load(Ordering::Relaxed) && wait.since.elapsed() >= STOP_PATIENCE {
            return Err(Trouble::Undone("stopped while waiting for Kafka".to_owned()).into());
        }
        if let Some(seconds) = wait.told() {
            let refusal = self.refusal().map(|(what, advice)| format!("{what}: {advice}"));
            let why = refusal.or_else(|| self.missing());
            let what = [what.to_owned()].into_iter().chain(why).collect::<Vec<_>>().join("; ");
            self.options.observer.tell(&Notice::Waiting { what, seconds });
        }
        Ok(())
    }

    /// The topics of what is not acknowledged that Kafka does not have, in words. Brokers are asked for all topics: to
    /// ask for one may make it.
    fn missing(&self) -> Option<String> {
        let found = self.inner.client().fetch_metadata(None, TOPICS_ASKED).ok()?;
        let has = |name: &str| found.topics().iter().any(|topic| topic.name() == name);
        let missing: Vec<&str> = self.sent_to.iter().map(AsRef::as_ref).filter(|name| !has(name)).collect();
        (!missing.is_empty()).then(|| {
            format!(
                "topic {} does not exist (any more), or this user may not see it: make it, or allow DESCRIBE on it",
                missing.join(", ")
            )
        })
    }
}

/// How long something is waited for, and when to tell.
#[derive(Debug)]
pub(super) struct Wait {
    since: Instant,
    next: Duration,
}

impl Default for Wait {
    fn default() -> Self {
        Self { since: Instant::now(), next: TOLD_FIRST }
    }
}

impl Wait {
    fn pause(&self) -> Duration {
        (self.since.elapsed() / PAUSE_PARTS).clamp(PAUSES.0, PAUSES.1)
    }

    /// The seconds, when it is time to tell them.
    pub(super) fn told(&mut self) -> Option<u64> {
        let waited = self.since.elapsed();
        if waited < self.next {
            return None;
        }
        self.next += TOLD_AGAIN;
        Some(waited.as_secs())
    }
}

fn is_unanswered(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::OperationTimedOut)
}

/// This user may not write the topic, as librdkafka knows before it sends the record.
fn forbidden(topic: &str, code: RDKafkaErrorCode) -> Stuck {
    Stuck::Records(vec![Failed { topic: topic.to_owned(), event_id: String::new(), code }])
}
