//! Why a job was not submitted.

use std::io;
use std::path::PathBuf;

use super::rest::RestError;

/// Why a job was not submitted.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// A file or folder cannot be read.
    #[error("cannot read {}", .0.display())]
    File(PathBuf, #[source] io::Error),
    /// No statement starts a job.
    #[error("{1}: no statement starts the job {0} (INSERT, or EXECUTE STATEMENT SET)")]
    Starts(String, String),
    /// Two jobs of one name.
    #[error("{1}: a job {0} stands in another file already")]
    Twice(String, String),
    /// A statement that belongs to no job.
    #[error("{0}: this statement belongs to no job: SET 'pipeline.name' = '…' must stand before it")]
    Nameless(String),
    /// A job that keeps no checkpoints.
    #[error(
        "{0}: its SQL says nowhere where its checkpoints are kept (SET 'execution.checkpointing.dir' = '…')"
    )]
    Checkpoints(String),
    /// A secret is not there.
    #[error("{1}: the secret ${{{0}}}: {2}")]
    Secret(String, String, String),
    /// Flink refuses a statement.
    #[error("{job}: {place}: {cause}")]
    Statement {
        /// The job.
        job: String,
        /// `file:line`
        place: String,
        /// The last cause, without secrets.
        cause: String,
    },
    /// Where an earlier run's state is cannot be known.
    #[error(
        "{job}: an earlier run may have left its state in {folder}, where this program cannot look, and the JobManager knows of none"
    )]
    UnknownState {
        /// The job.
        job: String,
        /// URI of the folder.
        folder: String,
    },
    /// It was submitted and does not get going.
    #[error("{job}: it was submitted (job {id}) and {state}: {cause}")]
    NotUp {
        /// The job.
        job: String,
        /// Its id.
        id: String,
        /// How it is.
        state: String,
        /// What it failed with.
        cause: String,
    },
    /// Somebody else submitted the same job at the same time.
    #[error("{0}: another job of this name was started at the same time ({1}); this one was cancelled")]
    Raced(String, String),
    /// The cluster.
    #[error(transparent)]
    Rest(#[from] RestError),
}
