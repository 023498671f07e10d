//! File systems.

use anyhow::Result;

use super::{Action, At, Content, Step, World, lookup, node, program};
use crate::firstboot::configuration::{NewFileSystem, Target};
use crate::firstboot::plan::Planner;

/// What their mkfs calls the label, and that something there may be lost. Of the others cloud-init
/// takes `-L` for granted, too.
const OPTIONS: [(&str, &str, &str); 8] = [
    ("ext2", "-L", "-F"),
    ("ext3", "-L", "-F"),
    ("ext4", "-L", "-F"),
    ("xfs", "-L", "-f"),
    ("btrfs", "-L", "-f"),
    ("swap", "-L", "-f"),
    ("vfat", "-n", "-I"),
    ("f2fs", "-l", "-f"),
];

pub(super) fn plan(
    planner: &mut Planner<'_>,
    world: Option<&mut World<'_>>,
    new: &NewFileSystem,
) -> Result<()> {
    let kind = &new.kind.value;
    let Some(mkfs) = maker(planner, kind)? else {
        let says = format!(
            "there is no mkfs.{kind} in the system: the image must have it, packages come later"
        );
        planner.error(&new.kind.place, says);
        return Ok(());
    };
    let Some(world) = world else {
        let what = words(new, &new.device.value, new.target);
        planner.disks.push(Step { what, action: None });
        return Ok(());
    };
    let Some(at) = lookup(planner, world, &new.device) else { return Ok(()) };
    if world.refused.contains(&at.disk) {
        return Ok(());
    }
    let at = match decide(world, at, new) {
        Ok(Some(at)) => at,
        Ok(None) => return Ok(()),
        Err(says) => {
            planner.error(&new.device.place, says);
            return Ok(());
        }
    };
    let Some(device) = world.device(at) else { return Ok(()) };
    // mke2fs asks before it takes a whole disk, too.
    let may_lose = device.content.is_some() || at.partition.is_none();
    let node = node(&device.name);
    let has_table = world.disks.get(at.disk).is_some_and(|it| it.table.is_some());
    let wiped = (has_table && at.partition.is_none()).then(|| node.clone());
    let command = command(mkfs, new, &node, may_lose);
    let what = words(new, &node, Target::Whole);
    planner.disks.push(Step { what, action: Some(Action::FileSystem { wiped, command }) });
    let content = Content { kind: kind.clone(), label: new.label.clone(), uuid: None };
    world.fill(at, content);
    Ok(())
}

impl World<'_> {
    /// What will be there then.
    fn fill(&mut self, at: At, content: Content) {
        let Some(disk) = self.disks.get_mut(at.disk) else { return };
        let Some(partition) = at.partition else {
            disk.device.content = Some(content);
            disk.table = None;
            return;
        };
        let partitions = disk.table.as_mut().map(|table| &mut table.partitions);
        if let Some(partition) = partitions.and_then(|it| it.get_mut(partition)) {
            partition.device.content = Some(content);
        }
    }
}

/// Where it is to be made; `None` if it is there; or why it cannot be.
fn decide(world: &World<'_>, at: At, new: &NewFileSystem) -> Result<Option<At>, String> {
    let at = match new.target {
        Target::Auto | Target::Any => match choose(world, at, new)? {
            Some(at) => at,
            None => return Ok(None),
        },
        Target::Whole => at,
        Target::Number(number) => numbered(world, at, number)?,
    };
    let Some(device) = world.device(at) else { return Ok(None) };
    let device_node = node(&device.name);
    let whole = if at.partition.is_none() { world.disks.get(at.disk) } else { None };
    if let Some(content) = &device.content {
        if is_it(content, new, true) && !new.overwrite {
            log::debug!("{device_node} has its file system already");
            return Ok(None);
        }
        let may_go = new.overwrite || new.replace.as_ref() == Some(&content.kind);
        if !may_go {
            return Err(format!(
                "{device_node} has {content} on it: it is left as it is, unless overwrite: true \
                 says that this may be lost"
            ));
        }
    }
    if whole.is_some_and(|disk| !disk.partitions().is_empty()) && !new.overwrite {
        return Err(format!(
            "{device_node} has partitions on it: it is left as it is, unless overwrite: true says \
             that they may be lost"
        ));
    }
    let below = whole.map_or(0, |disk| disk.partitions().len());
    for partition in (0..below).map(Some).chain([at.partition]) {
        if let Some(why) = world.is_kept(At { partition, ..at }) {
            return Err(format!("no file system can be made on {device_node}: {why}"));
        }
    }
    Ok(Some(at))
}

