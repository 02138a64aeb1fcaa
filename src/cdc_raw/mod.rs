//! Which bytes exist in the `cdc_raw` directory of a live node, and what may be done with them.
//!
//! The directory belongs to Cassandra: nothing is created, truncated or renamed in it. Everything here is synchronous
//! and looks at the file system when it is asked to; notifications only say that looking may be worth it.
//! `docs/cdc-raw.md` tells users what follows from it.

pub mod chain;
pub mod directory;
pub mod file_id;
pub mod gaps;
pub mod growing;
pub mod life;
pub mod mount;
pub mod pace;
pub mod quota;
pub mod retention;
pub mod runs;
pub mod spool;
pub mod watch;
mod window;

pub use directory::{Directory, DirectoryError, Scan, SegmentFile};
pub use file_id::FileId;
pub use growing::{Batch, GrowingError, GrowingSegment, Rest, Run};
pub use life::{Finality, Life, Lives, Now, Standing, State, Timing, Vanished};
pub use pace::Pace;
pub use quota::{Fullness, Quota};
pub use watch::{Waker, Watch, Woken};
