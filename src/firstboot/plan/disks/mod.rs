//! What is made on disks: partition tables, file systems, a swap file; and what grows.
//!
//! Disks are outside of the transaction. So all of it is decided before anything is changed, by
//! facts that were gathered before; nothing that holds data or is in use is touched unless it says
//! `overwrite`; and what is there already as it should be is left alone, so that a second try
//! after a failure goes on where the first one ended.
//!
//! At the desk there are no facts: then the steps are shown, and none of them can be carried out.

mod facts;
mod file_systems;
mod grow;
mod swap;
mod tables;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;

use anyhow::Result;

pub use facts::{
    Content, Device, Disk, Facts, Growing, Growth, OldFile, Partition, RootFs, SwapFacts, Table,
};
pub use swap::place as swap_place;

use super::Planner;
use super::overlay::Overlay;
use crate::firstboot::configuration::{Configuration, Mount, Placed};
use crate::sys::block;

/// Something to be made on a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What, in words.
    pub what: String,
    /// How; `None` where there are no disks to look at, and so nothing can be decided.
    pub action: Option<Action>,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

/// How it is made: no decision is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A partition table, by sfdisk.
    Table {
        /// The kernel's name of the disk.
        disk: String,
        /// What sfdisk reads.
        script: String,
        /// The kernel's names of the partitions that are there then.
        partitions: Vec<String>,
    },
    /// A file system.
    FileSystem {
        /// A disk whose partition table goes first, lest its copy at the end comes back.
        wiped: Option<String>,
        /// The program that makes it.
        command: Vec<String>,
    },
    /// A partition gets the space behind it, by sfdisk.
    GrowPartition {
        /// The kernel's name of the disk.
        disk: String,
        /// Which partition.
        number: u32,
    },
    /// The root file system, which is btrfs, gets as large as its partition.
    GrowBtrfs,
    /// The same by a program of another file system.
    GrowRoot(Vec<String>),
    /// A file for swap space, of this many bytes.
    Swap {
        /// An absolute path in the system.
        file: PathBuf,
        /// In bytes.
        size: u64,
    },
}

impl Action {
    /// Whether the system is as it was asked for without it: failing, it is only told.
    pub fn is_optional(&self) -> bool {
        matches!(self, Self::GrowPartition { .. } | Self::GrowBtrfs | Self::GrowRoot(_))
    }
}

/// Plans it; returns fstab's line for the swap file, if there will be one.
pub(super) fn plan(
    planner: &mut Planner<'_>,
    configuration: &Configuration,
) -> Result<Option<Mount>> {
    let disks = &configuration.disks;
    let mut world = planner.facts.map(|facts| World {
        facts,
        disks: facts.disks.clone(),
        fstab: fstab(&planner.view),
        refused: Vec::new(),
    });
    for table in &disks.tables {
        tables::plan(planner, world.as_mut(), table)?;
    }
    for file_system in &disks.file_systems {
        file_systems::plan(planner, world.as_mut(), file_system)?;
    }
    let grown = match &disks.grow {
        Some(it) => grow::partitions(planner, it)?,
        None => false,
    };
    if let Some(root) = &disks.resize_root {
        grow::root(planner, root, grown)?;
    }
    match &disks.swap {
        Some(file) => swap::plan(planner, file),
        None => Ok(None),
    }
}

/// The disks as they will be, when the steps so far are done.
struct World<'a> {
    facts: &'a Facts,
    disks: Vec<Disk>,
    /// Devices that the system mounts, as fstab has them.
    fstab: Vec<String>,
    /// Disks that get no partition table, by their place among the disks: what is missing on them
    /// then is not worth a word.
    refused: Vec<usize>,
}

/// Where a device is among the disks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct At {
    disk: usize,
    /// Its partition; `None` is the disk itself.
    partition: Option<usize>,
}

impl World<'_> {
    fn find(&self, name: &str) -> Option<At> {
        for (disk, it) in self.disks.iter().enumerate() {
            if it.device.name == name {
                return Some(At { disk, partition: None });
            }
            let partition = it.partitions().iter().position(|it| it.device.name == name);
            if partition.is_some() {
                return Some(At { disk, partition });
            }
        }
        None
    }

    fn device(&self, at: At) -> Option<&Device> {
        let disk = self.disks.get(at.disk)?;
        match at.partition {
            None => Some(&disk.device),
            Some(partition) => disk.partitions().get(partition).map(|it| &it.device),
        }
    }

    /// Why nothing may be made on this device, whoever asks for it.
    fn is_kept(&self, at: At) -> Option<String> {
        let disk = self.disks.get(at.disk)?;
        let device = self.device(at)?;
        let node = node(&device.name);
        if disk.is_read_only {
            return Some(format!("{} is read-only", self::node(&disk.device.name)));
        }
        if let Some(used) = &device.used {
            return Some(format!("{node} is {used}"));
        }
        let partition = at.partition.and_then(|it| disk.partitions().get(it));
        // What firmware and loaders read is mounted late, or never.
        if disk.device.used.is_some() && partition.is_some_and(Partition::is_for_starting) {
            return Some(format!("{node} is what the machine starts from"));
        }
        let guid = partition.and_then(|it| it.guid.as_deref());
        let mounted = self.fstab.iter().find(|spec| is_named(spec, device, guid));
        mounted.map(|spec| format!("{node} is what /etc/fstab mounts as {spec}"))
    }
}

/// Whether a first field of fstab means this device.
fn is_named(spec: &str, device: &Device, guid: Option<&str>) -> bool {
    let content = device.content.as_ref();
    match spec.split_once('=') {
        Some(("LABEL", label)) => content.is_some_and(|it| it.label.as_deref() == Some(label)),
        Some(("UUID", uuid)) => content
            .and_then(|it| it.uuid.as_deref())
            .is_some_and(|it| it.eq_ignore_ascii_case(uuid)),
        Some(("PARTUUID", uuid)) => guid.is_some_and(|it| it.eq_ignore_ascii_case(uuid)),
        _ => spec == node(&device.name),
    }
}

/// What the system mounts, by the first fields; a line that cannot be read is for whoever mounts.
fn fstab(view: &Overlay<'_>) -> Vec<String> {
    let text = view.text("/etc/fstab").ok().flatten().unwrap_or_default();
    let entries = crate::sys::mountinfo::parse_fstab(&text).unwrap_or_default();
    entries.into_iter().map(|entry| entry.spec).collect()
}

/// A device that a configuration names; a problem if it is not there.
fn lookup(planner: &mut Planner<'_>, world: &World<'_>, device: &Placed<String>) -> Option<At> {
    let name = world.facts.names.get(&device.value);
    let at = name.and_then(|name| world.find(name));
    if at.is_none() {
        let says = format!("there is no device {}: is its name another one here?", device.value);
        planner.error(&device.place, says);
    }
    at
}

fn node(name: &str) -> String {
    block::node(name).display().to_string()
}

/// The path of a program of the system.
fn program(planner: &Planner<'_>, name: &str) -> Result<Option<String>> {
    for directory in ["/usr/sbin", "/usr/bin", "/sbin", "/bin"] {
        let path = format!("{directory}/{name}");
        if planner.view.is_file(&path)? {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// For people.
fn amount(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB")];
    let unit = UNITS.iter().find(|(unit, _)| bytes >= *unit);
    let Some((unit, name)) = unit else { return format!("{bytes} bytes") };
    let tenths = u128::from(bytes) * 10 / u128::from(*unit);
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}
