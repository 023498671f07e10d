//! `fs_setup`: file systems.

use super::aliases::Aliases;
use crate::firstboot::cloud_config::Context;
use crate::firstboot::cloud_config::reader::Reader;
use crate::firstboot::configuration::{NewFileSystem, Placed, Target};
use crate::firstboot::yaml::{Node, Value};

/// Bytes that a label may have, as their mkfs say; of others it is not known.
const LABELS: [(&str, usize); 8] = [
    ("ext2", 16),
    ("ext3", 16),
    ("ext4", 16),
    ("xfs", 12),
    ("btrfs", 255),
    ("vfat", 11),
    ("swap", 16),
    ("f2fs", 512),
];
const KEYS: [&str; 8] =
    ["label", "filesystem", "device", "partition", "overwrite", "replace_fs", "extra_opts", "cmd"];

pub(super) fn read(
    reader: &mut Reader,
    context: &Context<'_>,
    aliases: &Aliases,
) -> Vec<NewFileSystem> {
    let Some(node) = context.get("fs_setup") else { return Vec::new() };
    let items = reader.list(node, "fs_setup");
    items.iter().filter_map(|item| file_system(reader, aliases, item)).collect()
}

fn file_system(reader: &mut Reader, aliases: &Aliases, item: &Node) -> Option<NewFileSystem> {
    let fields = reader.fields(item, "a file system", &KEYS)?;
    if let Some(node) = fields.get("cmd") {
        let what = "cmd is not supported: what it would do to which disk cannot be known before; \
                    use bootcmd";
        reader.error(&node.place, what);
        return None;
    }
    let (Some(device), Some(kind)) = (fields.get("device"), fields.get("filesystem")) else {
        reader.error(&item.place, "a file system must have device and filesystem");
        return None;
    };
    let kind = kind_of(reader, kind)?;
    let (device, dotted) = aliases.device(reader, device, "device of a file system")?;
    let target = match (&dotted, fields.get("partition")) {
        (Some(number), _) => target(reader, &device, number)?,
        (None, Some(node)) => {
            let written = reader.line(node, "partition")?;
            target(reader, &written, &written.value)?
        }
        (None, None) => Target::Any,
    };
    let label = match fields.get("label") {
        None => None,
        Some(node) => Some(label(reader, node, &kind.value)?),
    };
    let overwrite = fields.get("overwrite").and_then(|it| reader.boolean(it, "overwrite"));
    let replace = match fields.get("replace_fs") {
        None => None,
        Some(node) if node.value == Value::Bool(false) => None,
        Some(node) => Some(kind_of(reader, node)?.value),
    };
    let options = fields.get("extra_opts").map_or_else(Vec::new, |it| options(reader, it));
    Some(NewFileSystem {
        device: Placed { place: item.place.clone(), ..device },
        target,
        kind,
        label,
        overwrite: overwrite.unwrap_or(false),
        replace,
        options,
    })
}

/// A word that a program's name ends in.
fn kind_of(reader: &mut Reader, node: &Node) -> Option<Placed<String>> {
    let kind = reader.line(node, "filesystem")?;
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if kind.value.len() > 16 || !kind.value.chars().all(is_word) {
        let what =
            format!("{:?} is no type of a file system: write ext4, xfs, btrfs, vfat", kind.value);
        reader.error(&kind.place, what);
        return None;
    }
    Some(kind)
}

fn target(reader: &mut Reader, at: &Placed<String>, written: &str) -> Option<Target> {
    match written.to_lowercase().as_str() {
        "auto" => Some(Target::Auto),
        "any" => Some(Target::Any),
        "none" => Some(Target::Whole),
        number => {
            let number = number.parse().ok().filter(|it| (1..=128).contains(it));
            if number.is_none() {
                let what = format!(
                    "partition {written:?} is none of auto, any, none and the numbers from 1 to 128"
                );
                reader.error(&at.place, what);
            }
            number.map(Target::Number)
        }
    }
}

fn label(reader: &mut Reader, node: &Node, kind: &str) -> Option<String> {
    let label = reader.line(node, "label")?;
    let most = LABELS.iter().find(|(it, _)| *it == kind).map_or(255, |(_, most)| *most);
    if label.value.len() > most {
        let what = format!(
            "the label {:?} has {} bytes, and one of {kind} has at most {most}",
            label.value,
            label.value.len()
        );
        reader.error(&label.place, what);
        return None;
    }
    if label.value.starts_with('-') || label.value.chars().any(char::is_control) {
        let what = format!("{:?} is no label: letters, digits and hyphens within", label.value);
        reader.error(&label.place, what);
        return None;
    }
    Some(label.value)
}

/// Words, or one line of them.
fn options(reader: &mut Reader, node: &Node) -> Vec<String> {
    let lines = reader.lines(node, "extra_opts");
    let words = lines.iter().flat_map(|it| it.value.split_ascii_whitespace());
    words.map(str::to_owned).collect()
}
