//! How many partitions each topic had when it was used last, and in which of them something was committed, on the agent's own
//! disk: a number that somebody changes, or a topic that somebody deletes, while the agent is stopped is noticed, too.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::durable::replace;

use super::notice::Notice;
use super::options::{Identity, KafkaOptions, Observer};

const FILE: &str = "partitions.json";
const VERSION: u32 = 1;

/// What is kept of topics, by name.
#[derive(Debug)]
pub(super) struct KeptPartitions {
    /// `None`: nothing is kept.
    path: Option<PathBuf>,
    kept: Kept,
    is_changed: bool,
    observer: Observer,
}

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    version: u32,
    partitions: BTreeMap<String, u32>,
    /// Topics in which something was committed. Agents of before this was kept leave none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    written: BTreeSet<String>,
}

impl Default for Kept {
    fn default() -> Self {
        Self { version: VERSION, partitions: BTreeMap::new(), written: BTreeSet::new() }
    }
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
        let mut opened = Self { path, kept: Kept::default(), is_changed: false, observer };
        match opened.read() {
            Ok(kept) => opened.kept = kept,
            Err(reason) => opened.observer.tell(&Notice::PartitionsUnread { reason }),
        }
        opened
    }

    fn read(&self) -> Result<Kept, String> {
        let Some(path) = &self.path else { return Ok(Kept::default()) };
        let told = |reason: String| format!("{}: {reason}", path.display());
        let text = match fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Kept::default()),
            read => read.map_err(|error| told(error.to_string()))?,
        };
        match serde_json::from_slice(&text) {
            Ok(kept @ Kept { version: VERSION, .. }) => Ok(kept),
            Ok(_) => Err(told("it is of another version of this program".to_owned())),
            Err(error) => Err(told(error.to_string())),
        }
    }

    /// The topic has so many partitions now. The number before, if it was another one.
    pub(super) fn put(&mut self, topic: &str, now: u32) -> Option<u32> {
        let before = self.kept.partitions.get(topic).copied();
        if before == Some(now) {
            return None;
        }
        self.kept.partitions.insert(topic.to_owned(), now);
        self.is_changed = true;
        before
    }

    /// Topics in which something was committed, by this agent or one before it.
    pub(super) fn written(&self) -> impl Iterator<Item = &str> {
        self.kept.written.iter().map(String::as_str)
    }

    /// Whether something was committed in this topic.
    pub(super) fn is_written(&self, topic: &str) -> bool {
        self.kept.written.contains(topic)
    }

    /// Something was committed in this topic.
    pub(super) fn wrote(&mut self, topic: &str) {
        self.is_changed |= self.kept.written.insert(topic.to_owned());
    }

    /// What was committed in this topic is gone with it.
    pub(super) fn lost(&mut self, topic: &str) {
        self.is_changed |= self.kept.written.remove(topic);
    }

    /// Writes what has changed, before records are committed that it tells of. What cannot be written is tried again with
    /// the next change.
    pub(super) fn keep(&mut self) {
        let (true, Some(path)) = (std::mem::take(&mut self.is_changed), &self.path) else { return };
        let text = serde_json::to_vec(&self.kept).unwrap_or_default();
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
    fn the_next_agent_knows_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let (mut first, _) = open(folder.path());
        for topic in ["a", "b", "c", "a"] {
            first.put(topic, 3);
        }
        first.wrote("a");
        first.wrote("b");
        first.lost("b");
        first.keep();
        let text: serde_json::Value =
            serde_json::from_slice(&fs::read(folder.path().join(FILE)).unwrap()).unwrap();
        let partitions = serde_json::json!({"a": 3, "b": 3, "c": 3});
        assert_eq!(text, serde_json::json!({"version": 1, "partitions": partitions, "written": ["a"]}));
        let (mut next, _) = open(folder.path());
        assert_eq!(next.written().collect::<Vec<_>>(), ["a"]);
        next.lost("a");
        next.keep();
        assert_eq!(open(folder.path()).0.written().count(), 0);
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
