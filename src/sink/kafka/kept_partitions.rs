//! How many partitions each topic had when it was used last, on the agent's own disk: a number that somebody changes while
//! the agent is stopped is noticed, too.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::durable::replace;

use super::notice::Notice;
use super::options::{Identity, KafkaOptions, Observer};

const FILE: &str = "partitions.json";
const VERSION: u32 = 1;

/// The numbers, by the topic's name.
#[derive(Debug)]
pub(super) struct KeptPartitions {
    /// `None`: nothing is kept.
    path: Option<PathBuf>,
    counts: BTreeMap<String, u32>,
    is_changed: bool,
    observer: Observer,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    version: u32,
    partitions: BTreeMap<String, u32>,
}

impl KeptPartitions {
    /// What the agent of this identity knew, beside its copy of the checkpoint. Nothing is kept for replays and jobs, nor
    /// where an older agent left none.
    pub(super) fn open(options: &KafkaOptions) -> Self {
        let path = match &options.identity {
            Identity::Node { local: Some(copy), .. } => Some(copy.with_file_name(FILE)),
            Identity::Node { local: None, .. } | Identity::Replay { .. } | Identity::Job => None,
        };
        let observer = options.observer.clone();
        let mut kept = Self { path, counts: BTreeMap::new(), is_changed: false, observer };
        match kept.read() {
            Ok(counts) => kept.counts = counts,
            Err(reason) => kept.observer.tell(&Notice::PartitionsUnread { reason }),
        }
        kept
    }

    fn read(&self) -> Result<BTreeMap<String, u32>, String> {
        let Some(path) = &self.path else { return Ok(BTreeMap::new()) };
        let told = |reason: String| format!("{}: {reason}", path.display());
        let text = match fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
            read => read.map_err(|error| told(error.to_string()))?,
        };
        match serde_json::from_slice(&text) {
            Ok(Kept { version: VERSION, partitions }) => Ok(partitions),
            Ok(_) => Err(told("it is of another version of this program".to_owned())),
            Err(error) => Err(told(error.to_string())),
        }
    }

    /// The topic has so many partitions now. The number before, if it was another one.
    pub(super) fn put(&mut self, topic: &str, now: u32) -> Option<u32> {
        let before = self.counts.get(topic).copied();
        if before == Some(now) {
            return None;
        }
        self.counts.insert(topic.to_owned(), now);
        self.is_changed = true;
        before
    }

    /// Writes what has changed, before records are committed that it tells of. What cannot be written is tried again with
    /// the next change.
    pub(super) fn keep(&mut self) {
        let (true, Some(path)) = (std::mem::take(&mut self.is_changed), &self.path) else { return };
        let kept = Kept { version: VERSION, partitions: self.counts.clone() };
        let text = serde_json::to_vec(&kept).unwrap_or_default();
        if let Err(error) = replace(path, &path.with_extension("tmp"), &[&text]) {
            self.observer.tell(&Notice::PartitionsUnkept { reason: error.to_string() });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::{Arc, Mutex};

    use super::*;

    fn open(folder: &Path) -> (KeptPartitions, Arc<Mutex<Vec<Notice>>>) {
        let identity =
            Identity::Node { host_id: "h".to_owned(), local: Some(folder.join("checkpoint.json")) };
        let told = Arc::<Mutex<Vec<Notice>>>::default();
        let observer = Observer::new({
            let told = Arc::clone(&told);
            move |notice| told.lock().unwrap().push(notice.clone())
        });
        (KeptPartitions::open(&KafkaOptions { observer, ..KafkaOptions::new("b:1", "p", identity) }), told)
    }

    #[test]
    fn the_next_agent_knows_the_numbers_of_this_one() {
        let folder = tempfile::tempdir().unwrap();
        let (mut first, told) = open(folder.path());
        assert_eq!((first.put("a", 3), first.put("b", 1), first.put("a", 3)), (None, None, None));
        first.keep();
        let text: serde_json::Value =
            serde_json::from_slice(&fs::read(folder.path().join(FILE)).unwrap()).unwrap();
        assert_eq!(text, serde_json::json!({"version": 1, "partitions": {"a": 3, "b": 1}}));
        let (mut next, _) = open(folder.path());
        assert_eq!((next.put("a", 6), next.put("b", 1), next.put("c", 2)), (Some(3), None, None));
        next.keep();
        assert_eq!(open(folder.path()).0.put("a", 3), Some(6));
        assert!(told.lock().unwrap().is_empty());
    }

    #[test]
    fn what_cannot_be_used_is_told_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        for text in ["", "{\"version\":2,\"partitions\":{\"a\":3}}", "{\"version\":1}"] {
            fs::write(&path, text).unwrap();
            let (mut kept, told) = open(folder.path());
            assert!(matches!(told.lock().unwrap()[..], [Notice::PartitionsUnread { .. }]), "{text}");
            assert_eq!(kept.put("a", 6), None, "{text}");
            kept.keep();
            assert_eq!(open(folder.path()).0.put("a", 3), Some(6), "{text}");
        }
        // Nothing can be written over a folder.
        fs::create_dir(path.with_extension("tmp")).unwrap();
        let (mut kept, told) = open(folder.path());
        kept.put("a", 9);
        kept.keep();
        kept.keep();
        assert!(matches!(told.lock().unwrap()[..], [Notice::PartitionsUnkept { .. }]));
    }
}
