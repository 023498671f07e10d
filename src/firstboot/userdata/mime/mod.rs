//! MIME messages (RFC 2045, RFC 2046), as Python's `email` package reads them, which
//! cloud-init uses: it takes what is damaged for text rather than for headers.
//!
//! Own code because of what the crates do with user-data as people write it: of a part
//! without the empty line after its headers, `mailparse` takes the whole text for headers; a
//! single bad part loses all the others; and none tells lines. Neither is bounded in memory.

mod header;
mod transfer;

pub(super) use header::Header;
pub(super) use transfer::decode;

use super::MOST_PARTS;
use super::part::number;
use crate::firstboot::problem::Severity;

/// How deep messages may lie in each other: each level is one more pass over the text.
const DEEPEST: usize = 8;

/// Whether bytes are a message: cloud-init's own rule.
pub(super) fn is_message(bytes: &[u8]) -> bool {
    const MARK: &[u8] = b"mime-version:";
    let head = &bytes[..bytes.len().min(4096)];
    head.windows(MARK.len()).any(|window| window.eq_ignore_ascii_case(MARK))
}

/// What is no container: headers, and the text as it stands in the file.
pub(super) struct Entity<'a> {
    pub(super) header: Header,
    pub(super) body: &'a [u8],
    /// Lines of the file before the body.
    pub(super) lines: u32,
}

/// Something wrong with the structure.
pub(super) struct Fault {
    pub(super) severity: Severity,
    /// From 0.
    pub(super) line: u32,
    pub(super) what: String,
}

/// A message, taken apart.
#[derive(Default)]
pub(super) struct Message<'a> {
    pub(super) entities: Vec<Entity<'a>>,
    pub(super) faults: Vec<Fault>,
}

/// Takes a message apart; containers in containers become one list.
pub(super) fn read(text: &[u8]) -> Message<'_> {
    let mut message = Message::default();
    message.add(text, 0, 0);
    message
}

impl<'a> Message<'a> {
    fn add(&mut self, text: &'a [u8], lines: u32, depth: usize) {
        let (header, body, own) = header::split(text);
        let lines = lines.saturating_add(own);
        if !header.content_type().starts_with("multipart/") {
            if header.is_cut_off {
                self.doubt(lines, "there is no empty line between the headers and the text");
            }
            return self.entities.push(Entity { header, body, lines });
        }
        if depth >= DEEPEST {
            let what = format!("multipart in multipart, deeper than {DEEPEST} levels");
            return self.fault(lines, what);
        }
        let Some(boundary) = header.boundary() else {
            let what = "a multipart without boundary=\"…\" in its Content-Type: nothing of it can \
                        be told apart";
            return self.fault(lines, what.to_owned());
        };
        let (parts, end) = parts(body, &boundary);
        match end {
            End::NoStart => {
                let what = format!("the boundary {boundary:?} of the Content-Type is nowhere");
                return self.fault(lines, what);
            }
            End::Open => self.doubt(
                lines,
                &format!(
                    "the end of the message, \"--{boundary}--\", is missing: it may be cut off"
                ),
            ),
            End::Closed => {}
        }
        for (part, before) in parts {
            let lines = lines.saturating_add(before);
            // A million of them, or of faults, would only take memory.
            if self.entities.len().max(self.faults.len()) >= MOST_PARTS {
                let what = format!("more than {MOST_PARTS} parts: the rest is not read");
                return self.fault(lines, what);
            }
            self.add(part, lines, depth + 1);
        }
    }

    fn fault(&mut self, line: u32, what: String) {
        self.faults.push(Fault { severity: Severity::Error, line, what });
    }

    fn doubt(&mut self, line: u32, what: &str) {
        self.faults.push(Fault { severity: Severity::Warning, line, what: what.to_owned() });
    }
}

/// How a multipart ends.
enum End {
    /// It has not even begun.
    NoStart,
    /// Without its last line.
    Open,
    /// As it should.
    Closed,
}

/// The parts between the lines of a boundary, and the lines before each.
fn parts<'a>(body: &'a [u8], boundary: &str) -> (Vec<(&'a [u8], u32)>, End) {
    let mut parts = Vec::new();
    let mut open: Option<(usize, u32)> = None;
    let mut at = 0;
    for (count, line) in body.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let begin = at;
        at += line.len();
        let Some(is_last) = delimiter(line, boundary) else { continue };
        if let Some((from, lines)) = open
            && from < begin
        {
            parts.push((without_line_end(&body[from..begin]), lines));
        }
        if is_last && open.is_some() {
            return (parts, End::Closed);
        }
        if parts.len() > MOST_PARTS {
            return (parts, End::Closed);
        }
        open = Some((at, number(count + 1)));
    }
    let Some((from, lines)) = open else { return (parts, End::NoStart) };
    if from < body.len() {
        parts.push((&body[from..], lines));
    }
    (parts, End::Open)
}

/// Whether a line is a boundary's, and if so, whether it is the last.
fn delimiter(line: &[u8], boundary: &str) -> Option<bool> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary.as_bytes())?;
    let rest = rest.trim_ascii_end();
    match rest {
        b"" => Some(false),
        b"--" => Some(true),
        _ => None,
    }
}

/// The line end before a boundary belongs to the boundary (RFC 2046, 5.1.1).
fn without_line_end(text: &[u8]) -> &[u8] {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    text.strip_suffix(b"\r").unwrap_or(text)
}
