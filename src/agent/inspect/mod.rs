//! `inspect`: what is in a segment, with offsets.

pub mod annotate;
mod bytes;
mod json;
mod places;
mod print;
mod text;

use std::io::{self, BufWriter, Write};

use annotate::annotate;

use super::exit::{Exit, Failure};
use super::head::Head;
use super::input::{self, SegmentFile};
use super::keys::{self, Keys};
use super::output;
use crate::cli::{At, InspectArgs};
use crate::commitlog::descriptor::OLDEST_DECODED_VERSION;
use crate::commitlog::map::SegmentBytes;
use crate::commitlog::{
    Damage, Decoder, Frame, FrameStep, Frames, Mutation, Position, SectionStep, Sections, Segment,
    SegmentError, peek,
};
use crate::config::Names;
use crate::schema::Schema;
use print::{Content, Place, Printer};

/// `cdc-agent inspect`.
///
/// # Errors
/// The segment, the schema or a key cannot be read, no mutation stands where `--at` says, or standard output
/// cannot be written. Damage is shown and is no error: the exit code tells.
pub fn inspect(args: &InspectArgs) -> Result<Exit, Failure> {
    let file = SegmentFile::from(args.segment.clone());
    let schema = input::schema(args.schema.as_deref())?;
    let opener = Keys::open(&args.keys, &Names::default())?;
    let bytes = SegmentBytes::open(&file.path, false).map_err(|error| {
        Failure::cannot_read(&file.path, error).next("name a single segment file that this user may read")
    })?;
    let mut print = Printer { out: BufWriter::new(output::stdout()?), args, schema: &schema };
    let cannot_read = |exit, error: SegmentError| {
        let advice = keys::advice(&error);
        let failure = Failure::new(exit, format!("cannot read {}", file.path.display())).because(error);
        advice.into_iter().fold(failure, Failure::next)
    };
    let (segment, mismatch) = match Head::of(&bytes, file.name, &opener) {
        Head::Sound(segment) => (segment, None),
        Head::Misnamed(segment, mismatch) => (segment, Some(mismatch)),
        Head::Blank if args.at.is_some() => return Err(nothing_there()),
        Head::Blank => {
            print.blank(&file.label(), bytes.len() as u64).map_err(Failure::stdout)?;
            return Ok(Exit::Ok);
        }
        Head::Damaged(_, error) => return Err(cannot_read(Exit::Damaged, error)),
        Head::Unreadable(error) => return Err(cannot_read(Exit::Unreadable, error)),
    };
    let mut inspector = Inspector {
        print,
        args,
        schema: &schema,
        segment: &segment,
        mutations: 0,
        sections: 0,
        is_damaged: false,
        is_done: false,
    };
    inspector.run(&file.label(), bytes.len() as u64, mismatch.as_ref()).map_err(Failure::stdout)?;
    if args.at.is_some() && !inspector.is_done {
        return Err(nothing_there());
    }
    Ok(if inspector.is_damaged { Exit::Damaged } else { Exit::Ok })
}

fn nothing_there() -> Failure {
    Failure::new(Exit::Usage, "no mutation stands there")
        .next("inspect without --at lists the mutations with their offsets")
}

struct Inspector<'a, W: Write> {
    print: Printer<'a, W>,
    args: &'a InspectArgs,
    schema: &'a Schema,
    segment: &'a Segment<'a>,
    mutations: u64,
    sections: u64,
    is_damaged: bool,
    /// Everything that was asked for was shown.
    is_done: bool,
}

impl<'a, W: Write> Inspector<'a, W> {
    fn run(&mut self, label: &str, file_bytes: u64, mismatch: Option<&Damage>) -> io::Result<()> {
        self.print.descriptor(label, self.segment.descriptor(), file_bytes)?;
        if let Some(mismatch) = mismatch {
            self.is_damaged = true;
            self.print.damage(mismatch)?;
        }
        let mut decoder = Decoder::new(self.schema);
        let mut sections = Sections::new(self.segment);
        while !self.is_done
            && let Some(step) = sections.next_section()
        {
            match step {
                SectionStep::Section(frames) => self.section(frames, &mut decoder)?,
                SectionStep::Damage(damage) => {
                    self.is_damaged = true;
                    self.print.damage(&damage)?;
                }
            }
        }
        if !self.is_done {
            self.print.end(self.sections, self.mutations, sections.unmarked_bytes())?;
        }
        self.print.out.flush()
    }

