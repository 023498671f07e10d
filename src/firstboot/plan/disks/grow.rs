//! Partitions and the root file system grow into the space that there is.
//!
//! That this is not done keeps no machine from what it was configured for, so it is no error; and
//! where nobody asked for it by name, it is not worth a word either.

use anyhow::Result;

use super::{Action, Growing, Growth, Step, amount, node, program};
use crate::firstboot::configuration::{Grow, ResizeRoot};
use crate::firstboot::plan::Planner;
use crate::firstboot::problem::Place;

/// Less is not worth writing a partition table for.
const LEAST: u64 = 1 << 20;
/// The copy of a GUID partition table, and the rest of a MiB.
const BEHIND: u64 = 1 << 20;
/// The boot record's fields have 32 bits, in sectors of 512 bytes.
const MOST_MBR: u64 = 2 << 40;
/// With this in the image nothing grows (cloud-init's `cc_growpart`).
const DISABLED: &str = "/etc/growroot-disabled";

/// Whether the root's partition grows.
pub(super) fn partitions(planner: &mut Planner<'_>, grow: &Grow) -> Result<bool> {
    if !grow.ignores_disabled && planner.view.exists(DISABLED)? {
        log::debug!("no partition grows: there is {DISABLED}");
        return Ok(false);
    }
    let mut is_root = false;
    for device in &grow.devices {
        let Some(facts) = planner.facts else {
            if grow.is_asked {
                let what = format!(
                    "let the partition of {} grow, if there is room behind it",
                    device.value
                );
                planner.disks.push(Step { what, action: None });
            }
            continue;
        };
        let has_sfdisk = program(planner, "sfdisk")?.is_some();
        let growing = facts.growing.get(&device.value);
        match decide(growing, has_sfdisk) {
            Ok(None) => log::debug!("{} has no room to grow", device.value),
            Ok(Some(growth)) => {
                let what = format!(
                    "let partition {} of {} grow by {}",
                    growth.number,
                    node(&growth.disk),
                    amount(room(growth))
                );
                let (disk, number) = (growth.disk.clone(), growth.number);
                let action = Some(Action::GrowPartition { disk, number });
                planner.disks.push(Step { what, action });
                is_root |= facts
                    .root
                    .as_ref()
                    .is_some_and(|root| growing.is_some_and(|it| it.name == root.name));
            }
            Err(why) => {
                let says = format!("the partition of {} does not grow: {why}", device.value);
                tell(planner, grow.is_asked, &device.place, &says);
            }
        }
    }
    Ok(is_root)
}

/// What is there after the partition and can be added to it.
fn room(growth: &Growth) -> u64 {
    let most = if growth.table == "dos" { MOST_MBR } else { u64::MAX };
    growth.disk_size.min(most).saturating_sub(growth.end).saturating_sub(BEHIND)
}

/// What grows; `None` if there is no room; or why it cannot.
fn decide(growing: Option<&Growing>, has_sfdisk: bool) -> Result<Option<&Growth>, String> {
    let Some(growing) = growing else {
        return Err("nothing is mounted there from a disk, and there is no such device".to_owned());
    };
    if growing.is_mapped {
        return Err(format!(
            "{} is an encrypted or a logical volume: let it grow in the started system, by \
             cryptsetup resize or lvextend in runcmd",
            node(&growing.name)
        ));
    }
    let Some(growth) = &growing.partition else {
        return Err(format!("{} is no partition", node(&growing.name)));
    };
    if room(growth) < LEAST {
        return Ok(None);
    }
    if !growth.is_last {
        return Err(format!(
            "another partition comes after partition {} of {}",
            growth.number,
            node(&growth.disk)
        ));
    }
    match (growth.table.as_str(), growth.number) {
        ("gpt", _) | ("dos", 1..=4) => {}
        ("dos", _) => return Err("it is a logical partition, within another one".to_owned()),
        (other, _) => return Err(format!("partition tables of type {other:?} are not known")),
    }
    if !has_sfdisk {
        return Err("there is no sfdisk in the system".to_owned());
    }
    Ok(Some(growth))
}

/// The root file system, whose partition may have `grown`.
pub(super) fn root(planner: &mut Planner<'_>, resize: &ResizeRoot, grown: bool) -> Result<()> {
    let Some(facts) = planner.facts else {
        if resize.is_asked {
            let what = "let the root file system get as large as its partition".to_owned();
            planner.disks.push(Step { what, action: None });
        }
        return Ok(());
    };
    let Some(root) = &facts.root else {
        tell(planner, resize.is_asked, &resize.place, "the root file system is on no disk");
        return Ok(());
    };
    let device = node(&root.name);
    let by = |planner: &Planner<'_>, name: &str, argument: &str| -> Result<Option<Vec<String>>> {
        Ok(program(planner, name)?.map(|path| vec![path, argument.to_owned()]))
    };
    let action = match root.kind.as_str() {
        "btrfs" => {
            if !grown && root.size.saturating_add(LEAST) > root.device_size {
                log::debug!("the root file system is as large as its partition");
                return Ok(());
            }
            Some(Action::GrowBtrfs)
        }
        "ext2" | "ext3" | "ext4" => by(planner, "resize2fs", &device)?.map(Action::GrowRoot),
        "xfs" => by(planner, "xfs_growfs", "/")?.map(Action::GrowRoot),
        _ => None,
    };
    if action.is_some() {
        let what = format!("let the root file system get as large as {device}");
        planner.disks.push(Step { what, action });
    } else {
        let says = format!(
            "the root file system does not grow: there is no program in the system for {}",
            root.kind
        );
        tell(planner, resize.is_asked, &resize.place, &says);
    }
    Ok(())
}

fn tell(planner: &mut Planner<'_>, is_asked: bool, place: &Place, says: &str) {
    if is_asked {
        planner.warning(place, says);
    } else {
        log::debug!("{says}");
    }
}