/// The partition that has it, else the first without anything; `None` if one has it.
fn choose(world: &World<'_>, at: At, new: &NewFileSystem) -> Result<Option<At>, String> {
    let Some(disk) = world.disks.get(at.disk) else { return Ok(None) };
    let with_label = new.target == Target::Auto;
    let candidates: Vec<At> = match at.partition {
        Some(_) => vec![at],
        None if disk.partitions().is_empty() => vec![at],
        None => (0..disk.partitions().len())
            .filter(|it| !disk.partitions()[*it].is_extended())
            .map(|it| At { partition: Some(it), ..at })
            .collect(),
    };
    let content = |at: &At| world.device(*at).and_then(|it| it.content.as_ref());
    if candidates.iter().filter_map(content).any(|it| is_it(it, new, with_label)) {
        log::debug!("{} has this file system already", node(&disk.device.name));
        return Ok(None);
    }
    let replaced = candidates.iter().find(|at| {
        content(at).is_some_and(|it| !with_label && new.replace.as_ref() == Some(&it.kind))
    });
    let free = || candidates.iter().find(|at| content(at).is_none());
    replaced.or_else(free).copied().map(Some).ok_or_else(|| {
        format!(
            "there is nothing free on {}: write the partition's number, or none for all of it, and \
             overwrite: true if what is there may be lost",
            new.device.value
        )
    })
}

fn numbered(world: &World<'_>, at: At, number: u32) -> Result<At, String> {
    let Some(disk) = world.disks.get(at.disk) else { return Ok(at) };
    let device = node(&disk.device.name);
    if at.partition.is_some() {
        return Err(format!("a partition has no partition {number}: name {device}, or none"));
    }
    let partition = disk.partitions().iter().position(|it| it.number == number);
    let Some(partition) = partition else {
        return Err(format!(
            "{device} has no partition {number}: disk_setup makes partitions, and none means all \
             of the disk"
        ));
    };
    Ok(At { partition: Some(partition), ..at })
}

/// Whether this is what is asked for.
fn is_it(content: &Content, new: &NewFileSystem, with_label: bool) -> bool {
    let is_label = new.label.is_none() || new.label == content.label;
    content.kind == new.kind.value && (is_label || !with_label)
}

/// `mkfs.ext4`, and `mkswap`.
fn maker(planner: &Planner<'_>, kind: &str) -> Result<Option<String>> {
    match program(planner, &format!("mkfs.{kind}"))? {
        Some(path) => Ok(Some(path)),
        None => program(planner, &format!("mk{kind}")),
    }
}

fn command(mkfs: String, new: &NewFileSystem, device: &str, may_lose: bool) -> Vec<String> {
    let options = OPTIONS.iter().find(|(kind, ..)| *kind == new.kind.value);
    let (label, force) = options.map_or(("-L", ""), |(_, label, force)| (*label, *force));
    let mut command = vec![mkfs];
    if let Some(text) = &new.label {
        command.extend([label.to_owned(), text.clone()]);
    }
    if may_lose && !force.is_empty() {
        command.push(force.to_owned());
    }
    command.extend(new.options.iter().cloned());
    command.push(device.to_owned());
    command
}

fn words(new: &NewFileSystem, device: &str, target: Target) -> String {
    let label = new.label.as_ref().map(|it| format!(" with the label {it:?}"));
    let lost = if new.overwrite { ", whatever is there" } else { "" };
    let target = match target {
        Target::Number(number) => format!("partition {number} of {device}"),
        Target::Auto | Target::Any => format!("a free partition of {device}"),
        Target::Whole => device.to_owned(),
    };
    format!("make {}{} on {target}{lost}", new.kind.value, label.unwrap_or_default())
}
