//! What there is: from sysfs, and by blkid and sfdisk of the system. Reading only.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::fs::{fstatvfs, statvfs};
use serde::Deserialize;

use crate::firstboot::chroot::Inside;
use crate::firstboot::configuration::{Disks, SwapFile};
use crate::firstboot::plan::disks::{
    Content, Device, Disk, Facts, Growing, Growth, OldFile, Partition, RootFs, SwapFacts, Table,
    swap_place,
};
use crate::sys::block;
use crate::sys::command::{End, Output};
use crate::sys::files;
use crate::sys::mountinfo::{self, Mount};
use crate::sys::tree::Tree;

/// For a program that reads a few sectors of a disk that may be slow to wake up.
const LIMIT: Duration = Duration::from_secs(60);
/// Closer to the end of its disk a partition does not grow: nobody has to read its table.
const NEAR: u64 = 2 << 20;

/// Gathers what a configuration of disks asks for, in the system that is at `inside`. Nothing is
/// read of other disks.
///
/// # Errors
/// A device is there and cannot be read, or a program of the system fails.
pub fn gather(asked: &Disks, inside: &Inside<'_>, tree: &Tree) -> Result<Facts> {
    let table = files::read_text(Path::new("/proc/thread-self/mountinfo"))?.unwrap_or_default();
    let gathering = Gathering { inside, mounts: mountinfo::parse(&table) };
    let mut facts = Facts { memory: memory()?, ..Facts::default() };
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
        facts.swap = swap_facts(tree, swap)?;
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
    fn disk(&self, name: &str) -> Result<Disk> {
        let (content, kind) = self.probe(name)?;
        let (table, content) = match kind.as_deref() {
            Some(kind @ ("gpt" | "dos")) => (Some(self.table(name, kind)?), content),
            // Of a kind that cannot be changed here: something that would be lost.
            Some(other) => {
                let kind = format!("a partition table of type {other}");
                (None, content.or(Some(Content { kind, label: None, uuid: None })))
            }
            None => (None, content),
        };
        let device = self.device(name, block::size(name)?, content)?;
        Ok(Disk { device, is_read_only: block::is_read_only(name)?, table })
    }

    fn device(&self, name: &str, size: u64, content: Option<Content>) -> Result<Device> {
        Ok(Device { name: name.to_owned(), size, used: self.used(name)?, content })
    }

    /// Who uses it, in words.
    fn used(&self, name: &str) -> Result<Option<String>> {
        if !block::is_in_use(name)? {
            return Ok(None);
        }
        let mut parts: Vec<String> =
            block::partitions(name)?.into_iter().map(|it| it.name).collect();
        parts.push(name.to_owned());
        for part in parts {
            if let Some(how) = self.how_used(&part)? {
                let whose = if part == name { String::new() } else { format!(", as {part}") };
                return Ok(Some(format!("{how}{whose}")));
            }
        }
        Ok(Some("in use".to_owned()))
    }

    fn how_used(&self, name: &str) -> Result<Option<String>> {
        let is_it = |mount: &&Mount| {
            mount.source.starts_with("/dev")
                && block::name(&mount.source).ok().flatten().as_deref() == Some(name)
        };
        // As the system itself has it, not the initrd's own mounts of it.
        let targets = self.mounts.iter().filter(is_it).map(|it| {
            let inside = it.target.strip_prefix(self.inside.root);
            inside.map_or_else(|_| it.target.clone(), |it| Path::new("/").join(it))
        });
        if let Some(target) = targets.min_by_key(|it| it.as_os_str().len()) {
            return Ok(Some(format!("mounted at {}", target.display())));
        }
        let swaps = files::read_text(Path::new("/proc/swaps"))?.unwrap_or_default();
        let node = block::node(name).display().to_string();
        if swaps.lines().any(|line| line.split_ascii_whitespace().next() == Some(&node)) {
            return Ok(Some("used as swap space".to_owned()));
        }
        let holders = block::holders(name)?;
        Ok((!holders.is_empty()).then(|| format!("part of {}", holders.join(", "))))
    }

    /// What is on a device, and the kind of its partition table.
    fn probe(&self, name: &str) -> Result<(Option<Content>, Option<String>)> {
        let node = block::node(name).display().to_string();
        let output = self.ask(&["blkid", "-p", "-o", "export", &node])?;
        match output.end {
            End::Exit(0) => Ok(probed(&output.stdout)),
            // Nothing that is known.
            End::Exit(2) => Ok((None, None)),
            // Several at once: whatever it is, it is something.
            End::Exit(8) => {
                let kind = "more than one thing".to_owned();
                Ok((Some(Content { kind, label: None, uuid: None }), None))
            }
            _ => Err(failed("blkid", &output)).with_context(|| format!("what is on {node}?")),
        }
    }

    fn table(&self, disk: &str, kind: &str) -> Result<Table> {
        let node = block::node(disk).display().to_string();
        let output = self.ask(&["sfdisk", "--json", &node])?;
        if !output.success() {
            return Err(failed("sfdisk", &output)).with_context(|| format!("the table of {node}"));
        }
        let dump: Dump = serde_json::from_str(&output.stdout)
            .with_context(|| format!("what sfdisk says of {node}"))?;
        let sector = dump.partitiontable.sectorsize.unwrap_or(block::SECTOR);
        let there = block::partitions(disk)?;
        let mut partitions = Vec::new();
        for entry in dump.partitiontable.partitions {
            let start = entry.start.saturating_mul(sector);
            // One that the kernel has not: its table was changed and not read again.
            let known = there.iter().find(|it| it.start == start);
            let Some(known) = known else {
                bail!("{node} has a partition that the kernel does not know: {}", entry.node);
            };
            let content = self.probe(&known.name)?.0;
            partitions.push(Partition {
                device: self.device(&known.name, known.size, content)?,
                number: known.number,
                kind: entry.kind,
                guid: entry.uuid,
            });
        }
        Ok(Table { kind: kind.to_owned(), partitions })
    }

    fn growing(&self, path: &str) -> Result<Option<Growing>> {
        let Some(name) = self.behind(path)? else { return Ok(None) };
        let is_mapped = block::is_mapped(&name);
        let partition = match block::disk_of(&name)? {
            Some(disk) => self.growth(&disk, &name)?,
            None => None,
        };
        Ok(Some(Growing { name, is_mapped, partition }))
    }

    fn growth(&self, disk: &str, name: &str) -> Result<Option<Growth>> {
        let disk_size = block::size(disk)?;
        let all = block::partitions(disk)?;
        let Some(own) = all.iter().find(|it| it.name == name) else { return Ok(None) };
        let end = own.start.saturating_add(own.size);
        let is_near = disk_size.saturating_sub(end) < NEAR;
        let table = if is_near { None } else { self.probe(disk)?.1 };
        Ok(Some(Growth {
            disk: disk.to_owned(),
            disk_size,
            table: table.unwrap_or_default(),
            number: own.number,
            end,
            is_last: !all.iter().any(|it| it.start > own.start),
        }))
    }

    /// The kernel's name of the device that a path is, or that is mounted there.
    fn behind(&self, path: &str) -> Result<Option<String>> {
        if path.starts_with("/dev/") {
            return block::name(Path::new(path));
        }
        match self.mounted(path) {
            Some(mount) if mount.source.starts_with("/dev") => block::name(&mount.source),
            _ => Ok(None),
        }
    }

    fn mounted(&self, path: &str) -> Option<&Mount> {
        let below = path.trim_matches('/');
        let at = if below.is_empty() {
            self.inside.root.to_owned()
        } else {
            self.inside.root.join(below)
        };
        mountinfo::at(&self.mounts, &at)
    }

    fn root(&self) -> Result<Option<RootFs>> {
        let (Some(mount), Some(name)) = (self.mounted("/"), self.behind("/")?) else {
            return Ok(None);
        };
        let stat = statvfs(self.inside.root).context("cannot statfs the root")?;
        Ok(Some(RootFs {
            kind: mount.fstype.clone(),
            size: stat.f_blocks.saturating_mul(stat.f_frsize),
            device_size: block::size(&name)?,
            name,
        }))
    }

    fn ask(&self, command: &[&str]) -> Result<Output> {
        let command: Vec<String> = command.iter().map(|it| (*it).to_owned()).collect();
        self.inside.ask(&command, b"", LIMIT)
    }
}

