//! How the loop and its turns end.

/// How the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::agent::run) enum Ended {
    /// It was asked to.
    Stopped,
    /// Everything is published, and that was what was asked for.
    Empty,
    /// Options are to be read anew; all that was read is committed.
    Reload,
}

/// How a turn of the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::agent::run) enum Went {
    /// There was something to read.
    OnWithNews,
    /// There was nothing.
    OnWithoutNews,
    Ended(Ended),
}
