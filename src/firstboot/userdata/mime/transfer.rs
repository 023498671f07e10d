//! Transfer encodings (RFC 2045, 6).

use std::borrow::Cow;

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Decodes a body by its `Content-Transfer-Encoding`; borrowed if there is nothing to decode.
///
/// # Errors
/// It is not encoded so, or in a way that is not known: in words that go on after "it".
pub(in super::super) fn decode<'a>(
    encoding: Option<&str>,
    body: &'a [u8],
) -> Result<Cow<'a, [u8]>, String> {
    match encoding.unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "" | "7bit" | "8bit" | "binary" => Ok(Cow::Borrowed(body)),
        "base64" => base64(body).map(Cow::Owned),
        "quoted-printable" => Ok(Cow::Owned(quoted_printable(body))),
        other => Err(format!(
            "has the Content-Transfer-Encoding {other:?}: write 8bit, base64 or quoted-printable"
        )),
    }
}

fn base64(body: &[u8]) -> Result<Vec<u8>, String> {
    // Python adds padding that is missing, and so does this.
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, config);
    let joined: Vec<u8> = body.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
    engine
        .decode(joined)
        .map_err(|e| format!("should be base64, by its Content-Transfer-Encoding, and is not: {e}"))
}

/// What is no code stays as it is, as Python's `quopri` has it.
fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(body.len());
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let text = line.trim_ascii_end();
        let end = if line.ends_with(b"\r\n") { &b"\r\n"[..] } else { b"\n" };
        let end = if line.ends_with(b"\n") { end } else { b"" };
        let (mut rest, end) = match text.strip_suffix(b"=") {
            Some(text) => (text, &b""[..]), // the line goes on in the next
            None => (text, end),
        };
        while let Some((first, after)) = rest.split_first() {
            let code = after.get(..2).filter(|_| *first == b'=').and_then(hexadecimal);
            decoded.push(code.unwrap_or(*first));
            rest = if code.is_some() { &after[2..] } else { after };
        }
        decoded.extend_from_slice(end);
    }
    decoded
}

/// Two digits.
pub(super) fn hexadecimal(digits: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(digits).ok()?;
    let is_digit = |c: char| c.is_ascii_hexdigit();
    digits.chars().all(is_digit).then(|| u8::from_str_radix(digits, 16).ok())?
}
