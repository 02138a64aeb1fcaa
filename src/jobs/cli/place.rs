//! Places in a topic, as options name them.

use std::str::FromStr;

use crate::cli::Instant;
use crate::jobs::kafka::offsets::Place;

/// `beginning` (or `earliest`), `end` (or `latest`), an offset, `-10` (ten offsets before the end), or a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At(Place);

impl At {
    pub(super) fn place(self) -> Place {
        self.0
    }
}

impl FromStr for At {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let place = match text {
            "beginning" | "earliest" => Place::Beginning,
            "end" | "latest" => Place::End,
            _ => match text.parse::<i64>() {
                Ok(number) if number < 0 => Place::Last(number.saturating_neg()),
                Ok(number) => Place::Offset(number),
                // Instants round nothing up: a timestamp of Kafka has milliseconds.
                Err(_) => match text.parse::<Instant>() {
                    Ok(Instant(us)) => Place::Time(us.div_euclid(1000)),
                    Err(_) => {
                        return Err(
                            "expected beginning (earliest), end (latest), an offset, -10 (the last ten offsets), \
                                    or a time (2026-01-31T12:00:00Z)",
                        );
                    }
                },
            },
        };
        Ok(Self(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let place = |text: &str| text.parse::<At>().map(At::place);
        assert_eq!(place("earliest"), Ok(Place::Beginning));
        assert_eq!(place("end"), Ok(Place::End));
        assert_eq!(place("0"), Ok(Place::Offset(0)));
        assert_eq!(place("-10"), Ok(Place::Last(10)));
        assert_eq!(place("2025-01-01T00:00:00Z"), Ok(Place::Time(1_735_689_600_000)));
        assert!(place("yesterday").is_err() && place("").is_err());
    }
}
