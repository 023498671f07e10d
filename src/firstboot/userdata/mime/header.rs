//! Headers: fields, and the parameters in them (RFC 2045, 5.1; RFC 2231, 4).

use super::super::part::number;

/// The headers of a message or of a part.
#[derive(Default)]
pub(in super::super) struct Header {
    fields: Vec<(String, String)>,
    /// Something else than an empty line ended them.
    pub(super) is_cut_off: bool,
}

/// Headers, what comes after them, and the lines before that.
pub(super) fn split(text: &[u8]) -> (Header, &[u8], u32) {
    let mut header = Header::default();
    let mut at = 0;
    for (count, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let end = at + line.len();
        let shown = String::from_utf8_lossy(line);
        let shown = shown.trim_end_matches(['\r', '\n']);
        if shown.is_empty() {
            return (header, &text[end..], number(count + 1));
        }
        if !header.take(shown, count == 0) {
            header.is_cut_off = !header.fields.is_empty();
            return (header, &text[at..], number(count));
        }
        at = end;
    }
    let lines = text.split_inclusive(|byte| *byte == b'\n').count();
    (header, &text[text.len()..], number(lines))
}

impl Header {
    /// Adds a line; `false` if it is none of a header.
    fn take(&mut self, line: &str, is_first: bool) -> bool {
        if line.starts_with([' ', '\t']) {
            let Some((_, value)) = self.fields.last_mut() else { return false };
            value.push(' ');
            value.push_str(line.trim());
            return true;
        }
        if is_first && line.starts_with("From ") {
            return true; // mbox
        }
        let Some((name, value)) = line.split_once(':') else { return false };
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return false;
        }
        self.fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        true
    }

    /// The first field of a name, in small letters.
    pub(in super::super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// In small letters; `text/plain` where there is none, or none that can be read.
    pub(in super::super) fn content_type(&self) -> String {
        let value = self.field("content-type").unwrap_or_default();
        let mime = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if mime.matches('/').count() == 1 { mime } else { "text/plain".to_owned() }
    }

    pub(super) fn boundary(&self) -> Option<String> {
        let boundary = parameter(self.field("content-type")?, "boundary")?;
        Some(boundary.trim_end().to_owned())
    }

    /// What the part is called.
    pub(in super::super) fn file_name(&self) -> Option<String> {
        let of = |field: &str, name| self.field(field).and_then(|value| parameter(value, name));
        of("content-disposition", "filename").or_else(|| of("content-type", "name"))
    }

    /// How it is to be merged: the first of two names that is there.
    pub(in super::super) fn merge_type(&self) -> Option<String> {
        let of = |field| self.field(field).filter(|value| !value.is_empty());
        of("merge-type").or_else(|| of("x-merge-type")).map(str::to_owned)
    }
}

/// `name="value"`, `name=value`, or `name*=utf-8''va%6cue`.
fn parameter(field: &str, name: &str) -> Option<String> {
    for piece in pieces(field).skip(1) {
        let Some((key, value)) = piece.split_once('=') else { continue };
        let key = key.trim().to_ascii_lowercase();
        if key == name {
            return Some(unquoted(value.trim()));
        }
        if key.strip_suffix('*') == Some(name) {
            let encoded = unquoted(value.trim());
            return Some(percent_decoded(encoded.splitn(3, '\'').nth(2)?));
        }
    }
    None
}

/// What semicolons separate that are in no quotes.
fn pieces(field: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    field.split(move |c| {
        let was_escaped = std::mem::take(&mut escaped);
        match c {
            '\\' if quoted && !was_escaped => escaped = true,
            '"' if !was_escaped => quoted = !quoted,
            ';' if !quoted => return true,
            _ => {}
        }
        false
    })
}

fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').and_then(|it| it.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut escaped = false;
    let is_kept = |c: &char| {
        escaped = *c == '\\' && !escaped;
        !escaped
    };
    inner.chars().filter(is_kept).collect()
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| *first == b'%').and_then(super::transfer::hexadecimal);
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
