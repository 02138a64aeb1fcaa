//! Lists of values in files beside the rules.

use std::collections::HashSet;
use std::path::{Component, Path};

use sha2::{Digest, Sha256};

use super::column::Shape;
use super::small_file;
use super::value::Value;

/// Larger files are refused, in bytes: the list is printed into the SQL of the job.
const MAX_BYTES: u64 = 1024 * 1024;

/// Values of one column, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// As the rules name the file.
    pub file: String,
    /// The values, as texts, in the order of the file.
    pub values: Vec<String>,
    /// SHA-256 of the file, as hex digits.
    pub sha256: String,
    known: HashSet<String>,
}

impl List {
    /// Reads a file of the folder `folder` for a column of this shape: one value a line, empty lines and spaces at the ends
    /// of a line do not count. A text that is a value of the column is taken as that value, whichever way it is written.
    ///
    /// # Errors
    /// The file cannot be read, is no regular file inside the folder, is empty, too large, or holds U+0000.
    pub fn read(folder: &Path, file: &str, shape: Shape) -> Result<Self, String> {
        let path = folder.join(file);
        let inside = Path::new(file).components().all(|part| matches!(part, Component::Normal(_)));
        if !inside || !leads_inside(folder, &path).map_err(|error| error.to_string())? {
            return Err(
                "expected a path inside the folder of the jobs, also behind symbolic links".to_owned()
            );
        }
        let bytes = small_file::read(&path, MAX_BYTES).map_err(|error| error.to_string())?;
        let text = String::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())?;
        if text.contains('\0') {
            return Err("it holds U+0000, as a crash leaves files: restore it".to_owned());
        }
        let lines = text.strip_prefix('\u{feff}').unwrap_or(&text).lines().map(str::trim);
        let values: Vec<String> =
            lines.filter(|line| !line.is_empty()).map(|line| canonical(line, shape)).collect();
        if values.is_empty() {
            return Err("the list is empty".to_owned());
        }
        let known = values.iter().cloned().collect();
        Ok(Self { file: file.to_owned(), values, sha256: hex::encode(Sha256::digest(&text)), known })
    }

    /// Whether the value is in it.
    #[must_use]
    pub fn contains(&self, value: &str) -> bool {
        self.known.contains(value)
    }
}

/// Whether a path is inside the folder when all links are followed.
fn leads_inside(folder: &Path, path: &Path) -> std::io::Result<bool> {
    Ok(path.canonicalize()?.starts_with(folder.canonicalize()?))
}

fn canonical(text: &str, shape: Shape) -> String {
    match shape.read(text.into()) {
        Some(Value::Text(value)) => value.into_owned(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_list_is_a_small_regular_file_of_the_folder() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("jobs");
        std::fs::create_dir_all(folder.join("..data")).unwrap();
        let read = |name: &str| List::read(&folder, name, Shape::Text);
        std::fs::write(parent.path().join("outside"), "a").unwrap();
        std::fs::write(folder.join("..data/list"), "\u{feff}a\r\n\n b \n").unwrap();
        // As Kubernetes mounts a ConfigMap.
        symlink("..data/list", folder.join("list")).unwrap();
        assert_eq!(read("list").unwrap().values, ["a", "b"]);
        // The folder itself may be behind a link.
        symlink("jobs", parent.path().join("link")).unwrap();
        assert!(List::read(&parent.path().join("link"), "list", Shape::Text).is_ok());

        symlink("../outside", folder.join("leads_out")).unwrap();
        symlink("/dev/zero", folder.join("device")).unwrap();
        symlink(parent.path(), folder.join("parent")).unwrap();
        for name in ["../outside", "/etc/passwd", "leads_out", "device", "parent/outside"] {
            assert!(read(name).unwrap_err().contains("inside the folder"), "{name}");
        }
        assert!(std::process::Command::new("mkfifo").arg(folder.join("fifo")).status().unwrap().success());
        std::fs::write(folder.join("zeros"), "a\nb\n\0\0\0\0").unwrap();
        std::fs::write(folder.join("bytes"), b"a\xff").unwrap();
        std::fs::write(folder.join("long"), "a\n".repeat(1 << 20)).unwrap();
        for (name, why) in [
            ("fifo", "no regular file"),
            ("..data", "no regular file"),
            ("zeros", "U+0000"),
            ("bytes", "UTF-8"),
            ("long", "more than 1048576 bytes"),
            ("none", "No such file"),
        ] {
            let error = read(name).unwrap_err();
            assert!(error.contains(why), "{name}: {error}");
        }
    }
}
