//! `write_files`.

use std::collections::HashSet;
use std::io::Read;

use base64::Engine;

use super::Context;
use super::reader::{Fields, Reader};
use crate::firstboot::configuration::{Configuration, FileContent, Mode, Owner, Placed, WriteFile};
use crate::firstboot::yaml::{Node, Value};
use crate::sys::files::MAX_FILE;

const FILE: &[&str] =
    &["path", "content", "encoding", "owner", "permissions", "append", "defer", "source"];
/// What a mode is unless it says otherwise.
const MODE: Mode = 0o644;
/// Headers that say how a message is sent: with them a request may have no end.
const OF_THE_CONNECTION: [&str; 4] =
    ["connection", "content-length", "transfer-encoding", "upgrade"];
/// Modes that are common, written in octal: as decimal numbers nobody means them.
const OCTAL: [i64; 16] =
    [400, 440, 444, 600, 640, 644, 660, 664, 666, 700, 750, 755, 770, 775, 777, 1777];

pub(super) fn read(reader: &mut Reader, context: &Context<'_>, to: &mut Configuration) {
    let items = context.get("write_files").map_or(&[][..], |it| reader.list(it, "write_files"));
    for item in items {
        let Some(fields) = reader.fields(item, "a file", FILE) else { continue };
        to.files.extend(file(reader, item, fields));
    }
    defer_for_new_users(reader, to);
    for injected in &context.seed.files {
        to.files.push(WriteFile {
            path: context.of_platform(&*injected.path),
            content: FileContent::Bytes(injected.bytes.clone()),
            mode: MODE,
            owner: None,
            append: false,
            defer: false,
        });
    }
}

/// Users are made after files are written: what is to be theirs has to come later.
fn defer_for_new_users(reader: &mut Reader, to: &mut Configuration) {
    let users: HashSet<&str> = to.users.iter().map(|it| it.name.value.as_str()).collect();
    for file in to.files.iter_mut().filter(|file| !file.defer) {
        let Some(owner) = &file.owner else { continue };
        let is_new = |name: &str| name != "root" && users.contains(name);
        if is_new(&owner.value.user) {
            let what = format!(
                "user {:?} is made after files are written, so this one is written later; \
                 cloud-init needs defer: true here",
                owner.value.user
            );
            reader.warn(&owner.place, what);
            file.defer = true;
        }
    }
}

fn file(reader: &mut Reader, item: &Node, fields: Fields<'_>) -> Option<WriteFile> {
    let Some(node) = fields.get("path") else {
        reader.error(&item.place, "a file has no path: add the line \"path: /…\"");
        return None;
    };
    let path = reader.line(node, "path")?;
    if !is_usable(&path.value) {
        let what =
            format!("path {:?} must be an absolute path of a file, without \"..\"", path.value);
        reader.error(&path.place, what);
        return None;
    }
    let encoding = fields.get("encoding").and_then(|it| reader.line(it, "encoding"));
    let content = match fields.get("content") {
        Some(node) => decoded(reader, node, encoding.as_ref())?,
        None => Vec::new(),
    };
    let content = match fields.get("source") {
        Some(node) => fetched(reader, node, fields.get("content").map(|_| content))?,
        None => FileContent::Bytes(content),
    };
    let flag = |reader: &mut Reader, key: &str| {
        fields.get(key).and_then(|it| reader.boolean(it, key)).unwrap_or(false)
    };
    Some(WriteFile {
        content,
        mode: fields.get("permissions").map_or(Some(MODE), |it| mode(reader, it))?,
        owner: fields.get("owner").and_then(|it| owner(reader, it)),
        append: flag(reader, "append"),
        defer: flag(reader, "defer"),
        path: Placed { place: item.place.clone(), ..path },
    })
}

fn is_usable(path: &str) -> bool {
    path.starts_with('/')
        && !path.ends_with('/')
        && path.split('/').all(|part| part != "..")
        && path.split('/').all(|part| part.len() <= 255)
        && path.len() < 4096
}

