//! Kafka is away for longer than the loop may be silent.

use std::sync::Arc;
use std::time::Duration;

use super::super::{Exit, Inbox, Stop, Watch, rewind};
use crate::checkpoint::Checkpoint;
use crate::envelope::Record;
use crate::sink::{Sink, SinkError};
use crate::telemetry::{Clock, Limits, Phase, SetClock, Telemetry};

/// A sink whose broker is away for so many attempts, each of which takes a while.
struct Away {
    attempts: u32,
    clock: Arc<SetClock>,
    telemetry: Arc<Telemetry>,
    /// What an attempt ends with while it is away.
    error: fn() -> SinkError,
    lived: Vec<bool>,
}

/// Of an attempt: less than the loop may be silent.
const TAKES: Duration = Duration::from_secs(100);

impl Sink for Away {
    fn send(&mut self, _: &Record<'_>) -> Result<(), SinkError> {
        Err(SinkError::Failed)
    }

    fn commit(&mut self, _: &Checkpoint) -> Result<(), SinkError> {
        Err(SinkError::Failed)
    }

    fn checkpoint(&self) -> Option<&Checkpoint> {
        None
    }

    fn rewind(&mut self) -> Result<(), SinkError> {
        self.clock.pass(TAKES);
        self.lived.push(self.telemetry.is_live());
        match self.attempts.checked_sub(1) {
            Some(left) => {
                self.attempts = left;
                Err((self.error)())
            }
            None => Ok(()),
        }
    }
}

fn away(error: fn() -> SinkError) -> Away {
    let clock = Arc::new(SetClock::at(0));
    let telemetry = Telemetry::with_clock(Limits::default(), Arc::clone(&clock) as Arc<dyn Clock>);
    telemetry.phase(Phase::WaitingForKafka, Some("the batch is gone"));
    Away { attempts: 2, clock, telemetry: Arc::new(telemetry), error, lived: Vec::new() }
}

#[test]
fn an_agent_that_waits_for_kafka_lives() {
    let mut sink = away(|| SinkError::Unreachable { what: "no broker answers".to_owned(), hint: "wait" });
    let (watch, inbox, telemetry) = (Watch::nothing(), Inbox::none(), Arc::clone(&sink.telemetry));
    assert!(rewind(&mut sink, &Stop::never(), (&watch, &inbox), &telemetry).unwrap());
    assert_eq!(sink.lived, [true; 3]);
    let status = telemetry.status();
    let reasons: Vec<_> = status.reasons.iter().map(|reason| reason.text.as_str()).collect();
    assert_eq!(reasons, ["Waiting for Kafka for 5 min 0 s: no broker answers; wait"]);
}

#[test]
fn what_waiting_does_not_help_ends_it() {
    let mut sink = away(|| SinkError::Kafka { what: "refused".to_owned(), hint: "look" });
    let (watch, inbox, telemetry) = (Watch::nothing(), Inbox::none(), Arc::clone(&sink.telemetry));
    let ended = rewind(&mut sink, &Stop::never(), (&watch, &inbox), &telemetry);
    assert_eq!(ended.unwrap_err().exit(), Exit::Destination);
}