/// What sfdisk writes as JSON, as far as it is looked at.
#[derive(Deserialize)]
struct Dump {
    partitiontable: DumpedTable,
}

#[derive(Deserialize)]
struct DumpedTable {
    sectorsize: Option<u64>,
    #[serde(default)]
    partitions: Vec<Dumped>,
}

/// In sectors.
#[derive(Deserialize)]
struct Dumped {
    node: String,
    start: u64,
    #[serde(rename = "type")]
    kind: String,
    uuid: Option<String>,
}

fn failed(program: &str, output: &Output) -> anyhow::Error {
    anyhow::anyhow!("{program} failed: {}: {}", output.end, output.last_line())
}

/// Of blkid(8): `KEY=value` in lines, where a backslash stands before what a shell would take
/// apart.
fn probed(text: &str) -> (Option<Content>, Option<String>) {
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.map(unescaped)
    };
    let content =
        value("TYPE").map(|kind| Content { kind, label: value("LABEL"), uuid: value("UUID") });
    (content, value("PTTYPE"))
}

fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\\' {
            plain.extend(chars.next());
        } else {
            plain.push(c);
        }
    }
    plain
}

/// The machine's memory in bytes.
fn memory() -> Result<u64> {
    let text = files::read_text(Path::new("/proc/meminfo"))?.unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let number = line.and_then(|line| line.split_ascii_whitespace().next()?.parse::<u64>().ok());
    let kib = number.context("/proc/meminfo has no MemTotal")?;
    Ok(kib.saturating_mul(1024))
}