/// Every combination of gzip and base64 that cloud-init knows; another word is plain text.
fn decoded(reader: &mut Reader, node: &Node, encoding: Option<&Placed<String>>) -> Option<Vec<u8>> {
    let bytes = match &node.value {
        Value::Bytes(bytes) => bytes.clone(),
        _ => reader.text(node, "content")?.value.into_bytes(),
    };
    let Some(encoding) = encoding else { return Some(bytes) };
    let (is_base64, is_gzip) = match encoding.value.to_lowercase().as_str() {
        "text/plain" => (false, false),
        "gz" | "gzip" => (false, true),
        "b64" | "base64" => (true, false),
        "gz+b64" | "gz+base64" | "gzip+b64" | "gzip+base64" => (true, true),
        other => {
            let what = format!(
                "encoding {other:?} is not known, so the content is taken as it is: write gz, \
                 b64 or gz+b64"
            );
            reader.warn(&encoding.place, what);
            (false, false)
        }
    };
    let unpacked = unpack(bytes, is_base64, is_gzip);
    if let Err(what) = &unpacked {
        reader.error(&node.place, format!("content is not {}: {what}", encoding.value));
    }
    unpacked.ok()
}

fn unpack(bytes: Vec<u8>, is_base64: bool, is_gzip: bool) -> Result<Vec<u8>, String> {
    let mut bytes = bytes;
    if is_base64 {
        bytes.retain(|byte| !byte.is_ascii_whitespace());
        let engine = base64::engine::general_purpose::STANDARD;
        bytes = engine.decode(&bytes).map_err(|e| e.to_string())?;
    }
    if is_gzip {
        let mut unpacked = Vec::new();
        let mut from = flate2::read::MultiGzDecoder::new(&*bytes).take(MAX_FILE + 1);
        from.read_to_end(&mut unpacked).map_err(|e| e.to_string())?;
        if unpacked.len() as u64 > MAX_FILE {
            return Err(format!("unpacked it is larger than {} MiB", MAX_FILE >> 20));
        }
        bytes = unpacked;
    }
    Ok(bytes)
}

fn fetched(reader: &mut Reader, node: &Node, fallback: Option<Vec<u8>>) -> Option<FileContent> {
    let fields = reader.fields(node, "source", &["uri", "headers"])?;
    let Some(uri) = fields.get("uri") else {
        reader.error(&node.place, "source has no uri");
        return None;
    };
    let uri = reader.line(uri, "uri")?.value;
    let mut headers = Vec::new();
    if let Some(node) = fields.get("headers") {
        let Value::Map(pairs) = &node.value else {
            reader.error(&node.place, "headers must be a mapping");
            return None;
        };
        for (name, value) in pairs {
            headers.push(header(reader, name, value)?);
        }
    }
    Some(FileContent::Fetched { uri, headers, fallback })
}

/// A header of the request. Its value may be a secret, and is not said.
fn header(reader: &mut Reader, name: &Node, value: &Node) -> Option<(String, String)> {
    let (name, value) = (reader.line(name, "a header")?, reader.line(value, "a header")?);
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if !name.value.chars().all(is_token) {
        let what = format!("{:?} is no name of a header: letters, digits and hyphens", name.value);
        reader.error(&name.place, what);
        return None;
    }
    if OF_THE_CONNECTION.contains(&name.value.to_lowercase().as_str()) {
        let what = format!("the header {} cannot be set: it belongs to the connection", name.value);
        reader.error(&name.place, what);
        return None;
    }
    if !value.value.chars().all(|c| c.is_ascii_graphic() || c == ' ') {
        let what = format!("the header {} has characters that none can have", name.value);
        reader.error(&value.place, what);
        return None;
    }
    Some((name.value, value.value))
}

/// Text is octal, a number is a number: `644` is 0o1204, which nobody means.
fn mode(reader: &mut Reader, node: &Node) -> Option<Mode> {
    let number = match &node.value {
        Value::Int(number) => {
            if OCTAL.contains(number) {
                let what = format!(
                    "{number} is a decimal number, so that the mode becomes {number:#o}: write \
                     \"0{number}\", in quotes"
                );
                reader.warn(&node.place, what);
            }
            u32::try_from(*number).ok()
        }
        Value::Str(text) => {
            let digits = text.trim().trim_start_matches("0o");
            u32::from_str_radix(digits, 8).ok()
        }
        _ => None,
    };
    let mode = number.filter(|mode| *mode <= 0o7777);
    if mode.is_none() {
        reader
            .error(&node.place, "permissions must be a mode in octal digits, in quotes: \"0644\"");
    }
    mode
}

fn owner(reader: &mut Reader, node: &Node) -> Option<Placed<Owner>> {
    let text = reader.line(node, "owner")?;
    let (user, group) = match text.value.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (text.value.as_str(), None),
    };
    let group = group.filter(|group| !group.is_empty()).map(str::to_owned);
    let user = if user.is_empty() { "root" } else { user };
    let owner = Owner { user: user.to_owned(), group };
    Some(Placed { value: owner, place: text.place })
}
