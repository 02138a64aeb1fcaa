//! What several of them need.

use std::io::{BufWriter, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Stands before the number of a write, in a column, so that it is found in the log without a schema.
pub(crate) const TAG: [u8; 16] = *b"cdc-agent-bench>";

/// Nanoseconds since 1970: the one clock that all processes of a machine share.
pub(crate) fn now_ns() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap()
}

/// Becomes true when standard input ends.
pub(crate) fn stop_at_end_of_input() -> Arc<AtomicBool> {
    let stopped = Arc::new(AtomicBool::new(false));
    let of_thread = Arc::clone(&stopped);
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        of_thread.store(true, Ordering::Relaxed);
    });
    stopped
}

/// Writes lines of numbers; 0 stands for never.
pub(crate) fn write_lines<const N: usize>(path: &Path, lines: impl IntoIterator<Item = [u64; N]>) {
    let mut file = BufWriter::new(std::fs::File::create(path).unwrap());
    for line in lines {
        let words: Vec<String> = line.iter().map(u64::to_string).collect();
        writeln!(file, "{}", words.join(" ")).unwrap();
    }
    file.flush().unwrap();
}

/// Processor time of this process.
pub(crate) fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u32 = fields[11].parse::<u32>().unwrap() + fields[12].parse::<u32>().unwrap();
    f64::from(ticks) / 100.0
}

/// A pause shorter than a timer's slack is still one.
pub(crate) fn pause(micros: u64) {
    std::thread::sleep(Duration::from_micros(micros));
}
