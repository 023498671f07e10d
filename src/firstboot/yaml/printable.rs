//! What no YAML may hold.

use std::sync::Arc;

use crate::firstboot::problem::{Origin, Problem};

/// `PyYAML`'s reader refuses what is not printable (YAML 1.1, 4.1): most of all NUL, and what
/// a damaged file has in it. U+0085, U+2028 and U+2029 end a line in YAML 1.1 and not in 1.2, by
/// which the parser goes: what looks like the end of a comment would be a key for cloud-init.
pub(super) fn printable(text: &str, source: &Arc<str>, origin: Origin) -> Result<(), Problem> {
    // What nearly all of a text is, told by its bytes.
    let is_plain = |byte: u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~');
    let Some(from) = text.bytes().position(|byte| !is_plain(byte)) else { return Ok(()) };
    let is_printable = |c: char| {
        matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{a0}'..='\u{2027}'
            | '\u{202a}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
    };
    let mut rest = text[from..].char_indices();
    let Some((at, found)) = rest.find(|(_, c)| !is_printable(*c)) else { return Ok(()) };
    let before = &text[..from + at];
    let line = u32::try_from(before.matches('\n').count()).unwrap_or(u32::MAX - 1) + 1;
    let begin = before.rfind('\n').map_or(0, |at| at + 1);
    let column = u32::try_from(before[begin..].chars().count()).unwrap_or(u32::MAX - 1) + 1;
    let place = origin.place(source, line, column);
    let code = u32::from(found);
    let why = match found {
        '\u{85}' | '\u{2028}' | '\u{2029}' => {
            "ends a line in YAML 1.1, even of a comment: remove it"
        }
        _ => "cannot be in YAML",
    };
    let what = format!(
        "the character U+{code:04X} {why}, write \"\\u{code:04x}\" in quotes, or use `encoding: b64` \
         for a file's content"
    );
    Err(Problem::error(&place, what))
}
