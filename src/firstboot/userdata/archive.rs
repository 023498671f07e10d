//! `#cloud-config-archive`: a YAML list of parts, each a text or a mapping with `content`.

use std::borrow::Cow;

use super::Kind;
use super::part::{clean, number};
use super::reader::{NOT_MULTIPART, Piece, within};
use crate::firstboot::problem::{Origin, Problem};
use crate::firstboot::yaml::{self, Node, Value};

/// The entries of an archive; those that are broken as what is wrong with them.
///
/// # Errors
/// It is no list in YAML.
pub(super) fn pieces(archive: &Piece<'_>) -> Result<Vec<Result<Piece<'static>, Problem>>, Problem> {
    let not_text = |_| Problem::error(&archive.place(0), "this archive is not UTF-8");
    let text = std::str::from_utf8(&archive.bytes).map_err(not_text)?;
    let root = yaml::load_at(text, &archive.source, archive.origin)?.root;
    let lines: Vec<&str> = text.lines().collect();
    match root.value {
        Value::Null => Ok(Vec::new()),
        Value::Seq(entries) => Ok(entries
            .into_iter()
            .enumerate()
            .map(|(at, entry)| piece(archive, &lines, at, &entry))
            .collect()),
        _ => {
            let what = format!("an archive is a list of parts, and this is {}", root.kind());
            Err(Problem::error(&root.place, what))
        }
    }
}

fn piece(
    archive: &Piece<'_>,
    lines: &[&str],
    at: usize,
    entry: &Node,
) -> Result<Piece<'static>, Problem> {
    let field = |key: &str| entry.get(key).and_then(Node::text).filter(|it| !it.is_empty());
    let name = field("filename").and_then(|name| clean(&name));
    let launch_index = field("launch-index").map(Cow::into_owned);
    let merge = field("Merge-Type").or_else(|| field("X-Merge-Type")).map(Cow::into_owned);
    let given = field("type").map(|it| it.trim().to_ascii_lowercase());
    let content = match &entry.value {
        Value::Str(_) => entry,
        Value::Map(_) => entry.get("content").ok_or_else(|| {
            Problem::error(&entry.place, "this part of the archive has no content: add the key")
        })?,
        _ => {
            let what = format!(
                "a part of an archive is text, or a mapping with `content`, and this is {}",
                entry.kind()
            );
            return Err(Problem::error(&entry.place, what));
        }
    };
    let bytes = match &content.value {
        Value::Str(text) => text.clone().into_bytes(),
        Value::Bytes(bytes) => bytes.clone(),
        Value::Null => Vec::new(),
        _ => {
            let what = format!("content is text, and this is {}: write content: |", content.kind());
            return Err(Problem::error(&content.place, what));
        }
    };
    // Of what has no type and no first line, cloud-init says that it is a cloud-config.
    let content_type = given.unwrap_or_else(|| match Kind::of(&bytes) {
        Some(_) => NOT_MULTIPART.to_owned(),
        None if matches!(content.value, Value::Bytes(_)) => "application/octet-stream".to_owned(),
        None => "text/cloud-config".to_owned(),
    });
    let known = origin(archive.origin, lines, content);
    Ok(Piece {
        content_type,
        bytes: Cow::Owned(bytes),
        source: match known {
            Some(_) => archive.source.clone(),
            None => within(&archive.source, at, name.as_deref()),
        },
        origin: known.unwrap_or_default(),
        name,
        merge,
        launch_index,
        is_archived: true,
        depth: archive.depth,
    })
}

/// Where a block literal's text begins in the file: if each of its lines stands there, behind
/// the same indentation. Anything else (folded, quoted, repeated by an alias) has no lines.
fn origin(archive: Origin, lines: &[&str], content: &Node) -> Option<Origin> {
    let text = content.as_str()?;
    // Of the archive's own lines, from 0: that of the value, which the parser takes to be the
    // one with the `|` or the first of the text.
    let at =
        usize::try_from(content.place.line.checked_sub(archive.lines)?).ok()?.checked_sub(1)?;
    let (begin, indent) = [at, at + 1].into_iter().find_map(|begin| {
        let indent = indentation(text, lines.get(begin..)?)?;
        Some((begin, indent))
    })?;
    Some(Origin {
        lines: archive.lines.saturating_add(number(begin)),
        columns: archive.columns.saturating_add(number(indent)),
    })
}

/// The spaces before each line of a text, if it stands so at the beginning of `lines`.
fn indentation(text: &str, lines: &[&str]) -> Option<usize> {
    let first = text.lines().position(|line| !line.trim().is_empty())?;
    let indent = lines.get(first)?.strip_suffix(text.lines().nth(first)?)?;
    let is_same = |(at, line): (usize, &str)| {
        let stands = lines.get(at).copied().unwrap_or_default();
        line.is_empty() && stands.trim().is_empty() || stands.strip_prefix(indent) == Some(line)
    };
    let is_indent = indent.bytes().all(|byte| byte == b' ');
    (is_indent && text.lines().enumerate().all(is_same)).then_some(indent.len())
}
