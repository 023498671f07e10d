//! Partition tables.

use anyhow::Result;

use super::{
    Action, At, Device, Disk, Partition, Step, Table, World, amount, lookup, node, program,
};
use crate::firstboot::configuration::{Layout, NewPartition, NewTable, PartitionType, TableKind};
use crate::firstboot::plan::Planner;
use crate::sys::block;

/// For Linux' file systems (UAPI Discoverable Partitions Specification), and the number of old.
const LINUX: [&str; 2] = ["0FC63DAF-8483-4772-8E79-3D69D8477DE4", "83"];
/// The boot record's fields have 32 bits, in sectors of 512 bytes.
const MOST_MBR: u64 = 2 << 40;
/// Partitions begin and end at multiples of this, as sfdisk does by itself.
const GRAIN: u64 = 1 << 20;
/// Before the first partition and after the last.
const RESERVED: u64 = 2 * GRAIN;

pub(super) fn plan(
    planner: &mut Planner<'_>,
    world: Option<&mut World<'_>>,
    new: &NewTable,
) -> Result<()> {
    let place = &new.device.place;
    if program(planner, "sfdisk")?.is_none() {
        planner.error(place, "there is no sfdisk in the system that could make partitions");
        return Ok(());
    }
    let Some(world) = world else {
        let what = words(new, &new.device.value);
        planner.disks.push(Step { what, action: None });
        return Ok(());
    };
    let Some(at) = lookup(planner, world, &new.device) else { return Ok(()) };
    let made = match decide(world, at, new) {
        Ok(made) => made,
        Err(says) => {
            world.refused.push(at.disk);
            planner.error(place, says);
            return Ok(());
        }
    };
    let (Some(made), Some(disk)) = (made, world.disks.get_mut(at.disk)) else { return Ok(()) };
    let name = disk.device.name.clone();
    let action = Action::Table {
        script: script(new, &made),
        partitions: made.iter().map(|it| it.device.name.clone()).collect(),
        disk: name.clone(),
    };
    planner.disks.push(Step { what: words(new, &node(&name)), action: Some(action) });
    disk.device.content = None;
    disk.table = Some(Table { kind: new.kind.name().to_owned(), partitions: made });
    Ok(())
}

/// The partitions to be made; `None` if they are there; or why it cannot be done.
fn decide(world: &World<'_>, at: At, new: &NewTable) -> Result<Option<Vec<Partition>>, String> {
    let Some(disk) = world.disks.get(at.disk) else { return Ok(None) };
    let device = node(&disk.device.name);
    if at.partition.is_some() {
        return Err(format!(
            "{} is a partition: name the disk that it is on, {device}",
            new.device.value
        ));
    }
    if disk.table.as_ref().is_some_and(|table| is_as_asked(table, new)) {
        log::debug!("{device} has its partitions already");
        return Ok(None);
    }
    let all = (0..disk.partitions().len()).map(Some).chain([None]);
    for partition in all {
        if let Some(why) = world.is_kept(At { partition, ..at }) {
            return Err(format!("the partitions of {device} cannot be changed: {why}"));
        }
    }
    if let Some(content) = content(disk)
        && !new.overwrite
    {
        return Err(format!(
            "{device} has {content} on it: it is left as it is, unless overwrite: true says that \
             this may be lost"
        ));
    }
    if new.kind == TableKind::Mbr && disk.device.size > MOST_MBR {
        return Err(format!(
            "{device} has {}, and a table of type mbr reaches 2 TiB: write table_type: gpt",
            amount(disk.device.size)
        ));
    }
    partitions(disk, new).map(Some)
}

/// As cloud-init compares: the number of partitions, and the types that were asked for.
fn is_as_asked(table: &Table, new: &NewTable) -> bool {
    let there: Vec<&Partition> = table.partitions.iter().filter(|it| !it.is_extended()).collect();
    table.is(new.kind)
        && match &new.layout {
            Layout::One => !there.is_empty(),
            Layout::Parts(parts) => {
                let is_so = |(part, there): (&NewPartition, &&Partition)| {
                    part.kind.as_ref().is_none_or(|it| it.0.eq_ignore_ascii_case(&there.kind))
                };
                parts.len() == there.len() && parts.iter().zip(&there).all(is_so)
            }
        }
}

/// What would be lost.
fn content(disk: &Disk) -> Option<String> {
    if let Some(content) = &disk.device.content {
        return Some(content.to_string());
    }
    let names: Vec<String> = disk.partitions().iter().map(|it| node(&it.device.name)).collect();
    (!names.is_empty()).then(|| format!("the partitions {}", names.join(", ")))
}

/// The parts of a layout, each with its share.
fn parts(layout: &Layout) -> Vec<NewPartition> {
    match layout {
        Layout::One => vec![NewPartition { share: 10_000, kind: None }],
        Layout::Parts(parts) => parts.clone(),
    }
}

fn partitions(disk: &Disk, new: &NewTable) -> Result<Vec<Partition>, String> {
    let room = disk.device.size.saturating_sub(RESERVED);
    let parts = parts(&new.layout);
    let mut left = room / GRAIN * GRAIN;
    let mut made = Vec::new();
    for (at, (number, part)) in (1..).zip(&parts).enumerate() {
        let share = u128::from(room) * u128::from(part.share) / 10_000;
        let share = u64::try_from(share).unwrap_or(u64::MAX) / GRAIN * GRAIN;
        let size = if at + 1 == parts.len() { left } else { share };
        if size < GRAIN || size > left {
            return Err(format!(
                "{} has {}: there is no room for partition {number}, which has at least 1 MiB",
                node(&disk.device.name),
                amount(disk.device.size)
            ));
        }
        left -= size;
        let name = block::partition_name(&disk.device.name, number);
        let device = Device { name, size, used: None, content: None };
        let kind = part.kind.as_ref().map_or_else(|| linux(new.kind), |PartitionType(it)| it);
        made.push(Partition { device, number, kind: kind.to_owned(), guid: None });
    }
    Ok(made)
}

fn linux(kind: TableKind) -> &'static str {
    match kind {
        TableKind::Gpt => LINUX[0],
        TableKind::Mbr => LINUX[1],
    }
}

/// What sfdisk(8) reads. The last partition has no size, and so gets what is left.
fn script(new: &NewTable, partitions: &[Partition]) -> String {
    let mut lines = vec![format!("label: {}", new.kind.name())];
    for (at, partition) in partitions.iter().enumerate() {
        let kind = &partition.kind;
        lines.push(if at + 1 == partitions.len() {
            format!("type={kind}")
        } else {
            format!("size={}MiB, type={kind}", partition.device.size / GRAIN)
        });
    }
    lines.join("\n") + "\n"
}

fn words(new: &NewTable, device: &str) -> String {
    let parts = parts(&new.layout);
    let kind = if new.kind == TableKind::Gpt { "gpt" } else { "mbr" };
    let shares: Vec<String> =
        parts.iter().map(|part| format!("{} %", f64::from(part.share) / 100.0)).collect();
    let lost = if new.overwrite { ", whatever is on it" } else { "" };
    format!("make partitions on {device}: {kind}, {}{lost}", shares.join(" + "))
}
