//! `disk_setup`: partition tables.

use super::aliases::Aliases;
use crate::firstboot::cloud_config::Context;
use crate::firstboot::cloud_config::reader::Reader;
use crate::firstboot::configuration::{
    Layout, NewPartition, NewTable, PartitionType, Placed, TableKind,
};
use crate::firstboot::yaml::{Node, Value};

/// All of a disk, in hundredths of a percent.
const WHOLE: u32 = 10_000;
/// What a GUID partition table has room for, unless it is made larger (UEFI 2.10, 5.3).
const MOST: usize = 128;
/// What the boot record has room for.
const MOST_MBR: usize = 4;

/// Types by the names that sfdisk, sgdisk and people have for them, as a GUID (UAPI Discoverable
/// Partitions Specification, UEFI) and as the boot record's number; not all are in both.
const TYPES: [(&[&str], &str, &str); 8] = [
    (&["83", "8300", "linux", "l"], "0FC63DAF-8483-4772-8E79-3D69D8477DE4", "83"),
    (&["82", "8200", "swap", "s"], "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F", "82"),
    (&["8e", "8e00", "lvm", "v"], "E6D6D379-F507-44C2-A23C-238F2A3DF928", "8e"),
    (&["fd", "fd00", "raid", "r"], "A19D880F-05FC-4D3B-A006-743F0F84911E", "fd"),
    (&["ef", "ef00", "uefi", "u"], "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", "ef"),
    (&["7", "07", "0700"], "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7", "7"),
    (&["8302", "home"], "933AC7E1-2EB4-4F13-B844-0E14E2AEF915", ""),
    (&["ef02"], "21686148-6449-6E6F-744E-656564454649", ""),
];

pub(super) fn read(reader: &mut Reader, context: &Context<'_>, aliases: &Aliases) -> Vec<NewTable> {
    let Some(node) = context.get("disk_setup") else { return Vec::new() };
    let Value::Map(pairs) = &node.value else {
        let what = format!(
            "disk_setup must be a mapping of devices, and this is {}: write /dev/vdb: {{…}}",
            node.kind()
        );
        reader.error(&node.place, what);
        return Vec::new();
    };
    pairs.iter().filter_map(|(key, value)| table(reader, aliases, key, value)).collect()
}

fn table(reader: &mut Reader, aliases: &Aliases, key: &Node, node: &Node) -> Option<NewTable> {
    let (device, number) = aliases.device(reader, key, "a device of disk_setup")?;
    if number.is_some() {
        let what = "a partition has no partition table: name the disk that it is on";
        reader.error(&key.place, what);
        return None;
    }
    let known = ["table_type", "layout", "overwrite"];
    let fields = reader.fields(node, "a disk of disk_setup", &known)?;
    let kind = match fields.get("table_type") {
        None => TableKind::Mbr,
        Some(node) => match reader.line(node, "table_type")?.value.to_lowercase().as_str() {
            "gpt" => TableKind::Gpt,
            "mbr" | "dos" => TableKind::Mbr,
            other => {
                let what = format!("table_type {other:?} is none of gpt and mbr");
                reader.error(&node.place, what);
                return None;
            }
        },
    };
    let overwrite = fields.get("overwrite").and_then(|it| reader.boolean(it, "overwrite"));
    let overwrite = overwrite.unwrap_or(false);
    let layout = layout(reader, fields.get("layout"), kind)?;
    Some(NewTable { device, kind, layout, overwrite })
}

