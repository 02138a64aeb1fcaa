//! The words of options whose meaning the envelope defines.

use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::envelope::options::{
    CellTimes, DecimalHandling, Profile, TimestampFormat, Unrepresentable, VarintHandling,
};

/// Says which words an option takes and what each of them means.
macro_rules! words {
    ($option:ty: $($variant:ident $word:literal $help:literal),+ $(,)?) => {
        impl ValueEnum for $option {
            fn value_variants<'a>() -> &'a [Self] {
                &[$(Self::$variant),+]
            }

            fn to_possible_value(&self) -> Option<PossibleValue> {
                match self {
                    $(Self::$variant => Some(PossibleValue::new($word).help($help)),)+
                }
            }
        }
    };
}

words! { Profile:
    Flat "flat" "Every detail of a change: cell times, TTLs, ranges, partial collection updates",
    DebeziumCassandra "debezium-cassandra" "Shape, key and topic of Debezium's Cassandra connector 3.5",
    Debezium "debezium" "What Flink's debezium-json format reads",
}

words! { Unrepresentable:
    SideTopic "side_topic" "Write it in the shape of profile flat to the topic with the suffix .flat",
    Fail "fail" "Stop",
}

words! { DecimalHandling:
    String "string" "Decimal text, exact",
    Precise "precise" "Scale and base64 of the unscaled number, exact",
    Double "double" "JSON number, rounded to a double",
}

words! { VarintHandling:
    String "string" "Decimal text, exact",
    Long "long" "JSON number, exact",
    Precise "precise" "Base64 of the two's complement bytes, exact",
}

words! { TimestampFormat:
    EpochMillis "epoch_ms" "Milliseconds since 1970-01-01T00:00:00Z, a number",
    Iso8601 "iso8601" "ISO 8601 text in UTC",
}

words! { CellTimes:
    WhenDiffers "when_differs" "Only where they differ from source.ts_us or a TTL exists",
    All "all" "Of every cell",
    None "none" "Of none",
}
