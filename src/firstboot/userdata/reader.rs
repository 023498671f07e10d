//! Bytes to parts: what is packed, in containers, or elsewhere, until each part has a type.

use std::borrow::Cow;
use std::sync::Arc;

use anyhow::Result;

use super::part::{clean, number};
use super::{Kind, MOST_PARTS, MOST_UNPACKED, Part, archive, gzip, launch_index, mime, near};
use crate::firstboot::problem::{Origin, Place, Problem, Problems, shown};
use crate::firstboot::seed::Named;

/// Content types of what is packed by gzip: cloud-init's `DECOMP_TYPES`.
const PACKED_TYPES: [&str; 8] = [
    "application/gzip",
    "application/gzip-compressed",
    "application/gzipped",
    "application/x-compress",
    "application/x-compressed",
    "application/x-gunzip",
    "application/x-gzip",
    "application/x-gzip-compressed",
];
/// For what is no MIME message.
pub(super) const NOT_MULTIPART: &str = "text/x-not-multipart";

/// Takes user-data or vendor-data apart. Parts that are broken are left out, with an error
/// that says so; whether the others count then is the caller's rule.
///
/// `launch_index` is the machine's number among those started at once, if the platform says
/// it (`launch-index` in the meta-data): parts for another one are left out. `fetch` gets what
/// an `#include` names, in a time and a size that it limits.
pub fn parts(
    data: &Named,
    launch_index: Option<i64>,
    fetch: &dyn Fn(&str) -> Result<Vec<u8>>,
) -> (Vec<Part>, Problems) {
    let mut reader = Reader {
        launch_index,
        fetch,
        left: MOST_UNPACKED,
        includes: 0,
        parts: Vec::new(),
        problems: Problems::default(),
    };
    reader.whole(&data.bytes, &data.source, 0);
    (reader.parts, reader.problems)
}

/// What has been read so far.
pub(super) struct Reader<'a> {
    launch_index: Option<i64>,
    pub(super) fetch: &'a dyn Fn(&str) -> Result<Vec<u8>>,
    /// How many bytes may still be unpacked or fetched.
    pub(super) left: usize,
    pub(super) includes: usize,
    parts: Vec<Part>,
    pub(super) problems: Problems,
}

/// What may become a part.
pub(super) struct Piece<'a> {
    /// In small letters.
    pub(super) content_type: String,
    pub(super) bytes: Cow<'a, [u8]>,
    pub(super) name: Option<String>,
    pub(super) source: Arc<str>,
    pub(super) origin: Origin,
    pub(super) merge: Option<String>,
    pub(super) launch_index: Option<String>,
    /// cloud-init neither unpacks nor follows what stands in an archive.
    pub(super) is_archived: bool,
    /// How many includes led here.
    pub(super) depth: usize,
}

impl Piece<'_> {
    /// A place in it, by a line from 0.
    pub(super) fn place(&self, line: u32) -> Place {
        self.origin.place(&self.source, line.saturating_add(1), 1)
    }
}

/// The name of a part that has no lines in the file it stands in.
pub(super) fn within(source: &str, at: usize, name: Option<&str>) -> Arc<str> {
    match name {
        Some(name) => format!("{source}, part {} ({name})", at + 1).into(),
        None => format!("{source}, part {}", at + 1).into(),
    }
}