/// What is free where the swap file is to be, and whether it is there. `None` if there is no place
/// for it, which the plan says.
fn swap_facts(tree: &Tree, swap: &SwapFile) -> Result<Option<SwapFacts>> {
    let fstab = tree.read("/etc/fstab")?.unwrap_or_default();
    let Ok(path) = swap_place(&String::from_utf8_lossy(&fstab), swap) else { return Ok(None) };
    let mut directory = None;
    for above in Path::new(&path).ancestors().skip(1) {
        directory = tree.open_for_reading(above)?;
        if directory.is_some() {
            break;
        }
    }
    let Some(directory) = directory else { return Ok(None) };
    let stat = fstatvfs(&directory).with_context(|| format!("cannot statfs {path}"))?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let file = tree.open_for_reading(&path)?.map(|file| old_file(&file)).transpose()?;
    Ok(Some(SwapFacts { free, file }))
}

/// mkswap(8) ends the first page with a word; pages have 4 to 64 KiB.
fn old_file(file: &fs::File) -> Result<OldFile> {
    const MAGIC: &[u8; 10] = b"SWAPSPACE2";
    let metadata = file.metadata()?;
    let mut found = [0; MAGIC.len()];
    let is_swap = metadata.is_file()
        && [4u64 << 10, 16 << 10, 64 << 10]
            .into_iter()
            .any(|page| file.read_exact_at(&mut found, page - 10).is_ok() && found == *MAGIC);
    Ok(OldFile { size: metadata.len(), is_swap })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_blkid_says() {
        let content = |kind: &str, label: Option<&str>, uuid: Option<&str>| {
            let text = |it: Option<&str>| it.map(str::to_owned);
            Some(Content { kind: kind.into(), label: text(label), uuid: text(uuid) })
        };
        for (text, expected) in [
            (
                "DEVNAME=/dev/vdb1\nLABEL=my\\ data\nUUID=0a-1\nVERSION=1.0\nTYPE=ext4\n",
                (content("ext4", Some("my data"), Some("0a-1")), None),
            ),
            ("DEVNAME=/dev/vdb\nPTUUID=x\nPTTYPE=gpt\n", (None, Some("gpt".to_owned()))),
            ("DEVNAME=/dev/vdb\n", (None, None)),
            ("", (None, None)),
            ("TYPE=a\\", (content("a", None, None), None)),
        ] {
            assert_eq!(probed(text), expected, "{text}");
        }
    }
}
