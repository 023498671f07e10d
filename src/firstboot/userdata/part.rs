//! A part, and where it stands.

use std::sync::Arc;

use super::Kind;
use crate::firstboot::problem::{Origin, Place, Problem};

/// One part of user-data, by its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub kind: Kind,
    /// Its file name, as cloud-init makes it: letters, digits and `_-.()`; never empty.
    pub name: String,
    /// What its places are in: a file, or the part of it in words.
    pub source: Arc<str>,
    /// Where in that.
    pub origin: Origin,
    /// All of it.
    pub bytes: Vec<u8>,
    /// The header `Merge-Type` or `X-Merge-Type`.
    pub merge: Option<String>,
}

impl Part {
    /// Its first character.
    pub fn place(&self) -> Place {
        self.origin.place(&self.source, 1, 1)
    }

    /// As text.
    ///
    /// # Errors
    /// It is not UTF-8: with the place.
    pub fn text(&self) -> Result<&str, Problem> {
        std::str::from_utf8(&self.bytes).map_err(|e| {
            let before = String::from_utf8_lossy(&self.bytes[..e.valid_up_to()]);
            let last = before.rsplit('\n').next().unwrap_or_default();
            let line = number(before.matches('\n').count()).saturating_add(1);
            let column = number(last.chars().count()).saturating_add(1);
            let place = self.origin.place(&self.source, line, column);
            Problem::error(&place, "this is not UTF-8: save it as UTF-8 without BOM")
        })
    }

    /// What is to be run, of a script or a boothook: with the line ends of Unix if the first
    /// line has those of DOS, and a boothook without its first word, as in cloud-init's
    /// `util.dos2unix` and `boot_hook.py`.
    pub fn program(&self) -> Vec<u8> {
        let bytes = unix_line_ends(&self.bytes);
        if self.kind != Kind::Boothook {
            return bytes;
        }
        let begins =
            bytes.get(..BOOTHOOK.len()).is_some_and(|it| it.eq_ignore_ascii_case(BOOTHOOK));
        let rest = if begins { &bytes[BOOTHOOK.len()..] } else { &bytes };
        rest.trim_ascii_start().to_vec()
    }

    /// What a template is, once it is rendered without its first line.
    ///
    /// # Errors
    /// What came out is not recognised.
    pub fn rendered(&self, text: String) -> Result<Part, Problem> {
        let kind = match Kind::of(text.as_bytes()) {
            Some(Kind::JinjaTemplate(_)) => {
                let what = "the template makes another template: remove one of the two lines";
                return Err(Problem::error(&self.place(), what));
            }
            Some(kind) => kind,
            None => {
                let (_, what) = super::near::explain(text.as_bytes());
                let what = format!("what the template makes is not recognised: {what}");
                return Err(Problem::error(&self.place(), what));
            }
        };
        let origin = Origin { lines: self.origin.lines.saturating_add(1), ..self.origin };
        Ok(Part { kind, origin, bytes: text.into_bytes(), ..self.clone() })
    }
}

fn unix_line_ends(bytes: &[u8]) -> Vec<u8> {
    let first = bytes.iter().position(|byte| *byte == b'\n');
    if !first.is_some_and(|at| at > 0 && bytes[at - 1] == b'\r') {
        return bytes.to_vec();
    }
    let is_kept = |at: usize| !(bytes[at] == b'\r' && bytes.get(at + 1) == Some(&b'\n'));
    (0..bytes.len()).filter(|at| is_kept(*at)).map(|at| bytes[at]).collect()
}

/// What makes a boothook one, and is no part of its program.
const BOOTHOOK: &[u8] = b"#cloud-boothook";

/// A count for a place.
pub(super) fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// A file name of what a header says, as cloud-init's `util.clean_filename`: never a path.
pub(super) fn clean(name: &str) -> Option<String> {
    let is_kept = |c: &char| c.is_ascii_alphanumeric() || "_-.()".contains(*c);
    let kept: String = name.trim().replace('/', "_").chars().filter(is_kept).take(200).collect();
    (!kept.trim_matches('.').is_empty()).then_some(kept)
}
