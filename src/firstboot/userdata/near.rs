//! What is no user-data, and nearly is: what to write instead.

use super::kind::{Kind, first_lines};

/// How many lines are looked at.
const MOST_LINES: usize = 50;

/// Why bytes are not recognised: a line, from 0, and what to do. The line is not shown unless
/// it is nearly right: it may be a secret.
pub(super) fn explain(bytes: &[u8]) -> (u32, String) {
    if let Some(what) = packed(bytes) {
        return (0, what);
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return (
            0,
            "it begins with a byte order mark (U+FEFF), with which its type is not \
                 recognised: save it as UTF-8 without BOM"
                .to_owned(),
        );
    }
    let head = &bytes[..bytes.len().min(64 << 10)];
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines().take(MOST_LINES).enumerate();
    let Some((at, line)) = lines.find(|(_, line)| !line.trim().is_empty()) else {
        return (0, "it is empty".to_owned());
    };
    let what = first(line.trim())
        .or_else(|| later(&mut lines))
        .or_else(|| shape(&head))
        .unwrap_or_else(|| {
            "what it is cannot be told from its first line: begin it with #cloud-config for a \
             cloud-config, or with #!/bin/sh for a script"
                .to_owned()
        });
    (u32::try_from(at).unwrap_or(0), what)
}

/// Files that are no text.
fn packed(bytes: &[u8]) -> Option<String> {
    let known: [(&[u8], &str); 8] = [
        (b"\xfd7zXZ", "packed by xz: only gzip is unpacked"),
        (b"\x28\xb5\x2f\xfd", "packed by zstd: only gzip is unpacked"),
        (b"BZh", "packed by bzip2: only gzip is unpacked"),
        (b"PK\x03\x04", "a zip archive: only gzip is unpacked"),
        (
            b"\x1f\x8b",
            "packed by gzip here, where it is not unpacked: pack it once, and give a \
                       part of a MIME message the type application/gzip",
        ),
        (b"\xff\xfe", "UTF-16: save it as UTF-8 without BOM"),
        (b"\xfe\xff", "UTF-16: save it as UTF-8 without BOM"),
        (b"\x7fELF", "a program in machine code: write a script that begins with #!"),
    ];
    let (_, what) = known.iter().find(|(magic, _)| bytes.starts_with(magic))?;
    Some(format!("it is {what}"))
}

/// A first line that is nearly one of those that count.
fn first(line: &str) -> Option<String> {
    let wanted = first_lines().find(|wanted| squashed(line).starts_with(&squashed(wanted)))?;
    let is_comment = line.starts_with('#');
    let is_word = squashed(line) == squashed(wanted) && !wanted.starts_with("#include");
    if !(is_comment || is_word) {
        return None;
    }
    let shown: String = line.chars().take(wanted.len() + 4).filter(|c| !c.is_control()).collect();
    Some(format!("the first line is {shown:?}, which is not recognised: write {wanted:?}"))
}

/// Without what is easily mistaken: `# Cloud_Config` is `cloudconfig`.
fn squashed(line: &str) -> String {
    let is_noise = |c: char| c.is_whitespace() || matches!(c, '-' | '_' | '#');
    line.chars().take(80).filter(|c| !is_noise(*c)).flat_map(char::to_lowercase).collect()
}

/// The right line in the wrong place: under `---`, or under a comment.
fn later<'a>(lines: &mut impl Iterator<Item = (usize, &'a str)>) -> Option<String> {
    let is_marked = |line: &str| line.starts_with('#') && Kind::of(line.as_bytes()).is_some();
    let (at, line) = lines.find(|(_, line)| is_marked(line))?;
    let wanted = first_lines().find(|wanted| line.to_lowercase().starts_with(wanted))?;
    Some(format!("{wanted:?} stands in line {}, and counts only as the first: move it up", at + 1))
}

/// By what the text looks like.
fn shape(head: &str) -> Option<String> {
    let text = head.trim_start();
    let first = text.lines().next().unwrap_or_default().trim_end();
    let lower = first.to_lowercase();
    let what = if text.starts_with('{') && head.contains("\"ignition\"") {
        "it is a configuration for Ignition, not for cloud-init"
    } else if lower.starts_with("content-type:") {
        "it is a MIME message without the header MIME-Version: write \"MIME-Version: 1.0\" as the \
         first line"
    } else if first == "---" || first.starts_with("--- ") || first.starts_with("%YAML") {
        "the first line is that of a YAML document: write #cloud-config above it"
    } else if text.starts_with('{') || is_key(first) {
        "it looks like a cloud-config without its first line: write #cloud-config above it"
    } else if ["IyEv", "I2Nsb3Vk", "I2luY2x1ZG", "H4sI", "TUlNRS", "Q29udGVudC1UeXBl", "IyMgdGVt"]
        .iter()
        .any(|begin| text.starts_with(begin))
    {
        "it looks like base64, which is not guessed: decode it first (base64 -d)"
    } else {
        return None;
    };
    Some(what.to_owned())
}

/// `word:`, as a mapping in YAML begins; or a comment before one.
fn is_key(line: &str) -> bool {
    let Some((key, value)) = line.split_once(':') else {
        return line.starts_with('#') && !line.starts_with("#!");
    };
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    !key.is_empty() && key.chars().all(is_word) && (value.is_empty() || value.starts_with(' '))
}
