//! JSON Lines to stdout, or to any other writer.

use std::io::{self, Write};
use std::path::PathBuf;

use crate::checkpoint::Checkpoint;
use crate::envelope::Record;

use super::error::STDOUT_HINT;
use super::{Sink, SinkError, line};

/// How many bytes are gathered before they are written.
const BUFFER_BYTES: usize = 128 << 10;

/// One line `{"topic","key","value","headers"}` a record. Keeps no checkpoint.
#[derive(Debug)]
pub struct Stdout<W: Write> {
    out: W,
    buffer: Vec<u8>,
    /// Records that are written as a whole.
    records: u64,
    failed: bool,
}

impl<W: Write> Stdout<W> {
    /// Write to `out`, which needs no buffer of its own.
    pub fn new(out: W) -> Self {
        Self { out, buffer: Vec::with_capacity(BUFFER_BYTES), records: 0, failed: false }
    }

    fn write_out(&mut self) -> Result<(), SinkError> {
        if self.failed {
            return Err(SinkError::Failed);
        }
        let (written, failure) = write_all(&mut self.out, &self.buffer);
        let records = memchr::memchr_iter(b'\n', written).count();
        self.records += u64::try_from(records).unwrap_or(u64::MAX);
        self.buffer.clear();
        let Some(error) = failure else { return Ok(()) };
        self.failed = true;
        Err(match error.kind() {
            io::ErrorKind::BrokenPipe => SinkError::Closed { records: self.records },
            _ => SinkError::Io {
                what: "write to",
                path: PathBuf::from("standard output"),
                hint: STDOUT_HINT,
                error,
            },
        })
    }
}

/// Writes all of `bytes`, or as much as goes: what was written, and why not more.
fn write_all<'b>(out: &mut impl Write, bytes: &'b [u8]) -> (&'b [u8], Option<io::Error>) {
    let mut rest = bytes;
    let failure = loop {
        if rest.is_empty() {
            break out.flush().err();
        }
        match out.write(rest) {
            Ok(0) => break Some(io::ErrorKind::WriteZero.into()),
            Ok(more) => rest = rest.get(more..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Some(error),
        }
    };
    (bytes.get(..bytes.len() - rest.len()).unwrap_or_default(), failure)
}

impl<W: Write> Sink for Stdout<W> {
    fn send(&mut self, record: &Record<'_>) -> Result<(), SinkError> {
        let Record { topic, key, value, event_id, .. } = *record;
        let needed = topic.len() + line::body_len(key, value, event_id);
        if self.buffer.len() + needed > BUFFER_BYTES {
            self.write_out()?;
        }
        // Topic names hold no character that JSON would escape.
        self.buffer.extend_from_slice(b"{\"topic\":\"");
        self.buffer.extend_from_slice(topic.as_bytes());
        self.buffer.extend_from_slice(b"\",");
        line::push_body(&mut self.buffer, key, value, event_id);
        Ok(())
    }

    fn commit(&mut self, _: &Checkpoint) -> Result<(), SinkError> {
        self.write_out()
    }

    fn checkpoint(&self) -> Option<&Checkpoint> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commitlog::{Position, SegmentId};

    fn record<'a>(key: &'a [u8], value: Option<&'a [u8]>) -> Record<'a> {
        let position = Position { segment: SegmentId(1), marker: 20, entry: 0, row: 0 };
        Record { topic: "p.cdc.k.t", partition_hash: 0, key, value, event_id: "00ff", ts_ms: 5, position }
    }

    #[test]
    fn one_line_a_record_after_the_commit() {
        let mut written = Vec::new();
        let mut sink = Stdout::new(&mut written);
        sink.send(&record(br#"{"id":1}"#, Some(br#"{"op":"c"}"#))).unwrap();
        sink.send(&record(br#"{"id":2}"#, None)).unwrap();
        sink.commit(&Checkpoint::default()).unwrap();
        assert!(sink.checkpoint().is_none());
        assert_eq!(
            String::from_utf8(written).unwrap(),
            "{\"topic\":\"p.cdc.k.t\",\"key\":{\"id\":1},\"value\":{\"op\":\"c\"},\"headers\":{\"event_id\":\"00ff\"}}\n\
             {\"topic\":\"p.cdc.k.t\",\"key\":{\"id\":2},\"value\":null,\"headers\":{\"event_id\":\"00ff\"}}\n"
        );
    }

    #[test]
    fn a_big_record_is_written_whole() {
        let mut written = Vec::new();
        let value = format!("\"{}\"", "x".repeat(BUFFER_BYTES * 2));
        let mut sink = Stdout::new(&mut written);
        sink.send(&record(b"1", Some(value.as_bytes()))).unwrap();
        sink.send(&record(b"2", None)).unwrap();
        sink.commit(&Checkpoint::default()).unwrap();
        let lines: Vec<serde_json::Value> = written
            .split_inclusive(|b| *b == b'\n')
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["value"].as_str().unwrap().len(), BUFFER_BYTES * 2);
    }

    /// Takes so many bytes, and fails then.
    struct Broken(usize, io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.0);
            self.0 -= taken;
            if taken == 0 { Err(self.1.into()) } else { Ok(taken) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn only_whole_lines_count_as_written_and_nothing_continues() {
        let line =
            "{\"topic\":\"p.cdc.k.t\",\"key\":1,\"value\":null,\"headers\":{\"event_id\":\"00ff\"}}\n".len();
        for (kind, taken, records) in [
            (io::ErrorKind::BrokenPipe, 0, 0),
            (io::ErrorKind::BrokenPipe, line - 1, 0),
            (io::ErrorKind::BrokenPipe, line, 1),
            (io::ErrorKind::BrokenPipe, 3 * line - 1, 2),
            (io::ErrorKind::StorageFull, line, 1),
        ] {
            let mut sink = Stdout::new(Broken(taken, kind));
            for _ in 0..3 {
                sink.send(&record(b"1", None)).unwrap();
            }
            let error = sink.commit(&Checkpoint::default()).unwrap_err();
            assert_eq!(error.exit_code(), 6);
            assert!(error.to_string().contains("start again from the beginning"), "{error}");
            if kind == io::ErrorKind::BrokenPipe {
                assert!(
                    matches!(error, SinkError::Closed { records: written } if written == records),
                    "{error}"
                );
            }
            assert_eq!(sink.records, records);
            assert!(matches!(sink.commit(&Checkpoint::default()), Err(SinkError::Failed)));
        }
    }
}
