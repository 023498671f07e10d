//! What there is: from sysfs, and by blkid and sfdisk of the system. Reading only.

mod content;
mod growing;
mod in_use;
mod swap;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::firstboot::chroot::Inside;
use crate::firstboot::configuration::Disks;
use crate::firstboot::plan::disks::Facts;
use crate::sys::block;
use crate::sys::command::Output;
use crate::sys::files;
use crate::sys::mountinfo::{self, Mount};
use crate::sys::tree::Tree;

/// For a program that reads a few sectors of a disk that may be slow to wake up.
const LIMIT: Duration = Duration::from_secs(60);

/// Gathers what a configuration of disks asks for, in the system that is at `inside`. Nothing is
/// read of other disks.
///
/// # Errors
/// A device is there and cannot be read, or a program of the system fails.
pub fn gather(asked: &Disks, inside: &Inside<'_>, tree: &Tree) -> Result<Facts> {
    let table = files::read_text(Path::new("/proc/thread-self/mountinfo"))?.unwrap_or_default();
    let gathering = Gathering { inside, mounts: mountinfo::parse(&table) };
    let mut facts = Facts { memory: swap::memory()?, ..Facts::default() };
    let tables = asked.tables.iter().map(|it| &it.device.value);
    let file_systems = asked.file_systems.iter().map(|it| &it.device.value);
    let mut disks = BTreeSet::new();
    for path in tables.chain(file_systems) {
        if let Some(name) = block::name(Path::new(path))? {
            disks.insert(block::disk_of(&name)?.unwrap_or_else(|| name.clone()));
            facts.names.insert(path.clone(), name);
        }
    }
    facts.disks = disks.iter().map(|disk| gathering.disk(disk)).collect::<Result<_>>()?;
    // Both are asked for by every configuration, and no reason to refuse one.
    if let Some(grow) = &asked.grow {
        for device in &grow.devices {
            let growing = optional(gathering.growing(&device.value));
            facts.growing.extend(growing.map(|it| (device.value.clone(), it)));
        }
    }
    if asked.resize_root.is_some() || asked.grow.is_some() {
        facts.root = optional(gathering.root());
    }
    if let Some(swap) = &asked.swap {
        facts.swap = swap::facts(tree, swap)?;
    }
    Ok(facts)
}

/// What cannot be found out is not known.
fn optional<T>(found: Result<Option<T>>) -> Option<T> {
    found.unwrap_or_else(|e| {
        log::info!("what may grow is not known: {e:#}");
        None
    })
}

struct Gathering<'a> {
    inside: &'a Inside<'a>,
    mounts: Vec<Mount>,
}

impl Gathering<'_> {
    fn mounted(&self, path: &str) -> Option<&Mount> {
        let below = path.trim_matches('/');
        let at = if below.is_empty() {
            self.inside.root.to_owned()
        } else {
            self.inside.root.join(below)
        };
        mountinfo::at(&self.mounts, &at)
    }

    fn ask(&self, command: &[&str]) -> Result<Output> {
        let command: Vec<String> = command.iter().map(|it| (*it).to_owned()).collect();
        self.inside.ask(&command, b"", LIMIT)
    }
}
