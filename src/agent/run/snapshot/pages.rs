//! Reads the rows of one table ahead of their publication, a page at a time: never blocks, and keeps a few pages only.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::plan::Plan;
use crate::agent::log;
use crate::checkpoint::TableSnapshot;
use crate::schema::source::ranges::next_range;
use crate::schema::source::{CqlError, CqlSource, Page, PageRequest, Pending, ReadConsistency, TokenRange};
use crate::snapshot::{Select, last_token};

/// Pages that are read and wait for the log take no more than this, in bytes, but for the last one.
const HELD_BYTES: usize = 4 << 20;
/// A page is to take so much.
const PAGE_BYTES: usize = 512 << 10;
/// Rows of a page: of the first one, and at most. The node counts rows, not bytes.
const FIRST_PAGE: i32 = 32;
const LONGEST_PAGE: i32 = 500;
/// A page that was read around the end of a second is read again so many times, so that what is left of a TTL counts
/// from a second that is known.
const SECOND_TRIES: u32 = 2;
/// Between attempts after an error.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How far a table is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    /// All ranges that end here, or before, are done.
    pub(super) done_to: Option<i64>,
    /// From where the node goes on in the range behind.
    pub(super) after: Option<Vec<u8>>,
    /// The last token.
    pub(super) token: Option<i64>,
}

impl Cursor {
    /// Where a snapshot goes on.
    pub(super) fn of(snapshot: &TableSnapshot) -> Self {
        let after = snapshot.page.as_ref().and_then(|text| hex::decode(text).ok());
        Self { done_to: snapshot.done_to, after, token: snapshot.token }
    }

    /// Notes it in the checkpoint.
    pub(super) fn store(&self, snapshot: &mut TableSnapshot) {
        snapshot.done_to = self.done_to;
        snapshot.page = self.after.as_ref().map(hex::encode);
        snapshot.token = self.token;
    }
}

/// A page that waits until the log is published up to the time at which it was read.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) page: Page,
    pub(super) select: Arc<Select>,
    /// Microseconds since 1970, after the answer came: what the page does not show was written later.
    pub(super) read_us: i64,
    /// The second in which the node read it.
    pub(super) read_s: u32,
    /// How far the table is read with it.
    pub(super) cursor: Cursor,
}

/// A page that was asked for.
#[derive(Debug)]
struct Asked {
    pending: Pending<Page>,
    range: TokenRange,
    wall: SystemTime,
    tries: u32,
}

/// Reads ahead.
#[derive(Debug)]
pub(super) struct Pages {
    pub(super) cursor: Cursor,
    held: VecDeque<Held>,
    asked: Option<Asked>,
    page_rows: i32,
    /// No page is asked for before.
    not_before: Instant,
    pause: Duration,
    /// The last error, while it lasts.
    pub(super) trouble: Option<String>,
}

impl Pages {
    pub(super) fn new(cursor: Cursor) -> Self {
        Self {
            cursor,
            held: VecDeque::new(),
            asked: None,
            page_rows: FIRST_PAGE,
            not_before: Instant::now(),
            pause: FIRST_PAUSE,
            trouble: None,
        }
    }

    /// Whether all pages are read and taken.
    pub(super) fn is_through(&self, plan: &Plan) -> bool {
        self.asked.is_none()
            && self.held.is_empty()
            && self.cursor.after.is_none()
            && next_range(&plan.ranges, self.cursor.done_to).is_none()
    }

    /// Whether there is something to do soon: not after an error, and not while nothing more is read ahead.
    pub(super) fn is_busy(&self) -> bool {
        self.trouble.is_none() && (self.asked.is_some() || self.has_room())
    }

    fn has_room(&self) -> bool {
        self.held.iter().map(|held| held.page.memory()).sum::<usize>() < HELD_BYTES
    }

    /// Whether pages wait for the log.
    pub(super) fn are_held(&self) -> bool {
        !self.held.is_empty()
    }

    /// Whether it is time to go on after an error.
    pub(super) fn is_time(&self, now: Instant) -> bool {
        now >= self.not_before
    }

    /// The next page, once everything that the log held when it was read is published.
    pub(super) fn take(&mut self, watermark_us: Option<i64>) -> Option<Held> {
        let is_due = self.held.front().is_some_and(|held| Some(held.read_us) < watermark_us);
        if is_due { self.held.pop_front() } else { None }
    }

