//! The file of `--summary`: opened before anything is done, written at the end.

use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::agent::exit::{Exit, Failure};
use crate::agent::input::SegmentFile;
use crate::agent::output;
use crate::cli::ReplayArgs;

/// An open file that waits for the summary. One that was made for it is taken away again when there is none.
#[derive(Debug)]
pub(super) struct SummaryFile {
    path: PathBuf,
    file: File,
    is_new: bool,
    is_written: bool,
}

impl SummaryFile {
    /// Opens what `--summary` names. It is written in place, so that a link, a device or a mounted file will do.
    ///
    /// # Errors
    /// It cannot be written, is read by this replay, or is of its destination.
    pub(super) fn open(args: &ReplayArgs, segments: &[SegmentFile]) -> Result<Option<Self>, Failure> {
        let Some(path) = &args.output.summary else { return Ok(None) };
        if let Some(what) = conflict(path, args, segments) {
            let what = format!("--summary {} {what}", path.display());
            return Err(Failure::new(Exit::Usage, what).next("name another file for the summary"));
        }
        let cannot_write = |error| Failure::cannot_write(path, error);
        let (file, is_new) = match File::options().write(true).create_new(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let options = File::options().write(true).create(true).truncate(false).open(path);
                (options.map_err(cannot_write)?, false)
            }
            made => (made.map_err(cannot_write)?, true),
        };
        Ok(Some(Self { path: path.clone(), file, is_new, is_written: false }))
    }

    /// Writes the summary, in place of what the file held.
    ///
    /// # Errors
    /// The operating system refused.
    pub(super) fn write(mut self, text: &str) -> Result<(), Failure> {
        self.replace(text).map_err(|error| {
            Failure::new(Exit::Destination, format!("cannot write the summary to {}", self.path.display()))
                .because(error)
                .next(
                    "the records are not concerned; without --quiet, standard error has the summary in words",
                )
        })?;
        self.is_written = true;
        Ok(())
    }

    fn replace(&mut self, text: &str) -> io::Result<()> {
        if self.file.metadata()?.is_file() {
            self.file.set_len(0)?;
        }
        self.file.write_all(text.as_bytes())
    }
}

impl Drop for SummaryFile {
    fn drop(&mut self) {
        if self.is_new && !self.is_written {
            // If it stays, it is empty.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Why nothing may be written there, to be read behind the file's name.
fn conflict(path: &Path, args: &ReplayArgs, segments: &[SegmentFile]) -> Option<String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name.starts_with("CommitLog-") {
        return Some("has a name that Cassandra gives to segments and their indexes".to_owned());
    }
    let out = &args.output.out;
    if out.as_os_str() != "-" && resolved(path).starts_with(resolved(out)) {
        return Some(format!("is inside {}, which belongs to the file log", out.display()));
    }
    let summary = path.metadata().ok()?;
    if out.as_os_str() == "-" && !args.output.dry_run && is_stdout(&summary) {
        return Some("is standard output, which holds the records".to_owned());
    }
    if !summary.is_file() {
        return None;
    }
    let is_summary = |input: &PathBuf| input.metadata().is_ok_and(|input| is_same(&input, &summary));
    let read = inputs(args, segments).into_iter().find(is_summary)?;
    Some(format!("is {}, which this replay reads", read.display()))
}

/// Every file that the replay reads.
fn inputs(args: &ReplayArgs, segments: &[SegmentFile]) -> Vec<PathBuf> {
    let keys = &args.settings.keys;
    let options = [
        &args.input.config,
        &args.settings.filter.hash_key_file,
        &keys.commitlog_key_hex_file,
        &keys.keystore,
        &keys.keystore_password_file,
        &keys.key_password_file,
    ];
    let segments = segments.iter().flat_map(|segment| {
        let index = segment.name.map(|name| segment.path.with_file_name(name.index_file()));
        [Some(segment.path.clone()), index]
    });
    let options = options.into_iter().cloned().chain([Some(args.input.schema.clone())]);
    options.chain(segments).flatten().collect()
}

fn is_stdout(summary: &Metadata) -> bool {
    // A terminal may show both.
    let can_mix = summary.is_file() || summary.file_type().is_fifo();
    let stdout = || output::stdout().ok().and_then(|stdout| stdout.metadata().ok());
    can_mix && stdout().is_some_and(|stdout| is_same(&stdout, summary))
}

fn is_same(a: &Metadata, b: &Metadata) -> bool {
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

/// The path without links, as far as it exists.
fn resolved(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let found = absolute.ancestors().find_map(|ancestor| {
        let found = ancestor.canonicalize().ok()?;
        Some(absolute.strip_prefix(ancestor).map_or_else(|_| found.clone(), |rest| found.join(rest)))
    });
    found.unwrap_or(absolute)
}