    fn section<'r>(&mut self, mut frames: Frames<'r>, decoder: &mut Decoder<'a>) -> io::Result<()>
    where
        'a: 'r,
    {
        self.sections += 1;
        let bounds = frames.bounds();
        let plain = frames.plain();
        self.print.section(bounds, plain)?;
        let mut mutation = Mutation::default();
        while !self.is_done
            && let Some(step) = frames.next_frame()
        {
            let frame = match step {
                FrameStep::Frame(frame) => frame,
                FrameStep::Damage(damage) => {
                    self.is_damaged = true;
                    self.print.damage(&damage)?;
                    continue;
                }
            };
            let segment = self.segment.descriptor().id;
            let position = Position { segment, marker: bounds.marker as u64, entry: frame.entry, row: 0 };
            let place = Place { position, offset: bounds.logical_start + frame.offset as u64 };
            if self.args.at.is_none() {
                self.mutation(place, frame, decoder, &mut mutation)?;
            } else if self.is_wanted(place, frame) {
                self.annotated(place, plain, frame)?;
            }
        }
        Ok(())
    }

    fn mutation<'r>(
        &mut self,
        place: Place,
        frame: Frame<'r>,
        decoder: &mut Decoder<'a>,
        mutation: &mut Mutation<'r>,
    ) -> io::Result<()>
    where
        'a: 'r,
    {
        let version = self.segment.descriptor().version;
        if version < OLDEST_DECODED_VERSION {
            let reason = "not decoded: mutations of versions before 6";
            self.print.mutation(place, frame, &Content::Undecoded { heads: &[], reason })?;
        } else {
            let annotation = annotate(frame.payload, version, self.schema);
            let heads = &annotation.updates;
            if !self.shows_contents(frame) {
                let reason = "not shown: a system keyspace (--include-system)";
                self.print.mutation(place, frame, &Content::Undecoded { heads, reason })?;
            } else if let Err(error) = decoder.decode(frame.payload, mutation) {
                let reason = &format!("not decoded: {error}");
                self.print.mutation(place, frame, &Content::Undecoded { heads, reason })?;
            } else {
                let content = Content::Decoded { mutation, annotation: &annotation };
                self.print.mutation(place, frame, &content)?;
            }
        }
        self.mutations += 1;
        self.is_done = self.args.limit.is_some_and(|limit| self.mutations >= limit);
        Ok(())
    }

    fn annotated(&mut self, place: Place, plain: &[u8], frame: Frame<'_>) -> io::Result<()> {
        let Place { position, offset } = place;
        let version = self.segment.descriptor().version;
        let out = &mut self.print.out;
        writeln!(out, "mutation {position} at {offset}: {} bytes", frame.payload.len())?;
        let shown = bytes::Shown {
            offset,
            version,
            values: self.args.values,
            contents: version >= OLDEST_DECODED_VERSION && self.shows_contents(frame),
        };
        self.is_done = true;
        bytes::frame(&mut self.print.out, plain, frame, self.schema, &shown)
    }

    fn is_wanted(&self, place: Place, frame: Frame<'_>) -> bool {
        let covers = |start: u64, offset: u64| {
            let length = (frame.end() - frame.offset) as u64;
            (start..start + length).contains(&offset)
        };
        match self.args.at {
            Some(At::Logical(offset)) => covers(place.offset, offset),
            Some(At::Plain { marker, offset }) => {
                place.position.marker == marker && covers(frame.offset as u64, offset)
            }
            Some(At::Position(position)) => Position { row: 0, ..position } == place.position,
            None => false,
        }
    }

    /// Whether more than the framing may be shown: not of Cassandra's own keyspaces, unless asked for.
    fn shows_contents(&self, frame: Frame<'_>) -> bool {
        self.args.include_system
            || !peek(frame.payload).is_ok_and(|peek| input::is_system(peek.table, self.schema))
    }
}