impl Reader<'_> {
    pub(super) fn error(&mut self, place: &Place, what: impl Into<String>) {
        self.problems.push(Problem::error(place, what));
    }

    fn warning(&mut self, place: &Place, what: impl Into<String>) {
        self.problems.push(Problem::warning(place, what));
    }

    /// A file: user-data, or what was included.
    pub(super) fn whole(&mut self, bytes: &[u8], source: &Arc<str>, depth: usize) {
        let whole = Place::whole(source.clone());
        let bytes = match self.unpacked(bytes, gzip::is_packed(bytes)) {
            Ok(bytes) => bytes,
            Err(what) => return self.error(&whole, format!("it {what}")),
        };
        if bytes.trim_ascii().is_empty() {
            return self.warning(&whole, "it is empty: nothing is configured by it");
        }
        if mime::is_message(&bytes) {
            return self.message(&bytes, source, depth);
        }
        self.piece(Piece {
            content_type: NOT_MULTIPART.to_owned(),
            bytes,
            name: None,
            source: source.clone(),
            origin: Origin::default(),
            merge: None,
            launch_index: None,
            is_archived: false,
            depth,
        });
    }

    fn unpacked<'b>(&mut self, bytes: &'b [u8], is_packed: bool) -> Result<Cow<'b, [u8]>, String> {
        if !is_packed {
            return Ok(Cow::Borrowed(bytes));
        }
        let unpacked = gzip::unpack(bytes, self.left)?;
        self.left -= unpacked.len();
        Ok(Cow::Owned(unpacked))
    }

    fn message(&mut self, bytes: &[u8], source: &Arc<str>, depth: usize) {
        let message = mime::read(bytes);
        for fault in message.faults {
            let line = fault.line.saturating_add(1);
            let place = Place { source: source.clone(), line, column: 1 };
            self.problems.push(Problem { place, severity: fault.severity, what: fault.what });
        }
        for (at, entity) in message.entities.iter().enumerate() {
            self.entity(entity, at, source, depth);
        }
    }

    fn entity(&mut self, entity: &mime::Entity<'_>, at: usize, source: &Arc<str>, depth: usize) {
        let header = &entity.header;
        let name = header.file_name().and_then(|name| clean(&name));
        let content_type = header.content_type();
        let is_packed = PACKED_TYPES.contains(&&*content_type);
        let origin = Origin { lines: entity.lines, columns: 0 };
        let bytes = match self.payload(entity, is_packed) {
            Ok(bytes) => bytes,
            Err(what) => {
                let what = format!("part {} {what}", at + 1);
                return self.error(&origin.place(source, 1, 1), what);
            }
        };
        // What is encoded has no lines in the file.
        let (source, origin) = match bytes {
            Cow::Borrowed(_) => (source.clone(), origin),
            Cow::Owned(_) => (within(source, at, name.as_deref()), Origin::default()),
        };
        self.piece(Piece {
            content_type: if is_packed { "text/plain".to_owned() } else { content_type },
            bytes,
            name,
            source,
            origin,
            merge: header.merge_type(),
            launch_index: header.field("launch-index").map(str::to_owned),
            is_archived: false,
            depth,
        });
    }

    fn payload<'b>(
        &mut self,
        entity: &mime::Entity<'b>,
        is_packed: bool,
    ) -> Result<Cow<'b, [u8]>, String> {
        let encoding = entity.header.field("content-transfer-encoding");
        let decoded = mime::decode(encoding, entity.body)?;
        if !is_packed {
            return Ok(decoded);
        }
        Ok(Cow::Owned(self.unpacked(&decoded, true)?.into_owned()))
    }

    /// Something that is one part, or the list of others.
    pub(super) fn piece(&mut self, piece: Piece<'_>) {
        if piece.bytes.trim_ascii().is_empty() {
            let what = "this part is empty: nothing is configured by it";
            return self.warning(&piece.place(0), what);
        }
        // cloud-init trusts no `text/x-shellscript` either: people give all their parts that. What
        // an archive says of a part it believes, and does nothing with plain text.
        let is_looked_at = match &*piece.content_type {
            NOT_MULTIPART => true,
            "text/plain" | "text/x-shellscript" => !piece.is_archived,
            _ => false,
        };
        let by_line = if is_looked_at { Kind::of(&piece.bytes) } else { None };
        let kind = by_line.or_else(|| Kind::of_type(&piece.content_type, &piece.bytes));
        match kind {
            None if is_looked_at => {
                let (line, what) = near::explain(&piece.bytes);
                self.error(&piece.place(line), what);
            }
            None => {
                let mime = &piece.content_type;
                let mut what =
                    format!("nothing here acts on the type {mime:?}: this part is left out");
                if piece.is_archived && mime == "text/plain" {
                    what.push_str("; without \"type\" its first line would tell what it is");
                }
                self.warning(&piece.place(0), what);
            }
            Some(Kind::Include | Kind::IncludeOnce | Kind::Archive) if piece.is_archived => {
                let what = "what is listed or included by a part of an archive is not read, as in \
                            cloud-init: put it into the archive itself, or use MIME";
                self.error(&piece.place(0), what);
            }
            Some(Kind::Include | Kind::IncludeOnce) => self.include(&piece),
            Some(Kind::Archive) => match archive::pieces(&piece) {
                Ok(entries) => {
                    for entry in entries {
                        match entry {
                            Ok(entry) => self.piece(entry),
                            Err(problem) => self.problems.push(problem),
                        }
                    }
                }
                Err(problem) => self.problems.push(problem),
            },
            Some(kind) => {
                if matches!(kind, Kind::Script | Kind::ScriptPer(_)) {
                    self.beginning_of_program(&piece);
                }
                self.attach(piece, kind);
            }
        }
    }

    /// cloud-init knows a script also below white space, and writes it down as it is: the kernel
    /// does not start it then.
    fn beginning_of_program(&mut self, piece: &Piece<'_>) {
        if Kind::of(&piece.bytes) == Some(Kind::Script) && !piece.bytes.starts_with(b"#!") {
            let what = "white space stands before #!, so the kernel does not start this program, \
                        under cloud-init neither: let #! be its first characters";
            self.warning(&piece.place(0), what);
        }
    }

    fn attach(&mut self, piece: Piece<'_>, kind: Kind) {
        if self.parts.len() >= MOST_PARTS {
            let what = format!("more than {MOST_PARTS} parts: this one is left out");
            return self.error(&piece.place(0), what);
        }
        let place = piece.place(0);
        let name = piece.name.unwrap_or_else(|| format!("part-{:03}", self.parts.len() + 1));
        let part = Part {
            kind,
            name,
            source: piece.source,
            origin: piece.origin,
            bytes: piece.bytes.into_owned(),
            merge: piece.merge,
        };
        let asked = launch_index::asked(piece.launch_index.as_deref(), &part);
        match (asked.as_ref().map(|it| it.trim().parse::<i64>()), self.launch_index) {
            (Some(Ok(its)), Some(mine)) if mine != its => {
                let what =
                    format!("left out: it is for launch-index {its}, and this machine is {mine}");
                return self.warning(&place, what);
            }
            (Some(Err(_)), _) => {
                let what = format!(
                    "launch-index {:?} is no whole number, so this part is for every machine",
                    shown(&asked.unwrap_or_default())
                );
                self.warning(&place, what);
            }
            _ => {}
        }
        self.parts.push(part);
    }
}

/// Lines of a text, from 0.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = (u32, Cow<'_, str>)> {
    let lines = bytes.split(|byte| *byte == b'\n').enumerate();
    lines.map(|(at, line)| (number(at), String::from_utf8_lossy(line)))
}