/// `None` if the disk is left as it is, or what is written cannot be meant.
fn layout(reader: &mut Reader, node: Option<&Node>, kind: TableKind) -> Option<Layout> {
    let node = node?;
    let items = match &node.value {
        Value::Bool(true) => return Some(Layout::One),
        Value::Bool(false) => return None,
        Value::Seq(items) => items,
        _ if node.as_str() == Some("remove") => {
            let what = "layout: remove would leave the disk without anything: write the layout \
                        that it is to have, and overwrite: true";
            reader.error(&node.place, what);
            return None;
        }
        _ => {
            let what = format!(
                "layout must be true, false or a list of percentages, and this is {}",
                node.kind()
            );
            reader.error(&node.place, what);
            return None;
        }
    };
    let most = if kind == TableKind::Mbr { MOST_MBR } else { MOST };
    if items.is_empty() || items.len() > most {
        let what = format!(
            "layout has {} partitions, and a table of type {} has 1 to {most}",
            items.len(),
            if kind == TableKind::Mbr { "mbr" } else { "gpt" }
        );
        reader.error(&node.place, what);
        return None;
    }
    let parts: Vec<_> = items.iter().filter_map(|item| part(reader, item, kind)).collect();
    if parts.len() != items.len() {
        return None;
    }
    let sum: u32 = parts.iter().map(|it| it.share).sum();
    if sum > WHOLE {
        let what = format!(
            "the partitions are {} % of the disk: together they must not be more than 100",
            f64::from(sum) / 100.0
        );
        reader.error(&node.place, what);
        return None;
    }
    Some(Layout::Parts(parts))
}

/// A percentage, or one with a type.
fn part(reader: &mut Reader, item: &Node, kind: TableKind) -> Option<NewPartition> {
    let (share, of_type) = match &item.value {
        Value::Seq(both) => {
            let [share, of_type] = &both[..] else {
                let what = "a partition is a percentage, or [percentage, type]";
                reader.error(&item.place, what);
                return None;
            };
            (share, Some(of_type))
        }
        _ => (item, None),
    };
    let percent = match &share.value {
        Value::Int(number) => i32::try_from(*number).ok().map(f64::from),
        Value::Float(number) => Some(*number),
        Value::Str(text) => text.trim().parse::<f64>().ok(),
        _ => None,
    };
    // Not a number is in no range.
    let Some(percent) = percent.filter(|it| (0.01..=100.0).contains(it)) else {
        let what = "a partition's size is a percentage of the disk, more than 0 and at most 100";
        reader.error(&share.place, what);
        return None;
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0.01 to 100")]
    let share = (percent * 100.0).round() as u32;
    let kind = match of_type {
        None => None,
        Some(node) => Some(partition_type(reader, node, kind)?),
    };
    Some(NewPartition { share, kind })
}

fn partition_type(reader: &mut Reader, node: &Node, table: TableKind) -> Option<PartitionType> {
    let Placed { value, place } = reader.line(node, "the type of a partition")?;
    let word = value.to_lowercase();
    let known = TYPES.iter().find(|(names, ..)| names.contains(&word.as_str()));
    let is_hexadecimal = (1..=2).contains(&word.len())
        && word.chars().all(|c| c.is_ascii_hexdigit())
        // Nothing, and what holds other partitions.
        && !["0", "00", "5", "05", "f", "0f", "85"].contains(&word.as_str());
    let found = match (table, known) {
        (TableKind::Gpt, Some((_, guid, _))) => Some((*guid).to_owned()),
        (TableKind::Mbr, Some((.., number))) if !number.is_empty() => Some((*number).to_owned()),
        (TableKind::Gpt, None) => uuid::Uuid::try_parse(&word)
            .ok()
            .map(|guid| guid.hyphenated().to_string().to_uppercase()),
        (TableKind::Mbr, None) if is_hexadecimal => Some(word),
        (TableKind::Mbr, _) => None,
    };
    if found.is_none() {
        let also = match table {
            TableKind::Gpt => "a GUID",
            TableKind::Mbr => "a hexadecimal number",
        };
        let what = format!(
            "the type {value:?} is not known: write 83 (Linux), 82 (swap), ef (EFI), 8e (LVM), fd \
             (RAID) or {also}"
        );
        reader.error(&place, what);
    }
    found.map(PartitionType)
}
