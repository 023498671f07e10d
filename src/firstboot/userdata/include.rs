//! `#include`: more user-data, by its address.

use super::MOST_UNPACKED;
use super::reader::{Piece, Reader, lines};
use crate::sys::fetch::without_secrets;

/// How many addresses may be named in all.
const MOST_INCLUDES: usize = 100;
/// How long a chain of includes may be: one that names itself has no end.
const DEEPEST: usize = 5;

impl Reader<'_> {
    /// Reads what each line names, in order, where the list stands.
    pub(super) fn include(&mut self, piece: &Piece<'_>) {
        for (at, line) in lines(&piece.bytes) {
            let Some(url) = address(&line) else { continue };
            let place = piece.place(at);
            let shown = without_secrets(url);
            if piece.depth >= DEEPEST {
                let what = format!(
                    "{shown} is not fetched: it is included by what is included, {DEEPEST} times"
                );
                return self.error(&place, what);
            }
            if self.includes >= MOST_INCLUDES {
                let what = format!("{shown} is not fetched: more than {MOST_INCLUDES} includes");
                return self.error(&place, what);
            }
            self.includes += 1;
            match (self.fetch)(url) {
                Ok(bytes) if bytes.len() > self.left => {
                    let most = MOST_UNPACKED >> 20;
                    let what = format!(
                        "{shown} is too large: what is unpacked or fetched may be {most} MiB in all"
                    );
                    self.error(&place, what);
                }
                Ok(bytes) => {
                    self.left -= bytes.len();
                    self.whole(&bytes, &shown.into(), piece.depth + 1);
                }
                Err(e) => self.error(&place, format!("cannot fetch {shown}: {e:#}")),
            }
        }
    }
}

/// What a line names: an address alone, or after the word that begins the list.
fn address(line: &str) -> Option<&str> {
    let after = |word: &str| {
        let begin = line.get(..word.len())?;
        begin.eq_ignore_ascii_case(word).then(|| &line[word.len()..])
    };
    let rest = after("#include-once").or_else(|| after("#include")).unwrap_or(line);
    let url = rest.trim();
    (!url.is_empty() && !rest.trim_start().starts_with('#')).then_some(url)
}
