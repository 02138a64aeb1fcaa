//! JSON Lines to stdout, or to any other writer.

use std::io::{self, Write};
use std::path::Path;

use crate::checkpoint::Checkpoint;
use crate::envelope::Record;

use super::{Sink, SinkError, line};

/// How many bytes are gathered before they are written.
const BUFFER_BYTES: usize = 128 << 10;

/// One line `{"topic","key","value","headers"}` a record. Keeps no checkpoint.
#[derive(Debug)]
pub struct Stdout<W: Write> {
    out: W,
    buffer: Vec<u8>,
    failed: bool,
}

impl<W: Write> Stdout<W> {
    /// Write to `out`, which needs no buffer of its own.
    pub fn new(out: W) -> Self {
        Self { out, buffer: Vec::with_capacity(BUFFER_BYTES), failed: false }
    }

    fn write_out(&mut self) -> Result<(), SinkError> {
        if self.failed {
            return Err(SinkError::Failed);
        }
        let written = self.out.write_all(&self.buffer).and_then(|()| self.out.flush());
        self.buffer.clear();
        written.map_err(|source| {
            self.failed = true;
            match source.kind() {
                io::ErrorKind::BrokenPipe => SinkError::Closed,
                _ => SinkError::io("write to", Path::new("stdout"), source),
            }
        })
    }
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

    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_is_a_clean_stop_and_a_full_disk_is_not() {
        for (kind, code) in [(io::ErrorKind::BrokenPipe, 0), (io::ErrorKind::StorageFull, 6)] {
            let mut sink = Stdout::new(Broken(kind));
            sink.send(&record(b"1", None)).unwrap();
            assert_eq!(sink.commit(&Checkpoint::default()).unwrap_err().exit_code(), code);
            assert!(matches!(sink.commit(&Checkpoint::default()), Err(SinkError::Failed)));
        }
    }
}