    /// Takes what came, and asks for more where there is room. `false` after an error: the plan is to be made anew.
    pub(super) fn tend(
        &mut self,
        source: &CqlSource,
        plan: &Plan,
        snapshot: &TableSnapshot,
        now: Instant,
    ) -> bool {
        if let Some(asked) = self.asked.take() {
            match asked.pending.poll() {
                None => self.asked = Some(asked),
                Some(Ok(page)) => self.came(source, plan, snapshot, page, asked, now),
                Some(Err(error)) => {
                    self.failed(&error, &snapshot.name(), now);
                    return false;
                }
            }
        }
        if self.asked.is_none() && self.has_room() && self.is_time(now) {
            self.asked = next_range(&plan.ranges, self.cursor.done_to)
                .map(|range| self.ask(source, plan, range, snapshot.consistency, 1));
        }
        true
    }

    fn ask(
        &self,
        source: &CqlSource,
        plan: &Plan,
        range: TokenRange,
        consistency: ReadConsistency,
        tries: u32,
    ) -> Asked {
        let request = PageRequest {
            cql: plan.select.cql(range),
            rows: self.page_rows,
            after: self.cursor.after.clone(),
            consistency,
        };
        let wall = SystemTime::now();
        Asked { pending: source.start_page(request), range, wall, tries }
    }

    fn came(
        &mut self,
        source: &CqlSource,
        plan: &Plan,
        snapshot: &TableSnapshot,
        page: Page,
        asked: Asked,
        now: Instant,
    ) {
        let came = SystemTime::now();
        let read_s = seconds(asked.wall);
        if seconds(came) != read_s && asked.tries <= SECOND_TRIES && plan.select.has_expiring(&page) {
            let again = self.ask(source, plan, asked.range, snapshot.consistency, asked.tries + 1);
            self.asked = Some(again);
            return;
        }
        if self.trouble.take().is_some() {
            log::info(&format!("the snapshot of {} goes on", snapshot.name()));
        }
        self.pause = FIRST_PAUSE;
        let rows = page.rows();
        let token = last_token(&page, &plan.select);
        self.cursor = match &page.next {
            Some(next) => Cursor {
                after: Some(next.clone()),
                token: token.or(self.cursor.token),
                done_to: self.cursor.done_to,
            },
            None => Cursor { done_to: Some(asked.range.to), after: None, token: Some(asked.range.to) },
        };
        self.resize(&page, snapshot.rate);
        if let Some(rows) = u32::try_from(rows).ok().filter(|_| snapshot.rate > 0) {
            self.not_before = now + Duration::from_secs(1) * rows / snapshot.rate;
        }
        let (select, cursor) = (Arc::clone(&plan.select), self.cursor.clone());
        self.held.push_back(Held { page, select, read_us: micros(came), read_s, cursor });
    }

    /// The length of the next page: of so many bytes as the last one lets expect, and a fifth of a second's rows.
    fn resize(&mut self, page: &Page, rate: u32) {
        let Some(row_bytes) = page.memory().checked_div(page.rows()) else { return };
        let fits = i32::try_from(PAGE_BYTES / row_bytes.max(1)).unwrap_or(LONGEST_PAGE);
        let by_rate = if rate > 0 { i32::try_from(rate / 5).unwrap_or(i32::MAX) } else { LONGEST_PAGE };
        let longest = self.page_rows.saturating_mul(4).min(LONGEST_PAGE).min(by_rate);
        self.page_rows = fits.min(longest).max(1);
    }

    /// Nothing was read: says why, once, and waits longer each time.
    pub(super) fn failed(&mut self, error: &CqlError, name: &str, now: Instant) {
        let text = error.to_string();
        if matches!(error, CqlError::Timeout { .. }) || text.contains("timeout") {
            self.page_rows = (self.page_rows / 2).max(1);
        }
        if self.cursor.after.is_some() && text.contains("paging state") {
            log::warn(&format!(
                "the snapshot of {name}: the node does not take its paging state any more; the range is read again from its start"
            ));
            self.cursor.after = None;
        }
        self.wait(text, name, now);
    }

    /// The same for what is no error of the node.
    pub(super) fn wait(&mut self, text: String, name: &str, now: Instant) {
        if self.trouble.as_ref() != Some(&text) {
            log::warn(&format!("the snapshot of {name} waits: {text}"));
            self.trouble = Some(text);
        }
        self.not_before = now + self.pause;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }
}

fn seconds(wall: SystemTime) -> u32 {
    let since_epoch = wall.duration_since(UNIX_EPOCH).unwrap_or_default();
    u32::try_from(since_epoch.as_secs()).unwrap_or(u32::MAX)
}

fn micros(wall: SystemTime) -> i64 {
    let since_epoch = wall.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX)
}
