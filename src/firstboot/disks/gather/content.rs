//! What is on a disk: its partition table, and what blkid finds on it and in its partitions.

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::Gathering;
use crate::firstboot::plan::disks::{Content, Device, Disk, Partition, Table};
use crate::sys::block;
use crate::sys::command::{End, Output};

impl Gathering<'_> {
    pub(super) fn disk(&self, name: &str) -> Result<Disk> {
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

    /// What is on a device, and the kind of its partition table.
    pub(super) fn probe(&self, name: &str) -> Result<(Option<Content>, Option<String>)> {
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
