//! What no YAML may hold.

use std::sync::Arc;

use crate::firstboot::problem::{Origin, Problem};

/// `PyYAML`'s reader refuses what is not printable (YAML 1.1, 4.1): most of all NUL, and what
/// a damaged file has in it.
pub(super) fn printable(text: &str, source: &Arc<str>, origin: Origin) -> Result<(), Problem> {
    // What nearly all of a text is, told by its bytes.
    let is_plain = |byte: u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~');
    let Some(from) = text.bytes().position(|byte| !is_plain(byte)) else { return Ok(()) };
    let is_printable = |c: char| {
        matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}'
            | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
    };
    let mut rest = text[from..].char_indices();
    let Some((at, found)) = rest.find(|(_, c)| !is_printable(*c)) else { return Ok(()) };
    let before = &text[..from + at];
    let line = u32::try_from(before.matches('\n').count()).unwrap_or(u32::MAX - 1) + 1;
    let begin = before.rfind('\n').map_or(0, |at| at + 1);
    let column = u32::try_from(before[begin..].chars().count()).unwrap_or(u32::MAX - 1) + 1;
    let place = origin.place(source, line, column);
    let what = format!(
        "the character U+{:04X} cannot be in YAML: in quotes write \"\\x{:02x}\", or use \
         `encoding: b64` for a file's content",
        u32::from(found),
        u32::from(found)
    );
    Err(Problem::error(&place, what))
}
